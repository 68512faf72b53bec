/* incident_store.h - what a successor needs: one item for each open incident,
 * one history item for each node.
 *
 * The interface; incident_file.h is the one-machine form, the DynamoDB form has
 * the same shape. Every write carries the lease epoch of its writer and is
 * refused (RC_E_CONDITION) when a later epoch has written or listed. Every call
 * answers through its callback, never before the call has returned, and exactly
 * once (RC_E_CANCELLED when the store is freed first). Any number of calls may
 * be under way; those about one incident or node take effect in their order. */
#ifndef RC_INCIDENT_STORE_H
#define RC_INCIDENT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/action.h"
#include "reconciler/io/fail.h"

enum { RC_HISTORY_MAX = 16384 }; /* bytes of one node's history */

/* One open incident. Copied by put. */
struct rc_incident_item {
    uint32_t incident; /* > 0 */
    uint32_t pad_;
    char node[RC_NODE_LEN];
    struct rc_act_incident item; /* item.epoch: the writer's; item.close: not used here */
};

/* The history of no node: the cluster's own (paused, breaker). */
#define RC_HISTORY_CLUSTER "@cluster"

/* One node's history: attempts, repeats, known bad serials; a JSON object whose
 * members are its writer's business (numbers of at most 15 digits come back exactly). */
struct rc_history_item {
    char node[RC_NODE_LEN];
    uint64_t epoch;
    const char *json; /* NUL after it */
    size_t json_len;
};

/* err is borrowed. */
typedef void(rc_store_fn)(void *arg, enum rc_err code, const struct rc_error *err);

/* All items, by incident number and by node name; borrowed for the call. On an
 * error there are none: an item that cannot be read, or of another cluster,
 * fails the whole list, because a successor that misses an incident would act
 * on missing knowledge. err then names the item and what was expected. */
struct rc_store_items {
    const struct rc_incident_item *incidents;
    size_t incident_count;
    const struct rc_history_item *histories;
    size_t history_count;
};
typedef void(rc_store_list_fn)(void *arg, enum rc_err code, const struct rc_store_items *items,
                               const struct rc_error *err);

/* Calls of every form:
 * put:         writes the item. RC_E_CONDITION: a later epoch was there.
 * remove:      deletes it; one that is not there is RC_OK.
 * put_history: as put; json must be an object of at most RC_HISTORY_MAX bytes.
 * list:        for the take-over: from now on only epoch and later ones may write.
 *              RC_E_CONDITION: a later epoch was there. epoch 0 only looks. */
struct rc_incident_store;
struct rc_incident_store_ops {
    enum rc_err (*put)(struct rc_incident_store *s, const struct rc_incident_item *item,
                       rc_store_fn *cb, void *arg);
    enum rc_err (*remove)(struct rc_incident_store *s, uint32_t incident, uint64_t epoch,
                          rc_store_fn *cb, void *arg);
    enum rc_err (*put_history)(struct rc_incident_store *s, const struct rc_history_item *item,
                               rc_store_fn *cb, void *arg);
    enum rc_err (*list)(struct rc_incident_store *s, uint64_t epoch, rc_store_list_fn *cb,
                        void *arg);
    void (*free)(struct rc_incident_store *s);
};

/* First member of every form. */
struct rc_incident_store {
    const struct rc_incident_store_ops *ops;
};

/* On an error that is returned (RC_E_INVALID: the arguments), cb is not called. */
static inline enum rc_err
rc_incident_put(struct rc_incident_store *s, const struct rc_incident_item *item, rc_store_fn *cb,
                void *arg)
{
    return s->ops->put(s, item, cb, arg);
}

static inline enum rc_err
rc_incident_remove(struct rc_incident_store *s, uint32_t incident, uint64_t epoch, rc_store_fn *cb,
                   void *arg)
{
    return s->ops->remove(s, incident, epoch, cb, arg);
}

static inline enum rc_err
rc_history_put(struct rc_incident_store *s, const struct rc_history_item *item, rc_store_fn *cb,
               void *arg)
{
    return s->ops->put_history(s, item, cb, arg);
}

static inline enum rc_err
rc_incident_list(struct rc_incident_store *s, uint64_t epoch, rc_store_list_fn *cb, void *arg)
{
    return s->ops->list(s, epoch, cb, arg);
}

/* NULL is fine. */
static inline void
rc_incident_store_free(struct rc_incident_store *s)
{
    if (s) {
        s->ops->free(s);
    }
}

#endif
