/* report_html.h - a comparison as one self-contained page: styles and plots (SVG) are in
 * the file, nothing is fetched, no script runs. */
#ifndef RC_REPORT_HTML_H
#define RC_REPORT_HTML_H

#include <stdio.h>

#include "simulator/report/comparison.h"

enum { RC_REPORT_SPANS = 1 << 20 }; /* changes of mode remembered for the time-lines */

/* history: one a policy, of the first seed. */
void rc_report_html(FILE *out, const struct rc_comparison *c,
                    const struct rc_fleet_history *history);

#endif
