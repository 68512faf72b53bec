/* ec2.h - Amazon EC2, Query protocol: what is needed to look at, launch and
 * repair instances.
 *
 * Rows come as events (event.h) of kind RC_EV_INSTANCE or RC_EV_INSTANCE_STATUS;
 * at_ms and wall_ms are 0: the caller stamps them. `ours` is set by the tag
 * slurm-on-aws:cluster. An accepted change is not an observed one: the four
 * changes give no rows, describe to see their effect. */
#ifndef RC_EC2_H
#define RC_EC2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/event.h"
#include "reconciler/io/aws/request.h"

#define RC_TAG_CLUSTER  "slurm-on-aws:cluster"
#define RC_TAG_NODE     "slurm-on-aws:node"
#define RC_TAG_INCIDENT "slurm-on-aws:incident"
#define RC_TAG_ATTEMPT  "slurm-on-aws:attempt"

struct rc_ec2_call; /* one operation, of several requests when paged */

struct rc_ec2_done {
    struct rc_error error;
    bool complete;       /* every page and every row was read: only then absence means anything */
    uint32_t pages;      /* replies read */
    uint32_t rows;       /* events given */
    uint32_t unreadable; /* rows left out: no instance id in them */
    uint32_t partial;    /* rows given with a field "" because it did not fit its room */
};

typedef void(rc_ec2_row_fn)(const struct rc_event *row, void *arg);
typedef void(rc_ec2_done_fn)(const struct rc_ec2_done *done, void *arg);

/* row is called for each row as its page is read; done exactly once, last, also
 * after an error (rows of earlier pages then stay true but are not all). row may
 * be NULL where an operation has none. */
struct rc_ec2_sink {
    rc_ec2_row_fn *row;
    rc_ec2_done_fn *done;
    void *arg;
};

struct rc_ec2_tag {
    const char *key;
    const char *value;
};

/* "" or NULL leaves a string out. A template with network interfaces (EFA needs
 * them) must name the subnet itself: EC2 then refuses one in the request by
 * InvalidParameterCombination (EC2 API Reference, RunInstances, SubnetId). */
struct rc_ec2_launch {
    const char *template_id;
    uint32_t template_version; /* pinned, > 0 */
    uint32_t count;            /* 0 = 1; all or nothing */
    const char *token;         /* ClientToken, up to 64 ASCII characters, required */
    const char *subnet;
    const char *placement; /* placement group */
    const char *reservation;
    bool capacity_block;
    const char *type;              /* overrides the template's */
    const struct rc_ec2_tag *tags; /* on the instance and its volumes */
    size_t tag_count;
};

enum {
    RC_EC2_FORCE = 1U << 0,        /* Stop, Terminate: forced when the system does not go down */
    RC_EC2_SKIP_SHUTDOWN = 1U << 1 /* do not ask the system at all */
};

struct rc_ec2_ids {
    const char *const *v;
    size_t count;
};

/* All: arguments are copied; RC_OK means that done comes later, exactly once,
 * unless *ret_call (may be NULL) is cancelled. RC_E_INVALID: an argument is
 * missing or too long. */
enum rc_err rc_ec2_run(struct rc_aws *aws, const struct rc_ec2_launch *launch,
                       const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
/* Every instance tagged with the context's cluster, terminated ones included. */
enum rc_err rc_ec2_describe_cluster(struct rc_aws *aws, const struct rc_ec2_sink *sink,
                                    struct rc_ec2_call **ret_call);
/* By id, in calls of at most 100. One unknown id fails its whole call with RC_E_NOT_FOUND. */
enum rc_err rc_ec2_describe_ids(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                                const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
/* Status checks and scheduled events of every instance of the region, in whatever state. */
enum rc_err rc_ec2_status_all(struct rc_aws *aws, const struct rc_ec2_sink *sink,
                              struct rc_ec2_call **ret_call);
enum rc_err rc_ec2_status_ids(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                              const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);

enum rc_err rc_ec2_stop(struct rc_aws *aws, const struct rc_ec2_ids *ids, unsigned flags,
                        const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
enum rc_err rc_ec2_start(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                         const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
enum rc_err rc_ec2_reboot(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                          const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
enum rc_err rc_ec2_terminate(struct rc_aws *aws, const struct rc_ec2_ids *ids, unsigned flags,
                             const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);
enum rc_err rc_ec2_create_tags(struct rc_aws *aws, const struct rc_ec2_ids *ids,
                               const struct rc_ec2_tag *tags, size_t tag_count,
                               const struct rc_ec2_sink *sink, struct rc_ec2_call **ret_call);

/* text is decoded, NUL-terminated, valid until the callback returns; "" when the
 * instance has not written any yet. It is whatever the instance printed: not trusted. */
typedef void(rc_ec2_console_fn)(const struct rc_error *error, const char *text, size_t len,
                                void *arg);
enum rc_err rc_ec2_console(struct rc_aws *aws, const char *instance, rc_ec2_console_fn *fn,
                           void *arg, struct rc_ec2_call **ret_call);

/* The callbacks will not come. NULL is fine. */
void rc_ec2_cancel(struct rc_ec2_call *call);

#endif
