/* cluster.c - the cluster file was read, at start or anew. */
#include "handlers/table.h"

#include <string.h>

#include "reconciler/core/fact.h"
#include "reconciler/core/spare.h"

/* Behind the last group there is room for many more, and zero. */
static void
use_cluster(struct rc_cluster *to, const struct rc_cluster *from)
{
    const size_t behind = offsetof(struct rc_cluster, controller_count);
    uint32_t had = to->group_count, has = from->group_count;

    memcpy(to, from, offsetof(struct rc_cluster, group));
    memcpy(to->group, from->group, has * sizeof to->group[0]);
    if (had > has) {
        memset(&to->group[has], 0, (had - has) * sizeof to->group[0]);
    }
    memcpy((char *)to + behind, (const char *)from + behind, sizeof *to - behind);
}

static void
cluster_apply(struct rc_state *s, const struct rc_event *ev)
{
    use_cluster(&s->cluster, ev->u.cluster);
    s->cluster_loaded = 1;
    rc_pair_configure(s);
    rc_nodes_regroup(s);
    rc_spare_places(s);
    rc_touch_all(s);
}

const struct rc_handler rc_handler_cluster = {RC_EV_CLUSTER, cluster_apply};
