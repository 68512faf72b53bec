/* incident_dynamo.h - the incident store as one DynamoDB table.
 *
 * pk = "item", sk = "incident-<number>" or "node-<name>", item = the JSON text of
 * incident_item.h; and sk = "fence" with the epoch that listed last. One cluster a table.
 *
 * Writes go in transactions, one at a time, each of which moves the fence's sequence
 * number on: so a late one of an earlier epoch, or one whose answer was lost and which
 * arrives after its successor, changes nothing. An epoch must list before it writes.
 * Calls: PutItem, Query (consistent), TransactWriteItems (Put, Update, Delete). */
#ifndef RC_INCIDENT_DYNAMO_H
#define RC_INCIDENT_DYNAMO_H

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/store/incident_store.h"

struct event_base;

/* Strings are copied. base and aws must outlive the store. */
struct rc_incident_dynamo_options {
    struct event_base *base;
    struct rc_aws *aws;
    const char *table;
    const char *cluster;
};

/* On success *ret_store is the caller's: rc_incident_store_free(). */
enum rc_err rc_incident_dynamo_new(const struct rc_incident_dynamo_options *options,
                                   struct rc_incident_store **ret_store, struct rc_error *ret_err);

#endif
