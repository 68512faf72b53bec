/* ec2_table.h - the inside of the EC2 model, shared by its files only.
 *
 * Invariants: an instance with id "" is free and not in the heap; pool and held
 * are set exactly while the instance counts in them; the heap key of a slot is
 * the earliest of the instance's times. */
#ifndef RC_EC2_TABLE_H
#define RC_EC2_TABLE_H

#include "simulator/model/model_ec2.h"
#include "simulator/model/sim_heap.h"
#include "simulator/model/sim_random.h"

enum { RC_SIM_CHANGES_MAX = 4096 };

struct rc_sim_pool {
    char subnet[RC_ID_LEN];
    char type[RC_TYPE_LEN]; /* "" = every type that has no row of its own */
    int32_t left;           /* -1 = no limit */
};

struct rc_sim_token {
    uint64_t hash; /* of token and zone, 0 = free */
    uint64_t parameters;
    uint64_t launch;
    char text[RC_TOKEN_LEN];
    char az[RC_AZ_LEN];
};

struct rc_sim_ec2 {
    struct rc_sim_ec2_config config;
    struct rc_sim_throttle throttle;
    struct rc_sim_random random;
    struct rc_sim_instance *instance; /* slots below end were used; the others hold no value */
    uint32_t end;
    struct rc_sim_heap due;
    struct rc_sim_token *token;
    uint32_t token_at; /* the next one to be overwritten */
    uint64_t launches;
    uint32_t subnet_count, pool_count, template_count, reservation_count;
    struct rc_sim_subnet subnet[RC_SIM_SUBNETS_MAX];
    uint64_t used[RC_SIM_SUBNETS_MAX][RC_SIM_SUBNET_SIZE / 64];
    uint32_t cursor[RC_SIM_SUBNETS_MAX];
    struct rc_sim_pool pool[RC_SIM_POOLS_MAX];
    struct rc_sim_template template[RC_SIM_TEMPLATES_MAX];
    struct rc_sim_reservation reservation[RC_SIM_RESERVATIONS_MAX];
    struct rc_sim_change *change;                    /* ring of RC_SIM_CHANGES_MAX */
    uint64_t change_first, change_end, changes_lost; /* running numbers into the ring */
    uint32_t free_hint;
};

int rc_sim_ec2_subnet_index(const struct rc_sim_ec2 *m, const char *id); /* -1 = none */
/* Sets the heap key from the instance's times. */
void rc_sim_ec2_rearm(struct rc_sim_ec2 *m, const struct rc_sim_instance *inst);
void rc_sim_ec2_note(struct rc_sim_ec2 *m, int64_t at_ms, enum rc_sim_change_kind kind,
                     const struct rc_sim_instance *inst);
int64_t rc_sim_ec2_delay(struct rc_sim_ec2 *m, int64_t base_ms);
/* Moves the life cycle; tells the change. */
void rc_sim_ec2_enter(struct rc_sim_ec2 *m, int64_t at_ms, struct rc_sim_instance *inst,
                      enum rc_instance_state state);
/* Capacity of one instance: taken at launch and start, given back later. */
enum rc_sim_ec2_code rc_sim_ec2_take(struct rc_sim_ec2 *m, struct rc_sim_instance *inst);
void rc_sim_ec2_give(struct rc_sim_ec2 *m, struct rc_sim_instance *inst);
/* The slot becomes free; address and capacity go back. */
void rc_sim_ec2_forget(struct rc_sim_ec2 *m, struct rc_sim_instance *inst);

#endif
