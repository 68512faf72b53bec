/* bundle.h - the evidence of one incident, as files.
 *
 * DIR/<incident>-<node>/ holds manifest.json, node.tar.gz (what forensics.sh kept on the node),
 * console.txt, and support-case.txt where one was written. manifest.json is written last
 * and replaced at once: with it the bundle is whole, and it is not written again. The oldest
 * bundles go when there are more than are to be kept. Small files, written in place. */
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
/* Adds (or replaces) one file of the bundle, whole or not. path gets its name. */
enum rc_err rc_bundle_add(const struct rc_bundle *b, const char *name, const char *text,
                          char path[PATH_MAX], struct rc_error *e);

#endif
