/* kernel_prefix.h - what stands before the message in a kernel log line.
 *
 * The same message is met in many wrappings: records of /dev/kmsg, dmesg in all
 * its time styles, journalctl, syslog (RFC 3164 and 5424), and stacks of these.
 * The reader takes them off one by one until something is left that is none.
 *
 * Who wrote the line matters as much as what it says: programs quote kernel
 * messages. A line that names another facility or another syslog identifier than
 * the kernel's is marked foreign; so is a syslog stamp without any identifier.
 *
 * Pure: no allocation, no I/O; any bytes may be given, results point into them. */
#ifndef RC_KERNEL_PREFIX_H
#define RC_KERNEL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the caller's line. */
struct rc_span {
    const char *at;
    size_t len;
};

/* Takes escape sequences of a terminal ("ESC[1;31m") out of the first RC_KERNEL_PLAIN bytes of a
 * line, in place; returns its length. dmesg and journalctl colour parts of a message. */
enum { RC_KERNEL_PLAIN = 2048 };
size_t rc_kernel_plain(char *line, size_t len);

/* The message behind all prefixes, without line end. False: not the kernel's own. */
bool rc_kernel_message(const char *line, size_t len, struct rc_span *ret);

/* A record as /dev/kmsg gives it: "prio,seq,usec,flags[,…];text\n[ KEY=value\n…]"
 * (Documentation/ABI/testing/dev-kmsg). prio holds facility * 8 + level. */
struct rc_kmsg {
    uint32_t prio;
    uint64_t seq;
    uint64_t usec; /* since boot */
    struct rc_span text;
};

/* False when it is no such record. */
bool rc_kmsg_parse(const char *record, size_t len, struct rc_kmsg *ret);
/* Facility 0. Only the kernel itself can write it: what user programs write to
 * /dev/kmsg is given LOG_USER (kernel/printk/printk.c, devkmsg_write). */
bool rc_kmsg_is_kernel(const struct rc_kmsg *k);

#endif
