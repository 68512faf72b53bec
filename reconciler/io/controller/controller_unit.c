/* controller_unit.c - what systemd is about to do with slurmctld. A start that admit let in
 * before the mark stood has no process of that name yet, and would have one after the fence. */
#include <string.h>

#include "reconciler/io/controller/controller_helper.h"

static bool
has_value(const char *output, const char *key, const char *value)
{
    const char *at = strstr(output, key);

    return at && strncmp(at + strlen(key), value, strlen(value)) == 0;
}

/* What is restarted later, or is ending, goes through admit again. An active one has a process,
 * or is about to (Type=simple counts as active before the program runs). */
int
rc_ctl_unit_judge(const char *output)
{
    static const char active[] = "ActiveState=", sub[] = "SubState=";

    if (!output || !strstr(output, active) || !strstr(output, sub)) {
        return RC_UNIT_UNKNOWN;
    }
    if (has_value(output, active, "inactive") || has_value(output, active, "failed") ||
        has_value(output, active, "deactivating") || has_value(output, sub, "auto-restart")) {
        return RC_UNIT_RESTS;
    }
    return RC_UNIT_MOVES;
}
