/* journal_rotate.c - new segments, and the end of old ones.
 *
 * A segment is written under another name and renamed when header and snapshot
 * are whole, so a kill leaves either no new segment or a sound one. Old ones are
 * deleted only when the new one, its name included, is on the disk. */
#define _GNU_SOURCE
#include "reconciler/io/journal/journal_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/journal/crc32c.h"

static int64_t
segment_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum rc_err
write_segment(const struct rc_journal *j, int fd, uint64_t first, const void *snapshot, size_t len,
              uint64_t *ret_size, struct rc_error *ret_err)
{
    uint8_t raw[RC_JOURNAL_HEADER_SIZE + RC_RECORD_HEAD_SIZE], crc[RC_RECORD_CRC_SIZE];
    struct rc_segment_header header = {
        .segment = j->segment + 1, .first = first, .created_wall_ms = segment_wall_ms()};
    struct rc_record_head head = {first, (uint32_t)len, RC_JOURNAL_SNAPSHOT};
    size_t raw_len = snapshot ? sizeof raw : RC_JOURNAL_HEADER_SIZE;
    uint8_t *record = raw + RC_JOURNAL_HEADER_SIZE;
    enum rc_err e;

    memcpy(header.cluster, j->cluster, sizeof header.cluster);
    rc_segment_header_encode(raw, &header);
    rc_record_head_encode(record, &head);
    e = rc_journal_write_all(j, fd, raw, raw_len, 0, ret_err);
    *ret_size = raw_len;
    if (e || !snapshot) {
        return e;
    }
    rc_le32_put(crc, rc_crc32c(rc_crc32c(0, record, RC_RECORD_HEAD_SIZE), snapshot, len));
    e = rc_journal_write_all(j, fd, snapshot, len, raw_len, ret_err);
    if (!e) {
        e = rc_journal_write_all(j, fd, crc, sizeof crc, raw_len + len, ret_err);
    }
    *ret_size = raw_len + len + sizeof crc;
    return e;
}

enum rc_err
rc_journal_make_segment(const struct rc_journal *j, uint64_t first, const void *snapshot,
                        size_t len, int *ret_fd, uint64_t *ret_size, struct rc_error *ret_err)
{
    char name[RC_JOURNAL_FILE_LEN], temporary[RC_JOURNAL_FILE_LEN + 8];
    enum rc_err e;

    rc_segment_name(name, first);
    snprintf(temporary, sizeof temporary, "%s.new", name);
    int fd = openat(j->dir_fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        return rc_fail(ret_err, RC_E_DISK, "cannot make %s/%s: %s", j->o.dir, temporary,
                       strerror(errno));
    }
    e = write_segment(j, fd, first, snapshot, len, ret_size, ret_err);
    if (!e && renameat(j->dir_fd, temporary, j->dir_fd, name)) {
        e = rc_fail(ret_err, RC_E_DISK, "cannot rename %s/%s: %s", j->o.dir, temporary,
                    strerror(errno));
    }
    if (e) {
        unlinkat(j->dir_fd, temporary, 0);
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return RC_OK;
}

bool
rc_journal_wants_rotation(const struct rc_journal *j)
{
    return j->state == RC_JOURNAL_SYNC_FAILED || j->size > j->rotate_above;
}

enum rc_err
rc_journal_rotate(struct rc_journal *j, const void *snapshot, size_t len, uint64_t *ret_number,
                  struct rc_error *ret_err)
{
    uint64_t number = j->last + 1, size;
    bool is_same_name = number == j->first; /* nothing was appended to this segment */
    enum rc_err e;
    int fd;

    assert(snapshot);
    if (len > RC_JOURNAL_PAYLOAD_MAX) {
        return rc_fail(ret_err, RC_E_TOO_LARGE, "a snapshot of %zu bytes is over %d", len,
                       RC_JOURNAL_PAYLOAD_MAX);
    }
    e = rc_journal_clean_tail(j, ret_err);
    if (e && j->state != RC_JOURNAL_SYNC_FAILED) {
        return e;
    }
    struct rc_journal_old *bigger = realloc(j->old, (j->old_count + 1) * sizeof *j->old);
    if (!bigger) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    j->old = bigger;
    e = rc_journal_make_segment(j, number, snapshot, len, &fd, &size, ret_err);
    if (e) {
        /* Not wanted again at once: a snapshot is large and the disk may be full. */
        j->rotate_above = j->size + j->o.segment_bytes / 8;
        return e;
    }
    if (!is_same_name) {
        j->old[j->old_count++] = (struct rc_journal_old){j->first, j->size};
    }
    if (j->old_fd >= 0) {
        close(j->old_fd); /* two rotations in one sync: the newer snapshot stands for it */
        j->old_fd = -1;
    }
    if (j->state == RC_JOURNAL_SYNC_FAILED || is_same_name) {
        close(j->fd);
    } else {
        j->old_fd = j->fd;
    }
    j->fd = fd;
    j->segment++;
    j->first = j->last = number;
    j->size = size;
    j->rotate_above = size + j->o.segment_bytes;
    j->is_tail_dirty = false;
    rc_journal_set_state(j, RC_JOURNAL_GOOD, "the journal goes on in a new segment");
    rc_journal_start_sync(j);
    *ret_number = number;
    return RC_OK;
}

void
rc_journal_apply_retention(struct rc_journal *j)
{
    uint64_t bytes = j->size;
    size_t gone = 0;

    for (size_t i = 0; i < j->old_count; i++) {
        bytes += j->old[i].bytes;
    }
    /* The newest old one stays: its snapshot is the way back if the newest is unusable. */
    for (; gone + 1 < j->old_count; gone++) {
        char name[RC_JOURNAL_FILE_LEN];
        if (j->old_count - gone < j->o.keep_segments && bytes <= j->o.keep_bytes) {
            break;
        }
        rc_segment_name(name, j->old[gone].first);
        if (unlinkat(j->dir_fd, name, 0) && errno != ENOENT) {
            break; /* tried again after the next rotation */
        }
        bytes -= j->old[gone].bytes;
    }
    if (gone) {
        j->old_count -= gone;
        memmove(j->old, j->old + gone, j->old_count * sizeof *j->old);
    }
}
