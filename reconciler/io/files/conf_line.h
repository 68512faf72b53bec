/* conf_line.h - logical lines and key=value pairs of Slurm's configuration files.
 *
 * As src/common/parse_config.c of Slurm 22.05 reads them: in each physical line what
 * follows an unescaped '#' is a comment, also between quotes; an odd number of
 * backslashes at the end (blanks may follow) joins the next line to it; then "\x" becomes
 * "x". A pair is key, optional operator (- * + /), '=', and a value that is
 * quoted or free of blanks; blanks may stand around the '='. Pure. */
#ifndef RC_CONF_LINE_H
#define RC_CONF_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* One logical line. text[i] comes from raw byte at[i]; at[len] is where the text ends. The
 * comment, the line end and the backslashes are in the raw bytes only. */
struct rc_conf_text {
    char *s;
    size_t *at;
    size_t len;
    size_t room;
};

/* Reads the logical line that starts at raw[start]; returns the offset behind it. The struct may
 * be used again for the next line; rc_conf_text_done() frees. */
size_t rc_conf_text_read(struct rc_conf_text *t, const char *raw, size_t len, size_t start);
void rc_conf_text_done(struct rc_conf_text *t);

/* A pair, as offsets into the logical line. value excludes the quotes. */
struct rc_conf_pair {
    size_t key, key_len;
    size_t value, value_len;
    size_t end; /* behind the value and its closing quote */
};

/* The pair at or after from, which only blanks may precede; false when there is none. */
bool rc_conf_pair_next(const struct rc_conf_text *t, size_t from, struct rc_conf_pair *ret);
bool rc_conf_key_is(const struct rc_conf_text *t, const struct rc_conf_pair *p, const char *key);
/* Only blanks from here on? */
bool rc_conf_rest_is_blank(const struct rc_conf_text *t, size_t from);

#endif
