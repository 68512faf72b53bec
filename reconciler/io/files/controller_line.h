/* controller_line.h - one SlurmctldHost line, understood: "name" or "name(address)".
 *
 * Slurm takes the address from the brackets, and the name where there are none
 * (src/common/read_config.c, _parse_slurmctld_host()). The key must be the first of its line:
 * Slurm would also find it behind another one, and nobody writes it so. */
#ifndef RC_CONTROLLER_LINE_H
#define RC_CONTROLLER_LINE_H

#include <stddef.h>

#include "reconciler/io/files/conf_tree.h"

struct rc_controller_line {
    size_t line; /* in the tree */
    char *host;
    char *addr;
    size_t raw_start, raw_end; /* of the value, offsets in the file */
};

/* Reads line i of t, whose first key is SlurmctldHost (pair). Free with
 * rc_controller_line_done(), also after an error. */
enum rc_err rc_controller_line_read(struct rc_controller_line *c, const struct rc_conf_tree *t,
                                    size_t i, const struct rc_conf_text *text,
                                    const struct rc_conf_pair *pair, struct rc_error *e);
void rc_controller_line_done(struct rc_controller_line *c);

/* The bytes of the line with another address. free() the result. */
char *rc_controller_line_rewrite(const struct rc_controller_line *c, const struct rc_conf_tree *t,
                                 const char *addr);
/* Adds what the line means, with this address. */
void rc_controller_line_meaning(const struct rc_controller_line *c, const struct rc_conf_tree *t,
                                const char *addr, struct rc_text *ret);

#endif
