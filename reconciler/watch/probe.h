/* probe.h - one look at one part of the node.
 *
 * A probe is a row of rc_probes: how often, how long it may take, what it costs, and
 * the function. It reports findings; one that reports none has found all well. Probes that
 * may block (a dead NFS server, a hung GPU driver) run in a child process of their own,
 * which is killed at its time-out and never waited for: a process in uninterruptible sleep
 * would take the agent with it.
 *
 * Unknown is a third answer: a part that cannot be looked at is neither well nor ill. */
#ifndef RC_PROBE_H
#define RC_PROBE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/kernel/kernel_class.h"

enum rc_finding_kind {
    RC_FINDING_NOTE,    /* worth a line, no fault */
    RC_FINDING_FACT,    /* what there is: the serial number of a GPU */
    RC_FINDING_UNKNOWN, /* could not be looked at */
    RC_FINDING_FAULT,
};

/* Fixed size: a child hands it over in one write to a pipe. */
struct rc_finding {
    uint32_t kind;
    uint64_t counted; /* errors since boot that the kernel or the driver counted; 0 = no counter */
    char class_name[RC_KERNEL_CLASS_LEN];
    char device[RC_KERNEL_DEVICE_LEN];
    char text[RC_KERNEL_DETAIL_LEN]; /* printable ASCII */
};

/* A process that was left hanging in a file system by an earlier look. */
struct rc_hung {
    pid_t pid;
    char point[RC_KERNEL_DEVICE_LEN];
};
enum { RC_HUNG_MAX = 16 };

struct rc_rates;

/* The most that was seen of what a node has, in this boot. */
struct rc_seen {
    uint32_t gpus, efas;
};

/* What the node should have and where to look; strings are borrowed. */
struct rc_probe_config {
    const char *sys;                  /* "/sys" */
    const char *proc;                 /* "/proc" */
    const char *etc;                  /* "/etc" */
    const char *kmsg;                 /* "/dev/kmsg" */
    const char *nvml;                 /* library to load; "" = none */
    uint32_t gpus;                    /* expected; 0 = as the instance type has */
    uint32_t efas;                    /* expected; 0 = do not know */
    int64_t kmsg_max_age;             /* s; older kernel messages do not count; 0 = since boot */
    uint64_t kmsg_from_seq;           /* nor do those before this number */
    int64_t boot_grace;               /* s; so long after boot a missing device may still come */
    struct rc_rates *rates;           /* values of earlier looks; NULL: this is the only look */
    struct rc_seen *seen;             /* fewer than these is a fault too; NULL = none known */
    struct rc_hung hung[RC_HUNG_MAX]; /* while one lives, its file system is not asked again */
    uint32_t hung_count;
};

enum { RC_FINDINGS_MAX = 64 };

struct rc_findings {
    struct rc_finding v[RC_FINDINGS_MAX];
    uint32_t count;
    uint32_t dropped;
    int pipe_fd; /* in a child: where they go; else -1 */
};

typedef void(rc_probe_fn)(const struct rc_probe_config *c, struct rc_findings *out);

struct rc_probe {
    const char *name;
    uint32_t period_ms; /* in watch; 0 = in check only */
    uint32_t timeout_ms;
    uint32_t
        confirm_ms;   /* in watch, a fault counts when it is there so much later too; 0 = at once */
    uint32_t cost_us; /* measured order of magnitude when all is well, for the reader */
    bool isolated;    /* in a child */
    const char *wakes; /* subsystem of uevents that ask for a look at once, or NULL */
    rc_probe_fn *run;  /* NULL: in watch only, by a request to slurmctld */
    rc_probe_fn *stay; /* in watch, instead of run: looks again and again, never returns; or NULL */
};

extern const struct rc_probe rc_probes[];
extern const uint32_t rc_probe_count;

rc_probe_fn rc_probe_kmsg, rc_probe_aer, rc_probe_link, rc_probe_gpu_devices, rc_probe_efa,
    rc_probe_nvme, rc_probe_thermal, rc_probe_memory, rc_probe_readonly, rc_probe_clock,
    rc_probe_tasks, rc_probe_mounts, rc_probe_nvml, rc_probe_nvml_stay;

/* Adds one; text is made printable and cut. */
void rc_finding_add(struct rc_findings *out, enum rc_finding_kind kind, const char *class_name,
                    const char *device, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same, for a counter that stands at `counted`. */
void rc_finding_add_counted(struct rc_findings *out, enum rc_finding_kind kind,
                            const char *class_name, const char *device, uint64_t counted,
                            const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* In a child that stays: all findings of this look were handed over. */
void rc_finding_end_look(struct rc_findings *out);

/* Seconds since boot are fewer than the grace: what is missing may still come. */
bool rc_probe_boots(const struct rc_probe_config *c);

/* How many GPUs an instance of this type has; 0 = not a type that we know. */
uint32_t rc_instance_type_gpus(const char *sys);

/* Remembers the processes that a look at the file systems left behind, for the next one. */
void rc_probe_keep_hung(struct rc_probe_config *c, const struct rc_findings *found);

/* A child at work. */
struct rc_probe_child {
    pid_t pid;
    int fd;     /* findings come from here; end of file: done */
    bool stays; /* looks again and again */
};
/* False: no process or pipe to be had. */
bool rc_probe_start(const struct rc_probe *p, const struct rc_probe_config *c,
                    struct rc_probe_child *ret);

enum rc_probe_taken {
    RC_TAKEN_MORE,   /* the look goes on */
    RC_TAKEN_LOOKED, /* a look has ended, and the child stays for the next one */
    RC_TAKEN_DONE,   /* the look has ended, and the child (fd is closed) */
    RC_TAKEN_DIED,   /* the child died in its look (fd is closed) */
};
/* Takes what is there, up to the end of one look. */
enum rc_probe_taken rc_probe_take(struct rc_probe_child *child, struct rc_findings *out);
/* Kills it and leaves it to be reaped by whoever can wait. */
void rc_probe_abandon(struct rc_probe_child *child);

#endif
