/* answer_failover.c - the two controllers for `reconcilectl status`, and a fail-over by
 * hand: the same checks as the automatic one, told before anything is begun. */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "reconciler/io/daemon/answer.h"
#include "reconciler/io/daemon/controllers.h"

static const char *
text_member(const cJSON *request, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(request, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

cJSON *
rc_answer_failover(struct rc_daemon *d, const struct rc_control_peer *peer, const cJSON *request)
{
    const struct rc_pair *p = &d->state->pair;
    const char *host = text_member(request, "to");
    uint32_t to = *host ? rc_pair_find(p, host) : p->primary ? 2 - p->primary : RC_CONTROLLERS_MAX;
    char why[RC_TEXT_LEN], text[400];
    struct rc_event ev;

    if (!*host && cJSON_HasObjectItem(request, "to")) { /* a script's variable that was not set */
        return rc_control_refuse(RC_E_INVALID, "\"to\": expected a controller's name");
    }
    if (!p->count) {
        return rc_control_refuse(RC_E_UNSUPPORTED,
                                 "no controllers are configured (controllers.hosts)");
    }
    if (to >= RC_CONTROLLERS_MAX) {
        return rc_control_refuse(
            RC_E_NOT_FOUND,
            *host ? "no controller \"%.63s\"" : "no primary is known%s; name one: --to", host);
    }
    if (!rc_pair_may(d->state, to, why, sizeof why)) {
        return rc_control_refuse(RC_E_STATE, "%s: %s", p->c[to].host, why);
    }
    bool dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "dry_run"));
    snprintf(
        text, sizeof text,
        "slurmctld moves from %s to %s: %s's gets %lld s to save its state and end, its end is "
        "proved there, then %s's is made active%s",
        p->c[1 - to].host, p->c[to].host, p->c[1 - to].host,
        (long long)d->state->policy.controllers.grace_ms / 1000, p->c[to].host,
        dry ? " (nothing was done)" : "");
    if (!dry) {
        rc_event_init(&ev, RC_EV_OPERATOR);
        ev.u.operator_command.verb = RC_OP_FAILOVER;
        memcpy(ev.u.operator_command.who, peer->user, sizeof ev.u.operator_command.who);
        rc_text_set(ev.node, sizeof ev.node, p->c[to].host);
        rc_daemon_post(d, &ev);
    }
    cJSON *reply = rc_control_ok();
    cJSON_AddStringToObject(reply, "text", text);
    cJSON_AddStringToObject(reply, dry ? "would_move_to" : "to", p->c[to].host);
    return reply;
}

static cJSON *
controller_row(const struct rc_state *s, uint32_t i, bool primary)
{
    const struct rc_controller *c = &s->pair.c[i];
    const char *why = rc_pair_unusable_text(s, i);
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "host", c->host);
    cJSON_AddStringToObject(o, "addr", c->addr);
    cJSON_AddStringToObject(o, "instance", c->instance);
    cJSON_AddBoolToObject(o, "primary", primary);
    cJSON_AddStringToObject(o, "seen_here", rc_ctl_mode_name(c->mode[RC_EYE_OWN]));
    cJSON_AddStringToObject(o, "seen_by_peer", rc_ctl_mode_name(c->mode[RC_EYE_PEER]));
    cJSON_AddBoolToObject(o, "daemon_answers", c->link == RC_TOLD_YES);
    cJSON_AddStringToObject(o, "process", rc_ctl_process_name(c->process));
    cJSON_AddNumberToObject(o, "pid", c->pid);
    cJSON_AddBoolToObject(o, "fenced", c->fenced == RC_TOLD_YES);
    cJSON_AddStringToObject(o, "state_dir", rc_ctl_dir_name(c->dir));
    if (c->munge != RC_TOLD_NOT) {
        cJSON_AddBoolToObject(o, "munge", c->munge == RC_TOLD_YES);
    }
    cJSON_AddBoolToObject(o, "can_take_over", !why);
    if (why) {
        cJSON_AddStringToObject(o, "why_not", why);
    }
    return o;
}

void
rc_answer_add_slurmctld(struct rc_daemon *d, cJSON *reply)
{
    const struct rc_pair *p = &d->state->pair;
    cJSON *o, *list;

    if (!p->count) {
        return;
    }
    o = cJSON_AddObjectToObject(reply, "slurmctld");
    bool serves = p->primary && rc_pair_serves(p, p->primary - 1);
    cJSON_AddStringToObject(o, "primary", serves ? p->c[p->primary - 1].host : "");
    if (serves) {
        cJSON_AddNumberToObject(o, "primary_age_ms", (double)(rc_daemon_now_ms(d) - p->primary_ms));
    }
    cJSON_AddStringToObject(o, "failover", rc_failover_phase_name(p->phase));
    if (p->phase != RC_FO_WATCH) {
        cJSON_AddStringToObject(o, "to", p->to ? p->c[p->to - 1].host : "");
        cJSON_AddStringToObject(o, "cause", rc_failover_cause_text(p->cause));
        cJSON_AddStringToObject(o, "waits_for", rc_failover_waits_for(p->phase));
    }
    if (p->block) {
        cJSON_AddStringToObject(o, "block", rc_failover_block_text(p->block));
    }
    cJSON_AddStringToObject(o, "link", rc_controllers_link_text(d->controllers));
    list = cJSON_AddArrayToObject(o, "controllers");
    for (uint32_t i = 0; i < p->count; i++) {
        cJSON_AddItemToArray(list, controller_row(d->state, i, serves && p->primary == i + 1));
    }
    if (*d->last_move) {
        o = cJSON_AddObjectToObject(o, "last_move");
        cJSON_AddNumberToObject(o, "age_ms", (double)(rc_wall_ms() - d->last_move_wall_ms));
        cJSON_AddStringToObject(o, "text", d->last_move);
    }
}
