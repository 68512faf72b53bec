/* node_line.c - see node_line.h. */
#include "reconciler/io/files/node_line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const list_keys[RC_LIST__MAX] = {
    [RC_LIST_NAME] = "NodeName",   [RC_LIST_ADDR] = "NodeAddr", [RC_LIST_HOSTNAME] = "NodeHostname",
    [RC_LIST_BCAST] = "BcastAddr", [RC_LIST_PORT] = "Port",
};

/* Fills one list from its value. The last one counts when a key stands twice, as in Slurm. */
static enum rc_err
read_list(struct rc_node_line *n, enum rc_node_list which, const struct rc_conf_text *text,
          const struct rc_conf_pair *p, struct rc_error *e)
{
    struct rc_node_value *list = &n->list[which];
    struct rc_text value = {0};

    if (p->value_len == 0) {
        return rc_fail(e, RC_E_PARSE, "the value is empty");
    }
    rc_hostnames_done(&list->v);
    list->raw_start = text->at[p->value];
    list->raw_end = text->at[p->value + p->value_len - 1] + 1;
    rc_text_add(&value, text->s + p->value, p->value_len);
    /* Slurm lets a list of ports do without its brackets. */
    if (which == RC_LIST_PORT && value.s[0] != '[' && strpbrk(value.s, "-,")) {
        value.len = 0;
        rc_text_printf(&value, "[%.*s]", (int)p->value_len, text->s + p->value);
    }
    enum rc_err err = rc_hostnames_expand(value.s, &list->v, e);
    free(value.s);
    return err;
}

static void
note_other(struct rc_node_line *n, const struct rc_conf_text *text, const struct rc_conf_pair *p)
{
    for (size_t i = p->key; i < p->key + p->key_len; i++) {
        char c = text->s[i];
        c = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        rc_text_add(&n->others, &c, 1);
    }
    /* From the operator on, so that Weight+=1 is not Weight=1. */
    rc_text_add(&n->others, text->s + p->key + p->key_len, p->end - p->key - p->key_len);
    rc_text_puts(&n->others, "\n");
}

/* Do the lists fit together as Slurm wants it? */
static enum rc_err
check_counts(const struct rc_node_line *n, const struct rc_conf_tree *t, struct rc_error *e)
{
    const struct rc_conf_line *l = &t->line[n->line];
    size_t names = n->list[RC_LIST_NAME].v.count;

    if (names == 0) {
        return rc_conf_fail(t, l, RC_E_PARSE, e, "NodeName is empty");
    }
    for (int i = RC_LIST_ADDR; i < RC_LIST__MAX; i++) {
        size_t count = n->list[i].v.count;
        if (n->is_default && i == RC_LIST_PORT) {
            continue;
        }
        if (count > 1 && (count < names || (i == RC_LIST_PORT && count != names))) {
            return rc_conf_fail(t, l, RC_E_PARSE, e, "%s has %zu values for %zu nodes",
                                list_keys[i], count, names);
        }
        if (n->is_default && count > 0) {
            return rc_conf_fail(t, l, RC_E_PARSE, e, "%s is not allowed with NodeName=DEFAULT",
                                list_keys[i]);
        }
    }
    return RC_OK;
}

enum rc_err
rc_node_line_read(struct rc_node_line *n, const struct rc_conf_tree *t, size_t i,
                  const struct rc_conf_text *text, struct rc_error *e)
{
    struct rc_conf_pair p;
    struct rc_error why;

    memset(n, 0, sizeof *n);
    n->line = i;
    rc_text_puts(&n->others, "");
    for (size_t from = 0; rc_conf_pair_next(text, from, &p); from = p.end) {
        int which = 0;
        while (which < RC_LIST__MAX && !rc_conf_key_is(text, &p, list_keys[which])) {
            which++;
        }
        if (which == RC_LIST__MAX) {
            note_other(n, text, &p);
            continue;
        }
        if (which == RC_LIST_NAME) {
            if (from > 0) {
                return rc_conf_fail(t, &t->line[i], RC_E_PARSE, e, "NodeName twice in a line");
            }
            n->raw_insert = text->at[p.end - 1] + 1;
            n->is_default = p.value_len == strlen("DEFAULT") &&
                            strncasecmp(text->s + p.value, "DEFAULT", p.value_len) == 0;
        }
        enum rc_err err = read_list(n, (enum rc_node_list)which, text, &p, &why);
        if (err) {
            return rc_conf_fail(t, &t->line[i], err, e, "%s: %s", list_keys[which], why.text);
        }
    }
    return check_counts(n, t, e);
}

void
rc_node_line_done(struct rc_node_line *n)
{
    for (int i = 0; i < RC_LIST__MAX; i++) {
        rc_hostnames_done(&n->list[i].v);
    }
    free(n->others.s);
    memset(n, 0, sizeof *n);
}

const char *
rc_node_line_value(const struct rc_node_line *n, enum rc_node_list which, size_t i)
{
    const struct rc_hostnames *v = &n->list[which].v;

    if (v->count > 0) {
        return v->name[i < v->count ? i : v->count - 1];
    }
    switch (which) {
    case RC_LIST_ADDR:
        return rc_node_line_value(n, RC_LIST_HOSTNAME, i);
    case RC_LIST_HOSTNAME:
        return rc_node_line_value(n, RC_LIST_NAME, i);
    case RC_LIST_NAME:
    case RC_LIST_BCAST:
    case RC_LIST_PORT:
    case RC_LIST__MAX:
        break;
    }
    return "";
}

/* Nodes [from, to) of a line become a line of their own; addr is not NULL for a single node
 * that gets it. */
struct piece {
    size_t from, to;
    const char *addr;
};

/* The value of a list in the piece; NULL: it stays as it is written. free() it. */
static char *
piece_value(const struct rc_node_line *n, enum rc_node_list which, const struct piece *p)
{
    const struct rc_hostnames *v = &n->list[which].v;
    size_t names = n->list[RC_LIST_NAME].v.count;

    if (which == RC_LIST_ADDR && p->addr) {
        return rc_copy(p->addr, strlen(p->addr));
    }
    if (v->count <= 1 || (p->from == 0 && p->to == names)) {
        return NULL;
    }
    return rc_hostnames_compress(v->name + p->from, p->to - p->from);
}

/* Lists of a line in the order in which they stand in the file. */
static size_t
lists_in_order(const struct rc_node_line *n, enum rc_node_list order[RC_LIST__MAX])
{
    size_t count = 0;

    for (int i = 0; i < RC_LIST__MAX; i++) {
        if (n->list[i].raw_start == n->list[i].raw_end) {
            continue;
        }
        size_t at = count++;
        for (; at > 0 && n->list[order[at - 1]].raw_start > n->list[i].raw_start; at--) {
            order[at] = order[at - 1];
        }
        order[at] = (enum rc_node_list)i;
    }
    return count;
}

static void
insert_keys(const struct rc_node_line *n, const struct piece *p, const struct rc_hostnames *ports,
            struct rc_text *out)
{
    if (p->addr && n->list[RC_LIST_ADDR].raw_start == n->list[RC_LIST_ADDR].raw_end) {
        rc_text_printf(out, " NodeAddr=%s", p->addr);
    }
    if (ports && n->list[RC_LIST_PORT].v.count == 0 &&
        !(p->from == 0 && p->to == n->list[RC_LIST_NAME].v.count)) {
        char *list = rc_hostnames_compress(ports->name + p->from, p->to - p->from);
        rc_text_printf(out, " Port=%s", list);
        free(list);
    }
}

static void
write_piece(const struct rc_node_line *n, const struct rc_conf_tree *t, const struct piece *p,
            const struct rc_hostnames *ports, struct rc_text *out)
{
    const struct rc_conf_line *l = &t->line[n->line];
    const char *raw = t->file[l->file].bytes;
    enum rc_node_list order[RC_LIST__MAX];
    size_t count = lists_in_order(n, order), copied = l->start;

    for (size_t i = 0; i < count; i++) {
        const struct rc_node_value *list = &n->list[order[i]];
        char *value = piece_value(n, order[i], p);
        if (value) {
            rc_text_add(out, raw + copied, list->raw_start - copied);
            rc_text_puts(out, value);
            copied = list->raw_end;
            free(value);
        }
        if (order[i] == RC_LIST_NAME) {
            rc_text_add(out, raw + copied, n->raw_insert - copied);
            copied = n->raw_insert;
            insert_keys(n, p, ports, out);
        }
    }
    rc_text_add(out, raw + copied, l->end - copied);
}

char *
rc_node_line_rewrite(const struct rc_node_line *n, const struct rc_conf_tree *t,
                     const char *const *addr, const struct rc_hostnames *ports)
{
    struct rc_text out = {0};
    size_t names = n->list[RC_LIST_NAME].v.count;

    for (size_t from = 0, to; from < names; from = to) {
        /* A node with a new address stands alone, those between two of them together. */
        to = from + 1;
        while (!addr[from] && to < names && !addr[to]) {
            to++;
        }
        /* Only the last line of a file may lack its line end. */
        if (out.len > 0 && out.s[out.len - 1] != '\n') {
            rc_text_puts(&out, "\n");
        }
        write_piece(n, t, &(struct piece){from, to, addr[from]}, ports, &out);
    }
    return out.s;
}
