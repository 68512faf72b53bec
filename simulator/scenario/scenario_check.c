/* scenario_check.c - plays stories and compares with what was expected. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulator/scenario/scenario.h"
#include "simulator/scenario/scenario_story.h"

enum { PATH_MAX_LEN = 768 };

static bool
path_in(char *buf, const char *dir, const char *name)
{
    int n = snprintf(buf, PATH_MAX_LEN, "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX_LEN;
}

static enum rc_err
rewrite_expected(const char *path, const char *text, FILE *out)
{
    FILE *f = fopen(path, "we");

    if (!f || fputs(text, f) < 0) {
        fprintf(out, "%s: cannot be written\n", path);
        if (f) {
            fclose(f);
        }
        return RC_E_IO;
    }
    return fclose(f) == 0 ? RC_OK : RC_E_IO;
}

enum rc_err
rc_scenario_check(const char *dir, const char *policy_file, bool rewrite, FILE *out)
{
    char path[PATH_MAX_LEN], *got = NULL, *want;
    struct rc_error e;
    enum rc_err err = rc_scenario_play(dir, policy_file, &got, &e);

    if (err != RC_OK) {
        fprintf(out, "%s\n", e.text);
        return err;
    }
    if (!path_in(path, dir, "expected.txt")) {
        free(got);
        return RC_E_TOO_LARGE;
    }
    if (rewrite) {
        err = rewrite_expected(path, got, out);
    } else if (want = rc_scen_file_read(path), !want) {
        fprintf(out, "%s: cannot be read; --rewrite makes it\n", path);
        err = RC_E_IO;
    } else {
        err = rc_scenario_diff(want, got, out) ? RC_OK : RC_E_NOT_VERIFIED;
        free(want);
    }
    free(got);
    return err;
}

static bool
has_story(const char *dir)
{
    char path[PATH_MAX_LEN];

    return path_in(path, dir, "story.txt") && access(path, R_OK) == 0;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
path_add(char ***paths, size_t *count, const char *path)
{
    char **more = realloc(*paths, (*count + 1) * sizeof *more);

    if (!more) {
        return false;
    }
    *paths = more;
    more[*count] = strdup(path);
    return more[*count] && ++*count;
}

static bool
list_folder(DIR *d, const char *dir, char ***paths, size_t *count)
{
    char path[PATH_MAX_LEN];

    for (const struct dirent *entry; (entry = readdir(d));) {
        if (entry->d_name[0] != '.' && path_in(path, dir, entry->d_name) && has_story(path) &&
            !path_add(paths, count, path)) {
            return false;
        }
    }
    return true;
}

enum rc_err
rc_scenario_list(const char *dir, char ***ret_paths, size_t *ret_count, struct rc_error *e)
{
    char **paths = NULL;
    size_t count = 0;
    bool good;

    if (has_story(dir)) {
        good = path_add(&paths, &count, dir);
    } else {
        DIR *d = opendir(dir);
        if (!d) {
            return rc_fail(e, RC_E_IO, "%s: cannot be read", dir);
        }
        good = list_folder(d, dir, &paths, &count);
        closedir(d);
    }
    if (!good || !count) {
        rc_scenario_list_free(paths, count);
        return good ? rc_fail(e, RC_E_NOT_FOUND, "%s: no story.txt in it or one level below", dir)
                    : rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    qsort(paths, count, sizeof *paths, by_path);
    *ret_paths = paths;
    *ret_count = count;
    return RC_OK;
}

void
rc_scenario_list_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}
