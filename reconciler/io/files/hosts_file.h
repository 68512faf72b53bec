/* hosts_file.h - our block in /etc/hosts:
 *
 *     # BEGIN slurm-on-aws <cluster>
 *     10.0.0.5 gpu-1
 *     # END slurm-on-aws <cluster>
 *
 * Everything outside the two marks stays byte for byte; blocks of other clusters are
 * outside. Marks that are missing, doubled or out of order, and lines inside that are not
 * "address name", refuse the edit: nobody guesses where the block ends. */
#ifndef RC_HOSTS_FILE_H
#define RC_HOSTS_FILE_H

#include "reconciler/io/fail.h"
#include "reconciler/io/files/slurm_conf.h"

/* Gives each node of set its address in the block, which is appended to the file when it
 * is not there yet. Other nodes of the block stay. RC_E_PARSE: damaged block, with file and
 * line; RC_E_INVALID: not a numeric address or not a host name; otherwise as rc_file_replace(). */
enum rc_err rc_hosts_set(const char *path, const char *cluster, const struct rc_node_addr *set,
                         size_t count, rc_file_changed_fn *told, void *arg, struct rc_error *e);
enum rc_err rc_hosts_check(const char *path, const char *cluster, struct rc_error *e);

#endif
