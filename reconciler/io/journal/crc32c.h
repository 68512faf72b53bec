/* crc32c.h - CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as in
 * RFC 3720 appendix B.4 and ext4. */
#ifndef RC_CRC32C_H
#define RC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc=0; feed the result back to go on over the next piece. */
uint32_t rc_crc32c(uint32_t crc, const void *data, size_t len);

#endif
