/* health.c - see health.h. */
#include "reconciler/core/health.h"

#include <string.h>

#include "policies/classes.h"
#include "reconciler/core/lemon.h"
#include "reconciler/core/suspect.h"

enum { HOUR_MS = 3600 * 1000, MARK_WITHIN_MS = 10 * 60 * 1000, CARRIED = 2, CARRY_MS = 16000 };

static bool
same_fault(const struct rc_node_fault *a, const struct rc_node_fault *b)
{
    return strcmp(a->class_name, b->class_name) == 0 && strcmp(a->device, b->device) == 0;
}

/* One break shows in many places: the driver's line, the GPU that answers no more, its link's
 * width. What comes within minutes is charged to the host once. */
static void
charge(struct rc_state *s, uint32_t node)
{
    struct rc_health *h = rc_health_at(s, node);
    int64_t since_ms = s->now_wall_ms - h->marked_wall_ms;

    if (!h->marked_wall_ms || since_ms >= MARK_WITHIN_MS || since_ms < 0) {
        h->marked_wall_ms = s->now_wall_ms;
        rc_lemon_mark(s, node, RC_MARK_XID);
    }
}

/* A program can cause it: it is its job's, or when several jobs had it here the device's. */
static void
judge_by_job(struct rc_state *s, uint32_t node, struct rc_told *t)
{
    if (rc_suspect_news(s, node, &t->f) && t->fault == RC_FAULT_JOB_SUSPECT) {
        t->fault = RC_FAULT_GPU_SUSPECT;
        t->sure = 1;
    }
}

static void
fill_by_job(struct rc_state *s, uint32_t node, struct rc_told *to, const struct rc_told *before,
            bool news)
{
    if (before && before->fault == RC_FAULT_GPU_SUSPECT) {
        to->fault = RC_FAULT_GPU_SUSPECT;
        to->sure = 1;
    }
    if (news) {
        to->f.job = rc_suspect_job(s, node, &to->f);
        judge_by_job(s, node, to);
    } else if (before && !to->f.job) {
        to->f.job = before->f.job; /* we knew it, and the agent does not */
    }
}

static void
fill(struct rc_state *s, uint32_t node, struct rc_told *to, const struct rc_node_fault *f,
     const struct rc_told *before)
{
    struct rc_class c = rc_class_of(f->class_name);

    memset(to, 0, sizeof *to);
    to->f = *f;
    to->fault = (uint32_t)c.fault;
    to->sure = c.drain || f->guilty;
    to->by_job = c.by_job;
    to->lasts = c.lasts;
    bool news = f->times && (!before || before->f.times < f->times);
    if (c.by_job) {
        fill_by_job(s, node, to, before, news);
    }
    if (!before && to->sure && c.fault && s->now_wall_ms - f->last_wall_ms < MARK_WITHIN_MS) {
        charge(s, node); /* not again what a take-over reads anew */
    }
    to->since_ms = before ? before->since_ms : s->now_ms;
    to->at = before && before->f.times >= f->times ? before->at : s->folds;
    /* Of what is new to us only the last time is known to be of this hour. */
    to->hour_ms = before ? before->hour_ms : s->now_ms;
    to->hour_times = before ? before->hour_times : f->times - (f->times > 0);
    if (s->now_ms - to->hour_ms >= HOUR_MS) {
        to->hour_ms = s->now_ms;
        to->hour_times = before ? before->f.times : 0;
    }
}

/* The agent's drain tells its fault in the Reason; our own Reason replaces that at once, and the
 * agent's list has the fault only when it was written anew. Until then the fault is not over. */
static void
carry_drain(struct rc_health *h, const struct rc_told *old, uint32_t count)
{
    for (uint32_t i = 0; i < count && h->told_count < RC_NODE_FAULTS_MAX; i++) {
        bool listed = !old[i].f.guilty;
        for (uint32_t k = 0; k < h->told_count; k++) {
            listed |= same_fault(&old[i].f, &h->told[k].f);
        }
        if (!listed) {
            h->told[h->told_count] = old[i];
            h->told[h->told_count++].f.guilty = CARRIED;
        }
    }
}

void
rc_health_tell(struct rc_state *s, uint32_t node, const struct rc_ev_node_faults *list)
{
    struct rc_health *h = rc_health_at(s, node);
    struct rc_told old[RC_NODE_FAULTS_MAX];
    bool same_boot = strcmp(h->boot, list->boot) == 0;
    bool no_boot = !*list->boot; /* there is no list at all */
    uint32_t old_count = same_boot || no_boot ? h->told_count : 0;

    memcpy(old, h->told, sizeof old);
    memset(h->told, 0, sizeof h->told);
    h->told_count = 0;
    for (uint32_t i = 0; i < list->count && i < RC_NODE_FAULTS_MAX; i++) {
        const struct rc_told *before = NULL;
        for (uint32_t k = 0; k < old_count; k++) {
            before = same_fault(&old[k].f, &list->v[i]) ? &old[k] : before;
        }
        fill(s, node, &h->told[h->told_count++], &list->v[i], before);
    }
    carry_drain(h, old, old_count);
    h->more = list->more;
    rc_node_at(s, node)->unwell = 1;
    if (!no_boot || !h->told_count) {
        memcpy(h->boot, list->boot, sizeof h->boot);
    }
    rc_health_count(s, node);
}

void
rc_health_see_job(struct rc_state *s, uint32_t node)
{
    struct rc_health *h = rc_health_at(s, node);

    for (uint32_t i = 0; i < h->told_count; i++) {
        struct rc_told *t = &h->told[i];
        uint32_t job = t->by_job && t->f.times && !t->f.job ? rc_suspect_job(s, node, &t->f) : 0;
        if (job) {
            bool was_sure = t->sure != 0;
            t->f.job = job;
            judge_by_job(s, node, t);
            if (t->sure && !was_sure) {
                charge(s, node);
            }
        }
    }
}

static int64_t
fades_wall_ms(const struct rc_told *t)
{
    if (t->f.guilty == CARRIED) {
        return t->f.last_wall_ms + CARRY_MS;
    }
    return t->sure || t->lasts ? RC_NEVER : t->f.last_wall_ms + HOUR_MS;
}

bool
rc_fault_is_told(uint32_t fault)
{
    return fault > RC_FAULT_HEALTH_NOTICE && fault < RC_FAULT_KNOWN_BAD && fault != RC_FAULT_EBS &&
           fault != RC_FAULT_NODE_DOWN;
}

/* What a reset of the GPUs can mend; not what the kernel, a mount or a host has. */
static bool
is_of_gpu(uint32_t fault)
{
    return fault == RC_FAULT_JOB_SUSPECT || fault == RC_FAULT_ROW_REMAP ||
           fault == RC_FAULT_GPU_SUSPECT || fault == RC_FAULT_XID || fault == RC_FAULT_NVLINK ||
           fault == RC_FAULT_GPU || fault == RC_FAULT_GPU_LOST;
}

bool
rc_told_stands(const struct rc_state *s, uint32_t node, const struct rc_told *t)
{
    const struct rc_node *n = rc_node_at(s, node);
    const struct rc_health *h = rc_health_at(s, node);
    int64_t last = t->f.last_wall_ms;
    bool mended = is_of_gpu(t->fault) && (last < h->healed_wall_ms || t->at <= h->healed_at);

    return t->fault && t->f.times && last >= n->boot_wall_ms && !mended &&
           s->now_wall_ms < fades_wall_ms(t) &&
           !(t->by_job && t->fault != RC_FAULT_GPU_SUSPECT && rc_suspect_judged(s, t->f.job));
}

void
rc_health_healed(struct rc_state *s, uint32_t node)
{
    struct rc_health *h = rc_health_at(s, node);

    h->healed_at = s->folds;
    h->healed_wall_ms = s->now_wall_ms;
    memset(h->suspect, 0, sizeof h->suspect);
    h->suspect_count = 0;
    rc_health_count(s, node);
}

void
rc_health_count(struct rc_state *s, uint32_t node)
{
    struct rc_health *h = rc_health_at(s, node);
    uint64_t shows = 0;

    if (!rc_node_at(s, node)->unwell) {
        return;
    }
    for (uint32_t i = 0; i < h->told_count; i++) {
        if (rc_told_stands(s, node, &h->told[i])) {
            shows |= UINT64_C(1) << h->told[i].fault;
        }
    }
    for (uint32_t fault = 1; shows != h->shows && fault < RC_FAULT__MAX; fault++) {
        uint32_t was = (uint32_t)(h->shows >> fault & 1), is = (uint32_t)(shows >> fault & 1);
        s->shows[fault] += is - was;
    }
    h->shows = shows;
    rc_node_at(s, node)->unwell = h->told_count || shows || h->exclude_until_ms || *h->same_as;
}

int64_t
rc_health_wake(const struct rc_state *s, uint32_t node)
{
    const struct rc_health *h = rc_health_at(s, node);
    int64_t next_ms = RC_NEVER;

    for (uint32_t i = 0; i < h->told_count; i++) {
        const struct rc_told *t = &h->told[i];
        if (fades_wall_ms(t) == RC_NEVER || !rc_told_stands(s, node, t)) {
            continue;
        }
        int64_t at_ms = s->now_ms + fades_wall_ms(t) - s->now_wall_ms;
        next_ms = at_ms < next_ms ? at_ms : next_ms;
    }
    return next_ms;
}
