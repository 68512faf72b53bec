/* slurm_words.c - see slurm_words.h.
 *
 * The table of slurmctld's own reasons is from the sources of 22.05.8 and 24.11.5
 * (files under src/ named per row; both releases say the same). Reasons that slurmctld
 * sets for somebody else ("reboot requested", what a health check program found) are
 * not in it: their owner is the one who asked. */
#include "reconciler/io/slurm/slurm_words.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Beginnings of the reason; the rest is detail ("Low RealMemory (reported:…"). */
static const char *const slurm_reasons[] = {
    "Not responding",               /* slurmctld/ping_nodes.c */
    "Node unexpectedly rebooted",   /* slurmctld/node_mgr.c validate_node_specs, and … */
    "Low socket*core*thread count", /* … also there */
    "Low CPUs",
    "Low RealMemory",
    "Low TmpDisk",
    "gres/", /* common/gres.c, interfaces/gres.c: "gres/gpu count reported lower than …" */
    "Prolog error",
    "Job env setup error",
    "ResumeTimeout reached",      /* slurmctld/power_save.c */
    "NO NETWORK ADDRESS FOUND",   /* slurmctld/read_config.c */
    "Epilog error",               /* slurmctld/job_mgr.c */
    "batch job complete failure", /* slurmctld/proc_req.c */
    "Duplicate jobid",            /* slurmctld/agent.c */
    "Prolog/Epilog failure",      /* slurmctld/agent.c */
    "Kill task failed",           /* common/slurm_errno.c, sent by slurmstepd as SlurmdUser */
};

static const struct {
    uint32_t flag;
    const char *name;
} flag_names[] = {
    {RC_SN_DOWN, "down"},
    {RC_SN_DRAIN, "drain"},
    {RC_SN_FAIL, "fail"},
    {RC_SN_ALLOCATED, "allocated"},
    {RC_SN_COMPLETING, "completing"},
    {RC_SN_NOT_RESPONDING, "not_responding"},
    {RC_SN_MAINT, "maint"},
    {RC_SN_RESERVED, "reserved"},
    {RC_SN_REBOOT, "reboot"},
    {RC_SN_POWERING, "powering"},
    {RC_SN_POWERED_DOWN, "powered_down"},
    {RC_SN_INVALID_REG, "invalid_reg"},
    {RC_SN_FUTURE, "future"},
    {RC_SN_UNKNOWN, "unknown"},
    {RC_SN_DYNAMIC, "dynamic"},
    {RC_SN_CLOUD, "cloud"},
};

enum { FLAGS = sizeof flag_names / sizeof *flag_names };

/* Reads a decimal number that fits 32 bits; NULL when there is none. */
static const char *
marker_number(const char *text, uint32_t *ret)
{
    uint64_t value = 0;
    const char *c = text;

    while (*c >= '0' && *c <= '9') {
        value = value * 10 + (uint64_t)(*c - '0');
        if (value > UINT32_MAX) {
            return NULL;
        }
        c++;
    }
    *ret = (uint32_t)value;
    return c == text ? NULL : c;
}

bool
rc_slurm_reason_ours(const char *reason, uint32_t *ret_incident, uint32_t *ret_others)
{
    uint32_t incident = 0, others = 0;
    const char *c = reason;

    if (strncmp(c, "rc:", 3) != 0) {
        return false;
    }
    c = marker_number(c + 3, &incident);
    if (c && *c == '+') {
        c = marker_number(c + 1, &others);
    }
    if (!c || *c != ' ') {
        return false;
    }
    if (ret_incident) {
        *ret_incident = incident;
    }
    if (ret_others) {
        *ret_others = others;
    }
    return true;
}

enum rc_owner
rc_slurm_owner(const char *reason, uint32_t reason_uid, uint32_t slurm_uid)
{
    if (reason[0] == '\0') {
        return RC_OWNER_NONE;
    }
    if (rc_slurm_reason_ours(reason, NULL, NULL)) {
        return RC_OWNER_OURS;
    }
    if (reason_uid != 0 && reason_uid != slurm_uid) {
        return RC_OWNER_FOREIGN;
    }
    for (size_t i = 0; i < sizeof slurm_reasons / sizeof *slurm_reasons; i++) {
        if (strncmp(reason, slurm_reasons[i], strlen(slurm_reasons[i])) == 0) {
            return RC_OWNER_SLURM;
        }
    }
    return RC_OWNER_FOREIGN;
}

bool
rc_slurm_flags_parse(const char *names, uint32_t *ret_flags)
{
    uint32_t flags = 0;

    while (*names) {
        size_t len = strcspn(names, ",");
        int i = 0;

        while (i < FLAGS && (strlen(flag_names[i].name) != len ||
                             strncmp(names, flag_names[i].name, len) != 0)) {
            i++;
        }
        if (i == FLAGS) {
            return false;
        }
        flags |= flag_names[i].flag;
        names += len;
        if (*names == ',' && *++names == '\0') {
            return false;
        }
    }
    *ret_flags = flags;
    return true;
}

bool
rc_slurm_flags_format(uint32_t flags, char *buf, uint32_t room)
{
    size_t len = 0;

    assert(room > 0);
    buf[0] = '\0';
    for (int i = 0; i < FLAGS; i++) {
        size_t name = strlen(flag_names[i].name);

        if (!(flags & flag_names[i].flag)) {
            continue;
        }
        if (len + (len > 0) + name + 1 > room) {
            return false;
        }
        if (len > 0) {
            buf[len++] = ',';
        }
        memcpy(buf + len, flag_names[i].name, name + 1);
        len += name;
    }
    return true;
}
