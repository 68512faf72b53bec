/* kernel_gpu.c - the closer look at NVIDIA's lines.
 *
 * The code of an Xid wins over its text. Its number stands behind "): ", never in the
 * address. Formats of all driver releases: tests/vectors/kernel. */
#include <string.h>

#include "reconciler/kernel/kernel_rules.h"

enum { CODE_DIGITS_MAX = 5 };

/* The number behind the address; NULL when there is none or it is part of a word. */
static const char *
read_code(const char *at, const char *end, struct rc_kernel_class *ret, unsigned *ret_code)
{
    const char *from = at;
    unsigned code = 0;

    while (at < end && *at >= '0' && *at <= '9' && at - from <= CODE_DIGITS_MAX) {
        code = code * 10 + (unsigned)(*at++ - '0');
    }
    if (at == from || at - from > CODE_DIGITS_MAX || (at < end && !strchr(",. ;\r", *at))) {
        return NULL;
    }
    while (from + 1 < at && *from == '0') {
        from++;
    }
    rc_kernel_add(ret, from, (size_t)(at - from));
    *ret_code = code;
    return at;
}

/* "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)": the second
 * value counts (nvidia, nv_recovery_action; NVML_GPU_RECOVERY_ACTION_*). */
static void
add_recovery(const char *at, const char *end, struct rc_kernel_class *ret)
{
    static const char *const actions[] = {"none",      "gpu-reset",       "node-reboot",
                                          "drain-p2p", "drain-and-reset", "recover-imex"};
    const char *to = rc_kernel_match("* to 0x", at, end, NULL);

    if (to && to < end && *to >= '0' && *to <= '5' && (to + 1 == end || to[1] == ' ')) {
        const char *word = actions[*to - '0'];
        rc_kernel_add(ret, word, strlen(word));
    }
}

/* "..., Ch 00000001 caused by previous Xid 149" (driver 575 and later). */
static void
add_cause(const char *at, const char *end, struct rc_kernel_class *ret)
{
    const char *from = rc_kernel_match("*caused by previous Xid ", at, end, NULL);
    const char *to = from ? rc_kernel_match("%d", from, end, NULL) : NULL;
    char text[16 + CODE_DIGITS_MAX] = "caused-by-";

    if (to && to - from <= CODE_DIGITS_MAX) {
        memcpy(text + 10, from, (size_t)(to - from));
        rc_kernel_add(ret, text, 10 + (size_t)(to - from));
    }
}

/* "PCI:address): number", at which the text behind the number is given back; NULL: it is not that.
 */
static const char *
read_head(const char *at, const char *end, struct rc_kernel_class *ret, unsigned *ret_code)
{
    const char *address = rc_kernel_match("PCI:", at, end, NULL);

    at = rc_kernel_match("%b", address ? address : at, end, ret->device);
    at = at ? rc_kernel_match("*): ", at, end, NULL) : NULL;
    return at ? read_code(at, end, ret, ret_code) : NULL;
}

/* at is behind "NVRM: Xid (". */
bool
rc_kernel_xid(const char *at, const char *end, struct rc_kernel_class *ret)
{
    enum { XID_CLEANUP = 45, XID_NVLINK5_FIRST = 144, XID_NVLINK5_LAST = 150, XID_RECOVERY = 154 };
    unsigned code;

    at = read_head(at, end, ret, &code);
    if (!at) {
        return false;
    }
    if (code == XID_RECOVERY) {
        add_recovery(at, end, ret);
    } else if (code == XID_CLEANUP) {
        add_cause(at, end, ret);
    } else if (code >= XID_NVLINK5_FIRST && code <= XID_NVLINK5_LAST &&
               rc_kernel_match(",* Nonfatal ", at, end, NULL)) {
        rc_kernel_add(ret, "nonfatal", 8);
    }
    return true;
}

/* at is behind "SXid (". The lines that follow an event carry its number again. */
bool
rc_kernel_sxid(const char *at, const char *end, struct rc_kernel_class *ret)
{
    const char *word = "unspecified";
    unsigned code;

    at = read_head(at, end, ret, &code);
    if (!at) {
        return false;
    }
    if (rc_kernel_match(", Severity ", at, end, NULL) ||
        rc_kernel_match(", Data {", at, end, NULL)) {
        memcpy(ret->name, "cont:sxid", 10);
        return true;
    }
    if (rc_kernel_match(", Fatal", at, end, NULL)) {
        word = "fatal";
    } else if (rc_kernel_match(", Non-fatal", at, end, NULL) ||
               rc_kernel_match(", Non-Fatal", at, end, NULL)) {
        word = "nonfatal";
    }
    rc_kernel_add(ret, word, strlen(word));
    return true;
}

/* "The NVIDIA GPU <address>" begins several messages; alone, or with the rest of this one
 * behind it, it is the loss of a GPU. */
bool
rc_kernel_lost(const char *at, const char *end, struct rc_kernel_class *ret)
{
    if (rc_kernel_has(at, end, "fallen off the bus")) {
        return true;
    }
    while (at < end && (*at == ' ' || *at == '.')) {
        at++;
    }
    if (at < end && !rc_kernel_match("\\x0a", at, end, NULL) &&
        !rc_kernel_match("(PCI ID: *)$", at, end, NULL)) {
        return false;
    }
    rc_kernel_add(ret, "multiline", 9);
    return true;
}
