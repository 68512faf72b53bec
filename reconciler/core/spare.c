/* spare.c - see spare.h. */
#include "reconciler/core/spare.h"

#include <assert.h>
#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/text.h"
#include "reconciler/core/timers.h"

static const char prefix[] = "spare/";

enum { USED_UP_RETRY_MS = 600 * 1000 };

/* Brackets: no rule of a policy can have this name. */
const struct rc_rule rc_spare_rule = {
    .name = "(spare)",
    .rung_count = 1,
    .rung = {{.kind = RC_RUNG_REPLACE, .attempts = 3, .pause_ms = 300000}},
};

uint32_t
rc_spare_group(const struct rc_cluster *c, const char *name, uint32_t *ret_place)
{
    const char *group = name + sizeof prefix - 1, *slash;
    uint32_t place = 0;

    *ret_place = 0;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || !(slash = strchr(group, '/'))) {
        return 0;
    }
    for (const char *d = slash + 1; *d; d++) {
        if (*d < '0' || *d > '9' || place > RC_SPARES_MAX) {
            return 0;
        }
        place = place * 10 + (uint32_t)(*d - '0');
    }
    for (uint32_t g = 0; g < c->group_count; g++) {
        size_t len = strlen(c->group[g].name);
        if (len == (size_t)(slash - group) && strncmp(c->group[g].name, group, len) == 0) {
            *ret_place = place;
            return place ? g + 1 : 0;
        }
    }
    return 0;
}

static void
place_name(const struct rc_state *s, uint32_t group, uint32_t place, char *name)
{
    *name = '\0';
    rc_put_text(name, RC_NODE_LEN, prefix);
    rc_put_text(name, RC_NODE_LEN, s->cluster.group[group - 1].name);
    rc_put_text(name, RC_NODE_LEN, "/");
    rc_put_number(name, RC_NODE_LEN, place);
}

static uint32_t
places_wanted(const struct rc_state *s, uint32_t group)
{
    uint32_t wanted = rc_limit_allows(&s->policy.limits.spares, s->group_nodes[group - 1]);

    return wanted < RC_SPARES_MAX ? wanted : RC_SPARES_MAX;
}

void
rc_spare_places(struct rc_state *s)
{
    char name[RC_NODE_LEN];

    for (uint32_t group = 1; group <= s->cluster.group_count && s->policy_loaded; group++) {
        uint32_t wanted = s->group_nodes[group - 1] ? places_wanted(s, group) : 0;
        for (uint32_t place = 1; place <= wanted; place++) {
            place_name(s, group, place, name);
            if (!rc_node_find(s, name)) {
                rc_touch(s, rc_node_get(s, name));
            }
        }
    }
}

bool
rc_spare_wanted(const struct rc_state *s, const struct rc_node *n)
{
    return n->group && n->spare <= places_wanted(s, n->group);
}

static bool
is_ready(const struct rc_state *s, uint32_t node)
{
    const struct rc_node *p = rc_node_at(s, node);
    const struct rc_instance *i = p->instance ? rc_instance_at(s, p->instance) : NULL;
    /* Seen since we lead: the leader before may have given it away. */
    struct rc_finding f = rc_diagnose(s, node);

    return i && !p->incident && !p->hold && i->ours && i->state == RC_INST_RUNNING && *i->addr &&
           !i->promised && !i->asked && !i->missing_since_ms && rc_finding_well(&f);
}

uint32_t
rc_spare_ready(const struct rc_state *s, const struct rc_node *n)
{
    char name[RC_NODE_LEN];
    uint32_t wanted = n->group && !n->spare ? places_wanted(s, n->group) : 0;

    for (uint32_t place = 1; place <= wanted; place++) {
        place_name(s, n->group, place, name);
        uint32_t node = rc_node_find(s, name);
        if (node && is_ready(s, node)) {
            return rc_node_at(s, node)->instance;
        }
    }
    return 0;
}

bool
rc_spare_unseen(const struct rc_state *s, const struct rc_node *n)
{
    return n->group && !n->spare && places_wanted(s, n->group) && s->sweep < s->sweep_floor;
}

static void
send_assign(struct rc_turn *t)
{
    struct rc_action a;

    rc_act_init(t, &a, RC_ACT_ASSIGN, t->s->policy.timeouts.launch_ms);
    memcpy(a.instance, rc_instance_at(t->s, t->inc->new_instance)->id, sizeof a.instance);
    a.u.launch.group = t->n->group - 1;
    a.u.launch.attempt = t->inc->attempt;
    rc_put_text(a.text, sizeof a.text, "a spare takes the name");
    rc_act_send(t->s, t->out, &a);
}

/* Named in the item, not tagged for the node yet. */
static bool
go_on_assigning(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_instance *i = rc_instance_at(t->s, inc->new_instance);
    int64_t wake_ms = RC_NEVER;

    if (!i->promised || i->node == t->node || i->state > RC_INST_RUNNING) {
        return false; /* ours by its tags, or lost: the launch's own watch goes on */
    }
    if (inc->launch_action || inc->unsaved) {
        return true;
    }
    if (inc->launch_next_ms > t->s->now_ms) {
        rc_turn_wake(t, inc->launch_next_ms);
        return true;
    }
    enum rc_block block = rc_may_act(t->s, t->n, RC_ACT_ASSIGN, &wake_ms);
    if (block != RC_BLOCK_NONE) {
        rc_turn_block(t, block, wake_ms);
        return true;
    }
    send_assign(t);
    return true;
}

bool
rc_spare_take(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    uint32_t spare;
    int64_t wake_ms = RC_NEVER;

    if (inc->new_instance) {
        return go_on_assigning(t);
    }
    /* A launch that has gone out is waited for: it would only be one instance too many. */
    if (t->n->spare || inc->launch_action || inc->launch_counted || inc->flags & RC_INC_MISMATCH ||
        rc_may_act(t->s, t->n, RC_ACT_ASSIGN, &wake_ms) != RC_BLOCK_NONE) {
        return false;
    }
    spare = rc_spare_ready(t->s, t->n);
    if (!spare) {
        return false;
    }
    rc_turn_name_new(t, rc_instance_at(t->s, spare)->id, "takes a spare");
    return true;
}

/* A spare runs nothing: an unfit one goes first, whatever the capacity. */
bool
rc_spare_open(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;
    const struct rc_instance *old =
        inc->old_instance ? rc_instance_at(t->s, inc->old_instance) : NULL;
    bool living = old && !t->finding.dead && old->node == t->node && !old->promised;

    if (rc_finding_well(&t->finding) || !rc_spare_wanted(t->s, t->n)) {
        return rc_turn_go(t, RC_PHASE_CLOSED, "the place is in order");
    }
    if (rc_turn_pauses(t)) {
        return false;
    }
    if (rc_turn_used_up(t)) { /* it fills and fills, and none is of use: not for a while */
        return rc_turn_block(t, RC_BLOCK_ATTEMPTS, t->s->now_ms + USED_UP_RETRY_MS);
    }
    return living ? rc_turn_go(t, RC_PHASE_RETIRE, "an unfit spare")
                  : rc_turn_go(t, RC_PHASE_LAUNCH, "an empty place");
}

void
rc_spare_end_extra(struct rc_turn *t)
{
    const struct rc_node *n = t->n;
    bool wanted = rc_spare_wanted(t->s, n);

    if (rc_may_touch(t->s, n) != RC_BLOCK_NONE) {
        return;
    }
    for (uint32_t slot = n->instances; slot; slot = rc_instance_at(t->s, slot)->next_of_node) {
        const struct rc_instance *i = rc_instance_at(t->s, slot);
        bool living = i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING ||
                      i->state == RC_INST_STOPPED;
        if (i->ours && living && !i->promised && !(wanted && slot == n->instance)) {
            rc_turn_end_leftover(t, i, "spare that nobody waits for");
        }
    }
}

void
rc_spare_release(struct rc_state *s, const struct rc_incident *inc)
{
    struct rc_instance *i = inc->new_instance ? rc_instance_at(s, inc->new_instance) : NULL;

    if (i && i->promised == inc->id) {
        i->promised = 0;
        rc_touch(s, i->node);
    }
}

void
rc_spare_assigned(struct rc_state *s, struct rc_incident *inc)
{
    uint32_t slot = inc->new_instance;

    if (!slot) {
        return;
    }
    struct rc_instance *i = rc_instance_at(s, slot);
    i->tag_incident = inc->id;
    i->tag_attempt = inc->attempt;
    rc_instance_set_node(s, slot, rc_node_at(s, inc->node)->name);
    inc->launch_retries = 0;
}
