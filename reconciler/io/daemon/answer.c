/* answer.c - orders of operators: hold, release, approve, pause, resume, breaker,
 * quarantine. Each becomes an event for the core, so it stands in the journal; while that takes
 * no records no order is taken. */
#include "reconciler/io/daemon/answer.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/lead.h"

enum { LIST_MAX = 100, BODY_SHOWN = 200 };

static const char *
text_of(const cJSON *request, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(request, key);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static cJSON *
said(const char *text)
{
    cJSON *reply = rc_control_ok();

    cJSON_AddStringToObject(reply, "text", text);
    return reply;
}

static void
post_order(struct rc_daemon *d, const struct rc_control_peer *peer, enum rc_operator_verb verb,
           const char *node, uint32_t incident)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    ev.u.operator_command.verb = (uint32_t)verb;
    ev.u.operator_command.incident = incident;
    memcpy(ev.u.operator_command.who, peer->user, sizeof ev.u.operator_command.who);
    rc_text_set(ev.node, sizeof ev.node, node);
    rc_daemon_post(d, &ev);
}

static cJSON *
answer_hold(struct rc_daemon *d, const struct rc_control_peer *peer, const cJSON *request,
            bool hold)
{
    const char *node = text_of(request, "node");
    char text[160];

    if (strlen(node) >= RC_NODE_LEN || !rc_node_find(d->state, node)) {
        return rc_control_refuse(RC_E_NOT_FOUND, "no node \"%.63s\" is known", node);
    }
    post_order(d, peer, hold ? RC_OP_HOLD : RC_OP_RELEASE, node, 0);
    snprintf(text, sizeof text,
             hold ? "%s is held: nothing is done to it until it is released" : "%s is released",
             node);
    return said(text);
}

static cJSON *
answer_approve(struct rc_daemon *d, const struct rc_control_peer *peer, const cJSON *request)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(request, "incident");
    uint32_t id = cJSON_IsNumber(v) && v->valuedouble > 0 ? (uint32_t)v->valuedouble : 0;
    uint32_t slot = rc_incident_find(d->state, id);
    const struct rc_incident *inc = slot ? rc_incident_at(d->state, slot) : NULL;

    if (!inc || !inc->node) {
        return rc_control_refuse(RC_E_NOT_FOUND, "no open incident %u", id);
    }
    if (inc->phase != RC_PHASE_QUARANTINE && (!inc->rule.approve || inc->flags & RC_INC_APPROVED)) {
        return rc_control_refuse(RC_E_STATE, "incident %u does not wait for approval", id);
    }
    post_order(d, peer, RC_OP_APPROVE, "", id);
    return said("approved");
}

static cJSON *
answer_breaker(struct rc_daemon *d, const struct rc_control_peer *peer)
{
    if (!d->state->breaker_open) {
        return rc_control_refuse(RC_E_STATE, "the breaker is closed");
    }
    post_order(d, peer, RC_OP_BREAKER_RESET, "", 0);
    return said("the breaker is closed; incidents that it held go on");
}

struct listing {
    cJSON *list;
    int64_t now_ms;
    uint32_t more;
};

static bool
list_item(void *arg, const struct rc_quarantine_item *item)
{
    struct listing *l = arg;
    char body[BODY_SHOWN + 1];

    if (item->taken) {
        return true;
    }
    if (cJSON_GetArraySize(l->list) >= LIST_MAX) {
        l->more++;
        return true;
    }
    snprintf(body, sizeof body, "%.*s",
             (int)(item->body_len < BODY_SHOWN ? item->body_len : BODY_SHOWN),
             (const char *)item->body);
    for (char *p = body; *p; p++) {
        *p = (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e ? '.' : *p;
    }
    cJSON *row = cJSON_CreateObject();
    cJSON_AddNumberToObject(row, "id", (double)item->id);
    cJSON_AddNumberToObject(row, "age_ms", (double)(l->now_ms - item->time_ms));
    cJSON_AddStringToObject(row, "message_id", item->message_id);
    cJSON_AddStringToObject(row, "reason", item->reason);
    cJSON_AddStringToObject(row, "body", body);
    cJSON_AddNumberToObject(row, "bytes", (double)item->body_len);
    cJSON_AddItemToArray(l->list, row);
    return true;
}

static cJSON *
answer_quarantine_list(struct rc_daemon *d)
{
    struct listing l = {cJSON_CreateArray(), rc_wall_ms(), 0};
    struct rc_error e;

    if (rc_quarantine_list(d->quarantine, list_item, &l, &e) != RC_OK) {
        cJSON_Delete(l.list);
        return rc_control_refuse(e.code, "%s", e.text);
    }
    cJSON *reply = rc_control_ok();
    cJSON_AddItemToObject(reply, "messages", l.list);
    cJSON_AddNumberToObject(reply, "more", l.more);
    return reply;
}

struct replay {
    struct rc_daemon *d;
    uint64_t id[LIST_MAX];
    uint32_t count, replayed;
    struct rc_error error;
};

static bool
gather_id(void *arg, const struct rc_quarantine_item *item)
{
    struct replay *r = arg;

    if (!item->taken && r->count < LIST_MAX) {
        r->id[r->count++] = item->id;
    }
    return true;
}

/* First tried, then marked: what is still unreadable stays where it is. */
static bool
replay_item(void *arg, const struct rc_quarantine_item *item)
{
    struct replay *r = arg;

    if (item->id == r->id[0] &&
        rc_intake_replay(r->d->intake, item->body, item->body_len, &r->error) == RC_OK) {
        r->replayed++;
    }
    return item->id != r->id[0];
}

static bool
ignore_item(void *arg, const struct rc_quarantine_item *item)
{
    (void)arg;
    (void)item;
    return true;
}

static enum rc_err
replay_one(struct rc_daemon *d, uint64_t id, struct rc_error *e)
{
    struct replay r = {.d = d, .id = {id}};
    enum rc_err err = rc_quarantine_list(d->quarantine, replay_item, &r, e);

    if (err != RC_OK) {
        return err;
    }
    if (!r.replayed) {
        *e = r.error;
        return r.error.code ? r.error.code
                            : rc_fail(e, RC_E_NOT_FOUND, "no quarantined message %llu",
                                      (unsigned long long)id);
    }
    return rc_quarantine_take(d->quarantine, id, ignore_item, NULL, e);
}

static cJSON *
answer_quarantine_replay(struct rc_daemon *d, const cJSON *request)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
    struct replay r = {.d = d};
    struct rc_error e;
    uint32_t done = 0;

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "all"))) {
        (void)!rc_quarantine_list(d->quarantine, gather_id, &r, &e);
        for (uint32_t i = 0; i < r.count; i++) {
            done += replay_one(d, r.id[i], &e) == RC_OK;
        }
    } else if (!cJSON_IsNumber(id) || id->valuedouble < 1) {
        return rc_control_refuse(RC_E_INVALID, "quarantine-replay: needs \"id\" or \"all\"");
    } else if (replay_one(d, (uint64_t)id->valuedouble, &e) != RC_OK) {
        return rc_control_refuse(e.code, "%s", e.text);
    } else {
        done = 1;
    }
    cJSON *reply = said("replayed; what is still unreadable stays in quarantine");
    cJSON_AddNumberToObject(reply, "replayed", done);
    return reply;
}

static void
on_order_yielded(void *arg, enum rc_err code)
{
    struct rc_daemon *d = arg;

    rc_log_event(d->log, code == RC_OK ? RC_LOG_INFO : RC_LOG_WARN, "lease", RC_LOG_NOTE, "yielded",
                 RC_FIELDS(RC_TEXT("result", rc_err_name(code))), "the lease was given back");
}

static cJSON *
answer_yield(struct rc_daemon *d)
{
    if (d->dry_run) {
        return rc_control_refuse(RC_E_STATE, "a dry run leads nothing");
    }
    rc_lead_yield(d->lead, on_order_yielded, d);
    return said("the lease is being given back");
}

static cJSON *
answer_order(struct rc_daemon *d, const struct rc_control_peer *peer, const cJSON *request,
             const char *cmd)
{
    if (strcmp(cmd, "hold") == 0 || strcmp(cmd, "release") == 0) {
        return answer_hold(d, peer, request, *cmd == 'h');
    }
    if (strcmp(cmd, "approve") == 0) {
        return answer_approve(d, peer, request);
    }
    if (strcmp(cmd, "lead-yield") == 0) {
        return answer_yield(d);
    }
    if (strcmp(cmd, "pause") == 0) {
        post_order(d, peer, RC_OP_PAUSE, "", 0);
        return said("paused: nothing new is done; what is in flight ends");
    }
    if (strcmp(cmd, "resume") == 0) {
        post_order(d, peer, RC_OP_RESUME, "", 0);
        return said("resumed");
    }
    if (strcmp(cmd, "failover") == 0) {
        return rc_answer_failover(d, peer, request);
    }
    if (strcmp(cmd, "breaker-reset") == 0) {
        return answer_breaker(d, peer);
    }
    if (strcmp(cmd, "quarantine-replay") == 0) {
        return answer_quarantine_replay(d, request);
    }
    return rc_control_refuse(RC_E_INVALID, "unknown cmd \"%.40s\"", cmd);
}

static cJSON *
refuse_order(struct rc_daemon *d)
{
    struct rc_lead_view lead;

    rc_lead_view(d->lead, &lead);
    if (!*lead.owner || strcmp(lead.owner, d->config.lease.owner) == 0) {
        return rc_control_refuse(
            RC_E_NO_LEASE, "this daemon (%s) does not lead, %s: see reconcilectl status",
            d->config.lease.owner,
            *lead.owner ? "though it holds the lease" : "and knows of none that does");
    }
    return rc_control_refuse(RC_E_NO_LEASE,
                             "this daemon (%s) does not lead; ask the one that does: %s",
                             d->config.lease.owner, lead.owner);
}

static void
note_order(struct rc_daemon *d, const struct rc_control_peer *peer, const cJSON *request)
{
    rc_log_event(d->log, RC_LOG_INFO, "control", RC_LOG_DECISION, "order",
                 RC_FIELDS(RC_TEXT("cmd", text_of(request, "cmd")), RC_TEXT("who", peer->user),
                           RC_TEXT("node", text_of(request, "node"))),
                 "asked for by an operator");
}

cJSON *
rc_answer(void *arg, const struct rc_control_peer *peer, const cJSON *request)
{
    struct rc_daemon *d = arg;
    const char *cmd = text_of(request, "cmd");

    if (strcmp(cmd, "status") == 0) {
        return rc_answer_status(d);
    }
    if (strcmp(cmd, "lead") == 0) {
        cJSON *reply = rc_control_ok();
        rc_answer_lead(d, reply);
        return reply;
    }
    if (strcmp(cmd, "why") == 0) {
        return rc_answer_why(d, text_of(request, "node"));
    }
    if (strcmp(cmd, "quarantine-list") == 0) {
        return answer_quarantine_list(d);
    }
    if (!rc_leads(d->state)) {
        return refuse_order(d);
    }
    if (d->journal_stuck) {
        return rc_control_refuse(RC_E_DISK,
                                 "the journal of this daemon (%s) takes no records, and "
                                 "nothing is decided until it does: ask again then",
                                 d->config.lease.owner);
    }
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(request, "dry_run"))) {
        note_order(d, peer, request);
    }
    return answer_order(d, peer, request, cmd);
}
