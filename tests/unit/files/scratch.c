/* scratch.c - see scratch.h. */
#define _GNU_SOURCE
#include "tests/unit/files/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reconciler/io/files/text_buf.h"
#include "tests/harness/harness.h"

static char folder[64];

void
scratch_init(void)
{
    snprintf(folder, sizeof folder, "/tmp/rc-files-XXXXXX");
    if (!mkdtemp(folder) || chmod(folder, 0755) != 0) {
        perror(folder);
        abort();
    }
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void
scratch_done(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
scratch_path(const char *name)
{
    static char buf[8][512];
    static unsigned next;
    char *out = buf[next++ % 8];

    snprintf(out, sizeof buf[0], "%s%s%s", folder, *name ? "/" : "", name);
    return out;
}

void
scratch_write(const char *name, const char *text)
{
    FILE *f = fopen(scratch_path(name), "wb");

    if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
        perror(name);
        abort();
    }
}

char *
scratch_read(const char *name)
{
    char *text = rc_test_read_file(scratch_path(name), NULL);

    return text ? text : rc_copy("", 0);
}

static int
no_dots(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

char *
scratch_list(void)
{
    struct rc_text out = {0};
    struct dirent **list;
    int count = scandir(folder, &list, no_dots, alphasort);

    rc_text_puts(&out, "");
    for (int i = 0; i < count; i++) {
        rc_text_printf(&out, "%s%s", i ? " " : "", list[i]->d_name);
        free(list[i]);
    }
    if (count >= 0) {
        free(list);
    }
    return out.s;
}
