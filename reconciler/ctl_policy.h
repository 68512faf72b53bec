/* ctl_policy.h - `reconcilectl policy …`: works on files, asks no daemon. */
#ifndef RC_CTL_POLICY_H
#define RC_CTL_POLICY_H

#include <stdbool.h>
#include <stdio.h>

/* Checks a policy file: 0 and a summary (what is done about each fault) on out, or 1 and one
 * line a complaint on err. is_json: one object on out in both cases. */
int rc_ctl_policy_check(const char *path, bool is_json, FILE *out, FILE *err);
/* Plays the scenarios in dir (docs/scenarios.md) and compares each with its expected.txt:
 * 0 all as expected, 1 a readable diff of those that differ on out, 2 dir or a story
 * cannot be read (on err). policy_file NULL = the policy that each story names;
 * rewrite: expected.txt is written instead. */
int rc_ctl_policy_test(const char *dir, const char *policy_file, bool rewrite, FILE *out,
                       FILE *err);
/* The JSON Schema of policy files. 0, or 1 without memory. */
int rc_ctl_policy_schema(FILE *out, FILE *err);

#endif
