/* replay_world_private.h - the inside of the obliging world, shared by its files. */
#ifndef RC_REPLAY_WORLD_PRIVATE_H
#define RC_REPLAY_WORLD_PRIVATE_H

#include "simulator/replay/replay_world.h"

/* How long things take here, in ms. */
enum {
    RW_STORE_MS = 20,
    RW_SLURM_MS = 50,
    RW_SHOW_MS = 1000, /* until a poll shows what changed */
    RW_EC2_MS = 500,
    RW_LAUNCH_MS = 2000,
    RW_BOOT_MS = 150000,
    RW_SLURMD_MS = 120000,      /* running and registered -> slurmd answers */
    RW_SPARE_SLURMD_MS = 10000, /* of a spare: it waits for its name only */
    RW_REBOOT_MS = 300000,
    RW_END_MS = 60000,
    RW_REGISTER_MS = 3000,
    RW_GATE_MS = 20000,
    RW_SILENT_MS = 180000, /* SlurmdTimeout */
    RW_SWEEP_MS = 30000,
    RW_SPOT_MS = 120000,
    RW_LISTED_MS = 3600000 /* a terminated instance stays listed so long */
};

struct rw_node {
    char name[RC_NODE_LEN];
    char addr[RC_ADDR_LEN];
    char reason[RC_TEXT_LEN];
    uint32_t owner;    /* enum rc_owner */
    uint32_t instance; /* 1-based, the one at addr; 0 = never used */
    bool drain, down, silent;
    int64_t boot_wall_ms, slurmd_wall_ms;
};

struct rw_instance {
    char id[RC_ID_LEN];
    char addr[RC_ADDR_LEN];
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char token[RC_TOKEN_LEN];
    char tag[RC_NODE_LEN]; /* node, or place of a spare, in its tags; "" = a stranger */
    uint32_t node;         /* 1-based; 0 = a stranger or a spare */
    uint32_t state;
    uint32_t incident, attempt;
    uint32_t system, instance; /* enum rc_check */
    uint32_t schedule;         /* enum rc_schedule */
    int64_t not_before_wall_ms;
    int64_t launched_wall_ms, ended_wall_ms;
    uint32_t faults; /* of a trace, open now: its gate refuses */
    uint32_t next;   /* in its bucket */
    bool news, status_news, told_absent;
    bool was_spare; /* it has booted long before it got its name */
};

enum rw_later_kind {
    RW_ANSWER, /* ev */
    RW_LOOKED, /* instance's rows, then ev */
    RW_SHOW,   /* node */
    RW_STATE,  /* instance; value = the state */
    RW_SLURMD, /* instance: its slurmd registers */
    RW_LOST,   /* node: silent for too long */
    RW_REBOOTED,
    RW_SWEEP,
    RW_MEND, /* instance: a fault of a trace is over */
};

struct rw_later {
    int64_t at_ms;
    uint64_t order;
    uint32_t kind, subject, value, pad_;
    struct rc_event *ev; /* owned; NULL but for answers */
};

struct rc_replay_world {
    const struct rc_cluster *cluster;
    rc_replay_give *give;
    void *arg;
    int64_t now_ms, wall_offset_ms;
    struct rw_node *node;
    uint32_t node_count, node_room, node_next; /* next: the first name not yet used */
    struct rw_instance *instance;
    uint32_t instance_count, instance_room, launched;
    uint32_t *bucket;
    uint32_t buckets;
    struct rw_later *later; /* heap by (at_ms, order) */
    uint32_t later_count, later_room;
    uint64_t order;
    bool is_watching; /* a sweep is planned */
};

/* replay_world.c; the core is told, so pointers into the tables do not outlive a call. */
void rc_rw_show_node(struct rc_replay_world *w, const struct rw_node *n);
void rc_rw_show_instance(struct rc_replay_world *w, struct rw_instance *i);
void rc_rw_show_status(struct rc_replay_world *w, struct rw_instance *i);
struct rw_later *rc_rw_later(struct rc_replay_world *w, int64_t in_ms, enum rw_later_kind kind,
                             uint32_t subject);
struct rw_instance *rc_rw_instance(struct rc_replay_world *w, const char *id); /* or NULL */
struct rw_instance *rc_rw_instance_add(struct rc_replay_world *w, const char *id, uint32_t node);
struct rw_node *rc_rw_node(struct rc_replay_world *w, const char *name); /* or NULL */
void rc_rw_turn(struct rc_replay_world *w, struct rw_instance *i, enum rc_instance_state state);
uint32_t rc_rw_number(const struct rc_replay_world *w, const struct rw_instance *i);
bool rc_rw_serves(const struct rc_replay_world *w, const struct rw_instance *i);

#endif
