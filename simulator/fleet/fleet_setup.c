/* fleet_setup.c - the account, the nodes and the daemon of a run; ranges of its values. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/fleet/fleet_private.h"
#include "simulator/model/model_launch.h"
#include "simulator/model/sim_dist.h"

void
rc_fleet_config_init(struct rc_fleet_config *c)
{
    memset(c, 0, sizeof *c);
    c->seed = 1;
    c->nodes = 2048;
    c->days = 365;
    c->world = RC_FLEET_USUAL;
    c->utilisation_permille = 830;
    c->false_milli = 1000;
    c->same_host_permille = 300;
    c->u0_ms = 5 * RC_FLEET_MINUTE;
    c->dt_ms = 60 * RC_FLEET_MINUTE;
    c->w_ms = 30 * RC_FLEET_SECOND;
    c->person_ms = 8 * RC_FLEET_HOUR;
    c->price_cents = 3277; /* p4d.24xlarge on demand, us-east-1, before June 2025 */
}

static enum rc_err
out_of_range(struct rc_error *e, const char *what, int64_t value, int64_t low, int64_t high)
{
    return rc_fail(e, RC_E_INVALID, "%s is %lld; expected %lld to %lld", what, (long long)value,
                   (long long)low, (long long)high);
}

/* As a person would write it: in the largest unit that gives a whole number. */
static void
write_time(char *to, size_t room, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{RC_FLEET_DAY, "d"},
                 {RC_FLEET_HOUR, "h"},
                 {RC_FLEET_MINUTE, "m"},
                 {RC_FLEET_SECOND, "s"},
                 {1, "ms"}};
    size_t i = ms ? 0 : 3;

    while (units[i].ms > 1 && ms % units[i].ms) {
        i++;
    }
    snprintf(to, room, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
}

static enum rc_err
check_times(const struct rc_fleet_config *c, struct rc_error *e)
{
    const struct {
        const char *what;
        int64_t value, low, high;
    } times[] = {
        {"--restart", c->u0_ms, 0, RC_FLEET_DAY},
        {"--checkpoint", c->dt_ms, 0, 7 * RC_FLEET_DAY},
        {"--write", c->w_ms, 0, RC_FLEET_DAY},
        {"--person", c->person_ms, RC_FLEET_MINUTE, INT64_C(30) * RC_FLEET_DAY},
    };
    char value[32], low[32], high[32];

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i].value < times[i].low || times[i].value > times[i].high) {
            write_time(value, sizeof value, times[i].value);
            write_time(low, sizeof low, times[i].low);
            write_time(high, sizeof high, times[i].high);
            return rc_fail(e, RC_E_INVALID, "%s %s: expected %s to %s", times[i].what, value, low,
                           high);
        }
    }
    return RC_OK;
}

enum rc_err
rc_fleet_config_check(const struct rc_fleet_config *c, struct rc_error *e)
{
    const struct {
        const char *what;
        int64_t value, low, high;
    } ranges[] = {
        {"nodes", c->nodes, 1, RC_FLEET_NODES_MAX},
        {"days", c->days, 1, RC_FLEET_DAYS_MAX},
        {"jobs a day", c->jobs_per_day, 0, 10000000},
        {"utilisation in permille", c->utilisation_permille, 1, 990},
        {"false alarms per 1,000 node-days, in thousandths", c->false_milli, 0, 1000000},
        {"same-host in permille", c->same_host_permille, 0, 1000},
        {"price in cents", c->price_cents, 0, 100000000},
        {"jobs", c->jobs, 0, RC_FLEET_JOBS_NONE},
        {"world", c->world, 0, RC_FLEET_WORLD__MAX - 1},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high) {
            return out_of_range(e, ranges[i].what, ranges[i].value, ranges[i].low, ranges[i].high);
        }
    }
    if (!c->policy && !c->daemon_off) {
        return rc_fail(e, RC_E_INVALID, "no policy is given");
    }
    return check_times(c, e);
}

static struct rc_sim_account
fleet_account(const struct rc_fleet *f)
{
    return (struct rc_sim_account){
        /* A p4d takes minutes to run, boot, reboot and stop (policies/p4d.json says where from). */
        .ec2 = {.seed = f->c->seed,
                .instances_max = f->hosts,
                .tokens_max = 1024,
                .throttle = true,
                .delays = {.visible_ms = 2 * RC_FLEET_SECOND,
                           .launch_ms = 3 * RC_FLEET_MINUTE,
                           .boot_ms = 6 * RC_FLEET_MINUTE,
                           .initializing_ms = 5 * RC_FLEET_MINUTE,
                           .stop_ms = 5 * RC_FLEET_MINUTE,
                           .terminate_ms = 5 * RC_FLEET_MINUTE,
                           .reboot_ms = 7 * RC_FLEET_MINUTE,
                           .release_ms = 5 * RC_FLEET_MINUTE,
                           .vanish_ms = 60 * RC_FLEET_MINUTE,
                           .jitter_permille = 800}},
        .zone = {"us-east-1a", "us-east-1b", "us-east-1c"},
        .subnet_bits = 16,
        .subnet_size = RC_SIM_SUBNET_SIZE,
        .reserved = f->c->reserved ? f->c->nodes : 0};
}

static bool
open_account(struct rc_fleet *f)
{
    const struct rc_sim_account account = fleet_account(f);

    f->ec2 = rc_sim_account_new(&account, rc_fleet_wall(f));
    return f->ec2 != NULL;
}

static bool
place_first_host(struct rc_fleet *f, uint32_t node, struct rc_sim_node_row *row)
{
    snprintf(row->name, sizeof row->name, "n%u", node + 1);
    memcpy(row->hostname, row->name, sizeof row->hostname);
    rc_text_set(row->partition, sizeof row->partition, RC_FLEET_PARTITION);
    row->cpus = 96;
    struct rc_sim_instance *inst =
        rc_sim_account_place(f->ec2, rc_fleet_wall(f), RC_FLEET_NAME, row->name,
                             f->c->reserved ? 0 : node % RC_SIM_ACCOUNT_SUBNETS, f->c->reserved);
    if (!inst) {
        return false;
    }
    uint32_t slot = rc_fleet_slot(f, inst);
    f->serving[node] = slot;
    f->host[slot].node = node;
    f->host[slot].paid_from_ms = 0;
    rc_ills_news(f, slot);
    memcpy(row->addr, inst->addr, sizeof row->addr);
    return true;
}

static bool
open_nodes(struct rc_fleet *f)
{
    struct rc_sim_slurm_config config = {
        .seed = f->c->seed,
        .nodes_max = f->c->nodes,
        .hosts_max = f->hosts,
        .jobs_max = 1,
        .register_ms = 20 * RC_FLEET_SECOND,
        .ping_ms = 100 * RC_FLEET_SECOND,
        .slurmd_timeout_ms = 300 * RC_FLEET_SECOND,
        .completing_ms = 5 * RC_FLEET_SECOND,
        .requeue_ms = 120 * RC_FLEET_SECOND,
        .return_to_service = 1,
    };
    struct rc_sim_node_row *rows = calloc(f->c->nodes, sizeof *rows);
    bool placed = rows != NULL;

    f->slurm = rc_sim_slurm_new(&config);
    placed = placed && f->slurm && rc_sim_slurm_follow(f->slurm);
    for (uint32_t node = 0; placed && node < f->c->nodes; node++) {
        placed = place_first_host(f, node, &rows[node]);
        struct rc_sim_change c;
        while (placed && rc_sim_ec2_next_change(f->ec2, &c)) {
            rc_sim_slurm_host(f->slurm, c.at_ms, c.addr, true, c.at_ms);
        }
    }
    if (placed) {
        rc_sim_slurm_configure(f->slurm, rc_fleet_wall(f), rows, f->c->nodes);
        rc_sim_slurm_settle(f->slurm, rc_fleet_wall(f));
    }
    free(rows);
    return placed;
}

static bool
open_queue(struct rc_fleet *f)
{
    bool hostile = f->c->world == RC_FLEET_HOSTILE;
    struct rc_sim_sqs_config config = {
        .seed = f->c->seed,
        .messages_max = 4 * RC_FLEET_MESSAGES,
        .in_flight_max = 120000,
        .visibility_ms = RC_FLEET_VISIBILITY_MS,
        .retention_ms = INT64_C(4) * RC_FLEET_DAY,
        .duplicate_permille = hostile ? 20 : 0,
        .reorder_permille = hostile ? 20 : 0,
        .return_permille = hostile ? 5 : 0,
    };

    f->sqs = rc_sim_sqs_new(&config);
    return f->sqs != NULL;
}

static void
describe_cluster(struct rc_fleet *f)
{
    const struct rc_sim_account account = fleet_account(f);
    struct rc_cluster *c = &f->cluster;

    rc_text_set(c->name, sizeof c->name, RC_FLEET_NAME);
    rc_text_set(c->region, sizeof c->region, "us-east-1");
    c->nodes_max = f->c->nodes;
    c->group_count = 1;
    c->lease_term_ms = RC_FLEET_LEASE_TERM_MS;
    c->lease_margin_ms = RC_FLEET_LEASE_MARGIN_MS;
    c->poll_instances_ms = RC_FLEET_INSTANCES_MS;
    c->poll_slurm_ms = RC_FLEET_POLL_SLURM_MS;
    rc_sim_account_group(&account, f->c->nodes, &c->group[0]);
}

static bool
take_tables(struct rc_fleet *f)
{
    uint32_t nodes = f->c->nodes;

    f->hosts = nodes + nodes / 2 + 256;
    f->host = calloc(f->hosts, sizeof *f->host);
    f->news_host = calloc(f->hosts, sizeof *f->news_host);
    f->serving = calloc(nodes, sizeof *f->serving);
    f->replaced = calloc(nodes, sizeof *f->replaced);
    f->score = calloc(nodes, sizeof *f->score);
    f->node_shown = calloc(nodes, sizeof *f->node_shown);
    f->agent_shown = calloc(nodes, sizeof *f->agent_shown);
    f->past_of = calloc(nodes + 1, sizeof *f->past_of);
    f->node_news = calloc(nodes, sizeof *f->node_news);
    f->node_is_news = calloc(nodes, sizeof *f->node_is_news);
    if (!f->host || !f->news_host || !f->serving || !f->replaced || !f->score || !f->node_shown ||
        !f->agent_shown || !f->past_of || !f->node_news || !f->node_is_news) {
        return false;
    }
    for (uint32_t i = 0; i < f->hosts; i++) {
        f->host[i].paid_from_ms = -1;
    }
    return true;
}

static void
plan_first(struct rc_fleet *f)
{
    if (f->faults.count) {
        rc_due_push(f, f->faults.row[0].at_ms, RC_DUE_FAULT, 0, 0);
    }
    if (f->c->false_milli && !f->c->daemon_off) {
        double mean_ms =
            (double)RC_FLEET_DAY * 1e6 / (double)f->c->false_milli / (double)f->c->nodes;
        rc_due_push(f, (int64_t)rc_dist_exponential(&f->false_alarms, mean_ms), RC_DUE_FALSE, 0, 0);
    }
    if (f->c->jobs != RC_FLEET_JOBS_NONE) {
        rc_due_push(f, 0, RC_DUE_ARRIVAL, 0, 0);
    }
    rc_due_push(f, RC_FLEET_DAY, RC_DUE_DAY, 0, 0);
}

static enum rc_err
take_schedule(struct rc_fleet *f, struct rc_error *e)
{
    const struct rc_fault_schedule *s = f->c->schedule;
    size_t bytes = s->count * sizeof *s->row;

    if (s->nodes != f->c->nodes || s->span_ms > f->end_ms) {
        return rc_fail(e, RC_E_INVALID, "the faults are of %u nodes and %.1f days, not %u and %u",
                       s->nodes, (double)s->span_ms / RC_FLEET_DAY, f->c->nodes, f->c->days);
    }
    f->faults = *s;
    f->faults.row = malloc(bytes + 1);
    if (!f->faults.row) {
        return rc_fail(e, RC_E_FULL, "no memory for %u faults", s->count);
    }
    memcpy(f->faults.row, s->row, bytes);
    return RC_OK;
}

enum rc_err
rc_fleet_open(struct rc_fleet *f, struct rc_error *e)
{
    enum rc_err err;

    f->end_ms = (int64_t)f->c->days * RC_FLEET_DAY;
    f->errand_free = RC_SIM_NO_NODE;
    rc_sim_random_seed(&f->fault_world, f->c->seed, 23);
    rc_sim_random_seed(&f->false_alarms, f->c->seed, 24);
    rc_sim_random_seed(&f->latency, f->c->seed, 26);
    err = f->c->schedule
              ? take_schedule(f, e)
              : rc_fault_draw(&f->c->faults, f->c->seed, f->c->nodes, f->end_ms, &f->faults, e);
    if (err != RC_OK) {
        return err;
    }
    if (!take_tables(f) || !open_account(f) || !open_nodes(f) || !open_queue(f) ||
        !rc_queue_open(f) || !rc_fleet_check_open(f)) {
        return rc_fail(e, RC_E_FULL, "no memory for %u nodes", f->c->nodes);
    }
    describe_cluster(f);
    rc_score_open(f);
    plan_first(f);
    if (!f->c->daemon_off) {
        rc_trouble_open(f);
        rc_fleet_start(f);
    }
    return RC_OK;
}

void
rc_fleet_close(struct rc_fleet *f)
{
    rc_fleet_check_close(f);
    rc_queue_close(f);
    rc_fault_schedule_free(&f->faults);
    rc_sim_ec2_free(f->ec2);
    rc_sim_slurm_free(f->slurm);
    rc_sim_sqs_free(f->sqs);
    for (uint32_t i = 0; i < f->errand_room; i++) {
        free(f->errand[i]);
    }
    free(f->errand);
    free(f->due);
    free(f->host);
    free(f->news_host);
    free(f->serving);
    free(f->replaced);
    free(f->score);
    free(f->node_shown);
    free(f->agent_shown);
    free(f->node_news);
    free(f->node_is_news);
    free(f->store);
    free(f->past);
    free(f->past_of);
    free(f->s);
    free(f->twin);
    free(f->queue);
    free(f);
}
