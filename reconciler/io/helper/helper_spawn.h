/* helper_spawn.h - starts a helper program with its pipes. */
#ifndef RC_HELPER_SPAWN_H
#define RC_HELPER_SPAWN_H

#include <sys/types.h>

#include "reconciler/io/fail.h"

struct rc_spawned {
    pid_t pid;
    int line_fd; /* our end of its stdin and stdout: non-blocking, close-on-exec */
    int log_fd;  /* our end of its stderr: the same */
};

/* argv[0] is a path. The child has its own process group, default signals, an empty
 * signal mask and no other descriptor of ours. The caller closes the descriptors
 * and reaps the child. On an error nothing is left open or running. */
enum rc_err rc_helper_spawn(char *const *argv, struct rc_spawned *ret, struct rc_error *e);

#endif
