/* The log: the form of a line, what is held back, what is hidden, and a full disk. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reconciler/io/control/log.h"

static char dir[] = "/tmp/rc-log-XXXXXX";
static char path[64];
static int64_t now_ms;
static char *text; /* what the log file holds */

static int64_t
fake_clock(void *arg)
{
    (void)arg;
    return now_ms;
}

static struct rc_log *
open_log(enum rc_log_level level)
{
    struct rc_log *log = NULL;
    struct rc_error e;

    unlink(path);
    now_ms = INT64_C(1769847330123);
    CU_ASSERT_EQUAL_FATAL(rc_log_open(path, level, &log, &e), RC_OK);
    rc_log_set_clock(log, fake_clock, NULL);
    return log;
}

static const char *
read_log(void)
{
    free(text);
    text = rc_test_read_file(path, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    return text;
}

/* Lines of the file, each of which must be one JSON object. */
static unsigned
count_lines(void)
{
    unsigned count = 0;
    char *rest = NULL;
    char *copy = strdup(read_log());

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        cJSON *object = cJSON_Parse(line);
        CU_ASSERT_TRUE(cJSON_IsObject(object));
        cJSON_Delete(object);
        count++;
    }
    free(copy);
    return count;
}

static void
a_line_has_the_fixed_form(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);

    rc_log_event(log, RC_LOG_INFO, "executor", RC_LOG_DECISION, "ec2.launch",
                 RC_FIELDS(RC_ID("incident", 12), RC_ID("attempt", 0), RC_TEXT("node", "gpu-7"),
                           RC_TEXT("instance", ""), RC_INT("count", 0), RC_BOOL("dry_run", false)),
                 "option %d of %d", 1, 3);
    rc_log_close(log);
    CU_ASSERT_STRING_EQUAL(read_log(),
                           "{\"time\":\"2026-01-31T08:15:30.123Z\",\"level\":\"info\","
                           "\"room\":\"executor\",\"decision\":\"ec2.launch\",\"incident\":12,"
                           "\"node\":\"gpu-7\",\"count\":0,\"dry_run\":false,"
                           "\"text\":\"option 1 of 3\"}\n");
}

static void
texts_are_escaped(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);

    rc_log_event(log, RC_LOG_WARN, "a", RC_LOG_EVENT, "b", NULL, "%s",
                 "q\" b\\ n\n t\t c\x01 d\x7f é € \xff bad\xc3");
    rc_log_close(log);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(read_log(), "\"text\":\"q\\\" b\\\\ n\\n t\\t c\\u0001 d\\u007f é € \xef\xbf\xbd "
                           "bad\xef\xbf\xbd\"}\n"));
    CU_ASSERT_EQUAL(count_lines(), 1);
}

static void
levels_below_the_limit_are_not_written(void)
{
    struct rc_log *log = open_log(RC_LOG_WARN);

    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "b", NULL, "x");
    CU_ASSERT_FALSE(rc_log_wants(log, RC_LOG_INFO));
    rc_log_event(log, RC_LOG_ERROR, "a", RC_LOG_EVENT, "b", NULL, "x");
    rc_log_set_level(log, RC_LOG_DEBUG);
    rc_log_event(log, RC_LOG_DEBUG, "a", RC_LOG_EVENT, "b", NULL, "x");
    rc_log_event(NULL, RC_LOG_ERROR, "a", RC_LOG_EVENT, "b", NULL, "x");
    rc_log_close(log);
    CU_ASSERT_EQUAL(count_lines(), 2);
    CU_ASSERT_EQUAL(rc_log_level_from_name("warn"), RC_LOG_WARN);
    CU_ASSERT_EQUAL(rc_log_level_from_name("loud"), RC_LOG__MAX);
}

static void
repeated_notes_are_counted(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);
    struct rc_error failure;

    /* Only digits differ: the same note. */
    for (int i = 0; i < 100; i++, now_ms += 10) {
        rc_fail(&failure, RC_E_SLURM_DOWN, "slurmctld did not answer within %d ms", i);
        rc_log_failure(log, "poll", &failure, NULL);
    }
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST);
    /* Another text or subject is not. */
    rc_fail(&failure, RC_E_SLURM_DOWN, "slurmctld refused the connection");
    rc_log_failure(log, "poll", &failure, NULL);
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST + 1);
    rc_log_failure(log, "poll", &failure, RC_FIELDS(RC_TEXT("node", "gpu-1")));
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST + 2);
    now_ms += RC_LOG_WINDOW_MS;
    rc_log_tick(log);
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST + 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(read_log(), "\"note\":\"slurm-unreachable\",\"repeated\":95,"));
    rc_log_failure(log, "poll", &failure, NULL);
    rc_log_close(log);
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST + 4);
}

static void
repeats_are_told_when_the_log_closes(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);

    for (int i = 0; i < RC_LOG_BURST + 7; i++) {
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_NOTE, "b", NULL, "x");
    }
    rc_log_close(log);
    CU_ASSERT_PTR_NOT_NULL(strstr(read_log(), "\"repeated\":7,"));
}

static void
many_subjects_do_not_lose_the_count_of_one(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);
    char node[16];

    for (int i = 0; i < RC_LOG_BURST + 3; i++) {
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_NOTE, "b", NULL, "x");
    }
    for (int i = 0; i < 400; i++) {
        now_ms++;
        snprintf(node, sizeof node, "n%d", i);
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_NOTE, "b", RC_FIELDS(RC_TEXT("node", node)),
                     "x");
    }
    rc_log_close(log);
    CU_ASSERT_PTR_NOT_NULL(strstr(read_log(), "\"repeated\":3,"));
    CU_ASSERT_EQUAL(count_lines(), RC_LOG_BURST + 400 + 1);
}

static void
events_and_decisions_are_never_held_back(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);

    for (int i = 0; i < 50; i++) {
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "tick", NULL, "x");
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_DECISION, "slurm.drain", NULL, "x");
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_COMPLETION, "slurm.drain", NULL, "x");
    }
    rc_log_close(log);
    CU_ASSERT_EQUAL(count_lines(), 150);
}

static void
secrets_are_hidden(void)
{
    static const char *const texts[] = {
        "GET /?X-Amz-Credential=SEKRET/2026&X-Amz-Signature=SEKRET&a=1",
        "authorization: SEKRET",
        "Authorization: Bearer SEKRET",
        "Authorization: AWS4-HMAC-SHA256 Credential=SEKRET, SignedHeaders=host, Signature=SEKRET",
        "{\"SecretAccessKey\":\"SEKRET\",\"Token\" : 1}",
        "{\"SecretAccessKey\": \"SEKRET\", \"Token\": \"SEKRET\"}",
        "aws_secret_access_key=SEKRET",
    };
    struct rc_log *log = open_log(RC_LOG_INFO);

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "b",
                     RC_FIELDS(RC_TEXT("session_token", "SEKRET"), RC_TEXT("Secret", "SEKRET"),
                               RC_TEXT("url", texts[i])),
                     "%s", texts[i]);
    }
    rc_log_close(log);
    CU_ASSERT_EQUAL(count_lines(), sizeof texts / sizeof *texts);
    CU_ASSERT_PTR_NULL(strstr(read_log(), "SEKRET"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"session_token\":\"(hidden)\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "X-Amz-Signature=(hidden)&a=1"));
}

static void
a_line_that_is_too_long_is_cut_and_stays_json(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);
    char *large = malloc(20001);

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    /* Every length around the limit, with a byte that is escaped to six. */
    for (size_t len = 3900; len < 4200; len++) {
        memset(large, len % 2 ? 'x' : '\x01', len);
        large[len] = '\0';
        rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "b",
                     RC_FIELDS(RC_TEXT("one", large), RC_TEXT("two", large), RC_INT("n", 1)), "%s",
                     large);
    }
    memset(large, '"', 20000);
    large[20000] = '\0';
    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, large, NULL, "%s", large);
    rc_log_close(log);
    CU_ASSERT_EQUAL(count_lines(), 301);
    free(large);
}

static void
reopening_follows_a_renamed_file(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);
    char old[80];
    struct rc_error e;

    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "one", NULL, "x");
    snprintf(old, sizeof old, "%s.1", path);
    CU_ASSERT_EQUAL(rename(path, old), 0);
    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "two", NULL, "x");
    CU_ASSERT_EQUAL(rc_log_reopen(log, &e), RC_OK);
    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "three", NULL, "x");
    CU_ASSERT_EQUAL(count_lines(), 1);
    /* A folder in the way: the file that is open stays in use. */
    unlink(old);
    CU_ASSERT_EQUAL(rename(path, old), 0);
    CU_ASSERT_EQUAL(rmdir(path), -1);
    CU_ASSERT_EQUAL(symlink("/nowhere/at/all", path), 0);
    CU_ASSERT_EQUAL(rc_log_reopen(log, &e), RC_E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "No such file or directory"));
    rc_log_event(log, RC_LOG_INFO, "a", RC_LOG_EVENT, "four", NULL, "x");
    rc_log_close(log);
    unlink(path);
    CU_ASSERT_EQUAL(rename(old, path), 0);
    CU_ASSERT_EQUAL(count_lines(), 2);
}

static void
a_full_disk_loses_lines_but_tells_how_many(void)
{
    struct rc_log *log = open_log(RC_LOG_INFO);
    struct rlimit before;
    struct rlimit small;

    signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    /* The second line is cut in its middle, as on a disk that fills up. */
    small.rlim_cur = 150;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 4; i++) {
        rc_log_event(log, RC_LOG_INFO, "room", RC_LOG_EVENT, "name", NULL, "a text of some size");
    }
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    CU_ASSERT_EQUAL(rc_log_lost(log), 3);
    rc_log_event(log, RC_LOG_INFO, "room", RC_LOG_EVENT, "name", NULL, "the disk is back");
    rc_log_close(log);
    read_log();
    char *torn = strchr(text, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(torn);
    char *told = strchr(torn + 1, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(told);
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "\"note\":\"lines-lost\",\"lost\":3,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "the disk is back"));
    CU_ASSERT_EQUAL(told - text, 150);
}

static void
a_log_that_cannot_be_opened_says_why(void)
{
    struct rc_log *log = NULL;
    struct rc_error e;

    CU_ASSERT_EQUAL(rc_log_open("/nowhere/a.log", RC_LOG_INFO, &log, &e), RC_E_IO);
    CU_ASSERT_STRING_EQUAL(e.text,
                           "log /nowhere/a.log cannot be opened: No such file or directory");
    CU_ASSERT_PTR_NULL(log);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a line has the fixed form", a_line_has_the_fixed_form},
        {"texts are escaped", texts_are_escaped},
        {"levels below the limit are not written", levels_below_the_limit_are_not_written},
        {"repeated notes are counted", repeated_notes_are_counted},
        {"repeats are told when the log closes", repeats_are_told_when_the_log_closes},
        {"many subjects do not lose the count of one", many_subjects_do_not_lose_the_count_of_one},
        {"events and decisions are never held back", events_and_decisions_are_never_held_back},
        {"secrets are hidden", secrets_are_hidden},
        {"a line that is too long is cut and stays JSON",
         a_line_that_is_too_long_is_cut_and_stays_json},
        {"reopening follows a renamed file", reopening_follows_a_renamed_file},
        {"a full disk loses lines but tells how many", a_full_disk_loses_lines_but_tells_how_many},
        {"a log that cannot be opened says why", a_log_that_cannot_be_opened_says_why},
        CU_TEST_INFO_NULL,
    };
    if (!mkdtemp(dir)) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/log", dir);
    int status = rc_test_main("log", tests);
    unlink(path);
    rmdir(dir);
    free(text);
    return status;
}
