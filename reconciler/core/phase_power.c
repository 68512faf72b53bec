/* phase_power.c - repairs that keep the instance: reboot, stop, start.
 *
 * Verified by fact, never by a fixed sleep: a new boot time and a registration
 * after a reboot; "stopped" seen before a start. A stop moves the instance to
 * another host and loses instance-store data; a reboot does neither. */
#include <string.h>

#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

/* Node clocks differ a little from ours; slurmd reports whole seconds. */
enum { CLOCK_SLACK_MS = 5000 };

bool
rc_node_joined(const struct rc_node *n, int64_t not_before_wall_ms)
{
    uint32_t away = RC_SN_NOT_RESPONDING | RC_SN_POWERING | RC_SN_POWERED_DOWN | RC_SN_UNKNOWN |
                    RC_SN_INVALID_REG;

    return !(n->flags & away) && n->slurmd_start_wall_ms + CLOCK_SLACK_MS > not_before_wall_ms;
}

/* After the request by our clock, and another boot than the one before by the node's own: ours may
 * be wrong, and the node may have booted while the request waited for a limit. slurmd reckons its
 * boot anew each time, to a second or so. */
int64_t
rc_boot_after(const struct rc_node *n, int64_t asked_wall_ms)
{
    int64_t by_clock_ms = asked_wall_ms - CLOCK_SLACK_MS;
    int64_t by_boot_ms = n->boot_wall_ms + CLOCK_SLACK_MS;

    return by_boot_ms > by_clock_ms ? by_boot_ms : by_clock_ms;
}

static void
send_power(struct rc_turn *t, enum rc_action_kind kind)
{
    struct rc_action a;

    rc_act_init(t, &a, kind, t->s->policy.timeouts.launch_ms);
    rc_put_text(a.text, sizeof a.text, rc_fault_name((enum rc_fault)t->inc->fault));
    rc_act_send(t->s, t->out, &a);
}

static int64_t
rung_timeout_ms(const struct rc_turn *t)
{
    int64_t of_rung_ms = rc_rung_now(t->inc)->timeout_ms;

    return of_rung_ms ? of_rung_ms : t->s->policy.timeouts.boot_ms;
}

/* The fault's own device where it is told; on boards with NVSwitch the executor resets all
 * GPUs, because one alone cannot be. */
static void
send_reset(struct rc_turn *t)
{
    struct rc_action a;

    rc_act_init(t, &a, RC_ACT_GPU_RESET, t->s->policy.timeouts.gate_ms);
    rc_turn_host(t, &a);
    rc_put_text(a.text, sizeof a.text, rc_fault_name((enum rc_fault)t->inc->fault));
    rc_act_send(t->s, t->out, &a);
}

bool
rc_phase_reset(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (inc->flags & RC_INC_ACCEPTED) {
        return rc_turn_go(t, RC_PHASE_GATE, "GPUs reset");
    }
    if (inc->flags & RC_INC_FAILED) {
        return rc_turn_fail(t, "the GPUs could not be reset");
    }
    if (!inc->action && rc_turn_busy_again(t)) {
        return true;
    }
    if (!inc->action && rc_turn_phase_over(t, rung_timeout_ms(t))) {
        return rc_turn_fail(t, "the GPUs were not reset in time");
    }
    if (rc_turn_may(t, RC_ACT_GPU_RESET)) {
        send_reset(t);
    }
    return false;
}

/* Nothing was accepted yet, and there is nothing any more that could take it. */
static bool
is_too_late(const struct rc_turn *t)
{
    return !t->inc->action && !(t->inc->flags & RC_INC_ACCEPTED) && !rc_turn_old_serves(t);
}

bool
rc_phase_reboot(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (inc->flags & RC_INC_ACCEPTED) {
        if (t->n->boot_wall_ms > inc->boot_after_wall_ms &&
            rc_node_joined(t->n, inc->phase_wall_ms)) {
            return rc_turn_go(t, RC_PHASE_GATE, "booted again and registered");
        }
        return rc_turn_phase_over(t, rung_timeout_ms(t)) &&
               rc_turn_fail(t, "not back from its reboot in time");
    }
    if (inc->flags & RC_INC_FAILED || is_too_late(t)) {
        return rc_turn_fail(t, "the reboot was refused");
    }
    if (!inc->action && rc_turn_busy_again(t)) {
        return true;
    }
    if (rc_turn_may(t, RC_ACT_REBOOT)) {
        send_power(t, RC_ACT_REBOOT);
    }
    return false;
}

bool
rc_phase_stop(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (rc_instance_at(t->s, inc->old_instance)->state == RC_INST_STOPPED) {
        return rc_turn_go(t, RC_PHASE_START, "seen stopped");
    }
    if (inc->flags & RC_INC_FAILED || is_too_late(t)) {
        return rc_turn_fail(t, "the stop was refused");
    }
    if (inc->flags & RC_INC_ACCEPTED) {
        rc_turn_look(t, inc->old_instance);
        return rc_turn_phase_over(t, t->s->policy.timeouts.stop_ms) &&
               rc_turn_fail(t, "not seen stopped in time");
    }
    if (!inc->action && rc_turn_busy_again(t)) {
        return true;
    }
    if (rc_turn_may(t, RC_ACT_STOP)) {
        send_power(t, RC_ACT_STOP);
    }
    return false;
}

bool
rc_phase_start(struct rc_turn *t)
{
    struct rc_incident *inc = t->inc;

    if (inc->flags & RC_INC_FAILED) {
        return rc_turn_fail(t, "the start was refused");
    }
    if (inc->flags & RC_INC_ACCEPTED) {
        if (rc_instance_at(t->s, inc->old_instance)->state == RC_INST_RUNNING) {
            return rc_turn_go(t, RC_PHASE_JOIN, "running again");
        }
        rc_turn_look(t, inc->old_instance);
        return rc_turn_phase_over(t, rung_timeout_ms(t)) &&
               rc_turn_fail(t, "not seen running in time");
    }
    if (rc_turn_may(t, RC_ACT_START)) {
        send_power(t, RC_ACT_START);
    }
    return false;
}
