/* scenario_world.h - the small friendly world around the core of a story: EC2,
 * slurmctld, the nodes' slurmd, jobs, the incident store and the lease. Inner header.
 *
 * It answers every action in a fixed time and does what was asked, unless the story
 * told it to fail. It has no chance and no clock of its own: what comes later stands
 * in one list, ordered by time and then by when it was put there. */
#ifndef RC_SCENARIO_WORLD_H
#define RC_SCENARIO_WORLD_H

#include <stdio.h>

#include "reconciler/core/state.h"
#include "simulator/scenario/scenario_story.h"

/* How long things take here, in ms. Near to what is seen in practice, and round. */
enum {
    SCEN_STORE_MS = 20,
    SCEN_SLURM_MS = 50,        /* slurmctld accepts a write */
    SCEN_SLURM_SHOW_MS = 1000, /* until a poll shows what changed */
    SCEN_EC2_MS = 500,
    SCEN_LAUNCH_MS = 2000,
    SCEN_BOOT_MS = 60000,   /* pending -> running */
    SCEN_SLURMD_MS = 90000, /* running and admitted -> slurmd registers */
    SCEN_SPARE_SLURMD_MS = 10000,
    SCEN_REBOOT_MS = 180000,
    SCEN_END_MS = 60000, /* stopping -> stopped, shutting-down -> terminated */
    SCEN_REGISTER_MS = 3000,
    SCEN_GATE_MS = 5000,
    SCEN_SLURMD_TIMEOUT_MS = 300000, /* slurmctld gives a silent node up: DOWN */
    SCEN_COMPLETING_MS = 10000,
    SCEN_LISTED_MS = 3600000, /* terminated instances stay listed so long */
    SCEN_SWEEP_MS = 30000,
    SCEN_STATUS_MS = 60000,
    SCEN_VISIBILITY_MS = 30000,     /* a message that was not deleted comes again */
    SCEN_HELPER_TIMEOUT_MS = 10000, /* slurmctld away: the helper gives up */
};

struct rc_scen_node {
    char name[RC_NODE_LEN];
    char addr[RC_ADDR_LEN]; /* NodeAddr in slurm.conf */
    char reason[RC_TEXT_LEN];
    uint32_t owner; /* enum rc_owner */
    bool drain, down, silent, completing, maint;
    unsigned job;                             /* number of the job that runs on it, 0 = none */
    uint32_t excluder[RC_NODE_EXCLUDERS_MAX]; /* waiting jobs whose owners excluded it */
    int64_t boot_ms, slurmd_ms;               /* wall clock */
    struct rc_ev_node_faults agent;           /* what its agent tells of this boot */
    unsigned boots;
    bool agent_news;
    char shown[RC_TEXT_LEN * 2]; /* last line printed of it */
};

struct rc_scen_instance {
    char id[RC_ID_LEN], node[RC_NODE_LEN], addr[RC_ADDR_LEN], subnet[RC_ID_LEN];
    char token[RC_TOKEN_LEN];
    uint32_t state; /* enum rc_instance_state */
    uint32_t incident, attempt;
    uint32_t check[3];                      /* system, instance, ebs */
    uint32_t schedule;                      /* enum rc_schedule */
    int64_t not_before_ms;                  /* wall clock */
    int64_t launched_ms, ended_ms;          /* wall clock */
    int64_t boot_takes_ms, slurmd_takes_ms; /* RC_NEVER = does not happen */
    bool hidden, unlisted, news, status_news, foreign;
    char host[RC_ID_LEN]; /* whose GPUs these are; its own unless the story says another's */
};

enum rc_scen_later_kind {
    SCEN_COMPLETE, /* deliver ev; forgotten when the daemon ends */
    SCEN_SHOW_NODE,
    SCEN_INSTANCE_STATE, /* value = the state, if it is still on the way there */
    SCEN_SLURMD_UP,
    SCEN_SLURMD_LOST,
    SCEN_REBOOTED,
    SCEN_JOB_END, /* value = job */
    SCEN_COMPLETED,
    SCEN_SWEEP,
    SCEN_STATUS_SWEEP,
    SCEN_REDELIVER,
    SCEN_LOOKED, /* rows of an instance, then ev */
    SCEN_HEADS,  /* of the two controllers; scenario_pair.c knows what value says */
};

/* The host of a controller and its slurmctld: the truth. */
struct rc_scen_head {
    char name[RC_NODE_LEN], addr[RC_ADDR_LEN], instance[RC_ID_LEN];
    uint32_t process; /* enum rc_ctl_process */
    uint32_t dir;     /* enum rc_ctl_dir */
    uint32_t asked;   /* number of the request to become active, 0 = none */
    bool up, active, fenced, allowed, munge_dead;
    int64_t since_ms; /* the process is as it is */
    int64_t down_ms;  /* the host died */
};

struct rc_scen_later {
    int64_t at_ms;
    uint64_t order;
    uint32_t kind, subject, value;
    struct rc_event ev;
};

/* What the story told the world to do with the next actions of a kind. */
struct rc_scen_fault {
    uint32_t kind;    /* enum rc_action_kind */
    uint32_t error;   /* enum rc_err; RC_OK with lost or takes_ms */
    unsigned times;   /* left */
    bool lost;        /* done, but the answer never comes */
    int64_t takes_ms; /* 0 = as usual */
};

/* A message that the queue holds until it is deleted. */
struct rc_scen_message {
    uint64_t msg; /* number of its last delivery */
    bool deleted;
    uint32_t verdict;
    uint64_t id_hash;
    struct rc_event ev;
};

/* The incident store: what the last write that was answered well left there. */
struct rc_scen_past { /* a history item */
    char node[RC_NODE_LEN];
    struct rc_history history;
};

struct rc_scen_item {
    uint32_t incident;
    char node[RC_NODE_LEN];
    struct rc_act_incident item;
};

enum {
    SCEN_NODES_MAX = 512,
    SCEN_INSTANCES_MAX = 1024,
    SCEN_LATER_MAX = 8192,
    SCEN_FAULTS_MAX = 16,
    SCEN_MESSAGES_MAX = 512,
    SCEN_ITEMS_MAX = 512
};

struct rc_scen_journal;

struct rc_scen_run {
    struct rc_scen_story story;
    struct rc_policy policy;
    struct rc_state *s;
    struct rc_actions out;
    int64_t now_ms; /* core time */
    int64_t begin_ms;
    uint64_t order, msg;
    unsigned job, launched, steps_here;
    bool silent; /* setting up: nothing is printed */
    bool slurm_away, ec2_away, lease_lost;
    int64_t lease_free_ms; /* another daemon's lease runs until then */
    uint64_t epoch;
    bool adopt; /* read the store with the next lease */
    struct rc_scen_node node[SCEN_NODES_MAX];
    unsigned node_count;
    struct rc_scen_instance instance[SCEN_INSTANCES_MAX];
    unsigned instance_count;
    struct rc_scen_later later[SCEN_LATER_MAX];
    unsigned later_count;
    struct rc_scen_fault fault[SCEN_FAULTS_MAX];
    unsigned fault_count;
    struct rc_scen_message message[SCEN_MESSAGES_MAX];
    unsigned message_count;
    struct rc_scen_item item[SCEN_ITEMS_MAX];
    unsigned item_count;
    struct rc_scen_past past[1 + SCEN_NODES_MAX];
    unsigned past_count;
    struct rc_scen_head head[RC_CONTROLLERS_MAX];
    unsigned head_count; /* 0 = the story has no controllers */
    uint32_t self;       /* the controller whose daemon is played: it leads */
    bool heads_cut;      /* they do not reach each other */
    int64_t cut_ms;      /* since when it is as it is */
    uint32_t head_asked, writers_now, writers_most;
    uint32_t head_mode[RC_EYES][RC_CONTROLLERS_MAX]; /* as shown to the core: mode + 1 */
    uint64_t heads_epoch;                            /* in which they were shown */
    struct rc_ev_controller_host head_host[RC_CONTROLLERS_MAX];
    uint32_t breaker_open;                /* as it was shown last */
    uint32_t pair_block;                  /* last reason shown for holding a fail-over back */
    int64_t next_boot_ms, next_slurmd_ms; /* of the next launches, 0 = as usual */
    unsigned next_launches;
    char next_host[RC_ID_LEN];      /* the next launch lands there, "" = on a new one */
    uint32_t block[SCEN_NODES_MAX]; /* last reason shown for holding back, by node */
    unsigned count[RC_ACTION__MAX], killed;
    struct rc_scen_journal *journal;
    FILE *out_text;
    struct rc_error error; /* code not RC_OK: the run is over */
};

/* scenario_world.c */
void rc_scen_world_begin(struct rc_scen_run *r);
void rc_scen_world_act(struct rc_scen_run *r, const struct rc_action *a);
void rc_scen_world_happen(struct rc_scen_run *r, const struct rc_scen_later *l);
/* Everything anew, as a daemon that just started reads it. */
void rc_scen_world_show_all(struct rc_scen_run *r);
struct rc_scen_node *rc_scen_node_named(struct rc_scen_run *r, const char *name);
struct rc_scen_instance *rc_scen_instance_named(struct rc_scen_run *r, const char *id);
void rc_scen_later_add(struct rc_scen_run *r, int64_t in_ms, enum rc_scen_later_kind kind,
                       uint32_t subject, uint32_t value);
void rc_scen_show_node_later(struct rc_scen_run *r, const struct rc_scen_node *n, int64_t in_ms);
void rc_scen_instance_turn(struct rc_scen_run *r, struct rc_scen_instance *i,
                           enum rc_instance_state state);
void rc_scen_job_end(struct rc_scen_run *r, unsigned job);
void rc_scen_slurmd_lost_later(struct rc_scen_run *r, struct rc_scen_node *n);
void rc_scen_slurmd_up(struct rc_scen_run *r, struct rc_scen_node *n);
int64_t rc_scen_wall_ms(const struct rc_scen_run *r);
/* slurmctld answers nobody, or answers again. */
void rc_scen_slurm_away(struct rc_scen_run *r, bool is_away);
/* One that runs from the beginning. */
struct rc_scen_instance *rc_scen_instance_begin(struct rc_scen_run *r, const char *id,
                                                const char *node, const char *addr);
/* scenario_pair.c: the two controllers */
void rc_scen_heads_begin(struct rc_scen_run *r);
void rc_scen_heads_show(struct rc_scen_run *r); /* to a daemon that just started */
void rc_scen_heads_happen(struct rc_scen_run *r, const struct rc_scen_later *l);
void rc_scen_heads_show_end(struct rc_scen_run *r);
bool rc_scen_is_head(const struct rc_scen_run *r, const char *name);
void rc_scen_head_power(struct rc_scen_run *r, const struct rc_scen_instance *inst);
enum rc_err rc_scen_head_address(struct rc_scen_run *r, const struct rc_action *a);
/* fence, start, take over; ret_ms: when the answer comes */
void rc_scen_heads_ask_standby(struct rc_scen_run *r, const struct rc_action *a); /* FAILOVER */
enum rc_err rc_scen_head_act(struct rc_scen_run *r, const struct rc_action *a, int64_t *ret_ms);
/* Lines of the story; false: not one of them. v: "slurmctld|state-dir|munge|host HEAD WHAT" */
bool rc_scen_tell_head(struct rc_scen_run *r, char *const *v);
bool rc_scen_tell_heads_cut(struct rc_scen_run *r, bool cut);
bool rc_scen_tell_failover(struct rc_scen_run *r, const char *to);
/* scenario_tell.c: lines of the story that are no events */
bool rc_scen_tell(struct rc_scen_run *r, const struct rc_scen_words *w, char *why, size_t room);
/* scenario_agent.c: "agent …" lines, and what they lead to */
bool rc_scen_agent(struct rc_scen_run *r, char *const *v, unsigned count, char *why, size_t room);
void rc_scen_agent_boots(struct rc_scen_node *n);
void rc_scen_agent_show(struct rc_scen_run *r, struct rc_scen_node *n);
/* scenario_events.c: "event …" and "message …" lines; redelivery */
bool rc_scen_line_event(struct rc_scen_run *r, const char *text, char *why, size_t room);
bool rc_scen_line_message(struct rc_scen_run *r, const char *text, char *why, size_t room);
void rc_scen_deliver_message(struct rc_scen_run *r, unsigned at);
/* scenario_play.c */
void rc_scen_give(struct rc_scen_run *r, struct rc_event *ev); /* stamps, steps, executes */
void rc_scen_daemon_end(struct rc_scen_run *r, bool keep_journal);
bool rc_scen_journal_wanted(const struct rc_scen_run *r);
/* scenario_show.c */
void rc_scen_show_action(struct rc_scen_run *r, const struct rc_action *a);
void rc_scen_show_blocks(struct rc_scen_run *r);
void rc_scen_show_end(struct rc_scen_run *r);
void rc_scen_say(struct rc_scen_run *r, char mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
