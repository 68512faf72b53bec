/* control.h - the daemon's Unix socket: one JSON request a line, one JSON reply a line.
 *
 * Requests and replies are described in reconciler/io/control/README.md. Who may connect is
 * decided by the socket file's mode and group; who did is read from the kernel
 * (SO_PEERCRED) and handed to the handler. A connection may send many requests, one after
 * the other; they are answered in order.
 *
 * Limits: 64 KiB a request, 32 connections, 30 s idle. A request that is not a JSON object is
 * answered with ok=false and the connection is closed; the handler does not see it. */
#ifndef RC_CONTROL_H
#define RC_CONTROL_H

#include <stdint.h>
#include <sys/types.h>

#include "reconciler/core/limits.h"
#include "reconciler/io/fail.h"

struct cJSON;
struct event_base;
struct rc_control;

enum {
    RC_CONTROL_LINE_MAX = 64 * 1024,
    RC_CONTROL_PEERS_MAX = 32,
    RC_CONTROL_IDLE_S = 30,
};

struct rc_control_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
    char user[RC_NODE_LEN]; /* name of uid, or "uid <n>" when it has none */
};

/* Answers one request. Called from the event loop; must not block. request is borrowed for
 * the call. The reply is an object that passes to the socket (freed there): made with
 * rc_control_ok() or rc_control_refuse(). NULL is answered as an internal error. */
typedef struct cJSON *(rc_control_handler)(void *arg, const struct rc_control_peer *peer,
                                           const struct cJSON *request);

struct rc_control_options {
    const char *path;  /* of the socket, at most 107 bytes */
    uint32_t mode;     /* permission bits, such as 0660 */
    const char *group; /* group of the socket file, "" = leave it */
    rc_control_handler *handler;
    void *arg;
};

/* Listens. A socket file that nobody answers on is replaced; one that is answered is left
 * alone (RC_E_STATE: another daemon runs). Other errors: RC_E_INVALID (path, group),
 * RC_E_DENIED, RC_E_IO. */
enum rc_err rc_control_new(struct event_base *base, const struct rc_control_options *options,
                           struct rc_control **ret, struct rc_error *e);
/* Closes all connections and removes the socket file. NULL is fine. */
void rc_control_free(struct rc_control *c);

/* {"ok":true}, to which the handler adds. NULL without memory. */
struct cJSON *rc_control_ok(void);
/* {"ok":false,"error":"<name of code>","text":"…"} */
struct cJSON *rc_control_refuse(enum rc_err code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
