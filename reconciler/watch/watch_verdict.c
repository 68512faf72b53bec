/* watch_verdict.c - see watch_verdict.h. The table is policies/classes.c (and xids.c), which the
 * daemon reads too: one row a class, with its source. */
#include "reconciler/watch/watch_verdict.h"

#include <string.h>

#include "policies/classes.h"

enum rc_verdict_of
rc_watch_verdict(const char *class_name)
{
    struct rc_class c = rc_class_of(class_name);

    if (strcmp(class_name, "log:overrun") == 0) {
        return RC_VERDICT_TELL; /* no fault, but people must know that faults may be missing */
    }
    if (c.fault == RC_FAULT_NONE) {
        return RC_VERDICT_NOTHING;
    }
    return c.drain ? RC_VERDICT_DRAIN : RC_VERDICT_TELL;
}
