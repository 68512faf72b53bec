/* How compare and sweep end: what a checker finds in one play of many is status 1, reports that
 * cannot both be written are refused. Plays stand in for those of the cluster: one has a find. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "simulator/report/commands.h"
#include "simulator/report/study.h"

enum { SEED_WITH_A_FIND = 3 };

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's name */
enum rc_err __wrap_rc_fleet_run(const struct rc_fleet_config *c, struct rc_fleet_result *ret,
                                struct rc_error *e);

enum rc_err
__wrap_rc_fleet_run(const struct rc_fleet_config *c, struct rc_fleet_result *ret,
                    struct rc_error *e)
{
    (void)e;
    memset(ret, 0, sizeof *ret);
    if (c->seed == SEED_WITH_A_FIND) {
        ret->check_faults = 1;
        snprintf(ret->text, sizeof ret->text, "n1 serves twice");
    }
    return RC_OK;
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* Its exit status; *ret_told: what it said on stderr. */
static int
status_of(int (*command)(int, char **), char *words, char **ret_told)
{
    char *argv[16], *rest = NULL;
    int argc = 0;
    size_t len = 0;
    FILE *told = open_memstream(ret_told, &len), *before = stderr;

    CU_ASSERT_PTR_NOT_NULL_FATAL(told);
    for (char *w = strtok_r(words, " ", &rest); w && argc < 15; w = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = w;
    }
    argv[argc] = NULL;
    stderr = told;
    int status = command(argc, argv);
    stderr = before;
    fclose(told);
    return status;
}

static void
says_the_find(const char *told)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "seed 3, policy p4d: n1 serves twice"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "seed 3, policy p4d (2): n1 serves twice"));
}

static void
compare__says_what_a_checker_found(void)
{
    char words[] = "compare --policy policies/p4d.json --policy policies/p4d.json --seeds 1..4";
    char *told = NULL;

    CU_ASSERT_EQUAL(status_of(rc_compare_command, words, &told), RC_STUDY_FOUND);
    says_the_find(told);
    free(told);
}

/* Also when the pieces were there already and nothing is played. */
static void
sweep__says_what_a_checker_found(void)
{
    char dir[] = "/tmp/rc-study-XXXXXX", path[64], words[200];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    for (int again = 0; again < 2; again++) {
        char *told = NULL;
        snprintf(words, sizeof words,
                 "sweep %s --policy policies/p4d.json --policy policies/p4d.json --seeds 1..4 "
                 "--pieces 2 --local",
                 dir);
        CU_ASSERT_EQUAL(status_of(rc_sweep_command, words, &told), RC_STUDY_FOUND);
        says_the_find(told);
        CU_ASSERT_EQUAL(strstr(told, "to be played") != NULL, !again);
        free(told);
    }
    for (int piece = 0; piece < 2; piece++) {
        snprintf(path, sizeof path, "%s/piece-%d-of-2.runs", dir, piece);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* compare with its reports under these names in the folder. */
static int
compare_into(const char *dir, const char *html, const char *json)
{
    char words[512], *told = NULL;

    snprintf(words, sizeof words,
             "compare --policy policies/p4d.json --policy policies/p4d.json --seeds 1..2 "
             "--html %s/%s --json %s/%s",
             dir, html, dir, json);
    int status = status_of(rc_compare_command, words, &told);
    CU_ASSERT_EQUAL(strstr(told, "the same file; expected two") != NULL, status == RC_STUDY_USAGE);
    free(told);
    return status;
}

static bool
take_away(const char *dir, const char *name)
{
    char path[96];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return unlink(path) == 0;
}

static void
compare__reports_that_would_be_one_file__are_refused_under_any_names(void)
{
    char dir[] = "/tmp/rc-study-XXXXXX", path[96];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/here", dir);
    CU_ASSERT_EQUAL(symlink(".", path), 0);
    snprintf(path, sizeof path, "%s/pipe", dir);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    CU_ASSERT_EQUAL(compare_into(dir, "x", "x"), RC_STUDY_USAGE);
    CU_ASSERT_EQUAL(compare_into(dir, "x", "./x"), RC_STUDY_USAGE);
    CU_ASSERT_EQUAL(compare_into(dir, "here/x", "x"), RC_STUDY_USAGE);
    CU_ASSERT_EQUAL(compare_into(dir, "pipe", "here//pipe"), RC_STUDY_USAGE);
    CU_ASSERT_FALSE(take_away(dir, "x"));
    CU_ASSERT_EQUAL(compare_into(dir, "x", "here/y"), RC_STUDY_OK);
    CU_ASSERT_TRUE(take_away(dir, "x"));
    CU_ASSERT_TRUE(take_away(dir, "y"));
    CU_ASSERT_TRUE(take_away(dir, "here"));
    CU_ASSERT_TRUE(take_away(dir, "pipe"));
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static bool
begins_with(const char *dir, const char *name, const char *text)
{
    char path[96], got[64] = "";

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    bool same = f && fgets(got, sizeof got, f) && strncmp(got, text, strlen(text)) == 0;
    if (f) {
        fclose(f);
    }
    return same;
}

/* A report is written under another name first, which must be nobody's. */
static void
compare__no_name_beside_a_report_is_in_its_way(void)
{
    char dir[] = "/tmp/rc-study-XXXXXX", path[96];
    struct stat st;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    CU_ASSERT_EQUAL(compare_into(dir, "r.part", "r"), RC_STUDY_OK);
    CU_ASSERT_TRUE(begins_with(dir, "r.part", "<!doctype html>"));
    CU_ASSERT_TRUE(begins_with(dir, "r", "{\"commit\""));
    CU_ASSERT_EQUAL(compare_into(dir, "x", "y"), RC_STUDY_OK);
    CU_ASSERT_TRUE(begins_with(dir, "r.part", "<!doctype html>"));
    mode_t mask = umask(0);
    umask(mask);
    snprintf(path, sizeof path, "%s/x", dir);
    CU_ASSERT(stat(path, &st) == 0 && (st.st_mode & 0777) == (0666 & ~mask));
    CU_ASSERT_TRUE(take_away(dir, "r.part") && take_away(dir, "r"));
    CU_ASSERT_TRUE(take_away(dir, "x") && take_away(dir, "y"));
    CU_ASSERT_EQUAL(rmdir(dir), 0); /* nothing else was left there */
}

static CU_TestInfo tests[] = {
    {"compare says what a checker found", compare__says_what_a_checker_found},
    {"a sweep says what a checker found, whenever its pieces were played",
     sweep__says_what_a_checker_found},
    {"reports that would be one file are refused, under any names",
     compare__reports_that_would_be_one_file__are_refused_under_any_names},
    {"no name beside a report is in its way", compare__no_name_beside_a_report_is_in_its_way},
    CU_TEST_INFO_NULL,
};

int
main(void)
{
    return rc_test_main("study", tests);
}
