/* ec2_form.h - EC2 request bodies (Query protocol, form encoded).
 *
 * Lists are flat (InstanceId.1, Filter.1.Value.2), unlike AWS Query's member
 * lists. Pure: each adds to a buffer, whose failure shows when it is taken. */
#ifndef RC_EC2_FORM_H
#define RC_EC2_FORM_H

#include <stddef.h>

#include "reconciler/io/aws/aws_buf.h"
#include "reconciler/io/aws/ec2.h"

/* "Action=…&Version=2016-11-15"; the first thing in a body. */
void rc_ec2_form_begin(struct rc_aws_buf *b, enum rc_aws_op op);
void rc_ec2_form_add(struct rc_aws_buf *b, const char *name, const char *value);
/* InstanceId.1 … for ids[from .. from + count) */
void rc_ec2_form_ids(struct rc_aws_buf *b, const char *list, const char *const *ids, size_t count);
void rc_ec2_form_tags(struct rc_aws_buf *b, const char *prefix, const struct rc_ec2_tag *tags,
                      size_t count);
void rc_ec2_form_launch(struct rc_aws_buf *b, const struct rc_ec2_launch *launch);

#endif
