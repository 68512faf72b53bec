/* alarms.h - what alarms outside of the cluster need: a few values to CloudWatch each minute,
 * by the leader and by the standby, so that "nobody leads" is heard when both are ill. */
#ifndef RC_ALARMS_H
#define RC_ALARMS_H

#include "reconciler/io/daemon/daemon.h"

struct rc_alarms;

/* Begins at once when the configuration asks for it. NULL: no memory. */
struct rc_alarms *rc_alarms_new(struct rc_daemon *d);
void rc_alarms_free(struct rc_alarms *a);

/* Incidents that go no further without a person: an approval is awaited, or every rung was tried.
 * 0 while another daemon leads: what this one knows of them may be old. */
uint32_t rc_alarms_for_people(const struct rc_state *s);

#endif
