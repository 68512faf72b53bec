/* slurm_job_edit.c - the writer's verbs that change jobs: hold, exclude a node, include it again;
 * and one that changes nothing, by which slurmctld saves its jobs.
 *
 * Excluding: slurmctld takes ExcNodeList of pending jobs only (slurmctld/job_mgr.c
 * update_job), so it is set right after the requeue; until the job may start again (cred_expire,
 * two minutes by default) the node is drained anyway. Which exclusions are ours stands in the
 * job's AdminComment, as words "rc-exclude:NODE": what the job's owner excluded stays
 * excluded, and other words of an AdminComment stay.
 * Holding: a pending job gets priority 0; a running one runs on, with Requeue=0, so that it does
 * not start again by itself. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_job_edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCLUDE_MARK "rc-exclude:"

static enum rc_err
send_job_update(job_desc_msg_t *desc, struct rc_error *e)
{
    return slurm_update_job(desc) == SLURM_SUCCESS ? RC_OK : rc_slurm_fail(e, "updating a job");
}

/* Is word among the blank-separated words of text? */
static char *
find_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (char *at = text ? strstr(text, word) : NULL; at; at = strstr(at + 1, word)) {
        if ((at == text || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return at;
        }
    }
    return NULL;
}

/* The host list with a node more or less; NULL: no memory. Free with free(). */
static char *
edit_hostlist(const char *list, const char *node, bool add)
{
    rc_hostlist hosts = slurm_hostlist_create(list ? list : "");
    char *text = NULL, *name;
    size_t len = 0;

    if (!hosts) {
        return NULL;
    }
    /* One by one: libslurm's own text of a list is of its own allocator. */
    while ((name = slurm_hostlist_shift(hosts)) != NULL) {
        if (strcmp(name, node) != 0) {
            char *more = realloc(text, len + strlen(name) + 2);

            if (more) {
                text = more;
                len += (size_t)sprintf(text + len, "%s%s", len ? "," : "", name);
            }
        }
        free(name);
    }
    slurm_hostlist_destroy(hosts);
    char *all = NULL;
    if (asprintf(&all, "%s%s%s", text ? text : "", add && text ? "," : "", add ? node : "") < 0) {
        all = NULL;
    }
    free(text);
    return all;
}

enum rc_err
rc_slurm_job_exclude(const slurm_job_info_t *job, const char *node, struct rc_error *e)
{
    char mark[RC_NODE_LEN + sizeof EXCLUDE_MARK];
    char *nodes = edit_hostlist(job->exc_nodes, node, true), *comment = NULL;
    const char *stands = job->admin_comment ? job->admin_comment : "";
    enum rc_err err = RC_E_FULL;
    job_desc_msg_t desc;

    (void)snprintf(mark, sizeof mark, EXCLUDE_MARK "%s", node);
    if (find_word(stands, mark)) {
        free(nodes);
        return RC_OK;
    }
    if (nodes && asprintf(&comment, "%s%s%s", stands, *stands ? " " : "", mark) >= 0) {
        slurm_init_job_desc_msg(&desc);
        desc.job_id = job->job_id;
        desc.exc_nodes = nodes;
        desc.admin_comment = comment;
        err = send_job_update(&desc, e);
        free(comment);
    } else {
        (void)rc_fail(e, RC_E_FULL, "no memory for a job's nodes");
    }
    free(nodes);
    return err;
}

bool
rc_slurm_job_excluded_by_us(const slurm_job_info_t *job, const char *node)
{
    char mark[RC_NODE_LEN + sizeof EXCLUDE_MARK];

    (void)snprintf(mark, sizeof mark, EXCLUDE_MARK "%s", node);
    return find_word(job->admin_comment, mark) != NULL;
}

static enum rc_err
include_again(const slurm_job_info_t *job, const char *node, const char *mark, struct rc_error *e)
{
    char *nodes = edit_hostlist(job->exc_nodes, node, false);
    char *comment = strdup(job->admin_comment);
    char *at = comment ? find_word(comment, mark) : NULL;
    enum rc_err err = RC_E_FULL;
    job_desc_msg_t desc;

    if (nodes && at) {
        size_t len = strlen(mark);

        memmove(at > comment ? at - 1 : at, at + len + (at == comment && at[len] == ' '),
                strlen(at + len + (at == comment && at[len] == ' ')) + 1);
        slurm_init_job_desc_msg(&desc);
        desc.job_id = job->job_id;
        desc.exc_nodes = nodes;
        desc.admin_comment = comment;
        err = send_job_update(&desc, e);
    } else {
        (void)rc_fail(e, RC_E_FULL, "no memory for a job's nodes");
    }
    free(nodes);
    free(comment);
    return err;
}

enum rc_err
rc_slurm_verb_jobs_include(void *arg, struct rc_reply *r, const struct rc_line *req,
                           struct rc_error *e)
{
    const char *node = rc_line_text(req, "node", "");
    char mark[RC_NODE_LEN + sizeof EXCLUDE_MARK];
    job_info_msg_t *msg = NULL;
    enum rc_err err = RC_OK;
    uint32_t count = 0;

    (void)arg;
    if (!*node || strlen(node) >= RC_NODE_LEN) {
        return rc_fail(e, RC_E_INVALID, "node: expected a node's name");
    }
    (void)snprintf(mark, sizeof mark, EXCLUDE_MARK "%s", node);
    if (slurm_load_jobs(0, &msg, SHOW_ALL | SHOW_DETAIL) != SLURM_SUCCESS) {
        return rc_slurm_fail(e, "reading the jobs");
    }
    for (uint32_t i = 0; i < msg->record_count && !rc_slurm_gone(err); i++) {
        const slurm_job_info_t *job = &msg->job_array[i];

        if ((job->job_state & JOB_STATE_BASE) == JOB_PENDING &&
            find_word(job->admin_comment, mark)) {
            err = include_again(job, node, mark, e);
            count += err == RC_OK;
        }
    }
    slurm_free_job_info_msg(msg);
    if (rc_slurm_gone(err)) {
        return err;
    }
    struct rc_line_out *out = rc_reply_begin(r, "ok");
    rc_line_put_u64(out, "count", count); /* a job that has started meanwhile needs nothing */
    rc_reply_end(r);
    return RC_OK;
}

static enum rc_err
hold_job(const slurm_job_info_t *job, struct rc_error *e)
{
    uint32_t state = job->job_state & JOB_STATE_BASE;
    job_desc_msg_t desc;

    slurm_init_job_desc_msg(&desc);
    desc.job_id = job->job_id;
    if (state == JOB_PENDING) {
        desc.priority = 0;
        desc.alloc_sid = 0; /* an administrator's hold: its owner cannot release it */
    } else if (state < JOB_COMPLETE) {
        desc.requeue = 0;
    } else {
        return rc_fail(e, RC_E_NOT_FOUND, "job %u has ended", job->job_id);
    }
    return send_job_update(&desc, e);
}

enum rc_err
rc_slurm_verb_job_hold(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    uint32_t id = (uint32_t)rc_line_number(req, "job", UINT32_MAX - 1, 0);
    job_info_msg_t *msg = NULL;
    enum rc_err err = RC_OK;

    (void)arg;
    (void)r;
    if (id == 0) {
        return rc_fail(e, RC_E_INVALID, "job: expected a job's number");
    }
    if (slurm_load_job(&msg, id, SHOW_ALL) != SLURM_SUCCESS) {
        return errno == ESLURM_INVALID_JOB_ID ? rc_fail(e, RC_E_NOT_FOUND, "no job %u", id)
                                              : rc_slurm_fail(e, "reading a job");
    }
    for (uint32_t i = 0; i < msg->record_count && err == RC_OK; i++) {
        err = hold_job(&msg->job_array[i], e);
    }
    slurm_free_job_info_msg(msg);
    return err;
}

/* An update without a single field: slurmctld takes it, and saves after every update (22.05.8:
 * slurmctld/proc_req.c, _slurm_rpc_update_job). */
enum rc_err
rc_slurm_verb_job_save(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    uint32_t id = (uint32_t)rc_line_number(req, "job", UINT32_MAX - 1, 0);
    job_desc_msg_t desc;

    (void)arg;
    (void)r;
    if (id == 0) {
        return rc_fail(e, RC_E_INVALID, "job: expected a job's number");
    }
    slurm_init_job_desc_msg(&desc);
    desc.job_id = id;
    if (slurm_update_job(&desc) == SLURM_SUCCESS) {
        return RC_OK;
    }
    return errno == ESLURM_INVALID_JOB_ID || errno == ESLURM_ALREADY_DONE
               ? rc_fail(e, RC_E_NOT_FOUND, "no job %u", id)
               : rc_slurm_fail(e, "having the jobs saved");
}
