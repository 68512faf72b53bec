/* test_admit.c - what opens the gate before slurmd, and what does not. tests/files asks a real
 * slurmctld. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/admit.h"

struct answer {
    const char *name;
    const char *out;
    enum rc_err err;
    const char *addr;
};

static const struct answer answers[] = {
    {"an address", "NodeName=gpu-1 CoresPerSocket=1 NodeAddr=10.0.0.5 NodeHostName=gpu-1\n\n",
     RC_OK, "10.0.0.5"},
    {"an address at the end", "NodeName=gpu-1 NodeAddr=fd00::5\n", RC_OK, "fd00::5"},
    {"another node", "NodeName=gpu-10 NodeAddr=10.0.0.5\n", RC_E_PARSE, ""},
    {"no address", "NodeName=gpu-1 CPUs=4\n", RC_E_PARSE, ""},
    {"an address on another line", "NodeName=gpu-1 CPUs=4\nNodeName=gpu-2 NodeAddr=10.0.0.5\n",
     RC_E_PARSE, ""},
    {"an empty address", "NodeName=gpu-1 NodeAddr= State=IDLE\n", RC_E_PARSE, ""},
    {"an address that is too long",
     "NodeName=gpu-1 NodeAddr=0123456789012345678901234567890123456789012345678901 A=b\n",
     RC_E_PARSE, ""},
    {"nothing", "", RC_E_PARSE, ""},
};

static void
answers_of_scontrol_are_read(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char addr[RC_ADDR_LEN] = "";
        struct rc_error e;
        enum rc_err err = rc_admit_read_scontrol(answers[i].out, "gpu-1", addr, &e);
        rc_case(err == answers[i].err && strcmp(addr, answers[i].addr) == 0, answers[i].name,
                "%s \"%s\"", rc_err_name(err), addr);
    }
}

static void
a_server_becomes_a_minimal_configuration(void)
{
    static const char *const bad[] = {"",       ":6817",     "ctl:",      "ctl:0",
                                      "ctl:x",  "ctl:65536", "c tl:6817", "ctl\nSlurmUser=x",
                                      "ctl(x)", "a,b"};
    char conf[128];

    CU_ASSERT_TRUE(rc_admit_server_conf("ctl-1", conf, sizeof conf));
    CU_ASSERT_STRING_EQUAL(conf,
                           "ClusterName=CONFIGLESS\nSlurmctldHost=ctl-1\nSlurmctldPort=6817\n");
    CU_ASSERT_TRUE(rc_admit_server_conf("10.0.0.1:26817", conf, sizeof conf));
    CU_ASSERT_PTR_NOT_NULL(strstr(conf, "SlurmctldHost=10.0.0.1\nSlurmctldPort=26817\n"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_FALSE(rc_admit_server_conf(bad[i], conf, sizeof conf));
    }
}

static void
own_addresses_are_compared_as_addresses(void)
{
    struct rc_admit v4 = {.addr = "10.0.0.5"}, v6 = {.addr = "fd00:0::0005"}, any = {0};

    CU_ASSERT_TRUE(rc_admit_is_own(&v4, "10.0.0.5"));
    CU_ASSERT_FALSE(rc_admit_is_own(&v4, "10.0.0.6"));
    CU_ASSERT_FALSE(rc_admit_is_own(&v4, "10.0.0.50"));
    CU_ASSERT_TRUE(rc_admit_is_own(&v6, "fd00::5"));
    CU_ASSERT_FALSE(rc_admit_is_own(&v6, "fd00::6"));
    /* Loopback is everybody's, and a name may lead anywhere. */
    CU_ASSERT_FALSE(rc_admit_is_own(&any, "127.0.0.1"));
    CU_ASSERT_FALSE(rc_admit_is_own(&any, "127.0.1.1"));
    CU_ASSERT_FALSE(rc_admit_is_own(&any, "::1"));
    CU_ASSERT_FALSE(rc_admit_is_own(&any, "localhost"));
    CU_ASSERT_FALSE(rc_admit_is_own(&any, ""));
    CU_ASSERT_FALSE(rc_admit_is_own(&any, "192.0.2.77"));
}

static void
a_file_is_asked_again_until_the_time_is_over(void)
{
    char path[] = "/tmp/rc-admit-XXXXXX";
    struct rc_error e = {0};
    int fd = mkstemp(path);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT(dprintf(fd, "NodeName=gpu-[1-2] NodeAddr=10.0.0.[1-2]\nNodeName=gpu-3\n") > 0);
    struct rc_admit a = {.node = "gpu-2", .conf = path, .addr = "10.0.0.2"};
    CU_ASSERT_EQUAL(rc_admit_wait(&a, &e), RC_OK);
    a.addr = "10.0.0.1";
    a.timeout_ms = 50;
    CU_ASSERT_EQUAL(rc_admit_wait(&a, &e), RC_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "10.0.0.2"));
    a.node = "gpu-3";
    CU_ASSERT_EQUAL(rc_admit_wait(&a, &e), RC_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "not an address"));
    a.node = "gpu-9";
    CU_ASSERT_EQUAL(rc_admit_wait(&a, &e), RC_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no NodeName line"));
    a.addr = "here";
    CU_ASSERT_EQUAL(rc_admit_wait(&a, &e), RC_E_INVALID);
    close(fd);
    unlink(path);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"answers of scontrol are read", answers_of_scontrol_are_read},
        {"a server becomes a minimal configuration", a_server_becomes_a_minimal_configuration},
        {"own addresses are compared as addresses", own_addresses_are_compared_as_addresses},
        {"a file is asked again until the time is over",
         a_file_is_asked_again_until_the_time_is_over},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("admit", tests);
}
