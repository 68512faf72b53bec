/* slurm_floor_poll.c - the bare baseline of an idle daemon: one poll loop on libslurm.
 *
 * slurm_floor_poll SLURM.CONF INTERVAL_MS SECONDS: incremental slurm_load_node() each
 * interval; at the end one line "polls=… unchanged=… failed=… cpu_us=… rss_kib=…". */
#define _GNU_SOURCE
#include <errno.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

int
main(int argc, char **argv)
{
    long interval_ms = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long rounds = argc == 4 && interval_ms > 0 ? strtol(argv[3], NULL, 10) * 1000 / interval_ms : 0;
    struct timespec pause = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000};
    unsigned unchanged = 0, failed = 0;
    struct rusage use;
    time_t since = 0;

    if (rounds <= 0) {
        (void)fprintf(stderr, "usage: slurm_floor_poll SLURM.CONF INTERVAL_MS SECONDS\n");
        return 2;
    }
    slurm_init(argv[1]);
    for (long i = 0; i < rounds; i++) {
        node_info_msg_t *msg = NULL;

        if (slurm_load_node(since, &msg, SHOW_ALL) == SLURM_SUCCESS) {
            since = msg->last_update;
            slurm_free_node_info_msg(msg);
        } else if (errno == SLURM_NO_CHANGE_IN_DATA) {
            unchanged++;
        } else {
            failed++;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)getrusage(RUSAGE_SELF, &use);
    printf("polls=%ld unchanged=%u failed=%u cpu_us=%lld rss_kib=%ld\n", rounds, unchanged, failed,
           (long long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec +
               use.ru_stime.tv_usec,
           use.ru_maxrss);
    return 0;
}
