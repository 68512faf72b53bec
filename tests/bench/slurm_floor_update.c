/* slurm_floor_update.c - the bare baseline of a drain: libslurm and nothing else.
 *
 * slurm_floor_update SLURM.CONF, lines "drain NODES" and "resume NODES" on stdin; for
 * each one line "VERB NODES ERRNO MICROSECONDS MONOTONIC_NS", the last being the moment
 * at which slurmctld had accepted it. */
#define _GNU_SOURCE
#include <errno.h>
#include <slurm/slurm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int
main(int argc, char **argv)
{
    static char line[1 << 18];

    if (argc != 2) {
        (void)fprintf(stderr, "usage: slurm_floor_update SLURM.CONF\n");
        return 2;
    }
    slurm_init(argv[1]);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        char *nodes = line;
        const char *verb = strsep(&nodes, " ");
        update_node_msg_t msg;
        int64_t began_ns;
        int number = 0;

        if (!nodes) {
            continue;
        }
        nodes[strcspn(nodes, "\n")] = '\0';
        slurm_init_update_node_msg(&msg);
        msg.node_names = nodes;
        msg.node_state = strcmp(verb, "drain") == 0 ? NODE_STATE_DRAIN : NODE_RESUME;
        began_ns = now_ns();
        if (slurm_update_node(&msg) != SLURM_SUCCESS) {
            number = errno;
        }
        printf("%s %s %d %lld %lld\n", verb, nodes, number, (long long)(now_ns() - began_ns) / 1000,
               (long long)now_ns());
    }
    return 0;
}
