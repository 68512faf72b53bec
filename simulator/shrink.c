/* shrink.c - delta debugging (Zeller, Hildebrandt 2002) over a schedule; see shrink.h.
 * A cut is kept only when the same checker fails again. */
#include "simulator/shrink.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { PLAYS_MAX = 4000 };

struct shrinker {
    struct rc_plan *plan;
    struct rc_play_result *result;
    unsigned plays;
};

static bool
keeps_failing(struct shrinker *s, const struct rc_plan *candidate)
{
    struct rc_play_result r;

    if (s->plays >= PLAYS_MAX) {
        return false;
    }
    s->plays++;
    rc_play_run(candidate, NULL, &r);
    if (r.verdict != s->result->verdict) {
        return false;
    }
    *s->plan = *candidate;
    *s->result = r;
    return true;
}

static bool
cut_rows(struct shrinker *s, uint32_t from, uint32_t count)
{
    struct rc_plan p = *s->plan;

    memmove(&p.row[from], &p.row[from + count], (p.count - from - count) * sizeof p.row[0]);
    p.count -= count;
    return keeps_failing(s, &p);
}

static void
shrink_rows(struct shrinker *s)
{
    for (uint32_t size = s->plan->count; size > 0; size /= 2) {
        for (uint32_t from = 0; from + size <= s->plan->count;) {
            if (!cut_rows(s, from, size)) {
                from += size;
            }
        }
    }
}

static bool
try_number(struct shrinker *s, size_t offset, uint64_t value)
{
    struct rc_plan p = *s->plan;
    uint64_t before;

    memcpy(&before, (const char *)&p + offset, sizeof before);
    if (before == value) {
        return false;
    }
    memcpy((char *)&p + offset, &value, sizeof value);
    return keeps_failing(s, &p);
}

static void
shrink_shape(struct shrinker *s)
{
    static const struct {
        size_t offset;
        uint64_t kindest;
    } kind[] = {
        {offsetof(struct rc_plan, controllers), 1},
        {offsetof(struct rc_plan, partitions), 1},
        {offsetof(struct rc_plan, lost_permille), 0},
        {offsetof(struct rc_plan, doubled_permille), 0},
        {offsetof(struct rc_plan, late_permille), 0},
        {offsetof(struct rc_plan, latency_ms), 10},
        {offsetof(struct rc_plan, reserved), 0},
        {offsetof(struct rc_plan, approve), 0},
        {offsetof(struct rc_plan, at_once), 0},
        {offsetof(struct rc_plan, launches_max), 0},
        {offsetof(struct rc_plan, destructive_max), 0},
        {offsetof(struct rc_plan, breaker_max), 100},
        {offsetof(struct rc_plan, job_wait_ms), 0},
    };

    for (uint64_t nodes = 1; nodes < s->plan->nodes; nodes++) {
        if (try_number(s, offsetof(struct rc_plan, nodes), nodes)) {
            break;
        }
    }
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        (void)try_number(s, kind[i].offset, kind[i].kindest);
    }
}

/* Rounder and shorter times read better. */
static void
shrink_times(struct shrinker *s)
{
    for (uint32_t i = 0; i < s->plan->count; i++) {
        struct rc_plan p = *s->plan;
        p.row[i].for_ms = (p.row[i].for_ms + 500) / 1000 * 1000;
        p.row[i].at_ms = p.row[i].at_ms / 1000 * 1000;
        if (i == 0 || p.row[i].at_ms >= p.row[i - 1].at_ms) {
            (void)keeps_failing(s, &p);
        }
    }
}

unsigned
rc_shrink(struct rc_plan *plan, struct rc_play_result *result)
{
    struct shrinker s = {plan, result, 0};
    uint32_t before;

    do {
        before = plan->count;
        shrink_rows(&s);
        shrink_shape(&s);
    } while (plan->count < before && s.plays < PLAYS_MAX);
    shrink_times(&s);
    return s.plays;
}
