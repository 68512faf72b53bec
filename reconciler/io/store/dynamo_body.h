/* dynamo_body.h - the bodies of the incident store's DynamoDB requests. Pure.
 *
 * What is returned belongs to the caller; NULL or false: memory is out. */
#ifndef RC_DYNAMO_BODY_H
#define RC_DYNAMO_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct cJSON;

#define RC_DYNAMO_FENCE "fence" /* sk of the item that keeps earlier epochs out */

struct rc_dynamo_body {
    const char *table, *cluster; /* borrowed */
};

struct rc_dynamo_fence {
    uint64_t epoch; /* that listed last */
    uint64_t seq;   /* moves on with every transaction of it */
};

/* A transaction that moves the fence on, and may be done only if that stands as given. */
struct cJSON *rc_dynamo_body_transaction(const struct rc_dynamo_body *b,
                                         const struct rc_dynamo_fence *fence);
/* One more write in it; text NULL = the item is deleted. */
bool rc_dynamo_body_write(const struct rc_dynamo_body *b, struct cJSON *transaction,
                          const char *key, const char *text);
/* PutItem: from now on only this epoch may write; refused when a later one stands there. */
struct cJSON *rc_dynamo_body_fence(const struct rc_dynamo_body *b, uint64_t epoch);
/* Query: the next page of everything; from = LastEvaluatedKey, NULL = the first. */
struct cJSON *rc_dynamo_body_page(const struct rc_dynamo_body *b, const struct cJSON *from);

/* RC_E_PARSE, RC_E_FOREIGN: another cluster's. */
enum rc_err rc_dynamo_fence_read(const struct rc_dynamo_body *b, const struct cJSON *item,
                                 struct rc_dynamo_fence *ret, struct rc_error *err);

#endif
