/* store_call.c - see store_call.h. */
#include "reconciler/io/store/store_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/store/incident_item.h"
#include "reconciler/io/store/json_fields.h"

enum rc_err
rc_store_call_put(const char *cluster, const struct rc_incident_item *item, rc_store_fn *cb,
                  void *arg, struct rc_store_call *ret)
{
    *ret = (struct rc_store_call){
        .kind = RC_STORE_WRITE, .epoch = item->item.epoch, .cb = cb, .arg = arg};
    if (!rc_incident_item_is_good(item)) {
        return RC_E_INVALID;
    }
    snprintf(ret->key, sizeof ret->key, "incident-%" PRIu32, item->incident);
    ret->text = rc_incident_item_format(cluster, item);
    return ret->text ? RC_OK : RC_E_FULL;
}

/* What is written must come back: it is read once here. */
enum rc_err
rc_store_call_history(const char *cluster, const struct rc_history_item *item, rc_store_fn *cb,
                      void *arg, struct rc_store_call *ret)
{
    struct rc_history_item check;
    char *json = NULL;

    *ret =
        (struct rc_store_call){.kind = RC_STORE_WRITE, .epoch = item->epoch, .cb = cb, .arg = arg};
    if (!rc_history_item_is_good(item)) {
        return RC_E_INVALID;
    }
    if (item->json_len > RC_HISTORY_MAX) {
        return RC_E_TOO_LARGE;
    }
    snprintf(ret->key, sizeof ret->key, "node-%s", item->node);
    ret->text = rc_history_item_format(cluster, item);
    if (!ret->text ||
        rc_history_item_parse(cluster, ret->text, strlen(ret->text), &check, &json, NULL)) {
        free(ret->text);
        ret->text = NULL;
        return RC_E_INVALID;
    }
    free(json);
    return RC_OK;
}

enum rc_err
rc_store_call_remove(uint32_t incident, uint64_t epoch, rc_store_fn *cb, void *arg,
                     struct rc_store_call *ret)
{
    *ret = (struct rc_store_call){.kind = RC_STORE_REMOVE, .epoch = epoch, .cb = cb, .arg = arg};
    snprintf(ret->key, sizeof ret->key, "incident-%" PRIu32, incident);
    return incident && rc_item_epoch_is_good(epoch) ? RC_OK : RC_E_INVALID;
}

enum rc_err
rc_store_call_list(uint64_t epoch, rc_store_list_fn *cb, void *arg, struct rc_store_call *ret)
{
    *ret = (struct rc_store_call){.kind = RC_STORE_LIST, .epoch = epoch, .list_cb = cb, .arg = arg};
    return epoch > RC_JSON_INTEGER_MAX ? RC_E_INVALID : RC_OK;
}

/* --- queues --------------------------------------------------------------------------- */

void
rc_store_queue_init(struct rc_store_queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

void
rc_store_push(struct rc_store_queue *q, struct rc_store_call *c)
{
    c->next = NULL;
    *q->tail = c;
    q->tail = &c->next;
}

enum rc_err
rc_store_push_copy(struct rc_store_queue *q, const struct rc_store_call *from)
{
    struct rc_store_call *c = malloc(sizeof *c);

    if (!c) {
        free(from->text);
        return RC_E_FULL;
    }
    *c = *from;
    rc_store_push(q, c);
    return RC_OK;
}

struct rc_store_call *
rc_store_pop(struct rc_store_queue *q)
{
    struct rc_store_call *c = q->head;

    if (c) {
        q->head = c->next;
        if (!q->head) {
            q->tail = &q->head;
        }
    }
    return c;
}

void
rc_store_answer(struct rc_store_call *c, enum rc_err code, const struct rc_error *err)
{
    const struct rc_store_items none = {NULL, 0, NULL, 0};

    if (c->kind == RC_STORE_LIST) {
        c->list_cb(c->arg, code, &none, err);
    } else {
        c->cb(c->arg, code, err);
    }
    free(c->text);
    free(c);
}
