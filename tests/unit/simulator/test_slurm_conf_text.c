/* slurm.conf as the simulated slurmctld reads it; host ranges. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulator/world/slurm_conf_text.h"

enum { ROOM = 32 };

static struct rc_sim_node_row rows[ROOM];
static uint32_t count;
static char why[512];

static bool
read_text(const char *text)
{
    char path[] = "/tmp/rc-test-slurm-conf-XXXXXX";
    int fd = mkstemp(path);
    bool good;

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    why[0] = '\0';
    good = rc_slurm_conf_read(path, rows, ROOM, &count, why, sizeof(why));
    (void)unlink(path);
    return good;
}

static bool
gather(void *arg, uint32_t index, const char *name)
{
    char *out = arg;

    (void)index;
    (void)strcat(out, name);
    (void)strcat(out, " ");
    return strlen(out) < 200;
}

static void
ranges__are_written_out_in_order(void)
{
    char out[256] = "";

    CU_ASSERT(rc_hosts_each("gpu-[1-3,07],x,10.0.0.[9-11]", gather, out));
    CU_ASSERT_STRING_EQUAL(out, "gpu-1 gpu-2 gpu-3 gpu-07 x 10.0.0.9 10.0.0.10 10.0.0.11 ");
    out[0] = '\0';
    CU_ASSERT(rc_hosts_each("n[08-11]-ib", gather, out));
    CU_ASSERT_STRING_EQUAL(out, "n08-ib n09-ib n10-ib n11-ib ");
}

static void
ranges__malformed__are_refused(void)
{
    static const char *const bad[] = {"a[1-", "a[",    "a[3-1]", "a[x]",
                                      "a,,b", "a[1-2", "a[1;2]", "a[1-99999999]"};
    char out[256];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        out[0] = '\0';
        CU_ASSERT_FALSE(rc_hosts_each(bad[i], gather, out));
    }
}

static void
conf__nodes_partitions_and_layout(void)
{
    CU_ASSERT_FATAL(read_text("ClusterName=x # comment\n"
                              "NodeName=DEFAULT CPUs=96 RealMemory=1000\n"
                              "NodeName=gpu-[1-3] NodeAddr=10.0.0.[11-13] \\\n"
                              "   State=UNKNOWN RealMemory=2000\n"
                              "nodename=viz Procs=4\n"
                              "PartitionName=gpu Nodes=gpu-[1-3] Default=YES\n"
                              "PartitionName=all Nodes=ALL\n"));
    CU_ASSERT_EQUAL_FATAL(count, 4);
    CU_ASSERT_STRING_EQUAL(rows[2].name, "gpu-3");
    CU_ASSERT_STRING_EQUAL(rows[2].addr, "10.0.0.13");
    CU_ASSERT_STRING_EQUAL(rows[2].partition, "gpu");
    CU_ASSERT_EQUAL(rows[2].cpus, 96);
    CU_ASSERT_EQUAL(rows[2].real_memory_mb, 2000);
    CU_ASSERT_STRING_EQUAL(rows[3].addr, "viz");
    CU_ASSERT_STRING_EQUAL(rows[3].partition, "all");
}

static void
conf__wrong__says_where(void)
{
    CU_ASSERT_FALSE(read_text("ClusterName=x\nNodeName=gpu-[1-3] NodeAddr=10.0.0.[1-4]\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, ":2: "));
    CU_ASSERT_FALSE(read_text("NodeName=gpu-[1- CPUs=4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "gpu-[1-"));
    CU_ASSERT_FALSE(read_text("what is this\n"));
    CU_ASSERT_FALSE(read_text("NodeName=gpu-1 State\n"));
    CU_ASSERT_FALSE(read_text("NodeName=n[1-40]\n")); /* more than there is room for */
    CU_ASSERT_FALSE(read_text("Include no-such-file\n"));
    CU_ASSERT_FALSE(rc_slurm_conf_read("/nonexistent", rows, ROOM, &count, why, sizeof(why)));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"host ranges are written out in order", ranges__are_written_out_in_order},
        {"malformed host ranges are refused", ranges__malformed__are_refused},
        {"nodes, partitions and layout are understood", conf__nodes_partitions_and_layout},
        {"a wrong file says where it is wrong", conf__wrong__says_where},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("slurm_conf_text", tests);
}
