/* load_rules.h - inside of the policy loader: what must hold between keys. Each is the check
 * of one table (bind.h); out is the struct of that table. */
#ifndef RC_LOAD_RULES_H
#define RC_LOAD_RULES_H

#include "policies/bind.h"
#include "policies/load.h"

enum { RC_SIGNALS_MAX = 32 };

void rc_policy_check_match(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_jobs(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_rung(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_rule(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_rules(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_timeouts(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_gate(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_policy_check_gate_type(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);

#endif
