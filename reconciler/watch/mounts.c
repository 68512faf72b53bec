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
        m.readonly = hasmntopt(&entry, "ro") != NULL;
        m.meant_readonly = m.readonly && fstab_says_readonly(etc, m.point);
        fn(arg, &m);
    }
    (void)endmntent(f);
    return true;
}
