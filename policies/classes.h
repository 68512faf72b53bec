/* classes.h - what a class of a node's own fault means: one table for Xids, one for all
 * else. The agent (at first sight) and the daemon (the judgement) read the same rows.
 *
 * A class is spelt as reconciler/kernel/kernel_class.h and the agent's probes do. Pure. */
#ifndef RC_CLASSES_H
#define RC_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/policy.h"

/* What NVIDIA's catalogue wants at once. */
enum rc_xid_action {
    RC_XID_IGNORE,
    RC_XID_RESTART_APP,
    RC_XID_RESET_GPU,
    RC_XID_RESTART_VM,
    RC_XID_RESTART_BM,
    RC_XID_WORKFLOW, /* a flow of its own: 45, 48, 74 */
    RC_XID_CHECK_MECHANICALS,
    RC_XID_UPDATE_SWFW,
    RC_XID_CONTACT_SUPPORT,
    RC_XID_BY_TEXT, /* 154: the driver's own verdict stands in the line */
    RC_XID_ACTION__MAX
};
const char *rc_xid_action_name(enum rc_xid_action a); /* "RESET_GPU" */

enum { RC_BOARD_A = 1, RC_BOARD_H = 2, RC_BOARD_B = 4 }; /* A100, H100, B200 */

struct rc_xid_row {
    uint16_t xid;
    uint8_t boards; /* RC_BOARD_*: where the catalogue lists it; 0 = in old drivers only */
    uint8_t action; /* enum rc_xid_action */
    uint8_t fault;  /* enum rc_fault; NONE = it belongs to another one, or is a test */
    uint8_t drain;  /* 1 = the agent drains at first sight */
    uint8_t
        by_job; /* 1 = a program can cause it: seen on many nodes under one job, it is the job */
    const char *why; /* source, and why ours differs where it does */
};

/* NULL when the table does not have it. */
const struct rc_xid_row *rc_xid_find(uint32_t xid);
const struct rc_xid_row *rc_xid_rows(uint32_t *ret_count);

struct rc_class {
    enum rc_fault fault; /* NONE: it means nothing for the node */
    bool drain;          /* the agent drains at first sight */
    bool by_job;
    bool known;      /* false: an Xid or SXid that no row has; it gets the careful default */
    bool lasts;      /* a condition: it stands until taken back; else it fades with time */
    bool restart;    /* the machine is to be booted anew: a reset of the GPU is not enough */
    const char *why; /* static */
};

struct rc_class rc_class_of(const char *class_name);
/* A row names it, or it is an Xid or SXid. All else means nothing to rc_class_of(), as what the
 * kernel says beside a fault does: a person who wrote it meant another. */
bool rc_class_has_row(const char *class_name);

#endif
