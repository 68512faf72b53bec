/* watch_check.h - "nodewatch check": one look at everything.
 *
 * Exit status: 0 well, 1 a fault, 2 something could not be looked at. For a prolog
 * (config.prolog) unknown is well, and only what makes the node guilty is a fault: a prolog
 * that fails drains its node, and a file server that is ill would so drain them all.
 *
 * What the agent that runs beside it knows is read from its state file, where that is of this boot:
 * a GPU that was there and has gone is missed here too. With `news`, what the node was drained for
 * already is a note: a person who took the node back has seen it. */
#ifndef RC_WATCH_CHECK_H
#define RC_WATCH_CHECK_H

#include "reconciler/watch/probe.h"

struct rc_check {
    struct rc_probe_config probe;
    uint32_t timeout_ms; /* no probe may take longer; 0 = as in its row */
    bool json;
    bool prolog;
    bool news;         /* only what the agent has not drained the node for */
    const char *state; /* the agent's file, which may be missing */
};

/* Prints to stdout; returns the exit status. */
int rc_watch_check(const struct rc_check *c);

#endif
