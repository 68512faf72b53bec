/* daemon.c - opens every room of the daemon in order, runs the loop, closes. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "reconciler/io/daemon/alarms.h"
#include "reconciler/io/daemon/answer.h"
#include "reconciler/io/daemon/controllers.h"
#include "reconciler/io/daemon/evidence.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/intake.h"
#include "reconciler/io/daemon/job_save.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/loop.h"
#include "reconciler/io/daemon/policy_file.h"
#include "reconciler/io/daemon/recover.h"
#include "reconciler/io/daemon/report.h"
#include "reconciler/io/daemon/standby.h"
#include "reconciler/io/daemon/state_memory.h"
#include "reconciler/io/daemon/sweeps.h"
#include "reconciler/io/daemon/watch.h"
#include "reconciler/io/daemon/watchdog.h"
#include "reconciler/io/store/incident_dynamo.h"
#include "reconciler/io/store/incident_file.h"
#include "reconciler/io/store/lease_dynamo.h"
#include "reconciler/io/store/lease_file.h"

enum { STOP_GRACE_MS = 8000 }; /* a yield in the midst of a take-over, and its answer */

static void
log_attempt(const struct rc_aws_attempt *at, void *arg)
{
    struct rc_daemon *d = arg;
    bool bad = at->error->code != RC_OK;

    rc_log_event(d->log, bad && at->retry_in_ms < 0 ? RC_LOG_WARN : RC_LOG_DEBUG, "aws",
                 RC_LOG_NOTE, rc_aws_op_name(at->op),
                 RC_FIELDS(RC_INT("attempt", at->attempt), RC_INT("status", at->status),
                           RC_INT("duration_ms", at->duration_ms),
                           RC_TEXT("code", at->error->service_code),
                           RC_TEXT("request", at->request_id)),
                 "%s", at->error->text);
}

/* A daemon that only looks (--check) has no state, and sends nothing that matters. */
static bool
may_send(void *arg)
{
    const struct rc_daemon *d = arg;
    const struct rc_state *s = d->state;

    return !s ||
           (s->lease_held && rc_daemon_now_ms(d) < s->lease_until_ms - s->cluster.lease_margin_ms);
}

static const char *
or_null(const char *text)
{
    return *text ? text : NULL;
}

enum rc_err
rc_daemon_open_aws(struct rc_daemon *d, struct rc_error *e)
{
    const struct rc_config_aws *c = &d->config.aws;
    struct rc_aws_options options = {
        .region = or_null(d->config.cluster.region),
        .cluster = d->config.cluster.name,
        .connect_to = or_null(c->connect_to),
        .credentials = {.profile = or_null(c->profile), .imds_endpoint = or_null(c->endpoint.imds)},
        .leader_timeout_ms = d->config.aws.request_timeout_ms,
        .log = log_attempt,
        .log_arg = d,
        .may_send = may_send,
        .may_send_arg = d,
    };

    options.endpoints.url = or_null(c->endpoint.all);
    options.endpoints.service_url[RC_AWS_EC2] = or_null(c->endpoint.ec2);
    options.endpoints.service_url[RC_AWS_SQS] = or_null(c->endpoint.sqs);
    options.endpoints.service_url[RC_AWS_DYNAMODB] = or_null(c->endpoint.dynamodb);
    options.endpoints.service_url[RC_AWS_CLOUDWATCH] = or_null(c->endpoint.cloudwatch);
    options.endpoints.service_url[RC_AWS_STS] = or_null(c->endpoint.sts);
    options.endpoints.service_url[RC_AWS_S3] = or_null(c->endpoint.s3);
    d->aws = rc_aws_new(d->base, &options, e);
    return d->aws ? RC_OK : e->code;
}

/* Of this boot; systemd tells it where /proc/sys is out of sight. "" = not known. */
static void
boot_id(char *id, size_t room)
{
    const char *told = getenv("RC_BOOT_ID");
    FILE *f = told && *told ? NULL : fopen("/proc/sys/kernel/random/boot_id", "re");

    snprintf(id, room, "%s", told ? told : "");
    if (f) {
        if (fgets(id, (int)room, f)) {
            id[strcspn(id, "\n")] = '\0';
        }
        fclose(f);
    }
}

/* No other living process has this boot of this machine and the lock on this journal. */
static void
holder_of(const struct rc_daemon *d, char holder[RC_LEASE_HOLDER_LEN])
{
    char boot[40];
    struct stat st;

    holder[0] = '\0';
    boot_id(boot, sizeof boot);
    if (*boot && stat(d->config.journal.dir, &st) == 0) {
        snprintf(holder, RC_LEASE_HOLDER_LEN, "%s.%llx.%llx", boot, (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino);
    }
}

static enum rc_err
open_lease(struct rc_daemon *d, struct rc_error *e)
{
    const struct rc_config_lease *c = &d->config.lease;
    char holder[RC_LEASE_HOLDER_LEN];

    holder_of(d, holder);
    if (c->kind == RC_STORE_DYNAMODB) {
        struct rc_lease_dynamo_options options = {
            .aws = d->aws,
            .table = c->table,
            .cluster = d->config.cluster.name,
            .owner = c->owner,
            .term_ms = c->term_ms,
            .grace_ms = d->config.aws.request_timeout_ms,
            .holder = holder,
        };
        return rc_lease_dynamo_new(&options, &d->lease, e);
    }
    struct rc_lease_file_options options = {
        .base = d->base,
        .path = c->path,
        .cluster = d->config.cluster.name,
        .owner = c->owner,
        .term_ms = c->term_ms,
        .grace_ms = d->config.aws.request_timeout_ms,
        .holder = holder,
    };
    return rc_lease_file_new(&options, &d->lease, e);
}

static enum rc_err
open_incidents(struct rc_daemon *d, struct rc_error *e)
{
    if (d->config.incidents.kind == RC_STORE_DYNAMODB) {
        struct rc_incident_dynamo_options options = {
            .base = d->base,
            .aws = d->aws,
            .table = d->config.incidents.table,
            .cluster = d->config.cluster.name,
        };
        return rc_incident_dynamo_new(&options, &d->store, e);
    }
    struct rc_incident_file_options options = {
        .base = d->base,
        .dir = d->config.incidents.path,
        .cluster = d->config.cluster.name,
        .syncer = d->syncer,
    };
    return rc_incident_file_new(&options, &d->store, e);
}

static enum rc_err
open_stores(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_quarantine_options quarantine = {
        .base = d->base, .syncer = d->syncer, .path = d->config.queue.quarantine};
    enum rc_err err = open_lease(d, e);

    if (err == RC_OK) {
        err = open_incidents(d, e);
    }
    return err == RC_OK ? rc_quarantine_open(&quarantine, &d->quarantine, e) : err;
}

static void
argv_of(const struct rc_config_command *c, const char **argv)
{
    argv[0] = c->program;
    for (uint32_t i = 0; i < c->arg_count; i++) {
        argv[i + 1] = c->arg[i];
    }
    argv[c->arg_count + 1] = NULL;
}

/* Without arguments of its own the registrar edits the files named here. */
static void
registrar_argv(const struct rc_daemon *d, const char **argv)
{
    const struct rc_config_slurm *c = &d->config.slurm;
    unsigned n = 1;

    argv_of(&c->registrar, argv);
    if (c->registrar.arg_count) {
        return;
    }
    argv[n++] = "--slurm-conf";
    argv[n++] = c->conf;
    if (*c->topology) {
        argv[n++] = "--topology";
        argv[n++] = c->topology;
    }
    if (*c->hosts) {
        argv[n++] = "--hosts";
        argv[n++] = c->hosts;
        argv[n++] = "--cluster";
        argv[n++] = d->config.cluster.name;
    }
    argv[n] = NULL;
}

int64_t
rc_daemon_until_ms(const struct rc_daemon *d)
{
    return d->state
               ? d->state->lease_until_ms - d->state->cluster.lease_margin_ms - d->core_offset_ms
               : 1;
}

static int64_t
send_until_ms(void *arg)
{
    return rc_daemon_until_ms(arg);
}

static void
on_slurm_event(void *arg, const struct rc_event *ev)
{
    struct rc_daemon *d = arg;

    rc_job_save_see(d->job_save, ev);
    rc_daemon_post(d, ev);
}

static void
on_helper_log(void *arg, const char *text)
{
    struct rc_daemon *d = arg;

    rc_log_event(d->log, RC_LOG_DEBUG, "helper", RC_LOG_NOTE, "said", NULL, "%s", text);
}

static void
on_registrar(void *arg, const struct rc_line *hello, const struct rc_error *error,
             uint32_t retry_ms)
{
    struct rc_daemon *d = arg;

    (void)retry_ms;
    if (!hello) {
        rc_log_failure(d->log, "registrar", error, NULL);
    }
}

enum rc_err
rc_daemon_open_helpers(struct rc_daemon *d, struct rc_error *e)
{
    const char *reader[RC_CONFIG_ARGS_MAX + 2], *writer[RC_CONFIG_ARGS_MAX + 2];
    const char *registrar[RC_CONFIG_ARGS_MAX + 2];
    struct rc_slurm_config slurm = {
        .base = d->base,
        .reader_argv = reader,
        .writer_argv = writer,
        .poll_ms = (uint32_t)d->config.poll.slurm_ms,
        .watch_ms = (uint32_t)d->config.poll.slurm_open_ms,
        .singles_per_s = d->config.poll.slurm_open_max,
        .timeout_ms = (uint32_t)d->config.slurm.request_timeout_ms,
        .until_ms = send_until_ms,
        .on_event = on_slurm_event,
        .on_log = on_helper_log,
        .arg = d,
    };
    struct rc_helper_config helper = {
        .base = d->base,
        .name = "registrar",
        .argv = registrar,
        .role = "registrar",
        .until_ms = send_until_ms,
        .until_arg = d,
        .on_state = on_registrar,
        .on_log = on_helper_log,
        .arg = d,
    };

    argv_of(&d->config.slurm.reader, reader);
    argv_of(&d->config.slurm.writer, writer);
    registrar_argv(d, registrar);
    d->slurm = rc_slurm_new(&slurm, e);
    if (!d->slurm) {
        return e->code;
    }
    d->registrar = rc_helper_new(&helper, e);
    return d->registrar ? RC_OK : e->code;
}

static enum rc_err
open_rooms(struct rc_daemon *d, struct rc_error *e)
{
    d->report = rc_report_new(d);
    d->intake = rc_intake_new(d);
    d->sweeps = rc_sweeps_new(d);
    d->executor = rc_executor_new(d);
    d->policy_file = rc_policy_file_new(d);
    d->lead = rc_lead_new(d);
    d->standby = rc_standby_new(d);
    d->alarms = rc_alarms_new(d);
    d->evidence = rc_evidence_new(d);
    d->job_save = rc_job_save_new(d);
    if (!d->lead || !d->standby || !d->alarms || !d->evidence || !d->job_save || !d->watchdog ||
        !d->report || !d->intake || !d->sweeps || !d->executor || !d->policy_file) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    return RC_OK;
}

static enum rc_err
open_doors(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_control_options control = {
        .path = d->config.control.socket,
        .mode = d->config.control.mode,
        .group = d->config.control.group,
        .handler = rc_answer,
        .arg = d,
    };
    enum rc_err err = RC_OK;

    if (*d->config.control.socket) {
        err = rc_control_new(d->base, &control, &d->control, e);
    }
    if (err == RC_OK && *d->config.metrics_listen) {
        err = rc_metrics_listen(d->metrics, d->base, d->config.metrics_listen, e);
    }
    return err;
}

static void
post_start(struct rc_daemon *d)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = d->config.seed;
    while (!ev.u.start.seed && getrandom(&ev.u.start.seed, sizeof ev.u.start.seed, 0) < 0) {
    }
    rc_text_set(ev.u.start.host, sizeof ev.u.start.host, d->config.lease.owner);
    rc_daemon_post(d, &ev);
}

enum rc_err
rc_daemon_open(struct rc_daemon *d, struct rc_error *e)
{
    d->watchdog = rc_watchdog_new(d->base); /* first: no child is to have its variables */
    enum rc_err err = rc_syncer_new(d->base, NULL, &d->syncer, e); /* forks: while small */

    d->metrics = rc_metrics_new();
    if (err == RC_OK) {
        err = d->metrics ? rc_recover_open(d, e) : rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    if (err == RC_OK) {
        err = rc_loop_open(d, e);
    }
    if (err == RC_OK) {
        err = rc_daemon_open_aws(d, e);
    }
    if (err == RC_OK) {
        err = open_stores(d, e);
    }
    if (err == RC_OK) {
        err = rc_daemon_open_helpers(d, e);
    }
    if (err == RC_OK) {
        err = open_rooms(d, e);
    }
    if (err == RC_OK) {
        err = rc_controllers_new(d, &d->controllers, e);
    }
    if (err == RC_OK) {
        err = open_doors(d, e);
    }
    if (err == RC_OK) {
        post_start(d);
        err = rc_policy_file_post_first(d->policy_file, e);
    }
    if (err == RC_OK) {
        err = rc_watch_open(d, e);
    }
    if (err != RC_OK) {
        rc_daemon_close(d);
    }
    return err;
}

void
rc_daemon_run(struct rc_daemon *d)
{
    if (d->restored) {
        rc_slurm_forget_faults(
            d->slurm); /* what the state knows of them may have ended meanwhile */
    }
    rc_slurm_start(d->slurm);
    rc_sweeps_start(d->sweeps);
    rc_log_event(d->log, RC_LOG_INFO, "daemon", RC_LOG_NOTE, "started",
                 RC_FIELDS(RC_TEXT("cluster", d->config.cluster.name),
                           RC_TEXT("policy", d->policy.name), RC_BOOL("dry_run", d->dry_run)),
                 "ready");
    rc_watchdog_ready(d->watchdog);
    event_base_dispatch(d->base);
    rc_log_event(d->log, RC_LOG_INFO, "daemon", RC_LOG_NOTE, "stopped", NULL, "stopped");
}

static void
on_handed_over(void *arg, enum rc_err code)
{
    struct rc_daemon *d = arg;

    (void)code;
    event_base_loopexit(d->base, NULL);
}

void
rc_daemon_stop(struct rc_daemon *d)
{
    struct timeval grace = {.tv_sec = STOP_GRACE_MS / 1000};

    if (d->stopping) {
        return;
    }
    d->stopping = true;
    rc_watchdog_stopping(d->watchdog);
    rc_intake_stop(d->intake);
    rc_intake_flush(d->intake);
    /* What is in flight is in the journal, in tags and in the store: adoptable. */
    event_base_loopexit(d->base, &grace);
    rc_lead_yield(d->lead, on_handed_over, d);
}

void
rc_daemon_close(struct rc_daemon *d)
{
    rc_watch_close(d);
    rc_control_free(d->control);
    rc_controllers_free(d->controllers);
    rc_policy_file_free(d->policy_file);
    rc_sweeps_free(d->sweeps);
    rc_slurm_free(d->slurm);
    rc_helper_free(d->registrar);
    if (d->aws) {
        rc_aws_free(d->aws);
    }
    rc_lease_free(d->lease);
    rc_incident_store_free(d->store);
    if (d->quarantine) {
        rc_quarantine_close(d->quarantine);
    }
    if (d->journal) {
        rc_journal_close(d->journal);
    }
    rc_executor_free(d->executor);
    rc_lead_free(d->lead);
    rc_standby_free(d->standby);
    rc_alarms_free(d->alarms);
    rc_evidence_free(d->evidence);
    rc_job_save_free(d->job_save);
    rc_watchdog_free(d->watchdog);
    rc_intake_free(d->intake);
    rc_metrics_free(d->metrics);
    rc_report_free(d->report);
    if (d->syncer) {
        rc_syncer_free(d->syncer);
    }
    rc_loop_close(d);
    rc_state_memory_free(d->state);
}
