/* ec2_codes.c - the tables of ec2_codes.h. */
#include "simulator/model/ec2_codes.h"

#include <assert.h>
#include <string.h>

static const struct rc_sim_ec2_code_row codes[RC_SIM_EC2_CODE__MAX] = {
#define RC_SIM_EC2_CODE_ROW(code, name, status, text) [code] = {name, status, text},
    RC_SIM_EC2_CODES(RC_SIM_EC2_CODE_ROW)
#undef RC_SIM_EC2_CODE_ROW
};

static const char *const actions[RC_SIM_EC2_ACTION__MAX] = {
#define RC_SIM_EC2_ACTION_NAME(action, name, room, refill, units, unit_refill) [action] = (name),
    RC_SIM_EC2_ACTIONS(RC_SIM_EC2_ACTION_NAME)
#undef RC_SIM_EC2_ACTION_NAME
};

const struct rc_sim_ec2_code_row *
rc_sim_ec2_code_row(enum rc_sim_ec2_code code)
{
    assert(code < RC_SIM_EC2_CODE__MAX);
    return &codes[code];
}

const char *
rc_sim_ec2_action_name(enum rc_sim_ec2_action action)
{
    assert(action < RC_SIM_EC2_ACTION__MAX);
    return actions[action];
}

enum rc_sim_ec2_action
rc_sim_ec2_action_from_name(const char *name)
{
    for (unsigned i = 0; i < RC_SIM_EC2_ACTION__MAX; i++)
        if (strcmp(actions[i], name) == 0)
            return (enum rc_sim_ec2_action)i;
    return RC_SIM_EC2_ACTION__MAX;
}
