/* What the poller tells of slurmctld's nodes, when it asks and how often. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <time.h>

#include "tests/unit/slurm/client_world.h"

static void
the_first_poll_shows_all_the_next_only_changes(void)
{
    struct world w;

    world_open(&w, 30, 1000);
    world_nodes(&w, "5\nname=n1 flags=\nname=n2 flags=\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.events, 2);
    world_until(&w, &w.sweeps, 3);
    CU_ASSERT_EQUAL(w.events, 2);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.complete, 1);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.seen, 2);
    world_nodes(&w, "6\nname=n1 flags=\nname=n2 flags=drain reason=op:_keep reason_uid=0\n");
    world_until(&w, &w.events, 3);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_FOREIGN);
    world_nodes(&w, "7\nname=n1 flags=\n");
    world_until(&w, &w.events, 4);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.flags, RC_SN_UNKNOWN);
    rc_slurm_poll(w.slurm, true);
    world_until(&w, &w.events, 5);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n1");
    world_close(&w);
}

static void
a_failed_poll_says_so_and_is_made_good(void)
{
    struct rc_slurm_stats stats;
    struct world w;

    world_open(&w, 30, 1000);
    rc_slurm_start(w.slurm);
    world_until(&w, &w.bad_sweeps, 1);
    CU_ASSERT(w.sweep.u.sweep.error == RC_E_SLURM_DOWN || w.sweep.u.sweep.error == RC_E_HELPER);
    world_until(&w, &w.bad_sweeps, 3);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.error, RC_E_SLURM_DOWN);
    rc_slurm_stats(w.slurm, &stats);
    CU_ASSERT_EQUAL(stats.reader_error, RC_E_SLURM_DOWN);
    world_nodes(&w, "5\nname=n1 flags=\nname=bad flags=nonsense\n");
    world_until(&w, &w.events, 1);
    rc_slurm_stats(w.slurm, &stats);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n1");
    world_until(&w, &w.sweeps, w.sweeps + 1);
    CU_ASSERT_EQUAL(w.sweep.u.sweep.complete, 1);
    CU_ASSERT_EQUAL(w.events, 1);
    world_close(&w);
}

/* libslurm waits for a slurmctld that is not there: the poller must not rest 20 times as long. */
static void
the_wait_for_another_primary_is_not_held_against_the_next_poll(void)
{
    struct world w;

    world_open(&w, 30, 1000);
    world_nodes(&w, "5\nname=waits flags=\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.events, 1); /* rests 10 s now */
    world_nodes(&w, "6\nname=waits flags=drain reason=op:_x reason_uid=0\n");
    rc_slurm_primary_changed(w.slurm);
    world_until(&w, &w.events, 2);
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_FOREIGN);
    world_for(&w, 100);
    uint32_t sweeps = w.sweeps;
    rc_slurm_poll(w.slurm, false);
    world_for(&w, 3000);
    CU_ASSERT_EQUAL(w.sweeps, sweeps); /* the share of slurmctld's time is kept as before */
    world_close(&w);
}

static void
slurmctlds_words_need_slurmctlds_user(void)
{
    struct world w;

    world_open(&w, 30, 1000);
    world_nodes(&w, "5\nname=n1 flags=down reason=Not_responding reason_uid=64030\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.events, 1);
    CU_ASSERT_EQUAL(w.last.u.slurm.owner, RC_OWNER_SLURM);
    world_close(&w);
}

static void
watched_nodes_are_read_alone(void)
{
    struct rc_slurm_stats before, after;
    struct world w;

    world_open(&w, 60000, 20);
    world_nodes(&w, "5\nname=n1 flags=\nname=n2 flags=\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.sweeps, 1);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", true), RC_OK);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", true), RC_OK);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "", true), RC_E_INVALID);
    world_nodes(&w, "6\nname=n1 flags=down\nname=n2 flags=drain,allocated\n");
    world_until(&w, &w.events, 3);
    CU_ASSERT_STRING_EQUAL(w.last.node, "n2");
    CU_ASSERT_EQUAL(w.last.u.slurm.jobs, 1);
    CU_ASSERT_EQUAL(w.sweeps, 1);
    CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, "n2", false), RC_OK);
    world_for(&w, 30);
    rc_slurm_stats(w.slurm, &before);
    world_for(&w, 60);
    rc_slurm_stats(w.slurm, &after);
    CU_ASSERT_EQUAL(before.singles, after.singles);
    world_close(&w);
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

    world_open(&w, 60000, 20);
    world_nodes(&w, "5\nname=n1 flags=\n");
    rc_slurm_start(w.slurm);
    world_until(&w, &w.sweeps, 1);
    for (int i = 0; i < 10; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        CU_ASSERT_EQUAL(rc_slurm_watch(w.slurm, name, true), RC_OK);
    }
    world_for(&w, 1200);
    world_until(&w, &w.sweeps, 2); /* where singles are spent, the full poll steps in */
    rc_slurm_stats(w.slurm, &stats);
    uint32_t spent_ms = monotonic_ms() - began_ms;
    /* 20 in the bucket and 20 a second; the full poll once a second. */
    CU_ASSERT(stats.singles >= 20 && stats.singles <= 21 + spent_ms / 50);
    CU_ASSERT(w.sweeps <= 2 + spent_ms / 1000);
    world_close(&w);
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
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("slurm_poll", tests);
}
