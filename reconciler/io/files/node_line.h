/* node_line.h - one NodeName line, understood: its nodes and what each of them gets.
 *
 * NodeAddr, NodeHostname, BcastAddr and Port may be lists that run along with
 * the names (src/common/node_conf.c, expand_nodeline_info()): the n-th value
 * belongs to the n-th name, one value serves all, and a longer list is cut. Every other
 * parameter is the same for all nodes of the line. */
#ifndef RC_NODE_LINE_H
#define RC_NODE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/io/files/conf_tree.h"
#include "reconciler/io/files/hostnames.h"

enum rc_node_list {
    RC_LIST_NAME,
    RC_LIST_ADDR,
    RC_LIST_HOSTNAME,
    RC_LIST_BCAST,
    RC_LIST_PORT,
    RC_LIST__MAX
};

struct rc_node_value {
    struct rc_hostnames v;
    size_t raw_start, raw_end; /* of the value, offsets in the file; equal = no such key */
};

struct rc_node_line {
    size_t line; /* in the tree */
    struct rc_node_value list[RC_LIST__MAX];
    size_t raw_insert;     /* where another key may be put in: behind the name */
    struct rc_text others; /* the other keys, lower case, and values, for comparison */
    bool is_default;       /* NodeName=DEFAULT */
};

/* Reads line i of t, whose text is given and whose first key is NodeName (pair first). Free with
 * rc_node_line_done(), also after an error. */
enum rc_err rc_node_line_read(struct rc_node_line *n, const struct rc_conf_tree *t, size_t i,
                              const struct rc_conf_text *text, struct rc_error *e);
void rc_node_line_done(struct rc_node_line *n);

/* The i-th node's value after defaults within the line; "" for BcastAddr and Port when not set. */
const char *rc_node_line_value(const struct rc_node_line *n, enum rc_node_list which, size_t i);

/* The bytes of the line with other addresses: addr[i] is NULL for a node that keeps its
 * own. ports: a Port list that holds by NodeName=DEFAULT, or NULL; it has to be written
 * out, since a part of the line has fewer nodes than the list. free() the result. */
char *rc_node_line_rewrite(const struct rc_node_line *n, const struct rc_conf_tree *t,
                           const char *const *addr, const struct rc_hostnames *ports);

#endif
