/* test_hostnames.c - host lists expand and compress as Slurm's do. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/hostnames.h"

/* Names joined by blanks, or "error <name of the error>". Static buffer. */
static const char *
expanded(const char *list)
{
    static char out[1024];
    struct rc_hostnames hosts = {0};
    enum rc_err err = rc_hostnames_expand(list, &hosts, NULL);

    snprintf(out, sizeof out, "%s%s", err ? "error " : "", err ? rc_err_name(err) : "");
    for (size_t i = 0; i < hosts.count && !err; i++) {
        size_t len = strlen(out);
        snprintf(out + len, sizeof out - len, "%s%s", i ? " " : "", hosts.name[i]);
    }
    rc_hostnames_done(&hosts);
    return out;
}

struct row {
    const char *list;
    const char *want;
};

static void
lists_expand(void)
{
    static const struct row rows[] = {
        {"", ""},
        {"gpu-1", "gpu-1"},
        {"gpu-[1-3]", "gpu-1 gpu-2 gpu-3"},
        {"gpu-[008-011]", "gpu-008 gpu-009 gpu-010 gpu-011"},
        {"gpu-[9-11]", "gpu-9 gpu-10 gpu-11"},
        {"gpu-[1,5,9-10],viz-1", "gpu-1 gpu-5 gpu-9 gpu-10 viz-1"},
        {"a[1,001,2]", "a1 a001 a2"},
        {"rack[1-2]n[01-02]", "rack1n01 rack1n02 rack2n01 rack2n02"},
        {"a1, a2\tb3", "a1 a2 b3"},
        {",,a1,,", "a1"},
        {"10.0.0.[5-7],10.0.1.9", "10.0.0.5 10.0.0.6 10.0.0.7 10.0.1.9"},
        {"fd00::1,fd00::a", "fd00::1 fd00::a"},
        {"[7000-7002]", "7000 7001 7002"},
        {"node[3]", "node3"},
        {"a[2-1]", "error unreadable"},
        {"a[1-2", "error unreadable"},
        {"a1]", "error unreadable"},
        {"a[]", "error unreadable"},
        {"a[1-]", "error unreadable"},
        {"a[x]", "error unreadable"},
        {"a[1-2]b", "error unreadable"},
        {"a[1-2][", "error unreadable"},
        {"a[1 2]", "error unreadable"},
        {"a[0-65536]", "error too-large"},
        {"a[0-65535]b[0-1]", "error too-large"},
        {"a[1-99999999999999999999]", "error unreadable"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = expanded(rows[i].list);
        rc_case(strcmp(got, rows[i].want) == 0, rows[i].list, "got \"%s\"", got);
    }
}

static void
compressed_lists_expand_to_the_same_names(void)
{
    static const struct row rows[] = {
        {"gpu-[1-3]", "gpu-[1-3]"},
        {"gpu-1,gpu-2,gpu-3", "gpu-[1-3]"},
        {"gpu-1", "gpu-1"},
        {"gpu-3,gpu-1,gpu-2", "gpu-[3,1-2]"},
        {"gpu-[098-101]", "gpu-[098-101]"},
        {"gpu-[98-101]", "gpu-[98-101]"},
        {"gpu-099,gpu-100,gpu-0101", "gpu-[099-100,0101]"},
        {"gpu-[1-2],viz,viz-1,gpu-3", "gpu-[1-2],viz,viz-1,gpu-3"},
        {"a[1-2]b[1-2]", "a1b[1-2],a2b[1-2]"},
        {"10.0.0.5,10.0.0.6,10.9.9.9", "10.0.0.[5-6],10.9.9.9"},
        {"fd00::1,fd00::2", "fd00::1,fd00::2"},
        {"n1234567890123456,n1234567890123457", "n1234567890123456,n1234567890123457"},
        {"7000,7001", "[7000-7001]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rc_hostnames hosts = {0};
        char first[1024];
        CU_ASSERT_EQUAL_FATAL(rc_hostnames_expand(rows[i].list, &hosts, NULL), RC_OK);
        char *got = rc_hostnames_compress(hosts.name, hosts.count);
        snprintf(first, sizeof first, "%s", expanded(rows[i].list));
        rc_case(strcmp(got, rows[i].want) == 0 && strcmp(expanded(got), first) == 0, rows[i].list,
                "got \"%s\", which is %s", got, expanded(got));
        free(got);
        rc_hostnames_done(&hosts);
    }
}

static void
errors_say_where(void)
{
    struct rc_hostnames hosts = {0};
    struct rc_error e;

    CU_ASSERT_EQUAL(rc_hostnames_expand("ok1,gpu-[1-x]", &hosts, &e), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "1-x"));
    rc_hostnames_done(&hosts);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"lists expand as Slurm expands them", lists_expand},
        {"compressed lists expand to the same names", compressed_lists_expand_to_the_same_names},
        {"errors say where", errors_say_where},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("hostnames", tests);
}
