/* probe_nvml.c - what NVIDIA's management library knows, when it is there.
 *
 * The library is loaded by name or path, in a child process: its calls hang when a GPU's
 * firmware does. Prototypes and values are those of nvml.h (CUDA 12); a function that a
 * release does not have is left out, a value that a GPU does not support too (A100
 * and later remap rows and know no retired pages). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/watch/probe.h"
#include "reconciler/watch/sys_file.h"

enum {
    NVML_SUCCESS = 0,
    NVML_ERROR_GPU_IS_LOST = 15,
    NVML_ERROR_RESET_REQUIRED = 16,
    NVML_ERROR_UNCORRECTED = 1, /* nvmlMemoryErrorType_t */
    NVML_VOLATILE_ECC = 0,      /* nvmlEccCounterType_t */
    NVML_LINKS_MAX = 18,
    NVML_BUS_ID_ROOM = 32,
};
/* nvmlClocksEventReason*: HW slowdown, HW thermal, HW power brake. */
static const unsigned long long throttle_mask = 0x8 | 0x40 | 0x80;

typedef void *nvml_device;

/* nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3. */
struct nvml_pci {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[NVML_BUS_ID_ROOM];
};

/* Any of these may be NULL but the first four. */
struct nvml {
    int (*init)(void);
    int (*count)(unsigned *);
    int (*handle)(unsigned, nvml_device *);
    int (*pci)(nvml_device, struct nvml_pci *);
    int (*ecc)(nvml_device, int, int, unsigned long long *);
    int (*remapped)(nvml_device, unsigned *, unsigned *, unsigned *, unsigned *);
    int (*pages_pending)(nvml_device, unsigned *);
    int (*throttle)(nvml_device, unsigned long long *);
    int (*width)(nvml_device, unsigned *);
    int (*width_max)(nvml_device, unsigned *);
    int (*link)(nvml_device, unsigned, unsigned *);
};

static void
find_functions(void *library, struct nvml *n)
{
    const struct {
        const char *name;
        void *slot;
    } functions[] = {
        {"nvmlInit_v2", &n->init},
        {"nvmlDeviceGetCount_v2", &n->count},
        {"nvmlDeviceGetHandleByIndex_v2", &n->handle},
        {"nvmlDeviceGetPciInfo_v3", &n->pci},
        {"nvmlDeviceGetTotalEccErrors", &n->ecc},
        {"nvmlDeviceGetRemappedRows", &n->remapped},
        {"nvmlDeviceGetRetiredPagesPendingStatus", &n->pages_pending},
        {"nvmlDeviceGetCurrentClocksThrottleReasons", &n->throttle},
        {"nvmlDeviceGetCurrPcieLinkWidth", &n->width},
        {"nvmlDeviceGetMaxPcieLinkWidth", &n->width_max},
        {"nvmlDeviceGetNvLinkState", &n->link},
    };

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(library, functions[i].name);

        memcpy(functions[i].slot, &found, sizeof found); /* POSIX: dlsym gives functions so */
    }
}

static void
look_at_memory(const struct nvml *n, nvml_device d, const char *id, struct rc_findings *out)
{
    unsigned long long errors = 0;
    unsigned corrected, uncorrected, pending = 0, failed = 0;

    if (n->ecc && n->ecc(d, NVML_ERROR_UNCORRECTED, NVML_VOLATILE_ECC, &errors) == NVML_SUCCESS &&
        errors > 0) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:ecc", id,
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
    if (bad == NVML_ERROR_GPU_IS_LOST || bad == NVML_ERROR_RESET_REQUIRED) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu-lost", id, "NVML: %s",
                       bad == NVML_ERROR_GPU_IS_LOST ? "the GPU is lost" : "a reset is required");
        return;
    }
    if (bad != NVML_SUCCESS) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", id, "NVML error %d", bad);
        return;
    }
    (void)snprintf(id, sizeof id, "%04x:%02x:%02x.0", pci.domain, pci.bus, pci.device);
    look_at_memory(n, d, id, out);
    look_at_links(n, d, id, out);
}

void
rc_probe_nvml(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct nvml n = {0};
    unsigned count = 0;
    char driver[16];

    if (!*c->nvml) {
        return;
    }
    void *library = dlopen(c->nvml, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        /* Without NVIDIA's driver there is nothing to miss. */
        if (rc_sys_read(c->proc, "driver/nvidia/version", NULL, driver, sizeof driver) ||
            c->gpus > 0) {
            rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", "", "%s cannot be loaded",
                           c->nvml);
        }
        return;
    }
    find_functions(library, &n);
    int bad = n.init && n.count && n.handle && n.pci ? n.init() : -1;
    if (bad == NVML_SUCCESS) {
        bad = n.count(&count);
    }
    if (bad != NVML_SUCCESS) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "gpu:unknown", "", "NVML does not start: error %d",
                       bad);
    } else if (count < c->gpus) {
        rc_finding_add(out, RC_FINDING_FAULT, "gpu:missing", "", "NVML sees %u of %u GPUs", count,
                       c->gpus);
    }
    for (unsigned i = 0; i < count; i++) {
        look_at_gpu(&n, i, out);
    }
    /* The library stays: it is the process that ends. */
}
