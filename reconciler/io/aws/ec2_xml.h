/* ec2_xml.h - EC2 reply bodies (XML) into events.
 *
 * Reads DescribeInstances, RunInstances, DescribeInstanceStatus, the state
 * changes, CreateTags, RebootInstances and GetConsoleOutput replies. Pure, no
 * network. A body is read whole or refused: RC_E_TRUNCATED when it ends too
 * early, RC_E_PARSE when it is not the XML that was asked for. Document types
 * and entities beyond XML's own five are refused, depth is limited. */
#ifndef RC_EC2_XML_H
#define RC_EC2_XML_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/event.h"
#include "reconciler/io/fail.h"

enum { RC_EC2_NEXT_TOKEN_LEN = 2048, RC_EC2_ROOT_LEN = 64 };

struct rc_ec2_page {
    char root[RC_EC2_ROOT_LEN];             /* "DescribeInstancesResponse" */
    char next_token[RC_EC2_NEXT_TOKEN_LEN]; /* "" = last page */
    uint32_t rows;
    uint32_t unreadable; /* rows left out: without an id, or with one that does not fit */
    uint32_t partial;    /* rows given with a field "" because it did not fit */
    char *console;       /* GetConsoleOutput, still base64; NULL = none; free() it */
};

typedef void(rc_ec2_xml_row_fn)(const struct rc_event *row, void *arg);

struct rc_ec2_expect {
    const char *root;       /* name of the root element; "" = any …Response */
    const char *cluster;    /* decides `ours` */
    rc_ec2_xml_row_fn *row; /* may be NULL */
    void *arg;
};

/* Rows are given only when the whole body was good. */
enum rc_err rc_ec2_xml_read(const char *body, size_t len, const struct rc_ec2_expect *expect,
                            struct rc_ec2_page *ret, struct rc_error *error);

#endif
