/* model_slurm.h - slurmctld as the daemon sees it, as a pure model.
 *
 * Nodes come from a slurm.conf (rc_sim_slurm_configure, at start and at each
 * reconfigure). Hosts are told from outside (rc_sim_slurm_host: an address came
 * up or went away); a node's slurmd registers only when the host at the
 * configured NodeAddr is up: slurm.conf is the admission list. A job takes whole
 * nodes. Time is a parameter, memory is taken once.
 *
 * Behaviour follows Slurm 22.05 (slurmctld/node_mgr.c, ping_nodes.c): drain with
 * another reason overwrites it, RESUME is refused on a node that is neither
 * DOWN nor DRAIN, a registration with a newer boot sets the node DOWN, a node
 * that does not answer is first marked and then DOWN, DOWN requeues its jobs. */
#ifndef RC_MODEL_SLURM_H
#define RC_MODEL_SLURM_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/event.h"

#define RC_SIM_NO_NODE UINT32_MAX

struct rc_sim_slurm_config {
    uint64_t seed;
    uint32_t nodes_max, hosts_max, jobs_max;
    int64_t register_ms;        /* host up (or admitted) to registration */
    int64_t ping_ms;            /* host gone to NOT_RESPONDING */
    int64_t slurmd_timeout_ms;  /* host gone to DOWN; 0 = never */
    int64_t completing_ms;      /* job ended to node free (epilog) */
    int64_t requeue_ms;         /* requeued to eligible again */
    uint32_t return_to_service; /* slurm.conf ReturnToService */
};

/* One node as a slurm.conf says it. */
struct rc_sim_node_row {
    char name[RC_NODE_LEN];
    char addr[RC_ADDR_LEN]; /* NodeAddr, the name when not given */
    char hostname[RC_NODE_LEN];
    char partition[RC_PARTITION_LEN];
    uint32_t cpus;
    uint32_t real_memory_mb;
};

struct rc_sim_node {
    char name[RC_NODE_LEN]; /* "" = free slot */
    char addr[RC_ADDR_LEN];
    char hostname[RC_NODE_LEN];
    char partition[RC_PARTITION_LEN];
    char reason[RC_TEXT_LEN];
    uint32_t flags; /* enum rc_slurm_flag */
    uint32_t cpus, real_memory_mb;
    uint32_t reason_uid;
    int64_t reason_ms;
    int64_t boot_ms;         /* BootTime of the last registration, 0 = never */
    int64_t slurmd_start_ms; /* 0 = never registered */
    int64_t response_ms;     /* last sign of life */
    int64_t gone_ms;         /* its host does not answer since, RC_SIM_NEVER = it does */
    int64_t register_ms;     /* registers then, RC_SIM_NEVER = nothing to come */
    uint32_t job;            /* job slot, RC_SIM_NO_NODE = none */
    uint32_t next;           /* next node of the same job */
    uint64_t version;        /* of the table, when this row changed last */
};

enum rc_sim_job_state {
    RC_SIM_JOB_FREE,
    RC_SIM_JOB_PENDING,
    RC_SIM_JOB_RUNNING,
    RC_SIM_JOB_COMPLETING, /* ended, its nodes are still being cleaned */
    RC_SIM_JOB_COMPLETED,
    RC_SIM_JOB_FAILED,
    RC_SIM_JOB_NODE_FAIL,
    RC_SIM_JOB_CANCELLED,
    RC_SIM_JOB__MAX
};

struct rc_sim_job_order {
    char partition[RC_PARTITION_LEN]; /* "" = any */
    char user[RC_PARTITION_LEN];
    char node[RC_NODE_LEN]; /* must run there, "" = anywhere */
    uint32_t nodes;
    int64_t run_ms;
    bool requeue; /* may be requeued */
    bool batch;
};

struct rc_sim_job {
    uint32_t id; /* 0 = free slot */
    enum rc_sim_job_state state;
    enum rc_sim_job_state ends_as; /* while COMPLETING; PENDING = goes back to the queue */
    struct rc_sim_job_order order;
    int64_t submit_ms, eligible_ms, start_ms, end_ms;
    int64_t due_ms;
    int64_t saved_ms;            /* work saved by a signal, not to be done again */
    int64_t begun_ms;            /* work that was saved when this run started */
    uint32_t first;              /* first node, RC_SIM_NO_NODE = none */
    char last_node[RC_NODE_LEN]; /* first node of the last run, "" = never ran */
    uint32_t before, after;      /* in the line of pending jobs */
    uint32_t restarts, signals, last_signal;
};

/* What a writer's request came to, one a node or job. */
enum rc_sim_outcome {
    RC_SIM_DONE,
    RC_SIM_MISSING,     /* no such node or job */
    RC_SIM_FOREIGN,     /* somebody else's reason stands: left alone */
    RC_SIM_NOT_DRAINED, /* resume of a node that is neither DOWN nor DRAIN */
    RC_SIM_NOT_REQUEUEABLE,
    RC_SIM_REFUSED
};

struct rc_sim_slurm;

struct rc_sim_slurm *rc_sim_slurm_new(const struct rc_sim_slurm_config *config); /* NULL: memory */
void rc_sim_slurm_free(struct rc_sim_slurm *m);
struct rc_sim_slurm_config *rc_sim_slurm_config(struct rc_sim_slurm *m); /* the times may change */

/* Start or reconfigure: nodes keep their state by name, those not named any more go with
 * their jobs requeued. False: more than nodes_max, nothing changed. */
bool rc_sim_slurm_configure(struct rc_sim_slurm *m, int64_t now_ms,
                            const struct rc_sim_node_row *rows, uint32_t count);
/* The host at this address is up since boot_ms, or went away. */
void rc_sim_slurm_host(struct rc_sim_slurm *m, int64_t now_ms, const char *addr, bool up,
                       int64_t boot_ms);
/* At the start of a world: registers at once every node whose host is up. */
void rc_sim_slurm_settle(struct rc_sim_slurm *m, int64_t now_ms);

uint32_t rc_sim_slurm_find(const struct rc_sim_slurm *m, const char *name); /* or RC_SIM_NO_NODE */
const struct rc_sim_node *rc_sim_slurm_node(const struct rc_sim_slurm *m, uint32_t i); /* or NULL */
uint32_t rc_sim_slurm_nodes(const struct rc_sim_slurm *m); /* slots; free ones among them */
/* When the node table last changed, in whole seconds as slurmctld counts it. */
int64_t rc_sim_slurm_changed_s(const struct rc_sim_slurm *m);

/* Grows with every change of the node table. */
uint64_t rc_sim_slurm_version(const struct rc_sim_slurm *m);

/* A MAINT reservation begins or ends on a node. */
void rc_sim_slurm_maint(struct rc_sim_slurm *m, int64_t now_ms, const char *name, bool on);
/* As the API takes it, whatever reason stands there (operators do this); reason NULL
 * leaves it. RESUME clears DOWN, DRAIN and the reason. */
enum rc_sim_outcome rc_sim_slurm_update(struct rc_sim_slurm *m, int64_t now_ms, const char *name,
                                        uint32_t flag, const char *reason, uint32_t uid);
enum rc_sim_outcome rc_sim_slurm_resume(struct rc_sim_slurm *m, int64_t now_ms, const char *name);
/* As our writer does it: never overwrites a foreign reason. flag: RC_SN_DRAIN or RC_SN_DOWN. */
enum rc_sim_outcome rc_sim_slurm_mark(struct rc_sim_slurm *m, int64_t now_ms, const char *name,
                                      uint32_t flag, const char *reason);
enum rc_sim_outcome rc_sim_slurm_unmark(struct rc_sim_slurm *m, int64_t now_ms, const char *name);
/* "rc:12 …" or "rc:12+3 …" */
bool rc_sim_reason_ours(const char *reason);

/* 0: no slot, or an impossible order. */
uint32_t rc_sim_slurm_submit(struct rc_sim_slurm *m, int64_t now_ms,
                             const struct rc_sim_job_order *order);
const struct rc_sim_job *rc_sim_slurm_job(const struct rc_sim_slurm *m, uint32_t id); /* or NULL */
const struct rc_sim_job *rc_sim_slurm_job_at(const struct rc_sim_slurm *m, uint32_t slot);
uint32_t rc_sim_slurm_jobs(const struct rc_sim_slurm *m); /* slots */
enum rc_sim_outcome rc_sim_slurm_signal(struct rc_sim_slurm *m, int64_t now_ms, uint32_t job,
                                        uint32_t signal);
enum rc_sim_outcome rc_sim_slurm_requeue(struct rc_sim_slurm *m, int64_t now_ms, uint32_t job);
/* A running job runs on and is not requeued any more; one that waits starts no more. */
enum rc_sim_outcome rc_sim_slurm_hold(struct rc_sim_slurm *m, uint32_t job);
const char *rc_sim_job_state_name(enum rc_sim_job_state state); /* "RUNNING" */

/* A queue that stands outside of this model takes whole nodes by their slots and keeps its
 * jobs itself; holder is its own number of a job. After follow() the model tells which
 * nodes changed and which held ones were lost (DOWN); each is told once. */
bool rc_sim_slurm_follow(struct rc_sim_slurm *m); /* false: no memory */
/* Bit set of the nodes on which a job may start, by slot. */
const uint64_t *rc_sim_slurm_ready(const struct rc_sim_slurm *m, uint32_t *ret_count);
uint32_t rc_sim_slurm_holder(const struct rc_sim_slurm *m, uint32_t at); /* or RC_SIM_NO_NODE */
void rc_sim_slurm_take(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, uint32_t holder);
void rc_sim_slurm_clean(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at); /* COMPLETING */
void rc_sim_slurm_give(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at);
/* A reconfigure that changes the NodeAddr of this node only. */
void rc_sim_slurm_move(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, const char *addr);
bool rc_sim_slurm_next_changed(struct rc_sim_slurm *m, uint32_t *ret_at);
bool rc_sim_slurm_next_lost(struct rc_sim_slurm *m, uint32_t *ret_at);

void rc_sim_slurm_advance(struct rc_sim_slurm *m, int64_t now_ms);
int64_t rc_sim_slurm_next_ms(const struct rc_sim_slurm *m);
uint64_t rc_sim_slurm_hash(const struct rc_sim_slurm *m);

#endif
