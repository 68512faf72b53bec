/* fuzz_classify.c - libFuzzer target: any bytes as a kernel log line.
 *
 * Beyond the sanitizers it asserts what a caller relies on: a name that ends, a
 * printable device and detail, a detail inside the line, and no class beside "none" for a
 * line that means nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/kernel/kernel_class.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
must_be_printable(const char *text, size_t room)
{
    must(memchr(text, '\0', room) != NULL);
    for (; *text; text++) {
        must(*text >= ' ' && *text <= '~');
    }
}

/* A copy without colours: never longer, and classified like any other line. */
static void
check_plain(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    struct rc_kernel_class c;

    must(copy != NULL);
    memcpy(copy, data, size);
    size_t len = rc_kernel_plain(copy, size);
    must(len <= size);
    (void)rc_kernel_classify(copy, len, &c);
    must(c.detail.at >= copy && c.detail.at + c.detail.len <= copy + len);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data;
    char detail[RC_KERNEL_DETAIL_LEN];
    struct rc_kernel_class c;
    struct rc_kmsg k;
    bool found = rc_kernel_classify(line, size, &c);

    must_be_printable(c.name, sizeof c.name);
    must_be_printable(c.device, sizeof c.device);
    must(found == (strcmp(c.name, "none") != 0));
    must(found || (!*c.device && c.detail.len == 0));
    must(c.detail.at >= line && c.detail.at + c.detail.len <= line + size);
    must(rc_kernel_detail(&c, detail) == strlen(detail));
    must_be_printable(detail, sizeof detail);
    if (rc_kmsg_parse(line, size, &k)) {
        must(k.text.at >= line && k.text.at + k.text.len <= line + size);
        (void)rc_kernel_classify_message(k.text, &c);
    }
    check_plain(data, size);
    return 0;
}
