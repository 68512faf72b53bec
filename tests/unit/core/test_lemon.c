/* What is counted against a host: jobs that it lost, jobs that began, users who stay away. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/lemon.h"
#include "tests/unit/core/story.h"

static struct story st;

/* n1 runs these jobs: id, nodes, id, nodes ... 0. */
static void
show(uint32_t flags, enum rc_owner owner, const uint32_t *jobs, const uint32_t *excluders)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    rc_text_set(ev.node, sizeof ev.node, "n1");
    rc_text_set(ev.u.slurm.addr, sizeof ev.u.slurm.addr, "10.0.0.1");
    ev.u.slurm.flags = flags;
    ev.u.slurm.owner = owner;
    for (uint32_t i = 0; jobs && jobs[2 * i]; i++) {
        ev.u.slurm.job[i] = (struct rc_node_job){jobs[2 * i], jobs[2 * i + 1]};
        ev.u.slurm.jobs++;
    }
    for (uint32_t i = 0; excluders && excluders[i]; i++) {
        ev.u.slurm.excluder[i] = excluders[i];
    }
    story_give(&st, &ev);
}

static char
today(enum rc_mark mark)
{
    const char *marks = rc_health_at(st.s, rc_node_find(st.s, "n1"))->lemon.mark[mark];

    return *marks ? *marks : '0';
}

static void
begin(void)
{
    story_begin(&st, 4);
    memset(st.policy.lemon.weight, 0, sizeof st.policy.lemon.weight);
    st.policy.lemon.weight[RC_MARK_SINGLE] = st.policy.lemon.weight[RC_MARK_RUNS] = 1;
    st.policy.rule_count = 0; /* no incident: slurmctld alone acts */
    st.policy.lemon.within_ms = RC_LEMON_DAYS * INT64_C(86400000);
    story_load(&st);
}

static uint32_t
score(void)
{
    return rc_lemon_score(st.s, rc_node_find(st.s, "n1"), true);
}

static void
jobs_that_slurmctld_gave_up_with_the_node_are_charged(void)
{
    static const uint32_t gang_and_two[] = {7, 4, 8, 1, 9, 1, 0};

    begin();
    show(RC_SN_ALLOCATED, RC_OWNER_NONE, gang_and_two, NULL);
    CU_ASSERT_EQUAL(today(RC_MARK_RUNS), '2');
    show(RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM, NULL, NULL);
    CU_ASSERT_EQUAL(today(RC_MARK_MULTI), '1');
    CU_ASSERT_EQUAL(today(RC_MARK_SINGLE), '2');
    show(RC_SN_DOWN | RC_SN_NOT_RESPONDING, RC_OWNER_SLURM, NULL, NULL);
    CU_ASSERT_EQUAL(today(RC_MARK_MULTI), '1');
    story_end(&st);
}

static void
what_a_person_set_down_is_not(void)
{
    static const uint32_t one[] = {8, 1, 0};

    begin();
    show(RC_SN_ALLOCATED, RC_OWNER_NONE, one, NULL);
    show(RC_SN_DOWN, RC_OWNER_FOREIGN, NULL, NULL);
    CU_ASSERT_EQUAL(today(RC_MARK_SINGLE), '0');
    story_end(&st);
}

static void
the_rate_is_of_the_jobs_that_stood_here_alone(void)
{
    uint32_t job[] = {100, 1, 0};

    begin();
    show(0, RC_OWNER_NONE, NULL, NULL);
    for (uint32_t i = 0; i < 20; i++) {
        job[0]++;
        show(RC_SN_ALLOCATED, RC_OWNER_NONE, job, NULL);
    }
    CU_ASSERT_EQUAL(today(RC_MARK_RUNS), 'K'); /* 20 */
    show(RC_SN_DOWN, RC_OWNER_SLURM, NULL, NULL);
    CU_ASSERT_EQUAL(score(), 1); /* one single job; a twentieth is no tenth */
    for (uint32_t i = 0; i < 3; i++) {
        job[0]++;
        show(RC_SN_ALLOCATED, RC_OWNER_NONE, job, NULL);
        show(RC_SN_DOWN, RC_OWNER_SLURM, NULL, NULL);
    }
    CU_ASSERT_EQUAL(score(), 4 + 1); /* 4 of 23 */
    story_end(&st);
}

static void
each_job_that_excludes_the_node_counts_once(void)
{
    static const uint32_t at_first[] = {5, 0}, later[] = {7, 6, 5, 0}, again[] = {7, 6, 0};

    begin();
    show(0, RC_OWNER_NONE, NULL, at_first);
    uint32_t before = (uint32_t)(today(RC_MARK_EXCLUDED) - '0');
    show(0, RC_OWNER_NONE, NULL, later);
    show(0, RC_OWNER_NONE, NULL, again);
    show(0, RC_OWNER_NONE, NULL, NULL);
    show(0, RC_OWNER_NONE, NULL, later);
    CU_ASSERT_EQUAL(today(RC_MARK_EXCLUDED) - '0' - (int)before, 2);
    story_end(&st);
}

/* The instance that n2's host would be known as, "" = it is not known. */
static const char *
n2_is_known_as(const char *bad_serials, const char *serials)
{
    uint32_t n1 = rc_node_find(st.s, "n1"), n2 = rc_node_find(st.s, "n2");

    rc_lemon_serials(st.s, n1, bad_serials);
    rc_lemon_bad_host(st.s, n1, "i-bad");
    rc_lemon_serials(st.s, n2, serials);
    return rc_health_at(st.s, n2)->same_as;
}

static void
a_bad_host_is_known_by_one_serial_number(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(n2_is_known_as("16529001,16529002", "16529007,16529002"), "i-bad");
    story_end(&st);
}

static void
boards_without_a_serial_number_are_not_one_board(void)
{
    static const char *const none[] = {"0",       "0,0,0,0",      "NA,NA",
                                       "Unknown", "UnknownError", "0000000000000,0000000000000"};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        begin();
        rc_case(*n2_is_known_as(none[i], none[i]) == '\0', none[i], "known as bad");
        story_end(&st);
    }
    begin();
    CU_ASSERT_STRING_EQUAL(n2_is_known_as("0,16529001", "0,16529007"), "");
    story_end(&st);
}

static void
what_the_store_took_for_a_serial_number_is_dropped(void)
{
    struct rc_lemon past = {.serials = "0"};

    begin();
    uint32_t n1 = rc_node_find(st.s, "n1"), n2 = rc_node_find(st.s, "n2");
    rc_text_set(past.bad[0].instance, sizeof past.bad[0].instance, "i-bad");
    rc_text_set(past.bad[0].serials, sizeof past.bad[0].serials, "0,16529001");
    rc_lemon_take(st.s, n1, &past);
    CU_ASSERT_STRING_EQUAL(rc_health_at(st.s, n1)->lemon.serials, "");
    rc_lemon_serials(st.s, n2, "0,16529007");
    CU_ASSERT_STRING_EQUAL(rc_health_at(st.s, n2)->same_as, "");
    rc_lemon_serials(st.s, n2, "16529001");
    CU_ASSERT_STRING_EQUAL(rc_health_at(st.s, n2)->same_as, "i-bad");
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"jobs that slurmctld gave up with the node are charged",
         jobs_that_slurmctld_gave_up_with_the_node_are_charged},
        {"what a person set down is not", what_a_person_set_down_is_not},
        {"the rate is of the jobs that stood here alone",
         the_rate_is_of_the_jobs_that_stood_here_alone},
        {"each job that excludes the node counts once",
         each_job_that_excludes_the_node_counts_once},
        {"a bad host is known by one serial number", a_bad_host_is_known_by_one_serial_number},
        {"boards without a serial number are not one board",
         boards_without_a_serial_number_are_not_one_board},
        {"what the store took for a serial number is dropped",
         what_the_store_took_for_a_serial_number_is_dropped},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("lemon", tests);
}
