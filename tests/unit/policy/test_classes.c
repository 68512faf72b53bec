/* What a class of a node's own fault means: the tables behind policies/classes.h. */
#include "tests/harness/harness.h"

#include <string.h>

#include "policies/classes.h"

/* NVIDIA's catalogue and what peers do; the sources stand in xids.c. */
static void
xids_lead_where_their_source_says(void)
{
    static const struct {
        const char *name;
        enum rc_fault fault;
        bool drain, by_job;
    } rows[] = {
        {"xid:13", RC_FAULT_JOB_SUSPECT, false, true},
        {"xid:31", RC_FAULT_JOB_SUSPECT, false, true},
        {"xid:43", RC_FAULT_JOB_SUSPECT, false, true},
        {"xid:45", RC_FAULT_JOB_SUSPECT, false, true},
        {"xid:45:149", RC_FAULT_JOB_SUSPECT, false, true},
        {"xid:48", RC_FAULT_GPU, true, false},
        {"xid:63", RC_FAULT_ROW_REMAP, true, false},
        {"xid:64", RC_FAULT_GPU_BROKEN, true, false},
        {"xid:74", RC_FAULT_NVLINK, true, false},
        {"xid:79", RC_FAULT_GPU_LOST, true, false},
        {"xid:94", RC_FAULT_ROW_REMAP, true, false},
        {"xid:95", RC_FAULT_GPU, true, false},
        {"xid:109", RC_FAULT_GPU, true, true},
        {"xid:119", RC_FAULT_GPU, true, true},
        {"xid:120", RC_FAULT_GPU, true, false},
        {"xid:145", RC_FAULT_NVLINK, true, false},
        {"xid:145:nonfatal", RC_FAULT_NONE, false, false},
        {"xid:154:none", RC_FAULT_NONE, false, false},
        {"xid:154:gpu-reset", RC_FAULT_GPU, true, false},
        {"xid:154:drain-and-reset", RC_FAULT_GPU, true, false},
        {"xid:171", RC_FAULT_NONE, false, false},
        {"sxid:20034:fatal", RC_FAULT_NVLINK, true, false},
        {"sxid:11004:nonfatal", RC_FAULT_NONE, false, false},
        {"sxid:26006:unspecified", RC_FAULT_NVLINK, true, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rc_class c = rc_class_of(rows[i].name);
        rc_case(c.fault == rows[i].fault && c.drain == rows[i].drain &&
                    c.by_job == rows[i].by_job && c.known,
                rows[i].name, "%s, drain %d, by job %d", rc_fault_name(c.fault), c.drain, c.by_job);
    }
}

static void
what_no_table_has_gets_the_careful_default(void)
{
    static const char *const names[] = {"xid:999", "xid:0", "xid:99999999999",
                                        "sxid:1:unspecified"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct rc_class c = rc_class_of(names[i]);
        CU_ASSERT(c.fault == RC_FAULT_XID && !c.drain && !c.known);
    }
    CU_ASSERT_EQUAL(rc_class_of("note:xid-preamble").fault, RC_FAULT_NONE);
    CU_ASSERT_EQUAL(rc_class_of("cont:aer").fault, RC_FAULT_NONE);
    CU_ASSERT_EQUAL(rc_class_of("").fault, RC_FAULT_NONE);
}

static void
each_xid_stands_once_in_order_and_says_why(void)
{
    uint32_t count, last = 0;
    const struct rc_xid_row *row = rc_xid_rows(&count);

    for (uint32_t i = 0; i < count; i++) {
        CU_ASSERT(row[i].xid > last && *row[i].why && row[i].fault < RC_FAULT__MAX);
        CU_ASSERT_PTR_EQUAL(rc_xid_find(row[i].xid), &row[i]);
        CU_ASSERT_STRING_NOT_EQUAL(rc_xid_action_name((enum rc_xid_action)row[i].action), "?");
        /* Who drains the node blames it; who does not, does not. */
        CU_ASSERT(!row[i].drain || row[i].fault > RC_FAULT_JOB_SUSPECT);
        CU_ASSERT(row[i].drain || row[i].fault == RC_FAULT_NONE || row[i].fault == RC_FAULT_XID ||
                  row[i].fault == RC_FAULT_JOB_SUSPECT);
        last = row[i].xid;
    }
    CU_ASSERT(count > 80);
}

static void
what_asks_for_a_reboot_is_not_reset(void)
{
    CU_ASSERT(rc_class_of("xid:154:node-reboot").restart && rc_class_of("xid:79").restart);
    CU_ASSERT(rc_class_of("xid:151").restart && rc_class_of("xid:168").restart);
    CU_ASSERT(!rc_class_of("xid:154:gpu-reset").restart && !rc_class_of("xid:48").restart);
    CU_ASSERT(!rc_class_of("gpu:ecc").restart && !rc_class_of("xid:999").restart);
}

static void
conditions_last_and_events_fade(void)
{
    CU_ASSERT(rc_class_of("fs:stuck").lasts && !rc_class_of("fs:stuck").drain);
    CU_ASSERT(rc_class_of("fs:stuck-local").drain);
    CU_ASSERT(rc_class_of("pcie:width").lasts);
    CU_ASSERT(!rc_class_of("hung-task").lasts);
    CU_ASSERT(!rc_class_of("efa:cmd-fail").lasts && !rc_class_of("efa:cmd-fail").drain);
    CU_ASSERT(rc_class_of("efa:admin-timeout").drain);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"Xids lead where their source says", xids_lead_where_their_source_says},
        {"what no table has gets the careful default", what_no_table_has_gets_the_careful_default},
        {"each Xid stands once, in order, and says why",
         each_xid_stands_once_in_order_and_says_why},
        {"what asks for a reboot is not reset", what_asks_for_a_reboot_is_not_reset},
        {"conditions last and events fade", conditions_last_and_events_fade},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("classes", tests);
}
