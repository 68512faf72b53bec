/* life.h - which phase may follow which, as labelled rows; one setter. */
#ifndef RC_LIFE_H
#define RC_LIFE_H

#include <stddef.h>

#include "reconciler/core/incident.h"

struct rc_life_row {
    enum rc_phase from, to;
    const char *why;
};

const struct rc_life_row *rc_life_rows(size_t *ret_count);
/* NULL when no row allows it. */
const struct rc_life_row *rc_life_row(enum rc_phase from, enum rc_phase to);

#endif
