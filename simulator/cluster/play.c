/* play.c - the clock of the virtual world: what is due next is done, then every
 * controller takes its turn; see play.h.
 *
 * Safety is judged in each step by the checkers; when the faults have ended the
 * cluster has a bounded time to come to rest. */
#include "simulator/cluster/play.h"

#include <stdarg.h>
#include <string.h>

#include "simulator/check.h"
#include "simulator/cluster/play_private.h"
#include "simulator/model/sim_hash.h"
#include "simulator/model/sim_random.h"

enum { REST_LOOK_MS = 60 * 1000 };
#define REST_WITHIN_MS (INT64_C(8) * 3600 * 1000)

const char *
rc_verdict_kind_name(enum rc_verdict_kind v)
{
    static const char *const name[] = {
#define RC_VERDICT_NAME(verdict, name, text) name,
        RC_VERDICTS(RC_VERDICT_NAME)
#undef RC_VERDICT_NAME
    };

    return name[v];
}

void
rc_play_fail(struct rc_play *p, enum rc_verdict_kind verdict, const char *fmt, ...)
{
    va_list ap;

    if (p->over) {
        return; /* the first one is what counts */
    }
    p->over = 1;
    p->result->verdict = verdict;
    p->result->at_ms = p->now_ms;
    va_start(ap, fmt);
    vsnprintf(p->result->text, sizeof p->result->text, fmt, ap);
    va_end(ap);
    rc_play_trace(p, "FAILED %s: %s", rc_verdict_kind_name(verdict), p->result->text);
}

void
rc_play_trace(struct rc_play *p, const char *fmt, ...)
{
    va_list ap;

    if (!p->trace) {
        return;
    }
    fprintf(p->trace, "%8lld.%03lld  ", (long long)(p->now_ms / 1000),
            (long long)(p->now_ms % 1000));
    va_start(ap, fmt);
    vfprintf(p->trace, fmt, ap);
    va_end(ap);
    fputc('\n', p->trace);
}

uint64_t
rc_play_mix(const struct rc_play *p, uint64_t a, uint64_t b)
{
    struct rc_sim_random r;

    rc_sim_random_seed(&r, p->plan->seed * UINT64_C(0x9e3779b97f4a7c15) + a, b + 101);
    return rc_sim_random_next(&r);
}

/* Mostly short; one in sixteen takes much longer. */
int64_t
rc_play_latency(const struct rc_play *p, uint64_t a, uint64_t b)
{
    uint64_t mix = rc_play_mix(p, a, b);
    int64_t ms = 1 + (int64_t)(mix % (p->plan->latency_ms + 1));

    return (mix >> 40) % 16 ? ms : ms * 8;
}

int64_t
rc_play_wall(const struct rc_play *p)
{
    return RC_PLAY_WALL_MS + p->now_ms;
}

static void
do_for_ctl(struct rc_play *p, const struct rc_task *t)
{
    struct rc_ctl *c = &p->ctl[t->ctl];

    if (t->life != c->life) {
        return; /* asked for by an earlier life */
    }
    if (t->kind == RC_TASK_START) {
        if (!c->up) {
            rc_ctl_start(c);
        }
        return;
    }
    if (!c->up) {
        return;
    }
    if (!rc_ctl_runs(c)) {
        rc_play_task(p, c->frozen_until_ms, (enum rc_task_kind)t->kind, c, t->index);
        return;
    }
    switch ((enum rc_task_kind)t->kind) {
    case RC_TASK_SLURM:
        rc_poll_slurm(c);
        break;
    case RC_TASK_POKE:
        rc_poll_node(c, c->p->conf[t->index].name, false);
        break;
    case RC_TASK_INSTANCES:
        rc_sweep_begin(c, RC_SWEEP_INSTANCES);
        break;
    case RC_TASK_STATUS:
        rc_sweep_begin(c, RC_SWEEP_STATUS);
        break;
    case RC_TASK_RECEIVE:
        rc_intake_receive(c);
        break;
    case RC_TASK_EXTEND:
        rc_intake_extend(c);
        break;
    case RC_TASK_SYNC:
        rc_ctl_synced(c, t->index);
        break;
    case RC_TASK_HEADS:
        rc_heads_look(c);
        if (t->index) {
            rc_heads_look_later(c);
        }
        break;
    case RC_TASK_ROW:
    case RC_TASK_ROW_END:
    case RC_TASK_EFFECT:
    case RC_TASK_ANSWER:
    case RC_TASK_TURN:
    case RC_TASK_START:
    case RC_TASK_ALARM_OFF:
    case RC_TASK_OPERATOR:
    case RC_TASK_RELAPSE:
    case RC_TASK_QUIET:
        break;
    }
}

static void
do_task(struct rc_play *p, const struct rc_task *t)
{
    switch ((enum rc_task_kind)t->kind) {
    case RC_TASK_ROW:
    case RC_TASK_ROW_END:
        rc_play_row(p, &p->plan->row[t->index], t->kind == RC_TASK_ROW_END);
        break;
    case RC_TASK_EFFECT:
        rc_exec_effect(p, t->index);
        break;
    case RC_TASK_ANSWER:
        rc_exec_answer(p, t->index);
        break;
    case RC_TASK_QUIET:
        rc_play_quiet(p);
        break;
    case RC_TASK_OPERATOR:
        rc_play_operator(p);
        break;
    case RC_TASK_RELAPSE:
        rc_play_agent_relapse(p, t->index);
        break;
    case RC_TASK_SLURM:
    case RC_TASK_POKE:
    case RC_TASK_INSTANCES:
    case RC_TASK_STATUS:
    case RC_TASK_RECEIVE:
    case RC_TASK_EXTEND:
    case RC_TASK_SYNC:
    case RC_TASK_TURN:
    case RC_TASK_START:
    case RC_TASK_ALARM_OFF:
    case RC_TASK_HEADS:
        do_for_ctl(p, t);
        break;
    }
}

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
models_next_ms(const struct rc_play *p)
{
    int64_t next = sooner(rc_sim_ec2_next_ms(p->ec2),
                          sooner(rc_sim_slurm_next_ms(p->slurm), rc_sim_sqs_next_ms(p->sqs)));

    return next == RC_SIM_NEVER ? RC_SIM_NEVER : next - RC_PLAY_WALL_MS;
}

static int64_t
next_ms(const struct rc_play *p, int64_t models_ms)
{
    int64_t next = sooner(rc_task_next_ms(p), models_ms);

    for (uint32_t i = 0; i < p->plan->controllers; i++) {
        next = sooner(next, rc_ctl_next_ms(&p->ctl[i]));
    }
    next = sooner(next, rc_heads_next_ms(p));
    return next > p->now_ms ? next : p->now_ms;
}

static void
advance_models(struct rc_play *p)
{
    rc_sim_ec2_advance(p->ec2, rc_play_wall(p));
    rc_play_changes(p);
    rc_sim_slurm_advance(p->slurm, rc_play_wall(p));
    rc_sim_sqs_advance(p->sqs, rc_play_wall(p));
}

static void
turn_controllers(struct rc_play *p)
{
    for (uint32_t i = 0; i < p->plan->controllers && !p->over; i++) {
        struct rc_ctl *c = &p->ctl[i];
        if (rc_ctl_runs(c)) {
            rc_ctl_turn(c);
            rc_intake_play(c);
            rc_poll_plan(c);
        }
    }
}

static void
play_on(struct rc_play *p)
{
    struct rc_task t;
    int64_t look_ms = 0;
    char why[400];

    while (!p->over) {
        int64_t models_ms = models_next_ms(p);
        p->now_ms = next_ms(p, models_ms);
        if (models_ms <= p->now_ms) {
            advance_models(p);
        }
        rc_heads_advance(p);
        while (!p->over && rc_task_pop(p, p->now_ms, &t)) {
            do_task(p, &t);
        }
        rc_play_changes(p);
        turn_controllers(p);
        rc_check_world(p);
        if (!p->quiet || p->now_ms < look_ms || p->over) {
            continue;
        }
        look_ms = p->now_ms + REST_LOOK_MS;
        if (rc_check_rest(p, why, sizeof why)) {
            break;
        }
        rc_play_operator(p);
        if (p->now_ms >= p->end_ms) {
            rc_play_fail(p, RC_FOUND_LIVENESS, "%s", why);
        }
    }
}

void
rc_play_run(const struct rc_plan *plan, FILE *trace, struct rc_play_result *ret)
{
    static struct rc_play play; /* large; one play at a time in a process */
    struct rc_play *p = &play;

    memset(p, 0, offsetof(struct rc_play, cluster));
    for (uint32_t i = 0; i < RC_PLAY_CTLS; i++) {
        memset(&p->ctl[i], 0, offsetof(struct rc_ctl, held));
    }
    memset(ret, 0, sizeof *ret);
    p->plan = plan;
    p->result = ret;
    p->trace = trace;
    p->hash = RC_SIM_HASH_SEED;
    p->quiet_ms = (int64_t)plan->quiet_ms;
    p->end_ms = p->quiet_ms + REST_WITHIN_MS;
    rc_play_setup(p);
    play_on(p);
    for (uint32_t i = 0; i < plan->controllers; i++) {
        rc_ctl_end(&p->ctl[i]);
    }
    ret->hash = rc_sim_hash_u64(p->hash, rc_sim_ec2_hash(p->ec2));
    ret->hash = rc_sim_hash_u64(ret->hash, rc_sim_slurm_hash(p->slurm));
    ret->hash = rc_sim_hash_u64(ret->hash, (uint64_t)p->now_ms);
    if (!ret->at_ms) {
        ret->at_ms = p->now_ms;
    }
    rc_play_done(p);
}
