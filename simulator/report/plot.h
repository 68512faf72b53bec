/* plot.h - the plots of a comparison as inline SVG. Colours are CSS variables of the page
 * (report_style.c), so that dark, light and print need no second picture; what a mark is
 * says its <title>. Coordinates are printed with one decimal: equal data, equal bytes. */
#ifndef RC_PLOT_H
#define RC_PLOT_H

#include <stdio.h>

#include "simulator/report/comparison.h"

enum { RC_PLOT_WIDTH = 960 };

/* GPU-hours lost by cause, a stacked bar a policy. */
void rc_plot_losses(FILE *out, const struct rc_comparison *c);
/* Dollars paid against GPU-hours lost: a dot a seed, a cross a policy. */
void rc_plot_cost(FILE *out, const struct rc_comparison *c);
/* The share of repairs that still go on after so long (Kaplan and Meier). */
void rc_plot_repair(FILE *out, const struct rc_comparison *c);
/* The nodes with the most time out, of the first seed, and how many are out over time. */
void rc_plot_nodes(FILE *out, const struct rc_comparison *c,
                   const struct rc_fleet_history *history);
/* One difference with its interval, around zero; fits into a table's cell. */
void rc_plot_interval(FILE *out, const struct rc_paired *p, uint32_t score);

/* ---- plot_axis.c: what they share ---- */

struct rc_axis {
    double low, high;
    double from_px, to_px;
    bool is_log; /* low > 0 */
};

double rc_axis_px(const struct rc_axis *a, double value);
/* Widens low and high to round values around the data. */
void rc_axis_round(struct rc_axis *a);
/* Round values within the axis; at most room, as many as were written. */
uint32_t rc_axis_ticks(const struct rc_axis *a, double *ret, uint32_t room);
/* "1.2M", "340k", "12", "0.25"; step: what two neighbours differ by, 0 = does not matter. */
void rc_axis_label(double value, double step, char *buf, size_t room);
/* Text with <, >, & and quotes escaped. */
void rc_html_text(FILE *out, const char *text);

#endif
