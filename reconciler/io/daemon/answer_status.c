/* answer_status.c - the state of the whole daemon, for `reconcilectl status`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/answer.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/standby.h"
#include "reconciler/io/daemon/sweeps.h"

enum { LOOK_AGAIN_MS = 100 };

#ifndef RC_VERSION
#    define RC_VERSION "unknown"
#endif

void
rc_answer_lead(struct rc_daemon *d, cJSON *reply)
{
    const struct rc_state *s = d->state;
    int64_t left_ms = s->lease_until_ms - rc_daemon_now_ms(d);
    cJSON *o = cJSON_AddObjectToObject(reply, "lease");
    struct rc_lead_view lead;

    rc_lead_view(d->lead, &lead);
    cJSON_AddBoolToObject(o, "held", rc_leads(s));
    if (rc_leads(s)) {
        cJSON_AddStringToObject(o, "owner", d->config.lease.owner);
        cJSON_AddNumberToObject(o, "left_ms", (double)(left_ms > 0 ? left_ms : 0));
    } else if (*lead.owner) {
        cJSON_AddStringToObject(o, "owner", lead.owner);
    }
    if (*lead.owner && lead.since_wall_ms) {
        cJSON_AddNumberToObject(o, "since_ms", (double)(rc_wall_ms() - lead.since_wall_ms));
    }
    cJSON_AddNumberToObject(o, "epoch", (double)(s->lease_held ? s->lease_epoch : lead.epoch));
    if (lead.age_ms >= 0) {
        cJSON_AddNumberToObject(o, "asked_ms", (double)lead.age_ms);
    }
    if (lead.yielding) {
        cJSON_AddTrueToObject(o, "yielded");
    }
    if (*lead.error) {
        cJSON_AddStringToObject(o, "error", lead.error);
    }
}

static void
add_daemon(struct rc_daemon *d, cJSON *reply)
{
    const struct rc_state *s = d->state;
    cJSON *o = cJSON_AddObjectToObject(reply, "daemon");

    cJSON_AddStringToObject(o, "version", RC_VERSION);
    cJSON_AddStringToObject(o, "host", d->config.lease.owner);
    cJSON_AddNumberToObject(o, "pid", getpid());
    cJSON_AddNumberToObject(o, "uptime_ms", (double)(rc_wall_ms() - d->started_wall_ms));
    cJSON_AddBoolToObject(o, "dry_run", d->dry_run);
    rc_answer_lead(d, reply);
    cJSON_AddBoolToObject(reply, "paused", s->paused != 0);
}

static void
add_policy(struct rc_daemon *d, cJSON *reply)
{
    const struct rc_limits_policy *l = &d->state->policy.limits;
    cJSON *o = cJSON_AddObjectToObject(reply, "policy");
    char hash[20];

    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)d->state->policy.hash);
    cJSON_AddStringToObject(o, "name", d->state->policy.name);
    cJSON_AddStringToObject(o, "hash", hash);
    cJSON_AddStringToObject(o, "path", d->config.policy);
    cJSON_AddNumberToObject(o, "age_ms", (double)(rc_wall_ms() - d->policy_wall_ms));
    if (d->policy_errors.count) {
        cJSON *errors = cJSON_AddArrayToObject(o, "errors");
        for (uint32_t i = 0; i < d->policy_errors.count && i < RC_LOAD_ERRORS_MAX; i++) {
            cJSON_AddItemToArray(errors, cJSON_CreateString(d->policy_errors.line[i]));
        }
    }
    o = cJSON_AddObjectToObject(reply, "breaker");
    cJSON_AddBoolToObject(o, "open", d->state->breaker_open != 0);
    cJSON_AddBoolToObject(o, "off", l->breaker_off != 0);
    cJSON_AddNumberToObject(o, "incidents", rc_breaker_count(d->state));
    cJSON_AddNumberToObject(o, "allowed",
                            rc_limit_allows(&l->breaker, rc_scope_at(d->state, 0)->nodes));
    cJSON_AddNumberToObject(o, "window_ms", (double)l->breaker_window_ms);
}

static void
add_source(cJSON *list, const char *name, bool up, int64_t wall_ms, const char *text)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "name", name);
    cJSON_AddBoolToObject(o, "up", up);
    if (wall_ms) {
        cJSON_AddNumberToObject(o, "age_ms", (double)(rc_wall_ms() - wall_ms));
    }
    if (text && *text) {
        cJSON_AddStringToObject(o, "text", text);
    }
    cJSON_AddItemToArray(list, o);
}

static void
add_sources(struct rc_daemon *d, cJSON *reply)
{
    cJSON *list = cJSON_AddArrayToObject(reply, "sources");
    struct rc_slurm_stats sl;

    rc_slurm_stats(d->slurm, &sl);
    add_source(list, "slurm", d->state->slurm_ok, d->state->slurm_wall_ms,
               sl.reader_error ? rc_err_text(sl.reader_error) : NULL);
    add_source(list, "ec2", d->state->ec2_ok, d->state->ec2_wall_ms, NULL);
    add_source(list, "queue", !*d->queue_error, d->queue_wall_ms, d->queue_error);
    add_source(list, "journal", rc_journal_state(d->journal) == RC_JOURNAL_GOOD, 0,
               d->journal_stuck ? "records are refused; nothing is decided until it takes them"
                                : NULL);
}

static uint32_t
count_held(const struct rc_state *s)
{
    uint32_t held = 0;

    for (uint32_t i = 1; i <= s->node_count; i++) {
        held += rc_node_at(s, i)->hold != 0;
    }
    return held;
}

static void
add_nodes(struct rc_daemon *d, cJSON *reply)
{
    const struct rc_state *s = d->state;
    const struct rc_scope_row *all = rc_scope_at(s, 0);
    cJSON *o = cJSON_AddObjectToObject(reply, "nodes");
    struct rc_intake_stats in;

    cJSON_AddNumberToObject(o, "total", all->nodes);
    cJSON_AddNumberToObject(o, "in_service", all->nodes - all->out);
    cJSON_AddNumberToObject(o, "out", all->out);
    cJSON_AddNumberToObject(o, "held", count_held(s));
    cJSON_AddNumberToObject(o, "allowed_out",
                            rc_limit_allows(&s->policy.limits.out[RC_SCOPE_CLUSTER], all->nodes));
    rc_intake_stats(d->intake, &in);
    o = cJSON_AddObjectToObject(reply, "messages");
    cJSON_AddNumberToObject(o, "waiting", in.held);
    cJSON_AddNumberToObject(o, "quarantined", (double)rc_quarantine_count(d->quarantine));
    cJSON_AddBoolToObject(reply, "capacity_exceeded", s->table_full != 0);
}

static cJSON *
incident_row(struct rc_daemon *d, const struct rc_incident *inc)
{
    cJSON *o = cJSON_CreateObject();
    char text[160];
    int64_t now_ms = rc_daemon_now_ms(d);

    cJSON_AddNumberToObject(o, "id", inc->id);
    cJSON_AddStringToObject(o, "node", rc_node_at(d->state, inc->node)->name);
    cJSON_AddStringToObject(o, "fault", rc_fault_name((enum rc_fault)inc->fault));
    cJSON_AddNumberToObject(o, "age_ms", (double)(rc_wall_ms() - inc->opened_wall_ms));
    cJSON_AddStringToObject(o, "phase", rc_phase_name((enum rc_phase)inc->phase));
    cJSON_AddNumberToObject(o, "phase_age_ms", (double)(now_ms - inc->phase_ms));
    cJSON_AddStringToObject(o, "waits_for", rc_phase_waits_for((enum rc_phase)inc->phase));
    if (inc->block) {
        rc_answer_block_text(d, inc, (enum rc_block)inc->block, text, sizeof text);
        cJSON_AddStringToObject(o, "block", rc_block_name((enum rc_block)inc->block));
        cJSON_AddStringToObject(o, "block_text", text);
    }
    return o;
}

/* What the store says is in flight: a daemon that does not lead knows nothing newer. */
static void
add_stored(struct rc_daemon *d, cJSON *reply, cJSON *list)
{
    bool is_looking = rc_standby_look(d->standby);
    struct rc_standby_view view;

    rc_standby_view(d->standby, &view);
    for (size_t i = 0; i < view.count; i++) {
        const struct rc_incident_item *item = &view.items[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddNumberToObject(o, "id", item->incident);
        cJSON_AddStringToObject(o, "node", item->node);
        cJSON_AddStringToObject(o, "fault", rc_fault_name((enum rc_fault)item->item.fault));
        cJSON_AddNumberToObject(o, "age_ms", (double)(rc_wall_ms() - item->item.opened_wall_ms));
        cJSON_AddStringToObject(o, "phase", rc_phase_name((enum rc_phase)item->item.phase));
        cJSON_AddStringToObject(o, "waits_for",
                                rc_phase_waits_for((enum rc_phase)item->item.phase));
        cJSON_AddItemToArray(list, o);
    }
    if (is_looking) {
        cJSON_AddNumberToObject(reply, "again_ms", LOOK_AGAIN_MS);
    }
    if (*view.error) {
        cJSON *attention = cJSON_AddArrayToObject(reply, "attention");
        cJSON_AddItemToArray(attention, cJSON_CreateString(view.error));
    }
}

cJSON *
rc_answer_status(struct rc_daemon *d)
{
    cJSON *reply = rc_control_ok();

    add_daemon(d, reply);
    add_policy(d, reply);
    add_sources(d, reply);
    add_nodes(d, reply);
    rc_answer_add_slurmctld(d, reply);
    cJSON *list = cJSON_AddArrayToObject(reply, "incidents");
    if (!d->state->lease_held) {
        add_stored(d, reply, list);
        return reply;
    }
    for (uint32_t slot = 1; slot <= d->state->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(d->state, slot);
        if (inc->id && inc->node) {
            cJSON_AddItemToArray(list, incident_row(d, inc));
        }
    }
    return reply;
}
