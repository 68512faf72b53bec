/* The table of probes: what must hold of each row. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/watch/probe.h"

enum { MINUTE_MS = 60 * 1000 };

static void
test_rows(void)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        const struct rc_probe *p = &rc_probes[i];
        bool good = p->timeout_ms > 0 && p->cost_us > 0 && p->cost_us / 1000 < p->timeout_ms;

        if (p->period_ms > 0) { /* in watch */
            good = good && p->period_ms >= MINUTE_MS && p->timeout_ms < p->period_ms;
            good = good && p->confirm_ms < p->period_ms + 1;
        } else {
            good = good && p->confirm_ms == 0 && !p->wakes && p->run;
        }
        good = good && (p->run || !p->isolated) && (!p->stay || p->isolated);
        for (uint32_t j = 0; j < i; j++) {
            good = good && strcmp(rc_probes[j].name, p->name) != 0;
        }
        rc_case(good, p->name, "period %u, time-out %u, confirm %u ms, cost %u us", p->period_ms,
                p->timeout_ms, p->confirm_ms, p->cost_us);
    }
}

/* 0.05 % of a core: what the figures allow the agent at rest. */
static void
test_costs_together(void)
{
    double share = 0;

    for (uint32_t i = 0; i < rc_probe_count; i++) {
        if (rc_probes[i].period_ms > 0 && !rc_probes[i].stay) {
            share += (double)rc_probes[i].cost_us / 1000 / rc_probes[i].period_ms;
        }
    }
    CU_ASSERT(share < 0.0005);
}

static void
test_what_may_hang_is_in_a_child(void)
{
    for (uint32_t i = 0; i < rc_probe_count; i++) {
        bool may_hang = strcmp(rc_probes[i].name, "file-systems") == 0 ||
                        strcmp(rc_probes[i].name, "nvml") == 0;

        CU_ASSERT_EQUAL(rc_probes[i].isolated, may_hang);
    }
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"each probe has a name, a period, a time-out and a cost that fit", test_rows},
        {"all of them together cost less than 0.05 % of a core", test_costs_together},
        {"what may hang is in a child", test_what_may_hang_is_in_a_child},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("probe-table", tests);
}
