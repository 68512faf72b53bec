/* slurm_client.h - Slurm as the daemon sees it: a stream of node events and a few
 * asynchronous calls, over two helper processes (one reads, one writes).
 *
 * Reading. After rc_slurm_start() the client polls by itself: the whole table each
 * poll_ms (slurmctld answers "unchanged" cheaply), watched nodes one by one each
 * watch_ms. Only rows that changed become RC_EV_SLURM_NODE events, after RC_EV_NODE_FAULTS
 * where what the node's agent says has changed (slurm_fault.h); each full pass
 * ends with RC_EV_SWEEP (complete=0 and the error when it failed: then nothing may
 * be concluded from it). A node that slurmctld no longer shows becomes one event
 * with the flag RC_SN_UNKNOWN. event.at_ms and wall_ms stay 0: the daemon stamps.
 * slurmctld's time is spared: a poll starts no sooner than duty times the length
 * of the last one, and at most singles_per_s watched nodes are read a second (more
 * are read by the full poll instead).
 *
 * Writing. One request at a time. Calls of one kind that wait while the writer is
 * busy, or were made in the same turn of the loop, leave as ONE update; a drain's
 * reason is then rc:<lowest incident>+<others> …. Two calls for the same node never
 * overtake each other. Every call ends by exactly one done callback, never from
 * inside the call. RC_OK means that slurmctld accepted it, not that it is observed;
 * the nodes concerned are read again at once.
 *
 * Errors: RC_E_SLURM_DOWN (slurmctld or munged does not answer), RC_E_TIMEOUT (it
 * hangs), RC_E_HELPER (the helper died), RC_E_SLURM_REFUSED, RC_E_NOT_FOUND (no
 * such node), RC_E_FOREIGN (somebody else's reason stands; nothing of theirs was
 * changed), RC_E_STATE (resume: slurmd registered with less than configured), RC_E_DENIED. */
#ifndef RC_SLURM_CLIENT_H
#define RC_SLURM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "reconciler/core/event.h"
#include "reconciler/io/fail.h"

struct event_base;
struct rc_slurm;

/* News of a node, or the end of a pass. Borrowed for the call. */
typedef void(rc_slurm_event_fn)(void *arg, const struct rc_event *ev);
/* For the debug log: helpers coming and going, their stderr. */
typedef void(rc_slurm_log_fn)(void *arg, const char *text);

struct rc_slurm_config {
    struct event_base *base;        /* borrowed, outlives the object */
    const char *const *reader_argv; /* rc-slurm-helper --role reader …, NULL-ended; copied */
    const char *const *writer_argv;
    uint32_t poll_ms;       /* full poll; 0 = 10 s */
    uint32_t watch_ms;      /* watched nodes; 0 = 1 s */
    uint32_t duty;          /* interval >= duty x measured length; 0 = 20 (5 %) */
    uint32_t singles_per_s; /* 0 = 20 */
    uint32_t timeout_ms;    /* of one request; 0 = 30 s (libslurm gives up after 10 s or less) */
    int64_t (*until_ms)(void *arg); /* for the writer: helper_client.h; may be NULL */
    rc_slurm_event_fn *on_event;
    rc_slurm_log_fn *on_log; /* may be NULL */
    void *arg;               /* of all three */
};

struct rc_slurm *rc_slurm_new(const struct rc_slurm_config *config, struct rc_error *e);
/* Ends both helpers; open calls get no callback. NULL is accepted. */
void rc_slurm_free(struct rc_slurm *s);
/* Begins to poll. The first pass shows every node. */
void rc_slurm_start(struct rc_slurm *s);

/* Another slurmctld serves than before: what the last poll took was waiting for it, and is
 * not held against the next one, which reads the whole table at once. Requests that wait in a
 * helper end with RC_E_HELPER. */
void rc_slurm_primary_changed(struct rc_slurm *s);
/* Reads the table as soon as the duty cycle allows (a poke). full: forget what was
 * shown, so that every node becomes an event again. */
void rc_slurm_poll(struct rc_slurm *s, bool full);
/* Before rc_slurm_start(), when what was told of nodes' faults is not known here: each
 * node's list becomes an event, an empty one too. Otherwise an empty list is told after another
 * one only. */
void rc_slurm_forget_faults(struct rc_slurm *s);
/* Adds a node to (or takes it from) those read each watch_ms: open incidents. */
enum rc_err rc_slurm_watch(struct rc_slurm *s, const char *node, bool watched);

/* How a call went. Borrowed for the callback. */
struct rc_slurm_result {
    enum rc_err err;
    const char *node;         /* "" for calls on no node */
    const char *service_code; /* Slurm's errno as text, "" = none */
    const char *text;         /* for people: the error, or the foreign reason; "" = none */
    uint32_t batch;           /* how many nodes shared the update */
    uint32_t count;           /* jobs-*: jobs reached */
};
typedef void(rc_slurm_done_fn)(void *arg, const struct rc_slurm_result *result);

struct rc_slurm_call {
    rc_slurm_done_fn *done;
    /* Drain and down only, may be NULL: slurmctld took the state; the reason follows. */
    rc_slurm_done_fn *accepted;
    void *arg;
    /* May be NULL. Asked when its turn has come, which may be minutes later: no = it is not sent,
     * and done gets RC_E_CANCELLED. */
    bool (*still_wanted)(void *arg);
};

/* RC_OK: taken, done will be called. RC_E_INVALID, RC_E_FULL: not taken, no callback.
 * Names and reasons are copied. reason must carry our marker. */
enum rc_err rc_slurm_drain(struct rc_slurm *s, const char *node, const char *reason,
                           const struct rc_slurm_call *call);
enum rc_err rc_slurm_down(struct rc_slurm *s, const char *node, const char *reason,
                          const struct rc_slurm_call *call);
/* Only where the reason is ours; RC_E_FOREIGN otherwise. A node that is in service
 * already is RC_OK: resuming twice is no error. */
enum rc_err rc_slurm_resume(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call);
enum rc_err rc_slurm_jobs_signal(struct rc_slurm *s, const char *node, uint32_t signal,
                                 const struct rc_slurm_call *call);
/* Jobs that say Requeue=0 are left alone: err is then RC_E_STATE, text names them. exclude: they
 * must not start on this node again until rc_slurm_jobs_include(). */
enum rc_err rc_slurm_jobs_requeue(struct rc_slurm *s, const char *node, bool exclude,
                                  const struct rc_slurm_call *call);
/* Takes our exclusion of this node from the jobs that wait; their owners' ones stay. */
enum rc_err rc_slurm_jobs_include(struct rc_slurm *s, const char *node,
                                  const struct rc_slurm_call *call);
/* The job must not start again without a person: a pending one is held, a running one runs
 * on, with Requeue=0. RC_E_NOT_FOUND: it has ended. */
enum rc_err rc_slurm_job_hold(struct rc_slurm *s, uint32_t job, const struct rc_slurm_call *call);
/* Changes nothing of the job, and has slurmctld write all its jobs down within seconds. */
enum rc_err rc_slurm_job_save(struct rc_slurm *s, uint32_t job, const struct rc_slurm_call *call);
enum rc_err rc_slurm_reconfigure(struct rc_slurm *s, const struct rc_slurm_call *call);
enum rc_err rc_slurm_takeover(struct rc_slurm *s, uint32_t index, const struct rc_slurm_call *call);
/* Reads one node now, past the diff: its event comes before done. */
enum rc_err rc_slurm_look(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call);
/* Asks all controllers. RC_OK: one is primary, text is its index; RC_E_SLURM_DOWN: none. */
enum rc_err rc_slurm_ping(struct rc_slurm *s, const struct rc_slurm_call *call);

/* For metrics and status. */
struct rc_slurm_stats {
    uint64_t polls;
    uint64_t polls_unchanged;
    uint64_t polls_failed;
    uint64_t singles;
    uint64_t node_events;
    uint64_t updates;      /* requests sent to the writer */
    uint32_t nodes;        /* in the table */
    uint32_t last_poll_us; /* length of the last full poll */
    uint32_t reader_starts;
    uint32_t writer_starts;
    uint32_t writes_waiting; /* calls not sent yet */
    pid_t reader_pid;        /* 0 = down */
    pid_t writer_pid;
    enum rc_err reader_error; /* RC_OK while the last pass went well */
    char release[24];         /* Slurm release of the reader, "" = not known yet */
};
void rc_slurm_stats(const struct rc_slurm *s, struct rc_slurm_stats *ret);

#endif
