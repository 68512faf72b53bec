/* fuzz_decode.c - libFuzzer target: any bytes at all are decoded.
 *
 * Beyond the sanitizers it asserts what a caller relies on: a verdict, a hash, a
 * printable reason, events of one kind in order that survive the record form. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "reconciler/core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
check_event(const struct rc_event *ev)
{
    char line[RC_RECORD_MAX];
    struct rc_event back;
    const void *a = ev, *b = &back;
    size_t offset, len = rc_event_format(ev, line, sizeof line);

    must(len > 0);
    must(rc_event_parse(line, len, &back, &offset) == RC_OK);
    must(memcmp(a, b, sizeof back) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rc_decoded d;

    must(rc_decode_message((const char *)data, size, &d) == RC_OK);
    must(d.verdict > RC_VERDICT_UNKNOWN && d.verdict < RC_VERDICT__MAX && d.id_hash != 0);
    must((d.count > 0) == (d.verdict == RC_VERDICT_EVENTS));
    must(*d.text && memchr(d.text, '\0', sizeof d.text));
    for (const char *at = d.text; *at; at++) {
        must(*at >= 0x20 && *at < 0x7f);
    }
    for (uint32_t i = 0; i < d.count; i++) {
        must(d.events[i].kind == d.kind);
        must(i == 0 || strcmp(d.events[i - 1].instance, d.events[i].instance) <= 0);
        check_event(&d.events[i]);
    }
    rc_decoded_done(&d);
    return 0;
}
