/* note.c - folds an emitted action into the state: what is in flight, what was
 * counted, which phase was entered. Restart calls it for every action of the
 * journal, so nothing that decide wants to remember may live anywhere else. */
#include <assert.h>
#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/life.h"
#include "reconciler/core/spare.h"
#include "reconciler/core/suspect.h"
#include "reconciler/core/timers.h"
#include "reconciler/core/turn.h"

int64_t
rc_backoff_ms(const struct rc_state *s, uint64_t id, uint32_t retries)
{
    const struct rc_timeouts_policy *t = &s->policy.timeouts;
    uint64_t mix = rc_hash_bytes(s->seed, &id, sizeof id);
    int64_t ceiling = t->retry_min_ms << (retries < 16 ? retries : 16);

    if (ceiling > t->retry_max_ms || ceiling <= 0) {
        ceiling = t->retry_max_ms;
    }
    /* Full jitter, but never below the floor: a hot loop helps nobody. */
    int64_t span = ceiling - t->retry_min_ms;
    return t->retry_min_ms + (span > 0 ? (int64_t)(mix % (uint64_t)span) : 0);
}

static void
begin_incident(struct rc_state *s, const struct rc_action *a)
{
    uint32_t node = rc_node_find(s, a->node), slot = rc_incident_new(s, a->incident);

    assert(node && slot);
    struct rc_incident *inc = rc_incident_at(s, slot);
    struct rc_node *n = rc_node_at(s, node);
    assert(!n->incident);
    n->incident = slot;
    inc->node = node;
    inc->opened_ms = s->now_ms;
    inc->opened_wall_ms = a->u.item.opened_wall_ms;
    inc->old_instance = n->instance;
    n->opened_ms[n->opened_count++ % RC_ATTEMPTS_MAX] = s->now_ms;
    rc_history_dirty(s, node);
    s->counters.incidents_opened++;
    if (a->incident >= s->next_incident) {
        s->next_incident = a->incident + 1;
    }
}

static void
take_rule(struct rc_state *s, struct rc_incident *inc, const char *name)
{
    const struct rc_rule *rule = NULL;

    if (strcmp(inc->rule.name, name) == 0) {
        return; /* as it was when the incident met it, whatever was loaded since */
    }
    /* Another fault, another plan for the jobs: they get its signals and its time. */
    inc->ruled_ms = s->now_ms;
    inc->flags &= ~(uint32_t)(RC_INC_SIGNALLED | RC_INC_SIGNALLED_LAST | RC_INC_TOLD_WAIT);
    rule = rc_rule_named(s, name);
    if (rule) {
        memcpy(&inc->rule, rule, sizeof inc->rule);
        return;
    }
    rc_text_set(inc->rule.name, sizeof inc->rule.name, name); /* no rungs: quarantine */
}

static void
enter_phase(struct rc_state *s, struct rc_incident *inc, enum rc_phase to)
{
    uint32_t per_phase = RC_INC_ACCEPTED | RC_INC_FAILED | RC_INC_TOLD_STUCK | RC_INC_REOPENED;

    assert(rc_life_row((enum rc_phase)inc->phase, to));
    inc->phase = to;
    inc->phase_ms = s->now_ms;
    inc->phase_at = s->folds;
    inc->phase_wall_ms = s->now_wall_ms;
    if (to == RC_PHASE_RESET || to == RC_PHASE_REBOOT || to == RC_PHASE_STOP ||
        to == RC_PHASE_LAUNCH) {
        inc->rung_wall_ms = s->now_wall_ms;
    }
    inc->flags &= ~per_phase;
    inc->retries = inc->launch_retries = 0;
    inc->next_try_ms = inc->launch_next_ms = 0;
    if (to == RC_PHASE_PROTECT) { /* also when a fault comes back after the return */
        inc->flags &= ~(uint32_t)(RC_INC_DRAINED | RC_INC_SIGNALLED | RC_INC_SIGNALLED_LAST |
                                  RC_INC_REQUEUED);
        inc->drain_ack_ms = 0;
        inc->drain_ack_at = 0;
        if (rc_fault_is_hardware(inc->fault) && !(inc->flags & RC_INC_MARKED)) {
            inc->flags |= RC_INC_MARKED; /* once, however often its cause is told worse */
            rc_lemon_mark(s, inc->node, RC_MARK_OUT);
        }
    }
    if (to == RC_PHASE_RETURN) {
        inc->flags &=
            ~(uint32_t)(RC_INC_MARKED | RC_INC_LOST_JOBS); /* out again after this: another time */
    }
    inc->action = 0; /* a late completion of the phase before is dropped */
    if (to == RC_PHASE_RETIRE) {
        inc->terminate_action = 0; /* that was about another instance */
    }
}

static void
close_incident(struct rc_state *s, uint32_t slot, int64_t deadline_ms)
{
    struct rc_incident *inc = rc_incident_at(s, slot);
    struct rc_node *n = rc_node_at(s, inc->node);

    rc_spare_release(s, inc);
    rc_budget_count(s, slot, false);
    n->cooldown_until_ms = s->now_ms + s->policy.limits.cooldown_ms;
    memset(&n->standing, 0, sizeof n->standing);
    if (inc->flags & RC_INC_YIELDED) {
        n->yielded_fault = inc->fault;
    }
    rc_history_dirty(s, inc->node);
    n->incident = 0;
    s->counters.incidents_closed++;
    inc->node = 0; /* the slot lives until the deletion of its item is confirmed */
    if (!s->closed_retry_ms || deadline_ms < s->closed_retry_ms) {
        s->closed_retry_ms = deadline_ms;
    }
}

/* The node leads to its open incident; only closed ones must be searched. */
static uint32_t
slot_of(const struct rc_state *s, const struct rc_action *a)
{
    uint32_t node = a->incident ? rc_node_find(s, a->node) : 0;
    uint32_t slot = node ? rc_node_at(s, node)->incident : 0;

    if (slot && rc_incident_at(s, slot)->id == a->incident) {
        return slot;
    }
    return a->incident && a->incident < s->next_incident ? rc_incident_find(s, a->incident) : 0;
}

/* The intent to take this spare; a launched replacement stands there already. */
static void
name_spare(struct rc_state *s, struct rc_incident *inc, const char *id)
{
    uint32_t slot = rc_instance_find(s, id);

    if (slot) {
        inc->new_instance = slot;
        rc_instance_at(s, slot)->promised = inc->id;
    }
}

/* The node's history tells the next leader since when there was a fault, not since when its
 * agent had drained it for something less: what holds an open breaker open is the newest fault.
 * (Of an adopted incident the history has been counted as the store told it.) */
static void
date_opening(struct rc_state *s, const struct rc_incident *inc)
{
    struct rc_node *n = rc_node_at(s, inc->node);
    uint32_t newest = n->opened_count ? n->opened_count - 1 : n->opened_count++;
    int64_t *opened_ms = &n->opened_ms[newest % RC_ATTEMPTS_MAX];

    if (inc->flags & RC_INC_ADOPTED) {
        rc_rate_remove(&s->breaker_rate, *opened_ms);
    }
    *opened_ms = s->now_ms;
    rc_history_dirty(s, inc->node);
}

/* Once an incident; a drain that is only to be proved and undone is no new fault. */
static void
count_in_breaker(struct rc_state *s, struct rc_incident *inc, uint32_t fault)
{
    if (inc->flags & RC_INC_IN_BREAKER || fault == RC_FAULT_AGENT_DRAIN || !inc->node ||
        rc_node_at(s, inc->node)->spare) {
        return;
    }
    inc->flags |= RC_INC_IN_BREAKER;
    date_opening(s, inc);
    if (rc_breaker_incident(s)) {
        rc_history_dirty(s, 0);
    }
}

static void
note_item(struct rc_state *s, const struct rc_action *a)
{
    uint32_t slot = slot_of(s, a);
    const struct rc_act_incident *item = &a->u.item;

    if (!slot) {
        begin_incident(s, a);
        slot = slot_of(s, a);
    }
    struct rc_incident *inc = rc_incident_at(s, slot);
    inc->put_action = a->id;
    inc->item_flags = item->flags;
    rc_unsaved_add(s, slot, a->id);
    if (!inc->node) {
        return; /* closed before: only the deletion is tried again */
    }
    take_rule(s, inc, item->rule);
    if (item->flags & RC_ADOPT_OUR_DRAIN) {
        inc->flags |= RC_INC_DRAINED;
    }
    if (item->flags & RC_ADOPT_YIELDED) {
        inc->flags |= RC_INC_YIELDED;
    }
    if (item->flags & RC_ADOPT_WITH_JOB) {
        inc->flags |= RC_INC_WITH_JOB;
    }
    count_in_breaker(s, inc, item->fault);
    inc->fault = item->fault;
    memcpy(inc->code, item->code, sizeof inc->code);
    memcpy(inc->old_id, item->old_instance, sizeof inc->old_id);
    memcpy(inc->new_id, item->new_instance, sizeof inc->new_id);
    inc->rung = item->rung;
    inc->rung_tries = item->tries;
    if (inc->attempt != item->attempt) {
        rc_spare_release(s, inc);
        inc->tried_ms = s->now_ms;
        inc->attempt = item->attempt;
        /* Another try is another repair, whatever room the one before found. */
        inc->flags &= ~(uint32_t)(RC_INC_MISMATCH | RC_INC_NO_CAPACITY);
        inc->launch_counted = 0;
        inc->option = 0;
        inc->new_instance = 0;
        inc->launch_action = 0;
    }
    if (*item->new_instance && !inc->new_instance) {
        name_spare(s, inc, item->new_instance);
    }
    if (inc->phase != item->phase) {
        enter_phase(s, inc, (enum rc_phase)item->phase);
    }
    if (inc->phase >= RC_PHASE_PROTECT && inc->phase < RC_PHASE_CLOSED &&
        rc_fault_is_our_choice(inc->fault) && !rc_node_at(s, inc->node)->spare) {
        s->taken_ms = inc->flags & RC_INC_COUNTED ? s->taken_ms : s->now_ms;
        rc_budget_count(s, slot, true);
    }
    rc_budget_aside(s, slot);
    if (item->close) {
        close_incident(s, slot, a->deadline_ms);
    }
}

/* Which of the incident's hands holds this action. */
static uint64_t *
hand_of(struct rc_incident *inc, enum rc_action_kind kind)
{
    switch (kind) {
    case RC_ACT_INCIDENT_PUT:
        return &inc->put_action;
    case RC_ACT_LAUNCH:
    case RC_ACT_ASSIGN:
        return &inc->launch_action;
    case RC_ACT_JOBS_SIGNAL:
    case RC_ACT_JOBS_REQUEUE:
        return &inc->jobs_action;
    case RC_ACT_LOOK:
        return &inc->look_action;
    case RC_ACT_TERMINATE:
        return &inc->terminate_action;
    case RC_ACT_DRAIN:
    case RC_ACT_DOWN:
    case RC_ACT_RESUME:
    case RC_ACT_STOP:
    case RC_ACT_START:
    case RC_ACT_REBOOT:
    case RC_ACT_REGISTER:
    case RC_ACT_GATE:
    case RC_ACT_GPU_RESET:
        return &inc->action;
    case RC_ACT_FORENSICS:
    case RC_ACT_SUPPORT_CASE:
        return &inc->evidence_action;
    case RC_ACT_JOB_HOLD:
    case RC_ACT_JOBS_INCLUDE:
    case RC_ACT_NONE:
    case RC_ACT_HISTORY_PUT:
    case RC_ACT_MESSAGE_DELETE:
    case RC_ACT_MESSAGE_QUARANTINE:
    case RC_ACT_LEASE:
    case RC_ACT_TELL:
    case RC_ACT_FAILOVER:
    case RC_ACT_FENCE:
    case RC_ACT_CONTROLLER_START:
    case RC_ACT_TAKEOVER:
    case RC_ACTION__MAX:
        break;
    }
    return NULL;
}

/* The same spare asked for again is no other repair. */
static bool
asks_first(struct rc_state *s, const struct rc_action *a)
{
    uint32_t slot = rc_instance_find(s, a->instance);
    bool first = slot && !rc_instance_at(s, slot)->asked;

    if (slot) {
        rc_instance_at(s, slot)->asked = 1;
    }
    return first;
}

static void
note_repair(struct rc_state *s, struct rc_incident *inc, const struct rc_action *a)
{
    enum rc_action_kind kind = (enum rc_action_kind)a->kind;
    struct rc_node *n = rc_node_at(s, inc->node);
    bool first = kind == RC_ACT_LAUNCH || kind == RC_ACT_REBOOT || kind == RC_ACT_STOP ||
                 kind == RC_ACT_GPU_RESET || (kind == RC_ACT_ASSIGN && asks_first(s, a));

    /* Another round after "no capacity anywhere" is no other repair. */
    bool again = kind == RC_ACT_LAUNCH   ? inc->launch_counted != 0
                 : kind == RC_ACT_ASSIGN ? inc->launch_retries != 0
                                         : inc->retries != 0;
    if (first && !again && !inc->option && !(inc->flags & RC_INC_NO_CAPACITY)) {
        n->repair_ms[n->repair_count++ % RC_ATTEMPTS_MAX] = s->now_ms;
        rc_history_dirty(s, inc->node);
    }
    if (kind == RC_ACT_REBOOT) {
        inc->boot_after_wall_ms = rc_boot_after(n, s->now_wall_ms);
    }
    if (kind == RC_ACT_LOOK) {
        inc->looked = rc_instance_find(s, a->instance);
    }
    if (kind == RC_ACT_JOBS_SIGNAL) {
        bool last = rc_jobs_last_signal_at(s, inc) <= s->now_ms; /* the first may be it already */
        inc->flags |= RC_INC_SIGNALLED | (last ? (uint32_t)RC_INC_SIGNALLED_LAST : 0U);
    }
    if (kind == RC_ACT_FORENSICS) {
        inc->flags |= RC_INC_EVIDENCE;
    }
    if (kind == RC_ACT_SUPPORT_CASE) {
        bool open = n->group && s->cluster.group[n->group - 1].capacity == RC_CAPACITY_OPEN;
        bool parks =
            open && *a->u.support.before; /* else it keeps its successor out of the reservation */
        uint32_t instance = parks ? rc_instance_find(s, a->instance) : 0;
        inc->flags |= RC_INC_CASE;
        if (instance) {
            rc_instance_at(s, instance)->parked = 1;
        }
        rc_lemon_mark(s, inc->node, RC_MARK_TICKET);
    }
    bool lost = kind == RC_ACT_JOBS_REQUEUE || (kind == RC_ACT_DOWN && n->flags & RC_SN_ALLOCATED);
    if (lost && rc_fault_is_hardware(inc->fault) && !(inc->flags & RC_INC_LOST_JOBS)) {
        inc->flags |= RC_INC_LOST_JOBS; /* asked again, they are the same jobs */
        rc_lemon_lost(s, inc->node, n->job);
    }
    if (kind == RC_ACT_TERMINATE) {
        uint32_t instance = rc_instance_find(s, a->instance);
        if (instance) {
            rc_instance_at(s, instance)->ending_ms = a->deadline_ms;
        }
    }
    if (kind == RC_ACT_REBOOT || kind == RC_ACT_STOP || kind == RC_ACT_TERMINATE ||
        kind == RC_ACT_GPU_RESET) {
        inc->flags |= RC_INC_BROKEN;
    }
}

/* Asked once more while the last asking stands: its deadline has passed. A decision has seen
 * that and emptied the hand; a restart decides nothing, and learns it here. */
static void
expire_in_hand(struct rc_state *s, struct rc_incident *inc, const uint64_t *hand)
{
    uint32_t slot = rc_flight_find(s, *hand);

    if (!*hand || (hand != &inc->action && hand != &inc->launch_action)) {
        return;
    }
    if (slot) {
        rc_flight_free(s, slot);
    }
    *(hand == &inc->action ? &inc->retries : &inc->launch_retries) += 1;
}

static void
note_flight(struct rc_state *s, const struct rc_action *a, uint32_t slot)
{
    uint32_t flight = rc_flight_new(s, a->id);

    if (!flight) {
        return; /* counted: table_full stops what is destructive */
    }
    struct rc_flight *f = rc_flight_at(s, flight);
    f->kind = a->kind;
    f->msg = a->msg;
    f->deadline_ms = a->deadline_ms;
    f->incident = slot;
    f->incident_id = a->incident;
    f->node = *a->node ? rc_node_find(s, a->node) : 0;
}

static void
note_message(struct rc_state *s, const struct rc_action *a)
{
    struct rc_message *m = rc_message_at(s, (uint32_t)(a->msg % s->messages.room));

    if (m->msg != a->msg) {
        return;
    }
    if (a->kind == RC_ACT_MESSAGE_QUARANTINE) {
        m->barrier = a->id;
    } else {
        m->state = RC_MSG_SEEN;
    }
}

enum { LEFTOVER_EVERY_MS = 3600 * 1000 };

/* Outside any incident: what an earlier one left behind is ended. */
static void
note_leftover(struct rc_state *s, const struct rc_action *a)
{
    uint32_t node = rc_node_find(s, a->node), instance = rc_instance_find(s, a->instance);

    if (instance) {
        rc_instance_at(s, instance)->ending_ms = s->now_ms + LEFTOVER_EVERY_MS;
    }
    if (node) {
        rc_budget_action(s, node, RC_ACT_TERMINATE);
    }
}

/* Requeued jobs stay away from the node for a while; the end of that is asked for until it
 * is answered. */
static void
note_exclusion(struct rc_state *s, const struct rc_action *a)
{
    uint32_t node = rc_node_find(s, a->node);
    uint32_t incident = node ? rc_node_at(s, node)->incident : 0;

    if (node && a->kind == RC_ACT_JOBS_INCLUDE) {
        rc_health_at(s, node)->exclude_until_ms = a->deadline_ms;
    } else if (incident && a->u.jobs.exclude) {
        rc_health_at(s, node)->exclude_until_ms =
            s->now_ms + rc_incident_at(s, incident)->rule.jobs.exclude_ms;
        rc_node_at(s, node)->unwell = 1;
    }
}

void
rc_note(struct rc_state *s, const struct rc_action *a)
{
    enum rc_action_kind kind = (enum rc_action_kind)a->kind;

    s->counters.actions[kind]++;
    if (a->id >= s->next_action) {
        s->next_action = a->id + 1;
    }
    if (kind == RC_ACT_MESSAGE_DELETE || kind == RC_ACT_MESSAGE_QUARANTINE) {
        note_message(s, a);
    }
    if (kind == RC_ACT_LEASE) {
        s->lease_action = a->id;
        s->lease_next_ms = a->deadline_ms;
        return;
    }
    if (kind == RC_ACT_START && rc_instance_find(s, a->instance)) {
        rc_instance_started(s, rc_instance_find(s, a->instance));
    }
    if (!a->incident && *a->node) {
        rc_pair_note(s, a);
    }
    if (kind == RC_ACT_TELL || kind == RC_ACT_MESSAGE_DELETE || kind == RC_ACT_FAILOVER) {
        return;
    }
    if (kind == RC_ACT_INCIDENT_PUT) {
        note_item(s, a);
    }
    if (kind == RC_ACT_HISTORY_PUT) {
        rc_history_note(s, a);
    }
    if (kind == RC_ACT_JOBS_INCLUDE || kind == RC_ACT_JOBS_REQUEUE) {
        note_exclusion(s, a);
    }
    if (kind == RC_ACT_JOB_HOLD) {
        rc_suspect_note(s, a);
    }
    uint32_t slot = slot_of(s, a);
    note_flight(s, a, slot);
    if (kind == RC_ACT_TERMINATE && !a->incident) {
        note_leftover(s, a);
    }
    if (!slot || !rc_incident_at(s, slot)->node) {
        return;
    }
    struct rc_incident *inc = rc_incident_at(s, slot);
    assert(inc);
    uint64_t *hand = hand_of(inc, kind);
    if (hand) {
        expire_in_hand(s, inc, hand);
        *hand = a->id;
    }
    note_repair(s, inc, a);
    if (kind == RC_ACT_LAUNCH && rc_budget_counted(s, inc, a->u.launch.option)) {
        return;
    }
    if (kind == RC_ACT_LAUNCH) {
        inc->launch_counted = a->u.launch.option + 1;
    }
    rc_budget_action(s, inc->node, kind);
}

void
rc_act_send(struct rc_state *s, struct rc_actions *out, struct rc_action *a)
{
    assert(out->count < RC_ACTIONS_MAX);
    a->id = s->next_action;
    a->at_ms = s->now_ms;
    rc_action_copy(&out->v[out->count++], a);
    rc_note(s, a);
}
