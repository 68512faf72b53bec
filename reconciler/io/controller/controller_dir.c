/* controller_dir.c - does the state directory take a write, and has this host given back
 * all that it held for it? A network file system may hang in the kernel, where no signal
 * ends a process: so each question is asked by a child that is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reconciler/io/controller/controller_helper.h"

typedef int(child_fn)(const void *arg);

/* The value that fn gives (0 … 255) in a child of its own, -1 when it does not in time. One
 * that hangs is left in *left; while it does, no other one is sent after it. */
static int
ask_child(child_fn *fn, const void *arg, int64_t timeout_ms, pid_t *left)
{
    int pair[2];
    unsigned char answer = 0;

    if (*left && waitpid(*left, NULL, WNOHANG) == 0) {
        return -1;
    }
    *left = 0;
    if (pipe2(pair, O_CLOEXEC) < 0) {
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        answer = (unsigned char)fn(arg);
        _exit(write(pair[1], &answer, 1) == 1 ? 0 : 1);
    }
    (void)close(pair[1]);
    struct pollfd p = {.fd = pair[0], .events = POLLIN};
    bool told = pid > 0 && poll(&p, 1, (int)timeout_ms) == 1 && read(pair[0], &answer, 1) == 1;
    (void)close(pair[0]);
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        *left = waitpid(pid, NULL, told ? 0 : WNOHANG) == pid ? 0 : pid;
    }
    return told ? answer : -1;
}

/* A name of this host's own: both controllers test the same directory. */
static int
write_once(const void *arg)
{
    char path[4096], host[64] = "";

    (void)gethostname(host, sizeof host - 1);
    (void)snprintf(path, sizeof path, "%.4000s/.rc-probe.%s", (const char *)arg, host);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int error = fd < 0 ? errno : 0;
    if (!error && (write(fd, "probe\n", 6) != 6 || fsync(fd) < 0)) {
        error = errno ? errno : EIO;
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    switch (error) {
    case 0:
        return RC_DIR_OK;
    case ENOSPC:
    case EDQUOT:
        return RC_DIR_FULL;
    case ENOENT:
    case ENOTDIR:
        return RC_DIR_MISSING;
    default:
        return RC_DIR_READ_ONLY; /* EROFS, EACCES, EIO, ESTALE: takes no write */
    }
}

enum rc_ctl_dir
rc_ctl_dir_test(const char *dir, int64_t timeout_ms)
{
    static pid_t left;
    int answer = ask_child(write_once, dir, timeout_ms, &left);

    return answer < 0 ? RC_DIR_HANGS : (enum rc_ctl_dir)answer;
}

static int
sync_once(const void *arg)
{
    int fd = open((const char *)arg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* A directory that is not there any more holds nothing back. */
    return fd < 0 ? (errno == ENOENT ? 0 : 1) : syncfs(fd) < 0;
}

bool
rc_ctl_dir_sync(const char *dir, int64_t timeout_ms)
{
    static pid_t left;

    return ask_child(sync_once, dir, timeout_ms, &left) == 0;
}

/* In a new child: the program, with its output to fd. */
static void
become_program(const char *const *argv, int out)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)dup2(null, STDIN_FILENO);
    (void)dup2(out < 0 ? null : out, STDOUT_FILENO);
    union {
        const char *const *in;
        char *const *out;
    } words = {.in = argv};
    (void)execvp(argv[0], words.out);
    _exit(127);
}

static int
run_program(const void *arg)
{
    const char *const *argv = arg;
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        become_program(argv, -1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return 126;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int
rc_ctl_program(const char *const *argv, int64_t timeout_ms)
{
    static pid_t left;

    return ask_child(run_program, argv, timeout_ms, &left);
}

struct question {
    const char *const *argv;
    rc_ctl_judge_fn *judge;
};

static int
ask_program(const void *arg)
{
    const struct question *q = arg;
    char text[1024];
    size_t len = 0;
    ssize_t n;
    int pair[2], status = 0;

    if (pipe2(pair, O_CLOEXEC) < 0) {
        return q->judge(NULL);
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_program(q->argv, pair[1]);
    }
    (void)close(pair[1]);
    while (len < sizeof text - 1 && (n = read(pair[0], text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)n;
    }
    (void)close(pair[0]);
    text[len] = '\0';
    bool good =
        pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return q->judge(good ? text : NULL);
}

int
rc_ctl_program_says(const char *const *argv, int64_t timeout_ms, rc_ctl_judge_fn *judge)
{
    static pid_t left;
    const struct question q = {argv, judge};

    return ask_child(ask_program, &q, timeout_ms, &left);
}
