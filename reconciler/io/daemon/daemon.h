/* daemon.h - the daemon as an object: one event loop, one queue of events, one
 * step at a time.
 *
 *   adapters ──post──▶ queue ──turn──▶ rc_step ──▶ journal ──▶ execute ──▶ adapters
 *
 * Invariants: nothing but the turn calls rc_step; an action starts only when its
 * record stands in the journal, an irreversible one only when that record is on
 * the disk; while the journal cannot be written nothing is decided and nothing
 * starts. Failure modes are told in the log and the metrics, the loop goes on. */
#ifndef RC_DAEMON_H
#define RC_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "reconciler/core/state.h"
#include "reconciler/io/aws/ec2.h"
#include "reconciler/io/aws/sqs.h"
#include "reconciler/io/config/config.h"
#include "reconciler/io/control/control.h"
#include "reconciler/io/control/log.h"
#include "reconciler/io/control/metrics.h"
#include "reconciler/io/helper/helper_client.h"
#include "reconciler/io/journal/journal.h"
#include "reconciler/io/slurm/slurm_client.h"
#include "reconciler/io/slurm/slurm_poke.h"
#include "reconciler/io/store/incident_store.h"
#include "reconciler/io/store/lease.h"
#include "reconciler/io/store/quarantine.h"

struct rc_intake;      /* messages: intake.h */
struct rc_sweeps;      /* EC2 polling: sweeps.h */
struct rc_executor;    /* actions: executor.h */
struct rc_controllers; /* the pair: controllers.h */
struct rc_report;      /* log lines and metrics: report.h */
struct rc_policy_file;
struct rc_lead;     /* the lease: lead.h */
struct rc_standby;  /* what a standby shows: standby.h */
struct rc_alarms;   /* values for alarms: alarms.h */
struct rc_evidence; /* evidence.h */
struct rc_job_save; /* job_save.h */
struct rc_watchdog; /* watchdog.h */

struct rc_daemon {
    struct event_base *base;
    const char *config_path;
    bool dry_run;
    bool stopping;
    int64_t started_wall_ms;
    struct rc_config config;
    struct rc_policy policy;             /* last good */
    int64_t policy_wall_ms;              /* when it was loaded */
    struct rc_load_errors policy_errors; /* of a newer file that was refused; count 0 = none */
    char last_move[RC_PARAGRAPH_LEN];    /* the last take-over of slurmctld; "" = none yet */
    int64_t last_move_wall_ms;
    int64_t queue_wall_ms; /* last good answer of the queue; 0 = none yet */
    char queue_error[256]; /* "" = it answers */
    struct rc_log *log;
    struct rc_metrics *metrics;

    /* state and its queue */
    struct rc_state *state;
    struct rc_actions out;
    struct rc_event *queue; /* ring */
    uint32_t queue_room, queue_head, queue_count;
    struct event *turn_event;     /* runs the queue */
    struct event *deadline_event; /* the one timer of the core */
    int64_t core_offset_ms;       /* core time = CLOCK_BOOTTIME + this */
    bool restored;                /* state came from a journal */

    /* journal */
    struct rc_syncer *syncer;
    struct rc_journal *journal;
    bool journal_stuck; /* an append was refused; the turn waits */
    char *cluster_text; /* source texts, put into the journal before their events */
    char *policy_text;

    /* outside parties */
    struct rc_aws *aws;
    struct rc_slurm *slurm;
    struct rc_slurm_poke *poke;
    struct rc_helper *registrar;
    struct rc_lease *lease;
    struct rc_incident_store *store;
    struct rc_quarantine *quarantine;
    struct rc_control *control;
    struct rc_controllers *controllers; /* NULL: fail-over is not configured */

    struct rc_intake *intake;
    struct rc_sweeps *sweeps;
    struct rc_executor *executor;
    struct rc_lead *lead;
    struct rc_standby *standby;
    struct rc_alarms *alarms;
    struct rc_evidence *evidence;
    struct rc_job_save *job_save;
    struct rc_watchdog *watchdog;
    struct rc_report *report;
    struct rc_policy_file *policy_file;
};

/* config and policy are loaded and valid. Opens everything that this process
 * owns (journal, stores, helpers, sockets); traffic begins in rc_daemon_run().
 * On an error nothing stays open. */
enum rc_err rc_daemon_open(struct rc_daemon *d, struct rc_error *e);
/* Until rc_daemon_stop(). */
void rc_daemon_run(struct rc_daemon *d);
/* Orderly end: no new messages, what is in flight is left adoptable. */
void rc_daemon_stop(struct rc_daemon *d);
void rc_daemon_close(struct rc_daemon *d);

/* Parts of rc_daemon_open() that --check uses alone. */
enum rc_err rc_daemon_open_aws(struct rc_daemon *d, struct rc_error *e);
enum rc_err rc_daemon_open_helpers(struct rc_daemon *d, struct rc_error *e);

/* Queues an event; it is stamped with the time at which it is taken. Copied. */
void rc_daemon_post(struct rc_daemon *d, const struct rc_event *ev);
int64_t rc_daemon_now_ms(const struct rc_daemon *d); /* core time */
/* CLOCK_BOOTTIME ms, the clock that the helpers share with us: nothing may be begun later. */
int64_t rc_daemon_until_ms(const struct rc_daemon *d);
int64_t rc_wall_ms(void);
/* The answer to an action. code and text may be NULL. */
void rc_daemon_complete(struct rc_daemon *d, uint64_t action, const struct rc_error *error);
/* With the serial numbers of the host's GPUs, "" = not read. */
void rc_daemon_complete_host(struct rc_daemon *d, uint64_t action, const struct rc_error *error,
                             const char *serials);
void rc_daemon_complete_code(struct rc_daemon *d, uint64_t action, enum rc_err code,
                             const char *text);

#endif
