/* ebs_volume.c - a volume could not be attached or has failed. Without an
 * instance in the notice nothing can be concluded about a node. */
#include "handlers/table.h"

#include "reconciler/core/fact.h"

static void
ebs_volume_apply(struct rc_state *s, const struct rc_event *ev)
{
    uint32_t slot = rc_fact_instance(s, ev);

    if (!slot || !ev->u.ebs.failed) {
        return;
    }
    struct rc_instance_faults *f = &rc_instance_at(s, slot)->faults;
    f->ebs_failed = 1;
    rc_text_set(f->code, sizeof f->code, ev->u.ebs.volume);
    rc_fact_touch(s, ev, slot);
}

const struct rc_handler rc_handler_ebs_volume = {RC_EV_EBS_VOLUME, ebs_volume_apply};
