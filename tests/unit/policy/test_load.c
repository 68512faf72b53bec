/* The policy loader: the shipped file, the defaults, and the words of every refusal. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/load_set.h"
#include "tests/unit/policy/table_walk.h"

static struct rc_policy policy;
static struct rc_load_errors errs;

static enum rc_err
load(const char *text)
{
    memset(&policy, 0, sizeof policy);
    memset(&errs, 0, sizeof errs);
    return rc_policy_load("p.json", text, strlen(text), &policy, &errs);
}

static void
shipped_policy_loads(void)
{
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_policy_load_file("policies/p4d.json", &policy, &errs), RC_OK);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "");
    CU_ASSERT_STRING_EQUAL(policy.name, "p4d");
    CU_ASSERT_EQUAL(policy.limits.out[RC_SCOPE_CLUSTER].count, 2);
    CU_ASSERT_EQUAL(policy.limits.out[RC_SCOPE_ZONE].permille, 100);
    CU_ASSERT_EQUAL(policy.limits.attempts_max, 3);
    CU_ASSERT_EQUAL(policy.limits.attempts_window_ms, INT64_C(86400000));
    CU_ASSERT_EQUAL(policy.limits.breaker.count, 5);
    CU_ASSERT_EQUAL(policy.limits.breaker.permille, 50);
    CU_ASSERT_EQUAL(policy.limits.breaker_off, 0);
    CU_ASSERT_EQUAL(policy.timeouts.boot_ms, 900000);
    CU_ASSERT_TRUE(policy.hash != 0);
}

static const struct rc_rule *
first_rule_of(enum rc_fault fault)
{
    for (uint32_t i = 0; i < policy.rule_count; i++) {
        if (policy.rule[i].repeats_min == 0 && policy.rule[i].fault_mask & (UINT64_C(1) << fault)) {
            return &policy.rule[i];
        }
    }
    return NULL;
}

enum { NODE_FAULTS = 21 }; /* what an agent tells: judged by more than its name */

/* What each fault leads to with the shipped policy, in one place to be read. */
static void
shipped_policy_repairs_as_it_says(void)
{
    static const struct {
        enum rc_fault fault;
        uint32_t mode;
        uint32_t launch;
        enum rc_rung_kind rung[3];
    } rows[] = {
        {RC_FAULT_ALARM, RC_JOBS_WAIT, RC_LAUNCH_IDLE, {RC_RUNG_WATCH, RC_RUNG_QUARANTINE}},
        {RC_FAULT_HEALTH_NOTICE, RC_JOBS_WAIT, RC_LAUNCH_IDLE, {RC_RUNG_WATCH, RC_RUNG_QUARANTINE}},
        {RC_FAULT_EBS, RC_JOBS_WAIT, RC_LAUNCH_IDLE, {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_NODE_DOWN,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REBOOT, RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_SCHEDULED_REBOOT,
         RC_JOBS_SIGNAL,
         RC_LAUNCH_IDLE,
         {RC_RUNG_WATCH, RC_RUNG_REBOOT, RC_RUNG_REPLACE}},
        {RC_FAULT_SCHEDULED_MAINTENANCE,
         RC_JOBS_SIGNAL,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_SCHEDULED_STOP,
         RC_JOBS_SIGNAL,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_RETIREMENT,
         RC_JOBS_SIGNAL,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_CAPACITY_ENDING, RC_JOBS_SIGNAL, RC_LAUNCH_IDLE, {RC_RUNG_QUARANTINE}},
        {RC_FAULT_INSTANCE_IMPAIRED,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REBOOT, RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_SYSTEM_IMPAIRED,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_IDLE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_INTERRUPTION,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_AT_ONCE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_INSTANCE_STOPPED,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_AT_ONCE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
        {RC_FAULT_INSTANCE_GONE,
         RC_JOBS_REQUEUE,
         RC_LAUNCH_AT_ONCE,
         {RC_RUNG_REPLACE, RC_RUNG_QUARANTINE}},
    };

    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file("policies/p4d.json", &policy, &errs), RC_OK);
    CU_ASSERT_EQUAL(sizeof rows / sizeof *rows + NODE_FAULTS, RC_FAULT__MAX - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct rc_rule *r = first_rule_of(rows[i].fault);
        bool is_right = r && r->jobs.mode == rows[i].mode && r->launch_when == rows[i].launch;
        for (uint32_t k = 0; k < 3 && is_right; k++) {
            is_right = r->rung[k].kind == (uint32_t)rows[i].rung[k];
        }
        rc_case(is_right, rc_fault_name(rows[i].fault), "rule %s", r ? r->name : "none");
    }
}

static void
interruption_is_requeued_before_aws_takes_the_instance(void)
{
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file("policies/p4d.json", &policy, &errs), RC_OK);
    const struct rc_rule *r = first_rule_of(RC_FAULT_INTERRUPTION);
    CU_ASSERT_PTR_NOT_NULL(r);
    if (!r) {
        return;
    }
    /* Notice of 120 s; Slurm's KillWait is 30 s. */
    CU_ASSERT_TRUE(r->jobs.wait_ms + 30000 <= 120000);
    CU_ASSERT_TRUE(r->jobs.before_deadline_ms > 30000);
    CU_ASSERT_EQUAL(r->jobs.signal, 18);
}

/* They differ from the default where they say so, and nowhere else. */
static void
the_other_shipped_policies_are_the_default_but_for_what_they_say(void)
{
    static const char *const files[] = {"policies/careful.json", "policies/fast.json"};
    static struct rc_policy other;

    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL_FATAL(rc_policy_load_file("policies/p4d.json", &policy, &errs), RC_OK);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        enum rc_err err = rc_policy_load_file(files[f], &other, &errs);
        rc_case(err == RC_OK && errs.count == 0, files[f], "%s", errs.line[0]);
        CU_ASSERT_EQUAL_FATAL(err, RC_OK);
        CU_ASSERT_EQUAL(memcmp(&other.gate, &policy.gate, sizeof policy.gate), 0);
        CU_ASSERT_EQUAL(memcmp(&other.controllers, &policy.controllers, sizeof policy.controllers),
                        0);
        other.timeouts.capacity_wait_ms = policy.timeouts.capacity_wait_ms;
        CU_ASSERT_EQUAL(memcmp(&other.timeouts, &policy.timeouts, sizeof policy.timeouts), 0);
        CU_ASSERT_EQUAL_FATAL(other.rule_count, policy.rule_count);
        for (uint32_t i = 0; i < policy.rule_count; i++) {
            const struct rc_rule *a = &policy.rule[i], *b = &other.rule[i];
            bool alike = strcmp(a->name, b->name) == 0 && a->fault_mask == b->fault_mask &&
                         a->rung_count == b->rung_count && a->approve == b->approve;
            for (uint32_t k = 0; k < a->rung_count && alike; k++) {
                alike = a->rung[k].kind == b->rung[k].kind;
            }
            rc_case(alike, files[f], "rule %s answers other faults, or by another ladder", b->name);
        }
    }
}

#define RULES "\"rules\": [{\"name\": \"all\", \"ladder\": [{\"rung\": \"watch\"}]}]"

static void
a_minimal_policy_gets_every_default(void)
{
    CU_ASSERT_EQUAL(load("{\"name\": \"m\", " RULES "}"), RC_OK);
    CU_ASSERT_EQUAL(policy.limits.out[RC_SCOPE_PARTITION].count, 2);
    CU_ASSERT_EQUAL(policy.limits.out[RC_SCOPE_PARTITION].permille, 50);
    CU_ASSERT_EQUAL(policy.limits.destructive_per_hour[RC_SCOPE_ZONE], 24);
    CU_ASSERT_EQUAL(policy.limits.out_of_job.count, 2);
    CU_ASSERT_EQUAL(policy.limits.out_of_job.permille, 100);
    CU_ASSERT_EQUAL(policy.limits.jobs.count, 4);
    CU_ASSERT_EQUAL(policy.limits.jobs.permille, 50);
    CU_ASSERT_EQUAL(policy.limits.same_job, RC_SAME_JOB_COUNTS);
    CU_ASSERT_EQUAL(policy.limits.quarantine.count, 0);
    CU_ASSERT_EQUAL(policy.limits.spacing_ms, 0);
    CU_ASSERT_EQUAL(policy.limits.cooldown_ms, 600000);
    CU_ASSERT_EQUAL(policy.limits.breaker_reset_ms, 3600000);
    CU_ASSERT_EQUAL(policy.limits.in_flight_max, 64);
    CU_ASSERT_EQUAL(policy.timeouts.retry_min_ms, 1000);
    CU_ASSERT_EQUAL(policy.gate.ssh, 1);
    CU_ASSERT_STRING_EQUAL(policy.gate.command, "nvidia-smi -L");
    CU_ASSERT_EQUAL(policy.rule_count, 1);
    CU_ASSERT_EQUAL(policy.rule[0].fault_mask, 0);
    CU_ASSERT_EQUAL(policy.rule[0].rung_count, 1);
    CU_ASSERT_EQUAL(policy.rule[0].rung[0].attempts, 1);
    CU_ASSERT_EQUAL(policy.rule[0].rung[0].timeout_ms, 3600000);
}

static void
every_condition_of_a_rule_is_read(void)
{
    CU_ASSERT_EQUAL(
        load("{\"name\": \"m\", \"rules\": [{\"name\": \"a\", \"approve\": true, \"match\": {"
             "\"fault\": [\"node-down\", \"alarm\"], \"repeats\": 3, \"repeats_within\": \"7d\","
             "\"age_min\": \"1h\", \"age_max\": \"2h\", \"code\": \"AWS_*\", \"type\": \"p4d.*\","
             "\"partition\": \"gpu\", \"node\": \"gpu-?\", \"repeats_of\": \"instance\"},"
             "\"confirm\": \"90s\", \"launch\": \"at-once\", \"order\": \"launch-first\","
             "\"jobs\": {\"mode\": \"signal\", \"signal\": \"USR1\", \"wait\": \"500ms\","
             "\"before_deadline\": \"2m\", \"signal_before\": \"90s\"},"
             "\"ladder\": [{\"rung\": \"power-cycle\", \"attempts\": 2, \"timeout\": \"20m\","
             "\"pause\": \"3m\"}]},"
             "{\"name\": \"b\", \"ignore\": true}]}"),
        RC_OK);
    const struct rc_rule *r = &policy.rule[0];
    CU_ASSERT_EQUAL(r->fault_mask, UINT64_C(1) << RC_FAULT_NODE_DOWN | UINT64_C(1)
                                                                           << RC_FAULT_ALARM);
    CU_ASSERT_EQUAL(r->repeats_min, 3);
    CU_ASSERT_EQUAL(r->repeats_window_ms, INT64_C(604800000));
    CU_ASSERT_EQUAL(r->age_min_ms, 3600000);
    CU_ASSERT_EQUAL(r->age_max_ms, 7200000);
    CU_ASSERT_STRING_EQUAL(r->code, "AWS_*");
    CU_ASSERT_STRING_EQUAL(r->partition, "gpu");
    CU_ASSERT_EQUAL(r->approve, 1);
    CU_ASSERT_EQUAL(r->confirm_ms, 90000);
    CU_ASSERT_EQUAL(r->launch_when, RC_LAUNCH_AT_ONCE);
    CU_ASSERT_EQUAL(r->jobs.signal, 10);
    CU_ASSERT_EQUAL(r->jobs.wait_ms, 500);
    CU_ASSERT_EQUAL(r->rung[0].kind, RC_RUNG_POWER_CYCLE);
    CU_ASSERT_EQUAL(r->rung[0].attempts, 2);
    CU_ASSERT_EQUAL(r->rung[0].timeout_ms, 1200000);
    CU_ASSERT_EQUAL(r->rung[0].pause_ms, 180000);
    CU_ASSERT_EQUAL(r->repeats_of, RC_REPEATS_OF_INSTANCE);
    CU_ASSERT_EQUAL(r->order, RC_ORDER_LAUNCH_FIRST);
    CU_ASSERT_EQUAL(r->jobs.signal_before_ms, 90000);
    CU_ASSERT_EQUAL(policy.rule[1].ignore, 1);
}

struct refusal {
    const char *name;
    const char *text;
    const char *want;
};

#define ALL   "{\"name\":\"z\",\"ladder\":[{\"rung\":\"watch\"}]}"
#define RULE1 "{\"name\":\"p\",\"rules\":[{\"name\":\"a\","
#define WATCH "\"ladder\":[{\"rung\":\"watch\"}]"

static const struct refusal refusals[] = {
    {"a text for a number", "{\"name\":\"p\",\"limits\":{\"in_flight\":\"x\"}," RULES "}",
     "p.json:1:35: limits.in_flight: expected a whole number from 1 to 1024, got \"x\""},
    {"a number over its limit", "{\"name\":\"p\",\"limits\":{\"in_flight\":4096}," RULES "}",
     "p.json:1:35: limits.in_flight: expected a whole number from 1 to 1024, got 4096"},
    {"a number for a duration", "{\"name\":\"p\",\n\"timeouts\":{\"boot\":900}," RULES "}",
     "p.json:2:20: timeouts.boot: expected a duration from 1s to 1d such as \"90s\", \"10m\" or \"2h\", got 900"},
    {"a duration without a unit", "{\"name\":\"p\",\"timeouts\":{\"boot\":\"900\"}," RULES "}",
     "p.json:1:32: timeouts.boot: expected a duration from 1s to 1d such as \"90s\", \"10m\" or \"2h\", got \"900\""},
    {"a duration that is too long", "{\"name\":\"p\",\"timeouts\":{\"boot\":\"25h\"}," RULES "}",
     "p.json:1:32: timeouts.boot: expected a duration from 1s to 1d such as \"90s\", \"10m\" or \"2h\", got \"25h\""},
    {"a duration beyond all bounds",
     "{\"name\":\"p\",\"timeouts\":{\"boot\":\"999999999999d\"}," RULES "}",
     "p.json:1:32: timeouts.boot: expected a duration from 1s to 1d such as \"90s\", \"10m\" or \"2h\", got \"999999999999d\""},
    {"a share without its sign",
     "{\"name\":\"p\",\"limits\":{\"breaker\":{\"share\":\"5\"}}," RULES "}",
     "p.json:1:42: limits.breaker.share: expected a share from 0% to 100% such as \"5%\" or \"0.5%\", got \"5\""},
    {"a share over 100 %",
     "{\"name\":\"p\",\"limits\":{\"breaker\":{\"share\":\"101%\"}}," RULES "}",
     "p.json:1:42: limits.breaker.share: expected a share from 0% to 100% such as \"5%\" or \"0.5%\", got \"101%\""},
    {"a text for a switch", "{\"name\":\"p\",\"gate\":{\"ssh\":\"yes\"}," RULES "}",
     "p.json:1:27: gate.ssh: expected true or false, got \"yes\""},
    {"no node of a job at all",
     "{\"name\":\"p\",\"limits\":{\"out\":{\"job\":{\"count\":0}}}," RULES "}",
     "p.json:1:45: limits.out.job.count: expected a whole number from 1 to 100000, got 0"},
    {"no job at all", "{\"name\":\"p\",\"limits\":{\"jobs\":{\"count\":0}}," RULES "}",
     "p.json:1:39: limits.jobs.count: expected a whole number from 1 to 100000, got 0"},
    {"a second node that is neither",
     "{\"name\":\"p\",\"limits\":{\"same_job\":\"fre\"}," RULES "}",
     "p.json:1:34: limits.same_job: expected one of counts, free, got \"fre\"; did you mean \"free\"?"},
    {"a spacing without a unit", "{\"name\":\"p\",\"limits\":{\"spacing\":30}," RULES "}",
     "p.json:1:33: limits.spacing: expected a duration from 0s to 1d such as \"90s\", \"10m\" or \"2h\", got 30"},
    {"a signal before a requeue that is none",
     RULE1 "\"jobs\":{\"mode\":\"requeue\",\"signal_before\":\"5m\"}," WATCH "}]}",
     "p.json:1:75: rules[0].jobs.signal_before: there is no signal to send"},
    {"a signal before a requeue that never comes",
     RULE1 "\"jobs\":{\"mode\":\"signal\",\"signal\":\"USR1\",\"signal_before\":\"5m\"}," WATCH
           "}]}",
     "p.json:1:90: rules[0].jobs.signal_before: nothing is requeued: neither mode \"requeue\" nor before_deadline"},
    {"a pause before no other attempt",
     RULE1 "\"ladder\":[{\"rung\":\"replace\",\"pause\":\"5m\"}]}]}",
     "p.json:1:70: rules[0].ladder[0].pause: there is no second attempt to pause before"},
    {"an early launch where the old one must go first",
     RULE1 "\"order\":\"stop-first\",\"launch\":\"at-once\"," WATCH "}]}",
     "p.json:1:64: rules[0].launch: order \"stop-first\" launches when the old instance is gone: use \"idle\""},
    {"make before break of what is broken",
     RULE1 "\"match\":{\"fault\":[\"instance-gone\"]},\"launch\":\"before-drain\"," WATCH "}," ALL
           "]}",
     "p.json:1:79: rules[0].launch: a node with these faults does not serve any more: use \"at-once\""},
    {"a count of nothing", RULE1 "\"match\":{\"repeats_of\":\"instance\"}," WATCH "}," ALL "]}",
     "p.json:1:56: rules[0].match.repeats_of: there are no \"repeats\" to count"},
    {"an order that is none", RULE1 "\"order\":\"first\"," WATCH "}]}",
     "p.json:1:42: rules[0].order: expected one of auto, launch-first, stop-first, got \"first\""},
    {"a misspelt key", "{\"name\":\"p\",\"limts\":{}," RULES "}",
     "p.json:1:13: limts: unknown key; did you mean \"limits\"?"},
    {"a key from nowhere", "{\"name\":\"p\",\"gate\":{\"colour\":1}," RULES "}",
     "p.json:1:21: gate.colour: unknown key; known here: cpus_min, ssh, command, types"},
    {"a misspelt name of a rung", RULE1 "\"ladder\":[{\"rung\":\"replce\"}]}," ALL "]}",
     "p.json:1:52: rules[0].ladder[0].rung: expected one of watch, gpu-reset, reboot, power-cycle, replace, quarantine, got \"replce\"; did you mean \"replace\"?"},
    {"a fault that is none",
     RULE1 "\"match\":{\"fault\":[\"alarm\",\"fire\"]}," WATCH "}," ALL "]}",
     "p.json:1:60: rules[0].match.fault[1]: expected one of agent-drain, alarm, health-notice, job-suspect, clock, thermal, disk, ebs-impaired, fs-hang, nvme, file-system, pcie, network, efa, row-remap, gpu-suspect, xid, nvlink, gpu, memory, kernel, node-down, gpu-lost, gpu-broken, known-bad, scheduled-reboot, scheduled-maintenance, scheduled-stop, retirement, capacity-ending, instance-impaired, system-impaired, interruption, instance-stopped, instance-gone, got \"fire\""},
    {"a fault listed twice",
     RULE1 "\"match\":{\"fault\":[\"alarm\",\"alarm\"]}," WATCH "}," ALL "]}",
     "p.json:1:60: rules[0].match.fault[1]: \"alarm\" is listed twice"},
    {"no name", "{" RULES "}",
     "p.json:1:1: \"name\" is missing: the policy's name, shown in every report"},
    {"no rules", "{\"name\":\"p\"}",
     "p.json:1:1: \"rules\" is missing: tried in order; the first whose conditions all hold is taken"},
    {"an empty list of rules", "{\"name\":\"p\",\"rules\":[]}",
     "p.json:1:21: rules: expected a list of 1 to 64 objects, got 0"},
    {"a list for the whole", "[]", "p.json:1:1: expected an object {…}, got a list"},
    {"a name with a blank", "{\"name\":\"my policy\"," RULES "}",
     "p.json:1:9: name: expected a name of 1 to 39 letters, digits, \".\", \"_\" or \"-\", got \"my policy\""},
    {"a name that is too long", "{\"name\":\"0123456789012345678901234567890123456789\"," RULES "}",
     "p.json:1:9: name: expected a name of 1 to 39 letters, digits, \".\", \"_\" or \"-\", got one of 40"},
    {"repeats without a time", RULE1 "\"match\":{\"repeats\":2}," WATCH "}," ALL "]}",
     "p.json:1:42: rules[0].match: \"repeats\" and \"repeats_within\" need each other"},
    {"an age that cannot be",
     RULE1 "\"match\":{\"age_min\":\"2h\",\"age_max\":\"1h\"}," WATCH "}," ALL "]}",
     "p.json:1:68: rules[0].match.age_max: is shorter than age_min"},
    {"a pattern with brackets", RULE1 "\"match\":{\"node\":\"gpu-[1-3]\"}," WATCH "}," ALL "]}",
     "p.json:1:50: rules[0].match.node: expected a pattern: text in which * is any text and ? one character, got \"gpu-[1-3]\""},
    {"signal without a signal", RULE1 "\"jobs\":{\"mode\":\"signal\"}," WATCH "}]}",
     "p.json:1:41: rules[0].jobs: mode \"signal\" needs a signal"},
    {"wait with a signal", RULE1 "\"jobs\":{\"signal\":\"USR1\"}," WATCH "}]}",
     "p.json:1:51: rules[0].jobs.signal: mode \"wait\" sends no signal; use mode \"signal\" or \"requeue\""},
    {"no ladder", "{\"name\":\"p\",\"rules\":[{\"name\":\"a\"}]}",
     "p.json:1:22: rules[0]: \"ladder\" is missing: rungs, tried in this order"},
    {"a ladder for what is ignored", RULE1 "\"ignore\":true," WATCH "}]}",
     "p.json:1:57: rules[0].ladder: a rule that ignores the fault has no ladder"},
    {"a timeout of a replacement",
     RULE1 "\"ladder\":[{\"rung\":\"replace\",\"timeout\":\"4h\"}]}]}",
     "p.json:1:72: rules[0].ladder[0].timeout: rung \"replace\" has none: its steps have theirs, in \"timeouts\""},
    {"a rung after a quarantine",
     RULE1 "\"ladder\":[{\"rung\":\"quarantine\"},{\"rung\":\"watch\"}]}]}",
     "p.json:1:66: rules[0].ladder[1]: no rung can follow a quarantine"},
    {"a lead for what is not scheduled",
     RULE1 "\"match\":{\"fault\":[\"alarm\"]},\"lead\":\"1h\"," WATCH "}," ALL "]}",
     "p.json:1:69: rules[0].lead: only faults that AWS schedules have a window to lead"},
    {"two rules of one name",
     RULE1 "\"match\":{\"node\":\"x\"}," WATCH "},{\"name\":\"a\"," WATCH "}]}",
     "p.json:1:92: rules[1].name: another rule has the name \"a\""},
    {"a rule that can never be taken",
     "{\"name\":\"p\",\"rules\":[" ALL ",{\"name\":\"b\"," WATCH "}]}",
     "p.json:1:63: rules[1]: can never be taken: rules above it take these faults always"},
    {"a pause that is longer than the longest",
     "{\"name\":\"p\",\"timeouts\":{\"retry_min\":\"10m\"}," RULES "}",
     "p.json:1:37: timeouts.retry_min: is longer than retry_max"},
    {"a probe without a command", "{\"name\":\"p\",\"gate\":{\"command\":\"\"}," RULES "}",
     "p.json:1:31: gate.command: ssh is on but there is no command"},
};

static void
refusals_say_what_was_expected(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        enum rc_err err = load(refusals[i].text);
        rc_case(err == RC_E_INVALID && strcmp(errs.line[0], refusals[i].want) == 0 &&
                    policy.rule_count == 0,
                refusals[i].name, "%s, first: %s", rc_err_name(err), errs.line[0]);
    }
}

static enum rc_err
load_with_set(const char *text)
{
    struct rc_policy_set set;

    memset(&errs, 0, sizeof errs);
    CU_ASSERT_TRUE_FATAL(rc_policy_set_parse(text, &set));
    set.line = 7;
    return rc_policy_load_file_with("policies/p4d.json", &set, 1, &policy, &errs);
}

static void
a_key_can_be_set_over_the_file(void)
{
    uint64_t hash;

    CU_ASSERT_EQUAL(load_with_set("limits.jobs.count=9"), RC_OK);
    CU_ASSERT_EQUAL(policy.limits.jobs.count, 9);
    CU_ASSERT_EQUAL(policy.limits.jobs.permille, 50);
    hash = policy.hash;
    CU_ASSERT_EQUAL(load_with_set("rules.node-down.confirm=17m"), RC_OK);
    CU_ASSERT_NOT_EQUAL(policy.hash, hash);
    const struct rc_rule *r = first_rule_of(RC_FAULT_NODE_DOWN);
    CU_ASSERT_TRUE(r && r->confirm_ms == 17 * 60000);
    CU_ASSERT_EQUAL(load_with_set("rules.node-down.ladder[0].timeout=7m"), RC_OK);
    CU_ASSERT_EQUAL(load_with_set("rules[0].approve=true"), RC_OK);
    CU_ASSERT_EQUAL(policy.rule[0].approve, 1);
}

/* Whatever is set is checked as if it stood in the file. */
static void
a_wrong_key_or_value_is_refused_as_in_the_file(void)
{
    static const char *const rows[][2] = {
        {"limits.jobs.count=none",
         "policies/p4d.json:7:1: limits.jobs.count: expected a whole number from 1 to 100000, got "
         "\"none\""},
        {"limits.jobz=3",
         "policies/p4d.json:7:1: limits.jobz: unknown key; did you mean \"jobs\"?"},
        {"rules.nobody.confirm=1m",
         "policies/p4d.json: set rules.nobody.confirm: expected a key such as limits.jobs.count, "
         "or rules.NAME.launch of a rule that is there"},
        {"rules[99].confirm=1m",
         "policies/p4d.json: set rules[99].confirm: expected a key such as limits.jobs.count, or "
         "rules.NAME.launch of a rule that is there"},
        {"rules=1", "policies/p4d.json:7:1: rules: expected a list of 1 to 64 objects, got 1"},
        {"timeouts.retry_min=1h",
         "policies/p4d.json:7:1: timeouts.retry_min: is longer than retry_max"},
    };
    struct rc_policy_set set;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum rc_err err = load_with_set(rows[i][0]);
        rc_case(err == RC_E_INVALID && strcmp(errs.line[0], rows[i][1]) == 0, rows[i][0], "%s: %s",
                rc_err_name(err), errs.line[0]);
    }
    CU_ASSERT_FALSE(rc_policy_set_parse("limits.jobs.count", &set));
    CU_ASSERT_FALSE(rc_policy_set_parse("=1", &set));
}

static void
a_fault_without_a_rule_is_refused(void)
{
    CU_ASSERT_EQUAL(load(RULE1 "\"match\":{\"fault\":[\"alarm\"]}," WATCH "}]}"), RC_E_INVALID);
    CU_ASSERT_EQUAL(errs.count, RC_FAULT__MAX - 2);
    CU_ASSERT_STRING_EQUAL(errs.line[0],
                           "p.json:1:21: rules: no rule takes every \"agent-drain\": add one for "
                           "it without other conditions");
}

static void
all_faults_of_a_file_are_told_in_its_order(void)
{
    CU_ASSERT_EQUAL(load("{\n\"nam\": 1,\n\"gate\": {\"ssh\": 1},\n\"limits\": []\n}"),
                    RC_E_INVALID);
    CU_ASSERT_EQUAL(errs.count, 5);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "p.json:2:1: nam: unknown key; did you mean \"name\"?");
    CU_ASSERT_STRING_EQUAL(errs.line[1], "p.json:3:17: gate.ssh: expected true or false, got 1");
    CU_ASSERT_STRING_EQUAL(errs.line[2], "p.json:4:11: limits: expected an object {…}, got a list");
}

static enum rc_err
load_quietly(const char *text, size_t len, struct rc_load_errors *ret_errs)
{
    return rc_policy_load("p.json", text, len, &policy, ret_errs);
}

static void
every_key_refuses_a_wrong_value(void)
{
    table_try_wrong_values(rc_policy_table(), "p.json", load_quietly);
}

static void
schema_is_the_one_of_the_table(void)
{
    char *made = rc_bind_schema(rc_policy_table(), "Policy of slurm-on-aws");
    char *shipped = rc_test_read_file("policies/schema.json", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shipped);
    /* After a change of the table: reconcilectl policy schema > policies/schema.json */
    CU_ASSERT_STRING_EQUAL(made, shipped);
    free(made);
    free(shipped);
}

static void
check_guide(const struct rc_bind_row *row, const char *path, void *arg)
{
    const char *guide = arg;
    char quoted[80];

    snprintf(quoted, sizeof quoted, "`%s`", row->key);
    if (!strstr(guide, quoted)) {
        rc_case(false, path, "policies/README.md does not name `%s`", row->key);
    }
}

static void
guide_names_every_key(void)
{
    char *guide = rc_test_read_file("policies/README.md", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(guide);
    table_walk(rc_policy_table(), check_guide, guide);
    for (uint32_t f = RC_FAULT_NONE + 1; f < RC_FAULT__MAX; f++) {
        CU_ASSERT_PTR_NOT_NULL(strstr(guide, rc_fault_name((enum rc_fault)f)));
    }
    free(guide);
}

static void
hash_is_fnv_1a(void)
{
    CU_ASSERT_EQUAL(rc_policy_text_hash("", 0), UINT64_C(0xcbf29ce484222325));
    CU_ASSERT_EQUAL(rc_policy_text_hash("foobar", 6), UINT64_C(0x85944171f73967e8));
}

static void
durations_are_shown_as_they_are_read(void)
{
    static const char *const texts[] = {"0s", "1ms", "1500ms", "90s", "10m", "36h", "2d", "3650d"};
    char buf[32];
    int64_t ms = 0;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CU_ASSERT_TRUE(rc_duration_parse(texts[i], &ms));
        rc_duration_show(ms, buf, sizeof buf);
        CU_ASSERT_STRING_EQUAL(buf, texts[i]);
    }
    CU_ASSERT_FALSE(rc_duration_parse("-1s", &ms));
    CU_ASSERT_FALSE(rc_duration_parse("1 s", &ms));
    CU_ASSERT_FALSE(rc_duration_parse("1S", &ms));
    CU_ASSERT_FALSE(rc_duration_parse("", &ms));
    CU_ASSERT_FALSE(rc_duration_parse("3651d", &ms));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the shipped policy loads without a word", shipped_policy_loads},
        {"the shipped policy repairs as it says", shipped_policy_repairs_as_it_says},
        {"an interrupted job is requeued before AWS takes its instance",
         interruption_is_requeued_before_aws_takes_the_instance},
        {"the other shipped policies are the default but for what they say",
         the_other_shipped_policies_are_the_default_but_for_what_they_say},
        {"a minimal policy gets every default", a_minimal_policy_gets_every_default},
        {"every condition of a rule is read", every_condition_of_a_rule_is_read},
        {"a key can be set over the file", a_key_can_be_set_over_the_file},
        {"a wrong key or value is refused as in the file",
         a_wrong_key_or_value_is_refused_as_in_the_file},
        {"refusals say what was expected", refusals_say_what_was_expected},
        {"a fault without a rule is refused", a_fault_without_a_rule_is_refused},
        {"all faults of a file are told in its order", all_faults_of_a_file_are_told_in_its_order},
        {"every key refuses a wrong value", every_key_refuses_a_wrong_value},
        {"the shipped schema is the one of the table", schema_is_the_one_of_the_table},
        {"the guide names every key and every fault", guide_names_every_key},
        {"the hash is FNV-1a of 64 bits", hash_is_fnv_1a},
        {"durations are shown as they are read", durations_are_shown_as_they_are_read},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("policy", tests);
}
