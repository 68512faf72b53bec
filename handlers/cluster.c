/* cluster.c - the cluster file was read, at start or anew. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"

static void
cluster_apply(struct rc_state *s, const struct rc_event *ev)
{
    memcpy(&s->cluster, ev->u.cluster, sizeof s->cluster);
    s->cluster_loaded = 1;
    rc_pair_configure(s);
    rc_nodes_regroup(s);
    rc_spare_places(s);
    rc_touch_all(s);
}

const struct rc_handler rc_handler_cluster = {RC_EV_CLUSTER, cluster_apply};
