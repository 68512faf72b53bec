/* test_hosts_file.c - our block in the hosts file: entries come and change, the rest stays byte for
 * byte. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/hosts_file.h"
#include "tests/unit/files/scratch.h"

#define BLOCK(lines) "# BEGIN slurm-on-aws c1\n" lines "# END slurm-on-aws c1\n"

struct row {
    const char *name;
    const char *before;
    const char *after; /* NULL = refused or right already: nothing changes */
    enum rc_err err;
    const char *says;
};

/* Each gets "10.9.9.9 gpu-1". */
static const struct row rows[] = {
    {"the block is appended", "127.0.0.1 localhost\n",
     "127.0.0.1 localhost\n" BLOCK("10.9.9.9 gpu-1\n"), RC_OK, ""},
    {"the block is appended to a file without line end", "127.0.0.1\tlocalhost",
     "127.0.0.1\tlocalhost\n" BLOCK("10.9.9.9 gpu-1\n"), RC_OK, ""},
    {"an empty file", "", BLOCK("10.9.9.9 gpu-1\n"), RC_OK, ""},
    {"an entry changes, its neighbours stay",
     "a\n" BLOCK("10.0.0.1 gpu-1\n10.0.0.2\tgpu-2\n") "\xff z",
     "a\n" BLOCK("10.9.9.9 gpu-1\n10.0.0.2\tgpu-2\n") "\xff z", RC_OK, ""},
    {"an entry is added", BLOCK("10.0.0.2 gpu-2\n"), BLOCK("10.0.0.2 gpu-2\n10.9.9.9 gpu-1\n"),
     RC_OK, ""},
    {"the right entry changes nothing", BLOCK("10.9.9.9  gpu-1\n"), NULL, RC_OK, ""},
    {"another cluster's block is not ours", "# BEGIN slurm-on-aws c10\nx\n# END slurm-on-aws c10\n",
     "# BEGIN slurm-on-aws c10\nx\n# END slurm-on-aws c10\n" BLOCK("10.9.9.9 gpu-1\n"), RC_OK, ""},
    {"the same name outside the block stays", "10.0.0.1 gpu-1\n",
     "10.0.0.1 gpu-1\n" BLOCK("10.9.9.9 gpu-1\n"), RC_OK, ""},
    {"a block without end is refused", "x\n# BEGIN slurm-on-aws c1\n10.0.0.1 gpu-1\n", NULL,
     RC_E_PARSE, "hosts:2: the slurm-on-aws block is damaged: it has no end"},
    {"an end without a beginning is refused", "x\n# END slurm-on-aws c1\n", NULL, RC_E_PARSE,
     "hosts:2:"},
    {"two blocks are refused", BLOCK("") BLOCK(""), NULL, RC_E_PARSE, "hosts:3:"},
    {"a block in a block is refused", "# BEGIN slurm-on-aws c1\n" BLOCK(""), NULL, RC_E_PARSE,
     "hosts:2:"},
    {"a strange line inside is refused", BLOCK("10.0.0.1 gpu-1 alias\n"), NULL, RC_E_PARSE,
     "hosts:2:"},
};

static void
blocks_are_edited(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct rc_node_addr set = {"gpu-1", "10.9.9.9"};
        struct rc_error e = {0};
        scratch_init();
        scratch_write("hosts", r->before);
        enum rc_err err = rc_hosts_set(scratch_path("hosts"), "c1", &set, 1, NULL, NULL, &e);
        char *got = scratch_read("hosts"), *files = scratch_list();
        rc_case(err == r->err && strcmp(got, r->after ? r->after : r->before) == 0 &&
                    strstr(e.text, r->says) &&
                    strcmp(files, r->after ? "hosts hosts.rc-prev" : "hosts") == 0,
                r->name, "%s %s\n%s\n%s", rc_err_name(err), e.text, got, files);
        free(got);
        free(files);
        scratch_done();
    }
}

static void
requests_that_would_write_something_else_are_refused(void)
{
    struct rc_node_addr bad[] = {
        {"gpu-1", "gpu-2"}, {"gpu-1", "10.0.0.1\n1.2.3.4 evil"}, {"a b", "10.0.0.1"}, {"", "::1"}};
    struct rc_node_addr good = {"gpu-1", "fd00::5"};
    struct rc_error e;

    scratch_init();
    scratch_write("hosts", "x\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(rc_hosts_set(scratch_path("hosts"), "c1", &bad[i], 1, NULL, NULL, &e),
                        RC_E_INVALID);
    }
    CU_ASSERT_EQUAL(rc_hosts_set(scratch_path("hosts"), "c\n1", &good, 1, NULL, NULL, &e),
                    RC_E_INVALID);
    char *got = scratch_read("hosts");
    CU_ASSERT_STRING_EQUAL(got, "x\n");
    free(got);
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"blocks are edited", blocks_are_edited},
        {"requests that would write something else are refused",
         requests_that_would_write_something_else_are_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("hosts_file", tests);
}
