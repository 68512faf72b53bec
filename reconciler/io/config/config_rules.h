/* config_rules.h - inside of the configuration loader: what must hold between keys. Each is
 * the check of one table (policies/bind.h); out is the struct of that table. */
#ifndef RC_CONFIG_RULES_H
#define RC_CONFIG_RULES_H

#include "policies/bind.h"
#include "reconciler/io/config/config.h"
#include "reconciler/io/control/log.h"

#define RC_CONFIG_HELPER    "/usr/libexec/slurm-on-aws/rc-slurm-helper"
#define RC_CONFIG_HAND      "/usr/libexec/slurm-on-aws/rc-controller-helper"
#define RC_CONFIG_REGISTRAR "/usr/libexec/slurm-on-aws/rc-registrar"

void rc_config_check_option(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_group(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_cluster(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_endpoints(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_queue(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_lease(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_incidents(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_controllers(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_ssh(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_forensics(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_tag(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);
void rc_config_check_whole(struct rc_bind *b, const struct rc_jsonc_value *v, void *out);

#endif
