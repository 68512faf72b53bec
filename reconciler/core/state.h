/* state.h - all that the core knows, in one block without pointers.
 *
 * Rows refer to each other by slot number, 1-based, 0 = none; tables sit behind
 * the header at byte offsets. So a snapshot is a write, a restore is a read and
 * equality is a hash. Memory is zeroed before use and every row is cleared
 * before it is filled, so equal states are equal bytes.
 *
 * Who writes what: handlers (fold) write facts; rc_note() writes intents;
 * decide writes only what it computes anew each time (block, wake). */
#ifndef RC_STATE_H
#define RC_STATE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/action.h"
#include "reconciler/core/cluster.h"
#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"
#include "reconciler/core/step.h"

enum rc_history_word { RC_WORD_STORED, RC_WORD_UNSAVED, RC_WORD_SENT };

/* What is known of the writes of one history item. */
struct rc_history_row {
    uint64_t action; /* the write in flight, 0 = none */
    uint64_t epoch;  /* of the last writer; 0 = never written */
    uint64_t writes; /* as it was last written or taken */
    int64_t retry_ms;
    uint32_t dirty; /* 1 = the store does not have it yet */
    uint32_t retries;
    /* What was taken from the store is not in the rates of a scope that was not known then. */
    uint16_t partition_due, zone_due;
    uint32_t word; /* enum rc_history_word: of a person's hold or pause */
};

/* Since when a fault at least as bad as each of these has stood: worse ones later in the list,
 * and never older. A blip of something worse does not inherit the age of what is there
 * already, and reasons that take turns do not begin anew with each turn. */
enum { RC_STANDING_MAX = 3 };
struct rc_standing {
    int64_t since_ms[RC_STANDING_MAX];
    uint32_t fault[RC_STANDING_MAX]; /* enum rc_fault, rising; 0 = none from here on */
    uint32_t pad_;
};

/* What a turn looks at stands in the first lines of 64 bytes, what only repairs ask for at the
 * end: with 100,000 nodes each line is a miss. */
struct rc_node {
    char name[RC_NODE_LEN];
    uint32_t next_in_bucket;
    uint32_t flags; /* enum rc_slurm_flag */
    uint32_t owner; /* enum rc_owner of the reason */
    uint32_t reason_incident;
    uint32_t jobs;
    uint32_t cpus;
    uint32_t group;    /* cluster file group, 1-based; 0 = not ours to care for */
    uint32_t instance; /* the instance behind the name now */
    uint32_t incident;
    uint32_t hold;          /* operator hold */
    uint32_t unwell;        /* its row of health has something to say */
    uint32_t yielded_fault; /* an operator took the node back from this fault */
    uint32_t heap_at;       /* 1-based place in the timer heap */
    uint32_t touched;
    uint32_t spare; /* place of a spare in its group, 1-based; 0 = a node of slurmctld's */
    uint32_t pad2_;
    int64_t seen_ms;  /* last Slurm fact; 0 = never */
    uint64_t seen_at; /* the same as a fold number: what came after what */
    int64_t boot_wall_ms;
    int64_t slurmd_start_wall_ms;
    int64_t down_since_ms;                    /* DOWN or NOT_RESPONDING, unbroken; 0 = not */
    int64_t unbound_since_ms;                 /* no instance of ours in complete sweeps */
    int64_t wake_ms;                          /* RC_NEVER = no timer */
    int64_t bound_ms;                         /* since when this generation stands */
    struct rc_node_job job[RC_NODE_JOBS_MAX]; /* running on it now */
    char addr[RC_ADDR_LEN];                   /* NodeAddr as slurmctld shows it */
    uint32_t partition_row;                   /* index into the scope tables */
    uint32_t zone_row;
    uint32_t instances; /* chain of all instances tagged with this name */
    uint32_t generation;
    char partition[RC_PARTITION_LEN];
    struct rc_history_row history;
    int64_t cooldown_until_ms;
    struct rc_standing standing;        /* for confirm_ms */
    int64_t opened_ms[RC_ATTEMPTS_MAX]; /* ring: incidents opened */
    int64_t repair_ms[RC_ATTEMPTS_MAX]; /* ring: repairs started */
    /* rings: what stands in the rates of its scopes */
    int64_t launch_ms[RC_ATTEMPTS_MAX], destructive_ms[RC_ATTEMPTS_MAX];
    uint32_t opened_count, repair_count; /* totals; the rings hold the last ones */
    uint32_t launch_count, destructive_count;
    char pad_[48];
};
_Static_assert(sizeof(struct rc_node) % 64 == 0, "rows of nodes begin on a line of their own");

/* A fault that the node's agent tells of, as it stands. */
struct rc_told {
    struct rc_node_fault f;
    uint64_t at;         /* fold number of the last news of it */
    int64_t since_ms;    /* first told */
    int64_t hour_ms;     /* begin of the hour in which times are counted */
    uint32_t hour_times; /* f.times at that begin */
    uint32_t fault;      /* enum rc_fault */
    uint32_t sure;       /* the agent drains for it; else it is judged by rate, time or company */
    uint32_t by_job;     /* a program can cause it */
    uint32_t lasts;      /* a condition: it does not fade */
};

enum { RC_BAD_HOSTS_MAX = 128 };

/* A job under which a program's fault came on this node, on which device. */
enum { RC_NODE_SUSPECTS_MAX = 8 };
struct rc_node_suspect {
    uint64_t device; /* hash of its name */
    int64_t wall_ms;
    uint32_t job; /* 0 = free */
    uint32_t pad_;
};

/* A job whose programs have faults on several nodes; see suspect.h. */
enum { RC_SUSPECTS_MAX = 64 };
struct rc_suspect {
    int64_t first_wall_ms, last_wall_ms; /* of the faults, by the nodes' clocks */
    int64_t next_ms;                     /* back-off: no new try to hold it before */
    uint64_t action;                     /* JOB_HOLD in flight, 0 = none */
    uint32_t job;                        /* 0 = free row */
    uint32_t nodes;                      /* in the window */
    uint32_t judged, held, told;
    uint32_t retries;
    char class_name[RC_CLASS_LEN];
};

/* What a node says of itself. A table of its own: most turns do not look at it. */
struct rc_health {
    struct rc_told told[RC_NODE_FAULTS_MAX];
    uint64_t healed_at;       /* fold number: what was told before is mended */
    int64_t healed_wall_ms;   /* the same moment on the wall clock */
    int64_t marked_wall_ms;   /* last time that faults were charged to the host; 0 = never */
    int64_t company_ms;       /* last time that something was passed over in company */
    int64_t exclude_until_ms; /* our exclusion of it is taken from waiting jobs then; 0 = none */
    struct rc_node_suspect suspect[RC_NODE_SUSPECTS_MAX]; /* ring */
    uint32_t suspect_count;
    uint32_t excluder_count;
    uint32_t excluder[2 * RC_NODE_EXCLUDERS_MAX]; /* ring: jobs that were counted */
    struct rc_lemon lemon;
    char same_as[RC_ID_LEN]; /* the instance that was bad on this host, "" = none known */
    uint64_t shows;          /* bits 1 << enum rc_fault of what stands: counted in s->shows */
    uint32_t told_count;
    uint32_t more;
    char boot[RC_BOOT_LEN];
    uint32_t pad_;
};

/* How sure a fact from outside is, and what AWS itself will do. */
struct rc_instance_faults {
    int64_t interruption_wall_ms; /* AWS takes it away then */
    int64_t not_before_wall_ms;   /* scheduled event opens */
    int64_t not_after_wall_ms;
    int64_t capacity_end_wall_ms;
    int64_t alarm_ms;       /* since when the alarm fires */
    uint32_t interruption;  /* 1 = notice received */
    uint32_t schedule;      /* enum rc_schedule */
    uint32_t schedule_seen; /* 1 = DescribeInstanceStatus has shown it */
    uint32_t capacity_ending;
    uint32_t system, instance, ebs; /* enum rc_check */
    uint32_t alarm;                 /* enum rc_alarm_state */
    uint32_t alarm_status_check;
    uint32_t health_issue;
    uint32_t ebs_failed;
    char code[RC_CODE_LEN];
};

struct rc_instance {
    char id[RC_ID_LEN];
    uint32_t next_in_bucket;
    uint32_t used;
    uint32_t known; /* 1 = described; 0 = only spoken of by a message */
    uint32_t ours;  /* 1 = carries this cluster's tag */
    uint32_t state; /* enum rc_instance_state */
    uint32_t node;
    uint32_t sweep; /* number of the last sweep that showed it */
    uint32_t next_of_node;
    struct rc_instance_faults faults;
    int64_t missing_since_ms; /* complete sweeps have not shown it since */
    int64_t seen_ms;          /* last EC2 fact */
    int64_t checked_ms;       /* last DescribeInstanceStatus row */
    int64_t launched_wall_ms; /* EC2's launchTime: of the last start */
    int64_t started_wall_ms;  /* a start of it was asked for, or seen; 0 = not known */
    int64_t state_wall_ms;    /* the state was told, or seen, first */
    int64_t ending_ms;        /* its end was asked for; not again before */
    uint32_t tag_incident, tag_attempt;
    uint32_t next_free;
    uint32_t looked;   /* 1 = asked for once because a message spoke of it */
    uint32_t promised; /* the incident that named this spare; 0 = none */
    uint32_t asked;    /* 1 = its assignment was asked for, and may have happened */
    uint32_t parked;   /* 1 = kept, so that its bad host is not given to us again */
    uint32_t had_name; /* 1 = had its node's name, and lost it to another instance */
    char addr[RC_ADDR_LEN];
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char type[RC_TYPE_LEN];
    int64_t launched_ms; /* when we were first told of that launch: the age that we measure */
};
_Static_assert(sizeof(struct rc_instance) % 64 == 0, "rows begin on a line of their own");

enum rc_incident_flag {
    RC_INC_APPROVED = 1U << 0,
    RC_INC_FAILED = 1U << 1,  /* this try of the rung has failed */
    RC_INC_DRAINED = 1U << 2, /* our drain was seen */
    RC_INC_COUNTED = 1U << 3, /* stands in the budgets */
    RC_INC_SIGNALLED = 1U << 4,
    RC_INC_REQUEUED = 1U << 5,
    RC_INC_BROKEN = 1U << 6,    /* a destructive rung has begun */
    RC_INC_TOLD_WAIT = 1U << 7, /* people were told that jobs do not end */
    RC_INC_TOLD_STUCK = 1U << 8,
    RC_INC_EXHAUSTED = 1U << 9,    /* attempts used up: quarantine after the drain */
    RC_INC_ADOPTED = 1U << 10,     /* begun by another life: its counts are not ours */
    RC_INC_MISMATCH = 1U << 11,    /* a token was refused: look before a new one */
    RC_INC_NO_CAPACITY = 1U << 13, /* every launch option was full at the last round */
    RC_INC_YIELDED = 1U << 15,     /* an operator took the node back */
    RC_INC_REOPENED = 1U << 14,    /* a person approved another try out of quarantine */
    RC_INC_MARKED = 1U << 19,      /* its host has been charged with this loss of service */
    RC_INC_SAVED = 1U << 20,       /* its item stood in the store once */
    RC_INC_EVIDENCE = 1U << 21,    /* the evidence was asked for */
    RC_INC_CASE = 1U << 23,        /* the support case was asked for */
    RC_INC_LOST_JOBS = 1U << 24,   /* the jobs lost with the node were charged to its host */
    RC_INC_IN_BREAKER = 1U << 22,  /* counted in the breaker's window */
    RC_INC_ACCEPTED = 1U << 12,    /* the phase's action was accepted; its effect is awaited */
    RC_INC_WITH_JOB = 1U << 16,    /* its jobs had lost a node to us already: not in the budgets */
    RC_INC_ASIDE = 1U << 17,       /* in quarantine, and counted as such */
    RC_INC_SIGNALLED_LAST = 1U << 18 /* the signal right before the requeue was sent */
};

struct rc_incident {
    uint32_t id; /* 0 = free slot */
    uint32_t node;
    uint32_t fault; /* enum rc_fault */
    uint32_t phase; /* enum rc_phase */
    uint32_t block; /* enum rc_block, display and recheck only */
    uint32_t flags; /* enum rc_incident_flag */
    uint32_t rung, rung_tries;
    uint32_t attempt; /* launch attempt, in tokens and tags */
    uint32_t option;  /* launch option on trial */
    uint32_t old_instance, new_instance;
    uint32_t retries;        /* of the phase's action, for the back-off */
    uint32_t launch_retries; /* of the launch, which may run beside it */
    uint32_t pad2_;
    uint32_t launch_counted; /* the launch that stands in the rates: 1 + option, 0 = none */
    uint32_t sweep;          /* number of sweeps when it was adopted, or MISMATCH was set */
    int64_t opened_ms, opened_wall_ms;
    int64_t phase_ms, phase_wall_ms; /* since when */
    int64_t rung_wall_ms;            /* when the rung's first phase was entered */
    int64_t boot_after_wall_ms;      /* a boot later than this is that of the reboot */
    int64_t next_try_ms;             /* back-off: the phase's action is not tried before */
    int64_t launch_next_ms;          /* the same for the launch */
    int64_t tried_ms;                /* when the last try of a rung had failed */
    int64_t accepted_ms;             /* since when ACCEPTED stands */
    int64_t next_look_ms;
    int64_t deadline_wall_ms; /* AWS's own; 0 = none */
    int64_t drain_ack_ms;     /* when the drain was accepted */
    int64_t ruled_ms;         /* when it came under its present rule */
    uint64_t drain_ack_at;    /* its fold number: idle is read after it; 0 = not yet */
    uint64_t told_after;      /* lease epoch + 1 at which the store named it last */
    uint64_t phase_at;        /* fold number at which the phase was entered */
    uint64_t action;          /* the phase's action in flight, 0 = none */
    uint64_t launch_action;   /* a launch may run beside the wait for idle */
    uint64_t jobs_action, look_action, terminate_action;
    uint64_t evidence_action; /* forensics, then the support case */
    int64_t jobs_next_ms;     /* back-off of what is asked for the jobs */
    uint32_t jobs_retries;
    uint32_t looked;     /* the instance that look_action asks about */
    uint64_t put_action; /* newest write of the item in flight */
    uint32_t item_flags; /* RC_ADOPT_* of the newest write */
    uint32_t pad_;
    uint64_t unsaved; /* oldest write not yet confirmed, 0 = all saved */
    int64_t put_retry_ms;
    uint32_t unsaved_prev, unsaved_next; /* list by unsaved */
    uint32_t next_free;
    uint32_t put_retries;
    uint32_t job[RC_NODE_JOBS_MAX]; /* cut short when the node was taken out; 0 = none */
    char old_id[RC_ID_LEN], new_id[RC_ID_LEN];
    char code[RC_CODE_LEN];
    struct rc_rule rule; /* as it was when the incident was opened or raised */
};

/* An action whose completion is awaited. */
struct rc_flight {
    uint64_t id; /* 0 = free */
    uint64_t msg;
    int64_t deadline_ms;
    uint32_t kind;
    uint32_t incident; /* slot */
    uint32_t incident_id;
    uint32_t next_in_bucket, next_free;
    uint32_t node; /* slot, 0 = none */
};

/* A job that lost nodes to us: see gang.c. */
struct rc_job_row {
    uint32_t id;  /* 0 = free slot */
    uint32_t out; /* open incidents that took a node from it */
    uint32_t next_in_bucket, next_free;
};

enum rc_message_state { RC_MSG_SEEN, RC_MSG_PARTS, RC_MSG_WAITS, RC_MSG_QUARANTINE };

struct rc_message {
    uint64_t msg; /* 0 = never used */
    uint64_t id_hash;
    uint64_t barrier; /* every item write up to this id must be saved first */
    uint32_t parts_left;
    uint32_t state;  /* enum rc_message_state */
    uint32_t effect; /* 1 = it touched an incident */
    uint32_t duplicate;
    uint32_t next_in_bucket;
    uint32_t pad_;
};

enum { RC_RATE_ROOM = 512, RC_SCOPE_ROWS = 1 + RC_PARTITIONS_MAX + RC_ZONES_MAX };

/* Times of the last actions of one kind in one scope. */
struct rc_rate {
    uint32_t head, count;
    int64_t at_ms[RC_RATE_ROOM];
};

struct rc_scope_row {
    char name[RC_PARTITION_LEN];
    uint32_t nodes;       /* managed nodes in it */
    uint32_t out;         /* of them out of service by us */
    uint32_t quarantined; /* of these, left to a person */
    uint32_t pad_;
    struct rc_rate launches, destructive;
};

/* What people were told outside any incident; not again on the same day. */
enum { RC_SAID_MAX = 32 };
struct rc_said {
    uint64_t hash;
    int64_t at_ms;
};

struct rc_counters {
    uint64_t steps, events[RC_EVENT__MAX], actions[RC_ACTION__MAX];
    uint64_t stale_facts, late_completions, duplicates, unknown_instances, capacity_exceeded;
    uint64_t quarantined, ignored, incidents_opened, incidents_closed, breaker_trips;
};

struct rc_table {
    uint64_t offset; /* bytes from the start of the state */
    uint32_t room;   /* rows */
    uint32_t pad_;
};

struct rc_state {
    uint64_t magic;
    uint64_t bytes;
    struct rc_capacity_limits limits;
    uint32_t version;
    int64_t now_ms, now_wall_ms;
    uint64_t seed;
    uint64_t next_action;
    uint64_t folds; /* events folded, ever: an order that equal times cannot blur */
    uint32_t next_incident;
    uint32_t open_incidents;
    char host[RC_NODE_LEN];

    /* lease */
    int64_t lease_until_ms, lease_next_ms;
    uint64_t lease_epoch, lease_action;
    uint32_t lease_held;
    uint32_t paused;

    /* breaker */
    struct rc_history_row history; /* of the cluster's own item: paused, breaker */
    uint32_t breaker_open;
    uint32_t recheck; /* blocked incidents must be looked at again */
    int64_t breaker_since_ms, breaker_last_ms;
    struct rc_rate breaker_rate;

    uint32_t shows[RC_FAULT__MAX]; /* nodes whose agents tell of this fault */
    struct rc_said said[RC_SAID_MAX];
    struct rc_suspect suspect[RC_SUSPECTS_MAX];
    uint32_t suspects_judged;                        /* 1 = a row was judged once */
    uint32_t bad_hosts;                              /* ever */
    struct rc_known_host bad_host[RC_BAD_HOSTS_MAX]; /* ring: the latest of all nodes */

    /* polling */
    uint32_t sweep;       /* number of complete DescribeInstances passes */
    uint32_t sweep_floor; /* what was launched before is known once so many have ended */
    uint32_t pad3_;
    uint64_t slurm_pass_at;  /* fold number: end of the last pass over slurmctld's nodes */
    int64_t slurm_pass_ms;   /* end of the last complete one; 0 = none yet */
    uint64_t slurm_fresh_at; /* before the last complete one began: rows not told are as old */
    uint64_t start_at;       /* fold number of the last start: Slurm's rows before are remembered */
    int64_t start_ms;        /* when that was: EC2's facts before are remembered too */
    uint64_t led_at;         /* and of the lease that was got: what was read before may be old */
    uint32_t slurm_ok, ec2_ok;
    uint32_t unbound;                   /* nodes of a group that no instance stands behind */
    uint32_t strangers;                 /* instances that only a message spoke of */
    int64_t slurm_wall_ms, ec2_wall_ms; /* last complete passes */
    int64_t ec2_pass_ms;                /* the same, core time */
    uint32_t flight_count;
    int64_t taken_ms;      /* when a node was last taken out by our choice; 0 = never */
    uint32_t jobs_running; /* of the whole cluster, as the last complete pass told */
    uint32_t jobs_out;     /* of them or since ended: lost a node to us, not given back yet */
    uint32_t job_used, job_free;

    uint32_t node_count, instance_free, incident_free, flight_free;
    uint32_t instance_used, incident_used, flight_used; /* high-water marks */
    uint32_t unsaved_head, unsaved_tail;
    int64_t closed_retry_ms;    /* a closed incident's item must be deleted again; 0 = none */
    int64_t quarantine_next_ms; /* the message at the head is not kept aside before then */
    uint32_t quarantine_retries;
    uint32_t pad2_;
    uint64_t message_last;    /* newest message number */
    uint64_t message_waiting; /* oldest message not yet given back, 0 = none */
    uint32_t heap_count;
    uint32_t touch_head, touch_count;
    uint32_t partition_count, zone_count;
    uint32_t group_nodes[RC_GROUPS_MAX]; /* of each group of the cluster file, spares left out */
    uint32_t policy_loaded, cluster_loaded;
    uint32_t table_full; /* something did not fit: no destructive action until it does */
    uint32_t pad_;

    struct rc_pair pair;
    struct rc_counters counters;
    struct rc_table nodes, healths, node_buckets, instances, instance_buckets, incidents, flights,
        flight_buckets, messages, message_buckets, heap, touch, scopes, jobs, job_buckets;
    struct rc_cluster cluster;
    struct rc_policy policy;
};

/* Rows by slot (1-based); slot 0 or out of range asserts. */
static inline void *
rc_row_at(const struct rc_state *s, const struct rc_table *t, uint32_t row, size_t size)
{
    assert(row < t->room);
    /* Rows may be written through a const state, whose own members stay; casting const
     * away directly is what -Wcast-qual forbids everywhere. */
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): see above */
    return (void *)((uintptr_t)s + (uintptr_t)t->offset + (uintptr_t)row * size);
}

static inline struct rc_node *
rc_node_at(const struct rc_state *s, uint32_t slot)
{
    return rc_row_at(s, &s->nodes, slot - 1, sizeof(struct rc_node));
}

/* Of the node's slot. */
static inline struct rc_health *
rc_health_at(const struct rc_state *s, uint32_t node)
{
    return rc_row_at(s, &s->healths, node - 1, sizeof(struct rc_health));
}

static inline struct rc_instance *
rc_instance_at(const struct rc_state *s, uint32_t slot)
{
    return rc_row_at(s, &s->instances, slot - 1, sizeof(struct rc_instance));
}

static inline struct rc_incident *
rc_incident_at(const struct rc_state *s, uint32_t slot)
{
    return rc_row_at(s, &s->incidents, slot - 1, sizeof(struct rc_incident));
}

static inline struct rc_flight *
rc_flight_at(const struct rc_state *s, uint32_t slot)
{
    return rc_row_at(s, &s->flights, slot - 1, sizeof(struct rc_flight));
}

/* 0-based, like the scopes below: the row of a ring. */
static inline struct rc_message *
rc_message_at(const struct rc_state *s, uint32_t row)
{
    return rc_row_at(s, &s->messages, row, sizeof(struct rc_message));
}

static inline struct rc_job_row *
rc_job_at(const struct rc_state *s, uint32_t slot)
{
    return rc_row_at(s, &s->jobs, slot - 1, sizeof(struct rc_job_row));
}

/* 0 = the cluster. */
static inline struct rc_scope_row *
rc_scope_at(const struct rc_state *s, uint32_t row)
{
    return rc_row_at(s, &s->scopes, row, sizeof(struct rc_scope_row));
}

static inline uint32_t *
rc_table_u32(const struct rc_state *s, const struct rc_table *t)
{
    return rc_row_at(s, t, 0, sizeof(uint32_t));
}

/* Slots by name; 0 = not there. */
uint32_t rc_node_find(const struct rc_state *s, const char *name);
uint32_t rc_instance_find(const struct rc_state *s, const char *id);
uint32_t rc_incident_find(const struct rc_state *s, uint32_t id);
uint32_t rc_flight_find(const struct rc_state *s, uint64_t id);

/* Slots by name, made when missing; 0 = table full (counted as capacity_exceeded). */
uint32_t rc_node_get(struct rc_state *s, const char *name);
uint32_t rc_instance_get(struct rc_state *s, const char *id);
void rc_instance_free(struct rc_state *s, uint32_t slot);
uint32_t rc_incident_new(struct rc_state *s, uint32_t id);
void rc_incident_free(struct rc_state *s, uint32_t slot);
uint32_t rc_flight_new(struct rc_state *s, uint64_t id);
void rc_flight_free(struct rc_state *s, uint32_t slot);

/* The row of a partition or zone in the scope table; 0 = the cluster's own when full. */
uint32_t rc_partition_row(struct rc_state *s, const char *name);
uint32_t rc_zone_row(struct rc_state *s, const char *name);

uint64_t rc_hash_bytes(uint64_t h, const void *data, size_t len);
uint64_t rc_hash_text(const char *text);

#endif
