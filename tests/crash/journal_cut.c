/* journal_cut - reads a recorded journal back when it was cut at every byte.
 *
 *   journal_cut CONFIG SEGMENT SCRATCH    cuts a copy of the segment in the folder SCRATCH
 *   journal_cut --offsets SEGMENT-DIR     one line a record: where it ends
 *
 * What was written whole must come back, the rest must be told as a torn tail: the state is
 * then the same as that of so many records of the uncut journal. Exit status 0: so it was. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reconciler/core/step.h"
#include "reconciler/io/daemon/daemon.h"
#include "reconciler/io/daemon/recover.h"
#include "reconciler/io/daemon/state_memory.h"
#include "reconciler/io/journal/journal_read.h"

enum { RECORDS_MAX = 20000 };

static struct rc_daemon the_daemon;
static uint64_t end_of[RECORDS_MAX]; /* offset behind record i */
static size_t records;

static bool
read_offsets(const char *dir)
{
    struct rc_journal_reader *reader;
    struct rc_journal_record r;
    struct rc_error e;

    if (rc_journal_reader_open(dir, NULL, &reader, &e) != RC_OK) {
        fprintf(stderr, "journal_cut: %s\n", e.text);
        return false;
    }
    while (records < RECORDS_MAX && rc_journal_reader_next(reader, &r, &e) == RC_OK) {
        end_of[records++] = r.offset + r.len + RC_JOURNAL_RECORD_OVERHEAD;
    }
    rc_journal_reader_free(reader);
    return records > 0;
}

static char *
read_whole(const char *path, size_t *ret_len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *data = fd >= 0 && fstat(fd, &st) == 0 ? malloc((size_t)st.st_size) : NULL;

    if (data && read(fd, data, (size_t)st.st_size) != st.st_size) {
        free(data);
        data = NULL;
    }
    *ret_len = data ? (size_t)st.st_size : 0;
    if (fd >= 0) {
        close(fd);
    }
    return data;
}

/* The state as the file tells it when it ends at this byte; NULL = it could not be read. */
static struct rc_state *
state_at(struct rc_daemon *d, int fd, const char *data, size_t at, struct rc_error *e)
{
    d->state = NULL;
    d->restored = false;
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, at, 0) != (ssize_t)at) {
        rc_fail(e, RC_E_IO, "the scratch file cannot be written");
        return NULL;
    }
    enum rc_err err = rc_recover_restore(d, e);
    struct rc_state *s = d->state;
    d->state = NULL;
    if (err != RC_OK) {
        rc_state_memory_free(s);
        return NULL;
    }
    return s;
}

/* From the end to the header, byte by byte: the state of the whole records, and no other. */
static int
cut_everywhere(struct rc_daemon *d, int fd, const char *data, size_t len)
{
    struct rc_state *whole = NULL;
    size_t failed = 0, left = records + 1;
    struct rc_error e;

    for (size_t at = len; at >= RC_JOURNAL_HEADER_SIZE && failed < 10; at--) {
        size_t before = left;
        while (left > records || (left && end_of[left - 1] > at)) {
            left--;
        }
        if (left != before) { /* the measure, read at the record's own end */
            rc_state_memory_free(whole);
            whole = state_at(d, fd, data, left ? end_of[left - 1] : RC_JOURNAL_HEADER_SIZE, &e);
        }
        struct rc_state *s = state_at(d, fd, data, at, &e);
        if (!s || !whole || s->bytes != whole->bytes || memcmp(s, whole, s->bytes) != 0) {
            printf("cut at byte %zu, after %zu records: %s\n", at, left,
                   s && whole ? "another state" : e.text);
            failed++;
        }
        rc_state_memory_free(s);
    }
    rc_state_memory_free(whole);
    printf("cut at %zu bytes, %zu records, %zu failed\n", len - RC_JOURNAL_HEADER_SIZE + 1, records,
           failed);
    return failed != 0;
}

int
main(int argc, char **argv)
{
    static struct rc_load_errors errs;
    struct rc_daemon *d = &the_daemon;
    struct rc_error e;
    size_t len;

    if (argc == 3 && strcmp(argv[1], "--offsets") == 0) {
        bool is_read = read_offsets(argv[2]);
        for (size_t i = 0; i < records; i++) {
            printf("%" PRIu64 "\n", end_of[i]);
        }
        return is_read ? 0 : 1;
    }
    if (argc != 4 || rc_config_load_file(argv[1], &d->config, &errs) != RC_OK ||
        rc_log_open("/dev/null", RC_LOG_ERROR, &d->log, &e) != RC_OK) {
        fprintf(stderr, "usage: journal_cut CONFIG SEGMENT SCRATCH\n");
        return 2;
    }
    const char *slash = strrchr(argv[2], '/');
    char path[600];
    snprintf(path, sizeof path, "%s/%s", argv[3], slash ? slash + 1 : argv[2]);
    char *data = read_whole(argv[2], &len);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = data && fd >= 0 && write(fd, data, len) == (ssize_t)len;
    rc_text_set(d->config.journal.dir, sizeof d->config.journal.dir, argv[3]);
    int status = good && read_offsets(argv[3]) ? cut_everywhere(d, fd, data, len) : 2;
    free(data);
    close(fd);
    rc_log_close(d->log);
    return status;
}
