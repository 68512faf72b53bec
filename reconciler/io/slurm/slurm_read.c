/* slurm_read.c - the reader's verbs: nodes, node, jobs. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_helper.h"
#include "reconciler/io/slurm/slurm_words.h"

struct reading {
    struct slurm_helper *helper;
    struct rc_reply *reply;
    uint32_t count;
};

static void
partitions_free(struct slurm_helper *h)
{
    for (uint32_t i = 0; h->partitions && i < h->partitions->record_count; i++) {
        if (h->partition_nodes && h->partition_nodes[i]) {
            slurm_hostlist_destroy(h->partition_nodes[i]);
        }
    }
    free(h->partition_nodes);
    h->partition_nodes = NULL;
    if (h->partitions) {
        slurm_free_partition_info_msg(h->partitions);
        h->partitions = NULL;
    }
}

/* Keeps the partition table fresh. Which partition a node is in only labels it, so
 * a failure here leaves the old table and is no error. */
static void
partitions_refresh(struct slurm_helper *h)
{
    partition_info_msg_t *msg = NULL;
    time_t since = h->partitions ? h->partitions->last_update : 0;

    if (slurm_load_partitions(since, &msg, SHOW_ALL) != SLURM_SUCCESS) {
        return;
    }
    partitions_free(h);
    h->partitions = msg;
    h->partition_nodes = calloc(msg->record_count + 1, sizeof(rc_hostlist));
    for (uint32_t i = 0; h->partition_nodes && i < msg->record_count; i++) {
        const char *nodes = msg->partition_array[i].nodes;

        h->partition_nodes[i] = nodes ? slurm_hostlist_create(nodes) : NULL;
    }
}

static const char *
first_partition(const struct slurm_helper *h, const char *node)
{
    for (uint32_t i = 0; h->partition_nodes && i < h->partitions->record_count; i++) {
        if (h->partition_nodes[i] && slurm_hostlist_find(h->partition_nodes[i], node) >= 0) {
            return h->partitions->partition_array[i].name;
        }
    }
    return "";
}

static enum rc_err
write_node(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct reading *reading = arg;
    struct rc_line_out *out = rc_reply_begin(reading->reply, "node");
    char flags[RC_SLURM_FLAGS_ROOM];
    char jobs[RC_SLURM_HELD_ROOM];
    char excluders[RC_SLURM_EXCLUDERS_ROOM];

    (void)e;
    (void)rc_slurm_flags_format(rc_slurm_node_flags(node), flags, sizeof flags);
    rc_line_put(out, "name", node->name);
    rc_line_put(out, "addr", node->node_addr);
    rc_line_put(out, "hostname", node->node_hostname);
    rc_line_put(out, "partition", first_partition(reading->helper, node->name));
    rc_line_put(out, "flags", flags);
    rc_line_put_u64(out, "alloc_cpus", rc_slurm_node_alloc_cpus(node));
    rc_line_put_u64(out, "cpus", node->cpus);
    if (reading->helper->held.known) {
        uint32_t count = rc_slurm_held_text(&reading->helper->held, node->name, jobs, sizeof jobs);
        rc_line_put_u64(out, "jobs", count);
        rc_line_put(out, "job", jobs);
        rc_slurm_excluders_text(&reading->helper->held, node->name, excluders, sizeof excluders);
        rc_line_put(out, "excluders", excluders);
    }
    rc_line_put_u64(out, "real_memory", node->real_memory);
    rc_line_put_i64(out, "boot", node->boot_time);
    rc_line_put_i64(out, "slurmd_start", node->slurmd_start_time);
    rc_line_put(out, "reason", node->reason);
    if (node->reason && node->reason[0]) {
        rc_line_put_u64(out, "reason_uid", node->reason_uid);
        rc_line_put_i64(out, "reason_time", node->reason_time);
    }
    rc_line_put(out, "instance", RC_NODE_INSTANCE(node));
    rc_line_put(out, "extra", node->extra);
    rc_reply_end(reading->reply);
    reading->count++;
    return RC_OK;
}

static void
write_ok(const struct slurm_helper *h, struct rc_reply *r, time_t since, const uint32_t *count)
{
    struct rc_line_out *out = rc_reply_begin(r, "ok");

    rc_line_put_i64(out, "time", since);
    rc_line_put_u64(out, "jobs", h->held.jobs);
    if (count) {
        rc_line_put_u64(out, "count", *count);
    } else {
        rc_line_put_u64(out, "unchanged", 1);
    }
    rc_reply_end(r);
}

enum rc_err
rc_slurm_verb_nodes(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct reading reading = {.helper = arg, .reply = r};
    time_t since = (time_t)rc_line_number(req, "since", INT64_MAX, 0);
    node_info_msg_t *msg = NULL;

    if (slurm_load_node(since, &msg, SHOW_ALL) != SLURM_SUCCESS) {
        if (errno != SLURM_NO_CHANGE_IN_DATA) {
            return rc_slurm_fail(e, "reading the nodes");
        }
        write_ok(reading.helper, r, since, NULL);
        return RC_OK;
    }
    rc_slurm_table_seen(msg->record_count);
    partitions_refresh(reading.helper);
    rc_slurm_held_refresh(&reading.helper->held);
    for (uint32_t i = 0; i < msg->record_count; i++) {
        /* Free slots, FUTURE and hidden nodes come without a name. */
        if (msg->node_array[i].name) {
            (void)write_node(&reading, &msg->node_array[i], e);
        }
    }
    write_ok(reading.helper, r, msg->last_update, &reading.count);
    slurm_free_node_info_msg(msg);
    return RC_OK;
}

enum rc_err
rc_slurm_verb_node(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct reading reading = {.helper = arg, .reply = r};
    struct name_set names;
    enum rc_err err = rc_slurm_names_expand(rc_line_get(req, "names"), &names, e);

    if (err != RC_OK) {
        return err;
    }
    if (!reading.helper->partitions) {
        partitions_refresh(reading.helper);
    }
    if (!reading.helper->held.known) {
        rc_slurm_held_refresh(&reading.helper->held);
    }
    err = rc_slurm_nodes_read(&names, write_node, &reading, e);
    rc_slurm_names_free(&names);
    return err;
}

static bool
job_on_node(const slurm_job_info_t *job, const char *node)
{
    rc_hostlist hosts;
    int at;

    if (!job->nodes || !job->nodes[0]) {
        return false;
    }
    if (!node) {
        return true;
    }
    hosts = slurm_hostlist_create(job->nodes);
    at = hosts ? slurm_hostlist_find(hosts, node) : -1;
    if (hosts) {
        slurm_hostlist_destroy(hosts);
    }
    return at >= 0;
}

static bool
holds_nodes(const slurm_job_info_t *job)
{
    uint32_t base = job->job_state & JOB_STATE_BASE;

    return base == JOB_RUNNING || base == JOB_SUSPENDED || (job->job_state & JOB_COMPLETING) != 0;
}

/* Hands over the jobs that hold resources (of a node), and frees the table. */
static enum rc_err
each_holding_job(job_info_msg_t *msg, const char *node, job_fn *fn, void *arg, struct rc_error *e)
{
    enum rc_err err = RC_OK;

    for (uint32_t i = 0; i < msg->record_count && err == RC_OK; i++) {
        const slurm_job_info_t *job = &msg->job_array[i];

        if (holds_nodes(job) && job_on_node(job, node)) {
            err = fn(arg, job, e);
        }
    }
    slurm_free_job_info_msg(msg);
    return err;
}

enum rc_err
rc_slurm_jobs_read(const char *node, job_fn *fn, void *arg, struct rc_error *e)
{
    job_info_msg_t *msg = NULL;

    if (slurm_load_jobs(0, &msg, SHOW_ALL) != SLURM_SUCCESS) {
        return rc_slurm_fail(e, "reading the jobs");
    }
    return each_holding_job(msg, node, fn, arg, e);
}

enum rc_err
rc_slurm_jobs_since(time_t *since, job_fn *fn, void *arg, struct rc_error *e)
{
    job_info_msg_t *msg = NULL;

    if (slurm_load_jobs(*since, &msg, SHOW_ALL) != SLURM_SUCCESS) {
        return errno == SLURM_NO_CHANGE_IN_DATA ? RC_E_NOT_FOUND
                                                : rc_slurm_fail(e, "reading the jobs");
    }
    *since = msg->last_update;
    enum rc_err err = RC_OK;
    for (uint32_t i = 0; i < msg->record_count && err == RC_OK; i++) {
        const slurm_job_info_t *job = &msg->job_array[i];
        uint32_t base = job->job_state & JOB_STATE_BASE;
        bool waits = base == JOB_PENDING && job->exc_nodes && *job->exc_nodes;

        if (waits || (holds_nodes(job) && job_on_node(job, NULL))) {
            err = fn(arg, job, e);
        }
    }
    slurm_free_job_info_msg(msg);
    return err;
}

static enum rc_err
write_job(void *arg, const slurm_job_info_t *job, struct rc_error *e)
{
    struct reading *reading = arg;
    struct rc_line_out *out = rc_reply_begin(reading->reply, "job");
    bool completing = (job->job_state & JOB_COMPLETING) != 0;

    (void)e;
    rc_line_put_u64(out, "id", job->job_id);
    rc_line_put(out, "state", completing ? "COMPLETING" : slurm_job_state_string(job->job_state));
    if (job->user_name && job->user_name[0]) {
        rc_line_put(out, "user", job->user_name);
    } else {
        rc_line_put_u64(out, "user", job->user_id);
    }
    rc_line_put(out, "nodes", job->nodes);
    rc_line_put_u64(out, "batch", job->batch_flag ? 1 : 0);
    rc_line_put_u64(out, "requeue", job->requeue ? 1 : 0);
    rc_line_put_i64(out, "start", job->start_time);
    rc_reply_end(reading->reply);
    reading->count++;
    return RC_OK;
}

enum rc_err
rc_slurm_verb_jobs(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct reading reading = {.helper = arg, .reply = r};
    enum rc_err err = rc_slurm_jobs_read(rc_line_get(req, "node"), write_job, &reading, e);

    if (err == RC_OK) {
        struct rc_line_out *out = rc_reply_begin(r, "ok");

        rc_line_put_u64(out, "count", reading.count);
        rc_reply_end(r);
    }
    return err;
}
