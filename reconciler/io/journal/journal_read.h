/* journal_read.h - the journal's format on disk, and a reader for it.
 *
 * A journal is a directory of segments `journal-<first record number>.rcj`
 * (number in 20 decimal digits, so that names sort). All integers little endian.
 *
 *   segment = header | record …
 *   header  = magic "RCJRNL1\n" | version u32 | header size u32 | segment number u64
 *             | first record number u64 | created, Unix ms, i64 | cluster, 40 bytes,
 *             NUL padded | zero u32 | CRC-32C u32 of all before it
 *   record  = length of payload u32 | type u8 | number u64 | payload
 *             | CRC-32C u32 of all before it
 *
 * Record numbers start at 1 and grow by one, across segments too; segment numbers
 * grow. A segment
 * that follows a rotation begins with a SNAPSHOT: the state after all records
 * before it, so that a restart reads from the newest usable snapshot on.
 *
 * A last segment that ends inside a record has a torn tail: that is the end of
 * the journal (rc_journal_reader_tail tells what is left). Anything else that
 * does not check, and a bad record that a good one follows, is an error that
 * names file and offset; nothing is ever skipped.
 *
 * No libevent here: reconcilectl and the simulator read journals too. A journal
 * that is being written can be read at the same time. */
#ifndef RC_JOURNAL_READ_H
#define RC_JOURNAL_READ_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/limits.h"
#include "reconciler/io/fail.h"

/* X(enum, name, what the payload is) */
/* clang-format off */
#define RC_JOURNAL_TYPES(X) \
    X(RC_JOURNAL_NONE,     "none",     "not in a file") \
    X(RC_JOURNAL_EVENT,    "event",    "one line of record.h: something that the core was told") \
    X(RC_JOURNAL_ACTION,   "action",   "one line of record.h: the intent of an action") \
    X(RC_JOURNAL_SNAPSHOT, "snapshot", "the state block, opaque here") \
    X(RC_JOURNAL_TEXT,     "text",     "source text of a cluster file or policy") \
    X(RC_JOURNAL_MARK,     "mark",     "a note of the daemon, such as its start or stop")
/* clang-format on */

enum rc_journal_type {
#define RC_JOURNAL_TYPE_ENUM(type, name, payload) type,
    RC_JOURNAL_TYPES(RC_JOURNAL_TYPE_ENUM)
#undef RC_JOURNAL_TYPE_ENUM
        RC_JOURNAL__MAX
};
const char *rc_journal_type_name(enum rc_journal_type type);

#define RC_JOURNAL_MAGIC "RCJRNL1\n" /* eight bytes, with which a segment begins */

enum {
    RC_JOURNAL_VERSION = 1,
    RC_JOURNAL_HEADER_SIZE = 88,
    RC_JOURNAL_RECORD_OVERHEAD = 17,  /* record bytes beside the payload */
    RC_JOURNAL_PAYLOAD_MAX = 1 << 30, /* a state of 100,000 nodes is far below */
    RC_JOURNAL_FILE_LEN = 48          /* room for a segment's file name */
};

/* One record, borrowed from the reader until its next call. */
struct rc_journal_record {
    uint64_t number;
    enum rc_journal_type type;
    uint32_t len;
    const uint8_t *data; /* len bytes; a NUL follows, which is not part of them */
    uint64_t offset;     /* where the record begins in its segment */
    const char *file;    /* name of the segment, without directory */
};

/* What stands after the last whole record of the journal. bytes=0: nothing. */
struct rc_journal_tail {
    char file[RC_JOURNAL_FILE_LEN];
    uint64_t offset;
    uint64_t bytes;
};

struct rc_journal_reader;

/* Opens the journal in dir at its oldest record. cluster: refuse a journal of
 * another cluster with RC_E_FOREIGN; NULL takes any. RC_E_NOT_FOUND: no segment
 * there. On success *ret_reader is the caller's, who frees it. */
enum rc_err rc_journal_reader_open(const char *dir, const char *cluster,
                                   struct rc_journal_reader **ret_reader, struct rc_error *ret_err);
void rc_journal_reader_free(struct rc_journal_reader *r);

/* The next record. RC_E_NOT_FOUND: the end (a torn tail may stand there);
 * RC_E_PARSE: corrupt, with file and offset in ret_err; every further call
 * gives the same answer. */
enum rc_err rc_journal_reader_next(struct rc_journal_reader *r,
                                   struct rc_journal_record *ret_record, struct rc_error *ret_err);

/* Goes to the newest snapshot (back=0), the one before it (1), …: the next
 * record is that SNAPSHOT. RC_E_NOT_FOUND: there is no such snapshot, and the
 * reader stands at the oldest record. A caller that cannot use a snapshot (it
 * is of another release) tries the one before it. */
enum rc_err rc_journal_reader_to_snapshot(struct rc_journal_reader *r, unsigned back,
                                          struct rc_error *ret_err);

/* Goes to the oldest record of the newest segment. */
enum rc_err rc_journal_reader_to_newest_segment(struct rc_journal_reader *r,
                                                struct rc_error *ret_err);

/* Valid after rc_journal_reader_next() said RC_E_NOT_FOUND. offset=0 with a file
 * name: not even the header of that segment is whole. */
const struct rc_journal_tail *rc_journal_reader_tail(const struct rc_journal_reader *r);
/* Cluster name in the header of the oldest segment; lives as long as the reader. */
const char *rc_journal_reader_cluster(const struct rc_journal_reader *r);

#endif
