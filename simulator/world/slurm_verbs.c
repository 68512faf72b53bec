/* slurm_verbs.c - what rc-slurm-helper answers, from the model instead of a
 * slurmctld: the same verbs, rows and error names.
 *
 * A row that does not fit a line is left out; names, addresses and reasons of the
 * model always fit. */
#include "simulator/world/slurm_verbs.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_words.h"
#include "simulator/world/slurm_conf_text.h"

enum { ROW_ROOM = 4096, SLURM_UID = 0 };

struct row {
    struct rc_line_out line;
    char text[ROW_ROOM];
};

static struct rc_line_out *
row_begin(const struct rc_slurm_request *r, struct row *row, const char *word)
{
    rc_line_begin(&row->line, row->text, sizeof(row->text), r->line->seq, word);
    return &row->line;
}

static void
row_end(const struct rc_slurm_request *r, struct row *row)
{
    size_t len = rc_line_end(&row->line);

    (void)evbuffer_add(r->out, row->text, len);
}

static void
answer_ok(const struct rc_slurm_request *r)
{
    struct row row;

    (void)row_begin(r, &row, "ok");
    row_end(r, &row);
}

static void
answer_err(const struct rc_slurm_request *r, enum rc_err code, int number, const char *text)
{
    struct row row;

    (void)row_begin(r, &row, "err");
    rc_line_put(&row.line, "code", rc_err_name(code));
    rc_line_put_i64(&row.line, "errno", number);
    rc_line_put(&row.line, "text", text);
    row_end(r, &row);
}

static void
answer_count(const struct rc_slurm_request *r, uint32_t count)
{
    struct row row;

    rc_line_put_u64(row_begin(r, &row, "ok"), "count", count);
    row_end(r, &row);
}

/* The model gives a node to one job at most. */
static void
put_job(const struct rc_slurm_request *r, struct rc_line_out *out, const struct rc_sim_node *n)
{
    const struct rc_sim_job *j =
        n->job != RC_SIM_NO_NODE ? rc_sim_slurm_job_at(r->world->slurm, n->job) : NULL;
    char text[32] = "";

    if (j && j->state == RC_SIM_JOB_RUNNING) {
        (void)snprintf(text, sizeof(text), "%u:%u", j->id, j->order.nodes);
    }
    rc_line_put_u64(out, "jobs", j ? 1 : 0);
    rc_line_put(out, "job", text);
}

static uint32_t
running_jobs(const struct rc_slurm_request *r)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < rc_sim_slurm_jobs(r->world->slurm); i++) {
        const struct rc_sim_job *j = rc_sim_slurm_job_at(r->world->slurm, i);
        count += j && j->state == RC_SIM_JOB_RUNNING;
    }
    return count;
}

static void
node_row(const struct rc_slurm_request *r, const struct rc_sim_node *n)
{
    char flags[RC_SLURM_FLAGS_ROOM];
    struct row row;
    struct rc_line_out *out = row_begin(r, &row, "node");

    (void)rc_slurm_flags_format(n->flags, flags, sizeof(flags));
    rc_line_put(out, "name", n->name);
    rc_line_put(out, "addr", n->addr);
    rc_line_put(out, "hostname", n->hostname);
    rc_line_put(out, "partition", n->partition);
    rc_line_put(out, "flags", flags);
    rc_line_put_u64(out, "alloc_cpus", (n->flags & RC_SN_ALLOCATED) != 0 ? n->cpus : 0);
    rc_line_put_u64(out, "cpus", n->cpus);
    put_job(r, out, n);
    rc_line_put_u64(out, "real_memory", n->real_memory_mb);
    rc_line_put_i64(out, "boot", n->boot_ms / 1000);
    rc_line_put_i64(out, "slurmd_start", n->slurmd_start_ms / 1000);
    rc_line_put(out, "reason", n->reason);
    if (n->reason[0] != '\0') {
        rc_line_put_u64(out, "reason_uid", n->reason_uid);
        rc_line_put_i64(out, "reason_time", n->reason_ms / 1000);
    }
    rc_line_put(out, "instance", "");
    rc_line_put(out, "extra", "");
    row_end(r, &row);
}

/* slurmctld answers "no change" only if its change is older than the given second. */
static void
verb_nodes(const struct rc_slurm_request *r)
{
    uint64_t since = rc_line_number(r->line, "since", INT64_MAX, 0);
    int64_t changed_s = rc_sim_slurm_changed_s(r->world->slurm);
    uint32_t count = 0;
    struct row row;

    if (since > 0 && changed_s < (int64_t)since) {
        rc_line_put_u64(row_begin(r, &row, "ok"), "time", since);
        rc_line_put_u64(&row.line, "jobs", running_jobs(r));
        rc_line_put_u64(&row.line, "unchanged", 1);
        row_end(r, &row);
        return;
    }
    for (uint32_t i = 0; i < rc_sim_slurm_nodes(r->world->slurm); i++) {
        const struct rc_sim_node *n = rc_sim_slurm_node(r->world->slurm, i);

        if (n == NULL)
            continue;
        node_row(r, n);
        count++;
    }
    rc_line_put_i64(row_begin(r, &row, "ok"), "time", r->now_ms / 1000);
    rc_line_put_u64(&row.line, "jobs", running_jobs(r));
    rc_line_put_u64(&row.line, "count", count);
    row_end(r, &row);
}

static bool
each_node(void *arg, uint32_t index, const char *name)
{
    const struct rc_slurm_request *r = arg;
    uint32_t at = rc_sim_slurm_find(r->world->slurm, name);

    (void)index;
    if (at != RC_SIM_NO_NODE)
        node_row(r, rc_sim_slurm_node(r->world->slurm, at));
    return true;
}

/* The host list of the request; false: an error was answered. */
static bool
names_walk(const struct rc_slurm_request *r, rc_host_fn *each, void *arg)
{
    const char *names = rc_line_text(r->line, "names", "");

    if (*names != '\0' && rc_hosts_each(names, each, arg))
        return true;
    answer_err(r, RC_E_INVALID, 0, "names: expected a host list");
    return false;
}

static void
verb_node(const struct rc_slurm_request *r)
{
    struct rc_slurm_request copy = *r;

    if (names_walk(r, each_node, &copy))
        answer_ok(r);
}

static bool
job_holds(const struct rc_slurm_request *r, const struct rc_sim_job *j, const char *node)
{
    if (j->state != RC_SIM_JOB_RUNNING && j->state != RC_SIM_JOB_COMPLETING)
        return false;
    if (node == NULL)
        return true;
    for (uint32_t at = j->first; at != RC_SIM_NO_NODE;) {
        const struct rc_sim_node *n = rc_sim_slurm_node(r->world->slurm, at);

        if (strcmp(n->name, node) == 0)
            return true;
        at = n->next;
    }
    return false;
}

/* The names with commas; a gang too large for a line is cut to those that fit. */
static void
job_nodes(const struct rc_slurm_request *r, const struct rc_sim_job *j, char *out, size_t room)
{
    size_t len = 0;

    out[0] = '\0';
    for (uint32_t at = j->first; at != RC_SIM_NO_NODE;) {
        const struct rc_sim_node *n = rc_sim_slurm_node(r->world->slurm, at);
        int more = snprintf(out + len, room - len, "%s%s", len > 0 ? "," : "", n->name);

        if (more < 0 || len + (size_t)more >= room) {
            out[len] = '\0';
            return;
        }
        len += (size_t)more;
        at = n->next;
    }
}

static void
verb_jobs(const struct rc_slurm_request *r)
{
    const char *node = rc_line_get(r->line, "node");
    char nodes[ROW_ROOM - 512];
    uint32_t count = 0;
    struct row row;

    for (uint32_t i = 0; i < rc_sim_slurm_jobs(r->world->slurm); i++) {
        const struct rc_sim_job *j = rc_sim_slurm_job_at(r->world->slurm, i);

        if (j == NULL || !job_holds(r, j, node))
            continue;
        job_nodes(r, j, nodes, sizeof(nodes));
        rc_line_put_u64(row_begin(r, &row, "job"), "id", j->id);
        rc_line_put(&row.line, "state", rc_sim_job_state_name(j->state));
        rc_line_put(&row.line, "user", j->order.user);
        rc_line_put(&row.line, "nodes", nodes);
        rc_line_put_u64(&row.line, "batch", j->order.batch ? 1 : 0);
        rc_line_put_u64(&row.line, "requeue", j->order.requeue ? 1 : 0);
        rc_line_put_i64(&row.line, "start", j->start_ms / 1000);
        row_end(r, &row);
        count++;
    }
    answer_count(r, count);
}

static void
verb_ping(const struct rc_slurm_request *r)
{
    bool up = r->world->slurmctld == RC_WORLD_SLURMCTLD_UP;
    struct row row;

    rc_line_put_u64(row_begin(r, &row, "controller"), "index", 0);
    rc_line_put(&row.line, "host", "controller-1");
    rc_line_put_u64(&row.line, "up", up ? 1 : 0);
    row_end(r, &row);
    rc_line_put(row_begin(r, &row, "ok"), "primary", up ? "0" : "-");
    row_end(r, &row);
}

static void
verb_config(const struct rc_slurm_request *r)
{
    const struct rc_sim_slurm_config *c = rc_sim_slurm_config(r->world->slurm);
    struct row row;
    struct rc_line_out *out = row_begin(r, &row, "ok");

    rc_line_put(out, "cluster", r->world->config.identity.cluster);
    rc_line_put(out, "version", "22.05.8");
    rc_line_put_i64(out, "boot_time", r->world->queue[0].created_ms / 1000);
    rc_line_put(out, "state_dir", "/var/spool/slurmctld");
    rc_line_put_u64(out, "slurmctld_timeout", 65533);
    rc_line_put(out, "slurmctld_log", "");
    rc_line_put_u64(out, "slurm_uid", SLURM_UID);
    rc_line_put_u64(out, "controllers", 1);
    rc_line_put_u64(out, "return_to_service", c->return_to_service);
    row_end(r, &row);
}

/* One writer's verb over a host list. */
struct marking_walk {
    const struct rc_slurm_request *r;
    uint32_t flag; /* 0 = resume */
    const char *reason;
};

static const char *
outcome_word(enum rc_sim_outcome outcome, const char *done)
{
    switch (outcome) {
    case RC_SIM_DONE:
        return done;
    case RC_SIM_MISSING:
        return "missing";
    case RC_SIM_FOREIGN:
        return "foreign";
    case RC_SIM_NOT_DRAINED:
        return "not-drained";
    case RC_SIM_REFUSED:
    case RC_SIM_NOT_REQUEUEABLE:
        break;
    }
    return "refused";
}

static bool
each_marked(void *arg, uint32_t index, const char *name)
{
    const struct marking_walk *w = arg;
    struct rc_sim_slurm *m = w->r->world->slurm;
    enum rc_sim_outcome outcome = w->flag != 0
                                      ? rc_sim_slurm_mark(m, w->r->now_ms, name, w->flag, w->reason)
                                      : rc_sim_slurm_unmark(m, w->r->now_ms, name);
    uint32_t at = rc_sim_slurm_find(m, name);
    struct row row;

    (void)index;
    rc_line_put(row_begin(w->r, &row, "node"), "name", name);
    rc_line_put(&row.line, "result", outcome_word(outcome, w->flag != 0 ? "drained" : "resumed"));
    rc_line_put(&row.line, "reason", at != RC_SIM_NO_NODE ? rc_sim_slurm_node(m, at)->reason : "");
    row_end(w->r, &row);
    return true;
}

/* Host lists are checked before the first node is touched. */
static bool
each_checked(void *arg, uint32_t index, const char *name)
{
    (void)arg;
    (void)index;
    return *name != '\0';
}

static void
verb_mark(const struct rc_slurm_request *r, uint32_t flag)
{
    struct marking_walk w = {.r = r, .flag = flag, .reason = rc_line_text(r->line, "reason", "")};
    struct row row;

    if (flag != 0 && !rc_sim_reason_ours(w.reason)) {
        answer_err(r, RC_E_INVALID, 0, "reason: expected rc:<incident> <fault>");
        return;
    }
    if (!names_walk(r, each_checked, NULL))
        return;
    if (flag != 0) {
        (void)row_begin(r, &row, "accepted");
        row_end(r, &row);
    }
    (void)rc_hosts_each(rc_line_text(r->line, "names", ""), each_marked, &w);
    answer_ok(r);
}

static void
verb_drain(const struct rc_slurm_request *r)
{
    verb_mark(r, RC_SN_DRAIN);
}

static void
verb_down(const struct rc_slurm_request *r)
{
    verb_mark(r, RC_SN_DOWN);
}

static void
verb_resume(const struct rc_slurm_request *r)
{
    verb_mark(r, 0);
}

static const char *
job_outcome(enum rc_sim_outcome outcome)
{
    if (outcome == RC_SIM_DONE)
        return "done";
    if (outcome == RC_SIM_MISSING)
        return "gone";
    return outcome == RC_SIM_NOT_REQUEUEABLE ? "not-requeueable" : "failed";
}

/* signal 0 = requeue. */
static void
jobs_act(const struct rc_slurm_request *r, uint32_t signal)
{
    const char *node = rc_line_text(r->line, "node", "");
    struct rc_sim_slurm *m = r->world->slurm;
    uint32_t count = 0;
    struct row row;

    if (*node == '\0') {
        answer_err(r, RC_E_INVALID, 0, "node: expected a node's name");
        return;
    }
    for (uint32_t i = 0; i < rc_sim_slurm_jobs(m); i++) {
        const struct rc_sim_job *j = rc_sim_slurm_job_at(m, i);
        enum rc_sim_outcome outcome;
        uint32_t id;

        if (j == NULL || !job_holds(r, j, node))
            continue;
        id = j->id;
        outcome = signal != 0 ? rc_sim_slurm_signal(m, r->now_ms, id, signal)
                              : rc_sim_slurm_requeue(m, r->now_ms, id);
        rc_line_put_u64(row_begin(r, &row, "job"), "id", id);
        rc_line_put(&row.line, "result", job_outcome(outcome));
        rc_line_put(&row.line, "text", "");
        row_end(r, &row);
        count++;
    }
    answer_count(r, count);
}

static void
verb_jobs_signal(const struct rc_slurm_request *r)
{
    uint32_t signal = (uint32_t)rc_line_number(r->line, "signal", 64, 0);

    if (signal == 0)
        answer_err(r, RC_E_INVALID, 0, "signal: expected a number from 1 to 64");
    else
        jobs_act(r, signal);
}

static void
verb_jobs_requeue(const struct rc_slurm_request *r)
{
    jobs_act(r, 0);
}

static void
verb_job_hold(const struct rc_slurm_request *r)
{
    uint32_t id = (uint32_t)rc_line_number(r->line, "job", UINT32_MAX, 0);

    if (rc_sim_slurm_hold(r->world->slurm, id) == RC_SIM_DONE)
        answer_ok(r);
    else
        answer_err(r, RC_E_NOT_FOUND, 2017,
                   "no such job, or it has ended"); /* ESLURM_INVALID_JOB_ID */
}

/* The model has no exclusions: a job that is requeued here may go anywhere. */
static void
verb_jobs_include(const struct rc_slurm_request *r)
{
    answer_count(r, 0);
}

static void
verb_reconfigure(const struct rc_slurm_request *r)
{
    char why[512];

    if (rc_world_reconfigure(r->setup, r->world, r->now_ms, why, sizeof(why)))
        answer_ok(r);
    else
        answer_err(r, RC_E_SLURM_REFUSED, 0, why);
}

static void
verb_takeover(const struct rc_slurm_request *r)
{
    answer_err(r, RC_E_SLURM_REFUSED, 1800, "there is no backup controller");
}

static const struct {
    const char *name;
    bool writes;
    void (*run)(const struct rc_slurm_request *r);
} sim_verbs[] = {
    {"ping", false, verb_ping},
    {"config", false, verb_config},
    {"nodes", false, verb_nodes},
    {"node", false, verb_node},
    {"jobs", false, verb_jobs},
    {"drain", true, verb_drain},
    {"down", true, verb_down},
    {"resume", true, verb_resume},
    {"jobs-signal", true, verb_jobs_signal},
    {"jobs-requeue", true, verb_jobs_requeue},
    {"jobs-include", true, verb_jobs_include},
    {"job-hold", true, verb_job_hold},
    {"job-save", true, answer_ok},
    {"reconfigure", true, verb_reconfigure},
    {"takeover", true, verb_takeover},
};

void
rc_slurm_verb(struct rc_slurm_request *r)
{
    for (unsigned i = 0; i < sizeof(sim_verbs) / sizeof(sim_verbs[0]); i++) {
        if (strcmp(sim_verbs[i].name, r->line->word) != 0 || sim_verbs[i].writes != r->writer)
            continue;
        if (r->world->slurmctld == RC_WORLD_SLURMCTLD_DOWN && sim_verbs[i].run != verb_ping)
            answer_err(r, RC_E_SLURM_DOWN, 1800, "Unable to contact slurm controller");
        else
            sim_verbs[i].run(r);
        return;
    }
    answer_err(r, RC_E_INVALID, 0, "unknown verb");
}
