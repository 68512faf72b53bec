/* stub_nvml.c - the calls of NVML that the agent makes, for a node of two GPUs.
 *
 * RC_STUB_GPU names what is wrong with the second one: "lost", "remap", "remap-failed",
 * "ecc", "nvlink", "hang", "broken" (the library does not start), "lost-later" (only its counters
 * say so), "errors" (every question about it fails), "event" (NVML tells of Xid 79, once); unset:
 * nothing. RC_STUB_FILE names a file with such a word, read at each call, so that a GPU can fall
 * ill and get well. RC_STUB_GPUS: how many there are. RC_STUB_SERIAL: how serial numbers begin;
 * with "=" before it, all of the text for each GPU. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pci_info {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[32];
};

struct event_data {
    void *device;
    unsigned long long type, data;
    unsigned gpu_instance, compute_instance;
};

int nvmlInit_v2(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
int nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *info);
int nvmlDeviceGetSerial(void *device, char *serial, unsigned len);
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned len);
int nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *ret);
int nvmlDeviceGetRemappedRows(void *device, unsigned *corrected, unsigned *uncorrected,
                              unsigned *pending, unsigned *failed);
int nvmlDeviceGetNvLinkState(void *device, unsigned link, unsigned *state);
int nvmlEventSetCreate(void **set);
int nvmlDeviceRegisterEvents(void *device, unsigned long long types, void *set);
int nvmlEventSetWait_v2(void *set, struct event_data *data, unsigned timeout_ms);

enum {
    LOST = 15,
    UNKNOWN = 999,
    LINKS = 12,
    INVALID = 2,
    TIMEOUT = 10,
    GPUS_MAX = 8,
    ILL = 1,
    XID_EVENT = 8
};
static char handles[GPUS_MAX];

/* Devices of p4d: two GPUs on each of the buses 10, 20, 90 and a0; of a node of two GPUs, one on
 * the first and one on the last. */
static const unsigned char buses[] = {0x10, 0xa0, 0x20, 0x20, 0x90, 0x90, 0x10, 0xa0};
static const unsigned char slots[] = {0x1c, 0x1c, 0x1c, 0x1d, 0x1c, 0x1d, 0x1d, 0x1d};

static int
is_ill(const void *device, const char *how)
{
    const char *path = getenv("RC_STUB_FILE"), *set = getenv("RC_STUB_GPU");
    char word[32] = "";

    if (device != &handles[ILL]) {
        return 0;
    }
    FILE *f = path ? fopen(path, "re") : NULL;
    if (f) {
        if (fscanf(f, "%31s", word) != 1) {
            word[0] = '\0';
        }
        (void)fclose(f);
    }
    return strcmp(path ? word : set ? set : "", how) == 0;
}

int
nvmlInit_v2(void)
{
    return is_ill(&handles[ILL], "broken") ? 9 : 0;
}

int
nvmlDeviceGetCount_v2(unsigned *count)
{
    const char *set = getenv("RC_STUB_GPUS");

    *count = set ? (unsigned)strtoul(set, NULL, 10) : 2;
    *count = *count < GPUS_MAX ? *count : GPUS_MAX;
    return 0;
}

int
nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    if (index >= GPUS_MAX) {
        return INVALID;
    }
    *device = &handles[index];
    while (is_ill(*device, "hang")) {
        (void)pause();
    }
    return is_ill(*device, "lost") ? LOST : 0;
}

int
nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *info)
{
    info->domain = 0;
    info->bus = buses[(char *)device - handles];
    info->device = slots[(char *)device - handles];
    return 0;
}

int
nvmlDeviceGetSerial(void *device, char *serial, unsigned len)
{
    const char *set = getenv("RC_STUB_SERIAL");

    if (is_ill(device, "errors")) {
        return UNKNOWN;
    }
    if (set && *set == '=') {
        return snprintf(serial, len, "%s", set + 1) < (int)len ? 0 : INVALID;
    }
    return snprintf(serial, len, "%s%d", set ? set : "165292000354",
                    (int)((char *)device - handles)) < (int)len
               ? 0
               : INVALID;
}

int
nvmlDeviceGetUUID(void *device, char *uuid, unsigned len)
{
    int bad = is_ill(device, "errors") ? UNKNOWN : 0;

    (void)snprintf(uuid, len, "GPU-509665a%d-b600-ac93-3616-d754b23d636d",
                   (int)((char *)device - handles));
    return bad;
}

int
nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *ret)
{
    (void)counter;
    if (is_ill(device, "lost-later")) {
        return LOST;
    }
    if (is_ill(device, "errors")) {
        return UNKNOWN;
    }
    *ret = is_ill(device, "ecc") && type == 1 ? 3 : 0;
    return 0;
}

int
nvmlDeviceGetRemappedRows(void *device, unsigned *corrected, unsigned *uncorrected,
                          unsigned *pending, unsigned *failed)
{
    *corrected = *uncorrected = 0;
    if (is_ill(device, "errors")) {
        return UNKNOWN;
    }
    *pending = is_ill(device, "remap") ? 1 : 0;
    *failed = is_ill(device, "remap-failed") ? 1 : 0;
    return 0;
}

int
nvmlDeviceGetNvLinkState(void *device, unsigned link, unsigned *state)
{
    *state = !(is_ill(device, "nvlink") && link == 3);
    if (is_ill(device, "errors")) {
        return UNKNOWN;
    }
    return link < LINKS ? 0 : INVALID;
}

int
nvmlEventSetCreate(void **set)
{
    *set = handles;
    return 0;
}

int
nvmlDeviceRegisterEvents(void *device, unsigned long long types, void *set)
{
    (void)device;
    (void)set;
    return types == XID_EVENT ? 0 : INVALID;
}

int
nvmlEventSetWait_v2(void *set, struct event_data *data, unsigned timeout_ms)
{
    static int told;

    (void)set;
    if (!told && is_ill(&handles[ILL], "event")) {
        told = 1;
        *data = (struct event_data){.device = &handles[ILL], .type = XID_EVENT, .data = 79};
        return 0;
    }
    (void)usleep(timeout_ms * 1000);
    return TIMEOUT;
}
