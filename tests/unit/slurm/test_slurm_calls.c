/* Calls to slurmctld: which share one request, in which order they go, how each ends. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/slurm/client_world.h"

static void
on_accepted(void *arg, const struct rc_slurm_result *result)
{
    struct world *w = arg;

    CU_ASSERT_EQUAL(result->err, RC_OK);
    w->accepted++;
}

static void
wait_for_helpers(struct world *w)
{
    struct rc_slurm_call call = {.done = world_done, .arg = w};

    for (int i = 0; i < 50; i++) {
        w->dones = 0;
        (void)rc_slurm_reconfigure(w->slurm, &call);
        world_until(w, &w->dones, 1);
        if (w->done[0].err == RC_OK) {
            break;
        }
        world_for(w, 20);
    }
    w->dones = 0;
    (void)unlink(w->log);
}

static void
drain(struct world *w, const char *node, const char *reason)
{
    struct rc_slurm_call call = {.done = world_done, .accepted = on_accepted, .arg = w};

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
drains_of_one_turn_share_one_update(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "n3", "rc:9 instance-gone i-3");
    drain(&w, "n1", "rc:7 instance-gone i-1");
    drain(&w, "n2", "rc:8 instance-gone");
    world_until(&w, &w.dones, 3);
    CU_ASSERT_EQUAL(w.accepted, 3);
    CU_ASSERT_EQUAL(w.done[0].err, RC_OK);
    CU_ASSERT_EQUAL(w.done[0].batch, 3);
    log_is(&w, "drain|n1,n2,n3|rc:7+2 instance-gone\n");
    world_close(&w);
}

static void
drains_that_come_while_one_runs_share_the_next(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "slow", "rc:1 retirement");
    world_for(&w, 50);
    drain(&w, "n1", "rc:2 retirement");
    world_for(&w, 20);
    drain(&w, "n2", "rc:3 node-down");
    world_until(&w, &w.dones, 3);
    log_is(&w, "drain|slow|rc:1 retirement\ndrain|n1,n2|rc:2+1 several\n");
    world_close(&w);
}

static void
a_leftover_reason_is_told_with_its_time(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    world_nodes(&w, "5\nname=n1 flags= reason=op:_old reason_uid=0 reason_time=1700000000\n"
                    "name=n2 flags=drain reason=op:_new reason_uid=0 reason_time=1700000001\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.sweeps, 1);
    drain(&w, "n1", "rc:4 retirement");
    drain(&w, "n2", "rc:4 retirement");
    world_until(&w, &w.dones, 2);
    log_is(&w, "drain|n1,n2|rc:4 retirement|n1@1700000000\n");
    world_close(&w);
}

static void
one_incident_keeps_its_own_reason(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "n1", "rc:4 retirement window 3");
    drain(&w, "n2", "rc:4 retirement window 3");
    world_until(&w, &w.dones, 2);
    log_is(&w, "drain|n1,n2|rc:4 retirement window 3\n");
    world_close(&w);
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
    struct rc_slurm_call call = {.done = world_done};
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(rc_slurm_resume(w.slurm, expected[i].node, &call), RC_OK);
    }
    world_until(&w, &w.dones, 6);
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_STRING_EQUAL(w.done[i].node, expected[i].node);
        CU_ASSERT_EQUAL(w.done[i].err, expected[i].err);
        CU_ASSERT_STRING_EQUAL(w.done[i].text, expected[i].text);
    }
    world_close(&w);
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
    struct rc_slurm_call call = {.done = world_done, .still_wanted = is_never_wanted};
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    drain(&w, "slow", "rc:1 retirement");
    world_for(&w, 50);
    CU_ASSERT_EQUAL(rc_slurm_resume(w.slurm, "n1", &call), RC_OK);
    drain(&w, "n2", "rc:2 retirement");
    world_until(&w, &w.dones, 3);
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < w.dones; i++) {
        cancelled += w.done[i].err == RC_E_CANCELLED && strcmp(w.done[i].node, "n1") == 0;
    }
    CU_ASSERT_EQUAL(cancelled, 1);
    log_is(&w, "drain|slow|rc:1 retirement\ndrain|n2|rc:2 retirement\n");
    world_close(&w);
}

static void
calls_for_one_node_keep_their_order(void)
{
    struct rc_slurm_call call = {.done = world_done};
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    drain(&w, "n1", "rc:1 retirement");
    (void)rc_slurm_resume(w.slurm, "n1", &call);
    drain(&w, "n2", "rc:1 retirement");
    drain(&w, "n1", "rc:2 retirement");
    (void)rc_slurm_jobs_signal(w.slurm, "n2", 10, &call);
    (void)rc_slurm_reconfigure(w.slurm, &call);
    drain(&w, "n3", "rc:3 retirement");
    world_until(&w, &w.dones, 7);
    log_is(&w, "drain|n1,n2|rc:1 retirement\nresume|n1\ndrain|n1|rc:2 retirement\n"
               "jobs-signal|n2|10\nreconfigure\ndrain|n3|rc:3 retirement\n");
    world_close(&w);
}

static void
a_storm_is_one_update(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    for (int i = 0; i < 1000; i++) {
        char node[16], reason[64];

        (void)snprintf(node, sizeof node, "n%d", i);
        (void)snprintf(reason, sizeof reason, "rc:%d instance-gone", i + 5);
        drain(&w, node, reason);
    }
    world_until(&w, &w.dones, 1000);
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT(w.done[i].err == RC_OK && w.done[i].batch == 1000);
    }
    world_close(&w);
}

static void
a_writer_that_dies_is_told_and_comes_back(void)
{
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    drain(&w, "crash", "rc:1 retirement");
    world_until(&w, &w.dones, 1);
    CU_ASSERT_EQUAL(w.done[0].err, RC_E_HELPER);
    CU_ASSERT_EQUAL(w.accepted, 0);
    world_for(&w, 300);
    drain(&w, "n1", "rc:1 retirement");
    world_until(&w, &w.dones, 2);
    CU_ASSERT_EQUAL(w.done[1].err, RC_OK);
    world_close(&w);
}

static void
wrong_calls_are_not_taken(void)
{
    struct rc_slurm_call call = {.done = world_done};
    struct world w;

    world_open(&w, 60000, 1000);
    CU_ASSERT_EQUAL(rc_slurm_drain(w.slurm, "n1", "no marker", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_drain(w.slurm, "", "rc:1 x", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_down(w.slurm, "n1", "", &call), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_look(w.slurm, "", &call), RC_E_INVALID);
    world_close(&w);
}

static void
jobs_tell_what_was_not_reached(void)
{
    struct rc_slurm_call call = {.done = world_done};
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    call.arg = &w;
    (void)rc_slurm_jobs_requeue(w.slurm, "n1", false, &call);
    (void)rc_slurm_takeover(w.slurm, 1, &call);
    world_until(&w, &w.dones, 2);
    CU_ASSERT_EQUAL(w.done[0].err, RC_E_STATE);
    CU_ASSERT_EQUAL(w.done[0].count, 1);
    CU_ASSERT_STRING_EQUAL(w.done[0].text, "job 8: it says Requeue=0");
    CU_ASSERT_EQUAL(w.done[1].err, RC_E_SLURM_REFUSED);
    log_is(&w, "jobs-requeue|n1\ntakeover|1\n");
    world_close(&w);
}

static void
looking_shows_the_node_before_it_ends(void)
{
    struct rc_slurm_call call = {.done = world_done};
    struct world w;

    world_open(&w, 60000, 1000);
    wait_for_helpers(&w);
    world_nodes(&w, "5\nname=n1 flags= addr=10.0.0.9\n");
    call.arg = &w;
    for (int i = 0; i < 2; i++) {
        (void)rc_slurm_look(w.slurm, "n1", &call);
    }
    (void)rc_slurm_look(w.slurm, "n9", &call);
    (void)rc_slurm_ping(w.slurm, &call);
    world_until(&w, &w.dones, 4);
    CU_ASSERT_EQUAL(w.events, 2);
    CU_ASSERT_STRING_EQUAL(w.last.u.slurm.addr, "10.0.0.9");
    CU_ASSERT_EQUAL(w.done[0].err, RC_OK);
    CU_ASSERT_EQUAL(w.done[2].err, RC_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.done[3].err, RC_OK);
    CU_ASSERT_STRING_EQUAL(w.done[3].text, "1");
    (void)rc_slurm_look(w.slurm, "n1", &call); /* open at the end: freed, not called */
    world_close(&w);
}

int
main(void)
{
    CU_TestInfo tests[] = {
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

    return rc_test_main("slurm_calls", tests);
}
