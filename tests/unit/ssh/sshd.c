/* sshd.c - see sshd.h. */
#define _GNU_SOURCE
#include "tests/unit/ssh/sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/harness.h"

static const char sshd_path[] = "/usr/sbin/sshd";

int
listen_loopback(int backlog, uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        perror("listen");
        abort();
    }
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* Makes a key pair; its public half goes to line unless that is NULL. */
static bool
make_key(const struct sshd *s, const char *name, char *line, size_t room)
{
    char command[512], path[256];

    snprintf(command, sizeof command, "ssh-keygen -q -t ed25519 -N '' -C test -f '%s/%s'",
             s->folder, name);
    if (system(command) != 0) {
        return false;
    }
    snprintf(path, sizeof path, "%s/%s.pub", s->folder, name);
    char *text = rc_test_read_file(path, NULL);
    if (text && line) {
        snprintf(line, room, "%s", text);
    }
    bool read = text != NULL;
    free(text);
    return read;
}

static void
write_config(const struct sshd *s)
{
    char path[256];

    snprintf(path, sizeof path, "%s/config", s->folder);
    FILE *f = fopen(path, "w");
    if (!f) {
        perror(path);
        abort();
    }
    fprintf(f,
            "ListenAddress 127.0.0.1\nPort %u\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
            s->port, s->folder, s->folder);
    fclose(f);
}

/* In the child. As root, sshd wants /run/sshd, which is made in a mount namespace of its own. */
static void
run_sshd(const struct sshd *s)
{
    char path[256];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", "/run", "tmpfs", 0, NULL) == 0) {
        mkdir("/run/sshd", 0755);
    }
    int quiet = open("/dev/null", O_WRONLY);
    dup2(quiet, STDERR_FILENO);
    snprintf(path, sizeof path, "%s/config", s->folder);
    execl(sshd_path, sshd_path, "-D", "-e", "-f", path, (char *)NULL);
    _exit(127);
}

/* Up to ten seconds for the port to answer. */
static bool
wait_for_port(const struct sshd *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(s->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int tries = 0; tries < 200; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int rc = connect(fd, (struct sockaddr *)&a, sizeof a);
        close(fd);
        if (rc == 0) {
            return true;
        }
        usleep(50000);
    }
    return false;
}

bool
sshd_start(struct sshd *s)
{
    const struct passwd *me = getpwuid(geteuid());

    memset(s, 0, sizeof *s);
    snprintf(s->folder, sizeof s->folder, "/tmp/rc-sshd-XXXXXX");
    if (access(sshd_path, X_OK) != 0 || !me || !mkdtemp(s->folder)) {
        rc_test_skip("no sshd here");
        return false;
    }
    snprintf(s->user, sizeof s->user, "%s", me->pw_name);
    snprintf(s->user_key, sizeof s->user_key, "%s/user", s->folder);
    snprintf(s->wrong_key, sizeof s->wrong_key, "%s/wrong", s->folder);
    if (!make_key(s, "host", s->host_key, sizeof s->host_key) ||
        !make_key(s, "other", s->other_key, sizeof s->other_key) || !make_key(s, "user", NULL, 0) ||
        !make_key(s, "wrong", NULL, 0)) {
        rc_test_skip("ssh-keygen failed");
        return false;
    }
    close(listen_loopback(1, &s->port));
    write_config(s);
    s->pid = fork();
    if (s->pid == 0) {
        run_sshd(s);
    }
    if (!wait_for_port(s)) {
        sshd_stop(s);
        rc_test_skip("sshd did not start");
        return false;
    }
    return true;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void
sshd_stop(struct sshd *s)
{
    if (s->pid > 0) {
        /* The listener only; a session's processes have sessions of their own and end with it. */
        kill(s->pid, SIGTERM);
        waitpid(s->pid, NULL, 0);
        s->pid = 0;
    }
    nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
