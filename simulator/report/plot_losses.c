/* plot_losses.c - where the GPU-hours went: a stacked bar a policy, widths to scale, its name
 * above it, however long. */
#include "simulator/report/plot.h"

enum { LEFT = 24, RIGHT = 24, NAME = 18, BAR = 34, ROW = 64, TOP = 12, AXIS = 34, TICKS = 12 };

static void
write_bar(FILE *out, const struct rc_comparison *c, uint32_t policy, const struct rc_axis *x)
{
    double at = 0.0, y = TOP + (double)policy * ROW + NAME;

    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", LEFT, y - 5);
    rc_html_text(out, c->study->policy[policy].label);
    fputs("</text>\n", out);
    for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
        double hours = c->lost[policy][loss];
        double from = rc_axis_px(x, at), to = rc_axis_px(x, at + hours);
        if (to - from >= 0.05) {
            fprintf(out,
                    "<rect class=\"loss\" style=\"fill:var(--loss%u)\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%d\"><title>%s: %.0f GPU-h</title></rect>\n",
                    loss, from, y, to - from, BAR, rc_fleet_loss_name(loss), hours);
        }
        at += hours;
    }
    char label[32];
    rc_axis_label(at, 0, label, sizeof label);
    fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", rc_axis_px(x, at) + 6,
            y + BAR / 2.0 + 4, label);
}

/* Causes that nobody lost a GPU-hour to need no place in the legend. */
static void
write_legend(FILE *out, const struct rc_comparison *c)
{
    fputs("<ul class=\"legend\">\n", out);
    for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
        double most = 0.0;
        for (uint32_t i = 0; i < c->study->policy_count; i++) {
            most = c->lost[i][loss] > most ? c->lost[i][loss] : most;
        }
        if (most >= 0.5) {
            fprintf(out,
                    "<li><span class=\"swatch\" style=\"background:var(--loss%u)\"></span>"
                    "<b>%s</b> %s</li>\n",
                    loss, rc_fleet_loss_name(loss), rc_fleet_loss_text(loss));
        }
    }
    fputs("</ul>\n", out);
}

void
rc_plot_losses(FILE *out, const struct rc_comparison *c)
{
    uint32_t policies = c->study->policy_count, ticks;
    struct rc_axis x = {0.0, 0.0, LEFT, RC_PLOT_WIDTH - RIGHT - 50, false};
    double at[TICKS], bottom = TOP + (double)policies * ROW - (ROW - NAME - BAR) + 8;

    for (uint32_t i = 0; i < policies; i++) {
        double sum = 0.0;
        for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
            sum += c->lost[i][loss];
        }
        x.high = sum > x.high ? sum : x.high;
    }
    rc_axis_round(&x);
    fprintf(out,
            "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"GPU-hours lost by cause\">\n",
            RC_PLOT_WIDTH, bottom + AXIS);
    ticks = rc_axis_ticks(&x, at, TICKS);
    for (uint32_t i = 0; i < ticks; i++) {
        char label[32];
        double px = rc_axis_px(&x, at[i]);
        rc_axis_label(at[i], 0, label, sizeof label);
        fprintf(out,
                "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                px, TOP - 6, px, bottom, px, bottom + 16, label);
    }
    for (uint32_t i = 0; i < policies; i++) {
        write_bar(out, c, i, &x);
    }
    fputs("</svg>\n", out);
    write_legend(out, c);
}
