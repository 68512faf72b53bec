/* What the control socket says to an order to fail over. */
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "reconciler/io/daemon/answer.h"

/* A script's variable that was not set must not mean "the other one". */
static void
a_failover_to_no_name_is_refused(void)
{
    static const struct rc_control_peer peer = {.user = "root"};
    static struct rc_daemon d;
    cJSON *request = cJSON_CreateObject();

    d.state = calloc(1, sizeof *d.state);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d.state);
    d.state->pair.count = 2;
    d.state->pair.primary = 1;
    cJSON_AddStringToObject(request, "to", "");
    cJSON_AddTrueToObject(request, "dry_run");
    cJSON *reply = rc_answer_failover(&d, &peer, request);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(reply, "error")),
                           rc_err_name(RC_E_INVALID));
    cJSON_Delete(reply);
    cJSON_Delete(request);
    free(d.state);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a fail-over to no name is refused", a_failover_to_no_name_is_refused},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("answer_failover", tests);
}
