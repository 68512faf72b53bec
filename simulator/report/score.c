/* score.c - see score.h. Sums are integers until here; each value is one division. */
#include "simulator/report/score.h"

static const struct rc_score_row rows[RC_SCORE__MAX] = {
#define RC_SCORE_ROW(score, key, label, unit, digits, better) {key, label, unit, digits, better},
    RC_SCORES(RC_SCORE_ROW)
#undef RC_SCORE_ROW
};

const struct rc_score_row *
rc_score_row(uint32_t score)
{
    return &rows[score];
}

int
rc_score_mean_digits(uint32_t score)
{
    const struct rc_score_row *row = rc_score_row(score);

    return row->digits || *row->unit ? row->digits : 1;
}

bool
rc_score_known(const struct rc_fleet_result *r, uint32_t score)
{
    switch (score) {
    case RC_SCORE_ETTR:
        return r->allocated_ms > 0;
    case RC_SCORE_ETTR_LARGE:
        return r->large_allocated_ms > 0;
    case RC_SCORE_REPAIR_P50:
    case RC_SCORE_REPAIR_P99:
        return r->repair.count > 0;
    default:
        return true;
    }
}

double
rc_score_gpu_hours(int64_t node_ms)
{
    return (double)node_ms * RC_FLEET_GPUS / 3600000.0;
}

static double
ratio(int64_t part, int64_t whole)
{
    return whole ? (double)part / (double)whole : 0.0;
}

static int64_t
sum_lost(const struct rc_fleet_result *r, uint32_t from, uint32_t to)
{
    int64_t sum = 0;

    for (uint32_t i = from; i <= to; i++) {
        sum += r->lost_ms[i];
    }
    return sum;
}

static double
dollars(const struct rc_fleet_config *c, int64_t instance_ms)
{
    return (double)instance_ms / 3600000.0 * (double)c->price_cents / 100.0;
}

double
rc_score_value(const struct rc_fleet_config *c, const struct rc_fleet_result *r, uint32_t score)
{
    switch ((enum rc_score)score) {
    case RC_SCORE_ETTR:
        return ratio(r->productive_ms, r->allocated_ms + r->waited_ms);
    case RC_SCORE_ETTR_LARGE:
        return ratio(r->large_productive_ms, r->large_allocated_ms + r->large_waited_ms);
    case RC_SCORE_USED:
        return ratio(r->used_ms, r->node_ms);
    case RC_SCORE_AVAILABLE:
        return 1.0 - ratio(r->out_ms, r->node_ms);
    case RC_SCORE_LOST:
        return rc_score_gpu_hours(sum_lost(r, 0, RC_LOSS__MAX - 1));
    case RC_SCORE_LOST_FAULT:
        return rc_score_gpu_hours(r->lost_ms[RC_LOSS_STALLED] + r->lost_ms[RC_LOSS_REDO_FAULT]);
    case RC_SCORE_LOST_US:
        return rc_score_gpu_hours(r->lost_ms[RC_LOSS_REDO_US]);
    case RC_SCORE_LOST_OUT:
        return rc_score_gpu_hours(sum_lost(r, RC_LOSS_UNSEEN, RC_LOSS_OUT));
    case RC_SCORE_KILLED_US:
        return (double)r->killed_by_us;
    case RC_SCORE_KILLED_FAULT:
        return (double)r->killed_by_fault;
    case RC_SCORE_EVICTED:
        return (double)r->evictions;
    case RC_SCORE_FALSE:
        return (double)r->false_evictions;
    case RC_SCORE_HEALTHY:
        return (double)r->healthy_evictions;
    case RC_SCORE_REPLACED:
        return (double)r->replacements;
    case RC_SCORE_REBOOTS:
        return (double)r->reboots;
    case RC_SCORE_QUARANTINED:
        return (double)r->quarantines;
    case RC_SCORE_REPAIR_P50:
        return (double)rc_fleet_hist_quantile(&r->repair, 500) / 60000.0;
    case RC_SCORE_REPAIR_P99:
        return (double)rc_fleet_hist_quantile(&r->repair, 990) / 60000.0;
    case RC_SCORE_DOLLARS:
        return dollars(c, r->instance_ms);
    case RC_SCORE_DOLLARS_LOST:
        return dollars(c, sum_lost(r, 0, RC_LOSS__MAX - 1));
    case RC_SCORE__MAX:
        break;
    }
    return 0.0;
}
