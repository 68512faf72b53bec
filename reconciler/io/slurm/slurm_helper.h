/* slurm_helper.h - inside rc-slurm-helper: what its files share. */
#ifndef RC_SLURM_HELPER_H
#define RC_SLURM_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/event.h"
#include "reconciler/io/helper/helper_server.h"
#include "reconciler/io/slurm/slurm_compat.h"

/* Which jobs hold which node; zeroed = nothing known yet. */
struct slurm_hold;
struct slurm_exclusion;
struct slurm_held {
    struct slurm_hold *hold; /* by node name */
    size_t count, room;
    struct slurm_exclusion *exclusion; /* by node name, the latest job first */
    size_t exclusion_count, exclusion_room;
    time_t read_s; /* slurmctld's time of the job table */
    uint32_t jobs; /* running or suspended in all */
    bool known;
};
/* Reads the jobs anew when they have changed; keeps the old ones when that fails. */
void rc_slurm_held_refresh(struct slurm_held *h);
void rc_slurm_held_free(struct slurm_held *h);
/* "ID:NODES,…" of the node's running jobs, largest first; returns how many jobs hold it,
 * completing ones among them. RC_SLURM_HELD_ROOM holds every such text. */
uint32_t rc_slurm_held_text(const struct slurm_held *h, const char *node, char *buf, size_t room);
enum { RC_SLURM_HELD_ROOM = RC_NODE_JOBS_MAX * 24 };
/* "ID,…" of the latest jobs whose owners want to stay away from the node. Long lists of nodes
 * choose where to run, they do not complain: not counted. */
void rc_slurm_excluders_text(const struct slurm_held *h, const char *node, char *buf, size_t room);
enum { RC_SLURM_EXCLUDERS_ROOM = RC_NODE_EXCLUDERS_MAX * 12, RC_SLURM_EXCLUDED_MAX = 16 };

/* The process's own state; one per process. */
struct slurm_helper {
    const char *conf;   /* path of slurm.conf */
    uint32_t slurm_uid; /* SlurmUser, once known */
    bool knows_slurm_uid;
    uint32_t controllers; /* once known, else 0 */
    uint32_t index;       /* prober: the SlurmctldHost line that it asks, from 0 */
    partition_info_msg_t *partitions;
    rc_hostlist *partition_nodes; /* one for each partition */
    struct slurm_held held;
};

/* Names expanded from a host list, sorted, without doubles. */
struct name_set {
    char **name; /* each from libslurm: free() */
    size_t count;
};

enum { RC_SLURM_NAMES_MAX = 200000 };

/* RC_E_INVALID when list is no host list or names none or too many. rc_slurm_names_free() always.
 */
enum rc_err rc_slurm_names_expand(const char *list, struct name_set *ret, struct rc_error *e);
void rc_slurm_names_free(struct name_set *set);
/* Index of a name or -1. */
long rc_slurm_names_find(const struct name_set *set, const char *name);

/* Translates the errno that a libslurm call left; what names the call for people. */
enum rc_err rc_slurm_fail(struct rc_error *e, const char *what);
/* True for errors after which no answer of slurmctld is to be had. */
bool rc_slurm_gone(enum rc_err err);

/* Nodes whose records the caller may use until the next free; skips unnamed records. */
typedef enum rc_err(node_fn)(void *arg, const node_info_t *node, struct rc_error *e);
/* Calls fn for each named node that slurmctld shows: one by one for a few names,
 * from the full table otherwise. A name that is not shown is left out. */
enum rc_err rc_slurm_nodes_read(const struct name_set *names, node_fn *fn, void *arg,
                                struct rc_error *e);

/* A full table of so many rows was read elsewhere: rc_slurm_nodes_read() weighs by it. */
void rc_slurm_table_seen(uint32_t rows);

/* Node state as enum rc_slurm_flag bits. */
uint32_t rc_slurm_node_flags(const node_info_t *node);
uint32_t rc_slurm_node_alloc_cpus(const node_info_t *node);
/* False when the node's NodeAddr is a numeric address that no interface of this machine has:
 * another instance has the name. */
bool rc_slurm_is_here(const node_info_t *node);
/* Asks slurmctld once for SlurmUser's uid; root until it is known. */
uint32_t rc_slurm_user_uid(struct slurm_helper *h);

/* Jobs that hold resources of a node (NULL: all): running, suspended or completing. */
typedef enum rc_err(job_fn)(void *arg, const slurm_job_info_t *job, struct rc_error *e);
enum rc_err rc_slurm_jobs_read(const char *node, job_fn *fn, void *arg, struct rc_error *e);
/* The same for all nodes when the job table changed after *since, which moves on;
 * RC_E_NOT_FOUND when it did not. */
enum rc_err rc_slurm_jobs_since(time_t *since, job_fn *fn, void *arg, struct rc_error *e);

/* Prober: libslurm is given a configuration that names that one controller only. False with
 * a line on stderr when there is no such controller. */
bool rc_slurm_prober_init(struct slurm_helper *h);

/* Reader, writer: slurm_init(), and again before a request when the SlurmctldHost lines have
 * changed. arg is struct slurm_helper. */
void rc_slurm_follow_begin(const char *conf);
void rc_slurm_follow(void *arg);

/* Verbs. arg is struct slurm_helper. */
rc_verb_fn rc_slurm_verb_probe, rc_slurm_verb_where;
rc_verb_fn rc_slurm_verb_ping, rc_slurm_verb_config, rc_slurm_verb_nodes, rc_slurm_verb_node,
    rc_slurm_verb_jobs;
rc_verb_fn rc_slurm_verb_drain, rc_slurm_verb_down, rc_slurm_verb_resume, rc_slurm_verb_extra,
    rc_slurm_verb_clock;
rc_verb_fn rc_slurm_verb_jobs_signal, rc_slurm_verb_jobs_requeue, rc_slurm_verb_jobs_include,
    rc_slurm_verb_job_hold, rc_slurm_verb_job_save;
rc_verb_fn rc_slurm_verb_reconfigure, rc_slurm_verb_takeover;

#endif
