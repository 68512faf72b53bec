/* hosts_file.c - see hosts_file.h. */
#define _GNU_SOURCE
#include "reconciler/io/files/hosts_file.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/file_replace.h"
#include "reconciler/io/files/text_buf.h"

enum { TRIES_MAX = 5 };

/* Where the block stands in the file: [begin, end) with both marks; inside = the lines between. */
struct block {
    bool found;
    size_t begin, inside, inside_end, end;
};

struct wanted {
    const char *cluster;
    const struct rc_node_addr *set;
    size_t count;
};

static size_t
hosts_line_end(const struct rc_file *f, size_t start)
{
    const char *lf = memchr(f->bytes + start, '\n', f->len - start);

    return lf ? (size_t)(lf - f->bytes) + 1 : f->len;
}

/* Is the line the mark "# <word> slurm-on-aws <cluster>"? Blanks at its end may stand. */
static bool
is_mark(const char *line, size_t len, const char *word, const char *cluster)
{
    struct rc_text mark = {0};

    while (len > 0 && strchr(" \t\r\n", line[len - 1])) {
        len--;
    }
    rc_text_printf(&mark, "# %s slurm-on-aws %s", word, cluster);
    bool same = mark.len == len && memcmp(mark.s, line, len) == 0;
    free(mark.s);
    return same;
}

static bool
is_address(const char *s)
{
    unsigned char bin[16];

    return inet_pton(AF_INET, s, bin) == 1 || inet_pton(AF_INET6, s, bin) == 1;
}

static bool
is_host_name(const char *s)
{
    size_t good = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

    return good > 0 && good < 254 && s[good] == '\0';
}

/* Splits "addr name" in a copy of the line; false when it is anything else. free() *ret_addr only.
 */
static bool
split_entry(const char *line, size_t len, char **ret_addr, char **ret_name)
{
    char *copy = rc_copy(line, len), *save = NULL;
    char *addr = strtok_r(copy, " \t\r\n", &save);
    char *name = strtok_r(NULL, " \t\r\n", &save);

    *ret_addr = copy;
    *ret_name = name;
    if (addr && name && !strtok_r(NULL, " \t\r\n", &save) && is_address(addr) &&
        is_host_name(name)) {
        memmove(copy, addr, strlen(addr) + 1);
        return true;
    }
    free(copy);
    return false;
}

static enum rc_err
damaged(const struct rc_file *f, unsigned number, const char *why, struct rc_error *e)
{
    return rc_fail(e, RC_E_PARSE, "%s:%u: the slurm-on-aws block is damaged: %s", f->path, number,
                   why);
}

static enum rc_err
find_block(const struct rc_file *f, const char *cluster, struct block *b, struct rc_error *e)
{
    unsigned number = 1, begun = 0;
    bool inside = false;

    memset(b, 0, sizeof *b);
    for (size_t start = 0, end; start < f->len; start = end, number++) {
        char *addr, *name;
        const char *line = f->bytes + start;
        end = hosts_line_end(f, start);
        if (is_mark(line, end - start, "BEGIN", cluster)) {
            if (inside || b->found) {
                return damaged(f, number, "it begins twice", e);
            }
            inside = true;
            begun = number;
            b->begin = start;
            b->inside = end;
        } else if (is_mark(line, end - start, "END", cluster)) {
            if (!inside) {
                return damaged(f, number, "an end without a beginning", e);
            }
            inside = false;
            *b = (struct block){true, b->begin, b->inside, start, end};
        } else if (inside && split_entry(line, end - start, &addr, &name)) {
            free(addr);
        } else if (inside) {
            return damaged(f, number, "expected \"address name\" or the end mark", e);
        }
    }
    return inside ? damaged(f, begun, "it has no end", e) : RC_OK;
}

static const char *
wanted_host_addr(const struct wanted *w, const char *name)
{
    for (size_t i = 0; i < w->count; i++) {
        if (strcmp(w->set[i].node, name) == 0) {
            return w->set[i].addr;
        }
    }
    return NULL;
}

/* The lines of the block with the wanted addresses; a line that is right keeps its bytes. */
static void
write_entries(const struct rc_file *f, const struct block *b, const struct wanted *w,
              struct rc_text *out)
{
    bool *done = rc_grow(NULL, w->count, sizeof *done);

    memset(done, 0, w->count * sizeof *done);
    for (size_t start = b->inside, end; start < b->inside_end; start = end) {
        char *addr = NULL, *name = NULL;
        end = hosts_line_end(f, start);
        bool good = split_entry(f->bytes + start, end - start, &addr, &name);
        assert(good); /* find_block() looked */
        (void)good;
        const char *want = wanted_host_addr(w, name);
        for (size_t i = 0; i < w->count; i++) {
            done[i] = done[i] || strcmp(w->set[i].node, name) == 0;
        }
        if (want && strcmp(want, addr) != 0) {
            rc_text_printf(out, "%s %s\n", want, name);
        } else {
            rc_text_add(out, f->bytes + start, end - start);
        }
        free(addr);
    }
    for (size_t i = 0; i < w->count; i++) {
        if (!done[i]) {
            rc_text_printf(out, "%s %s\n", w->set[i].addr, w->set[i].node);
        }
    }
    free(done);
}

static void
write_hosts(const struct rc_file *f, const struct block *b, const struct wanted *w,
            struct rc_text *out)
{
    if (b->found) {
        rc_text_add(out, f->bytes, b->inside);
        write_entries(f, b, w, out);
        rc_text_add(out, f->bytes + b->inside_end, f->len - b->inside_end);
        return;
    }
    rc_text_add(out, f->bytes, f->len);
    if (f->len > 0 && f->bytes[f->len - 1] != '\n') {
        rc_text_puts(out, "\n");
    }
    rc_text_printf(out, "# BEGIN slurm-on-aws %s\n", w->cluster);
    write_entries(f, b, w, out);
    rc_text_printf(out, "# END slurm-on-aws %s\n", w->cluster);
}

/* Reads the result back as if it were the file: outside as it was, every wanted entry there. */
static enum rc_err
check_result(const struct rc_file *old, const struct block *was, const struct rc_text *text,
             const struct wanted *w, struct rc_error *e)
{
    struct rc_file now = *old;
    struct block b;
    size_t tail = was->found ? old->len - was->end : 0;
    size_t head = was->found ? was->begin : old->len;

    now.bytes = text->s;
    now.len = text->len;
    enum rc_err err = find_block(&now, w->cluster, &b, e);
    if (!err && (!b.found || b.begin < head || memcmp(now.bytes, old->bytes, head) != 0 ||
                 now.len - b.end != tail ||
                 memcmp(now.bytes + b.end, old->bytes + old->len - tail, tail) != 0)) {
        err = rc_fail(e, RC_E_INTERNAL, "the edited %s would lose other lines; refused", old->path);
    }
    struct rc_text again = {0};
    if (!err) {
        write_hosts(&now, &b, w, &again);
        if (again.len != now.len || memcmp(again.s, now.bytes, now.len) != 0) {
            err =
                rc_fail(e, RC_E_INTERNAL, "the edited %s would lack an entry; refused", old->path);
        }
    }
    free(again.s);
    return err;
}

static enum rc_err
check_hosts_request(const struct wanted *w, struct rc_error *e)
{
    if (!is_host_name(w->cluster)) {
        return rc_fail(e, RC_E_INVALID, "\"%.64s\" is not a cluster name", w->cluster);
    }
    for (size_t i = 0; i < w->count; i++) {
        if (!is_host_name(w->set[i].node) || !is_address(w->set[i].addr)) {
            return rc_fail(e, RC_E_INVALID, "\"%.64s %.64s\" is not a numeric address and a name",
                           w->set[i].addr, w->set[i].node);
        }
        if (wanted_host_addr(w, w->set[i].node) != w->set[i].addr) {
            return rc_fail(e, RC_E_INVALID, "host %.64s is given twice", w->set[i].node);
        }
    }
    return RC_OK;
}

static enum rc_err
try_hosts_edit(const struct rc_file *f, const struct wanted *w, bool *ret_changed,
               struct rc_error *e)
{
    struct rc_text out = {0};
    struct block b;
    enum rc_err err = find_block(f, w->cluster, &b, e);

    if (!err && memchr(f->bytes, '\0', f->len)) {
        err = rc_fail(e, RC_E_PARSE, "%s: NUL byte in a text file", f->path);
    }
    if (err) {
        return err;
    }
    write_hosts(f, &b, w, &out);
    *ret_changed = out.len != f->len || memcmp(out.s, f->bytes, f->len) != 0;
    if (*ret_changed) {
        err = check_result(f, &b, &out, w, e);
    }
    if (!err && *ret_changed) {
        err = rc_file_replace(f, out.s, out.len, e);
    }
    free(out.s);
    return err;
}

enum rc_err
rc_hosts_set(const char *path, const char *cluster, const struct rc_node_addr *set, size_t count,
             rc_file_changed_fn *told, void *arg, struct rc_error *e)
{
    struct wanted w = {cluster, set, count};
    enum rc_err err = check_hosts_request(&w, e);

    if (err) {
        return err;
    }
    err = RC_E_CONDITION;
    for (int tries = 0; tries < TRIES_MAX && err == RC_E_CONDITION; tries++) {
        struct rc_file f;
        bool changed = false;
        err = rc_file_read(path, &f, e);
        if (!err) {
            err = try_hosts_edit(&f, &w, &changed, e);
        }
        if (!err && told) {
            told(arg, f.path, changed);
        }
        rc_file_done(&f);
    }
    return err;
}

enum rc_err
rc_hosts_check(const char *path, const char *cluster, struct rc_error *e)
{
    struct rc_file f;
    struct block b;
    enum rc_err err = rc_file_read(path, &f, e);

    if (!err) {
        err = find_block(&f, cluster, &b, e);
        rc_file_done(&f);
    }
    return err;
}
