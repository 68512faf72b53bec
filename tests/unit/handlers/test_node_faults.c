/* What handlers/node_faults.c folds: the whole list of a node's agent, at once. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "reconciler/core/health.h"
#include "tests/unit/core/story.h"

static struct rc_health *
health(struct story *st, const char *node)
{
    uint32_t slot = rc_node_find(st->s, node);

    CU_ASSERT_NOT_EQUAL_FATAL(slot, 0);
    return rc_health_at(st->s, slot);
}

static void
add(struct rc_event *ev, const char *class_name, const char *device, uint32_t times)
{
    struct rc_node_fault *f = &ev->u.faults.v[ev->u.faults.count++];

    rc_text_set(f->class_name, sizeof f->class_name, class_name);
    rc_text_set(f->device, sizeof f->device, device);
    f->times = times;
}

static struct rc_event
list(const char *node, const char *boot)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_NODE_FAULTS);
    rc_text_set(ev.node, sizeof ev.node, node);
    rc_text_set(ev.u.faults.boot, RC_BOOT_LEN, boot);
    return ev;
}

static void
give(struct story *st, struct rc_event *ev)
{
    for (uint32_t i = 0; i < ev->u.faults.count; i++) {
        ev->u.faults.v[i].last_wall_ms = st->wall_ms;
    }
    story_give(st, ev);
}

static void
a_list_replaces_the_one_before(void)
{
    struct story st;

    story_begin(&st, 2);
    struct rc_event ev = list("n1", "1a2b3c4d");
    add(&ev, "xid:31", "0000:10:1c", 1);
    add(&ev, "thermal:gpu", "0000:10:1c", 2);
    give(&st, &ev);
    CU_ASSERT_EQUAL(health(&st, "n1")->told_count, 2);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].fault, RC_FAULT_JOB_SUSPECT);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[1].fault, RC_FAULT_THERMAL);
    ev = list("n1", "1a2b3c4d");
    give(&st, &ev);
    CU_ASSERT_EQUAL(health(&st, "n1")->told_count, 0);
    CU_ASSERT_EQUAL(health(&st, "n2")->told_count, 0);
    story_end(&st);
}

static void
what_both_lists_have_keeps_its_history(void)
{
    struct story st;

    story_begin(&st, 1);
    struct rc_event ev = list("n1", "1a2b3c4d");
    add(&ev, "xid:31", "0000:10:1c", 1);
    give(&st, &ev);
    int64_t since_ms = health(&st, "n1")->told[0].since_ms;
    uint64_t at = health(&st, "n1")->told[0].at;
    story_wait(&st, 60000);
    ev = list("n1", "1a2b3c4d");
    add(&ev, "thermal:gpu", "0000:10:1c", 1);
    add(&ev, "xid:31", "0000:10:1c", 1);
    give(&st, &ev);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[1].since_ms, since_ms);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[1].at, at);
    CU_ASSERT_NOT_EQUAL(health(&st, "n1")->told[0].since_ms, since_ms);
    story_end(&st);
}

static void
another_boot_begins_anew(void)
{
    struct story st;

    story_begin(&st, 1);
    struct rc_event ev = list("n1", "1a2b3c4d");
    add(&ev, "xid:31", "0000:10:1c", 7);
    give(&st, &ev);
    story_wait(&st, 60000);
    rc_text_set(ev.u.faults.boot, RC_BOOT_LEN, "99999999");
    ev.u.faults.v[0].times = 1;
    give(&st, &ev);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].since_ms, st.at_ms);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].hour_times, 0);
    story_end(&st);
}

/* Their agents know no job: its steps have not begun there. */
static void
tell_without_job(struct story *st, unsigned nodes)
{
    char node[8];

    for (unsigned i = 1; i <= nodes; i++) {
        (void)snprintf(node, sizeof node, "n%u", i);
        struct rc_event ev = list(node, "1a2b3c4d");
        add(&ev, "xid:31", "0000:10:1c", 3);
        give(st, &ev);
    }
}

static void
show_job(struct story *st, unsigned nodes)
{
    char node[8], addr[16];

    for (unsigned i = 1; i <= nodes; i++) {
        (void)snprintf(node, sizeof node, "n%u", i);
        (void)snprintf(addr, sizeof addr, "10.0.0.%u", i);
        story_job(st, node, addr, RC_SN_ALLOCATED, 77, nodes);
    }
}

static void
begin_three(struct story *st)
{
    story_begin(st, 3);
    st->s->policy.suspect.nodes = 3;
    st->s->policy.suspect.within_ms = 600000;
    st->s->policy.suspect.hold = 1;
    tell_without_job(st, 3);
}

static void
a_job_that_is_seen_after_its_faults_is_judged(void)
{
    struct story st;

    begin_three(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOB_HOLD], 0);
    story_wait(&st, 5000);
    show_job(&st, 3);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOB_HOLD], 1);
    CU_ASSERT_EQUAL(st.last[RC_ACT_JOB_HOLD].u.jobs.job, 77);
    story_end(&st);
}

static void
a_job_that_begins_long_after_a_fault_is_innocent(void)
{
    struct story st;

    begin_three(&st);
    story_wait(&st, 61000);
    show_job(&st, 3);
    CU_ASSERT_EQUAL(st.count[RC_ACT_JOB_HOLD], 0);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].f.job, 0);
    story_end(&st);
}

/* The agent writes its list anew and still knows no job. */
static void
what_was_found_of_a_fault_s_job_is_kept(void)
{
    struct story st;

    story_begin(&st, 1);
    tell_without_job(&st, 1);
    show_job(&st, 1);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].f.job, 77);
    story_wait(&st, 120000);
    struct rc_event ev = list("n1", "1a2b3c4d");
    add(&ev, "xid:31", "0000:10:1c", 3);
    ev.u.faults.v[0].last_wall_ms = st.wall_ms - 120000;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(health(&st, "n1")->told[0].f.job, 77);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a list replaces the one before", a_list_replaces_the_one_before},
        {"what both lists have keeps its history", what_both_lists_have_keeps_its_history},
        {"another boot begins anew", another_boot_begins_anew},
        {"a job that is seen after its faults is judged",
         a_job_that_is_seen_after_its_faults_is_judged},
        {"a job that begins long after a fault is innocent",
         a_job_that_begins_long_after_a_fault_is_innocent},
        {"what was found of a fault's job is kept", what_was_found_of_a_fault_s_job_is_kept},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("handler node-faults", tests);
}
