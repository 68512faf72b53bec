/* store_file.h - small files that are replaced whole. */
#ifndef RC_STORE_FILE_H
#define RC_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "reconciler/io/fail.h"

enum { RC_STORE_FILE_MAX = 65536 };

/* The whole of name in dir_fd, with a NUL after it; free() *ret_text. RC_E_NOT_FOUND;
 * RC_E_TOO_LARGE above RC_STORE_FILE_MAX; RC_E_IO. */
enum rc_err rc_store_read(int dir_fd, const char *name, char **ret_text, size_t *ret_len,
                          struct rc_error *ret_err);

/* Replaces name by an atomic rename; on an error the old one stands unchanged.
 * sync: do not return before it is on the disk, its name included. */
enum rc_err rc_store_replace(int dir_fd, const char *name, const char *text, bool sync,
                             struct rc_error *ret_err);

#endif
