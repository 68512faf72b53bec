/* mounts.c - see mounts.h. */
#define _GNU_SOURCE
#include "reconciler/watch/mounts.h"

#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

static bool
is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_network(const char *type)
{
    static const char *const types[] = {
        "nfs",    "nfs4", "lustre", "cifs",  "smb3",   "ceph",           "gpfs",    "9p",
        "beegfs", "gfs2", "afs",    "pvfs2", "wekafs", "fuse.glusterfs", "fuseblk", NULL};

    return is_one_of(type, types) || strncmp(type, "fuse.", 5) == 0;
}

static bool
is_local(const struct mntent *m)
{
    static const char *const types[] = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", NULL};

    return is_one_of(m->mnt_type, types) && strncmp(m->mnt_fsname, "/dev/", 5) == 0 &&
           strncmp(m->mnt_fsname, "/dev/loop", 9) != 0;
}

static bool
fstab_says_readonly(const char *etc, const char *point)
{
    char path[PATH_MAX], buf[4096];
    struct mntent entry;
    bool readonly = false;

    (void)snprintf(path, sizeof path, "%s/fstab", etc);
    FILE *f = setmntent(path, "re");
    while (f && getmntent_r(f, &entry, buf, sizeof buf)) {
        if (strcmp(entry.mnt_dir, point) == 0) {
            readonly = hasmntopt(&entry, "ro") != NULL;
        }
    }
    if (f) {
        (void)endmntent(f);
    }
    return readonly;
}

/* Is the escaped word of mountinfo ("a\\040b") this mount point? */
static bool
is_point(const char *word, size_t len, const char *point)
{
    const char *end = word + len;

    for (; word < end && *point; point++) {
        unsigned byte = (unsigned char)*word++;

        if (byte == '\\' && end - word >= 3 && sscanf(word, "%3o", &byte) == 1) {
            word += 3;
        }
        if (byte != (unsigned char)*point) {
            return false;
        }
    }
    return word == end && !*point;
}

/* The field of this number, from 0, in a line of blanks between; its length in *ret_len. */
static const char *
field_of(const char *line, unsigned number, size_t *ret_len)
{
    for (; number > 0 && line; number--) {
        line = strchr(line, ' ');
        line = line ? line + 1 : NULL;
    }
    *ret_len = line ? strcspn(line, " \n") : 0;
    return line;
}

/* The agent's unit sees the whole system read-only (ProtectSystem=strict), and anybody may bind a
 * folder so: that is a matter of the mount. What the kernel does to a file system with errors shows
 * in the options of its superblock, the third field behind the dash of mountinfo:
 * "27 1 254:0 / / ro,relatime - ext4 /dev/nvme0n1p1 rw,discard". Not told: as the mount. */
static bool
superblock_is_writable(const char *proc, const char *point)
{
    enum { POINT = 4, SUPERBLOCK = 3 };
    char path[PATH_MAX], line[8192];
    bool writable = false;
    size_t len;

    (void)snprintf(path, sizeof path, "%s/self/mountinfo", proc);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        const char *at = field_of(line, POINT, &len);

        if (at && is_point(at, len, point)) { /* the last one lies on top */
            const char *dash = strstr(at, " - ");
            const char *options = dash ? field_of(dash + 1, SUPERBLOCK, &len) : NULL;

            writable = options && len >= 2 && strncmp(options, "rw", 2) == 0;
        }
    }
    if (f) {
        (void)fclose(f);
    }
    return writable;
}

bool
rc_mounts_each(const char *proc, const char *etc, rc_mount_fn *fn, void *arg)
{
    char path[PATH_MAX], buf[8192];
    struct mntent entry;

    (void)snprintf(path, sizeof path, "%s/self/mounts", proc);
    FILE *f = setmntent(path, "re");
    if (!f) {
        return false;
    }
    while (getmntent_r(f, &entry, buf, sizeof buf)) {
        struct rc_mount m = {.source = entry.mnt_fsname,
                             .point = entry.mnt_dir,
                             .type = entry.mnt_type,
                             .local = is_local(&entry),
                             .network = is_network(entry.mnt_type)};

        if (!m.local && !m.network) {
            continue;
        }
        m.readonly = hasmntopt(&entry, "ro") != NULL && !superblock_is_writable(proc, m.point);
        m.meant_readonly = m.readonly && fstab_says_readonly(etc, m.point);
        fn(arg, &m);
    }
    (void)endmntent(f);
    return true;
}
