/* check_same_decision.c - never: the same journal gives another decision. When a life of a
 * controller ends, its twin begins where that life began and steps the same events: every step
 * must decide the same. What depends on anything else differs. */
#include <string.h>

#include "simulator/check.h"

static bool
same_action(const struct rc_journal_row *row, const struct rc_action *a)
{
    /* Actions are zeroed before they are filled. */
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
    return row->is_action && memcmp(&row->u.action, a, rc_action_bytes(a)) == 0;
}

static void
tell_difference(struct rc_ctl *c, const struct rc_journal_row *row, uint32_t twin)
{
    rc_play_fail(c->p, RC_FOUND_SAME_DECISION,
                 "head%u at %lld ms of its time, after %s: action %u of its twin is another one",
                 c->index + 1, (long long)row->u.event.at_ms,
                 rc_event_name((enum rc_event_kind)row->u.event.kind), twin + 1);
}

/* The actions of one step, from this byte on; ret_end: of the next event. */
static uint32_t
first_difference(const struct rc_ctl *c, const struct rc_actions *twin, size_t at, size_t *ret_end)
{
    uint32_t same = 0;

    while (same < twin->count && at < c->journal_bytes &&
           same_action(rc_journal_at(c, at), &twin->v[same])) {
        at += rc_journal_at(c, at)->bytes;
        same++;
    }
    *ret_end = at;
    return same;
}

void
rc_check_same_decision(struct rc_ctl *c, struct rc_state *twin)
{
    static struct rc_actions out; /* large; written before it is read */
    size_t at = 0;

    while (at < c->journal_bytes && !c->p->over) {
        const struct rc_journal_row *row = rc_journal_at(c, at);
        rc_step(twin, &row->u.event, &out);
        uint32_t same = first_difference(c, &out, at + row->bytes, &at);
        if (same < out.count || (at < c->journal_bytes && rc_journal_at(c, at)->is_action)) {
            tell_difference(c, row, same);
        }
    }
}
