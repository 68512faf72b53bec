/* policy_file.h - the policy in force: loaded at start, again on SIGHUP and when
 * the file changes. A faulty file is told line by line and changes nothing: the
 * last good policy stays in force. */
#ifndef RC_POLICY_FILE_H
#define RC_POLICY_FILE_H

#include "reconciler/io/daemon/daemon.h"

struct rc_policy_file *rc_policy_file_new(struct rc_daemon *d);
void rc_policy_file_free(struct rc_policy_file *p);
/* Posts CLUSTER and POLICY at start. */
enum rc_err rc_policy_file_post_first(struct rc_policy_file *p, struct rc_error *e);
/* Reads both files anew. */
void rc_policy_file_reload(struct rc_policy_file *p);

#endif
