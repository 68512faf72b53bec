/* classes.c - see classes.h. Earlier rows win; "name" is the class itself, "name:" also
 * everything below it. Xids are in xids.c. Sources: reconciler/kernel/kernel_rules.c says
 * for each class which kernel message it is. */
#include "policies/classes.h"

#include <stddef.h>
#include <string.h>

enum { TELL, DRAIN };

/* clang-format off */
#define ROW(name, fault, drain, by_job, why)   {name, fault, drain, by_job, 0, 0, why}
#define LASTS(name, fault, drain, by_job, why) {name, fault, drain, by_job, 1, 0, why}
#define BOOT(name, fault, drain, by_job, why)  {name, fault, drain, by_job, 0, 1, why}
static const struct class_row {
    const char *name;
    uint8_t fault; /* enum rc_fault */
    uint8_t drain;
    uint8_t by_job;
    uint8_t lasts; /* a condition that a probe sees: it stands until the agent takes it back */
    uint8_t restart; /* no reset of the GPU is enough */
    const char *why;
} rows[] = {
    ROW("xid:154:none", RC_FAULT_NONE, TELL, 0, "the driver takes its demand back"),
    ROW("xid:154:gpu-reset", RC_FAULT_GPU, DRAIN, 0, "the driver's own demand"),
    BOOT("xid:154:node-reboot", RC_FAULT_GPU, DRAIN, 0, "the driver's own demand"),
    ROW("xid:154:drain-p2p", RC_FAULT_NVLINK, DRAIN, 0, "the driver's own demand"),
    ROW("xid:154:drain-and-reset", RC_FAULT_GPU, DRAIN, 0, "the driver's own demand"),
    ROW("xid:154", RC_FAULT_XID, TELL, 0, "the line names no action that we know"),
    ROW("sxid:22013:", RC_FAULT_NONE, TELL, 0, "minion link request: harmless (Imbue)"),
    ROW("sxid:26006:", RC_FAULT_NVLINK, DRAIN, 0, "switch controller halted; the line has no severity"),
    ROW("sxid:26007:", RC_FAULT_NVLINK, DRAIN, 0, "as 26006"),
    ROW("sxid:26008:", RC_FAULT_NVLINK, DRAIN, 0, "as 26006"),
    ROW("gpu-lost", RC_FAULT_GPU_LOST, DRAIN, 0, "fallen off the bus without an Xid"),
    ROW("gpu-lost:", RC_FAULT_GPU_LOST, DRAIN, 0, "the same"),
    ROW("gpu-init-fail", RC_FAULT_GPU_LOST, DRAIN, 0, "the driver cannot start the GPU"),
    LASTS("gpu:missing", RC_FAULT_GPU_LOST, DRAIN, 0, "fewer GPUs than there should be"),
    ROW("gpu:no-answer", RC_FAULT_GPU_LOST, DRAIN, 0, "NVML says lost"),
    LASTS("gpu:remap-pending", RC_FAULT_ROW_REMAP, DRAIN, 0, "a reset between jobs completes the remap"),
    LASTS("gpu:page-pending", RC_FAULT_ROW_REMAP, DRAIN, 0, "the same, for page retirement"),
    LASTS("gpu:remap-failed", RC_FAULT_GPU_BROKEN, DRAIN, 0, "condition for RMA (DCGM error 80)"),
    LASTS("gpu:nvlink-down", RC_FAULT_NVLINK, DRAIN, 0, "NVML shows an inactive link"),
    ROW("gpu:ecc", RC_FAULT_GPU, DRAIN, 0, "volatile uncorrected errors: a reset clears them"),
    ROW("gpu:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    LASTS("gpu:", RC_FAULT_GPU, DRAIN, 0, "found by NVML or in sysfs"),
    ROW("aer:fatal", RC_FAULT_PCIE, DRAIN, 0, "the link was reset; NVIDIA's driver cannot recover"),
    ROW("aer:cannot-recover:gpu", RC_FAULT_GPU_LOST, DRAIN, 0, "a lost GPU"),
    ROW("aer:recovery-failed", RC_FAULT_PCIE, DRAIN, 0, "the device is gone"),
    ROW("aer:nonfatal", RC_FAULT_PCIE, TELL, 0, "by rate"),
    ROW("aer:cannot-recover:", RC_FAULT_PCIE, TELL, 0, "by rate"),
    ROW("aer:link-reset", RC_FAULT_PCIE, TELL, 0, "by rate"),
    ROW("aer:corrected-rate", RC_FAULT_PCIE, TELL, 0, "many corrected errors: a link that goes bad"),
    ROW("aer:corrected", RC_FAULT_NONE, TELL, 0, "corrected: counted by nobody's program"),
    ROW("pcie:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    LASTS("pcie:", RC_FAULT_PCIE, DRAIN, 0, "a link narrower or slower than it should be"),
    ROW("efa:cmd-fail", RC_FAULT_EFA, TELL, 1, "user programs cause it too: by rate"),
    ROW("efa:bad-cq", RC_FAULT_EFA, TELL, 1, "warning: by rate"),
    ROW("efa:counter", RC_FAULT_EFA, TELL, 1, "a counter rises: by rate"),
    ROW("efa:counter:", RC_FAULT_EFA, TELL, 1, "a counter rises: by rate"),
    LASTS("efa:missing", RC_FAULT_EFA, DRAIN, 0, "fewer devices than there should be"),
    ROW("efa:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    ROW("efa:", RC_FAULT_EFA, DRAIN, 0, "the device is gone, or its admin queue is closed for good"),
    ROW("ena:reset-failed", RC_FAULT_NETWORK, DRAIN, 0, "the interface is gone"),
    ROW("ena:reset-done", RC_FAULT_NONE, TELL, 0, "recovered by itself"),
    ROW("ena:", RC_FAULT_NETWORK, TELL, 0, "recovers by itself: by rate"),
    ROW("ib:", RC_FAULT_NETWORK, TELL, 0, "by rate"),
    ROW("net:", RC_FAULT_NETWORK, TELL, 0, "by rate"),
    ROW("nvme:lost", RC_FAULT_NVME, DRAIN, 0, "the disk is gone"),
    ROW("nvme:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    ROW("nvme:", RC_FAULT_NVME, TELL, 0, "by rate"),
    ROW("io-error", RC_FAULT_NVME, TELL, 0, "by rate"),
    LASTS("raid:", RC_FAULT_DISK, TELL, 0, "redundancy is lost, not data"),
    LASTS("disk:", RC_FAULT_DISK, TELL, 1, "a full disk, filled by a job"),
    LASTS("fs:readonly", RC_FAULT_FILE_SYSTEM, DRAIN, 0, "local file system"),
    ROW("fs:journal-abort", RC_FAULT_FILE_SYSTEM, DRAIN, 0, "local file system"),
    ROW("fs:xfs-shutdown", RC_FAULT_FILE_SYSTEM, DRAIN, 0, "local file system"),
    ROW("fs:xfs-corrupt", RC_FAULT_FILE_SYSTEM, DRAIN, 0, "local file system"),
    LASTS("fs:stuck-local", RC_FAULT_FILE_SYSTEM, DRAIN, 0, "a local file system does not answer"),
    LASTS("fs:stuck", RC_FAULT_FS_HANG, TELL, 0, "a network file system does not answer"),
    LASTS("fs:no-access", RC_FAULT_FS_HANG, TELL, 0, "a network file system refuses"),
    ROW("fs:nfs-timeout", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:nfs-error", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:cifs-timeout", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:ceph-lost", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:lustre-lost", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:lustre-timeout", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:lustre-evicted", RC_FAULT_FS_HANG, TELL, 0, "the file server gave the node up"),
    ROW("fs:lustre-error", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:lustre-net", RC_FAULT_FS_HANG, TELL, 0, "the file server may be ill"),
    ROW("fs:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    ROW("fs:", RC_FAULT_FILE_SYSTEM, TELL, 0, "errors of a local file system: by rate"),
    ROW("edac:ue", RC_FAULT_MEMORY, DRAIN, 0, "uncorrectable memory error"),
    ROW("edac:ce", RC_FAULT_NONE, TELL, 0, "corrected"),
    ROW("mem-failure:kill", RC_FAULT_MEMORY, DRAIN, 0, "uncorrectable error that hit a program"),
    ROW("mem-failure", RC_FAULT_NONE, TELL, 0, "page taken out of use: the kernel has dealt with it"),
    ROW("mem-failure:", RC_FAULT_NONE, TELL, 0, "page taken out of use: the kernel has dealt with it"),
    LASTS("mem:low", RC_FAULT_JOB_SUSPECT, TELL, 1, "memory in use: the job's"),
    ROW("mem:corrupted", RC_FAULT_MEMORY, TELL, 0, "the kernel counts pages lost to hardware"),
    ROW("ghes:fatal", RC_FAULT_MEMORY, DRAIN, 0, "firmware says fatal"),
    ROW("ghes:panic", RC_FAULT_MEMORY, DRAIN, 0, "firmware says fatal"),
    ROW("ghes:recoverable", RC_FAULT_MEMORY, TELL, 0, "by rate"),
    ROW("mce:uncorrected", RC_FAULT_MEMORY, DRAIN, 0, "processor or memory"),
    ROW("mce:bank", RC_FAULT_MEMORY, TELL, 0, "severity is in the registers: by rate"),
    ROW("hard-lockup", RC_FAULT_KERNEL, DRAIN, 0, "a processor does not answer"),
    ROW("oops", RC_FAULT_KERNEL, DRAIN, 0, "the kernel's state is not to be trusted"),
    ROW("panic", RC_FAULT_KERNEL, DRAIN, 0, "the kernel has stopped"),
    ROW("soft-lockup", RC_FAULT_KERNEL, TELL, 0, "often follows a GPU fault: by rate"),
    ROW("rcu-stall", RC_FAULT_KERNEL, TELL, 0, "often follows a GPU fault: by rate"),
    ROW("hung-task", RC_FAULT_FS_HANG, TELL, 0, "tasks wait in the kernel, mostly for a file server"),
    ROW("oom", RC_FAULT_JOB_SUSPECT, TELL, 1, "the whole node was out of memory"),
    ROW("nccl-segv", RC_FAULT_JOB_SUSPECT, TELL, 1, "the job"),
    ROW("vfs-filemax", RC_FAULT_JOB_SUSPECT, TELL, 1, "the job"),
    ROW("thermal:critical", RC_FAULT_THERMAL, DRAIN, 0, "critical temperature"),
    ROW("thermal:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    LASTS("thermal:", RC_FAULT_THERMAL, TELL, 0, "by duration"),
    ROW("clock:unknown", RC_FAULT_NONE, TELL, 0, "could not be looked at"),
    LASTS("clock:", RC_FAULT_CLOCK, TELL, 0, "not synchronised"),
    ROW("nvml:hang", RC_FAULT_GPU, TELL, 0, "the library does not answer: often follows a GPU fault"),
    ROW("log:", RC_FAULT_NONE, TELL, 0, "kernel messages were lost: the probes look at the rest"),
};
/* clang-format on */

static bool
class_applies(const char *name, const char *class_name)
{
    size_t len = strlen(name);

    return name[len - 1] == ':' ? strncmp(name, class_name, len) == 0
                                : strcmp(name, class_name) == 0;
}

static uint32_t
number_of(const char *digits)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 6 && *digits >= '0' && *digits <= '9'; i++) {
        value = value * 10 + (uint32_t)(*digits++ - '0');
    }
    return value;
}

static bool
class_ends(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* "xid:74", "xid:45:149", "xid:145:nonfatal" */
static struct rc_class
class_of_xid(const char *class_name)
{
    const struct rc_xid_row *row = rc_xid_find(number_of(class_name + 4));

    if (!row) {
        return (struct rc_class){.fault = RC_FAULT_XID, .why = "not in the table"};
    }
    if (class_ends(class_name, ":nonfatal")) {
        return (struct rc_class){.known = true, .why = "non-fatal: nothing to do"};
    }
    return (struct rc_class){
        .fault = (enum rc_fault)row->fault,
        .drain = row->drain != 0,
        .by_job = row->by_job != 0,
        .known = true,
        .restart = row->action == RC_XID_RESTART_BM || row->action == RC_XID_RESTART_VM,
        .why = row->why,
    };
}

static struct rc_class
class_of_sxid(const char *class_name)
{
    if (class_ends(class_name, ":fatal")) {
        return (struct rc_class){
            .fault = RC_FAULT_NVLINK, .drain = true, .known = true, .why = "the switch says fatal"};
    }
    if (class_ends(class_name, ":nonfatal")) {
        return (struct rc_class){.known = true, .why = "the switch says non-fatal"};
    }
    return (struct rc_class){.fault = RC_FAULT_XID, .why = "the line has no severity"};
}

bool
rc_class_has_row(const char *class_name)
{
    const char *digits = strncmp(class_name, "xid:", 4) == 0    ? class_name + 4
                         : strncmp(class_name, "sxid:", 5) == 0 ? class_name + 5
                                                                : "";
    bool has = *digits >= '0' && *digits <= '9'; /* new ones come with drivers */

    for (size_t i = 0; !has && i < sizeof rows / sizeof rows[0]; i++) {
        has = class_applies(rows[i].name, class_name);
    }
    return has;
}

struct rc_class
rc_class_of(const char *class_name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (class_applies(rows[i].name, class_name)) {
            return (struct rc_class){
                .fault = (enum rc_fault)rows[i].fault,
                .drain = rows[i].drain != 0,
                .by_job = rows[i].by_job != 0,
                .known = true,
                .lasts = rows[i].lasts != 0,
                .restart = rows[i].restart != 0,
                .why = rows[i].why,
            };
        }
    }
    if (strncmp(class_name, "xid:", 4) == 0) {
        return class_of_xid(class_name);
    }
    if (strncmp(class_name, "sxid:", 5) == 0) {
        return class_of_sxid(class_name);
    }
    return (struct rc_class){.known = true, .why = "context, or benign"};
}
