/* "nodewatch check" on a tree laid out like sysfs and proc of a node. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OUT_ROOM = 1 << 16, PATH_ROOM = 512, SLOW_MS = 2000 };

static char root[] = "/tmp/watch-check-XXXXXX";

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *fmt, ...)
{
    char command[2048];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void
put(const char *path, const char *text)
{
    char full[PATH_ROOM];

    shell("mkdir -p \"$(dirname '%s/%s')\"", root, path);
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    FILE *f = fopen(full, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0);
    (void)fclose(f);
}

/* A healthy p4d, as far as the probes look: two of its GPUs, one EFA, one NVMe. */
static void
lay_out(void)
{
    static const char *const gpus[] = {"0000:10:1c.0", "0000:a0:1c.0"};
    char path[PATH_ROOM];

    shell("rm -rf '%s'/*", root);
    for (int i = 0; i < 2; i++) {
        static const char *const files[][2] = {
            {"vendor", "0x10de\n"},
            {"device", "0x20b0\n"},
            {"class", "0x030200\n"},
            {"config", "\xde\x10\xb0\x20"},
            {"current_link_width", "16\n"},
            {"max_link_width", "16\n"},
            {"current_link_speed", "8.0 GT/s PCIe\n"},
            {"max_link_speed", "16.0 GT/s PCIe\n"},
            {"aer_dev_fatal", "Undefined 0\nDLP 0\nTOTAL_ERR_FATAL 0\n"},
            {"aer_dev_nonfatal", "Undefined 0\nTOTAL_ERR_NONFATAL 0\n"},
        };
        for (size_t j = 0; j < sizeof files / sizeof *files; j++) {
            (void)snprintf(path, sizeof path, "sys/bus/pci/devices/%s/%s", gpus[i], files[j][0]);
            put(path, files[j][1]);
        }
    }
    put("sys/bus/pci/devices/0000:10:1b.0/vendor", "0x1d0f\n");
    put("sys/bus/pci/devices/0000:10:1b.0/device", "0xefa0\n");
    put("sys/bus/pci/devices/0000:10:1b.0/max_link_width", "16\n");
    put("sys/class/infiniband/rdmap16s27/hw_counters/no_completion_cmds", "0\n");
    put("sys/class/infiniband/rdmap16s27/hw_counters/cmds_err", "0\n");
    put("sys/bus/pci/devices/0000:00:04.0/vendor", "0x1d0f\n");
    put("sys/bus/pci/devices/0000:00:04.0/device", "0x8061\n");
    put("sys/bus/pci/devices/0000:00:04.0/max_link_width", "4\n");
    put("sys/class/nvme/nvme0/state", "live\n");
    put("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "0\n");
    put("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\nHardwareCorrupted: 0 kB\n");
    put("proc/self/mounts", "proc /proc proc rw 0 0\n/dev/nvme0n1p1 / ext4 rw,relatime 0 0\n");
    put("proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n"
                               "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n");
    put("proc/sys/kernel/random/boot_id", "1a2b3c4d-0000\n");
    put("etc/fstab", "/dev/nvme9n1 /tmp/kept xfs ro 0 0\n");
    put("kmsg", "6,1,10,-;Linux version 6.1\n6,2,20,-;EXT4-fs (nvme0n1p1): mounted\n");
}

static int
run_check(const char *env, const char *options, char out[OUT_ROOM])
{
    char command[2048];
    int len = snprintf(command, sizeof command,
                       "%s %s check --sysfs %s/sys --proc %s/proc --etc %s/etc --kmsg %s/kmsg "
                       "--nvml %s %s",
                       env, RC_NODEWATCH, root, root, root, root, RC_STUB_NVML, options);

    CU_ASSERT_FATAL(len > 0 && (size_t)len < sizeof command);
    FILE *f = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    out[fread(out, 1, OUT_ROOM - 1, f)] = '\0';
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_well(void)
{
    char out[OUT_ROOM];
    struct timespec begin, end;

    lay_out();
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    CU_ASSERT_EQUAL(run_check("", "--gpus 2 --efas 1", out), 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    CU_ASSERT((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 <
              SLOW_MS);
    CU_ASSERT(strstr(out, "\nwell\n") != NULL);
    CU_ASSERT(strstr(out, "fault") == NULL);
}

static void
test_faults(void)
{
    static const struct {
        const char *path, *text, *options, *want;
    } rows[] = {
        {"sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL 2\n", "",
         "aer:fatal 0000:a0:1c.0"},
        {"sys/bus/pci/devices/0000:a0:1c.0/current_link_width", "8\n", "",
         "pcie:width 0000:a0:1c.0: link is x8 instead of x16"},
        {"sys/bus/pci/devices/0000:10:1b.0/current_link_width", "8\n", "",
         "pcie:width 0000:10:1b.0: link is x8 instead of x16"},
        {"sys/bus/pci/devices/0000:a0:1c.0/config", "\xff\xff\xff\xff", "", "gpu:no-answer"},
        {"etc/fstab", "", "--gpus 8", "gpu:missing"},
        {"etc/fstab", "", "--efas 4", "efa:missing: 1 of 4 EFA devices"},
        {"sys/class/infiniband/rdmap16s27/hw_counters/no_completion_cmds", "1\n", "",
         "efa:admin-timeout rdmap16s27"},
        {"sys/class/nvme/nvme0/state", "dead\n", "", "nvme:lost nvme0"},
        {"proc/meminfo", "MemTotal: 9 kB\nMemAvailable: 9 kB\nHardwareCorrupted: 4 kB\n", "",
         "mem:corrupted"},
        {"proc/self/mounts", "/dev/nvme0n1p2 /var ext4 ro,relatime 0 0\n", "", "fs:readonly /var:"},
        {"proc/self/mounts", "srv:/x /etc/passwd/x nfs4 rw 0 0\n", "",
         "fs:no-access /etc/passwd/x"},
        {"kmsg", "3,3,30,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.\n", "",
         "xid:79 0000:10:1c"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[OUT_ROOM];

        lay_out();
        put(rows[i].path, rows[i].text);
        int status = run_check("", rows[i].options, out);
        rc_case(status == 1 && strstr(out, rows[i].want), rows[i].want, "status %d: %s", status,
                out);
    }
}

static void
test_no_faults(void)
{
    static const struct {
        const char *path, *text, *options;
        int status;
    } rows[] = {
        /* another facility: a user's program wrote it */
        {"kmsg", "12,3,30,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off.\n", "", 0},
        {"kmsg", "3,3,30,-;NVRM: Xid (PCI:0000:10:1c): 13, Graphics\n", "", 0},
        {"kmsg", "3,3,1,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU\n", "--since 1s", 0},
        {"proc/self/mounts", "/dev/nvme9n1 /tmp/kept xfs ro 0 0\n", "--prolog", 0},
        {"proc/self/mounts", "srv:/x /etc/passwd/x nfs4 rw 0 0\n", "--prolog", 0},
        /* an EBS volume's controller: not one of the links that a job needs */
        {"sys/bus/pci/devices/0000:00:04.0/current_link_width", "2\n", "", 0},
        /* under another mount, or gone since */
        {"proc/self/mounts", "srv:/x /nonexistent/x nfs4 rw 0 0\n", "", 0},
        {"sys/bus/pci/devices/0000:a0:1c.0/current_link_width", "", "", 0},
        {"sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL", "", 0},
        {"sys/class/infiniband/rdmap16s27/hw_counters/no_completion_cmds", "", "", 2},
        {"sys/class/infiniband/rdmap16s27/hw_counters/no_completion_cmds", "", "--prolog", 0},
        {"proc/meminfo", "", "", 2},
        {"sys/class/nvme/nvme0/state", "resetting\n", "", 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[OUT_ROOM];

        lay_out();
        put(rows[i].path, rows[i].text);
        int status = run_check("", rows[i].options, out);
        rc_case(status == rows[i].status, rows[i].path, "status %d: %s", status, out);
    }
}

/* The tree goes and comes while it is looked at. */
static void
test_vanishing_tree(void)
{
    enum { LOOKS = 30 };
    char here[PATH_ROOM], away[PATH_ROOM], out[OUT_ROOM];

    lay_out();
    (void)snprintf(here, sizeof here, "%s/sys", root);
    (void)snprintf(away, sizeof away, "%s/away", root);
    pid_t mover = fork();
    if (mover == 0) {
        for (;;) {
            (void)rename(here, away);
            (void)rename(away, here);
        }
    }
    CU_ASSERT_FATAL(mover > 0);
    for (int i = 0; i < LOOKS; i++) {
        int status = run_check("", "--gpus 2 --efas 1", out);

        CU_ASSERT(status >= 0 && status <= 2);
        CU_ASSERT(strcmp(strrchr(out, '\n'), "\n") == 0); /* it came to its end */
        CU_ASSERT(strstr(out, status == 0   ? "\nwell\n"
                              : status == 1 ? "\nfault\n"
                                            : "\nunknown\n") != NULL);
    }
    (void)kill(mover, SIGKILL);
    (void)waitpid(mover, NULL, 0);
}

/* As the agent sees its node inside of its unit, whose ProtectSystem makes all mounts read-only. */
static void
test_readonly_mounts(void)
{
    static const char root_ro[] = "/dev/nvme0n1p1 / ext4 ro,relatime 0 0\n";
    static const char tmp_ro[] = "/dev/nvme1n1 /tmp xfs ro 0 0\n";
    static const struct {
        const char *what, *mounts, *mountinfo;
        int status;
    } rows[] = {
        {"the unit's view of a root that is well", root_ro,
         "27 1 254:0 / / ro,relatime shared:1 - ext4 /dev/nvme0n1p1 rw,discard\n", 0},
        {"a root that the kernel made read-only", root_ro,
         "27 1 254:0 / / ro,relatime - ext4 /dev/nvme0n1p1 ro,discard\n", 1},
        {"no mountinfo", root_ro, "", 1},
        {"a broken mountinfo", root_ro, "27 1 254:0 / / ro\n27\n\n - - - -\n", 1},
        {"other points that look alike", tmp_ro,
         "30 1 254:1 / /tm ro - xfs /dev/nvme1n1 rw\n31 1 254:1 / /tmp/x ro - xfs /dev/nvme1n1 rw\n",
         1},
        {"a name with blanks, and more optional fields",
         "/dev/nvme1n1 /tmp\\040\\134x xfs ro 0 0\n",
         "30 1 254:1 / /tmp\\040\\134x ro master:7 propagate_from:2 - xfs /dev/nvme1n1 rw\n", 0},
        {"a mount over another one", tmp_ro,
         "30 1 254:0 / /tmp rw - xfs /dev/nvme0n1 rw\n31 1 254:1 / /tmp ro - xfs /dev/nvme1n1 ro\n",
         1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[OUT_ROOM];

        lay_out();
        put("proc/self/mounts", rows[i].mounts);
        put("proc/self/mountinfo", rows[i].mountinfo);
        int status = run_check("", "--prolog", out);
        rc_case(status == rows[i].status, rows[i].what, "status %d: %s", status, out);
    }
}

static void
test_nvml(void)
{
    static const struct {
        const char *env, *want;
        int status;
    } rows[] = {
        {"RC_STUB_GPU=lost", "gpu-lost gpu1", 1},
        {"RC_STUB_GPU=lost-later", "gpu-lost 0000:a0:1c.0", 1},
        {"RC_STUB_GPU=errors", "gpu:unknown 0000:a0:1c.0: NVML error 999", 2},
        {"RC_STUB_GPU=remap", "gpu:remap-pending 0000:a0:1c.0", 1},
        {"RC_STUB_GPU=remap-failed", "gpu:remap-failed 0000:a0:1c.0", 1},
        {"RC_STUB_GPU=ecc", "gpu:ecc 0000:a0:1c.0: 3 uncorrected", 1},
        {"RC_STUB_GPU=nvlink", "gpu:nvlink-down 0000:a0:1c.0: 1 of 12", 1},
        {"RC_STUB_GPU=hang", "nvml         check:unknown: no answer within 1000 ms", 2},
        {"RC_STUB_GPU=broken", "NVML does not start: error 9", 2},
    };

    lay_out();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[OUT_ROOM];
        int status = run_check(rows[i].env, "--timeout 1s", out);

        rc_case(status == rows[i].status && strstr(out, rows[i].want), rows[i].env, "status %d: %s",
                status, out);
    }
}

static void
test_json(void)
{
    char out[OUT_ROOM];

    lay_out();
    put("kmsg", "3,3,30,-;NVRM: Xid (PCI:0000:10:1c): 79, pid=1, name=\"a\\b, lost\n");
    CU_ASSERT_EQUAL(run_check("", "--json", out), 1);
    CU_ASSERT(strncmp(out, "{\"result\":\"fault\",\"boot\":\"1a2b3c4d-0000\",", 41) == 0);
    CU_ASSERT(strstr(out, "\"class\":\"xid:79\",\"device\":\"0000:10:1c\"") != NULL);
    CU_ASSERT(strstr(out, "name=\\\"a\\\\b, lost\"}") != NULL);
}

/* The gate reads them, to know a bad GPU again. */
static void
test_serials(void)
{
    char out[OUT_ROOM];

    lay_out();
    CU_ASSERT_EQUAL(run_check("", "--json", out), 0);
    CU_ASSERT(strstr(out, "{\"kind\":\"fact\",\"class\":\"gpu:serial\",\"device\":"
                          "\"0000:10:1c.0\",\"text\":\"1652920003540\"}") != NULL);
}

/* Boards without one would else look like one board, all of them known as bad. */
static void
test_no_serials(void)
{
    static const char *const none[] = {
        "N/A", "[N/A]", "0", "0000000000000", "Unknown", "", "\\[Unknown\\ Error\\]"};

    lay_out();
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        char out[OUT_ROOM], env[128];

        (void)snprintf(env, sizeof env, "RC_STUB_SERIAL=%s%s", "=", none[i]);
        CU_ASSERT_EQUAL(run_check(env, "--json", out), 0);
        CU_ASSERT(strstr(out, "\"gpu:serial\",\"device\":\"0000:a0:1c.0\",\"text\":"
                              "\"509665a1b600ac93\"}") != NULL);
        CU_ASSERT(strstr(out, "\"text\":\"509665a0b600ac93\"}") != NULL);
    }
}

/* What the agent that runs beside it has in its file; "%s" is this boot. */
static void
agent_knows(const char *boot, const char *lines)
{
    char text[1024];

    (void)snprintf(text, sizeof text, "nodewatch 2 boot %s\n%s", boot, lines);
    put("state", text);
}

static int
check_with_state(const char *options, char out[OUT_ROOM])
{
    char all[512];

    (void)snprintf(all, sizeof all, "--state %s/state %s", root, options);
    return run_check("", all, out);
}

static void
test_a_gpu_that_left(void)
{
    char out[OUT_ROOM];

    lay_out();
    agent_knows("1a2b3c4d-0000", "seq 3 extra 0\nseen gpus 3 efas 1\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 1);
    CU_ASSERT(strstr(out, "gpu:missing: 2 of 3 GPUs on the bus") != NULL);
    agent_knows("1a2b3c4d-0000", "seq 3 extra 0\nseen gpus 2 efas 2\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 1);
    CU_ASSERT(strstr(out, "efa:missing: 1 of 2 EFA devices") != NULL);
    agent_knows("99999999-0000", "seq 3 extra 0\nseen gpus 3 efas 2\n"); /* of another boot */
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 0);
    put("sys/class/dmi/id/product_name", "p4d.24xlarge\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 1);
    CU_ASSERT(strstr(out, "gpu:missing: 2 of 8 GPUs on the bus") != NULL);
    CU_ASSERT_EQUAL(check_with_state("--prolog --gpus 2", out), 0);
    put("sys/class/dmi/id/product_name", "m5.large\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 0);
}

/* The gate and the prolog call it without options: the agent's own are in its unit's file. */
static void
test_defaults_file(void)
{
    char out[OUT_ROOM];

    lay_out();
    put("etc/default/slurm-on-aws-node",
        "# NODEWATCH_WATCH_OPTIONS=--gpus 99\nNODEWATCH_ADMIT_OPTIONS=\"--conf-server head\"\n"
        "NODEWATCH_WATCH_OPTIONS=\"--gpus 8 --conf x --no-probes --efas=4 --what\"\n");
    CU_ASSERT_EQUAL(run_check("", "", out), 1);
    CU_ASSERT(strstr(out, "gpu:missing: 2 of 8 GPUs on the bus") != NULL);
    CU_ASSERT(strstr(out, "efa:missing: 1 of 4 EFA devices") != NULL);
    CU_ASSERT(strstr(out, "unknown option") == NULL);
    CU_ASSERT_EQUAL(run_check("", "--gpus 2 --efas 1", out), 0);
    put("etc/default/slurm-on-aws-node", "NODEWATCH_WATCH_OPTIONS=''\n");
    CU_ASSERT_EQUAL(run_check("", "", out), 0);
    put("etc/default/slurm-on-aws-node", "NODEWATCH_WATCH_OPTIONS=--gpus\n\xff\n");
    CU_ASSERT_EQUAL(run_check("", "", out), 0);
}

/* A person took the node back; what it was drained for still shows. */
static void
test_news(void)
{
    static const char drained[] = "seq 4 extra 0\nseen gpus 2 efas 1\n"
                                  "fault 1 0 1 1 900 1000 0 aer:fatal 0000:a0:1c.0 2\n"
                                  "fault 1 0 1 1 900 1000 0 pcie:width 0000:10:1c.0 0\n";
    static const char wanted[] = "seq 4 extra 0\nseen gpus 2 efas 1\n"
                                 "fault 1 1 0 1 900 0 0 xid:79 0000:10:1c 0\n";
    char out[OUT_ROOM];

    lay_out();
    put("kmsg", "3,3,30,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.\n");
    put("sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL 2\n");
    put("sys/bus/pci/devices/0000:10:1c.0/current_link_width", "8\n");
    agent_knows("1a2b3c4d-0000", drained);
    CU_ASSERT_EQUAL(check_with_state("--prolog --news", out), 0);
    CU_ASSERT(strstr(out, "note    pcie-aer     aer:fatal 0000:a0:1c.0: 2 fatal") != NULL);
    CU_ASSERT_EQUAL(check_with_state("--prolog", out), 1); /* as the gate asks */
    CU_ASSERT(strstr(out, "xid:79") != NULL);
    put("sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL 3\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog --news", out), 1);
    CU_ASSERT(strstr(out, "fault   pcie-aer     aer:fatal 0000:a0:1c.0: 3 fatal") != NULL);
    put("sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL 2\n");
    put("kmsg", "3,4,30,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.\n");
    CU_ASSERT_EQUAL(check_with_state("--prolog --news", out), 1); /* it came after */
    put("sys/bus/pci/devices/0000:a0:1c.0/aer_dev_fatal", "TOTAL_ERR_FATAL 0\n");
    put("sys/bus/pci/devices/0000:10:1c.0/current_link_width", "16\n");
    put("kmsg", "3,3,30,-;NVRM: Xid (PCI:0000:10:1c): 79, GPU has fallen off the bus.\n");
    agent_knows("1a2b3c4d-0000", wanted); /* heard, but slurmctld was away */
    CU_ASSERT_EQUAL(check_with_state("--prolog --news", out), 1);
    agent_knows("99999999-0000", drained);
    CU_ASSERT_EQUAL(check_with_state("--prolog --news", out), 1);
}

static void
test_boot_grace(void)
{
    char out[OUT_ROOM];

    lay_out();
    CU_ASSERT_EQUAL(run_check("", "--efas 4 --boot-grace 1000000s", out), 2);
    CU_ASSERT(strstr(out, "unknown efa          efa:missing") != NULL);
    CU_ASSERT_EQUAL(run_check("", "--efas 4 --boot-grace 0s", out), 1);
}

static void
test_wrong_calls(void)
{
    char out[OUT_ROOM];

    CU_ASSERT_EQUAL(run_check("", "--gpus many 2>/dev/null", out), 2);
    CU_ASSERT_EQUAL(run_check("", "--since yesterday 2>/dev/null", out), 2);
    CU_ASSERT_EQUAL(run_check("", "more 2>/dev/null", out), 2);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"a healthy node is well, quickly", test_well},
        {"each fault is found and named", test_faults},
        {"what is no fault, and what is unknown", test_no_faults},
        {"a mount that is read-only is no fault, a file system that is one is",
         test_readonly_mounts},
        {"sysfs that vanishes during the look does no harm", test_vanishing_tree},
        {"what NVML knows", test_nvml},
        {"the JSON form has the same findings", test_json},
        {"the serial numbers of GPUs are facts", test_serials},
        {"a board without a serial number is known by its GPU's UUID", test_no_serials},
        {"a GPU or an EFA that was there in this boot is missed", test_a_gpu_that_left},
        {"it expects what the agent's own options say", test_defaults_file},
        {"what the node was drained for already is no news", test_news},
        {"soon after boot a missing device may still come", test_boot_grace},
        {"wrong calls are told", test_wrong_calls},
        CU_TEST_INFO_NULL,
    };

    if (!mkdtemp(root)) {
        return 1;
    }
    int status = rc_test_main("watch-check", tests);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
