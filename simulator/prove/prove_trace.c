/* prove_trace.c - a recorded fault trace (InfiniteHBD: 400 nodes, 348 days): as it was,
 * under our policies, and the models fitted to it. Nothing of it is kept in this project:
 * it is read from RC_TRACES, and every figure is computed anew.
 *
 * As recorded: starts and ends are played in order of time; a node serves while no fault of
 * it is open. The same from the union of the faults of each node, another way.
 *
 * Under our policies: the same faults strike the same nodes at the same moments of
 * `simulate run`'s cluster; what the seed draws anew is what the trace does not say (which
 * repair cures, how long AWS takes, jobs, false alarms). The intervals say how sure it is
 * given these faults; the last row draws the faults anew too. The default policy must leave
 * more nodes in service than the owners of the trace had; others are shown beside it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/load.h"
#include "simulator/faults/fault_trace.h"
#include "simulator/fleet/fleet.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"
#include "simulator/prove/prove.h"
#include "simulator/prove/prove_fit.h"
#include "simulator/report/paired.h"
#include "simulator/report/shipped_policy.h"
#include "simulator/task_jobs.h"

/* The fleet and the time that were recorded, as its authors say; the file tells neither. */
enum { NODES = 400, DAYS = 348, SEEDS = 8, POLICIES = 3, JOBS_PER_DAY = 60 };

/* The same faults under each policy, and then drawn anew under the first. */
enum { SERIES = POLICIES + 1, DRAWN = POLICIES };

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* ---- as recorded ---- */

/* Node-milliseconds in service: a heap of ends, a count of open faults by node. */
static double
played_availability(const struct rc_fault_schedule *s, int64_t span_ms)
{
    struct rc_sim_heap ends;
    uint32_t open[NODES] = {0}, whole = NODES, next = 0;
    int64_t now_ms = 0;
    double serving = 0;

    if (!rc_sim_heap_init(&ends, s->count)) {
        return -1;
    }
    while (now_ms < span_ms) {
        int64_t start_ms = next < s->count ? s->row[next].at_ms : RC_SIM_NEVER;
        int64_t end_ms = rc_sim_heap_next_ms(&ends);
        int64_t at_ms = start_ms < end_ms ? start_ms : end_ms;
        at_ms = at_ms < span_ms ? at_ms : span_ms;
        serving += (double)(at_ms - now_ms) * whole;
        now_ms = at_ms;
        if (at_ms == span_ms) {
            break;
        }
        if (end_ms == at_ms) {
            uint32_t row = rc_sim_heap_first(&ends);
            rc_sim_heap_set(&ends, row, RC_SIM_NEVER);
            whole += --open[s->row[row].node] == 0;
        } else {
            whole -= open[s->row[next].node]++ == 0;
            rc_sim_heap_set(&ends, next, s->row[next].at_ms + s->row[next].last_ms);
            next++;
        }
    }
    rc_sim_heap_done(&ends);
    return serving / ((double)span_ms * NODES);
}

/* The union of each node's faults, which stand in order of their starts. */
static double
united_availability(const struct rc_fault_schedule *s, int64_t span_ms)
{
    int64_t until_ms[NODES] = {0};
    double lost = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct rc_fault_row *f = &s->row[i];
        int64_t from = f->at_ms > until_ms[f->node] ? f->at_ms : until_ms[f->node];
        int64_t to = f->at_ms + f->last_ms < span_ms ? f->at_ms + f->last_ms : span_ms;
        if (to > from) {
            lost += (double)(to - from);
            until_ms[f->node] = to;
        }
    }
    return 1 - lost / ((double)span_ms * NODES);
}

static bool
prove_recorded(const struct rc_fault_trace *t)
{
    int64_t span_ms = DAYS * day_ms;
    double played = played_availability(&t->schedule, span_ms);
    double united = united_availability(&t->schedule, span_ms);
    double off = played > united ? played - united : united - played;
    long thousandths = (long)(played * 1000 + 0.5);

    printf("  %u faults on %u of %d nodes, %.3f per 1,000 node-days over %d days\n",
           t->schedule.count, t->faulty, NODES, 1000.0 * t->schedule.count / NODES / DAYS, DAYS);
    return rc_prove_say(off < 1e-9 && thousandths == 977,
                        "availability as recorded: %.4f played, %.4f from the union of the faults; "
                        "0.977 is published",
                        played, united);
}

/* ---- under our policies ---- */

struct record {
    double availability, replacements, quarantines, killed_by_us;
    char text[120];
};

struct policies {
    const struct rc_fault_trace *trace;
    const char *path; /* for drawing it again */
    struct rc_policy policy[POLICIES];
    struct record result[SERIES][SEEDS];
    char text[160];
};

static void
play_one(void *arg, uint64_t task, void *record)
{
    const struct policies *p = arg;
    struct record *ret = record;
    uint32_t seed = (uint32_t)(task % SEEDS), series = (uint32_t)(task / SEEDS);
    bool is_drawn = series == DRAWN;
    struct rc_fault_schedule same = p->trace->schedule;
    struct rc_fleet_config c;
    struct rc_fleet_result r;
    struct rc_error e = {0};
    size_t bytes = same.count * sizeof *same.row;

    rc_fleet_config_init(&c);
    c.seed = 1 + seed;
    c.nodes = NODES;
    c.days = DAYS + 1; /* the last record ends in day 349 */
    c.policy = &p->policy[is_drawn ? 0 : series];
    c.jobs_per_day = JOBS_PER_DAY; /* enough to be in the way of repairs */
    same.row = malloc(bytes);
    if (!same.row) {
        snprintf(ret->text, sizeof ret->text, "no memory");
        return;
    }
    memcpy(same.row, p->trace->schedule.row, bytes);
    for (uint32_t i = 0; i < same.count; i++) { /* which repair cures is not recorded */
        struct rc_sim_random luck;
        rc_sim_random_seed(&luck, c.seed, 400 + i);
        same.row[i].luck = rc_sim_random_next(&luck);
    }
    if (is_drawn) {
        c.faults.is_trace = true;
        c.faults.trace_nodes = NODES;
        c.faults.rate = 0;
        snprintf(c.faults.trace_path, sizeof c.faults.trace_path, "%s", p->path);
    } else {
        c.schedule = &same;
    }
    if (rc_fleet_run(&c, &r, &e) != RC_OK) {
        snprintf(ret->text, sizeof ret->text, "%.110s", e.text);
    } else {
        ret->availability = 1 - (double)r.out_ms / (double)r.node_ms;
        ret->replacements = (double)r.replacements;
        ret->quarantines = (double)r.quarantines;
        ret->killed_by_us = (double)r.killed_by_us;
    }
    free(same.row);
}

static void
take_one(void *arg, uint64_t task, const void *record)
{
    struct policies *p = arg;
    const struct record *r = record;

    p->result[task / SEEDS][task % SEEDS] = *r;
    if (*r->text) {
        snprintf(p->text, sizeof p->text, "%s", r->text);
    }
}

static void
column(const struct record *r, size_t offset, double *v)
{
    for (uint32_t i = 0; i < SEEDS; i++) {
        memcpy(&v[i], (const char *)&r[i] + offset, sizeof v[i]);
    }
}

static bool
show_series(const struct policies *p, uint32_t series, double recorded)
{
    const struct record *r = p->result[series];
    double v[SEEDS], base[SEEDS], mean, half, replaced, quarantined, killed, ignored;
    struct rc_paired pair;

    column(r, offsetof(struct record, replacements), v);
    rc_mean_95(v, SEEDS, &replaced, &ignored);
    column(r, offsetof(struct record, quarantines), v);
    rc_mean_95(v, SEEDS, &quarantined, &ignored);
    column(r, offsetof(struct record, killed_by_us), v);
    rc_mean_95(v, SEEDS, &killed, &ignored);
    column(r, offsetof(struct record, availability), v);
    rc_mean_95(v, SEEDS, &mean, &half);
    bool is_default = series == 0 || series == DRAWN; /* the others are shown beside it */
    bool good = rc_prove_say(
        mean - half > recorded || !is_default,
        "%-7s %-15s %.5f +- %.5f (recorded %.4f), %.0f replacements, %.0f quarantines, %.0f jobs "
        "ended by us",
        p->policy[series == DRAWN ? 0 : series].name,
        series == DRAWN ? "drawn again" : "same faults", mean, half, recorded, replaced,
        quarantined, killed);
    if (series && series != DRAWN) {
        column(p->result[0], offsetof(struct record, availability), base);
        rc_paired_compare(base, v, SEEDS, &pair);
        printf("          against %s: %+.5f +- %.5f, p %.3f\n", p->policy[0].name, pair.mean,
               pair.half, pair.p);
    }
    return good;
}

static bool
load_policies(struct policies *p)
{
    static struct rc_load_errors errs;
    const struct {
        const char *name, *text;
        size_t len;
    } shipped[] = {
        {"p4d.json", rc_shipped_policy, rc_shipped_policy_len},
        {"careful.json", rc_shipped_careful, rc_shipped_careful_len},
        {"fast.json", rc_shipped_fast, rc_shipped_fast_len},
    };

    for (uint32_t i = 0; i < POLICIES; i++) {
        if (rc_policy_load(shipped[i].name, shipped[i].text, shipped[i].len, &p->policy[i],
                           &errs) != RC_OK) {
            fprintf(stderr, "simulate prove: %s\n", errs.line[0]);
            return false;
        }
    }
    return true;
}

static int
prove_policies(const struct rc_fault_trace *t, const char *path)
{
    static struct policies p;
    double recorded = united_availability(&t->schedule, DAYS * day_ms);

    p.trace = t;
    p.path = path;
    if (!load_policies(&p)) {
        return RC_PROVE_CANNOT;
    }
    struct rc_tasks tasks = {.count = (uint64_t)SERIES * SEEDS,
                             .jobs = rc_task_processors(),
                             .unit = "runs",
                             .record_size = sizeof(struct record),
                             .arg = &p,
                             .work = play_one,
                             .take = take_one};
    printf("  the same faults on p4d instances, %d seeds, 95 %% intervals; availability: neither "
           "broken nor out\n",
           SEEDS);
    fflush(stdout);
    if (rc_task_jobs(&tasks) != 0 || *p.text) {
        fprintf(stderr, "simulate prove: %s\n", *p.text ? p.text : "a process died");
        return RC_PROVE_CANNOT;
    }
    bool good = true;
    for (uint32_t series = 0; series < SERIES; series++) {
        good &= show_series(&p, series, recorded);
    }
    return good ? RC_PROVE_HOLDS : RC_PROVE_FAILS;
}

int
rc_prove_trace(void)
{
    const char *folder = getenv("RC_TRACES");
    struct rc_fault_trace t;
    struct rc_error e;
    char path[4096];

    if (!folder || !*folder) {
        return RC_PROVE_SKIPPED;
    }
    snprintf(path, sizeof path, "%s/infinitehbd/fault_trace.json", folder);
    if (rc_fault_trace_read(path, NODES, &t, &e) != RC_OK) {
        fprintf(stderr, "simulate prove: %s\n", e.text);
        return RC_PROVE_CANNOT;
    }
    if (!rc_prove_can_fit(&t.schedule, &e)) {
        fprintf(stderr, "simulate prove: %s: %s\n", path, e.text);
        rc_fault_trace_free(&t);
        return RC_PROVE_CANNOT;
    }
    bool recorded = prove_recorded(&t);
    int fit = rc_prove_fit(&t.schedule, DAYS * day_ms);
    int policies = prove_policies(&t, path);
    rc_fault_trace_free(&t);
    if (fit == RC_PROVE_CANNOT || policies == RC_PROVE_CANNOT) {
        return RC_PROVE_CANNOT;
    }
    return recorded && fit == RC_PROVE_HOLDS && policies == RC_PROVE_HOLDS ? RC_PROVE_HOLDS
                                                                           : RC_PROVE_FAILS;
}
