/* probe_nvml.c - what NVIDIA's management library knows, when it is there.
 *
 * In a child process: its calls hang when a GPU's firmware does. A value that a GPU does
 * not support is left out (A100 and later remap rows and know no retired pages).
 *
 * In watch the child stays, so that the driver is not started anew for each look, and waits for
 * the Xids that NVML tells of. The kernel log has the same ones and is quicker: they are
 * reported after a pause, and count where the log did not tell (a container, a log that
 * was overwritten). */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/core/serial.h"
#include "reconciler/watch/nvml_calls.h"
#include "reconciler/watch/probe.h"
#include "reconciler/watch/sys_file.h"

enum {
    LOOK_MS = 60 * 1000,
    EVENT_PAUSE_S = 2,
    EVENTS_A_LOOK = 64,
    XID_UNKNOWN = 999,
    UUID_DIGITS = 16, /* so many tell GPUs apart */
};

/* nvmlClocksEventReason*: HW slowdown, HW thermal, HW power brake. */
static const unsigned long long throttle_mask = 0x8 | 0x40 | 0x80;

static bool
is_lost(int bad)
{
    return bad == NVML_ERROR_GPU_IS_LOST || bad == NVML_ERROR_RESET_REQUIRED;
}

static void
report_lost(int bad, const char *id, struct rc_findings *out)
{
    rc_finding_add(out, RC_FINDING_FAULT, "gpu-lost", id, "NVML: %s",
                   bad == NVML_ERROR_GPU_IS_LOST ? "the GPU is lost" : "a reset is required");
}

/* The board's serial number, or where it has none the beginning of the GPU's UUID
 * ("GPU-509665ad-b600-ac93-…"), without the dashes. */
static void
look_at_serial(const struct nvml *n, nvml_device d, const char *id, struct rc_findings *out)
{
    char serial[NVML_SERIAL_LEN] = "", uuid[NVML_UUID_LEN] = "", digits[UUID_DIGITS + 1];
    size_t count = 0;

    if (n->serial && n->serial(d, serial, sizeof serial) == NVML_SUCCESS &&
        rc_serial_is_real(serial, strlen(serial))) {
        rc_finding_add(out, RC_FINDING_FACT, "gpu:serial", id, "%s", serial);
        return;
    }
    if (!n->uuid || n->uuid(d, uuid, sizeof uuid) != NVML_SUCCESS ||
        strncmp(uuid, "GPU-", 4) != 0) {
        return;
    }
    for (const char *c = uuid + 4; *c && count < UUID_DIGITS; c++) {
        digits[count] = *c;
        count += *c != '-';
    }
    digits[count] = '\0';
    if (count == UUID_DIGITS && rc_serial_is_real(digits, count)) {
        rc_finding_add(out, RC_FINDING_FACT, "gpu:serial", id, "%s", digits);
    }
}

static void
look_at_memory(const struct nvml *n, nvml_device d, const char *id, struct rc_findings *out)
{
    unsigned long long errors = 0;
    unsigned corrected, uncorrected, pending = 0, failed = 0;
    int bad = n->ecc ? n->ecc(d, NVML_ERROR_UNCORRECTED, NVML_VOLATILE_ECC, &errors) : NVML_SUCCESS;

    if (is_lost(bad)) { /* the handle may outlive the GPU */
        report_lost(bad, id, out);
        return;
    }
    if (bad != NVML_SUCCESS && bad != NVML_ERROR_NOT_SUPPORTED) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", id, "NVML error %d", bad);
    } else if (errors > 0) {
        rc_finding_add_counted(out, RC_FINDING_FAULT, "gpu:ecc", id, errors,
                               "%llu uncorrected ECC errors since the driver started", errors);
    }
    if (n->remapped &&
        n->remapped(d, &corrected, &uncorrected, &pending, &failed) == NVML_SUCCESS) {
        if (failed) {
            rc_finding_add(out, RC_FINDING_FAULT, "gpu:remap-failed", id,
                           "a row could not be remapped");
        } else if (pending) {
            rc_finding_add(out, RC_FINDING_FAULT, "gpu:remap-pending", id,
                           "a row remap waits for a reset");
        }
    }
    pending = 0;
    if (n->pages_pending && n->pages_pending(d, &pending) == NVML_SUCCESS && pending) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:page-pending", id,
                       "a page retirement waits for a reset");
    }
}

static void
look_at_links(const struct nvml *n, nvml_device d, const char *id, struct rc_findings *out)
{
    unsigned width = 0, width_max = 0, up = 0, down = 0, state;
    unsigned long long reasons = 0;

    if (n->width && n->width_max && n->width(d, &width) == NVML_SUCCESS &&
        n->width_max(d, &width_max) == NVML_SUCCESS && width > 0 && width < width_max) {
        rc_finding_add(out, RC_FINDING_FAULT, "pcie:width", id, "link is x%u instead of x%u", width,
                       width_max);
    }
    for (unsigned i = 0; n->link && i < NVML_LINKS_MAX; i++) {
        if (n->link(d, i, &state) == NVML_SUCCESS) {
            up += state != 0;
            down += state == 0;
        }
    }
    if (up > 0 && down > 0) { /* none up: not connected, or MIG */
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:nvlink-down", id, "%u of %u NVLinks are down",
                       down, up + down);
    }
    if (n->throttle && n->throttle(d, &reasons) == NVML_SUCCESS && (reasons & throttle_mask)) {
        rc_finding_add(out, RC_FINDING_NOTE, "thermal:gpu", id,
                       "hardware slows the clocks down (0x%llx)", reasons);
    }
}

static void
look_at_gpu(const struct nvml *n, unsigned index, struct rc_findings *out)
{
    struct nvml_pci pci;
    nvml_device d;
    char id[RC_KERNEL_DEVICE_LEN];
    int bad = n->handle(index, &d);

    (void)snprintf(id, sizeof id, "gpu%u", index);
    if (bad == NVML_SUCCESS) {
        memset(&pci, 0, sizeof pci);
        bad = n->pci(d, &pci);
    }
    if (is_lost(bad)) {
        report_lost(bad, id, out);
        return;
    }
    if (bad != NVML_SUCCESS) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", id, "NVML error %d", bad);
        return;
    }
    (void)snprintf(id, sizeof id, "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
    look_at_serial(n, d, id, out);
    look_at_memory(n, d, id, out);
    look_at_links(n, d, id, out);
}

static void
look_at_gpus(const struct nvml *n, const struct rc_probe_config *c, struct rc_findings *out)
{
    unsigned count = 0, want = c->gpus > 0 ? c->gpus : rc_instance_type_gpus(c->sys);
    int bad = n->count(&count);

    if (bad != NVML_SUCCESS) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", "", "NVML cannot count: error %d",
                       bad);
    } else if (count < want) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:missing", "", "NVML sees %u of %u GPUs", count,
                       want);
    }
    for (unsigned i = 0; i < count; i++) {
        look_at_gpu(n, i, out);
    }
}

/* False: it does not start; what is wrong is in out. */
static bool
open_nvml(const struct rc_probe_config *c, struct nvml *ret, struct rc_findings *out)
{
    char driver[16];

    if (!*c->nvml) {
        return false;
    }
    if (!rc_nvml_load(c->nvml, ret)) {
        /* Without NVIDIA's driver there is nothing to miss. */
        if (rc_sys_read(c->proc, "driver/nvidia/version", NULL, driver, sizeof driver) ||
            c->gpus > 0) {
            rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", "", "%s cannot be loaded",
                           c->nvml);
        }
        return false;
    }
    int bad = rc_nvml_init(ret);
    if (bad != NVML_SUCCESS) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", "", "NVML does not start: error %d",
                       bad);
    }
    return bad == NVML_SUCCESS;
}

void
rc_probe_nvml(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct nvml n;

    if (open_nvml(c, &n, out)) {
        look_at_gpus(&n, c, out); /* the library stays: it is the process that ends */
    }
}

static nvml_event_set
ask_for_xids(const struct nvml *n)
{
    nvml_event_set set = NULL;
    unsigned count = 0;
    nvml_device d;

    if (!n->set_new || !n->set_add || !n->set_wait || n->set_new(&set) != NVML_SUCCESS) {
        return NULL;
    }
    (void)n->count(&count);
    for (unsigned i = 0; i < count; i++) {
        if (n->handle(i, &d) == NVML_SUCCESS) {
            (void)n->set_add(d, NVML_EVENT_XID_CRITICAL, set); /* old GPUs do not support it */
        }
    }
    return set;
}

/* Addresses in the form of the kernel's Xid lines, so that both are one fault. */
static void
report_xid(const struct nvml *n, const struct nvml_event *e, struct rc_findings *out)
{
    char class_name[RC_KERNEL_CLASS_LEN], id[RC_KERNEL_DEVICE_LEN] = "";
    struct nvml_pci pci = {.domain = 0};

    if (!(e->type & NVML_EVENT_XID_CRITICAL) || e->data == XID_UNKNOWN) {
        return;
    }
    if (n->pci(e->device, &pci) == NVML_SUCCESS) {
        (void)snprintf(id, sizeof id, "%04x:%02x:%02x", pci.domain, pci.bus, pci.device);
    }
    (void)snprintf(class_name, sizeof class_name, "xid:%llu", e->data);
    rc_finding_add(out, RC_FINDING_FAULT, class_name, id, "NVML tells of Xid %llu", e->data);
}

/* Until the next look is due, or an Xid asks for one. */
static void
wait_for_xids(const struct nvml *n, nvml_event_set set, struct rc_findings *out)
{
    struct nvml_event e = {.device = NULL};
    int bad = set ? n->set_wait(set, &e, LOOK_MS) : -1;

    if (bad != NVML_SUCCESS && bad != NVML_ERROR_TIMEOUT) {
        (void)sleep(LOOK_MS / 1000); /* no events from this driver */
    } else if (bad == NVML_SUCCESS) {
        (void)sleep(EVENT_PAUSE_S);
        report_xid(n, &e, out);
        for (int i = 0; i < EVENTS_A_LOOK && n->set_wait(set, &e, 0) == NVML_SUCCESS; i++) {
            report_xid(n, &e, out);
        }
    }
}

void
rc_probe_nvml_stay(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct nvml n;

    if (!open_nvml(c, &n, out)) {
        return; /* tried again at the next turn */
    }
    nvml_event_set set = ask_for_xids(&n);
    for (;;) {
        look_at_gpus(&n, c, out);
        rc_finding_end_look(out);
        wait_for_xids(&n, set, out);
    }
}
