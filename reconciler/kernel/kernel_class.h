/* kernel_class.h - what does this kernel log line say?
 *
 * One line in, one class out. Each line is classified on its own; lines that belong
 * together ("cont:…", and the event they follow) are joined by whoever judges. A
 * class says what the line is, not what to do about it:
 *     xid:<n>[:detail]  sxid:<n>:fatal|nonfatal|unspecified  gpu-lost  gpu-init-fail
 *     aer:corrected|nonfatal|fatal|…  nvme:…  io-error  fs:…  oom…  mce:…  edac:ce|ue
 *     ghes:…  mem-failure…  ena:…  efa:…  ib:…  net:…  hung-task  soft-lockup  panic  …
 *     note:…  context, opens no event        cont:…  belongs to the event before it
 *     none    means nothing
 * The table of patterns, each with its source, is kernel_rules.c.
 *
 * Pure: no allocation, no I/O, no state. Any bytes of any length; only the first
 * RC_KERNEL_HEAD bytes of a message are looked at, so that the cost of a line does
 * not grow with it. What is cut off before it can be told apart gives "none". */
#ifndef RC_KERNEL_CLASS_H
#define RC_KERNEL_CLASS_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/kernel/kernel_prefix.h"

enum {
    RC_KERNEL_HEAD = 1024,
    RC_KERNEL_CLASS_LEN = 40,
    RC_KERNEL_DEVICE_LEN = 64,
    RC_KERNEL_DETAIL_LEN = 200,
};

struct rc_kernel_class {
    char name[RC_KERNEL_CLASS_LEN];
    char device[RC_KERNEL_DEVICE_LEN]; /* as the line has it, PCI addresses in lower case; or "" */
    struct rc_span detail;             /* the message; points into the line; empty for none */
};

/* A line with its prefixes. False, and name "none", when it means nothing. */
bool rc_kernel_classify(const char *line, size_t len, struct rc_kernel_class *ret);
/* A message without prefixes, known to be the kernel's. */
bool rc_kernel_classify_message(struct rc_span message, struct rc_kernel_class *ret);

/* The detail as one printable ASCII word group: control and high bytes are '?', tabs are
 * blanks, cut to fit. Returns its length. */
size_t rc_kernel_detail(const struct rc_kernel_class *c, char buf[RC_KERNEL_DETAIL_LEN]);

/* PCI addresses are written in several forms: "0000:10:1c", "0000:10:1c.0",
 * "00000000:10:1C.0". True when both are one device (functions must agree where both have one). */
bool rc_pci_same(const char *a, const char *b);

#endif
