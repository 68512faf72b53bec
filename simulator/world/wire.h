/* wire.h - the protocols behind the endpoint: each takes a call and ends it. */
#ifndef RC_WIRE_H
#define RC_WIRE_H

#include <stdbool.h>

#include "simulator/world/call.h"
#include "simulator/world/sigv4_check.h"

/* SQS, AWS JSON 1.0. */
void rc_sqs_wire(struct rc_call *call);
void rc_sqs_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict);
/* A call that waited: answers it with what is there. False: nothing is there and it was not
 * answered (only when last is false). */
bool rc_sqs_deliver(struct rc_call *call, int64_t now_ms, bool last);

/* EC2, Query with an XML answer. */
void rc_ec2_wire(struct rc_call *call);
void rc_ec2_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict);
void rc_ec2_wire_error(struct rc_call *call, enum rc_sim_ec2_code code, const char *about);
/* Parts of it. */
void rc_ec2_wire_run(struct rc_call *call);
void rc_ec2_wire_describe_instances(struct rc_call *call);
void rc_ec2_wire_describe_status(struct rc_call *call);
void rc_ec2_wire_describe_templates(struct rc_call *call);
void rc_ec2_wire_describe_reservations(struct rc_call *call);
void rc_ec2_wire_describe_subnets(struct rc_call *call);
void rc_ec2_wire_console(struct rc_call *call);
/* The instances named by InstanceId.N; NULL-ended list in the caller's array. False: an error
 * was answered. */
bool rc_ec2_wire_named(struct rc_call *call, struct rc_sim_instance **list, unsigned room,
                       unsigned *ret_count);

/* STS, Query with an XML answer. */
void rc_sts_wire(struct rc_call *call);
void rc_sts_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict);

/* DynamoDB, AWS JSON 1.0. */
void rc_dynamo_wire(struct rc_call *call);
void rc_dynamo_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict);

/* CloudWatch's PutMetricData, AWS JSON 1.0. */
void rc_metrics_wire(struct rc_call *call);
void rc_metrics_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict);

/* Instance metadata, version 2 only. */
void rc_imds_wire(struct rc_call *call);

/* /_world */
void rc_admin_wire(struct rc_call *call);
void rc_admin_post(struct rc_call *call, const char *what);

#endif
