/* A node's history as JSON, and what is refused. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/policy.h"
#include "reconciler/io/store/history_json.h"

static void
every_member_comes_back(void)
{
    struct rc_history h = {.writes = 3,
                           .opened_wall_ms = {1795415800123, 1795415800124},
                           .repair_wall_ms = {1, 2, 3, 4, 5, 6, 7, 8},
                           .launch_wall_ms = {9},
                           .destructive_wall_ms = {10, 11},
                           .failover_wall_ms = {12, 13},
                           .cooldown_until_wall_ms = 1795415800125,
                           .yielded_fault = RC_FAULT_EBS,
                           .flags = RC_HISTORY_HELD | RC_HISTORY_PAUSED | RC_HISTORY_BREAKER_OPEN,
                           .controller = {{"i-0123456789abcdef0", 2, 1}, {"", 1, 0}}};
    struct rc_history back;
    struct rc_error err;
    uint32_t absent;

    char *text = rc_history_json_format(&h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(rc_history_json_parse("x", text, strlen(text), &back, &absent, &err), RC_OK);
    CU_ASSERT_EQUAL(memcmp(&h, &back, sizeof h), 0);
    for (size_t len = 0; len < strlen(text); len++) {
        CU_ASSERT_EQUAL(rc_history_json_parse("x", text, len, &back, &absent, &err), RC_E_PARSE);
    }
    free(text);
}

static void
marks_of_another_release_are_read(void)
{
    struct rc_history h = {.writes = 1, .lemon = {.day = 20000}}, back;
    struct rc_error err;
    uint32_t absent;

    for (size_t m = 0; m < RC_MARK__MAX; m++) {
        memset(h.lemon.mark[m], '0', RC_LEMON_DAYS);
    }
    memcpy(h.lemon.mark[RC_MARK_RUNS], "zZ9", 3);
    char *text = rc_history_json_format(&h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(rc_history_json_parse("x", text, strlen(text), &back, &absent, &err), RC_OK);
    CU_ASSERT_EQUAL(memcmp(&h, &back, sizeof h), 0);
    /* It did not count this, and counted something else. */
    char *at = strstr(text, "\"multi\":");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    memcpy(at, "\"lost_\"", 7);
    CU_ASSERT_EQUAL(rc_history_json_parse("x", text, strlen(text), &back, &absent, &err), RC_OK);
    CU_ASSERT_STRING_EQUAL(back.lemon.mark[RC_MARK_MULTI], "");
    CU_ASSERT_EQUAL(absent, 1);
    at = strstr(text, "zZ9");
    *at = '-';
    CU_ASSERT_EQUAL(rc_history_json_parse("x", text, strlen(text), &back, &absent, &err),
                    RC_E_PARSE);
    free(text);
}

/* As the first release wrote it, before hosts were marked. */
static void
what_an_earlier_release_did_not_keep_is_empty_and_counted(void)
{
    static const char old[] = "{\"opened\":[5],\"repairs\":[],\"launches\":[],\"destructive\":[],"
                              "\"cooldown_until\":0,\"yielded\":\"none\",\"flags\":[\"held\"]}";
    struct rc_history back, expected = {.opened_wall_ms = {5}, .flags = RC_HISTORY_HELD};
    struct rc_error err;
    uint32_t absent;

    CU_ASSERT_EQUAL(rc_history_json_parse("x", old, strlen(old), &back, &absent, &err), RC_OK);
    CU_ASSERT_EQUAL(memcmp(&back, &expected, sizeof back), 0);
    CU_ASSERT_EQUAL(absent, 3 + RC_MARK__MAX + 2 * RC_NODE_BAD_HOSTS);
}

static void
rubbish_is_refused_with_the_name_of_the_member(void)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{}", "\"opened\""},
        {"{\"writes\":0,\"opened\":[]}", "\"writes\""},
        {"{\"writes\":1000000001,\"opened\":[]}", "\"writes\""},
        {"{\"opened\":7}", "\"opened\""},
        {"{\"opened\":[1,2,3,4,5,6,7,8,9]}", "\"opened\""},
        {"{\"opened\":[-1]}", "\"opened\""},
        {"{\"opened\":[\"1\"]}", "\"opened\""},
        {"{\"opened\":[],\"repairs\":[1e300]}", "\"repairs\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"cooldown_until\":-1}",
         "\"cooldown_until\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"cooldown_until\":0,"
         "\"yielded\":\"gremlins\"}",
         "\"yielded\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"cooldown_until\":0,"
         "\"yielded\":\"none\",\"flags\":[\"bold\"]}",
         "\"flags\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"failovers\":[0]}",
         "\"failovers\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"cooldown_until\":0,"
         "\"yielded\":\"none\",\"flags\":[],\"day\":\"seven\"}",
         "\"day\""},
        {"{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],\"cooldown_until\":0,"
         "\"yielded\":\"none\",\"flags\":[],\"controller1_instance\":\"i-1\"}",
         "\"controller1_attempt\""},
        {"[]", "one JSON object"},
    };
    struct rc_history back = {.flags = 5};
    struct rc_error err;
    uint32_t absent;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(
            rc_history_json_parse("h", cases[i].json, strlen(cases[i].json), &back, &absent, &err),
            RC_E_PARSE);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].words));
        CU_ASSERT_EQUAL(back.flags, 5);
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every member comes back", every_member_comes_back},
        {"marks of another release are read", marks_of_another_release_are_read},
        {"what an earlier release did not keep is empty, and counted",
         what_an_earlier_release_did_not_keep_is_empty_and_counted},
        {"rubbish is refused with the name of the member",
         rubbish_is_refused_with_the_name_of_the_member},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("history_json", tests);
}
