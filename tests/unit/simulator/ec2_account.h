/* ec2_account.h - the small account that the tests of the EC2 model share. */
#ifndef RC_TEST_EC2_ACCOUNT_H
#define RC_TEST_EC2_ACCOUNT_H

#include "tests/harness/harness.h"

#include <string.h>

#include "simulator/model/model_ec2.h"

#define T0 1700000000000

/* Two subnets in zone a, one in zone b; template lt-1 versions 1 and 2; cr-1 for two. */
static inline struct rc_sim_ec2 *
account_new(uint64_t seed)
{
    struct rc_sim_ec2_config config = {.seed = seed, .instances_max = 64, .tokens_max = 16};
    struct rc_sim_subnet subnet[] = {{"subnet-a", "us-east-1a", 0x0a000000, 256},
                                     {"subnet-b", "us-east-1b", 0x0a000100, 16},
                                     {"subnet-c", "us-east-1a", 0x0a000200, 256}};
    struct rc_sim_template t = {"lt-1", "gpu", "p4d.24xlarge", "ami-1", "", 1, true, true};
    struct rc_sim_reservation r = {
        .id = "cr-1", .type = "p4d.24xlarge", .az = "us-east-1a", .total = 2};
    struct rc_sim_ec2 *m;

    config.delays = (struct rc_sim_ec2_delays){.launch_ms = 1000,
                                               .boot_ms = 2000,
                                               .initializing_ms = 3000,
                                               .stop_ms = 500,
                                               .terminate_ms = 700,
                                               .reboot_ms = 1500,
                                               .release_ms = 10000,
                                               .vanish_ms = 3600000};
    m = rc_sim_ec2_new(&config, T0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_FATAL(rc_sim_ec2_add_subnet(m, &subnet[i]));
    CU_ASSERT_FATAL(rc_sim_ec2_add_template(m, &t));
    t.version = 2;
    t.by_default = false;
    CU_ASSERT_FATAL(rc_sim_ec2_add_template(m, &t));
    CU_ASSERT_FATAL(rc_sim_ec2_add_reservation(m, &r));
    return m;
}

static inline struct rc_sim_launch
launch_of(const char *token, const char *subnet)
{
    struct rc_sim_launch l = {.template_id = "lt-1", .version = 1, .min = 1, .max = 1};

    (void)rc_text_set(l.token, sizeof(l.token), token);
    (void)rc_text_set(l.subnet, sizeof(l.subnet), subnet);
    return l;
}

static inline struct rc_sim_instance *
launch_one_at(struct rc_sim_ec2 *m, int64_t now_ms, const char *token, const char *subnet)
{
    struct rc_sim_launch l = launch_of(token, subnet);
    struct rc_sim_launched done;

    CU_ASSERT_EQUAL_FATAL(rc_sim_ec2_run(m, now_ms, &l, &done), RC_SIM_EC2_OK);
    CU_ASSERT_EQUAL_FATAL(done.count, 1);
    return done.instance[0];
}

#endif
