/* controller.h - the two slurmctld controllers: what is known of them, and the one
 * fail-over that may be under way.
 *
 * slurmctld's own fail-over is off (it fences nobody), so the leader does it: detect ->
 * fence (prove the old primary dead) -> take over -> verify -> bring the lost one back.
 *
 * Invariant: slurmctld is made active on one controller only while the other one is
 * proved unable to write: its processes are gone and kept away on a host that answers,
 * or every instance that carries its name is seen stopped or terminated. A proof belongs
 * to one lease epoch, grows old, and is void as soon as any fact speaks against it.
 *
 * Facts of Slurm 22.05 and 24.11 that this rests on (measured): the first controller of
 * slurm.conf is active whenever it runs, so it is a cold backup; the others start as
 * standby and become active by a take-over request alone; a standby does not write. */
#ifndef RC_CONTROLLER_H
#define RC_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/limits.h"
#include "reconciler/core/node_history.h"

enum {
    RC_TAKEOVERS_MAX = RC_ATTEMPTS_MAX, /* as many as the store keeps of them */
    RC_REMAINS_MAX = 4,
    RC_PAIR_LOOK_MS = 500,
    RC_PARAGRAPH_LEN = 768
};

/* What one slurmctld answers to a direct question. X(enum, name, text) */
/* clang-format off */
#define RC_CTL_MODES(X) \
    X(RC_CTL_UNKNOWN,     "unknown",     "nobody could ask it") \
    X(RC_CTL_PRIMARY,     "primary",     "it serves") \
    X(RC_CTL_STANDBY,     "standby",     "it says that it is standby") \
    X(RC_CTL_SILENT,      "silent",      "it takes connections and does not answer") \
    X(RC_CTL_REFUSED,     "refused",     "nothing listens there") \
    X(RC_CTL_UNREACHABLE, "unreachable", "the host does not answer")

/* What the daemon on the same host sees of the process. */
#define RC_CTL_PROCESSES(X) \
    X(RC_PROC_UNKNOWN, "unknown", "not told") \
    X(RC_PROC_NONE,    "none",    "no process") \
    X(RC_PROC_RUNS,    "runs",    "a process") \
    X(RC_PROC_STOPPED, "stopped", "a process that is stopped by a signal or a debugger") \
    X(RC_PROC_STUCK,   "stuck",   "a process that hangs in the kernel: a signal does not end it")

/* The state directory as that host sees it. */
#define RC_CTL_DIRS(X) \
    X(RC_DIR_UNKNOWN,   "unknown",   "not told") \
    X(RC_DIR_OK,        "ok",        "takes a synced write") \
    X(RC_DIR_FULL,      "full",      "no space") \
    X(RC_DIR_READ_ONLY, "read-only", "takes no write") \
    X(RC_DIR_HANGS,     "hangs",     "a write does not come back") \
    X(RC_DIR_MISSING,   "missing",   "not there, or not mounted")

/* The fail-over's life; its rows are in controller_life.c. */
#define RC_FAILOVERS(X) \
    X(RC_FO_WATCH,    "watch",    "nothing") \
    X(RC_FO_SUSPECT,  "suspect",  "the silence to last as long as policy says") \
    X(RC_FO_FENCE,    "fence",    "the proof that the old one's process is gone") \
    X(RC_FO_STOP,     "stop",     "the old one's instance to be seen stopped") \
    X(RC_FO_TAKEOVER, "takeover", "the new one to be made active") \
    X(RC_FO_VERIFY,   "verify",   "the new one to serve")

#define RC_FO_CAUSES(X) \
    X(RC_CAUSE_NONE,      "none",      "none") \
    X(RC_CAUSE_GONE,      "gone",      "its slurmctld process is gone") \
    X(RC_CAUSE_SILENT,    "silent",    "it does not serve") \
    X(RC_CAUSE_AILING,    "ailing",    "its host cannot serve: state directory or munge") \
    X(RC_CAUSE_NOBODY,    "nobody",    "no controller is active") \
    X(RC_CAUSE_OPERATOR,  "operator",  "a person asked for it") \
    X(RC_CAUSE_SWAP_BACK, "swap-back", "policy wants the first controller back") \
    X(RC_CAUSE_TWO,       "two",       "two controllers say that they are primary")

/* What proves that the other one cannot write. */
#define RC_PROOFS(X) \
    X(RC_PROOF_NONE,    "none",    "nothing") \
    X(RC_PROOF_PROCESS, "process", "its process is gone on a host that answers") \
    X(RC_PROOF_STOPPED, "stopped", "its instance is stopped") \
    X(RC_PROOF_STANDBY, "standby", "it was standby, and only a take-over makes it more")

/* Why a fail-over does not go on; for people. */
#define RC_FO_BLOCKS(X) \
    X(RC_FOB_NONE,      "none",        "") \
    X(RC_FOB_OFF,       "off",         "policy: automatic fail-over is off") \
    X(RC_FOB_LIMIT,     "limit",       "too many fail-overs in a short time; a person must look") \
    X(RC_FOB_NO_BACKUP, "no-backup",   "the other controller cannot take over") \
    X(RC_FOB_UNFENCED,  "unfenced",    "the old primary cannot be proved dead") \
    X(RC_FOB_PAUSED,    "paused",      "the daemon is paused") \
    X(RC_FOB_WAIT,      "wait",        "waits before it is tried again")
/* clang-format on */

#define RC_CTL_ENUM(id, name, text) id,
enum rc_ctl_mode { RC_CTL_MODES(RC_CTL_ENUM) RC_CTL__MAX };
enum rc_ctl_process { RC_CTL_PROCESSES(RC_CTL_ENUM) RC_PROC__MAX };
enum rc_ctl_dir { RC_CTL_DIRS(RC_CTL_ENUM) RC_DIR__MAX };
enum rc_failover_phase { RC_FAILOVERS(RC_CTL_ENUM) RC_FO__MAX };
enum rc_failover_cause { RC_FO_CAUSES(RC_CTL_ENUM) RC_CAUSE__MAX };
enum rc_proof { RC_PROOFS(RC_CTL_ENUM) RC_PROOF__MAX };
enum rc_failover_block { RC_FO_BLOCKS(RC_CTL_ENUM) RC_FOB__MAX };
#undef RC_CTL_ENUM

/* A yes-or-no that may be unknown. */
enum rc_yes_no { RC_TOLD_NOT, RC_TOLD_NO, RC_TOLD_YES, RC_TOLD__MAX };

const char *rc_ctl_mode_name(uint32_t v);
const char *rc_ctl_process_name(uint32_t v);
const char *rc_ctl_dir_name(uint32_t v);
const char *rc_failover_phase_name(uint32_t v);
const char *rc_failover_waits_for(uint32_t v);
const char *rc_failover_cause_text(uint32_t v);
const char *rc_failover_block_text(uint32_t v);
const char *rc_proof_text(uint32_t v);

enum { RC_EYE_OWN, RC_EYE_PEER, RC_EYES };

/* One controller. Row i is SlurmctldHost number i of slurm.conf. */
struct rc_controller {
    char host[RC_NODE_LEN];
    char addr[RC_ADDR_LEN];
    char instance[RC_ID_LEN]; /* as its daemon told; "" = not known */
    uint32_t mode[RC_EYES];   /* enum rc_ctl_mode, as this daemon and its peer see it */
    int64_t mode_ms[RC_EYES]; /* since when; 0 = not known */
    uint32_t link;            /* enum rc_yes_no: the daemon on that host answers */
    uint32_t process;         /* enum rc_ctl_process, UNKNOWN while the link is down */
    uint32_t fenced;          /* enum rc_yes_no: slurmctld is kept from starting there */
    uint32_t dir;             /* enum rc_ctl_dir */
    uint32_t munge;           /* enum rc_yes_no: munged answers */
    uint32_t pid;
    int64_t lost_ms;   /* since when it does not serve; 0 = it serves, or nothing is known */
    int64_t ailing_ms; /* since when its host cannot serve well; 0 = not */
    int64_t link_ms;   /* since when link is as it is */
    int64_t fine_ms;   /* since when it could be active; 0 = it could not */
    int64_t next_ms;   /* recovery: no new try before */
    uint64_t action;   /* recovery's action in flight, 0 = none */
    uint32_t tries;    /* of the recovery, since it was last fine */
    uint32_t full;     /* its instance could not be started: no capacity in its zone */
    uint32_t told;     /* people know that it stays away */
};

struct rc_pair {
    uint32_t count;   /* controllers in the cluster file; 0 = fail-over is not ours */
    uint32_t primary; /* 1-based: who was seen serving last; 0 = nobody yet */
    int64_t primary_ms;
    int64_t epoch_ms;  /* since when we lead in this epoch */
    uint32_t phase;    /* enum rc_failover_phase */
    uint32_t cause;    /* enum rc_failover_cause */
    uint32_t from, to; /* 1-based; from is the one that must be dead */
    uint32_t block;    /* enum rc_failover_block; display only */
    uint32_t proof;    /* enum rc_proof, of `from` */
    int64_t phase_ms, begun_ms;
    int64_t next_try_ms;
    int64_t proof_ms;
    uint64_t proof_epoch;
    uint64_t action; /* in flight, 0 = none */
    uint32_t action_kind, retries;
    uint32_t accepted; /* 1 = the phase's action was accepted; its effect is awaited */
    uint32_t refused;  /* enum rc_err: why the fence was refused last, RC_OK = not yet */
    uint32_t dead_count;
    char dead[RC_REMAINS_MAX]
             [RC_ID_LEN]; /* instances of `from` that EC2 showed off in this phase */
    uint32_t told;        /* phases in which people were told, a bit each */
    uint32_t wanted;      /* 1-based: a person asked for it to be primary; 0 = nobody did */
    int64_t wanted_ms;
    int64_t wake_ms;                   /* the earliest time at which this must be looked at again */
    int64_t done_ms[RC_TAKEOVERS_MAX]; /* ring of fail-overs begun by ourselves */
    uint32_t done_count;
    uint32_t untouched; /* 1 = the newest of these is under way, and nothing was done by it yet */
    uint32_t looked;    /* of the id that was looked at last, a part of its hash */
    uint32_t asked;     /* how often, in this fail-over, the new one was asked to be active */
    int64_t patient_ms; /* until then it may load its state; longer each time */
    struct rc_controller c[RC_CONTROLLERS_MAX];
    struct rc_launch_plan plan[RC_CONTROLLERS_MAX]; /* how each is launched anew, once it is lost */
};

struct rc_state;
struct rc_actions;
struct rc_action;
struct rc_event;

/* controller.c: questions. Index is 0-based. */
bool rc_pair_serves(const struct rc_pair *p, uint32_t i);
/* Some eye knows that it does not serve. */
bool rc_pair_is_silent(const struct rc_pair *p, uint32_t i);
/* Could be made active now: its daemon or its slurmctld answers and its host is well. */
bool rc_pair_usable(const struct rc_state *s, uint32_t i);
/* Why it could not be made active now, for people; NULL when it could. */
const char *rc_pair_unusable_text(const struct rc_state *s, uint32_t i);
/* Its host can write the state and sign messages, as far as is known. */
bool rc_pair_well(const struct rc_pair *p, uint32_t i);
/* The last look: does what the own eye sees of it fit to the proof? A listener that takes
 * connections is a process, whatever its host or EC2 says. */
bool rc_pair_eye_agrees(const struct rc_pair *p, uint32_t i, uint32_t proof);
/* It says itself that it is standby, and has said so since we lead in this epoch: an answer
 * that this daemon slept on tells of a time in which another leader may have made it active. */
bool rc_pair_idle(const struct rc_pair *p, uint32_t i);
/* Is `from` unable to write, by a proof of this epoch that nothing speaks against? Asked
 * again by the executor right before slurmctld is made active elsewhere. */
bool rc_pair_proved(const struct rc_state *s);
/* The instances that carry a controller's name: first slot of their chain, 0 = none. */
uint32_t rc_pair_instances(const struct rc_state *s, uint32_t i);
/* 0-based, RC_CONTROLLERS_MAX when no controller has this name. */
uint32_t rc_pair_find(const struct rc_pair *p, const char *host);
/* Would a fail-over to `to` be begun if a person asked for it? Text says why not. */
bool rc_pair_may(const struct rc_state *s, uint32_t to, char *why, uint32_t room);
/* Too many fail-overs of our own within the policy's window. */
bool rc_pair_flaps(const struct rc_state *s);

/* fold: facts and time */
void rc_pair_configure(struct rc_state *s);
/* An eye has seen something else, first so long ago. */
void rc_pair_see(struct rc_state *s, uint32_t i, uint32_t eye, uint32_t mode, int64_t age_ms);
/* After a fact about controller i. */
void rc_pair_fold(struct rc_state *s, uint32_t i);
/* Its daemon answers: what stands for it now is what a lost one is launched instead of. */
void rc_pair_plan(struct rc_state *s, uint32_t i);
/* A notice says that an instance is off: no proof, but the time to look. */
void rc_pair_told_off(struct rc_state *s, uint32_t instance);
void rc_pair_forget_views(struct rc_state *s);
/* The lease came in another epoch, or is gone: what was under way is not ours any more. */
void rc_pair_forget_work(struct rc_state *s);
/* True when the completion was of the pair's. */
bool rc_pair_complete(struct rc_state *s, const struct rc_event *ev, uint32_t kind);

/* controller_decide.c, controller_recover.c, controller_note.c */
void rc_pair_decide(struct rc_state *s, struct rc_actions *out);
void rc_pair_recover(struct rc_state *s, struct rc_actions *out);
void rc_pair_note(struct rc_state *s, const struct rc_action *a);
int64_t rc_pair_wake(const struct rc_state *s);
/* Wakes decide at this core time. */
void rc_pair_wake_at(struct rc_pair *p, int64_t at_ms);
/* False: not yet, decide is woken then. */
bool rc_pair_is_time(struct rc_state *s, int64_t at_ms);
/* controller_stop.c: the next instance of `from` that is not proved off (slot, 0 = none);
 * ret_all: how many there are, 0 = they are not known. */
uint32_t rc_pair_next_living(const struct rc_state *s, uint32_t *ret_all);
/* None is listed: asks EC2 for the one that the daemon there named; false when it cannot be. */
bool rc_pair_look_for(struct rc_state *s, struct rc_actions *out);
/* Stops it, or looks whether it is off. */
void rc_pair_force_off(struct rc_state *s, struct rc_actions *out, uint32_t slot);
/* People are told of controller i, once until it is fine or serves again. */
void rc_pair_tell_once(struct rc_state *s, struct rc_actions *out, uint32_t i, const char *why);
/* An action on controller i without an incident, not yet sent. */
void rc_pair_act(const struct rc_state *s, struct rc_action *a, uint32_t kind, uint32_t i,
                 int64_t timeout_ms);

/* controller_life.c */
struct rc_failover_row {
    enum rc_failover_phase from, to;
    const char *why;
};
const struct rc_failover_row *rc_failover_rows(size_t *ret_count);
const struct rc_failover_row *rc_failover_row(enum rc_failover_phase from,
                                              enum rc_failover_phase to);

/* controller_text.c: what happened and what proved the old primary dead, in one paragraph. */
void rc_failover_paragraph(const struct rc_action *a, char *buf, uint32_t room);

#endif
