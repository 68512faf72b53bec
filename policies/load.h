/* load.h - policy file (policies/README.md) -> struct rc_policy. */
#ifndef RC_POLICY_LOAD_H
#define RC_POLICY_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "policies/jsonc.h"
#include "reconciler/core/errors.h"
#include "reconciler/core/policy.h"

struct rc_bind_table;

/* Reads the policy in text[0..len); path is only for messages. RC_OK: *ret is complete,
 * defaults filled in, and nothing was added to errs. Otherwise RC_E_PARSE (not JSON),
 * RC_E_INVALID (a value is wrong), RC_E_TOO_LARGE or RC_E_INTERNAL; *ret is untouched and
 * errs, which the caller zeroed, names every fault found. Keeping the last good policy in
 * force is the caller's part. */
enum rc_err rc_policy_load(const char *path, const char *text, size_t len, struct rc_policy *ret,
                           struct rc_load_errors *errs);
/* Reads the file first; also RC_E_IO. */
enum rc_err rc_policy_load_file(const char *path, struct rc_policy *ret,
                                struct rc_load_errors *errs);

/* FNV-1a, 64 bits, of the text: what struct rc_policy's hash holds. */
uint64_t rc_policy_text_hash(const char *text, size_t len);

/* The keys of a policy file, for the schema and the guide. */
const struct rc_bind_table *rc_policy_table(void);

#endif
