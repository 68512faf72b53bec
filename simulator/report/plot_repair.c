/* plot_repair.c - survival of repair times: the share of repairs that still go on after so
 * long, on a logarithmic scale of time. Repairs that were open when the run ended count as
 * long as they were seen (Kaplan and Meier 1958). */
#include "simulator/report/plot.h"

enum { LEFT = 62, RIGHT = 24, TOP = 16, HEIGHT = 320, BOTTOM = 52 };

static const struct mark {
    double minutes;
    const char *label;
} marks[] = {{1, "1 min"},  {5, "5 min"},  {15, "15 min"}, {60, "1 h"},       {240, "4 h"},
             {720, "12 h"}, {1440, "1 d"}, {4320, "3 d"},  {10080, "1 week"}, {43200, "30 d"}};

static uint64_t
all_of(const struct rc_fleet_hist *h)
{
    uint64_t n = h->count;

    for (uint32_t i = 0; i < RC_FLEET_HIST; i++) {
        n += h->censored[i];
    }
    return n;
}

static void
write_curve(FILE *out, const struct rc_comparison *c, uint32_t policy, const struct rc_axis *x,
            const struct rc_axis *y)
{
    const struct rc_fleet_hist *h = &c->repair[policy];
    double at_risk = (double)all_of(h), alive = 1.0;

    fprintf(out, "<path class=\"curve\" style=\"stroke:var(--policy%u)\" d=\"M%.1f %.1f", policy,
            x->from_px, rc_axis_px(y, 1.0));
    for (uint32_t i = 0; i < RC_FLEET_HIST && at_risk > 0; i++) {
        double minutes = (double)rc_fleet_hist_ms(i + 1) / 60000.0;
        if (h->done[i]) {
            double from = alive;
            alive *= 1.0 - (double)h->done[i] / at_risk;
            double px = minutes < x->low ? x->from_px : rc_axis_px(x, minutes);
            fprintf(out, " L%.1f %.1f L%.1f %.1f", px, rc_axis_px(y, from), px,
                    rc_axis_px(y, alive));
        }
        at_risk -= (double)(h->done[i] + h->censored[i]);
    }
    fputs("\"/>\n", out);
}

static void
write_axes(FILE *out, const struct rc_axis *x, const struct rc_axis *y)
{
    for (uint32_t i = 0; i <= 4; i++) {
        double px = rc_axis_px(y, (double)i / 4);
        fprintf(out,
                "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u %%</text>\n",
                LEFT, px, RC_PLOT_WIDTH - RIGHT, px, LEFT - 8, px + 4, i * 25);
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (marks[i].minutes < x->low || marks[i].minutes > x->high) {
            continue;
        }
        double px = rc_axis_px(x, marks[i].minutes);
        fprintf(out,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                px, TOP, px, TOP + HEIGHT, px, TOP + HEIGHT + 18, marks[i].label);
    }
    fprintf(out,
            "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">time since the node "
            "broke</text>\n<text class=\"axis\" transform=\"translate(14 %d) rotate(-90)\" "
            "text-anchor=\"middle\">not repaired yet</text>\n",
            (LEFT + RC_PLOT_WIDTH - RIGHT) / 2, TOP + HEIGHT + 42, TOP + HEIGHT / 2);
}

static void
write_legend_rows(FILE *out, const struct rc_comparison *c)
{
    fputs("<ul class=\"legend\">\n", out);
    for (uint32_t i = 0; i < c->study->policy_count; i++) {
        const struct rc_fleet_hist *h = &c->repair[i];
        fprintf(out,
                "<li><span class=\"swatch line\" style=\"background:var(--policy%u)\"></span><b>",
                i);
        rc_html_text(out, c->study->policy[i].label);
        fprintf(
            out,
            "</b> %llu repairs, median %.0f min, 90 %% within %.1f h, 99 %% within %.1f h</li>\n",
            (unsigned long long)h->count, (double)rc_fleet_hist_quantile(h, 500) / 60000.0,
            (double)rc_fleet_hist_quantile(h, 900) / 3600000.0,
            (double)rc_fleet_hist_quantile(h, 990) / 3600000.0);
    }
    fputs("</ul>\n", out);
}

void
rc_plot_repair(FILE *out, const struct rc_comparison *c)
{
    struct rc_axis x = {1.0, 60.0, LEFT, RC_PLOT_WIDTH - RIGHT, true};
    struct rc_axis y = {0.0, 1.0, TOP + HEIGHT, TOP, false};

    for (uint32_t policy = 0; policy < c->study->policy_count; policy++) {
        for (uint32_t i = 0; i < RC_FLEET_HIST; i++) {
            double minutes = (double)rc_fleet_hist_ms(i + 1) / 60000.0;
            if (c->repair[policy].done[i] && minutes > x.high) {
                x.high = minutes;
            }
        }
    }
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Survival of repair times\">\n",
            RC_PLOT_WIDTH, TOP + HEIGHT + BOTTOM);
    write_axes(out, &x, &y);
    bool any = false;
    for (uint32_t policy = 0; policy < c->study->policy_count; policy++) {
        write_curve(out, c, policy, &x, &y);
        any |= all_of(&c->repair[policy]) > 0;
    }
    if (!any) {
        fprintf(out,
                "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">nothing broke "
                "in these runs</text>\n",
                (LEFT + RC_PLOT_WIDTH - RIGHT) / 2, TOP + HEIGHT / 2);
    }
    fputs("</svg>\n", out);
    write_legend_rows(out, c);
}
