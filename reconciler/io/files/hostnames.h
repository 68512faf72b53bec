/* hostnames.h - Slurm host lists as arrays of names, and back.
 *
 * Follows src/common/hostlist.c of Slurm 22.05: items are separated by commas,
 * blanks or tabs; the last bracket of an item ends it; brackets hold comma separated
 * numbers and ranges whose zero padding is that of the lower bound
 * ("gpu-[008-010]"); several brackets multiply ("rack[1-2]n[1-4]"). What Slurm takes
 * as a plain name in spite of a stray bracket is refused here. Order is kept: the
 * n-th address belongs to the n-th name. */
#ifndef RC_HOSTNAMES_H
#define RC_HOSTNAMES_H

#include <stddef.h>

#include "reconciler/io/fail.h"

enum { RC_HOSTNAMES_MAX = 65536 }; /* as MAX_RANGE in Slurm's hostlist.c */

/* Owned array of owned names; rc_hostnames_done() frees it. Zeroed = empty. */
struct rc_hostnames {
    char **name;
    size_t count;
};

/* Adds the names of list to *hosts. RC_E_PARSE (what is wrong, and where in the list) or
 * RC_E_TOO_LARGE; *hosts then holds what came before and is still to be freed. */
enum rc_err rc_hostnames_expand(const char *list, struct rc_hostnames *hosts, struct rc_error *e);
void rc_hostnames_add(struct rc_hostnames *hosts, const char *name);
void rc_hostnames_done(struct rc_hostnames *hosts);

/* The shortest list that expands to name[0 … count) in this order; free() it. */
char *rc_hostnames_compress(char *const *name, size_t count);

#endif
