/* world.h - EC2, queues, Slurm and the event bus between them, as one thing.
 *
 * The models know nothing of each other; here a state change of an instance
 * becomes an EventBridge message and a host that is up or gone for Slurm. Still
 * without clock, socket or file: rc-world puts a real clock around it, the
 * simulator a virtual one. now_ms is Unix milliseconds and never goes back. */
#ifndef RC_WORLD_H
#define RC_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "simulator/model/model_ec2.h"
#include "simulator/model/model_faults.h"
#include "simulator/model/model_slurm.h"
#include "simulator/model/model_sqs.h"
#include "simulator/model/sim_random.h"
#include "simulator/world/request_log.h"

enum {
    RC_WORLD_QUEUES_MAX = 8,
    RC_WORLD_QUEUE_NAME_LEN = 81,
    RC_WORLD_MESSAGES_MAX = 8192 /* remembered for replay */
};

struct rc_world_identity {
    char region[RC_AZ_LEN];
    char account[16];
    char cluster[RC_CLUSTER_LEN]; /* value of the cluster tag of placed instances */
};

struct rc_world_config {
    uint64_t seed;
    struct rc_world_identity identity;
    struct rc_sim_ec2_config ec2;
    struct rc_sim_sqs_config sqs; /* every queue begins with it */
    struct rc_sim_slurm_config slurm;
    int64_t event_delay_ms; /* from a state change to its message in the queue */
    uint32_t spot_permille; /* the two minutes of a spot notice, scaled; 1000 = as in AWS */
    bool events;            /* false: EC2's own notices get lost */
};

struct rc_world_queue {
    char name[RC_WORLD_QUEUE_NAME_LEN];
    int64_t created_ms;
    struct rc_sim_sqs *sqs;
};

/* A message put into the first queue. body is owned by the world. */
struct rc_world_message {
    uint64_t n;
    int64_t arrival_ms;
    char *body;
};

enum rc_world_slurmctld { RC_WORLD_SLURMCTLD_UP, RC_WORLD_SLURMCTLD_DOWN, RC_WORLD_SLURMCTLD_HUNG };

struct rc_world {
    struct rc_world_config config;
    struct rc_sim_ec2 *ec2;
    struct rc_sim_slurm *slurm;
    struct rc_sim_faults faults;
    struct rc_sim_random random;
    struct rc_world_queue queue[RC_WORLD_QUEUES_MAX];
    uint32_t queue_count;
    struct rc_world_message message[RC_WORLD_MESSAGES_MAX]; /* ring by n */
    uint64_t messages;
    struct rc_request_log log;
    enum rc_world_slurmctld slurmctld;
};

/* queue: name of the one that gets the events. NULL: no memory. */
struct rc_world *rc_world_new(const struct rc_world_config *config, const char *queue,
                              int64_t now_ms);
void rc_world_free(struct rc_world *w);
void rc_world_advance(struct rc_world *w, int64_t now_ms);
/* Earliest time at which something happens by itself, RC_SIM_NEVER = nothing. */
int64_t rc_world_next_ms(const struct rc_world *w);

/* Finds or makes a queue; NULL: table full or no memory. The first one gets the events. */
struct rc_world_queue *rc_world_queue(struct rc_world *w, int64_t now_ms, const char *name);
struct rc_world_queue *rc_world_queue_find(struct rc_world *w, const char *name);

/* Into the first queue, remembered for replay. Returns its number, 0 when it was refused. */
uint64_t rc_world_send(struct rc_world *w, int64_t now_ms, const char *body, int64_t delay_ms);
const struct rc_world_message *rc_world_message(const struct rc_world *w, uint64_t n); /* or NULL */

/* The instance with this id, or the one that now serves this Slurm node (by NodeAddr, else
 * the newest with the node's tag that has not ended). NULL: none. */
struct rc_sim_instance *rc_world_instance(struct rc_world *w, const char *name);
/* An instance for a Slurm node, there from the start, with the cluster's tags. */
struct rc_sim_instance *rc_world_place(struct rc_world *w, int64_t now_ms,
                                       const struct rc_sim_launch *like, const char *node,
                                       const char *addr);

/* What somebody breaks; each returns false when the instance cannot have it. */
bool rc_world_terminate(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst);
bool rc_world_spot(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst,
                   int64_t lead_ms);
bool rc_world_rebalance(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst);
bool rc_world_retire(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst,
                     int64_t open_ms);
struct rc_world_check {
    enum rc_sim_check_kind which;
    enum rc_check status;
    bool alarm;       /* send the CloudWatch alarm's event too */
    bool unreachable; /* the operating system is gone as well */
};
bool rc_world_status_check(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst,
                           const struct rc_world_check *check);
/* The operating system hangs or answers again; EC2 sees nothing. */
bool rc_world_host(struct rc_world *w, int64_t now_ms, struct rc_sim_instance *inst, bool up);

#endif
