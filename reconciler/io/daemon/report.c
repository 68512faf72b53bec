/* report.c - see report.h. Lease renewals and unchanged polls are not news and
 * are told at level debug only. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/alarms.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/sweeps.h"

enum { REMEMBERED = 4096 };

/* What an action was about, until its completion is told. */
struct started {
    uint64_t id;
    uint32_t kind;
    uint32_t incident;
    int64_t at_ms;
    char node[RC_NODE_LEN];
    char instance[RC_ID_LEN];
};

struct rc_report {
    struct rc_daemon *d;
    struct started started[REMEMBERED];
    struct rc_metric *events, *actions, *completions, *action_seconds;
    struct rc_series *primary[RC_CONTROLLERS_MAX]; /* none without configured controllers */
    struct rc_series *nodes, *open, *people, *lease_held, *lease_left, *lease_age, *epoch, *breaker,
        *paused, *in_flight, *queue, *received, *deleted, *held, *journal_bytes, *journal_ok,
        *slurm_nodes, *slurm_polls, *slurm_failed, *ec2_passes, *ec2_failures, *quarantine,
        *duplicates, *stale, *late, *full, *waiting_disk;
};

void
rc_report_clip(char *dst, size_t room, const char *src)
{
    assert(room > 0);
    memset(dst, 0, room);
    if (src) {
        memcpy(dst, src, strnlen(src, room - 1));
    }
}

static struct rc_series *
gauge(struct rc_report *r, const char *name, const char *help)
{
    return rc_metric_of(rc_metrics_gauge(r->d->metrics, name, help, ""), NULL);
}

static struct rc_series *
counter(struct rc_report *r, const char *name, const char *help)
{
    return rc_metric_of(rc_metrics_counter(r->d->metrics, name, help, ""), NULL);
}

static void
refresh_core(struct rc_report *r)
{
    const struct rc_state *s = r->d->state;
    int64_t left_ms = s->lease_held ? s->lease_until_ms - rc_daemon_now_ms(r->d) : 0;
    struct rc_lead_view lead;

    rc_series_set(r->nodes, s->node_count);
    rc_series_set(r->open, s->open_incidents);
    rc_series_set(r->people, rc_alarms_for_people(s));
    rc_series_set(r->lease_held, rc_leads(s));
    rc_series_set(r->lease_left, left_ms > 0 ? (double)left_ms / 1000.0 : 0);
    rc_lead_view(r->d->lead, &lead);
    rc_series_set(r->epoch, (double)lead.epoch);
    rc_series_set(r->lease_age, lead.age_ms < 0 ? -1 : (double)lead.age_ms / 1000.0);
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX && r->primary[i]; i++) {
        rc_series_set(r->primary[i], s->pair.primary == i + 1 && rc_pair_serves(&s->pair, i));
    }
    rc_series_set(r->breaker, s->breaker_open);
    rc_series_set(r->paused, s->paused);
    rc_series_set(r->in_flight, s->flight_count);
    rc_series_set(r->queue, r->d->queue_count);
    rc_series_set(r->duplicates, (double)s->counters.duplicates);
    rc_series_set(r->stale, (double)s->counters.stale_facts);
    rc_series_set(r->late, (double)s->counters.late_completions);
    rc_series_set(r->full, (double)s->counters.capacity_exceeded);
}

static void
refresh(void *arg)
{
    struct rc_report *r = arg;
    struct rc_daemon *d = r->d;
    struct rc_intake_stats in;
    struct rc_slurm_stats sl;
    struct rc_sweeps_stats sw;

    refresh_core(r);
    rc_intake_stats(d->intake, &in);
    rc_slurm_stats(d->slurm, &sl);
    rc_sweeps_stats(d->sweeps, &sw);
    rc_series_set(r->received, (double)in.received);
    rc_series_set(r->deleted, (double)in.deleted);
    rc_series_set(r->held, in.held);
    rc_series_set(r->journal_bytes, (double)rc_journal_size(d->journal));
    rc_series_set(r->journal_ok, rc_journal_state(d->journal) == RC_JOURNAL_GOOD);
    rc_series_set(r->slurm_nodes, sl.nodes);
    rc_series_set(r->slurm_polls, (double)sl.polls);
    rc_series_set(r->slurm_failed, (double)sl.polls_failed);
    rc_series_set(r->ec2_passes, (double)sw.passes);
    rc_series_set(r->ec2_failures, (double)sw.failures);
    rc_series_set(r->quarantine, (double)rc_quarantine_count(d->quarantine));
    rc_series_set(r->waiting_disk, rc_executor_waiting(d->executor));
}

static void
register_core(struct rc_report *r)
{
    r->nodes = gauge(r, "reconcilerd_nodes", "Slurm nodes known.");
    r->open = gauge(r, "reconcilerd_open_incidents", "Incidents open.");
    r->people = gauge(r, "reconcilerd_incidents_for_people",
                      "Incidents that wait for an approval or are left to a person.");
    r->lease_held = gauge(r, "reconcilerd_leader", "1 while this daemon leads.");
    r->lease_left = gauge(r, "reconcilerd_lease_left_seconds", "Time until the lease ends.");
    r->epoch = gauge(r, "reconcilerd_lease_epoch", "Epoch of the lease, whoever holds it.");
    r->lease_age = gauge(r, "reconcilerd_lease_age_seconds",
                         "Since the lease was last read or written; -1: never yet.");
    r->breaker = gauge(r, "reconcilerd_breaker_open", "1 while the breaker holds actions back.");
    r->paused = gauge(r, "reconcilerd_paused", "1 while an operator has paused the daemon.");
    r->in_flight = gauge(r, "reconcilerd_actions_in_flight", "Actions whose answer is awaited.");
    r->queue = gauge(r, "reconcilerd_event_queue_length", "Events not yet decided.");
    r->duplicates = counter(r, "reconcilerd_duplicate_messages_total", "Messages seen before.");
    r->stale = counter(r, "reconcilerd_stale_facts_total", "Facts about an earlier generation.");
    r->late = counter(r, "reconcilerd_late_completions_total", "Answers that nobody awaited.");
    r->full = counter(r, "reconcilerd_capacity_exceeded_total", "Times that a table was full.");
}

/* One series a configured controller. */
static void
register_pair(struct rc_report *r)
{
    const struct rc_cluster *cluster = &r->d->config.cluster;

    if (cluster->controller_count < RC_CONTROLLERS_MAX) {
        return;
    }
    struct rc_metric *m =
        rc_metrics_gauge(r->d->metrics, "reconcilerd_slurmctld_primary",
                         "1 for the controller that this daemon sees serve as primary.", "host");
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        r->primary[i] = rc_metric_with(m, cluster->controller[i].host);
    }
}

static void
register_io(struct rc_report *r)
{
    r->received = counter(r, "reconcilerd_messages_received_total", "Messages received.");
    r->deleted = counter(r, "reconcilerd_messages_deleted_total", "Messages deleted.");
    r->held = gauge(r, "reconcilerd_messages_held", "Messages received and not deleted.");
    r->journal_bytes = gauge(r, "reconcilerd_journal_segment_bytes", "Newest journal segment.");
    r->journal_ok = gauge(r, "reconcilerd_journal_up", "1 while the journal takes records.");
    r->slurm_nodes = gauge(r, "reconcilerd_slurm_nodes", "Nodes in slurmctld's table.");
    r->slurm_polls = counter(r, "reconcilerd_slurm_polls_total", "Full polls of slurmctld.");
    r->slurm_failed = counter(r, "reconcilerd_slurm_poll_failures_total", "Polls that failed.");
    r->ec2_passes = counter(r, "reconcilerd_ec2_sweeps_total", "Passes over EC2.");
    r->ec2_failures = counter(r, "reconcilerd_ec2_sweep_failures_total", "Passes that failed.");
    r->quarantine = gauge(r, "reconcilerd_quarantined_messages", "Messages kept aside.");
    r->waiting_disk = gauge(r, "reconcilerd_actions_waiting_for_disk",
                            "Irreversible actions whose record is not durable yet.");
    r->events =
        rc_metrics_counter(r->d->metrics, "reconcilerd_events_total", "Events taken.", "event");
    r->actions = rc_metrics_counter(r->d->metrics, "reconcilerd_decisions_total",
                                    "Actions decided.", "action");
    r->completions = rc_metrics_counter(r->d->metrics, "reconcilerd_completions_total",
                                        "Actions answered.", "action,result");
    r->action_seconds = rc_metrics_histogram(r->d->metrics, "reconcilerd_action_seconds",
                                             "From decision to answer.", "action", NULL, 0);
}

struct rc_report *
rc_report_new(struct rc_daemon *d)
{
    struct rc_report *r = calloc(1, sizeof *r);

    if (!r) {
        return NULL;
    }
    r->d = d;
    register_core(r);
    register_pair(r);
    register_io(r);
    rc_metrics_on_scrape(d->metrics, refresh, r);
    return r;
}

void
rc_report_free(struct rc_report *r)
{
    free(r);
}

static void
report_completion(struct rc_daemon *d, const struct rc_event *ev)
{
    const struct rc_ev_completion *c = &ev->u.completion;
    const struct started *st = &d->report->started[c->action % REMEMBERED];
    const char *name = "unknown";
    static const struct started nobody;

    if (st->id != c->action) {
        st = &nobody;
    } else {
        name = rc_action_name((enum rc_action_kind)st->kind);
        rc_series_observe(rc_metric_with(d->report->action_seconds, name),
                          (double)(ev->at_ms - st->at_ms) / 1000.0);
    }
    rc_series_add(rc_metric_with(d->report->completions, name, rc_err_name((enum rc_err)c->error)),
                  1);
    rc_log_event(d->log, c->error == RC_OK ? RC_LOG_INFO : RC_LOG_WARN, "executor",
                 RC_LOG_COMPLETION, name,
                 RC_FIELDS(RC_ID("action", c->action), RC_ID("incident", st->incident),
                           RC_TEXT("node", st->node),
                           RC_TEXT("instance", *c->instance ? c->instance : st->instance),
                           RC_TEXT("result", rc_err_name((enum rc_err)c->error)),
                           RC_TEXT("code", c->code), RC_TEXT("addr", c->launched.addr)),
                 "%s", c->text);
}

static bool
is_news(const struct rc_event *ev)
{
    return ev->kind != RC_EV_TICK && ev->kind != RC_EV_SWEEP && ev->kind != RC_EV_LEASE;
}

static const char *
verdict_text(const struct rc_event *ev)
{
    switch ((enum rc_verdict)ev->u.message.verdict) {
    case RC_VERDICT_IGNORED:
        return "ignored";
    case RC_VERDICT_QUARANTINED:
        return "quarantined";
    case RC_VERDICT_EVENTS:
    case RC_VERDICT_UNKNOWN:
    case RC_VERDICT__MAX:
        break;
    }
    return "";
}

static bool
is_duplicate(const struct rc_daemon *d, uint64_t msg)
{
    const struct rc_message *m = rc_message_at(d->state, (uint32_t)(msg % d->state->messages.room));

    return m->msg == msg && m->duplicate;
}

static void
report_message(struct rc_daemon *d, const struct rc_event *ev)
{
    bool bad = ev->u.message.verdict == RC_VERDICT_QUARANTINED;
    bool again = is_duplicate(d, ev->msg);

    rc_log_event(
        d->log, bad ? RC_LOG_WARN : RC_LOG_INFO, "intake", RC_LOG_EVENT, "message",
        RC_FIELDS(RC_ID("msg", ev->msg),
                  RC_TEXT("kind", ev->u.message.kind
                                      ? rc_event_name((enum rc_event_kind)ev->u.message.kind)
                                      : ""),
                  RC_TEXT("verdict", again ? "duplicate" : verdict_text(ev)),
                  RC_ID("receives", ev->u.message.receives)),
        "%s", ev->u.message.text);
}

void
rc_report_event(struct rc_daemon *d, const struct rc_event *ev)
{
    const char *name = rc_event_name((enum rc_event_kind)ev->kind);

    rc_series_add(rc_metric_with(d->report->events, name), 1);
    if (ev->kind == RC_EV_COMPLETION) {
        report_completion(d, ev);
        return;
    }
    if (ev->kind == RC_EV_MESSAGE) {
        report_message(d, ev);
        return;
    }
    rc_log_event(d->log, is_news(ev) ? RC_LOG_INFO : RC_LOG_DEBUG, "core", RC_LOG_EVENT, name,
                 RC_FIELDS(RC_ID("msg", ev->msg), RC_TEXT("node", ev->node),
                           RC_TEXT("instance", ev->instance), RC_TEXT("code", ev->code)),
                 "%s", ev->kind == RC_EV_SLURM_NODE ? ev->u.slurm.reason : "");
}

void
rc_report_action(struct rc_daemon *d, const struct rc_action *a)
{
    struct started *st = &d->report->started[a->id % REMEMBERED];
    const char *name = rc_action_name((enum rc_action_kind)a->kind);
    bool item = a->kind == RC_ACT_INCIDENT_PUT;
    enum rc_log_level level = a->kind == RC_ACT_TELL    ? RC_LOG_WARN
                              : a->kind == RC_ACT_LEASE ? RC_LOG_DEBUG
                                                        : RC_LOG_INFO;

    st->id = a->id;
    st->kind = a->kind;
    st->incident = a->incident;
    st->at_ms = a->at_ms;
    memcpy(st->node, a->node, sizeof st->node);
    memcpy(st->instance, a->instance, sizeof st->instance);
    rc_series_add(rc_metric_with(d->report->actions, name), 1);
    rc_log_event(
        d->log, level, "core", RC_LOG_DECISION, name,
        RC_FIELDS(RC_ID("action", a->id), RC_ID("incident", a->incident), RC_ID("msg", a->msg),
                  RC_TEXT("node", a->node), RC_TEXT("instance", a->instance),
                  RC_TEXT("phase", item ? rc_phase_name((enum rc_phase)a->u.item.phase) : ""),
                  RC_TEXT("fault", item ? rc_fault_name((enum rc_fault)a->u.item.fault) : ""),
                  RC_TEXT("rule", item ? a->u.item.rule : ""),
                  RC_TEXT("new_instance", item ? a->u.item.new_instance : ""),
                  RC_TEXT("addr", a->kind == RC_ACT_REGISTER ? a->u.reg.addr : ""),
                  RC_TEXT("mode", d->dry_run ? "dry-run" : "")),
        "%s", a->text);
}
