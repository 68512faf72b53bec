/* load_rules.c - what must hold between the keys of a policy.
 *
 * A policy that loads never leaves a fault without a rule, has no rule that can never be
 * taken by its name, and no ladder that goes on after it has handed over to a person. */
#include "policies/load_rules.h"

#include <string.h>

#define BIT(fault) (UINT64_C(1) << (fault))
static const uint64_t scheduled_faults =
    BIT(RC_FAULT_SCHEDULED_REBOOT) | BIT(RC_FAULT_SCHEDULED_MAINTENANCE) |
    BIT(RC_FAULT_SCHEDULED_STOP) | BIT(RC_FAULT_RETIREMENT) | BIT(RC_FAULT_CAPACITY_ENDING);

/* Where to point: at the key if it was given, else at the object. */
static const struct rc_jsonc_value *
rule_place(const struct rc_jsonc_value *v, const char *key)
{
    const struct rc_jsonc_value *at = rc_jsonc_get(v, key);

    return at ? at : v;
}

static bool
is_given(const struct rc_jsonc_value *v, const char *key)
{
    return rc_jsonc_get(v, key) != NULL;
}

/* match has no struct of its own: out is the whole rule. */
void
rc_policy_check_match(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    static const char *const patterns[] = {"code", "type", "node"};
    const struct rc_rule *rule = out;

    if (is_given(v, "repeats_of") && !is_given(v, "repeats")) {
        rc_load_error(b->errs, b->file, rule_place(v, "repeats_of"),
                      "there are no \"repeats\" to count");
    }
    if (is_given(v, "repeats") != is_given(v, "repeats_within")) {
        rc_load_error(b->errs, b->file, v, "\"repeats\" and \"repeats_within\" need each other");
    }
    if (rule->age_max_ms > 0 && rule->age_min_ms > rule->age_max_ms) {
        rc_load_error(b->errs, b->file, rule_place(v, "age_max"), "is shorter than age_min");
    }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const struct rc_jsonc_value *p = rc_jsonc_get(v, patterns[i]);
        if (p && (!*p->text || strpbrk(p->text, "[]\\"))) {
            rc_bind_expected(b, p, "a pattern: text in which * is any text and ? one character");
        }
    }
}

static void
check_signal_before(struct rc_bind *b, const struct rc_jsonc_value *v,
                    const struct rc_jobs_plan *jobs)
{
    bool requeues = jobs->mode == RC_JOBS_REQUEUE || jobs->before_deadline_ms;

    if (jobs->signal_before_ms && !jobs->signal) {
        rc_load_error(b->errs, b->file, rule_place(v, "signal_before"),
                      "there is no signal to send");
    } else if (jobs->signal_before_ms && !requeues) {
        rc_load_error(b->errs, b->file, rule_place(v, "signal_before"),
                      "nothing is requeued: neither mode \"requeue\" nor before_deadline");
    }
}

void
rc_policy_check_jobs(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_jobs_plan *jobs = out;

    if (jobs->mode == RC_JOBS_SIGNAL && jobs->signal == 0) {
        rc_load_error(b->errs, b->file, v, "mode \"signal\" needs a signal");
    }
    if (jobs->mode == RC_JOBS_WAIT && jobs->signal != 0) {
        rc_load_error(b->errs, b->file, rule_place(v, "signal"),
                      "mode \"wait\" sends no signal; use mode \"signal\" or \"requeue\"");
    }
    check_signal_before(b, v, jobs);
}

/* A limit that nothing reads would be believed. */
void
rc_policy_check_rung(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_rung *rung = out;
    const struct rc_jsonc_value *timeout = rc_jsonc_get(v, "timeout");

    if (rung->pause_ms && rung->attempts < 2) {
        rc_load_error(b->errs, b->file, rule_place(v, "pause"),
                      "there is no second attempt to pause before");
    }
    if (timeout && (rung->kind == RC_RUNG_REPLACE || rung->kind == RC_RUNG_QUARANTINE)) {
        rc_load_error(b->errs, b->file, timeout, "rung \"%s\" has none: %s",
                      rc_rung_name((enum rc_rung_kind)rung->kind),
                      rung->kind == RC_RUNG_REPLACE ? "its steps have theirs, in \"timeouts\""
                                                    : "it waits for a person");
    }
}

static void
check_ladder(struct rc_bind *b, const struct rc_jsonc_value *v, const struct rc_rule *rule)
{
    const struct rc_jsonc_value *ladder = rc_jsonc_get(v, "ladder");

    if (rule->ignore && ladder) {
        rc_load_error(b->errs, b->file, ladder, "a rule that ignores the fault has no ladder");
        return;
    }
    if (!rule->ignore && !ladder) {
        rc_load_error(b->errs, b->file, v, "\"ladder\" is missing: rungs, tried in this order");
        return;
    }
    for (const struct rc_jsonc_value *c = ladder ? ladder->first : NULL; c; c = c->next) {
        if (rule->rung[c->index].kind == RC_RUNG_QUARANTINE && c->next) {
            rc_load_error(b->errs, b->file, c->next, "no rung can follow a quarantine");
            return;
        }
    }
}

/* Make before break needs a node that still serves. */
static void
check_before_drain(struct rc_bind *b, const struct rc_jsonc_value *v, const struct rc_rule *rule)
{
    const uint64_t lost = UINT64_C(1) << RC_FAULT_NODE_DOWN |
                          UINT64_C(1) << RC_FAULT_INSTANCE_GONE |
                          UINT64_C(1) << RC_FAULT_INSTANCE_STOPPED;

    if (rule->launch_when == RC_LAUNCH_BEFORE_DRAIN && rule->fault_mask &&
        !(rule->fault_mask & ~lost)) {
        rc_load_error(b->errs, b->file, rule_place(v, "launch"),
                      "a node with these faults does not serve any more: use \"at-once\"");
    }
}

void
rc_policy_check_rule(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_rule *rule = out;
    uint64_t mask = rule->fault_mask;

    check_ladder(b, v, rule);
    if (rule->order == RC_ORDER_STOP_FIRST && rule->launch_when != RC_LAUNCH_IDLE) {
        rc_load_error(b->errs, b->file, rule_place(v, "launch"),
                      "order \"stop-first\" launches when the old instance is gone: use \"idle\"");
    }
    check_before_drain(b, v, rule);
    if (rule->tell && !rule->ignore) {
        rc_load_error(b->errs, b->file, rule_place(v, "tell"), "only what is ignored is told");
    }
    if (rule->lead_ms > 0 && mask != 0 && (mask & scheduled_faults) == 0) {
        rc_load_error(b->errs, b->file, rule_place(v, "lead"),
                      "only faults that AWS schedules have a window to lead");
    }
}

void
rc_policy_check_timeouts(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_timeouts_policy *t = out;

    if (t->retry_min_ms > t->retry_max_ms) {
        rc_load_error(b->errs, b->file, rule_place(v, "retry_min"), "is longer than retry_max");
    }
}

void
rc_policy_check_gate(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_gate_policy *gate = out;

    if (gate->ssh && !*gate->command) {
        rc_load_error(b->errs, b->file, rule_place(v, "command"),
                      "ssh is on but there is no command");
    }
}

/* What must tell has to be asked; a probe that nobody runs would be believed. */
void
rc_policy_check_gate_type(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_gate_type *t = out;

    if (t->must & ~t->probes) {
        rc_load_error(b->errs, b->file, rule_place(v, "must"),
                      "names a probe that \"probes\" does not have");
    }
}

static bool
is_unconditional(const struct rc_rule *r)
{
    return r->repeats_min == 0 && r->age_min_ms == 0 && r->age_max_ms == 0 && !*r->code &&
           !*r->type && !*r->partition && !*r->node && !r->told && !r->per_hour &&
           !r->company.count && !r->company.permille;
}

static void
check_every_fault_has_a_rule(struct rc_bind *b, const struct rc_jsonc_value *list,
                             const struct rc_policy *p)
{
    for (uint32_t fault = RC_FAULT_NONE + 1; fault < RC_FAULT__MAX; fault++) {
        bool is_covered = false;
        for (uint32_t i = 0; i < p->rule_count && !is_covered; i++) {
            uint64_t mask = p->rule[i].fault_mask;
            is_covered =
                is_unconditional(&p->rule[i]) && (mask == 0 || (mask & UINT64_C(1) << fault));
        }
        if (!is_covered) {
            rc_load_error(b->errs, b->file, list,
                          "no rule takes every \"%s\": add one for it without other conditions",
                          rc_fault_name((enum rc_fault)fault));
        }
    }
}

void
rc_policy_check_rules(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_policy *p = out;
    const struct rc_jsonc_value *list = rc_jsonc_get(v, "rules");
    uint64_t covered = 0;

    for (const struct rc_jsonc_value *c = list->first; c; c = c->next) {
        const struct rc_rule *rule = &p->rule[c->index];
        uint64_t mask = rule->fault_mask ? rule->fault_mask : UINT64_MAX;
        for (uint32_t i = 0; i < c->index; i++) {
            if (strcmp(p->rule[i].name, rule->name) == 0) {
                rc_load_error(b->errs, b->file, rule_place(c, "name"),
                              "another rule has the name \"%s\"", rule->name);
                break;
            }
        }
        if ((mask & ~covered) == 0) {
            rc_load_error(b->errs, b->file, c,
                          "can never be taken: rules above it take these faults always");
        }
        if (is_unconditional(rule)) {
            covered |= mask;
        }
    }
    check_every_fault_has_a_rule(b, list, p);
}
