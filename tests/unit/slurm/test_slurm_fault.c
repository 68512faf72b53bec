/* What a node's agent says in Reason and Extra. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_fault.h"
#include "reconciler/io/slurm/slurm_rows.h"

static char buf[4096];

static struct rc_ev_node_faults
decode(const char *flags, const char *reason, const char *extra, const char *more)
{
    struct rc_event ev;
    struct rc_line row;
    struct rc_error e;
    int len = snprintf(buf, sizeof buf, "1 node name=gpu-1 flags=%s%s%s%s%s%s%s", flags,
                       *reason ? " reason=" : "", reason, *extra ? " extra=" : "", extra,
                       *more ? " " : "", more);

    CU_ASSERT_FATAL(len > 0 && (size_t)len < sizeof buf);
    CU_ASSERT_EQUAL_FATAL(rc_line_parse(buf, (size_t)len, &row, &e), RC_OK);
    rc_slurm_faults_decode(&row, &ev);
    CU_ASSERT_EQUAL(ev.kind, RC_EV_NODE_FAULTS);
    CU_ASSERT_STRING_EQUAL(ev.node, "gpu-1");
    return ev.u.faults;
}

static void
test_extra(void)
{
    struct rc_ev_node_faults list = decode(
        "allocated", "",
        "rc:0%20boot=1a2b3c4d%20xid:79@0000:10:1c*3:1790000000/4711!%20fs:stuck@/ho@me*1:5", "");

    CU_ASSERT_EQUAL_FATAL(list.count, 2);
    CU_ASSERT_STRING_EQUAL(list.boot, "1a2b3c4d");
    CU_ASSERT_STRING_EQUAL(list.v[0].class_name, "xid:79");
    CU_ASSERT_STRING_EQUAL(list.v[0].device, "0000:10:1c");
    CU_ASSERT_EQUAL(list.v[0].times, 3);
    CU_ASSERT_EQUAL(list.v[0].last_wall_ms, 1790000000000);
    CU_ASSERT_EQUAL(list.v[0].job, 4711);
    CU_ASSERT_EQUAL(list.v[0].guilty, 1);
    CU_ASSERT_STRING_EQUAL(list.v[1].device, "/ho@me");
    CU_ASSERT_EQUAL(list.v[1].job, 0);
    CU_ASSERT_EQUAL(list.v[1].guilty, 0);
}

static void
test_reason(void)
{
    struct rc_ev_node_faults list =
        decode("drain", "rc:0%20xid:79%200000:10:1c%20boot=1a2b3c4d%20job=47%20+2", "",
               "reason_time=1790000000");

    CU_ASSERT_EQUAL_FATAL(list.count, 1);
    CU_ASSERT_STRING_EQUAL(list.boot, "1a2b3c4d");
    CU_ASSERT_STRING_EQUAL(list.v[0].device, "0000:10:1c");
    CU_ASSERT_EQUAL(list.v[0].times, 1);
    CU_ASSERT_EQUAL(list.v[0].job, 47);
    CU_ASSERT_EQUAL(list.v[0].guilty, 1);
    CU_ASSERT_EQUAL(list.v[0].last_wall_ms, 1790000000000);
    /* kept by 24.11 after RESUME */
    CU_ASSERT_EQUAL(decode("allocated", "rc:0%20xid:79%20boot=1a2b3c4d", "", "").count, 0);
    /* an incident's */
    CU_ASSERT_EQUAL(decode("drain", "rc:7%20xid:79%20boot=1a2b3c4d", "", "").count, 0);
}

static void
test_both(void)
{
    struct rc_ev_node_faults list =
        decode("drain", "rc:0%20xid:79%200000:10:1c%20boot=1a2b3c4d",
               "rc:0%20boot=1a2b3c4d%20xid:31*1:7%20xid:79@0000:10:1c*9:5", "reason_time=6");

    CU_ASSERT_EQUAL_FATAL(list.count, 2);
    CU_ASSERT_EQUAL(list.v[1].times, 9);
    CU_ASSERT_EQUAL(list.v[1].guilty, 1);
    list =
        decode("drain", "rc:0%20xid:48%20boot=1a2b3c4d", "rc:0%20boot=1a2b3c4d%20xid:31*1:7", "");
    CU_ASSERT_EQUAL_FATAL(list.count, 2);
    CU_ASSERT_STRING_EQUAL(list.v[0].class_name, "xid:48");
}

static void
test_boots(void)
{
    static const char reason[] = "rc:0%20xid:79%20boot=old";
    struct rc_ev_node_faults list =
        decode("drain", reason, "rc:0%20boot=new", "boot=2000 reason_time=1000");

    CU_ASSERT_EQUAL(list.count, 0);
    CU_ASSERT_STRING_EQUAL(list.boot, "new");
    list = decode("drain", reason, "rc:0%20boot=older%20xid:31*1:7", "boot=500 reason_time=1000");
    CU_ASSERT_EQUAL_FATAL(list.count, 1);
    CU_ASSERT_STRING_EQUAL(list.boot, "old");
    CU_ASSERT_STRING_EQUAL(list.v[0].class_name, "xid:79");
}

static void
test_more_than_fit(void)
{
    char extra[1024] = "rc:0%20boot=1a2b3c4d";

    for (int i = 0; i < 9; i++) {
        size_t len = strlen(extra);

        (void)snprintf(extra + len, sizeof extra - len, "%%20io-error@nvme%d*1:%d", i, 9 - i);
    }
    struct rc_ev_node_faults list = decode("drain", "rc:0%20xid:79%20boot=1a2b3c4d", extra, "");
    CU_ASSERT_EQUAL(list.count, RC_NODE_FAULTS_MAX);
    CU_ASSERT_EQUAL(list.more, 10 - RC_NODE_FAULTS_MAX);
    CU_ASSERT_STRING_EQUAL(list.v[0].class_name, "xid:79");
}

static void
test_nonsense(void)
{
    static const char *const extras[] = {
        "rack%207",
        "rc:0",
        "rc:0%20boot=",
        "rc:0%20boot=x%20*1:2%20@*1:1%20xid:79%20xid:79*%20xid:79*1%20xid:79*1:%20xid:79*x:1",
        "rc:0%20boot=x%20xid:79@d*1:2/%21x%20xid:79*1:2x%20XID*1:2%20-*1:2",
        "rc:1%20boot=x%20xid:79*1:2",
    };

    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        struct rc_ev_node_faults list = decode("drain", "", extras[i], "");

        rc_case(list.count == 0, extras[i], "%u faults, the first %s", list.count,
                list.v[0].class_name);
    }
    CU_ASSERT_EQUAL(decode("drain", "rc:0%20", "", "").count, 0);
    CU_ASSERT_EQUAL(decode("drain", "rc:0%20+%20boot=x", "", "").count, 0);
    CU_ASSERT_EQUAL(decode("nonsense", "rc:0%20xid:79%20boot=x", "", "").count, 0);
}

static void
test_diff(void)
{
    struct rc_slurm_diff *d = rc_slurm_diff_new();
    struct rc_event node, faults;

    rc_event_init(&node, RC_EV_SLURM_NODE);
    rc_event_init(&faults, RC_EV_NODE_FAULTS);
    (void)rc_text_set(node.node, sizeof node.node, "gpu-1");
    (void)rc_text_set(faults.node, sizeof faults.node, "gpu-1");
    CU_ASSERT(rc_slurm_diff_news(d, &node, 0));
    CU_ASSERT_FALSE(rc_slurm_diff_faults(d, &faults)); /* never had any */
    faults.u.faults.count = 1;
    CU_ASSERT(rc_slurm_diff_faults(d, &faults));
    CU_ASSERT_FALSE(rc_slurm_diff_faults(d, &faults));
    rc_slurm_diff_reset(d);
    CU_ASSERT(rc_slurm_diff_faults(d, &faults));
    faults.u.faults.count = 0;
    CU_ASSERT(rc_slurm_diff_faults(d, &faults)); /* all taken back */
    CU_ASSERT_FALSE(rc_slurm_diff_faults(d, &faults));
    rc_slurm_diff_forget_faults(d);
    CU_ASSERT(rc_slurm_diff_faults(d, &faults));
    (void)rc_text_set(node.node, sizeof node.node, "gpu-2");
    (void)rc_text_set(faults.node, sizeof faults.node, "gpu-2");
    CU_ASSERT(rc_slurm_diff_news(d, &node, 0));
    CU_ASSERT(rc_slurm_diff_faults(d, &faults));
    rc_slurm_diff_free(d);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"Extra is the agent's list", test_extra},
        {"a Reason of the agent is a fault of the node, while the node is out", test_reason},
        {"what stands in both is one fault", test_both},
        {"of two boots the newer counts alone", test_boots},
        {"what does not fit is counted, and the Reason's fault stays", test_more_than_fit},
        {"other people's words and nonsense are nobody's fault", test_nonsense},
        {"only a list that changed is told", test_diff},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("slurm-fault", tests);
}
