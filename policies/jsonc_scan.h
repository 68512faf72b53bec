/* jsonc_scan.h - inside of the reader: the cursor and its scalars. Only for jsonc*.c. */
#ifndef RC_JSONC_SCAN_H
#define RC_JSONC_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/jsonc.h"

struct rc_jsonc_block {
    struct rc_jsonc_block *next;
    max_align_t data[];
};

struct rc_jsonc {
    struct rc_jsonc_block *blocks;
    struct rc_jsonc_value *root;
    char *file;
};

struct rc_jsonc_reader {
    struct rc_jsonc *doc;
    struct rc_load_errors *errs;
    const char *at;
    const char *end;
    uint32_t line;
    uint32_t column;
    uint32_t depth;
    enum rc_err err;
};

/* Zeroed memory that lives as long as the document, or NULL. */
void *rc_jsonc_take(struct rc_jsonc *doc, size_t size);

/* Complain where the cursor stands, or at a value; always false, so that a reading function
 * can return it. */
bool rc_jsonc_refuse(struct rc_jsonc_reader *r, enum rc_err err, const char *message);
bool rc_jsonc_refuse_at(struct rc_jsonc_reader *r, const struct rc_jsonc_value *v,
                        const char *message);
bool rc_jsonc_no_memory(struct rc_jsonc_reader *r);

bool rc_jsonc_is_at_end(const struct rc_jsonc_reader *r);
char rc_jsonc_peek(const struct rc_jsonc_reader *r); /* NUL at the end */
void rc_jsonc_step(struct rc_jsonc_reader *r);
bool rc_jsonc_skip(struct rc_jsonc_reader *r); /* blanks and comments */

/* These stand on the first byte and end behind the last. */
bool rc_jsonc_string(struct rc_jsonc_reader *r, const char **ret);
bool rc_jsonc_number(struct rc_jsonc_reader *r, struct rc_jsonc_value *v);
bool rc_jsonc_word(struct rc_jsonc_reader *r, struct rc_jsonc_value *v);

#endif
