/* segment.h - the bytes of a segment: names, header and record head. Shared by
 * the reader and the writer; the format is described in journal_read.h. */
#ifndef RC_SEGMENT_H
#define RC_SEGMENT_H

#include <stdbool.h>

#include "reconciler/io/journal/journal_read.h"

enum { RC_RECORD_HEAD_SIZE = 13, RC_RECORD_CRC_SIZE = 4 };

struct rc_segment_header {
    uint64_t segment; /* 1, 2, … */
    uint64_t first;   /* number of its first record */
    int64_t created_wall_ms;
    char cluster[RC_CLUSTER_LEN];
};

struct rc_record_head {
    uint64_t number;
    uint32_t len;
    enum rc_journal_type type;
};

void rc_segment_name(char name[RC_JOURNAL_FILE_LEN], uint64_t first);
/* False when name is not a segment's. */
bool rc_segment_name_parse(const char *name, uint64_t *ret_first);

/* First record numbers of the segments in dir, ascending; free() *ret_first. */
enum rc_err rc_segment_list(const char *dir, uint64_t **ret_first, size_t *ret_count,
                            struct rc_error *ret_err);

void rc_segment_header_encode(uint8_t out[RC_JOURNAL_HEADER_SIZE],
                              const struct rc_segment_header *h);
/* RC_E_TRUNCATED: not a whole header with its checksum; RC_E_PARSE: a sound one of
 * another version. *ret is set on RC_OK only. */
enum rc_err rc_segment_header_decode(const uint8_t in[RC_JOURNAL_HEADER_SIZE],
                                     struct rc_segment_header *ret, struct rc_error *ret_err);

void rc_record_head_encode(uint8_t out[RC_RECORD_HEAD_SIZE], const struct rc_record_head *h);
/* False when type or length cannot be a record's. */
bool rc_record_head_decode(const uint8_t in[RC_RECORD_HEAD_SIZE], struct rc_record_head *ret);

uint32_t rc_le32_get(const uint8_t *in);
void rc_le32_put(uint8_t *out, uint32_t v);

#endif
