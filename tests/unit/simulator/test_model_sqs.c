/* A standard queue: visibility, handles, duplicates, limits, determinism. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "simulator/model/model_sqs.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"

#define T0 1700000000000

static struct rc_sim_sqs *
queue_new(uint64_t seed)
{
    struct rc_sim_sqs_config config = {.seed = seed,
                                       .messages_max = 32,
                                       .in_flight_max = 20,
                                       .visibility_ms = 30000,
                                       .retention_ms = 345600000};
    struct rc_sim_sqs *q = rc_sim_sqs_new(&config);

    CU_ASSERT_PTR_NOT_NULL_FATAL(q);
    return q;
}

static void
put_body(struct rc_sim_sqs *q, int64_t now_ms, const char *body)
{
    CU_ASSERT_EQUAL_FATAL(rc_sim_sqs_send(q, now_ms, body, strlen(body), -1, NULL), RC_SIM_SQS_OK);
}

static void
received__is_hidden_and_comes_back(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[10];

    put_body(q, T0, "one");
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 5, 10, -1, m), 1);
    CU_ASSERT_STRING_EQUAL(m[0].body, "one");
    CU_ASSERT_EQUAL(m[0].sent_ms, T0);
    CU_ASSERT_EQUAL(m[0].first_received_ms, T0 + 5);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 5, 10, -1, m), 0);
    CU_ASSERT_EQUAL(rc_sim_sqs_next_ms(q), T0 + 30005);
    rc_sim_sqs_advance(q, T0 + 30005);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 30005, 10, -1, m), 1);
    CU_ASSERT_EQUAL(m[0].receives, 2);
    CU_ASSERT_EQUAL(m[0].first_received_ms, T0 + 5);
    rc_sim_sqs_free(q);
}

static void
stale_handle__succeeds_and_deletes_nothing(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message old[1];
    struct rc_sim_sqs_message new[1];

    put_body(q, T0, "one");
    CU_ASSERT_EQUAL_FATAL(rc_sim_sqs_receive(q, T0, 1, 100, old), 1);
    rc_sim_sqs_advance(q, T0 + 100);
    CU_ASSERT_EQUAL_FATAL(rc_sim_sqs_receive(q, T0 + 100, 1, 100, new), 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0 + 100, old[0].handle), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).in_flight, 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0 + 100, new[0].handle), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).in_flight, 0);
    CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0 + 100, new[0].handle), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).stale, 2);
    rc_sim_sqs_free(q);
}

static void
no_handle__is_invalid(void)
{
    static const char *const bad[] = {"",
                                      "AQEB",
                                      "nonsense",
                                      "AQEBffffffff000000000000000100000001",
                                      "AQEB00000000000000000000000900000001",
                                      "AQEB0000000000000000000000010000000g"};
    struct rc_sim_sqs *q = queue_new(1);

    put_body(q, T0, "one");
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0, bad[i]), RC_SIM_SQS_BAD_HANDLE);
    rc_sim_sqs_free(q);
}

static void
visibility__extends_gives_back_and_has_its_limit(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[1];

    put_body(q, T0, "one");
    CU_ASSERT_EQUAL_FATAL(rc_sim_sqs_receive(q, T0, 1, 1000, m), 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_visibility(q, T0 + 500, m[0].handle, 60000), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_next_ms(q), T0 + 60500);
    CU_ASSERT_EQUAL(rc_sim_sqs_visibility(q, T0 + 500, m[0].handle, RC_SIM_SQS_HOLD_MAX_MS),
                    RC_SIM_SQS_TOO_LONG);
    CU_ASSERT_EQUAL(rc_sim_sqs_visibility(q, T0 + 600, m[0].handle, 0), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).visible, 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_visibility(q, T0 + 600, m[0].handle, 1000),
                    RC_SIM_SQS_NOT_IN_FLIGHT);
    rc_sim_sqs_purge(q);
    CU_ASSERT_EQUAL(rc_sim_sqs_visibility(q, T0 + 600, m[0].handle, 1000), RC_SIM_SQS_GONE);
    rc_sim_sqs_free(q);
}

static void
delay__hides_a_new_message(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[1];

    CU_ASSERT_EQUAL(rc_sim_sqs_send(q, T0, "x", 1, 2000, NULL), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).delayed, 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 1, -1, m), 0);
    rc_sim_sqs_advance(q, T0 + 2000);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 2000, 1, -1, m), 1);
    rc_sim_sqs_free(q);
}

static void
limits__in_flight_table_and_size(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[10];
    char *big = calloc(1, RC_SIM_SQS_BODY_MAX + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(big);
    for (int i = 0; i < 32; i++)
        put_body(q, T0, "x");
    CU_ASSERT_EQUAL(rc_sim_sqs_send(q, T0, "x", 1, -1, NULL), RC_SIM_SQS_FULL);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 10, -1, m), 10);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 10, -1, m), 10);
    CU_ASSERT(rc_sim_sqs_full(q));
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 10, -1, m), 0);
    CU_ASSERT_EQUAL(rc_sim_sqs_send(q, T0, big, RC_SIM_SQS_BODY_MAX + 1, -1, NULL),
                    RC_SIM_SQS_TOO_LARGE);
    free(big);
    rc_sim_sqs_free(q);
}

static void
duplicate__is_delivered_and_stays_visible(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[10];

    rc_sim_sqs_config(q)->duplicate_permille = 1000;
    put_body(q, T0, "one");
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 1, -1, m), 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 1, -1, m), 1);
    CU_ASSERT_EQUAL(m[0].receives, 2);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).duplicated, 2);
    rc_sim_sqs_free(q);
}

static void
deleted__may_come_back_once(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[1];

    rc_sim_sqs_config(q)->return_permille = 1000;
    put_body(q, T0, "one");
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0, 1, 100, m), 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0, m[0].handle), RC_SIM_SQS_OK);
    rc_sim_sqs_advance(q, T0 + 30000);
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 30000, 1, 100, m), 1);
    CU_ASSERT_EQUAL(rc_sim_sqs_delete(q, T0 + 30000, m[0].handle), RC_SIM_SQS_OK);
    CU_ASSERT_EQUAL(rc_sim_sqs_next_ms(q), RC_SIM_NEVER);
    rc_sim_sqs_free(q);
}

static void
retention__old_messages_are_gone(void)
{
    struct rc_sim_sqs *q = queue_new(1);
    struct rc_sim_sqs_message m[1];

    put_body(q, T0, "one");
    CU_ASSERT_EQUAL(rc_sim_sqs_receive(q, T0 + 345600001, 1, -1, m), 0);
    CU_ASSERT_EQUAL(rc_sim_sqs_counts(q).expired, 1);
    rc_sim_sqs_free(q);
}

static uint64_t
random_queue(uint64_t seed)
{
    struct rc_sim_sqs *q = queue_new(seed);
    struct rc_sim_sqs_message m[10];
    char kept[RC_SIM_SQS_HANDLE_LEN] = "";
    struct rc_sim_random r;
    int64_t now_ms = T0;
    uint64_t hash;

    rc_sim_sqs_config(q)->duplicate_permille = 100;
    rc_sim_sqs_config(q)->reorder_permille = 200;
    rc_sim_sqs_config(q)->return_permille = 100;
    rc_sim_random_seed(&r, seed, 98);
    for (int i = 0; i < 2000; i++) {
        now_ms += (int64_t)rc_sim_random_below(&r, 3000);
        rc_sim_sqs_advance(q, now_ms);
        if (rc_sim_random_chance(&r, 500))
            (void)rc_sim_sqs_send(q, now_ms, "body", 4, -1, NULL);
        if (rc_sim_random_chance(&r, 500) && rc_sim_sqs_receive(q, now_ms, 3, 5000, m) > 0)
            memcpy(kept, m[0].handle, sizeof(kept));
        if (rc_sim_random_chance(&r, 500))
            (void)rc_sim_sqs_delete(q, now_ms, kept);
    }
    hash = rc_sim_sqs_hash(q);
    rc_sim_sqs_free(q);
    return hash;
}

static void
determinism__same_seed_same_hash(void)
{
    CU_ASSERT_EQUAL(random_queue(5), random_queue(5));
    CU_ASSERT_NOT_EQUAL(random_queue(5), random_queue(6));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a received message is hidden and comes back", received__is_hidden_and_comes_back},
        {"a stale handle succeeds and deletes nothing", stale_handle__succeeds_and_deletes_nothing},
        {"what is no handle is invalid", no_handle__is_invalid},
        {"visibility extends, gives back, and ends at 12 hours",
         visibility__extends_gives_back_and_has_its_limit},
        {"a delay hides a new message", delay__hides_a_new_message},
        {"limits of flight, table and size hold", limits__in_flight_table_and_size},
        {"a duplicate is delivered and stays visible", duplicate__is_delivered_and_stays_visible},
        {"a deleted message may come back once", deleted__may_come_back_once},
        {"messages older than the retention are gone", retention__old_messages_are_gone},
        {"the same seed gives the same hash", determinism__same_seed_same_hash},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("model_sqs", tests);
}
