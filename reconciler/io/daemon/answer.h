/* answer.h - the daemon's side of the control socket; requests and replies are
 * described in reconciler/io/control/README.md. */
#ifndef RC_ANSWER_H
#define RC_ANSWER_H

#include "reconciler/io/daemon/daemon.h"

rc_control_handler rc_answer; /* arg: struct rc_daemon * */

struct cJSON *rc_answer_status(struct rc_daemon *d);           /* answer_status.c */
void rc_answer_lead(struct rc_daemon *d, struct cJSON *reply); /* answer_status.c */
/* answer_failover.c */
struct cJSON *rc_answer_failover(struct rc_daemon *d, const struct rc_control_peer *peer,
                                 const struct cJSON *request);
void rc_answer_add_slurmctld(struct rc_daemon *d, struct cJSON *reply);
struct cJSON *rc_answer_why(struct rc_daemon *d, const char *node); /* answer_why.c */
/* One sentence on what holds an incident back. */
void rc_answer_block_text(const struct rc_daemon *d, const struct rc_incident *inc,
                          enum rc_block block, char *text, size_t room);

#endif
