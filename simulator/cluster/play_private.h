/* play_private.h - the inside of the virtual world, shared by its files only.
 *
 * Time: now_ms is the world's own, from 0; the wall clock of the world is WALL + now.
 * Each controller has its core time (now + offset, survives restarts) and its own
 * wall clock (skewed by clock steps). Tasks are done in order of (time, sequence). */
#ifndef RC_PLAY_PRIVATE_H
#define RC_PLAY_PRIVATE_H

#include "reconciler/core/state.h"
#include "simulator/cluster/play.h"
#include "simulator/model/model_ec2.h"
#include "simulator/model/model_slurm.h"
#include "simulator/model/model_sqs.h"

#define RC_PLAY_WALL_MS INT64_C(1795415800000)
#define RC_PLAY_CLUSTER "sim"

enum {
    RC_PLAY_CTLS = 2,
    RC_PLAY_SLOTS = 128,    /* EC2 instances */
    RC_PLAY_HOSTS = 256,    /* machines that checkers tell apart */
    RC_PLAY_MESSAGES = 256, /* that the core remembers */
    RC_PLAY_ITEMS = 64,     /* open incidents in the store */
    RC_PLAY_UNSYNCED = 512, /* records; more are written back by themselves */
    RC_PLAY_LEASE_TERM_MS = 60000,
    RC_PLAY_LEASE_GRACE_MS = 10000,
    RC_PLAY_LEASE_MARGIN_MS = 5000,
    RC_PLAY_SWEEP_MS = 60000, /* of instances, and of their status */
    RC_PLAY_SLURM_MS = 20000,
    RC_PLAY_VISIBILITY_MS = 120000
};

enum rc_task_kind {
    RC_TASK_ROW,       /* index: row of the schedule */
    RC_TASK_ROW_END,   /* for_ms later */
    RC_TASK_EFFECT,    /* index: errand; the request arrives */
    RC_TASK_ANSWER,    /* index: errand; the answer arrives */
    RC_TASK_SLURM,     /* poll */
    RC_TASK_POKE,      /* index: node; read after a write of ours */
    RC_TASK_INSTANCES, /* sweep */
    RC_TASK_STATUS,
    RC_TASK_RECEIVE,
    RC_TASK_EXTEND,
    RC_TASK_SYNC, /* the journal is durable up to index */
    RC_TASK_TURN, /* try again: frozen or stuck until now */
    RC_TASK_START,
    RC_TASK_ALARM_OFF,
    RC_TASK_HEADS,    /* the daemon looks at the two controllers; index 1: and again */
    RC_TASK_OPERATOR, /* says again what nobody could take */
    RC_TASK_RELAPSE,  /* index: row of the schedule */
    RC_TASK_QUIET     /* faults end */
};

struct rc_task {
    int64_t at_ms;
    uint64_t seq;
    uint32_t kind; /* enum rc_task_kind */
    uint32_t ctl;
    uint32_t life;
    uint32_t index;
};

/* One request on its way. Rows are the snapshot that a describe call brings back. */
struct rc_row_list {
    struct rc_event *row;
    uint32_t count, room;
};

struct rc_request {
    uint32_t used;
    uint32_t ctl, life;
    uint32_t lost;    /* the effect never happens */
    uint32_t sweep;   /* enum rc_sweep, when it is one */
    uint32_t renewal; /* of the lease */
    uint32_t untold;  /* it was got before, but its core has not been told yet */
    enum rc_err error;
    int64_t sent_ms;        /* core time of the sender */
    int64_t answer_ms;      /* latency of the way back */
    int64_t waits_until_ms; /* at the store, as the lease is held; 0 = it does not */
    /* Large: from here on a new request is not cleared, and a sweep has no more than rows. */
    struct rc_row_list rows;
    struct rc_action action;
    struct rc_event answer;
};

struct rc_held {
    uint64_t msg; /* 0 = free */
    int64_t received_ms;
    uint32_t deleting;
    uint32_t puts; /* item writes that its events caused */
    uint32_t put_incident[8];
    uint64_t put_action[8];
    uint64_t put_epoch[8];
    char receipt[RC_SIM_SQS_HANDLE_LEN];
};

/* Records one behind the other, each as long as its kind is. */
struct rc_journal_row {
    uint32_t is_action;
    uint32_t bytes; /* of this row, a multiple of 8 */
    union {
        struct rc_event event;
        struct rc_action action;
    } u;
};

/* What was posted last of an instance. */
struct rc_seen_row {
    char id[RC_ID_LEN];
    uint32_t pass;
    uint32_t told, told_status;
    struct rc_ev_instance row;
    struct rc_ev_instance_status status;
};

struct rc_waiting {
    uint64_t record;
    struct rc_action action;
};

struct rc_ctl {
    struct rc_play *p;
    uint32_t index, up, life;
    struct rc_state *s;
    struct rc_state *base; /* that this life began from; NULL = empty */
    struct rc_event *queue;
    uint32_t queue_room, queue_head, queue_count;
    int64_t core_offset_ms, wall_skew_ms;
    int64_t deadline_ms; /* of the core, as its last turn left it */
    int64_t frozen_until_ms, disk_slow_until_ms, disk_full_until_ms, helper_until_ms;
    int64_t lease_lost_until_ms;
    /* journal */
    struct rc_journal_row *journal; /* of this life */
    size_t journal_bytes, journal_room;
    size_t durable_bytes; /* of them */
    uint64_t record_last, record_durable;
    uint32_t syncing, stuck;
    struct rc_waiting *line;
    uint32_t line_count, line_room;
    /* what was last posted */
    uint32_t seen_count, seen_at, pass;
    uint32_t node_row_known;                 /* bit by node */
    uint64_t node_row_at[RC_PLAN_NODES_MAX]; /* version of node and agents when it was shown */
    uint64_t slurm_version;                  /* of what was shown; 0 = anew */
    uint32_t slurm_jobs;                     /* running then */
    int64_t slurm_poll_at_ms, slurm_last_ms;
    uint32_t slurm_failed;
    struct rc_ev_node_faults agent_list[RC_PLAN_NODES_MAX]; /* as posted last */
    /* intake */
    uint32_t held_count;
    uint64_t next_msg;
    uint32_t intake_runs, receiving, extending;
    /* one request at a time */
    int64_t writer_free_ms, store_free_ms, registrar_free_ms;
    int64_t hand_ms[RC_PLAY_CTLS]; /* when the last order to that controller gets there */
    /* lease, as this controller watches it */
    uint64_t watch_renewal;
    int64_t watch_since_ms;
    uint32_t lease_busy;  /* one call at a time */
    uint64_t lease_got;   /* the epoch acquired last; its core may not know of it yet */
    uint64_t shown_epoch; /* in the trace */
    /* the two controllers, as last posted: mode + 1 by [peer's eye][controller] */
    uint32_t head_mode[2][RC_PLAY_CTLS];
    uint64_t heads_epoch; /* in which they were shown */
    struct rc_ev_controller_host head_host[RC_PLAY_CTLS];
    /* Large, and never read before it is written: from here on nothing is cleared. */
    struct rc_held held[RC_PLAY_MESSAGES]; /* a life begins with rc_intake_start() */
    struct rc_seen_row seen[RC_PLAY_SLOTS * 2];
    struct rc_event node_row[RC_PLAN_NODES_MAX];
    struct rc_actions out;
};

/* The host of a controller and its slurmctld: the truth. */
struct rc_head {
    char addr[RC_ADDR_LEN];
    uint32_t host_up;
    uint32_t process; /* enum rc_ctl_process */
    uint32_t active;  /* it serves and writes, or will when it wakes up */
    uint32_t fenced, allowed;
    uint32_t dir;            /* enum rc_ctl_dir until dir_until_ms */
    uint32_t button;         /* a person waits to switch it on */
    char by_hand[RC_ID_LEN]; /* the instance that a person started */
    int64_t since_ms;        /* of the process's state */
    int64_t hang_until_ms;   /* 0 = it does not hang */
    int64_t active_at_ms;    /* becomes active then; 0 = was not asked */
    int64_t restart_ms;      /* its unit starts it again; 0 = not */
    int64_t dir_until_ms, munge_until_ms;
};

struct rc_item {
    uint32_t incident;             /* 0 = free */
    uint64_t action[RC_PLAY_CTLS]; /* the last write of each controller: numbers of its own */
    char node[RC_NODE_LEN];
    struct rc_act_incident item;
};

struct rc_past { /* a history item; node "" = the cluster's own */
    uint32_t used;
    char node[RC_NODE_LEN];
    struct rc_history history;
};

struct rc_lease_row {
    uint32_t owner; /* controller + 1, 0 = nobody */
    uint32_t life;
    uint64_t epoch, renewal;
    int64_t until_ms; /* world time */
};

/* A launch, or a destructive action, that was decided; see check_rates.c. */
enum { RC_CHECK_ACTED_MAX = 256 };
struct rc_check_acted {
    int64_t at_ms, last_ms;        /* as it counts; later than at_ms only where that is unsure */
    uint64_t action[RC_PLAY_CTLS]; /* its number at who knows that it was decided; 0 = does not */
    uint64_t node, token;          /* hashes; no token = no launch */
    uint64_t scope[RC_SCOPE__MAX]; /* hashes of the names, 0 = was not known */
    uint64_t told_zone[RC_PLAY_CTLS]; /* in which who was told of it counts it; 0 = not known yet */
    uint32_t unfound[RC_PLAY_CTLS];   /* told of, and its node's zone is still to be found */
    uint32_t by, index;               /* who decided it first, of which node */
    uint32_t done, stored;            /* it was sent; the store was told later */
    uint32_t dropped;                 /* the store keeps newer ones only */
    uint32_t is_free;                 /* it happens whatever the rates say */
    uint32_t refused, unsure;         /* nothing was launched; who was told so forgot it */
};

/* A try of a rung that was begun; see check_attempts.c. */
enum { RC_CHECK_TRIES_MAX = 32 };
struct rc_check_try {
    int64_t at_ms;
    uint32_t incident, rung, tries; /* which it is; incident 0 = forgiven by a person */
    uint32_t stored;
    uint64_t action[RC_PLAY_CTLS]; /* its number at who knows of it; 0 = does not */
};

/* Where a ladder stands, as a leader wrote it last; see check_confirm.c. */
struct rc_check_rung {
    uint32_t incident, attempt, rung, tries;
    int64_t failed_ms; /* the last try; 0 = none here */
    char rule[RC_RULE_LEN];
};

/* What the checkers remember; each file owns its part. */
struct rc_check_memory {
    struct {
        uint64_t epoch_owner_epoch;
        uint32_t epoch_owner;
    } lease;
    struct {
        uint32_t proved[RC_PLAN_NODES_MAX];
    } gate;
    struct {
        int64_t since_ms; /* many nodes are stuck, and it can hear of it; 0 = not */
    } company[RC_PLAY_CTLS];
    struct {
        int64_t opened_ms[RC_PLAY_CTLS][64];
        uint32_t opened[RC_PLAY_CTLS], newest[RC_PLAY_CTLS];
        uint32_t pending[RC_PLAY_CTLS][32]; /* incidents of an agent's drain, not counted yet */
        int64_t tripped_ms[RC_PLAY_CTLS];   /* since when the breaker must be open; 0 = not */
        int64_t last_ms[RC_PLAY_CTLS];
        uint64_t tripped_action[RC_PLAY_CTLS]; /* its number when it tripped */
        int64_t stored_ms; /* the store tells of an open breaker: its newest fault; 0 = not */
    } limits;
    struct {
        uint32_t incident[RC_PLAN_NODES_MAX]; /* that took the node out; 0 = none */
        uint32_t job[RC_PLAN_NODES_MAX];      /* which it cut short; 0 = none */
        uint32_t aside[RC_PLAN_NODES_MAX];    /* in quarantine when the step began */
        int64_t last_ms;                      /* when a node was last taken */
    } out[RC_PLAY_CTLS];
    struct {
        uint32_t incident[RC_PLAN_NODES_MAX];  /* for which the node was drained last */
        int64_t drained_ms[RC_PLAN_NODES_MAX]; /* when that was first sent */
        int64_t shut_ms[RC_PLAN_NODES_MAX];    /* when a drain of ours last came into force */
        int64_t power_ms[RC_PLAN_NODES_MAX];   /* when its machine was last asked to go down */
    } jobs;
    struct {
        uint32_t incident, signalled, requeued, pad_;
        int64_t since_ms; /* under this rule */
        char rule[RC_RULE_LEN];
    } owed[RC_PLAN_NODES_MAX];
    int64_t stuck_ms; /* when a node was last stuck with its file server */
    struct rc_check_rung rung[RC_PLAY_CTLS][RC_PLAN_NODES_MAX];
    struct {
        uint64_t launch; /* of which instance */
        uint32_t slot;   /* where that was found */
        /* by status check, then slurmd's silence; wall time, 0 = not */
        int64_t since_ms[RC_SIM_CHECKS + 1], over_ms[RC_SIM_CHECKS + 1];
    } failing[RC_PLAN_NODES_MAX];
    struct {
        uint32_t touched; /* the incident for which something was done to its machine */
        uint32_t pad_;
        struct {
            uint32_t incident, fault; /* that a person took it back from */
            uint32_t by, pad_;        /* the controller that closed it then; 0 = none, or forgot */
            int64_t at_ms;
        } taken;
        struct {
            uint32_t fault, pad_; /* that the store says he gave the node its way with; 0 = none */
            int64_t at_ms;
        } yielded;
    } person[RC_PLAN_NODES_MAX];
    struct {
        int64_t led_ms;
        int64_t read_ms[RC_PLAN_NODES_MAX];
        uint32_t phase[RC_PLAN_NODES_MAX]; /* of its incident, as written last */
        /* By host: its serial numbers were read; it was thrown out for its hardware. */
        uint8_t named[RC_PLAY_HOSTS], bad[RC_PLAY_HOSTS];
    } look[RC_PLAY_CTLS];
    struct {
        uint32_t incident, pad_;
        int64_t at_ms; /* wall time */
        char instance[RC_ID_LEN];
    } reboot[RC_PLAN_NODES_MAX];
    struct {
        int64_t closed_ms;             /* when its last incident closed; 0 = never */
        uint64_t action[RC_PLAY_CTLS]; /* the closing's number at who knows of it */
        uint32_t stored, pad_;
    } cooldown[RC_PLAN_NODES_MAX];
    struct {
        uint32_t count; /* of all times; the newest are kept, in tried */
    } attempts[RC_PLAN_NODES_MAX];
    struct {
        uint32_t stands;               /* held; of the cluster: paused */
        uint32_t stored;               /* the store was told */
        uint64_t action[RC_PLAY_CTLS]; /* who was told so: its next number then; 0 = was not */
    } order[RC_PLAN_NODES_MAX + 1];    /* by node, then the cluster's */
    struct {
        uint32_t count;
        uint32_t incident[RC_PLAY_ITEMS]; /* approved since it was opened */
    } approved;
    struct {
        uint32_t count;              /* of all times; the newest are kept, in acted */
        uint64_t late[RC_PLAY_CTLS]; /* completions that came late, before this step */
    } rates;
};

/* The agent on a node, and what stands behind its words; see play_agent.c. */
struct rc_play_agent {
    struct rc_ev_node_faults list;
    int64_t boot_ms; /* of the boot that the list speaks of */
    uint32_t sick;   /* what it takes to mend the machine; 0 = it is well */
    uint32_t pad_;
};

struct rc_play_host {
    uint32_t number; /* 0 = the instance's own, which no other had */
    uint32_t pad_;
    char id[RC_ID_LEN]; /* of the instance */
};

struct rc_play {
    const struct rc_plan *plan;
    struct rc_play_result *result;
    FILE *trace;
    int64_t now_ms, end_ms, quiet_ms;
    uint32_t quiet, over;
    uint32_t wants_pause, wants_hold; /* what the operator wants; a bit a node */
    struct rc_task *task;
    uint32_t task_count, task_room, rows_done;
    uint64_t seq;
    struct rc_request **request;
    uint32_t request_room;
    struct rc_sim_ec2 *ec2;
    struct rc_sim_slurm *slurm;
    struct rc_sim_sqs *sqs;
    struct rc_sim_node_row conf[RC_PLAN_NODES_MAX];
    uint64_t conf_version, conf_checked; /* grows with every change of conf */
    struct rc_item item[RC_PLAY_ITEMS];
    struct rc_past past[1 + RC_PLAN_NODES_MAX];
    struct rc_lease_row lease;
    struct rc_head head[RC_PLAY_CTLS];
    int64_t partition_until_ms, unfenced_until_ms;
    struct rc_check_memory memory;
    /* windows of trouble, world time */
    int64_t ec2_errors_until_ms, slurm_errors_until_ms, slurm_down_until_ms, store_until_ms;
    uint32_t ec2_errors_permille, slurm_errors_permille;
    int64_t hang_until_ms[RC_PLAY_SLOTS]; /* by EC2 slot */
    int64_t boot_ms[RC_PLAY_SLOTS];       /* wall time; 0 = not in this play */
    /* The machine that an instance stands on, by EC2 slot, and the last that a node gave back. */
    struct rc_play_host host[RC_PLAY_SLOTS], given_back[RC_PLAN_NODES_MAX];
    uint32_t hosts, pad2_;
    uint32_t lemon[RC_PLAY_SLOTS];
    char lemon_id[RC_PLAY_SLOTS][RC_ID_LEN];
    struct rc_play_agent agent[RC_PLAN_NODES_MAX];
    uint64_t agent_version; /* grows with every change of a list */
    uint64_t notices;
    uint64_t hash;
    /* Cleared by themselves, as far as they are used. */
    struct rc_cluster cluster;
    struct rc_policy policy;
    struct rc_check_acted acted[RC_CHECK_ACTED_MAX];
    struct rc_check_try tried[RC_PLAN_NODES_MAX][RC_CHECK_TRIES_MAX];
    struct rc_ctl ctl[RC_PLAY_CTLS];
};

/* play.c: time and tasks */
void rc_play_task(struct rc_play *p, int64_t at_ms, enum rc_task_kind kind, const struct rc_ctl *c,
                  uint32_t index);
void rc_play_fail(struct rc_play *p, enum rc_verdict_kind verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void rc_play_trace(struct rc_play *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number that depends on the schedule and these two alone. */
uint64_t rc_play_mix(const struct rc_play *p, uint64_t a, uint64_t b);
int64_t rc_play_latency(const struct rc_play *p, uint64_t a, uint64_t b);
int64_t rc_play_wall(const struct rc_play *p); /* of the models */

/* play_pair.c: the two slurmctld, when the schedule has a pair */
bool rc_play_has_pair(const struct rc_play *p);
void rc_heads_changed(struct rc_play *p);
void rc_heads_advance(struct rc_play *p);
int64_t rc_heads_next_ms(const struct rc_play *p);
void rc_heads_power(struct rc_play *p, const char *addr, bool up);
void rc_head_address(struct rc_play *p, uint32_t i, const char *addr);
uint32_t rc_head_named(const struct rc_play *p, const char *name); /* RC_PLAY_CTLS = none */
enum { RC_HEAD_SOON_MS = 200, RC_HEAD_SILENT_MS = 2000 /* until no answer counts */ };
bool rc_head_reaches(const struct rc_play *p, uint32_t from, uint32_t to);
struct rc_sim_instance *rc_head_instance(const struct rc_play *p, uint32_t i); /* NULL = none */
bool rc_head_may_write(const struct rc_play *p, uint32_t i);
/* It was asked to be active, and will be. */
bool rc_head_becomes(const struct rc_play *p, uint32_t i);
void rc_heads_look(struct rc_ctl *c);
void rc_heads_look_anew(struct rc_ctl *c, const struct rc_action *a); /* after its answer */
void rc_heads_look_later(struct rc_ctl *c);
void rc_heads_look_at_end(struct rc_play *p, int64_t for_ms);
void rc_heads_look_soon(struct rc_ctl *c);
void rc_heads_ask_standby(struct rc_ctl *c, const struct rc_action *a); /* FAILOVER */
bool rc_heads_down(const struct rc_ctl *c);
void rc_effect_pair(struct rc_play *p, struct rc_request *r);
void rc_play_pair_row(struct rc_play *p, const struct rc_plan_row *row);
void rc_heads_quiet(struct rc_play *p);

/* play_task.c */
bool rc_task_pop(struct rc_play *p, int64_t until_ms, struct rc_task *ret);
int64_t rc_task_next_ms(const struct rc_play *p);

/* play_setup.c */
void rc_play_setup(struct rc_play *p);
void rc_play_done(struct rc_play *p);
void rc_play_policy(struct rc_play *p); /* play_policy.c: fills p->policy */

/* play_row.c: what the schedule does to the world */
void rc_play_row(struct rc_play *p, const struct rc_plan_row *row, bool end);
void rc_play_quiet(struct rc_play *p);
void rc_play_operator(struct rc_play *p);

void rc_play_lemon(struct rc_play *p, uint32_t node); /* the gate refuses its instance */

/* play_host.c: which machine EC2 gives, and what its GPUs are called */
uint32_t rc_play_host(struct rc_play *p, const struct rc_sim_instance *inst);
void rc_play_host_launched(struct rc_play *p, uint32_t node, const struct rc_sim_instance *inst);
void rc_play_host_given_back(struct rc_play *p, uint32_t node, const struct rc_sim_instance *inst);
void rc_play_serials(struct rc_play *p, const struct rc_sim_instance *inst,
                     char ret[RC_SERIALS_LEN]);

/* play_agent.c: what the nodes say of themselves */
void rc_play_agent_proved(struct rc_play *p, uint32_t node); /* its gate says so */
void rc_play_agent_relapse(struct rc_play *p, uint32_t row);
void rc_play_agent_row(struct rc_play *p, const struct rc_plan_row *row, bool end);
void rc_play_agent_quiet(struct rc_play *p);
bool rc_play_agent_well(struct rc_play *p, uint32_t node);
/* World time since when its agent has drained it for what stands; RC_SIM_NEVER = it has not. */
int64_t rc_play_agent_guilty_ms(struct rc_play *p, uint32_t node);
uint32_t rc_play_stuck_nodes(struct rc_play *p);
enum rc_err rc_play_gpu_reset(struct rc_play *p, const struct rc_action *a);
void rc_poll_agent(struct rc_ctl *c, uint32_t at, bool anyhow);

/* play_notice.c: messages, and what EC2's changes mean to the others */
void rc_play_changes(struct rc_play *p);
bool rc_play_is_spare(const struct rc_sim_instance *inst);
void rc_play_notice(struct rc_play *p, const struct rc_event *ev, enum rc_verdict verdict);
struct rc_sim_instance *rc_play_instance(struct rc_play *p, uint32_t node); /* behind it, or NULL */
/* As slurmctld has it. */
const struct rc_sim_node *rc_play_sim_node(const struct rc_play *p, uint32_t node);

/* play_ctl.c: the virtual daemon */
void rc_ctl_start(struct rc_ctl *c);
void rc_ctl_crash(struct rc_ctl *c, int64_t how);
void rc_ctl_post(struct rc_ctl *c, const struct rc_event *ev);
void rc_ctl_turn(struct rc_ctl *c);
bool rc_ctl_runs(const struct rc_ctl *c); /* up and not frozen */
int64_t rc_ctl_core_ms(const struct rc_ctl *c);
int64_t rc_ctl_next_ms(const struct rc_ctl *c); /* world time of its next own turn */
void rc_ctl_synced(struct rc_ctl *c, uint64_t record);
void rc_ctl_end(struct rc_ctl *c); /* the play is over */
void rc_ctl_free(struct rc_ctl *c);

static inline struct rc_journal_row *
rc_journal_at(const struct rc_ctl *c, size_t byte)
{
    return (struct rc_journal_row *)(void *)((char *)c->journal + byte);
}

/* play_exec.c */
void rc_exec_play(struct rc_ctl *c, const struct rc_action *a);
void rc_exec_effect(struct rc_play *p, uint32_t index);
void rc_exec_answer(struct rc_play *p, uint32_t index);
struct rc_request *rc_request_new(struct rc_ctl *c, uint32_t *ret_index);
void rc_request_free(struct rc_request *r);
struct rc_event *rc_request_row(struct rc_request *r); /* another one, to be filled */
void rc_exec_complete(struct rc_ctl *c, const struct rc_action *a, enum rc_err error,
                      const char *text);

/* play_ec2.c, play_writer.c, play_store.c: effects; they fill error and answer */
void rc_effect_ec2(struct rc_play *p, struct rc_request *r);
void rc_effect_slurm(struct rc_play *p, struct rc_request *r);
void rc_effect_store(struct rc_play *p, struct rc_request *r);
bool rc_lease_waits(struct rc_play *p, struct rc_request *r, uint32_t index);
void rc_effect_lease(struct rc_play *p, struct rc_request *r);
void rc_answer_lease(struct rc_play *p, struct rc_request *r);

/* play_sweep.c */
void rc_sweep_begin(struct rc_ctl *c, enum rc_sweep which);
void rc_sweep_snapshot(struct rc_play *p, struct rc_request *r, const char *only);
void rc_sweep_post(struct rc_ctl *c, const struct rc_request *r);
void rc_sweep_end(struct rc_ctl *c, const struct rc_request *r);

/* play_poll.c */
void rc_poll_slurm(struct rc_ctl *c);
void rc_poll_plan(struct rc_ctl *c); /* sets the next poll when slurmctld has news */
void rc_poll_node(struct rc_ctl *c, const char *node, bool past_the_diff);

/* play_intake.c */
void rc_intake_start(struct rc_ctl *c);
void rc_intake_play(struct rc_ctl *c); /* follows the lease */
void rc_intake_receive(struct rc_ctl *c);
void rc_intake_extend(struct rc_ctl *c);
void rc_intake_forget(struct rc_ctl *c, const struct rc_action *a); /* MESSAGE_DELETE */
void rc_intake_release(struct rc_ctl *c, uint64_t msg);             /* not deleted after all */
uint32_t rc_play_node_index(const struct rc_play *p, const char *name);

#endif
