/* job_find.c - see job_find.h.
 *
 * Control groups: slurm/src/plugins/cgroup; v1 "/slurm[_NODE]/uid_1000/job_4711/step_0", v2
 * "/system.slice/slurmstepd.scope/job_4711/step_0/…" or below another slice. slurmstepd sets
 * its title to "slurmstepd: [4711.batch]" (slurmd/slurmstepd/slurmstepd.c). */
#define _GNU_SOURCE
#include "reconciler/watch/job_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/watch/sys_file.h"

enum { PARENTS_MAX = 32, DEPTH_MAX = 4, TITLE_ROOM = 64 };

#define STEP_TITLE "slurmstepd: ["

/* Jobs seen: none, one, or several. */
struct jobs_seen {
    uint32_t job;
    bool several;
    const char *proc;
    uint32_t depth;
};

static uint32_t
read_job_number(const char *at)
{
    unsigned long value = *at >= '1' && *at <= '9' ? strtoul(at, NULL, 10) : 0;

    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void
see_job(struct jobs_seen *s, uint32_t job)
{
    s->several |= s->job != 0 && job != 0 && s->job != job;
    s->job = job ? job : s->job;
}

uint32_t
rc_job_pid_of_text(const char *text)
{
    const char *at = strstr(text, "pid=");

    if (at) {
        return read_job_number(at + 4);
    }
    at = strstr(text, " blocked for more than ");
    while (at && at > text && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    return at && at > text && at[-1] == ':' ? read_job_number(at) : 0;
}

/* "slurmstepd: [4711.batch]"; 0: another program. */
static uint32_t
job_of_title(const char *proc, const char *pid)
{
    char title[TITLE_ROOM];

    return rc_sys_read(proc, pid, "cmdline", title, sizeof title) &&
                   strncmp(title, STEP_TITLE, sizeof STEP_TITLE - 1) == 0
               ? read_job_number(title + sizeof STEP_TITLE - 1)
               : 0;
}

uint32_t
rc_job_of_pid(const char *proc, uint32_t pid)
{
    char name[16], text[4096];
    uint32_t job = 0;

    for (int i = 0; i < PARENTS_MAX && pid > 1 && !job; i++) {
        (void)snprintf(name, sizeof name, "%u", pid);
        if (rc_sys_read(proc, name, "cgroup", text, sizeof text)) {
            const char *at = strstr(text, "/job_");

            job = at ? read_job_number(at + 5) : 0;
        }
        job = job ? job : job_of_title(proc, name);
        if (!rc_sys_read(proc, name, "stat", text, sizeof text)) {
            break;
        }
        const char *close = strrchr(text, ')');
        if (!close || sscanf(close, ") %*c %u", &pid) != 1) {
            break;
        }
    }
    return job;
}

static void see_group(void *arg, const char *dir, const char *name);

static void
see_groups(struct jobs_seen *s, const char *dir, const char *name, const char *prefix)
{
    char path[PATH_MAX];

    if (s->depth < DEPTH_MAX && snprintf(path, sizeof path, "%s/%s", dir, name) < PATH_MAX) {
        s->depth++;
        (void)rc_sys_each(path, prefix, see_group, s);
        s->depth--;
    }
}

/* A job's folder, or one that may hold them. */
static void
see_group(void *arg, const char *dir, const char *name)
{
    struct jobs_seen *s = arg;

    if (strncmp(name, "job_", 4) == 0) {
        see_job(s, read_job_number(name + 4));
    } else if (strncmp(name, "slurm", 5) == 0 || strncmp(name, "uid_", 4) == 0) {
        see_groups(s, dir, name, "");
    } else if (s->depth == 1 && (strcmp(name, "memory") == 0 || strcmp(name, "freezer") == 0 ||
                                 strstr(name, ".slice"))) {
        see_groups(s, dir, name, "slurm");
    }
}

static void
see_step(void *arg, const char *dir, const char *name)
{
    struct jobs_seen *s = arg;
    char comm[32];

    if (*name >= '1' && *name <= '9' && rc_sys_read(dir, name, "comm", comm, sizeof comm) &&
        strncmp(comm, "slurmstepd", 10) == 0) {
        see_job(s, job_of_title(dir, name));
    }
}

uint32_t
rc_job_alone(const char *proc, const char *sys)
{
    struct jobs_seen s = {.proc = proc};

    see_groups(&s, sys, "fs/cgroup", "");
    if (s.job == 0) { /* Slurm without control groups */
        (void)rc_sys_each(proc, "", see_step, &s);
    }
    return s.several ? 0 : s.job;
}

uint32_t
rc_job_find(const char *proc, const char *sys, const char *text)
{
    uint32_t pid = rc_job_pid_of_text(text);
    uint32_t job = pid ? rc_job_of_pid(proc, pid) : 0;

    return job ? job : rc_job_alone(proc, sys);
}
