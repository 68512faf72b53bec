/* fleet_check.c - the checkers at scale: what must never happen, judged by the truth of
 * the world and counted anew, never by what the core believes to be allowed.
 *
 * Beside simulator/check_*.c, which look at small clusters with two controllers: here
 * stands one, so that a take-over cannot be wrong. The twin steps the same events and must
 * decide the same. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "simulator/fleet/fleet_private.h"

enum {
    RING = 512,
    INCIDENTS = 64, /* places at first */
    POLL_AND_WAY_MS = 45 * RC_FLEET_SECOND,
    /* A launch that got lost on its way counts from its first try on. */
    RETRIES_MS = 40 * RC_FLEET_MINUTE,
    TWIN_HASH_EVERY = 1 << 20 /* steps between two comparisons of the whole states */
};

/* An incident as the step before left it. */
struct stood {
    uint32_t held;  /* its id while it has taken its node, otherwise 0 */
    uint32_t aside; /* it was in quarantine */
};

struct rc_fleet_check {
    int64_t launch_ms[RING], destructive_ms[RING], opened_ms[RING];
    uint32_t launches, destructive, opened, newest;
    int64_t tripped_ms, last_open_ms;
    uint8_t *proved; /* by node */
    uint64_t steps;
    struct stood *stood; /* by the core's slot of an incident */
    uint32_t stood_room;
};

bool
rc_fleet_check_open(struct rc_fleet *f)
{
    if (!f->c->checks) {
        return true;
    }
    f->check = calloc(1, sizeof *f->check);
    if (f->check) {
        f->check->proved = calloc(f->c->nodes, 1);
        f->check->stood = calloc(INCIDENTS, sizeof *f->check->stood);
        f->check->stood_room = INCIDENTS;
    }
    return f->check && f->check->proved && f->check->stood;
}

void
rc_fleet_check_close(struct rc_fleet *f)
{
    if (f->check) {
        free(f->check->proved);
        free(f->check->stood);
    }
    free(f->check);
}

static void __attribute__((format(printf, 2, 3))) found(struct rc_fleet *f, const char *fmt, ...)
{
    va_list ap;

    if (!f->r.check_faults++) {
        int len = snprintf(f->r.text, sizeof f->r.text, "at %lld s: ", (long long)f->now_ms / 1000);
        va_start(ap, fmt);
        vsnprintf(f->r.text + len, sizeof f->r.text - (size_t)len, fmt, ap);
        va_end(ap);
    }
}

static const char *
name_of(const struct rc_action *a)
{
    return rc_action_name((enum rc_action_kind)a->kind);
}

/* ---- limits ---- */

static void
recount(struct rc_fleet *f, int64_t *ring, uint32_t *count, uint32_t limit, int64_t window_ms,
        const char *what)
{
    if (limit && limit <= RING && *count >= limit &&
        f->now_ms - ring[(*count - limit) % RING] < window_ms) {
        found(f, "more than %u %s within an hour", limit, what);
    }
    ring[(*count)++ % RING] = f->now_ms;
}

/* Replacements that never served are ended whatever the rates say: they cost money. */
static bool
ends_unserved(const struct rc_action *a)
{
    return a->kind == RC_ACT_TERMINATE && strstr(a->text, "before it served") != NULL;
}

static void
count_opened(struct rc_fleet *f)
{
    struct rc_fleet_check *k = f->check;
    const struct rc_limits_policy *l = &f->c->policy->limits;
    uint32_t allowed = rc_limit_allows(&l->breaker, f->c->nodes), recent = 0;

    k->opened_ms[k->opened++ % RING] = f->now_ms;
    for (uint32_t i = 0; i < RING && i < k->opened; i++) {
        recent += f->now_ms - k->opened_ms[i] <= l->breaker_window_ms;
    }
    k->last_open_ms = f->now_ms;
    if (!l->breaker_off && recent > allowed && !k->tripped_ms) {
        k->tripped_ms = f->now_ms;
    }
}

static bool
has_taken(const struct rc_incident *inc)
{
    return inc->id && inc->node && inc->phase >= RC_PHASE_PROTECT;
}

static struct stood *
stood_at(struct rc_fleet_check *k, uint32_t slot)
{
    if (slot >= k->stood_room) {
        uint32_t room = slot * 2;
        struct stood *more = realloc(k->stood, room * sizeof *more);
        assert(more);
        memset(more + k->stood_room, 0, (room - k->stood_room) * sizeof *more);
        k->stood = more;
        k->stood_room = room;
    }
    return &k->stood[slot];
}

/* Looked at when a node is taken out: what a person added since, such as a node let out of
 * quarantine, is theirs, and an excess without a new node is no find. What was in quarantine
 * when the step began counts as there: it may be let out in this very step, after another
 * was taken. What a restart reads back was taken before. */
static void
check_budget(struct rc_fleet *f, bool judged)
{
    uint32_t out = 0, quarantined = 0, taken = 0;
    uint32_t aside = rc_limit_allows(&f->c->policy->limits.quarantine, f->c->nodes);
    uint32_t allowed = rc_limit_allows(&f->c->policy->limits.out[RC_SCOPE_CLUSTER], f->c->nodes);

    for (uint32_t slot = 1; slot <= f->s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(f->s, slot);
        struct stood *before = stood_at(f->check, slot);
        bool held = has_taken(inc), stayed = held && before->held == inc->id;
        bool is_out = held && rc_fault_is_our_choice(inc->fault) &&
                      !(inc->flags & RC_INC_WITH_JOB) && !rc_node_at(f->s, inc->node)->spare;
        bool is_aside = held && inc->phase == RC_PHASE_QUARANTINE;
        out += is_out;
        taken += is_out && !stayed;
        quarantined += is_out && (is_aside || (stayed && before->aside));
        before->held = held ? inc->id : 0;
        before->aside = is_aside;
    }
    out -= quarantined < aside ? quarantined : aside;
    if (judged && taken && out > allowed) {
        found(f, "%u nodes are taken out, %u are allowed", out, allowed);
    }
}

static void
check_action(struct rc_fleet *f, const struct rc_action *a)
{
    struct rc_fleet_check *k = f->check;
    bool counted = rc_action_irreversible((enum rc_action_kind)a->kind) &&
                   a->kind != RC_ACT_REGISTER && a->kind != RC_ACT_START &&
                   a->kind != RC_ACT_LAUNCH && a->kind != RC_ACT_ASSIGN && !ends_unserved(a);

    if (a->kind == RC_ACT_INCIDENT_PUT && a->u.item.phase == RC_PHASE_OPEN &&
        a->incident > k->newest) {
        k->newest = a->incident;
        if (rc_fleet_node(f, a->node) != RC_SIM_NO_NODE) { /* a spare's place is no node */
            count_opened(f);
        }
    }
    if (k->tripped_ms && rc_action_irreversible((enum rc_action_kind)a->kind) &&
        !ends_unserved(a)) {
        found(f, "%s for %s under an open breaker", name_of(a), a->node);
    }
    if (counted) {
        recount(f, k->destructive_ms, &k->destructive,
                f->c->policy->limits.destructive_per_hour[RC_SCOPE_CLUSTER], RC_FLEET_HOUR,
                "destructive actions");
    }
}

/* ---- the same decision ---- */

static void
check_twin(struct rc_fleet *f)
{
    bool same = f->out.count == f->twin_out.count;

    for (uint32_t i = 0; same && i < f->out.count; i++) {
        /* Actions are zeroed before they are filled. */
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): see above */
        same = memcmp(&f->out.v[i], &f->twin_out.v[i], rc_action_bytes(&f->out.v[i])) == 0;
    }
    if (same && ++f->check->steps % TWIN_HASH_EVERY == 0) {
        same = rc_state_hash(f->s) == rc_state_hash(f->twin);
    }
    if (!same) {
        found(f, "the same events gave another decision");
    }
}

void
rc_fleet_check_step(struct rc_fleet *f, const struct rc_event *ev)
{
    struct rc_fleet_check *k = f->check;
    struct rc_letter *l = ev->msg ? &f->letter[ev->msg % RC_FLEET_MESSAGES] : NULL;
    int64_t reset_ms = f->c->policy->limits.breaker_reset_ms;
    bool entered = false;

    check_twin(f);
    if (ev->kind == RC_EV_ADOPT && ev->u.adopt.incident > k->newest) {
        k->newest = ev->u.adopt.incident;
    }
    if (ev->kind == RC_EV_OPERATOR && ev->u.operator_command.verb == RC_OP_BREAKER_RESET) {
        k->tripped_ms = 0;
    }
    if (k->tripped_ms && reset_ms && f->now_ms - k->last_open_ms >= reset_ms) {
        k->tripped_ms = 0;
    }
    for (uint32_t i = 0; i < f->out.count; i++) {
        const struct rc_action *a = &f->out.v[i];
        bool put = a->kind == RC_ACT_INCIDENT_PUT;
        entered |= put;
        check_action(f, a);
        if (put && l && l->msg == ev->msg && !a->u.item.close &&
            l->puts < sizeof l->put_action / sizeof l->put_action[0]) {
            l->put_incident[l->puts] = a->incident;
            l->put_action[l->puts++] = a->id;
        }
    }
    if (entered || ev->kind == RC_EV_ADOPT) {
        check_budget(f, ev->kind != RC_EV_ADOPT);
    }
}

/* ---- what leaves the daemon ---- */

void
rc_fleet_check_send(struct rc_fleet *f, const struct rc_action *a)
{
    bool question = a->kind == RC_ACT_LEASE || a->kind == RC_ACT_LOOK || a->kind == RC_ACT_GATE ||
                    a->kind == RC_ACT_TELL || a->kind == RC_ACT_MESSAGE_QUARANTINE;
    uint32_t slot = f->check ? rc_node_find(f->s, a->node) : 0;

    if (!f->check || question) {
        return;
    }
    if (f->now_ms >= f->lease_until_ms - RC_FLEET_LEASE_MARGIN_MS) {
        found(f, "%s is sent without a live lease", name_of(a));
    }
    const struct rc_node *n = slot ? rc_node_at(f->s, slot) : NULL;
    bool changes = a->kind == RC_ACT_RESUME || a->kind == RC_ACT_DOWN || a->kind == RC_ACT_DRAIN;
    if (n && changes && n->owner == RC_OWNER_FOREIGN &&
        n->flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL)) {
        found(f, "%s for %s, drained by somebody else", name_of(a), a->node);
    }
    if (n && a->kind != RC_ACT_INCIDENT_PUT && (n->hold || n->flags & RC_SN_MAINT)) {
        found(f, "%s for %s, which is held", name_of(a), a->node);
    }
}

/* Slurm has no transaction "stop it if it is idle": only a job that had been there before
 * the daemon could last have looked is held against it. */
void
rc_fleet_check_ec2(struct rc_fleet *f, const struct rc_action *a,
                   const struct rc_sim_instance *inst)
{
    uint32_t slot = f->check ? rc_fleet_slot(f, inst) : 0, node = f->host[slot].node;
    const char *cluster = rc_sim_ec2_tag_value(inst, "slurm-on-aws:cluster");

    if (!f->check) {
        return;
    }
    if (!cluster || strcmp(cluster, RC_FLEET_NAME) != 0) {
        found(f, "%s of %s, which is not ours", name_of(a), inst->id);
    }
    if (node == RC_SIM_NO_NODE) {
        return; /* a spare: no name, no job */
    }
    if (a->kind != RC_ACT_TERMINATE) {
        f->check->proved[node] = 0;
    }
    uint32_t job = f->serving[node] == slot ? rc_sim_slurm_holder(f->slurm, node) : RC_SIM_NO_NODE;
    if (job != RC_SIM_NO_NODE && a->kind != RC_ACT_START && inst->state == RC_INST_RUNNING &&
        f->q.job[job].state == RC_JOB_RUNS &&
        f->now_ms - f->q.job[job].start_ms > POLL_AND_WAY_MS) {
        found(f, "%s of %s (%s), where a job runs", name_of(a), inst->id, a->node);
    }
}

static bool
tags_agree(const struct rc_sim_instance *a, const struct rc_sim_instance *b, const char *key)
{
    const char *x = rc_sim_ec2_tag_value(a, key), *y = rc_sim_ec2_tag_value(b, key);

    return x && y && strcmp(x, y) == 0;
}

static bool
is_alive(const struct rc_sim_instance *i)
{
    return i && (i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING);
}

void
rc_fleet_check_launched(struct rc_fleet *f, const struct rc_action *a)
{
    const struct rc_sim_instance *mine = NULL;

    if (!f->check) {
        return;
    }
    recount(f, f->check->launch_ms, &f->check->launches,
            f->c->policy->limits.launches_per_hour[RC_SCOPE_CLUSTER], RC_FLEET_HOUR - RETRIES_MS,
            "launches");
    for (uint32_t slot = 0; slot < f->hosts; slot++) {
        const struct rc_sim_instance *i = rc_sim_ec2_at(f->ec2, slot);
        const char *name = is_alive(i) ? rc_sim_ec2_tag_value(i, "slurm-on-aws:node") : NULL;
        if (!name || strcmp(name, a->node) != 0) {
            continue;
        }
        if (mine && tags_agree(mine, i, "slurm-on-aws:incident") &&
            tags_agree(mine, i, "slurm-on-aws:attempt")) {
            found(f, "%s and %s both serve attempt %s of incident %s of %s", mine->id, i->id,
                  rc_sim_ec2_tag_value(i, "slurm-on-aws:attempt"),
                  rc_sim_ec2_tag_value(i, "slurm-on-aws:incident"), a->node);
        }
        mine = rc_sim_ec2_tag_value(i, "slurm-on-aws:incident") ? i : mine;
    }
}

void
rc_fleet_check_register(struct rc_fleet *f, const struct rc_action *a)
{
    const struct rc_sim_instance *inst =
        f->check ? rc_sim_ec2_find(f->ec2, rc_fleet_wall(f), a->instance) : NULL;
    const char *name = inst ? rc_sim_ec2_tag_value(inst, "slurm-on-aws:node") : NULL;

    if (!f->check) {
        return;
    }
    f->check->proved[rc_fleet_node(f, a->node)] = 0;
    if (!name || strcmp(name, a->node) != 0 || strcmp(inst->addr, a->u.reg.addr) != 0) {
        found(f, "%s gets address %s, which is not that of %s", a->node, a->u.reg.addr,
              a->instance);
    }
}

void
rc_fleet_check_gate(struct rc_fleet *f, const struct rc_action *a, enum rc_err verdict)
{
    if (f->check) {
        f->check->proved[rc_fleet_node(f, a->node)] = verdict == RC_OK;
    }
}

void
rc_fleet_check_resume(struct rc_fleet *f, const struct rc_action *a)
{
    if (f->check && !f->check->proved[rc_fleet_node(f, a->node)]) {
        found(f, "%s is resumed, and no gate has proved it", a->node);
    }
}

void
rc_fleet_check_delete(struct rc_fleet *f, const struct rc_letter *l)
{
    for (uint32_t i = 0; f->check && i < l->puts; i++) {
        const struct rc_store_row *row = rc_store_find(f, l->put_incident[i]);
        uint32_t slot = rc_incident_find(f->s, l->put_incident[i]);
        bool closing = slot && !rc_incident_at(f->s, slot)->node;
        if (!closing && (row ? row->action < l->put_action[i] : slot != 0)) {
            found(f, "message %llu is deleted, but incident %u is not saved",
                  (unsigned long long)l->msg, l->put_incident[i]);
        }
    }
}

void
rc_fleet_check_forget(struct rc_fleet *f)
{
    if (f->check) {
        f->check->launches = f->check->destructive = f->check->opened = 0;
        f->check->newest = 0;
        f->check->tripped_ms = 0;
        memset(f->check->stood, 0, f->check->stood_room * sizeof *f->check->stood);
    }
}

/* An instance that lives for nobody costs money: not behind its name, and no incident wants
 * it, for half a day. */
static void
check_leftovers(struct rc_fleet *f)
{
    for (uint32_t slot = 0; slot < rc_sim_ec2_slots(f->ec2); slot++) {
        const struct rc_sim_instance *i = rc_sim_ec2_at(f->ec2, slot);
        const struct rc_host *h = &f->host[slot];
        uint32_t core = is_alive(i) && h->node != RC_SIM_NO_NODE ? rc_score_core(f, h->node) : 0;
        if (core && f->serving[h->node] != slot && !rc_node_at(f->s, core)->incident &&
            rc_fleet_wall(f) - i->launched_ms > RC_FLEET_DAY / 2) {
            found(f, "%s, launched for n%u, lives and serves nobody since %lld h", i->id,
                  h->node + 1, (long long)(rc_fleet_wall(f) - i->launched_ms) / RC_FLEET_HOUR);
        }
    }
}

/* The end of the span is no quiet time; what must be true of any moment is looked at. */
void
rc_fleet_check_end(struct rc_fleet *f)
{
    uint32_t away = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL, forgotten = 0;

    if (!f->check) {
        return;
    }
    for (uint32_t node = 0; node < f->c->nodes; node++) {
        const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, node);
        uint32_t slot = rc_node_find(f->s, n->name);
        bool ours = rc_sim_reason_ours(n->reason) && strncmp(n->reason, "rc:0 ", 5) != 0;
        forgotten += n->flags & away && ours && !(slot && rc_node_at(f->s, slot)->incident) &&
                     f->now_ms + RC_FLEET_WALL_MS - n->reason_ms > RC_FLEET_DAY;
    }
    check_leftovers(f);
    if (forgotten) {
        found(f, "%u nodes are drained by us for more than a day without an incident", forgotten);
    }
}
