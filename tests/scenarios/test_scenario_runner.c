/* The runner of stories: what it accepts, refuses, and says of it. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simulator/scenario/scenario.h"
#include "simulator/scenario/scenario_story.h"

#define POLICY "policies/p4d.json"

static char dir[] = "/tmp/rc-scenario-XXXXXX";

static void
write_story(const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/story.txt", dir);
    FILE *f = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void
expect_refused(const char *text, const char *why)
{
    struct rc_error e = {.code = RC_OK};
    char *got = NULL;

    write_story(text);
    CU_ASSERT_EQUAL(rc_scenario_play(dir, POLICY, &got, &e), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));
    if (!strstr(e.text, why)) {
        printf("#   want %s\n#   got  %s\n", why, e.text);
    }
    free(got);
}

static void
a_wrong_line_is_named_with_its_number(void)
{
    expect_refused("", "story.txt:1: the last line must be +TIME end");
    expect_refused("+0s\n", "story.txt:1: expected +TIME and what happens");
    expect_refused("# a comment\n+5m end\n+6m end\n", "story.txt:3: the story has ended above");
    expect_refused("+5m world slurm down\n+4m end\n", "story.txt:2: time goes back");
    expect_refused("flavour mild\n+1s end\n", "story.txt:1: expected a comment");
    expect_refused("cluster nodes=\n+1s end\n", "expected PREFIX[FIRST-LAST]");
    expect_refused("cluster colour=red\n+1s end\n", "story.txt:1: cluster: expected");
    expect_refused("+0s dance\n+1s end\n", "story.txt:1: unknown: dance");
    expect_refused("+0s world job nobody runs 1h\n+1s end\n", "expected nodes of the cluster");
    expect_refused("+0s world ec2.launch fails loudly\n+1s end\n", "expected an error");
    expect_refused("+0s world ec2.dance fails timeout\n+1s end\n", "expected an action");
    expect_refused("+0s world instance i-nobody stopped\n+1s end\n",
                   "expected an instance of the story");
    expect_refused("+0s world instance i-new-1 stopped\n+1s end\n",
                   "i-new-1 is not launched yet: so far there are 0 launches");
    expect_refused(
        "+0s event spot-interruption instanc=i-1\n+1s end\n",
        "instanc=i-1: spot-interruption has instance=, node=, code=, deadline=, action=");
    expect_refused("+0s message aws-health instance=i-gpu-1 category=flood start=@+1h\n+1s end\n",
                   "category=flood: expected unknown|scheduled-change|issue|account-notification|");
    expect_refused("+0s event slurm-node node=gpu-1 flags=down,blue\n+1s end\n",
                   "flags=down,blue: expected down,drain,");
    expect_refused("+0s message spot-interruption deadline=soon\n+1s end\n",
                   "deadline=soon: expected a number");
    expect_refused("+0s message spot-interruption instance=i-1 instance=i-2\n+1s end\n",
                   "instance is given twice");
    expect_refused("+0s message spot-interuption instance=i-1\n+1s end\n",
                   "unknown kind spot-interuption");
    expect_refused("+0s agent gpu-1 tells fs:other\n+0s agent gpu-1 tells xid79\n+1s end\n",
                   "story.txt:2: expected a class of those in docs/scenarios.md");
    expect_refused("+0s agent gpu-1 clears fs_stuck\n+1s end\n", "expected a class of those");
    expect_refused("+0s agent gpu-1 tells xid:\n+1s end\n", "expected a class of those");
    expect_refused("+0s event start seed=1\n+1s end\n", "the runner's own");
    expect_refused("+0s message spot-interruption deadline=@2m\n+1s end\n", "expected @+TIME");
    expect_refused("+0s world node gpu-1 \"silent\n+1s end\n", "a quote is open");
    expect_refused("+0s agent gpu-1 drains row-remap\n+1s end\n", "that nodewatch drains for");
    expect_refused("controllers head1\n+1s end\n", "expected HEAD,HEAD");
    expect_refused("controllers head1,head2 leader=head3\n+1s end\n", "expected HEAD,HEAD");
    expect_refused("controllers a,b\n+0s world slurmctld c killed\n+1s end\n", "a controller of");
    expect_refused("controllers a,b\n+0s world slurmctld a sings\n+1s end\n", "a controller of");
    expect_refused("+0s world controllers cut\n+1s end\n", "a story with controllers");
    expect_refused("+0s operator failover\n+1s end\n", "a story with controllers");
}

static void
a_missing_story_or_policy_is_an_error(void)
{
    struct rc_error e = {.code = RC_OK};
    char *got = NULL;

    CU_ASSERT_EQUAL(rc_scenario_play("/nonexistent", POLICY, &got, &e), RC_E_IO);
    write_story("+1s end\n");
    CU_ASSERT_EQUAL(rc_scenario_play(dir, NULL, &got, &e), RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "names no policy"));
    CU_ASSERT_EQUAL(rc_scenario_play(dir, "/nonexistent.json", &got, &e), RC_E_PARSE);
}

static void
the_same_story_gives_the_same_bytes(void)
{
    char *one = NULL, *two = NULL;

    write_story("+0s world instance i-gpu-1 terminated\n+30m end\n");
    CU_ASSERT_EQUAL_FATAL(rc_scenario_play(dir, POLICY, &one, NULL), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_scenario_play(dir, POLICY, &two, NULL), RC_OK);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_PTR_NOT_NULL(strstr(one, "ec2.launch in subnet-a, attempt 1"));
    free(one);
    free(two);
}

/* The first controller takes control whenever it runs: a person who starts it behind the
 * leader's back, past its gate, while the active one hangs, makes two writers. */
static void
two_writers_at_once_are_said_and_counted(void)
{
    char *got = NULL;

    write_story("controllers head1,head2\n"
                "+0s world ec2.stop fails denied always\n"
                "+0s world slurmctld head1 killed\n"
                "+1m world slurmctld head2 stuck\n"
                "+1m world slurmctld head1 started\n"
                "+3m end\n");
    CU_ASSERT_EQUAL_FATAL(rc_scenario_play(dir, POLICY, &got, NULL), RC_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "! two slurmctld may write to the state directory"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "most writers at once 2"));
    free(got);
}

static void
expected_is_written_compared_and_its_difference_shown(void)
{
    char path[128], *diff = NULL;
    size_t len = 0;

    snprintf(path, sizeof path, "%s/expected.txt", dir);
    unlink(path);
    write_story("+0s world instance i-gpu-1 terminated\n+30m end\n");
    FILE *out = open_memstream(&diff, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(rc_scenario_check(dir, POLICY, false, out), RC_E_IO);
    CU_ASSERT_EQUAL(rc_scenario_check(dir, POLICY, true, out), RC_OK);
    CU_ASSERT_EQUAL(rc_scenario_check(dir, POLICY, false, out), RC_OK);
    write_story("+0s world instance i-gpu-2 terminated\n+30m end\n");
    CU_ASSERT_EQUAL(rc_scenario_check(dir, POLICY, false, out), RC_E_NOT_VERIFIED);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(diff, "-+0s            > world instance i-gpu-1 terminated"));
    CU_ASSERT_PTR_NOT_NULL(strstr(diff, "++0s            > world instance i-gpu-2 terminated"));
    free(diff);
    unlink(path);
}

static void
a_diff_shows_what_changed_with_three_lines_around_it(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_TRUE(rc_scenario_diff("a\nb\n", "a\nb\n", out));
    CU_ASSERT_FALSE(
        rc_scenario_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n", out));
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "...\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n...\n");
    free(text);
}

static void
durations_are_read_and_shown_as_people_write_them(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"90s", 90000}, {"1h30m", 5400000}, {"2d", 172800000}, {"250ms", 250}, {"0s", 0}};
    static const char *const wrong[] = {"", "5", "h", "-5s", "5x", "1h30", " 5s"};
    char shown[48];
    int64_t ms;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_TRUE(rc_scen_duration(rows[i].text, &ms));
        CU_ASSERT_EQUAL(ms, rows[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CU_ASSERT_FALSE(rc_scen_duration(wrong[i], &ms));
    }
    rc_scen_duration_show(5401250, shown, sizeof shown);
    CU_ASSERT_STRING_EQUAL(shown, "1h30m1.250s");
    rc_scen_duration_show(0, shown, sizeof shown);
    CU_ASSERT_STRING_EQUAL(shown, "0s");
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a wrong line is named with its number", a_wrong_line_is_named_with_its_number},
        {"a missing story or policy is an error", a_missing_story_or_policy_is_an_error},
        {"the same story gives the same bytes", the_same_story_gives_the_same_bytes},
        {"two writers at once are said and counted", two_writers_at_once_are_said_and_counted},
        {"expected is written, compared, and its difference shown",
         expected_is_written_compared_and_its_difference_shown},
        {"a diff shows what changed with three lines around it",
         a_diff_shows_what_changed_with_three_lines_around_it},
        {"durations are read and shown as people write them",
         durations_are_read_and_shown_as_people_write_them},
        CU_TEST_INFO_NULL,
    };
    if (!mkdtemp(dir)) {
        return 1;
    }
    int status = rc_test_main("scenario-runner", tests);
    char path[128];
    snprintf(path, sizeof path, "%s/story.txt", dir);
    unlink(path);
    rmdir(dir);
    return status;
}
