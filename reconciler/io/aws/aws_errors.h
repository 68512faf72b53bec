/* aws_errors.h - what an AWS error code means to us: one table.
 *
 * The code decides before the HTTP status: EC2 sends "no capacity" as a 5xx that
 * must not be retried as a server fault, and SQS sends throttling as 403. Only
 * replies without a known code are judged by their status. Sources: EC2 API
 * Reference "Error codes", botocore's retry table, the SQS and DynamoDB API
 * References. */
#ifndef RC_AWS_ERRORS_H
#define RC_AWS_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/io/fail.h"

/* Meaning of a code such as "InsufficientInstanceCapacity"; RC_OK when unknown. */
enum rc_err rc_aws_error_of_code(const char *code);
/* Meaning of a status alone: 2xx is RC_OK, 429 throttled, 5xx server fault, … */
enum rc_err rc_aws_error_of_status(long status);

/* Reads an error reply: JSON ("__type", with or without name space), EC2 Query
 * and AWS Query XML, or neither. header_type is the value of x-amzn-ErrorType or
 * "". Fills code, service_code and text; the body may be cut, HTML or empty. */
enum rc_err rc_aws_error_read(long status, const char *header_type, const char *body, size_t len,
                              struct rc_error *ret);

/* May the same request be sent again by the same call? Throttling and transient
 * faults only: "not found" or "no capacity" are for the caller to judge. */
bool rc_aws_error_retryable(enum rc_err e);

#endif
