/* store_call.h - calls of an incident store that wait to be carried out: what every form of
 * the store (incident_file.c, incident_dynamo.c) checks, keeps and answers alike. */
#ifndef RC_STORE_CALL_H
#define RC_STORE_CALL_H

#include "reconciler/io/store/incident_store.h"

enum { RC_STORE_KEY_LEN = RC_NODE_LEN + 16 };

enum rc_store_call_kind { RC_STORE_WRITE, RC_STORE_REMOVE, RC_STORE_LIST };

struct rc_store_call {
    struct rc_store_call *next;
    enum rc_store_call_kind kind;
    uint64_t epoch;
    char key[RC_STORE_KEY_LEN]; /* "incident-7", "node-gpu-3"; "" of a list */
    char *text;                 /* WRITE: the item; owned */
    rc_store_fn *cb;
    rc_store_list_fn *list_cb;
    void *arg;
};

/* Each fills *ret, which the caller then queues.
 * RC_E_INVALID, RC_E_TOO_LARGE: the arguments; RC_E_FULL: no memory. */
enum rc_err rc_store_call_put(const char *cluster, const struct rc_incident_item *item,
                              rc_store_fn *cb, void *arg, struct rc_store_call *ret);
enum rc_err rc_store_call_history(const char *cluster, const struct rc_history_item *item,
                                  rc_store_fn *cb, void *arg, struct rc_store_call *ret);
enum rc_err rc_store_call_remove(uint32_t incident, uint64_t epoch, rc_store_fn *cb, void *arg,
                                 struct rc_store_call *ret);
enum rc_err rc_store_call_list(uint64_t epoch, rc_store_list_fn *cb, void *arg,
                               struct rc_store_call *ret);

struct rc_store_queue {
    struct rc_store_call *head, **tail;
};

void rc_store_queue_init(struct rc_store_queue *q);
void rc_store_push(struct rc_store_queue *q, struct rc_store_call *c);
/* Pushes a copy of *from. RC_E_FULL: no memory, and what *from owned is freed. */
enum rc_err rc_store_push_copy(struct rc_store_queue *q, const struct rc_store_call *from);
struct rc_store_call *rc_store_pop(struct rc_store_queue *q); /* NULL: empty */

/* Calls back (a list gets no items) and frees the call. */
void rc_store_answer(struct rc_store_call *c, enum rc_err code, const struct rc_error *err);

#endif
