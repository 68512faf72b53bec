/* pack.h - a state as a short run of bytes, for snapshots.
 *
 * Most of a state is zero (rooms not used yet). Packed: magic, length, then runs of
 * "so many zero words, so many words that follow". Bytes are those of this machine's
 * byte order: a snapshot is for the host and release that wrote it. */
#ifndef RC_PACK_H
#define RC_PACK_H

#include <stddef.h>

#include "reconciler/core/step.h"

/* Bytes that the packed state needs; buf may be NULL to ask only. Writes nothing when room
 * is too small. */
size_t rc_state_pack(const struct rc_state *s, void *buf, size_t room);
/* Bytes of the state in buf, or 0 when it is none of this release. */
size_t rc_state_unpacked_size(const void *buf, size_t len);
/* mem: zeroed, of that size, 16-byte aligned. NULL when the packed bytes are not whole. */
struct rc_state *rc_state_unpack(const void *buf, size_t len, void *mem);

#endif
