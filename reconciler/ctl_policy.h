/* ctl_policy.h - `reconcilectl policy …`: works on files, asks no daemon. */
#ifndef RC_CTL_POLICY_H
#define RC_CTL_POLICY_H

#include <stdbool.h>
#include <stdio.h>

/* Checks a policy file: 0 and a summary (what is done about each fault) on out, or 1 and one
 * line a complaint on err. is_json: one object on out in both cases. */
int rc_ctl_policy_check(const char *path, bool is_json, FILE *out, FILE *err);
/* The JSON Schema of policy files. 0, or 1 without memory. */
int rc_ctl_policy_schema(FILE *out, FILE *err);

#endif
