/* watch_probes.h - the probes by their periods, on the event loop. */
#ifndef RC_WATCH_PROBES_H
#define RC_WATCH_PROBES_H

#include "reconciler/watch/probe.h"

struct event_base;
struct rc_watch_probes;

/* Called once for a fault when it appears; again only after it was gone for a look. */
typedef void(rc_watch_fault_fn)(void *arg, const char *class_name, const char *device,
                                const char *text);

/* Called once when a look no longer finds what was told. */
typedef void(rc_watch_over_fn)(void *arg, const char *class_name, const char *device);

struct rc_watch_ears {
    rc_watch_fault_fn *on_fault;
    rc_watch_over_fn *on_over;
    void *arg;
};

/* NULL: no memory. config is copied (its strings are not). */
struct rc_watch_probes *rc_watch_probes_new(struct event_base *base,
                                            const struct rc_probe_config *config,
                                            const struct rc_watch_ears *ears);
/* The kernel log speaks of a file system, or of tasks that hang: are they there, are they back?
 * Looks at the file systems soon. p may be NULL. */
void rc_watch_probes_ask_mounts(struct rc_watch_probes *p);
/* NULL is accepted. */
void rc_watch_probes_free(struct rc_watch_probes *p);

#endif
