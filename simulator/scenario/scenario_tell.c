/* scenario_tell.c - lines of a story that steer the world, the people and the
 * daemon, one row a form; docs/scenarios.md lists them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/scenario/scenario_world.h"

struct telling {
    struct rc_scen_run *r;
    char *const *v; /* words behind the row's fixed ones */
    unsigned count;
    char *why;
    size_t room;
};

typedef bool(tell_fn)(struct telling *t);

struct tell_row {
    const char *words; /* "*" stands for one word of the story's choice */
    unsigned least, most;
    const char *form; /* for people */
    tell_fn *fn;
};

static bool
reject(struct telling *t, const char *expected, const char *got)
{
    snprintf(t->why, t->room, "expected %s, got %.60s", expected, got);
    return false;
}

static struct rc_scen_node *
node_of(struct telling *t, const char *name)
{
    struct rc_scen_node *n = rc_scen_node_named(t->r, name);

    if (!n) {
        reject(t, "a node of the cluster", name);
    }
    return n;
}

/* ---- the world ---- */

static bool
tell_away(struct telling *t)
{
    bool is_away = strcmp(t->v[1], "down") == 0 || strcmp(t->v[1], "lost") == 0;

    if (strcmp(t->v[0], "ec2") == 0) {
        t->r->ec2_away = is_away;
    } else if (strcmp(t->v[0], "lease") == 0) {
        t->r->lease_lost = is_away;
    } else if (strcmp(t->v[0], "slurm") == 0) {
        rc_scen_slurm_away(t->r, is_away);
    } else {
        return reject(t, "slurm, ec2 or lease", t->v[0]);
    }
    return true;
}

static bool
read_times(struct telling *t, unsigned at, struct rc_scen_fault *f)
{
    const char *word = at < t->count ? t->v[at] : "x1";

    f->times = strcmp(word, "always") == 0 ? 1000000 : (unsigned)strtoul(word + 1, NULL, 10);
    return (*word == 'x' || *word == 'a') && f->times ? true : reject(t, "xN or always", word);
}

/* "ec2.launch fails no-capacity x2", "ec2.launch answer-lost", "register takes 90s" */
static bool
tell_fault(struct telling *t)
{
    struct rc_scen_fault f = {.times = 1};
    unsigned at = 2;

    for (f.kind = 1; f.kind < RC_ACTION__MAX; f.kind++) {
        if (strcmp(rc_action_name((enum rc_action_kind)f.kind), t->v[0]) == 0) {
            break;
        }
    }
    if (f.kind == RC_ACTION__MAX) {
        return reject(t, "an action such as ec2.launch", t->v[0]);
    }
    bool lost = strcmp(t->v[1], "answer-lost") == 0;
    bool fails = t->count > 2 && strcmp(t->v[1], "fails") == 0;
    bool takes = t->count > 2 && strcmp(t->v[1], "takes") == 0;
    if (fails) {
        f.error = (uint32_t)rc_err_from_name(t->v[at++]);
    } else if (takes) {
        takes = rc_scen_duration(t->v[at++], &f.takes_ms);
    }
    f.lost = lost;
    if (f.error == RC_E_INTERNAL) {
        return reject(t, "an error such as no-capacity or timeout", t->v[2]);
    }
    if (!lost && !fails && !takes) {
        return reject(t, "fails ERROR, takes TIME or answer-lost", t->v[1]);
    }
    if (!read_times(t, at, &f)) {
        return false;
    }
    for (unsigned i = 0; i < t->r->fault_count; i++) {
        if (!t->r->fault[i].times) {
            t->r->fault[i] = f;
            return true;
        }
    }
    if (t->r->fault_count == SCEN_FAULTS_MAX) {
        return reject(t, "fewer faults at once", t->v[0]);
    }
    t->r->fault[t->r->fault_count++] = f;
    return true;
}

/* "launches boot in 10m", "launches register never x2" */
static bool
tell_launches(struct telling *t)
{
    struct rc_scen_fault f;
    const char *time = t->v[t->count > 2 && strcmp(t->v[1], "in") == 0 ? 2 : 1];
    unsigned used = time == t->v[1] ? 2 : 3;
    int64_t ms = RC_NEVER;

    if (strcmp(t->v[0], "on") == 0) {
        return rc_text_set(t->r->next_host, sizeof t->r->next_host, t->v[1])
                   ? true
                   : reject(t, "the instance that had the host", t->v[1]);
    }
    if (strcmp(time, "never") != 0 && !rc_scen_duration(time, &ms)) {
        return reject(t, "in TIME, or never", time);
    }
    if (!read_times(t, used, &f)) {
        return false;
    }
    if (strcmp(t->v[0], "boot") == 0) {
        t->r->next_boot_ms = ms;
    } else if (strcmp(t->v[0], "register") == 0) {
        t->r->next_slurmd_ms = ms;
    } else {
        return reject(t, "boot or register", t->v[0]);
    }
    t->r->next_launches = f.times;
    return true;
}

static bool
tell_check(struct telling *t, struct rc_scen_instance *i, unsigned which)
{
    i->check[which] = strcmp(t->v[2], "impaired") == 0 ? RC_CHECK_IMPAIRED : RC_CHECK_OK;
    i->status_news = true;
    return strcmp(t->v[2], "impaired") == 0 || strcmp(t->v[2], "ok") == 0
               ? true
               : reject(t, "impaired or ok", t->v[2]);
}

/* "schedule retirement in 14d", "schedule none" */
static bool
tell_schedule(struct telling *t, struct rc_scen_instance *i)
{
    static const char *const names[RC_SCHED__MAX] = {
        [RC_SCHED_NONE] = "none",   [RC_SCHED_REBOOT] = "reboot",
        [RC_SCHED_STOP] = "stop",   [RC_SCHED_MAINTENANCE] = "maintenance",
        [RC_SCHED_OTHER] = "other", [RC_SCHED_RETIREMENT] = "retirement"};
    int64_t in_ms = 0;

    i->schedule = 0;
    while (i->schedule < RC_SCHED__MAX && strcmp(names[i->schedule], t->v[2]) != 0) {
        i->schedule++;
    }
    if (i->schedule == RC_SCHED__MAX ||
        (t->count == 5 && (strcmp(t->v[3], "in") != 0 || !rc_scen_duration(t->v[4], &in_ms)))) {
        i->schedule = RC_SCHED_NONE;
        return reject(t, "schedule reboot|maintenance|stop|retirement in TIME, or none", t->v[2]);
    }
    i->not_before_ms = i->schedule ? rc_scen_wall_ms(t->r) + in_ms : 0;
    i->status_news = true;
    return true;
}

static bool
set_instance_state(struct telling *t, struct rc_scen_instance *i)
{
    static const char *const states[RC_INST__MAX] = {
        [RC_INST_PENDING] = "pending",       [RC_INST_RUNNING] = "running",
        [RC_INST_STOPPING] = "stopping",     [RC_INST_STOPPED] = "stopped",
        [RC_INST_TERMINATED] = "terminated", [RC_INST_SHUTTING_DOWN] = "shutting-down"};

    for (uint32_t s = RC_INST_PENDING; s < RC_INST__MAX; s++) {
        if (strcmp(states[s], t->v[1]) == 0) {
            rc_scen_instance_turn(t->r, i, (enum rc_instance_state)s);
            return true;
        }
    }
    return reject(t, "a state, system|instance|ebs impaired|ok, hidden, listed or untagged",
                  t->v[1]);
}

static bool
tell_instance(struct telling *t)
{
    static const char *const checks[] = {"system", "instance", "ebs"};
    struct rc_scen_instance *i = rc_scen_instance_named(t->r, t->v[0]);

    if (!i && strncmp(t->v[0], "i-new-", 6) == 0) {
        snprintf(t->why, t->room, "%.60s is not launched yet: so far there are %u launches",
                 t->v[0], t->r->launched);
        return false;
    }
    if (!i) {
        return reject(t, "an instance of the story, such as i-gpu-1 or i-new-1", t->v[0]);
    }
    for (unsigned c = 0; t->count == 3 && c < 3; c++) {
        if (strcmp(checks[c], t->v[1]) == 0) {
            return tell_check(t, i, c);
        }
    }
    if (strcmp(t->v[1], "schedule") == 0 && t->count >= 3) {
        return tell_schedule(t, i);
    }
    if (strcmp(t->v[1], "hidden") == 0 || strcmp(t->v[1], "listed") == 0) {
        i->hidden = *t->v[1] == 'h';
        return true;
    }
    if (strcmp(t->v[1], "untagged") == 0) {
        i->foreign = i->news = true;
        return true;
    }
    return set_instance_state(t, i);
}

static bool
tell_node(struct telling *t)
{
    struct rc_scen_node *n = node_of(t, t->v[0]);

    if (!n) {
        return false;
    }
    if (strcmp(t->v[1], "silent") == 0) {
        n->silent = true;
        rc_scen_slurmd_lost_later(t->r, n);
    } else if (strcmp(t->v[1], "back") == 0) {
        n->silent = false;
        rc_scen_slurmd_up(t->r, n);
        return true;
    } else if (strcmp(t->v[1], "maint") == 0 || strcmp(t->v[1], "maint-over") == 0) {
        n->maint = strcmp(t->v[1], "maint") == 0;
    } else {
        return reject(t, "silent, back, maint or maint-over", t->v[1]);
    }
    rc_scen_show_node_later(t->r, n, SCEN_SLURM_SHOW_MS);
    return true;
}

/* "gpu-3 excluded x5": five more jobs wait whose owners want to stay away from it. */
static bool
tell_excluded(struct telling *t)
{
    unsigned times = 1, found = 0;

    if (t->count > 3 || (t->count == 3 && sscanf(t->v[2], "x%3u", &times) != 1)) {
        return reject(t, "excluded [xN]", t->v[t->count - 1]);
    }
    for (unsigned k = 0; k < times; k++) {
        uint32_t job = ++t->r->job;
        for (unsigned i = 0; i < t->r->node_count; i++) {
            struct rc_scen_node *n = &t->r->node[i];
            if (rc_hostlist_has(t->v[0], n->name)) {
                memmove(&n->excluder[1], &n->excluder[0],
                        sizeof n->excluder - sizeof n->excluder[0]);
                n->excluder[0] = job;
                rc_scen_show_node_later(t->r, n, SCEN_SLURM_SHOW_MS);
                found++;
            }
        }
    }
    return found ? true : reject(t, "nodes of the cluster", t->v[0]);
}

/* "gpu-[1-4] runs 6h": one gang on all of them; "gpu-3 ends". */
static bool
tell_job(struct telling *t)
{
    int64_t ms = 0;

    if (strcmp(t->v[1], "excluded") == 0) {
        return tell_excluded(t);
    }
    unsigned job = ++t->r->job, found = 0;
    if (strcmp(t->v[1], "runs") == 0 ? t->count != 3 || !rc_scen_duration(t->v[2], &ms)
                                     : strcmp(t->v[1], "ends") != 0) {
        return reject(t, "runs TIME, ends, or excluded [xN]", t->v[1]);
    }
    for (unsigned i = 0; i < t->r->node_count; i++) {
        struct rc_scen_node *n = &t->r->node[i];
        if (!rc_hostlist_has(t->v[0], n->name)) {
            continue;
        }
        found++;
        if (!ms) {
            rc_scen_job_end(t->r, n->job);
        } else {
            n->job = job;
            rc_scen_show_node_later(t->r, n, SCEN_SLURM_SHOW_MS);
        }
    }
    if (ms) {
        rc_scen_later_add(t->r, ms, SCEN_JOB_END, 0, job);
    }
    return found ? true : reject(t, "nodes of the cluster", t->v[0]);
}

/* ---- the controllers ---- */

/* The row's first word is not among what is handed on: it stands before. */
static bool
tell_head(struct telling *t)
{
    return rc_scen_tell_head(t->r, t->v - 1)
               ? true
               : reject(t, "a controller of the story and what happens there", t->v[0]);
}

static bool
tell_heads(struct telling *t)
{
    bool cut = strcmp(t->v[0], "cut") == 0;

    if (!cut && strcmp(t->v[0], "reach") != 0) {
        return reject(t, "cut, or reach", t->v[0]);
    }
    return rc_scen_tell_heads_cut(t->r, cut) ? true
                                             : reject(t, "a story with controllers", t->v[0]);
}

static bool
tell_failover(struct telling *t)
{
    return rc_scen_tell_failover(t->r, t->count ? t->v[0] : "")
               ? true
               : reject(t, "a story with controllers", "failover");
}

/* ---- people ---- */

static bool
tell_drains(struct telling *t)
{
    struct rc_scen_node *n = node_of(t, t->v[0]);

    if (n) {
        n->drain = true;
        n->owner = RC_OWNER_FOREIGN;
        rc_text_set(n->reason, sizeof n->reason, t->count > 1 ? t->v[1] : "by hand");
        rc_scen_show_node_later(t->r, n, SCEN_SLURM_SHOW_MS);
    }
    return n != NULL;
}

static bool
tell_resumes(struct telling *t)
{
    struct rc_scen_node *n = node_of(t, t->v[0]);

    if (n) {
        n->drain = n->down = false;
        n->owner = RC_OWNER_NONE;
        n->reason[0] = '\0';
        rc_scen_show_node_later(t->r, n, SCEN_SLURM_SHOW_MS);
    }
    return n != NULL;
}

static bool
tell_operator(struct telling *t)
{
    static const struct {
        const char *word;
        enum rc_operator_verb verb;
    } verbs[] = {{"hold", RC_OP_HOLD},       {"release", RC_OP_RELEASE},
                 {"approve", RC_OP_APPROVE}, {"pause", RC_OP_PAUSE},
                 {"resume", RC_OP_RESUME},   {"breaker-reset", RC_OP_BREAKER_RESET}};
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_OPERATOR);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].word, t->v[0]) == 0) {
            ev.u.operator_command.verb = (uint32_t)verbs[i].verb;
        }
    }
    if (ev.u.operator_command.verb == RC_OP_UNKNOWN) {
        return reject(t, "hold, release, approve, pause, resume, breaker-reset, drains or resumes",
                      t->v[0]);
    }
    if (t->count > 1 && ev.u.operator_command.verb == RC_OP_APPROVE) {
        ev.u.operator_command.incident = (uint32_t)strtoul(t->v[1], NULL, 10);
    } else if (t->count > 1) {
        rc_text_set(ev.node, sizeof ev.node, t->v[1]);
    }
    rc_text_set(ev.u.operator_command.who, sizeof ev.u.operator_command.who, "operator");
    rc_scen_give(t->r, &ev);
    return true;
}

/* ---- the daemon ---- */

static bool
tell_daemon(struct telling *t)
{
    bool restarts = strcmp(t->v[0], "restarts") == 0;

    if (!restarts && strcmp(t->v[0], "taken-over") != 0) {
        return reject(t, "restarts or taken-over", t->v[0]);
    }
    rc_scen_daemon_end(t->r, restarts);
    return true;
}

static bool
tell_agent(struct telling *t)
{
    return rc_scen_agent(t->r, t->v, t->count, t->why, t->room);
}

static const struct tell_row rows[] = {
    {"world launches", 2, 4, "world launches boot|register in TIME|never [xN], or on INSTANCE",
     tell_launches},
    {"world instance", 2, 5,
     "world instance ID STATE | CHECK impaired|ok | schedule KIND in TIME | hidden | listed",
     tell_instance},
    {"world node", 2, 2, "world node NAME silent|back|maint|maint-over", tell_node},
    {"world job", 2, 3, "world job NODES runs TIME | ends | excluded [xN]", tell_job},
    {"world slurmctld", 2, 2, "world slurmctld HEAD killed|started|restarted|hangs|stuck|wakes",
     tell_head},
    {"world host", 2, 2, "world host HEAD dies", tell_head},
    {"world state-dir", 2, 2, "world state-dir HEAD ok|full|read-only|hangs|missing", tell_head},
    {"world munge", 2, 2, "world munge HEAD dead|back", tell_head},
    {"world controllers", 1, 1, "world controllers cut|reach", tell_heads},
    {"world * down", 0, 0, "world slurm|ec2 down", tell_away},
    {"world * up", 0, 0, "world slurm|ec2 up", tell_away},
    {"world * lost", 0, 0, "world lease lost", tell_away},
    {"world * back", 0, 0, "world lease back", tell_away},
    {"world", 2, 4, "world ACTION fails ERROR | takes TIME | answer-lost [xN|always]", tell_fault},
    {"operator drains", 1, 2, "operator drains NODE \"REASON\"", tell_drains},
    {"operator resumes", 1, 1, "operator resumes NODE", tell_resumes},
    {"operator failover", 0, 1, "operator failover [HEAD]", tell_failover},
    {"operator", 1, 2, "operator hold|release NODE, approve INCIDENT, pause, resume, breaker-reset",
     tell_operator},
    {"agent", 2, 6, "agent NODES drains|tells CLASS [DEVICE] [xN], agent NODES clears [CLASS]",
     tell_agent},
    {"daemon", 1, 1, "daemon restarts|taken-over", tell_daemon},
};

/* Number of the line's words that the row takes up, 0 = another row. */
static unsigned
row_takes(const struct tell_row *row, const struct rc_scen_words *w)
{
    struct rc_scen_words fixed;
    bool has_star = strchr(row->words, '*') != NULL;

    if (!rc_scen_split(row->words, &fixed) || w->count < fixed.count ||
        (has_star && w->count != fixed.count)) {
        return 0;
    }
    for (unsigned i = 0; i < fixed.count; i++) {
        if (strcmp(fixed.v[i], "*") != 0 && strcmp(fixed.v[i], w->v[i]) != 0) {
            return 0;
        }
    }
    return has_star ? 1 : fixed.count;
}

bool
rc_scen_tell(struct rc_scen_run *r, const struct rc_scen_words *w, char *why, size_t room)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned taken = row_takes(&rows[i], w);
        if (!taken) {
            continue;
        }
        struct telling t = {r, w->v + taken, w->count - taken, why, room};
        bool has_star = strchr(rows[i].words, '*') != NULL;
        if (!has_star && (t.count < rows[i].least || t.count > rows[i].most)) {
            snprintf(why, room, "expected: %s", rows[i].form);
            return false;
        }
        return rows[i].fn(&t);
    }
    snprintf(why, room,
             "unknown: %.60s; expected event, message, world, agent, operator, daemon or end",
             w->count ? w->v[0] : "");
    return false;
}
