/* Hot spares: places that fill, a name that is taken over, and what must not happen to it. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/spare.h"
#include "tests/unit/core/story.h"

static struct story st;

static void
begin(unsigned spares)
{
    story_begin(&st, 4);
    st.policy.limits.spares.count = spares;
    story_load(&st);
}

/* One pass may have begun before this daemon led; the second has shown everything. */
static void
sweep_twice(void)
{
    story_sweep(&st);
    story_sweep(&st);
}

/* A sweep has shown everything; each launch for a place is answered, and runs. */
static void
fill(unsigned place)
{
    char id[24], name[32], addr[24];

    snprintf(id, sizeof id, "i-spare-%u", place);
    snprintf(name, sizeof name, "spare/gpu/%u", place);
    snprintf(addr, sizeof addr, "10.9.0.%u", place);
    story_launched(&st, id, addr);
    story_state(&st, id, RC_INST_RUNNING);
    CU_ASSERT_PTR_NULL(story_incident(&st, name));
}

static void
begin_filled(unsigned spares)
{
    begin(spares);
    sweep_twice();
    for (unsigned i = 1; i <= spares; i++) {
        CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], spares);
    }
    if (spares == 1) {
        fill(1);
    }
    story_clear(&st);
}

static void
lose_n1(void)
{
    story_state(&st, "i-1", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
}

static void
names_of_places_are_read(void)
{
    static const struct {
        const char *name;
        uint32_t group, place;
    } rows[] = {
        {"spare/gpu/1", 1, 1},
        {"spare/gpu/32", 1, 32},
        {"spare/viz/2", 2, 2},
        {"spare/gpu/0", 0, 0},
        {"spare/gpu/", 0, 0},
        {"spare/gpu/x", 0, 0},
        {"spare/gpus/1", 0, 0},
        {"spare//1", 0, 0},
        {"spare/gpu", 0, 0},
        {"gpu-1", 0, 0},
        {"", 0, 0},
        {"spare/gpu/99999999999999", 0, 0},
    };
    struct rc_cluster c = {.group_count = 2};

    rc_text_set(c.group[0].name, RC_GROUP_LEN, "gpu");
    rc_text_set(c.group[1].name, RC_GROUP_LEN, "viz");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t place = 7, group = rc_spare_group(&c, rows[i].name, &place);
        rc_case(group == rows[i].group && place == rows[i].place, rows[i].name, "group %u place %u",
                group, place);
    }
}

static void
empty_places_fill_once_ec2_was_seen(void)
{
    begin(2);
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0); /* they may stand there, unseen yet */
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    CU_ASSERT_EQUAL(st.s->breaker_rate.count, 0);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->nodes, 4);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    sweep_twice();
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2);
    story_end(&st);
}

static void
a_lost_node_takes_the_spare_and_its_place_fills_again(void)
{
    begin_filled(1);
    lose_n1();
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_ASSIGN].instance, "i-spare-1");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_ASSIGN].node, "n1");
    CU_ASSERT_EQUAL(st.count[RC_ACT_REGISTER], 0);
    story_answer(&st, RC_ACT_ASSIGN, RC_OK);
    CU_ASSERT_EQUAL(st.count[RC_ACT_REGISTER], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_REGISTER].u.reg.addr, "10.9.0.1");
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "spare/gpu/1");
    story_end(&st);
}

/* Two fillings of one place must never share a token: the first one's instance is in use. */
static void
each_filling_has_a_token_of_its_own(void)
{
    char first[RC_TOKEN_LEN];

    begin(1);
    sweep_twice();
    memcpy(first, st.last[RC_ACT_LAUNCH].u.launch.token, sizeof first);
    fill(1);
    lose_n1();
    story_answer(&st, RC_ACT_ASSIGN, RC_OK);
    CU_ASSERT_STRING_NOT_EQUAL(first, st.last[RC_ACT_LAUNCH].u.launch.token);
    story_end(&st);
}

static void
rows_that_tell_the_old_tags_change_nothing(void)
{
    begin_filled(1);
    lose_n1();
    story_answer(&st, RC_ACT_ASSIGN, RC_OK);
    uint32_t slot = rc_instance_find(st.s, "i-spare-1");
    story_instance(&st, "i-spare-1", "spare/gpu/1", "10.9.0.1", RC_INST_RUNNING);
    CU_ASSERT_EQUAL(rc_instance_at(st.s, slot)->node, rc_node_find(st.s, "n1"));
    story_end(&st);
}

static void
a_spare_that_an_incident_has_named_is_taken_by_no_other(void)
{
    begin_filled(1);
    lose_n1();
    story_state(&st, "i-2", RC_INST_TERMINATED);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n2", "10.0.0.2", RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "n2");
    story_end(&st);
}

/* The leader before may have given it away, and nobody has told us. */
static void
a_spare_is_not_given_before_it_was_seen_by_the_one_who_leads(void)
{
    begin_filled(1);
    story_take_lease(&st, st.s->lease_epoch + 2);
    story_clear(&st);
    lose_n1();
    story_sweep(&st); /* it may have begun before */
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_sweep(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_ASSIGN].node, "n1");
    story_end(&st);
}

/* Two leaders who did not know of each other gave one number to two fillings of a place: the
 * same token, and EC2 answers with what it had launched. */
static void
a_launch_answered_by_an_instance_that_has_a_name_is_tried_with_another_token(void)
{
    begin(1);
    sweep_twice();
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "spare/gpu/1");
    uint32_t attempt = st.last[RC_ACT_LAUNCH].u.launch.attempt;
    story_launched(&st, "i-2", "10.0.0.2");
    CU_ASSERT_EQUAL(rc_instance_at(st.s, rc_instance_find(st.s, "i-2"))->node,
                    rc_node_find(st.s, "n2"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(story_incident(&st, "spare/gpu/1"));
    CU_ASSERT_EQUAL(story_incident(&st, "spare/gpu/1")->new_instance, 0);
    sweep_twice();
    CU_ASSERT_EQUAL(st.last[RC_ACT_LAUNCH].u.launch.attempt, attempt + 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 0);
    story_end(&st);
}

/* The answer got lost, so the tags may stand: nobody else may have it. */
static void
a_half_given_spare_is_ended_not_given_again(void)
{
    begin_filled(1);
    lose_n1();
    story_answer(&st, RC_ACT_ASSIGN, RC_E_DENIED);
    CU_ASSERT_EQUAL(story_incident(&st, "n1")->new_instance, 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-spare-1");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].node, "spare/gpu/1");
    story_wait(&st, 60000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    CU_ASSERT_TRUE(st.count[RC_ACT_LAUNCH] >= 1); /* for n1: it does not wait */
    story_end(&st);
}

static void
an_assignment_without_answer_is_asked_for_again(void)
{
    begin_filled(1);
    lose_n1();
    story_answer(&st, RC_ACT_ASSIGN, RC_E_TIMEOUT);
    story_wait(&st, 5000);
    CU_ASSERT_TRUE(st.count[RC_ACT_ASSIGN] >= 2);
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_end(&st);
}

static void
an_unfit_spare_is_ended_and_its_place_fills(void)
{
    struct rc_event ev;

    begin_filled(1);
    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, "i-spare-1");
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = RC_CHECK_IMPAIRED;
    story_give(&st, &ev);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_EQUAL(st.count[RC_ACT_DRAIN], 0);
    CU_ASSERT_EQUAL(rc_scope_at(st.s, 0)->out, 0);
    lose_n1(); /* it is not taken, sick as it is */
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "n1");
    story_answer(&st, RC_ACT_TERMINATE, RC_OK);
    story_state(&st, "i-spare-1", RC_INST_TERMINATED);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "spare/gpu/1");
    story_end(&st);
}

static void
where_the_slot_goes_first_a_spare_keeps_it(void)
{
    begin_filled(1);
    st.policy.rule[0].order = RC_ORDER_STOP_FIRST;
    story_load(&st);
    struct rc_event ev;
    rc_event_init(&ev, RC_EV_INSTANCE_STATUS);
    rc_text_set(ev.instance, sizeof ev.instance, "i-1");
    ev.u.status.state = RC_INST_RUNNING;
    ev.u.status.system = RC_CHECK_IMPAIRED;
    story_give(&st, &ev);
    story_answer(&st, RC_ACT_DRAIN, RC_OK);
    story_node(&st, "n1", "10.0.0.1", RC_SN_DRAIN, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    story_end(&st);
}

static void
spares_that_are_not_wanted_any_more_end(void)
{
    begin_filled(1);
    st.policy.limits.spares.count = 0;
    story_load(&st);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0); /* somebody may still want it */
    story_wait(&st, 600000);
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_TERMINATE].instance, "i-spare-1");
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 0);
    story_end(&st);
}

/* The leader before had named the spare for n2. */
static void
adopt_with_spare(void)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "n2");
    ev.u.adopt.incident = 900;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = RC_PHASE_BOOT;
    ev.u.adopt.attempt = 1;
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, "replace-all");
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-2");
    rc_text_set(ev.u.adopt.new_instance, RC_ID_LEN, "i-spare-1");
    story_give(&st, &ev);
}

static void
a_successor_knows_which_spare_an_incident_has_named(void)
{
    begin_filled(1);
    adopt_with_spare();
    lose_n1();
    CU_ASSERT_EQUAL(st.count[RC_ACT_ASSIGN], 1);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_ASSIGN].node, "n2");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "n1");
    story_end(&st);
}

/* The leader before had given it to n2, and had thought its place unfit when it did not show. */
static void
a_spare_that_was_given_away_is_not_ended_for_its_old_place(void)
{
    struct rc_event ev;

    begin_filled(1);
    adopt_with_spare();
    rc_event_init(&ev, RC_EV_ADOPT);
    rc_text_set(ev.node, sizeof ev.node, "spare/gpu/1");
    ev.u.adopt.incident = 901;
    ev.u.adopt.fault = RC_FAULT_INSTANCE_GONE;
    ev.u.adopt.phase = RC_PHASE_RETIRE;
    rc_text_set(ev.u.adopt.rule, RC_RULE_LEN, rc_spare_rule.name);
    rc_text_set(ev.u.adopt.old_instance, RC_ID_LEN, "i-spare-1");
    story_give(&st, &ev);
    sweep_twice();
    CU_ASSERT_EQUAL(st.count[RC_ACT_TERMINATE], 0);
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_ASSIGN].node, "n2");
    CU_ASSERT_STRING_EQUAL(st.last[RC_ACT_LAUNCH].node, "spare/gpu/1");
    story_end(&st);
}

static void
a_share_of_the_group_is_kept_when_it_is_more(void)
{
    begin(1);
    st.policy.limits.spares.permille = 500;
    story_load(&st);
    sweep_twice();
    CU_ASSERT_EQUAL(st.count[RC_ACT_LAUNCH], 2); /* half of four nodes */
    st.policy.limits.spares.count = 1000;
    story_load(&st);
    CU_ASSERT_TRUE(rc_node_find(st.s, "spare/gpu/32") || st.s->table_full);
    CU_ASSERT_EQUAL(rc_node_find(st.s, "spare/gpu/33"), 0);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a spare is not given before it was seen by the one who leads",
         a_spare_is_not_given_before_it_was_seen_by_the_one_who_leads},
        {"a launch answered by an instance that has a name is tried with another token",
         a_launch_answered_by_an_instance_that_has_a_name_is_tried_with_another_token},
        {"names of places are read", names_of_places_are_read},
        {"empty places fill once EC2 was seen", empty_places_fill_once_ec2_was_seen},
        {"a lost node takes the spare and its place fills again",
         a_lost_node_takes_the_spare_and_its_place_fills_again},
        {"each filling has a token of its own", each_filling_has_a_token_of_its_own},
        {"rows that tell the old tags change nothing", rows_that_tell_the_old_tags_change_nothing},
        {"a spare that an incident has named is taken by no other",
         a_spare_that_an_incident_has_named_is_taken_by_no_other},
        {"a half given spare is ended, not given again",
         a_half_given_spare_is_ended_not_given_again},
        {"an assignment without answer is asked for again",
         an_assignment_without_answer_is_asked_for_again},
        {"an unfit spare is ended and its place fills",
         an_unfit_spare_is_ended_and_its_place_fills},
        {"where the slot goes first, a spare keeps it", where_the_slot_goes_first_a_spare_keeps_it},
        {"spares that are not wanted any more end", spares_that_are_not_wanted_any_more_end},
        {"a successor knows which spare an incident has named",
         a_successor_knows_which_spare_an_incident_has_named},
        {"a spare that was given away is not ended for its old place",
         a_spare_that_was_given_away_is_not_ended_for_its_old_place},
        {"a share of the group is kept when it is more",
         a_share_of_the_group_is_kept_when_it_is_more},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("spare", tests);
}
