/* exec_ec2.c - launches, power and looks, through the EC2 API.
 *
 * Launched instances carry the tags by which another controller finds them: the
 * cluster, the node, the incident and its attempt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/sweeps.h"

static void
refuse(struct rc_errand *errand, enum rc_err err)
{
    rc_errand_end_with(errand, err, "the EC2 client did not take it");
}

static void
on_changed(const struct rc_ec2_done *done, void *arg)
{
    rc_errand_end(arg, &done->error);
}

static void
on_launched_row(const struct rc_event *row, void *arg)
{
    struct rc_errand *errand = arg;

    errand->launched = *row;
    errand->has_row = true;
}

/* The tags of the request stand on the instance, whatever the reply repeats of them. */
static void
tell_launched(struct rc_errand *errand)
{
    const struct rc_action *a = &errand->action;
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = a->id;
    memcpy(ev.u.completion.instance, errand->launched.instance, RC_ID_LEN);
    ev.u.completion.launched = errand->launched.u.described;
    ev.u.completion.launched.ours = 1;
    ev.u.completion.launched.tag_incident = a->incident;
    ev.u.completion.launched.tag_attempt = a->u.launch.attempt;
    memcpy(ev.u.completion.launched.node, a->node, RC_NODE_LEN);
    if (!ev.u.completion.launched.launched_wall_ms) {
        ev.u.completion.launched.launched_wall_ms = rc_wall_ms();
    }
    rc_daemon_post(errand->d, &ev);
    free(errand);
}

static void
on_launched(const struct rc_ec2_done *done, void *arg)
{
    struct rc_errand *errand = arg;

    if (done->error.code != RC_OK) {
        rc_errand_end(errand, &done->error);
    } else if (!errand->has_row) {
        rc_errand_end_with(errand, RC_E_PARSE,
                           "RunInstances was accepted, but its reply names no instance");
    } else {
        tell_launched(errand);
    }
}

static size_t
write_tags(const struct rc_daemon *d, const struct rc_action *a, struct rc_ec2_tag *tags,
           char *incident, char *attempt)
{
    size_t n = 0;

    snprintf(incident, 16, "%u", a->incident);
    snprintf(attempt, 16, "%u", a->u.launch.attempt);
    tags[n++] = (struct rc_ec2_tag){RC_TAG_CLUSTER, d->config.cluster.name};
    tags[n++] = (struct rc_ec2_tag){RC_TAG_NODE, a->node};
    tags[n++] = (struct rc_ec2_tag){RC_TAG_INCIDENT, incident};
    tags[n++] = (struct rc_ec2_tag){RC_TAG_ATTEMPT, attempt};
    for (uint32_t i = 0; i < d->config.tag_count; i++) {
        tags[n++] = (struct rc_ec2_tag){d->config.tag[i].key, d->config.tag[i].value};
    }
    return n;
}

void
rc_exec_launch(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    const struct rc_group *g = rc_cluster_group(&d->state->cluster, a->u.launch.group);
    const struct rc_launch_option *o = &g->option[a->u.launch.option];
    struct rc_ec2_tag tags[4 + RC_CONFIG_TAGS_MAX];
    char incident[16], attempt[16];
    struct rc_ec2_sink sink = {on_launched_row, on_launched, errand};
    struct rc_ec2_launch launch = {
        .template_id = o->template_version ? o->template_id : g->template_id,
        .template_version = o->template_version ? o->template_version : g->template_version,
        .token = a->u.launch.token,
        .subnet = o->subnet_in_template ? NULL : o->subnet,
        .placement = g->placement,
        .reservation = o->reservation,
        .capacity_block = o->capacity_block,
        .type = o->type,
        .tags = tags,
        .tag_count = write_tags(d, a, tags, incident, attempt),
    };

    if (errand) {
        enum rc_err err = rc_ec2_run(d->aws, &launch, &sink, NULL);
        if (err != RC_OK) {
            refuse(errand, err);
        }
    }
}

/* Last line of defence: nothing is changed that does not carry our tag. */
static bool
is_ours(struct rc_daemon *d, const struct rc_action *a)
{
    uint32_t slot = rc_instance_find(d->state, a->instance);

    if (slot && rc_instance_at(d->state, slot)->ours) {
        return true;
    }
    rc_daemon_complete_code(d, a->id, RC_E_FOREIGN, "the instance does not carry our tag");
    return false;
}

void
rc_exec_assign(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = is_ours(d, a) ? rc_errand_new(d, a) : NULL;
    const char *id = a->instance;
    struct rc_ec2_sink sink = {NULL, on_changed, errand};
    char incident[16], attempt[16];

    if (!errand) {
        return;
    }
    snprintf(incident, sizeof incident, "%u", a->incident);
    snprintf(attempt, sizeof attempt, "%u", a->u.launch.attempt);
    const struct rc_ec2_tag tags[] = {
        {RC_TAG_NODE, a->node}, {RC_TAG_INCIDENT, incident}, {RC_TAG_ATTEMPT, attempt}};
    enum rc_err err = rc_ec2_create_tags(d->aws, &(struct rc_ec2_ids){&id, 1}, tags,
                                         sizeof tags / sizeof *tags, &sink, NULL);
    if (err != RC_OK) {
        refuse(errand, err);
    }
}

void
rc_exec_terminate(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = is_ours(d, a) ? rc_errand_new(d, a) : NULL;
    const char *id = a->instance;
    struct rc_ec2_sink sink = {NULL, on_changed, errand};

    if (errand) {
        enum rc_err err = rc_ec2_terminate(d->aws, &(struct rc_ec2_ids){&id, 1}, 0, &sink, NULL);
        if (err != RC_OK) {
            refuse(errand, err);
        }
    }
}

void
rc_exec_stop(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = is_ours(d, a) ? rc_errand_new(d, a) : NULL;
    const char *id = a->instance;
    struct rc_ec2_sink sink = {NULL, on_changed, errand};

    if (errand) {
        enum rc_err err =
            rc_ec2_stop(d->aws, &(struct rc_ec2_ids){&id, 1}, RC_EC2_FORCE, &sink, NULL);
        if (err != RC_OK) {
            refuse(errand, err);
        }
    }
}

void
rc_exec_start(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = is_ours(d, a) ? rc_errand_new(d, a) : NULL;
    const char *id = a->instance;
    struct rc_ec2_sink sink = {NULL, on_changed, errand};

    if (errand) {
        enum rc_err err = rc_ec2_start(d->aws, &(struct rc_ec2_ids){&id, 1}, &sink, NULL);
        if (err != RC_OK) {
            refuse(errand, err);
        }
    }
}

void
rc_exec_reboot(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = is_ours(d, a) ? rc_errand_new(d, a) : NULL;
    const char *id = a->instance;
    struct rc_ec2_sink sink = {NULL, on_changed, errand};

    if (errand) {
        enum rc_err err = rc_ec2_reboot(d->aws, &(struct rc_ec2_ids){&id, 1}, &sink, NULL);
        if (err != RC_OK) {
            refuse(errand, err);
        }
    }
}

static void
on_look_row(const struct rc_event *row, void *arg)
{
    struct rc_errand *errand = arg;

    if (row->kind == RC_EV_INSTANCE && strcmp(row->instance, errand->action.instance) == 0) {
        errand->launched = *row;
        errand->has_row = true;
    }
    rc_sweeps_row(errand->d->sweeps, row);
}

/* The answer carries what EC2 showed just now: the sweeper posts a row only when it changed. */
static void
end_ec2_look(struct rc_errand *errand)
{
    struct rc_event ev;

    if (errand->worst.code != RC_OK || !errand->has_row) {
        rc_errand_end(errand, &errand->worst);
        return;
    }
    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = errand->action.id;
    memcpy(ev.u.completion.instance, errand->launched.instance, RC_ID_LEN);
    ev.u.completion.launched = errand->launched.u.described;
    rc_daemon_post(errand->d, &ev);
    free(errand);
}

/* Both questions must be answered before the look has ended. */
static void
on_looked(const struct rc_ec2_done *done, void *arg)
{
    struct rc_errand *errand = arg;

    if (done->error.code != RC_OK) {
        errand->worst = done->error;
    }
    if (--errand->parts == 0) {
        end_ec2_look(errand);
    }
}

void
rc_exec_look(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    const char *id = a->instance;
    struct rc_ec2_ids ids = {&id, 1};
    struct rc_ec2_sink sink = {on_look_row, on_looked, errand};

    if (!errand) {
        return;
    }
    errand->parts = 2;
    if (rc_ec2_describe_ids(d->aws, &ids, &sink, NULL) != RC_OK) {
        errand->parts--;
        errand->worst.code = RC_E_INVALID;
    }
    if (rc_ec2_status_ids(d->aws, &ids, &sink, NULL) != RC_OK) {
        errand->parts--;
        errand->worst.code = RC_E_INVALID;
    }
    if (!errand->parts) {
        refuse(errand, RC_E_INVALID);
    }
}
