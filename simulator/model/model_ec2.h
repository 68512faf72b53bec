/* model_ec2.h - the part of EC2 that a cluster meets, as a pure model.
 *
 * Time is a parameter (now_ms, Unix milliseconds, never going back); chance
 * comes from the model's own seed; memory is taken once in rc_sim_ec2_new().
 * Nothing moves by itself: rc_sim_ec2_advance() makes due what is due, and
 * rc_sim_ec2_next_ms() tells when to come back. What changed is read from
 * rc_sim_ec2_next_change(), in order.
 *
 * Pointers to instances stay valid for the model's life; a slot is used again
 * once its terminated instance has vanished (about an hour, as in EC2).
 *
 * Facts: EC2 user guide (instance life cycle, "Ensuring idempotency", status
 * checks, scheduled events) and API reference (error codes, throttling). */
#ifndef RC_MODEL_EC2_H
#define RC_MODEL_EC2_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/event.h"
#include "simulator/model/ec2_codes.h"
#include "simulator/model/ec2_throttle.h"
#include "simulator/model/sim_heap.h" /* RC_SIM_NEVER */

enum {
    RC_SIM_TAGS_MAX = 10,
    RC_SIM_TAG_KEY_LEN = 64,
    RC_SIM_TAG_VALUE_LEN = 128,
    RC_SIM_SCHEDULED_MAX = 4,
    RC_SIM_SUBNETS_MAX = 32,
    RC_SIM_POOLS_MAX = 64,
    RC_SIM_TEMPLATES_MAX = 32,
    RC_SIM_RESERVATIONS_MAX = 16,
    RC_SIM_LAUNCH_MAX = 64,    /* instances of one RunInstances call */
    RC_SIM_SUBNET_SIZE = 16384 /* addresses of one subnet, 5 of them AWS's own */
};

#define RC_SIM_BLOCK_END_MS (30LL * 60 * 1000)

struct rc_sim_tag {
    char key[RC_SIM_TAG_KEY_LEN];
    char value[RC_SIM_TAG_VALUE_LEN];
};

/* How long each step takes; each is lengthened by up to jitter_permille. */
struct rc_sim_ec2_delays {
    int64_t visible_ms;      /* from launch until every describe shows it */
    int64_t launch_ms;       /* pending to running */
    int64_t boot_ms;         /* running to booted: sshd and slurmd can answer */
    int64_t initializing_ms; /* running until the status checks say ok */
    int64_t stop_ms;         /* stopping to stopped */
    int64_t terminate_ms;    /* shutting-down to terminated */
    int64_t reboot_ms;       /* reboot until booted again */
    int64_t release_ms;      /* stopped or terminated until its slot can be had again */
    int64_t vanish_ms;       /* terminated until it is not shown any more */
    uint32_t jitter_permille;
};

struct rc_sim_ec2_config {
    uint64_t seed;
    uint32_t instances_max; /* 1..1048576 */
    uint32_t tokens_max;    /* remembered client tokens, the oldest are forgotten */
    bool throttle;
    struct rc_sim_ec2_delays delays;
};

struct rc_sim_subnet {
    char id[RC_ID_LEN];
    char az[RC_AZ_LEN];
    uint32_t base; /* first address, host byte order */
    uint32_t size; /* addresses, RC_SIM_SUBNET_SIZE at most */
};

struct rc_sim_template {
    char id[RC_ID_LEN];
    char name[RC_CODE_LEN];
    char type[RC_TYPE_LEN];
    char image[RC_ID_LEN];
    char subnet[RC_ID_LEN]; /* "" = the caller must say */
    uint32_t version;
    bool latest, by_default;
};

struct rc_sim_reservation {
    char id[RC_ID_LEN];
    char type[RC_TYPE_LEN];
    char az[RC_AZ_LEN];
    uint32_t total, used;
    bool block;     /* Capacity Block: the launch must say so */
    int64_t end_ms; /* 0 = none; a block's instances end 30 minutes before */
};

/* RunInstances. Everything but the token is compared when the token is used again. */
struct rc_sim_launch {
    char token[RC_TOKEN_LEN];
    char template_id[RC_ID_LEN]; /* id or name */
    int32_t version;             /* > 0, 0 = default version, -1 = latest */
    char type[RC_TYPE_LEN];      /* "" = the template's */
    char image[RC_ID_LEN];
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char placement[RC_PLACEMENT_LEN];
    char reservation[RC_ID_LEN];
    bool block, spot, protect;
    uint32_t min, max;
    uint32_t tag_count;
    struct rc_sim_tag tag[RC_SIM_TAGS_MAX];
};

struct rc_sim_launched {
    uint64_t launch; /* number of the EC2 "reservation" r-… */
    bool again;      /* the token was known: the first result, as it is now */
    uint32_t count;
    struct rc_sim_instance *instance[RC_SIM_LAUNCH_MAX];
    char about[RC_CODE_LEN]; /* on error: the id or value meant */
};

enum rc_sim_check_kind {
    RC_SIM_CHECK_SYSTEM,
    RC_SIM_CHECK_INSTANCE,
    RC_SIM_CHECK_EBS,
    RC_SIM_CHECKS
};

struct rc_sim_check {
    enum rc_check status;
    int64_t impaired_since_ms;
};

enum rc_sim_scheduled_state {
    RC_SIM_SCHEDULED_NONE,
    RC_SIM_SCHEDULED_ACTIVE,
    RC_SIM_SCHEDULED_COMPLETED, /* stays listed for a week as "[Completed] …" */
    RC_SIM_SCHEDULED_CANCELED   /* likewise "[Canceled] …" */
};

struct rc_sim_scheduled {
    enum rc_sim_scheduled_state state;
    enum rc_schedule kind; /* STOP, RETIREMENT, REBOOT, MAINTENANCE */
    char id[RC_CODE_LEN];  /* instance-event-… */
    int64_t not_before_ms, not_after_ms, ended_ms;
};

struct rc_sim_instance {
    char id[RC_ID_LEN]; /* "" = free slot */
    char addr[RC_ADDR_LEN];
    char subnet[RC_ID_LEN];
    char az[RC_AZ_LEN];
    char type[RC_TYPE_LEN];
    char image[RC_ID_LEN];
    char template_id[RC_ID_LEN];
    char placement[RC_PLACEMENT_LEN];
    char reservation[RC_ID_LEN];
    char token[RC_TOKEN_LEN];
    char why[RC_CODE_LEN]; /* stateReason code, "" = none */
    uint64_t launch;
    uint32_t launch_index, template_version, boots;
    enum rc_instance_state state;
    bool booted; /* the operating system answers */
    bool protect, spot;
    int64_t launched_ms, running_ms, visible_ms, changed_ms;
    int64_t step_ms;    /* next life-cycle step, RC_SIM_NEVER = none */
    int64_t boot_ms;    /* boot complete, RC_SIM_NEVER = not booting */
    int64_t release_ms; /* its capacity becomes free, RC_SIM_NEVER = holds or has none */
    int64_t spot_ms;    /* interruption or end of the block, RC_SIM_NEVER = none to come */
    int32_t pool, held; /* capacity pool and reservation that it counts in, -1 = none */
    struct rc_sim_check check[RC_SIM_CHECKS];
    struct rc_sim_scheduled scheduled[RC_SIM_SCHEDULED_MAX];
    uint32_t tag_count;
    struct rc_sim_tag tag[RC_SIM_TAGS_MAX];
};

enum rc_sim_change_kind {
    RC_SIM_CHANGE_STATE, /* the life-cycle state: EC2 tells EventBridge */
    RC_SIM_CHANGE_UP,    /* booted: EC2 tells nobody */
    RC_SIM_CHANGE_DOWN   /* the operating system went away: nobody is told */
};

struct rc_sim_change {
    int64_t at_ms;
    enum rc_sim_change_kind kind;
    enum rc_instance_state state;
    uint32_t slot; /* rc_sim_ec2_at() */
    char id[RC_ID_LEN];
    char addr[RC_ADDR_LEN];
};

enum rc_sim_verb { RC_SIM_STOP, RC_SIM_START, RC_SIM_REBOOT, RC_SIM_TERMINATE };

struct rc_sim_ec2;

/* NULL: no memory. The delays may be changed later through rc_sim_ec2_delays(). */
struct rc_sim_ec2 *rc_sim_ec2_new(const struct rc_sim_ec2_config *config, int64_t now_ms);
void rc_sim_ec2_free(struct rc_sim_ec2 *m);
struct rc_sim_ec2_delays *rc_sim_ec2_delays(struct rc_sim_ec2 *m);
struct rc_sim_throttle *rc_sim_ec2_throttle(struct rc_sim_ec2 *m);

/* The account's things; false when the table is full or the value impossible. */
bool rc_sim_ec2_add_subnet(struct rc_sim_ec2 *m, const struct rc_sim_subnet *subnet);
bool rc_sim_ec2_add_template(struct rc_sim_ec2 *m, const struct rc_sim_template *row);
bool rc_sim_ec2_add_reservation(struct rc_sim_ec2 *m, const struct rc_sim_reservation *row);
/* Instances of this type that can still be launched in this subnet; type "" = any type;
 * -1 = as many as wanted (also where nothing was ever said). */
bool rc_sim_ec2_set_capacity(struct rc_sim_ec2 *m, const char *subnet, const char *type,
                             int32_t left);
const struct rc_sim_subnet *rc_sim_ec2_subnet(const struct rc_sim_ec2 *m, uint32_t i);
uint32_t rc_sim_ec2_free_addresses(const struct rc_sim_ec2 *m, uint32_t subnet);
const struct rc_sim_template *rc_sim_ec2_template(const struct rc_sim_ec2 *m, uint32_t i);
const struct rc_sim_reservation *rc_sim_ec2_reservation(const struct rc_sim_ec2 *m, uint32_t i);

/* An instance that is there from the start: running and booted long ago, at this
 * address ("" = any). NULL when address, subnet or table do not allow it. */
struct rc_sim_instance *rc_sim_ec2_place(struct rc_sim_ec2 *m, int64_t now_ms,
                                         const struct rc_sim_launch *like, const char *addr);

/* The API. Nothing is done unless the answer is RC_SIM_EC2_OK. */
enum rc_sim_ec2_code rc_sim_ec2_run(struct rc_sim_ec2 *m, int64_t now_ms,
                                    const struct rc_sim_launch *launch,
                                    struct rc_sim_launched *ret);
/* Would the verb be taken now? No effect: callers check all ids of a call first. */
enum rc_sim_ec2_code rc_sim_ec2_may(const struct rc_sim_instance *inst, enum rc_sim_verb verb);
enum rc_sim_ec2_code rc_sim_ec2_do(struct rc_sim_ec2 *m, int64_t now_ms,
                                   struct rc_sim_instance *inst, enum rc_sim_verb verb);
enum rc_sim_ec2_code rc_sim_ec2_tag(struct rc_sim_instance *inst, const char *key,
                                    const char *value);
void rc_sim_ec2_untag(struct rc_sim_instance *inst, const char *key);
const char *rc_sim_ec2_tag_value(const struct rc_sim_instance *inst, const char *key); /* or NULL */

/* By id as the API shows it: NULL when unknown, or not visible yet. */
struct rc_sim_instance *rc_sim_ec2_find(struct rc_sim_ec2 *m, int64_t now_ms, const char *id);
/* Slot by slot (0 .. rc_sim_ec2_slots() - 1); NULL when free. */
struct rc_sim_instance *rc_sim_ec2_at(struct rc_sim_ec2 *m, uint32_t slot);
uint32_t rc_sim_ec2_slots(const struct rc_sim_ec2 *m); /* those above were never used */
uint32_t rc_sim_ec2_slot(const struct rc_sim_ec2 *m, const struct rc_sim_instance *inst);

/* What happens to instances from outside. */
void rc_sim_ec2_kill(struct rc_sim_ec2 *m, int64_t now_ms, struct rc_sim_instance *inst,
                     const char *why); /* terminates whatever the protection says */
void rc_sim_ec2_spot(struct rc_sim_ec2 *m, struct rc_sim_instance *inst, int64_t at_ms);
/* A failing check heals by what heals it in EC2: system by stop and start, instance
 * by that or a reboot, ebs by nothing but being set. */
void rc_sim_ec2_impair(struct rc_sim_instance *inst, int64_t now_ms, enum rc_sim_check_kind which,
                       enum rc_check status);
/* The window opens at not_before_ms: stop and retirement stop the instance, reboot reboots
 * it, the rest only completes. NULL when the instance has too many. */
const struct rc_sim_scheduled *rc_sim_ec2_schedule(struct rc_sim_ec2 *m,
                                                   struct rc_sim_instance *inst,
                                                   enum rc_schedule kind, int64_t not_before_ms,
                                                   int64_t not_after_ms);

void rc_sim_ec2_advance(struct rc_sim_ec2 *m, int64_t now_ms);
int64_t rc_sim_ec2_next_ms(const struct rc_sim_ec2 *m);
/* False: no more. When the caller does not read them, the oldest are forgotten and counted. */
bool rc_sim_ec2_next_change(struct rc_sim_ec2 *m, struct rc_sim_change *ret);
uint64_t rc_sim_ec2_changes_lost(const struct rc_sim_ec2 *m);
uint64_t rc_sim_ec2_hash(const struct rc_sim_ec2 *m);

#endif
