/* probe_sysfs.c - devices as sysfs shows them: PCIe errors and links, GPUs, NVMe, thermal
 * throttling.
 *
 * Files: Documentation/ABI/testing/sysfs-bus-pci-devices-aer, sysfs-bus-pci of Linux. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/watch/probe.h"
#include "reconciler/watch/probe_rates.h"
#include "reconciler/watch/sys_file.h"

enum {
    VENDOR_NVIDIA = 0x10de,
    VENDOR_AMAZON = 0x1d0f,
    EFA_IDS = 0xefa, /* efa0 to efa3 */
    CLASS_DISPLAY = 0x03,
    CLASS_SHIFT = 16,
    CORRECTED_MAX = 600, /* corrected errors from one look to the next: ten a second */
};

struct look {
    const struct rc_probe_config *config;
    struct rc_findings *out;
    uint32_t count;
};

static bool
each_in(struct look *l, const char *place, const char *prefix, rc_sys_entry_fn *fn)
{
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof dir, "%s/%s", l->config->sys, place);
    return rc_sys_each(dir, prefix, fn, l) >= 0;
}

/* "TOTAL_ERR_FATAL 3" in a file of lines. */
static uint64_t
aer_total(const char *dir, const char *device, const char *file, const char *key)
{
    char text[2048];
    unsigned long long value = 0;

    if (rc_sys_read(dir, device, file, text, sizeof text)) {
        const char *at = strstr(text, key);

        if (at && sscanf(at + strlen(key), " %llu", &value) != 1) {
            value = 0;
        }
    }
    return value;
}

static void
look_at_aer(void *arg, const char *dir, const char *name)
{
    struct look *l = arg;
    uint64_t fatal = aer_total(dir, name, "aer_dev_fatal", "TOTAL_ERR_FATAL");
    uint64_t nonfatal = aer_total(dir, name, "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL");
    uint64_t corrected = aer_total(dir, name, "aer_dev_correctable", "TOTAL_ERR_COR");
    uint64_t rise;

    if (rc_rates_rise(l->config->rates, "aer:corrected", name, corrected, &rise) &&
        rise > CORRECTED_MAX) {
        rc_finding_add(l->out, RC_FINDING_NOTE, "aer:corrected-rate", name,
                       "%llu corrected PCIe errors since the last look", (unsigned long long)rise);
    }
    if (fatal > 0) {
        rc_finding_add_counted(l->out, RC_FINDING_FAULT, "aer:fatal", name, fatal,
                               "%llu fatal PCIe errors since boot", (unsigned long long)fatal);
    }
    if (nonfatal > 0) {
        rc_finding_add(l->out, RC_FINDING_NOTE, "aer:nonfatal", name,
                       "%llu non-fatal PCIe errors since boot", (unsigned long long)nonfatal);
    }
}

void
rc_probe_aer(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct look l = {.config = c, .out = out};

    if (!each_in(&l, "bus/pci/devices", "", look_at_aer)) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "aer:unknown", "", "no PCI devices in %s", c->sys);
    }
}

static bool
is_gpu(const char *dir, const char *name)
{
    uint64_t vendor = 0, class_code = 0;

    return rc_sys_number(dir, name, "vendor", &vendor) && vendor == VENDOR_NVIDIA &&
           rc_sys_number(dir, name, "class", &class_code) &&
           class_code >> CLASS_SHIFT == CLASS_DISPLAY;
}

static bool
is_efa(const char *dir, const char *name)
{
    uint64_t vendor = 0, device = 0;

    return rc_sys_number(dir, name, "vendor", &vendor) && vendor == VENDOR_AMAZON &&
           rc_sys_number(dir, name, "device", &device) && device >> 4 == EFA_IDS;
}

/* Width is a matter of wires; a GPU lowers its speed when it has nothing to do. Other devices of
 * Nitro are made by the card and claim what they like: a node is not drained for that. */
static void
look_at_link(void *arg, const char *dir, const char *name)
{
    struct look *l = arg;
    uint64_t width = 0, width_max = 0, speed = 0, speed_max = 0;

    if ((!is_gpu(dir, name) && !is_efa(dir, name)) ||
        !rc_sys_number(dir, name, "current_link_width", &width) ||
        !rc_sys_number(dir, name, "max_link_width", &width_max)) {
        return; /* paravirtual devices have no link */
    }
    /* 0 and 255 stand for unknown. */
    if (width == 0 || width > 32 || width_max > 32) {
        return;
    }
    if (width < width_max) {
        rc_finding_add(l->out, RC_FINDING_FAULT, "pcie:width", name, "link is x%u instead of x%u",
                       (unsigned)width, (unsigned)width_max);
    }
    if (rc_sys_tenths(dir, name, "current_link_speed", &speed) &&
        rc_sys_tenths(dir, name, "max_link_speed", &speed_max) && speed < speed_max) {
        rc_finding_add(l->out, RC_FINDING_NOTE, "pcie:speed", name,
                       "link at %u.%u instead of %u.%u GT/s", (unsigned)speed / 10,
                       (unsigned)speed % 10, (unsigned)speed_max / 10, (unsigned)speed_max % 10);
    }
}

void
rc_probe_link(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct look l = {.config = c, .out = out};

    (void)each_in(&l, "bus/pci/devices", "", look_at_link); /* rc_probe_aer tells of none */
}

static void
count_gpu(void *arg, const char *dir, const char *name)
{
    struct look *l = arg;
    char config[8];

    if (!is_gpu(dir, name)) {
        return;
    }
    l->count++;
    /* A device that does not answer on the bus reads as all ones. */
    if (rc_sys_read(dir, name, "config", config, sizeof config) &&
        memcmp(config, "\xff\xff\xff\xff", 4) == 0) {
        rc_finding_add(l->out, RC_FINDING_FAULT, "gpu:no-answer", name,
                       "the GPU does not answer on the bus");
    }
}

void
rc_probe_gpu_devices(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct look l = {.config = c, .out = out};
    uint32_t want = c->gpus > 0 ? c->gpus : rc_instance_type_gpus(c->sys);

    (void)each_in(&l, "bus/pci/devices", "", count_gpu);
    if (c->seen && c->seen->gpus > want) {
        want = c->seen->gpus; /* one that was here in this boot has left the bus */
    } else if (c->seen && c->seen->gpus < l.count) {
        c->seen->gpus = l.count;
    }
    if (l.count < want) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:missing", "", "%u of %u GPUs on the bus",
                       l.count, want);
    }
}

static void
look_at_nvme(void *arg, const char *dir, const char *name)
{
    struct look *l = arg;
    char state[32];

    if (!rc_sys_read(dir, name, "state", state, sizeof state)) {
        return; /* it may have just gone, which the next look tells */
    }
    if (strcmp(state, "dead") == 0) {
        rc_finding_add(l->out, RC_FINDING_FAULT, "nvme:lost", name, "the controller is dead");
    } else if (strcmp(state, "live") != 0) {
        rc_finding_add(l->out, RC_FINDING_UNKNOWN, "nvme:reset", name, "the controller is %s",
                       state);
    }
}

void
rc_probe_nvme(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct look l = {.config = c, .out = out};

    (void)each_in(&l, "class/nvme", "nvme", look_at_nvme);
}

static void
sum_throttles(void *arg, const char *dir, const char *name)
{
    struct look *l = arg;
    uint64_t value = 0;

    if (rc_sys_number(dir, name, "thermal_throttle/package_throttle_count", &value) &&
        value > l->count) {
        l->count = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
    }
}

void
rc_probe_thermal(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct look l = {.config = c, .out = out};

    (void)each_in(&l, "devices/system/cpu", "cpu", sum_throttles);
    uint64_t rise = l.count;
    bool again = rc_rates_rise(c->rates, "thermal:cpu", "", l.count, &rise);

    if (c->rates ? again && rise > 0 : l.count > 0) {
        rc_finding_add(out, RC_FINDING_NOTE, "thermal:cpu", "",
                       "a processor was throttled %u times since boot", l.count);
    }
}
