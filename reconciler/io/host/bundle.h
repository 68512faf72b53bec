/* bundle.h - the evidence of one incident, as files.
 *
 * DIR/<incident>-<node>/ holds manifest.json, node.tar.gz (what forensics.sh kept on the node),
 * console.txt, and support-case.txt where one was written. manifest.json is written last
 * and replaced at once: with it the bundle is whole, and it is not written again. The oldest
 * bundles go when there are more than are to be kept. Small files, written in place.
 *
 * A bundle that was copied elsewhere holds uploaded.txt, which says where to; a bundle without
 * it is still to be copied, whoever finds it. */
#ifndef RC_BUNDLE_H
#define RC_BUNDLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct rc_bundle {
    const char *dir;
    uint32_t incident;
    uint32_t keep_max; /* bundles in dir, this one included */
    const char *node;
    const char *instance;
    const char *addr;
    const char *device;
    const char *boot;
    int64_t wall_ms;
    const char *serials; /* of the node's GPUs, "" = not known */
};

struct rc_bundle_file {
    const char *name;
    const void *bytes; /* NULL: it could not be had, and note says why */
    size_t len;
    bool cut;         /* there was more than is kept */
    const char *note; /* "" = none */
};

/* True: the bundle is whole already. path gets its folder either way. */
bool rc_bundle_is_there(const struct rc_bundle *b, char path[PATH_MAX]);
enum rc_err rc_bundle_write(const struct rc_bundle *b, const struct rc_bundle_file *files,
                            size_t count, struct rc_error *e);
/* Adds (or replaces) one file of the bundle, whole or not, which makes it one to be copied again.
 * path gets its name. */
enum rc_err rc_bundle_add(const struct rc_bundle *b, const char *name, const char *text,
                          char path[PATH_MAX], struct rc_error *e);

/* The oldest whole bundle in dir that was not copied, as "<incident>-<node>"; false: none. */
bool rc_bundle_uncopied(const char *dir, char name[NAME_MAX + 1]);
/* Its files in the order in which they are to be copied, the manifest last; how many (at most
 * room). */
size_t rc_bundle_files(const char *dir, const char *name, char (*files)[NAME_MAX + 1], size_t room);
/* The bytes of one, malloc'ed. */
enum rc_err rc_bundle_read(const char *dir, const char *name, const char *file, char **ret,
                           size_t *ret_len, struct rc_error *e);
/* Written when all of them are there. */
enum rc_err rc_bundle_mark_copied(const char *dir, const char *name, const char *where,
                                  struct rc_error *e);

#endif
