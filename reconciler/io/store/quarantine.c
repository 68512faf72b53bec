/* quarantine.c - see quarantine.h.
 *
 * Lines are appended and taken back when the disk refuses them, as in the
 * journal. Puts are answered when a sync that began after them has ended; one
 * sync serves all who wait. An index of ids stays in memory, bodies do not. A kill
 * between the file and the queue's delete brings a message again: the index says
 * which line may be the same one, the file decides.
 *
 * Failure modes: a kill in the middle of an append leaves a torn last line, which
 * is cut when the file is opened (the message is still in its queue). A line
 * that cannot be read anywhere else is an error and stays as it is. A line whose
 * sync failed may never reach the disk: its message is written again. */
#define _GNU_SOURCE
#include "reconciler/io/store/quarantine.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/core/state.h"
#include "reconciler/io/store/quarantine_line.h"

struct row {
    uint64_t id;
    uint64_t message_hash; /* of the queue's id; 0 = no line that a message may rely on */
    bool is_taken;
    bool is_old; /* stands in <path>.1 */
};

struct waiter {
    struct waiter *next;
    rc_quarantine_fn *cb;
    void *arg;
    uint64_t id;
};

struct rc_quarantine {
    struct rc_quarantine_options o;
    char *path, *old_path;
    int dir_fd;
    int fd;
    int old_fd; /* rotated away and not synced yet, or -1 */
    uint64_t size;
    bool is_tail_dirty; /* bytes of a refused line may stand after size */
    uint64_t last_id;
    struct row *rows; /* by id */
    size_t row_count, row_room;
    uint64_t dropped;
    struct waiter *head, **tail;
    struct event *deferred; /* waiters whose sync could not be asked for */
    bool is_syncing, is_closed;
    uint64_t syncing_id; /* the sync under way serves ids up to this */
    uint64_t synced_id;  /* up to this they are on the disk, or were read from it */
};

/* --- index --------------------------------------------------------------------------- */

static struct row *
find_row(const struct rc_quarantine *q, uint64_t id)
{
    size_t low = 0, high = q->row_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (q->rows[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < q->row_count && q->rows[low].id == id ? &q->rows[low] : NULL;
}

static uint64_t
message_hash(const char *message_id)
{
    return *message_id ? rc_hash_text(message_id) | 1 : 0;
}

static bool
add_row(struct rc_quarantine *q, uint64_t id, const char *message_id, bool is_old)
{
    if (q->row_count == q->row_room) {
        size_t room = q->row_room ? 2 * q->row_room : 64;
        struct row *bigger = realloc(q->rows, room * sizeof *bigger);
        if (!bigger) {
            return false;
        }
        q->rows = bigger;
        q->row_room = room;
    }
    q->rows[q->row_count++] =
        (struct row){.id = id, .message_hash = message_hash(message_id), .is_old = is_old};
    q->last_id = id;
    return true;
}

/* --- reading the files ------------------------------------------------------------------ */

/* Return RC_OK to go on; another code ends the scan with it. */
typedef enum rc_err(line_fn)(void *arg, const struct rc_quarantine_line *line, bool is_old,
                             struct rc_error *err);

/* *ret_end: where the last whole line ends. RC_E_NOT_FOUND: no such file. */
static enum rc_err
scan_file(const char *path, bool is_old, line_fn *fn, void *arg, uint64_t *ret_end,
          struct rc_error *err)
{
    struct rc_quarantine_line line;
    char *text = NULL;
    size_t room = 0, number = 0;
    struct rc_error why;
    enum rc_err e = RC_OK;
    ssize_t len;
    FILE *f = fopen(path, "re");

    if (!f) {
        return rc_fail(err, errno == ENOENT ? RC_E_NOT_FOUND : RC_E_IO, "cannot open %s: %s", path,
                       strerror(errno));
    }
    *ret_end = 0;
    while (!e && (len = getline(&text, &room, f)) > 0 && text[len - 1] == '\n') {
        number++;
        e = rc_quarantine_line_parse(text, (size_t)len - 1, &line, &why);
        if (e) {
            rc_fail(err, e, "%s line %zu: %s", path, number, why.text);
            break;
        }
        e = fn(arg, &line, is_old, &why);
        rc_quarantine_line_free(&line);
        if (e) {
            rc_fail(err, e, "%s line %zu: %s", path, number, why.text);
        }
        *ret_end += (uint64_t)len;
    }
    if (!e && ferror(f)) {
        e = rc_fail(err, RC_E_IO, "cannot read %s", path);
    }
    free(text);
    fclose(f);
    return e;
}

static enum rc_err
scan_both(struct rc_quarantine *q, line_fn *fn, void *arg, uint64_t *ret_end, struct rc_error *err)
{
    enum rc_err e = scan_file(q->old_path, true, fn, arg, ret_end, err);

    return e && e != RC_E_NOT_FOUND ? e : scan_file(q->path, false, fn, arg, ret_end, err);
}

static enum rc_err
index_line(void *arg, const struct rc_quarantine_line *line, bool is_old, struct rc_error *err)
{
    struct rc_quarantine *q = arg;

    if (line->item.taken) {
        struct row *row = find_row(q, line->item.id);
        if (row) { /* else its message was dropped with an older file */
            row->is_taken = true;
        }
        return RC_OK;
    }
    if (line->item.id <= q->last_id) {
        return rc_fail(err, RC_E_PARSE,
                       "id %" PRIu64 " after id %" PRIu64 ", expected a larger one", line->item.id,
                       q->last_id);
    }
    bool ok = add_row(q, line->item.id, line->item.message_id, is_old);
    return ok ? RC_OK : rc_fail(err, RC_E_FULL, "out of memory");
}

/* --- appending ---------------------------------------------------------------------------- */

static enum rc_err
append_line(struct rc_quarantine *q, const char *line, struct rc_error *err)
{
    size_t len = strlen(line), done = 0;

    if (q->is_tail_dirty && ftruncate(q->fd, (off_t)q->size)) {
        return rc_fail(err, RC_E_DISK, "cannot cut %s back: %s", q->path, strerror(errno));
    }
    q->is_tail_dirty = false;
    while (done < len) {
        ssize_t n = pwrite(q->fd, line + done, len - done, (off_t)(q->size + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            rc_fail(err, RC_E_DISK, "cannot write to %s: %s", q->path, strerror(errno));
            q->is_tail_dirty = ftruncate(q->fd, (off_t)q->size) != 0;
            return RC_E_DISK;
        }
        done += (size_t)n;
    }
    q->size += len;
    return RC_OK;
}

/* The older file is lost here, by the operator's limit: what was not taken is counted. */
static enum rc_err
rotate_lines(struct rc_quarantine *q, struct rc_error *err)
{
    size_t kept = 0;

    if (rename(q->path, q->old_path)) {
        return rc_fail(err, RC_E_DISK, "cannot rename %s: %s", q->path, strerror(errno));
    }
    int fd = open(q->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        enum rc_err e = rc_fail(err, RC_E_DISK, "cannot make %s: %s", q->path, strerror(errno));
        return rename(q->old_path, q->path) ? RC_E_DISK : e;
    }
    for (size_t i = 0; i < q->row_count; i++) {
        if (q->rows[i].is_old) {
            q->dropped += !q->rows[i].is_taken;
        } else {
            q->rows[kept] = q->rows[i];
            q->rows[kept++].is_old = true;
        }
    }
    q->row_count = kept;
    if (q->old_fd >= 0) {
        close(q->old_fd);
    }
    q->old_fd = q->fd;
    q->fd = fd;
    q->size = 0;
    q->is_tail_dirty = false;
    return RC_OK;
}

/* --- sync ---------------------------------------------------------------------------------- */

static void
answer_put_waiters(struct rc_quarantine *q, enum rc_err code, uint64_t up_to_id,
                   const struct rc_error *err)
{
    struct waiter *served = NULL, **end = &served;

    /* Off the list first: a callback may put again. */
    while (q->head && q->head->id <= up_to_id) {
        *end = q->head;
        end = &q->head->next;
        q->head = q->head->next;
    }
    *end = NULL;
    if (!q->head) {
        q->tail = &q->head;
    }
    while (served) {
        struct waiter *w = served;
        served = w->next;
        w->cb(w->arg, code, w->id, err);
        free(w);
    }
}

static void
destroy_quarantine(struct rc_quarantine *q)
{
    if (q->deferred) {
        event_free(q->deferred);
    }
    const int fds[] = {q->fd, q->old_fd, q->dir_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    free(q->rows);
    free(q->path);
    free(q->old_path);
    free(q);
}

/* The kernel tells of a page that was not written once: a later sync proves nothing of it. */
static void
forget_unsynced(struct rc_quarantine *q)
{
    for (size_t i = q->row_count; i > 0 && q->rows[i - 1].id > q->synced_id; i--) {
        q->rows[i - 1].message_hash = 0;
    }
}

static void sync_lines(struct rc_quarantine *q);

static void
on_lines_synced(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct rc_quarantine *q = arg;

    q->is_syncing = false;
    if (q->is_closed) {
        destroy_quarantine(q);
        return;
    }
    if (code) {
        forget_unsynced(q);
    } else {
        q->synced_id = q->syncing_id;
    }
    answer_put_waiters(q, code, q->syncing_id, err);
    sync_lines(q);
}

static void
sync_lines(struct rc_quarantine *q)
{
    int fds[RC_SYNCER_FILES_MAX];
    unsigned count = 0;
    struct rc_error err;

    if (q->is_syncing || !q->head) {
        return;
    }
    if (q->old_fd >= 0) {
        fds[count++] = q->old_fd;
    }
    fds[count++] = q->fd;
    fds[count++] = q->dir_fd;
    q->syncing_id = q->last_id;
    if (rc_syncer_sync(q->o.syncer, fds, count, on_lines_synced, q, &err)) {
        event_active(q->deferred, EV_TIMEOUT, 0);
        return;
    }
    q->is_syncing = true;
    if (q->old_fd >= 0) { /* the request has its own duplicate */
        close(q->old_fd);
        q->old_fd = -1;
    }
}

static void
on_deferred(evutil_socket_t fd, short what, void *arg)
{
    struct rc_quarantine *q = arg;
    struct rc_error err;

    (void)fd;
    (void)what;
    if (!q->is_syncing) {
        rc_fail(&err, RC_E_HELPER, "the sync helper cannot be started");
        answer_put_waiters(q, RC_E_HELPER, UINT64_MAX, &err);
    }
}

/* --- calls ----------------------------------------------------------------------------------- */

static int64_t
quarantine_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct wanted {
    struct rc_quarantine *q;
    rc_quarantine_row_fn *row;
    void *arg;
    uint64_t id; /* 0 = all */
    bool is_stopped;
};

static enum rc_err
show_line(void *arg, const struct rc_quarantine_line *line, bool is_old, struct rc_error *err)
{
    struct rc_quarantine_item item = line->item;
    struct wanted *w = arg;

    (void)is_old;
    (void)err;
    const struct row *row = find_row(w->q, item.id);
    if (item.taken || w->is_stopped || !row || (w->id && w->id != item.id)) {
        return RC_OK;
    }
    item.taken = row->is_taken;
    w->is_stopped = !w->row(w->arg, &item) || w->id;
    return RC_OK;
}

struct same {
    const struct rc_quarantine_item *item;
    uint64_t id; /* 0 = not found */
};

static bool
compare_message(void *arg, const struct rc_quarantine_item *item)
{
    struct same *s = arg;
    bool is_same = strcmp(item->message_id, s->item->message_id) == 0 &&
                   item->body_len == s->item->body_len &&
                   memcmp(item->body, s->item->body, item->body_len) == 0;

    s->id = is_same ? item->id : 0;
    return !is_same;
}

/* The line of this very message that is not taken, or 0. */
static uint64_t
find_same(struct rc_quarantine *q, const struct rc_quarantine_item *item)
{
    struct same s = {.item = item};
    uint64_t hash = message_hash(item->message_id), end;
    struct rc_error unread; /* then it is written a second time, which loses nothing */

    for (size_t i = 0; hash && !s.id && i < q->row_count; i++) {
        if (q->rows[i].message_hash == hash && !q->rows[i].is_taken) {
            struct wanted w = {.q = q, .row = compare_message, .arg = &s, .id = q->rows[i].id};
            (void)!scan_both(q, show_line, &w, &end, &unread);
        }
    }
    return s.id;
}

static enum rc_err
append_message(struct rc_quarantine *q, const struct rc_quarantine_item *item, struct rc_error *err)
{
    char *line = rc_quarantine_line_format(item);
    enum rc_err e = line ? RC_OK : rc_fail(err, RC_E_FULL, "out of memory");

    if (!e && q->size && q->size + strlen(line) > q->o.max_bytes) {
        e = rotate_lines(q, err);
    }
    if (!e && !add_row(q, item->id, item->message_id, false)) {
        e = rc_fail(err, RC_E_FULL, "out of memory");
    }
    if (!e) {
        e = append_line(q, line, err);
        q->row_count -= e != RC_OK;
    }
    free(line);
    return e;
}

enum rc_err
rc_quarantine_put(struct rc_quarantine *q, const struct rc_quarantine_item *item,
                  rc_quarantine_fn *cb, void *arg, struct rc_error *ret_err)
{
    struct rc_quarantine_item numbered = *item;
    struct waiter *w = calloc(1, sizeof *w);
    enum rc_err e = RC_OK;

    if (!w) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    numbered.id = find_same(q, item);
    if (!numbered.id) {
        numbered.id = q->last_id + 1;
        e = append_message(q, &numbered, ret_err);
    }
    if (e) {
        free(w);
        return e;
    }
    *w = (struct waiter){.cb = cb, .arg = arg, .id = numbered.id};
    *q->tail = w;
    q->tail = &w->next;
    sync_lines(q);
    return RC_OK;
}

enum rc_err
rc_quarantine_list(struct rc_quarantine *q, rc_quarantine_row_fn *row, void *arg,
                   struct rc_error *ret_err)
{
    struct wanted w = {.q = q, .row = row, .arg = arg};
    uint64_t end;

    return scan_both(q, show_line, &w, &end, ret_err);
}

enum rc_err
rc_quarantine_take(struct rc_quarantine *q, uint64_t id, rc_quarantine_row_fn *row, void *arg,
                   struct rc_error *ret_err)
{
    struct wanted w = {.q = q, .row = row, .arg = arg, .id = id};
    struct row *found = find_row(q, id);
    uint64_t end;

    if (!found) {
        return rc_fail(ret_err, RC_E_NOT_FOUND, "no message %" PRIu64 " in quarantine", id);
    }
    if (found->is_taken) {
        return rc_fail(ret_err, RC_E_STATE, "message %" PRIu64 " was replayed before", id);
    }
    char *line = rc_quarantine_line_format_taken(id, quarantine_wall_ms());
    enum rc_err e =
        line ? append_line(q, line, ret_err) : rc_fail(ret_err, RC_E_FULL, "out of memory");
    free(line);
    if (e) {
        return e;
    }
    found->is_taken = true;
    return scan_both(q, show_line, &w, &end, ret_err);
}

uint64_t
rc_quarantine_count(const struct rc_quarantine *q)
{
    uint64_t count = 0;

    for (size_t i = 0; i < q->row_count; i++) {
        count += !q->rows[i].is_taken;
    }
    return count;
}

uint64_t
rc_quarantine_dropped(const struct rc_quarantine *q)
{
    return q->dropped;
}

/* --- opening -------------------------------------------------------------------------------- */

static enum rc_err
open_files(struct rc_quarantine *q, struct rc_error *err)
{
    struct stat st;
    uint64_t end = 0;

    q->fd = open(q->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (q->fd < 0 || fstat(q->fd, &st)) {
        return rc_fail(err, errno == EACCES ? RC_E_DENIED : RC_E_DISK, "cannot open %s: %s",
                       q->path, strerror(errno));
    }
    const char *slash = strrchr(q->path, '/');
    char *dir = slash ? strndup(q->path, (size_t)(slash - q->path) + 1) : strdup(".");
    q->dir_fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(dir);
    if (q->dir_fd < 0) {
        return rc_fail(err, RC_E_DISK, "cannot open the directory of %s", q->path);
    }
    enum rc_err e = scan_both(q, index_line, q, &end, err);
    if (!e && end < (uint64_t)st.st_size && ftruncate(q->fd, (off_t)end)) {
        e = rc_fail(err, RC_E_DISK, "cannot cut the torn line of %s: %s", q->path, strerror(errno));
    }
    q->size = end;
    q->synced_id = q->last_id;
    return e;
}

enum rc_err
rc_quarantine_open(const struct rc_quarantine_options *options,
                   struct rc_quarantine **ret_quarantine, struct rc_error *ret_err)
{
    struct rc_quarantine *q = calloc(1, sizeof *q);

    if (!q) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    q->o = *options;
    q->fd = q->old_fd = q->dir_fd = -1;
    q->tail = &q->head;
    if (!q->o.max_bytes) {
        q->o.max_bytes = (uint64_t)64 << 20;
    }
    q->path = strdup(options->path);
    if (asprintf(&q->old_path, "%s.1", options->path) < 0) {
        q->old_path = NULL;
    }
    q->deferred = event_new(options->base, -1, 0, on_deferred, q);
    enum rc_err e = q->path && q->old_path && q->deferred
                        ? open_files(q, ret_err)
                        : rc_fail(ret_err, RC_E_FULL, "out of memory");
    if (e) {
        destroy_quarantine(q);
        return e;
    }
    *ret_quarantine = q;
    return RC_OK;
}

void
rc_quarantine_close(struct rc_quarantine *q)
{
    struct rc_error err;

    if (!q) {
        return;
    }
    rc_fail(&err, RC_E_CANCELLED, "the quarantine is closed");
    answer_put_waiters(q, RC_E_CANCELLED, UINT64_MAX, &err);
    if (q->is_syncing) {
        q->is_closed = true;
    } else {
        destroy_quarantine(q);
    }
}
