/* load_table.c - every key of a policy file: one row a key. See bind.h for the columns. */
#include <stddef.h>

#include "policies/load_rules.h"
#include "reconciler/core/controller.h"
#include "reconciler/core/policy.h"

enum {
    SUSPECT_JOBS_MAX = 8,
    /* so many the core remembers of a node */ COUNT_MAX = 100000,
    PER_HOUR_MAX = 512,
    RUNG_ATTEMPTS_MAX = 10
};

#define MS(n)      INT64_C(n)
#define SECOND     MS(1000)
#define MINUTE     (60 * SECOND)
#define HOUR       (60 * MINUTE)
#define DAY        (24 * HOUR)
#define ROWS(list) .rows = (list), .count = sizeof(list) / sizeof *(list)

static const char *
name_of_fault(uint32_t value)
{
    return rc_fault_name((enum rc_fault)value);
}

static const char *
name_of_rung(uint32_t value)
{
    return rc_rung_name((enum rc_rung_kind)value);
}

static const char *
name_of_jobs_mode(uint32_t value)
{
    static const char *const names[] = {
        [RC_JOBS_WAIT] = "wait", [RC_JOBS_SIGNAL] = "signal", [RC_JOBS_REQUEUE] = "requeue"};
    return names[value];
}

static const char *
name_of_launch_when(uint32_t value)
{
    static const char *const names[] = {[RC_LAUNCH_IDLE] = "idle",
                                        [RC_LAUNCH_AT_ONCE] = "at-once",
                                        [RC_LAUNCH_BEFORE_DRAIN] = "before-drain"};
    return names[value];
}

static const char *
name_of_order(uint32_t value)
{
    static const char *const names[] = {[RC_ORDER_AUTO] = "auto",
                                        [RC_ORDER_LAUNCH_FIRST] = "launch-first",
                                        [RC_ORDER_STOP_FIRST] = "stop-first"};
    return names[value];
}

static const char *
name_of_repeats_of(uint32_t value)
{
    static const char *const names[] = {
        [RC_REPEATS_OF_NODE] = "node", [RC_REPEATS_OF_INSTANCE] = "instance"};
    return names[value];
}

static const char *
name_of_same_job(uint32_t value)
{
    static const char *const names[] = {
        [RC_SAME_JOB_COUNTS] = "counts", [RC_SAME_JOB_FREE] = "free"};
    return names[value];
}

/* Numbers of x86-64 and arm64 Linux (signal(7)); a fixed table, so that a policy means the
 * same wherever it is read. KILL and STOP cannot be caught and are of no use here. */
static const char *
name_of_signal(uint32_t value)
{
    static const char *const names[RC_SIGNALS_MAX] = {
        [0] = "none",  [1] = "HUP",   [2] = "INT",   [3] = "QUIT", [10] = "USR1",
        [12] = "USR2", [15] = "TERM", [18] = "CONT", [23] = "URG"};
    return names[value];
}

static const struct rc_bind_names fault_names = {name_of_fault, RC_FAULT_NONE + 1, RC_FAULT__MAX};
static const struct rc_bind_names rung_names = {name_of_rung, RC_RUNG_NONE + 1, RC_RUNG__MAX};
static const struct rc_bind_names jobs_names = {name_of_jobs_mode, 0, RC_JOBS__MAX};
static const struct rc_bind_names launch_names = {name_of_launch_when, 0,
                                                  RC_LAUNCH_BEFORE_DRAIN + 1};
static const struct rc_bind_names order_names = {name_of_order, 0, RC_ORDER_STOP_FIRST + 1};
static const struct rc_bind_names repeats_names = {name_of_repeats_of, 0,
                                                   RC_REPEATS_OF_INSTANCE + 1};
static const struct rc_bind_names same_job_names = {name_of_same_job, 0, RC_SAME_JOB_FREE + 1};
static const struct rc_bind_names signal_names = {name_of_signal, 0, RC_SIGNALS_MAX};

/* clang-format off */
#define NUMBER(k, s, f, low, high, d, h) \
    {.key = (k), .type = RC_BIND_UINT32, .offset = offsetof(struct s, f), .min = (low), .max = (high), .fallback = (d), .help = (h)}
#define SHARE(k, s, f, d, h) \
    {.key = (k), .type = RC_BIND_SHARE, .offset = offsetof(struct s, f), .min = 0, .max = 1000, .fallback = (d), .help = (h)}
#define TIME(k, s, f, low, high, d, h) \
    {.key = (k), .type = RC_BIND_DURATION, .offset = offsetof(struct s, f), .min = (low), .max = (high), .fallback = (d), .help = (h)}
#define SWITCH(k, s, f, d, h) \
    {.key = (k), .type = RC_BIND_BOOL, .offset = offsetof(struct s, f), .fallback = (d), .help = (h)}
#define TEXT(k, s, f, d, h) \
    {.key = (k), .type = RC_BIND_TEXT, .offset = offsetof(struct s, f), .room = sizeof((struct s *)0)->f, .min = 0, .fallback = (d), .help = (h)}
#define NAMED(k, s, f, d, h) \
    {.key = (k), .type = RC_BIND_NAME, .offset = offsetof(struct s, f), .room = sizeof((struct s *)0)->f, .min = 1, .fallback = (d), .help = (h)}
#define CHOICE(k, s, f, n, d, h) \
    {.key = (k), .type = RC_BIND_ENUM, .offset = offsetof(struct s, f), .names = (n), .fallback = (d), .help = (h)}
#define PART(k, s, f, t, d, h) \
    {.key = (k), .type = RC_BIND_OBJECT, .offset = offsetof(struct s, f), .sub = (t), .fallback = (d), .help = (h)}

/* One table for each scope's default would say everything three times: a scope that is not
 * given has the same limit as the cluster in the shipped policy. */
static const struct rc_bind_row limit_rows[] = {
    NUMBER("count", rc_limit, count,    0, COUNT_MAX, "2", "so many nodes are always allowed, however small the pool"),
    SHARE("share",  rc_limit, permille, "5%", "this share of the pool's nodes is allowed when it is more than count"),
};
static const struct rc_bind_table limit_table = {ROWS(limit_rows), NULL};

/* A job never loses less than one node, nor are fewer than one job ever cut short. */
static const struct rc_bind_row of_job_rows[] = {
    NUMBER("count", rc_limit, count,    1, COUNT_MAX, "2", "so many nodes of one job are always allowed, however small the job"),
    SHARE("share",  rc_limit, permille, "10%", "this share of the job's nodes is allowed when it is more than count"),
};
static const struct rc_bind_table of_job_table = {ROWS(of_job_rows), NULL};
static const struct rc_bind_row jobs_limit_rows[] = {
    NUMBER("count", rc_limit, count,    1, COUNT_MAX, "4", "so many jobs are always allowed, however few run"),
    SHARE("share",  rc_limit, permille, "5%", "this share of the running jobs is allowed when it is more than count"),
};
static const struct rc_bind_table jobs_limit_table = {ROWS(jobs_limit_rows), NULL};
static const struct rc_bind_row aside_rows[] = {
    NUMBER("count", rc_limit, count,    0, COUNT_MAX, "0", "so many of a scope's nodes in quarantine do not count as out"),
    SHARE("share",  rc_limit, permille, "0%", "this share of the scope's nodes, when it is more than count"),
};
static const struct rc_bind_table aside_table = {ROWS(aside_rows), NULL};

static const struct rc_bind_row spares_rows[] = {
    NUMBER("count", rc_limit, count,    0, RC_SPARES_MAX, "0", "so many spares for each group of nodes"),
    SHARE("share",  rc_limit, permille, "0%", "this share of the group's nodes, when it is more than count; 32 at most"),
};
static const struct rc_bind_table spares_table = {ROWS(spares_rows), NULL};

#define OUT(scope) offsetof(struct rc_limits_policy, out[scope])
static const struct rc_bind_row out_rows[] = {
    {.key = "cluster",   .type = RC_BIND_OBJECT, .offset = OUT(RC_SCOPE_CLUSTER),   .sub = &limit_table, .fallback = "", .help = "nodes of the whole cluster"},
    {.key = "partition", .type = RC_BIND_OBJECT, .offset = OUT(RC_SCOPE_PARTITION), .sub = &limit_table, .fallback = "", .help = "nodes of one partition"},
    {.key = "zone",      .type = RC_BIND_OBJECT, .offset = OUT(RC_SCOPE_ZONE),      .sub = &limit_table, .fallback = "", .help = "nodes of one availability zone"},
    PART("job", rc_limits_policy, out_of_job, &of_job_table, "", "nodes of one running job: more than that, and the job itself is suspect"),
};
static const struct rc_bind_table out_table = {ROWS(out_rows), NULL};

#define PER_HOUR(k, scope, d, h) \
    {.key = (k), .type = RC_BIND_UINT32, .offset = (scope) * sizeof(uint32_t), .min = 0, .max = PER_HOUR_MAX, .fallback = (d), .help = (h)}
static const struct rc_bind_row launches_rows[] = {
    PER_HOUR("cluster",   RC_SCOPE_CLUSTER,   "8", "launches an hour in the whole cluster, 0 = no limit"),
    PER_HOUR("partition", RC_SCOPE_PARTITION, "8", "launches an hour for one partition, 0 = no limit"),
    PER_HOUR("zone",      RC_SCOPE_ZONE,      "8", "launches an hour in one availability zone, 0 = no limit"),
};
static const struct rc_bind_table launches_table = {ROWS(launches_rows), NULL};
static const struct rc_bind_row destructive_rows[] = {
    PER_HOUR("cluster",   RC_SCOPE_CLUSTER,   "24", "reboots, stops, terminations and requeues an hour in the whole cluster, 0 = no limit"),
    PER_HOUR("partition", RC_SCOPE_PARTITION, "24", "the same for one partition, 0 = no limit"),
    PER_HOUR("zone",      RC_SCOPE_ZONE,      "24", "the same for one availability zone, 0 = no limit"),
};
static const struct rc_bind_table destructive_table = {ROWS(destructive_rows), NULL};

static const struct rc_bind_row attempts_rows[] = {
    NUMBER("max",    rc_limits_policy, attempts_max, 1, RC_ATTEMPTS_MAX, "3", "repairs of one node within the time below, then quarantine"),
    TIME("within",   rc_limits_policy, attempts_window_ms, MINUTE, 30 * DAY, "24h", "the time over which the repairs of a node are counted"),
    TIME("cooldown", rc_limits_policy, cooldown_ms, 0, 7 * DAY, "10m", "pause between two repairs of one node"),
};
static const struct rc_bind_table attempts_table = {ROWS(attempts_rows), NULL};

#define BREAKER_SHARE offsetof(struct rc_limits_policy, breaker) + offsetof(struct rc_limit, permille)
#define BREAKER_COUNT offsetof(struct rc_limits_policy, breaker) + offsetof(struct rc_limit, count)
static const struct rc_bind_row breaker_rows[] = {
    {.key = "count", .type = RC_BIND_UINT32, .offset = BREAKER_COUNT, .min = 1, .max = COUNT_MAX, .fallback = "5", .help = "more new incidents than this within the time below open the breaker"},
    {.key = "share", .type = RC_BIND_SHARE, .offset = BREAKER_SHARE, .min = 0, .max = 1000, .fallback = "5%", .help = "or more than this share of the nodes, when that is more than count"},
    TIME("within", rc_limits_policy, breaker_window_ms, SECOND, DAY, "10m", "the time over which new incidents are counted"),
    TIME("reset",  rc_limits_policy, breaker_reset_ms, 0, 7 * DAY, "1h", "closes itself after so long without a new fault; 0s = only by reconcilectl breaker reset"),
    SWITCH("off",  rc_limits_policy, breaker_off, "false", "true = no breaker: for tests only"),
};
static const struct rc_bind_table breaker_table = {ROWS(breaker_rows), NULL};

static const struct rc_bind_row limits_rows[] = {
    {.key = "out", .type = RC_BIND_OBJECT, .sub = &out_table, .fallback = "", .help = "nodes that may be out of service by us at once"},
    PART("jobs",                 rc_limits_policy, jobs, &jobs_limit_table, "", "running jobs that may be cut short by us at once, a job counted once however many nodes it stands on"),
    CHOICE("same_job",           rc_limits_policy, same_job, &same_job_names, "counts", "a node whose jobs have all lost a node to us already costs them nothing more: counts = it stands in out all the same; free = only in out.job"),
    PART("quarantine",           rc_limits_policy, quarantine, &aside_table, "", "nodes in quarantine that leave their place in out to others"),
    PART("spares",               rc_limits_policy, spares, &spares_table, "", "hot spares: running instances without a name, ready to take over one"),
    TIME("spacing",              rc_limits_policy, spacing_ms, 0, DAY, "0s", "between two nodes that are taken out by our choice"),
    PART("launches_per_hour",    rc_limits_policy, launches_per_hour, &launches_table, "", "new instances"),
    PART("destructive_per_hour", rc_limits_policy, destructive_per_hour, &destructive_table, "", "actions that can lose work"),
    {.key = "attempts", .type = RC_BIND_OBJECT, .sub = &attempts_table, .fallback = "", .help = "repairs of one node"},
    {.key = "breaker",  .type = RC_BIND_OBJECT, .sub = &breaker_table, .fallback = "", .help = "stops every destructive action when too much fails at once"},
    NUMBER("in_flight",          rc_limits_policy, in_flight_max, 1, 1024, "64", "actions in flight at once"),
};
static const struct rc_bind_table limits_table = {ROWS(limits_rows), NULL};

static const struct rc_bind_row timeouts_rows[] = {
    TIME("drain",         rc_timeouts_policy, drain_ms,    SECOND, DAY, "1m", "until a drain must be seen in slurmctld"),
    TIME("launch",        rc_timeouts_policy, launch_ms,   SECOND, DAY, "2m", "until RunInstances must have answered"),
    TIME("boot",          rc_timeouts_policy, boot_ms,     SECOND, DAY, "15m", "from the launch to running with an address"),
    TIME("register",      rc_timeouts_policy, register_ms, SECOND, DAY, "3m", "until slurmctld must show the new address"),
    TIME("join",          rc_timeouts_policy, join_ms,     SECOND, DAY, "20m", "from the new address to a registered slurmd"),
    TIME("gate",          rc_timeouts_policy, gate_ms,     SECOND, DAY, "5m", "for the health proof"),
    TIME("return",        rc_timeouts_policy, return_ms,   SECOND, DAY, "2m", "until the node must be seen in service"),
    TIME("stop",          rc_timeouts_policy, stop_ms,     SECOND, DAY, "20m", "until an instance must be seen stopped or terminated"),
    TIME("retry_min",     rc_timeouts_policy, retry_min_ms, 10, HOUR, "1s", "first pause before a failed action is tried again (with full jitter)"),
    TIME("retry_max",     rc_timeouts_policy, retry_max_ms, 10, DAY, "5m", "longest such pause"),
    TIME("missing",       rc_timeouts_policy, missing_ms,  SECOND, DAY, "5m", "an instance that is not listed so long, with its node silent, is gone"),
    TIME("capacity_wait", rc_timeouts_policy, capacity_wait_ms, SECOND, DAY, "5m", "pause after every launch option had no capacity"),
};

static const char *
name_of_probe(uint32_t value)
{
    return rc_gate_probe_name((enum rc_gate_probe)value);
}

static const struct rc_bind_names probe_names = {name_of_probe, 0, RC_GATE_PROBE__MAX};
static const struct rc_bind_row gate_type_rows[] = {
    {.key = "type", .type = RC_BIND_TEXT, .offset = offsetof(struct rc_gate_type, type), .room = RC_TYPE_LEN, .min = 1, .fallback = NULL, .help = "pattern on the instance type"},
    {.key = "probes", .type = RC_BIND_MASK, .offset = offsetof(struct rc_gate_type, probes), .names = &probe_names, .fallback = "", .help = "probes that are run over ssh; not given = none"},
    {.key = "must",   .type = RC_BIND_MASK, .offset = offsetof(struct rc_gate_type, must), .names = &probe_names, .fallback = "", .help = "of these probes: those that must be able to tell, so that a missing tool is not healthy"},
    NUMBER("dcgm_level", rc_gate_type, dcgm_level, 1, 4, "1", "dcgmi diag -r: 1 takes seconds, 2 up to ten minutes, 3 ten, 4 an hour or two"),
};
static const struct rc_bind_table gate_type_table = {ROWS(gate_type_rows), rc_policy_check_gate_type};

static const struct rc_bind_row gate_rows[] = {
    NUMBER("cpus_min", rc_gate_policy, cpus_min, 0, 4096, "0", "processors that slurmd must have registered; 0 = as slurm.conf says"),
    SWITCH("ssh",      rc_gate_policy, ssh, "true", "true = run the command below over ssh, with the host key pinned"),
    TEXT("command",    rc_gate_policy, command, "nvidia-smi -L", "the probe: exit status 0 passes"),
    {.key = "types", .type = RC_BIND_OBJECTS, .offset = offsetof(struct rc_gate_policy, type), .room = sizeof(struct rc_gate_type), .min = 0, .max = RC_GATE_TYPES_MAX, .count_offset = offsetof(struct rc_gate_policy, type_count), .sub = &gate_type_table, .fallback = "", .help = "more probes by instance type; the first entry whose pattern holds counts"},
};

static const struct rc_bind_row failover_rows[] = {
    NUMBER("max",  rc_controllers_policy, failovers_max, 1, RC_TAKEOVERS_MAX, "3", "fail-overs by ourselves within the time below; then a person must look"),
    TIME("within", rc_controllers_policy, failovers_window_ms, MINUTE, 30 * DAY, "1h", "the time over which they are counted"),
};
static const struct rc_bind_table failover_table = {ROWS(failover_rows), NULL};
static const struct rc_bind_row controllers_rows[] = {
    SWITCH("automatic", rc_controllers_policy, automatic, "true", "false = slurmctld is failed over by reconcilectl failover alone"),
    {.key = "failovers", .type = RC_BIND_OBJECT, .sub = &failover_table, .fallback = "", .help = "limit against flapping"},
    TIME("gone",      rc_controllers_policy, gone_ms,      0, HOUR, "500ms", "its process is gone on a host that answers, or it says that it is standby: so long may its unit restart it"),
    TIME("silent",    rc_controllers_policy, silent_ms,    SECOND, HOUR, "5s", "the primary does not serve, for whatever reason, before anything is done"),
    TIME("ailing",    rc_controllers_policy, ailing_ms,    SECOND, DAY, "30s", "it serves, but its host cannot write the state directory or has no munged, and the other one's can"),
    TIME("fence",     rc_controllers_policy, fence_ms,     SECOND, HOUR, "5s", "until the old primary's own host must have proved that it is gone; then its instance is forced off"),
    TIME("takeover",  rc_controllers_policy, takeover_ms,  SECOND, HOUR, "30s", "until the new primary must serve; then it is asked once more"),
    TIME("grace",     rc_controllers_policy, grace_ms,     0, HOUR, "10s", "a primary that is replaced by hand, or swapped back, may save its state so long"),
    TIME("lost",      rc_controllers_policy, lost_ms,      SECOND, DAY, "5m", "a backup that does not answer is left alone so long; then its instance is power-cycled"),
    NUMBER("restarts", rc_controllers_policy, restarts, 0, 8, "2", "power-cycles of a lost backup before a person is told; one that is terminated is launched anew at once"),
    SWITCH("swap_back", rc_controllers_policy, swap_back, "false", "true = the first controller is made primary again when it is well"),
    TIME("swap_back_after", rc_controllers_policy, swap_back_ms, SECOND, 30 * DAY, "15m", "when it has been well so long"),
};
static const struct rc_bind_table controllers_table = {ROWS(controllers_rows), NULL};
static const struct rc_bind_row company_rows[] = {
    NUMBER("count", rc_limit, count,    0, COUNT_MAX, "", "at least so many nodes"),
    SHARE("share",  rc_limit, permille, "", "and at least this share of the cluster"),
};
static const struct rc_bind_table company_table = {ROWS(company_rows), NULL};

static const struct rc_bind_row match_rows[] = {
    {.key = "fault", .type = RC_BIND_MASK, .offset = offsetof(struct rc_rule, fault_mask), .names = &fault_names, .fallback = "", .help = "one of these faults; not given = any"},
    NUMBER("repeats",      rc_rule, repeats_min, 1, RC_ATTEMPTS_MAX, "", "at least so many incidents of this node, this one included"),
    TIME("repeats_within", rc_rule, repeats_window_ms, MINUTE, 365 * DAY, "", "… within this time"),
    CHOICE("repeats_of",   rc_rule, repeats_of, &repeats_names, "node", "node: of the name, whichever instance had it; instance: only since this one was launched or started"),
    TIME("age_min",        rc_rule, age_min_ms, 0, 3650 * DAY, "", "the instance has run at least so long"),
    TIME("age_max",        rc_rule, age_max_ms, SECOND, 3650 * DAY, "", "the instance has run at most so long"),
    TEXT("code",           rc_rule, code, "", "pattern on the event's own code or the alarm's name"),
    TEXT("type",           rc_rule, type, "", "pattern on the instance type"),
    {.key = "partition", .type = RC_BIND_NAME, .offset = offsetof(struct rc_rule, partition), .room = RC_PARTITION_LEN, .min = 1, .fallback = "", .help = "the node's first partition"},
    TEXT("node",           rc_rule, node, "", "pattern on the node name"),
    SWITCH("told",         rc_rule, told, "false", "true = only what the node's agent tells without draining: it is certain of nothing"),
    NUMBER("per_hour",     rc_rule, per_hour, 1, COUNT_MAX, "", "told at least so often within an hour"),
    PART("company",        rc_rule, company, &company_table, "", "so many nodes show the same fault at once, or all of a small cluster: not the node's own"),
};

static const struct rc_bind_row jobs_rows[] = {
    CHOICE("mode",          rc_jobs_plan, mode, &jobs_names, "wait", "wait: until they end; signal: then wait; requeue: signal, wait at most wait, then requeue"),
    CHOICE("signal",        rc_jobs_plan, signal, &signal_names, "none", "signal to the job's processes as soon as the node is drained"),
    TIME("wait",            rc_jobs_plan, wait_ms, 0, 30 * DAY, "0s", "requeue: how long; wait, signal: an hour later a person is told, nothing is killed"),
    TIME("exclude",         rc_jobs_plan, exclude_ms, 0, 30 * DAY, "0s", "what was requeued does not start on this node again for so long"),
    TIME("before_deadline", rc_jobs_plan, before_deadline_ms, 0, DAY, "0s", "when AWS has set a deadline, requeue so long before it, whatever the mode; 0s = do not"),
    TIME("signal_before",   rc_jobs_plan, signal_before_ms, 0, DAY, "0s", "the signal once more so long before a requeue, so that what is saved is fresh; 0s = only with the drain"),
};
static const struct rc_bind_table jobs_table = {ROWS(jobs_rows), rc_policy_check_jobs};

static const struct rc_bind_row rung_rows[] = {
    CHOICE("rung",     rc_rung, kind, &rung_names, NULL, "what is tried"),
    NUMBER("attempts", rc_rung, attempts, 1, RUNG_ATTEMPTS_MAX, "1", "tries of this rung before the next"),
    TIME("pause",      rc_rung, pause_ms, 0, DAY, "0s", "before this rung is tried again"),
    TIME("timeout",    rc_rung, timeout_ms, SECOND, 30 * DAY, "1h", "watch: how long; reboot, power-cycle: until it is back. The steps of a replacement have their own (timeouts)"),
};
static const struct rc_bind_table rung_table = {ROWS(rung_rows), rc_policy_check_rung};

static const struct rc_bind_table match_table = {ROWS(match_rows), rc_policy_check_match};
static const struct rc_bind_row rule_rows[] = {
    NAMED("name", rc_rule, name, NULL, "the rule's name, shown by reconcilectl why"),
    {.key = "match", .type = RC_BIND_OBJECT, .sub = &match_table, .fallback = "", .help = "all of these must hold; nothing given = always"},
    SWITCH("ignore",  rc_rule, ignore, "false", "true = no incident at all"),
    SWITCH("tell",    rc_rule, tell, "false", "with ignore: a person is told once a day"),
    SWITCH("forensics", rc_rule, forensics, "false", "true = keep the evidence (a bundle of logs) before the first rung"),
    SWITCH("approve", rc_rule, approve, "false", "true = wait for reconcilectl approve before the first destructive rung"),
    TIME("confirm",   rc_rule, confirm_ms, 0, DAY, "0s", "the fault must stand so long before anything is done"),
    TIME("lead",      rc_rule, lead_ms, 0, 30 * DAY, "0s", "scheduled faults: drain so long before the window opens"),
    PART("jobs",      rc_rule, jobs, &jobs_table, "", "what happens to the node's jobs"),
    CHOICE("launch",  rc_rule, launch_when, &launch_names, "idle", "idle: the replacement is launched when the jobs have ended; at-once: with the drain; before-drain: the node serves until the replacement runs, or until a drain at the latest that leaves the jobs their wait before AWS's deadline"),
    CHOICE("order",   rc_rule, order, &order_names, "auto", "launch-first: the old instance is terminated when the new one serves; stop-first: its slot is freed first; auto: by the group's capacity, open = launch-first"),
    {.key = "ladder", .type = RC_BIND_OBJECTS, .offset = offsetof(struct rc_rule, rung), .room = sizeof(struct rc_rung), .min = 1, .max = RC_RUNGS_MAX, .count_offset = offsetof(struct rc_rule, rung_count), .sub = &rung_table, .fallback = "", .help = "rungs, tried in this order"},
};
static const struct rc_bind_table rule_table = {ROWS(rule_rows), rc_policy_check_rule};
static const struct rc_bind_table timeouts_table = {ROWS(timeouts_rows), rc_policy_check_timeouts};
static const struct rc_bind_table gate_table = {ROWS(gate_rows), rc_policy_check_gate};

#define WEIGHT(mark, k, d) \
    {.key = (k), .type = RC_BIND_UINT32, .offset = (mark) * sizeof(uint32_t), .min = 0, .max = 100, .fallback = (d), .help = "weight of a mark " k},
static const struct rc_bind_row weight_rows[] = {RC_MARKS(WEIGHT)};
static const struct rc_bind_table weight_table = {ROWS(weight_rows), NULL};
static const struct rc_bind_row lemon_rows[] = {
    TIME("within",       rc_lemon_policy, within_ms, DAY, RC_LEMON_DAYS * DAY, "28d", "marks older than this do not count"),
    NUMBER("faster",     rc_lemon_policy, faster, 0, COUNT_MAX, "0", "from this score of a host on no rung that stays on it is tried; 0 = never"),
    NUMBER("quarantine", rc_lemon_policy, quarantine, 0, COUNT_MAX, "0", "from this score of a node on, hosts that it has used up included, a person looks at it; 0 = never"),
    PART("weights",      rc_lemon_policy, weight, &weight_table, "", "what a mark counts"),
};
static const struct rc_bind_table lemon_table = {ROWS(lemon_rows), NULL};
static const struct rc_bind_row power_rows[] = {
    SWITCH("keep_slot",  rc_power_policy, keep_slot, "false", "true = unreserved capacity, which may not come back after a stop"),
    SWITCH("keep_disks", rc_power_policy, keep_disks, "false", "true = the data of the instance store"),
};
static const struct rc_bind_table power_table = {ROWS(power_rows), NULL};

static const struct rc_bind_row suspect_rows[] = {
    NUMBER("nodes",      rc_suspect_policy, nodes, 0, COUNT_MAX, "3", "so many nodes of one job show such a fault: it is the job; 0 = never"),
    TIME("within",       rc_suspect_policy, within_ms, SECOND, DAY, "10m", "in this time"),
    NUMBER("jobs",       rc_suspect_policy, jobs, 0, SUSPECT_JOBS_MAX, "3", "so many jobs had such a fault on one device of a node: it is the node; 0 = never"),
    TIME("jobs_within",  rc_suspect_policy, jobs_within_ms, MINUTE, 30 * DAY, "24h", "in this time"),
    SWITCH("hold",       rc_suspect_policy, hold, "true", "true = a suspect job does not start again without a person; it is not ended"),
};
static const struct rc_bind_table suspect_table = {ROWS(suspect_rows), NULL};

static const struct rc_bind_row policy_rows[] = {
    {.key = "$schema", .type = RC_BIND_IGNORED, .room = 256, .fallback = "", .help = "for editors only"},
    NAMED("name",    rc_policy, name, NULL, "the policy's name, shown in every report"),
    PART("limits",   rc_policy, limits, &limits_table, "", "what may be out, launched and destroyed at once"),
    PART("timeouts", rc_policy, timeouts, &timeouts_table, "", "how long a step may take before it counts as failed"),
    PART("gate",     rc_policy, gate, &gate_table, "", "the health proof before a node returns to service"),
    PART("lemon",    rc_policy, lemon, &lemon_table, "", "hosts that fail again and again: marks of the last days, weighted"),
    PART("power_cycle", rc_policy, power_cycle, &power_table, "", "what a power-cycle must not lose: where it would, it is a reboot"),
    PART("suspect",  rc_policy, suspect, &suspect_table, "", "faults that a program can cause: is it the job or the node"),
    PART("controllers", rc_policy, controllers, &controllers_table, "", "fail-over of slurmctld between the two controllers"),
    {.key = "rules", .type = RC_BIND_OBJECTS, .offset = offsetof(struct rc_policy, rule), .room = sizeof(struct rc_rule), .min = 1, .max = RC_RULES_MAX, .count_offset = offsetof(struct rc_policy, rule_count), .sub = &rule_table, .fallback = NULL, .help = "tried in order; the first whose conditions all hold is taken"},
};
/* clang-format on */

static const struct rc_bind_table policy_table = {ROWS(policy_rows), rc_policy_check_rules};

const struct rc_bind_table *
rc_policy_table(void)
{
    return &policy_table;
}
