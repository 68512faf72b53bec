/* model_rows.c - see model_rows.h. */
#include "simulator/model/model_rows.h"

#include <stdlib.h>
#include <string.h>

/* In one pass: most of what is played are rows of which nothing has changed. */
static void
read_tags(const struct rc_sim_instance *inst, const char *cluster, struct rc_ev_instance *d)
{
    static const char ours[] = "slurm-on-aws:";

    for (uint32_t i = 0; i < inst->tag_count; i++) {
        const char *value = inst->tag[i].value, *what = inst->tag[i].key + sizeof ours - 1;

        if (strncmp(inst->tag[i].key, ours, sizeof ours - 1) != 0) {
            continue;
        }
        if (strcmp(what, "cluster") == 0) {
            d->ours = strcmp(value, cluster) == 0;
        } else if (strcmp(what, "node") == 0) {
            rc_text_set(d->node, sizeof d->node, value);
        } else if (strcmp(what, "incident") == 0) {
            d->tag_incident = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(what, "attempt") == 0) {
            d->tag_attempt = (uint32_t)strtoul(value, NULL, 10);
        }
    }
}

void
rc_sim_instance_row(const struct rc_sim_instance *inst, const char *cluster, struct rc_event *ev)
{
    struct rc_ev_instance *d = &ev->u.described;
    bool ended = inst->state == RC_INST_TERMINATED;

    rc_event_init(ev, RC_EV_INSTANCE);
    memcpy(ev->instance, inst->id, sizeof ev->instance);
    d->launched_wall_ms = inst->launched_ms;
    d->state = (uint32_t)inst->state;
    read_tags(inst, cluster, d);
    memcpy(d->addr, ended ? "" : inst->addr, ended ? 1 : sizeof d->addr);
    memcpy(d->subnet, inst->subnet, sizeof d->subnet);
    memcpy(d->az, inst->az, sizeof d->az);
    memcpy(d->type, inst->type, sizeof d->type);
}

void
rc_sim_status_row(const struct rc_sim_instance *inst, struct rc_event *ev)
{
    struct rc_ev_instance_status *st = &ev->u.status;

    rc_event_init(ev, RC_EV_INSTANCE_STATUS);
    memcpy(ev->instance, inst->id, sizeof ev->instance);
    st->state = (uint32_t)inst->state;
    st->system = inst->check[RC_SIM_CHECK_SYSTEM].status;
    st->instance = inst->check[RC_SIM_CHECK_INSTANCE].status;
    st->ebs = inst->check[RC_SIM_CHECK_EBS].status;
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        const struct rc_sim_scheduled *s = &inst->scheduled[i];
        if (s->state == RC_SIM_SCHEDULED_ACTIVE) {
            st->schedule = (uint32_t)s->kind;
            st->not_before_wall_ms = s->not_before_ms;
            st->not_after_wall_ms = s->not_after_ms;
            memcpy(ev->code, "instance-event", sizeof "instance-event");
        }
    }
}

uint32_t
rc_sim_owner_of(const struct rc_sim_node *n, uint32_t *ret_incident)
{
    static const char *const slurm[] = {"Not responding", "Node unexpectedly rebooted"};

    if (!*n->reason) {
        return RC_OWNER_NONE;
    }
    if (rc_sim_reason_ours(n->reason)) {
        *ret_incident = (uint32_t)strtoul(n->reason + 3, NULL, 10);
        return RC_OWNER_OURS;
    }
    for (unsigned i = 0; i < sizeof slurm / sizeof slurm[0]; i++) {
        if (n->reason_uid == 0 && strcmp(n->reason, slurm[i]) == 0) {
            return RC_OWNER_SLURM;
        }
    }
    return RC_OWNER_FOREIGN;
}

enum rc_err
rc_sim_ec2_error(enum rc_sim_ec2_code code)
{
    switch ((uint32_t)code) {
    case RC_SIM_EC2_OK:
        return RC_OK;
    case RC_SIM_EC2_NO_INSTANCE:
        return RC_E_NOT_FOUND;
    case RC_SIM_EC2_NO_CAPACITY:
        return RC_E_CAPACITY;
    case RC_SIM_EC2_RESERVATION_FULL:
        return RC_E_RESERVATION_FULL;
    case RC_SIM_EC2_LIMIT:
    case RC_SIM_EC2_NO_ADDRESS:
        return RC_E_QUOTA;
    case RC_SIM_EC2_TOKEN_MISMATCH:
        return RC_E_TOKEN_MISMATCH;
    case RC_SIM_EC2_PROTECTED:
        return RC_E_PROTECTED;
    case RC_SIM_EC2_WRONG_STATE:
        return RC_E_STATE;
    case RC_SIM_EC2_THROTTLED:
        return RC_E_THROTTLED;
    case RC_SIM_EC2_UNSUPPORTED:
        return RC_E_UNSUPPORTED;
    default:
        return RC_E_INVALID;
    }
}

enum rc_err
rc_sim_slurm_error(enum rc_sim_outcome outcome)
{
    switch (outcome) {
    case RC_SIM_DONE:
    case RC_SIM_NOT_DRAINED: /* in service already */
        return RC_OK;
    case RC_SIM_MISSING:
        return RC_E_NOT_FOUND;
    case RC_SIM_FOREIGN:
        return RC_E_FOREIGN;
    case RC_SIM_NOT_REQUEUEABLE:
        return RC_OK;
    case RC_SIM_REFUSED:
        break;
    }
    return RC_E_SLURM_REFUSED;
}
