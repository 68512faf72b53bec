/* Every incident under simulator/incidents plays as it is written down. One test a folder.
 *
 *     test_scenarios                    all, compared with expected.txt
 *     test_scenarios [--rewrite] DIR…   some; --rewrite writes what is decided now */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "simulator/scenario/scenario.h"

static const char *
last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool
run_folder(const char *dir, bool rewrite)
{
    char **paths = NULL;
    size_t count = 0;
    struct rc_error e;
    bool good = true;

    if (rc_scenario_list(dir, &paths, &count, &e) != RC_OK) {
        printf("not ok - incident: %s\n# %s\n", dir, e.text);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enum rc_err err = rc_scenario_check(paths[i], NULL, rewrite, stdout);
        printf("%s - incident: %s\n", err == RC_OK ? "ok" : "not ok", last_part(paths[i]));
        good &= err == RC_OK;
    }
    rc_scenario_list_free(paths, count);
    return good;
}

int
main(int argc, char **argv)
{
    bool rewrite = false, good = true, any = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rewrite") == 0) {
            rewrite = true;
        } else {
            good &= run_folder(argv[i], rewrite);
            any = true;
        }
    }
    if (!any) {
        good = run_folder("simulator/incidents", rewrite);
    }
    return good ? 0 : 1;
}
