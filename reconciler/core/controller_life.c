/* controller_life.c - the life of a fail-over, one row a legal step. Anything else is a
 * bug and asserts in rc_pair_note(). Read it top down: it is the story. */
#include "reconciler/core/controller.h"

/* clang-format off */
static const struct rc_failover_row rows[] = {
    {RC_FO_WATCH,    RC_FO_SUSPECT,  "the primary does not serve"},
    {RC_FO_WATCH,    RC_FO_FENCE,    "a person, or the policy, wants another primary"},
    {RC_FO_SUSPECT,  RC_FO_WATCH,    "one serves"},
    {RC_FO_SUSPECT,  RC_FO_FENCE,    "it lasts"},
    {RC_FO_FENCE,    RC_FO_WATCH,    "it serves again, and nothing was done"},
    {RC_FO_FENCE,    RC_FO_SUSPECT,  "the one that was to take over cannot"},
    {RC_FO_FENCE,    RC_FO_STOP,     "its own host cannot prove it"},
    {RC_FO_FENCE,    RC_FO_TAKEOVER, "the other one is proved unable to write"},
    {RC_FO_STOP,     RC_FO_WATCH,    "it serves again, and nothing was done"},
    {RC_FO_STOP,     RC_FO_SUSPECT,  "the one that was to take over cannot"},
    {RC_FO_STOP,     RC_FO_FENCE,    "its host answers again"},
    {RC_FO_STOP,     RC_FO_TAKEOVER, "its instance is off"},
    {RC_FO_TAKEOVER, RC_FO_VERIFY,   "accepted"},
    {RC_FO_TAKEOVER, RC_FO_WATCH,    "the new one serves"},
    {RC_FO_TAKEOVER, RC_FO_FENCE,    "the proof does not hold any more"},
    {RC_FO_TAKEOVER, RC_FO_SUSPECT,  "the one that was to take over cannot"},
    {RC_FO_VERIFY,   RC_FO_WATCH,    "the new one serves"},
    {RC_FO_VERIFY,   RC_FO_TAKEOVER, "it does not serve in time: once more"},
    {RC_FO_VERIFY,   RC_FO_FENCE,    "the proof does not hold any more"},
    {RC_FO_VERIFY,   RC_FO_SUSPECT,  "the one that was to take over cannot"},
};
/* clang-format on */

const struct rc_failover_row *
rc_failover_rows(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}

const struct rc_failover_row *
rc_failover_row(enum rc_failover_phase from, enum rc_failover_phase to)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].from == from && rows[i].to == to) {
            return &rows[i];
        }
    }
    return NULL;
}
