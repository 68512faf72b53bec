/* pair_story.h - two controllers, head1 and head2, for the tests of the fail-over: the
 * daemon under test runs on head2 and leads; head1 is primary, head2 standby. */
#ifndef RC_TEST_PAIR_STORY_H
#define RC_TEST_PAIR_STORY_H

#include "tests/unit/core/story.h"

void pair_begin(struct story *st);
/* The same cluster, but head1 was never seen: EC2 does not list it, its daemon never answered. */
void pair_begin_alone(struct story *st);
/* head1 is killed after too many moves: it is to be started where it is, with head2 standby. */
void pair_begin_in_place(struct story *st);
/* A controller's instance is in that zone, and its daemon tells of it. */
void pair_is_in_zone(struct story *st, const char *id, const char *az);
/* What this daemon sees of a slurmctld; by_peer: what its peer told. */
void pair_probe(struct story *st, const char *host, enum rc_ctl_mode mode, uint32_t by_peer);
/* What the daemon on that host tells of it; process UNKNOWN: it does not answer. */
void pair_host(struct story *st, const char *host, enum rc_ctl_process process,
               enum rc_yes_no fenced);
void pair_host_dir(struct story *st, const char *host, enum rc_ctl_dir dir);
/* head1's host is cut off: neither its slurmctld nor its daemon is reached. */
void pair_cut_off(struct story *st);
/* slurmctld is gone on a host that answers. */
void pair_ends(struct story *st, const char *host, enum rc_yes_no fenced);
/* EC2's answer to the newest look. */
void pair_looked(struct story *st, const char *id, enum rc_instance_state state);
/* An operator asks for it. */
void pair_order(struct story *st, const char *host);
enum rc_failover_phase pair_phase(const struct story *st);

#endif
