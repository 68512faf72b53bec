/* load_set.h - one key of a policy changed before it is read: what a story, or a person on
 * the command line, says in one line instead of copying the file.
 *
 * A key is written as messages write it, a rule by its name or its number:
 * "limits.jobs.count", "rules.node-down.launch", "rules[3].ladder[0].timeout". The value is
 * a number, true, false or a text as in the file, without quotes. */
#ifndef RC_LOAD_SET_H
#define RC_LOAD_SET_H

#include "policies/load.h"

enum { RC_POLICY_SETS_MAX = 32, RC_POLICY_SET_LEN = 160 };

struct rc_policy_set {
    char key[RC_POLICY_SET_LEN];
    char value[RC_POLICY_SET_LEN];
    uint32_t line; /* where it was said; messages about the value name this line */
};

/* "limits.jobs.count=1" -> key and value; false when there is no = or no room. */
bool rc_policy_set_parse(const char *text, struct rc_policy_set *ret);

/* Puts the keys into the document, over what stands there. False: a rule or a list entry of
 * that name is not there, with one line in errs. */
bool rc_policy_set_apply(struct rc_jsonc *doc, const struct rc_policy_set *sets, uint32_t count,
                         struct rc_load_errors *errs);

/* As rc_policy_load_file(), with these keys set. The hash covers them. */
enum rc_err rc_policy_load_file_with(const char *path, const struct rc_policy_set *sets,
                                     uint32_t count, struct rc_policy *ret,
                                     struct rc_load_errors *errs);

#endif
