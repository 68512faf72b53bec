/* slurm_conf.c - see slurm_conf.h. */
#define _GNU_SOURCE
#include "reconciler/io/files/slurm_conf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/conf_tree.h"
#include "reconciler/io/files/controller_line.h"
#include "reconciler/io/files/node_line.h"

struct rc_slurm_conf {
    struct rc_conf_tree tree;
    struct rc_node_line *def; /* every NodeName line, DEFAULT too */
    size_t def_count;
    struct rc_conf_node *node; /* in the order of the file */
    size_t node_count;
    size_t *by_name;                       /* indices into node, sorted by name */
    struct rc_controller_line *controller; /* in the order of the file, two at most as a rule */
    size_t controller_count;
};

static enum rc_err
read_controller(struct rc_slurm_conf *conf, size_t i, const struct rc_conf_text *text,
                const struct rc_conf_pair *pair, struct rc_error *e)
{
    size_t count = conf->controller_count + 1;

    conf->controller = rc_grow(conf->controller, count, sizeof *conf->controller);
    return rc_controller_line_read(&conf->controller[conf->controller_count++], &conf->tree, i,
                                   text, pair, e);
}

static enum rc_err
read_named_lines(struct rc_slurm_conf *conf, struct rc_error *e)
{
    const struct rc_conf_tree *t = &conf->tree;
    struct rc_conf_text text = {0};
    struct rc_conf_pair first;
    enum rc_err err = RC_OK;

    for (size_t i = 0; i < t->line_count && !err; i++) {
        const struct rc_conf_line *l = &t->line[i];
        rc_conf_text_read(&text, t->file[l->file].bytes, l->end, l->start);
        if (rc_conf_line_is(&text, "SlurmctldHost", &first)) {
            err = read_controller(conf, i, &text, &first, e);
            continue;
        }
        if (!rc_conf_line_is(&text, "NodeName", &first)) {
            continue;
        }
        conf->def = rc_grow(conf->def, conf->def_count + 1, sizeof *conf->def);
        err = rc_node_line_read(&conf->def[conf->def_count++], t, i, &text, e);
    }
    rc_conf_text_done(&text);
    return err;
}

static void
list_nodes(struct rc_slurm_conf *conf)
{
    size_t total = 0;

    for (size_t i = 0; i < conf->def_count; i++) {
        total += conf->def[i].list[RC_LIST_NAME].v.count;
    }
    conf->node = rc_grow(NULL, total, sizeof *conf->node);
    for (size_t i = 0; i < conf->def_count; i++) {
        const struct rc_node_line *n = &conf->def[i];
        const struct rc_conf_line *l = &conf->tree.line[n->line];
        for (size_t k = 0; k < n->list[RC_LIST_NAME].v.count && !n->is_default; k++) {
            conf->node[conf->node_count++] = (struct rc_conf_node){
                .name = rc_node_line_value(n, RC_LIST_NAME, k),
                .addr = rc_node_line_value(n, RC_LIST_ADDR, k),
                .hostname = rc_node_line_value(n, RC_LIST_HOSTNAME, k),
                .file = conf->tree.name[l->file],
                .line = l->number,
            };
        }
    }
}

static int
order_by_name(const void *a, const void *b, void *nodes)
{
    const struct rc_conf_node *node = nodes;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    int order = strcmp(node[i].name, node[k].name);

    return order != 0 ? order : (i > k) - (i < k);
}

static enum rc_err
index_nodes(struct rc_slurm_conf *conf, struct rc_error *e)
{
    conf->by_name = rc_grow(NULL, conf->node_count, sizeof *conf->by_name);
    for (size_t i = 0; i < conf->node_count; i++) {
        conf->by_name[i] = i;
    }
    qsort_r(conf->by_name, conf->node_count, sizeof *conf->by_name, order_by_name, conf->node);
    for (size_t i = 1; i < conf->node_count; i++) {
        const struct rc_conf_node *a = &conf->node[conf->by_name[i - 1]];
        const struct rc_conf_node *b = &conf->node[conf->by_name[i]];
        if (strcmp(a->name, b->name) == 0) {
            return rc_fail(e, RC_E_PARSE, "%s:%u: node %s is defined already at %s:%u", b->file,
                           b->line, b->name, a->file, a->line);
        }
    }
    return RC_OK;
}

/* Understands the lines of conf->tree. */
static enum rc_err
understand(struct rc_slurm_conf *conf, struct rc_error *e)
{
    enum rc_err err = read_named_lines(conf, e);

    if (!err) {
        list_nodes(conf);
        err = index_nodes(conf, e);
    }
    return err;
}

/* All but the tree. */
static void
forget_lines(struct rc_slurm_conf *conf)
{
    for (size_t i = 0; i < conf->def_count; i++) {
        rc_node_line_done(&conf->def[i]);
    }
    for (size_t i = 0; i < conf->controller_count; i++) {
        rc_controller_line_done(&conf->controller[i]);
    }
    free(conf->def);
    free(conf->node);
    free(conf->by_name);
    free(conf->controller);
}

enum rc_err
rc_slurm_conf_load(const char *path, struct rc_slurm_conf **ret, struct rc_error *e)
{
    struct rc_slurm_conf *conf = rc_grow(NULL, 1, sizeof *conf);

    memset(conf, 0, sizeof *conf);
    enum rc_err err = rc_conf_tree_load(&conf->tree, path, NULL, e);
    if (!err) {
        err = understand(conf, e);
    }
    if (err) {
        rc_slurm_conf_free(conf);
        conf = NULL;
    }
    *ret = conf;
    return err;
}

void
rc_slurm_conf_free(struct rc_slurm_conf *conf)
{
    if (conf) {
        forget_lines(conf);
        rc_conf_tree_done(&conf->tree);
        free(conf);
    }
}

size_t
rc_slurm_conf_count(const struct rc_slurm_conf *conf)
{
    return conf->node_count;
}

const struct rc_conf_node *
rc_slurm_conf_at(const struct rc_slurm_conf *conf, size_t i)
{
    assert(i < conf->node_count);
    return &conf->node[i];
}

const struct rc_conf_node *
rc_slurm_conf_find(const struct rc_slurm_conf *conf, const char *name)
{
    for (size_t lo = 0, hi = conf->node_count; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        const struct rc_conf_node *n = &conf->node[conf->by_name[mid]];
        int order = strcmp(name, n->name);
        if (order == 0) {
            return n;
        }
        lo = order > 0 ? mid + 1 : lo;
        hi = order > 0 ? hi : mid;
    }
    return NULL;
}

bool
rc_slurm_conf_find_controller(const struct rc_slurm_conf *conf, const char *host,
                              struct rc_conf_node *ret)
{
    for (size_t i = 0; i < conf->controller_count; i++) {
        const struct rc_controller_line *c = &conf->controller[i];
        const struct rc_conf_line *l = &conf->tree.line[c->line];
        if (strcmp(c->host, host) == 0) {
            *ret = (struct rc_conf_node){c->host, c->addr, c->host, conf->tree.name[l->file],
                                         l->number};
            return true;
        }
    }
    return false;
}

bool
rc_slurm_conf_has(const struct rc_slurm_conf *conf, const char *name)
{
    struct rc_conf_node controller;

    return rc_slurm_conf_find(conf, name) || rc_slurm_conf_find_controller(conf, name, &controller);
}

size_t
rc_slurm_conf_files(const struct rc_slurm_conf *conf)
{
    return conf->tree.file_count;
}

const char *
rc_slurm_conf_file(const struct rc_slurm_conf *conf, size_t i)
{
    assert(i < conf->tree.file_count);
    return conf->tree.name[i];
}

/* The wanted addresses, for the editor. */
struct wanted {
    const struct rc_node_addr *set;
    size_t count;
};

static const char *
wanted_node_addr(const struct wanted *w, const char *node)
{
    for (size_t i = 0; i < w->count; i++) {
        if (strcmp(w->set[i].node, node) == 0) {
            return w->set[i].addr;
        }
    }
    return NULL;
}

/* Borrows the tree of an edit for the length of a call. */
static enum rc_err
understand_tree(const struct rc_conf_tree *t, struct rc_slurm_conf *ret, struct rc_error *e)
{
    memset(ret, 0, sizeof *ret);
    ret->tree = *t;
    return understand(ret, e);
}

/* Adds the edit of one line, when one of its nodes has another address than it should. */
static void
plan_node_line(const struct wanted *w, const struct rc_conf_tree *t, const struct rc_node_line *n,
               const struct rc_hostnames *ports, struct rc_conf_plan *plan)
{
    size_t names = n->list[RC_LIST_NAME].v.count;
    const char **addr = rc_grow(NULL, names, sizeof *addr);
    bool differs = false;

    for (size_t i = 0; i < names; i++) {
        addr[i] = wanted_node_addr(w, rc_node_line_value(n, RC_LIST_NAME, i));
        if (addr[i] && strcmp(addr[i], rc_node_line_value(n, RC_LIST_ADDR, i)) == 0) {
            addr[i] = NULL;
        }
        differs = differs || addr[i];
    }
    if (differs) {
        rc_conf_plan_add(plan, n->line, rc_node_line_rewrite(n, t, addr, ports));
    }
    free(addr);
}

/* NULL: the line stays. */
static const char *
wanted_controller_addr(const struct wanted *w, const struct rc_controller_line *c)
{
    const char *addr = wanted_node_addr(w, c->host);

    return addr && strcmp(addr, c->addr) != 0 ? addr : NULL;
}

/* Edits of SlurmctldHost lines that come before a line of the file; from *at on. */
static void
plan_controllers(const struct wanted *w, const struct rc_slurm_conf *conf, size_t before,
                 size_t *at, struct rc_conf_plan *plan)
{
    for (; *at < conf->controller_count && conf->controller[*at].line < before; (*at)++) {
        const struct rc_controller_line *c = &conf->controller[*at];
        const char *addr = wanted_controller_addr(w, c);
        if (addr) {
            rc_conf_plan_add(plan, c->line, rc_controller_line_rewrite(c, &conf->tree, addr));
        }
    }
}

static enum rc_err
plan_addrs(void *arg, const struct rc_conf_tree *t, struct rc_conf_plan *plan, struct rc_error *e)
{
    const struct wanted *w = arg;
    struct rc_slurm_conf conf;
    const struct rc_hostnames *ports = NULL;
    size_t controller = 0;
    enum rc_err err = understand_tree(t, &conf, e);

    for (size_t i = 0; i < w->count && !err; i++) {
        if (!rc_slurm_conf_has(&conf, w->set[i].node)) {
            err = rc_fail(e, RC_E_NOT_FOUND, "%s has no NodeName or SlurmctldHost line for %s",
                          t->name[0], w->set[i].node);
        }
    }
    for (size_t i = 0; i < conf.def_count && !err; i++) {
        const struct rc_node_line *n = &conf.def[i];
        size_t names = n->list[RC_LIST_NAME].v.count;
        plan_controllers(w, &conf, n->line, &controller, plan);
        if (!n->is_default && ports && ports->count != names &&
            n->list[RC_LIST_PORT].v.count == 0) {
            err =
                rc_conf_fail(t, &t->line[n->line], RC_E_PARSE, e,
                             "NodeName=DEFAULT gives %zu ports for %zu nodes", ports->count, names);
        } else if (!n->is_default) {
            plan_node_line(w, t, n, ports, plan);
        } else if (n->list[RC_LIST_PORT].v.count > 0) {
            ports = n->list[RC_LIST_PORT].v.count > 1 ? &n->list[RC_LIST_PORT].v : NULL;
        }
    }
    if (!err) {
        plan_controllers(w, &conf, t->line_count, &controller, plan);
    }
    forget_lines(&conf);
    return err;
}

/* A line of no node: as it stands, but for the address of a controller. */
static void
meaning_of_other(const struct wanted *w, const struct rc_slurm_conf *conf, size_t i, size_t *at,
                 bool edited, struct rc_text *ret)
{
    const struct rc_conf_tree *t = &conf->tree;

    if (*at < conf->controller_count && conf->controller[*at].line == i) {
        const struct rc_controller_line *c = &conf->controller[(*at)++];
        const char *addr = edited ? wanted_node_addr(w, c->host) : NULL;
        rc_controller_line_meaning(c, t, addr ? addr : c->addr, ret);
        return;
    }
    rc_text_add(ret, rc_conf_line_raw(t, &t->line[i]), t->line[i].end - t->line[i].start);
}

/* Every node with all that it gets, in order, and every other line as it stands. */
static enum rc_err
meaning_of_nodes(void *arg, const struct rc_conf_tree *t, bool edited, struct rc_text *ret,
                 struct rc_error *e)
{
    const struct wanted *w = arg;
    struct rc_slurm_conf conf;
    const struct rc_node_line *ports = NULL; /* the DEFAULT line that sets Port */
    enum rc_err err = understand_tree(t, &conf, e);

    for (size_t i = 0, def = 0, ctl = 0; i < t->line_count && !err; i++) {
        const struct rc_node_line *n = def < conf.def_count ? &conf.def[def] : NULL;
        bool is_node = n && n->line == i;
        def += is_node;
        if (!is_node || n->is_default) {
            meaning_of_other(w, &conf, i, &ctl, edited, ret);
            ports = is_node && n->list[RC_LIST_PORT].v.count > 0 ? n : ports;
            continue;
        }
        for (size_t k = 0; k < n->list[RC_LIST_NAME].v.count; k++) {
            const char *name = rc_node_line_value(n, RC_LIST_NAME, k);
            const char *addr = edited ? wanted_node_addr(w, name) : NULL;
            const struct rc_node_line *from =
                n->list[RC_LIST_PORT].v.count == 0 && ports ? ports : n;
            rc_text_printf(ret, "\n[node %s]\naddr %s\nhost %s\nbcast %s\nport %s\n%s", name,
                           addr ? addr : rc_node_line_value(n, RC_LIST_ADDR, k),
                           rc_node_line_value(n, RC_LIST_HOSTNAME, k),
                           rc_node_line_value(n, RC_LIST_BCAST, k),
                           rc_node_line_value(from, RC_LIST_PORT, k), n->others.s);
        }
    }
    forget_lines(&conf);
    return err;
}

/* An address, or a name of the letters that stand in host names. */
static bool
is_addr(const char *s)
{
    unsigned char bin[16];

    if (inet_pton(AF_INET, s, bin) == 1 || inet_pton(AF_INET6, s, bin) == 1) {
        return true;
    }
    size_t good = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    return good > 0 && good < 254 && s[good] == '\0' && s[0] != '-';
}

enum rc_err
rc_slurm_conf_set_addrs(const char *path, const struct rc_node_addr *set, size_t count,
                        rc_file_changed_fn *told, void *arg, struct rc_error *e)
{
    struct wanted w = {set, count};

    for (size_t i = 0; i < count; i++) {
        if (!is_addr(set[i].addr)) {
            return rc_fail(e, RC_E_INVALID, "\"%.64s\" is not an address for node %.64s",
                           set[i].addr, set[i].node);
        }
        if (wanted_node_addr(&w, set[i].node) != set[i].addr) {
            return rc_fail(e, RC_E_INVALID, "node %.64s is given twice", set[i].node);
        }
    }
    struct rc_conf_editor editor = {&w, plan_addrs, meaning_of_nodes};
    return rc_conf_edit(path, &editor, told, arg, e);
}
