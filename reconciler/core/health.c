/* health.c - see health.h. */
#include "reconciler/core/health.h"

#include <string.h>

#include "policies/classes.h"

enum { HOUR_MS = 3600 * 1000 };

static bool
same_fault(const struct rc_node_fault *a, const struct rc_node_fault *b)
{
    return strcmp(a->class_name, b->class_name) == 0 && strcmp(a->device, b->device) == 0;
}

static void
fill(struct rc_state *s, struct rc_told *to, const struct rc_node_fault *f,
     const struct rc_told *before)
{
    struct rc_class c = rc_class_of(f->class_name);

    memset(to, 0, sizeof *to);
    to->f = *f;
    to->fault = (uint32_t)c.fault;
    to->sure = c.drain || f->guilty;
    to->by_job = c.by_job;
    to->since_ms = before ? before->since_ms : s->now_ms;
    to->at = before && before->f.times >= f->times ? before->at : s->folds;
    to->hour_ms = before ? before->hour_ms : s->now_ms;
    to->hour_times = before ? before->hour_times : f->times - (f->times > 0);
    if (s->now_ms - to->hour_ms >= HOUR_MS) {
        to->hour_ms = s->now_ms;
        to->hour_times = before ? before->f.times : 0;
    }
}

void
rc_health_tell(struct rc_state *s, uint32_t node, const struct rc_ev_node_faults *list)
{
    struct rc_health *h = rc_health_at(s, node);
    struct rc_told old[RC_NODE_FAULTS_MAX];
    bool same_boot = strcmp(h->boot, list->boot) == 0;
    uint32_t old_count = same_boot ? h->told_count : 0;

    memcpy(old, h->told, sizeof old);
    memset(h->told, 0, sizeof h->told);
    h->told_count = 0;
    for (uint32_t i = 0; i < list->count && i < RC_NODE_FAULTS_MAX; i++) {
        const struct rc_told *before = NULL;
        for (uint32_t k = 0; k < old_count; k++) {
            before = same_fault(&old[k].f, &list->v[i]) ? &old[k] : before;
        }
        fill(s, &h->told[h->told_count++], &list->v[i], before);
    }
    h->more = list->more;
    memcpy(h->boot, list->boot, sizeof h->boot);
}

/* What was told before this boot, or before the proof of a repair, is of the past. */
bool
rc_told_stands(const struct rc_state *s, uint32_t node, const struct rc_told *t)
{
    const struct rc_node *n = rc_node_at(s, node);

    return t->fault && t->f.times && t->f.last_wall_ms >= n->boot_wall_ms &&
           t->at > rc_health_at(s, node)->healed_at;
}
