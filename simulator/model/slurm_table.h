/* slurm_table.h - the inside of the Slurm model, shared by its files only.
 *
 * Invariants: a node's bit in ready is set exactly when a job may start on it; a
 * node belongs to a job exactly while it is in that job's list; times of a slot
 * are in its heap. */
#ifndef RC_SLURM_TABLE_H
#define RC_SLURM_TABLE_H

#include "simulator/model/model_slurm.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"

struct rc_sim_host {
    uint64_t hash; /* of addr */
    int64_t boot_ms;
    char addr[RC_ADDR_LEN];
};

/* For a queue outside of the model. */
struct rc_sim_outside {
    uint32_t *holder; /* by node slot */
    uint32_t *changed, *lost;
    uint8_t *is_changed;
    uint32_t changed_count, lost_count;
};

struct rc_sim_slurm {
    struct rc_sim_slurm_config config;
    struct rc_sim_random random;
    struct rc_sim_node *node;
    uint64_t *name_hash; /* by node slot, 0 = free */
    uint64_t *addr_hash;
    uint64_t *ready; /* bit set */
    uint32_t ready_count;
    uint32_t node_end; /* slots in use lie below */
    struct rc_sim_heap node_due;
    struct rc_sim_host *host; /* those that are up */
    uint32_t host_count;
    struct rc_sim_job *job;
    struct rc_sim_heap job_due;
    uint32_t job_last; /* id */
    uint32_t pending_head, pending_tail;
    int64_t changed_s;
    uint64_t version;
    struct rc_sim_outside *outside; /* NULL = nobody follows */
};

/* After any change of a node: its bit, its timer, the table's time. */
void rc_sim_slurm_touch(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at);
void rc_sim_slurm_down(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, const char *reason);
/* The job on this node ends because the node does. */
void rc_sim_slurm_job_lost(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at);
void rc_sim_slurm_jobs_due(struct rc_sim_slurm *m, int64_t at_ms);
/* Starts what can start. */
void rc_sim_slurm_schedule(struct rc_sim_slurm *m, int64_t now_ms);
bool rc_sim_slurm_host_boot(const struct rc_sim_slurm *m, const char *addr, int64_t *ret_boot_ms);
/* The host behind the node came, went, or is another one. */
void rc_sim_slurm_host_changed(struct rc_sim_slurm *m, int64_t now_ms, uint32_t at, bool up);
void rc_sim_slurm_outside_free(struct rc_sim_outside *o);
uint64_t rc_sim_slurm_jobs_hash(const struct rc_sim_slurm *m, uint64_t h);

#endif
