/* lease_file.c - see lease_file.h.
 *
 * A call is carried out in the next turn of the loop, inside the file's lock:
 * read, judge, replace. The lock is held for that moment only; while another
 * process has it the call tries again every few milliseconds. A new epoch is
 * synced before it is answered, a renewal is not: after a power cut the old
 * renewal of the same epoch is as good.
 *
 * Failure modes: a process that is stopped inside the lock stops every other,
 * so nobody acts (RC_E_TIMEOUT); rubbish in the file is never overwritten. */
#define _GNU_SOURCE
#include "reconciler/io/store/lease_file.h"

#include <sys/file.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/event.h"
#include "reconciler/io/store/lease_record.h"
#include "reconciler/io/store/store_file.h"

enum { LOCK_RETRY_MS = 5, LOCK_TRIES = 200 };

struct lease_file;
typedef enum rc_err(work_fn)(struct lease_file *l, int64_t now_ms, struct rc_error *err);

struct lease_file {
    struct rc_lease base;
    struct rc_lease_file_options o;
    char *path, *cluster;
    char *name, *lock_name; /* in dir_fd */
    int dir_fd;
    char owner[RC_NODE_LEN];
    char holder[RC_LEASE_HOLDER_LEN];
    struct rc_lease_watch watch;
    bool is_mine;
    struct rc_lease_record mine; /* as we wrote it last */
    int64_t until_ms;

    struct event *turn;
    work_fn *work; /* the call under way, or NULL */
    rc_lease_fn *cb;
    void *arg;
    unsigned tries;
    int64_t asked_ms; /* when it was asked: the safe side for until_ms */
};

/* --- the work, inside the lock --------------------------------------------------- */

/* RC_E_NOT_FOUND: there is no record yet. */
static enum rc_err
read_lease(struct lease_file *l, int64_t now_ms, struct rc_lease_record *ret, struct rc_error *err)
{
    char what[160];
    char *text = NULL;
    size_t len = 0;
    enum rc_err e = rc_store_read(l->dir_fd, l->name, &text, &len, err);

    if (e == RC_E_NOT_FOUND) {
        enum rc_err gone = rc_lease_watch_see(&l->watch, NULL, now_ms, err);
        return gone ? gone : e;
    }
    if (e) {
        return e;
    }
    snprintf(what, sizeof what, "lease record %.120s", l->path);
    e = rc_lease_record_parse(what, l->cluster, text, len, ret, err);
    free(text);
    return e ? e : rc_lease_watch_see(&l->watch, ret, now_ms, err);
}

static enum rc_err
write_lease(struct lease_file *l, const struct rc_lease_record *r, bool sync, struct rc_error *err)
{
    char *text = rc_lease_record_format(l->cluster, r);

    if (!text) {
        return rc_fail(err, RC_E_FULL, "out of memory");
    }
    enum rc_err e = rc_store_replace(l->dir_fd, l->name, text, sync, err);
    free(text);
    return e;
}

/* Is the record the one that this object wrote last? */
static bool
is_still_mine(const struct lease_file *l, const struct rc_lease_record *r)
{
    return l->is_mine && rc_lease_record_stands(&l->mine, r);
}

static void
take_lease(struct lease_file *l, const struct rc_lease_record *r, int64_t now_ms)
{
    struct rc_error ignored; /* cannot go back: it is newer than what was read */

    l->mine = *r;
    l->is_mine = r->held;
    l->until_ms = l->asked_ms + r->term_ms;
    rc_lease_watch_see(&l->watch, r, now_ms, &ignored);
}

static enum rc_err
acquire(struct lease_file *l, int64_t now_ms, struct rc_error *err)
{
    struct rc_lease_record r;
    enum rc_err e = read_lease(l, now_ms, &r, err);

    if (e && e != RC_E_NOT_FOUND) {
        return e;
    }
    if (e == RC_E_NOT_FOUND) {
        memset(&r, 0, sizeof r);
    } else if (r.held && !is_still_mine(l, &r)) {
        if (!rc_lease_record_is_of(&r, l->owner, l->holder) &&
            now_ms < rc_lease_watch_takeable_at_ms(&l->watch, l->o.grace_ms)) {
            l->is_mine = false;
            return rc_fail(err, RC_E_CONDITION, "the lease is held by %s", r.owner);
        }
    }
    e = rc_lease_record_take(&r, l->owner, l->holder, l->o.term_ms, err);
    e = e ? e : write_lease(l, &r, true, err);
    if (!e) {
        take_lease(l, &r, now_ms);
    }
    return e;
}

/* The record as it must still be for renewal and yield. */
static enum rc_err
read_mine(struct lease_file *l, int64_t now_ms, struct rc_lease_record *ret, struct rc_error *err)
{
    if (!l->is_mine || now_ms >= l->until_ms) {
        l->is_mine = false;
        return rc_fail(err, RC_E_NO_LEASE, "the lease is not held, or ran out before this call");
    }
    enum rc_err e = read_lease(l, now_ms, ret, err);
    if (e == RC_E_NOT_FOUND || (!e && !is_still_mine(l, ret))) {
        l->is_mine = false;
        return rc_fail(err, RC_E_NO_LEASE, "the lease was taken by %s", e ? "nobody" : ret->owner);
    }
    return e;
}

static enum rc_err
renew(struct lease_file *l, int64_t now_ms, struct rc_error *err)
{
    struct rc_lease_record r;
    enum rc_err e = read_mine(l, now_ms, &r, err);

    if (e) {
        return e;
    }
    r.renewal = rc_lease_next_renewal(r.renewal);
    r.term_ms = l->o.term_ms;
    e = write_lease(l, &r, false, err);
    if (!e) {
        take_lease(l, &r, now_ms);
    }
    return e;
}

static enum rc_err
yield(struct lease_file *l, int64_t now_ms, struct rc_error *err)
{
    struct rc_lease_record r;
    enum rc_err e = read_mine(l, now_ms, &r, err);

    if (e) {
        return e;
    }
    r.renewal = rc_lease_next_renewal(r.renewal);
    r.held = false;
    e = write_lease(l, &r, true, err);
    if (!e) {
        take_lease(l, &r, now_ms);
    }
    return e;
}

static enum rc_err
observe(struct lease_file *l, int64_t now_ms, struct rc_error *err)
{
    struct rc_lease_record r;
    enum rc_err e = read_lease(l, now_ms, &r, err);

    if (e == RC_E_NOT_FOUND || (!e && (!is_still_mine(l, &r) || now_ms >= l->until_ms))) {
        l->is_mine = false; /* a write whose answer was lost, or somebody else's */
    }
    return e;
}

/* --- calls ------------------------------------------------------------------------ */

static void
answer_lease(struct lease_file *l, enum rc_err code, const struct rc_error *err)
{
    struct rc_lease_info info;
    rc_lease_fn *cb = l->cb;

    rc_lease_watch_tell(&l->watch, l->is_mine, l->until_ms, l->o.grace_ms, &info);
    l->work = NULL; /* the callback may make the next call */
    cb(l->arg, code, &info, err);
}

/* -1: another process has it; -2: it cannot be made. */
static int
try_lock(const struct lease_file *l)
{
    int fd = openat(l->dir_fd, l->lock_name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

    if (fd < 0) {
        return -2;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
on_lease_turn(evutil_socket_t unused, short what, void *arg)
{
    const struct timeval retry = {.tv_usec = LOCK_RETRY_MS * 1000};
    struct rc_error err = {RC_OK, "", ""};
    struct lease_file *l = arg;
    enum rc_err e;

    (void)unused;
    (void)what;
    int fd = try_lock(l);
    if (fd == -1 && ++l->tries < LOCK_TRIES) {
        event_add(l->turn, &retry);
        return;
    }
    if (fd == -2) {
        e = rc_fail(&err, errno == EACCES ? RC_E_DENIED : RC_E_IO, "cannot open %s.lock: %s",
                    l->path, strerror(errno));
    } else if (fd < 0) {
        e = rc_fail(&err, RC_E_TIMEOUT, "another process holds %s.lock for longer than %d ms",
                    l->path, LOCK_RETRY_MS * LOCK_TRIES);
    } else {
        e = l->work(l, l->o.now_ms(l->o.now_arg), &err);
        close(fd);
    }
    answer_lease(l, e, &err);
}

static enum rc_err
begin(struct rc_lease *base, work_fn *work, rc_lease_fn *cb, void *arg)
{
    const struct timeval now = {0};
    struct lease_file *l = (struct lease_file *)base;

    if (l->work) {
        return RC_E_STATE;
    }
    l->work = work;
    l->cb = cb;
    l->arg = arg;
    l->tries = 0;
    l->asked_ms = l->o.now_ms(l->o.now_arg);
    event_add(l->turn, &now);
    return RC_OK;
}

static enum rc_err
begin_acquire(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return begin(l, acquire, cb, arg);
}

static enum rc_err
begin_renew(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return begin(l, renew, cb, arg);
}

static enum rc_err
begin_yield(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return begin(l, yield, cb, arg);
}

static enum rc_err
begin_observe(struct rc_lease *l, rc_lease_fn *cb, void *arg)
{
    return begin(l, observe, cb, arg);
}

static void
lease_file_free(struct rc_lease *base)
{
    struct lease_file *l = (struct lease_file *)base;
    struct rc_error err;

    if (l->work) {
        rc_fail(&err, RC_E_CANCELLED, "the lease is closed");
        answer_lease(l, RC_E_CANCELLED, &err);
    }
    if (l->turn) {
        event_free(l->turn);
    }
    if (l->dir_fd >= 0) {
        close(l->dir_fd);
    }
    free(l->path);
    free(l->name);
    free(l->lock_name);
    free(l->cluster);
    free(l);
}

static enum rc_err
open_directory(struct lease_file *l, struct rc_error *ret_err)
{
    const char *slash = strrchr(l->path, '/');
    char *dir =
        slash ? strndup(l->path, slash == l->path ? 1 : (size_t)(slash - l->path)) : strdup(".");
    enum rc_err e = RC_OK;

    l->name = strdup(slash ? slash + 1 : l->path);
    if (!dir || !l->name || asprintf(&l->lock_name, "%s.lock", l->name) < 0) {
        l->lock_name = NULL;
        e = rc_fail(ret_err, RC_E_FULL, "out of memory");
    } else {
        l->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (l->dir_fd < 0) {
            e = rc_fail(ret_err, RC_E_IO, "cannot open %s, where the lease is kept: %s", dir,
                        strerror(errno));
        }
    }
    free(dir);
    return e;
}

enum rc_err
rc_lease_file_new(const struct rc_lease_file_options *options, struct rc_lease **ret_lease,
                  struct rc_error *ret_err)
{
    static const struct rc_lease_ops ops = {begin_acquire, begin_renew, begin_yield, begin_observe,
                                            lease_file_free};

    enum rc_err e = rc_lease_options_check(options->term_ms, options->grace_ms, options->owner,
                                           options->holder, ret_err);
    struct lease_file *l = e ? NULL : calloc(1, sizeof *l);

    if (!l) {
        return e ? e : rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    l->base.ops = &ops;
    l->o = *options;
    if (!l->o.now_ms) {
        l->o.now_ms = rc_lease_boot_ms;
    }
    l->dir_fd = -1;
    l->path = strdup(options->path);
    l->cluster = strdup(options->cluster);
    l->turn = evtimer_new(options->base, on_lease_turn, l);
    rc_text_set(l->owner, sizeof l->owner, options->owner);
    rc_text_set(l->holder, sizeof l->holder, options->holder ? options->holder : "");
    e = l->path && l->cluster && l->turn ? open_directory(l, ret_err)
                                         : rc_fail(ret_err, RC_E_FULL, "out of memory");
    if (e) {
        lease_file_free(&l->base);
        return e;
    }
    *ret_lease = &l->base;
    return RC_OK;
}
