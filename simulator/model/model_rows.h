/* model_rows.h - what the models show, as the daemon's decoders would make events of it,
 * and what they answer, as its executor would class it. */
#ifndef RC_MODEL_ROWS_H
#define RC_MODEL_ROWS_H

#include "simulator/model/model_ec2.h"
#include "simulator/model/model_slurm.h"

/* One row of DescribeInstances; ours: its cluster tag is this one. */
void rc_sim_instance_row(const struct rc_sim_instance *inst, const char *cluster,
                         struct rc_event *ret);
/* One row of DescribeInstanceStatus. */
void rc_sim_status_row(const struct rc_sim_instance *inst, struct rc_event *ret);
/* enum rc_owner of a node's reason; *ret_incident is set when it is ours. */
uint32_t rc_sim_owner_of(const struct rc_sim_node *n, uint32_t *ret_incident);

/* As reconciler/io/aws/aws_errors.c classes EC2's codes. */
enum rc_err rc_sim_ec2_error(enum rc_sim_ec2_code code);
/* As the Slurm writer answers. */
enum rc_err rc_sim_slurm_error(enum rc_sim_outcome outcome);

#endif
