/* standing.c - see standing.h.
 *
 * Invariant: faults rise along the list and their times never fall, so what is dropped for a
 * lesser fault is older the further down it stood. A full list forgets the last but one: that
 * fault then counts from when the worse one came, which is later, never earlier. */
#include "reconciler/core/standing.h"

void
rc_standing_cut(struct rc_standing *st, uint32_t fault)
{
    for (uint32_t i = 0; i < RC_STANDING_MAX; i++) {
        if (st->fault[i] > fault) {
            st->fault[i] = 0;
            st->since_ms[i] = 0;
        }
    }
}

int64_t
rc_standing_note(struct rc_standing *st, uint32_t fault, int64_t now_ms)
{
    int64_t since_ms = now_ms;
    uint32_t count = 0;

    while (count < RC_STANDING_MAX && st->fault[count]) {
        count++;
    }
    while (count && st->fault[count - 1] >= fault) {
        since_ms = st->since_ms[--count];
        st->fault[count] = 0;
        st->since_ms[count] = 0;
    }
    if (!fault) {
        return now_ms;
    }
    count = count < RC_STANDING_MAX ? count : RC_STANDING_MAX - 1;
    st->fault[count] = fault;
    st->since_ms[count] = since_ms;
    return since_ms;
}
