/* journal.c - see journal.h: append and sync.
 *
 * Invariants: [0, size) of the newest segment is header and whole records; the
 * number of the next record is last + 1; durable <= last. A refused append leaves
 * size where it was and is cut off again, before anything else is written.
 *
 * Failure modes. A write that fails (full, EIO, size limit) changes nothing, so
 * the caller may make the same append again. A failed fdatasync is different:
 * Linux then drops the dirty pages and the next fdatasync succeeds without them,
 * so the file is no longer to be trusted and only a new segment with a snapshot
 * of the whole state helps. */
#define _GNU_SOURCE
#include "reconciler/io/journal/journal_impl.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/journal/crc32c.h"

enum rc_err
rc_journal_write_all(const struct rc_journal *j, int fd, const void *data, size_t len, uint64_t at,
                     struct rc_error *ret_err)
{
    const uint8_t *p = data;

    for (size_t done = 0; done < len;) {
        ssize_t n = j->o.ops->pwrite(fd, p + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return rc_fail(ret_err, RC_E_DISK, "cannot write to the journal in %s: %s", j->o.dir,
                           n == 0 ? "nothing was written" : strerror(errno));
        }
        done += (size_t)n;
    }
    return RC_OK;
}

void
rc_journal_set_state(struct rc_journal *j, enum rc_journal_state state, const char *why)
{
    if (j->state == state) {
        return;
    }
    j->state = state;
    rc_fail(&j->state_why, state == RC_JOURNAL_GOOD ? RC_OK : RC_E_DISK, "%s", why);
    j->must_tell = true;
    event_active(j->deferred, EV_TIMEOUT, 0);
}

/* --- append ------------------------------------------------------------------ */

static size_t
encode_record(uint8_t *out, const struct rc_record_head *head, const void *data)
{
    size_t at = RC_RECORD_HEAD_SIZE;

    rc_record_head_encode(out, head);
    if (head->len) {
        memcpy(out + at, data, head->len);
    }
    at += head->len;
    rc_le32_put(out + at, rc_crc32c(0, out, at));
    return at + RC_RECORD_CRC_SIZE;
}

static enum rc_err
encode_batch(struct rc_journal *j, const struct rc_journal_item *items, unsigned count,
             size_t *ret_len, struct rc_error *ret_err)
{
    size_t need = 0, at = 0;

    for (unsigned i = 0; i < count; i++) {
        if (items[i].len > RC_JOURNAL_PAYLOAD_MAX) {
            return rc_fail(ret_err, RC_E_TOO_LARGE, "a record of %" PRIu32 " bytes is over %d",
                           items[i].len, RC_JOURNAL_PAYLOAD_MAX);
        }
        need += RC_JOURNAL_RECORD_OVERHEAD + (size_t)items[i].len;
    }
    if (need > j->scratch_room) {
        uint8_t *bigger = realloc(j->scratch, need);
        if (!bigger) {
            return rc_fail(ret_err, RC_E_FULL, "no memory for a journal record of %zu bytes", need);
        }
        j->scratch = bigger;
        j->scratch_room = need;
    }
    for (unsigned i = 0; i < count; i++) {
        struct rc_record_head head = {j->last + 1 + i, items[i].len, items[i].type};
        assert(head.type > RC_JOURNAL_NONE && head.type < RC_JOURNAL__MAX);
        assert(head.type != RC_JOURNAL_SNAPSHOT);
        at += encode_record(j->scratch + at, &head, items[i].data);
    }
    *ret_len = at;
    return RC_OK;
}

enum rc_err
rc_journal_clean_tail(struct rc_journal *j, struct rc_error *ret_err)
{
    if (j->is_tail_dirty && j->o.ops->ftruncate(j->fd, (off_t)j->size) != 0) {
        return rc_fail(ret_err, RC_E_DISK, "cannot cut the journal in %s back: %s", j->o.dir,
                       strerror(errno));
    }
    j->is_tail_dirty = false;
    return RC_OK;
}

enum rc_err
rc_journal_append(struct rc_journal *j, const struct rc_journal_item *items, unsigned count,
                  uint64_t *ret_last, struct rc_error *ret_err)
{
    struct rc_error why = {RC_OK, "", ""};
    size_t len = 0;
    enum rc_err e;

    assert(count > 0);
    if (j->state == RC_JOURNAL_SYNC_FAILED) {
        return rc_fail(ret_err, RC_E_STATE, "a sync of the journal in %s failed: rotate it first",
                       j->o.dir);
    }
    e = encode_batch(j, items, count, &len, ret_err);
    if (e) {
        return e;
    }
    e = rc_journal_clean_tail(j, &why);
    if (!e) {
        e = rc_journal_write_all(j, j->fd, j->scratch, len, j->size, &why);
        if (e) {
            struct rc_error ignored; /* a failure is met again at the next append */
            j->is_tail_dirty = true;
            rc_journal_clean_tail(j, &ignored);
        }
    }
    if (e) {
        rc_journal_set_state(j, RC_JOURNAL_WRITE_FAILED, why.text);
        return rc_fail(ret_err, e, "%s", why.text);
    }
    j->size += len;
    j->last += count;
    rc_journal_set_state(j, RC_JOURNAL_GOOD, "the journal takes records again");
    *ret_last = j->last;
    return RC_OK;
}

/* --- sync -------------------------------------------------------------------- */

static void
answer_sync_waiters(struct rc_journal *j, enum rc_err code, uint64_t up_to)
{
    struct rc_journal_waiter *served = NULL, **end = &served;

    /* Off the list first: a callback may sync again. */
    while (j->head && j->head->need <= up_to) {
        *end = j->head;
        end = &j->head->next;
        j->head = j->head->next;
    }
    *end = NULL;
    if (!j->head) {
        j->tail = &j->head;
    }
    while (served) {
        struct rc_journal_waiter *w = served;
        served = w->next;
        w->cb(w->arg, code, j->durable);
        free(w);
    }
}

static void
on_journal_synced(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct rc_journal *j = arg;

    j->is_syncing = false;
    if (j->is_closed) {
        rc_journal_destroy(j);
        return;
    }
    if (code == RC_OK) {
        if (j->old_fd >= 0 && j->syncing_segment == j->segment) {
            close(j->old_fd);
            j->old_fd = -1;
        }
        j->durable = j->syncing_last;
        if (j->synced_segment < j->syncing_segment) {
            j->synced_segment = j->syncing_segment;
            rc_journal_apply_retention(j);
        }
        answer_sync_waiters(j, RC_OK, j->durable);
    } else if (j->syncing_segment != j->segment) {
        /* The segment was replaced by a newer one meanwhile, whose snapshot holds all. */
        if (j->old_fd >= 0) {
            close(j->old_fd);
            j->old_fd = -1;
        }
    } else {
        if (code == RC_E_DISK) {
            rc_journal_set_state(j, RC_JOURNAL_SYNC_FAILED, err->text);
        }
        answer_sync_waiters(j, code, UINT64_MAX);
        return;
    }
    if (j->head || j->synced_segment < j->segment) {
        rc_journal_start_sync(j);
    }
}

void
rc_journal_start_sync(struct rc_journal *j)
{
    struct rc_error err;
    int fds[RC_SYNCER_FILES_MAX];
    unsigned count = 0;

    if (j->is_syncing || j->state == RC_JOURNAL_SYNC_FAILED) {
        return;
    }
    if (j->old_fd >= 0) {
        fds[count++] = j->old_fd;
    }
    fds[count++] = j->fd;
    if (j->synced_segment < j->segment) {
        fds[count++] = j->dir_fd;
    }
    j->syncing_last = j->last;
    j->syncing_segment = j->segment;
    if (rc_syncer_sync(j->o.syncer, fds, count, on_journal_synced, j, &err)) {
        event_active(j->deferred, EV_TIMEOUT, 0); /* no helper: the waiters are told so there */
        return;
    }
    j->is_syncing = true;
}

void
rc_journal_on_deferred(evutil_socket_t fd, short what, void *arg)
{
    struct rc_journal *j = arg;

    (void)fd;
    (void)what;
    if (j->must_tell) {
        struct rc_error why = j->state_why;
        j->must_tell = false;
        if (j->o.on_state) {
            j->o.on_state(j->o.on_state_arg, j->state, &why);
        }
    }
    answer_sync_waiters(j, RC_OK, j->durable);
    if (j->head && !j->is_syncing) {
        answer_sync_waiters(j, j->state == RC_JOURNAL_SYNC_FAILED ? RC_E_DISK : RC_E_HELPER,
                            UINT64_MAX);
    }
}

enum rc_err
rc_journal_sync(struct rc_journal *j, rc_journal_sync_fn *cb, void *arg, struct rc_error *ret_err)
{
    if (j->state == RC_JOURNAL_SYNC_FAILED) {
        return rc_fail(ret_err, RC_E_DISK, "a sync of the journal in %s failed: rotate it first",
                       j->o.dir);
    }
    struct rc_journal_waiter *w = calloc(1, sizeof *w);
    if (!w) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    *w = (struct rc_journal_waiter){.cb = cb, .arg = arg, .need = j->last};
    *j->tail = w;
    j->tail = &w->next;
    if (j->durable >= j->last) {
        event_active(j->deferred, EV_TIMEOUT, 0);
    } else {
        rc_journal_start_sync(j);
    }
    return RC_OK;
}

/* --- the rest ------------------------------------------------------------------- */

void
rc_journal_destroy(struct rc_journal *j)
{
    if (j->deferred) {
        event_free(j->deferred);
    }
    const int fds[] = {j->fd, j->old_fd, j->dir_fd, j->lock_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(j->old);
    free(j->scratch);
    free(j->dir);
    free(j);
}

void
rc_journal_close(struct rc_journal *j)
{
    if (!j) {
        return;
    }
    answer_sync_waiters(j, RC_E_CANCELLED, UINT64_MAX);
    close(j->lock_fd); /* the next writer need not wait for the answer to our last sync */
    j->lock_fd = -1;
    if (j->is_syncing) {
        j->is_closed = true;
    } else {
        rc_journal_destroy(j);
    }
}

enum rc_journal_state
rc_journal_state(const struct rc_journal *j)
{
    return j->state;
}

uint64_t
rc_journal_last(const struct rc_journal *j)
{
    return j->last;
}

uint64_t
rc_journal_durable(const struct rc_journal *j)
{
    return j->durable;
}

uint64_t
rc_journal_size(const struct rc_journal *j)
{
    return j->size;
}
