/* slurmctld as a model: registration by address, silence, drain, jobs. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "simulator/model/model_slurm.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"

#define T0   1700000000000
#define OURS "rc:7 terminated"

static struct rc_sim_node_row rows[4];

/* gpu-1 … gpu-4 at 10.0.0.1 … 4, all registered at T0 + 500. */
static struct rc_sim_slurm *
slurm_new(uint64_t seed)
{
    struct rc_sim_slurm_config config = {.seed = seed,
                                         .nodes_max = 8,
                                         .hosts_max = 16,
                                         .jobs_max = 16,
                                         .register_ms = 500,
                                         .ping_ms = 5000,
                                         .slurmd_timeout_ms = 20000,
                                         .completing_ms = 200,
                                         .requeue_ms = 1000,
                                         .return_to_service = 1};
    struct rc_sim_slurm *m = rc_sim_slurm_new(&config);

    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    for (int i = 0; i < 4; i++) {
        rows[i] = (struct rc_sim_node_row){.partition = "gpu", .cpus = 96};
        (void)snprintf(rows[i].name, sizeof(rows[i].name), "gpu-%d", i + 1);
        (void)snprintf(rows[i].addr, sizeof(rows[i].addr), "10.0.0.%d", i + 1);
        rc_sim_slurm_host(m, T0 - 1000, rows[i].addr, true, T0 - 60000);
    }
    CU_ASSERT_FATAL(rc_sim_slurm_configure(m, T0, rows, 4));
    rc_sim_slurm_advance(m, T0 + 500);
    return m;
}

static const struct rc_sim_node *
node_of(const struct rc_sim_slurm *m, const char *name)
{
    const struct rc_sim_node *n = rc_sim_slurm_node(m, rc_sim_slurm_find(m, name));

    CU_ASSERT_PTR_NOT_NULL_FATAL(n);
    return n;
}

static uint32_t
submit(struct rc_sim_slurm *m, int64_t now_ms, uint32_t nodes, const char *where)
{
    struct rc_sim_job_order o = {.nodes = nodes, .run_ms = 60000, .requeue = true, .batch = true};
    uint32_t id;

    (void)rc_text_set(o.node, sizeof(o.node), where);
    id = rc_sim_slurm_submit(m, now_ms, &o);
    CU_ASSERT_NOT_EQUAL_FATAL(id, 0);
    return id;
}

static void
registration__needs_the_host_at_the_configured_address(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->slurmd_start_ms, T0 + 500);
    (void)rc_text_set(rows[0].addr, sizeof(rows[0].addr), "10.0.0.9");
    CU_ASSERT(rc_sim_slurm_configure(m, T0 + 1000, rows, 4));
    rc_sim_slurm_advance(m, T0 + 7000);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->flags, RC_SN_NOT_RESPONDING);
    rc_sim_slurm_host(m, T0 + 8000, "10.0.0.9", true, T0 + 8000);
    rc_sim_slurm_advance(m, T0 + 8500);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->slurmd_start_ms, T0 + 8500);
    rc_sim_slurm_free(m);
}

static void
silence__not_responding_then_down_and_jobs_requeued(void)
{
    struct rc_sim_slurm *m = slurm_new(1);
    uint32_t id = submit(m, T0 + 600, 1, "gpu-2");

    rc_sim_slurm_host(m, T0 + 1000, "10.0.0.2", false, 0);
    rc_sim_slurm_advance(m, T0 + 5999);
    CU_ASSERT_EQUAL(node_of(m, "gpu-2")->flags, RC_SN_ALLOCATED);
    rc_sim_slurm_advance(m, T0 + 6000);
    CU_ASSERT_EQUAL(node_of(m, "gpu-2")->flags, RC_SN_ALLOCATED | RC_SN_NOT_RESPONDING);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_RUNNING);
    rc_sim_slurm_advance(m, T0 + 21000);
    CU_ASSERT_EQUAL(node_of(m, "gpu-2")->flags,
                    RC_SN_DOWN | RC_SN_NOT_RESPONDING | RC_SN_COMPLETING);
    CU_ASSERT_STRING_EQUAL(node_of(m, "gpu-2")->reason, "Not responding");
    rc_sim_slurm_advance(m, T0 + 21200);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_PENDING);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->restarts, 1);
    rc_sim_slurm_free(m);
}

static void
silence__over__returns_to_service(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    rc_sim_slurm_host(m, T0 + 1000, "10.0.0.2", false, 0);
    rc_sim_slurm_advance(m, T0 + 30000);
    rc_sim_slurm_host(m, T0 + 30000, "10.0.0.2", true, T0 - 60000);
    rc_sim_slurm_advance(m, T0 + 30500);
    CU_ASSERT_EQUAL(node_of(m, "gpu-2")->flags, 0);
    CU_ASSERT_STRING_EQUAL(node_of(m, "gpu-2")->reason, "");
    rc_sim_slurm_free(m);
}

static void
reboot__unexpected__down_with_slurms_reason(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    rc_sim_slurm_host(m, T0 + 1000, "10.0.0.2", false, 0);
    rc_sim_slurm_host(m, T0 + 3000, "10.0.0.2", true, T0 + 3000);
    rc_sim_slurm_advance(m, T0 + 3500);
    CU_ASSERT_EQUAL(node_of(m, "gpu-2")->flags, RC_SN_DOWN);
    CU_ASSERT_STRING_EQUAL(node_of(m, "gpu-2")->reason, "Node unexpectedly rebooted");
    rc_sim_slurm_free(m);
}

/* A replacement takes the name of a drained node: DOWN joins the drain, our reason stays,
 * one resume clears both. */
static void
replacement__of_a_drained_node__is_resumed_with_our_reason(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 1000, "gpu-1", RC_SN_DRAIN, OURS), RC_SIM_DONE);
    rc_sim_slurm_host(m, T0 + 1000, "10.0.0.1", false, 0);
    (void)rc_text_set(rows[0].addr, sizeof(rows[0].addr), "10.0.0.9");
    rc_sim_slurm_host(m, T0 + 4000, "10.0.0.9", true, T0 + 4000);
    CU_ASSERT(rc_sim_slurm_configure(m, T0 + 5000, rows, 4));
    rc_sim_slurm_advance(m, T0 + 5500);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->flags, RC_SN_DOWN | RC_SN_DRAIN);
    CU_ASSERT_STRING_EQUAL(node_of(m, "gpu-1")->reason, OURS);
    CU_ASSERT_EQUAL(rc_sim_slurm_unmark(m, T0 + 6000, "gpu-1"), RC_SIM_DONE);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->flags, 0);
    rc_sim_slurm_free(m);
}

static void
foreign_reason__is_never_overwritten_nor_undone(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    CU_ASSERT_EQUAL(rc_sim_slurm_update(m, T0 + 1000, "gpu-1", RC_SN_DRAIN, "bob looks", 1000),
                    RC_SIM_DONE);
    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 1000, "gpu-1", RC_SN_DRAIN, OURS), RC_SIM_FOREIGN);
    CU_ASSERT_STRING_EQUAL(node_of(m, "gpu-1")->reason, "bob looks");
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->reason_uid, 1000);
    CU_ASSERT_EQUAL(rc_sim_slurm_unmark(m, T0 + 1000, "gpu-1"), RC_SIM_FOREIGN);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->flags, RC_SN_DRAIN);
    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 1000, "nobody", RC_SN_DRAIN, OURS), RC_SIM_MISSING);
    rc_sim_slurm_free(m);
}

static void
resume__of_a_node_in_service__is_refused(void)
{
    struct rc_sim_slurm *m = slurm_new(1);

    CU_ASSERT_EQUAL(rc_sim_slurm_resume(m, T0 + 1000, "gpu-1"), RC_SIM_NOT_DRAINED);
    CU_ASSERT_EQUAL(rc_sim_slurm_unmark(m, T0 + 1000, "gpu-1"), RC_SIM_NOT_DRAINED);
    rc_sim_slurm_free(m);
}

static void
reasons__ours_are_told_apart(void)
{
    CU_ASSERT(rc_sim_reason_ours("rc:12 terminated"));
    CU_ASSERT(rc_sim_reason_ours("rc:12+3 terminated"));
    CU_ASSERT_FALSE(rc_sim_reason_ours("rc:12"));
    CU_ASSERT_FALSE(rc_sim_reason_ours("rc: x"));
    CU_ASSERT_FALSE(rc_sim_reason_ours("rc:1+ x"));
    CU_ASSERT_FALSE(rc_sim_reason_ours("Rc:1 x"));
    CU_ASSERT_FALSE(rc_sim_reason_ours(""));
}

static void
drained__keeps_its_job_and_gets_no_other(void)
{
    struct rc_sim_slurm *m = slurm_new(1);
    uint32_t first = submit(m, T0 + 600, 1, "gpu-3");
    uint32_t second;

    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 700, "gpu-3", RC_SN_DRAIN, OURS), RC_SIM_DONE);
    second = submit(m, T0 + 800, 1, "gpu-3");
    rc_sim_slurm_advance(m, T0 + 60600 + 200);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, first)->state, RC_SIM_JOB_COMPLETED);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, second)->state, RC_SIM_JOB_PENDING);
    CU_ASSERT_EQUAL(rc_sim_slurm_unmark(m, T0 + 61000, "gpu-3"), RC_SIM_DONE);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, second)->state, RC_SIM_JOB_RUNNING);
    rc_sim_slurm_free(m);
}

static void
gang__waits_for_all_its_nodes_and_falls_with_one(void)
{
    struct rc_sim_slurm *m = slurm_new(1);
    uint32_t small = submit(m, T0 + 600, 1, "");
    uint32_t gang = submit(m, T0 + 600, 4, "");
    uint32_t passes = submit(m, T0 + 600, 1, "");

    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, small)->state, RC_SIM_JOB_RUNNING);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, gang)->state, RC_SIM_JOB_PENDING);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, passes)->state, RC_SIM_JOB_RUNNING);
    rc_sim_slurm_advance(m, T0 + 60600 + 200);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, gang)->state, RC_SIM_JOB_RUNNING);
    CU_ASSERT_STRING_EQUAL(rc_sim_slurm_job(m, gang)->last_node, "gpu-1");
    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 70000, "gpu-4", RC_SN_DOWN, OURS), RC_SIM_DONE);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, gang)->state, RC_SIM_JOB_COMPLETING);
    CU_ASSERT_EQUAL(node_of(m, "gpu-1")->flags, RC_SN_COMPLETING);
    rc_sim_slurm_advance(m, T0 + 70200);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, gang)->state, RC_SIM_JOB_PENDING);
    rc_sim_slurm_free(m);
}

static void
signal__saves_work_that_is_not_done_again(void)
{
    struct rc_sim_slurm *m = slurm_new(1);
    uint32_t id = submit(m, T0 + 1000, 1, "");

    CU_ASSERT_EQUAL(rc_sim_slurm_signal(m, T0 + 41000, id, 10), RC_SIM_DONE);
    CU_ASSERT_EQUAL(rc_sim_slurm_requeue(m, T0 + 42000, id), RC_SIM_DONE);
    rc_sim_slurm_advance(m, T0 + 43200);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_RUNNING);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->due_ms - rc_sim_slurm_job(m, id)->start_ms, 20000);
    CU_ASSERT_EQUAL(rc_sim_slurm_signal(m, T0 + 43300, id, 65), RC_SIM_REFUSED);
    CU_ASSERT_EQUAL(rc_sim_slurm_signal(m, T0 + 43300, id, 9), RC_SIM_DONE);
    rc_sim_slurm_advance(m, T0 + 43500);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_CANCELLED);
    CU_ASSERT_EQUAL(rc_sim_slurm_signal(m, T0 + 43500, id, 9), RC_SIM_MISSING);
    rc_sim_slurm_free(m);
}

static void
requeue__of_a_job_that_forbids_it__is_refused(void)
{
    struct rc_sim_job_order o = {.nodes = 1, .run_ms = 60000, .requeue = false, .batch = true};
    struct rc_sim_slurm *m = slurm_new(1);
    uint32_t id = rc_sim_slurm_submit(m, T0 + 1000, &o);

    CU_ASSERT_EQUAL(rc_sim_slurm_requeue(m, T0 + 1000, id), RC_SIM_NOT_REQUEUEABLE);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_RUNNING);
    CU_ASSERT_EQUAL(rc_sim_slurm_mark(m, T0 + 2000, "gpu-1", RC_SN_DOWN, OURS), RC_SIM_DONE);
    rc_sim_slurm_advance(m, T0 + 3000);
    CU_ASSERT_EQUAL(rc_sim_slurm_job(m, id)->state, RC_SIM_JOB_NODE_FAIL);
    rc_sim_slurm_free(m);
}

static void
configure__takes_nodes_in_and_out(void)
{
    struct rc_sim_slurm *m = slurm_new(1);
    struct rc_sim_node_row many[9] = {{.name = "x"}};

    CU_ASSERT(rc_sim_slurm_configure(m, T0 + 1000, rows, 3));
    CU_ASSERT_EQUAL(rc_sim_slurm_find(m, "gpu-4"), RC_SIM_NO_NODE);
    CU_ASSERT_FALSE(rc_sim_slurm_configure(m, T0 + 1000, many, 9));
    CU_ASSERT(rc_sim_slurm_configure(m, T0 + 2000, rows, 4));
    rc_sim_slurm_advance(m, T0 + 2500);
    CU_ASSERT_EQUAL(node_of(m, "gpu-4")->flags, 0);
    rc_sim_slurm_free(m);
}

static uint64_t
random_cluster(uint64_t seed)
{
    struct rc_sim_slurm *m = slurm_new(seed);
    struct rc_sim_random r;
    int64_t now_ms = T0 + 1000;
    uint64_t hash;

    rc_sim_random_seed(&r, seed, 97);
    for (int i = 0; i < 3000; i++) {
        struct rc_sim_node_row *row = &rows[rc_sim_random_below(&r, 4)];
        struct rc_sim_job_order o = {.run_ms = 30000, .requeue = true, .batch = true};

        now_ms += (int64_t)rc_sim_random_below(&r, 4000);
        rc_sim_slurm_advance(m, now_ms);
        o.nodes = 1 + (uint32_t)rc_sim_random_below(&r, 4);
        if (rc_sim_random_chance(&r, 300))
            (void)rc_sim_slurm_submit(m, now_ms, &o);
        if (rc_sim_random_chance(&r, 100))
            rc_sim_slurm_host(m, now_ms, row->addr, rc_sim_random_chance(&r, 700), now_ms);
        if (rc_sim_random_chance(&r, 100))
            (void)rc_sim_slurm_mark(m, now_ms, row->name, RC_SN_DRAIN, OURS);
        if (rc_sim_random_chance(&r, 200))
            (void)rc_sim_slurm_resume(m, now_ms, row->name);
        if (rc_sim_random_chance(&r, 50))
            (void)rc_sim_slurm_requeue(m, now_ms, 1 + (uint32_t)rc_sim_random_below(&r, 900));
    }
    hash = rc_sim_slurm_hash(m);
    rc_sim_slurm_free(m);
    return hash;
}

static void
determinism__same_seed_same_hash(void)
{
    CU_ASSERT_EQUAL(random_cluster(5), random_cluster(5));
    CU_ASSERT_NOT_EQUAL(random_cluster(5), random_cluster(6));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a node registers only when the host at its address is up",
         registration__needs_the_host_at_the_configured_address},
        {"a silent node is marked, then DOWN, and its job requeued",
         silence__not_responding_then_down_and_jobs_requeued},
        {"a node that answers again returns to service", silence__over__returns_to_service},
        {"an unexpected reboot sets the node DOWN", reboot__unexpected__down_with_slurms_reason},
        {"a replacement of a drained node is resumed with our reason",
         replacement__of_a_drained_node__is_resumed_with_our_reason},
        {"a foreign reason is neither overwritten nor undone",
         foreign_reason__is_never_overwritten_nor_undone},
        {"resume of a node in service is refused", resume__of_a_node_in_service__is_refused},
        {"our reasons are told apart", reasons__ours_are_told_apart},
        {"a drained node keeps its job and gets no other",
         drained__keeps_its_job_and_gets_no_other},
        {"a gang waits for all its nodes and falls with one",
         gang__waits_for_all_its_nodes_and_falls_with_one},
        {"work saved by a signal is not done again", signal__saves_work_that_is_not_done_again},
        {"a job that forbids requeue is not requeued",
         requeue__of_a_job_that_forbids_it__is_refused},
        {"a reconfigure takes nodes in and out", configure__takes_nodes_in_and_out},
        {"the same seed gives the same hash", determinism__same_seed_same_hash},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("model_slurm", tests);
}
