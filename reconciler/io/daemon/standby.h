/* standby.h - what is in flight, as the store tells it to a daemon that does not lead.
 *
 * Read when a person asks, never by itself; a look changes nothing (epoch 0). */
#ifndef RC_STANDBY_H
#define RC_STANDBY_H

#include "reconciler/io/daemon/daemon.h"

struct rc_standby;

struct rc_standby *rc_standby_new(struct rc_daemon *d);
void rc_standby_free(struct rc_standby *s);
/* Begins a look unless the last one is fresh. True: what there is now is stale or nothing,
 * ask again in a moment. */
bool rc_standby_look(struct rc_standby *s);

struct rc_standby_view {
    const struct rc_incident_item *items; /* borrowed until the next look ends */
    size_t count;
    int64_t age_ms;    /* -1 = never read */
    const char *error; /* why it could not be read, "" = well */
};
void rc_standby_view(const struct rc_standby *s, struct rc_standby_view *ret);

#endif
