/* state_memory.h - the block in which the core's state lives: zeroed, its rows on cache lines of
 * their own, and nothing paid for pages that are not used yet. */
#ifndef RC_STATE_MEMORY_H
#define RC_STATE_MEMORY_H

#include <stddef.h>

struct rc_state;

void *rc_state_memory(size_t size); /* NULL: none is left */
/* Of an initialised state; NULL is fine. */
void rc_state_memory_free(struct rc_state *s);
/* Of a block that no state was made of. */
void rc_state_memory_drop(void *mem, size_t size);

#endif
