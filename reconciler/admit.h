/* admit.h - may slurmd run here under this node name?
 *
 * slurm.conf is the admission list: slurmctld checks who a slurmd is by uid, not
 * by its address, so an instance that was replaced and comes back could register under its
 * old name. This gate stands before slurmd and opens only while the configuration names one of
 * this host's own addresses for the node.
 *
 * Who is asked: a file (shared storage), or slurmctld through scontrol, either the named
 * servers (configless) or what Slurm's own configuration on this host names. Not to know
 * never opens the gate: no answer, a node that is not configured, and a
 * NodeAddr that is a host name (it could lead anywhere from here) all mean wait. */
#ifndef RC_ADMIT_H
#define RC_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/limits.h"
#include "reconciler/io/fail.h"

struct rc_admit {
    const char *node;        /* Slurm node name */
    const char *conf_server; /* "host[:port][,host[:port]]", or NULL */
    const char *conf;        /* path of slurm.conf, or NULL; excludes conf_server */
    const char *addr;        /* this host's address; NULL = those of its interfaces */
    uint32_t timeout_ms;     /* 0 = ask once */
};

/* Waits until the node is admitted, telling on stderr what it sees whenever that changes. RC_OK:
 * admitted. RC_E_TIMEOUT with the last thing seen in *e; RC_E_INVALID: cannot be asked at all. */
enum rc_err rc_admit_wait(const struct rc_admit *a, struct rc_error *e);

/* What the configuration says, once: the node's NodeAddr in addr. RC_E_NOT_FOUND: no such
 * node; RC_E_SLURM_DOWN: no answer; RC_E_PARSE and others: see text. */
enum rc_err rc_admit_ask(const struct rc_admit *a, char addr[RC_ADDR_LEN], struct rc_error *e);

/* NodeAddr in what "scontrol -o show node" printed for this node. */
enum rc_err rc_admit_read_scontrol(const char *out, const char *node, char addr[RC_ADDR_LEN],
                                   struct rc_error *e);
/* The minimal slurm.conf that leads scontrol to the server ("host[:port]"); false when it is
 * no server. */
bool rc_admit_server_conf(const char *server, char *ret, size_t room);

/* Is addr a numeric address of this host: a's own, or one of an interface, loopback and
 * link-local ones left out? */
bool rc_admit_is_own(const struct rc_admit *a, const char *addr);

#endif
