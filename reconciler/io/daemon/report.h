/* report.h - what people and monitoring see of the daemon's work: one log line per
 * event, decision and completion, and the Prometheus metrics. */
#ifndef RC_REPORT_H
#define RC_REPORT_H

#include "reconciler/io/daemon/daemon.h"

struct rc_report *rc_report_new(struct rc_daemon *d);
void rc_report_free(struct rc_report *r);

/* Called by the turn, after the journal took them. */
void rc_report_event(struct rc_daemon *d, const struct rc_event *ev);
void rc_report_action(struct rc_daemon *d, const struct rc_action *a);

/* Copies and cuts: for lines that people read. */
void rc_report_clip(char *dst, size_t room, const char *src);

#endif
