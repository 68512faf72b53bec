/* Instances in time: life cycle, checks, scheduled events, tags, determinism. */
#include "tests/unit/simulator/ec2_account.h"

#include "simulator/model/sim_random.h"

/* Reads the changes up to the first of this kind and state. */
static bool
change_seen(struct rc_sim_ec2 *m, enum rc_sim_change_kind kind, enum rc_instance_state state,
            int64_t at_ms)
{
    struct rc_sim_change c;

    while (rc_sim_ec2_next_change(m, &c))
        if (c.kind == kind && (kind != RC_SIM_CHANGE_STATE || c.state == state))
            return c.at_ms == at_ms;
    return false;
}

static void
life__each_step_happens_at_its_own_time(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");

    CU_ASSERT_EQUAL(inst->state, RC_INST_PENDING);
    CU_ASSERT_EQUAL(rc_sim_ec2_next_ms(m), T0 + 1000);
    rc_sim_ec2_advance(m, T0 + 60000);
    CU_ASSERT(change_seen(m, RC_SIM_CHANGE_STATE, RC_INST_PENDING, T0));
    CU_ASSERT(change_seen(m, RC_SIM_CHANGE_STATE, RC_INST_RUNNING, T0 + 1000));
    CU_ASSERT(change_seen(m, RC_SIM_CHANGE_UP, RC_INST_RUNNING, T0 + 3000));
    CU_ASSERT_EQUAL(inst->check[RC_SIM_CHECK_SYSTEM].status, RC_CHECK_OK);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 60000, inst, RC_SIM_STOP), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 61000);
    CU_ASSERT(change_seen(m, RC_SIM_CHANGE_DOWN, RC_INST_STOPPING, T0 + 60000));
    CU_ASSERT(change_seen(m, RC_SIM_CHANGE_STATE, RC_INST_STOPPED, T0 + 60500));
    rc_sim_ec2_free(m);
}

static void
terminated__is_shown_for_an_hour_then_gone(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");
    char id[RC_ID_LEN];

    memcpy(id, inst->id, sizeof(id));
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_TERMINATE), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 700 + 3599999);
    CU_ASSERT_PTR_NOT_NULL(rc_sim_ec2_find(m, T0 + 3600699, id));
    rc_sim_ec2_advance(m, T0 + 700 + 3600000);
    CU_ASSERT_PTR_NULL(rc_sim_ec2_find(m, T0 + 3600700, id));
    CU_ASSERT_EQUAL(rc_sim_ec2_free_addresses(m, 0), 251);
    CU_ASSERT_EQUAL(rc_sim_ec2_next_ms(m), RC_SIM_NEVER);
    rc_sim_ec2_free(m);
}

static void
eventual__just_launched__is_not_found_yet(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst;

    rc_sim_ec2_delays(m)->visible_ms = 400;
    inst = launch_one_at(m, T0, "", "subnet-a");
    CU_ASSERT_PTR_NULL(rc_sim_ec2_find(m, T0 + 399, inst->id));
    CU_ASSERT_PTR_EQUAL(rc_sim_ec2_find(m, T0 + 400, inst->id), inst);
    CU_ASSERT_PTR_NULL(rc_sim_ec2_find(m, T0 + 400, "i-00000000000000000"));
    CU_ASSERT_PTR_NULL(rc_sim_ec2_find(m, T0 + 400, "i-0"));
    rc_sim_ec2_free(m);
}

static void
verbs__in_the_wrong_state__are_refused(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");

    CU_ASSERT_EQUAL(rc_sim_ec2_may(inst, RC_SIM_STOP), RC_SIM_EC2_WRONG_STATE);
    CU_ASSERT_EQUAL(rc_sim_ec2_may(inst, RC_SIM_REBOOT), RC_SIM_EC2_WRONG_STATE);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_TERMINATE), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_TERMINATE), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(rc_sim_ec2_may(inst, RC_SIM_START), RC_SIM_EC2_WRONG_STATE);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_REBOOT), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(inst->state, RC_INST_SHUTTING_DOWN);
    rc_sim_ec2_free(m);
}

static void
protection__refuses_terminate_but_not_aws(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");

    inst->protect = true;
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_TERMINATE), RC_SIM_EC2_PROTECTED);
    CU_ASSERT_EQUAL(inst->state, RC_INST_PENDING);
    rc_sim_ec2_kill(m, T0, inst, "Server.InternalError");
    CU_ASSERT_EQUAL(inst->state, RC_INST_SHUTTING_DOWN);
    rc_sim_ec2_free(m);
}

static void
checks__heal_by_what_heals_them(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");

    rc_sim_ec2_advance(m, T0 + 10000);
    rc_sim_ec2_impair(inst, T0 + 10000, RC_SIM_CHECK_SYSTEM, RC_CHECK_IMPAIRED);
    rc_sim_ec2_impair(inst, T0 + 10000, RC_SIM_CHECK_INSTANCE, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 10000, inst, RC_SIM_REBOOT), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 20000);
    CU_ASSERT_EQUAL(inst->boots, 2);
    CU_ASSERT_EQUAL(inst->check[RC_SIM_CHECK_INSTANCE].status, RC_CHECK_OK);
    CU_ASSERT_EQUAL(inst->check[RC_SIM_CHECK_SYSTEM].status, RC_CHECK_IMPAIRED);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 20000, inst, RC_SIM_STOP), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 21000);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 21000, inst, RC_SIM_START), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 40000);
    CU_ASSERT_EQUAL(inst->check[RC_SIM_CHECK_SYSTEM].status, RC_CHECK_OK);
    rc_sim_ec2_free(m);
}

static void
retirement__window_opens__stops_and_stays_listed_for_a_week(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");
    const struct rc_sim_scheduled *s;

    s = rc_sim_ec2_schedule(m, inst, RC_SCHED_RETIREMENT, T0 + 20000, T0 + 90000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    rc_sim_ec2_advance(m, T0 + 19999);
    CU_ASSERT_EQUAL(inst->state, RC_INST_RUNNING);
    CU_ASSERT_EQUAL(s->state, RC_SIM_SCHEDULED_ACTIVE);
    rc_sim_ec2_advance(m, T0 + 20000);
    CU_ASSERT_EQUAL(inst->state, RC_INST_STOPPING);
    CU_ASSERT_EQUAL(s->state, RC_SIM_SCHEDULED_COMPLETED);
    rc_sim_ec2_advance(m, T0 + 20000 + 7LL * 86400000 - 1);
    CU_ASSERT_EQUAL(s->state, RC_SIM_SCHEDULED_COMPLETED);
    rc_sim_ec2_advance(m, T0 + 20000 + 7LL * 86400000);
    CU_ASSERT_EQUAL(s->state, RC_SIM_SCHEDULED_NONE);
    rc_sim_ec2_free(m);
}

static void
spot__at_the_deadline__is_terminated(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");

    rc_sim_ec2_spot(m, inst, T0 + 120000);
    rc_sim_ec2_advance(m, T0 + 119999);
    CU_ASSERT_EQUAL(inst->state, RC_INST_RUNNING);
    rc_sim_ec2_advance(m, T0 + 120000);
    CU_ASSERT_EQUAL(inst->state, RC_INST_SHUTTING_DOWN);
    CU_ASSERT_STRING_EQUAL(inst->why, "Server.SpotInstanceTermination");
    rc_sim_ec2_free(m);
}

static void
tags__set_change_remove_and_have_a_limit(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst = launch_one_at(m, T0, "", "subnet-a");
    char key[8] = "k0";

    for (int i = 0; i < RC_SIM_TAGS_MAX; i++) {
        key[1] = (char)('a' + i);
        CU_ASSERT_EQUAL(rc_sim_ec2_tag(inst, key, "v"), RC_SIM_EC2_OK);
    }
    CU_ASSERT_EQUAL(rc_sim_ec2_tag(inst, "one more", "v"), RC_SIM_EC2_TAG_LIMIT);
    CU_ASSERT_EQUAL(rc_sim_ec2_tag(inst, "ka", "w"), RC_SIM_EC2_OK);
    CU_ASSERT_STRING_EQUAL(rc_sim_ec2_tag_value(inst, "ka"), "w");
    rc_sim_ec2_untag(inst, "ka");
    CU_ASSERT_PTR_NULL(rc_sim_ec2_tag_value(inst, "ka"));
    CU_ASSERT_EQUAL(rc_sim_ec2_tag(inst, "", "v"), RC_SIM_EC2_BAD_VALUE);
    rc_sim_ec2_free(m);
}

static void
placed__is_there_from_the_start(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_instance *inst = rc_sim_ec2_place(m, T0, &l, "10.0.0.11");

    CU_ASSERT_PTR_NOT_NULL_FATAL(inst);
    CU_ASSERT_EQUAL(inst->state, RC_INST_RUNNING);
    CU_ASSERT(inst->booted);
    CU_ASSERT_PTR_NULL(rc_sim_ec2_place(m, T0, &l, "10.0.0.11")); /* taken */
    CU_ASSERT_PTR_NULL(rc_sim_ec2_place(m, T0, &l, "10.9.9.9"));  /* not in the subnet */
    CU_ASSERT_PTR_NULL(rc_sim_ec2_place(m, T0, &l, "gpu-1"));
    rc_sim_ec2_free(m);
}

/* A thousand random deeds; returns the hash of what came of them. */
static uint64_t
random_life(uint64_t seed)
{
    struct rc_sim_ec2 *m = account_new(seed);
    struct rc_sim_random r;
    struct rc_sim_change c;
    int64_t now_ms = T0;
    uint64_t hash;

    rc_sim_ec2_delays(m)->jitter_permille = 500;
    rc_sim_random_seed(&r, seed, 99);
    for (int i = 0; i < 1000; i++) {
        struct rc_sim_instance *inst;

        now_ms += (int64_t)rc_sim_random_below(&r, 20000);
        rc_sim_ec2_advance(m, now_ms);
        inst = rc_sim_ec2_at(m, (uint32_t)rc_sim_random_below(&r, 64));
        if (inst == NULL) {
            struct rc_sim_launch l = launch_of("", i % 2 == 0 ? "subnet-a" : "subnet-c");
            struct rc_sim_launched done;

            (void)rc_sim_ec2_run(m, now_ms, &l, &done);
        } else {
            (void)rc_sim_ec2_do(m, now_ms, inst, (enum rc_sim_verb)rc_sim_random_below(&r, 4));
        }
        while (i % 7 == 0 && rc_sim_ec2_next_change(m, &c))
            continue;
    }
    hash = rc_sim_ec2_hash(m);
    rc_sim_ec2_free(m);
    return hash;
}

static void
determinism__same_seed_same_hash(void)
{
    CU_ASSERT_EQUAL(random_life(5), random_life(5));
    CU_ASSERT_NOT_EQUAL(random_life(5), random_life(6));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"each step of a life happens at its own time", life__each_step_happens_at_its_own_time},
        {"a terminated instance is shown for an hour, then gone",
         terminated__is_shown_for_an_hour_then_gone},
        {"an instance just launched is not found yet", eventual__just_launched__is_not_found_yet},
        {"verbs in the wrong state are refused", verbs__in_the_wrong_state__are_refused},
        {"protection refuses terminate, but does not stop AWS",
         protection__refuses_terminate_but_not_aws},
        {"status checks heal by what heals them in EC2", checks__heal_by_what_heals_them},
        {"a retirement stops the instance and stays listed for a week",
         retirement__window_opens__stops_and_stays_listed_for_a_week},
        {"a spot interruption terminates at its deadline", spot__at_the_deadline__is_terminated},
        {"tags are set, changed, removed and limited", tags__set_change_remove_and_have_a_limit},
        {"a placed instance is there from the start", placed__is_there_from_the_start},
        {"the same seed gives the same hash", determinism__same_seed_same_hash},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("model_ec2", tests);
}
