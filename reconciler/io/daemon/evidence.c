/* evidence.c - see evidence.h.
 *
 * Invariants: at most one PutObject is in flight; a bundle is marked as copied only after every
 * one of its files, the manifest last, was taken by S3, and only when it has not changed since. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/s3.h"
#include "reconciler/io/host/bundle.h"

enum { FILES_MAX = 16, LOOK_S = 600, RETRY_S = 15, RETRY_MAX_S = 900 };

struct rc_evidence {
    struct rc_daemon *d;
    struct event *timer;
    char bucket[RC_S3_BUCKET_LEN];
    char prefix[RC_S3_KEY_LEN];
    char bundle[NAME_MAX + 1];
    char file[FILES_MAX][NAME_MAX + 1];
    size_t files, at;
    uint32_t failures; /* in a row */
    bool busy;         /* a request is in flight */
    bool changed;      /* poked meanwhile: this bundle may have more to copy */
};

static void put_next(struct rc_evidence *v);

static void
look_in(struct rc_evidence *v, int seconds)
{
    const struct timeval after = {.tv_sec = seconds};

    evtimer_add(v->timer, &after);
}

static void
give_up_for_now(struct rc_evidence *v, const struct rc_error *error)
{
    int pause_s = RETRY_S << (v->failures < 6 ? v->failures : 6);

    v->failures++;
    rc_log_failure(v->d->log, "evidence", error,
                   RC_FIELDS(RC_TEXT("bundle", v->bundle), RC_TEXT("bucket", v->bucket)));
    look_in(v, pause_s < RETRY_MAX_S ? pause_s : RETRY_MAX_S);
}

static void
end_bundle(struct rc_evidence *v)
{
    char where[RC_S3_BUCKET_LEN + RC_S3_KEY_LEN + NAME_MAX + 16];
    struct rc_error e;

    (void)snprintf(where, sizeof where, "s3://%s/%s%s%s/", v->bucket, v->prefix,
                   *v->prefix ? "/" : "", v->bundle);
    if (v->changed) {
        look_in(v, 0);
        return;
    }
    if (rc_bundle_mark_copied(v->d->config.forensics.dir, v->bundle, where, &e) != RC_OK) {
        give_up_for_now(v, &e);
        return;
    }
    v->failures = 0;
    rc_log_event(v->d->log, RC_LOG_INFO, "evidence", RC_LOG_NOTE, "copied",
                 RC_FIELDS(RC_TEXT("bundle", v->bundle)), "%s", where);
    look_in(v, 0); /* there may be more */
}

static void
on_object_put(const struct rc_error *error, void *arg)
{
    struct rc_evidence *v = arg;

    v->busy = false;
    if (error->code != RC_OK) {
        give_up_for_now(v, error);
        return;
    }
    v->at++;
    if (v->at < v->files) {
        put_next(v);
    } else {
        end_bundle(v);
    }
}

static const char *
type_of_file(const char *file)
{
    const char *end = strrchr(file, '.');

    return end && strcmp(end, ".json") == 0  ? "application/json"
           : end && strcmp(end, ".gz") == 0  ? "application/gzip"
           : end && strcmp(end, ".txt") == 0 ? "text/plain; charset=utf-8"
                                             : "application/octet-stream";
}

static void
put_next(struct rc_evidence *v)
{
    const char *file = v->file[v->at];
    char key[RC_S3_KEY_LEN + 2 * NAME_MAX + 8];
    struct rc_s3_object object = {
        .bucket = v->bucket, .key = key, .content_type = type_of_file(file)};
    struct rc_error e;
    char *bytes = NULL;

    if (rc_bundle_read(v->d->config.forensics.dir, v->bundle, file, &bytes, &object.body_len, &e) !=
        RC_OK) {
        give_up_for_now(v, &e);
        return;
    }
    object.body = bytes;
    (void)snprintf(key, sizeof key, "%s%s%s/%s", v->prefix, *v->prefix ? "/" : "", v->bundle, file);
    enum rc_err err = rc_s3_put(v->d->aws, &object, on_object_put, v);
    free(bytes);
    if (err != RC_OK) {
        rc_fail(&e, err, "%.160s: it could not be sent", key);
        give_up_for_now(v, &e);
        return;
    }
    v->busy = true;
}

static void
on_evidence_timer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_evidence *v = arg;
    const char *dir = v->d->config.forensics.dir;

    (void)fd;
    (void)what;
    if (v->busy) {
        return;
    }
    v->changed = false;
    if (!rc_bundle_uncopied(dir, v->bundle)) {
        look_in(v, LOOK_S); /* another process may have left one */
        return;
    }
    v->files = rc_bundle_files(dir, v->bundle, v->file, FILES_MAX);
    v->at = 0;
    put_next(v);
}

struct rc_evidence *
rc_evidence_new(struct rc_daemon *d)
{
    struct rc_evidence *v = calloc(1, sizeof *v);

    if (!v) {
        return NULL;
    }
    v->d = d;
    v->timer = evtimer_new(d->base, on_evidence_timer, v);
    if (!v->timer) {
        free(v);
        return NULL;
    }
    if (!d->dry_run && rc_s3_parse(d->config.forensics.s3, v->bucket, v->prefix)) {
        look_in(v, 1);
    }
    return v;
}

void
rc_evidence_free(struct rc_evidence *v)
{
    if (v) {
        event_free(v->timer);
        free(v);
    }
}

void
rc_evidence_poke(struct rc_evidence *v)
{
    if (!*v->bucket) {
        return;
    }
    v->changed = true;
    if (!v->busy && !v->failures) {
        look_in(v, 0);
    }
}
