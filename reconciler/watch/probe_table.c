/* probe_table.c - every probe with its period, time-out and cost. What the kernel log tells too,
 * and at once, is looked at less often. clock-skew has no function: the helper asks slurmctld
 * (watch_clock.c), once an hour because each node's question is work for the one slurmctld. */
#include <stddef.h>

#include "reconciler/watch/probe.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* period_ms, timeout_ms, confirm_ms, cost_us, in a child, woken by, look, stay */
const struct rc_probe rc_probes[] = {
    {"kernel-log", 0, 5 * SECOND, 0, 5000, false, NULL, rc_probe_kmsg, NULL},
    {"pcie-aer", 2 * MINUTE, SECOND, 0, 2000, false, NULL, rc_probe_aer, NULL},
    {"pcie-link", 5 * MINUTE, SECOND, 2 * SECOND, 1000, false, NULL, rc_probe_link, NULL},
    {"gpu-devices", MINUTE, SECOND, 2 * SECOND, 300, false, "pci", rc_probe_gpu_devices, NULL},
    {"efa", MINUTE, SECOND, 2 * SECOND, 1000, false, "infiniband", rc_probe_efa, NULL},
    {"nvme", MINUTE, SECOND, 0, 200, false, "nvme", rc_probe_nvme, NULL},
    {"thermal", 2 * MINUTE, SECOND, 0, 2000, false, NULL, rc_probe_thermal, NULL},
    {"memory", MINUTE, SECOND, 30 * SECOND, 50, false, NULL, rc_probe_memory, NULL},
    {"readonly", 2 * MINUTE, SECOND, 0, 100, false, NULL, rc_probe_readonly, NULL},
    {"clock", 5 * MINUTE, SECOND, MINUTE, 5, false, NULL, rc_probe_clock, NULL},
    {"clock-skew", 60 * MINUTE, 45 * SECOND, MINUTE, 5, false, NULL, NULL, NULL},
    {"tasks", 5 * MINUTE, SECOND, 0, 8000, false, NULL, rc_probe_tasks, NULL},
    {"file-systems", 2 * MINUTE, 15 * SECOND, 0, 2000, true, NULL, rc_probe_mounts, NULL},
    {"nvml", MINUTE, 20 * SECOND, 0, 20000, true, NULL, rc_probe_nvml, rc_probe_nvml_stay},
};
const uint32_t rc_probe_count = sizeof rc_probes / sizeof *rc_probes;
