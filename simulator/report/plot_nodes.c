/* plot_nodes.c - the first seed, node by node: how many are out over time, and the nodes
 * with the most time out as rows, the same nodes under every policy. */
#include <stdlib.h>
#include <string.h>

#include "simulator/report/plot.h"

enum {
    LEFT = 62,
    RIGHT = 24,
    ROWS = 24,
    ROW = 12,
    BINS = 240,
    AREA = 90,
    TOP = 14,
    AXIS = 26,
    TICKS = 12,
    DAY_MS = 86400000
};

static const char *const mode_name[RC_MODE__MAX] = {"in service",   "broken, not out yet",
                                                    "out, waiting", "in repair",
                                                    "quarantined",  "out, not by us"};

typedef void span_fn(void *arg, uint32_t node, uint32_t mode, int64_t from_ms, int64_t to_ms);

/* Every span of every node that is not "in service". */
static bool
each_span(const struct rc_comparison *c, const struct rc_fleet_history *h, span_fn *fn, void *arg)
{
    uint32_t nodes = c->study->config.nodes;
    int64_t end_ms = (int64_t)c->study->config.days * DAY_MS;
    int64_t *since_ms = calloc(nodes, sizeof *since_ms);
    uint32_t *mode = calloc(nodes, sizeof *mode);

    for (uint32_t i = 0; since_ms && mode && i < h->count; i++) {
        const struct rc_fleet_span *s = &h->span[i];
        if (mode[s->node] != RC_MODE_SERVES) {
            fn(arg, s->node, mode[s->node], since_ms[s->node], s->at_ms);
        }
        mode[s->node] = s->mode;
        since_ms[s->node] = s->at_ms;
    }
    for (uint32_t node = 0; since_ms && mode && node < nodes; node++) {
        if (mode[node] != RC_MODE_SERVES) {
            fn(arg, node, mode[node], since_ms[node], end_ms);
        }
    }
    bool good = since_ms && mode;
    free(since_ms);
    free(mode);
    return good;
}

static void
add_time_out(void *arg, uint32_t node, uint32_t mode, int64_t from_ms, int64_t to_ms)
{
    int64_t *out_ms = arg;

    (void)mode;
    out_ms[node] += to_ms - from_ms;
}

/* Positions of the nodes with the most time out, most first. */
static uint32_t
choose_nodes(const struct rc_comparison *c, const struct rc_fleet_history *history,
             uint32_t chosen[ROWS])
{
    uint32_t nodes = c->study->config.nodes, count = 0;
    int64_t *out_ms = calloc(nodes, sizeof *out_ms);

    for (uint32_t i = 0; out_ms && i < c->study->policy_count; i++) {
        (void)each_span(c, &history[i], add_time_out, out_ms);
    }
    while (out_ms && count < ROWS) {
        uint32_t best = 0;
        for (uint32_t node = 1; node < nodes; node++) {
            best = out_ms[node] > out_ms[best] ? node : best;
        }
        if (out_ms[best] <= 0) {
            break;
        }
        out_ms[best] = 0;
        chosen[count++] = best;
    }
    free(out_ms);
    return count;
}

struct bins {
    double node_ms[BINS];
    int64_t bin_ms;
};

static void
add_to_bins(void *arg, uint32_t node, uint32_t mode, int64_t from_ms, int64_t to_ms)
{
    struct bins *b = arg;

    (void)node;
    (void)mode;
    for (int64_t bin = from_ms / b->bin_ms; bin < BINS && bin * b->bin_ms < to_ms; bin++) {
        int64_t low = bin * b->bin_ms, high = low + b->bin_ms;
        low = from_ms > low ? from_ms : low;
        high = to_ms < high ? to_ms : high;
        b->node_ms[bin] += (double)(high - low);
    }
}

static void
write_counts(FILE *out, const struct rc_comparison *c, const struct rc_fleet_history *history,
             const struct rc_axis *x)
{
    static struct bins b[RC_STUDY_POLICIES_MAX];
    struct rc_axis y = {0.0, 1.0, TOP + AREA, TOP, false};
    double at[TICKS];

    for (uint32_t i = 0; i < c->study->policy_count; i++) {
        memset(&b[i], 0, sizeof b[i]);
        b[i].bin_ms = (int64_t)c->study->config.days * DAY_MS / BINS;
        (void)each_span(c, &history[i], add_to_bins, &b[i]);
        for (uint32_t k = 0; k < BINS; k++) {
            double n = b[i].node_ms[k] / (double)b[i].bin_ms;
            y.high = n > y.high ? n : y.high;
        }
    }
    rc_axis_round(&y);
    for (uint32_t i = 0, n = rc_axis_ticks(&y, at, TICKS); i<n; i += n> 4 ? 2 : 1) {
        char label[32];
        rc_axis_label(at[i], 0, label, sizeof label);
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                LEFT, rc_axis_px(&y, at[i]), RC_PLOT_WIDTH - RIGHT, rc_axis_px(&y, at[i]), LEFT - 8,
                rc_axis_px(&y, at[i]) + 4, label);
    }
    for (uint32_t i = 0; i < c->study->policy_count; i++) {
        fprintf(out, "<polyline class=\"curve thin\" style=\"stroke:var(--policy%u)\" points=\"",
                i);
        for (uint32_t k = 0; k < BINS; k++) {
            fprintf(out, "%.1f,%.1f ",
                    rc_axis_px(x, ((double)k + 0.5) * (double)b[i].bin_ms / DAY_MS),
                    rc_axis_px(&y, b[i].node_ms[k] / (double)b[i].bin_ms));
        }
        fputs("\"/>\n", out);
    }
}

struct rows {
    FILE *out;
    const struct rc_axis *x;
    const uint32_t *chosen;
    uint32_t count;
    double top;
};

static void
write_span(void *arg, uint32_t node, uint32_t mode, int64_t from_ms, int64_t to_ms)
{
    const struct rows *r = arg;
    uint32_t row = 0;

    while (row < r->count && r->chosen[row] != node) {
        row++;
    }
    if (row == r->count) {
        return;
    }
    double from = rc_axis_px(r->x, (double)from_ms / DAY_MS);
    double width = rc_axis_px(r->x, (double)to_ms / DAY_MS) - from;
    fprintf(r->out,
            "<rect class=\"mode\" style=\"fill:var(--mode%u)\" x=\"%.1f\" y=\"%.1f\" "
            "width=\"%.1f\" height=\"%d\"><title>n%u %s: day %.2f, %.1f h</title></rect>\n",
            mode, from, r->top + (double)row * ROW + 1, width < 0.8 ? 0.8 : width, ROW - 2,
            node + 1, mode_name[mode], (double)from_ms / DAY_MS,
            (double)(to_ms - from_ms) / 3600000.0);
}

static void
write_days(FILE *out, const struct rc_axis *x, double top, double bottom)
{
    double at[TICKS];

    for (uint32_t i = 0, n = rc_axis_ticks(x, at, TICKS); i < n; i++) {
        char label[32];
        rc_axis_label(at[i], 0, label, sizeof label);
        fprintf(out,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s%s</text>\n",
                rc_axis_px(x, at[i]), top, rc_axis_px(x, at[i]), bottom, rc_axis_px(x, at[i]),
                bottom + 16, i ? "" : "day ", label);
    }
}

static void
write_mode_legend(FILE *out)
{
    fputs("<ul class=\"legend\">\n", out);
    for (uint32_t mode = RC_MODE_SERVES + 1; mode < RC_MODE__MAX; mode++) {
        fprintf(out,
                "<li><span class=\"swatch\" style=\"background:var(--mode%u)\"></span>%s</li>\n",
                mode, mode_name[mode]);
    }
    fputs("</ul>\n", out);
}

void
rc_plot_nodes(FILE *out, const struct rc_comparison *c, const struct rc_fleet_history *history)
{
    uint32_t chosen[ROWS], count = choose_nodes(c, history, chosen);
    struct rc_axis x = {0.0, (double)c->study->config.days, LEFT, RC_PLOT_WIDTH - RIGHT, false};
    double top = TOP + AREA + 18, block = (double)count * ROW + 22;
    double height = top + block * (double)c->study->policy_count;

    fprintf(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"Time-line of nodes\">\n",
            RC_PLOT_WIDTH, height + AXIS);
    write_days(out, &x, TOP, height);
    fprintf(out,
            "<text class=\"axis\" transform=\"translate(14 %d) rotate(-90)\" "
            "text-anchor=\"middle\">nodes out</text>\n",
            TOP + AREA / 2);
    write_counts(out, c, history, &x);
    for (uint32_t i = 0; i < c->study->policy_count; i++) {
        struct rows r = {out, &x, chosen, count, top + block * (double)i + 18};
        fprintf(out, "<text class=\"name\" style=\"fill:var(--policy%u)\" x=\"%d\" y=\"%.1f\">", i,
                LEFT, r.top - 5);
        rc_html_text(out, c->study->policy[i].label);
        fputs("</text>\n", out);
        for (uint32_t row = 0; row < count; row++) {
            fprintf(out,
                    "<rect class=\"lane\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%d\"/>"
                    "<text class=\"node\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">n%u</text>\n",
                    LEFT, r.top + (double)row * ROW + 1, RC_PLOT_WIDTH - RIGHT - LEFT, ROW - 2,
                    LEFT - 6, r.top + (double)row * ROW + ROW - 3, chosen[row] + 1);
        }
        (void)each_span(c, &history[i], write_span, &r);
    }
    fputs("</svg>\n", out);
    write_mode_legend(out);
}
