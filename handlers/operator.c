/* operator.c - a person said something through the control socket: hold or
 * release a node, approve an incident, pause, resume, reset the breaker. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/timers.h"

static void
hold(struct rc_state *s, const char *name, uint32_t held)
{
    uint32_t node = rc_node_get(s, name);

    if (node) {
        rc_node_at(s, node)->hold = held;
        rc_history_said(s, node);
        rc_touch(s, node);
    }
}

/* Out of quarantine an approval means another try of the whole ladder. */
static void
approve(struct rc_state *s, uint32_t id)
{
    uint32_t slot = rc_incident_find(s, id);

    if (!slot || !rc_incident_at(s, slot)->node) {
        return;
    }
    struct rc_incident *inc = rc_incident_at(s, slot);
    inc->flags |= RC_INC_APPROVED;
    if (inc->phase == RC_PHASE_QUARANTINE) {
        struct rc_node *n = rc_node_at(s, inc->node);
        inc->flags |= RC_INC_REOPENED;
        n->repair_count = 0;
        memset(n->repair_ms, 0, sizeof n->repair_ms);
        rc_history_dirty(s, inc->node);
    }
    rc_touch(s, inc->node);
}

/* Taken only when it can be begun now: nobody wants a fail-over hours later. */
static void
want_primary(struct rc_state *s, const char *host)
{
    uint32_t to = rc_pair_find(&s->pair, host);
    char why[RC_TEXT_LEN];

    if (!*host && s->pair.primary) {
        to = 2 - s->pair.primary;
    }
    if (to < RC_CONTROLLERS_MAX && rc_pair_may(s, to, why, sizeof why)) {
        s->pair.wanted = to + 1;
        s->pair.wanted_ms = s->now_ms;
    }
}

static void
operator_apply(struct rc_state *s, const struct rc_event *ev)
{
    switch ((enum rc_operator_verb)ev->u.operator_command.verb) {
    case RC_OP_HOLD:
        hold(s, ev->node, 1);
        break;
    case RC_OP_RELEASE:
        hold(s, ev->node, 0);
        break;
    case RC_OP_APPROVE:
        approve(s, ev->u.operator_command.incident);
        break;
    case RC_OP_PAUSE:
        s->paused = 1;
        rc_history_said(s, 0);
        break;
    case RC_OP_RESUME:
        s->paused = 0;
        rc_history_said(s, 0);
        rc_touch_all(s);
        break;
    case RC_OP_BREAKER_RESET:
        s->breaker_open = 0;
        rc_history_dirty(s, 0);
        s->breaker_rate.count = 0; /* the storm was judged by a person: count anew */
        s->recheck = 1;
        break;
    case RC_OP_FAILOVER:
        want_primary(s, ev->node);
        break;
    case RC_OP_UNKNOWN:
    case RC_OP__MAX:
        break;
    }
}

const struct rc_handler rc_handler_operator = {RC_EV_OPERATOR, operator_apply};
