/* crc32c.c - see crc32c.h. Eight table look-ups for eight bytes, so that a large
 * snapshot costs milliseconds; the tables are made at the first call. */
#include "reconciler/io/journal/crc32c.h"

#include <stdbool.h>

#define POLYNOMIAL 0x82F63B78U

static uint32_t tables[8][256];

static void
make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1U) ? POLYNOMIAL : 0U);
        }
        tables[0][byte] = crc;
    }
    for (unsigned k = 1; k < 8; k++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint32_t before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFFU];
        }
    }
}

uint32_t
rc_crc32c(uint32_t crc, const void *data, size_t len)
{
    static bool is_made;
    const uint8_t *p = data;

    if (!is_made) {
        make_tables();
        is_made = true;
    }
    crc = ~crc;
    for (; len >= 8; p += 8, len -= 8) {
        crc = tables[7][(crc ^ p[0]) & 0xFFU] ^ tables[6][((crc >> 8) ^ p[1]) & 0xFFU] ^
              tables[5][((crc >> 16) ^ p[2]) & 0xFFU] ^ tables[4][(crc >> 24) ^ p[3]] ^
              tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; len; p++, len--) {
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xFFU];
    }
    return ~crc;
}
