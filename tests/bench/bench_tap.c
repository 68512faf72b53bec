/* bench_tap.c - tells when slurmctld accepted a drain: a library for LD_PRELOAD.
 *
 * In every program that calls slurm_update_node(), a drain that succeeded sends
 * the datagram "<CLOCK_MONOTONIC ns> <nodes>" to the Unix socket RC_BENCH_SOCKET,
 * at the same place where bench_floor.c takes its time. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/un.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slurm/slurm.h>

static void
tell(const char *nodes)
{
    static char text[1 << 16];
    static int fd = -1;
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (fd < 0) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        const char *path = getenv("RC_BENCH_SOCKET");
        snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path ? path : "");
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof addr)) {
            perror("bench_tap");
            _exit(1);
        }
    }
    int len = snprintf(text, sizeof text, "%lld %s", (long long)t.tv_sec * 1000000000LL + t.tv_nsec,
                       nodes);
    if (len > 0 && (size_t)len < sizeof text) {
        (void)!send(fd, text, (size_t)len, 0);
    }
}

int
slurm_update_node(update_node_msg_t *msg)
{
    static int (*real)(update_node_msg_t *);

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "slurm_update_node");
    }
    int result = real(msg);
    if (result == SLURM_SUCCESS && msg->node_state == NODE_STATE_DRAIN) {
        tell(msg->node_names);
    }
    return result;
}
