/* state_memory.c - see state_memory.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/state_memory.h"

#include <sys/mman.h>

#include "reconciler/core/state.h"

void *
rc_state_memory(size_t size)
{
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mem == MAP_FAILED ? NULL : mem;
}

void
rc_state_memory_free(struct rc_state *s)
{
    if (s) {
        rc_state_memory_drop(s, (size_t)s->bytes);
    }
}

void
rc_state_memory_drop(void *mem, size_t size)
{
    (void)munmap(mem, size);
}
