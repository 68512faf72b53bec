/* sqs_call.h - what the two files of the SQS protocol share. */
#ifndef RC_SQS_CALL_H
#define RC_SQS_CALL_H

#include "simulator/world/call.h"

struct cJSON;

enum rc_sqs_err {
    RC_SQS_ERR_NO_QUEUE,
    RC_SQS_ERR_HANDLE,
    RC_SQS_ERR_NOT_IN_FLIGHT,
    RC_SQS_ERR_VALUE,
    RC_SQS_ERR_OVER_LIMIT,
    RC_SQS_ERR_MISSING,
    RC_SQS_ERR_ACTION,
    RC_SQS_ERR_EMPTY_BATCH,
    RC_SQS_ERR_MANY,
    RC_SQS_ERR_IDS,
    RC_SQS_ERR_ID,
    RC_SQS_ERR_INTERNAL
};

void rc_sqs_error(struct rc_call *call, enum rc_sqs_err which);
/* The queue of QueueUrl; NULL: an error was answered. */
struct rc_world_queue *rc_sqs_queue_of(struct rc_call *call, const struct cJSON *in);
const char *rc_sqs_text(const struct cJSON *in, const char *name); /* or NULL */
/* SQS writes numbers of attributes as texts. */
void rc_sqs_attribute_put(struct cJSON *to, const char *name, long long value);

void rc_sqs_attributes(struct rc_call *call, const struct cJSON *in);
void rc_sqs_set_attributes(struct rc_call *call, const struct cJSON *in);
void rc_sqs_queue_url(struct rc_call *call, const struct cJSON *in);
void rc_sqs_list(struct rc_call *call, const struct cJSON *in);
void rc_sqs_purge(struct rc_call *call, const struct cJSON *in);

#endif
