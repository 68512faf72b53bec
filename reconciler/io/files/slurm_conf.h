/* slurm_conf.h - the node and controller lines of slurm.conf: read them, and give nodes another
 * NodeAddr, and controllers another address in SlurmctldHost=name(address), without touching
 * anything else.
 *
 * Reads as Slurm 22.05 to 24.11 do (src/common/parse_config.c): keys in any case, '#'
 * comments and "\#", continuation lines, quoted values, Include relative to the
 * including file and with %c, NodeName lines with host lists and matching lists in
 * NodeAddr, NodeHostname, BcastAddr and Port, NodeName=DEFAULT. Other lines are only split
 * into keys and values, so keys of later releases pass.
 *
 * Invariants: a line that needs no change keeps its bytes. A node that shares its line
 * gets a line of its own, in place, so that the order of nodes stays (Slurm numbers
 * nodes by it); the pieces carry every other parameter and the comment of the original.
 * The result is read back and compared, node by node and line by line, with what was
 * intended; a difference refuses the edit. Failure: nothing is renamed. */
#ifndef RC_SLURM_CONF_H
#define RC_SLURM_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/io/fail.h"

/* A node as configured. Strings belong to the configuration object. */
struct rc_conf_node {
    const char *name;
    const char *addr;     /* NodeAddr, by default NodeHostname */
    const char *hostname; /* NodeHostname, by default NodeName */
    const char *file;     /* where its line stands */
    unsigned line;        /* first line of it, from 1 */
};

struct rc_slurm_conf;

/* Reads path and all that it includes. RC_E_PARSE and its kin name file and line.
 * rc_slurm_conf_free() frees; it takes NULL. */
enum rc_err rc_slurm_conf_load(const char *path, struct rc_slurm_conf **ret, struct rc_error *e);
void rc_slurm_conf_free(struct rc_slurm_conf *conf);

size_t rc_slurm_conf_count(const struct rc_slurm_conf *conf); /* nodes, DEFAULT not counted */
const struct rc_conf_node *rc_slurm_conf_at(const struct rc_slurm_conf *conf, size_t i);
/* NULL when no line defines the node. */
const struct rc_conf_node *rc_slurm_conf_find(const struct rc_slurm_conf *conf, const char *name);
/* A SlurmctldHost line; strings as above. */
bool rc_slurm_conf_find_controller(const struct rc_slurm_conf *conf, const char *host,
                                   struct rc_conf_node *ret);
/* Is there a line of either kind for it? */
bool rc_slurm_conf_has(const struct rc_slurm_conf *conf, const char *name);
size_t rc_slurm_conf_files(const struct rc_slurm_conf *conf);
const char *rc_slurm_conf_file(const struct rc_slurm_conf *conf, size_t i);

/* Told once for each file of a configuration: was it replaced? */
typedef void(rc_file_changed_fn)(void *arg, const char *path, bool changed);

struct rc_node_addr {
    const char *node; /* or a controller; both lines are set when both are there */
    const char *addr; /* IPv4 or IPv6 address, or a host name */
};

/* Sets the addresses of set[0 … count). Each file is replaced at most once; when several files
 * change and a later one fails, the earlier ones keep their (right) change and the call may be
 * repeated. RC_E_NOT_FOUND: a name has no line; RC_E_INVALID: not an address, or a node twice;
 * RC_E_PARSE: the file cannot be read as Slurm reads it; otherwise as rc_file_replace(). */
enum rc_err rc_slurm_conf_set_addrs(const char *path, const struct rc_node_addr *set, size_t count,
                                    rc_file_changed_fn *told, void *arg, struct rc_error *e);

#endif
