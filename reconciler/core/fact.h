/* fact.h - what handlers share: which instance and node a fact speaks of, and
 * which instance stands behind a node's name. */
#ifndef RC_FACT_H
#define RC_FACT_H

#include "reconciler/core/state.h"

/* The instance that the event names, made when it was not known (a message may
 * come before the first sweep); 0 when the event names none or there is no room. */
uint32_t rc_fact_instance(struct rc_state *s, const struct rc_event *ev);
/* Looks at the instance's node in this step; the event's message waits for it. */
void rc_fact_touch(struct rc_state *s, const struct rc_event *ev, uint32_t instance);
/* AWS takes the event's instance back at that time; 0 = two minutes after the notice. */
void rc_fact_taken_back(struct rc_state *s, const struct rc_event *ev, int64_t deadline_wall_ms,
                        const char *code);

/* A state as told by EC2 at that time of the wall clock; nothing leaves the grave. */
void rc_instance_set_state(struct rc_state *s, uint32_t instance, enum rc_instance_state state,
                           int64_t wall_ms);
/* A start of it was asked for now: what is told of an earlier stop is over. */
void rc_instance_started(struct rc_state *s, uint32_t instance);
/* Is a notice's state one of before what is known? told_wall_ms: the notice's own time. */
bool rc_instance_is_past(const struct rc_instance *i, enum rc_instance_state state,
                         int64_t told_wall_ms);
/* A whole row of DescribeInstances; node = its node tag. */
void rc_instance_describe(struct rc_state *s, uint32_t instance, const struct rc_ev_instance *row);
/* For how long we have known of its launch, at most its age. On our own clock alone: EC2's
 * launchTime against a wall clock that is wrong makes a new instance an old one. */
int64_t rc_instance_age_ms(const struct rc_state *s, const struct rc_instance *i);
/* An incident number stands in a tag or a reason: it is not given out again. */
void rc_fact_incident_seen(struct rc_state *s, uint32_t incident);
/* A launch whose answer was lost is known by its tags. */
void rc_fact_adopt_launched(struct rc_state *s, uint32_t instance);
/* A complete pass did not show it; forgotten unless somebody refers to it. */
void rc_instance_absent(struct rc_state *s, uint32_t instance);
/* Which node an instance is tagged for ("" = none). */
void rc_instance_set_node(struct rc_state *s, uint32_t instance, const char *node);
/* Files a row under a node whatever its tags say (nothing when it is filed already). */
void rc_instance_link(struct rc_state *s, uint32_t instance, uint32_t node);
/* The instance behind a name: the tagged one whose address slurmctld serves;
 * where NodeAddr is a host name, the only living tagged one. */
void rc_node_bind(struct rc_state *s, uint32_t node);
void rc_node_set_partition(struct rc_state *s, uint32_t node, const char *partition);
/* Groups and scope counts anew, after the cluster file changed. */
void rc_nodes_regroup(struct rc_state *s);
void rc_touch_all(struct rc_state *s);

#endif
