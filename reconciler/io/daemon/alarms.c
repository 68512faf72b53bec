/* alarms.c - see alarms.h. A put that fails is told once; the next minute tries again. */
#include "reconciler/io/daemon/alarms.h"

#include <stdlib.h>

#include "policies/rules.h"
#include "reconciler/io/aws/cloudwatch.h"
#include "reconciler/io/daemon/lead.h"

enum { PUT_EVERY_S = 60, FIRST_AFTER_S = 5 };

struct rc_alarms {
    struct rc_daemon *d;
    struct event *timer;
    bool told; /* of a failure */
};

static void
on_metrics_put(const struct rc_error *error, void *arg)
{
    struct rc_alarms *a = arg;

    if (error->code != RC_OK && !a->told) {
        rc_log_failure(a->d->log, "cloudwatch", error, NULL);
    }
    a->told = error->code != RC_OK;
}

uint32_t
rc_alarms_for_people(const struct rc_state *s)
{
    uint32_t count = 0;

    for (uint32_t slot = 1; rc_leads(s) && slot <= s->incident_used; slot++) {
        const struct rc_incident *inc = rc_incident_at(s, slot);
        if (inc->id && inc->node) {
            count += inc->phase == RC_PHASE_QUARANTINE || inc->block == RC_BLOCK_APPROVAL;
        }
    }
    return count;
}

static void
put_values(struct rc_alarms *a)
{
    const struct rc_state *s = a->d->state;
    int64_t left_ms = s->lease_held ? s->lease_until_ms - rc_daemon_now_ms(a->d) : 0;
    struct rc_lead_view lead;

    rc_lead_view(a->d->lead, &lead);
    bool served = s->pair.primary && rc_pair_serves(&s->pair, s->pair.primary - 1);
    /* Names as in the Prometheus metrics: one alarm text fits both. */
    const struct rc_cloudwatch_value values[] = {
        {"reconcilerd_leader", rc_leads(s), "Count"},
        {"reconcilerd_lease_left_seconds", left_ms > 0 ? (double)left_ms / 1000 : 0, "Seconds"},
        {"reconcilerd_lease_age_seconds", lead.age_ms < 0 ? 1e6 : (double)lead.age_ms / 1000,
         "Seconds"},
        {"reconcilerd_lease_epoch", (double)lead.epoch, "None"},
        {"reconcilerd_breaker_open", s->breaker_open, "Count"},
        {"reconcilerd_open_incidents", s->open_incidents, "Count"},
        {"reconcilerd_incidents_for_people", rc_alarms_for_people(s), "Count"},
        {"reconcilerd_slurmctld_primary", served, "Count"}, /* last: only a pair has one */
    };
    const struct rc_cloudwatch_batch batch = {
        .name_space = a->d->config.metrics_namespace,
        .dimension = "Cluster",
        .dimension_value = a->d->config.cluster.name,
        .values = values,
        .count = sizeof values / sizeof *values - (s->pair.count ? 0 : 1),
    };
    (void)!rc_cloudwatch_put(a->d->aws, &batch, on_metrics_put, a);
}

static void
on_minute(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval next = {.tv_sec = PUT_EVERY_S};
    struct rc_alarms *a = arg;

    (void)fd;
    (void)what;
    put_values(a);
    evtimer_add(a->timer, &next);
}

struct rc_alarms *
rc_alarms_new(struct rc_daemon *d)
{
    const struct timeval first = {.tv_sec = FIRST_AFTER_S};
    struct rc_alarms *a = calloc(1, sizeof *a);

    if (!a) {
        return NULL;
    }
    a->d = d;
    a->timer = evtimer_new(d->base, on_minute, a);
    if (!a->timer) {
        free(a);
        return NULL;
    }
    if (*d->config.metrics_namespace && !d->dry_run) {
        evtimer_add(a->timer, &first);
    }
    return a;
}

void
rc_alarms_free(struct rc_alarms *a)
{
    if (a) {
        event_free(a->timer);
        free(a);
    }
}
