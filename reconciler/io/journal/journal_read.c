/* journal_read.c - see journal_read.h.
 *
 * The reader holds one segment open and one record in memory. It decides what a
 * bad place is by looking ahead: in the newest segment, bytes that do not check
 * and that no sound record follows are a torn tail, the rest of an append that
 * a kill or a power cut ended. If a sound record does follow, or the segment is
 * not the newest, bytes that were once whole have changed: that is an error.
 *
 * Failure mode: a power cut may, on a file system without ordered data, write
 * the end of an unsynced tail but not its middle. That too reads as corrupt, and
 * a person decides; the daemon can always start on an empty journal, because it
 * adopts what is in flight from the incident store and the world. */
#define _GNU_SOURCE
#include "reconciler/io/journal/journal_read.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/event.h"
#include "reconciler/io/journal/crc32c.h"
#include "reconciler/io/journal/segment.h"

struct rc_journal_reader {
    int dir_fd;
    int fd; /* the open segment, or -1 */
    char want_cluster[RC_CLUSTER_LEN];
    char cluster[RC_CLUSTER_LEN];
    uint64_t *first; /* of each segment */
    size_t count;
    size_t index;     /* the open segment */
    uint64_t segment; /* its number, as in its header */
    uint64_t size;
    uint64_t offset;   /* of the next record */
    uint64_t expected; /* its number */
    bool has_pending;  /* record was read ahead and not given out */
    struct rc_journal_record record;
    uint8_t *buf;
    size_t room;
    char file[RC_JOURNAL_FILE_LEN];
    struct rc_journal_tail tail;
    enum rc_err end; /* RC_OK while there is more to read */
    struct rc_error end_why;
};

static enum rc_err
read_at(struct rc_journal_reader *r, uint64_t offset, uint8_t *out, size_t len,
        struct rc_error *ret_err)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(r->fd, out + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return rc_fail(ret_err, RC_E_IO, "%s at offset %" PRIu64 ": %s", r->file, offset + done,
                           strerror(errno));
        }
        if (got == 0) { /* cut back by the writer since fstat */
            return rc_fail(ret_err, RC_E_TRUNCATED, "%s ends at offset %" PRIu64, r->file,
                           offset + done);
        }
        done += (size_t)got;
    }
    return RC_OK;
}

/* One more byte than asked for, so that a payload can get its NUL. */
static enum rc_err
make_payload_room(struct rc_journal_reader *r, size_t len, struct rc_error *ret_err)
{
    if (len < r->room) {
        return RC_OK;
    }
    free(r->buf);
    r->room = 0;
    r->buf = malloc(len + 1);
    if (!r->buf) {
        return rc_fail(ret_err, RC_E_FULL, "no memory for %zu bytes of %s", len, r->file);
    }
    r->room = len + 1;
    return RC_OK;
}

/* A sound record in p whose number may come at or after expected. A record with
 * a wrong number counts only at the very start, where the right one belongs. */
static bool
holds_sound_record(const uint8_t *p, size_t len, uint64_t expected)
{
    struct rc_record_head head;

    for (size_t at = 0; at + RC_JOURNAL_RECORD_OVERHEAD <= len; at++) {
        size_t rest = len - at - RC_JOURNAL_RECORD_OVERHEAD;
        if (!rc_record_head_decode(p + at, &head) || head.len > rest) {
            continue;
        }
        if (at > 0 &&
            (head.number < expected || head.number - expected > len / RC_JOURNAL_RECORD_OVERHEAD)) {
            continue;
        }
        size_t crc_at = at + RC_RECORD_HEAD_SIZE + head.len;
        if (rc_le32_get(p + crc_at) == rc_crc32c(0, p + at, crc_at - at)) {
            return true;
        }
    }
    return false;
}

/* The bytes from r->offset on do not check: torn tail or corruption? */
static enum rc_err
judge_bad_bytes(struct rc_journal_reader *r, const char *what, struct rc_error *ret_err)
{
    size_t len = (size_t)(r->size - r->offset);
    struct rc_error why;
    enum rc_err e;

    if (r->index + 1 < r->count) {
        return rc_fail(ret_err, RC_E_PARSE,
                       "%s: %s at offset %" PRIu64
                       " does not check, and this is not the newest segment",
                       r->file, what, r->offset);
    }
    e = make_payload_room(r, len, ret_err);
    if (!e) {
        e = read_at(r, r->offset, r->buf, len, &why);
    }
    if (e == RC_E_IO) {
        return rc_fail(ret_err, e, "%s", why.text);
    }
    if (!e && holds_sound_record(r->buf, len, r->expected)) {
        return rc_fail(ret_err, RC_E_PARSE,
                       "%s: %s at offset %" PRIu64 " does not check, but sound records follow",
                       r->file, what, r->offset);
    }
    if (e == RC_E_FULL) {
        return e;
    }
    memcpy(r->tail.file, r->file, sizeof r->tail.file);
    r->tail.offset = r->offset;
    r->tail.bytes = len;
    return rc_fail(ret_err, RC_E_NOT_FOUND, "the journal ends");
}

static enum rc_err
check_header(struct rc_journal_reader *r, struct rc_error *ret_err)
{
    uint8_t raw[RC_JOURNAL_HEADER_SIZE];
    struct rc_segment_header h;
    struct rc_error why;
    enum rc_err e = RC_E_TRUNCATED;

    if (r->size >= sizeof raw) {
        e = read_at(r, 0, raw, sizeof raw, ret_err);
        if (!e) {
            e = rc_segment_header_decode(raw, &h, &why);
        }
    }
    if (e == RC_E_TRUNCATED) {
        return judge_bad_bytes(r, "the header", ret_err);
    }
    if (e == RC_E_PARSE) {
        return rc_fail(ret_err, e, "%s: %s", r->file, why.text);
    }
    if (e) {
        return e;
    }
    if (h.first != r->first[r->index] || h.segment <= r->segment) {
        return rc_fail(ret_err, RC_E_PARSE,
                       "%s: the header is of segment %" PRIu64 " with first record %" PRIu64
                       ", expected one after segment %" PRIu64,
                       r->file, h.segment, h.first, r->segment);
    }
    if (r->want_cluster[0] && strcmp(h.cluster, r->want_cluster) != 0) {
        return rc_fail(ret_err, RC_E_FOREIGN, "%s is the journal of cluster \"%s\", not of \"%s\"",
                       r->file, h.cluster, r->want_cluster);
    }
    r->segment = h.segment;
    memcpy(r->cluster, h.cluster, sizeof r->cluster);
    r->offset = RC_JOURNAL_HEADER_SIZE;
    return RC_OK;
}

/* in_sequence: it must follow the segment that was read before. */
static enum rc_err
enter_segment(struct rc_journal_reader *r, size_t index, bool in_sequence, struct rc_error *ret_err)
{
    struct stat st;

    assert(index < r->count);
    if (in_sequence && r->first[index] != r->expected) {
        return rc_fail(ret_err, RC_E_PARSE,
                       "%s ends before record %" PRIu64
                       ", but the next segment begins with %" PRIu64,
                       r->file, r->expected, r->first[index]);
    }
    if (!in_sequence) {
        r->segment = 0;
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    r->index = index;
    r->offset = 0;
    r->expected = r->first[index];
    rc_segment_name(r->file, r->expected);
    r->fd = openat(r->dir_fd, r->file, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0 || fstat(r->fd, &st)) {
        return rc_fail(ret_err, RC_E_IO, "cannot open %s: %s", r->file, strerror(errno));
    }
    r->size = (uint64_t)st.st_size;
    return check_header(r, ret_err);
}

/* RC_E_TRUNCATED: no sound record with the expected number stands at r->offset. */
static enum rc_err
check_record(struct rc_journal_reader *r, struct rc_error *ret_err)
{
    uint8_t raw[RC_RECORD_HEAD_SIZE];
    uint64_t left = r->size - r->offset;
    struct rc_record_head head;
    enum rc_err e;

    if (left < RC_JOURNAL_RECORD_OVERHEAD) {
        return RC_E_TRUNCATED;
    }
    e = read_at(r, r->offset, raw, sizeof raw, ret_err);
    if (e) {
        return e;
    }
    if (!rc_record_head_decode(raw, &head) || head.number != r->expected ||
        head.len > left - RC_JOURNAL_RECORD_OVERHEAD) {
        return RC_E_TRUNCATED;
    }
    e = make_payload_room(r, (size_t)head.len + RC_RECORD_CRC_SIZE, ret_err);
    if (!e) {
        e = read_at(r, r->offset + sizeof raw, r->buf, (size_t)head.len + RC_RECORD_CRC_SIZE,
                    ret_err);
    }
    if (e) {
        return e;
    }
    uint32_t crc = rc_crc32c(rc_crc32c(0, raw, sizeof raw), r->buf, head.len);
    if (crc != rc_le32_get(r->buf + head.len)) {
        return RC_E_TRUNCATED;
    }
    r->buf[head.len] = '\0';
    r->record = (struct rc_journal_record){.number = head.number,
                                           .type = head.type,
                                           .len = head.len,
                                           .data = r->buf,
                                           .offset = r->offset,
                                           .file = r->file};
    return RC_OK;
}

static enum rc_err
next_record(struct rc_journal_reader *r, struct rc_error *ret_err)
{
    enum rc_err e;

    while (r->offset == r->size) {
        if (r->index + 1 == r->count) {
            return rc_fail(ret_err, RC_E_NOT_FOUND, "the journal ends");
        }
        e = enter_segment(r, r->index + 1, true, ret_err);
        if (e) {
            return e;
        }
    }
    e = check_record(r, ret_err);
    if (e == RC_E_TRUNCATED) {
        char what[40];
        snprintf(what, sizeof what, "record %" PRIu64, r->expected);
        return judge_bad_bytes(r, what, ret_err);
    }
    return e;
}

enum rc_err
rc_journal_reader_next(struct rc_journal_reader *r, struct rc_journal_record *ret_record,
                       struct rc_error *ret_err)
{
    if (!r->has_pending && !r->end) {
        r->end = next_record(r, &r->end_why);
    }
    if (!r->has_pending && r->end) {
        return rc_fail(ret_err, r->end, "%s", r->end_why.text);
    }
    r->has_pending = false;
    *ret_record = r->record;
    r->offset += RC_JOURNAL_RECORD_OVERHEAD + (uint64_t)r->record.len;
    r->expected++;
    return RC_OK;
}

/* A torn header is the end of the journal, not a failure to go there. */
static enum rc_err
go_to_segment(struct rc_journal_reader *r, size_t index, struct rc_error *ret_err)
{
    r->has_pending = false;
    memset(&r->tail, 0, sizeof r->tail);
    r->end = enter_segment(r, index, false, &r->end_why);
    if (r->end && r->end != RC_E_NOT_FOUND) {
        return rc_fail(ret_err, r->end, "%s", r->end_why.text);
    }
    return RC_OK;
}

enum rc_err
rc_journal_reader_to_newest_segment(struct rc_journal_reader *r, struct rc_error *ret_err)
{
    return go_to_segment(r, r->count - 1, ret_err);
}

enum rc_err
rc_journal_reader_to_snapshot(struct rc_journal_reader *r, unsigned back, struct rc_error *ret_err)
{
    enum rc_err e;

    for (size_t index = r->count; index-- > 0;) {
        e = go_to_segment(r, index, ret_err);
        if (e) {
            return e;
        }
        if (!r->end) {
            r->end = r->offset == r->size ? RC_E_NOT_FOUND : next_record(r, &r->end_why);
        }
        if (r->end == RC_E_NOT_FOUND) {
            continue; /* the newest segment was torn before its first record was whole */
        }
        if (r->end) {
            return rc_fail(ret_err, r->end, "%s", r->end_why.text);
        }
        if (r->record.type != RC_JOURNAL_SNAPSHOT) {
            continue;
        }
        if (back-- == 0) {
            r->has_pending = true;
            return RC_OK;
        }
    }
    e = go_to_segment(r, 0, ret_err);
    return e ? e : rc_fail(ret_err, RC_E_NOT_FOUND, "the journal holds no such snapshot");
}

enum rc_err
rc_journal_reader_open(const char *dir, const char *cluster, struct rc_journal_reader **ret_reader,
                       struct rc_error *ret_err)
{
    struct rc_journal_reader *r = calloc(1, sizeof *r);
    enum rc_err e;

    if (!r) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    r->fd = r->dir_fd = -1;
    if (cluster && !rc_text_set(r->want_cluster, sizeof r->want_cluster, cluster)) {
        e = rc_fail(ret_err, RC_E_INVALID, "cluster name \"%s\" is longer than %d characters",
                    cluster, RC_CLUSTER_LEN - 1);
        goto out;
    }
    e = rc_segment_list(dir, &r->first, &r->count, ret_err);
    if (e) {
        goto out;
    }
    if (!r->count) {
        e = rc_fail(ret_err, RC_E_NOT_FOUND, "%s holds no journal", dir);
        goto out;
    }
    r->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir_fd < 0) {
        e = rc_fail(ret_err, RC_E_IO, "cannot open %s: %s", dir, strerror(errno));
        goto out;
    }
    e = go_to_segment(r, 0, ret_err);
out:
    if (e) {
        rc_journal_reader_free(r);
        return e;
    }
    *ret_reader = r;
    return RC_OK;
}

void
rc_journal_reader_free(struct rc_journal_reader *r)
{
    if (!r) {
        return;
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    if (r->dir_fd >= 0) {
        close(r->dir_fd);
    }
    free(r->first);
    free(r->buf);
    free(r);
}

const struct rc_journal_tail *
rc_journal_reader_tail(const struct rc_journal_reader *r)
{
    return &r->tail;
}

const char *
rc_journal_reader_cluster(const struct rc_journal_reader *r)
{
    return r->cluster;
}
