/* aside.c - what a node's turn does beside its incident: people are told of what the policy
 * ignores but wants told, and jobs may start on the node again when their exclusion ends. */
#include <string.h>

#include "reconciler/core/health.h"
#include "reconciler/core/text.h"

enum { DAY_MS = 24 * 3600 * 1000 };

/* True when this was not said within the day; it is remembered as said now. */
static bool
say_once(struct rc_state *s, uint64_t hash)
{
    struct rc_said *oldest = &s->said[0];

    for (uint32_t i = 0; i < RC_SAID_MAX; i++) {
        struct rc_said *said = &s->said[i];
        if (said->hash == hash && s->now_ms - said->at_ms < DAY_MS) {
            return false;
        }
        oldest = said->at_ms < oldest->at_ms ? said : oldest;
    }
    oldest->hash = hash;
    oldest->at_ms = s->now_ms;
    return true;
}

static void
tell_ignored(struct rc_turn *t, const struct rc_told *told, const struct rc_rule *rule)
{
    bool company = rule->company.count || rule->company.permille;
    struct rc_action a;

    /* Of company there is one story for all nodes, else one for each class. */
    uint64_t hash = rc_hash_text(company ? rule->name : told->f.class_name);
    if (!say_once(t->s, hash)) {
        return;
    }
    rc_act_init(t, &a, RC_ACT_TELL, 0);
    rc_put_text(a.text, sizeof a.text, rule->name);
    rc_put_text(a.text, sizeof a.text, ": ");
    rc_put_text(a.text, sizeof a.text, told->f.class_name);
    if (*told->f.device) {
        rc_put_text(a.text, sizeof a.text, " ");
        rc_put_text(a.text, sizeof a.text, told->f.device);
    }
    if (company) {
        rc_put_text(a.text, sizeof a.text, " on ");
        rc_put_number(a.text, sizeof a.text, t->s->shows[told->fault]);
        rc_put_text(a.text, sizeof a.text, " nodes at once");
    }
    rc_act_send(t->s, t->out, &a);
}

static void
say_what_is_ignored(struct rc_turn *t)
{
    const struct rc_health *h = rc_health_at(t->s, t->node);

    for (uint32_t i = 0; i < h->told_count; i++) {
        const struct rc_told *told = &h->told[i];
        struct rc_finding f = t->finding;
        if (!rc_told_stands(t->s, t->node, told)) {
            continue;
        }
        f.fault = (enum rc_fault)told->fault;
        f.code = told->f.class_name;
        f.fact = told;
        const struct rc_rule *rule = rc_policy_match(t->s, t->node, &f);
        if (rule && rule->ignore && rule->tell) {
            tell_ignored(t, told, rule);
            return; /* one a turn; the next news brings the next */
        }
    }
}

static void
end_exclusion(struct rc_turn *t)
{
    const struct rc_health *h = rc_health_at(t->s, t->node);
    struct rc_action a;

    if (!h->exclude_until_ms) {
        return;
    }
    if (t->s->now_ms < h->exclude_until_ms) {
        rc_turn_wake(t, h->exclude_until_ms);
        return;
    }
    rc_act_init(t, &a, RC_ACT_JOBS_INCLUDE, t->s->policy.timeouts.drain_ms);
    rc_act_send(t->s, t->out, &a);
    rc_turn_wake(t, h->exclude_until_ms); /* asked for again unless it is answered */
}

void
rc_turn_aside(struct rc_turn *t)
{
    t->inc = NULL; /* nothing here is part of it */
    if (!t->n->unwell || !rc_leads(t->s) || t->s->paused) {
        return;
    }
    if (rc_health_at(t->s, t->node)->told_count) {
        say_what_is_ignored(t);
    }
    end_exclusion(t);
}
