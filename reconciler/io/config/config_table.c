/* config_table.c - every key of the daemon's configuration: one row a key (policies/bind.h).
 * docs/configuration.md has the same rows for people; a test compares the two. */
#include <stddef.h>

#include "reconciler/io/config/config_rules.h"

#define SECOND     INT64_C(1000)
#define MINUTE     (60 * SECOND)
#define HOUR       (60 * MINUTE)
#define MIB        (INT64_C(1) << 20)
#define ROWS(list) .rows = (list), .count = sizeof(list) / sizeof *(list)

static const char *
name_of_capacity(uint32_t value)
{
    static const char *const names[] = {[RC_CAPACITY_OPEN] = "open",
                                        [RC_CAPACITY_RESERVED] = "reserved",
                                        [RC_CAPACITY_BLOCK] = "block"};
    return names[value];
}

static const char *
name_of_store(uint32_t value)
{
    static const char *const names[] = {[RC_STORE_FILE] = "file", [RC_STORE_DYNAMODB] = "dynamodb"};
    return names[value];
}

static const char *
name_of_host_keys(uint32_t value)
{
    static const char *const names[] = {
        [RC_HOST_KEYS_CONSOLE] = "console", [RC_HOST_KEYS_FILE] = "file"};
    return names[value];
}

static const char *
name_of_level(uint32_t value)
{
    return rc_log_level_name((enum rc_log_level)value);
}

static const struct rc_bind_names capacity_names = {name_of_capacity, 0, RC_CAPACITY__MAX};
static const struct rc_bind_names store_names = {name_of_store, 0, RC_STORE__MAX};
static const struct rc_bind_names host_keys_names = {name_of_host_keys, 0, RC_HOST_KEYS__MAX};
static const struct rc_bind_names level_names = {name_of_level, 0, RC_LOG__MAX};

/* clang-format off */
#define FIELD(k, t, s, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)
#define NUMBER(k, s, f, low, high, d, h) \
    {FIELD(k, RC_BIND_UINT32, s, f), .min = (low), .max = (high), .fallback = (d), .help = (h)}
#define LARGE(k, s, f, low, high, d, h) \
    {FIELD(k, RC_BIND_UINT64, s, f), .min = (low), .max = (high), .fallback = (d), .help = (h)}
#define TIME(k, s, f, low, high, d, h) \
    {FIELD(k, RC_BIND_DURATION, s, f), .min = (low), .max = (high), .fallback = (d), .help = (h)}
#define SWITCH(k, s, f, d, h) {FIELD(k, RC_BIND_BOOL, s, f), .fallback = (d), .help = (h)}
#define STRING(t, k, s, f, d, h) \
    {FIELD(k, t, s, f), .room = sizeof((struct s *)0)->f, .fallback = (d), .help = (h)}
#define TEXT(k, s, f, d, h)  STRING(RC_BIND_TEXT, k, s, f, d, h)
#define NAMED(k, s, f, d, h) STRING(RC_BIND_NAME, k, s, f, d, h)
#define PATH(k, s, f, d, h)  STRING(RC_BIND_PATH, k, s, f, d, h)
#define CHOICE(k, s, f, n, d, h) \
    {FIELD(k, RC_BIND_ENUM, s, f), .names = (n), .fallback = (d), .help = (h)}
#define PART(k, s, f, t, d, h) \
    {FIELD(k, RC_BIND_OBJECT, s, f), .sub = (t), .fallback = (d), .help = (h)}
#define LIST(t, k, s, f, n, low, high, table, d, h) \
    {FIELD(k, t, s, f), .room = sizeof((struct s *)0)->f[0], .min = (low), .max = (high), .count_offset = offsetof(struct s, n), .sub = (table), .fallback = (d), .help = (h)}

static const struct rc_bind_row option_rows[] = {
    NAMED("subnet",      rc_launch_option, subnet, NULL, "subnet id"),
    NAMED("zone",        rc_launch_option, az, NULL, "the subnet's availability zone, such as us-east-1a"),
    NAMED("type",        rc_launch_option, type, "", "instance type; not given = as the launch template says"),
    NAMED("reservation", rc_launch_option, reservation, "", "Capacity Reservation or Capacity Block id"),
    SWITCH("capacity_block", rc_launch_option, capacity_block, "false", "true = the reservation is a Capacity Block"),
    NAMED("template",    rc_launch_option, template_id, "", "launch template id for this option; not given = the group's"),
    NUMBER("template_version", rc_launch_option, template_version, 0, UINT32_MAX, "0", "its pinned version"),
    SWITCH("subnet_in_template", rc_launch_option, subnet_in_template, "false", "true = the template's network interfaces name the subnet (EFA): EC2 refuses it in the call"),
};
static const struct rc_bind_table option_table = {ROWS(option_rows), rc_config_check_option};

static const struct rc_bind_row group_rows[] = {
    NAMED("name",             rc_group, name, NULL, "the group's name"),
    TEXT("nodes",             rc_group, nodes, NULL, "the Slurm nodes of the group, such as gpu-[1-16]"),
    NAMED("template",         rc_group, template_id, NULL, "launch template id"),
    NUMBER("template_version",rc_group, template_version, 1, UINT32_MAX, NULL, "its pinned version: a number, never $Latest"),
    TEXT("placement_group",   rc_group, placement, "", "cluster placement group of the instances"),
    CHOICE("capacity",        rc_group, capacity, &capacity_names, "open", "open: launch first, terminate after; reserved, block: a slot must be freed first"),
    LIST(RC_BIND_OBJECTS, "launch", rc_group, option, option_count, 1, RC_OPTIONS_MAX, &option_table, NULL, "where a replacement may be launched, tried in this order"),
};
static const struct rc_bind_table group_table = {ROWS(group_rows), rc_config_check_group};

static const struct rc_bind_row cluster_rows[] = {
    NAMED("name",       rc_cluster, name, NULL, "the cluster's name, in the tags of its instances"),
    NUMBER("nodes_max", rc_cluster, nodes_max, 1, 262144, "16384", "room for so many nodes"),
    LIST(RC_BIND_OBJECTS, "groups", rc_cluster, group, group_count, 1, RC_GROUPS_MAX, &group_table, NULL, "nodes of one kind"),
};
static const struct rc_bind_table cluster_table = {ROWS(cluster_rows), rc_config_check_cluster};

static const struct rc_bind_row endpoint_rows[] = {
    TEXT("all",        rc_config_endpoints, all, "", "for every service that has no URL of its own here"),
    TEXT("ec2",        rc_config_endpoints, ec2, "", "URL of EC2"),
    TEXT("sqs",        rc_config_endpoints, sqs, "", "URL of SQS"),
    TEXT("dynamodb",   rc_config_endpoints, dynamodb, "", "URL of DynamoDB"),
    TEXT("cloudwatch", rc_config_endpoints, cloudwatch, "", "URL of CloudWatch"),
    TEXT("sts",        rc_config_endpoints, sts, "", "URL of STS"),
    TEXT("s3",         rc_config_endpoints, s3, "", "URL of S3"),
    TEXT("imds",       rc_config_endpoints, imds, "", "URL of the instance metadata service"),
};
static const struct rc_bind_table endpoint_table = {ROWS(endpoint_rows), rc_config_check_endpoints};

/* aws and lease have values in the core's part too, so their tables start at the whole. */
static const struct rc_bind_row aws_rows[] = {
    NAMED("region",         rc_config, cluster.region, NULL, "the region, such as us-east-1"),
    NAMED("profile",        rc_config, aws.profile, "", "profile of the shared credentials file"),
    PATH("ca_file",         rc_config, aws.ca_file, "", "certificates to trust, PEM; not given = the system's"),
    PART("endpoints",       rc_config, aws.endpoint, &endpoint_table, "", "other addresses than the region's own; the environment's AWS_ENDPOINT_URL_… count too"),
    TEXT("connect_to",      rc_config, aws.connect_to, "", "HOST:PORT:TO-HOST:TO-PORT, a proxy in between, as curl --connect-to"),
    TIME("request_timeout", rc_config, aws.request_timeout_ms, SECOND, 5 * MINUTE, "10s", "one request that changes something; a successor waits so long after the lease of a lost leader has ended"),
};
static const struct rc_bind_table aws_table = {ROWS(aws_rows), NULL};

static const struct rc_bind_row queue_rows[] = {
    TEXT("url",        rc_config_queue, url, NULL, "URL of the SQS queue that EventBridge writes to"),
    TIME("wait",       rc_config_queue, wait_ms, 0, 20 * SECOND, "20s", "long poll, whole seconds"),
    TIME("visibility", rc_config_queue, visibility_ms, SECOND, 12 * HOUR, "2m", "a message that was taken and not deleted comes again after this; whole seconds"),
    NUMBER("receives", rc_config_queue, receives, 1, 16, "2", "ReceiveMessage calls at once"),
    PATH("quarantine", rc_config_queue, quarantine, "/var/lib/slurm-on-aws/quarantine.jsonl", "file for messages that cannot be read"),
};
static const struct rc_bind_table queue_table = {ROWS(queue_rows), rc_config_check_queue};

static const struct rc_bind_row reader_rows[] = {
    PATH("program", rc_config_command, program, RC_CONFIG_HELPER, "program that speaks the helper protocol"),
    LIST(RC_BIND_TEXTS, "args", rc_config_command, arg, arg_count, 0, RC_CONFIG_ARGS_MAX, NULL, "", "its arguments; not given = --role reader"),
};
static const struct rc_bind_table reader_table = {ROWS(reader_rows), NULL};
static const struct rc_bind_row writer_rows[] = {
    PATH("program", rc_config_command, program, RC_CONFIG_HELPER, "program that speaks the helper protocol"),
    LIST(RC_BIND_TEXTS, "args", rc_config_command, arg, arg_count, 0, RC_CONFIG_ARGS_MAX, NULL, "", "its arguments; not given = --role writer"),
};
static const struct rc_bind_table writer_table = {ROWS(writer_rows), NULL};
static const struct rc_bind_row registrar_rows[] = {
    PATH("program", rc_config_command, program, RC_CONFIG_REGISTRAR, "program that edits slurm.conf, topology.conf and hosts"),
    LIST(RC_BIND_TEXTS, "args", rc_config_command, arg, arg_count, 0, RC_CONFIG_ARGS_MAX, NULL, "", "its arguments"),
};
static const struct rc_bind_table registrar_table = {ROWS(registrar_rows), NULL};

static const struct rc_bind_row slurm_rows[] = {
    PATH("conf",            rc_config_slurm, conf, "/etc/slurm/slurm.conf", "slurm.conf of the controller"),
    PATH("topology",        rc_config_slurm, topology, "", "topology.conf; not given = none"),
    PATH("hosts",           rc_config_slurm, hosts, "", "hosts file with our block, such as /etc/hosts; not given = none"),
    PATH("log",             rc_config_slurm, log, "", "log file of slurmctld, watched as a hint to poll sooner; never parsed"),
    PATH("poke_socket",     rc_config_slurm, poke_socket, "", "datagram socket for trigger programs, a hint to poll sooner"),
    PART("reader",          rc_config_slurm, reader, &reader_table, "", "helper that reads from slurmctld"),
    PART("writer",          rc_config_slurm, writer, &writer_table, "", "helper that changes slurmctld's state"),
    PART("registrar",       rc_config_slurm, registrar, &registrar_table, "", "helper that edits the files"),
    TIME("request_timeout", rc_config_slurm, request_timeout_ms, SECOND, 10 * MINUTE, "30s", "a helper that is silent so long is started again"),
};
static const struct rc_bind_table slurm_table = {ROWS(slurm_rows), NULL};

static const struct rc_bind_row hand_rows[] = {
    PATH("program", rc_config_command, program, RC_CONFIG_HAND, "program that speaks the helper protocol"),
    LIST(RC_BIND_TEXTS, "args", rc_config_command, arg, arg_count, 0, RC_CONFIG_ARGS_MAX, NULL, "", "its arguments: --state-dir StateSaveLocation, …"),
};
static const struct rc_bind_table hand_table = {ROWS(hand_rows), NULL};
static const struct rc_bind_row host_rows[] = {
    NAMED("host", rc_controller_spec, host, NULL, "name in SlurmctldHost, and node name in the tags of its instances"),
};
static const struct rc_bind_table host_table = {ROWS(host_rows), NULL};
static const struct rc_bind_row controllers_rows[] = {
    LIST(RC_BIND_OBJECTS, "hosts", rc_config, cluster.controller, cluster.controller_count, 0, RC_CONTROLLERS_MAX, &host_table, "", "both, in the order of slurm.conf; not given = no fail-over"),
    PART("helper",          rc_config, controllers.helper, &hand_table, "", "the hand on slurmctld of this host"),
    TEXT("listen",          rc_config, controllers.listen, "0.0.0.0:6825", "address and port of the link between the two daemons; the port is the same on both"),
    PATH("key",             rc_config, controllers.key, "/etc/slurm-on-aws/peer.key", "file with at least 32 secret bytes, the same on both, readable by its owner only"),
    PATH("instance_file",   rc_config, controllers.instance_file, "/var/lib/cloud/data/instance-id", "file with this host's instance id"),
    TIME("probe",           rc_config, controllers.probe_ms, 100, MINUTE, "1s", "how often each slurmctld is asked"),
    NAMED("template",       rc_config, cluster.controllers.template_id, "", "launch template of a controller; not given = a lost one is left to a person"),
    NUMBER("template_version", rc_config, cluster.controllers.template_version, 0, UINT32_MAX, "0", "its pinned version"),
    LIST(RC_BIND_OBJECTS, "launch", rc_config, cluster.controllers.option, cluster.controllers.option_count, 0, RC_OPTIONS_MAX, &option_table, "", "where one may be launched; its own zone is tried first"),
};
static const struct rc_bind_table controllers_table = {ROWS(controllers_rows), rc_config_check_controllers};

static const struct rc_bind_row journal_rows[] = {
    PATH("dir",             rc_config_journal, dir, "/var/lib/slurm-on-aws/journal", "folder of the journal"),
    LARGE("segment_bytes",  rc_config_journal, segment_bytes, MIB, 1024 * MIB, "67108864", "a new file is begun at this size"),
    LARGE("keep_bytes",     rc_config_journal, keep_bytes, 2 * MIB, INT64_C(1048576) * MIB, "1073741824", "old files are deleted above this"),
    NUMBER("keep_segments", rc_config_journal, keep_segments, 2, 10000, "8", "or when there are more than so many"),
};
static const struct rc_bind_table journal_table = {ROWS(journal_rows), NULL};

static const struct rc_bind_row lease_rows[] = {
    CHOICE("kind", rc_config, lease.kind, &store_names, "file", "file: one controller; dynamodb: two controllers"),
    PATH("path",   rc_config, lease.path, "/var/lib/slurm-on-aws/lease.json", "the file, for kind file"),
    NAMED("table", rc_config, lease.table, "", "the table, for kind dynamodb"),
    NAMED("owner", rc_config, lease.owner, "", "who we are; not given = the host name"),
    TIME("term",   rc_config, lease.term_ms, SECOND, 10 * MINUTE, "30s", "a lease that is not renewed ends after this"),
    TIME("margin", rc_config, cluster.lease_margin_ms, 100, 5 * MINUTE, "5s", "no request is sent in the last part of a lease"),
};
static const struct rc_bind_table lease_table = {ROWS(lease_rows), rc_config_check_lease};

static const struct rc_bind_row incidents_rows[] = {
    CHOICE("kind", rc_config_incidents, kind, &store_names, "file", "file: one controller; dynamodb: two controllers"),
    PATH("path",   rc_config_incidents, path, "/var/lib/slurm-on-aws/incidents", "the folder, for kind file"),
    NAMED("table", rc_config_incidents, table, "", "the table, for kind dynamodb"),
};
static const struct rc_bind_table incidents_table = {ROWS(incidents_rows), rc_config_check_incidents};

static const struct rc_bind_row poll_rows[] = {
    TIME("instances",        rc_config_poll, instances_ms, SECOND, HOUR, "1m", "DescribeInstances, all of ours"),
    TIME("status",           rc_config_poll, status_ms, SECOND, HOUR, "1m", "DescribeInstanceStatus, all of ours"),
    TIME("slurm",            rc_config_poll, slurm_ms, 100, HOUR, "10s", "all nodes from slurmctld"),
    TIME("slurm_open",       rc_config_poll, slurm_open_ms, 100, HOUR, "1s", "one node with an open incident"),
    NUMBER("slurm_open_max", rc_config_poll, slurm_open_max, 1, 1000, "20", "such single reads a second, all together"),
};
static const struct rc_bind_table poll_table = {ROWS(poll_rows), NULL};

static const struct rc_bind_row control_rows[] = {
    PATH("socket", rc_config_control, socket, "/run/slurm-on-aws/control.sock", "Unix socket for reconcilectl"),
    {FIELD("mode", RC_BIND_MODE, rc_config_control, mode), .min = 0, .max = 0777, .fallback = "0660", .help = "its permission bits: who may write to it may command"},
    NAMED("group", rc_config_control, group, "", "its group; not given = the daemon's own"),
};
static const struct rc_bind_table control_table = {ROWS(control_rows), NULL};

static const struct rc_bind_row metrics_rows[] = {
    TEXT("listen", rc_config, metrics_listen, "127.0.0.1:9464", "address:port for Prometheus; \"\" = off"),
    TEXT("cloudwatch", rc_config, metrics_namespace, "", "namespace of CloudWatch in which leader and standby put what alarms need, each minute; not given = off"),
};
static const struct rc_bind_table metrics_table = {ROWS(metrics_rows), NULL};
static const struct rc_bind_row log_rows[] = {
    PATH("file",    rc_config, log_file, "", "not given = standard error"),
    CHOICE("level", rc_config, log_level, &level_names, "info", "the least that is written"),
};
static const struct rc_bind_table log_table = {ROWS(log_rows), NULL};

static const struct rc_bind_row ssh_rows[] = {
    NAMED("user",        rc_config_ssh, user, "slurm-on-aws", "user on the nodes"),
    PATH("key",          rc_config_ssh, key, "", "private key file; not given = no ssh probe can be made"),
    NUMBER("port",       rc_config_ssh, port, 1, 65535, "22", "port of sshd on the nodes"),
    CHOICE("host_keys",  rc_config_ssh, host_keys, &host_keys_names, "console", "where a node's host key is known from: its console output, or known_hosts"),
    PATH("known_hosts",  rc_config_ssh, known_hosts, "", "the file, for host_keys file"),
    TIME("timeout",      rc_config_ssh, timeout_ms, 100, 5 * MINUTE, "10s", "to connect and sign in"),
};
static const struct rc_bind_table ssh_table = {ROWS(ssh_rows), rc_config_check_ssh};

static const struct rc_bind_row forensics_rows[] = {
    PATH("dir",           rc_config_forensics, dir, "", "folder of the bundles, one an incident; not given = forensics in state_dir"),
    TEXT("s3",            rc_config_forensics, s3, "", "s3://bucket/prefix: every bundle is copied there too, retried until it is; not given = nowhere"),
    LARGE("bundle_bytes", rc_config_forensics, bundle_bytes, 64 * 1024, 64 * MIB, "4194304", "a bundle is cut at this size, compressed"),
    NUMBER("keep",        rc_config_forensics, keep, 1, 4096, "200", "bundles; the oldest go"),
    SWITCH("bug_report",  rc_config_forensics, bug_report, "false", "true = nvidia-bug-report.sh too: minutes, and it talks to a GPU that may hang"),
};
static const struct rc_bind_table forensics_table = {ROWS(forensics_rows), rc_config_check_forensics};

static const struct rc_bind_row tag_rows[] = {
    TEXT("key",   rc_config_tag, key, NULL, "tag key"),
    TEXT("value", rc_config_tag, value, "", "tag value"),
};
static const struct rc_bind_table tag_table = {ROWS(tag_rows), rc_config_check_tag};

static const struct rc_bind_row config_rows[] = {
    {.key = "$schema", .type = RC_BIND_IGNORED, .room = 256, .fallback = "", .help = "for editors only"},
    PART("cluster",   rc_config, cluster, &cluster_table, NULL, "who we are and where replacements may be launched"),
    {.key = "aws", .type = RC_BIND_OBJECT, .sub = &aws_table, .fallback = NULL, .help = "the region, and how AWS is reached"},
    PART("queue",     rc_config, queue, &queue_table, NULL, "where the events come from"),
    PATH("policy",    rc_config, policy, "/etc/slurm-on-aws/policy.json", "the policy file (policies/README.md)"),
    PATH("state_dir", rc_config, state_dir, "/var/lib/slurm-on-aws", "folder for what must outlive a restart"),
    PART("slurm",     rc_config, slurm, &slurm_table, "", "Slurm's files and the helpers that talk to it"),
    {.key = "controllers", .type = RC_BIND_OBJECT, .sub = &controllers_table, .fallback = "", .help = "fail-over of slurmctld between two controllers"},
    PART("journal",   rc_config, journal, &journal_table, "", "what was heard and decided, written before it is done"),
    {.key = "lease", .type = RC_BIND_OBJECT, .sub = &lease_table, .fallback = "", .help = "the right to act"},
    PART("incidents", rc_config, incidents, &incidents_table, "", "open incidents, as the other controller must find them"),
    PART("poll",      rc_config, poll, &poll_table, "", "how often the world is looked at"),
    PART("control",   rc_config, control, &control_table, "", "the socket of reconcilectl"),
    {.key = "metrics", .type = RC_BIND_OBJECT, .sub = &metrics_table, .fallback = "", .help = "Prometheus metrics over HTTP"},
    {.key = "log", .type = RC_BIND_OBJECT, .sub = &log_table, .fallback = "", .help = "the log, JSON lines"},
    PART("ssh",       rc_config, ssh, &ssh_table, "", "how the gate, GPU resets and forensics reach a node"),
    PART("forensics", rc_config, forensics, &forensics_table, "", "evidence that is kept of a fault before a repair destroys it"),
    LARGE("seed",     rc_config, seed, 0, INT64_MAX, "0", "seed of the random jitter; 0 = drawn at start"),
    LIST(RC_BIND_MAP, "tags", rc_config, tag, tag_count, 0, RC_CONFIG_TAGS_MAX, &tag_table, "", "tags put on launched instances, besides our own"),
};
/* clang-format on */

static const struct rc_bind_table config_table = {ROWS(config_rows), rc_config_check_whole};

const struct rc_bind_table *
rc_config_table(void)
{
    return &config_table;
}
