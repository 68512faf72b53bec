/* CRC-32C gives the known answers, whole and in pieces. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/io/journal/crc32c.h"

/* RFC 3720, appendix B.4, and the check value of the CRC catalogues. */
static void
known_answers(void)
{
    uint8_t buf[32];

    CU_ASSERT_EQUAL(rc_crc32c(0, "", 0), 0);
    CU_ASSERT_EQUAL(rc_crc32c(0, "123456789", 9), 0xE3069283U);
    memset(buf, 0, sizeof buf);
    CU_ASSERT_EQUAL(rc_crc32c(0, buf, sizeof buf), 0x8A9136AAU);
    memset(buf, 0xFF, sizeof buf);
    CU_ASSERT_EQUAL(rc_crc32c(0, buf, sizeof buf), 0x62A8AB43U);
    for (size_t i = 0; i < sizeof buf; i++) {
        buf[i] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL(rc_crc32c(0, buf, sizeof buf), 0x46DD794EU);
    for (size_t i = 0; i < sizeof buf; i++) {
        buf[i] = (uint8_t)(31 - i);
    }
    CU_ASSERT_EQUAL(rc_crc32c(0, buf, sizeof buf), 0x113FDB5CU);
}

static void
pieces_give_the_same_as_the_whole(void)
{
    uint8_t buf[67];

    for (size_t i = 0; i < sizeof buf; i++) {
        buf[i] = (uint8_t)(i * 7 + 3);
    }
    uint32_t whole = rc_crc32c(0, buf, sizeof buf);
    for (size_t cut = 0; cut <= sizeof buf; cut++) {
        CU_ASSERT_EQUAL(rc_crc32c(rc_crc32c(0, buf, cut), buf + cut, sizeof buf - cut), whole);
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"CRC-32C gives the known answers", known_answers},
        {"a CRC fed in two pieces is that of the whole", pieces_give_the_same_as_the_whole},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("crc32c", tests);
}
