/* bench_step.c - decisions per second of the core, and what they cost as it grows.
 *
 * usage: bench_step POLICY ROUNDS
 *
 * For each size the state holds that many nodes and instances, one node in a
 * hundred with an open incident that waits for its jobs. A round is a batch of
 * polled facts about random nodes (half of slurmctld, a quarter each of the two
 * EC2 sweeps) stepped one by one; only rc_step() is timed, in CPU time of this
 * thread. Beside it, in the same round, dependent random reads in as much memory
 * as the state takes. One JSON line a size, with the ns of every round. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/load.h"
#include "reconciler/core/state.h"

enum {
    BATCH = 4096,
    BATCHES = 12,
    READS = 400 * 1000,
    ROUNDS_MAX = 999,
    SIZES = 4,
    ONE_INCIDENT_IN = 100
};
static const uint32_t sizes[SIZES] = {100, 1000, 10000, 100000};

struct world {
    uint32_t nodes;
    size_t bytes;
    struct rc_state *s;
    uint32_t *lines; /* a cycle of cache lines in `bytes` bytes */
    uint64_t actions;
    int64_t at_ms;
    double step_ns[ROUNDS_MAX], read_ns[ROUNDS_MAX];
};

static struct rc_cluster cluster;
static struct rc_policy policy;
static struct rc_actions actions;
static struct rc_event batch[BATCH];
static uint64_t random_state = 1;
static volatile uint32_t sink;

static const int64_t WALL_MS = 1795415800000;

_Noreturn static void
die(const char *why)
{
    fprintf(stderr, "bench_step: %s\n", why);
    exit(1);
}

static uint32_t
random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((random_state >> 33) % n);
}

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- a cluster at work ------------------------------------------------------------- */

static bool
is_ill(uint32_t node)
{
    return node % ONE_INCIDENT_IN == 0;
}

static void
set_names(struct rc_event *ev, uint32_t node)
{
    snprintf(ev->instance, sizeof ev->instance, "i-%017x", node);
    snprintf(ev->node, sizeof ev->node, "gpu-%u", node);
}

static void
make_instance_row(struct rc_event *ev, uint32_t node)
{
    struct rc_ev_instance *i = &ev->u.described;

    rc_event_init(ev, RC_EV_INSTANCE);
    set_names(ev, node);
    memcpy(i->node, ev->node, sizeof i->node);
    memset(ev->node, 0, sizeof ev->node);
    snprintf(i->addr, sizeof i->addr, "10.%u.%u.%u", node >> 16, (node >> 8) & 255, node & 255);
    rc_text_set(i->subnet, sizeof i->subnet, "subnet-a");
    rc_text_set(i->az, sizeof i->az, node % 2 ? "us-east-1a" : "us-east-1b");
    rc_text_set(i->type, sizeof i->type, "p4d.24xlarge");
    i->state = RC_INST_RUNNING;
    i->ours = 1;
    i->launched_wall_ms = WALL_MS - 86400000;
}

static void
make_status_row(struct rc_event *ev, uint32_t node)
{
    struct rc_ev_instance_status *st = &ev->u.status;

    rc_event_init(ev, RC_EV_INSTANCE_STATUS);
    set_names(ev, node);
    memset(ev->node, 0, sizeof ev->node);
    st->state = RC_INST_RUNNING;
    st->system = st->instance = st->ebs = RC_CHECK_OK;
    if (is_ill(node)) {
        st->schedule = RC_SCHED_RETIREMENT;
        st->not_before_wall_ms = WALL_MS + 3600000;
    }
}

static void
make_slurm_row(struct rc_event *ev, uint32_t node, const struct rc_state *s)
{
    struct rc_ev_slurm_node *sn = &ev->u.slurm;
    uint32_t slot;

    rc_event_init(ev, RC_EV_SLURM_NODE);
    set_names(ev, node);
    memset(ev->instance, 0, sizeof ev->instance);
    snprintf(sn->addr, sizeof sn->addr, "10.%u.%u.%u", node >> 16, (node >> 8) & 255, node & 255);
    rc_text_set(sn->partition, sizeof sn->partition, "gpu");
    sn->flags = RC_SN_ALLOCATED;
    sn->owner = RC_OWNER_NONE;
    sn->jobs = 1;
    sn->cpus = 96;
    sn->boot_wall_ms = sn->slurmd_start_wall_ms = WALL_MS - 86000000;
    slot = rc_node_find(s, ev->node);
    if (slot && rc_node_at(s, slot)->incident) {
        sn->flags |= RC_SN_DRAIN;
        sn->owner = RC_OWNER_OURS;
        sn->reason_incident = rc_incident_at(s, rc_node_at(s, slot)->incident)->id;
    }
}

static void
step(struct world *w, struct rc_event *ev)
{
    ev->at_ms = w->at_ms;
    ev->wall_ms = WALL_MS + w->at_ms;
    rc_step(w->s, ev, &actions);
    w->actions += actions.count;
}

/* A friendly world: the lease is granted, every other action succeeds. */
static void
answer(struct world *w)
{
    static struct rc_action todo[RC_ACTIONS_MAX];
    uint32_t count = actions.count;

    memcpy(todo, actions.v, count * sizeof *todo);
    for (uint32_t i = 0; i < count; i++) {
        struct rc_event ev;
        rc_event_init(&ev, todo[i].kind == RC_ACT_LEASE ? RC_EV_LEASE : RC_EV_COMPLETION);
        if (todo[i].kind == RC_ACT_LEASE) {
            ev.u.lease.held = 1;
            ev.u.lease.epoch = 1;
            ev.u.lease.until_ms = w->at_ms + cluster.lease_term_ms;
        } else {
            ev.u.completion.action = todo[i].id;
        }
        step(w, &ev);
        if (actions.count) {
            answer(w);
        }
    }
}

/* Time passes and everything that is due is done. */
static void
settle(struct world *w, int64_t ms)
{
    struct rc_event tick;

    w->at_ms += ms;
    for (int i = 0; i < 1000000; i++) {
        rc_event_init(&tick, RC_EV_TICK);
        step(w, &tick);
        if (!actions.count && !actions.full && rc_next_deadline(w->s) > w->at_ms) {
            return;
        }
        answer(w);
    }
    die("the core does not come to rest");
}

static void
tell(struct world *w, uint32_t node, void (*make)(struct rc_event *ev, uint32_t node))
{
    struct rc_event ev;

    make(&ev, node);
    step(w, &ev);
    answer(w);
}

static void
tell_slurm(struct world *w, uint32_t node)
{
    struct rc_event ev;

    make_slurm_row(&ev, node, w->s);
    step(w, &ev);
    answer(w);
}

static void
sweep(struct world *w, enum rc_sweep which)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SWEEP);
    ev.u.sweep.which = (uint32_t)which;
    ev.u.sweep.complete = 1;
    ev.u.sweep.seen = w->nodes;
    step(w, &ev);
    answer(w);
}

static void
world_begin(struct world *w, uint32_t nodes)
{
    const struct rc_capacity_limits limits = {
        .nodes = nodes + 16, .incidents = nodes / 10 + 64, .messages = 4096};
    struct rc_event ev;

    w->nodes = nodes;
    w->bytes = rc_state_size(&limits);
    w->at_ms = 1000;
    void *mem = aligned_alloc(64, (w->bytes + 63) & ~(size_t)63);
    if (!mem) {
        die("out of memory");
    }
    memset(mem, 0, w->bytes);
    w->s = rc_state_init(mem, &limits);
    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    step(w, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &cluster;
    step(w, &ev);
    answer(w);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &policy;
    step(w, &ev);
    answer(w);
    settle(w, 1000);
    for (uint32_t i = 0; i < nodes; i++) {
        tell(w, i, make_instance_row);
        tell_slurm(w, i);
    }
    sweep(w, RC_SWEEP_INSTANCES);
    sweep(w, RC_SWEEP_SLURM);
    for (uint32_t i = 0; i < nodes; i++) {
        tell(w, i, make_status_row);
    }
    sweep(w, RC_SWEEP_STATUS);
    settle(w, 1000);
    for (uint32_t i = 0; i < nodes; i += ONE_INCIDENT_IN) {
        tell_slurm(w, i);
    }
    settle(w, 1000);
    if (w->s->open_incidents != (nodes + ONE_INCIDENT_IN - 1) / ONE_INCIDENT_IN) {
        die("the incidents did not open as the bench needs them");
    }
}

/* --- the two things that are timed ---------------------------------------------------- */

static void
make_batch(struct world *w)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        uint32_t node = random_below(w->nodes);
        switch (random_below(4)) {
        case 0:
            make_status_row(&batch[i], node);
            break;
        case 1:
            make_instance_row(&batch[i], node);
            break;
        default:
            make_slurm_row(&batch[i], node, w->s);
            break;
        }
    }
}

static double
time_steps(struct world *w)
{
    double spent = 0;

    for (int b = 0; b < BATCHES; b++) {
        make_batch(w);
        w->at_ms += 10;
        double begin = cpu_ns();
        for (uint32_t i = 0; i < BATCH; i++) {
            step(w, &batch[i]);
        }
        spent += cpu_ns() - begin;
        settle(w, 0);
    }
    return spent / ((double)BATCHES * BATCH);
}

enum { WORDS_A_LINE = 64 / sizeof(uint32_t) };

static void
make_cycle(struct world *w)
{
    uint32_t count = (uint32_t)(w->bytes / 64);

    w->lines = calloc(count, 64);
    if (!w->lines) {
        die("out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        w->lines[(size_t)i * WORDS_A_LINE] = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) { /* one cycle through all (Sattolo) */
        uint32_t *a = &w->lines[(size_t)i * WORDS_A_LINE];
        uint32_t *b = &w->lines[(size_t)random_below(i) * WORDS_A_LINE];
        uint32_t t = *a;
        *a = *b;
        *b = t;
    }
}

static double
time_reads(const struct world *w)
{
    double begin = cpu_ns();
    uint32_t at = 0;

    for (int i = 0; i < READS; i++) {
        at = w->lines[(size_t)at * WORDS_A_LINE];
    }
    sink = at;
    return (cpu_ns() - begin) / READS;
}

static void
print_list(const char *name, const double *v, int n)
{
    printf("\"%s\":[", name);
    for (int i = 0; i < n; i++) {
        printf("%s%.2f", i ? "," : "", v[i]);
    }
    printf("]");
}

static void
set_up(const char *policy_path)
{
    static struct rc_load_errors errors;
    struct rc_group *g = &cluster.group[0];

    if (rc_policy_load_file(policy_path, &policy, &errors)) {
        die("the policy cannot be loaded");
    }
    /* The bench holds one node in a hundred out, whatever the policy's caution. */
    policy.limits.breaker_off = 1;
    policy.limits.in_flight_max = UINT32_MAX;
    for (int i = 0; i < RC_SCOPE__MAX; i++) {
        policy.limits.out[i] = (struct rc_limit){.permille = 500};
    }
    rc_text_set(cluster.name, sizeof cluster.name, "bench");
    cluster.group_count = 1;
    cluster.lease_term_ms = (int64_t)1 << 40;
    cluster.lease_margin_ms = 2000;
    cluster.poll_instances_ms = 30000;
    cluster.poll_slurm_ms = 10000;
    rc_text_set(g->name, sizeof g->name, "gpu");
    rc_text_set(g->nodes, sizeof g->nodes, "gpu-[0-99999]");
    rc_text_set(g->template_id, sizeof g->template_id, "lt-1");
    g->template_version = 1;
    g->option_count = 1;
    rc_text_set(g->option[0].subnet, RC_ID_LEN, "subnet-a");
}

int
main(int argc, char **argv)
{
    static struct world worlds[SIZES];
    int rounds = argc == 3 ? atoi(argv[2]) : 0;

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_step POLICY ROUNDS\n");
        return 2;
    }
    set_up(argv[1]);
    for (int i = 0; i < SIZES; i++) {
        world_begin(&worlds[i], sizes[i]);
        make_cycle(&worlds[i]);
        time_steps(&worlds[i]); /* warm */
        worlds[i].actions = 0;
    }
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < SIZES; i++) {
            worlds[i].step_ns[r] = time_steps(&worlds[i]);
            worlds[i].read_ns[r] = time_reads(&worlds[i]);
        }
    }
    for (int i = 0; i < SIZES; i++) {
        struct world *w = &worlds[i];
        printf("{\"nodes\":%u,\"bytes\":%zu,\"incidents\":%u,\"actions\":%llu,", w->nodes, w->bytes,
               w->s->open_incidents, (unsigned long long)w->actions);
        print_list("step_ns", w->step_ns, rounds);
        printf(",");
        print_list("read_ns", w->read_ns, rounds);
        printf("}\n");
        free(w->lines);
        free(w->s);
    }
    return 0;
}
