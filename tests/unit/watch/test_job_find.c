/* Which job was on the node, on trees laid out like proc and sysfs. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/watch/job_find.h"

enum { PATH_ROOM = 256 };

static char root[] = "/tmp/job-find-XXXXXX";
static char proc[PATH_ROOM], sys[PATH_ROOM];

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *fmt, ...)
{
    char command[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void
fresh_tree(void)
{
    shell("rm -rf '%s'/*; mkdir -p %s %s", root, proc, sys);
}

static void
test_pid_of_text(void)
{
    static const struct {
        const char *text;
        uint32_t pid;
    } rows[] = {
        {"NVRM: Xid (PCI:0000:10:1c): 31, pid=2924364, name=pt_main_thread, Ch 8", 2924364},
        {"NVRM: Xid (PCI:0000:10:1c): 79, pid='<unknown>', name=<unknown>, GPU", 0},
        {"NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.", 0},
        {"INFO: task ray::Worker:620917 blocked for more than 120 seconds.", 620917},
        {" blocked for more than 120 seconds.", 0},
        {"x, pid=99999999999999, name", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rc_case(rc_job_pid_of_text(rows[i].text) == rows[i].pid, rows[i].text, "pid %u",
                rc_job_pid_of_text(rows[i].text));
    }
}

static void
test_groups(void)
{
    fresh_tree();
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 0);
    shell("mkdir -p %s/fs/cgroup/system.slice/slurmstepd.scope/job_4711/step_0/user", sys);
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 4711);
    shell("mkdir -p %s/fs/cgroup/memory/slurm_gpu-1/uid_1000/job_4711/step_batch", sys);
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 4711);
    shell("mkdir -p %s/fs/cgroup/freezer/slurm/uid_0/job_12", sys);
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 0); /* several: nobody is accused */
}

static void
test_process(void)
{
    fresh_tree();
    shell("mkdir -p %s/70 %s/77 %s/78 %s/80", proc, proc, proc, proc);
    shell("printf '0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n' >%s/77/cgroup",
          proc);
    CU_ASSERT_EQUAL(rc_job_of_pid(proc, 77), 4711);
    CU_ASSERT_EQUAL(rc_job_find(proc, sys, "Xid: 31, pid=77, name=x"), 4711);
    CU_ASSERT_EQUAL(rc_job_of_pid(proc, 99), 0);
    /* without control groups: slurmstepd is the parent's parent */
    shell("printf 'slurmstepd: [4712.batch]' >%s/70/cmdline; printf 'slurmstepd\n' >%s/70/comm",
          proc, proc);
    shell("printf '70 (slurmstepd) S 1 1 1' >%s/70/stat; printf '78 (a) b) S 70 1' >%s/78/stat",
          proc, proc);
    shell("printf '80 (python) S 78 1' >%s/80/stat", proc);
    CU_ASSERT_EQUAL(rc_job_of_pid(proc, 80), 4712);
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 4712);
    CU_ASSERT_EQUAL(rc_job_find(proc, sys, "pid=99"), 4712);
}

static void
test_nonsense(void)
{
    fresh_tree();
    shell("mkdir -p %s/5 %s/fs/cgroup/memory/slurm/uid_0/job_x "
          "%s/fs/cgroup/memory/slurm/uid_0/job_99999999999",
          proc, sys, sys);
    shell("printf '5 (loop) S 5 5 5' >%s/5/stat; printf '/job_' >%s/5/cgroup", proc, proc);
    CU_ASSERT_EQUAL(rc_job_of_pid(proc, 5), 0);
    CU_ASSERT_EQUAL(rc_job_alone(proc, sys), 0);
    CU_ASSERT_EQUAL(rc_job_alone("/nonexistent", "/nonexistent"), 0);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"the process that a message names", test_pid_of_text},
        {"the only job on a node, by its control groups", test_groups},
        {"the job of a process, by its control group or the slurmstepd above it", test_process},
        {"nonsense is nobody's job", test_nonsense},
        CU_TEST_INFO_NULL,
    };

    if (!mkdtemp(root)) {
        return 1;
    }
    (void)snprintf(proc, sizeof proc, "%s/proc", root);
    (void)snprintf(sys, sizeof sys, "%s/sys", root);
    int status = rc_test_main("job-find", tests);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
