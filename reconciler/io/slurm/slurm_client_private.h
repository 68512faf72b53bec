/* slurm_client_private.h - what the files of the Slurm client share.
 * slurm_client.c owns the object, slurm_poll.c and slurm_look.c read, slurm_calls.c writes. */
#ifndef RC_SLURM_CLIENT_PRIVATE_H
#define RC_SLURM_CLIENT_PRIVATE_H

#include <sys/queue.h>

#include "reconciler/io/helper/helper_client.h"
#include "reconciler/io/slurm/slurm_client.h"
#include "reconciler/io/slurm/slurm_rows.h"

struct event;

enum slurm_op_kind {
    OP_DRAIN,
    OP_DOWN,
    OP_RESUME,
    OP_JOBS_SIGNAL,
    OP_JOBS_REQUEUE,
    OP_JOBS_INCLUDE,
    OP_JOB_HOLD,
    OP_JOB_SAVE,
    OP_RECONFIGURE,
    OP_TAKEOVER,
    OP__MAX
};

/* One call that waits for the writer, or is with it. */
struct slurm_op {
    TAILQ_ENTRY(slurm_op) link;
    enum slurm_op_kind kind;
    uint32_t incident; /* of the reason */
    uint32_t number;   /* signal, controller index, job, or 1 = exclude the node */
    struct rc_slurm_call call;
    enum rc_err err; /* as the rows told; RC_E_INTERNAL until then */
    uint32_t count;  /* jobs reached */
    char node[RC_NODE_LEN];
    char reason[RC_TEXT_LEN]; /* ours; later what stands there, or why not */
};
TAILQ_HEAD(slurm_op_list, slurm_op);

enum { SLURM_WATCH_MAX = 4096 };

/* A question to the reader that somebody waits for. */
struct slurm_look {
    LIST_ENTRY(slurm_look) link;
    struct rc_slurm *slurm;
    struct rc_slurm_call call;
    bool seen; /* its row came */
    char node[RC_NODE_LEN];
};
LIST_HEAD(slurm_look_list, slurm_look);

struct rc_slurm {
    struct rc_slurm_config config;
    struct rc_helper *reader, *writer;
    struct rc_slurm_stats stats;

    /* slurm_poll.c */
    struct rc_slurm_diff *diff;
    struct event *poll_timer, *watch_timer;
    bool started, polling, watching, full_wanted, poked;
    bool waited; /* the poll under way was begun while another slurmctld served, or none */
    bool knows_uid;
    uint32_t slurm_uid;
    uint64_t since;        /* update time of the table that the diff holds, 0 = none */
    uint64_t since_next;   /* of the running poll */
    int64_t poll_began_us; /* also of the last one */
    int64_t table_us;      /* when the whole table was last read */
    int64_t watch_began_us;
    uint32_t watch_us;      /* length of the last read of watched nodes */
    uint32_t single_tokens; /* thousandths of a node */
    int64_t token_us;
    char (*watched)[RC_NODE_LEN];
    uint32_t watched_count, watched_room;

    struct slurm_look_list looks; /* slurm_look.c */

    /* slurm_calls.c */
    struct event *flush_event;
    struct slurm_op_list waiting;
    struct slurm_op **batch; /* with the writer, sorted by node */
    uint32_t batch_count;
    char batch_reason[RC_TEXT_LEN];
};

int64_t rc_slurm_now_us(void);

/* slurm_poll.c */
enum rc_err rc_slurm_poll_open(struct rc_slurm *s);
void rc_slurm_poll_close(struct rc_slurm *s);
/* Reads these nodes soon: one by one within the cap, else by a full poll. */
void rc_slurm_poll_again(struct rc_slurm *s, const char *const *nodes, uint32_t count);

/* A "node" row as an event; false (and a line in the log) when it cannot be read. */
bool rc_slurm_take_row(struct rc_slurm *s, const struct rc_line *row, struct rc_event *ret,
                       int64_t *ret_foreign_time);
void rc_slurm_show(struct rc_slurm *s, const struct rc_event *ev);
/* What the node's agent says in this row, when it is news. */
void rc_slurm_show_faults(struct rc_slurm *s, const struct rc_line *row);

/* slurm_look.c */
void rc_slurm_looks_close(struct rc_slurm *s);

/* slurm_calls.c */
enum rc_err rc_slurm_calls_open(struct rc_slurm *s);
void rc_slurm_calls_close(struct rc_slurm *s);

#endif
