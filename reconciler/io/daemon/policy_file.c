/* policy_file.c - see policy_file.h. Changes are seen by modification time and
 * inode each few seconds: editors and configuration management replace files. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policies/load.h"

enum { LOOK_EVERY_S = 2 };

struct stamp {
    struct timespec mtime;
    ino_t inode;
    off_t size;
};

struct rc_policy_file {
    struct rc_daemon *d;
    struct event *timer;
    struct stamp policy_stamp;
};

static struct stamp
stamp_of(const char *path)
{
    struct stat st;
    struct stamp stamp;

    memset(&stamp, 0, sizeof stamp);
    if (stat(path, &st) == 0) {
        stamp.mtime = st.st_mtim;
        stamp.inode = st.st_ino;
        stamp.size = st.st_size;
    }
    return stamp;
}

static bool
same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
           a->inode == b->inode && a->size == b->size;
}

static void
tell_errors(struct rc_daemon *d, const char *path, const struct rc_load_errors *errs)
{
    for (uint32_t i = 0; i < errs->count && i < RC_LOAD_ERRORS_MAX; i++) {
        rc_log_event(d->log, RC_LOG_ERROR, "policy", RC_LOG_NOTE, "refused",
                     RC_FIELDS(RC_TEXT("file", path), RC_INT("line_of_report", i + 1)), "%s",
                     errs->line[i]);
    }
}

static void
post_policy(struct rc_daemon *d, char *text)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &d->policy;
    rc_text_set(ev.code, sizeof ev.code, d->policy.name);
    free(d->policy_text);
    d->policy_text = text;
    rc_daemon_post(d, &ev);
}

static enum rc_err
load_policy(struct rc_policy_file *p, struct rc_error *e)
{
    struct rc_daemon *d = p->d;
    static struct rc_load_errors errs;
    struct rc_policy fresh;
    char *text = NULL;
    size_t len = 0;

    memset(&errs, 0, sizeof errs);
    memset(&fresh, 0, sizeof fresh);
    p->policy_stamp = stamp_of(d->config.policy);
    enum rc_err err = rc_load_file(d->config.policy, &text, &len, &errs);
    if (err == RC_OK) {
        err = rc_policy_load(d->config.policy, text, len, &fresh, &errs);
    }
    if (err != RC_OK) {
        tell_errors(d, d->config.policy, &errs);
        memcpy(&d->policy_errors, &errs, sizeof errs);
        free(text);
        return rc_fail(e, err, "%s", errs.count ? errs.line[0] : "the policy cannot be loaded");
    }
    memcpy(&d->policy, &fresh, sizeof fresh);
    d->policy_wall_ms = rc_wall_ms();
    memset(&d->policy_errors, 0, sizeof d->policy_errors);
    post_policy(d, text);
    return RC_OK;
}

static enum rc_err
post_cluster(struct rc_daemon *d, struct rc_error *e)
{
    struct rc_event ev;
    static struct rc_load_errors errs;
    char *text = NULL;
    size_t len = 0;

    memset(&errs, 0, sizeof errs);
    enum rc_err err = rc_load_file(d->config_path, &text, &len, &errs);
    if (err != RC_OK) {
        return rc_fail(e, err, "%s", errs.line[0]);
    }
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &d->config.cluster;
    rc_text_set(ev.code, sizeof ev.code, d->config.cluster.name);
    free(d->cluster_text);
    d->cluster_text = text;
    rc_daemon_post(d, &ev);
    return RC_OK;
}

enum rc_err
rc_policy_file_post_first(struct rc_policy_file *p, struct rc_error *e)
{
    enum rc_err err = post_cluster(p->d, e);

    return err == RC_OK ? load_policy(p, e) : err;
}

/* Only the core's part of the configuration changes without a restart. */
static void
reload_cluster(struct rc_daemon *d)
{
    static struct rc_load_errors errs;
    static struct rc_config fresh;
    struct rc_error e;

    memset(&errs, 0, sizeof errs);
    if (rc_config_load_file(d->config_path, &fresh, &errs) != RC_OK) {
        tell_errors(d, d->config_path, &errs);
        return;
    }
    if (memcmp(&fresh.cluster, &d->config.cluster, sizeof fresh.cluster) == 0) {
        return;
    }
    memcpy(&d->config.cluster, &fresh.cluster, sizeof fresh.cluster);
    if (post_cluster(d, &e) != RC_OK) {
        rc_log_failure(d->log, "config", &e, NULL);
    }
}

void
rc_policy_file_reload(struct rc_policy_file *p)
{
    struct rc_error e;

    reload_cluster(p->d);
    if (load_policy(p, &e) == RC_OK) {
        rc_log_event(p->d->log, RC_LOG_INFO, "policy", RC_LOG_NOTE, "loaded",
                     RC_FIELDS(RC_TEXT("policy", p->d->policy.name)), "policy in force");
    } else {
        rc_log_event(p->d->log, RC_LOG_ERROR, "policy", RC_LOG_NOTE, "kept",
                     RC_FIELDS(RC_TEXT("policy", p->d->policy.name)),
                     "the last good policy stays in force: %s", e.text);
    }
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
    struct rc_policy_file *p = arg;
    struct stamp now = stamp_of(p->d->config.policy);

    (void)fd;
    (void)what;
    if (now.inode && !same_stamp(&now, &p->policy_stamp)) {
        rc_policy_file_reload(p);
    }
}

struct rc_policy_file *
rc_policy_file_new(struct rc_daemon *d)
{
    struct rc_policy_file *p = calloc(1, sizeof *p);
    struct timeval every = {.tv_sec = LOOK_EVERY_S};

    if (!p) {
        return NULL;
    }
    p->d = d;
    p->timer = event_new(d->base, -1, EV_PERSIST, on_look, p);
    if (!p->timer || event_add(p->timer, &every) != 0) {
        rc_policy_file_free(p);
        return NULL;
    }
    return p;
}

void
rc_policy_file_free(struct rc_policy_file *p)
{
    if (p) {
        if (p->timer) {
            event_free(p->timer);
        }
        free(p);
    }
}
