/* journal_open.c - a journal's beginning: lock, find the end, cut a torn tail.
 *
 * The newest segment is read whole, so that the end is known to be sound; older
 * ones are checked by whoever reads them. A newest segment whose header is not
 * whole is moved aside entirely, and the one before it is the newest again. */
#define _GNU_SOURCE
#include "reconciler/io/journal/journal_impl.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/event.h"

static const struct rc_journal_ops real_ops = {pwrite, ftruncate};

static enum rc_err
system_error(struct rc_error *ret_err, const char *what, const char *dir, const char *name)
{
    enum rc_err code = errno == EACCES || errno == EPERM ? RC_E_DENIED : RC_E_DISK;

    return rc_fail(ret_err, code, "cannot %s %s/%s: %s", what, dir, name, strerror(errno));
}

static enum rc_err
lock_directory(struct rc_journal *j, struct rc_error *ret_err)
{
    char pid[24] = "";

    j->dir_fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir_fd < 0) {
        return system_error(ret_err, "open", j->dir, "");
    }
    j->lock_fd = openat(j->dir_fd, "journal.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (j->lock_fd < 0) {
        return system_error(ret_err, "open", j->dir, "journal.lock");
    }
    if (flock(j->lock_fd, LOCK_EX | LOCK_NB)) {
        ssize_t got = pread(j->lock_fd, pid, sizeof pid - 1, 0);
        pid[got > 0 ? strcspn(pid, "\n") : 0] = '\0';
        return rc_fail(
            ret_err, RC_E_STATE,
            "the journal in %s is held by another process (pid %s): one writer at a time", j->dir,
            *pid ? pid : "unknown");
    }
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    /* The pid is a courtesy to whoever is refused; a full disk must not stop us here. */
    if (ftruncate(j->lock_fd, 0) == 0) {
        (void)!pwrite(j->lock_fd, pid, (size_t)len, 0);
    }
    return RC_OK;
}

static bool
copy_bytes(int from, uint64_t offset, uint64_t bytes, int to)
{
    char buf[65536];

    while (bytes) {
        size_t want = bytes < sizeof buf ? (size_t)bytes : sizeof buf;
        ssize_t got = pread(from, buf, want, (off_t)offset);
        if (got <= 0 || write(to, buf, (size_t)got) != got) {
            return false;
        }
        offset += (uint64_t)got;
        bytes -= (uint64_t)got;
    }
    return fsync(to) == 0;
}

/* Keeping it is best effort, for a person to look at: on a full disk the daemon
 * must start all the same, and the bytes were never acknowledged to anybody. */
static void
keep_torn_bytes(struct rc_journal *j, int fd, struct rc_journal_opened *found)
{
    const struct rc_journal_tail *torn = &found->torn;

    snprintf(found->torn_file, sizeof found->torn_file, "%s.%" PRIu64 ".torn", torn->file,
             torn->offset);
    int to = openat(j->dir_fd, found->torn_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (to < 0) {
        return;
    }
    found->torn_kept = copy_bytes(fd, torn->offset, torn->bytes, to);
    close(to);
    if (!found->torn_kept) {
        unlinkat(j->dir_fd, found->torn_file, 0);
    }
}

static enum rc_err
cut_torn_tail(struct rc_journal *j, struct rc_journal_opened *found, struct rc_error *ret_err)
{
    const char *name = found->torn.file;
    int fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC);
    enum rc_err e = RC_OK;

    if (fd < 0) {
        return system_error(ret_err, "open", j->dir, name);
    }
    keep_torn_bytes(j, fd, found);
    if (found->torn.offset == 0) {
        if (unlinkat(j->dir_fd, name, 0)) {
            e = system_error(ret_err, "remove", j->dir, name);
        }
    } else if (j->o.ops->ftruncate(fd, (off_t)found->torn.offset)) {
        e = system_error(ret_err, "cut the torn end of", j->dir, name);
    }
    if (!e && fsync(j->dir_fd)) {
        e = system_error(ret_err, "sync", j->dir, "");
    }
    close(fd);
    return e;
}

/* Reads the newest segment to its end. */
static enum rc_err
find_end(struct rc_journal *j, struct rc_journal_tail *ret_tail, struct rc_error *ret_err)
{
    struct rc_journal_reader *r;
    struct rc_journal_record record;
    enum rc_err e = rc_journal_reader_open(j->dir, j->cluster, &r, ret_err);

    if (e) {
        return e;
    }
    e = rc_journal_reader_to_newest_segment(r, ret_err);
    j->size = RC_JOURNAL_HEADER_SIZE;
    j->rotate_above = j->size + j->o.segment_bytes;
    while (!e) {
        e = rc_journal_reader_next(r, &record, ret_err);
        if (!e) {
            j->last = record.number;
            j->size = record.offset + RC_JOURNAL_RECORD_OVERHEAD + record.len;
        }
        if (!e && record.type == RC_JOURNAL_SNAPSHOT) {
            j->rotate_above = j->size + j->o.segment_bytes;
        }
    }
    *ret_tail = *rc_journal_reader_tail(r);
    rc_journal_reader_free(r);
    return e == RC_E_NOT_FOUND ? RC_OK : e;
}

static enum rc_err
open_newest(struct rc_journal *j, struct rc_error *ret_err)
{
    uint8_t raw[RC_JOURNAL_HEADER_SIZE];
    char name[RC_JOURNAL_FILE_LEN];
    struct rc_segment_header header;

    rc_segment_name(name, j->first);
    j->fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC);
    if (j->fd < 0 || pread(j->fd, raw, sizeof raw, 0) != (ssize_t)sizeof raw) {
        return system_error(ret_err, "open", j->dir, name);
    }
    enum rc_err e = rc_segment_header_decode(raw, &header, ret_err);
    if (!e) {
        j->segment = header.segment;
    }
    return e;
}

static enum rc_err
note_old_segments(struct rc_journal *j, const uint64_t *first, size_t count,
                  struct rc_error *ret_err)
{
    struct stat st;

    j->old = calloc(count, sizeof *j->old);
    if (!j->old) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    for (size_t i = 0; i + 1 < count; i++) {
        char name[RC_JOURNAL_FILE_LEN];
        rc_segment_name(name, first[i]);
        uint64_t bytes = fstatat(j->dir_fd, name, &st, 0) ? 0 : (uint64_t)st.st_size;
        j->old[j->old_count++] = (struct rc_journal_old){first[i], bytes};
    }
    return RC_OK;
}

static enum rc_err
begin_empty(struct rc_journal *j, struct rc_error *ret_err)
{
    enum rc_err e = rc_journal_make_segment(j, 1, NULL, 0, &j->fd, &j->size, ret_err);

    if (!e) {
        j->segment = j->first = 1;
        j->rotate_above = j->size + j->o.segment_bytes;
    }
    return e;
}

static enum rc_err
open_segments(struct rc_journal *j, struct rc_journal_opened *found, struct rc_error *ret_err)
{
    struct rc_journal_tail tail;
    uint64_t *first = NULL;
    size_t count = 0;
    enum rc_err e;

    for (;;) {
        e = rc_segment_list(j->dir, &first, &count, ret_err);
        if (e || !count) {
            free(first);
            return e ? e : begin_empty(j, ret_err);
        }
        j->first = first[count - 1];
        j->last = j->first - 1;
        e = find_end(j, &tail, ret_err);
        if (!e && tail.file[0]) {
            found->torn = tail;
            e = cut_torn_tail(j, found, ret_err);
        }
        if (e || !tail.file[0] || tail.offset > 0) {
            break;
        }
        free(first);
        first = NULL;
    }
    if (!e) {
        e = open_newest(j, ret_err);
    }
    if (!e) {
        e = note_old_segments(j, first, count, ret_err);
    }
    if (!e) {
        found->first = j->last >= first[0] ? first[0] : 0;
        found->last = found->first ? j->last : 0;
        found->segments = (uint32_t)count;
    }
    free(first);
    return e;
}

/* What an earlier life left behind: half-made segments, and torn ends of segments
 * that the retention has deleted. */
static void
remove_leftovers(struct rc_journal *j)
{
    uint64_t oldest = j->old_count ? j->old[0].first : j->first;
    DIR *d = opendir(j->dir);
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        char name[RC_JOURNAL_FILE_LEN];
        const char *end = strstr(entry->d_name, ".rcj.");
        uint64_t first;
        if (!end || (size_t)(end - entry->d_name) + 5 > sizeof name) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)(end - entry->d_name) + 4, entry->d_name);
        if (!rc_segment_name_parse(name, &first)) {
            continue;
        }
        const char *suffix = strrchr(entry->d_name, '.');
        if (strcmp(suffix, ".new") == 0 || (strcmp(suffix, ".torn") == 0 && first < oldest)) {
            unlinkat(j->dir_fd, entry->d_name, 0);
        }
    }
    if (d) {
        closedir(d);
    }
}

static enum rc_err
set_options(struct rc_journal *j, const struct rc_journal_options *options,
            struct rc_error *ret_err)
{
    j->o = *options;
    j->dir = strdup(options->dir);
    j->o.dir = j->dir;
    if (!j->dir) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    if (!options->cluster[0] || !rc_text_set(j->cluster, sizeof j->cluster, options->cluster)) {
        return rc_fail(ret_err, RC_E_INVALID, "cluster name \"%s\": expected 1 to %d characters",
                       options->cluster, RC_CLUSTER_LEN - 1);
    }
    if (!j->o.segment_bytes) {
        j->o.segment_bytes = (uint64_t)64 << 20;
    }
    if (!j->o.keep_segments) {
        j->o.keep_segments = 8;
    }
    if (!j->o.keep_bytes) {
        j->o.keep_bytes = (uint64_t)1 << 30;
    }
    if (!j->o.ops) {
        j->o.ops = &real_ops;
    }
    return RC_OK;
}

enum rc_err
rc_journal_open(const struct rc_journal_options *options, struct rc_journal **ret_journal,
                struct rc_journal_opened *ret_opened, struct rc_error *ret_err)
{
    struct rc_journal_opened found;
    struct rc_journal *j = calloc(1, sizeof *j);
    enum rc_err e;

    if (!j) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    memset(&found, 0, sizeof found);
    j->fd = j->old_fd = j->dir_fd = j->lock_fd = -1;
    j->tail = &j->head;
    e = set_options(j, options, ret_err);
    if (!e && mkdir(j->dir, 0750) && errno != EEXIST) {
        e = system_error(ret_err, "make", j->dir, "");
    }
    if (!e) {
        e = lock_directory(j, ret_err);
    }
    if (!e) {
        e = open_segments(j, &found, ret_err);
    }
    if (!e) {
        j->deferred = event_new(j->o.base, -1, 0, rc_journal_on_deferred, j);
        e = j->deferred ? RC_OK : rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    if (e) {
        rc_journal_destroy(j);
        return e;
    }
    remove_leftovers(j);
    *ret_journal = j;
    *ret_opened = found;
    return RC_OK;
}
