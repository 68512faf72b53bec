/* What is told to people by mail: incidents that go no further without them, by the leader only. */
#include "tests/harness/harness.h"

#include <stdlib.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/alarms.h"

static struct rc_state *
leading(void)
{
    const struct rc_capacity_limits limits = {.nodes = 8, .incidents = 16, .messages = 64};
    struct rc_state *s = rc_state_init(calloc(1, rc_state_size(&limits)), &limits);

    s->lease_held = 1;
    s->lease_until_ms = INT64_MAX;
    return s;
}

static struct rc_incident *
incident(struct rc_state *s, uint32_t id, uint32_t phase)
{
    struct rc_incident *inc = rc_incident_at(s, rc_incident_new(s, id));

    inc->node = rc_node_get(s, "gpu-1");
    inc->phase = phase;
    return inc;
}

static void
what_waits_for_a_person_counts(void)
{
    struct rc_state *s = leading();

    incident(s, 1, RC_PHASE_WAIT_IDLE);
    CU_ASSERT_EQUAL(rc_alarms_for_people(s), 0);
    incident(s, 2, RC_PHASE_QUARANTINE);
    incident(s, 3, RC_PHASE_OPEN)->block = RC_BLOCK_APPROVAL;
    incident(s, 4, RC_PHASE_OPEN)->block = RC_BLOCK_HOLD;
    CU_ASSERT_EQUAL(rc_alarms_for_people(s), 2);
    free(s);
}

static void
who_does_not_lead_counts_none(void)
{
    struct rc_state *s = leading();

    incident(s, 1, RC_PHASE_QUARANTINE);
    s->lease_held = 0;
    CU_ASSERT_EQUAL(rc_alarms_for_people(s), 0);
    free(s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"what waits for a person counts", what_waits_for_a_person_counts},
        {"who does not lead counts none", who_does_not_lead_counts_none},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("alarms", tests);
}
