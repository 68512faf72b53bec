/* ctl_lead.h - `reconcilectl lead --yield` and `failover`: what was asked for is watched until it
 * is done. */
#ifndef RC_CTL_LEAD_H
#define RC_CTL_LEAD_H

#include <stdio.h>

struct cJSON;

/* After the daemon said that it hands over: waits a moment for the successor, and tells.
 * Exit status as of rc_ctl_run(): 0 when it was given back. */
int rc_ctl_watch_yield(const char *socket, FILE *out, FILE *err);
/* After the daemon said that slurmctld moves to that host: tells what is waited for, and in the end
 * what proved that it was safe. Exit status 0 when it serves there. */
int rc_ctl_watch_failover(const char *socket, const char *to, FILE *out, FILE *err);
/* Asks again while the reply says that more is on its way ("again_ms"); takes reply over. */
struct cJSON *rc_ctl_settle(const char *socket, const struct cJSON *request, struct cJSON *reply);

#endif
