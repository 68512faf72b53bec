/* probe_tasks.c - processes that hang in the kernel.
 *
 * The kernel's own detector (kernel/hung_task.c) says so ten times after boot and is silent
 * then (sysctl kernel.hung_task_warnings). Here a process is hung when it was in
 * uninterruptible sleep at two looks in a row and has not run in between: its count of voluntary
 * switches is the same. A single look (nodewatch check) cannot tell. Kernel threads wait so by
 * design, and so do our own children in a file system that does not answer. */
#define _GNU_SOURCE
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/watch/probe.h"
#include "reconciler/watch/sys_file.h"

enum { ASLEEP_MAX = 64, PF_KTHREAD = 0x00200000, COMM_LEN = 20 };

struct asleep {
    unsigned long long pid, switches;
    char name[COMM_LEN];
};

struct tasks {
    struct asleep v[ASLEEP_MAX];
    uint32_t count;
};

static struct tasks before; /* of the last look */

/* "pid (name) S ppid … flags": the name may hold blanks and brackets. */
static bool
sleeps_hard(const char *proc, const char *pid, struct asleep *ret)
{
    char text[512];
    unsigned flags = 0;

    if (!rc_sys_read(proc, pid, "stat", text, sizeof text)) {
        return false; /* it has ended */
    }
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || strncmp(close, ") D ", 4) != 0 ||
        sscanf(close + 4, "%*d %*d %*d %*d %*d %u", &flags) != 1 || (flags & PF_KTHREAD) != 0) {
        return false;
    }
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", (int)(close - open - 1), open + 1);
    return strcmp(ret->name, "nodewatch") != 0;
}

static bool
read_switches(const char *proc, const char *pid, unsigned long long *ret)
{
    char text[4096];
    const char *at = rc_sys_read(proc, pid, "status", text, sizeof text)
                         ? strstr(text, "\nvoluntary_ctxt_switches:")
                         : NULL;

    return at && sscanf(at, "\nvoluntary_ctxt_switches: %llu", ret) == 1;
}

static void
look_at_task(struct tasks *now, const struct rc_probe_config *c, const char *pid,
             struct rc_findings *out)
{
    struct asleep task = {0};

    if (now->count == ASLEEP_MAX || !sleeps_hard(c->proc, pid, &task) ||
        !read_switches(c->proc, pid, &task.switches) || sscanf(pid, "%llu", &task.pid) != 1) {
        return;
    }
    now->v[now->count++] = task;
    for (uint32_t i = 0; i < before.count; i++) {
        if (before.v[i].pid == task.pid && before.v[i].switches == task.switches) {
            rc_finding_add(out, RC_FINDING_NOTE, "hung-task", "",
                           "%s (process %s) has hung in the kernel since the last look", task.name,
                           pid);
            return;
        }
    }
}

void
rc_probe_tasks(const struct rc_probe_config *c, struct rc_findings *out)
{
    static struct tasks now;

    if (!c->rates) {
        return;
    }
    DIR *dir = opendir(c->proc);
    if (!dir) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "task:unknown", "", "%s cannot be read", c->proc);
        return;
    }
    now.count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            look_at_task(&now, c, entry->d_name, out);
        }
    }
    (void)closedir(dir);
    before = now;
}
