/* fault_draw.c - a schedule from a model and a seed; see fault_model.h.
 *
 * Nodes have weights of mean 1; a fault falls on a node with a chance proportional to its
 * weight. A node of weight w > 1 has w - 1 of every w faults only because it is worse than
 * others: those are marked lemon. */
#include <stdlib.h>
#include <string.h>

#include "simulator/faults/fault_trace.h"
#include "simulator/model/sim_dist.h"

/* One stream a question. */
enum stream { ARRIVAL = 301, NODE, PART, DURATION, LUCK, WEIGHT, BLOCK };

/* Records of a trace that are re-drawn in one piece: bursts stay bursts. */
enum { BLOCK_ROWS = 12 };

static const double hour_ms = 3600.0 * 1000;
static const double day_ms = 24 * 3600.0 * 1000;

struct draw {
    const struct rc_fault_model *model;
    const struct rc_fault_trace *trace; /* NULL: from the model's numbers */
    struct rc_fault_schedule *out;
    struct rc_sim_random arrival, node, part, duration, luck, block;
    double *until;   /* sum of the weights up to and with this node */
    double gap_ms;   /* mean time between faults of the fleet */
    double scale;    /* of a recorded gap */
    uint32_t at;     /* next record of the trace */
    uint32_t in_row; /* left of its block */
    uint32_t room;
};

static enum rc_err
draw_weights(struct draw *d, uint64_t seed, struct rc_error *e)
{
    uint32_t nodes = d->out->nodes;
    struct rc_sim_random r;
    double sum = 0;
    uint32_t *hits = NULL;
    uint32_t recorded = d->trace ? d->trace->schedule.nodes : 0;

    d->until = calloc(nodes, sizeof *d->until);
    hits = d->trace ? calloc(recorded, sizeof *hits) : NULL;
    if (!d->until || (d->trace && !hits)) {
        free(hits);
        return rc_fail(e, RC_E_INTERNAL, "no memory for %u nodes", nodes);
    }
    for (uint32_t i = 0; d->trace && i < d->trace->schedule.count; i++) {
        hits[d->trace->schedule.row[i].node]++;
    }
    rc_sim_random_seed(&r, seed, WEIGHT);
    for (uint32_t i = 0; i < nodes; i++) {
        double shape = d->model->lemon_shape;
        if (hits) {
            sum += hits[rc_sim_random_below(&r, recorded)];
        } else {
            sum += shape > 0 ? rc_dist_gamma(&r, shape, 1 / shape) : 1;
        }
        d->until[i] = sum;
    }
    for (uint32_t i = 0; i < nodes; i++) {
        d->until[i] = sum > 0 ? d->until[i] * nodes / sum : i + 1;
    }
    free(hits);
    return RC_OK;
}

static uint32_t
draw_node(struct draw *d, bool *ret_is_lemon)
{
    uint32_t low = 0, high = d->out->nodes - 1;
    double at = rc_dist_uniform(&d->node) * d->until[high];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (d->until[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    double weight = d->until[low] - (low ? d->until[low - 1] : 0);
    *ret_is_lemon = rc_dist_uniform(&d->node) * weight > 1;
    return low;
}

static uint16_t
draw_part(struct draw *d)
{
    static const uint32_t weight[] = {
#define RC_PART_WEIGHT(part, name, weight) weight,
        RC_PARTS(RC_PART_WEIGHT)
#undef RC_PART_WEIGHT
    };
    uint32_t sum = 0;
    uint16_t part = 0;

    for (uint32_t i = 0; i < RC_PART__MAX; i++) {
        sum += weight[i];
    }
    uint64_t at = rc_sim_random_below(&d->part, sum);
    while (at >= weight[part]) {
        at -= weight[part++];
    }
    return part;
}

/* The time to the next fault, and what of it a trace knows. */
static double
draw_gap(struct draw *d, bool is_first, struct rc_fault_row *row)
{
    if (!d->trace) {
        return (is_first ? rc_dist_hyperexponential_rest
                         : rc_dist_hyperexponential)(&d->arrival, d->gap_ms, d->model->variation);
    }
    const struct rc_fault_schedule *t = &d->trace->schedule;
    if (!d->in_row) {
        d->at = (uint32_t)rc_sim_random_below(&d->block, t->count);
        d->in_row = BLOCK_ROWS;
    }
    const struct rc_fault_row *from = &t->row[d->at];
    /* The first record's gap is what lies before it and after the last one. */
    int64_t gap = d->at ? from->at_ms - t->row[d->at - 1].at_ms
                        : from->at_ms + t->span_ms - t->row[t->count - 1].at_ms;
    row->part = from->part;
    row->last_ms = from->last_ms;
    d->at = (d->at + 1) % t->count;
    d->in_row--;
    return (double)gap * d->scale;
}

static bool
keep_row(struct draw *d, const struct rc_fault_row *row)
{
    if (d->out->count == d->room) {
        uint32_t room = d->room ? d->room * 2 : 1024;
        struct rc_fault_row *grown = realloc(d->out->row, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        d->out->row = grown;
        d->room = room;
    }
    d->out->row[d->out->count++] = *row;
    return true;
}

static enum rc_err
draw_rows(struct draw *d, struct rc_error *e)
{
    double at_ms = 0;

    for (bool is_first = true;; is_first = false) {
        struct rc_fault_row row = {0};
        bool is_lemon;
        at_ms += draw_gap(d, is_first, &row);
        if (at_ms >= (double)d->out->span_ms) {
            return RC_OK;
        }
        row.at_ms = (int64_t)at_ms;
        row.node = draw_node(d, &is_lemon);
        row.lemon = is_lemon;
        row.luck = rc_sim_random_next(&d->luck);
        if (!d->trace) {
            double h = rc_dist_lognormal(&d->duration, d->model->repair_h, d->model->repair_sigma);
            row.part = draw_part(d);
            row.last_ms = 1 + (int64_t)(h < 1e6 ? h * hour_ms : 1e6 * hour_ms);
        }
        if (d->out->count == RC_FAULT_ROWS_MAX || !keep_row(d, &row)) {
            return rc_fail(e, RC_E_TOO_LARGE, "over %u faults: fewer nodes, days or a lower rate",
                           d->out->count);
        }
    }
}

static enum rc_err
draw_all(struct draw *d, uint64_t seed, struct rc_error *e)
{
    const struct rc_fault_model *m = d->model;
    double per_ms = m->rate / 1000 / day_ms * d->out->nodes; /* of the fleet */

    rc_sim_random_seed(&d->arrival, seed, ARRIVAL);
    rc_sim_random_seed(&d->node, seed, NODE);
    rc_sim_random_seed(&d->part, seed, PART);
    rc_sim_random_seed(&d->duration, seed, DURATION);
    rc_sim_random_seed(&d->luck, seed, LUCK);
    rc_sim_random_seed(&d->block, seed, BLOCK);
    if (d->trace) {
        const struct rc_fault_schedule *t = &d->trace->schedule;
        double recorded = (double)t->count / (double)t->span_ms;
        double wanted =
            m->rate > 0 ? per_ms : recorded / t->nodes * d->out->nodes; /* the same a node */
        d->scale = recorded / wanted;
    } else {
        d->gap_ms = 1 / per_ms;
    }
    enum rc_err err = draw_weights(d, seed, e);
    return err == RC_OK ? draw_rows(d, e) : err;
}

enum rc_err
rc_fault_draw(const struct rc_fault_model *m, uint64_t seed, uint32_t nodes, int64_t span_ms,
              struct rc_fault_schedule *ret, struct rc_error *e)
{
    struct rc_fault_schedule s = {.nodes = nodes, .span_ms = span_ms};
    struct rc_fault_trace trace = {0};
    struct draw d = {.model = m, .out = &s};
    enum rc_err err = RC_OK;

    if (!nodes || nodes > RC_FAULT_NODES_MAX || span_ms <= 0) {
        return rc_fail(e, RC_E_INVALID, "expected 1 to %d nodes and a span of time",
                       RC_FAULT_NODES_MAX);
    }
    if (m->is_trace) {
        err = rc_fault_trace_read(m->trace_path, m->trace_nodes, &trace, e);
        if (err == RC_OK && (!trace.schedule.count || !trace.schedule.span_ms)) {
            err = rc_fail(e, RC_E_INVALID, "%s: holds no fault to draw from", m->trace_path);
        }
        d.trace = &trace;
    }
    err = err == RC_OK ? draw_all(&d, seed, e) : err;
    free(d.until);
    rc_fault_trace_free(&trace);
    if (err != RC_OK) {
        rc_fault_schedule_free(&s);
        return err;
    }
    *ret = s;
    return RC_OK;
}

void
rc_fault_schedule_free(struct rc_fault_schedule *s)
{
    free(s->row);
    memset(s, 0, sizeof *s);
}
