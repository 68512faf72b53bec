/* controller_helper.h - inside rc-controller-helper: what its files share. */
#ifndef RC_CONTROLLER_HELPER_H
#define RC_CONTROLLER_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "reconciler/core/controller.h"

enum { RC_CTL_PIDS_MAX = 32 };

/* The slurmctld processes of this host (of this PID namespace). */
struct rc_ctl_processes {
    uint32_t state; /* enum rc_ctl_process, the worst of them */
    uint32_t count;
    pid_t pid[RC_CTL_PIDS_MAX];
};

/* controller_process.c. Zombies do not count: they cannot write. */
void rc_ctl_processes_find(struct rc_ctl_processes *ret);
void rc_ctl_processes_signal(const struct rc_ctl_processes *p, int signal);
/* Waits until none is left; false when some are after timeout_ms. */
bool rc_ctl_processes_wait_gone(int64_t timeout_ms, struct rc_ctl_processes *ret);

/* controller_dir.c: both in a child of their own that is left behind when it hangs. */
enum rc_ctl_dir rc_ctl_dir_test(const char *dir, int64_t timeout_ms);
/* What this host still holds back of that file system is written; false when it hangs. */
bool rc_ctl_dir_sync(const char *dir, int64_t timeout_ms);
/* Runs a program without arguments' output; its exit status, -1 when it hangs or cannot run. */
int rc_ctl_program(const char *const *argv, int64_t timeout_ms);
/* What judge (0 … 255) makes of its output, which is NULL when it failed; -1 when it hangs. Asked
 * in a child: judge keeps nothing. */
typedef int(rc_ctl_judge_fn)(const char *output);
int rc_ctl_program_says(const char *const *argv, int64_t timeout_ms, rc_ctl_judge_fn *judge);

/* controller_unit.c: does systemd do nothing to start slurmctld that admit has let in already?
 * The command prints ActiveState= and SubState= of its unit. */
enum rc_ctl_unit { RC_UNIT_UNKNOWN, RC_UNIT_RESTS, RC_UNIT_MOVES };
int rc_ctl_unit_judge(const char *output);

#endif
