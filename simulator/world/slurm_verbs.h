/* slurm_verbs.h - the verbs of the Slurm helpers, answered from the model. */
#ifndef RC_SLURM_VERBS_H
#define RC_SLURM_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/helper/line.h"
#include "simulator/world/world.h"
#include "simulator/world/world_config.h"

struct evbuffer;

struct rc_slurm_request {
    struct rc_world *world;
    struct rc_world_setup *setup;
    const struct rc_line *line;
    struct evbuffer *out; /* the answer's lines go here */
    int64_t now_ms;
    bool writer;
};

/* Rows, then exactly one "ok" or "err". */
void rc_slurm_verb(struct rc_slurm_request *r);

#endif
