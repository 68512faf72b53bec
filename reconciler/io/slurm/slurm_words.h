/* slurm_words.h - the words of Slurm that mean something to us: reasons and their
 * owners, names of node flags. Pure; shared by the daemon and the helper.
 *
 * Our reason is "rc:<incident> <fault>[ <detail>]", or for one update over several
 * incidents "rc:<lowest>+<others> <fault> …". */
#ifndef RC_SLURM_WORDS_H
#define RC_SLURM_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/core/event.h"

/* True when the reason carries our marker; *ret_incident is the (lowest) incident,
 * *ret_others how many more share the update. Both may be NULL. */
bool rc_slurm_reason_ours(const char *reason, uint32_t *ret_incident, uint32_t *ret_others);

/* Who wrote a reason. slurmctld's own words count as its own only when the user
 * that set them is root or SlurmUser, because slurmctld writes them as such; an
 * operator who types the same words as another user stays an operator. */
enum rc_owner rc_slurm_owner(const char *reason, uint32_t reason_uid, uint32_t slurm_uid);

/* "down,not_responding" <-> enum rc_slurm_flag bits. An unknown name is false. */
bool rc_slurm_flags_parse(const char *names, uint32_t *ret_flags);
/* Writes the names of the bits; false when room is too small. RC_SLURM_FLAGS_ROOM holds all. */
bool rc_slurm_flags_format(uint32_t flags, char *buf, uint32_t room);
enum { RC_SLURM_FLAGS_ROOM = 160 };

#endif
