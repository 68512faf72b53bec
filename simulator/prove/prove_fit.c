/* prove_fit.c - see prove_fit.h.
 *
 * Two numbers are fitted: the variation of the times between faults, which the model takes
 * as it is, and the shape of the nodes' rates, so that the worst tenth of the nodes has the
 * share of faults that it has in the trace, on average over DRAWS schedules. All else that
 * is shown was not fitted: it says how far the model can be believed. */
#include "simulator/prove/prove_fit.h"

#include <stdio.h>
#include <stdlib.h>

#include "simulator/model/sim_math.h"
#include "simulator/prove/prove.h"
#include "simulator/prove/prove_test.h"

enum { DRAWS = 400, HALVINGS = 12, NODES_MAX = 4096, MONTHS = 12 };

/* Fewer say nothing of bursts and of a worst tenth, and a schedule drawn like them may have
 * no two faults, between which there is a time. */
enum { FAULTS_MIN = 100 };

/* X(field, what, decimals): variation and tenth are fitted */
#define FIGURES(X)                                                                                 \
    X(variation, "times between faults: coefficient of variation", 1)                              \
    X(tenth, "share of faults on the worst tenth of the nodes", 1)                                 \
    X(faulty, "nodes with any fault", 0)                                                           \
    X(five, "nodes with five or more", 0)                                                          \
    X(worst, "faults of the worst node", 0)                                                        \
    X(months, "variance / mean of the counts by month", 0)

struct figures {
#define FIGURE(field, what, fitted) double field;
    FIGURES(FIGURE)
#undef FIGURE
};

enum { FIGURE_COUNT = sizeof(struct figures) / sizeof(double) };

static const struct {
    const char *what;
    bool is_fitted;
} rows[] = {
#define FIGURE(field, what, fitted) {what, fitted},
    FIGURES(FIGURE)
#undef FIGURE
};

static int
more_faults_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x < y) - (x > y);
}

static double
gap_variation(const struct rc_fault_schedule *s)
{
    double sum = 0, squares = 0;
    uint32_t gaps = s->count - 1;

    for (uint32_t i = 1; i < s->count; i++) {
        double gap = (double)(s->row[i].at_ms - s->row[i - 1].at_ms);
        sum += gap;
        squares += gap * gap;
    }
    double mean = sum / gaps, variance = squares / gaps - mean * mean;
    return rc_sim_sqrt(variance > 0 ? variance : 0) / mean;
}

static void
node_figures(const struct rc_fault_schedule *s, struct figures *ret)
{
    uint32_t hits[NODES_MAX] = {0}, worst = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        hits[s->row[i].node]++;
    }
    qsort(hits, s->nodes, sizeof *hits, more_faults_first);
    for (uint32_t i = 0; i < s->nodes; i++) {
        worst += i < s->nodes / 10 ? hits[i] : 0;
        ret->faulty += hits[i] > 0;
        ret->five += hits[i] >= 5;
    }
    ret->worst = hits[0];
    ret->tenth = (double)worst / s->count;
}

static double
month_dispersion(const struct rc_fault_schedule *s, int64_t span_ms)
{
    double count[MONTHS] = {0}, squares = 0, mean = (double)s->count / MONTHS;

    for (uint32_t i = 0; i < s->count; i++) {
        int64_t month = s->row[i].at_ms * MONTHS / span_ms;
        count[month < MONTHS ? month : MONTHS - 1]++;
    }
    for (uint32_t i = 0; i < MONTHS; i++) {
        squares += (count[i] - mean) * (count[i] - mean);
    }
    return squares / (MONTHS - 1) / mean;
}

static struct figures
figures_of(const struct rc_fault_schedule *s, int64_t span_ms)
{
    struct figures f = {0};

    f.variation = gap_variation(s);
    f.months = month_dispersion(s, span_ms);
    node_figures(s, &f);
    return f;
}

/* False: no memory, or no two faults with a time between them. */
static bool
draw_figures(const struct rc_fault_model *m, uint64_t seed, uint32_t nodes, int64_t span_ms,
             struct figures *ret)
{
    struct rc_fault_schedule s;

    if (rc_fault_draw(m, seed, nodes, span_ms, &s, NULL) != RC_OK) {
        return false;
    }
    bool good = s.count >= 2 && s.row[s.count - 1].at_ms > s.row[0].at_ms;
    if (good) {
        *ret = figures_of(&s, span_ms);
    }
    rc_fault_schedule_free(&s);
    return good;
}

/* The mean share of the worst tenth falls as the shape grows. */
static bool
fit_shape(struct rc_fault_model *m, const struct figures *want, uint32_t nodes, int64_t span_ms)
{
    double low = 0.1, high = 10;

    for (int i = 0; i < HALVINGS; i++) {
        double sum = 0;
        m->lemon_shape = rc_sim_sqrt(low * high);
        for (uint64_t seed = 1; seed <= DRAWS; seed++) {
            struct figures f;
            if (!draw_figures(m, seed, nodes, span_ms, &f)) {
                return false;
            }
            sum += f.tenth;
        }
        if (sum / DRAWS > want->tenth) {
            low = m->lemon_shape;
        } else {
            high = m->lemon_shape;
        }
    }
    return true;
}

static int
number_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool
show_figures(const struct rc_fault_model *m, const struct figures *want, uint32_t nodes,
             int64_t span_ms)
{
    static double v[FIGURE_COUNT][DRAWS];
    const double *wanted = (const double *)(const void *)want;
    bool good = true;

    for (uint32_t i = 0; i < DRAWS; i++) {
        struct figures f;
        if (!draw_figures(m, 10000 + i, nodes, span_ms, &f)) {
            return false;
        }
        for (uint32_t k = 0; k < FIGURE_COUNT; k++) {
            v[k][i] = ((const double *)(const void *)&f)[k];
        }
    }
    for (uint32_t k = 0; k < FIGURE_COUNT; k++) {
        double sum = 0;
        qsort(v[k], DRAWS, sizeof v[k][0], number_order);
        for (uint32_t i = 0; i < DRAWS; i++) {
            sum += v[k][i];
        }
        double low = v[k][DRAWS / 40], high = v[k][DRAWS - 1 - DRAWS / 40];
        bool inside = wanted[k] >= low && wanted[k] <= high;
        if (rows[k].is_fitted) {
            good &= rc_prove_say(inside, "%-52s %8.3f   model %.3f (95 %%: %.3f to %.3f)",
                                 rows[k].what, wanted[k], sum / DRAWS, low, high);
        } else {
            printf("  %-7s %-52s %8.3f   model %.3f (95 %%: %.3f to %.3f)\n",
                   inside ? "inside" : "outside", rows[k].what, wanted[k], sum / DRAWS, low, high);
        }
    }
    return good;
}

static bool
is_near(double a, double b, double share)
{
    return a > b * (1 - share) && a < b * (1 + share);
}

bool
rc_prove_can_fit(const struct rc_fault_schedule *recorded, struct rc_error *e)
{
    if (recorded->count < FAULTS_MIN) {
        rc_fail(e, RC_E_INVALID, "%u faults; expected %d or more", recorded->count, FAULTS_MIN);
        return false;
    }
    if (recorded->row[recorded->count - 1].at_ms <= recorded->row[0].at_ms) {
        rc_fail(e, RC_E_INVALID, "all faults at one time; expected times between them");
        return false;
    }
    double variation = gap_variation(recorded);
    if (variation < 1) {
        rc_fail(e, RC_E_INVALID,
                "times between faults: coefficient of variation %.3f; expected 1 or more, of "
                "faults at random or in bursts",
                variation);
        return false;
    }
    return true;
}

int
rc_prove_fit(const struct rc_fault_schedule *recorded, int64_t span_ms)
{
    struct figures want = figures_of(recorded, span_ms);
    struct rc_fault_model m, shipped;
    bool good = true;

    if (recorded->nodes > NODES_MAX ||
        rc_fault_model_parse("bursty-lemon", &shipped, NULL) != RC_OK) {
        return RC_PROVE_CANNOT;
    }
    good &= rc_prove_say(want.variation > 1.65 && want.variation < 1.85 && want.tenth > 0.395 &&
                             want.tenth < 0.415,
                         "the trace: variation %.2f and %.1f %% of the faults on the worst tenth "
                         "(published: 1.7 and 40 %%)",
                         want.variation, 100 * want.tenth);
    m = shipped;
    m.rate = 1000.0 * recorded->count / recorded->nodes / ((double)span_ms / (24.0 * 3600 * 1000));
    m.variation = want.variation;
    if (!fit_shape(&m, &want, recorded->nodes, span_ms)) {
        fprintf(stderr, "simulate prove: no memory, or a schedule drawn like the trace has no two "
                        "faults\n");
        return RC_PROVE_CANNOT;
    }
    good &= rc_prove_say(is_near(m.variation, shipped.variation, 0.05) &&
                             is_near(m.lemon_shape, shipped.lemon_shape, 0.15),
                         "fitted: variation %.2f, lemon-shape %.2f; shipped as %.2f and %.2f",
                         m.variation, m.lemon_shape, shipped.variation, shipped.lemon_shape);
    printf("          figure (ok: fitted; others only shown)               recorded\n");
    good &= show_figures(&m, &want, recorded->nodes, span_ms);
    return good ? RC_PROVE_HOLDS : RC_PROVE_FAILS;
}
