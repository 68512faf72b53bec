/* file_replace.h - a file that somebody else also reads and edits, replaced as a whole.
 *
 * Order of a replacement: write <file>.rc-new beside it (same owner, mode and
 * extended attributes), fsync, read back and compare, keep the version that
 * was read as <file>.rc-prev, look whether the file is still the one that was
 * read, rename, fsync the directory. At any instant a reader, also after a crash,
 * finds the old file or the new one.
 *
 * <file>.rc-new is locked (flock) while it is written: a second writer is told
 * so, and what a crash left behind is written over by the next one. A file system without
 * flock is refused. Symbolic links are followed: the target is replaced, the link stays. */
#ifndef RC_FILE_REPLACE_H
#define RC_FILE_REPLACE_H

#include <stddef.h>
#include <sys/stat.h>

#include "reconciler/io/fail.h"

enum { RC_FILE_MAX = 64 << 20 }; /* bytes; a configuration file is never near it */

/* A file as it was read. Owned by the caller; rc_file_done() frees it. */
struct rc_file {
    char *path;  /* symbolic links resolved */
    char *bytes; /* len bytes and a NUL */
    size_t len;
    struct stat st;
};

/* RC_E_NOT_FOUND, RC_E_DENIED, RC_E_TOO_LARGE, RC_E_INVALID (not a regular file), RC_E_IO.
 * *ret is zeroed on error. */
enum rc_err rc_file_read(const char *path, struct rc_file *ret, struct rc_error *e);
void rc_file_done(struct rc_file *f);

/* Replaces old by bytes. RC_OK: done and synced. RC_E_CONDITION: the file is no longer the
 * one that was read; read again. RC_E_STATE: another writer is at work. RC_E_DENIED,
 * RC_E_DISK, RC_E_IO: the file stands as it was, unless e says that only the last sync failed. */
enum rc_err rc_file_replace(const struct rc_file *old, const char *bytes, size_t len,
                            struct rc_error *e);

#endif
