/* kernel_rules.h - between the table of patterns and the engine that runs it.
 *
 * A pattern is matched from the start of a text and need not reach its end:
 *     %b  PCI address, becomes the device     %d  decimal number
 *     %n  name without blank and ( ) : ,      %w  word without blank and :
 *         becomes the device            %r  the same, : too: a host's name or address
 *     *   anything, as little as possible     $   end of text, at the end of a pattern
 * Everything else stands for itself. */
#ifndef RC_KERNEL_RULES_H
#define RC_KERNEL_RULES_H

#include "reconciler/kernel/kernel_class.h"

/* Looks closer at a line that matched, from at (behind the match) to end: may add to
 * the name or say no, and the search goes on behind this row. The message begins at
 * ret->detail.at. */
typedef bool(rc_kernel_refine_fn)(const char *at, const char *end, struct rc_kernel_class *ret);

struct rc_kernel_rule {
    const char *pattern;
    const char *name;
    rc_kernel_refine_fn *refine; /* may be NULL */
    const char *source;          /* who prints it */
};

/* About messages "<driver> <PCI address>[ <name>]: <text>". */
struct rc_kernel_pci_rule {
    const char *driver; /* "nvidia", "mlx5*" = begins so, "" = any */
    const char *pattern;
    const char *name;
    rc_kernel_refine_fn *refine;
    const char *source;
};

/* Earlier rows win. The first table is sorted by the first byte of the pattern; the two
 * others end with a row whose name is NULL. */
extern const struct rc_kernel_rule rc_kernel_rules[];
extern const size_t rc_kernel_rule_count;
extern const struct rc_kernel_rule rc_kernel_any_rules[];
extern const struct rc_kernel_pci_rule rc_kernel_pci_rules[];

rc_kernel_refine_fn rc_kernel_xid, rc_kernel_sxid, rc_kernel_lost; /* kernel_gpu.c */
rc_kernel_refine_fn rc_kernel_severity, rc_kernel_received, rc_kernel_whose, rc_kernel_volume,
    rc_kernel_disk, rc_kernel_netdev, rc_kernel_ghes_severity; /* kernel_refine.c */

/* Matches; the end of the match, or NULL. device (may be NULL) takes %b and %n. */
const char *rc_kernel_match(const char *pattern, const char *at, const char *end, char *device);
/* Is word found between at and end? */
bool rc_kernel_has(const char *at, const char *end, const char *word);
/* Adds ":<text>" to the name, as far as there is room. */
void rc_kernel_add(struct rc_kernel_class *c, const char *text, size_t len);

#endif
