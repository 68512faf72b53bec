/* What the agent remembers, and the words that it hands to Slurm. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/watch/watch_state.h"

static const char boot[] = "1a2b3c4d-0000-1111-2222-333344445555";

static struct rc_watch_state
fresh_state(void)
{
    struct rc_watch_state s;

    rc_watch_load(&s, "/nonexistent/state", boot);
    CU_ASSERT(s.extra_wanted); /* what Extra may say is of an earlier boot */
    s.extra_wanted = false;
    return s;
}

static bool
note(struct rc_watch_state *s, const char *class_name, const char *device,
     enum rc_verdict_of verdict, int64_t at_s)
{
    return rc_watch_note(
        s, &(struct rc_watch_news){
               .class_name = class_name, .device = device, .verdict = verdict, .at_s = at_s});
}

static void
test_storm(void)
{
    struct rc_watch_state s = fresh_state();
    char text[RC_WATCH_EXTRA_LEN];

    CU_ASSERT(note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1000));
    for (int i = 0; i < 99999; i++) {
        CU_ASSERT_FALSE(note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1001));
    }
    CU_ASSERT_EQUAL(s.fault_count, 1);
    CU_ASSERT(rc_watch_drain_wanted(&s));
    rc_watch_reason(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 xid:79 0000:10:1c boot=1a2b3c4d");
    rc_watch_drained(&s, 1002);
    CU_ASSERT_FALSE(rc_watch_drain_wanted(&s));
    CU_ASSERT(s.extra_wanted);
    rc_watch_extra(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 boot=1a2b3c4d xid:79@0000:10:1c*100000:1001!");
    CU_ASSERT_FALSE(note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1030));
    CU_ASSERT(note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1062));
}

static void
test_suspect_job(void)
{
    struct rc_watch_state s = fresh_state();
    char text[RC_WATCH_EXTRA_LEN];

    CU_ASSERT(note(&s, "xid:31", "0000:10:1c", RC_VERDICT_TELL, 1000));
    CU_ASSERT(note(&s, "xid:31", "0000:10:1c", RC_VERDICT_TELL, 1003));
    CU_ASSERT(note(&s, "hung-task", "", RC_VERDICT_TELL, 1009));
    CU_ASSERT_FALSE(note(&s, "cont:aer", "", RC_VERDICT_NOTHING, 1009));
    CU_ASSERT_FALSE(rc_watch_drain_wanted(&s));
    CU_ASSERT(s.extra_wanted);
    rc_watch_extra(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 boot=1a2b3c4d hung-task*1:1009 xid:31@0000:10:1c*2:1003");
}

static void
test_several_faults(void)
{
    struct rc_watch_state s = fresh_state();
    char text[RC_WATCH_EXTRA_LEN];

    (void)note(&s, "aer:fatal", "0000:10:00.0", RC_VERDICT_DRAIN, 1000);
    (void)note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1000);
    rc_watch_reason(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 aer:fatal 0000:10:00.0 boot=1a2b3c4d +1");
    rc_watch_drained(&s, 1001);
    CU_ASSERT(s.extra_wanted);
}

static void
test_foreign_reason(void)
{
    struct rc_watch_state s = fresh_state();

    (void)note(&s, "xid:79", "", RC_VERDICT_DRAIN, 1000);
    rc_watch_drained(&s, 1001);
    CU_ASSERT(s.extra_wanted);
    CU_ASSERT_FALSE(rc_watch_drain_wanted(&s));
}

static void
test_jobs(void)
{
    struct rc_watch_state s = fresh_state();
    struct rc_watch_news news = {"xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1000, 4711, false, 0};
    char text[RC_WATCH_EXTRA_LEN];

    CU_ASSERT(rc_watch_note(&s, &news));
    news.class_name = "xid:31";
    news.verdict = RC_VERDICT_TELL;
    CU_ASSERT(rc_watch_note(&s, &news));
    news.job = 0; /* nobody knows: the last known one stays */
    CU_ASSERT(rc_watch_note(&s, &news));
    rc_watch_reason(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 xid:79 0000:10:1c boot=1a2b3c4d job=4711");
    rc_watch_extra(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 boot=1a2b3c4d xid:79@0000:10:1c*1:1000/4711! "
                                 "xid:31@0000:10:1c*2:1000/4711");
}

static void
test_over(void)
{
    struct rc_watch_state s = fresh_state();
    struct rc_watch_news news = {"fs:stuck", "/home", RC_VERDICT_TELL, 1000, 0, true, 0};
    char text[RC_WATCH_EXTRA_LEN];

    CU_ASSERT(rc_watch_note(&s, &news));
    CU_ASSERT(note(&s, "xid:31", "", RC_VERDICT_TELL, 999));
    s.extra_wanted = false;
    rc_watch_over(&s, "xid:31", ""); /* what the kernel said is not over */
    CU_ASSERT_FALSE(s.extra_wanted);
    rc_watch_over(&s, "fs:stuck", "/home");
    CU_ASSERT(s.extra_wanted);
    rc_watch_extra(&s, text);
    CU_ASSERT_STRING_EQUAL(text, "rc:0 boot=1a2b3c4d xid:31*1:999");
    news.class_name = "efa:missing";
    news.verdict = RC_VERDICT_DRAIN;
    CU_ASSERT(rc_watch_note(&s, &news));
    rc_watch_over(&s, "efa:missing", "/home");
    CU_ASSERT(rc_watch_drain_wanted(&s));
}

static void
test_unproved(void)
{
    char path[] = "/tmp/watch-state-XXXXXX";
    int fd = mkstemp(path);
    struct rc_watch_state s = fresh_state(), back;
    struct rc_watch_news gone = {"fs:stuck", "/home", RC_VERDICT_TELL, 1000, 0, true, 0};
    struct rc_watch_news stays = {"thermal:gpu", "", RC_VERDICT_TELL, 1000, 0, true, 0};
    struct rc_error e;

    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    CU_ASSERT(rc_watch_note(&s, &gone) && rc_watch_note(&s, &stays));
    CU_ASSERT(note(&s, "xid:31", "", RC_VERDICT_TELL, 999));
    CU_ASSERT_EQUAL(rc_watch_save(&s, path, &e), RC_OK);
    rc_watch_load(&back, path, boot);
    CU_ASSERT_EQUAL(back.fault_count, 3);
    CU_ASSERT_FALSE(rc_watch_note(&back, &stays));
    rc_watch_drop_unproved(&back);
    CU_ASSERT_EQUAL_FATAL(back.fault_count, 2);
    CU_ASSERT_STRING_EQUAL(back.fault[0].class_name, "thermal:gpu");
    CU_ASSERT_STRING_EQUAL(back.fault[1].class_name, "xid:31");
    (void)unlink(path);
}

/* A person took the node back although its link is narrow, and the agent is upgraded. */
static void
test_restart_is_no_news(void)
{
    enum { DAY_S = 24 * 3600 };
    char path[] = "/tmp/watch-state-XXXXXX";
    int fd = mkstemp(path);
    struct rc_watch_state s = fresh_state(), back;
    struct rc_watch_news news = {"pcie:width", "0000:a0:1c.0", RC_VERDICT_DRAIN, 1000, 0, true, 0};
    struct rc_error e;

    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    CU_ASSERT(rc_watch_note(&s, &news));
    rc_watch_drained(&s, 1001);
    CU_ASSERT_EQUAL(rc_watch_save(&s, path, &e), RC_OK);
    rc_watch_load(&back, path, boot);
    back.extra_wanted = false;
    news.at_s += DAY_S;
    CU_ASSERT_FALSE(rc_watch_note(&back, &news));
    CU_ASSERT_FALSE(rc_watch_drain_wanted(&back));
    CU_ASSERT_FALSE(back.extra_wanted);
    CU_ASSERT_EQUAL(back.fault[0].count, 1);
    CU_ASSERT_EQUAL(back.fault[0].last_s, 1000);
    news.at_s += DAY_S; /* it was over, and is back */
    CU_ASSERT(rc_watch_note(&back, &news));
    CU_ASSERT(rc_watch_drain_wanted(&back));
    (void)unlink(path);
}

static struct rc_watch_state
over_a_restart(const struct rc_watch_state *s)
{
    char path[] = "/tmp/watch-state-XXXXXX";
    int fd = mkstemp(path);
    struct rc_watch_state back;
    struct rc_error e;

    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    CU_ASSERT_EQUAL(rc_watch_save(s, path, &e), RC_OK);
    rc_watch_load(&back, path, boot);
    (void)unlink(path);
    return back;
}

static void
test_counter(void)
{
    enum { DAY_S = 24 * 3600 };
    struct rc_watch_state s = fresh_state();
    struct rc_watch_news news = {"aer:fatal", "0000:a0:1c.0", RC_VERDICT_DRAIN, 1000, 0, true, 2};

    CU_ASSERT(rc_watch_note(&s, &news));
    rc_watch_drained(&s, 1001);
    for (int restart = 0; restart < 3; restart++) {
        news.at_s += DAY_S;
        CU_ASSERT_FALSE(rc_watch_note(&s, &news));
        CU_ASSERT_FALSE(rc_watch_drain_wanted(&s));
        s = over_a_restart(&s);
    }
    CU_ASSERT(rc_watch_is_known(&s, "aer:fatal", "0000:a0:1c.0", 2));
    CU_ASSERT_FALSE(rc_watch_is_known(&s, "aer:fatal", "0000:a0:1c.0", 3));
    CU_ASSERT_FALSE(rc_watch_is_known(&s, "aer:fatal", "0000:10:1c.0", 2));
    news.counted = 3; /* also while the agent was away */
    CU_ASSERT(rc_watch_note(&s, &news));
    CU_ASSERT(rc_watch_drain_wanted(&s));
    CU_ASSERT_FALSE(rc_watch_is_known(&s, "aer:fatal", "0000:a0:1c.0", 3));
    rc_watch_drained(&s, news.at_s);
    news.counted = 4; /* a moment later */
    CU_ASSERT(rc_watch_note(&s, &news));
    CU_ASSERT(rc_watch_drain_wanted(&s));
    rc_watch_drained(&s, news.at_s);
    news.counted = 1; /* the device began anew, and had one more */
    CU_ASSERT(rc_watch_note(&s, &news));
}

/* The kernel's line comes first; the counter that moved with it is looked at later. */
static void
test_line_and_counter(void)
{
    struct rc_watch_state s = fresh_state();
    struct rc_watch_news count = {"aer:fatal", "0000:a0:1c.0", RC_VERDICT_DRAIN, 1200, 0, true, 1};

    CU_ASSERT(note(&s, "aer:fatal", "0000:a0:1c.0", RC_VERDICT_DRAIN, 1000));
    rc_watch_drained(&s, 1001);
    CU_ASSERT_FALSE(rc_watch_note(&s, &count));
    CU_ASSERT_FALSE(rc_watch_drain_wanted(&s));
    CU_ASSERT_EQUAL(s.fault[0].count, 1);
    count.counted = 2;
    CU_ASSERT(rc_watch_note(&s, &count));
}

/* A state of a release that wrote no counters. */
static void
test_counter_of_an_earlier_release(void)
{
    char path[] = "/tmp/watch-state-XXXXXX";
    int fd = mkstemp(path);
    struct rc_watch_news news = {"aer:fatal", "0000:a0:1c.0", RC_VERDICT_DRAIN, 9000, 0, true, 5};
    struct rc_watch_state s;

    CU_ASSERT_FATAL(fd >= 0);
    FILE *f = fdopen(fd, "w");
    (void)fprintf(f,
                  "nodewatch 2 boot %s\nseq 7 extra 0\n"
                  "fault 1 0 1 1 1000 1001 0 aer:fatal 0000:a0:1c.0\n",
                  boot);
    (void)fclose(f);
    rc_watch_load(&s, path, boot);
    CU_ASSERT_EQUAL_FATAL(s.fault_count, 1);
    CU_ASSERT_FALSE(rc_watch_note(&s, &news));
    news.counted = 6;
    CU_ASSERT(rc_watch_note(&s, &news));
    (void)unlink(path);
}

static void
test_seen(void)
{
    struct rc_watch_state s = fresh_state();

    s.seen = (struct rc_seen){8, 4};
    s = over_a_restart(&s);
    CU_ASSERT_EQUAL(s.seen.gpus, 8);
    CU_ASSERT_EQUAL(s.seen.efas, 4);
}

static void
test_heard(void)
{
    struct rc_watch_state s = fresh_state();

    (void)note(&s, "xid:154:gpu-reset", "0000:10:1c", RC_VERDICT_DRAIN, 1000);
    CU_ASSERT(rc_watch_heard(&s, "xid:154", "0000:10:1c.0", 1000));
    CU_ASSERT(rc_watch_heard(&s, "xid:154", "00000000:10:1C.0", 990));
    CU_ASSERT_FALSE(rc_watch_heard(&s, "xid:154", "0000:10:1d", 990));
    CU_ASSERT_FALSE(rc_watch_heard(&s, "xid:15", "0000:10:1c", 990));
    CU_ASSERT_FALSE(rc_watch_heard(&s, "xid:154", "0000:10:1c", 1001));
}

static void
test_full_table(void)
{
    struct rc_watch_state s = fresh_state();
    char device[16], text[RC_WATCH_EXTRA_LEN];

    (void)note(&s, "xid:79", "first", RC_VERDICT_DRAIN, 1);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(device, sizeof device, "d%d", i);
        (void)note(&s, "io-error", device, RC_VERDICT_TELL, 1000 + i);
    }
    CU_ASSERT_EQUAL(s.fault_count, RC_WATCH_FAULTS_MAX);
    CU_ASSERT(s.dropped > 0);
    CU_ASSERT(rc_watch_drain_wanted(&s));
    rc_watch_extra(&s, text);
    CU_ASSERT(strstr(text, "xid:79@first*1:1!") != NULL);
    rc_watch_drained(&s, 2000);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(device, sizeof device, "d%d", i);
        (void)note(&s, "nvme:timeout", device, RC_VERDICT_TELL, 3000 + i);
    }
    rc_watch_extra(&s, text);
    CU_ASSERT(strstr(text, "xid:79@first*1:1!") != NULL); /* nor what it was drained for */
    CU_ASSERT(strstr(text, "nvme:timeout@d999*1:3999") != NULL);
    CU_ASSERT(strlen(text) < sizeof text);
}

static void
test_file(void)
{
    char path[] = "/tmp/watch-state-XXXXXX";
    int fd = mkstemp(path);
    struct rc_watch_state s = fresh_state(), back;
    struct rc_error e;

    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    s.seq = 4711;
    (void)note(&s, "xid:79", "0000:10:1c", RC_VERDICT_DRAIN, 1000);
    (void)note(&s, "hung-task", "", RC_VERDICT_TELL, 1001);
    CU_ASSERT_EQUAL(rc_watch_save(&s, path, &e), RC_OK);
    rc_watch_load(&back, path, boot);
    CU_ASSERT_EQUAL(back.seq, 4711);
    CU_ASSERT(back.extra_wanted);
    CU_ASSERT_EQUAL_FATAL(back.fault_count, 2);
    CU_ASSERT(back.fault[0].wanted && back.fault[0].drain && back.fault[0].count == 1);
    CU_ASSERT_STRING_EQUAL(back.fault[0].device, "0000:10:1c");
    CU_ASSERT(!back.fault[1].wanted && back.fault[1].last_s == 1001);
    CU_ASSERT_STRING_EQUAL(back.fault[1].class_name, "hung-task");
    CU_ASSERT_STRING_EQUAL(back.fault[1].device, "");
    rc_watch_load(&back, path, "another-boot");
    CU_ASSERT_EQUAL(back.fault_count, 0);
    CU_ASSERT_EQUAL(back.seq, 0);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fprintf(f, "nodewatch 2 boot %s\nfault x\nseq\n\n\x01\xff\nfault 1 1 1 1 1 1 1 a", boot);
    (void)fclose(f);
    rc_watch_load(&back, path, boot);
    CU_ASSERT_EQUAL(back.fault_count, 0);
    CU_ASSERT_EQUAL(rc_watch_save(&s, "/nonexistent/dir/state", &e), RC_E_IO);
    (void)unlink(path);
}

static void
test_verdicts(void)
{
    static const struct {
        const char *name;
        enum rc_verdict_of verdict;
    } rows[] = {
        {"xid:79", RC_VERDICT_DRAIN},
        {"xid:13", RC_VERDICT_TELL},
        {"xid:45:caused-by-94", RC_VERDICT_TELL},
        {"xid:154:none", RC_VERDICT_NOTHING},
        {"xid:154:node-reboot", RC_VERDICT_DRAIN},
        {"xid:999", RC_VERDICT_TELL},
        {"sxid:20034:fatal", RC_VERDICT_DRAIN},
        {"sxid:22013:nonfatal", RC_VERDICT_NOTHING},
        {"sxid:26006:unspecified", RC_VERDICT_DRAIN},
        {"gpu-lost", RC_VERDICT_DRAIN},
        {"aer:corrected", RC_VERDICT_NOTHING},
        {"aer:fatal", RC_VERDICT_DRAIN},
        {"cont:aer", RC_VERDICT_NOTHING},
        {"note:xid-preamble", RC_VERDICT_NOTHING},
        {"edac:ce", RC_VERDICT_NOTHING},
        {"fs:nfs-timeout", RC_VERDICT_TELL},
        {"fs:stuck", RC_VERDICT_TELL},
        {"fs:stuck-local", RC_VERDICT_DRAIN},
        {"oom:memcg", RC_VERDICT_NOTHING},
        {"none", RC_VERDICT_NOTHING},
        {"efa:cmd-fail", RC_VERDICT_TELL},
        {"efa:admin-timeout", RC_VERDICT_DRAIN},
        {"peermem", RC_VERDICT_NOTHING},
        {"gpu:remap-pending", RC_VERDICT_DRAIN},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rc_case(rc_watch_verdict(rows[i].name) == rows[i].verdict, rows[i].name, "verdict %d",
                rc_watch_verdict(rows[i].name));
    }
}

static void
test_demands(void)
{
    struct rc_watch_state s = fresh_state();
    char text[RC_WATCH_EXTRA_LEN];

    CU_ASSERT(note(&s, "xid:48", "0000:10:1c", RC_VERDICT_DRAIN, 1000));
    CU_ASSERT(note(&s, "xid:154:drain-and-reset", "0000:10:1c", RC_VERDICT_DRAIN, 1001));
    CU_ASSERT(note(&s, "xid:154:node-reboot", "0000:10:1d", RC_VERDICT_DRAIN, 1001));
    rc_watch_drained(&s, 1002);
    CU_ASSERT(note(&s, "xid:154:gpu-reset", "0000:10:1c", RC_VERDICT_DRAIN, 1003));
    rc_watch_drained(&s, 1004);
    rc_watch_extra(&s, text);
    CU_ASSERT(strstr(text, "xid:48@") && strstr(text, "xid:154:gpu-reset@0000:10:1c"));
    CU_ASSERT(strstr(text, "xid:154:node-reboot@0000:10:1d") != NULL); /* another GPU */
    CU_ASSERT(strstr(text, "drain-and-reset") == NULL);
    CU_ASSERT_FALSE(note(&s, "xid:154:none", "0000:10:1c", RC_VERDICT_NOTHING, 1005));
    rc_watch_extra(&s, text);
    CU_ASSERT(strstr(text, "xid:48@") && strstr(text, "gpu-reset") == NULL);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"a storm is one fault and one drain, and is new again after a while", test_storm},
        {"what makes the job suspect goes into Extra", test_suspect_job},
        {"one drain covers several faults, and Extra tells them all", test_several_faults},
        {"a fault under a foreign reason is told in Extra", test_foreign_reason},
        {"the job that was on the node stands with its fault", test_jobs},
        {"what a probe finds over is taken out of Extra", test_over},
        {"what stood before a restart and is not found again is over", test_unproved},
        {"what stood before a restart and still stands is no news", test_restart_is_no_news},
        {"a counter is told once, and again when it has moved", test_counter},
        {"a counter that the kernel's line has told of is no news", test_line_and_counter},
        {"a counter that an earlier release told of is no news",
         test_counter_of_an_earlier_release},
        {"the most that was seen is kept over a restart", test_seen},
        {"a fault that was heard already is known in all forms of its address", test_heard},
        {"a full table keeps what still wants a drain", test_full_table},
        {"the file brings back this boot's faults and no other's", test_file},
        {"who is guilty", test_verdicts},
        {"of the driver's demands for a GPU the last stands", test_demands},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("watch-state", tests);
}
