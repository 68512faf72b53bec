/* test_registrar.c - rc-registrar as its client sees it: requests in, lines out, files changed or
 * not. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/files/scratch.h"

/* What the program prints after its hello, for these requests; static buffer. */
static const char *
ask(const char *requests)
{
    static char out[8192];
    char command[1024];

    scratch_write("requests", requests);
    snprintf(command, sizeof command,
             "cd '%s' && %s --slurm-conf slurm.conf --topology topology.conf --hosts hosts "
             "--cluster c <requests",
             scratch_path(""), RC_REGISTRAR);
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    size_t len = fread(out, 1, sizeof out - 1, f);
    out[len] = '\0';
    CU_ASSERT_EQUAL(pclose(f), 0);
    CU_ASSERT_EQUAL(strncmp(out, "hello 1 role=registrar", 22), 0);
    char *first = strchr(out, '\n');
    return first ? first + 1 : "";
}

static void
begin(void)
{
    scratch_init();
    scratch_write("slurm.conf", "NodeName=gpu-[1-3] NodeAddr=10.0.0.[1-3]\n");
    scratch_write("topology.conf", "SwitchName=a Nodes=gpu-1\nSwitchName=b Nodes=gpu-[2-3]\n");
    scratch_write("hosts", "127.0.0.1 localhost\n");
}

static bool
paths_end_the_same(const char *got, const char *want)
{
    /* Paths are absolute in the answer; only file names are compared. */
    char *plain = strdup(got), *to = plain;
    const char *folder = scratch_path("");
    size_t len = strlen(folder);

    for (const char *at = got; *at;) {
        if (strncmp(at, folder, len) == 0) {
            at += len + 1;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
    bool same = strcmp(plain, want) == 0;
    if (!same) {
        printf("# got:\n%s", plain);
    }
    free(plain);
    return same;
}

static void
a_batch_changes_every_file_once(void)
{
    begin();
    CU_ASSERT_TRUE(paths_end_the_same(
        ask("7 register node=gpu-[2-3] addr=10.9.0.2,10.9.0.3\n8 show node=gpu-3\n9 check\n"),
        "7 file path=slurm.conf changed=1\n7 file path=hosts changed=1\n7 ok changed=1 shared=\n"
        "8 ok node=gpu-3 addr=10.9.0.3 hostname=gpu-3 file=slurm.conf line=3\n"
        "9 file path=slurm.conf\n9 file path=topology.conf\n9 file path=hosts\n9 ok nodes=3\n"));
    char *hosts = scratch_read("hosts");
    CU_ASSERT_STRING_EQUAL(hosts, "127.0.0.1 localhost\n# BEGIN slurm-on-aws c\n10.9.0.2 gpu-2\n"
                                  "10.9.0.3 gpu-3\n# END slurm-on-aws c\n");
    free(hosts);
    scratch_done();
}

static void
an_address_that_another_node_has_is_told(void)
{
    begin();
    CU_ASSERT_TRUE(
        paths_end_the_same(ask("1 register node=gpu-1 addr=10.0.0.3\n"),
                           "1 file path=slurm.conf changed=1\n1 file path=hosts changed=1\n"
                           "1 ok changed=1 shared=gpu-3\n"));
    scratch_done();
}

static void
a_controller_gets_its_new_address(void)
{
    begin();
    scratch_write("slurm.conf", "SlurmctldHost=head1(10.0.0.7) # first\nSlurmctldHost=head2\n"
                                "NodeName=gpu-1 NodeAddr=10.0.0.1\n");
    CU_ASSERT_TRUE(paths_end_the_same(
        ask("1 register node=head1,gpu-1 addr=10.9.0.7,10.9.0.1\n2 show node=head1\n"
            "3 show node=head2\n"),
        "1 file path=slurm.conf changed=1\n1 file path=hosts changed=1\n1 ok changed=1 shared=\n"
        "2 ok node=head1 addr=10.9.0.7 hostname=head1 file=slurm.conf line=1\n"
        "3 ok node=head2 addr=head2 hostname=head2 file=slurm.conf line=2\n"));
    char *conf = scratch_read("slurm.conf");
    CU_ASSERT_STRING_EQUAL(conf, "SlurmctldHost=head1(10.9.0.7) # first\nSlurmctldHost=head2\n"
                                 "NodeName=gpu-1 NodeAddr=10.9.0.1\n");
    free(conf);
    scratch_done();
}

static void
a_switch_moves_the_node_too(void)
{
    begin();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(ask("1 register node=gpu-2 addr=10.0.0.2 switch=a\n"), "1 ok changed=1"));
    char *topology = scratch_read("topology.conf");
    CU_ASSERT_STRING_EQUAL(topology, "SwitchName=a Nodes=gpu-[1-2]\nSwitchName=b Nodes=gpu-3\n");
    free(topology);
    scratch_done();
}

static const struct {
    const char *name;
    const char *request;
    const char *code;
} refused[] = {
    {"no node", "1 register addr=10.0.0.1\n", "invalid-request"},
    {"no address", "1 register node=gpu-1\n", "invalid-request"},
    {"fewer addresses than nodes", "1 register node=gpu-[1-2] addr=10.0.0.1\n", "invalid-request"},
    {"an address that is a name", "1 register node=gpu-1 addr=gpu-2\n", "invalid-request"},
    {"an address with a key behind it", "1 register node=gpu-1 addr=10.0.0.1%20State=DOWN\n",
     "invalid-request"},
    {"a broken host list", "1 register node=gpu-[1 addr=10.0.0.1\n", "invalid-request"},
    {"a node that is not there", "1 register node=gpu-9 addr=10.0.0.1\n", "not-found"},
    {"a switch that is not there", "1 register node=gpu-2 addr=10.9.0.1 switch=z\n", "not-found"},
    {"a switch that would lose its last node", "1 register node=gpu-1 addr=10.9.0.1 switch=b\n",
     "wrong-state"},
    {"an unknown verb", "1 fly node=gpu-1\n", "invalid-request"},
};

static void
bad_requests_are_refused_and_change_nothing(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char want[64];
        begin();
        const char *out = ask(refused[i].request);
        snprintf(want, sizeof want, "1 err code=%s ", refused[i].code);
        bool good = strncmp(out, want, strlen(want)) == 0;
        char *files = scratch_list();
        rc_case(good && strcmp(files, "hosts requests slurm.conf topology.conf") == 0,
                refused[i].name, "%s%s", out, files);
        free(files);
        scratch_done();
    }
}

static void
a_damaged_hosts_file_stops_the_registration_before_slurm_conf(void)
{
    begin();
    scratch_write("hosts", "# BEGIN slurm-on-aws c\n");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(ask("1 register node=gpu-1 addr=10.9.9.9\n"), "1 err code=unreadable"));
    char *conf = scratch_read("slurm.conf");
    CU_ASSERT_STRING_EQUAL(conf, "NodeName=gpu-[1-3] NodeAddr=10.0.0.[1-3]\n");
    free(conf);
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a batch changes every file once", a_batch_changes_every_file_once},
        {"an address that another node has is told", an_address_that_another_node_has_is_told},
        {"a controller gets its new address", a_controller_gets_its_new_address},
        {"a switch moves the node too", a_switch_moves_the_node_too},
        {"bad requests are refused and change nothing",
         bad_requests_are_refused_and_change_nothing},
        {"a damaged hosts file stops the registration before slurm.conf",
         a_damaged_hosts_file_stops_the_registration_before_slurm_conf},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("registrar", tests);
}
