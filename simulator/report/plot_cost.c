/* plot_cost.c - dollars paid against GPU-hours lost. A thin line joins what the same seed
 * came to under each policy, so that the difference is seen beside the spread. */
#include <string.h>

#include "simulator/report/plot.h"

enum { LEFT = 78, RIGHT = 24, TOP = 16, HEIGHT = 380, BOTTOM = 52, TICKS = 12, JOINED_MAX = 40 };

static double
value_of(const struct rc_comparison *c, uint32_t policy, uint32_t seed, uint32_t score)
{
    const struct rc_study *s = c->study;

    return rc_score_value(&s->config, &c->result[policy * s->seeds + seed], score);
}

static struct rc_axis
span_axis(const struct rc_comparison *c, uint32_t score, double from_px, double to_px)
{
    struct rc_axis a = {value_of(c, 0, 0, score), value_of(c, 0, 0, score), from_px, to_px, false};

    for (uint32_t policy = 0; policy < c->study->policy_count; policy++) {
        for (uint32_t seed = 0; seed < c->study->seeds; seed++) {
            double v = value_of(c, policy, seed, score);
            a.low = v < a.low ? v : a.low;
            a.high = v > a.high ? v : a.high;
        }
    }
    rc_axis_round(&a);
    return a;
}

static void
write_grid(FILE *out, const struct rc_axis *x, const struct rc_axis *y)
{
    double at[TICKS];
    char label[32];

    for (uint32_t i = 0, n = rc_axis_ticks(x, at, TICKS); i < n; i++) {
        double px = rc_axis_px(x, at[i]);
        rc_axis_label(at[i], n > 1 ? at[1] - at[0] : 0, label, sizeof label);
        fprintf(out,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">$%s</text>\n",
                px, TOP, px, TOP + HEIGHT, px, TOP + HEIGHT + 18,
                px > RC_PLOT_WIDTH - RIGHT - 20 ? "end" : "middle", label);
    }
    for (uint32_t i = 0, n = rc_axis_ticks(y, at, TICKS); i < n; i++) {
        double px = rc_axis_px(y, at[i]);
        rc_axis_label(at[i], n > 1 ? at[1] - at[0] : 0, label, sizeof label);
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                LEFT, px, RC_PLOT_WIDTH - RIGHT, px, LEFT - 8, px + 4, label);
    }
    fprintf(
        out,
        "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">instance-hours paid</text>\n"
        "<text class=\"axis\" transform=\"translate(16 %d) rotate(-90)\" "
        "text-anchor=\"middle\">GPU-hours lost</text>\n",
        (LEFT + RC_PLOT_WIDTH - RIGHT) / 2, TOP + HEIGHT + 42, TOP + HEIGHT / 2);
}

static void
write_joins(FILE *out, const struct rc_comparison *c, const struct rc_axis *x,
            const struct rc_axis *y)
{
    for (uint32_t seed = 0; seed < c->study->seeds && seed < JOINED_MAX; seed++) {
        fputs("<polyline class=\"join\" points=\"", out);
        for (uint32_t policy = 0; policy < c->study->policy_count; policy++) {
            fprintf(out, "%.1f,%.1f ", rc_axis_px(x, value_of(c, policy, seed, RC_SCORE_DOLLARS)),
                    rc_axis_px(y, value_of(c, policy, seed, RC_SCORE_LOST)));
        }
        fputs("\"/>\n", out);
    }
}

/* Above its cross, or below where an earlier name stands already. */
static void
write_mean_name(FILE *out, const struct rc_comparison *c, uint32_t policy, const struct rc_axis *x,
                const struct rc_axis *y)
{
    double mx = rc_axis_px(x, c->mean[policy][RC_SCORE_DOLLARS]);
    double my = rc_axis_px(y, c->mean[policy][RC_SCORE_LOST]);
    uint32_t near = my - 16 < TOP + 8;

    for (uint32_t i = 0; i < policy; i++) {
        double dx = rc_axis_px(x, c->mean[i][RC_SCORE_DOLLARS]) - mx;
        double dy = rc_axis_px(y, c->mean[i][RC_SCORE_LOST]) - my;
        near += dx * dx < 80.0 * 80.0 && dy * dy < 24.0 * 24.0;
    }
    double at = near ? my + 12 + 15 * (double)near : my - 16;
    fprintf(out,
            "<text class=\"name halo\" style=\"fill:var(--policy%u)\" x=\"%.1f\" y=\"%.1f\" "
            "text-anchor=\"%s\">",
            policy, mx, at,
            mx > RC_PLOT_WIDTH - 120 ? "end"
            : mx < LEFT + 60         ? "start"
                                     : "middle");
    rc_html_text(out, c->study->policy[policy].label);
    fputs("</text>\n", out);
}

static void
write_policy(FILE *out, const struct rc_comparison *c, uint32_t policy, const struct rc_axis *x,
             const struct rc_axis *y)
{
    double mx = rc_axis_px(x, c->mean[policy][RC_SCORE_DOLLARS]);
    double my = rc_axis_px(y, c->mean[policy][RC_SCORE_LOST]);

    for (uint32_t seed = 0; seed < c->study->seeds; seed++) {
        double vx = value_of(c, policy, seed, RC_SCORE_DOLLARS);
        double vy = value_of(c, policy, seed, RC_SCORE_LOST);
        fprintf(out,
                "<circle class=\"dot\" style=\"fill:var(--policy%u)\" cx=\"%.1f\" cy=\"%.1f\" "
                "r=\"4\"><title>seed %llu: $%.0f, %.0f GPU-h lost</title></circle>\n",
                policy, rc_axis_px(x, vx), rc_axis_px(y, vy),
                (unsigned long long)(c->study->first_seed + seed), vx, vy);
    }
    fprintf(
        out,
        "<g class=\"mean\" style=\"stroke:var(--policy%u)\"><line x1=\"%.1f\" y1=\"%.1f\" "
        "x2=\"%.1f\" y2=\"%.1f\"/><line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/></g>\n",
        policy, mx - 11, my, mx + 11, my, mx, my - 11, mx, my + 11);
    write_mean_name(out, c, policy, x, y);
}

void
rc_plot_cost(FILE *out, const struct rc_comparison *c)
{
    struct rc_axis x = span_axis(c, RC_SCORE_DOLLARS, LEFT, RC_PLOT_WIDTH - RIGHT);
    struct rc_axis y = span_axis(c, RC_SCORE_LOST, TOP + HEIGHT, TOP);

    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Cost against loss\">\n",
            RC_PLOT_WIDTH, TOP + HEIGHT + BOTTOM);
    write_grid(out, &x, &y);
    write_joins(out, c, &x, &y);
    for (uint32_t policy = 0; policy < c->study->policy_count; policy++) {
        write_policy(out, c, policy, &x, &y);
    }
    fputs("</svg>\n", out);
}
