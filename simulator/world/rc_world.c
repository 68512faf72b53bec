/* rc_world.c - main: AWS and slurmctld, simulated in one process on 127.0.0.1.
 *
 * Prints one JSON line when ready; ends on SIGTERM or SIGINT, and with its parent
 * when told so. Exit status: 0 ended so, 1 set-up failed, 2 usage. */
#include <event2/event.h>
#include <event2/util.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "simulator/world/slurm_socket.h"
#include "simulator/world/world_config.h"
#include "simulator/world/world_http.h"

static void
signal_end(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)event_base_loopbreak(arg);
}

static void
print_ready(const struct rc_world_http *e, const struct rc_slurm_socket *s, struct rc_world *w)
{
    (void)printf("{\"ready\":1,\"pid\":%d,\"port\":%u,\"endpoint\":\"http://127.0.0.1:%u\","
                 "\"queue_url\":\"http://127.0.0.1:%u/%s/%s\",\"slurm_socket\":\"%s\"}\n",
                 (int)getpid(), rc_world_http_port(e), rc_world_http_port(e), rc_world_http_port(e),
                 w->config.identity.account, w->queue[0].name, rc_slurm_socket_path(s));
    (void)fflush(stdout);
}

static int
world_run(struct event_base *base, struct rc_world_setup *setup, struct rc_world *w)
{
    struct rc_world_http *e = rc_world_http_new(base, w, setup, setup->port);
    struct rc_slurm_socket *s = e != NULL ? rc_slurm_socket_new(base, e, w) : NULL;
    struct event *term = evsignal_new(base, SIGTERM, signal_end, base);
    struct event *intr = evsignal_new(base, SIGINT, signal_end, base);
    int status = 1;

    if (e != NULL && s != NULL && term != NULL && intr != NULL && evsignal_add(term, NULL) == 0 &&
        evsignal_add(intr, NULL) == 0) {
        print_ready(e, s, w);
        rc_world_http_turn(e);
        status = event_base_dispatch(base) == 0 ? 0 : 1;
    }
    if (term != NULL)
        event_free(term);
    if (intr != NULL)
        event_free(intr);
    rc_slurm_socket_free(s);
    rc_world_http_free(e);
    return status;
}

int
main(int argc, char **argv)
{
    static struct rc_world_setup setup;
    struct event_base *base;
    struct rc_world *w = NULL;
    int64_t now_ms = rc_world_http_now_ms();
    pid_t parent = getppid();
    int status = 2;

    if (!rc_world_setup_read(&setup, argc, argv, &status)) {
        rc_world_setup_done(&setup);
        return status;
    }
    if (setup.with_parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
        return 0;
    (void)signal(SIGPIPE, SIG_IGN);
    status = 1;
    base = event_base_new();
    if (base != NULL)
        w = rc_world_new(&setup.config, setup.queue, now_ms);
    if (w != NULL && rc_world_setup_fill(&setup, w, now_ms))
        status = world_run(base, &setup, w);
    rc_world_free(w);
    rc_world_setup_done(&setup);
    if (base != NULL)
        event_base_free(base);
    return status;
}
