/* test_topology_conf.c - topology.conf: a node moves between leaf switches, everything else stays.
 */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/files/topology_conf.h"
#include "tests/unit/files/scratch.h"

static const char topology[] = "# fabric\n"
                               "SwitchName=s0 Switches=s[1-3]\n"
                               "switchname=s1 nodes=gpu-[1-4] LinkSpeed=100 # left\n"
                               "SwitchName=s2 \\\n  Nodes=\"gpu-[5-8]\"\n"
                               "SwitchName=s3 Nodes=login\n";

struct row {
    const char *name;
    const char *node;
    const char *leaf;
    enum rc_err err;
    const char *after; /* NULL = as before */
};

static const struct row rows[] = {
    {"a node moves to another leaf switch", "gpu-2", "s2", RC_OK,
     "# fabric\n"
     "SwitchName=s0 Switches=s[1-3]\n"
     "switchname=s1 nodes=gpu-[1,3-4] LinkSpeed=100 # left\n"
     "SwitchName=s2 \\\n  Nodes=\"gpu-[5-8,2]\"\n"
     "SwitchName=s3 Nodes=login\n"},
    {"a node that hangs there already changes nothing", "gpu-2", "s1", RC_OK, NULL},
    {"a node that no switch names yet is added", "gpu-9", "s1", RC_OK,
     "# fabric\n"
     "SwitchName=s0 Switches=s[1-3]\n"
     "switchname=s1 nodes=gpu-[1-4,9] LinkSpeed=100 # left\n"
     "SwitchName=s2 \\\n  Nodes=\"gpu-[5-8]\"\n"
     "SwitchName=s3 Nodes=login\n"},
    {"a switch of switches takes no node", "gpu-2", "s0", RC_E_NOT_FOUND, NULL},
    {"a switch that is not there", "gpu-2", "s9", RC_E_NOT_FOUND, NULL},
    {"a switch does not lose its last node", "login", "s1", RC_E_STATE, NULL},
    {"a range is not a node", "gpu-[1-2]", "s2", RC_E_INVALID, NULL},
};

static void
nodes_move(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct rc_error e = {0};
        scratch_init();
        scratch_write("topology.conf", topology);
        enum rc_err err =
            rc_topology_set_switch(scratch_path("topology.conf"), r->node, r->leaf, NULL, NULL, &e);
        char *got = scratch_read("topology.conf");
        rc_case(err == r->err && strcmp(got, r->after ? r->after : topology) == 0, r->name,
                "%s %s\n%s", rc_err_name(err), e.text, got);
        free(got);
        scratch_done();
    }
}

static void
broken_files_are_named_with_their_line(void)
{
    struct rc_error e = {0};

    scratch_init();
    scratch_write("topology.conf", "SwitchName=s1 Nodes=a[1-2]\nSwitchName=s2 Nodes=a[3-\n");
    CU_ASSERT_EQUAL(rc_topology_check(scratch_path("topology.conf"), &e), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "topology.conf:2: Nodes: "));
    scratch_write("topology.conf", topology);
    CU_ASSERT_EQUAL(rc_topology_check(scratch_path("topology.conf"), &e), RC_OK);
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"nodes move between leaf switches", nodes_move},
        {"broken files are named with their line", broken_files_are_named_with_their_line},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("topology_conf", tests);
}
