/* ec2_life.c - what happens to instances: the verbs of the API, faults from
 * outside, and the passing of time.
 *
 * Life cycle: pending > running > stopping > stopped > pending … and
 * shutting-down > terminated > gone. Time only moves forward: a step that is due
 * is made at its own time, not at the time of the call. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "simulator/model/ec2_table.h"

enum { WEEK_MS = 7 * 24 * 3600 * 1000 };

int64_t
rc_sim_ec2_delay(struct rc_sim_ec2 *m, int64_t base_ms)
{
    return rc_sim_random_jitter(&m->random, base_ms, m->config.delays.jitter_permille);
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When the first scheduled event opens its window or is to be unlisted. */
static int64_t
scheduled_next_ms(const struct rc_sim_instance *inst)
{
    int64_t next = RC_SIM_NEVER;

    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        const struct rc_sim_scheduled *s = &inst->scheduled[i];

        if (s->state == RC_SIM_SCHEDULED_ACTIVE)
            next = earlier(next, s->not_before_ms);
        else if (s->state != RC_SIM_SCHEDULED_NONE)
            next = earlier(next, s->ended_ms + WEEK_MS);
    }
    return next;
}

void
rc_sim_ec2_rearm(struct rc_sim_ec2 *m, const struct rc_sim_instance *inst)
{
    int64_t next =
        earlier(earlier(inst->step_ms, inst->boot_ms), earlier(inst->release_ms, inst->spot_ms));

    rc_sim_heap_set(&m->due, rc_sim_ec2_slot(m, inst), earlier(next, scheduled_next_ms(inst)));
}

static void
host_down(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst)
{
    inst->boot_ms = RC_SIM_NEVER;
    if (!inst->booted)
        return;
    inst->booted = false;
    rc_sim_ec2_note(m, at_ms, RC_SIM_CHANGE_DOWN, inst);
}

static void
checks_set(struct rc_sim_instance *inst, enum rc_check status)
{
    for (int i = 0; i < RC_SIM_CHECKS; i++)
        inst->check[i] = (struct rc_sim_check){.status = status};
}

/* A scheduled event loses its object when the instance moves or ends. */
static void
scheduled_end(struct rc_sim_instance *inst, int64_t at_ms, enum rc_sim_scheduled_state how)
{
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        if (inst->scheduled[i].state != RC_SIM_SCHEDULED_ACTIVE)
            continue;
        inst->scheduled[i].state = how;
        inst->scheduled[i].ended_ms = at_ms;
    }
}

void
rc_sim_ec2_enter(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst,
                 enum rc_instance_state state)
{
    const struct rc_sim_ec2_delays *d = &m->config.delays;

    inst->state = state;
    inst->changed_ms = at_ms;
    inst->step_ms = RC_SIM_NEVER;
    switch (state) {
    case RC_INST_PENDING:
        checks_set(inst, RC_CHECK_UNKNOWN);
        inst->why[0] = '\0';
        inst->step_ms = at_ms + rc_sim_ec2_delay(m, d->launch_ms);
        break;
    case RC_INST_RUNNING:
        checks_set(inst, RC_CHECK_INITIALIZING);
        inst->running_ms = at_ms;
        inst->boot_ms = at_ms + rc_sim_ec2_delay(m, d->boot_ms);
        inst->step_ms = at_ms + d->initializing_ms;
        break;
    case RC_INST_STOPPING:
    case RC_INST_SHUTTING_DOWN:
        host_down(m, at_ms, inst);
        inst->spot_ms = RC_SIM_NEVER;
        scheduled_end(inst, at_ms, RC_SIM_SCHEDULED_COMPLETED);
        inst->step_ms =
            at_ms + rc_sim_ec2_delay(m, state == RC_INST_STOPPING ? d->stop_ms : d->terminate_ms);
        break;
    case RC_INST_STOPPED:
    case RC_INST_TERMINATED:
        if (inst->pool >= 0 || inst->held >= 0)
            inst->release_ms = at_ms + d->release_ms;
        if (state == RC_INST_TERMINATED)
            inst->step_ms = at_ms + d->vanish_ms;
        break;
    case RC_INST_UNKNOWN:
    case RC_INST__MAX:
        assert(0 && "no such state of an instance");
    }
    rc_sim_ec2_note(m, at_ms, RC_SIM_CHANGE_STATE, inst);
    rc_sim_ec2_rearm(m, inst);
}

enum rc_sim_ec2_code
rc_sim_ec2_may(const struct rc_sim_instance *inst, enum rc_sim_verb verb)
{
    bool running = inst->state == RC_INST_RUNNING;
    bool ending = inst->state == RC_INST_SHUTTING_DOWN || inst->state == RC_INST_TERMINATED;

    switch (verb) {
    case RC_SIM_STOP:
        return running || inst->state == RC_INST_STOPPING || inst->state == RC_INST_STOPPED
                   ? RC_SIM_EC2_OK
                   : RC_SIM_EC2_WRONG_STATE;
    case RC_SIM_START:
        return running || inst->state == RC_INST_STOPPED || inst->state == RC_INST_PENDING
                   ? RC_SIM_EC2_OK
                   : RC_SIM_EC2_WRONG_STATE;
    case RC_SIM_REBOOT: /* ignored for a terminated one, refused for a stopped one */
        return running || ending ? RC_SIM_EC2_OK : RC_SIM_EC2_WRONG_STATE;
    case RC_SIM_TERMINATE:
        return inst->protect && !ending ? RC_SIM_EC2_PROTECTED : RC_SIM_EC2_OK;
    }
    return RC_SIM_EC2_BAD_VALUE;
}

static enum rc_sim_ec2_code
instance_start(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst)
{
    enum rc_sim_ec2_code code = RC_SIM_EC2_OK;

    if (inst->state != RC_INST_STOPPED)
        return RC_SIM_EC2_OK;
    if (inst->pool < 0 && inst->held < 0)
        code = rc_sim_ec2_take(m, inst);
    if (code != RC_SIM_EC2_OK)
        return code;
    inst->release_ms = RC_SIM_NEVER;
    inst->launched_ms = now_ms; /* EC2's launchTime is that of the last start */
    rc_sim_ec2_enter(m, now_ms, inst, RC_INST_PENDING);
    return RC_SIM_EC2_OK;
}

static void
instance_reboot(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst)
{
    if (inst->state != RC_INST_RUNNING)
        return;
    host_down(m, now_ms, inst);
    if (inst->check[RC_SIM_CHECK_INSTANCE].status == RC_CHECK_IMPAIRED)
        inst->check[RC_SIM_CHECK_INSTANCE] = (struct rc_sim_check){.status = RC_CHECK_OK};
    inst->boot_ms = now_ms + rc_sim_ec2_delay(m, m->config.delays.reboot_ms);
    rc_sim_ec2_rearm(m, inst);
}

static void
instance_end(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst, const char *why)
{
    if (inst->state == RC_INST_SHUTTING_DOWN || inst->state == RC_INST_TERMINATED)
        return;
    (void)rc_text_set(inst->why, sizeof(inst->why), why);
    rc_sim_ec2_enter(m, now_ms, inst, RC_INST_SHUTTING_DOWN);
}

static void
instance_stop(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst, const char *why)
{
    if (inst->state != RC_INST_RUNNING)
        return;
    (void)rc_text_set(inst->why, sizeof(inst->why), why);
    rc_sim_ec2_enter(m, now_ms, inst, RC_INST_STOPPING);
}

enum rc_sim_ec2_code
rc_sim_ec2_do(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst,
              enum rc_sim_verb verb)
{
    enum rc_sim_ec2_code code = rc_sim_ec2_may(inst, verb);

    if (code != RC_SIM_EC2_OK)
        return code;
    switch (verb) {
    case RC_SIM_STOP:
        instance_stop(m, now_ms, inst, "Client.UserInitiatedShutdown");
        break;
    case RC_SIM_START:
        return instance_start(m, now_ms, inst);
    case RC_SIM_REBOOT:
        instance_reboot(m, now_ms, inst);
        break;
    case RC_SIM_TERMINATE:
        instance_end(m, now_ms, inst, "Client.UserInitiatedShutdown");
        break;
    }
    return RC_SIM_EC2_OK;
}

void
rc_sim_ec2_kill(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst, const char *why)
{
    instance_end(m, now_ms, inst, why);
}

void
rc_sim_ec2_spot(struct rc_sim_ec2 *m, struct rc_sim_instance *inst, int64_t at_ms)
{
    inst->spot = true;
    inst->spot_ms = at_ms;
    rc_sim_ec2_rearm(m, inst);
}

void
rc_sim_ec2_impair(struct rc_sim_instance *inst, int64_t now_ms, enum rc_sim_check_kind which,
                  enum rc_check status)
{
    assert(which < RC_SIM_CHECKS && status < RC_CHECK__MAX);
    bool was = inst->check[which].status == RC_CHECK_IMPAIRED, is = status == RC_CHECK_IMPAIRED;

    inst->check[which].status = status;
    if (was != is) { /* one that fails already goes on failing */
        inst->check[which].impaired_since_ms = is ? now_ms : 0;
    }
}

const struct rc_sim_scheduled *
rc_sim_ec2_schedule(struct rc_sim_ec2 *m, struct rc_sim_instance *inst, enum rc_schedule kind,
                    int64_t not_before_ms, int64_t not_after_ms)
{
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        struct rc_sim_scheduled *s = &inst->scheduled[i];

        if (s->state != RC_SIM_SCHEDULED_NONE)
            continue;
        *s = (struct rc_sim_scheduled){.state = RC_SIM_SCHEDULED_ACTIVE,
                                       .kind = kind,
                                       .not_before_ms = not_before_ms,
                                       .not_after_ms = not_after_ms};
        (void)snprintf(s->id, sizeof(s->id), "instance-event-0%016llx",
                       (unsigned long long)rc_sim_random_next(&m->random));
        rc_sim_ec2_rearm(m, inst);
        return s;
    }
    return NULL;
}

/* The window of a scheduled event opens. */
static void
scheduled_open(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst,
               struct rc_sim_scheduled *s)
{
    enum rc_schedule kind = s->kind;

    s->state = RC_SIM_SCHEDULED_COMPLETED;
    s->ended_ms = at_ms;
    if (kind == RC_SCHED_RETIREMENT || kind == RC_SCHED_STOP)
        instance_stop(m, at_ms, inst, "Server.ScheduledStop");
    else if (kind == RC_SCHED_REBOOT)
        instance_reboot(m, at_ms, inst);
}

static void
scheduled_due(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst)
{
    for (int i = 0; i < RC_SIM_SCHEDULED_MAX; i++) {
        struct rc_sim_scheduled *s = &inst->scheduled[i];

        if (s->state == RC_SIM_SCHEDULED_ACTIVE && s->not_before_ms <= at_ms)
            scheduled_open(m, at_ms, inst, s);
        else if (s->state > RC_SIM_SCHEDULED_ACTIVE && s->ended_ms + WEEK_MS <= at_ms)
            s->state = RC_SIM_SCHEDULED_NONE;
    }
}

/* The life-cycle step that was set when the state was entered. */
static void
step_due(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst)
{
    inst->step_ms = RC_SIM_NEVER;
    switch (inst->state) {
    case RC_INST_PENDING:
        rc_sim_ec2_enter(m, at_ms, inst, RC_INST_RUNNING);
        break;
    case RC_INST_RUNNING: /* the checks have run; one that was impaired meanwhile stays so */
        for (int i = 0; i < RC_SIM_CHECKS; i++)
            if (inst->check[i].status == RC_CHECK_INITIALIZING)
                inst->check[i].status = RC_CHECK_OK;
        break;
    case RC_INST_STOPPING:
        rc_sim_ec2_enter(m, at_ms, inst, RC_INST_STOPPED);
        break;
    case RC_INST_SHUTTING_DOWN:
        rc_sim_ec2_enter(m, at_ms, inst, RC_INST_TERMINATED);
        break;
    case RC_INST_TERMINATED:
        rc_sim_ec2_forget(m, inst);
        break;
    case RC_INST_STOPPED:
    case RC_INST_UNKNOWN:
    case RC_INST__MAX:
        assert(0 && "no step is set in this state");
    }
}

static void
instance_due(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst)
{
    if (inst->release_ms <= at_ms)
        rc_sim_ec2_give(m, inst);
    if (inst->boot_ms <= at_ms) {
        inst->boot_ms = RC_SIM_NEVER;
        inst->booted = true;
        inst->boots++;
        rc_sim_ec2_note(m, at_ms, RC_SIM_CHANGE_UP, inst);
    }
    if (inst->spot_ms <= at_ms) {
        inst->spot_ms = RC_SIM_NEVER;
        instance_end(m, at_ms, inst,
                     inst->spot ? "Server.SpotInstanceTermination"
                                : "Server.CapacityBlockTermination");
    }
    scheduled_due(m, at_ms, inst);
    if (inst->step_ms <= at_ms)
        step_due(m, at_ms, inst);
    if (inst->id[0] != '\0')
        rc_sim_ec2_rearm(m, inst);
}

void
rc_sim_ec2_advance(struct rc_sim_ec2 *m, int64_t now_ms)
{
    while (rc_sim_heap_next_ms(&m->due) <= now_ms)
        instance_due(m, rc_sim_heap_next_ms(&m->due), &m->instance[rc_sim_heap_first(&m->due)]);
}

int64_t
rc_sim_ec2_next_ms(const struct rc_sim_ec2 *m)
{
    return rc_sim_heap_next_ms(&m->due);
}

enum rc_sim_ec2_code
rc_sim_ec2_tag(struct rc_sim_instance *inst, const char *key, const char *value)
{
    uint32_t i = 0;

    if (strlen(key) >= RC_SIM_TAG_KEY_LEN || strlen(value) >= RC_SIM_TAG_VALUE_LEN || !*key)
        return RC_SIM_EC2_BAD_VALUE;
    while (i < inst->tag_count && strcmp(inst->tag[i].key, key) != 0)
        i++;
    if (i == RC_SIM_TAGS_MAX)
        return RC_SIM_EC2_TAG_LIMIT;
    if (i == inst->tag_count)
        inst->tag_count++;
    (void)rc_text_set(inst->tag[i].key, RC_SIM_TAG_KEY_LEN, key);
    (void)rc_text_set(inst->tag[i].value, RC_SIM_TAG_VALUE_LEN, value);
    return RC_SIM_EC2_OK;
}

void
rc_sim_ec2_untag(struct rc_sim_instance *inst, const char *key)
{
    for (uint32_t i = 0; i < inst->tag_count; i++) {
        if (strcmp(inst->tag[i].key, key) != 0)
            continue;
        inst->tag[i] = inst->tag[--inst->tag_count];
        return;
    }
}

const char *
rc_sim_ec2_tag_value(const struct rc_sim_instance *inst, const char *key)
{
    for (uint32_t i = 0; i < inst->tag_count; i++)
        if (strcmp(inst->tag[i].key, key) == 0)
            return inst->tag[i].value;
    return NULL;
}
