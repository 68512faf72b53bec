/* stub_nvml.c - the calls of NVML that the agent makes, for a node of two GPUs.
 *
 * RC_STUB_GPU names what is wrong with the second one: "lost", "remap", "remap-failed",
 * "ecc", "nvlink", "hang", "broken" (the library does not start); unset: nothing. */
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

int nvmlInit_v2(void);
int nvmlDeviceGetCount_v2(unsigned *count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device);
int nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *info);
int nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *ret);
int nvmlDeviceGetRemappedRows(void *device, unsigned *corrected, unsigned *uncorrected,
                              unsigned *pending, unsigned *failed);
int nvmlDeviceGetNvLinkState(void *device, unsigned link, unsigned *state);

enum { LOST = 15, LINKS = 12, INVALID = 2 };
static char handles[2];

static int
is_ill(const void *device, const char *how)
{
    const char *set = getenv("RC_STUB_GPU");

    return device == &handles[1] && set && strcmp(set, how) == 0;
}

int
nvmlInit_v2(void)
{
    return is_ill(&handles[1], "broken") ? 9 : 0;
}

int
nvmlDeviceGetCount_v2(unsigned *count)
{
    *count = 2;
    return 0;
}

int
nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    if (index > 1) {
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
    info->bus = device == &handles[0] ? 0x10 : 0xa0;
    info->device = 0x1c;
    return 0;
}

int
nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *ret)
{
    (void)counter;
    *ret = is_ill(device, "ecc") && type == 1 ? 3 : 0;
    return 0;
}

int
nvmlDeviceGetRemappedRows(void *device, unsigned *corrected, unsigned *uncorrected,
                          unsigned *pending, unsigned *failed)
{
    *corrected = *uncorrected = 0;
    *pending = is_ill(device, "remap") ? 1 : 0;
    *failed = is_ill(device, "remap-failed") ? 1 : 0;
    return 0;
}

int
nvmlDeviceGetNvLinkState(void *device, unsigned link, unsigned *state)
{
    *state = !(is_ill(device, "nvlink") && link == 3);
    return link < LINKS ? 0 : INVALID;
}
