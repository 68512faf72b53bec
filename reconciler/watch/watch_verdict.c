/* watch_verdict.c - one table: class, verdict, why. See watch_verdict.h.
 *
 * The actions of Xids are those of NVIDIA's Xid catalogue (R590) for A100 and H100:
 * RESTART_APP and IGNORE are told, RESET_GPU and above drain. Where the row says
 * otherwise, it says why. */
#include "reconciler/watch/watch_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* "name" matches the class itself, "name:" also everything below it. Earlier rows win. */
static const struct {
    const char *name;
    enum rc_verdict_of verdict;
    const char *why;
} table[] = {
    {"xid:46", RC_VERDICT_DRAIN, "GPU stopped processing: RESET_GPU"},
    {"xid:48", RC_VERDICT_DRAIN, "double bit ECC error: reset between jobs"},
    {"xid:54", RC_VERDICT_DRAIN, "auxiliary power missing: CHECK_MECHANICALS"},
    {"xid:62", RC_VERDICT_DRAIN, "micro-controller halt: RESET_GPU"},
    {"xid:63", RC_VERDICT_DRAIN, "row remap waits for a reset; NVIDIA ignores it, EC2 replaces"},
    {"xid:64", RC_VERDICT_DRAIN, "row remap failed: RESET_GPU, then replace"},
    {"xid:74", RC_VERDICT_DRAIN, "NVLink error"},
    {"xid:79", RC_VERDICT_DRAIN, "fallen off the bus: RESTART_BM"},
    {"xid:94", RC_VERDICT_DRAIN, "contained: the job fails, the remap waits for a reset"},
    {"xid:95", RC_VERDICT_DRAIN, "uncontained memory error: RESET_GPU"},
    {"xid:109", RC_VERDICT_DRAIN, "context switch timeout: RESET_GPU"},
    {"xid:110", RC_VERDICT_DRAIN, "security fault: RESET_GPU"},
    {"xid:119", RC_VERDICT_DRAIN, "GSP RPC timeout: RESET_GPU"},
    {"xid:120", RC_VERDICT_DRAIN, "GSP error: RESET_GPU"},
    {"xid:136", RC_VERDICT_DRAIN, "link training failed: RESET_GPU"},
    {"xid:140", RC_VERDICT_DRAIN, "ECC unrecovered error: RESET_GPU"},
    {"xid:143", RC_VERDICT_DRAIN, "GPU initialization error: RESET_GPU"},
    {"xid:151", RC_VERDICT_DRAIN, "key rotation error: RESTART_VM"},
    {"xid:154:none", RC_VERDICT_NOTHING, "the driver takes its demand back"},
    {"xid:154:", RC_VERDICT_DRAIN, "the driver's own demand for a reset, reboot or drain"},
    {"xid:155", RC_VERDICT_DRAIN, "NVLink, software defined: RESET_GPU"},
    {"xid:156", RC_VERDICT_DRAIN, "resource retirement: RESET_GPU"},
    {"xid:158", RC_VERDICT_DRAIN, "GPU fatal timeout: RESET_GPU"},
    {"xid:167", RC_VERDICT_DRAIN, "PCIe fatal timeout"},
    {"xid:168", RC_VERDICT_DRAIN, "errors in write protected region: reboot"},
    {"xid:171", RC_VERDICT_NOTHING, "detail of 48"},
    {"xid:172", RC_VERDICT_NOTHING, "detail of 48"},
    {"xid:", RC_VERDICT_TELL, "application faults, and codes that nobody knows yet"},
    {"sxid:26006:", RC_VERDICT_DRAIN, "switch micro-controller halted; the line has no severity"},
    {"sxid:26007:", RC_VERDICT_DRAIN, "as 26006"},
    {"sxid:26008:", RC_VERDICT_DRAIN, "as 26006"},
    {"sxid:", RC_VERDICT_TELL, "non-fatal; fatal ones by their last word, below"},
    {"gpu-lost", RC_VERDICT_DRAIN, "fallen off the bus without an Xid"},
    {"gpu-lost:", RC_VERDICT_DRAIN, "the same"},
    {"gpu-init-fail", RC_VERDICT_DRAIN, "the driver cannot start the GPU"},
    {"gpu:", RC_VERDICT_DRAIN, "found by NVML or in sysfs"},
    {"aer:fatal", RC_VERDICT_DRAIN, "the link was reset; NVIDIA's driver cannot recover"},
    {"aer:cannot-recover:gpu", RC_VERDICT_DRAIN, "a lost GPU"},
    {"aer:recovery-failed", RC_VERDICT_DRAIN, "the device is gone"},
    {"aer:nonfatal", RC_VERDICT_TELL, "by rate"},
    {"aer:corrected-rate", RC_VERDICT_TELL, "a link that is about to go bad"},
    {"aer:cannot-recover:other", RC_VERDICT_TELL, "by the device"},
    {"pcie:", RC_VERDICT_DRAIN, "a link narrower than it should be"},
    {"efa:cmd-fail", RC_VERDICT_TELL, "user programs cause it too"},
    {"efa:bad-cq", RC_VERDICT_TELL, "warning"},
    {"efa:counter:", RC_VERDICT_TELL, "by counter; peers and the network cause them too"},
    {"efa:", RC_VERDICT_DRAIN, "the admin queue is closed for good: reboot"},
    {"ena:reset-failed", RC_VERDICT_DRAIN, "the interface is gone"},
    {"ena:reset-done", RC_VERDICT_NOTHING, "recovered by itself"},
    {"ena:", RC_VERDICT_TELL, "recovers by itself; repetition is judged elsewhere"},
    {"ib:", RC_VERDICT_TELL, "by rate"},
    {"net:", RC_VERDICT_TELL, "by rate"},
    {"nvme:lost", RC_VERDICT_DRAIN, "the disk is gone"},
    {"nvme:", RC_VERDICT_TELL, "by rate"},
    {"io-error", RC_VERDICT_TELL, "by rate"},
    {"raid:", RC_VERDICT_TELL, "redundancy is lost, not data"},
    {"fs:readonly", RC_VERDICT_DRAIN, "local file system"},
    {"fs:journal-abort", RC_VERDICT_DRAIN, "local file system"},
    {"fs:xfs-shutdown", RC_VERDICT_DRAIN, "local file system"},
    {"fs:xfs-corrupt", RC_VERDICT_DRAIN, "local file system"},
    {"fs:stuck-local", RC_VERDICT_DRAIN, "a local file system does not answer"},
    {"fs:", RC_VERDICT_TELL, "the file server may be ill: all nodes at once are judged elsewhere"},
    {"edac:ue", RC_VERDICT_DRAIN, "uncorrectable memory error"},
    {"mem-failure:kill", RC_VERDICT_DRAIN, "uncorrectable memory error that hit a program"},
    {"mem-failure", RC_VERDICT_TELL, "page taken out of use"},
    {"mem-failure:", RC_VERDICT_TELL, "page taken out of use"},
    {"mem:", RC_VERDICT_TELL, "memory in use"},
    {"ghes:fatal", RC_VERDICT_DRAIN, "firmware says fatal"},
    {"ghes:panic", RC_VERDICT_DRAIN, "firmware says fatal"},
    {"ghes:recoverable", RC_VERDICT_TELL, "firmware says recoverable"},
    {"mce:uncorrected", RC_VERDICT_DRAIN, "processor or memory"},
    {"mce:bank", RC_VERDICT_TELL, "severity is in the registers"},
    {"hard-lockup", RC_VERDICT_DRAIN, "a processor does not answer"},
    {"oops", RC_VERDICT_DRAIN, "the kernel's state is not to be trusted"},
    {"soft-lockup", RC_VERDICT_TELL, "often follows a GPU fault"},
    {"rcu-stall", RC_VERDICT_TELL, "often follows a GPU fault"},
    {"hung-task", RC_VERDICT_TELL, "a hung file system, or follows a GPU fault"},
    {"oom", RC_VERDICT_TELL, "the whole node was out of memory; a cgroup's is the job's own"},
    {"nccl-segv", RC_VERDICT_TELL, "the job"},
    {"thermal:", RC_VERDICT_TELL, "by duration"},
    {"clock:", RC_VERDICT_TELL, "munge refuses a clock that is five minutes off"},
    {"nvml:", RC_VERDICT_TELL, "the library hangs: often follows a GPU fault"},
    {"vfs-filemax", RC_VERDICT_TELL, "the job"},
    {"log:overrun", RC_VERDICT_TELL, "kernel messages were lost: faults may be among them"},
    {"disk:", RC_VERDICT_TELL, "a full disk"},
};

static bool
applies(const char *name, const char *class_name)
{
    size_t len = strlen(name);

    return name[len - 1] == ':' ? strncmp(name, class_name, len) == 0
                                : strcmp(name, class_name) == 0;
}

static bool
ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

enum rc_verdict_of
rc_watch_verdict(const char *class_name)
{
    if (strncmp(class_name, "sxid:", 5) == 0 && ends_with(class_name, ":fatal")) {
        return RC_VERDICT_DRAIN;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (applies(table[i].name, class_name)) {
            return table[i].verdict;
        }
    }
    return RC_VERDICT_NOTHING;
}
