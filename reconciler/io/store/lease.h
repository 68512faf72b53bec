/* lease.h - the right to act: one record, one owner at a time, an epoch that
 * only grows.
 *
 * The interface; lease_file.h is the one-machine form, the DynamoDB form has the
 * same shape. Every call answers through its callback, never before the call has
 * returned, and exactly once (RC_E_CANCELLED when the lease is freed first). One
 * call at a time: a second one while the first runs is refused with RC_E_STATE.
 *
 * Time: until_ms is read on the lease's own clock (see the options of the form)
 * from before the request was sent, so it errs on the safe side. Whether a
 * holder is alive is judged by this observer's clock alone: the record has to
 * stand unchanged for its term and the grace before it may be taken. Clocks of
 * two machines are never compared. */
#ifndef RC_LEASE_H
#define RC_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/limits.h"
#include "reconciler/io/fail.h"

enum { RC_LEASE_HOLDER_LEN = 96 };

struct rc_lease_info {
    char owner[RC_NODE_LEN]; /* who holds it or held it last */
    uint64_t epoch;          /* grows by one with every acquisition */
    int64_t term_ms;         /* an unrenewed lease ends after this */
    int64_t
        since_wall_ms; /* when it was acquired, by its owner's clock: for people; 0 = not told */
    uint64_t renewal;  /* changes with every write of the record */
    bool held;         /* false: yielded, free to take */
    bool mine;         /* held by this lease object, this acquisition, and not run out */
    int64_t until_ms;  /* mine: no request may be sent later than this less a margin */
    int64_t takeable_at_ms; /* not mine: earliest time at which acquire can succeed */
};

/* info is borrowed and valid on RC_OK and RC_E_CONDITION; err is borrowed. */
typedef void(rc_lease_fn)(void *arg, enum rc_err code, const struct rc_lease_info *info,
                          const struct rc_error *err);

/* Calls of every form:
 * acquire: RC_OK: ours, in a new epoch. RC_E_CONDITION: somebody else's, see info.
 *          RC_E_PARSE: the record is rubbish; RC_E_FOREIGN: it is another cluster's;
 *          RC_E_INVALID: its epoch is behind what was seen: nobody acts until a person
 *          has looked. RC_E_IO, RC_E_DISK, RC_E_TIMEOUT, RC_E_DENIED: cannot ask.
 * renew:   RC_OK: until_ms has moved. RC_E_NO_LEASE: not ours any more, or it ran out
 *          before this call; acquire again (a new epoch). Others: could not ask; the
 *          lease still ends at the until_ms known before.
 * yield:   gives it back at once, for an orderly hand-over. RC_E_NO_LEASE: not ours.
 * observe: reads it; renews nothing, and mine only while the record is as we wrote it last.
 *          RC_E_NOT_FOUND: no record yet. */
struct rc_lease;
struct rc_lease_ops {
    enum rc_err (*acquire)(struct rc_lease *l, rc_lease_fn *cb, void *arg);
    enum rc_err (*renew)(struct rc_lease *l, rc_lease_fn *cb, void *arg);
    enum rc_err (*yield)(struct rc_lease *l, rc_lease_fn *cb, void *arg);
    enum rc_err (*observe)(struct rc_lease *l, rc_lease_fn *cb, void *arg);
    void (*free)(struct rc_lease *l);
};

/* First member of every form. */
struct rc_lease {
    const struct rc_lease_ops *ops;
};

/* On an error that is returned, cb is not called. */
static inline enum rc_err
rc_lease_acquire(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return l->ops->acquire(l, cb, arg);
}

static inline enum rc_err
rc_lease_renew(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return l->ops->renew(l, cb, arg);
}

static inline enum rc_err
rc_lease_yield(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return l->ops->yield(l, cb, arg);
}

static inline enum rc_err
rc_lease_observe(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return l->ops->observe(l, cb, arg);
}

/* Does not yield. NULL is fine. */
static inline void
rc_lease_free(struct rc_lease *l)
{
    if (l) {
        l->ops->free(l);
    }
}

#endif
