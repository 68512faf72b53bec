/* world.c - couples the models: EC2's changes become messages and hosts.
 *
 * Changes are read right after each advance and each call, so the ring of the EC2
 * model never overflows here. */
#include "simulator/world/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/notice.h"

struct rc_world *
rc_world_new(const struct rc_world_config *config, const char *queue, int64_t now_ms)
{
    struct rc_world *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    w->config = *config;
    rc_sim_random_seed(&w->random, config->seed, 3);
    w->ec2 = rc_sim_ec2_new(&config->ec2, now_ms);
    w->slurm = rc_sim_slurm_new(&config->slurm);
    if (w->ec2 == NULL || w->slurm == NULL || rc_world_queue(w, now_ms, queue) == NULL) {
        rc_world_free(w);
        return NULL;
    }
    return w;
}

void
rc_world_free(struct rc_world *w)
{
    if (w == NULL)
        return;
    rc_sim_ec2_free(w->ec2);
    rc_sim_slurm_free(w->slurm);
    for (uint32_t i = 0; i < w->queue_count; i++)
        rc_sim_sqs_free(w->queue[i].sqs);
    for (uint32_t i = 0; i < RC_WORLD_MESSAGES_MAX; i++)
        free(w->message[i].body);
    free(w);
}

struct rc_world_queue *
rc_world_queue_find(struct rc_world *w, const char *name)
{
    for (uint32_t i = 0; i < w->queue_count; i++)
        if (strcmp(w->queue[i].name, name) == 0)
            return &w->queue[i];
    return NULL;
}

struct rc_world_queue *
rc_world_queue(struct rc_world *w, int64_t now_ms, const char *name)
{
    struct rc_world_queue *q = rc_world_queue_find(w, name);
    struct rc_sim_sqs_config config = w->config.sqs;

    if (q != NULL)
        return q;
    if (w->queue_count == RC_WORLD_QUEUES_MAX)
        return NULL;
    q = &w->queue[w->queue_count];
    if (!rc_text_set(q->name, sizeof(q->name), name))
        return NULL;
    config.seed = w->config.seed + w->queue_count;
    q->created_ms = now_ms;
    q->sqs = rc_sim_sqs_new(&config);
    if (q->sqs == NULL)
        return NULL;
    w->queue_count++;
    return q;
}

uint64_t
rc_world_send(struct rc_world *w, int64_t now_ms, const char *body, int64_t delay_ms)
{
    char *copy = strdup(body);
    struct rc_world_message *m;

    if (copy == NULL || rc_sim_sqs_send(w->queue[0].sqs, now_ms, body, strlen(body), delay_ms,
                                        NULL) != RC_SIM_SQS_OK) {
        free(copy);
        return 0;
    }
    m = &w->message[++w->messages % RC_WORLD_MESSAGES_MAX];
    free(m->body);
    *m = (struct rc_world_message){.n = w->messages, .arrival_ms = now_ms, .body = copy};
    return m->n;
}

const struct rc_world_message *
rc_world_message(const struct rc_world *w, uint64_t n)
{
    const struct rc_world_message *m = &w->message[n % RC_WORLD_MESSAGES_MAX];

    return n > 0 && m->n == n ? m : NULL;
}

/* What one change of an instance means to the others. */
static void
world_change(struct rc_world *w, const struct rc_sim_change *c)
{
    struct rc_notice n = {.identity = &w->config.identity, .at_ms = c->at_ms};
    struct rc_sim_instance who = {0};
    char text[RC_NOTICE_MAX];

    if (c->kind == RC_SIM_CHANGE_UP || c->kind == RC_SIM_CHANGE_DOWN) {
        rc_sim_slurm_host(w->slurm, c->at_ms, c->addr, c->kind == RC_SIM_CHANGE_UP, c->at_ms);
        return;
    }
    if (!w->config.events)
        return;
    memcpy(who.id, c->id, sizeof(who.id));
    n.instance = &who;
    rc_sim_random_uuid(&w->random, n.event_id);
    rc_notice_state(text, &n, rc_instance_state_text(c->state));
    (void)rc_world_send(w, c->at_ms, text, w->config.event_delay_ms);
}

void
rc_world_advance(struct rc_world *w, int64_t now_ms)
{
    struct rc_sim_change c;

    rc_sim_ec2_advance(w->ec2, now_ms);
    while (rc_sim_ec2_next_change(w->ec2, &c))
        world_change(w, &c);
    rc_sim_slurm_advance(w->slurm, now_ms);
    for (uint32_t i = 0; i < w->queue_count; i++)
        rc_sim_sqs_advance(w->queue[i].sqs, now_ms);
}

int64_t
rc_world_next_ms(const struct rc_world *w)
{
    int64_t next = rc_sim_ec2_next_ms(w->ec2);
    int64_t slurm = rc_sim_slurm_next_ms(w->slurm);

    next = slurm < next ? slurm : next;
    for (uint32_t i = 0; i < w->queue_count; i++) {
        int64_t sqs = rc_sim_sqs_next_ms(w->queue[i].sqs);

        next = sqs < next ? sqs : next;
    }
    return next;
}

static bool
instance_ended(const struct rc_sim_instance *inst)
{
    return inst->state == RC_INST_SHUTTING_DOWN || inst->state == RC_INST_TERMINATED;
}

struct rc_sim_instance *
rc_world_instance(struct rc_world *w, const char *name)
{
    uint32_t at = rc_sim_slurm_find(w->slurm, name);
    const struct rc_sim_node *node = at != RC_SIM_NO_NODE ? rc_sim_slurm_node(w->slurm, at) : NULL;
    struct rc_sim_instance *tagged = NULL;

    for (uint32_t i = 0; i < rc_sim_ec2_slots(w->ec2); i++) {
        struct rc_sim_instance *inst = rc_sim_ec2_at(w->ec2, i);
        const char *tag;

        if (inst == NULL)
            continue;
        if (strcmp(inst->id, name) == 0)
            return inst;
        if (instance_ended(inst))
            continue;
        if (node != NULL && strcmp(inst->addr, node->addr) == 0)
            return inst;
        tag = rc_sim_ec2_tag_value(inst, "slurm-on-aws:node");
        if (tag != NULL && strcmp(tag, name) == 0 &&
            (tagged == NULL || inst->launch > tagged->launch))
            tagged = inst;
    }
    return tagged;
}

struct rc_sim_instance *
rc_world_place(struct rc_world *w, int64_t now_ms, const struct rc_sim_launch *like,
               const char *node, const char *addr)
{
    struct rc_sim_instance *inst = rc_sim_ec2_place(w->ec2, now_ms, like, addr);

    if (inst == NULL)
        return NULL;
    (void)rc_sim_ec2_tag(inst, "Name", node);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:cluster", w->config.identity.cluster);
    (void)rc_sim_ec2_tag(inst, "slurm-on-aws:node", node);
    return inst;
}

static struct rc_notice
notice_of(struct rc_world *w, int64_t now_ms, const struct rc_sim_instance *inst)
{
    struct rc_notice n = {.identity = &w->config.identity, .instance = inst, .at_ms = now_ms};

    rc_sim_random_uuid(&w->random, n.event_id);
    return n;
}

bool
rc_world_terminate(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst)
{
    if (instance_ended(inst))
        return false;
    rc_sim_ec2_kill(w->ec2, now_ms, inst, "Server.InternalError");
    rc_world_advance(w, now_ms);
    return true;
}

bool
rc_world_spot(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst, int64_t lead_ms)
{
    struct rc_notice n = notice_of(w, now_ms, inst);
    char text[RC_NOTICE_MAX];

    if (inst->state != RC_INST_RUNNING && inst->state != RC_INST_PENDING)
        return false;
    if (lead_ms < 0)
        lead_ms = 120 * (int64_t)w->config.spot_permille;
    rc_sim_ec2_spot(w->ec2, inst, now_ms + lead_ms);
    rc_notice_spot(text, &n);
    return rc_world_send(w, now_ms, text, w->config.event_delay_ms) > 0;
}

bool
rc_world_rebalance(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst)
{
    struct rc_notice n = notice_of(w, now_ms, inst);
    char text[RC_NOTICE_MAX];

    rc_notice_rebalance(text, &n);
    return rc_world_send(w, now_ms, text, w->config.event_delay_ms) > 0;
}

bool
rc_world_retire(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst, int64_t open_ms)
{
    struct rc_notice n = notice_of(w, now_ms, inst);
    int64_t end_ms = open_ms + 2 * 3600 * 1000;
    char text[RC_NOTICE_MAX];

    if (instance_ended(inst) ||
        rc_sim_ec2_schedule(w->ec2, inst, RC_SCHED_RETIREMENT, open_ms, end_ms) == NULL)
        return false;
    rc_notice_retirement(text, &n, open_ms, end_ms);
    return rc_world_send(w, now_ms, text, w->config.event_delay_ms) > 0;
}

bool
rc_world_status_check(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst,
                      const struct rc_world_check *check)
{
    static const char *const metric[RC_SIM_CHECKS] = {"System", "Instance", "AttachedEBS"};
    bool firing = check->status == RC_CHECK_IMPAIRED;
    struct rc_notice n = notice_of(w, now_ms, inst);
    char text[RC_NOTICE_MAX];

    if (inst->state != RC_INST_RUNNING)
        return false;
    rc_sim_ec2_impair(inst, now_ms, check->which, check->status);
    if (check->unreachable)
        (void)rc_world_host(w, now_ms, inst, !firing);
    if (!check->alarm)
        return true;
    rc_notice_alarm(text, &n, metric[check->which], firing);
    return rc_world_send(w, now_ms, text, w->config.event_delay_ms) > 0;
}

bool
rc_world_host(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst, bool up)
{
    if (inst->state != RC_INST_RUNNING || !inst->booted)
        return false;
    rc_sim_slurm_host(w->slurm, now_ms, inst->addr, up, inst->running_ms);
    return true;
}
