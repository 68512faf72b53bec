/* A snapshot gives back the same state, and broken bytes give back none. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/pack.h"
#include "tests/unit/core/story.h"

static void
a_packed_state_comes_back_the_same(void)
{
    struct story st;

    story_begin(&st, 20);
    story_state(&st, "i-3", RC_INST_TERMINATED);
    size_t size = rc_state_pack(st.s, NULL, 0);
    void *packed = malloc(size), *mem = calloc(1, (size_t)st.s->bytes);
    CU_ASSERT_EQUAL(rc_state_pack(st.s, packed, size - 1), 0);
    CU_ASSERT_EQUAL(rc_state_pack(st.s, packed, size), size);
    CU_ASSERT_TRUE(size < st.s->bytes / 4);
    CU_ASSERT_EQUAL(rc_state_unpacked_size(packed, size), st.s->bytes);
    struct rc_state *back = rc_state_unpack(packed, size, mem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_EQUAL(rc_state_hash(back), rc_state_hash(st.s));
    free(packed);
    free(mem);
    story_end(&st);
}

static void
bytes_that_are_cut_or_changed_are_refused_or_harmless(void)
{
    struct story st;

    story_begin(&st, 4);
    size_t size = rc_state_pack(st.s, NULL, 0);
    unsigned char *packed = malloc(size), *copy;
    rc_state_pack(st.s, packed, size);
    for (size_t len = 0; len < size; len += len < 256 ? 1 : 997) {
        copy = malloc(len ? len : 1); /* its own block, so that a read beyond it is seen */
        memcpy(copy, packed, len);
        void *mem = calloc(1, (size_t)st.s->bytes);
        CU_ASSERT_PTR_NULL(len >= 16 ? rc_state_unpack(copy, len, mem) : NULL);
        free(mem);
        free(copy);
    }
    for (size_t at = 16; at < 512 && at < size; at++) {
        void *mem = calloc(1, (size_t)st.s->bytes);
        packed[at] ^= 0xff;
        (void)!rc_state_unpack(packed, size, mem); /* whatever it says, it stays inside */
        packed[at] ^= 0xff;
        free(mem);
    }
    free(packed);
    story_end(&st);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a packed state comes back the same", a_packed_state_comes_back_the_same},
        {"bytes that are cut or changed are refused or harmless",
         bytes_that_are_cut_or_changed_are_refused_or_harmless},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("pack", tests);
}
