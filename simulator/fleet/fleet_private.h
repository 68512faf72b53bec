/* fleet_private.h - the inside of the large world, shared by its files only.
 *
 * now_ms counts from the start; the models and wall clocks show RC_FLEET_WALL_MS + now.
 * A node's position 0..nodes-1 is its slot in the Slurm model; hosts go by EC2 slot.
 * What is due is done in order of (time, sequence). */
#ifndef RC_FLEET_PRIVATE_H
#define RC_FLEET_PRIVATE_H

#include "reconciler/core/state.h"
#include "simulator/fleet/fleet.h"
#include "simulator/fleet/fleet_mix.h"
#include "simulator/model/model_ec2.h"
#include "simulator/model/model_slurm.h"
#include "simulator/model/model_sqs.h"
#include "simulator/model/sim_random.h"

#define RC_FLEET_WALL_MS   INT64_C(1795415800000)
#define RC_FLEET_NAME      "fleet"
#define RC_FLEET_PARTITION "gpu"

enum {
    RC_FLEET_SECOND = 1000,
    RC_FLEET_MINUTE = 60 * 1000,
    RC_FLEET_HOUR = 3600 * 1000,
    RC_FLEET_DAY = 24 * 3600 * 1000,
    RC_FLEET_SUBNETS = 3,
    RC_FLEET_MESSAGES = 4096, /* that the core remembers */
    RC_FLEET_CLASSES = 3,     /* of jobs: normal, high, interrupted */
    RC_FLEET_LEASE_TERM_MS = 60 * 1000,
    RC_FLEET_LEASE_MARGIN_MS = 5 * 1000,
    RC_FLEET_POLL_SLURM_MS = 10 * 1000,
    RC_FLEET_WATCH_MS = 1000,
    RC_FLEET_INSTANCES_MS = 60 * 1000,
    RC_FLEET_STATUS_MS = 45 * 1000,
    RC_FLEET_VISIBILITY_MS = 120 * 1000
};

enum rc_due_kind {
    RC_DUE_ARRIVAL,   /* the next job is submitted */
    RC_DUE_JOB_END,   /* index: job, tag: its run */
    RC_DUE_JOB_DIES,  /* a stalled run gives up; as above */
    RC_DUE_JOB_FREE,  /* its nodes are cleaned */
    RC_DUE_JOB_AGAIN, /* may start again */
    RC_DUE_BACKFILL,
    RC_DUE_FAULT,
    RC_DUE_FALSE, /* the next false alarm */
    RC_DUE_HEAL,  /* index: EC2 slot, tag: number of the illness */
    RC_DUE_SHOW,  /* the illness becomes visible; as above */
    RC_DUE_CALM,  /* index: EC2 slot; its false alarm ends, tag: number of the alarm */
    RC_DUE_POLL,
    RC_DUE_WATCH,
    RC_DUE_INSTANCES,
    RC_DUE_STATUS,
    RC_DUE_WRITTEN, /* index: request; its action stands in the journal */
    RC_DUE_EFFECT,
    RC_DUE_ANSWER,
    RC_DUE_RECEIVE,
    RC_DUE_EXTEND,
    RC_DUE_PERSON,  /* index: node, tag: incident */
    RC_DUE_TROUBLE, /* the next one; tag: enum rc_trouble_kind */
    RC_DUE_TROUBLE_END,
    RC_DUE_TURN, /* the daemon is back: look at its queue */
    RC_DUE_DAY
};

struct rc_due {
    int64_t at_ms;
    uint64_t seq;
    uint32_t kind; /* enum rc_due_kind */
    uint32_t index;
    uint32_t tag;
    uint32_t pad_;
};

/* What ails a host. X(enum, name, its jobs stand still, slurmd is silent) */
/* clang-format off */
#define RC_AILMENTS(X) \
    X(RC_AIL_NONE,   "whole",   0, 0) \
    X(RC_AIL_HANG,   "hang",    1, 1) /* the kernel hangs */ \
    X(RC_AIL_SYSTEM, "system",  1, 1) /* host power or network */ \
    X(RC_AIL_GPU,    "gpu",     1, 0) /* a GPU is gone; slurmd runs */ \
    X(RC_AIL_LINK,   "link",    1, 0) /* EFA errors */ \
    X(RC_AIL_WORN,   "worn",    0, 0) /* a GPU wants a reset; jobs go on */ \
    X(RC_AIL_EBS,    "volume",  0, 0) \
    X(RC_AIL_SILENT, "silent",  0, 1) /* slurmd alone: ranks live on */
/* clang-format on */

enum rc_ailment {
#define RC_AIL_ENUM(ail, name, stalls, silent) ail,
    RC_AILMENTS(RC_AIL_ENUM)
#undef RC_AIL_ENUM
        RC_AIL__MAX
};
bool rc_ail_stalls(uint32_t ail);

/* A slot leaves the list of news when both kinds of pass have seen it at rest. */
enum { RC_NEWS_TOLD_INSTANCE = 1, RC_NEWS_TOLD_STATUS = 2, RC_NEWS_LISTED = 4 };

struct rc_host {
    uint32_t ail; /* enum rc_ailment */
    uint32_t node;
    uint32_t illness;    /* number of the ailment, so that late ends are known */
    uint32_t generation; /* 0 = the host of the start */
    uint32_t rebooting;
    uint32_t alarmed;
    uint32_t alarms; /* so far: a late end of an earlier one is known by it */
    uint32_t part;   /* enum rc_part */
    uint64_t luck;
    int64_t heals_ms;
    int64_t paid_from_ms; /* -1 = not running */
    char id[RC_ID_LEN];   /* the instance that was last posted from this slot, "" = none */
    uint64_t shown[2];    /* hashes of its rows */
    uint32_t news;        /* its rows must be looked at: RC_NEWS_* */
    uint32_t planned;     /* AWS has said that it will take it */
    int64_t told_ms;      /* the agent names the ailment since, wall clock; 0 = it does not */
};

struct rc_bad_host {
    uint32_t ail, part;
    uint64_t luck;
    int64_t heals_ms;
};

enum rc_job_state { RC_JOB_FREE, RC_JOB_WAITS, RC_JOB_HELD, RC_JOB_RUNS, RC_JOB_CLEANS };
/* Why a run ended. */
enum rc_job_cause { RC_CAUSE_DONE, RC_CAUSE_FAULT, RC_CAUSE_US, RC_CAUSE_PREEMPTED };

struct rc_fleet_job {
    int64_t work_ms, saved_ms;
    int64_t signal_saved_ms;    /* of this run, by a signal */
    int64_t since_ms;           /* waits since */
    int64_t start_ms, stall_ms; /* stall 0 = computes */
    int64_t limit_ms;           /* what the scheduler is told it takes */
    int64_t dt_ms, u0_ms, w_ms;
    uint32_t nodes, first;  /* chain through next_node; RC_SIM_NO_NODE = none */
    uint32_t before, after; /* in its line, or among the running */
    uint32_t state;         /* enum rc_job_state */
    uint32_t level;         /* 0..2, the higher the sooner */
    uint32_t run;           /* number of this run */
    uint32_t restarts;
    uint32_t ends_at; /* bucket of the plan */
    uint32_t id;
    uint32_t listens; /* saves when it is told that it must go */
    uint32_t pad_;
};

struct rc_line_of_jobs {
    uint32_t head, tail, count;
};

enum { RC_PLAN_BUCKETS = 1024, RC_PLAN_BUCKET_MS = 15 * 60 * 1000 };

struct rc_fleet_queue {
    struct rc_fleet_job *job;
    uint32_t room, used, free; /* free: chain through after, RC_SIM_NO_NODE = none */
    uint32_t *next_node;       /* by node: next of the same job */
    struct rc_line_of_jobs line[RC_FLEET_CLASSES];
    struct rc_line_of_jobs running; /* level 0, oldest first: what may be pre-empted */
    uint32_t ends[RC_PLAN_BUCKETS]; /* nodes that become free, by bucket of their limit */
    uint32_t wanted;                /* something changed: look at the heads */
    uint32_t backfill_due;
    uint32_t last_id;
    uint32_t runs; /* jobs that run now */
    struct rc_sim_random arrivals, sizes;
    double median_ms[RC_MIX_ROWS];
};

struct rc_node_score {
    int64_t since_ms;
    int64_t broken_ms; /* since when it does not serve, -1 = it does */
    uint32_t loss;     /* enum rc_fleet_loss, RC_LOSS__MAX = none */
    uint32_t mode;     /* enum rc_fleet_mode */
    uint32_t by_fault;
    uint32_t core; /* slot of the core's row, 0 = not known yet */
};

struct rc_errand {
    uint32_t next_free; /* index + 1 */
    uint32_t lost;
    uint32_t life; /* of its sender */
    enum rc_err error;
    int64_t sent_ms, answer_ms;
    struct rc_action action;
    struct rc_event answer;
};

struct rc_letter {
    uint64_t msg; /* 0 = free */
    int64_t received_ms;
    uint32_t puts;
    uint32_t put_incident[8];
    uint64_t put_action[8];
    char receipt[RC_SIM_SQS_HANDLE_LEN];
};

struct rc_store_row {
    uint32_t incident;
    uint64_t action; /* the write that it comes from */
    char node[RC_NODE_LEN];
    struct rc_act_incident item;
};

struct rc_past_row {
    char node[RC_NODE_LEN]; /* "" = the cluster's own */
    struct rc_history history;
};

struct rc_fleet_check; /* fleet_check.c */

enum rc_trouble_kind {
    RC_TROUBLE_CAPACITY_A, /* a subnet has none */
    RC_TROUBLE_CAPACITY_B,
    RC_TROUBLE_CAPACITY_C,
    RC_TROUBLE_EC2,   /* EC2 calls fail */
    RC_TROUBLE_SLURM, /* slurmctld is away, or its backup takes over */
    RC_TROUBLE_HELPER,
    RC_TROUBLE_STORE,  /* store and lease do not answer */
    RC_TROUBLE_DISK,   /* the journal is slow: what is irreversible waits */
    RC_TROUBLE_CLOCK,  /* the wall clock steps */
    RC_TROUBLE_DAEMON, /* restart, or fail-over */
    RC_TROUBLE__MAX
};

struct rc_fleet {
    const struct rc_fleet_config *c;
    struct rc_fleet_result r;
    int64_t now_ms, end_ms;
    struct rc_due *due;
    uint32_t due_count, due_room;
    uint64_t seq;
    struct rc_sim_ec2 *ec2;
    struct rc_sim_slurm *slurm;
    struct rc_sim_sqs *sqs;
    struct rc_cluster cluster;
    struct rc_fault_schedule faults;
    uint32_t next_fault;
    uint32_t hosts;
    struct rc_host *host; /* by EC2 slot */
    uint32_t *news_host;  /* slots with news, for the sweeps */
    uint32_t news_count;
    uint32_t *serving;  /* by node: EC2 slot behind its address */
    uint32_t *replaced; /* by node: hosts so far that came after the first */
    uint32_t bad_count;
    struct rc_bad_host bad[64];
    struct rc_fleet_queue q;
    struct rc_node_score *score;
    struct rc_sim_random fault_world, latency, false_alarms, troubles;
    /* the daemon */
    struct rc_state *s, *twin;
    uint32_t life; /* controllers so far, less one */
    struct rc_actions out, twin_out;
    struct rc_event *queue;
    uint32_t queue_room, queue_head, queue_count;
    struct rc_event row; /* of a poll: what is not set stays zero */
    uint64_t *node_shown, *agent_shown;
    uint32_t *node_news; /* positions with news since the last poll */
    uint8_t *node_is_news;
    uint32_t node_news_count;
    uint32_t watch_due;
    struct rc_errand **errand;
    uint32_t errand_room, errand_free;
    int64_t writer_free_ms, store_free_ms, registrar_free_ms;
    uint64_t lease_epoch;
    int64_t lease_until_ms; /* the truth, for the checkers */
    struct rc_letter letter[RC_FLEET_MESSAGES];
    uint32_t letters, receiving;
    uint64_t next_msg;
    int64_t away_until_ms; /* the daemon */
    int64_t until_ms[RC_TROUBLE__MAX];
    int64_t skew_ms;
    struct rc_store_row *store;
    uint32_t store_count, store_room;
    struct rc_past_row *past;
    uint32_t past_count, past_room;
    uint32_t *past_of; /* by node, then the cluster: row + 1 */
    struct rc_fleet_check *check;
};

/* fleet_due.c */
void rc_due_push(struct rc_fleet *f, int64_t at_ms, enum rc_due_kind kind, uint32_t index,
                 uint32_t tag);
bool rc_due_pop(struct rc_fleet *f, int64_t until_ms, struct rc_due *ret);
int64_t rc_due_next_ms(const struct rc_fleet *f);

/* fleet_clock.c */
int64_t rc_fleet_wall(const struct rc_fleet *f);
void rc_fleet_news(struct rc_fleet *f, uint32_t node); /* the next poll looks at its row */

/* fleet_setup.c */
enum rc_err rc_fleet_open(struct rc_fleet *f, struct rc_error *e);
void rc_fleet_close(struct rc_fleet *f);

/* fleet_mix.c: what a job is like */
void rc_mix_open(struct rc_fleet *f);
int64_t rc_mix_gap(struct rc_fleet *f);
void rc_mix_draw(struct rc_fleet *f, struct rc_fleet_job *j);

/* fleet_jobs.c */
bool rc_queue_open(struct rc_fleet *f);
void rc_queue_close(struct rc_fleet *f);
void rc_queue_due(struct rc_fleet *f, const struct rc_due *d);
/* Ends the run of the job on this node, if one runs there. */
void rc_queue_end_on(struct rc_fleet *f, uint32_t node, enum rc_job_cause cause);
void rc_queue_stall_on(struct rc_fleet *f, uint32_t node, uint64_t luck);
void rc_queue_save_on(struct rc_fleet *f, uint32_t node); /* a checkpoint by signal */
void rc_queue_finish(struct rc_fleet *f); /* the run is over: what still runs is counted */
void rc_queue_start(struct rc_fleet *f, uint32_t job);
void rc_queue_interrupt(struct rc_fleet *f, uint32_t job, enum rc_job_cause cause);
void rc_line_drop(struct rc_fleet_queue *q, struct rc_line_of_jobs *l, uint32_t job);

/* fleet_plan.c: which job starts when */
void rc_plan_heads(struct rc_fleet *f);
void rc_plan_backfill(struct rc_fleet *f);
void rc_plan_begin(struct rc_fleet *f, struct rc_fleet_job *j);
void rc_plan_end(struct rc_fleet *f, struct rc_fleet_job *j);

/* fleet_ills.c: hosts, and what befalls them */
void rc_ills_changes(struct rc_fleet *f); /* EC2's changes mean hosts that come and go */
void rc_ills_due(struct rc_fleet *f, const struct rc_due *d);
void rc_ills_heal(struct rc_fleet *f, uint32_t slot);
void rc_ills_news(struct rc_fleet *f, uint32_t slot);
bool rc_ills_whole(const struct rc_fleet *f, uint32_t node);
void rc_ills_launched(struct rc_fleet *f, uint32_t slot, uint32_t node);
/* A spare was given this node's name. */
void rc_ills_named(struct rc_fleet *f, uint32_t slot, uint32_t node);
uint32_t rc_fleet_node(const struct rc_fleet *f, const char *name); /* or RC_SIM_NO_NODE */
uint32_t rc_fleet_slot(struct rc_fleet *f, const struct rc_sim_instance *inst);

/* fleet_agent.c */
void rc_agent_finds(struct rc_fleet *f, uint32_t slot);
void rc_agent_forgets(struct rc_fleet *f, uint32_t slot);
void rc_agent_show(struct rc_fleet *f, uint32_t node); /* in a poll, after the node's row */
bool rc_agent_cures(const struct rc_host *h, bool reboot);

/* fleet_trouble.c */
void rc_trouble_open(struct rc_fleet *f);
void rc_trouble_due(struct rc_fleet *f, const struct rc_due *d);
bool rc_trouble_now(const struct rc_fleet *f, enum rc_trouble_kind kind);
uint32_t rc_trouble_permille(const struct rc_fleet *f, enum rc_trouble_kind kind);
void rc_trouble_notice(struct rc_fleet *f, const struct rc_event *ev);

/* fleet_ctl.c: the virtual daemon */
void rc_fleet_post(struct rc_fleet *f, const struct rc_event *ev);
void rc_fleet_turn(struct rc_fleet *f);
void rc_fleet_start(struct rc_fleet *f);
void rc_fleet_take_over(struct rc_fleet *f); /* by the other controller */
int64_t rc_fleet_ctl_next_ms(const struct rc_fleet *f);

/* fleet_exec.c */
void rc_errand_send(struct rc_fleet *f, const struct rc_action *a);
void rc_errand_due(struct rc_fleet *f, const struct rc_due *d);
void rc_errand_ec2(struct rc_fleet *f, struct rc_errand *r);
void rc_errand_slurm(struct rc_fleet *f, struct rc_errand *r);

/* fleet_store.c */
const struct rc_store_row *rc_store_find(struct rc_fleet *f, uint32_t incident); /* or NULL */
void rc_store_put(struct rc_fleet *f, struct rc_errand *r);
void rc_store_lease(struct rc_fleet *f, struct rc_errand *r);
void rc_store_answer_lease(struct rc_fleet *f, struct rc_errand *r);

/* fleet_poll.c, fleet_sweep.c, fleet_intake.c */
void rc_fleet_poll(struct rc_fleet *f);
void rc_fleet_watch(struct rc_fleet *f);
bool rc_fleet_is_watched(struct rc_fleet *f, uint32_t node);
void rc_fleet_show(struct rc_fleet *f, uint32_t node, bool past_the_diff);
void rc_fleet_sweep(struct rc_fleet *f, enum rc_sweep which);
void rc_fleet_look(struct rc_fleet *f, struct rc_errand *r);
void rc_fleet_intake(struct rc_fleet *f);
void rc_fleet_receive(struct rc_fleet *f);
void rc_fleet_extend(struct rc_fleet *f);
void rc_fleet_forget(struct rc_fleet *f, uint64_t msg);

/* fleet_score.c */
void rc_score_open(struct rc_fleet *f);
void rc_score_judge(struct rc_fleet *f, uint32_t node);
void rc_score_phase(struct rc_fleet *f, const struct rc_action *a); /* an incident moved */
void rc_score_finish(struct rc_fleet *f);
void rc_score_controller_ends(struct rc_fleet *f);
uint32_t rc_score_core(struct rc_fleet *f, uint32_t node);

/* fleet_person.c */
void rc_person_told(struct rc_fleet *f, const struct rc_action *a);
void rc_person_due(struct rc_fleet *f, const struct rc_due *d);
void rc_person_round(struct rc_fleet *f); /* daily */

/* fleet_check.c: NULL and nothing done when no checks are wanted */
bool rc_fleet_check_open(struct rc_fleet *f);
void rc_fleet_check_close(struct rc_fleet *f);
void rc_fleet_check_step(struct rc_fleet *f, const struct rc_event *ev);
void rc_fleet_check_send(struct rc_fleet *f, const struct rc_action *a);
void rc_fleet_check_ec2(struct rc_fleet *f, const struct rc_action *a,
                        const struct rc_sim_instance *inst);
void rc_fleet_check_launched(struct rc_fleet *f, const struct rc_action *a);
void rc_fleet_check_register(struct rc_fleet *f, const struct rc_action *a);
void rc_fleet_check_gate(struct rc_fleet *f, const struct rc_action *a, enum rc_err verdict);
void rc_fleet_check_resume(struct rc_fleet *f, const struct rc_action *a);
void rc_fleet_check_delete(struct rc_fleet *f, const struct rc_letter *l);
void rc_fleet_check_forget(struct rc_fleet *f); /* another controller remembers less */
void rc_fleet_check_end(struct rc_fleet *f);

#endif
