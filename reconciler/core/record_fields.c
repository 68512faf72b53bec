/* record_fields.c - see record_fields.h.
 *
 * A name stands once in a kind, common fields included. Renaming one makes old
 * journals unreadable: add, do not rename. */
#include "reconciler/core/record_fields.h"

#include <stddef.h>

#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* clang-format off */
#define WORD_OF_3(id, name, third) [id] = name,
#define WORD_OF_4(id, name, third, fourth) [id] = name,

static const char *const event_kinds[] = {RC_EVENTS(WORD_OF_4)};
static const char *const action_kinds[] = {RC_ACTIONS(WORD_OF_4)};
static const char *const errors[] = {RC_ERRORS(WORD_OF_4)};
static const char *const faults[] = {RC_FAULTS(WORD_OF_3)};
static const char *const phases[] = {RC_PHASES(WORD_OF_3)};
static const char *const instance_states[] = {
    [RC_INST_UNKNOWN] = "unknown", [RC_INST_PENDING] = "pending",
    [RC_INST_RUNNING] = "running", [RC_INST_STOPPING] = "stopping",
    [RC_INST_STOPPED] = "stopped", [RC_INST_SHUTTING_DOWN] = "shutting-down",
    [RC_INST_TERMINATED] = "terminated"};
static const char *const checks[] = {
    [RC_CHECK_UNKNOWN] = "unknown", [RC_CHECK_OK] = "ok",
    [RC_CHECK_INITIALIZING] = "initializing", [RC_CHECK_IMPAIRED] = "impaired"};
static const char *const schedules[] = {
    [RC_SCHED_NONE] = "none", [RC_SCHED_REBOOT] = "reboot",
    [RC_SCHED_MAINTENANCE] = "maintenance", [RC_SCHED_STOP] = "stop",
    [RC_SCHED_RETIREMENT] = "retirement", [RC_SCHED_OTHER] = "other"};
static const char *const categories[] = {
    [RC_HEALTH_UNKNOWN] = "unknown", [RC_HEALTH_SCHEDULED_CHANGE] = "scheduled-change",
    [RC_HEALTH_ISSUE] = "issue", [RC_HEALTH_ACCOUNT_NOTIFICATION] = "account-notification",
    [RC_HEALTH_INVESTIGATION] = "investigation"};
static const char *const health_statuses[] = {
    [RC_HSTAT_UNKNOWN] = "unknown", [RC_HSTAT_OPEN] = "open",
    [RC_HSTAT_UPCOMING] = "upcoming", [RC_HSTAT_CLOSED] = "closed"};
static const char *const alarm_states[] = {
    [RC_ALARM_UNKNOWN] = "unknown", [RC_ALARM_OK] = "ok", [RC_ALARM_FIRING] = "firing"};
static const char *const instance_actions[] = {
    [RC_IACT_UNKNOWN] = "unknown", [RC_IACT_TERMINATE] = "terminate",
    [RC_IACT_STOP] = "stop", [RC_IACT_HIBERNATE] = "hibernate"};
static const char *const owners[] = {
    [RC_OWNER_UNKNOWN] = "unknown", [RC_OWNER_NONE] = "none", [RC_OWNER_OURS] = "ours",
    [RC_OWNER_SLURM] = "slurm", [RC_OWNER_FOREIGN] = "foreign"};
static const char *const sweeps[] = {
    [RC_SWEEP_UNKNOWN] = "unknown", [RC_SWEEP_INSTANCES] = "instances",
    [RC_SWEEP_STATUS] = "status", [RC_SWEEP_SLURM] = "slurm"};
static const char *const verdicts[] = {
    [RC_VERDICT_UNKNOWN] = "unknown", [RC_VERDICT_EVENTS] = "events",
    [RC_VERDICT_IGNORED] = "ignored", [RC_VERDICT_QUARANTINED] = "quarantined"};
static const char *const verbs[] = {
    [RC_OP_UNKNOWN] = "unknown", [RC_OP_HOLD] = "hold", [RC_OP_RELEASE] = "release",
    [RC_OP_APPROVE] = "approve", [RC_OP_PAUSE] = "pause", [RC_OP_RESUME] = "resume",
    [RC_OP_BREAKER_RESET] = "breaker-reset", [RC_OP_FAILOVER] = "failover"};
static const char *const modes[] = {RC_CTL_MODES(WORD_OF_3)};
static const char *const processes[] = {RC_CTL_PROCESSES(WORD_OF_3)};
static const char *const dirs[] = {RC_CTL_DIRS(WORD_OF_3)};
static const char *const failovers[] = {RC_FAILOVERS(WORD_OF_3)};
static const char *const causes[] = {RC_FO_CAUSES(WORD_OF_3)};
static const char *const proofs[] = {RC_PROOFS(WORD_OF_3)};
static const char *const tolds[] = {
    [RC_TOLD_NOT] = "not-told", [RC_TOLD_NO] = "no", [RC_TOLD_YES] = "yes"};
/* By bit, as the Slurm helper spells them. */
static const char *const slurm_flags[] = {
    "down", "drain", "fail", "allocated", "completing", "not_responding", "maint", "reserved",
    "reboot", "powering", "powered_down", "invalid_reg", "future", "unknown", "dynamic", "cloud"};
static const char *const probes[] = {RC_GATE_PROBES(WORD_OF_3)};
static const char *const history_flags[] = {"held", "paused", "breaker_open"};
static const char *const adopt_flags[] = {"held", "approved", "our_drain", "yielded", "with_job"};

_Static_assert(COUNT(instance_states) == RC_INST__MAX, "a word for every instance state");
_Static_assert(COUNT(checks) == RC_CHECK__MAX, "a word for every check");
_Static_assert(COUNT(schedules) == RC_SCHED__MAX, "a word for every schedule");
_Static_assert(COUNT(categories) == RC_HEALTH__MAX, "a word for every category");
_Static_assert(COUNT(health_statuses) == RC_HSTAT__MAX, "a word for every Health status");
_Static_assert(COUNT(alarm_states) == RC_ALARM__MAX, "a word for every alarm state");
_Static_assert(COUNT(instance_actions) == RC_IACT__MAX, "a word for every instance action");
_Static_assert(COUNT(owners) == RC_OWNER__MAX, "a word for every owner");
_Static_assert(COUNT(sweeps) == RC_SWEEP__MAX, "a word for every sweep");
_Static_assert(COUNT(verdicts) == RC_VERDICT__MAX, "a word for every verdict");
_Static_assert(COUNT(verbs) == RC_OP__MAX, "a word for every verb");
_Static_assert(1U << (COUNT(slurm_flags) - 1) == RC_SN_CLOUD, "a word for every Slurm flag");
_Static_assert(1U << (COUNT(history_flags) - 1) == RC_HISTORY_BREAKER_OPEN,
               "a word for every history flag");
_Static_assert(RC_ATTEMPTS_MAX == 8, "RING names so many");
_Static_assert(1U << (COUNT(adopt_flags) - 1) == RC_ADOPT_WITH_JOB, "a word for every adopt flag");

/* OF is the struct of the table that is being written. */
#define SIZE_OF(path) (uint16_t)sizeof(((OF *)0)->path)
#define FIELD(kind, name, path, list, n) \
    {name, list, n, (uint16_t)offsetof(OF, path), SIZE_OF(path), kind, sizeof(name) - 1}
#define I64(name, path)         FIELD(RC_FIELD_I64, name, path, NULL, 0)
#define U64(name, path)         FIELD(RC_FIELD_U64, name, path, NULL, 0)
#define U32(name, path)         FIELD(RC_FIELD_U32, name, path, NULL, 0)
#define TEXT(name, path)        FIELD(RC_FIELD_TEXT, name, path, NULL, 0)
#define NAME(name, path, list)  FIELD(RC_FIELD_NAME, name, path, list, COUNT(list))
#define FLAGS(name, path, list) FIELD(RC_FIELD_FLAGS, name, path, list, COUNT(list))

#define OF struct rc_event

static const struct rc_field event_common[] = {
    I64("at", at_ms), I64("wall", wall_ms), U64("msg", msg),
    TEXT("instance", instance), TEXT("node", node), TEXT("code", code)};
static const struct rc_field start[] = {U64("seed", u.start.seed), TEXT("host", u.start.host)};
static const struct rc_field message[] = {
    U64("id", u.message.id_hash), I64("sent", u.message.sent_ms), U32("parts", u.message.parts),
    U32("receives", u.message.receives), NAME("verdict", u.message.verdict, verdicts),
    NAME("kind", u.message.kind, event_kinds), TEXT("text", u.message.text)};
static const struct rc_field state_change[] = {
    NAME("state", u.state_change.state, instance_states), I64("time", u.state_change.told_wall_ms)};
static const struct rc_field spot[] = {
    I64("deadline", u.spot.deadline_wall_ms), NAME("action", u.spot.action, instance_actions)};
static const struct rc_field health[] = {
    I64("start", u.health.start_wall_ms), I64("end", u.health.end_wall_ms),
    NAME("category", u.health.category, categories), NAME("schedule", u.health.schedule, schedules),
    NAME("status", u.health.status, health_statuses), U32("backup", u.health.backup)};
static const struct rc_field alarm[] = {
    NAME("state", u.alarm.state, alarm_states), U32("status_check", u.alarm.status_check)};
static const struct rc_field capacity[] = {
    I64("deadline", u.capacity.deadline_wall_ms), TEXT("reservation", u.capacity.reservation)};
static const struct rc_field fleet[] = {U32("error", u.fleet.error)};
static const struct rc_field ebs[] = {TEXT("volume", u.ebs.volume), U32("failed", u.ebs.failed)};
#define INSTANCE(prefix, path) \
    I64(prefix "launched", path.launched_wall_ms), NAME(prefix "state", path.state, instance_states), \
    U32(prefix "ours", path.ours), U32(prefix "tag_incident", path.tag_incident), \
    U32(prefix "tag_attempt", path.tag_attempt), U32(prefix "absent", path.absent), TEXT(prefix "tag_node", path.node), \
    TEXT(prefix "addr", path.addr), TEXT(prefix "subnet", path.subnet), TEXT(prefix "az", path.az), \
    TEXT(prefix "type", path.type)
static const struct rc_field described[] = {INSTANCE("", u.described)};
static const struct rc_field status[] = {
    I64("not_before", u.status.not_before_wall_ms), I64("not_after", u.status.not_after_wall_ms),
    NAME("state", u.status.state, instance_states), NAME("system_check", u.status.system, checks),
    NAME("instance_check", u.status.instance, checks), NAME("ebs_check", u.status.ebs, checks),
    NAME("schedule", u.status.schedule, schedules)};
#define NODE_JOB(n, i) \
    U32("job" n, u.slurm.job[i].id), U32("job" n "_nodes", u.slurm.job[i].nodes)
static const struct rc_field slurm[] = {
    I64("boot", u.slurm.boot_wall_ms), I64("slurmd_start", u.slurm.slurmd_start_wall_ms),
    FLAGS("flags", u.slurm.flags, slurm_flags), NAME("owner", u.slurm.owner, owners),
    U32("incident", u.slurm.reason_incident), U32("jobs", u.slurm.jobs), U32("cpus", u.slurm.cpus),
    TEXT("addr", u.slurm.addr), TEXT("partition", u.slurm.partition), TEXT("reason", u.slurm.reason),
    NODE_JOB("1", 0), NODE_JOB("2", 1), NODE_JOB("3", 2), NODE_JOB("4", 3), NODE_JOB("5", 4),
    NODE_JOB("6", 5), NODE_JOB("7", 6), NODE_JOB("8", 7), U32("excluder1", u.slurm.excluder[0]),
    U32("excluder2", u.slurm.excluder[1]), U32("excluder3", u.slurm.excluder[2]),
    U32("excluder4", u.slurm.excluder[3])};
_Static_assert(RC_NODE_EXCLUDERS_MAX == 4, "a field for every job that excludes a node");
_Static_assert(RC_NODE_JOBS_MAX == 8, "a field for every job of a node");
#define TOLD(n, i) \
    TEXT("class" n, u.faults.v[i].class_name), TEXT("device" n, u.faults.v[i].device), \
    U32("times" n, u.faults.v[i].times), I64("last" n, u.faults.v[i].last_wall_ms), \
    U32("job" n, u.faults.v[i].job), U32("guilty" n, u.faults.v[i].guilty)
static const struct rc_field faults_told[] = {
    TEXT("boot", u.faults.boot), U32("count", u.faults.count), U32("more", u.faults.more),
    TOLD("1", 0), TOLD("2", 1), TOLD("3", 2), TOLD("4", 3), TOLD("5", 4), TOLD("6", 5)};
static const struct rc_field sweep[] = {
    NAME("which", u.sweep.which, sweeps), U32("complete", u.sweep.complete),
    NAME("error", u.sweep.error, errors), U32("seen", u.sweep.seen), U32("jobs", u.sweep.jobs)};
static const struct rc_field lease[] = {
    I64("until", u.lease.until_ms), U64("epoch", u.lease.epoch), U32("held", u.lease.held),
    NAME("error", u.lease.error, errors)};
static const struct rc_field completion[] = {
    U64("action", u.completion.action), NAME("error", u.completion.error, errors),
    TEXT("service_code", u.completion.code), TEXT("text", u.completion.text),
    TEXT("serials", u.completion.serials),
    TEXT("new", u.completion.instance), INSTANCE("new_", u.completion.launched)};
static const struct rc_field operator_command[] = {
    NAME("verb", u.operator_command.verb, verbs), U32("incident", u.operator_command.incident),
    TEXT("who", u.operator_command.who)};
static const struct rc_field adopt[] = {
    I64("opened", u.adopt.opened_wall_ms), U32("incident", u.adopt.incident),
    NAME("fault", u.adopt.fault, faults), NAME("phase", u.adopt.phase, phases),
    U32("rung", u.adopt.rung), U32("tries", u.adopt.tries), U32("attempt", u.adopt.attempt),
    FLAGS("flags", u.adopt.flags, adopt_flags), TEXT("old", u.adopt.old_instance),
    TEXT("new", u.adopt.new_instance), TEXT("rule", u.adopt.rule),
    U64("epoch", u.adopt.epoch)};
static const struct rc_field probe[] = {
    I64("age", u.probe.age_ms), NAME("mode", u.probe.mode, modes), U32("by_peer", u.probe.by_peer),
    TEXT("addr", u.probe.addr)};
static const struct rc_field controller_host[] = {
    NAME("link", u.controller.link, tolds), NAME("process", u.controller.process, processes),
    NAME("fenced", u.controller.fenced, tolds), NAME("dir", u.controller.dir, dirs),
    NAME("munge", u.controller.munge, tolds), U32("pid", u.controller.pid)};

#define RING(prefix, path) \
    I64(prefix "1", path[0]), I64(prefix "2", path[1]), I64(prefix "3", path[2]), I64(prefix "4", path[3]), \
    I64(prefix "5", path[4]), I64(prefix "6", path[5]), I64(prefix "7", path[6]), I64(prefix "8", path[7])
#define BAD_HOST(prefix, path) TEXT(prefix "_instance", path.instance), TEXT(prefix "_serials", path.serials)
#define LEMON(path) \
    I64("day", path.day), TEXT("xid", path.mark[RC_MARK_XID]), TEXT("out", path.mark[RC_MARK_OUT]), \
    TEXT("multi", path.mark[RC_MARK_MULTI]), TEXT("single", path.mark[RC_MARK_SINGLE]), \
    TEXT("rate", path.mark[RC_MARK_RUNS]), TEXT("suspect", path.mark[RC_MARK_SUSPECT]), \
    TEXT("excluded", path.mark[RC_MARK_EXCLUDED]), \
    TEXT("ticket", path.mark[RC_MARK_TICKET]), TEXT("replaced", path.mark[RC_MARK_REPLACED]), \
    TEXT("serials", path.serials), BAD_HOST("bad1", path.bad[0]), BAD_HOST("bad2", path.bad[1])
#define PLAN(prefix, path) \
    TEXT(prefix, path.instance), U32(prefix "_attempt", path.attempt), U32(prefix "_option", path.option)
#define HISTORY(path) \
    LEMON(path.lemon), \
    U64("epoch", path.epoch), U64("writes", path.writes), \
    I64("cooldown_until", path.cooldown_until_wall_ms), \
    NAME("yielded", path.yielded_fault, faults), FLAGS("flags", path.flags, history_flags), \
    RING("opened", path.opened_wall_ms), RING("repair", path.repair_wall_ms), \
    RING("launch", path.launch_wall_ms), RING("destructive", path.destructive_wall_ms), \
    RING("failover", path.failover_wall_ms), \
    PLAN("controller1", path.controller[0]), PLAN("controller2", path.controller[1])
static const struct rc_field history[] = {HISTORY(u.history)};

#undef OF
#define OF struct rc_action

static const struct rc_field action_common[] = {
    U64("id", id), I64("at", at_ms), I64("deadline", deadline_ms), U64("msg", msg),
    U32("incident", incident), TEXT("node", node), TEXT("instance", instance), TEXT("text", text)};
static const struct rc_field item[] = {
    I64("opened", u.item.opened_wall_ms), U64("epoch", u.item.epoch),
    NAME("fault", u.item.fault, faults), NAME("phase", u.item.phase, phases),
    U32("rung", u.item.rung), U32("tries", u.item.tries), U32("attempt", u.item.attempt),
    FLAGS("flags", u.item.flags, adopt_flags), U32("close", u.item.close),
    TEXT("old", u.item.old_instance), TEXT("new", u.item.new_instance),
    TEXT("rule", u.item.rule), TEXT("code", u.item.code)};
static const struct rc_field launch[] = {
    U32("group", u.launch.group), U32("option", u.launch.option), U32("attempt", u.launch.attempt),
    TEXT("token", u.launch.token)};
static const struct rc_field reg[] = {TEXT("addr", u.reg.addr)};
static const struct rc_field gate[] = {
    I64("since", u.gate.since_wall_ms), TEXT("addr", u.gate.addr), U32("timeout", u.gate.timeout_ms),
    FLAGS("probes", u.gate.probes, probes), FLAGS("must", u.gate.must, probes),
    U32("dcgm_level", u.gate.dcgm_level)};
static const struct rc_field jobs[] = {
    U32("signal", u.jobs.signal), U32("exclude", u.jobs.exclude), U32("job", u.jobs.job)};
static const struct rc_field host[] = {
    TEXT("addr", u.host.addr), TEXT("device", u.host.device), TEXT("boot", u.host.boot),
    U32("timeout", u.host.timeout_ms)};
static const struct rc_field support[] = {
    I64("first", u.support.first_wall_ms), NAME("fault", u.support.fault, faults),
    U32("attempts", u.support.attempts), TEXT("code", u.support.code),
    TEXT("device", u.support.device), TEXT("boot", u.support.boot),
    TEXT("serials", u.support.serials), TEXT("before", u.support.before)};
static const struct rc_field history_put[] = {HISTORY(u.history)};
static const struct rc_field controller[] = {
    U64("epoch", u.controller.epoch), I64("took", u.controller.took_ms),
    I64("proof_age", u.controller.proof_ms), U32("index", u.controller.index),
    U32("grace", u.controller.grace_ms), U32("restart", u.controller.restart),
    NAME("phase", u.controller.phase, failovers), NAME("cause", u.controller.cause, causes),
    NAME("proof", u.controller.proof, proofs), TEXT("from", u.controller.from)};

#define OWN(array) {array, COUNT(array)}

/* CLUSTER and POLICY have none: their source text follows the record. */
static const struct rc_fields event_own[RC_EVENT__MAX] = {
    [RC_EV_START] = OWN(start),
    [RC_EV_MESSAGE] = OWN(message),
    [RC_EV_EC2_STATE_CHANGE] = OWN(state_change),
    [RC_EV_SPOT_INTERRUPTION] = OWN(spot),
    [RC_EV_AWS_HEALTH] = OWN(health),
    [RC_EV_CLOUDWATCH_ALARM] = OWN(alarm),
    [RC_EV_CAPACITY_RESERVATION] = OWN(capacity),
    [RC_EV_CAPACITY_BLOCK] = OWN(capacity),
    [RC_EV_FLEET] = OWN(fleet),
    [RC_EV_EBS_VOLUME] = OWN(ebs),
    [RC_EV_INSTANCE] = OWN(described),
    [RC_EV_INSTANCE_STATUS] = OWN(status),
    [RC_EV_SLURM_NODE] = OWN(slurm),
    [RC_EV_NODE_FAULTS] = OWN(faults_told),
    [RC_EV_SWEEP] = OWN(sweep),
    [RC_EV_LEASE] = OWN(lease),
    [RC_EV_COMPLETION] = OWN(completion),
    [RC_EV_OPERATOR] = OWN(operator_command),
    [RC_EV_ADOPT] = OWN(adopt),
    [RC_EV_HISTORY] = OWN(history),
    [RC_EV_CONTROLLER_PROBE] = OWN(probe),
    [RC_EV_CONTROLLER_HOST] = OWN(controller_host),
};

static const struct rc_fields action_own[RC_ACTION__MAX] = {
    [RC_ACT_INCIDENT_PUT] = OWN(item),
    [RC_ACT_HISTORY_PUT] = OWN(history_put),
    [RC_ACT_JOBS_SIGNAL] = OWN(jobs),
    [RC_ACT_JOBS_REQUEUE] = OWN(jobs),
    [RC_ACT_LAUNCH] = OWN(launch),
    [RC_ACT_ASSIGN] = OWN(launch),
    [RC_ACT_REGISTER] = OWN(reg),
    [RC_ACT_GATE] = OWN(gate),
    [RC_ACT_GPU_RESET] = OWN(host),
    [RC_ACT_FORENSICS] = OWN(host),
    [RC_ACT_SUPPORT_CASE] = OWN(support),
    [RC_ACT_JOB_HOLD] = OWN(jobs),
    [RC_ACT_FAILOVER] = OWN(controller),
    [RC_ACT_FENCE] = OWN(controller),
    [RC_ACT_CONTROLLER_START] = OWN(controller),
    [RC_ACT_TAKEOVER] = OWN(controller),
};
/* clang-format on */

const struct rc_record_table rc_record_events = {
    .word = "event",
    .kind_count = RC_EVENT__MAX,
    .kind_offset = offsetof(struct rc_event, kind),
    .size = sizeof(struct rc_event),
    .kind_names = event_kinds,
    .common = OWN(event_common),
    .own = event_own,
};

const struct rc_record_table rc_record_actions = {
    .word = "action",
    .kind_count = RC_ACTION__MAX,
    .kind_offset = offsetof(struct rc_action, kind),
    .size = sizeof(struct rc_action),
    .kind_names = action_kinds,
    .common = OWN(action_common),
    .own = action_own,
};
