/* controller_line.c - see controller_line.h. */
#include "reconciler/io/files/controller_line.h"

#include <stdlib.h>
#include <string.h>

enum rc_err
rc_controller_line_read(struct rc_controller_line *c, const struct rc_conf_tree *t, size_t i,
                        const struct rc_conf_text *text, const struct rc_conf_pair *pair,
                        struct rc_error *e)
{
    const char *value = text->s + pair->value;
    size_t len = pair->value_len;
    const char *open = memchr(value, '(', len);
    size_t host_len = open ? (size_t)(open - value) : len;

    memset(c, 0, sizeof *c);
    c->line = i;
    if (host_len == 0 || (open && (value[len - 1] != ')' || host_len + 2 == len))) {
        return rc_conf_fail(t, &t->line[i], RC_E_PARSE, e,
                            "SlurmctldHost: \"%.*s\" is neither a name nor name(address)", (int)len,
                            value);
    }
    c->raw_start = text->at[pair->value];
    c->raw_end = text->at[pair->value + len - 1] + 1;
    c->host = rc_copy(value, host_len);
    c->addr = open ? rc_copy(open + 1, len - host_len - 2) : rc_copy(value, host_len);
    return RC_OK;
}

void
rc_controller_line_done(struct rc_controller_line *c)
{
    free(c->host);
    free(c->addr);
    memset(c, 0, sizeof *c);
}

char *
rc_controller_line_rewrite(const struct rc_controller_line *c, const struct rc_conf_tree *t,
                           const char *addr)
{
    const struct rc_conf_line *l = &t->line[c->line];
    const char *raw = t->file[l->file].bytes;
    struct rc_text out = {0};

    rc_text_add(&out, raw + l->start, c->raw_start - l->start);
    rc_text_printf(&out, "%s(%s)", c->host, addr);
    rc_text_add(&out, raw + c->raw_end, l->end - c->raw_end);
    return out.s;
}

void
rc_controller_line_meaning(const struct rc_controller_line *c, const struct rc_conf_tree *t,
                           const char *addr, struct rc_text *ret)
{
    const struct rc_conf_line *l = &t->line[c->line];
    const char *raw = t->file[l->file].bytes;

    rc_text_add(ret, raw + l->start, c->raw_start - l->start);
    rc_text_printf(ret, "\n[controller %s]\naddr %s\n", c->host, addr);
    rc_text_add(ret, raw + c->raw_end, l->end - c->raw_end);
}
