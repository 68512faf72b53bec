/* ctl_ask.h - reconcilectl's side of the control socket. */
#ifndef RC_CTL_ASK_H
#define RC_CTL_ASK_H

#include "reconciler/io/fail.h"

struct cJSON;

#define RC_CTL_SOCKET     "/run/slurm-on-aws/control.sock"
#define RC_CTL_SOCKET_ENV "RECONCILECTL_SOCKET"

/* A daemon answers at once; an order is waited for longer, as it may be carried out although no
 * answer came. */
enum { RC_CTL_LOOK_S = 5, RC_CTL_ORDER_S = 30, RC_CTL_REPLY_MAX = 64 * 1024 * 1024 };

/* Sends the request and waits for the reply, at most limit_s for each part of it: *ret is the
 * caller's (cJSON_Delete). An object with a boolean "ok", whatever it says, is RC_OK.
 * RC_E_UNREACHABLE: nobody listens; RC_E_DENIED: not permitted to connect; RC_E_TIMEOUT,
 * RC_E_TRUNCATED, RC_E_PARSE. */
enum rc_err rc_ctl_ask(const char *socket_path, const struct cJSON *request, int limit_s,
                       struct cJSON **ret, struct rc_error *e);

#endif
