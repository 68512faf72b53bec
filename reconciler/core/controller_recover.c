/* controller_recover.c - the lost controller comes back as the backup: its ladder.
 *
 *   its daemon answers   -> slurmctld is started there (not on the first controller: that
 *                           one would take control, so it stays a cold backup)
 *   its instance is off  -> started
 *   it runs, but silent  -> forced off, then started
 *   it is terminated, or nothing of that helped -> launched anew from its template, its
 *                           address put into slurm.conf; remains are left as they are
 *
 * Only while the other one serves and no fail-over is under way. Nothing is terminated. */
#include <string.h>

#include "policies/rules.h"
#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum { EC2_ANSWER_MS = 30 * 1000 };

/* True when the recovery's next action may be sent now. */
static bool
recovery_ready(struct rc_state *s, struct rc_controller *c)
{
    uint32_t slot = rc_flight_find(s, c->action);

    if (c->action && slot) {
        if (s->now_ms < rc_flight_at(s, slot)->deadline_ms) {
            rc_pair_wake_at(&s->pair, rc_flight_at(s, slot)->deadline_ms);
            return false;
        }
        rc_flight_free(s, slot);
    }
    c->action = 0;
    if (s->now_ms < c->next_ms) {
        rc_pair_wake_at(&s->pair, c->next_ms);
        return false;
    }
    return true;
}

static void
send_start(struct rc_state *s, struct rc_actions *out, uint32_t i, const char *why)
{
    struct rc_action a;

    if (!recovery_ready(s, &s->pair.c[i])) {
        return;
    }
    rc_pair_act(s, &a, RC_ACT_CONTROLLER_START, i, s->policy.controllers.takeover_ms);
    rc_put_text(a.text, sizeof a.text, why);
    rc_act_send(s, out, &a);
}

static void
send_controller_power(struct rc_state *s, struct rc_actions *out, uint32_t i,
                      enum rc_action_kind kind, const struct rc_instance *inst, const char *why)
{
    struct rc_action a;

    if (!recovery_ready(s, &s->pair.c[i])) {
        return;
    }
    rc_pair_act(s, &a, (uint32_t)kind, i, EC2_ANSWER_MS);
    memcpy(a.instance, inst->id, sizeof a.instance);
    rc_put_text(a.text, sizeof a.text, why);
    rc_act_send(s, out, &a);
}

void
rc_pair_tell_once(struct rc_state *s, struct rc_actions *out, uint32_t i, const char *why)
{
    struct rc_action a;

    if (s->pair.c[i].told) {
        return;
    }
    rc_pair_act(s, &a, RC_ACT_TELL, i, 0);
    rc_put_text(a.text, sizeof a.text, why);
    rc_act_send(s, out, &a);
}

/* ---- its instance ---- */

static const struct rc_instance *
newest(const struct rc_state *s, uint32_t i)
{
    const struct rc_instance *found = NULL;

    for (uint32_t slot = rc_pair_instances(s, i); slot;
         slot = rc_instance_at(s, slot)->next_of_node) {
        const struct rc_instance *inst = rc_instance_at(s, slot);
        bool gone = inst->state == RC_INST_TERMINATED || inst->state == RC_INST_SHUTTING_DOWN;
        if (!gone && (!found || inst->launched_wall_ms > found->launched_wall_ms)) {
            found = inst;
        }
    }
    return found;
}

static void
controller_token(const struct rc_state *s, uint32_t i, const struct rc_launch_option *o,
                 uint32_t attempt, char *token)
{
    const char *const parts[] = {s->pair.c[i].host, s->pair.plan[i].instance, o->subnet, o->type};
    uint64_t a = rc_hash_text(s->cluster.name), b = ~a;

    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        a = rc_hash_bytes(a, parts[k], strlen(parts[k]) + 1);
        b = rc_hash_bytes(b ^ (k + 1), parts[k], strlen(parts[k]) + 1);
    }
    a = rc_hash_bytes(a, &attempt, sizeof attempt);
    rc_put_text(token, RC_TOKEN_LEN, "rc-ctl-");
    rc_put_hex(token, RC_TOKEN_LEN, a);
    rc_put_hex(token, RC_TOKEN_LEN, b);
}

static void
send_controller_launch(struct rc_state *s, struct rc_actions *out, uint32_t i)
{
    const struct rc_group *g = &s->cluster.controllers;
    const struct rc_launch_plan *plan = &s->pair.plan[i];
    struct rc_action a;

    if (!g->option_count) {
        rc_pair_tell_once(s, out, i,
                          "the controller is lost, and no launch template is configured for it");
        return;
    }
    if (!rc_history_is_stored(s) || !recovery_ready(s, &s->pair.c[i])) {
        return; /* another leader must send the same token */
    }
    uint32_t option = plan->option % g->option_count; /* the list may be shorter by now */
    rc_pair_act(s, &a, RC_ACT_LAUNCH, i, s->policy.timeouts.launch_ms);
    a.u.launch.group = RC_GROUP_CONTROLLERS;
    a.u.launch.option = option;
    a.u.launch.attempt = plan->attempt ? plan->attempt : 1;
    controller_token(s, i, &g->option[option], a.u.launch.attempt, a.u.launch.token);
    rc_put_text(a.text, sizeof a.text, "the controller's instance is lost");
    rc_act_send(s, out, &a);
}

/* Running under another address than slurm.conf names: the file is put right. */
static bool
needs_address(const struct rc_controller *c, const struct rc_instance *inst)
{
    return inst->state == RC_INST_RUNNING && *inst->addr && *c->addr &&
           strcmp(c->addr, inst->addr) != 0;
}

static void
send_address(struct rc_state *s, struct rc_actions *out, uint32_t i, const struct rc_instance *inst)
{
    struct rc_action a;

    if (!recovery_ready(s, &s->pair.c[i])) {
        return;
    }
    rc_pair_act(s, &a, RC_ACT_REGISTER, i, s->policy.timeouts.register_ms);
    memcpy(a.instance, inst->id, sizeof a.instance);
    memcpy(a.u.reg.addr, inst->addr, sizeof a.u.reg.addr);
    rc_put_text(a.text, sizeof a.text, "the controller has a new address");
    rc_act_send(s, out, &a);
}

/* Off: started, however often; where its zone has no room, launched in another one. */
static void
recover_stopped(struct rc_state *s, struct rc_actions *out, uint32_t i,
                const struct rc_instance *inst)
{
    const struct rc_controller *c = &s->pair.c[i];

    if (c->full && s->cluster.controllers.option_count) {
        send_controller_launch(s, out, i);
        return;
    }
    if (c->tries > s->policy.controllers.restarts * 2) {
        rc_pair_tell_once(
            s, out, i,
            "the lost controller does not come back; its instance is started again and again");
    }
    send_controller_power(s, out, i, RC_ACT_START, inst, "the controller's instance is off");
}

static void
recover_instance(struct rc_state *s, struct rc_actions *out, uint32_t i)
{
    struct rc_controller *c = &s->pair.c[i];
    const struct rc_instance *inst = newest(s, i);
    uint32_t restarts = s->policy.controllers.restarts * 2; /* off and on are one try */
    /* What was started needs its time to boot; where nothing is left there is nothing to wait for.
     */
    int64_t since_ms = inst && c->next_ms > c->link_ms ? c->next_ms : c->link_ms;
    int64_t at_ms = since_ms + s->policy.controllers.lost_ms;

    if (inst && needs_address(c, inst)) {
        send_address(s, out, i, inst);
    } else if (inst && inst->state == RC_INST_STOPPED) {
        recover_stopped(s, out, i, inst);
    } else if (s->now_ms < at_ms || !s->ec2_ok) {
        rc_pair_wake_at(&s->pair, at_ms > s->now_ms ? at_ms : RC_NEVER);
    } else if (!inst) {
        send_controller_launch(s, out, i);
    } else if (inst->state <= RC_INST_RUNNING && c->tries <= restarts) {
        send_controller_power(s, out, i, RC_ACT_STOP, inst, "the controller does not answer");
    } else {
        rc_pair_tell_once(s, out, i, "the controller stays away; its instance is left as it is");
    }
}

static void
recover_one(struct rc_state *s, struct rc_actions *out, uint32_t i)
{
    struct rc_controller *c = &s->pair.c[i];
    bool own = strcmp(c->host, s->host) == 0;

    if (rc_pair_serves(&s->pair, i)) {
        if (c->fenced == RC_TOLD_YES) {
            send_start(s, out, i, "it serves: it may be started again");
        }
        return;
    }
    if (c->link == RC_TOLD_YES) {
        bool idle = c->process == RC_PROC_NONE || c->fenced == RC_TOLD_YES;
        if (i > 0 && idle && rc_pair_well(&s->pair, i)) {
            send_start(s, out, i, "back as backup");
        }
    } else if (c->link == RC_TOLD_NO && !own) {
        recover_instance(s, out, i);
    }
}

void
rc_pair_recover(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;

    if (!p->primary || !rc_pair_serves(p, p->primary - 1) || !s->policy.controllers.automatic) {
        return;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        recover_one(s, out, i);
    }
}
