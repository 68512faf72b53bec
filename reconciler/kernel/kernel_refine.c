/* kernel_refine.c - the closer look at PCIe, block and network lines. */
#include <string.h>

#include "reconciler/kernel/kernel_rules.h"

/* at is at "Corrected …", "Uncorrectable (Non-Fatal) …": the words of 4.x to 6.x. */
bool
rc_kernel_severity(const char *at, const char *end, struct rc_kernel_class *ret)
{
    static const char *const words[][2] = {
        {"Correct", "corrected"},
        {"Uncorrect* (Non-Fatal)", "nonfatal"},
        {"Uncorrect* (Fatal)", "fatal"},
    };
    const char *multiple = rc_kernel_match("Multiple ", at, end, NULL);

    at = multiple ? multiple : at;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (rc_kernel_match(words[i][0], at, end, NULL)) {
            rc_kernel_add(ret, words[i][1], strlen(words[i][1]));
            return true;
        }
    }
    return false;
}

/* "AER: Corrected error received: …", not "AER: enabled with IRQ 122". */
bool
rc_kernel_received(const char *at, const char *end, struct rc_kernel_class *ret)
{
    return rc_kernel_has(at, end, " received") && rc_kernel_severity(at, end, ret);
}

/* NVIDIA's driver has no AER handlers: such a line about a GPU means that it is lost. */
bool
rc_kernel_whose(const char *at, const char *end, struct rc_kernel_class *ret)
{
    bool gpu = rc_kernel_match("nvidia", ret->detail.at, end, NULL) != NULL;

    (void)at;
    rc_kernel_add(ret, gpu ? "gpu" : "other", gpu ? 3 : 5);
    return true;
}

/* The name before the colon is the device ("nvme2n1: …"). */
bool
rc_kernel_volume(const char *at, const char *end, struct rc_kernel_class *ret)
{
    (void)at;
    return rc_kernel_match("%n:", ret->detail.at, end, ret->device) != NULL;
}

bool
rc_kernel_ghes_severity(const char *at, const char *end, struct rc_kernel_class *ret)
{
    const char *from = at;

    while (at < end && *at >= 'a' && *at <= 'z' && at - from < 16) {
        at++;
    }
    if (at == from) {
        return false;
    }
    rc_kernel_add(ret, from, (size_t)(at - from));
    return true;
}

/* A virtual machine's floppy and CD drives fail at each boot and mean nothing; nor does a disk
 * that has no such command (discard). */
bool
rc_kernel_disk(const char *at, const char *end, struct rc_kernel_class *ret)
{
    static const char unknown[] = "*operation not supported error, dev";

    (void)end;
    if (rc_kernel_match(unknown, ret->detail.at, at, NULL)) {
        return false;
    }
    return strncmp(ret->device, "fd", 2) != 0 && strncmp(ret->device, "sr", 2) != 0;
}

/* "eth1 (r8152): transmit queue 0 timed out": only network cards of a cluster count. */
bool
rc_kernel_netdev(const char *at, const char *end, struct rc_kernel_class *ret)
{
    static const char *const drivers[] = {"ena)",     "mlx5_core)", "mlx4_en)", "mlx4_core)",
                                          "bnxt_en)", "ice)",       "i40e)",    "ixgbe)",
                                          "ixgbevf)", "ionic)",     "gve)",     "virtio_net)"};

    (void)ret;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (rc_kernel_match(drivers[i], at, end, NULL)) {
            return rc_kernel_has(at, end, "timed out");
        }
    }
    return false;
}
