/* dynamodb.h - Amazon DynamoDB, JSON protocol 1.0: one call, and items as plain objects.
 *
 * Facts from the DynamoDB Developer Guide: a failed condition is the error
 * ConditionalCheckFailedException (RC_E_CONDITION), with the item as it is when
 * ReturnValuesOnConditionCheckFailure=ALL_OLD asks for it; a transaction answers
 * TransactionCanceledException with one reason an action, in order; numbers travel as
 * strings. No reply is trusted: what is no object is an error. */
#ifndef RC_DYNAMODB_H
#define RC_DYNAMODB_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/aws/request.h"

struct cJSON;

/* Borrowed: valid until the callback returns. root is the object of the reply, or of the
 * error when that is one ("Item" of a failed condition); NULL when there is none. */
struct rc_dynamodb_reply {
    struct rc_error error;
    const struct cJSON *root;
};
typedef void(rc_dynamodb_fn)(const struct rc_dynamodb_reply *reply, void *arg);

/* deadline_ms over all attempts, attempt_ms of one; 0 = the operation's own. */
struct rc_dynamodb_call {
    enum rc_aws_op op;
    int64_t attempt_ms, deadline_ms;
    rc_dynamodb_fn *fn;
    void *arg;
};

/* body is consumed (deleted) in any case; NULL: memory was out, RC_E_FULL. RC_OK: fn comes
 * later, exactly once, unless *ret_call (may be NULL) is cancelled. */
enum rc_err rc_dynamodb_start(struct rc_aws *aws, const struct rc_dynamodb_call *call,
                              struct cJSON *body, struct rc_aws_call **ret_call);

/* {"S":"x"}, {"N":"7"}, {"BOOL":true} under key; false when memory is out. */
int rc_dynamodb_add_text(struct cJSON *attributes, const char *key, const char *text);
int rc_dynamodb_add_number(struct cJSON *attributes, const char *key, uint64_t number);
int rc_dynamodb_add_bool(struct cJSON *attributes, const char *key, int value);

/* Attributes as a plain object: strings, numbers and booleans; others become null. The
 * caller deletes it; NULL when attributes is no object or memory is out. */
struct cJSON *rc_dynamodb_plain(const struct cJSON *attributes);

#endif
