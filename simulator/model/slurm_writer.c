/* slurm_writer.c - what writers ask of nodes: operators by the bare API, our
 * helper with its care for reasons that are not ours. */
#include <string.h>

#include "simulator/model/slurm_table.h"

/* Accounts of slurmctld's own words, by which it may have set a reason itself. */
static bool
reason_of_slurm(const char *reason)
{
    static const char *const own[] = {"Not responding", "Node unexpectedly rebooted",
                                      "ResumeTimeout reached", "NO NETWORK ADDRESS FOUND", "Low "};

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(reason, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}

static const char *
skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

bool
rc_sim_reason_ours(const char *reason)
{
    const char *at = reason + 3;
    const char *end;

    if (strncmp(reason, "rc:", 3) != 0 || (end = skip_digits(at)) == at)
        return false;
    if (*end == '+') {
        at = end + 1;
        if ((end = skip_digits(at)) == at)
            return false;
    }
    return *end == ' ';
}

static void
reason_set(struct rc_sim_node *n, int64_t now_ms, const char *reason, uint32_t uid)
{
    if (!rc_text_set(n->reason, sizeof(n->reason), reason)) {
        memcpy(n->reason, reason, sizeof(n->reason) - 1);
        n->reason[sizeof(n->reason) - 1] = '\0';
    }
    n->reason_ms = now_ms;
    n->reason_uid = uid;
}

enum rc_sim_outcome
rc_sim_slurm_update(struct rc_sim_slurm *m, int64_t now_ms, const char *name, uint32_t flag,
                    const char *reason, uint32_t uid)
{
    uint32_t at = rc_sim_slurm_find(m, name);

    if (at == RC_SIM_NO_NODE)
        return RC_SIM_MISSING;
    if (flag != RC_SN_DRAIN && flag != RC_SN_DOWN)
        return RC_SIM_REFUSED;
    if (reason != NULL && strcmp(m->node[at].reason, reason) != 0)
        reason_set(&m->node[at], now_ms, reason, uid);
    if (flag == RC_SN_DOWN) {
        rc_sim_slurm_down(m, now_ms, at, NULL);
    } else {
        m->node[at].flags |= RC_SN_DRAIN;
        rc_sim_slurm_touch(m, now_ms, at);
    }
    return RC_SIM_DONE;
}

void
rc_sim_slurm_maint(struct rc_sim_slurm *m, int64_t now_ms, const char *name, bool on)
{
    uint32_t at = rc_sim_slurm_find(m, name);

    if (at == RC_SIM_NO_NODE)
        return;
    m->node[at].flags &= ~(uint32_t)RC_SN_MAINT;
    m->node[at].flags |= on ? (uint32_t)RC_SN_MAINT : 0U;
    rc_sim_slurm_touch(m, now_ms, at);
    rc_sim_slurm_schedule(m, now_ms);
}

enum rc_sim_outcome
rc_sim_slurm_resume(struct rc_sim_slurm *m, int64_t now_ms, const char *name)
{
    uint32_t at = rc_sim_slurm_find(m, name);
    uint32_t held = RC_SN_DOWN | RC_SN_DRAIN | RC_SN_FAIL;
    struct rc_sim_node *n;

    if (at == RC_SIM_NO_NODE)
        return RC_SIM_MISSING;
    n = &m->node[at];
    if ((n->flags & held) == 0 || (n->flags & RC_SN_INVALID_REG) != 0)
        return RC_SIM_NOT_DRAINED;
    if ((n->flags & RC_SN_DOWN) != 0 && n->gone_ms != RC_SIM_NEVER)
        n->gone_ms = now_ms; /* a node that still does not answer gets its time-out again */
    n->flags &= ~held;
    n->reason[0] = '\0';
    rc_sim_slurm_touch(m, now_ms, at);
    rc_sim_slurm_schedule(m, now_ms);
    return RC_SIM_DONE;
}

enum rc_sim_outcome
rc_sim_slurm_mark(struct rc_sim_slurm *m, int64_t now_ms, const char *name, uint32_t flag,
                  const char *reason)
{
    uint32_t at = rc_sim_slurm_find(m, name);
    enum rc_sim_outcome outcome;
    const char *stands;

    if (at == RC_SIM_NO_NODE)
        return RC_SIM_MISSING;
    stands = m->node[at].reason;
    outcome = stands[0] == '\0' || rc_sim_reason_ours(stands) || reason_of_slurm(stands)
                  ? RC_SIM_DONE
                  : RC_SIM_FOREIGN;
    if (rc_sim_slurm_update(m, now_ms, name, flag, outcome == RC_SIM_DONE ? reason : NULL, 0) !=
        RC_SIM_DONE)
        return RC_SIM_REFUSED;
    return outcome;
}

enum rc_sim_outcome
rc_sim_slurm_unmark(struct rc_sim_slurm *m, int64_t now_ms, const char *name)
{
    uint32_t at = rc_sim_slurm_find(m, name);

    if (at == RC_SIM_NO_NODE)
        return RC_SIM_MISSING;
    if ((m->node[at].flags & (RC_SN_DOWN | RC_SN_DRAIN)) == 0)
        return RC_SIM_NOT_DRAINED;
    if (!rc_sim_reason_ours(m->node[at].reason))
        return RC_SIM_FOREIGN;
    return rc_sim_slurm_resume(m, now_ms, name);
}
