/* segment.c - see segment.h. */
#include "reconciler/io/journal/segment.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/journal/crc32c.h"

static const char magic[8] = RC_JOURNAL_MAGIC;

/* Offsets in the header. */
enum {
    AT_VERSION = 8,
    AT_SIZE = 12,
    AT_SEGMENT = 16,
    AT_FIRST = 24,
    AT_CREATED = 32,
    AT_CLUSTER = 40,
    AT_ZERO = AT_CLUSTER + RC_CLUSTER_LEN,
    AT_CRC = AT_ZERO + 4
};
_Static_assert(AT_CRC + 4 == RC_JOURNAL_HEADER_SIZE, "the header's size is part of the format");

static const char *const type_names[] = {
#define TYPE_NAME(type, name, payload) [type] = (name),
    RC_JOURNAL_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

const char *
rc_journal_type_name(enum rc_journal_type type)
{
    return (unsigned)type < RC_JOURNAL__MAX ? type_names[type] : "?";
}

uint32_t
rc_le32_get(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

void
rc_le32_put(uint8_t *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint64_t
le64_get(const uint8_t *in)
{
    return (uint64_t)rc_le32_get(in) | (uint64_t)rc_le32_get(in + 4) << 32;
}

static void
le64_put(uint8_t *out, uint64_t v)
{
    rc_le32_put(out, (uint32_t)v);
    rc_le32_put(out + 4, (uint32_t)(v >> 32));
}

void
rc_segment_name(char name[RC_JOURNAL_FILE_LEN], uint64_t first)
{
    snprintf(name, RC_JOURNAL_FILE_LEN, "journal-%020" PRIu64 ".rcj", first);
}

bool
rc_segment_name_parse(const char *name, uint64_t *ret_first)
{
    char again[RC_JOURNAL_FILE_LEN];
    char *end;

    if (strncmp(name, "journal-", 8) != 0 || name[8] < '0' || name[8] > '9') {
        return false;
    }
    errno = 0;
    unsigned long long first = strtoull(name + 8, &end, 10);
    if (errno || first == 0) {
        return false;
    }
    rc_segment_name(again, first);
    if (strcmp(name, again) != 0) {
        return false;
    }
    *ret_first = first;
    return true;
}

static int
compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

enum rc_err
rc_segment_list(const char *dir, uint64_t **ret_first, size_t *ret_count, struct rc_error *ret_err)
{
    DIR *d = opendir(dir);
    uint64_t *list = NULL, first;
    size_t count = 0, room = 0;
    struct dirent *entry;

    if (!d) {
        return rc_fail(ret_err, errno == ENOENT ? RC_E_NOT_FOUND : RC_E_IO,
                       "cannot read the journal directory %s: %s", dir, strerror(errno));
    }
    while ((entry = readdir(d))) {
        if (!rc_segment_name_parse(entry->d_name, &first)) {
            continue;
        }
        if (count == room) {
            room = room ? 2 * room : 16;
            uint64_t *bigger = realloc(list, room * sizeof *list);
            if (!bigger) {
                free(list);
                closedir(d);
                return rc_fail(ret_err, RC_E_FULL, "out of memory");
            }
            list = bigger;
        }
        list[count++] = first;
    }
    closedir(d);
    if (count) {
        qsort(list, count, sizeof *list, compare_numbers);
    }
    *ret_first = list;
    *ret_count = count;
    return RC_OK;
}

void
rc_segment_header_encode(uint8_t out[RC_JOURNAL_HEADER_SIZE], const struct rc_segment_header *h)
{
    memset(out, 0, RC_JOURNAL_HEADER_SIZE);
    memcpy(out, magic, sizeof magic);
    rc_le32_put(out + AT_VERSION, RC_JOURNAL_VERSION);
    rc_le32_put(out + AT_SIZE, RC_JOURNAL_HEADER_SIZE);
    le64_put(out + AT_SEGMENT, h->segment);
    le64_put(out + AT_FIRST, h->first);
    le64_put(out + AT_CREATED, (uint64_t)h->created_wall_ms);
    memcpy(out + AT_CLUSTER, h->cluster, RC_CLUSTER_LEN);
    rc_le32_put(out + AT_CRC, rc_crc32c(0, out, AT_CRC));
}

enum rc_err
rc_segment_header_decode(const uint8_t in[RC_JOURNAL_HEADER_SIZE], struct rc_segment_header *ret,
                         struct rc_error *ret_err)
{
    uint32_t version = rc_le32_get(in + AT_VERSION);

    if (memcmp(in, magic, sizeof magic) != 0 || in[AT_ZERO - 1] != 0 ||
        rc_le32_get(in + AT_CRC) != rc_crc32c(0, in, AT_CRC)) {
        return rc_fail(ret_err, RC_E_TRUNCATED, "the header does not check");
    }
    if (version != RC_JOURNAL_VERSION || rc_le32_get(in + AT_SIZE) != RC_JOURNAL_HEADER_SIZE) {
        return rc_fail(ret_err, RC_E_PARSE, "format version %" PRIu32 ", this release reads %d",
                       version, RC_JOURNAL_VERSION);
    }
    ret->segment = le64_get(in + AT_SEGMENT);
    ret->first = le64_get(in + AT_FIRST);
    ret->created_wall_ms = (int64_t)le64_get(in + AT_CREATED);
    memcpy(ret->cluster, in + AT_CLUSTER, RC_CLUSTER_LEN);
    return RC_OK;
}

void
rc_record_head_encode(uint8_t out[RC_RECORD_HEAD_SIZE], const struct rc_record_head *h)
{
    rc_le32_put(out, h->len);
    out[4] = (uint8_t)h->type;
    le64_put(out + 5, h->number);
}

bool
rc_record_head_decode(const uint8_t in[RC_RECORD_HEAD_SIZE], struct rc_record_head *ret)
{
    ret->len = rc_le32_get(in);
    ret->type = (enum rc_journal_type)in[4];
    ret->number = le64_get(in + 5);
    return ret->len <= RC_JOURNAL_PAYLOAD_MAX && in[4] > RC_JOURNAL_NONE && in[4] < RC_JOURNAL__MAX;
}
