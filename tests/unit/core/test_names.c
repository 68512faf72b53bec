/* Every enum that people see has a name, and the name leads back to it. */
#include "tests/harness/harness.h"

#include "reconciler/core/action.h"
#include "reconciler/core/errors.h"
#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"

static void
every_error_has_a_name_that_leads_back(void)
{
    for (unsigned i = 0; i < RC_ERR__MAX; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(rc_err_name((enum rc_err)i));
        CU_ASSERT_EQUAL(rc_err_from_name(rc_err_name((enum rc_err)i)), i);
        CU_ASSERT_PTR_NOT_NULL(rc_err_text((enum rc_err)i));
    }
    CU_ASSERT_EQUAL(rc_err_from_name("no such error"), RC_E_INTERNAL);
}

static void
every_fault_and_rung_has_a_name_that_leads_back(void)
{
    for (unsigned i = 0; i < RC_FAULT__MAX; i++) {
        CU_ASSERT_EQUAL(rc_fault_from_name(rc_fault_name((enum rc_fault)i)), i);
    }
    for (unsigned i = 0; i < RC_RUNG__MAX; i++) {
        CU_ASSERT_EQUAL(rc_rung_from_name(rc_rung_name((enum rc_rung_kind)i)), i);
    }
}

static void
every_event_action_phase_and_block_has_a_name(void)
{
    for (unsigned i = 0; i < RC_EVENT__MAX; i++) {
        CU_ASSERT_PTR_NOT_NULL(rc_event_name((enum rc_event_kind)i));
    }
    for (unsigned i = 0; i < RC_ACTION__MAX; i++) {
        CU_ASSERT_PTR_NOT_NULL(rc_action_name((enum rc_action_kind)i));
    }
    for (unsigned i = 0; i < RC_PHASE__MAX; i++) {
        CU_ASSERT_PTR_NOT_NULL(rc_phase_name((enum rc_phase)i));
        CU_ASSERT_PTR_NOT_NULL(rc_phase_waits_for((enum rc_phase)i));
    }
    for (unsigned i = 0; i < RC_BLOCK__MAX; i++) {
        CU_ASSERT_PTR_NOT_NULL(rc_block_name((enum rc_block)i));
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every error has a name that leads back to it", every_error_has_a_name_that_leads_back},
        {"every fault and rung has a name that leads back to it",
         every_fault_and_rung_has_a_name_that_leads_back},
        {"every event, action, phase and block has a name",
         every_event_action_phase_and_block_has_a_name},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("names", tests);
}
