/* lead_private.h - what lead.c and lead_yield.c share. */
#ifndef RC_LEAD_PRIVATE_H
#define RC_LEAD_PRIVATE_H

#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/loop.h"

enum yield_stage { NOT_YIELDING, PAIR_ENDS, STORE_ENDS, CORE_ENDS, LEASE_ENDS };

struct rc_lead {
    struct rc_daemon *d;
    struct rc_lease_info seen; /* last good answer */
    int64_t seen_ms;           /* core time of it; -1 = none yet */
    struct rc_error error;     /* last trouble; text "" = well */
    int64_t told_ms;           /* when that was logged */
    uint64_t unread_epoch;     /* ours, but the store is not read yet; 0 = none */
    int64_t unread_since_ms;
    struct event *keep_timer; /* renews while it is read: that may take longer than the term */
    int64_t kept_until_ms;    /* core time; 0 = not renewed since */
    int64_t not_before_ms;    /* left to the other one until then … */
    uint64_t left_epoch;      /* … or until it has led after this epoch */
    int store_busy;
    enum yield_stage stage;
    struct event *yield_timer;
    rc_lead_yield_fn *yield_done;
    void *yield_arg;
};

/* Told when it is new, and again each minute. */
void rc_lead_note_trouble(struct rc_lead *l, const char *part, const struct rc_error *err);
void rc_lead_note_seen(struct rc_lead *l, const struct rc_lease_info *info);

/* lead_yield.c */
void rc_lead_on_yield_timer(evutil_socket_t fd, short what, void *arg);

#endif
