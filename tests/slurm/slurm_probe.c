/* slurm_probe.c - the Slurm client on a terminal: commands on stdin, what happens on
 * stdout, one line each. Used by the integration test and the benches.
 *
 * slurm_probe HELPER POLL_MS [CONF]
 *   start | poll | full | watch NODE | unwatch NODE | look NODE | ping | stats
 *   drain|down NODES REASON… | resume NODES | signal NODE N | requeue NODE
 *   reconfigure | takeover INDEX          NODES: a,b,c or PREFIX:FIRST-LAST
 * Ends at EOF. */
#define _GNU_SOURCE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/slurm/slurm_client.h"
#include "reconciler/io/slurm/slurm_words.h"

struct probe {
    struct event_base *base;
    struct rc_slurm *slurm;
    double began_ms;
};

static double
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
on_event(void *arg, const struct rc_event *ev)
{
    char flags[RC_SLURM_FLAGS_ROOM];

    (void)arg;
    if (ev->kind == RC_EV_SWEEP) {
        printf("sweep complete=%u error=%s seen=%u\n", ev->u.sweep.complete,
               rc_err_name((enum rc_err)ev->u.sweep.error), ev->u.sweep.seen);
        return;
    }
    (void)rc_slurm_flags_format(ev->u.slurm.flags, flags, sizeof flags);
    printf("node %s flags=%s owner=%u incident=%u addr=%s instance=%s reason=%s\n", ev->node, flags,
           ev->u.slurm.owner, ev->u.slurm.reason_incident, ev->u.slurm.addr, ev->instance,
           ev->u.slurm.reason);
}

static void
on_log(void *arg, const char *text)
{
    (void)arg;
    printf("log %s\n", text);
}

static void
tell(const struct probe *p, const char *what, const struct rc_slurm_result *r)
{
    printf("%s %s err=%s batch=%u count=%u ms=%.2f code=%s text=%s\n", what,
           r->node[0] ? r->node : "-", rc_err_name(r->err), r->batch, r->count,
           now_ms() - p->began_ms, r->service_code, r->text);
}

static void
on_done(void *arg, const struct rc_slurm_result *r)
{
    tell(arg, "done", r);
}

static void
on_accepted(void *arg, const struct rc_slurm_result *r)
{
    tell(arg, "accepted", r);
}

static enum rc_err
one_node(struct probe *p, const char *verb, const char *node, const char *rest)
{
    struct rc_slurm_call call = {.done = on_done, .accepted = on_accepted, .arg = p};

    if (strcmp(verb, "drain") == 0) {
        return rc_slurm_drain(p->slurm, node, rest, &call);
    }
    if (strcmp(verb, "down") == 0) {
        return rc_slurm_down(p->slurm, node, rest, &call);
    }
    if (strcmp(verb, "resume") == 0) {
        return rc_slurm_resume(p->slurm, node, &call);
    }
    if (strcmp(verb, "signal") == 0) {
        return rc_slurm_jobs_signal(p->slurm, node, (uint32_t)strtoul(rest, NULL, 10), &call);
    }
    if (strcmp(verb, "requeue") == 0) {
        return rc_slurm_jobs_requeue(p->slurm, node, false, &call);
    }
    if (strcmp(verb, "look") == 0) {
        return rc_slurm_look(p->slurm, node, &call);
    }
    if (strcmp(verb, "takeover") == 0) {
        return rc_slurm_takeover(p->slurm, (uint32_t)strtoul(node, NULL, 10), &call);
    }
    if (strcmp(verb, "reconfigure") == 0) {
        return rc_slurm_reconfigure(p->slurm, &call);
    }
    if (strcmp(verb, "ping") == 0) {
        return rc_slurm_ping(p->slurm, &call);
    }
    return rc_slurm_watch(p->slurm, node, strcmp(verb, "watch") == 0);
}

static void
many_nodes(struct probe *p, const char *verb, char *nodes, const char *rest)
{
    char prefix[64], name[96];
    unsigned first, last;
    enum rc_err err = RC_OK;
    char *save = NULL;

    p->began_ms = now_ms();
    if (sscanf(nodes, "%63[^:]:%u-%u", prefix, &first, &last) == 3) {
        for (unsigned i = first; i <= last && err == RC_OK; i++) {
            (void)snprintf(name, sizeof name, "%s%u", prefix, i);
            err = one_node(p, verb, name, rest);
        }
    } else {
        for (char *n = strtok_r(nodes, ",", &save); n && err == RC_OK;
             n = strtok_r(NULL, ",", &save)) {
            err = one_node(p, verb, n, rest);
        }
    }
    if (err != RC_OK) {
        printf("refused %s %s\n", verb, rc_err_name(err));
    }
}

static void
print_stats(const struct probe *p)
{
    struct rc_slurm_stats s;

    rc_slurm_stats(p->slurm, &s);
    printf("stats polls=%lu unchanged=%lu failed=%lu singles=%lu events=%lu updates=%lu nodes=%u "
           "last_poll_us=%u reader_pid=%d writer_pid=%d reader_starts=%u writer_starts=%u "
           "release=%s\n",
           (unsigned long)s.polls, (unsigned long)s.polls_unchanged, (unsigned long)s.polls_failed,
           (unsigned long)s.singles, (unsigned long)s.node_events, (unsigned long)s.updates,
           s.nodes, s.last_poll_us, s.reader_pid, s.writer_pid, s.reader_starts, s.writer_starts,
           s.release);
}

static void
command(struct probe *p, char *line)
{
    char *rest = line;
    const char *verb = strsep(&rest, " ");
    char *nodes = strsep(&rest, " ");
    char none[] = "-";

    if (strcmp(verb, "start") == 0) {
        rc_slurm_start(p->slurm);
    } else if (strcmp(verb, "poll") == 0 || strcmp(verb, "full") == 0) {
        rc_slurm_poll(p->slurm, strcmp(verb, "full") == 0);
    } else if (strcmp(verb, "stats") == 0) {
        print_stats(p);
    } else {
        many_nodes(p, verb, nodes ? nodes : none, rest ? rest : "");
    }
}

static void
on_stdin(struct bufferevent *bev, void *arg)
{
    char *line;

    while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_LF)) != NULL) {
        command(arg, line);
        free(line);
    }
}

static void
on_eof(struct bufferevent *bev, short what, void *arg)
{
    struct probe *p = arg;

    (void)bev;
    (void)what;
    (void)event_base_loopexit(p->base, NULL);
}

int
main(int argc, char **argv)
{
    struct probe p = {0};
    const char *reader[] = {NULL, "--role", "reader", NULL, NULL, NULL};
    const char *writer[] = {NULL, "--role", "writer", NULL, NULL, NULL};
    struct rc_slurm_config config = {
        .reader_argv = reader, .writer_argv = writer, .on_event = on_event, .on_log = on_log};
    struct bufferevent *in;
    struct rc_error e;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: slurm_probe HELPER POLL_MS [CONF]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    reader[0] = writer[0] = argv[1];
    if (argc > 3) {
        reader[3] = writer[3] = "--conf";
        reader[4] = writer[4] = argv[3];
    }
    p.base = config.base = event_base_new();
    config.poll_ms = (uint32_t)strtoul(argv[2], NULL, 10);
    config.arg = &p;
    p.slurm = p.base ? rc_slurm_new(&config, &e) : NULL;
    in = p.slurm ? bufferevent_socket_new(p.base, STDIN_FILENO, 0) : NULL;
    if (!in) {
        (void)fprintf(stderr, "slurm_probe: cannot start\n");
        return 1;
    }
    bufferevent_setcb(in, on_stdin, NULL, on_eof, &p);
    (void)bufferevent_enable(in, EV_READ);
    (void)event_base_dispatch(p.base);
    bufferevent_free(in);
    rc_slurm_free(p.slurm);
    event_base_free(p.base);
    return 0;
}
