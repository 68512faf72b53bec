/* `reconcilectl decode`: one line a file, and exit statuses. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers/decode/decode_main.h"

#define DIR_OF "tests/vectors/events/"

enum { OUTPUT_LEN = 65536, ARGS_MAX = 8 };
static char output[OUTPUT_LEN];

/* Runs the command in a child with stdin from a file; returns its exit status. */
static int
run(const char *input, int argc, const char *const *argv)
{
    FILE *out = tmpfile();
    int status = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fflush(NULL);
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        if (!freopen(input, "rb", stdin) || !freopen("/dev/null", "w", stderr) ||
            dup2(fileno(out), STDOUT_FILENO) < 0) {
            _exit(99);
        }
        char *copies[ARGS_MAX] = {NULL};
        for (int i = 0; i < argc; i++) {
            copies[i] = strdup(argv[i]);
        }
        status = rc_decode_command(argc, copies);
        fflush(stdout);
        _exit(status);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    rewind(out);
    output[fread(output, 1, OUTPUT_LEN - 1, out)] = '\0';
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
a_line_has_the_name_as_given_kind_ids_and_detail(void)
{
    const char *argv[] = {"decode", DIR_OF "health-three-instances.json", DIR_OF "bad-empty.json",
                          DIR_OF "ignored-custom-bus.json"};

    CU_ASSERT_EQUAL(run("/dev/null", 4, argv), 0);
    CU_ASSERT_STRING_EQUAL(
        output, DIR_OF
        "health-three-instances.json\taws-health\ti-0a1b2c3d4e5f60718,i-0b1b2c3d4e5f60719,"
        "i-0c1b2c3d4e5f6071a\tAWS_EC2_INSTANCE_RETIREMENT_SCHEDULED upcoming "
        "start=2026-04-04T02:00:00Z\n" DIR_OF "bad-empty.json\tquarantined\t-\tbody: empty\n" DIR_OF
        "ignored-custom-bus.json\tignored\t-\torder placed from shop\n");
}

static void
an_instance_with_two_events_is_printed_once(void)
{
    const char *argv[] = {"decode", DIR_OF "ebs-two-volumes.json"};

    CU_ASSERT_EQUAL(run("/dev/null", 2, argv), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "\tebs-volume\ti-0a1b2c3d4e5f60718\t"));
}

static void
a_dash_reads_standard_input(void)
{
    const char *argv[] = {"decode", "-"};

    CU_ASSERT_EQUAL(run(DIR_OF "spot-stop.json", 2, argv), 0);
    CU_ASSERT_STRING_EQUAL(output, "-\tspot-interruption\ti-0b1b2c3d4e5f60719\taction=\"stop\" "
                                   "deadline=2026-03-14T09:28:53Z\n");
}

static void
json_is_one_object_a_line(void)
{
    const char *argv[] = {"decode", "--json", DIR_OF "ec2-state-two-in-resources.json"};

    CU_ASSERT_EQUAL(run("/dev/null", 3, argv), 0);
    CU_ASSERT_PTR_EQUAL(strchr(output, '\n'), output + strlen(output) - 1);
    cJSON *o = cJSON_Parse(output);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_STRING_EQUAL(cJSON_GetObjectItem(o, "kind")->valuestring, "ec2-state-change");
    CU_ASSERT_STRING_EQUAL(cJSON_GetObjectItem(o, "detail")->valuestring, "state=terminated");
    CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(o, "instances")), 2);
    CU_ASSERT_STRING_EQUAL(cJSON_GetArrayItem(cJSON_GetObjectItem(o, "events"), 0)->valuestring,
                           "event ec2-state-change instance=i-0a1b2c3d4e5f60718 state=terminated "
                           "time=1773480413000");
    cJSON_Delete(o);
}

static void
a_file_that_cannot_be_read_fails_after_the_others_are_shown(void)
{
    const char *missing[] = {"decode", "no/such/file", DIR_OF "rebalance.json"};
    const char *folder[] = {"decode", "tests"};

    CU_ASSERT_EQUAL(run("/dev/null", 3, missing), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "\trebalance-recommendation\t"));
    CU_ASSERT_EQUAL(run("/dev/null", 2, folder), 1);
    CU_ASSERT_STRING_EQUAL(output, "");
}

static void
a_body_over_the_limit_is_seen_as_such(void)
{
    const char *argv[] = {"decode", "-"};

    CU_ASSERT_EQUAL(run("/dev/zero", 2, argv), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "-\tquarantined\t-\tbody: 1048577 bytes"));
}

static void
wrong_usage_is_told(void)
{
    const char *none[] = {"decode"}, *option[] = {"decode", "--yaml", "x"},
               *help[] = {"decode", "--help"};
    const char *dashes[] = {"decode", "--", DIR_OF "rebalance.json"};

    CU_ASSERT_EQUAL(run("/dev/null", 1, none), 2);
    CU_ASSERT_EQUAL(run("/dev/null", 3, option), 2);
    CU_ASSERT_EQUAL(run("/dev/null", 2, help), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "usage: "));
    CU_ASSERT_EQUAL(run("/dev/null", 3, dashes), 0);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a line has the name as given, kind, ids and detail",
         a_line_has_the_name_as_given_kind_ids_and_detail},
        {"an instance with two events is printed once",
         an_instance_with_two_events_is_printed_once},
        {"a dash reads standard input", a_dash_reads_standard_input},
        {"--json is one object a line", json_is_one_object_a_line},
        {"a file that cannot be read fails after the others are shown",
         a_file_that_cannot_be_read_fails_after_the_others_are_shown},
        {"a body over the limit is seen as such", a_body_over_the_limit_is_seen_as_such},
        {"wrong usage is told", wrong_usage_is_told},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("decode-command", tests);
}
