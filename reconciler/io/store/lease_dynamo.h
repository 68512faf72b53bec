/* lease_dynamo.h - the lease as one item of a DynamoDB table: pk = "lease".
 *
 * Every write is conditional on the epoch and the renewal that were read or written
 * last, so of two writers one wins. A write whose answer was lost is known again by its
 * own words when the next one meets it. One cluster a table: another cluster's item is
 * refused (RC_E_FOREIGN), and so is rubbish. Calls: GetItem (consistent), PutItem. */
#ifndef RC_LEASE_DYNAMO_H
#define RC_LEASE_DYNAMO_H

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/store/lease.h"

/* Strings are copied; as in lease_file.h. aws must outlive the lease. */
struct rc_lease_dynamo_options {
    struct rc_aws *aws;
    const char *table;
    const char *cluster;
    const char *owner;
    int64_t term_ms;
    int64_t grace_ms;
    const char *holder;           /* NULL: a lease of a former life is waited for like any other */
    int64_t (*now_ms)(void *arg); /* NULL = CLOCK_BOOTTIME */
    void *now_arg;
};

/* On success *ret_lease is the caller's: rc_lease_free(). */
enum rc_err rc_lease_dynamo_new(const struct rc_lease_dynamo_options *options,
                                struct rc_lease **ret_lease, struct rc_error *ret_err);

#endif
