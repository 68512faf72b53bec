/* model_sqs.h - one standard SQS queue as a pure model.
 *
 * At least once, best-effort order: chances of a duplicate, of a late place in
 * the line and of a deleted message that comes back are part of the
 * configuration (0 = a kind queue). Time is a parameter; memory is the slots
 * taken at rc_sim_sqs_new() and the bodies of the messages held (bounded by
 * messages_max times RC_SIM_SQS_BODY_MAX).
 *
 * Facts: SQS developer guide (visibility time-out, quotas) and API reference. */
#ifndef RC_MODEL_SQS_H
#define RC_MODEL_SQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RC_SIM_SQS_BODY_MAX = 1024 * 1024,
    RC_SIM_SQS_HANDLE_LEN = 64,
    RC_SIM_SQS_UUID_LEN = 37,
    RC_SIM_SQS_BATCH_MAX = 10,
    RC_SIM_SQS_HOLD_MAX_MS = 12 * 3600 * 1000 /* visibility, counted from the receive */
};

struct rc_sim_sqs_config {
    uint64_t seed;
    uint32_t messages_max;
    uint32_t in_flight_max; /* 120000 in AWS */
    int64_t visibility_ms;  /* default of the queue */
    int64_t delay_ms;
    int64_t wait_ms; /* ReceiveMessageWaitTimeSeconds */
    int64_t retention_ms;
    uint32_t duplicate_permille; /* delivered, and stays visible */
    uint32_t reorder_permille;   /* put at the end of the line when its turn comes */
    uint32_t return_permille;    /* deleted, and comes back once */
};

enum rc_sim_sqs_code {
    RC_SIM_SQS_OK,
    RC_SIM_SQS_BAD_HANDLE,    /* ReceiptHandleIsInvalid */
    RC_SIM_SQS_NOT_IN_FLIGHT, /* MessageNotInflight */
    RC_SIM_SQS_GONE,          /* InvalidParameterValue: the message does not exist */
    RC_SIM_SQS_TOO_LONG,      /* InvalidParameterValue: beyond 12 hours */
    RC_SIM_SQS_TOO_LARGE,     /* InvalidParameterValue: over 1 MiB */
    RC_SIM_SQS_OVER_LIMIT,    /* OverLimit: too many in flight */
    RC_SIM_SQS_FULL           /* no slot or no memory */
};

struct rc_sim_sqs_message {
    char id[RC_SIM_SQS_UUID_LEN];
    char handle[RC_SIM_SQS_HANDLE_LEN];
    const char *body; /* valid until the queue is changed again */
    size_t len;
    int64_t sent_ms, first_received_ms;
    uint32_t receives; /* this one included */
};

struct rc_sim_sqs_counts {
    uint32_t visible, in_flight, delayed;
    uint64_t sent, received, deleted, stale, duplicated, expired;
};

struct rc_sim_sqs;

struct rc_sim_sqs *rc_sim_sqs_new(const struct rc_sim_sqs_config *config); /* NULL: no memory */
void rc_sim_sqs_free(struct rc_sim_sqs *q);
struct rc_sim_sqs_config *rc_sim_sqs_config(struct rc_sim_sqs *q); /* seed and rooms: read only */

/* delay_ms < 0: the queue's default. ret_id may be NULL. The body is copied. */
enum rc_sim_sqs_code rc_sim_sqs_send(struct rc_sim_sqs *q, int64_t now_ms, const char *body,
                                     size_t len, int64_t delay_ms,
                                     char ret_id[RC_SIM_SQS_UUID_LEN]);
/* Up to max (1..10) messages; visibility_ms < 0: the queue's default. Returns their number:
 * a caller that waits asks again after a send or at rc_sim_sqs_next_ms(). */
uint32_t rc_sim_sqs_receive(struct rc_sim_sqs *q, int64_t now_ms, uint32_t max,
                            int64_t visibility_ms, struct rc_sim_sqs_message *ret);
/* At the limit of messages in flight? A short poll then answers OverLimit, a long one waits. */
bool rc_sim_sqs_full(const struct rc_sim_sqs *q);
/* A handle of an earlier receive, or of a message already gone, succeeds and deletes nothing. */
enum rc_sim_sqs_code rc_sim_sqs_delete(struct rc_sim_sqs *q, int64_t now_ms, const char *handle);
enum rc_sim_sqs_code rc_sim_sqs_visibility(struct rc_sim_sqs *q, int64_t now_ms, const char *handle,
                                           int64_t visibility_ms);
void rc_sim_sqs_purge(struct rc_sim_sqs *q);
/* Brings back what is due: delays and visibilities that have passed. */
void rc_sim_sqs_advance(struct rc_sim_sqs *q, int64_t now_ms);
int64_t rc_sim_sqs_next_ms(const struct rc_sim_sqs *q);
struct rc_sim_sqs_counts rc_sim_sqs_counts(const struct rc_sim_sqs *q);
uint64_t rc_sim_sqs_hash(const struct rc_sim_sqs *q);

#endif
