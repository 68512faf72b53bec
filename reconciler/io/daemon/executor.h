/* executor.h - carries out what the core decided; answers with completions.
 *
 * Irreversible actions wait until their record is on the disk; all others start
 * at once. Nothing here decides anything: no retry (the adapters retry what is
 * safe, the core what is not), no order of its own. In a dry run every action
 * is logged and none is carried out. */
#ifndef RC_EXECUTOR_H
#define RC_EXECUTOR_H

#include "reconciler/io/daemon/daemon.h"

struct rc_executor *rc_executor_new(struct rc_daemon *d);
void rc_executor_free(struct rc_executor *x);
/* Copied. Completion comes later, never from inside. */
void rc_executor_start(struct rc_executor *x, const struct rc_action *a);
/* End of a turn: what was gathered (deletes, registrations, syncs) leaves. */
void rc_executor_flush(struct rc_executor *x);
/* Actions that wait for the disk. */
uint32_t rc_executor_waiting(const struct rc_executor *x);

/* One file an outside party; each function starts one action and ends it with
 * rc_daemon_complete(). */
typedef void(rc_exec_fn)(struct rc_daemon *d, const struct rc_action *a);
rc_exec_fn rc_exec_incident_put, rc_exec_history_put, rc_exec_quarantine; /* exec_store.c */
rc_exec_fn rc_exec_lease;                                                 /* lead.c */
rc_exec_fn rc_exec_drain, rc_exec_down, rc_exec_resume, rc_exec_jobs_signal, rc_exec_jobs_requeue,
    rc_exec_jobs_include, rc_exec_job_hold; /* exec_slurm.c */
rc_exec_fn rc_exec_launch, rc_exec_assign, rc_exec_terminate, rc_exec_stop, rc_exec_start,
    rc_exec_reboot, rc_exec_look;                                      /* exec_ec2.c */
rc_exec_fn rc_exec_register;                                           /* exec_register.c */
rc_exec_fn rc_exec_gate;                                               /* exec_gate.c */
rc_exec_fn rc_exec_gpu_reset, rc_exec_forensics, rc_exec_support_case; /* exec_host.c */
rc_exec_fn rc_exec_fence, rc_exec_make_active, rc_exec_failover;       /* exec_controller.c */
void rc_exec_register_flush(struct rc_daemon *d);

/* An action on its way through an adapter: who asked. free() it when it ends. */
struct rc_errand {
    struct rc_daemon *d;
    struct rc_action action;
    struct rc_event launched; /* LAUNCH: the row of the reply */
    bool has_row;
    uint32_t parts; /* LOOK: calls not ended */
    struct rc_error worst;
    char serials[RC_SERIALS_LEN]; /* GATE, FORENSICS: read on the way */
    char *console;                /* FORENSICS: what stood on it; freed at the end */
    size_t console_len;
};
struct rc_errand *rc_errand_new(struct rc_daemon *d, const struct rc_action *a);
/* Completes with error and frees. */
void rc_errand_end(struct rc_errand *errand, const struct rc_error *error);
void rc_errand_end_with(struct rc_errand *errand, enum rc_err code, const char *text);

#endif
