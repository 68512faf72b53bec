/* Two policies held against each other: the keys that differ, with both values. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include "policies/bind.h"
#include "policies/load_set.h"

static struct rc_policy shipped, other;
static struct rc_load_errors errs;
static char told[4096];

static void
note(void *arg, const char *path, const char *a, const char *b)
{
    size_t used = strlen(told);

    (void)arg;
    snprintf(told + used, sizeof told - used, "%s: %s -> %s\n", path, a, b);
}

/* What differs between the shipped policy and itself with one key set. */
static const char *
differs_with(const char *set)
{
    struct rc_policy_set one;

    told[0] = '\0';
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_TRUE_FATAL(rc_policy_set_parse(set, &one));
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file("policies/p4d.json", &shipped, &errs), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file_with("policies/p4d.json", &one, 1, &other, &errs),
                          RC_OK);
    rc_bind_diff(rc_policy_table(), &shipped, &other, note, NULL);
    return told;
}

static void
equal_policies_differ_in_nothing(void)
{
    CU_ASSERT_STRING_EQUAL(differs_with("limits.jobs.count=4"), "");
}

static void
a_key_is_told_with_both_values_as_a_file_says_them(void)
{
    CU_ASSERT_STRING_EQUAL(differs_with("limits.attempts.cooldown=2h"),
                           "limits.attempts.cooldown: 10m -> 2h\n");
    CU_ASSERT_STRING_EQUAL(differs_with("limits.out.zone.share=12.5%"),
                           "limits.out.zone.share: 10% -> 12.5%\n");
    CU_ASSERT_STRING_EQUAL(differs_with("limits.same_job=free"),
                           "limits.same_job: counts -> free\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(differs_with("gate.command=date"), " -> date\n"));
    CU_ASSERT_STRING_EQUAL(differs_with("power_cycle.keep_disks=false"),
                           "power_cycle.keep_disks: true -> false\n");
}

static void
a_rule_is_named_and_its_rungs_are_counted(void)
{
    CU_ASSERT_STRING_EQUAL(differs_with("rules.node-down.confirm=7m"),
                           "rules.node-down.confirm: 3m -> 7m\n");
    CU_ASSERT_STRING_EQUAL(differs_with("rules.node-down.ladder[0].attempts=3"),
                           "rules.node-down.ladder[0].attempts: 1 -> 3\n");
}

static void
rules_that_only_one_policy_has_are_told(void)
{
    (void)differs_with("limits.jobs.count=4");
    CU_ASSERT_STRING_EQUAL_FATAL(other.rule[other.rule_count - 1].name,
                                 shipped.rule[other.rule_count - 1].name);
    snprintf(other.rule[other.rule_count - 1].name, sizeof other.rule[0].name, "mine");
    rc_bind_diff(rc_policy_table(), &shipped, &other, note, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "rules.mine: not there -> new\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, ": there -> gone\n"));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"equal policies differ in nothing", equal_policies_differ_in_nothing},
        {"a key is told with both values as a file says them",
         a_key_is_told_with_both_values_as_a_file_says_them},
        {"a rule is named and its rungs are counted", a_rule_is_named_and_its_rungs_are_counted},
        {"rules that only one policy has are told", rules_that_only_one_policy_has_are_told},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("bind_diff", tests);
}
