/* rc_slurm_sim.c - rc-slurm-sim: stands where rc-slurm-helper stands, and passes the
 * line protocol on to rc-world's simulated slurmctld.
 *
 *     rc-slurm-sim --role reader|writer --world SOCKET [--conf FILE]
 *
 * --conf is taken and not used, so that both helpers are started alike. Lines go
 * through unread in both directions. Ends with 0 at EOF on stdin and with 1 when
 * rc-world cannot be reached or goes away, as the helper dies without its libslurm. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "reconciler/io/helper/helper_server.h"
#include "reconciler/io/helper/line.h"

enum { CHUNK = 64 * 1024 };

static int
world_connect(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(addr.sun_path))
        return -1;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool
write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, text, len);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text += wrote;
        len -= (size_t)wrote;
    }
    return true;
}

static bool
greet(int fd, const char *role)
{
    char text[256];
    struct rc_line_out out;

    rc_line_begin(&out, text, sizeof(text), 0, "");
    rc_line_put(&out, "role", role);
    rc_line_put(&out, "slurm", "22.05.8");
    rc_line_put_i64(&out, "pid", getpid());
    return write_whole(fd, text, rc_line_end(&out));
}

/* Moves what can be read; -1 = failed, 0 = end, 1 = go on. */
static int
pump(int from, int to)
{
    static char chunk[CHUNK];
    ssize_t got = read(from, chunk, sizeof(chunk));

    if (got < 0)
        return errno == EINTR ? 1 : -1;
    if (got == 0)
        return 0;
    return write_whole(to, chunk, (size_t)got) ? 1 : -1;
}

static int
relay(int world)
{
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = world, .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return 1;
        }
        if (fds[1].revents != 0 && pump(world, STDOUT_FILENO) <= 0)
            return fds[0].fd < 0 ? 0 : 1;
        if (fds[0].revents != 0) {
            int moved = pump(STDIN_FILENO, world);

            if (moved < 0)
                return 1;
            if (moved == 0) { /* no more requests: the answers still come, then the end */
                fds[0].fd = -1;
                (void)shutdown(world, SHUT_WR);
            }
        }
    }
}

static int
usage(void)
{
    (void)fprintf(stderr,
                  "usage: rc-slurm-sim --role reader|writer --world SOCKET [--conf FILE]\n");
    return 2;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"role", required_argument, NULL, 'r'},
        {"world", required_argument, NULL, 'w'},
        {"conf", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    const char *role = "";
    const char *path = NULL;
    int option;
    int world;

    rc_helper_adopt_parent();
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            role = optarg;
        else if (option == 'w')
            path = optarg;
        else if (option != 'c')
            return usage();
    }
    if (path == NULL || (strcmp(role, "reader") != 0 && strcmp(role, "writer") != 0))
        return usage();
    world = world_connect(path);
    if (world < 0 || !greet(world, role)) {
        (void)fprintf(stderr, "rc-slurm-sim: cannot reach rc-world at %s\n", path);
        return 1;
    }
    if (!greet(STDOUT_FILENO, role))
        return 1;
    return relay(world);
}
