/* registrar.c - the helper program rc-registrar: writes a node's or a controller's address where
 * Slurm and the hosts file look for it.
 *
 *     rc-registrar --slurm-conf FILE [--topology FILE] [--hosts FILE --cluster NAME]
 *
 * Speaks the helper line protocol (reconciler/io/helper/line.h), role "registrar":
 *     register node=<host list> addr=<list> [switch=<list>]
 *         row "file path= changed=0|1" for each file that belongs to the configuration,
 *         then "ok changed=0|1 shared=<nodes>". The n-th address (and switch) is that of the
 *         n-th node. shared names other nodes that have one of these addresses: those of dead
 *         instances, whose addresses AWS has given out again (slurmctld would take an answer
 *         of the new node for theirs), or several slurmds on a host. A node= may be a controller:
 *         its address in SlurmctldHost is set.
 *     show node=<name>   "ok node= addr= hostname= file= line=", as slurm.conf has it
 *     check              reads all files; row "file path=" each, then "ok nodes=N"
 *
 * It changes files only: slurmctld learns of them by a reconfigure, which the
 * writer helper sends. An error leaves each file whole; registering again is safe. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/files/hostnames.h"
#include "reconciler/io/files/hosts_file.h"
#include "reconciler/io/files/slurm_conf.h"
#include "reconciler/io/files/text_buf.h"
#include "reconciler/io/files/topology_conf.h"
#include "reconciler/io/helper/helper_server.h"

struct registrar {
    const char *slurm_conf;
    const char *topology; /* NULL = none */
    const char *hosts;    /* NULL = none */
    const char *cluster;
};

/* A register request, taken apart. */
struct request {
    struct rc_hostnames node, addr, leaf;
    struct rc_node_addr *set;
};

static void
register_request_done(struct request *q)
{
    rc_hostnames_done(&q->node);
    rc_hostnames_done(&q->addr);
    rc_hostnames_done(&q->leaf);
    free(q->set);
}

static enum rc_err
expand_key(const struct rc_line *req, const char *key, struct rc_hostnames *ret, struct rc_error *e)
{
    struct rc_error why;
    enum rc_err err = rc_hostnames_expand(rc_line_text(req, key, ""), ret, &why);

    return err ? rc_fail(e, RC_E_INVALID, "%s: %s", key, why.text) : RC_OK;
}

static enum rc_err
read_register_request(const struct registrar *r, const struct rc_line *req, struct request *q,
                      struct rc_error *e)
{
    enum rc_err err = expand_key(req, "node", &q->node, e);

    if (!err) {
        err = expand_key(req, "addr", &q->addr, e);
    }
    if (!err) {
        err = expand_key(req, "switch", &q->leaf, e);
    }
    if (err) {
        return err;
    }
    if (q->node.count == 0 || q->addr.count != q->node.count ||
        (q->leaf.count > 0 && q->leaf.count != q->node.count)) {
        return rc_fail(e, RC_E_INVALID, "register has %zu nodes, %zu addresses and %zu switches",
                       q->node.count, q->addr.count, q->leaf.count);
    }
    if (q->leaf.count > 0 && !r->topology) {
        return rc_fail(e, RC_E_INVALID, "switch= needs --topology");
    }
    q->set = rc_grow(NULL, q->node.count, sizeof *q->set);
    for (size_t i = 0; i < q->node.count; i++) {
        unsigned char bin[16];
        const char *addr = q->addr.name[i];
        /* A name would be right for Slurm, but neither for the hosts file nor for admission. */
        if (inet_pton(AF_INET, addr, bin) != 1 && inet_pton(AF_INET6, addr, bin) != 1) {
            return rc_fail(e, RC_E_INVALID, "addr: \"%.64s\" is not a numeric address", addr);
        }
        q->set[i] = (struct rc_node_addr){q->node.name[i], addr};
    }
    return RC_OK;
}

struct telling {
    struct rc_reply *reply;
    bool changed; /* any file */
};

static void
tell_file(void *arg, const char *path, bool changed)
{
    struct telling *t = arg;
    struct rc_line_out *row = rc_reply_begin(t->reply, "file");

    rc_line_put(row, "path", path);
    rc_line_put_u64(row, "changed", changed);
    rc_reply_end(t->reply);
    t->changed = t->changed || changed;
}

/* What can be known to fail is found before the first file changes. */
static enum rc_err
check_others(const struct registrar *r, struct rc_error *e)
{
    enum rc_err err = r->hosts ? rc_hosts_check(r->hosts, r->cluster, e) : RC_OK;

    return !err && r->topology ? rc_topology_check(r->topology, e) : err;
}

static enum rc_err
check_nodes(const struct registrar *r, const struct request *q, struct rc_error *e)
{
    struct rc_slurm_conf *conf;
    enum rc_err err = rc_slurm_conf_load(r->slurm_conf, &conf, e);

    for (size_t i = 0; i < q->node.count && !err; i++) {
        if (!rc_slurm_conf_has(conf, q->node.name[i])) {
            err = rc_fail(e, RC_E_NOT_FOUND, "%s has no NodeName or SlurmctldHost line for %s",
                          r->slurm_conf, q->node.name[i]);
        }
    }
    rc_slurm_conf_free(conf);
    return err;
}

/* The address comes last but one: it is what makes the registration hold. */
static enum rc_err
write_all_files(const struct registrar *r, const struct request *q, struct telling *t,
                struct rc_error *e)
{
    size_t count = q->node.count;
    enum rc_err err = check_nodes(r, q, e);

    for (size_t i = 0; i < q->leaf.count && !err; i++) {
        err =
            rc_topology_set_switch(r->topology, q->node.name[i], q->leaf.name[i], tell_file, t, e);
    }
    if (!err) {
        err = rc_slurm_conf_set_addrs(r->slurm_conf, q->set, count, tell_file, t, e);
    }
    if (!err && r->hosts) {
        err = rc_hosts_set(r->hosts, r->cluster, q->set, count, tell_file, t, e);
    }
    return err;
}

static bool
is_registered(const struct request *q, const char *node, const char *addr, bool *ret_same_addr)
{
    bool found = false;

    *ret_same_addr = false;
    for (size_t i = 0; i < q->node.count; i++) {
        found = found || strcmp(q->node.name[i], node) == 0;
        *ret_same_addr = *ret_same_addr || strcmp(q->addr.name[i], addr) == 0;
    }
    return found;
}

/* Other nodes with one of the addresses, as a host list; free() it. */
static enum rc_err
find_shared(const struct registrar *r, const struct request *q, char **ret, struct rc_error *e)
{
    struct rc_hostnames shared = {0};
    struct rc_slurm_conf *conf;
    enum rc_err err = rc_slurm_conf_load(r->slurm_conf, &conf, e);

    if (err) {
        return err;
    }
    for (size_t i = 0; i < rc_slurm_conf_count(conf); i++) {
        const struct rc_conf_node *n = rc_slurm_conf_at(conf, i);
        bool same_addr;
        if (!is_registered(q, n->name, n->addr, &same_addr) && same_addr) {
            rc_hostnames_add(&shared, n->name);
        }
    }
    *ret = rc_hostnames_compress(shared.name, shared.count);
    rc_hostnames_done(&shared);
    rc_slurm_conf_free(conf);
    return RC_OK;
}

static enum rc_err
verb_register(void *arg, struct rc_reply *reply, const struct rc_line *req, struct rc_error *e)
{
    const struct registrar *r = arg;
    struct request q = {0};
    struct telling t = {reply, false};
    char *shared = NULL;
    enum rc_err err = read_register_request(r, req, &q, e);

    if (!err) {
        err = check_others(r, e);
    }
    if (!err) {
        err = write_all_files(r, &q, &t, e);
    }
    if (!err) {
        err = find_shared(r, &q, &shared, e);
    }
    if (!err) {
        struct rc_line_out *ok = rc_reply_begin(reply, "ok");
        rc_line_put_u64(ok, "changed", t.changed);
        rc_line_put(ok, "shared", shared);
        rc_reply_end(reply);
    }
    register_request_done(&q);
    free(shared);
    return err;
}

static enum rc_err
verb_show(void *arg, struct rc_reply *reply, const struct rc_line *req, struct rc_error *e)
{
    const struct registrar *r = arg;
    const char *name = rc_line_text(req, "node", "");
    struct rc_slurm_conf *conf;
    enum rc_err err = rc_slurm_conf_load(r->slurm_conf, &conf, e);

    if (err) {
        return err;
    }
    const struct rc_conf_node *n = rc_slurm_conf_find(conf, name);
    struct rc_conf_node controller;
    if (!n && rc_slurm_conf_find_controller(conf, name, &controller)) {
        n = &controller;
    }
    if (n) {
        struct rc_line_out *ok = rc_reply_begin(reply, "ok");
        rc_line_put(ok, "node", n->name);
        rc_line_put(ok, "addr", n->addr);
        rc_line_put(ok, "hostname", n->hostname);
        rc_line_put(ok, "file", n->file);
        rc_line_put_u64(ok, "line", n->line);
        rc_reply_end(reply);
    } else {
        err = rc_fail(e, RC_E_NOT_FOUND, "%s has no NodeName or SlurmctldHost line for \"%.64s\"",
                      r->slurm_conf, name);
    }
    rc_slurm_conf_free(conf);
    return err;
}

static void
tell_path(struct rc_reply *reply, const char *path)
{
    rc_line_put(rc_reply_begin(reply, "file"), "path", path);
    rc_reply_end(reply);
}

static enum rc_err
verb_check(void *arg, struct rc_reply *reply, const struct rc_line *req, struct rc_error *e)
{
    const struct registrar *r = arg;
    struct rc_slurm_conf *conf = NULL;
    enum rc_err err = rc_slurm_conf_load(r->slurm_conf, &conf, e);

    (void)req;
    if (!err) {
        err = check_others(r, e);
    }
    if (!err) {
        for (size_t i = 0; i < rc_slurm_conf_files(conf); i++) {
            tell_path(reply, rc_slurm_conf_file(conf, i));
        }
        if (r->topology) {
            tell_path(reply, r->topology);
        }
        if (r->hosts) {
            tell_path(reply, r->hosts);
        }
        rc_line_put_u64(rc_reply_begin(reply, "ok"), "nodes", rc_slurm_conf_count(conf));
        rc_reply_end(reply);
    }
    rc_slurm_conf_free(conf);
    return err;
}

static bool
read_options(int argc, char **argv, struct registrar *r)
{
    static const struct option options[] = {{"slurm-conf", required_argument, NULL, 's'},
                                            {"topology", required_argument, NULL, 't'},
                                            {"hosts", required_argument, NULL, 'h'},
                                            {"cluster", required_argument, NULL, 'c'},
                                            {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 's':
            r->slurm_conf = optarg;
            break;
        case 't':
            r->topology = optarg;
            break;
        case 'h':
            r->hosts = optarg;
            break;
        case 'c':
            r->cluster = optarg;
            break;
        default:
            return false;
        }
    }
    return optind == argc && r->slurm_conf && !r->hosts == !r->cluster;
}

int
main(int argc, char **argv)
{
    static const struct rc_verb verbs[] = {
        {"register", verb_register}, {"show", verb_show}, {"check", verb_check}, {NULL, NULL}};
    struct registrar r = {0};
    const struct rc_helper_service service = {.role = "registrar", .verbs = verbs, .arg = &r};

    if (!read_options(argc, argv, &r)) {
        fputs("usage: rc-registrar --slurm-conf FILE [--topology FILE] "
              "[--hosts FILE --cluster NAME]\n",
              stderr);
        return 2;
    }
    rc_helper_adopt_parent();
    return rc_helper_serve(&service, STDIN_FILENO, STDOUT_FILENO);
}
