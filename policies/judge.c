/* judge.c - what a node's agent tells, judged with the rest of the cluster in view.
 *
 * The worst fault that stands and that a rule answers. A fault whose rule ignores it hides
 * nothing: the next one is looked at. Certain is only what the agent drains for; the rest is
 * judged by rate (per_hour), by time (confirm) and by company: what many nodes show at once
 * is not the node's own, but the file server's, the network's or the job's. */
#include "policies/rules.h"
#include "reconciler/core/health.h"

bool
rc_in_company(const struct rc_state *s, enum rc_fault fault, const struct rc_limit *l)
{
    uint32_t nodes = rc_scope_at(s, 0)->nodes, enough = rc_limit_allows(l, nodes);

    /* All of a small cluster is company too; a lone node never is. */
    enough = enough > nodes ? nodes : enough;
    return s->shows[fault] >= (enough < 2 ? 2 : enough);
}

/* The entry that stands with the worst fault below `under`; NULL = none. Ties go by order:
 * the latest first. */
static const struct rc_told *
next_worst(const struct rc_state *s, uint32_t node, uint64_t done)
{
    const struct rc_health *h = rc_health_at(s, node);
    const struct rc_told *worst = NULL;

    for (uint32_t i = 0; i < h->told_count; i++) {
        const struct rc_told *t = &h->told[i];
        if (!(done & (UINT64_C(1) << i)) && (!worst || t->fault > worst->fault) &&
            rc_told_stands(s, node, t)) {
            worst = t;
        }
    }
    return worst;
}

void
rc_judge_told(const struct rc_state *s, uint32_t node, struct rc_finding *f)
{
    const struct rc_health *h = rc_health_at(s, node);
    const struct rc_told *t;
    uint64_t done = 0;

    while (rc_node_at(s, node)->unwell && h->told_count &&
           (t = next_worst(s, node, done)) != NULL) {
        struct rc_finding worse = *f;
        done |= UINT64_C(1) << (t - h->told);
        if (t->fault <= (uint32_t)f->fault) {
            return;
        }
        worse.fault = (enum rc_fault)t->fault;
        worse.window_wall_ms = 0;
        worse.code = t->f.class_name;
        worse.fact = t;
        const struct rc_rule *rule = rc_policy_match(s, node, &worse);
        if (rule && !rule->ignore) {
            *f = worse;
            return;
        }
        f->company |= rule && (rule->company.count || rule->company.permille);
    }
}
