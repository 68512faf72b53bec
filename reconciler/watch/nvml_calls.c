/* nvml_calls.c - see nvml_calls.h. */
#define _GNU_SOURCE
#include "reconciler/watch/nvml_calls.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

bool
rc_nvml_load(const char *library, struct nvml *ret)
{
    const struct {
        const char *name;
        void *slot;
    } functions[] = {
        {"nvmlInit_v2", &ret->init},
        {"nvmlDeviceGetCount_v2", &ret->count},
        {"nvmlDeviceGetHandleByIndex_v2", &ret->handle},
        {"nvmlDeviceGetPciInfo_v3", &ret->pci},
        {"nvmlDeviceGetSerial", &ret->serial},
        {"nvmlDeviceGetUUID", &ret->uuid},
        {"nvmlDeviceGetTotalEccErrors", &ret->ecc},
        {"nvmlDeviceGetRemappedRows", &ret->remapped},
        {"nvmlDeviceGetRetiredPagesPendingStatus", &ret->pages_pending},
        {"nvmlDeviceGetCurrentClocksThrottleReasons", &ret->throttle},
        {"nvmlDeviceGetCurrPcieLinkWidth", &ret->width},
        {"nvmlDeviceGetMaxPcieLinkWidth", &ret->width_max},
        {"nvmlDeviceGetNvLinkState", &ret->link},
        {"nvmlEventSetCreate", &ret->set_new},
        {"nvmlDeviceRegisterEvents", &ret->set_add},
        {"nvmlEventSetWait_v2", &ret->set_wait},
    };
    static const char throttle_new[] = "nvmlDeviceGetCurrentClocksEventReasons";
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    *ret = (struct nvml){0};
    for (size_t i = 0; handle && i < sizeof functions / sizeof *functions; i++) {
        void *found = dlsym(handle, functions[i].name);

        memcpy(functions[i].slot, &found, sizeof found); /* POSIX: dlsym gives functions so */
    }
    if (handle && !ret->throttle) {
        void *found = dlsym(handle, throttle_new);

        memcpy(&ret->throttle, &found, sizeof found);
    }
    return handle != NULL;
}

int
rc_nvml_init(const struct nvml *n)
{
    return n->init && n->count && n->handle && n->pci ? n->init() : -1;
}
