/* fleet.h - a large cluster over months on the real core, with a virtual clock.
 *
 * The world is made of the models of EC2 and Slurm (simulator/model), a job mix, drawn
 * faults and what our own world does wrong; the daemon is the core archive behind
 * virtual pollers, executors and a queue. What the daemon's pollers do is done here:
 * only rows that changed become events, complete passes count as read.
 *
 * Everything but the policy's own decisions is drawn from the seed alone (faults, jobs,
 * capacity, trouble), so that two policies meet the same schedule. Equal configurations
 * give equal results to the bit, whatever the compiler: what decides is integer
 * arithmetic and sim_math.h. Memory does not grow with the simulated time, but for the
 * drawn faults (56 bytes each) and the points asked for in rc_fleet_history. */
#ifndef RC_FLEET_H
#define RC_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/policy.h"
#include "reconciler/io/fail.h"
#include "simulator/faults/fault_model.h"

enum {
    RC_FLEET_NODES_MAX = 16000, /* what one subnet of the EC2 model holds, and replacements */
    RC_FLEET_DAYS_MAX = 3660,
    RC_FLEET_GPUS = 8,         /* of a node */
    RC_FLEET_LARGE_NODES = 64, /* jobs from here on (512 GPUs) are scored on their own too */
};

enum rc_fleet_jobs {
    RC_FLEET_JOBS_MIX, /* arrivals with the published mix of sizes */
    RC_FLEET_JOBS_ONE, /* one endless gang job on all nodes: known-answer tests */
    RC_FLEET_JOBS_NONE
};

/* How unkind our own world is: messages, slurmctld, store, helpers, disk, clock, daemon. */
enum rc_fleet_world { RC_FLEET_CALM, RC_FLEET_USUAL, RC_FLEET_HOSTILE, RC_FLEET_WORLD__MAX };
const char *rc_fleet_world_name(uint32_t world); /* "usual" */

/* X(enum, name, of GPU time; what it is) in node-milliseconds */
/* clang-format off */
#define RC_FLEET_LOSSES(X) \
    X(RC_LOSS_STALLED,    "stalled",         "a job stands on a broken node until it is ended") \
    X(RC_LOSS_REDO_FAULT, "redone, fault",   "work since the last checkpoint; a fault ended the run") \
    X(RC_LOSS_REDO_US,    "redone, us",      "the same; we ended the run") \
    X(RC_LOSS_REDO_OTHER, "redone, preempted","the same; a job of higher priority took its nodes") \
    X(RC_LOSS_RESTART,    "restarts",        "start-up of runs that are not a job's first") \
    X(RC_LOSS_CHECKPOINT, "checkpoints",     "writing them, blocking") \
    X(RC_LOSS_UNSEEN,     "broken, offered", "an idle node that is broken and not out yet") \
    X(RC_LOSS_WAIT,       "out, waiting",    "idle for limits, approval, or AWS's window") \
    X(RC_LOSS_REBOOT,     "out, rebooting",  "reboots and power-cycles") \
    X(RC_LOSS_REPLACE,    "out, replacing",  "launch and boot of a replacement") \
    X(RC_LOSS_CAPACITY,   "out, no capacity","no launch option had an instance") \
    X(RC_LOSS_RETURN,     "out, returning",  "register, join, gate, return") \
    X(RC_LOSS_QUARANTINE, "quarantined",     "until a person has looked at it") \
    X(RC_LOSS_OUT,        "out, not by us",  "down or drained without an incident")
/* clang-format on */

enum rc_fleet_loss {
#define RC_LOSS_ENUM(loss, name, text) loss,
    RC_FLEET_LOSSES(RC_LOSS_ENUM)
#undef RC_LOSS_ENUM
        RC_LOSS__MAX
};
const char *rc_fleet_loss_name(uint32_t loss);
const char *rc_fleet_loss_text(uint32_t loss);

/* What a node is doing, for time-lines. */
enum rc_fleet_mode {
    RC_MODE_SERVES, /* in service and whole, or at work */
    RC_MODE_BROKEN, /* broken, and not taken out yet */
    RC_MODE_WAITS,
    RC_MODE_REPAIR,
    RC_MODE_QUARANTINE,
    RC_MODE_OUT, /* not by us */
    RC_MODE__MAX
};

struct rc_fleet_span {
    int64_t at_ms;
    uint32_t node;
    uint32_t mode; /* enum rc_fleet_mode from at_ms on */
};

/* Filled when the caller gives it; room is the caller's. */
struct rc_fleet_history {
    struct rc_fleet_span *span; /* changes of mode, in order of time */
    uint32_t room, count;
    uint32_t cut; /* more than room: the rest is left out */
};

struct rc_fleet_config {
    uint64_t seed;
    uint32_t nodes;
    uint32_t days;
    uint32_t jobs;       /* enum rc_fleet_jobs */
    uint32_t world;      /* enum rc_fleet_world */
    uint32_t reserved;   /* 1 = all nodes in one capacity reservation: launch-first is impossible */
    uint32_t checks;     /* 1 = every checker after each step */
    uint32_t daemon_off; /* 1 = a fault ends the job, and the node is whole again at once */
    uint32_t jobs_per_day;         /* 0 = 7,200 for 2,048 nodes, in proportion */
    uint32_t utilisation_permille; /* of the node time that first runs ask for */
    uint32_t false_milli;          /* false alarms per 1,000 node-days, in thousandths */
    uint32_t same_host_permille;   /* a launch gets a bad host that was given back before */
    int64_t u0_ms, dt_ms, w_ms;    /* start-up, checkpoint interval, blocking write */
    int64_t person_ms;             /* until a person looks at what was quarantined */
    uint32_t price_cents;          /* of one instance-hour */
    struct rc_fault_model faults;
    /* These faults instead, such as a trace as it was recorded; nodes and days must be its
     * own. Borrowed; NULL = drawn from the model. */
    const struct rc_fault_schedule *schedule;
    const struct rc_policy *policy;   /* borrowed; must stay until the run ends */
    struct rc_fleet_history *history; /* NULL = not wanted */
    /* Called about once a simulated day; NULL = never. Must not change anything. */
    void (*tick)(void *arg, int64_t at_ms, int64_t end_ms);
    void *tick_arg;
};

/* Times as counts in buckets of 1/16 octave: quantiles within 4.5 %. */
enum { RC_FLEET_HIST = 640 };
struct rc_fleet_hist {
    uint32_t done[RC_FLEET_HIST];     /* ended in this bucket */
    uint32_t censored[RC_FLEET_HIST]; /* still open after so long when the run ended */
    uint64_t count;
};

struct rc_fleet_result {
    /* score, node-milliseconds */
    int64_t node_ms; /* nodes times span */
    int64_t used_ms; /* of it allocated to jobs */
    int64_t out_ms;  /* of it broken or out, whoever did it: availability = 1 - out / node */
    int64_t productive_ms, allocated_ms, waited_ms; /* all jobs; waited = after an interruption */
    int64_t large_productive_ms, large_allocated_ms, large_waited_ms;
    int64_t lost_ms[RC_LOSS__MAX];
    int64_t instance_ms;   /* paid */
    int64_t first_wait_ms; /* sum over jobs, not times nodes */
    /* counts */
    uint64_t faults, faults_void; /* void: the node was out already, or its host another one */
    uint64_t false_alarms;
    uint64_t evictions, false_evictions, healthy_evictions;
    uint64_t replacements, reboots, launches_refused, quarantines, incidents, breaker_trips;
    uint64_t jobs_started, jobs_done, killed_by_fault, killed_by_us, preempted;
    uint64_t launch_lost; /* RunInstances answers that never came */
    uint64_t core_events, core_actions, world_events;
    uint64_t check_faults;       /* found by the checkers; text tells of the first */
    uint64_t hash;               /* of every decision, and of the world at the end */
    struct rc_fleet_hist repair; /* fault to whole and in service */
    int64_t end_ms;
    uint32_t open_at_end; /* incidents */
    uint32_t pad_;
    char text[256];
};

void rc_fleet_config_init(struct rc_fleet_config *c);
/* RC_E_INVALID: which value is out of its range, and what is allowed. */
enum rc_err rc_fleet_config_check(const struct rc_fleet_config *c, struct rc_error *e);
/* Also RC_E_IO, RC_E_PARSE of a trace, RC_E_FULL (no memory). *ret is whole or untouched. */
enum rc_err rc_fleet_run(const struct rc_fleet_config *c, struct rc_fleet_result *ret,
                         struct rc_error *e);

uint32_t rc_fleet_hist_bucket(int64_t ms);
/* Lower bound of a bucket, in milliseconds. */
int64_t rc_fleet_hist_ms(uint32_t bucket);
void rc_fleet_hist_add(struct rc_fleet_hist *h, int64_t ms, bool censored);
/* The time by which permille of those that ended had ended, interpolated; 0 = none. */
int64_t rc_fleet_hist_quantile(const struct rc_fleet_hist *h, uint32_t permille);

#endif
