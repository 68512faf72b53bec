/* watch_probes.h - the probes by their periods, on the event loop. */
#ifndef RC_WATCH_PROBES_H
#define RC_WATCH_PROBES_H

#include "reconciler/watch/probe.h"

struct event_base;
struct rc_watch_probes;

/* Called once for a fault when it appears; again only after it was gone for a look, or when the
 * counter that it tells of has moved (0 = it tells of none). */
typedef void(rc_watch_fault_fn)(void *arg, const char *class_name, const char *device,
                                const char *text, uint64_t counted);

/* Called once when a look no longer finds what was told. */
typedef void(rc_watch_over_fn)(void *arg, const char *class_name, const char *device);

/* Called when more of something was seen than ever in this boot (config.seen). */
typedef void(rc_watch_seen_fn)(void *arg);

struct rc_watch_ears {
    rc_watch_fault_fn *on_fault;
    rc_watch_over_fn *on_over;
    rc_watch_seen_fn *on_seen;
    void *arg;
};

/* NULL: no memory. config is copied (its strings are not). */
struct rc_watch_probes *rc_watch_probes_new(struct event_base *base,
                                            const struct rc_probe_config *config,
                                            const struct rc_watch_ears *ears);
/* The kernel log speaks of what this probe looks at: it looks soon. p may be NULL. */
void rc_watch_probes_ask(struct rc_watch_probes *p, rc_probe_fn *probe);
/* NULL is accepted. */
void rc_watch_probes_free(struct rc_watch_probes *p);

#endif
