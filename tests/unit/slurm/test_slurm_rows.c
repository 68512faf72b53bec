/* test_slurm_rows.c - node rows as events, and which of them are news. */
#include "reconciler/io/slurm/slurm_rows.h"

#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"

static int64_t told_time; /* of the last decode() */

static enum rc_err
decode(const char *text, struct rc_event *ret, struct rc_error *e)
{
    char buf[1024];
    struct rc_line line;
    size_t len = strlen(text);

    CU_ASSERT_FATAL(len < sizeof buf - 1);
    memcpy(buf, text, len + 1);
    CU_ASSERT_EQUAL_FATAL(rc_line_parse(buf, len, &line, NULL), RC_OK);
    return rc_slurm_node_decode(&line, 64030, ret, &told_time, e);
}

static void
a_row_becomes_an_event(void)
{
    struct rc_event ev;

    CU_ASSERT_EQUAL_FATAL(
        decode("1 node name=gpu-1 addr=10.0.0.7 hostname=h partition=p4d flags=drain,allocated "
               "alloc_cpus=96 cpus=96 real_memory=1 boot=1700000000 slurmd_start=1700000060 "
               "reason=rc:12%20retirement reason_uid=0 reason_time=1 instance=i-0a extra=",
               &ev, NULL),
        RC_OK);
    CU_ASSERT_EQUAL(ev.kind, RC_EV_SLURM_NODE);
    CU_ASSERT_STRING_EQUAL(ev.node, "gpu-1");
    CU_ASSERT_STRING_EQUAL(ev.instance, "i-0a");
    CU_ASSERT_EQUAL(ev.u.slurm.flags, RC_SN_DRAIN | RC_SN_ALLOCATED);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(ev.u.slurm.reason_incident, 12);
    CU_ASSERT_EQUAL(ev.u.slurm.jobs, 1);
    CU_ASSERT_EQUAL(ev.u.slurm.cpus, 96);
    CU_ASSERT_EQUAL(ev.u.slurm.boot_wall_ms, 1700000000000);
    CU_ASSERT_EQUAL(ev.u.slurm.slurmd_start_wall_ms, 1700000060000);
    CU_ASSERT_STRING_EQUAL(ev.u.slurm.addr, "10.0.0.7");
    CU_ASSERT_STRING_EQUAL(ev.u.slurm.partition, "p4d");
    CU_ASSERT_STRING_EQUAL(ev.u.slurm.reason, "rc:12 retirement");
    CU_ASSERT_EQUAL(ev.at_ms, 0);
}

static void
missing_fields_are_not_told(void)
{
    struct rc_event ev;

    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 slurmd_start=0", &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(ev.u.slurm.slurmd_start_wall_ms, 0);
    CU_ASSERT_EQUAL(ev.u.slurm.flags, 0);
    CU_ASSERT_EQUAL(ev.u.slurm.jobs, 0);
    /* Without its user nobody can say that slurmctld wrote it. */
    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 flags=down reason=Not%20responding", &ev, NULL),
                          RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_FOREIGN);
    CU_ASSERT_EQUAL_FATAL(
        decode("1 node name=n1 addr=gpu-0001.a-cluster.with-a-long.domain.example.internal", &ev,
               NULL),
        RC_OK);
    CU_ASSERT_STRING_EQUAL(ev.u.slurm.addr, "");
}

static void
jobs_that_exclude_a_node_are_read_as_far_as_they_can_be(void)
{
    struct rc_event ev;

    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 excluders=79,77", &ev, NULL), RC_OK);
    CU_ASSERT(ev.u.slurm.excluder[0] == 79 && ev.u.slurm.excluder[1] == 77);
    CU_ASSERT_EQUAL(ev.u.slurm.excluder[2], 0);
    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 excluders=9,8,7,6,5", &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.excluder[RC_NODE_EXCLUDERS_MAX - 1], 6);
    static const char *const broken[] = {"x", "0", "-1", "7;", "99999999999"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char row[96];
        snprintf(row, sizeof row, "1 node name=n1 excluders=%s,5", broken[i]);
        CU_ASSERT_EQUAL_FATAL(decode(row, &ev, NULL), RC_OK);
        CU_ASSERT_EQUAL(ev.u.slurm.excluder[0], 0);
    }
}

static void
jobs_are_read_as_far_as_they_can_be(void)
{
    struct rc_event ev;

    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 flags=allocated jobs=3 job=77:64,78:1", &ev, NULL),
                          RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.jobs, 3);
    CU_ASSERT_EQUAL(ev.u.slurm.job[0].id, 77);
    CU_ASSERT_EQUAL(ev.u.slurm.job[0].nodes, 64);
    CU_ASSERT_EQUAL(ev.u.slurm.job[1].id, 78);
    CU_ASSERT_EQUAL(ev.u.slurm.job[2].id, 0);
    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 flags=allocated jobs=0 job=", &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.jobs, 1); /* the flags were read after the jobs */
    static const char *const broken[] = {"x",    "77",    "77:",           "0:1",
                                         "77:0", "77:1x", "99999999999:1", "77:99999999999"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char row[96];
        snprintf(row, sizeof row, "1 node name=n1 flags=allocated jobs=2 job=%s,5:6", broken[i]);
        CU_ASSERT_EQUAL_FATAL(decode(row, &ev, NULL), RC_OK);
        CU_ASSERT_EQUAL(ev.u.slurm.job[0].id, 0);
        CU_ASSERT_EQUAL(ev.u.slurm.job[1].id, 0);
    }
    CU_ASSERT_EQUAL_FATAL(
        decode("1 node name=n1 jobs=9 job=1:9,2:8,3:7,4:6,5:5,6:4,7:3,8:2,9:1", &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.job[RC_NODE_JOBS_MAX - 1].id, 8);
}

static void
a_reason_on_a_node_in_service_is_a_leftover(void)
{
    struct rc_event ev;

    CU_ASSERT_EQUAL_FATAL(decode("1 node name=n1 flags=allocated reason=op:%20keep reason_uid=0 "
                                 "reason_time=1700000000",
                                 &ev, NULL),
                          RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(told_time, 1700000000);
    CU_ASSERT_EQUAL_FATAL(
        decode("1 node name=n1 flags= reason=rc:7%20x reason_uid=0 reason_time=5", &ev, NULL),
        RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_NONE);
    CU_ASSERT_EQUAL(ev.u.slurm.reason_incident, 0);
    CU_ASSERT_EQUAL(told_time, 0);
    CU_ASSERT_EQUAL_FATAL(
        decode("1 node name=n1 flags=drain reason=op reason_uid=0 reason_time=5", &ev, NULL),
        RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_FOREIGN);
    CU_ASSERT_EQUAL(told_time, 5);
}

static void
bad_rows_are_refused(void)
{
    static const char *const rows[] = {
        "1 node",
        "1 node name=",
        "1 node name=a234567890123456789012345678901234567890123456789012345678901234567",
        "1 node name=n1 flags=broken",
        "1 node name=n1 boot=yesterday",
        "1 node name=n1 slurmd_start=99999999999999999999",
    };
    struct rc_event ev;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rc_error e = {0};

        if (decode(rows[i], &ev, &e) != RC_E_PARSE || e.text[0] == '\0') {
            printf("# accepted: %s\n", rows[i]);
            CU_FAIL("a bad row was accepted");
        }
    }
}

static void
a_long_reason_is_cut_and_keeps_its_owner(void)
{
    char row[512] = "1 node name=n1 flags=down reason_uid=0 reason=rc:7%20";
    struct rc_event ev;

    memset(row + strlen(row), 'x', 300);
    CU_ASSERT_EQUAL_FATAL(decode(row, &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.slurm.owner, RC_OWNER_OURS);
    CU_ASSERT_EQUAL(strlen(ev.u.slurm.reason), RC_TEXT_LEN - 1);
}

static bool
news_of(struct rc_slurm_diff *d, const char *name, uint32_t flags, enum rc_owner owner,
        int64_t foreign_time)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    (void)rc_text_set(ev.node, sizeof ev.node, name);
    ev.u.slurm.flags = flags;
    ev.u.slurm.owner = owner;
    return rc_slurm_diff_news(d, &ev, foreign_time);
}

static bool
news(struct rc_slurm_diff *d, const char *name, uint32_t flags)
{
    return news_of(d, name, flags, RC_OWNER_NONE, 0);
}

struct gone {
    int count;
    char name[RC_NODE_LEN];
};

static void
on_gone(void *arg, const char *node)
{
    struct gone *g = arg;

    g->count++;
    (void)snprintf(g->name, sizeof g->name, "%s", node);
}

static void
only_changes_are_news(void)
{
    struct rc_slurm_diff *d = rc_slurm_diff_new();
    struct gone g = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    rc_slurm_diff_begin(d);
    CU_ASSERT_TRUE(news(d, "n1", 0));
    CU_ASSERT_TRUE(news(d, "n2", 0));
    rc_slurm_diff_finish(d, on_gone, &g);
    rc_slurm_diff_begin(d);
    CU_ASSERT_FALSE(news(d, "n1", 0));
    CU_ASSERT_TRUE(news(d, "n2", RC_SN_DRAIN));
    rc_slurm_diff_finish(d, on_gone, &g);
    CU_ASSERT_EQUAL(g.count, 0);
    rc_slurm_diff_reset(d);
    rc_slurm_diff_begin(d);
    CU_ASSERT_TRUE(news(d, "n1", 0));
    CU_ASSERT_FALSE(news(d, "n1", 0));
    rc_slurm_diff_finish(d, on_gone, &g);
    CU_ASSERT_EQUAL(g.count, 1);
    CU_ASSERT_STRING_EQUAL(g.name, "n2");
    rc_slurm_diff_free(d);
    rc_slurm_diff_free(NULL);
}

static void
a_leftover_stays_one_until_it_is_set_again(void)
{
    struct rc_slurm_diff *d = rc_slurm_diff_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n1"), 0);
    (void)news_of(d, "n1", RC_SN_DRAIN, RC_OWNER_FOREIGN, 77);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n1"), 0);
    (void)news_of(d, "n1", 0, RC_OWNER_NONE, 77);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n1"), 77);
    (void)news_of(d, "n1", RC_SN_DRAIN, RC_OWNER_FOREIGN, 77);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n1"), 77);
    (void)news_of(d, "n1", RC_SN_DRAIN, RC_OWNER_FOREIGN, 78);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n1"), 0);
    CU_ASSERT_EQUAL(rc_slurm_diff_stale(d, "n2"), 0);
    rc_slurm_diff_free(d);
}

static void
nodes_that_are_shown_no_more_are_told(void)
{
    struct rc_slurm_diff *d = rc_slurm_diff_new();
    struct gone g = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    rc_slurm_diff_begin(d);
    for (int i = 0; i < 1000; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        CU_ASSERT_TRUE(news(d, name, 0));
    }
    rc_slurm_diff_finish(d, on_gone, &g);
    CU_ASSERT_EQUAL(g.count, 0);
    rc_slurm_diff_begin(d);
    for (int i = 0; i < 1000; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        CU_ASSERT(i == 500 || !news(d, name, 0));
    }
    rc_slurm_diff_finish(d, on_gone, &g);
    CU_ASSERT_EQUAL(g.count, 1);
    CU_ASSERT_STRING_EQUAL(g.name, "n500");
    CU_ASSERT_EQUAL(rc_slurm_diff_count(d), 999);
    CU_ASSERT_FALSE(news(d, "n999", 0));
    CU_ASSERT_TRUE(news(d, "n500", 0));
    rc_slurm_diff_free(d);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a row becomes an event", a_row_becomes_an_event},
        {"missing fields are not told", missing_fields_are_not_told},
        {"jobs that exclude a node are read as far as they can be",
         jobs_that_exclude_a_node_are_read_as_far_as_they_can_be},
        {"jobs are read as far as they can be", jobs_are_read_as_far_as_they_can_be},
        {"a reason on a node in service is a leftover",
         a_reason_on_a_node_in_service_is_a_leftover},
        {"bad rows are refused", bad_rows_are_refused},
        {"a long reason is cut and keeps its owner", a_long_reason_is_cut_and_keeps_its_owner},
        {"only changes are news", only_changes_are_news},
        {"a leftover stays one until it is set again", a_leftover_stays_one_until_it_is_set_again},
        {"nodes that are shown no more are told", nodes_that_are_shown_no_more_are_told},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("slurm_rows", tests);
}
