/* ec2_throttle.c - the buckets; sizes come from the table in ec2_codes.h.
 *
 * Invariant: 0 <= milli <= 1000 * size. Time that goes back refills nothing. */
#include "simulator/model/ec2_throttle.h"

#include <assert.h>

struct limits {
    int64_t size, refill, unit_size, unit_refill;
};

static const struct limits limits[RC_SIM_EC2_ACTION__MAX] = {
#define RC_SIM_EC2_LIMIT_ROW(action, name, room, refill, units, unit_refill)                       \
    [action] = {(room), (refill), (units), (unit_refill)},
    RC_SIM_EC2_ACTIONS(RC_SIM_EC2_LIMIT_ROW)
#undef RC_SIM_EC2_LIMIT_ROW
};

void
rc_sim_throttle_init(struct rc_sim_throttle *t, bool on, int64_t now_ms)
{
    *t = (struct rc_sim_throttle){.on = on};
    for (unsigned i = 0; i < RC_SIM_EC2_ACTION__MAX; i++) {
        t->request[i] = (struct rc_sim_bucket){limits[i].size * 1000, now_ms};
        t->unit[i] = (struct rc_sim_bucket){limits[i].unit_size * 1000, now_ms};
    }
}

static void
bucket_refill(struct rc_sim_bucket *b, int64_t size, int64_t refill, int64_t now_ms)
{
    int64_t passed = now_ms - b->at_ms;

    if (passed <= 0)
        return;
    b->at_ms = now_ms;
    if (passed > 1000 * size) /* long enough to fill any bucket, and no overflow */
        passed = 1000 * size;
    b->milli += passed * refill;
    if (b->milli > size * 1000)
        b->milli = size * 1000;
}

bool
rc_sim_throttle_admit(struct rc_sim_throttle *t, int64_t now_ms, enum rc_sim_ec2_action action,
                      uint32_t units)
{
    const struct limits *l = &limits[action];
    int64_t need = l->unit_size > 0 ? (int64_t)units * 1000 : 0;

    assert(action < RC_SIM_EC2_ACTION__MAX);
    if (!t->on)
        return true;
    bucket_refill(&t->request[action], l->size, l->refill, now_ms);
    bucket_refill(&t->unit[action], l->unit_size, l->unit_refill, now_ms);
    if (t->request[action].milli < 1000 || t->unit[action].milli < need)
        return false;
    t->request[action].milli -= 1000;
    t->unit[action].milli -= need;
    return true;
}
