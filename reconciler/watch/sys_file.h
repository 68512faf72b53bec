/* sys_file.h - small files of sysfs and proc, which may be missing, empty, or vanish. */
#ifndef RC_SYS_FILE_H
#define RC_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads dir/a/b (b may be NULL) into buf, without trailing white space. False: it cannot
 * be read or is empty. */
bool rc_sys_read(const char *dir, const char *a, const char *b, char *buf, size_t room);
/* A whole decimal or 0x number at the beginning of the file. */
bool rc_sys_number(const char *dir, const char *a, const char *b, uint64_t *ret);
/* "8.0 GT/s PCIe" and the like: the number before the blank, times ten. */
bool rc_sys_tenths(const char *dir, const char *a, const char *b, uint64_t *ret);

/* Calls fn for each entry of dir whose name begins with prefix, in no order. Returns how
 * many; -1: dir cannot be read. */
typedef void(rc_sys_entry_fn)(void *arg, const char *dir, const char *name);
int rc_sys_each(const char *dir, const char *prefix, rc_sys_entry_fn *fn, void *arg);

#endif
