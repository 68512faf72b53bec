/* world_file.h - the JSON file of rc-world: its scalars first, its account later. */
#ifndef RC_WORLD_FILE_H
#define RC_WORLD_FILE_H

#include <stdbool.h>

#include "simulator/world/world_config.h"

/* Numbers and names into the setup; keeps the parsed file in s->file. False: why is on
 * stderr. */
bool rc_world_file_read(struct rc_world_setup *s, const char *path);

/* Delays, queue and Slurm times by their name in the file, as /_world sets them too. False
 * and the key in *ret_wrong: unknown key or bad value. */
struct cJSON;
bool rc_world_delays_set(struct rc_sim_ec2_delays *d, const struct cJSON *in,
                         const char **ret_wrong);
bool rc_world_queue_set(struct rc_sim_sqs_config *q, const struct cJSON *in,
                        const char **ret_wrong);

#endif
