/* daemon_check.c - see daemon_check.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/daemon_check.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_WITHIN_S = 20, HELPERS_START_S = 1 };

struct check {
    struct rc_daemon *d;
    unsigned failed, waiting;
};

static void
result(struct check *c, bool good, const char *what, const char *text)
{
    printf("%-5s %s%s%s\n", good ? "ok" : "WRONG", what, *text ? ": " : "", text);
    c->failed += !good;
}

static void
check_file(struct check *c, const char *what, const char *path, int mode)
{
    char text[512] = "";

    if (!*path) {
        return;
    }
    if (access(path, mode) != 0) {
        snprintf(text, sizeof text, "%s: %s", path, strerror(errno));
    }
    result(c, !*text, what, text);
}

/* A folder that will be made needs a parent that we may write to. */
static void
check_folder(struct check *c, const char *what, const char *path)
{
    char copy[RC_CONFIG_PATH_LEN], text[512] = "";
    struct stat st;
    const char *dir = path;

    if (stat(path, &st) != 0) {
        snprintf(copy, sizeof copy, "%s", path);
        dir = dirname(copy);
    }
    if (access(dir, W_OK | X_OK) != 0) {
        snprintf(text, sizeof text, "%s: %s", dir, strerror(errno));
    }
    result(c, !*text, what, text);
}

static void
answered(struct check *c)
{
    if (--c->waiting == 0) {
        event_base_loopexit(c->d->base, NULL);
    }
}

static void
on_queue(const struct rc_sqs_attributes *a, void *arg)
{
    struct check *c = arg;

    result(c, a->error.code == RC_OK, "queue", a->error.code == RC_OK ? "" : a->error.text);
    answered(c);
}

static void
on_instances(const struct rc_ec2_done *done, void *arg)
{
    struct check *c = arg;
    char text[320] = "";

    if (done->error.code != RC_OK) {
        snprintf(text, sizeof text, "%s", done->error.text);
    } else if (!done->rows) {
        snprintf(text, sizeof text, "no instance carries the tag slurm-on-aws:cluster=%s",
                 c->d->config.cluster.name);
    }
    result(c, !*text, "ec2", text);
    answered(c);
}

static void
count_row(const struct rc_event *row, void *arg)
{
    (void)row; /* the count is all that is asked for */
    (void)arg;
}

static void
on_ping(void *arg, const struct rc_slurm_result *r)
{
    struct check *c = arg;

    result(c, r->err == RC_OK, "slurmctld", r->err == RC_OK ? "" : r->text);
    answered(c);
}

static void
ask_aws(struct check *c)
{
    struct rc_ec2_sink sink = {count_row, on_instances, c};
    struct rc_error e;

    if (rc_daemon_open_aws(c->d, &e) != RC_OK) {
        result(c, false, "aws", e.text);
        return;
    }
    c->waiting += rc_sqs_get_attributes(c->d->aws, c->d->config.queue.url, on_queue, c) == RC_OK;
    c->waiting += rc_ec2_describe_cluster(c->d->aws, &sink, NULL) == RC_OK;
}

/* Asked once the helpers have had time to start. */
static void
on_helpers_up(evutil_socket_t fd, short what, void *arg)
{
    struct check *c = arg;
    struct rc_slurm_call call = {.done = on_ping, .arg = c};

    (void)fd;
    (void)what;
    if (rc_slurm_ping(c->d->slurm, &call) != RC_OK) {
        result(c, false, "slurmctld", "the helper could not be asked");
        answered(c);
    }
}

static void
ask_slurm(struct check *c)
{
    struct timeval soon = {.tv_sec = HELPERS_START_S};
    struct rc_error e;

    if (rc_daemon_open_helpers(c->d, &e) != RC_OK) {
        result(c, false, "helpers", e.text);
        return;
    }
    rc_slurm_start(c->d->slurm);
    c->waiting += event_base_once(c->d->base, -1, EV_TIMEOUT, on_helpers_up, c, &soon) == 0;
}

int
rc_check(struct rc_daemon *d)
{
    struct check c = {.d = d};
    struct timeval limit = {.tv_sec = ANSWER_WITHIN_S};

    result(&c, true, "configuration", d->config_path);
    result(&c, true, "policy", d->config.policy);
    check_file(&c, "slurm.conf", d->config.slurm.conf, R_OK | W_OK);
    check_file(&c, "topology.conf", d->config.slurm.topology, R_OK | W_OK);
    check_file(&c, "hosts", d->config.slurm.hosts, R_OK | W_OK);
    check_file(&c, "reader", d->config.slurm.reader.program, X_OK);
    check_file(&c, "writer", d->config.slurm.writer.program, X_OK);
    check_file(&c, "registrar", d->config.slurm.registrar.program, X_OK);
    check_file(&c, "ssh key", d->config.ssh.key, R_OK);
    if (d->policy.gate.ssh && !*d->config.ssh.key) {
        result(&c, false, "ssh key", "the policy's gate wants ssh, but ssh.key is not given");
    }
    check_folder(&c, "journal", d->config.journal.dir);
    check_folder(&c, "incidents", d->config.incidents.path);
    ask_aws(&c);
    ask_slurm(&c);
    event_base_loopexit(d->base, &limit);
    if (c.waiting) {
        event_base_dispatch(d->base);
    }
    if (c.waiting) {
        result(&c, false, "answers", "not all came within 20 s");
    }
    rc_slurm_free(d->slurm);
    rc_helper_free(d->registrar);
    if (d->aws) {
        rc_aws_free(d->aws);
    }
    free(d->queue); /* rows that the poller posted meanwhile */
    return c.failed != 0;
}
