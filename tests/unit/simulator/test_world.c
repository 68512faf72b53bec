/* The coupled world: notices in the queue, hosts in Slurm, determinism. */
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "simulator/world/notice.h"
#include "simulator/world/world.h"

#define T0 1700000000000

static struct rc_world *
small_world(uint64_t seed)
{
    struct rc_world_config c = {.seed = seed, .spot_permille = 1000, .events = true};
    struct rc_sim_subnet subnet = {"subnet-a", "us-east-1a", 0x0a000000, 256};
    struct rc_sim_template t = {"lt-1", "gpu", "p4d.24xlarge", "ami-1", "", 1, true, true};
    struct rc_sim_launch like = {.template_id = "lt-1", .subnet = "subnet-a"};
    struct rc_sim_node_row row = {.name = "gpu-1", .addr = "10.0.0.11", .cpus = 96};
    struct rc_world *w;

    (void)rc_text_set(c.identity.region, RC_AZ_LEN, "us-east-1");
    (void)rc_text_set(c.identity.account, 16, "123456789012");
    c.ec2 = (struct rc_sim_ec2_config){.seed = seed, .instances_max = 16, .tokens_max = 16};
    c.ec2.delays = (struct rc_sim_ec2_delays){.launch_ms = 1000,
                                              .boot_ms = 1000,
                                              .terminate_ms = 1000,
                                              .stop_ms = 1000,
                                              .vanish_ms = 3600000};
    c.sqs = (struct rc_sim_sqs_config){
        .messages_max = 64, .in_flight_max = 64, .visibility_ms = 30000, .retention_ms = 345600000};
    c.slurm = (struct rc_sim_slurm_config){.nodes_max = 4,
                                           .hosts_max = 8,
                                           .jobs_max = 8,
                                           .register_ms = 500,
                                           .ping_ms = 1000,
                                           .slurmd_timeout_ms = 5000,
                                           .return_to_service = 1};
    w = rc_world_new(&c, "events", T0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT_FATAL(rc_sim_ec2_add_subnet(w->ec2, &subnet));
    CU_ASSERT_FATAL(rc_sim_ec2_add_template(w->ec2, &t));
    CU_ASSERT_FATAL(rc_sim_slurm_configure(w->slurm, T0, &row, 1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(rc_world_place(w, T0, &like, "gpu-1", "10.0.0.11"));
    rc_world_advance(w, T0 + 1000);
    return w;
}

/* The last message put into the queue, parsed; cJSON_Delete() it. */
static cJSON *
last_message(const struct rc_world *w)
{
    const struct rc_world_message *m = rc_world_message(w, w->messages);
    cJSON *json;

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    json = cJSON_Parse(m->body);
    CU_ASSERT_FATAL(cJSON_IsObject(json));
    return json;
}

static const char *
path_text(const cJSON *json, const char *outer, const char *inner)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, outer);

    if (inner != NULL)
        item = cJSON_GetObjectItemCaseSensitive(item, inner);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static void
terminated__tells_the_queue_and_slurm_loses_the_host(void)
{
    struct rc_world *w = small_world(1);
    struct rc_sim_instance *inst = rc_world_instance(w, "gpu-1");
    cJSON *json;

    CU_ASSERT_PTR_NOT_NULL_FATAL(inst);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(w->slurm, 0)->flags, 0);
    CU_ASSERT(rc_world_terminate(w, T0 + 2000, inst));
    json = last_message(w);
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail-type", NULL),
                           "EC2 Instance State-change Notification");
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail", "state"), "shutting-down");
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail", "instance-id"), inst->id);
    cJSON_Delete(json);
    rc_world_advance(w, T0 + 8000);
    CU_ASSERT_EQUAL(w->messages, 2);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(w->slurm, 0)->flags, RC_SN_DOWN | RC_SN_NOT_RESPONDING);
    CU_ASSERT_PTR_NULL(rc_world_instance(w, "gpu-1"));
    CU_ASSERT_FALSE(rc_world_terminate(w, T0 + 9000, inst));
    rc_world_free(w);
}

static void
spot__notice_then_the_real_end(void)
{
    struct rc_world *w = small_world(1);
    struct rc_sim_instance *inst = rc_world_instance(w, "gpu-1");
    cJSON *json;

    w->config.spot_permille = 100;
    CU_ASSERT(rc_world_spot(w, T0 + 2000, inst, -1));
    json = last_message(w);
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail", "instance-action"), "terminate");
    cJSON_Delete(json);
    rc_world_advance(w, T0 + 2000 + 11999);
    CU_ASSERT_EQUAL(inst->state, RC_INST_RUNNING);
    rc_world_advance(w, T0 + 2000 + 12000);
    CU_ASSERT_EQUAL(inst->state, RC_INST_SHUTTING_DOWN);
    rc_world_free(w);
}

static void
retirement_alarm_and_rebalance__are_well_formed_events(void)
{
    struct rc_world_check check = {RC_SIM_CHECK_INSTANCE, RC_CHECK_IMPAIRED, true, false};
    struct rc_world *w = small_world(1);
    struct rc_sim_instance *inst = rc_world_instance(w, "gpu-1");
    cJSON *json;

    CU_ASSERT(rc_world_retire(w, T0 + 2000, inst, T0 + 22000));
    json = last_message(w);
    CU_ASSERT_STRING_EQUAL(path_text(json, "source", NULL), "aws.health");
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail", "startTime"), "Tue, 14 Nov 2023 22:13:42 GMT");
    cJSON_Delete(json);
    CU_ASSERT(rc_world_status_check(w, T0 + 3000, inst, &check));
    json = last_message(w);
    CU_ASSERT_STRING_EQUAL(path_text(json, "source", NULL), "aws.cloudwatch");
    cJSON_Delete(json);
    CU_ASSERT_EQUAL(inst->check[RC_SIM_CHECK_INSTANCE].impaired_since_ms, T0 + 3000);
    CU_ASSERT(rc_world_rebalance(w, T0 + 4000, inst));
    json = last_message(w);
    CU_ASSERT_STRING_EQUAL(path_text(json, "detail", "instance-id"), inst->id);
    cJSON_Delete(json);
    rc_world_advance(w, T0 + 22000);
    CU_ASSERT_EQUAL(inst->state, RC_INST_STOPPING);
    rc_world_free(w);
}

static void
events_off__nothing_reaches_the_queue(void)
{
    struct rc_world *w = small_world(1);

    w->config.events = false;
    CU_ASSERT(rc_world_terminate(w, T0 + 2000, rc_world_instance(w, "gpu-1")));
    CU_ASSERT_EQUAL(w->messages, 0);
    rc_world_free(w);
}

static void
log__is_read_in_order_and_keeps_changes(void)
{
    static struct rc_request_log log;
    struct rc_log_row change = {.service = "ec2", .action = "RunInstances"};
    struct rc_log_row look = {.service = "ec2", .action = "DescribeInstances"};
    const struct rc_log_row *row;
    uint64_t seq = 0;
    unsigned rows = 0;

    for (int i = 0; i < 3000; i++)
        rc_request_log_add(&log, i % 30 == 0 ? &change : &look);
    while ((row = rc_request_log_after(&log, seq)) != NULL) {
        CU_ASSERT(row->seq > seq);
        seq = row->seq;
        rows++;
    }
    CU_ASSERT_EQUAL(rows, 100 + RC_LOG_LOOKS_MAX);
    CU_ASSERT_EQUAL(seq, 3000);
    CU_ASSERT_EQUAL(log.count[0].calls, 100);
    for (int i = 0; i < 20; i++)
        rc_log_row_instance(&change, "i-0123456789abcdef0");
    CU_ASSERT_PTR_NOT_NULL(strstr(change.instances, ",..."));
}

static uint64_t
world_life(uint64_t seed)
{
    struct rc_world *w = small_world(seed);
    struct rc_sim_instance *inst = rc_world_instance(w, "gpu-1");
    uint64_t hash;

    (void)rc_world_spot(w, T0 + 2000, inst, 500);
    rc_world_advance(w, T0 + 60000);
    hash = rc_sim_ec2_hash(w->ec2) ^ rc_sim_slurm_hash(w->slurm) ^ rc_sim_sqs_hash(w->queue[0].sqs);
    rc_world_free(w);
    return hash;
}

static void
determinism__same_seed_same_messages(void)
{
    CU_ASSERT_EQUAL(world_life(3), world_life(3));
    CU_ASSERT_NOT_EQUAL(world_life(3), world_life(4));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a terminated instance tells the queue, and Slurm loses its host",
         terminated__tells_the_queue_and_slurm_loses_the_host},
        {"a spot notice is followed by the real end", spot__notice_then_the_real_end},
        {"retirement, alarm and rebalance are well-formed events",
         retirement_alarm_and_rebalance__are_well_formed_events},
        {"with events off nothing reaches the queue", events_off__nothing_reaches_the_queue},
        {"the request log is read in order and keeps changes longer",
         log__is_read_in_order_and_keeps_changes},
        {"the same seed gives the same messages", determinism__same_seed_same_messages},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("world", tests);
}
