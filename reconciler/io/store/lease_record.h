/* lease_record.h - the lease's record as JSON text, and one observer's judgement
 * of it. Every form of the lease uses both.
 *
 * {"version":1,"cluster":"c","owner":"ctl-1","epoch":7,"renewal":42,"term_ms":10000,"held":true,
 *  "since_ms":1795415800123,"holder":"…"} */
#ifndef RC_LEASE_RECORD_H
#define RC_LEASE_RECORD_H

#include <stddef.h>

#include "reconciler/io/store/lease.h"

enum {
    RC_LEASE_VERSION = 1,
    RC_LEASE_TERM_MS_MAX = 24 * 3600 * 1000,
    RC_LEASE_EPOCH_MAX = 1000 * 1000 * 1000, /* a take-over each second for thirty years */
    RC_LEASE_EPOCHS_AT_ONCE = 20             /* as much may be missed between two looks */
};

struct rc_lease_record {
    char owner[RC_NODE_LEN];
    uint64_t epoch;
    uint64_t renewal;
    int64_t term_ms;
    int64_t since_wall_ms; /* 0 = not told */
    bool held;
    char holder[RC_LEASE_HOLDER_LEN];
};

/* malloc'd text, or NULL when memory is out. */
char *rc_lease_record_format(const char *cluster, const struct rc_lease_record *r);
/* RC_E_PARSE: rubbish; RC_E_FOREIGN: another cluster's. what names it in messages. */
enum rc_err rc_lease_record_parse(const char *what, const char *cluster, const char *text,
                                  size_t len, struct rc_lease_record *ret,
                                  struct rc_error *ret_err);

/* What this observer has seen; zeroed at first. */
struct rc_lease_watch {
    struct rc_lease_record seen;
    int64_t since_ms; /* when it first saw this very record, by its own clock */
    bool has_seen;
};

/* Notes what was read at now_ms. RC_E_INVALID: the epoch went back, or further than take-overs
 * can bring it: somebody typed it. record=NULL: there is none; RC_E_INVALID when there was one
 * before. */
enum rc_err rc_lease_watch_see(struct rc_lease_watch *w, const struct rc_lease_record *record,
                               int64_t now_ms, struct rc_error *ret_err);
/* Makes it the record of a new epoch of this holder, from now on. RC_E_INVALID: there is no
 * epoch after it, and what comes before it is fenced off already. */
enum rc_err rc_lease_record_take(struct rc_lease_record *r, const char *owner, const char *holder,
                                 int64_t term_ms, struct rc_error *ret_err);
/* The renewal after this one: only that it is another counts, so after the last that can be read
 * comes the first. */
uint64_t rc_lease_next_renewal(uint64_t renewal);
/* Is the record of a former life of this very holder? "" is nobody. */
bool rc_lease_record_is_of(const struct rc_lease_record *r, const char *owner, const char *holder);
/* Is what stands there, and is held, what was written last? */
bool rc_lease_record_stands(const struct rc_lease_record *mine, const struct rc_lease_record *r);
/* Earliest time at which the record that was seen may be taken from its holder. */
int64_t rc_lease_watch_takeable_at_ms(const struct rc_lease_watch *w, int64_t grace_ms);
/* What an answer tells. until_ms: of our own lease. */
void rc_lease_watch_tell(const struct rc_lease_watch *w, bool is_mine, int64_t until_ms,
                         int64_t grace_ms, struct rc_lease_info *ret);

/* RC_E_INVALID, told: a term, a grace or a name that no form of the lease takes. holder may
 * be NULL. */
enum rc_err rc_lease_options_check(int64_t term_ms, int64_t grace_ms, const char *owner,
                                   const char *holder, struct rc_error *ret_err);
/* CLOCK_BOOTTIME: the lease's own clock where the caller gives none. */
int64_t rc_lease_boot_ms(void *unused);

#endif
