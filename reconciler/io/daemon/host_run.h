/* host_run.h - a script on a node, over ssh with the node's host key pinned.
 *
 * The key is known from the console output of the instance, or from the known_hosts file
 * (config ssh.host_keys), never from the node itself. What cannot be asked is RC_E_UNKNOWN:
 * neither well nor ill. */
#ifndef RC_HOST_RUN_H
#define RC_HOST_RUN_H

#include "reconciler/io/daemon/daemon.h"
#include "reconciler/io/ssh/ssh_probe.h"

struct rc_host_script {
    const char *node;
    const char *instance; /* whose console shows the host keys */
    const char *addr;
    const char *text; /* for the remote shell; copied */
    uint32_t timeout_ms;
    size_t output_max;
};

/* error: RC_OK: the script has ended, result tells how. RC_E_UNKNOWN: it could not be run to
 * its end, and result is NULL. Borrowed for the call. */
typedef void(rc_host_done_fn)(void *arg, const struct rc_error *error,
                              const struct rc_ssh_result *result);

/* done is called exactly once; it may be called from inside. */
void rc_host_run(struct rc_daemon *d, const struct rc_host_script *script, rc_host_done_fn *done,
                 void *arg);

#endif
