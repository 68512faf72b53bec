/* model_launch.c - see model_launch.h. */
#include "simulator/model/model_launch.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_ADDRESS = 0x0a000000 /* 10.0.0.0 */, NUMBER_LEN = 16 };

static const char template_id[] = "lt-1", reservation_id[] = "cr-1", type[] = "p4d.24xlarge";
static const char *const subnet_id[RC_SIM_ACCOUNT_SUBNETS] = {"subnet-a", "subnet-b", "subnet-c"};

struct rc_sim_ec2 *
rc_sim_account_new(const struct rc_sim_account *account, int64_t now_ms)
{
    struct rc_sim_template lt = {
        .name = "gpu", .image = "ami-1", .version = 1, .latest = true, .by_default = true};
    struct rc_sim_reservation cr = {.total = account->reserved};
    struct rc_sim_ec2 *m = rc_sim_ec2_new(&account->ec2, now_ms);

    for (uint32_t i = 0; m && i < RC_SIM_ACCOUNT_SUBNETS; i++) {
        struct rc_sim_subnet s = {.base = FIRST_ADDRESS + (i << account->subnet_bits),
                                  .size = account->subnet_size};
        rc_text_set(s.id, sizeof s.id, subnet_id[i]);
        rc_text_set(s.az, sizeof s.az, account->zone[i]);
        rc_sim_ec2_add_subnet(m, &s);
    }
    if (m) {
        rc_text_set(lt.id, sizeof lt.id, template_id);
        rc_text_set(lt.type, sizeof lt.type, type);
        rc_sim_ec2_add_template(m, &lt);
    }
    if (m && account->reserved) {
        rc_text_set(cr.id, sizeof cr.id, reservation_id);
        rc_text_set(cr.type, sizeof cr.type, type);
        rc_text_set(cr.az, sizeof cr.az, account->zone[0]);
        rc_sim_ec2_add_reservation(m, &cr);
    }
    return m;
}

uint32_t
rc_sim_account_options(const struct rc_sim_account *account, bool reserved,
                       struct rc_launch_option *ret)
{
    uint32_t count = reserved ? 1 : RC_SIM_ACCOUNT_SUBNETS;

    for (uint32_t i = 0; i < count; i++) {
        rc_text_set(ret[i].subnet, RC_ID_LEN, subnet_id[i]);
        rc_text_set(ret[i].az, RC_AZ_LEN, account->zone[i]);
        rc_text_set(ret[i].reservation, RC_ID_LEN, reserved ? reservation_id : "");
    }
    return count;
}

void
rc_sim_account_group(const struct rc_sim_account *account, uint32_t nodes, struct rc_group *ret)
{
    bool reserved = account->reserved != 0;

    rc_text_set(ret->name, sizeof ret->name, "gpu");
    snprintf(ret->nodes, sizeof ret->nodes, "n[1-%u]", nodes);
    rc_text_set(ret->template_id, sizeof ret->template_id, template_id);
    ret->template_version = 1;
    ret->capacity = reserved ? RC_CAPACITY_RESERVED : RC_CAPACITY_OPEN;
    ret->option_count = rc_sim_account_options(account, reserved, ret->option);
}

/* ---- launches ---- */

static void
add_tag(struct rc_sim_launch *l, const char *key, const char *value)
{
    rc_text_set(l->tag[l->tag_count].key, RC_SIM_TAG_KEY_LEN, key);
    rc_text_set(l->tag[l->tag_count++].value, RC_SIM_TAG_VALUE_LEN, value);
}

struct rc_sim_instance *
rc_sim_account_place(struct rc_sim_ec2 *m, int64_t now_ms, const char *cluster, const char *node,
                     uint32_t subnet, bool reserved)
{
    struct rc_sim_launch like = {.min = 1, .max = 1};

    rc_text_set(like.template_id, sizeof like.template_id, template_id);
    rc_text_set(like.subnet, sizeof like.subnet, subnet_id[subnet]);
    rc_text_set(like.reservation, sizeof like.reservation, reserved ? reservation_id : "");
    add_tag(&like, "slurm-on-aws:cluster", cluster);
    add_tag(&like, "slurm-on-aws:node", node);
    return rc_sim_ec2_place(m, now_ms, &like, "");
}

void
rc_sim_launch_of(const struct rc_action *a, const struct rc_group *g, const char *cluster,
                 struct rc_sim_launch *ret)
{
    const struct rc_launch_option *o = &g->option[a->u.launch.option];
    char number[NUMBER_LEN];

    *ret = (struct rc_sim_launch){.min = 1, .max = 1, .version = (int32_t)g->template_version};
    rc_text_set(ret->token, sizeof ret->token, a->u.launch.token);
    rc_text_set(ret->template_id, sizeof ret->template_id, g->template_id);
    rc_text_set(ret->subnet, sizeof ret->subnet, o->subnet);
    rc_text_set(ret->reservation, sizeof ret->reservation, o->reservation);
    add_tag(ret, "slurm-on-aws:cluster", cluster);
    add_tag(ret, "slurm-on-aws:node", a->node);
    snprintf(number, sizeof number, "%u", a->incident);
    add_tag(ret, "slurm-on-aws:incident", number);
    snprintf(number, sizeof number, "%u", a->u.launch.attempt);
    add_tag(ret, "slurm-on-aws:attempt", number);
}

void
rc_sim_launch_told(const struct rc_action *a, const struct rc_sim_instance *inst, int64_t now_ms,
                   struct rc_ev_completion *ret)
{
    memcpy(ret->instance, inst->id, sizeof ret->instance);
    ret->launched.state = (uint32_t)inst->state;
    ret->launched.ours = 1;
    ret->launched.tag_incident = a->incident;
    ret->launched.tag_attempt = a->u.launch.attempt;
    ret->launched.launched_wall_ms = inst->launched_ms ? inst->launched_ms : now_ms;
    memcpy(ret->launched.node, a->node, RC_NODE_LEN);
    memcpy(ret->launched.addr, inst->addr, RC_ADDR_LEN);
    memcpy(ret->launched.subnet, inst->subnet, RC_ID_LEN);
    memcpy(ret->launched.az, inst->az, RC_AZ_LEN);
    memcpy(ret->launched.type, inst->type, RC_TYPE_LEN);
}

void
rc_sim_assign(const struct rc_action *a, struct rc_sim_instance *inst)
{
    char number[NUMBER_LEN];

    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:node", a->node);
    snprintf(number, sizeof number, "%u", a->incident);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:incident", number);
    snprintf(number, sizeof number, "%u", a->u.launch.attempt);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:attempt", number);
}
