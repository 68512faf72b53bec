/* bind_scalar.h - inside of bind.c: one value that is not an object nor a list of them. */
#ifndef RC_BIND_SCALAR_H
#define RC_BIND_SCALAR_H

#include "policies/bind.h"

/* Checks v against the row and stores it at out + row->offset, or complains. */
void rc_bind_scalar(struct rc_bind *b, const struct rc_bind_row *row,
                    const struct rc_jsonc_value *v, char *out);
/* Stores the row's default. A default that the row itself would refuse is a bug (assert). */
void rc_bind_default(struct rc_bind *b, const struct rc_bind_row *row, char *out);

/* Shortest text that the row takes: one that must be given is not empty. */
int rc_bind_length_min(const struct rc_bind_row *row);

#endif
