/* sqs_json.h - SQS bodies (JSON 1.0): requests out, replies in. Pure.
 *
 * Replies are checked field by field: a wrong type, a missing field or a cut
 * body gives an error or an unreadable entry, never a guess. */
#ifndef RC_SQS_JSON_H
#define RC_SQS_JSON_H

#include <stddef.h>

#include "reconciler/io/aws/aws_buf.h"
#include "reconciler/io/aws/sqs.h"

struct cJSON;

void rc_sqs_json_receive(struct rc_aws_buf *b, const char *queue_url,
                         const struct rc_sqs_receive_options *options);
void rc_sqs_json_batch(struct rc_aws_buf *b, const char *queue_url,
                       const struct rc_sqs_entry *entries, uint32_t count, int with_visibility);
void rc_sqs_json_send(struct rc_aws_buf *b, const char *queue_url, const char *body,
                      uint32_t delay_s);
void rc_sqs_json_attributes(struct rc_aws_buf *b, const char *queue_url);

/* Messages point into *ret_tree (cJSON_Delete it after use, may be NULL). An
 * empty body is a reply without messages. */
enum rc_err rc_sqs_json_read_messages(const char *body, size_t len, struct rc_sqs_received *ret,
                                      struct cJSON **ret_tree);
/* ret->count must be set to the number of entries that were sent. */
enum rc_err rc_sqs_json_read_batch(const char *body, size_t len, struct rc_sqs_batch *ret);
enum rc_err rc_sqs_json_read_sent(const char *body, size_t len, char *ret_id, size_t room,
                                  struct rc_error *error);
enum rc_err rc_sqs_json_read_attributes(const char *body, size_t len,
                                        struct rc_sqs_attributes *ret);
/* A cheap look at whether a body is whole: rc_aws_check_fn. */
enum rc_err rc_sqs_json_check(const char *body, size_t len, struct rc_error *error);

#endif
