/* mounts.h - mounted file systems that a job may meet. */
#ifndef RC_MOUNTS_H
#define RC_MOUNTS_H

#include <stdbool.h>

struct rc_mount {
    const char *source, *point, *type; /* as the kernel has them; point is unescaped */
    bool local;                        /* on a block device */
    bool network;                      /* a server, or a program (FUSE), answers for it */
    bool readonly;                     /* the file system itself, not only this mount of it */
    bool meant_readonly;               /* fstab says so, or its kind has no other way */
};

/* Calls fn for each local or network mount in proc/self/mounts; the strings live during the
 * call. False: it cannot be read. Touches no file system itself. */
typedef void(rc_mount_fn)(void *arg, const struct rc_mount *m);
bool rc_mounts_each(const char *proc, const char *etc, rc_mount_fn *fn, void *arg);

#endif
