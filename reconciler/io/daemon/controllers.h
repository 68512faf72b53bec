/* controllers.h - the two controllers as the daemon sees them: asks every slurmctld
 * directly, looks at its own host through rc-controller-helper, hears of the other host over
 * the peer link, and posts what changed. It also carries out what the other one's leader
 * asks for on this host.
 *
 * Nothing here decides. Only changes are posted; what can no more be known is posted as
 * unknown. A request of the peer is refused while this daemon leads itself, or when it
 * comes from an epoch that is over. */
#ifndef RC_CONTROLLERS_H
#define RC_CONTROLLERS_H

#include "reconciler/io/daemon/daemon.h"

/* NULL in *ret and RC_OK when the configuration names no controllers, or not this host. */
enum rc_err rc_controllers_new(struct rc_daemon *d, struct rc_controllers **ret,
                               struct rc_error *e);
void rc_controllers_free(struct rc_controllers *c);
/* After a turn: the questions come faster while a fail-over is under way. */
void rc_controllers_follow(struct rc_controllers *c);

/* How one order went; called once, never from inside. */
typedef void(rc_controllers_end_fn)(void *arg, const struct rc_error *e);
/* words: "fence grace=0", "start restart=0", on controller index, here or over the link.
 * RC_OK: taken. What is not begun before the lease ends is not begun at all, there either. */
enum rc_err rc_controllers_order(struct rc_controllers *c, uint32_t index, const char *words,
                                 int64_t timeout_ms, rc_controllers_end_fn *end, void *arg);
enum rc_err rc_controllers_takeover(struct rc_controllers *c, uint32_t index, int64_t timeout_ms,
                                    rc_controllers_end_fn *end, void *arg);
/* This host refuses packets to that controller for some seconds: it is off. */
enum rc_err rc_controllers_reject(struct rc_controllers *c, uint32_t index, int64_t timeout_ms,
                                  rc_controllers_end_fn *end, void *arg);
/* What was seen of it so far is old: it is asked at once, and the answer is posted again. */
void rc_controllers_look_again(struct rc_controllers *c, uint32_t index);
/* "" or why the other daemon is not heard. */
const char *rc_controllers_link_text(const struct rc_controllers *c);

#endif
