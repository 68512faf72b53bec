/* Nodes for a queue that stands outside of the model of slurmctld. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "simulator/model/model_slurm.h"
#include "simulator/model/sim_heap.h"

enum { NODES = 70 }; /* more than one word of the bit set */

static struct rc_sim_slurm *
make_nodes_up(void)
{
    const struct rc_sim_slurm_config config = {.seed = 1,
                                               .nodes_max = NODES,
                                               .hosts_max = 2 * NODES,
                                               .jobs_max = 1,
                                               .register_ms = 1000,
                                               .ping_ms = 10000,
                                               .slurmd_timeout_ms = 30000,
                                               .return_to_service = 1};
    struct rc_sim_node_row rows[NODES];
    struct rc_sim_slurm *m = rc_sim_slurm_new(&config);
    uint32_t at;

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    CU_ASSERT_FATAL(rc_sim_slurm_follow(m));
    memset(rows, 0, sizeof rows);
    for (uint32_t i = 0; i < NODES; i++) {
        snprintf(rows[i].name, sizeof rows[i].name, "n%u", i + 1);
        snprintf(rows[i].addr, sizeof rows[i].addr, "10.0.0.%u", i + 1);
        rc_sim_slurm_host(m, 0, rows[i].addr, true, 1);
    }
    CU_ASSERT_FATAL(rc_sim_slurm_configure(m, 0, rows, NODES));
    rc_sim_slurm_settle(m, 1000);
    while (rc_sim_slurm_next_changed(m, &at)) {
    }
    return m;
}

static uint32_t
ready_nodes(const struct rc_sim_slurm *m)
{
    uint32_t count, bits = 0;
    const uint64_t *set = rc_sim_slurm_ready(m, &count);

    for (uint32_t i = 0; i < (NODES + 63) / 64; i++) {
        bits += (uint32_t)__builtin_popcountll(set[i]);
    }
    CU_ASSERT_EQUAL(bits, count);
    return count;
}

static void
outside__a_node_is_taken_cleaned_and_given_back(void)
{
    struct rc_sim_slurm *m = make_nodes_up();
    uint32_t at;

    CU_ASSERT_EQUAL(ready_nodes(m), NODES);
    rc_sim_slurm_take(m, 2000, 66, 7);
    CU_ASSERT_EQUAL(rc_sim_slurm_holder(m, 66), 7);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(m, 66)->flags, RC_SN_ALLOCATED);
    CU_ASSERT_EQUAL(ready_nodes(m), NODES - 1);
    CU_ASSERT(rc_sim_slurm_next_changed(m, &at) && at == 66);
    CU_ASSERT(!rc_sim_slurm_next_changed(m, &at));
    rc_sim_slurm_clean(m, 3000, 66);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(m, 66)->flags, RC_SN_COMPLETING);
    CU_ASSERT_EQUAL(ready_nodes(m), NODES - 1);
    rc_sim_slurm_give(m, 4000, 66);
    CU_ASSERT_EQUAL(rc_sim_slurm_holder(m, 66), RC_SIM_NO_NODE);
    CU_ASSERT_EQUAL(ready_nodes(m), NODES);
    rc_sim_slurm_free(m);
}

static void
outside__a_held_node_that_goes_down_is_told_once(void)
{
    struct rc_sim_slurm *m = make_nodes_up();
    uint32_t at;

    rc_sim_slurm_take(m, 2000, 3, 1);
    rc_sim_slurm_host(m, 5000, "10.0.0.4", false, 0);
    rc_sim_slurm_host(m, 5000, "10.0.0.6", false, 0);
    rc_sim_slurm_advance(m, 20000);
    CU_ASSERT(!rc_sim_slurm_next_lost(m, &at)); /* silent is not down */
    CU_ASSERT(rc_sim_slurm_node(m, 3)->flags & RC_SN_NOT_RESPONDING);
    rc_sim_slurm_advance(m, 40000);
    CU_ASSERT(rc_sim_slurm_next_lost(m, &at) && at == 3); /* the other one had no job */
    CU_ASSERT(!rc_sim_slurm_next_lost(m, &at));
    CU_ASSERT(rc_sim_slurm_node(m, 5)->flags & RC_SN_DOWN);
    rc_sim_slurm_free(m);
}

static void
outside__a_node_that_moves_waits_for_its_new_host(void)
{
    struct rc_sim_slurm *m = make_nodes_up();

    rc_sim_slurm_host(m, 2000, "10.0.1.9", true, 2000);
    rc_sim_slurm_move(m, 3000, 0, "10.0.1.9");
    CU_ASSERT_STRING_EQUAL(rc_sim_slurm_node(m, 0)->addr, "10.0.1.9");
    rc_sim_slurm_advance(m, 3900);
    CU_ASSERT(rc_sim_slurm_node(m, 0)->gone_ms != RC_SIM_NEVER);
    rc_sim_slurm_advance(m, 4000);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(m, 0)->gone_ms, RC_SIM_NEVER);
    CU_ASSERT_EQUAL(rc_sim_slurm_node(m, 0)->slurmd_start_ms, 4000);
    rc_sim_slurm_move(m, 5000, 0, "10.0.1.10"); /* nobody is there */
    rc_sim_slurm_advance(m, 40000);
    CU_ASSERT(rc_sim_slurm_node(m, 0)->flags & RC_SN_DOWN);
    rc_sim_slurm_free(m);
}

static CU_TestInfo tests[] = {
    {"a node is taken, cleaned and given back", outside__a_node_is_taken_cleaned_and_given_back},
    {"a held node that goes down is told once", outside__a_held_node_that_goes_down_is_told_once},
    {"a node that moves waits for its new host", outside__a_node_that_moves_waits_for_its_new_host},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("slurm outside", tests);
}
