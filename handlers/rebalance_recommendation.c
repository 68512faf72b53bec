/* rebalance_recommendation.c - AWS sees a raised risk for a spot
 * instance. Mostly noise (most are never followed by an interruption), so it is
 * counted and nothing is done. */
#include "handlers/table.h"

static void
rebalance_recommendation_apply(struct rc_state *s, const struct rc_event *ev)
{
    (void)s;
    (void)ev;
}

const struct rc_handler rc_handler_rebalance_recommendation = {RC_EV_REBALANCE_RECOMMENDATION,
                                                               rebalance_recommendation_apply};
