/* kmsg_reader.h - records of /dev/kmsg, one after the other.
 *
 * The device gives one record a read, from the oldest in the ring; EPIPE says that
 * records were overwritten before they were read. A pipe or file with the same records, one a
 * line, is read as well. Lines that begin with a blank (KEY=value of a record) are skipped. */
#ifndef RC_KMSG_READER_H
#define RC_KMSG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"
#include "reconciler/kernel/kernel_prefix.h"

enum { RC_KMSG_ROOM = 16384 }; /* a record of the kernel is below 8 KiB (CONSOLE_EXT_LOG_MAX) */

struct rc_kmsg_reader {
    int fd;            /* non-blocking; -1 = not open */
    uint64_t next_seq; /* expected; 0 = none was read yet */
    uint64_t lost;     /* records that were overwritten before they were read */
    bool skipping;     /* the rest of a line that was too long */
    size_t len;
    char buf[RC_KMSG_ROOM];
};

typedef void(rc_kmsg_fn)(void *arg, const struct rc_kmsg *record);

enum rc_err rc_kmsg_open(struct rc_kmsg_reader *r, const char *path, struct rc_error *e);
/* Hands out what is there, at most about max_records. False: the source has ended or
 * broken. *ret_more (may be NULL): there may be more at once. */
bool rc_kmsg_read(struct rc_kmsg_reader *r, uint32_t max_records, rc_kmsg_fn *fn, void *arg,
                  bool *ret_more);
void rc_kmsg_close(struct rc_kmsg_reader *r);

#endif
