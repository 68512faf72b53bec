/* The configuration loader: the example, the defaults, the words of every refusal, and that
 * the guide has every key. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/config/config.h"
#include "reconciler/io/control/log.h"
#include "tests/unit/policy/table_walk.h"

static struct rc_config config;
static struct rc_load_errors errs;

static enum rc_err
load_as(const char *path, const char *text)
{
    memset(&config, 0, sizeof config);
    memset(&errs, 0, sizeof errs);
    return rc_config_load(path, text, strlen(text), &config, &errs);
}

static enum rc_err
load(const char *text)
{
    return load_as("c.json", text);
}

static void
the_example_loads(void)
{
    memset(&errs, 0, sizeof errs);
    CU_ASSERT_EQUAL(rc_config_load_file("docs/reconcilerd.json", &config, &errs), RC_OK);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "");
    CU_ASSERT_STRING_EQUAL(config.cluster.name, "prod-a");
    CU_ASSERT_STRING_EQUAL(config.cluster.region, "us-east-1");
    CU_ASSERT_EQUAL(config.cluster.group_count, 1);
    CU_ASSERT_EQUAL(config.cluster.group[0].template_version, 7);
    CU_ASSERT_EQUAL(config.cluster.group[0].option_count, 2);
    CU_ASSERT_STRING_EQUAL(config.cluster.group[0].option[1].az, "us-east-1b");
    CU_ASSERT_EQUAL(config.tag_count, 1);
    CU_ASSERT_STRING_EQUAL(config.tag[0].key, "cost-center");
    CU_ASSERT_STRING_EQUAL(config.tag[0].value, "research");
    CU_ASSERT_STRING_EQUAL(config.control.group, "slurm-operators");
}

#define GROUP_WITH(more)                                                                           \
    "{\"name\":\"g\",\"nodes\":\"n-[1-2]\",\"template\":\"lt-1\",\"template_version\":1," more     \
    "\"launch\":[{\"subnet\":\"subnet-1\",\"zone\":\"us-east-1a\"}]}"
#define CLUSTER   "{\"cluster\":{\"name\":\"c\",\"groups\":[" GROUP_WITH("") "]},"
#define AWS       "\"aws\":{\"region\":\"us-east-1\"},"
#define QUEUE     "\"queue\":{\"url\":\"https://q/1/q\"}"
#define MINIMAL   CLUSTER AWS QUEUE "}"
#define AND(more) CLUSTER AWS QUEUE "," more "}"

static void
a_minimal_file_gets_every_default(void)
{
    char host[RC_NODE_LEN] = "";

    CU_ASSERT_EQUAL(load(MINIMAL), RC_OK);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "");
    CU_ASSERT_EQUAL(gethostname(host, sizeof host - 1), 0);
    CU_ASSERT_EQUAL(config.cluster.nodes_max, 16384);
    CU_ASSERT_EQUAL(config.cluster.lease_term_ms, 30000);
    CU_ASSERT_EQUAL(config.cluster.lease_margin_ms, 5000);
    CU_ASSERT_EQUAL(config.cluster.poll_instances_ms, 60000);
    CU_ASSERT_EQUAL(config.cluster.poll_slurm_ms, 10000);
    CU_ASSERT_EQUAL(config.queue.wait_ms, 20000);
    CU_ASSERT_EQUAL(config.queue.receives, 2);
    CU_ASSERT_STRING_EQUAL(config.policy, "/etc/slurm-on-aws/policy.json");
    CU_ASSERT_STRING_EQUAL(config.slurm.conf, "/etc/slurm/slurm.conf");
    CU_ASSERT_STRING_EQUAL(config.slurm.topology, "");
    CU_ASSERT_EQUAL(config.slurm.reader.arg_count, 2);
    CU_ASSERT_STRING_EQUAL(config.slurm.reader.arg[0], "--role");
    CU_ASSERT_STRING_EQUAL(config.slurm.reader.arg[1], "reader");
    CU_ASSERT_STRING_EQUAL(config.slurm.writer.arg[1], "writer");
    CU_ASSERT_EQUAL(config.slurm.registrar.arg_count, 0);
    CU_ASSERT_EQUAL(config.journal.segment_bytes, 67108864);
    CU_ASSERT_EQUAL(config.lease.kind, RC_STORE_FILE);
    CU_ASSERT_STRING_EQUAL(config.lease.owner, host);
    CU_ASSERT_EQUAL(config.lease.term_ms, 30000);
    CU_ASSERT_EQUAL(config.control.mode, 0660);
    CU_ASSERT_STRING_EQUAL(config.metrics_listen, "127.0.0.1:9464");
    CU_ASSERT_EQUAL(config.log_level, RC_LOG_INFO);
    CU_ASSERT_EQUAL(config.ssh.port, 22);
    CU_ASSERT_EQUAL(config.ssh.host_keys, RC_HOST_KEYS_CONSOLE);
    CU_ASSERT_EQUAL(config.seed, 0);
}

static void
every_part_is_read(void)
{
    CU_ASSERT_EQUAL(
        load(
            CLUSTER
            "\"aws\":{\"region\":\"eu-west-1\",\"profile\":\"p\",\"endpoints\":{\"all\":\"http://127.0.0.1:1\",\"sqs\":\"http://127.0.0.1:2\"},\"connect_to\":\"a:443:127.0.0.1:8443\",\"request_timeout\":\"5s\"},"
            "\"queue\":{\"url\":\"http://127.0.0.1:2/1/q\",\"wait\":\"1s\",\"visibility\":\"30s\",\"receives\":3,\"quarantine\":\"q.jsonl\"},"
            "\"slurm\":{\"reader\":{\"program\":\"/bin/sim\",\"args\":[\"--role\",\"reader\",\"--world\",\"/tmp/w\"]},\"request_timeout\":\"12s\"},"
            "\"lease\":{\"kind\":\"dynamodb\",\"table\":\"t1\",\"owner\":\"head-1\",\"term\":\"20s\",\"margin\":\"2s\"},"
            "\"incidents\":{\"kind\":\"dynamodb\",\"table\":\"t2\"},"
            "\"poll\":{\"instances\":\"5s\",\"slurm\":\"500ms\",\"slurm_open\":\"100ms\",\"slurm_open_max\":5},"
            "\"control\":{\"socket\":\"/tmp/s\",\"mode\":\"0600\"},\"metrics\":{\"listen\":\"\"},"
            "\"log\":{\"level\":\"debug\"},\"ssh\":{\"host_keys\":\"file\",\"known_hosts\":\"kh\",\"port\":2222},"
            "\"seed\":9223372036854775807,\"tags\":{\"a b\":\"\"}}"),
        RC_OK);
    CU_ASSERT_STRING_EQUAL(errs.line[0], "");
    CU_ASSERT_STRING_EQUAL(config.aws.endpoint.sqs, "http://127.0.0.1:2");
    CU_ASSERT_STRING_EQUAL(config.aws.connect_to, "a:443:127.0.0.1:8443");
    CU_ASSERT_EQUAL(config.aws.request_timeout_ms, 5000);
    CU_ASSERT_EQUAL(config.slurm.reader.arg_count, 4);
    CU_ASSERT_STRING_EQUAL(config.slurm.reader.arg[3], "/tmp/w");
    CU_ASSERT_STRING_EQUAL(config.lease.owner, "head-1");
    CU_ASSERT_EQUAL(config.cluster.lease_margin_ms, 2000);
    CU_ASSERT_EQUAL(config.incidents.kind, RC_STORE_DYNAMODB);
    CU_ASSERT_EQUAL(config.cluster.poll_slurm_ms, 500);
    CU_ASSERT_EQUAL(config.control.mode, 0600);
    CU_ASSERT_STRING_EQUAL(config.metrics_listen, "");
    CU_ASSERT_EQUAL(config.seed, (uint64_t)INT64_MAX);
    CU_ASSERT_STRING_EQUAL(config.tag[0].key, "a b");
}

static void
relative_paths_start_at_the_folder_of_the_file(void)
{
    CU_ASSERT_EQUAL(load_as("/etc/x/c.json", AND("\"policy\":\"p.json\"")), RC_OK);
    CU_ASSERT_STRING_EQUAL(config.policy, "/etc/x/p.json");
    CU_ASSERT_STRING_EQUAL(config.state_dir, "/var/lib/slurm-on-aws");
    CU_ASSERT_EQUAL(load_as("c.json", AND("\"policy\":\"p.json\"")), RC_OK);
    CU_ASSERT_STRING_EQUAL(config.policy, "./p.json");
    CU_ASSERT_EQUAL(load_as("/c.json", AND("\"policy\":\"p.json\"")), RC_OK);
    CU_ASSERT_STRING_EQUAL(config.policy, "//p.json");
}

#define IN_GROUP(more)                                                                             \
    "{\"cluster\":{\"name\":\"c\",\"groups\":[" GROUP_WITH(more) "]}," AWS QUEUE "}"
#define GROUP_LAUNCH(capacity, option)                                                             \
    "{\"cluster\":{\"name\":\"c\",\"groups\":[{\"name\":\"g\",\"nodes\":\"n\",\"template\":"       \
    "\"lt-1\",\"template_version\":1,\"capacity\":\"" capacity                                     \
    "\",\"launch\":[{\"zone\":\"a\"," option "}]}]}," AWS QUEUE "}"

static const struct {
    const char *name;
    const char *text;
    const char *want; /* behind the place */
} refusals[] = {
    {"no cluster", "{" AWS QUEUE "}",
     "\"cluster\" is missing: who we are and where replacements may be launched"},
    {"no region", CLUSTER "\"aws\":{}," QUEUE "}",
     "aws: \"region\" is missing: the region, such as us-east-1"},
    {"a queue that is no URL", CLUSTER AWS "\"queue\":{\"url\":\"q\"}}",
     "queue.url: expected a URL that begins with https:// or http://, got \"q\""},
    {"a URL with a password", CLUSTER AWS "\"queue\":{\"url\":\"https://a:b@h/q\"}}",
     "queue.url: expected a URL that begins with https:// or http://, got \"https://a:b@h/q\""},
    {"a wait of half a second", CLUSTER AWS "\"queue\":{\"url\":\"https://q\",\"wait\":\"500ms\"}}",
     "queue.wait: expected whole seconds, got \"500ms\""},
    {"a wait that SQS does not know",
     CLUSTER AWS "\"queue\":{\"url\":\"https://q\",\"wait\":\"21s\"}}",
     "queue.wait: expected a duration from 0s to 20s such as \"90s\", \"10m\" or \"2h\", got \"21s\""},
    {"an endpoint that is no URL",
     CLUSTER "\"aws\":{\"region\":\"r\",\"endpoints\":{\"ec2\":\"localhost\"}}," QUEUE "}",
     "aws.endpoints.ec2: expected a URL that begins with https:// or http://, got \"localhost\""},
    {"a template that is none", IN_GROUP("\"placement_group\":7,"),
     "cluster.groups[0].placement_group: expected a text of at most 63 bytes, got 7"},
    {"a version called latest",
     "{\"cluster\":{\"name\":\"c\",\"groups\":[{\"name\":\"g\",\"nodes\":\"n\",\"template\":\"lt-1\",\"template_version\":\"$Latest\",\"launch\":[{\"subnet\":\"subnet-1\",\"zone\":\"a\"}]}]}," AWS
         QUEUE "}",
     "cluster.groups[0].template_version: expected a whole number from 1 to 4294967295, got \"$Latest\""},
    {"a subnet that is none", GROUP_LAUNCH("open", "\"subnet\":\"sn-1\""),
     "cluster.groups[0].launch[0].subnet: expected an id that begins with subnet-, got \"sn-1\""},
    {"a block without its reservation",
     GROUP_LAUNCH("open", "\"subnet\":\"subnet-1\",\"capacity_block\":true"),
     "cluster.groups[0].launch[0].capacity_block: a Capacity Block needs its \"reservation\" id"},
    {"a template of its own without its version",
     GROUP_LAUNCH("open", "\"subnet\":\"subnet-1\",\"template\":\"lt-2\""),
     "cluster.groups[0].launch[0]: \"template\" and \"template_version\" belong together"},
    {"reserved without a reservation", GROUP_LAUNCH("reserved", "\"subnet\":\"subnet-1\""),
     "cluster.groups[0].capacity: no launch option names a \"reservation\""},
    {"block without a block",
     GROUP_LAUNCH("block", "\"subnet\":\"subnet-1\",\"reservation\":\"cr-1\""),
     "cluster.groups[0].capacity: no launch option has \"capacity_block\": true"},
    {"two groups of one name",
     "{\"cluster\":{\"name\":\"c\",\"groups\":[" GROUP_WITH("") "," GROUP_WITH("") "]}," AWS QUEUE
                                                                                   "}",
     "cluster.groups[1].name: another group has the name \"g\""},
    {"a margin that is too large", AND("\"lease\":{\"term\":\"10s\",\"margin\":\"4s\"}"),
     "lease.margin: is more than a third of the term"},
    {"a table that is missing", AND("\"lease\":{\"kind\":\"dynamodb\"}"),
     "lease.kind: kind \"dynamodb\" needs a \"table\""},
    {"a table for a file", AND("\"lease\":{\"table\":\"t\"}"),
     "lease.table: kind \"file\" has no table"},
    {"stores of two kinds", AND("\"incidents\":{\"kind\":\"dynamodb\",\"table\":\"t\"}"),
     "incidents.kind: lease and incidents must be of the same kind"},
    {"known_hosts that are missing", AND("\"ssh\":{\"host_keys\":\"file\"}"),
     "ssh.host_keys: \"file\" needs a \"known_hosts\" file"},
    {"a mode that is not octal", AND("\"control\":{\"mode\":\"0668\"}"),
     "control.mode: expected permission bits in octal such as \"0660\", got \"0668\""},
    {"a mode with more than permissions", AND("\"control\":{\"mode\":\"4755\"}"),
     "control.mode: expected permission bits in octal such as \"0660\", got \"4755\""},
    {"a level that is none", AND("\"log\":{\"level\":\"warning\"}"),
     "log.level: expected one of debug, info, warn, error, got \"warning\"; did you mean \"warn\"?"},
    {"a tag that is ours", AND("\"tags\":{\"slurm-on-aws:node\":\"x\"}"),
     "tags.slurm-on-aws:node: tags that begin with \"aws:\" or \"slurm-on-aws:\" are not yours to set"},
    {"a socket path that is too long",
     AND("\"control\":{\"socket\":\"/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\"}"),
     "control.socket: expected a path of at most 107 bytes, got one of 110"},
    {"a secret where none belongs",
     CLUSTER "\"aws\":{\"region\":\"r\",\"secret_access_key\":\"x\"}," QUEUE "}",
     "aws.secret_access_key: unknown key; known here: region, profile, ca_file, endpoints, connect_to, request_timeout"},
};

static void
refusals_say_what_was_expected(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        enum rc_err err = load(refusals[i].text);
        const char *said = strstr(errs.line[0], ": ");
        rc_case(err == RC_E_INVALID && said && strcmp(said + 2, refusals[i].want) == 0 &&
                    !*config.cluster.name,
                refusals[i].name, "%s", errs.line[0]);
    }
}

static enum rc_err
load_quietly(const char *text, size_t len, struct rc_load_errors *ret_errs)
{
    return rc_config_load("c.json", text, len, &config, ret_errs);
}

static void
every_key_refuses_a_wrong_value(void)
{
    table_try_wrong_values(rc_config_table(), "c.json", load_quietly);
}

/* A row of docs/configuration.md, made of the table's row. */
static void
check_guide(const struct rc_bind_row *row, const char *path, void *arg)
{
    const char *guide = arg;
    char want[1024];
    char what[RC_LOAD_ERROR_LEN];
    bool is_text =
        row->type != RC_BIND_UINT32 && row->type != RC_BIND_UINT64 && row->type != RC_BIND_BOOL;
    const char *quote = is_text ? "\"" : "";

    if (row->type == RC_BIND_OBJECT || row->type == RC_BIND_IGNORED) {
        return;
    }
    rc_bind_what(row, what, sizeof what);
    if (!row->fallback) {
        snprintf(want, sizeof want, "| `%s` | %s | %s | must be given |\n", path, row->help, what);
    } else {
        snprintf(want, sizeof want, "| `%s` | %s | %s | %s%s%s%s%s |\n", path, row->help, what,
                 *row->fallback ? "`" : "", *row->fallback ? quote : "", row->fallback,
                 *row->fallback ? quote : "", *row->fallback ? "`" : "");
    }
    if (!strstr(guide, want)) {
        rc_case(false, path, "docs/configuration.md lacks the row %s", want);
    }
}

static void
guide_has_every_key(void)
{
    char *guide = rc_test_read_file("docs/configuration.md", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(guide);
    table_walk(rc_config_table(), check_guide, guide);
    free(guide);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the example loads", the_example_loads},
        {"a minimal file gets every default", a_minimal_file_gets_every_default},
        {"every part is read", every_part_is_read},
        {"relative paths start at the folder of the file",
         relative_paths_start_at_the_folder_of_the_file},
        {"refusals say what was expected", refusals_say_what_was_expected},
        {"every key refuses a wrong value", every_key_refuses_a_wrong_value},
        {"the guide has every key as the table has it", guide_has_every_key},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("config", tests);
}
