/* client_world.h - the client on helpers without Slurm: fake_slurm.c has the nodes that a file
 * names, and writes down what it is asked for. */
#ifndef RC_TEST_CLIENT_WORLD_H
#define RC_TEST_CLIENT_WORLD_H

#include <event2/event.h>

#include "reconciler/io/slurm/slurm_client.h"

enum { DONE_MAX = 1200 };

struct world {
    struct event_base *base;
    struct rc_slurm *slurm;
    char folder[64], nodes[96], log[96];
    uint32_t events, sweeps, bad_sweeps;
    struct rc_event last; /* node event */
    struct rc_event sweep;
    uint32_t dones, accepted;
    bool in_call;
    struct {
        enum rc_err err;
        uint32_t batch, count;
        char node[RC_NODE_LEN];
        char text[256];
    } done[DONE_MAX];
};

void world_open(struct world *w, uint32_t poll_ms, uint32_t watch_ms);
void world_close(struct world *w);
/* What the reader answers from: when slurmctld last changed, then a node a line. */
void world_nodes(struct world *w, const char *text);
/* Runs the loop until *counter reaches n, 4 s at most. */
void world_until(struct world *w, const uint32_t *counter, uint32_t n);
void world_for(struct world *w, uint32_t ms);
/* Writes a call's end down; arg is the world. */
void world_done(void *arg, const struct rc_slurm_result *result);

#endif
