/* decode.h - the body of a queue message -> what it is, and the events in it.
 *
 * Accepts an EventBridge event (raw, or inside an SNS notification) and says one
 * of three things: events of one kind (one per instance that the message names,
 * sorted by instance id), ignored (well formed, of a type that does not concern
 * us), or quarantined (cannot be read; text tells the key and what was expected).
 * Never crashes, blocks, logs or guesses: a time that is a placeholder reads as
 * "not told", a field of the wrong type is never taken for its default, and
 * nothing is cut silently.
 *
 * Event shapes: Amazon EventBridge events reference, Amazon EC2 user guide
 * ("Monitor ... using EventBridge"), AWS Health user guide ("Amazon EventBridge
 * event schema for AWS Health"), Amazon CloudWatch user guide ("Alarm events and
 * EventBridge"). The detail-type decides the kind, whatever the source. */
#ifndef RC_DECODE_H
#define RC_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/event.h"

enum {
    RC_DECODE_BODY_MAX = 1024 * 1024, /* an SQS message is at most 1 MiB */
    RC_DECODE_DEPTH_MAX = 32,         /* nested objects and arrays */
    RC_DECODE_VALUES_MAX = 65536,     /* JSON values in one document */
    RC_DECODE_EVENTS_MAX = 8192       /* events of one message */
};

struct rc_decoded {
    uint32_t verdict; /* enum rc_verdict, never UNKNOWN after RC_OK */
    uint32_t kind;    /* enum rc_event_kind of all the events, 0 when there are none */
    /* Equal for the same notice delivered again, also for the copy that AWS Health
     * sends to its backup region; never 0 after RC_OK. */
    uint64_t id_hash;
    uint32_t count;
    uint32_t pad_;
    /* count events, owned; at_ms, wall_ms and msg are 0: the caller stamps them.
     * A message that names no instance has one event with instance "". */
    struct rc_event *events;
    char text[RC_TEXT_LEN]; /* one printable line: detail, or the reason of the verdict */
};

/* body need not end with NUL. Returns RC_OK with *ret filled (release it with
 * rc_decoded_done), or RC_E_FULL when memory is short: *ret is empty then and
 * the message says nothing about itself, try it again later. */
enum rc_err rc_decode_message(const char *body, size_t len, struct rc_decoded *ret);

/* Frees the events and empties *d; an empty (all zero) one is fine. */
void rc_decoded_done(struct rc_decoded *d);

#endif
