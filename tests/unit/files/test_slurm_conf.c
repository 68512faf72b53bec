/* test_slurm_conf.c - slurm.conf in many layouts: a node gets its address, and nothing else
 * changes. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reconciler/io/files/slurm_conf.h"
#include "tests/unit/files/scratch.h"

struct layout {
    const char *name;
    const char *before;
    const char *node;
    const char *addr;
    const char *after; /* NULL = as before, and no file is touched */
};

static const struct layout layouts[] = {
    {"a controller with an address", "SlurmctldHost=h1(10.0.0.1)\nSlurmctldHost=h2(10.0.0.2)\n",
     "h2", "10.9.9.9", "SlurmctldHost=h1(10.0.0.1)\nSlurmctldHost=h2(10.9.9.9)\n"},
    {"a controller without one, behind the nodes, quoted",
     "NodeName=n1\nslurmctldhost = \"h1\"  # first\n", "h1", "10.9.9.9",
     "NodeName=n1\nslurmctldhost = \"h1(10.9.9.9)\"  # first\n"},
    {"a controller's right address: nothing changes", "SlurmctldHost=h1(10.9.9.9)\n", "h1",
     "10.9.9.9", NULL},
    {"a controller that is a node too: both lines", "SlurmctldHost=h1\nNodeName=h[1-2] CPUs=4\n",
     "h1", "10.9.9.9",
     "SlurmctldHost=h1(10.9.9.9)\nNodeName=h1 NodeAddr=10.9.9.9 CPUs=4\nNodeName=h2 CPUs=4\n"},
    {"a controller's line over two lines", "SlurmctldHost=h1(10.0.\\\n0.1)\n", "h1", "10.9.9.9",
     "SlurmctldHost=h1(10.9.9.9)\n"},
    {"a line of its own: the value is replaced", "NodeName=gpu-1 NodeAddr=10.0.0.1 CPUs=96\n",
     "gpu-1", "10.9.9.9", "NodeName=gpu-1 NodeAddr=10.9.9.9 CPUs=96\n"},
    {"no address yet: the key is put in behind the name", "NodeName=gpu-1 CPUs=96 # rack 4\n",
     "gpu-1", "10.9.9.9", "NodeName=gpu-1 NodeAddr=10.9.9.9 CPUs=96 # rack 4\n"},
    {"the right address: nothing changes", "NodeName=gpu-1 NodeAddr=10.9.9.9\n", "gpu-1",
     "10.9.9.9", NULL},
    {"the right address in a range: nothing changes", "NodeName=gpu-[1-4] NodeAddr=10.0.0.[1-4]\n",
     "gpu-3", "10.0.0.3", NULL},
    {"the node's name is its address: nothing changes", "NodeName=gpu-[1-4]\n", "gpu-3", "gpu-3",
     NULL},
    {"keys in any case, tabs and quotes", "nodename=\"gpu-1\"\tNODEADDR = \"10.0.0.1\"\tcpus=4\n",
     "gpu-1", "10.9.9.9", "nodename=\"gpu-1\"\tNODEADDR = \"10.9.9.9\"\tcpus=4\n"},
    {"a range is split in three, in order", "NodeName=gpu-[1-16] CPUs=96 State=UNKNOWN\n", "gpu-5",
     "10.9.9.9",
     "NodeName=gpu-[1-4] CPUs=96 State=UNKNOWN\n"
     "NodeName=gpu-5 NodeAddr=10.9.9.9 CPUs=96 State=UNKNOWN\n"
     "NodeName=gpu-[6-16] CPUs=96 State=UNKNOWN\n"},
    {"the first of a range", "NodeName=gpu-[1-3] CPUs=96\n", "gpu-1", "10.9.9.9",
     "NodeName=gpu-1 NodeAddr=10.9.9.9 CPUs=96\nNodeName=gpu-[2-3] CPUs=96\n"},
    {"the last of a range at the end of a file without line end", "NodeName=gpu-[1-3] CPUs=96",
     "gpu-3", "10.9.9.9", "NodeName=gpu-[1-2] CPUs=96\nNodeName=gpu-3 NodeAddr=10.9.9.9 CPUs=96"},
    {"matching ranges are split along",
     "NodeName=n[08-11] NodeAddr=10.0.0.[8-11] NodeHostname=ip-10-0-0-[8-11] Port=[7008-7011] "
     "CPUs=2\n",
     "n10", "10.9.9.9",
     "NodeName=n[08-09] NodeAddr=10.0.0.[8-9] NodeHostname=ip-10-0-0-[8-9] Port=[7008-7009] "
     "CPUs=2\n"
     "NodeName=n10 NodeAddr=10.9.9.9 NodeHostname=ip-10-0-0-10 Port=7010 CPUs=2\n"
     "NodeName=n11 NodeAddr=10.0.0.11 NodeHostname=ip-10-0-0-11 Port=7011 CPUs=2\n"},
    {"ports without brackets, before the address",
     "NodeName=n[1-3] Port=7001-7003 NodeAddr=10.0.0.[1-3]\n", "n1", "10.9.9.9",
     "NodeName=n1 Port=7001 NodeAddr=10.9.9.9\n"
     "NodeName=n[2-3] Port=[7002-7003] NodeAddr=10.0.0.[2-3]\n"},
    {"one address for all names", "NodeName=n[1-3] NodeAddr=10.0.0.1 Port=[7001-7003]\n", "n2",
     "10.9.9.9",
     "NodeName=n1 NodeAddr=10.0.0.1 Port=7001\n"
     "NodeName=n2 NodeAddr=10.9.9.9 Port=7002\n"
     "NodeName=n3 NodeAddr=10.0.0.1 Port=7003\n"},
    {"ports that come from the DEFAULT line are written out",
     "NodeName=DEFAULT Port=[7001-7003] CPUs=2\nNodeName=n[1-3]\n", "n3", "10.9.9.9",
     "NodeName=DEFAULT Port=[7001-7003] CPUs=2\n"
     "NodeName=n[1-2] Port=[7001-7002]\nNodeName=n3 NodeAddr=10.9.9.9 Port=7003\n"},
    {"several parts and brackets", "NodeName=rack[1-2]n[1-2],login,x[1,3] Feature=a,b\n", "rack2n1",
     "10.9.9.9",
     "NodeName=rack1n[1-2] Feature=a,b\n"
     "NodeName=rack2n1 NodeAddr=10.9.9.9 Feature=a,b\n"
     "NodeName=rack2n2,login,x[1,3] Feature=a,b\n"},
    {"continuation lines keep their layout",
     "# nodes\nNodeName=gpu-[1-2] \\\n    CPUs=96 \\\n    Gres=gpu:a100:8 # two\n\nPartitionName=p "
     "Nodes=ALL\n",
     "gpu-2", "10.9.9.9",
     "# nodes\nNodeName=gpu-1 \\\n    CPUs=96 \\\n    Gres=gpu:a100:8 # two\n"
     "NodeName=gpu-2 NodeAddr=10.9.9.9 \\\n    CPUs=96 \\\n    Gres=gpu:a100:8 # two\n\n"
     "PartitionName=p Nodes=ALL\n"},
    {"a value that runs over two lines", "NodeName=gpu-1 NodeAddr=10.0.\\\n0.1 CPUs=4\n", "gpu-1",
     "10.9.9.9", "NodeName=gpu-1 NodeAddr=10.9.9.9 CPUs=4\n"},
    {"a name that ends at a continuation", "NodeName=gpu-1\\\n CPUs=4\n", "gpu-1", "10.9.9.9",
     "NodeName=gpu-1 NodeAddr=10.9.9.9\\\n CPUs=4\n"},
    {"a comment hides a continuation, and an escaped # is no comment",
     "# NodeName=gpu-1 \\\nNodeName=gpu-1 Reason=\"see \\#4\" NodeAddr=a # b \\\nNodeName=gpu-2\n",
     "gpu-1", "10.9.9.9",
     "# NodeName=gpu-1 \\\nNodeName=gpu-1 Reason=\"see \\#4\" NodeAddr=10.9.9.9 # b "
     "\\\nNodeName=gpu-2\n"},
    {"a continuation before a comment goes on", "NodeName=gpu-1 \\ # x\n NodeAddr=a\n", "gpu-1",
     "10.9.9.9", "NodeName=gpu-1 \\ # x\n NodeAddr=10.9.9.9\n"},
    {"the last of two addresses counts", "NodeName=g NodeAddr=a NodeAddr=b\n", "g", "10.9.9.9",
     "NodeName=g NodeAddr=a NodeAddr=10.9.9.9\n"},
    {"CR LF line ends stay", "ClusterName=c\r\nNodeName=g[1-2] CPUs=1\r\n", "g1", "10.9.9.9",
     "ClusterName=c\r\nNodeName=g1 NodeAddr=10.9.9.9 CPUs=1\r\nNodeName=g2 CPUs=1\r\n"},
    {"lines that name the node otherwise stay",
     "DownNodes=gpu-1 State=DOWN Reason=\"a b\"\nNodeSet=s Nodes=gpu-1\nNodeName=gpu-1\n"
     "PartitionName=p Nodes=gpu-1 Default=YES\nNewKeyOfALaterRelease=1\n",
     "gpu-1", "10.9.9.9",
     "DownNodes=gpu-1 State=DOWN Reason=\"a b\"\nNodeSet=s Nodes=gpu-1\nNodeName=gpu-1 "
     "NodeAddr=10.9.9.9\nPartitionName=p Nodes=gpu-1 Default=YES\nNewKeyOfALaterRelease=1\n"},
    {"an IPv6 address", "NodeName=gpu-[1-2] NodeAddr=fd00::1,fd00::2\n", "gpu-2", "fd00::99",
     "NodeName=gpu-1 NodeAddr=fd00::1\nNodeName=gpu-2 NodeAddr=fd00::99\n"},
};

static void
every_layout_gets_the_address(void)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const struct layout *l = &layouts[i];
        struct rc_node_addr set = {l->node, l->addr};
        struct rc_error e = {0};
        scratch_init();
        scratch_write("slurm.conf", l->before);
        enum rc_err err =
            rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), &set, 1, NULL, NULL, &e);
        char *got = scratch_read("slurm.conf"), *files = scratch_list();
        const char *want_files = l->after ? "slurm.conf slurm.conf.rc-prev" : "slurm.conf";
        rc_case(!err && strcmp(got, l->after ? l->after : l->before) == 0 &&
                    strcmp(files, want_files) == 0,
                l->name, "%s\nfiles: %s\n%s", e.text, files, got);
        free(got);
        free(files);
        scratch_done();
    }
}

struct broken {
    const char *name;
    const char *text;
    enum rc_err err;
    const char *says;
};

static const struct broken broken[] = {
    {"no NodeName line for the node", "NodeName=gpu-2\n", RC_E_NOT_FOUND, "gpu-1"},
    {"a controller's bracket that is not closed", "NodeName=gpu-1\nSlurmctldHost=h1(10.0.0.1\n",
     RC_E_PARSE, "slurm.conf:2: SlurmctldHost: \"h1(10.0.0.1\" is neither"},
    {"a line that is not key=value", "ClusterName=c\n\nwhat is this\nNodeName=gpu-1\n", RC_E_PARSE,
     "slurm.conf:3: expected key=value at \"what is this\""},
    {"junk behind a pair", "NodeName=gpu-1 CPUs\n", RC_E_PARSE, "slurm.conf:1:"},
    {"an open bracket", "#\nNodeName=gpu-[1-4 CPUs=2\n", RC_E_PARSE, "slurm.conf:2: NodeName: "},
    {"too few addresses", "NodeName=gpu-[1-4] NodeAddr=a[1-3]\n", RC_E_PARSE,
     "NodeAddr has 3 values for 4 nodes"},
    {"a node on two lines", "NodeName=gpu-1\nNodeName=gpu-[1-2]\n", RC_E_PARSE,
     "slurm.conf:2: node gpu-1 is defined already"},
    {"an address on the DEFAULT line", "NodeName=DEFAULT NodeAddr=x\nNodeName=gpu-1\n", RC_E_PARSE,
     "not allowed with NodeName=DEFAULT"},
    {"an empty value", "NodeName=gpu-1 NodeAddr=\"\"\n", RC_E_PARSE, "slurm.conf:1: NodeAddr: "},
    {"an include that is not there", "\nInclude nodes.conf\nNodeName=gpu-1\n", RC_E_NOT_FOUND,
     "slurm.conf:2: Include: "},
    {"an include that stands indented", " Include nodes.conf\n", RC_E_PARSE, "slurm.conf:1:"},
    {"an include without a name", "Include \n", RC_E_PARSE, "expects one file name"},
    {"an include that includes itself", "Include slurm.conf\n", RC_E_PARSE, "a circle?"},
    {"%c before the cluster has a name", "Include %c.conf\nClusterName=x\n", RC_E_PARSE,
     "ClusterName"},
};

static void
broken_files_are_refused_and_not_touched(void)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct broken *b = &broken[i];
        struct rc_node_addr set = {"gpu-1", "10.9.9.9"};
        struct rc_error e = {0};
        scratch_init();
        scratch_write("slurm.conf", b->text);
        enum rc_err err =
            rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), &set, 1, NULL, NULL, &e);
        char *got = scratch_read("slurm.conf"), *files = scratch_list();
        rc_case(err == b->err && strstr(e.text, b->says) && strcmp(got, b->text) == 0 &&
                    strcmp(files, "slurm.conf") == 0,
                b->name, "%s: %s", rc_err_name(err), e.text);
        free(got);
        free(files);
        scratch_done();
    }
}

static void
bad_requests_are_refused(void)
{
    struct rc_node_addr twice[] = {{"a", "10.0.0.1"}, {"b", "10.0.0.2"}, {"a", "10.0.0.3"}};
    struct rc_node_addr inject = {"a", "10.0.0.1 State=DOWN"}, line = {"a", "x\nNodeName=y"};
    struct rc_error e;

    scratch_init();
    scratch_write("slurm.conf", "NodeName=a\nNodeName=b\n");
    const char *path = scratch_path("slurm.conf");
    CU_ASSERT_EQUAL(rc_slurm_conf_set_addrs(path, twice, 3, NULL, NULL, &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_conf_set_addrs(path, &inject, 1, NULL, NULL, &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(rc_slurm_conf_set_addrs(path, &line, 1, NULL, NULL, &e), RC_E_INVALID);
    char *got = scratch_read("slurm.conf");
    CU_ASSERT_STRING_EQUAL(got, "NodeName=a\nNodeName=b\n");
    free(got);
    scratch_done();
}

static void
collect_changed(void *arg, const char *path, bool changed)
{
    char *out = arg;

    snprintf(out + strlen(out), 256 - strlen(out), "%s=%d ", strrchr(path, '/') + 1, changed);
}

static void
the_included_file_that_holds_the_line_is_edited(void)
{
    struct rc_node_addr set[] = {{"gpu-1", "10.9.9.1"}, {"cpu-2", "10.9.9.2"}};
    char told[256] = "";
    struct rc_error e = {0};

    scratch_init();
    mkdir(scratch_path("nodes"), 0755);
    scratch_write("slurm.conf", "ClusterName=Prod\nInclude nodes/%c.conf\nInclude other.conf\n");
    scratch_write("nodes/prod.conf", "# gpu\nNodeName=gpu-[1-2]\nINCLUDE cpu.conf\n");
    scratch_write("nodes/cpu.conf", "NodeName=cpu-[1-2] NodeAddr=c[1-2]\n");
    scratch_write("other.conf", "PartitionName=p Nodes=ALL\n");
    CU_ASSERT_EQUAL(
        rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), set, 2, collect_changed, told, &e),
        RC_OK);
    CU_ASSERT_STRING_EQUAL(told, "slurm.conf=0 prod.conf=1 cpu.conf=1 other.conf=0 ");
    char *gpu = scratch_read("nodes/prod.conf"), *cpu = scratch_read("nodes/cpu.conf");
    CU_ASSERT_STRING_EQUAL(
        gpu, "# gpu\nNodeName=gpu-1 NodeAddr=10.9.9.1\nNodeName=gpu-2\nINCLUDE cpu.conf\n");
    CU_ASSERT_STRING_EQUAL(cpu, "NodeName=cpu-1 NodeAddr=c1\nNodeName=cpu-2 NodeAddr=10.9.9.2\n");
    free(gpu);
    free(cpu);
    scratch_done();
}

static void
links_are_followed_and_stay_links(void)
{
    struct rc_node_addr set = {"gpu-1", "10.9.9.9"};
    struct rc_error e = {0};
    struct stat st;

    scratch_init();
    mkdir(scratch_path("shared"), 0755);
    /* Slurm looks for an included file beside the link, not beside its target. */
    scratch_write("shared/real.conf", "Include nodes.conf\n");
    scratch_write("nodes.conf", "NodeName=gpu-1\n");
    CU_ASSERT_EQUAL_FATAL(symlink("shared/real.conf", scratch_path("slurm.conf")), 0);
    CU_ASSERT_EQUAL_FATAL(rename(scratch_path("nodes.conf"), scratch_path("shared/n.conf")), 0);
    CU_ASSERT_EQUAL_FATAL(symlink("shared/n.conf", scratch_path("nodes.conf")), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("shared/n.conf"), 0640), 0);
    CU_ASSERT_EQUAL(rc_slurm_conf_set_addrs(scratch_path("slurm.conf"), &set, 1, NULL, NULL, &e),
                    RC_OK);
    char *got = scratch_read("shared/n.conf");
    CU_ASSERT_STRING_EQUAL(got, "NodeName=gpu-1 NodeAddr=10.9.9.9\n");
    free(got);
    CU_ASSERT(lstat(scratch_path("nodes.conf"), &st) == 0 && S_ISLNK(st.st_mode));
    CU_ASSERT(stat(scratch_path("nodes.conf"), &st) == 0 && (st.st_mode & 07777) == 0640);
    scratch_done();
}

static void
a_loaded_configuration_knows_its_nodes(void)
{
    struct rc_slurm_conf *conf;
    struct rc_error e = {0};

    scratch_init();
    scratch_write("slurm.conf", "NodeName=DEFAULT CPUs=2\n\nNodeName=b[1-2] NodeAddr=10.0.0.[1-2]\n"
                                "NodeName=a1 NodeHostname=ip-1\n");
    CU_ASSERT_EQUAL_FATAL(rc_slurm_conf_load(scratch_path("slurm.conf"), &conf, &e), RC_OK);
    CU_ASSERT_EQUAL(rc_slurm_conf_count(conf), 3);
    CU_ASSERT_STRING_EQUAL(rc_slurm_conf_at(conf, 0)->name, "b1");
    CU_ASSERT_EQUAL(rc_slurm_conf_files(conf), 1);
    CU_ASSERT_PTR_NULL(rc_slurm_conf_find(conf, "DEFAULT"));
    const struct rc_conf_node *b2 = rc_slurm_conf_find(conf, "b2");
    const struct rc_conf_node *a1 = rc_slurm_conf_find(conf, "a1");
    CU_ASSERT_FATAL(a1 && b2);
    CU_ASSERT_STRING_EQUAL(b2->addr, "10.0.0.2");
    CU_ASSERT_EQUAL(b2->line, 3);
    CU_ASSERT_STRING_EQUAL(a1->addr, "ip-1");
    rc_slurm_conf_free(conf);
    scratch_done();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every layout gets the address and nothing else changes", every_layout_gets_the_address},
        {"broken files are refused and not touched", broken_files_are_refused_and_not_touched},
        {"bad requests are refused", bad_requests_are_refused},
        {"the included file that holds the line is edited",
         the_included_file_that_holds_the_line_is_edited},
        {"links are followed and stay links", links_are_followed_and_stay_links},
        {"a loaded configuration knows its nodes", a_loaded_configuration_knows_its_nodes},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("slurm_conf", tests);
}
