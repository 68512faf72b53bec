/* admit_ask.c - asks for a node's address: see admit.h.
 *
 * scontrol is run as a child, because libslurm ends the process of a caller that has a bad
 * configuration and blocks for seconds. For a named server it gets the same minimal
 * configuration that Slurm itself uses to fetch one (src/common/fetch_config.c), in an
 * unnamed file. Tried with 22.05.8: /etc/slurm and /run/slurm/conf would win over
 * SLURM_CONF_SERVER, but not over SLURM_CONF. */
#define _GNU_SOURCE
#include "reconciler/admit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/core/event.h"
#include "reconciler/io/files/slurm_conf.h"

enum { ASK_MS = 20000, OUTPUT_MAX = 16384, SLURMCTLD_PORT = 6817 };

enum rc_err
rc_admit_read_scontrol(const char *out, const char *node, char addr[RC_ADDR_LEN],
                       struct rc_error *e)
{
    char name[RC_NODE_LEN + 16];
    int len = snprintf(name, sizeof name, "NodeName=%s ", node);
    const char *line_end = out + strcspn(out, "\n");
    const char *at = strstr(out, " NodeAddr=");

    if (len < 0 || (size_t)len >= sizeof name || strncmp(out, name, (size_t)len) != 0 || !at ||
        at > line_end) {
        return rc_fail(e, RC_E_PARSE, "scontrol's answer about %s is unreadable: \"%.80s\"", node,
                       out);
    }
    at += strlen(" NodeAddr=");
    size_t size = strcspn(at, " \n");
    if (size == 0 || size >= RC_ADDR_LEN) {
        return rc_fail(e, RC_E_PARSE, "NodeAddr of %s is no address", node);
    }
    memcpy(addr, at, size);
    addr[size] = '\0';
    return RC_OK;
}

bool
rc_admit_server_conf(const char *server, char *ret, size_t room)
{
    const char *colon = strrchr(server, ':');
    size_t host = colon ? (size_t)(colon - server) : strlen(server);
    unsigned long port = SLURMCTLD_PORT;

    if (colon) {
        char *end;
        port = strtoul(colon + 1, &end, 10);
        if (*end || end == colon + 1 || port == 0 || port > 65535) {
            return false;
        }
    }
    if (host == 0 || strcspn(server, " \t\n\r#\"\\=()[],") < host) {
        return false;
    }
    int len = snprintf(ret, room, "ClusterName=CONFIGLESS\nSlurmctldHost=%.*s\nSlurmctldPort=%lu\n",
                       (int)host, server, port);
    return len > 0 && (size_t)len < room;
}

/* An open file that holds text and has no name; scontrol inherits it. */
static int
make_unnamed_file(const char *text)
{
    int fd = memfd_create("slurm.conf", 0);
    size_t len = strlen(text);

    if (fd >= 0 && write(fd, text, len) != (ssize_t)len) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void
exec_scontrol(const char *node, int conf_fd, int out)
{
    char path[64];
    char *const argv[] = {(char[]){"scontrol"}, (char[]){"-o"}, (char[]){"show"},
                          (char[]){"node"},     strdup(node),   NULL};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (conf_fd >= 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", conf_fd);
        setenv("SLURM_CONF", path, 1);
    }
    if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0) {
        execvp(argv[0], argv);
        perror("scontrol");
    }
    _exit(127);
}

static int64_t
ask_clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads until the other end closes; false when that takes longer than ASK_MS. */
static bool
read_output(int fd, char *buf, size_t room)
{
    int64_t end = ask_clock_ms() + ASK_MS;
    size_t len = 0;

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        char rest[512];
        int64_t left = end - ask_clock_ms();
        if (left <= 0 || (poll(&wait, 1, (int)left) < 0 && errno != EINTR)) {
            return false;
        }
        if (!wait.revents) {
            continue;
        }
        bool full = len + 1 >= room;
        ssize_t got = read(fd, full ? rest : buf + len, full ? sizeof rest : room - 1 - len);
        if (got <= 0) {
            buf[len] = '\0';
            return got == 0;
        }
        len += full ? 0 : (size_t)got;
    }
}

/* Runs scontrol; its output (both streams) in buf. RC_OK: it said what it had to say with status 0.
 */
static enum rc_err
run_scontrol(const char *node, int conf_fd, char *buf, size_t room, struct rc_error *e)
{
    int ends[2], status = 0;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return rc_fail(e, RC_E_IO, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        exec_scontrol(node, conf_fd, ends[1]);
    }
    close(ends[1]);
    bool ended = pid > 0 && read_output(ends[0], buf, room);
    close(ends[0]);
    if (pid < 0) {
        return rc_fail(e, RC_E_IO, "cannot start scontrol: %s", strerror(errno));
    }
    if (!ended) {
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!ended) {
        return rc_fail(e, RC_E_SLURM_DOWN, "scontrol did not answer within %d s", ASK_MS / 1000);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        const char *why = buf + strspn(buf, "\n");
        return rc_fail(e, strstr(buf, "not found") ? RC_E_NOT_FOUND : RC_E_SLURM_DOWN,
                       "scontrol: %.*s", (int)strcspn(why, "\n"), why);
    }
    return RC_OK;
}

static enum rc_err
ask_slurmctld(const char *node, const char *server, char addr[RC_ADDR_LEN], struct rc_error *e)
{
    char conf[512], buf[OUTPUT_MAX];
    int fd = -1;
    enum rc_err err = RC_OK;

    if (server) {
        if (!rc_admit_server_conf(server, conf, sizeof conf)) {
            err = rc_fail(e, RC_E_INVALID, "\"%.100s\" is not host[:port]", server);
        } else if ((fd = make_unnamed_file(conf)) < 0) {
            err = rc_fail(e, RC_E_IO, "cannot make a file in memory: %s", strerror(errno));
        }
    }
    if (!err) {
        err = run_scontrol(node, fd, buf, sizeof buf, e);
    }
    if (!err) {
        err = rc_admit_read_scontrol(buf, node, addr, e);
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

/* The first server that answers counts; a standby controller does not. */
static enum rc_err
ask_servers(const struct rc_admit *a, char addr[RC_ADDR_LEN], struct rc_error *e)
{
    enum rc_err err = RC_E_INVALID;
    const char *list = a->conf_server;

    do {
        char server[256];
        size_t len = strcspn(list, ",");
        if (len >= sizeof server) {
            return rc_fail(e, RC_E_INVALID, "server name over %zu bytes", sizeof server);
        }
        memcpy(server, list, len);
        server[len] = '\0';
        err = ask_slurmctld(a->node, server, addr, e);
        list += len;
    } while (err == RC_E_SLURM_DOWN && *list++);
    return err;
}

static enum rc_err
ask_file(const struct rc_admit *a, char addr[RC_ADDR_LEN], struct rc_error *e)
{
    struct rc_slurm_conf *conf;
    enum rc_err err = rc_slurm_conf_load(a->conf, &conf, e);

    if (err) {
        return err;
    }
    const struct rc_conf_node *n = rc_slurm_conf_find(conf, a->node);
    if (!n) {
        err = rc_fail(e, RC_E_NOT_FOUND, "%s has no NodeName line for %s", a->conf, a->node);
    } else if (!rc_text_set(addr, RC_ADDR_LEN, n->addr)) {
        err = rc_fail(e, RC_E_PARSE, "NodeAddr of %s is no address", a->node);
    }
    rc_slurm_conf_free(conf);
    return err;
}

enum rc_err
rc_admit_ask(const struct rc_admit *a, char addr[RC_ADDR_LEN], struct rc_error *e)
{
    if (a->conf) {
        return ask_file(a, addr, e);
    }
    return a->conf_server ? ask_servers(a, addr, e) : ask_slurmctld(a->node, NULL, addr, e);
}
