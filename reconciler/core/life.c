/* life.c - the life of an incident, one row a legal step. Anything else is a bug
 * and asserts in rc_note(). Read it top down: it is the story of a repair. */
#include "reconciler/core/life.h"

/* clang-format off */
static const struct rc_life_row rows[] = {
    {RC_PHASE_NONE,       RC_PHASE_OPEN,       "fault found"},
    {RC_PHASE_OPEN,       RC_PHASE_PROTECT,    "limits allow it"},
    {RC_PHASE_OPEN,       RC_PHASE_CLOSED,     "fault gone before anything was done"},
    {RC_PHASE_OPEN,       RC_PHASE_LAUNCH,     "an empty place for a spare"},
    {RC_PHASE_OPEN,       RC_PHASE_RETIRE,     "an unfit spare"},
    {RC_PHASE_PROTECT,    RC_PHASE_WAIT_IDLE,  "drain seen"},
    {RC_PHASE_PROTECT,    RC_PHASE_CLOSED,     "fault gone, drain never set"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_RESET,      "idle: reset the GPUs"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_REBOOT,     "idle: reboot"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_STOP,       "idle: power-cycle"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_LAUNCH,     "idle: replace"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_RETIRE,     "idle: free its slot first"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_GATE,       "fault gone: prove health"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_QUARANTINE, "attempts used up"},
    {RC_PHASE_WAIT_IDLE,  RC_PHASE_CLOSED,     "an operator took the node back, or a spare is there"},
    {RC_PHASE_RESET,      RC_PHASE_GATE,       "GPUs reset"},
    {RC_PHASE_RESET,      RC_PHASE_WAIT_IDLE,  "rung failed or fault raised"},
    {RC_PHASE_RESET,      RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_REBOOT,     RC_PHASE_GATE,       "booted again and registered"},
    {RC_PHASE_REBOOT,     RC_PHASE_WAIT_IDLE,  "rung failed or fault raised"},
    {RC_PHASE_REBOOT,     RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_STOP,       RC_PHASE_START,      "seen stopped"},
    {RC_PHASE_STOP,       RC_PHASE_WAIT_IDLE,  "rung failed or fault raised"},
    {RC_PHASE_STOP,       RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_START,      RC_PHASE_JOIN,       "running again"},
    {RC_PHASE_START,      RC_PHASE_WAIT_IDLE,  "rung failed or fault raised"},
    {RC_PHASE_START,      RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_LAUNCH,     RC_PHASE_BOOT,       "instance launched"},
    {RC_PHASE_LAUNCH,     RC_PHASE_CLOSED,     "served already, or replaced before"},
    {RC_PHASE_LAUNCH,     RC_PHASE_WAIT_IDLE,  "rung failed"},
    {RC_PHASE_LAUNCH,     RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_BOOT,       RC_PHASE_REGISTER,   "running with an address"},
    {RC_PHASE_BOOT,       RC_PHASE_WAIT_IDLE,  "replacement failed"},
    {RC_PHASE_BOOT,       RC_PHASE_CLOSED,     "a spare stands ready"},
    {RC_PHASE_BOOT,       RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_REGISTER,   RC_PHASE_JOIN,       "NodeAddr read back"},
    {RC_PHASE_REGISTER,   RC_PHASE_WAIT_IDLE,  "replacement failed"},
    {RC_PHASE_REGISTER,   RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_JOIN,       RC_PHASE_GATE,       "slurmd registered"},
    {RC_PHASE_JOIN,       RC_PHASE_WAIT_IDLE,  "rung failed"},
    {RC_PHASE_JOIN,       RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_GATE,       RC_PHASE_RETURN,     "health proved"},
    {RC_PHASE_GATE,       RC_PHASE_WAIT_IDLE,  "gate refused, or the fault is back"},
    {RC_PHASE_GATE,       RC_PHASE_QUARANTINE, "ladder used up"},
    {RC_PHASE_RETURN,     RC_PHASE_RETIRE,     "in service: retire the old instance"},
    {RC_PHASE_RETURN,     RC_PHASE_CLOSED,     "in service"},
    {RC_PHASE_RETURN,     RC_PHASE_PROTECT,    "the fault is back"},
    {RC_PHASE_RETIRE,     RC_PHASE_LAUNCH,     "slot free"},
    {RC_PHASE_RETIRE,     RC_PHASE_WAIT_IDLE,  "in use again before its slot was freed"},
    {RC_PHASE_RETIRE,     RC_PHASE_CLOSED,     "old instance terminated"},
    {RC_PHASE_QUARANTINE, RC_PHASE_WAIT_IDLE,  "a person approved another try"},
    {RC_PHASE_QUARANTINE, RC_PHASE_CLOSED,     "a person took the node back"},
};
/* clang-format on */

const struct rc_life_row *
rc_life_rows(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}

const struct rc_life_row *
rc_life_row(enum rc_phase from, enum rc_phase to)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].from == from && rows[i].to == to) {
            return &rows[i];
        }
    }
    return NULL;
}
