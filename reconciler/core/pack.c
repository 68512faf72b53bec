/* pack.c - see pack.h. Nothing in buf is trusted: every run is checked against both ends. */
#include "reconciler/core/pack.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "reconciler/core/state.h"

static const uint64_t pack_magic = 0x316b636170637273ULL; /* "srcpack1" */

struct head {
    uint64_t magic;
    uint64_t bytes;
};

struct run {
    uint32_t zeros; /* 8-byte words */
    uint32_t words; /* that follow */
};

static size_t
count_while(const uint64_t *w, size_t from, size_t end, bool zero)
{
    size_t at = from;

    while (at < end && (w[at] == 0) == zero && at - from < UINT32_MAX) {
        at++;
    }
    return at - from;
}

size_t
rc_state_pack(const struct rc_state *s, void *buf, size_t room)
{
    const uint64_t *w = (const void *)s;
    size_t end = (size_t)s->bytes / 8, size = sizeof(struct head);
    struct head head = {pack_magic, s->bytes};
    unsigned char *to = buf;

    assert(s->bytes % 8 == 0);
    if (to && room < rc_state_pack(s, NULL, 0)) {
        return 0;
    }
    if (to) {
        memcpy(to, &head, sizeof head);
    }
    for (size_t at = 0; at < end;) {
        struct run run;
        run.zeros = (uint32_t)count_while(w, at, end, true);
        run.words = (uint32_t)count_while(w, at + run.zeros, end, false);
        if (to) {
            memcpy(to + size, &run, sizeof run);
            memcpy(to + size + sizeof run, w + at + run.zeros, (size_t)run.words * 8);
        }
        at += (size_t)run.zeros + run.words;
        size += sizeof run + (size_t)run.words * 8;
    }
    return size;
}

size_t
rc_state_unpacked_size(const void *buf, size_t len)
{
    struct head head;

    if (len < sizeof head) {
        return 0;
    }
    memcpy(&head, buf, sizeof head);
    return head.magic == pack_magic && head.bytes % 8 == 0 ? (size_t)head.bytes : 0;
}

struct rc_state *
rc_state_unpack(const void *buf, size_t len, void *mem)
{
    const unsigned char *from = buf;
    size_t end = rc_state_unpacked_size(buf, len) / 8, at = 0, pos = sizeof(struct head);
    unsigned char *to = mem;

    while (at < end) {
        struct run run;
        if (len - pos < sizeof run) {
            return NULL;
        }
        memcpy(&run, from + pos, sizeof run);
        pos += sizeof run;
        if (run.zeros > end - at || run.words > end - at - run.zeros ||
            run.words > (len - pos) / 8 || (!run.zeros && !run.words)) {
            return NULL;
        }
        at += run.zeros;
        memcpy(to + at * 8, from + pos, (size_t)run.words * 8);
        at += run.words;
        pos += (size_t)run.words * 8;
    }
    return pos == len ? rc_state_check(mem, end * 8) : NULL;
}
