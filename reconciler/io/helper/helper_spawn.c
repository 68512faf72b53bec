/* helper_spawn.c - see helper_spawn.h. */
#define _GNU_SOURCE
#include "reconciler/io/helper/helper_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static int
spawn_actions(posix_spawn_file_actions_t *actions, int line_fd, int log_fd)
{
    int bad = posix_spawn_file_actions_adddup2(actions, line_fd, 0);

    bad = bad ? bad : posix_spawn_file_actions_adddup2(actions, line_fd, 1);
    bad = bad ? bad : posix_spawn_file_actions_adddup2(actions, log_fd, 2);
    return bad ? bad : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int
spawn_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int bad;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    bad = posix_spawnattr_setpgroup(attr, 0);
    bad = bad ? bad : posix_spawnattr_setsigmask(attr, &none);
    bad = bad ? bad : posix_spawnattr_setsigdefault(attr, &all);
    return bad ? bad
               : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int
spawn_child(char *const *argv, int line_fd, int log_fd, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int bad = posix_spawn_file_actions_init(&actions);

    if (bad) {
        return bad;
    }
    bad = posix_spawnattr_init(&attr);
    if (bad) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return bad;
    }
    bad = spawn_actions(&actions, line_fd, log_fd);
    bad = bad ? bad : spawn_attributes(&attr);
    bad = bad ? bad : posix_spawn(ret_pid, argv[0], &actions, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return bad;
}

/* Above 2, so that no dup2 of the child overwrites an end that it still needs. */
static int
lift(int fd)
{
    int lifted = fd;

    if (fd >= 0 && fd <= 2) {
        lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        (void)close(fd);
    }
    return lifted;
}

enum rc_err
rc_helper_spawn(char *const *argv, struct rc_spawned *ret, struct rc_error *e)
{
    int line[2] = {-1, -1}, log[2] = {-1, -1};
    int bad = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0 ||
        pipe2(log, O_CLOEXEC) != 0) {
        bad = errno;
    }
    for (int i = 0; i < 2; i++) {
        line[i] = lift(line[i]);
        log[i] = lift(log[i]);
    }
    if (!bad &&
        (fcntl(line[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(log[0], F_SETFL, O_NONBLOCK) != 0)) {
        bad = errno;
    }
    bad = bad ? bad : spawn_child(argv, line[1], log[1], &ret->pid);
    (void)close(line[1]);
    (void)close(log[1]);
    if (bad) {
        (void)close(line[0]);
        (void)close(log[0]);
        return rc_fail(e, RC_E_HELPER, "cannot start %.100s: %s", argv[0], strerror(bad));
    }
    ret->line_fd = line[0];
    ret->log_fd = log[0];
    return RC_OK;
}
