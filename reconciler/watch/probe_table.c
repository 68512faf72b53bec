/* probe_table.c - every probe with its period, time-out and cost. */
#include "reconciler/watch/probe.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* period_ms, timeout_ms, cost_us, in a child */
const struct rc_probe rc_probes[] = {
    {"kernel-log", 0, 5 * SECOND, 5000, false, rc_probe_kmsg},
    {"pcie-aer", MINUTE, SECOND, 1000, false, rc_probe_aer},
    {"pcie-link", 5 * MINUTE, SECOND, 1000, false, rc_probe_link},
    {"gpu-devices", MINUTE, SECOND, 300, false, rc_probe_gpu_devices},
    {"efa", MINUTE, SECOND, 500, false, rc_probe_efa},
    {"nvme", MINUTE, SECOND, 200, false, rc_probe_nvme},
    {"thermal", MINUTE, SECOND, 2000, false, rc_probe_thermal},
    {"memory", MINUTE, SECOND, 50, false, rc_probe_memory},
    {"readonly", MINUTE, SECOND, 100, false, rc_probe_readonly},
    {"clock", 5 * MINUTE, SECOND, 5, false, rc_probe_clock},
    {"file-systems", MINUTE, 5 * SECOND, 2000, true, rc_probe_mounts},
    {"nvml", MINUTE, 20 * SECOND, 20000, true, rc_probe_nvml},
};
const uint32_t rc_probe_count = sizeof rc_probes / sizeof *rc_probes;
