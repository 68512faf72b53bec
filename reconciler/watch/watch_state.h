/* watch_state.h - what the agent knows about this boot, kept in a small file.
 *
 * Faults are counted per class and device, so that a storm is one entry. Faults of an
 * earlier boot are dropped when the file is read: what they said is of another kernel.
 * Pure but for load and save. */
#ifndef RC_WATCH_STATE_H
#define RC_WATCH_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"
#include "reconciler/kernel/kernel_class.h"
#include "reconciler/watch/probe.h"
#include "reconciler/watch/watch_verdict.h"

enum {
    RC_WATCH_FAULTS_MAX = 24,
    RC_WATCH_BOOT_LEN = 40,
    RC_WATCH_REASON_LEN = 160,
    RC_WATCH_EXTRA_LEN = 400,
};

struct rc_watch_fault {
    char class_name[RC_KERNEL_CLASS_LEN];
    char device[RC_KERNEL_DEVICE_LEN];
    uint32_t count;
    int64_t last_s;    /* Unix time of the last one */
    int64_t drained_s; /* when a drain for it was confirmed; 0 = not */
    uint64_t counted;  /* where the counter stood that a probe told of; 0 = it told of none */
    uint32_t job;  /* the Slurm job that was on the node at the last one; 0 = none, or not known */
    bool drain;    /* the node is guilty */
    bool wanted;   /* a drain for it is still to be made */
    bool stands;   /* a probe found it, and will find it over */
    bool unproved; /* it stood when the agent ended; no look has found it since */
};

struct rc_watch_state {
    char boot[RC_WATCH_BOOT_LEN];
    uint64_t seq; /* of the last kernel record that told of a fault, plus one; 0 = none */
    struct rc_watch_fault fault[RC_WATCH_FAULTS_MAX];
    uint32_t fault_count;
    uint32_t dropped;    /* kinds of fault beyond the table */
    struct rc_seen seen; /* of what the node has, the most in this boot */
    bool extra_wanted;
};

/* What was heard or found. */
struct rc_watch_news {
    const char *class_name;
    const char *device; /* "" = none */
    enum rc_verdict_of verdict;
    int64_t at_s;
    uint32_t job;
    bool stands;      /* a probe found it, and will find it over */
    uint64_t counted; /* where its counter stands; 0 = it has none */
};

/* Counts a fault. A counter that stands where it was told is no news, whoever took the node back
 * in between; one that has moved is. True: something is to be done about it now (it is new, or it
 * is back after its drain was confirmed some time ago); false: it is one more of a storm. */
bool rc_watch_note(struct rc_watch_state *s, const struct rc_watch_news *news);
/* A probe finds it no more: it is taken out of Extra. What waits for a drain stays. */
void rc_watch_over(struct rc_watch_state *s, const char *class_name, const char *device);
/* What stood when the agent ended and no look has found since is over. */
void rc_watch_drop_unproved(struct rc_watch_state *s);
/* Was the class noted for the device at or after this time? xid:154 counts as xid:154:gpu-reset. */
bool rc_watch_heard(const struct rc_watch_state *s, const char *class_name, const char *device,
                    int64_t since_s);
bool rc_watch_drain_wanted(const struct rc_watch_state *s);
/* All wanted drains are made: one drain covers the node. Extra is written anew: the Reason tells
 * one fault, may be somebody else's, and may be replaced. */
void rc_watch_drained(struct rc_watch_state *s, int64_t now_s);

/* The Reason of a drain,
 *     rc:0 <class>[ <device>] boot=<8 hex digits>[ job=<id>][ +<others>]
 * the marker of this project, with incident 0, which no incident has: the agent found it. */
void rc_watch_reason(const struct rc_watch_state *s, char buf[RC_WATCH_REASON_LEN]);
/* The node's Extra,
 *     rc:0 boot=<8 hex digits> <class>[@<device>]*<count>:<last, Unix s>[/<job>][!] …
 * all that was heard in this boot, as many as fit: first those that the node was drained for ("!"),
 * the latest first. */
void rc_watch_extra(const struct rc_watch_state *s, char buf[RC_WATCH_EXTRA_LEN]);

/* Was the node drained for it before, with the counter where it stands now? */
bool rc_watch_is_known(const struct rc_watch_state *s, const char *class_name, const char *device,
                       uint64_t counted);

/* Reads the file; a missing, broken or older boot's file gives an empty state of this boot. */
void rc_watch_load(struct rc_watch_state *s, const char *path, const char *boot);
/* Writes a new file and renames it over the old one. */
enum rc_err rc_watch_save(const struct rc_watch_state *s, const char *path, struct rc_error *e);

#endif
