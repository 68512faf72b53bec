/* answer_why.c - all that is known of one node, and why something is or is not
 * done about it, for `reconcilectl why`. */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/answer.h"

static const char *const flag_names[] = {
    "down",   "drain",    "fail",    "allocated", "completing",   "not_responding",
    "maint",  "reserved", "reboot",  "powering",  "powered_down", "invalid_reg",
    "future", "unknown",  "dynamic", "cloud"};

static const char *const owner_names[] = {"unknown", "none", "ours", "slurm", "foreign"};
static const char *const state_names[] = {"unknown", "pending",       "running",   "stopping",
                                          "stopped", "shutting-down", "terminated"};
static const char *const check_names[] = {"unknown", "ok", "initializing", "impaired"};

void
rc_answer_block_text(const struct rc_daemon *d, const struct rc_incident *inc, enum rc_block block,
                     char *text, size_t room)
{
    const struct rc_state *s = d->state;
    const struct rc_node *n = rc_node_at(s, inc->node);
    const uint32_t rows[] = {0, n->partition_row, n->zone_row};

    if (block >= RC_BLOCK_BUDGET_CLUSTER && block <= RC_BLOCK_BUDGET_ZONE) {
        unsigned scope = (unsigned)block - RC_BLOCK_BUDGET_CLUSTER;
        const struct rc_scope_row *r = rc_scope_at(s, rows[scope]);
        snprintf(text, room, "%u of %u nodes of %s are out of service by us",
                 rc_out_of_scope(s, rows[scope]),
                 rc_limit_allows(&s->policy.limits.out[scope], r->nodes),
                 *r->name ? r->name : "the cluster");
    } else if (block == RC_BLOCK_BUDGET_JOBS) {
        snprintf(text, room, "%u running jobs have lost a node to us, %u may", s->jobs_out,
                 rc_limit_allows(&s->policy.limits.jobs, s->jobs_running));
    } else if (block == RC_BLOCK_BUDGET_OF_JOB) {
        snprintf(text, room,
                 "job %u has lost as many nodes to us as one job may; if its nodes "
                 "go on failing, look at the job",
                 n->job[0].id);
    } else if (block == RC_BLOCK_SPACING) {
        snprintf(text, room, "another node was taken out %lld s ago",
                 (long long)(s->now_ms - s->taken_ms) / 1000);
    } else if (block == RC_BLOCK_BREAKER) {
        snprintf(text, room,
                 "the breaker is open: too many incidents at once; "
                 "reconcilectl breaker reset when you have looked");
    } else if (block == RC_BLOCK_APPROVAL) {
        snprintf(text, room, "a person must approve: reconcilectl approve %u", inc->id);
    } else if (block == RC_BLOCK_CAPACITY) {
        snprintf(text, room, "no launch option has capacity; next try in %lld s",
                 (long long)(inc->next_try_ms - s->now_ms) / 1000);
    } else if (block == RC_BLOCK_FOREIGN) {
        snprintf(text, room, "somebody else drained the node; their reason is kept");
    } else if (block == RC_BLOCK_NOT_SAVED) {
        snprintf(text, room,
                 "the incident store does not take its item: what cannot be taken "
                 "back waits, because a successor could not know of it");
    } else if (block == RC_BLOCK_HOLD) {
        snprintf(text, room, "an operator holds the node: reconcilectl release %s", n->name);
    } else {
        snprintf(text, room, "%s", rc_block_name(block));
    }
}

static void
add_flags(cJSON *o, uint32_t flags)
{
    char text[256] = "";

    for (unsigned i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++) {
        if (flags & (1U << i)) {
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? "," : "",
                     flag_names[i]);
        }
    }
    cJSON_AddStringToObject(o, "slurm", *text ? text : "idle");
}

static void
add_node(struct rc_daemon *d, const struct rc_node *n, cJSON *reply)
{
    const struct rc_state *s = d->state;
    cJSON *o = cJSON_AddObjectToObject(reply, "node");
    const struct rc_instance *i = n->instance ? rc_instance_at(s, n->instance) : NULL;
    uint32_t out = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL | RC_SN_NOT_RESPONDING;

    cJSON_AddStringToObject(o, "name", n->name);
    cJSON_AddStringToObject(o, "partition", n->partition);
    cJSON_AddStringToObject(o, "group", n->group ? s->cluster.group[n->group - 1].name : "");
    cJSON_AddStringToObject(o, "zone", i ? i->az : "");
    cJSON_AddBoolToObject(o, "in_service", n->seen_ms && !(n->flags & out));
    if (n->hold) {
        cJSON_AddStringToObject(o, "held_by", "operator");
    }
    add_flags(o, n->flags);
    cJSON_AddNumberToObject(o, "jobs", n->jobs);
    cJSON_AddStringToObject(o, "reason_owner", owner_names[n->owner]);
    cJSON_AddStringToObject(o, "address", n->addr);
    if (n->seen_ms) {
        cJSON_AddNumberToObject(o, "seen_ms", (double)(rc_daemon_now_ms(d) - n->seen_ms));
    }
    if (i) {
        cJSON_AddStringToObject(o, "instance", i->id);
        cJSON_AddStringToObject(o, "instance_state", state_names[i->state]);
    }
    cJSON_AddNumberToObject(o, "repairs", n->repair_count);
    cJSON_AddNumberToObject(o, "repairs_max", s->policy.limits.attempts_max);
    cJSON_AddNumberToObject(o, "repairs_window_ms", (double)s->policy.limits.attempts_window_ms);
}

static void
add_incident(struct rc_daemon *d, const struct rc_incident *inc, cJSON *reply)
{
    cJSON *o = cJSON_AddObjectToObject(reply, "incident"), *ladder;
    int64_t now_ms = rc_daemon_now_ms(d);

    cJSON_AddNumberToObject(o, "id", inc->id);
    cJSON_AddStringToObject(o, "fault", rc_fault_name((enum rc_fault)inc->fault));
    cJSON_AddStringToObject(o, "code", inc->code);
    cJSON_AddStringToObject(o, "rule", inc->rule.name);
    cJSON_AddNumberToObject(o, "age_ms", (double)(now_ms - inc->opened_ms));
    cJSON_AddStringToObject(o, "phase", rc_phase_name((enum rc_phase)inc->phase));
    cJSON_AddNumberToObject(o, "phase_age_ms", (double)(now_ms - inc->phase_ms));
    cJSON_AddStringToObject(o, "waits_for", rc_phase_waits_for((enum rc_phase)inc->phase));
    ladder = cJSON_AddArrayToObject(o, "ladder");
    for (uint32_t i = 0; i < inc->rule.rung_count; i++) {
        cJSON_AddItemToArray(
            ladder, cJSON_CreateString(rc_rung_name((enum rc_rung_kind)inc->rule.rung[i].kind)));
    }
    cJSON_AddNumberToObject(o, "rung", inc->rung);
    cJSON_AddNumberToObject(o, "tries", inc->rung_tries);
    cJSON_AddNumberToObject(o, "tries_max", rc_rung_now(inc)->attempts);
    if (inc->old_instance) {
        cJSON_AddStringToObject(o, "old_instance", rc_instance_at(d->state, inc->old_instance)->id);
    }
    if (inc->new_instance) {
        cJSON_AddStringToObject(o, "new_instance", rc_instance_at(d->state, inc->new_instance)->id);
    }
    if (inc->deadline_wall_ms) {
        cJSON_AddNumberToObject(o, "deadline_ms", (double)(inc->deadline_wall_ms - rc_wall_ms()));
    }
    cJSON_AddBoolToObject(o, "approved", (inc->flags & RC_INC_APPROVED) != 0);
}

static void
held_row(cJSON *list, enum rc_block block, const char *text)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "by", rc_block_name(block));
    cJSON_AddStringToObject(row, "text", text);
    cJSON_AddItemToArray(list, row);
}

/* A fault is seen, but no incident is open: why. */
static void
why_no_incident(struct rc_daemon *d, const struct rc_node *n, const struct rc_finding *f,
                uint32_t node, cJSON *list)
{
    const struct rc_rule *rule = rc_policy_match(d->state, node, f);
    enum rc_block block = rc_may_touch(d->state, n);

    if (f->fault == RC_FAULT_NONE) {
        return;
    }
    if (!n->group) {
        held_row(list, RC_BLOCK_UNKNOWN, "the node belongs to no group of the cluster file");
    } else if (!rule || rule->ignore) {
        held_row(list, RC_BLOCK_NONE, rule ? "the policy says to ignore it" : "no rule matches it");
    } else if ((uint32_t)f->fault <= n->yielded_fault) {
        held_row(list, RC_BLOCK_FOREIGN, "an operator took the node back knowing of this fault");
    } else if (d->state->now_ms < n->cooldown_until_ms) {
        held_row(list, RC_BLOCK_COOLDOWN, "it was repaired a short while ago");
    } else if (block != RC_BLOCK_NONE) {
        held_row(list, block, rc_block_name(block));
    } else {
        held_row(list, RC_BLOCK_NONE, "the fault has not stood long enough to be believed");
    }
}

static void
add_line(cJSON *list, int64_t age_ms, const char *text)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddNumberToObject(row, "age_ms", (double)(age_ms > 0 ? age_ms : 0));
    cJSON_AddStringToObject(row, "text", text);
    cJSON_AddItemToArray(list, row);
}

static void
add_evidence(struct rc_daemon *d, const struct rc_node *n, const struct rc_finding *f, cJSON *list)
{
    const struct rc_instance *i = n->instance ? rc_instance_at(d->state, n->instance) : NULL;
    int64_t now_ms = rc_daemon_now_ms(d);
    char text[256];

    if (!i) {
        add_line(list, 0, "no instance of ours is known to stand behind this name");
        return;
    }
    snprintf(text, sizeof text, "EC2: %s is %s", i->id, state_names[i->state]);
    add_line(list, now_ms - i->seen_ms, text);
    if (i->checked_ms) {
        snprintf(text, sizeof text, "status checks: system %s, instance %s, volumes %s",
                 check_names[i->faults.system], check_names[i->faults.instance],
                 check_names[i->faults.ebs]);
        add_line(list, now_ms - i->checked_ms, text);
    }
    if (i->missing_since_ms) {
        add_line(list, now_ms - i->missing_since_ms, "EC2 does not show the instance any more");
    }
    if (f->fault != RC_FAULT_NONE) {
        snprintf(text, sizeof text, "judged as %s (%s)", rc_fault_name(f->fault), f->code);
        add_line(list, 0, text);
    }
}

cJSON *
rc_answer_why(struct rc_daemon *d, const char *name)
{
    uint32_t node = strlen(name) < RC_NODE_LEN ? rc_node_find(d->state, name) : 0;
    char text[160];

    if (!node) {
        return rc_control_refuse(RC_E_NOT_FOUND, "no node \"%.63s\" is known", name);
    }
    const struct rc_node *n = rc_node_at(d->state, node);
    struct rc_finding f = rc_diagnose(d->state, node);
    cJSON *reply = rc_control_ok();
    add_node(d, n, reply);
    if (n->incident) {
        add_incident(d, rc_incident_at(d->state, n->incident), reply);
    }
    cJSON *held = cJSON_AddArrayToObject(reply, "held_back");
    if (!n->incident) {
        why_no_incident(d, n, &f, node, held);
    } else if (rc_incident_at(d->state, n->incident)->block) {
        const struct rc_incident *inc = rc_incident_at(d->state, n->incident);
        rc_answer_block_text(d, inc, (enum rc_block)inc->block, text, sizeof text);
        held_row(held, (enum rc_block)inc->block, text);
    }
    add_evidence(d, n, &f, cJSON_AddArrayToObject(reply, "evidence"));
    return reply;
}
