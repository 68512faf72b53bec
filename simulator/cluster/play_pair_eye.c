/* play_pair_eye.c - what a daemon sees of the two slurmctld, and when it looks; how they are
 * is in play_pair.c. */
#include <stdio.h>
#include <string.h>

#include "simulator/cluster/play_private.h"

enum { LOOK_MS = 30 * 1000 };

static uint32_t
head_mode_of(const struct rc_play *p, uint32_t eye, uint32_t i)
{
    const struct rc_head *h = &p->head[i];

    if (p->now_ms < p->ctl[eye].helper_until_ms) {
        return RC_CTL_UNKNOWN;
    }
    if (!rc_head_reaches(p, eye, i)) {
        return RC_CTL_UNREACHABLE;
    }
    if (h->process == RC_PROC_NONE) {
        return RC_CTL_REFUSED;
    }
    if (p->now_ms < p->head[eye].munge_until_ms) {
        return RC_CTL_UNKNOWN; /* without munged there nobody can be asked */
    }
    if (p->now_ms < h->munge_until_ms) {
        return RC_CTL_SILENT;
    }
    if (h->process != RC_PROC_RUNS || (h->active_at_ms && !h->active && i == 0)) {
        return RC_CTL_SILENT;
    }
    return h->active ? RC_CTL_PRIMARY : RC_CTL_STANDBY;
}

static void
show_mode(struct rc_ctl *c, uint32_t i, uint32_t mode, bool by_peer)
{
    struct rc_event ev;
    uint32_t *shown = &c->head_mode[by_peer][i];

    if (*shown == mode + 1) {
        return;
    }
    *shown = mode + 1;
    rc_event_init(&ev, RC_EV_CONTROLLER_PROBE);
    snprintf(ev.node, sizeof ev.node, "head%u", i + 1);
    ev.u.probe.mode = mode;
    ev.u.probe.by_peer = by_peer;
    ev.u.probe.age_ms = mode == RC_CTL_SILENT ? RC_HEAD_SILENT_MS : 0;
    memcpy(ev.u.probe.addr, c->p->head[i].addr, sizeof ev.u.probe.addr);
    rc_ctl_post(c, &ev);
}

static void
show_host(struct rc_ctl *c, uint32_t i)
{
    const struct rc_play *p = c->p;
    const struct rc_head *h = &p->head[i];
    bool answers = i == c->index || (rc_head_reaches(p, c->index, i) && rc_ctl_runs(&p->ctl[i]));
    struct rc_ev_controller_host told = {.link = RC_TOLD_NO};
    struct rc_event ev;

    if (answers) {
        told.link = RC_TOLD_YES;
        told.process = h->process;
        told.fenced = h->fenced ? RC_TOLD_YES : RC_TOLD_NO;
        told.dir = p->now_ms < h->dir_until_ms ? h->dir : (uint32_t)RC_DIR_OK;
        told.munge = p->now_ms < h->munge_until_ms ? RC_TOLD_NO : RC_TOLD_YES;
    }
    if (memcmp(&told, &c->head_host[i], sizeof told) == 0) {
        return;
    }
    c->head_host[i] = told;
    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    snprintf(ev.node, sizeof ev.node, "head%u", i + 1);
    ev.u.controller = told;
    if (answers && rc_head_instance(p, i)) {
        memcpy(ev.instance, rc_head_instance(p, i)->id, sizeof ev.instance);
    }
    if (!answers) {
        c->head_mode[1][0] = c->head_mode[1][1] = 0;
    }
    rc_ctl_post(c, &ev);
}

void
rc_heads_look(struct rc_ctl *c)
{
    const struct rc_play *p = c->p;
    uint32_t peer = 1 - c->index;

    if (c->heads_epoch != c->s->lease_epoch) { /* all is told anew */
        c->heads_epoch = c->s->lease_epoch;
        memset(c->head_mode, 0, sizeof c->head_mode);
    }
    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        show_host(c, i);
        uint32_t mode = head_mode_of(p, c->index, i);
        bool late = mode == RC_CTL_SILENT && p->now_ms - p->head[i].since_ms < RC_HEAD_SILENT_MS;
        if (!late) {
            show_mode(c, i, mode, false);
        }
    }
    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        if (c->head_host[peer].link == RC_TOLD_YES) {
            show_mode(c, i, head_mode_of(p, peer, i), true);
        }
    }
}

/* A trouble of for_ms begins: both daemons look when it is over, for the look that comes next was
 * planned before it began, and may come much later. */
void
rc_heads_look_at_end(struct rc_play *p, int64_t for_ms)
{
    for (uint32_t i = 0; for_ms && rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        rc_play_task(p, p->now_ms + for_ms, RC_TASK_HEADS, &p->ctl[i], 0);
    }
}

/* A daemon looks all the time; what it sees changes when something happens, which is told by
 * rc_heads_changed(), or when a trouble is over: of one that begins after this, by
 * rc_heads_look_at_end(). */
void
rc_heads_look_later(struct rc_ctl *c)
{
    const struct rc_play *p = c->p;
    int64_t at_ms = p->now_ms + LOOK_MS;

    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        const int64_t over_ms[] = {p->head[i].dir_until_ms, p->head[i].munge_until_ms,
                                   p->ctl[i].helper_until_ms, p->ctl[i].frozen_until_ms,
                                   p->partition_until_ms};
        for (size_t k = 0; k < sizeof over_ms / sizeof over_ms[0]; k++) {
            at_ms = over_ms[k] > p->now_ms && over_ms[k] < at_ms ? over_ms[k] : at_ms;
        }
    }
    if (rc_play_has_pair(p)) {
        rc_play_task(c->p, at_ms, RC_TASK_HEADS, c, 1);
    }
}

/* No slurmctld answers this controller's helpers. */
bool
rc_heads_down(const struct rc_ctl *c)
{
    const struct rc_play *p = c->p;

    for (uint32_t i = 0; rc_play_has_pair(p) && i < RC_PLAY_CTLS; i++) {
        if (p->head[i].active && p->head[i].process == RC_PROC_RUNS &&
            rc_head_reaches(p, c->index, i)) {
            return false;
        }
    }
    return rc_play_has_pair(p);
}

void
rc_heads_look_soon(struct rc_ctl *c)
{
    if (rc_play_has_pair(c->p)) {
        rc_play_task(c->p, c->p->now_ms + RC_HEAD_SOON_MS, RC_TASK_HEADS, c, 0);
    }
}

/* The order was answered: what was seen before is forgotten, by the core too. */
void
rc_heads_look_anew(struct rc_ctl *c, const struct rc_action *a)
{
    uint32_t i = a->u.controller.index;

    if (a->kind == RC_ACT_FENCE) {
        c->head_mode[0][i] = c->head_mode[1][i] = 0;
        rc_heads_look_soon(c);
    }
}

/* A fence begins: a standby is asked, not pinged, and what it says is told once more. */
void
rc_heads_ask_standby(struct rc_ctl *c, const struct rc_action *a)
{
    uint32_t i = 1 - a->u.controller.index;

    if (a->u.controller.phase == RC_FO_FENCE && c->head_mode[0][i] == RC_CTL_STANDBY + 1) {
        c->head_mode[0][i] = 0;
        rc_heads_look_soon(c);
    }
}
