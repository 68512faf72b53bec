/* RunInstances: tokens by zone, capacity, reservations, addresses. */
#include "tests/unit/simulator/ec2_account.h"

static void
same_token_same_parameters__first_result_as_it_is_now(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("tok", "subnet-a");
    struct rc_sim_instance *first = launch_one_at(m, T0, "tok", "subnet-a");
    struct rc_sim_launched again;

    rc_sim_ec2_advance(m, T0 + 5000);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 5000, &l, &again), RC_SIM_EC2_OK);
    CU_ASSERT(again.again);
    CU_ASSERT_EQUAL(again.count, 1);
    CU_ASSERT_PTR_EQUAL(again.instance[0], first);
    CU_ASSERT_EQUAL(again.instance[0]->state, RC_INST_RUNNING);
    rc_sim_ec2_free(m);
}

static void
same_token_after_termination__the_terminated_one(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("tok", "subnet-a");
    struct rc_sim_instance *first = launch_one_at(m, T0, "tok", "subnet-a");
    struct rc_sim_launched again;

    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 1, first, RC_SIM_TERMINATE), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 5000);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 5000, &l, &again), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(again.instance[0]->state, RC_INST_TERMINATED);
    rc_sim_ec2_free(m);
}

static void
same_token_other_parameters__mismatch(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("tok", "subnet-a");
    struct rc_sim_launched done;

    (void)launch_one_at(m, T0, "tok", "subnet-a");
    l.version = 2;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_TOKEN_MISMATCH);
    l = launch_of("tok", "subnet-c"); /* another subnet of the same zone */
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_TOKEN_MISMATCH);
    rc_sim_ec2_free(m);
}

static void
same_token_other_zone__launches_again(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *a = launch_one_at(m, T0, "tok", "subnet-a");
    struct rc_sim_instance *b = launch_one_at(m, T0, "tok", "subnet-b");

    CU_ASSERT_PTR_NOT_EQUAL(a, b);
    CU_ASSERT_STRING_EQUAL(b->az, "us-east-1b");
    rc_sim_ec2_free(m);
}

static void
failed_launch__its_token_is_free(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("tok", "subnet-a");
    struct rc_sim_launched done;

    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "", 0));
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_CAPACITY);
    CU_ASSERT_EQUAL(done.count, 0);
    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "", 1));
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_FALSE(done.again);
    rc_sim_ec2_free(m);
}

static void
capacity__below_min__nothing_is_launched_or_held(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_launched done;
    uint32_t addresses = rc_sim_ec2_free_addresses(m, 0);

    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "p4d.24xlarge", 2));
    l.min = l.max = 3;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_CAPACITY);
    CU_ASSERT_EQUAL(rc_sim_ec2_free_addresses(m, 0), addresses);
    l.min = 1;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(done.count, 2);
    rc_sim_ec2_free(m);
}

static void
capacity__comes_back_after_the_release_delay(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_launched done;
    struct rc_sim_instance *inst;

    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "", 1));
    inst = launch_one_at(m, T0, "", "subnet-a");
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0, inst, RC_SIM_TERMINATE), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 700 + 9999);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 10699, &l, &done), RC_SIM_EC2_NO_CAPACITY);
    rc_sim_ec2_advance(m, T0 + 700 + 10000);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 10700, &l, &done), RC_SIM_EC2_OK);
    rc_sim_ec2_free(m);
}

static void
start__without_capacity__stays_stopped(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_instance *inst;

    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "", 1));
    inst = launch_one_at(m, T0, "", "subnet-a");
    rc_sim_ec2_advance(m, T0 + 5000);
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 5000, inst, RC_SIM_STOP), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 20000);
    CU_ASSERT(rc_sim_ec2_set_capacity(m, "subnet-a", "", 0));
    CU_ASSERT_EQUAL(rc_sim_ec2_do(m, T0 + 20000, inst, RC_SIM_START), RC_SIM_EC2_NO_CAPACITY);
    CU_ASSERT_EQUAL(inst->state, RC_INST_STOPPED);
    rc_sim_ec2_free(m);
}

static void
reservation__full__exceeded_until_one_ends(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_launched done;

    (void)rc_text_set(l.reservation, sizeof(l.reservation), "cr-1");
    l.min = l.max = 2;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    l.min = l.max = 1;
    rc_sim_ec2_kill(m, T0, done.instance[0], "Server.InternalError");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_RESERVATION_FULL);
    rc_sim_ec2_advance(m, T0 + 10700);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 10700, &l, &done), RC_SIM_EC2_OK);
    rc_sim_ec2_free(m);
}

static void
reservation__of_another_zone_or_unknown__refused(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-b");
    struct rc_sim_launched done;

    (void)rc_text_set(l.reservation, sizeof(l.reservation), "cr-1");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_RESERVATION_FULL);
    (void)rc_text_set(l.reservation, sizeof(l.reservation), "cr-9");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_RESERVATION);
    rc_sim_ec2_free(m);
}

static void
block__wants_its_market_and_ends_half_an_hour_early(void)
{
    struct rc_sim_reservation block = {.id = "cr-b",
                                       .type = "p4d.24xlarge",
                                       .az = "us-east-1a",
                                       .total = 2,
                                       .block = true,
                                       .end_ms = T0 + RC_SIM_BLOCK_END_MS + 60000};
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_launched done;

    CU_ASSERT(rc_sim_ec2_add_reservation(m, &block));
    (void)rc_text_set(l.reservation, sizeof(l.reservation), "cr-b");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_COMBINATION);
    l.block = true;
    CU_ASSERT_EQUAL_FATAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    rc_sim_ec2_advance(m, T0 + 59999);
    CU_ASSERT_EQUAL(done.instance[0]->state, RC_INST_RUNNING);
    rc_sim_ec2_advance(m, T0 + 60000);
    CU_ASSERT_EQUAL(done.instance[0]->state, RC_INST_SHUTTING_DOWN);
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 60000, &l, &done), RC_SIM_EC2_NO_RESERVATION);
    (void)rc_text_set(l.reservation, sizeof(l.reservation), "cr-1");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0 + 60000, &l, &done), RC_SIM_EC2_COMBINATION);
    rc_sim_ec2_free(m);
}

static void
addresses__used_up__says_so(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-b"); /* 16 addresses, 5 of them EC2's */
    struct rc_sim_launched done;

    l.max = l.min = 11;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_STRING_EQUAL(done.instance[0]->addr, "10.0.1.4");
    l.max = l.min = 1;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_ADDRESS);
    rc_sim_ec2_free(m);
}

static void
wrong_requests__each_has_its_code(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-x");
    struct rc_sim_launched done;

    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_SUBNET);
    l = launch_of("", "subnet-a");
    l.version = 7;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_VERSION);
    (void)rc_text_set(l.template_id, sizeof(l.template_id), "lt-2");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_NO_TEMPLATE);
    l = launch_of("", "subnet-a");
    l.min = 2;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_BAD_VALUE);
    l = launch_of("", "subnet-a");
    l.template_id[0] = '\0';
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_MISSING);
    rc_sim_ec2_free(m);
}

static void
template__latest_and_default__are_their_versions(void)
{
    struct rc_sim_ec2 *m = account_new(1);
    struct rc_sim_launch l = launch_of("", "subnet-a");
    struct rc_sim_launched done;

    l.version = -1;
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(done.instance[0]->template_version, 2);
    l.version = 0;
    (void)rc_text_set(l.template_id, sizeof(l.template_id), "gpu");
    CU_ASSERT_EQUAL(rc_sim_ec2_run(m, T0, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL(done.instance[0]->template_version, 1);
    rc_sim_ec2_free(m);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the same token gives the first result as it is now",
         same_token_same_parameters__first_result_as_it_is_now},
        {"the same token after a termination gives the terminated instance",
         same_token_after_termination__the_terminated_one},
        {"the same token with other parameters is a mismatch",
         same_token_other_parameters__mismatch},
        {"the same token in another zone launches again", same_token_other_zone__launches_again},
        {"a launch that failed leaves its token free", failed_launch__its_token_is_free},
        {"below MinCount nothing is launched and nothing held",
         capacity__below_min__nothing_is_launched_or_held},
        {"capacity comes back only after its delay", capacity__comes_back_after_the_release_delay},
        {"a start without capacity leaves the instance stopped",
         start__without_capacity__stays_stopped},
        {"a full reservation refuses until one ended", reservation__full__exceeded_until_one_ends},
        {"a reservation of another zone, or none, is refused",
         reservation__of_another_zone_or_unknown__refused},
        {"a capacity block wants its market type and ends half an hour early",
         block__wants_its_market_and_ends_half_an_hour_early},
        {"a subnet without addresses says so", addresses__used_up__says_so},
        {"each wrong request has its own code", wrong_requests__each_has_its_code},
        {"latest and default name their versions",
         template__latest_and_default__are_their_versions},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("ec2_launch", tests);
}
