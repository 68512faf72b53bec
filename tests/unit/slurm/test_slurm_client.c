/* test_slurm_client.c - polling, coalescing and calls, with a helper without Slurm. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_client.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness/harness.h"

enum { DONE_MAX = 1200 };

struct world {
    struct event_base *base;
    struct rc_slurm *slurm;
    char folder[64], nodes[96], log[96];
    uint32_t events, sweeps, bad_sweeps;
    struct rc_event last; /* node event */
    struct rc_event sweep;
    uint32_t dones, accepted;
    bool in_call;
    struct {
        enum rc_err err;
        uint32_t batch, count;
        char node[RC_NODE_LEN];
        char text[256];
    } done[DONE_MAX];
};

static void
on_event(void *arg, const struct rc_event *ev)
{
    struct world *w = arg;

    if (ev->kind == RC_EV_SWEEP) {
        w->sweeps++;
        w->bad_sweeps += ev->u.sweep.complete ? 0U : 1U;
        w->sweep = *ev;
    } else {
        w->events++;
        w->last = *ev;
    }
}

static void
on_done(void *arg, const struct rc_slurm_result *result)
{
    struct world *w = arg;

    CU_ASSERT_FALSE(w->in_call);
    CU_ASSERT_FATAL(w->dones < DONE_MAX);
    w->done[w->dones].err = result->err;
    w->done[w->dones].batch = result->batch;
    w->done[w->dones].count = result->count;
    (void)snprintf(w->done[w->dones].node, RC_NODE_LEN, "%s", result->node);
    (void)snprintf(w->done[w->dones].text, 256, "%s", result->text);
    w->dones++;
}

static void
on_accepted(void *arg, const struct rc_slurm_result *result)
{
    struct world *w = arg;

    CU_ASSERT_EQUAL(result->err, RC_OK);
    w->accepted++;
}

static void
write_nodes(struct world *w, const char *text)
{
    char temporary[128];
    FILE *file;

    (void)snprintf(temporary, sizeof temporary, "%s.new", w->nodes);
    file = fopen(temporary, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    (void)fclose(file);
    CU_ASSERT_EQUAL(rename(temporary, w->nodes), 0);
}

static void
open_world(struct world *w, uint32_t poll_ms, uint32_t watch_ms)
{
    const char *reader[] = {FAKE_SLURM, "--role", "reader", NULL};
    const char *writer[] = {FAKE_SLURM, "--role", "writer", NULL};
    struct rc_slurm_config config = {
        .reader_argv = reader,
        .writer_argv = writer,
        .poll_ms = poll_ms,
        .watch_ms = watch_ms,
        .timeout_ms = 3000,
        .on_event = on_event,
        .arg = w,
    };

    memset(w, 0, sizeof *w);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/rc-slurm-client-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->folder));
    (void)snprintf(w->nodes, sizeof w->nodes, "%s/nodes", w->folder);
    (void)snprintf(w->log, sizeof w->log, "%s/log", w->folder);
    (void)setenv("FAKE_NODES", w->nodes, 1);
    (void)setenv("FAKE_LOG", w->log, 1);
    w->base = config.base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->base);
    w->slurm = rc_slurm_new(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->slurm);
}

static void
close_world(struct world *w)
{
    rc_slurm_free(w->slurm);
    event_base_free(w->base);
    (void)unlink(w->nodes);
    (void)unlink(w->log);
    CU_ASSERT_EQUAL(rmdir(w->folder), 0);
}

/* Runs the loop until *counter reaches n, 4 s at most. */
static void
run_until(struct world *w, const uint32_t *counter, uint32_t n)
{
    struct timeval step = {.tv_usec = 5000};

    for (int i = 0; i < 800 && *counter < n; i++) {
        (void)event_base_loopexit(w->base, &step);
        (void)event_base_dispatch(w->base);
    }
    if (*counter < n) {
        printf("# waited in vain for %u, got %u\n", n, *counter);
    }
    CU_ASSERT_FATAL(*counter >= n);
}

static void
run_for(struct world *w, uint32_t ms)
{
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    (void)event_base_loopexit(w->base, &limit);
    (void)event_base_dispatch(w->base);
}

static void
wait_for_helpers(struct world *w)
{
    struct rc_slurm_call call = {.done = on_done, .arg = w};

    for (int i = 0; i < 50; i++) {
        w->dones = 0;
        (void)rc_slurm_reconfigure(w->slurm, &call);
        run_until(w, &w->dones, 1);
        if (w->done[0].err == RC_OK) {
            break;
        }
        run_for(w, 20);
    }
    w->dones = 0;
    (void)unlink(w->log);
}

static void
drain(struct world *w, const char *node, const char *reason)
{
    struct rc_slurm_call call = {.done = on_done, .accepted = on_accepted, .arg = w};

    w->in_call = true;
    CU_ASSERT_EQUAL(rc_slurm_drain(w->slurm, node, reason, &call), RC_OK);
    w->in_call = false;
}

static void
log_is(const struct world *w, const char *expected)
{
    size_t len;
    char *text = rc_test_read_file(w->log, &len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    if (text && strcmp(text, expected) != 0) {
        printf("# requests:\n%s# expected:\n%s", text, expected);
        CU_FAIL("other requests were sent");
    }
    free(text);
}

static void
the_first_poll_shows_all_the_next_only_changes(void)
{
    struct world w;

    open_world(&w, 30, 1000);
    write_nodes(&w, "5\nname=n1 flags=\nname=n2 flags=\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.events, 2);
    run_until(&w, &w.sweeps, 3);
    CU_ASSERT_EQUAL(w.events, 2);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.complete, 1);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.seen, 2);
    write_nodes(&w, "6\nname=n1 flags=\nname=n2 flags=drain reason=op:_keep reason_uid=0\n");
    run_until(&w, &w.events, 3);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_FOREIGN);
    write_nodes(&w, "7\nname=n1 flags=\n");
    run_until(&w, &w.events, 4);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.flags, RC_SN_UNKNOWN);
    rc_slurm_poll(w.slurm, true);
    run_until(&w, &w.events, 5);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n1");
    close_world(&w);
}

static void
a_failed_poll_says_so_and_is_made_good(void)
{
    struct rc_slurm_stats stats;
    struct world w;

    open_world(&w, 30, 1000);
    rc_slurm_start(w.slurm);
    run_until(&w, &w.bad_sweeps, 1);
    CU_ASSERT(w.sweep.u.sweep.error == RC_E_SLURM_DOWN || w.sweep.u.sweep.error == RC_E_HELPER);
    run_until(&w, &w.bad_sweeps, 3);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.error, RC_E_SLURM_DOWN);
    rc_slurm_stats(w.slurm, &stats);
    CU_ASSERT_EQUAL(stats.reader_error, RC_E_SLURM_DOWN);
    write_nodes(&w, "5\nname=n1 flags=\nname=bad flags=nonsense\n");
    run_until(&w, &w.events, 1);
    rc_slurm_stats(w.slurm, &stats);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n1");
    run_until(&w, &w.sweeps, w.sweeps + 1);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.complete, 1);
    CU_ASSERT_EQUAL(w.events, 1);
    close_world(&w);
}

/* libslurm waits for a slurmctld that is not there: the poller must not rest 20 times as long. */
static void
the_wait_for_another_primary_is_not_held_against_the_next_poll(void)
{
    struct world w;

    open_world(&w, 30, 1000);
    write_nodes(&w, "5\nname=waits flags=\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.events, 1); /* rests 10 s now */
    write_nodes(&w, "6\nname=waits flags=drain reason=op:_x reason_uid=0\n");
    rc_slurm_primary_changed(w.slurm);
    run_until(&w, &w.events, 2);
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_FOREIGN);
    run_for(&w, 100);
    uint32_t sweeps = w.sweeps;
    rc_slurm_poll(w.slurm, false);
    run_for(&w, 3000);
    CU_ASSERT_EQUAL(w.sweeps, sweeps); /* the share of slurmctld's time is kept as before */
    close_world(&w);
}

static void
slurmctlds_words_need_slurmctlds_user(void)
{
    struct world w;

    open_world(&w, 30, 1000);
    write_nodes(&w, "5\nname=n1 flags=down reason=Not_responding reason_uid=64030\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.events, 1);
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_SLURM);
    close_world(&w);
}

static void
watched_nodes_are_read_alone(void)
{
    struct rc_slurm_stats before, after;
    struct world w;

    open_world(&w, 60000, 20);
    write_nodes(&w, "5\nname=n1 flags=\nname=n2 flags=\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.sweeps, 1);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", true), RC_OK);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", true), RC_OK);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "", true), RC_E_INVALID);
    write_nodes(&w, "6\nname=n1 flags=down\nname=n2 flags=drain,allocated\n");
    run_until(&w, &w.events, 3);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.jobs, 1);
    CU_ASSERT_EQUAL(w.sweeps, 1);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", false), RC_OK);
    run_for(&w, 30);
    rc_slurm_stats(w.slurm, &before);
    run_for(&w, 60);
    rc_slurm_stats(w.slurm, &after);
    CU_ASSERT_EQUAL(before.singles, after.singles);
    close_world(&w);
}

static uint32_t
monotonic_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

/* Bounds follow the time that really passed: a busy machine takes longer over all of it. */
static void
single_reads_are_capped(void)
{
    struct rc_slurm_stats stats;
    struct world w;
    uint32_t began_ms = monotonic_ms();

    open_world(&w, 60000, 20);
    write_nodes(&w, "5\nname=n1 flags=\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.sweeps, 1);
    for (int i = 0; i < 10; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, name, true), RC_OK);
    }
    run_for(&w, 1200);
    run_until(&w, &w.sweeps, 2); /* where singles are spent, the full poll steps in */
    rc_slurm_stats(w.slurm, &stats);
    uint32_t spent_ms = monotonic_ms() - began_ms;
    /* 20 in the bucket and 20 a second; the full poll once a second. */
    CU_ASSERT(stats.singles >= 20 && stats.singles <= 21 + spent_ms / 50);
    CU_ASSERT(w.sweeps <= 2 + spent_ms / 1000);
    close_world(&w);
}

static void
drains_of_one_turn_share_one_update(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "n3", "rc:9 instance-gone i-3");
    drain(&w, "n1", "rc:7 instance-gone i-1");
    drain(&w, "n2", "rc:8 instance-gone");
    run_until(&w, &w.dones, 3);
    CU_ASSERT_EQUAL(w.accepted, 3);
    CU_ASSERT_EQUAL(w.done[0].err, RC_OK);
    CU_ASSERT_EQUAL(w.done[0].batch, 3);
    log_is(&w, "drain|n1,n2,n3|rc:7+2 instance-gone\n");
    close_world(&w);
}

static void
drains_that_come_while_one_runs_share_the_next(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "slow", "rc:1 retirement");
    run_for(&w, 50);
    drain(&w, "n1", "rc:2 retirement");
    run_for(&w, 20);
    drain(&w, "n2", "rc:3 node-down");
    run_until(&w, &w.dones, 3);
    log_is(&w, "drain|slow|rc:1 retirement\ndrain|n1,n2|rc:2+1 several\n");
    close_world(&w);
}

static void
a_leftover_reason_is_told_with_its_time(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    write_nodes(&w, "5\nname=n1 flags= reason=op:_old reason_uid=0 reason_time=1700000000\n"
                    "name=n2 flags=drain reason=op:_new reason_uid=0 reason_time=1700000001\n");
    rc_slurm_start(w.slurm);
    run_until(&w, &w.sweeps, 1);
    drain(&w, "n1", "rc:4 retirement");
    drain(&w, "n2", "rc:4 retirement");
    run_until(&w, &w.dones, 2);
    log_is(&w, "drain|n1,n2|rc:4 retirement|n1@1700000000\n");
    close_world(&w);
}

static void
one_incident_keeps_its_own_reason(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "n1", "rc:4 retirement window 3");
    drain(&w, "n2", "rc:4 retirement window 3");
    run_until(&w, &w.dones, 2);
    log_is(&w, "drain|n1,n2|rc:4 retirement window 3\n");
    close_world(&w);
}

static void
each_node_of_a_batch_ends_on_its_own(void)
{
    static const struct {
        const char *node;
        enum rc_err err;
        const char *text;
    } expected[] = {
        {"foreign1", RC_E_FOREIGN, "operator: keep"},
        {"gone1", RC_E_NOT_FOUND, ""},
        {"low1", RC_E_STATE, "registered with less than is configured"},
        {"n1", RC_OK, ""},
        {"refuse1", RC_E_SLURM_REFUSED, ""},
        {"silent1", RC_E_INTERNAL, "the helper said nothing of this node"},
    };
    struct rc_slurm_call call = {.done = on_done};
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(rc_slurm_resume(w.slurm, expected[i].node, &call), RC_OK);
    }
    run_until(&w, &w.dones, 6);
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_STRING_EQUAL(w.done[i].node, expected[i].node);
        CU_ASSERT_EQUAL(w.done[i].err, expected[i].err);
        CU_ASSERT_STRING_EQUAL(w.done[i].text, expected[i].text);
    }
    close_world(&w);
}

static bool
is_never_wanted(void *arg)
{
    (void)arg;
    return false;
}

static void
what_waited_until_nobody_wants_it_is_not_sent(void)
{
    struct rc_slurm_call call = {.done = on_done, .still_wanted = is_never_wanted};
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    drain(&w, "slow", "rc:1 retirement");
    run_for(&w, 50);
    CU_ASSERT_EQUAL(rc_slurm_resume(w.slurm, "n1", &call), RC_OK);
    drain(&w, "n2", "rc:2 retirement");
    run_until(&w, &w.dones, 3);
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < w.dones; i++) {
        cancelled += w.done[i].err == RC_E_CANCELLED && strcmp(w.done[i].node, "n1") == 0;
    }
    CU_ASSERT_EQUAL(cancelled, 1);
    log_is(&w, "drain|slow|rc:1 retirement\ndrain|n2|rc:2 retirement\n");
    close_world(&w);
}

static void
calls_for_one_node_keep_their_order(void)
{
    struct rc_slurm_call call = {.done = on_done};
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    drain(&w, "n1", "rc:1 retirement");
    (void)rc_slurm_resume(w.slurm, "n1", &call);
    drain(&w, "n2", "rc:1 retirement");
    drain(&w, "n1", "rc:2 retirement");
    (void)rc_slurm_jobs_signal(w.slurm, "n2", 10, &call);
    (void)rc_slurm_reconfigure(w.slurm, &call);
    drain(&w, "n3", "rc:3 retirement");
    run_until(&w, &w.dones, 7);
    log_is(&w, "drain|n1,n2|rc:1 retirement\nresume|n1\ndrain|n1|rc:2 retirement\n"
               "jobs-signal|n2|10\nreconfigure\ndrain|n3|rc:3 retirement\n");
    close_world(&w);
}

static void
a_storm_is_one_update(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    for (int i = 0; i < 1000; i++) {
        char node[16], reason[64];

        (void)snprintf(node, sizeof node, "n%d", i);
        (void)snprintf(reason, sizeof reason, "rc:%d instance-gone", i + 5);
        drain(&w, node, reason);
    }
    run_until(&w, &w.dones, 1000);
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT(w.done[i].err == RC_OK && w.done[i].batch == 1000);
    }
    close_world(&w);
}

static void
a_writer_that_dies_is_told_and_comes_back(void)
{
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "crash", "rc:1 retirement");
    run_until(&w, &w.dones, 1);
    CU_ASSERT_EQUAL(w.done[0].err, RC_E_HELPER);
    CU_ASSERT_EQUAL(w.accepted, 0);
    run_for(&w, 300);
    drain(&w, "n1", "rc:1 retirement");
    run_until(&w, &w.dones, 2);
    CU_ASSERT_EQUAL(w.done[1].err, RC_OK);
    close_world(&w);
}

static void
wrong_calls_are_not_taken(void)
{
    struct rc_slurm_call call = {.done = on_done};
    struct world w;

    open_world(&w, 60000, 1000);
    CU_ASSERT_EQUAL(rc_slurm_drain(w.slurm, "n1", "no marker", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_drain(w.slurm, "", "rc:1 x", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_down(w.slurm, "n1", "", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_look(w.slurm, "", &call), RC_E_INVALID);
    close_world(&w);
}

static void
jobs_tell_what_was_not_reached(void)
{
    struct rc_slurm_call call = {.done = on_done};
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    (void)rc_slurm_jobs_requeue(w.slurm, "n1", false, &call);
    (void)rc_slurm_takeover(w.slurm, 1, &call);
    run_until(&w, &w.dones, 2);
    CU_ASSERT_EQUAL(w.done[0].err, RC_E_STATE);
    CU_ASSERT_EQUAL(w.done[0].count, 1);
    CU_ASSERT_STRING_EQUAL(w.done[0].text, "job 8: it says Requeue=0");
    CU_ASSERT_EQUAL(w.done[1].err, RC_E_SLURM_REFUSED);
    log_is(&w, "jobs-requeue|n1\ntakeover|1\n");
    close_world(&w);
}

static void
looking_shows_the_node_before_it_ends(void)
{
    struct rc_slurm_call call = {.done = on_done};
    struct world w;

    open_world(&w, 60000, 1000);
    wait_for_helpers(&w);
    write_nodes(&w, "5\nname=n1 flags= addr=10.0.0.9\n");
    call.arg = &w;
    for (int i = 0; i < 2; i++) {
        (void)rc_slurm_look(w.slurm, "n1", &call);
    }
    (void)rc_slurm_look(w.slurm, "n9", &call);
    (void)rc_slurm_ping(w.slurm, &call);
    run_until(&w, &w.dones, 4);
    CU_ASSERT_EQUAL(w.events, 2);
    CU_ASSERT_STRING_EQUAL(w.last.u.slurm.addr, "10.0.0.9");
    CU_ASSERT_EQUAL(w.done[0].err, RC_OK);
    CU_ASSERT_EQUAL(w.done[2].err, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.done[3].err, RC_OK);
    CU_ASSERT_STRING_EQUAL(w.done[3].text, "1");
    (void)rc_slurm_look(w.slurm, "n1", &call); /* open at the end: freed, not called */
    close_world(&w);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the first poll shows all, the next only changes",
         the_first_poll_shows_all_the_next_only_changes},
        {"a failed poll says so and is made good", a_failed_poll_says_so_and_is_made_good},
        {"the wait for another primary is not held against the next poll",
         the_wait_for_another_primary_is_not_held_against_the_next_poll},
        {"slurmctld's words need slurmctld's user", slurmctlds_words_need_slurmctlds_user},
        {"watched nodes are read alone", watched_nodes_are_read_alone},
        {"single reads are capped", single_reads_are_capped},
        {"drains of one turn share one update", drains_of_one_turn_share_one_update},
        {"drains that come while one runs share the next",
         drains_that_come_while_one_runs_share_the_next},
        {"a leftover reason is told with its time", a_leftover_reason_is_told_with_its_time},
        {"one incident keeps its own reason", one_incident_keeps_its_own_reason},
        {"each node of a batch ends on its own", each_node_of_a_batch_ends_on_its_own},
        {"what waited until nobody wants it is not sent",
         what_waited_until_nobody_wants_it_is_not_sent},
        {"calls for one node keep their order", calls_for_one_node_keep_their_order},
        {"a storm is one update", a_storm_is_one_update},
        {"a writer that dies is told and comes back", a_writer_that_dies_is_told_and_comes_back},
        {"wrong calls are not taken", wrong_calls_are_not_taken},
        {"jobs tell what was not reached", jobs_tell_what_was_not_reached},
        {"looking shows the node before it ends", looking_shows_the_node_before_it_ends},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("slurm_client", tests);
}
