/* The scripts for a node, run here with tools of our own in front of the path. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/host/host_script.h"

enum { OUT_ROOM = 1 << 16, PATH_ROOM = 256 };

static char root[] = "/tmp/host-script-XXXXXX";

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

/* A program of the node. */
static void
tool(const char *name, const char *text)
{
    char path[PATH_ROOM];

    (void)snprintf(path, sizeof path, "%s/bin/%s", root, name);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fprintf(f, "#!/bin/sh\n%s\n", text);
    (void)fclose(f);
    CU_ASSERT_EQUAL(chmod(path, 0755), 0);
}

static void
fresh_node(void)
{
    shell(
        "rm -rf %s/*; mkdir -p %s/bin %s/sys/bus/pci/devices/0000:10:1c.0 %s/sys/class/infiniband",
        root, root, root, root);
    shell("cd %s/sys/bus/pci/devices/0000:10:1c.0; echo 0x10de >vendor; echo 0x030200 >class; "
          "echo 0x20b0 >device; echo 16 >current_link_width; echo 16 >max_link_width",
          root);
    tool("id", "echo 0");
    /* What this machine may have by itself must not decide the test. */
    for (const char *const *name = (const char *const[]){"systemctl", NULL}; *name; name++) {
        tool(*name, "exit 1");
    }
}

static void
run(const char *told, enum rc_host_work work, char out[OUT_ROOM])
{
    char all[512], file[PATH_ROOM], command[1024];

    (void)snprintf(all, sizeof all, "sys=%s/sys %s", root, told);
    char *text = rc_host_script(work, all);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)snprintf(file, sizeof file, "%s/script", root);
    FILE *f = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0);
    (void)fclose(f);
    free(text);
    (void)snprintf(command, sizeof command, "PATH=%s/bin:/usr/bin:/bin sh -c \"$(cat %s)\"", root,
                   file);
    FILE *p = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    out[fread(out, 1, OUT_ROOM - 1, p)] = '\0';
    (void)pclose(p);
}

static void
test_gate(void)
{
    static const struct {
        const char *probe, *tool, *text, *want;
    } rows[] = {
        {"check", "nodewatch", "echo '{}'; exit 0", "rc-probe check well nothing found"},
        {"check", "nodewatch", "echo '{}'; exit 1", "rc-probe check bad faults found"},
        {"check", "nodewatch", "echo '{}'; exit 2", "rc-probe check unknown something"},
        {"check", "nodewatch", "echo oh; exit 9",
         "rc-probe check unknown nodewatch ended with status 9"},
        {"check", "nodewatch", "[ \"$4\" = 77s ]", "rc-probe check well"},
        {"dcgm", "dcgmi", "[ \"$3\" = 2 ]; echo '| Deployment | Pass |'",
         "rc-probe dcgm well diag -r 2"},
        {"dcgm", "dcgmi", "echo '| PCIe | Fail - 3 |'; exit 226",
         "rc-probe dcgm bad | PCIe | Fail"},
        {"dcgm", "dcgmi", "echo '{\"status\" : \"Fail\"}'", "rc-probe dcgm bad"},
        {"dcgm", "dcgmi", "echo 'Error: Unable to connect to host engine'; exit 255",
         "rc-probe dcgm unknown status 255: Error: Unable to connect"},
        {"pcie", "true", "", "rc-probe pcie well 1 GPUs at full width"},
        {"efa", "true", "", "rc-probe efa unknown this instance has no EFA"},
        {"pingpong", "fi_pingpong", "", "rc-probe pingpong unknown no EFA device"},
        {"ecc", "nvidia-smi", "echo '00000000:10:1C.0, 0, No, No'", "rc-probe ecc well 1 GPUs"},
        {"ecc", "nvidia-smi", "echo '00000000:10:1C.0, 2, No, No'",
         "rc-probe ecc bad 00000000:10:1C.0: 2 uncorrected"},
        {"ecc", "nvidia-smi", "echo '0, 0, No, No'; echo '1, 0, Yes, No'",
         "rc-probe ecc bad 1: a row remap waits"},
        {"ecc", "nvidia-smi", "echo '0, 0, 0, 1'",
         "rc-probe ecc bad 0: a row could not be remapped"},
        {"ecc", "nvidia-smi", "echo '0, [N/A], [N/A], [N/A]'",
         "rc-probe ecc unknown no GPU counts"},
        {"ecc", "nvidia-smi", "echo 'No devices were found'; exit 6",
         "rc-probe ecc unknown nvidia-smi: status 6"},
        {"nccl", "all_reduce_perf", "", "rc-probe nccl unknown 0 GPUs"},
        {"ecc", "nvidia-smi",
         "echo '1652920003540, GPU-509665ad-b600-ac93-0b5b-1d2f9c7e8a01';"
         "echo '0, GPU-509665ae-b600-ac93-0b5b-1d2f9c7e8a02';"
         "echo '[N/A], GPU-509665af-b600-ac93-0b5b-1d2f9c7e8a03'",
         "rc-serials 1652920003540,509665aeb600ac93,509665afb600ac93\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char told[128], out[OUT_ROOM];

        fresh_node();
        tool(rows[i].tool, rows[i].text);
        (void)snprintf(told, sizeof told, "probes=%s since=77 level=2 left=20", rows[i].probe);
        run(told, RC_HOST_GATE, out);
        rc_case(strstr(out, rows[i].want) && strstr(out, "rc-gate-end\n"), rows[i].want, "%s", out);
    }
}

/* What nvidia-smi says of a GPU that it cannot ask names none, and is the same on every host. */
static void
test_no_serials(void)
{
    static const char *const said[] = {
        "echo 'Unable to determine the device handle for GPU 0000:10:1C.0: Unknown Error'",
        "printf '%s\\n' 'Failed to initialize NVML: x' 'NVML library version: 550.90'; exit 18",
        "echo '[N/A], [N/A]'; echo '0, [Unknown Error]'; echo 'Unknown, '; echo '[GPU is lost], x'",
        "echo 'No devices were found'; exit 6",
        "echo '0'; echo '1652920003540'",
    };
    char out[OUT_ROOM];

    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        fresh_node();
        tool("nvidia-smi", said[i]);
        run("probes=pcie left=9", RC_HOST_GATE, out);
        rc_case(!strstr(out, "rc-serials"), said[i], "%s", out);
    }
}

static void
test_missing_tools(void)
{
    char out[OUT_ROOM];

    fresh_node();
    run("probes='check dcgm pingpong nccl ecc' left=20", RC_HOST_GATE, out);
    for (const char *const *want =
             (const char *const[]){"rc-probe check unknown nodewatch is not there",
                                   "rc-probe dcgm unknown dcgmi is not there",
                                   "rc-probe pingpong unknown fi_pingpong is not there",
                                   "rc-probe nccl unknown all_reduce_perf is not there",
                                   "rc-probe ecc unknown nvidia-smi is not there", NULL};
         *want; want++) {
        rc_case(strstr(out, *want), *want, "%s", out);
    }
}

static void
test_slow_tool(void)
{
    char out[OUT_ROOM];

    fresh_node();
    tool("dcgmi", "sleep 60");
    run("probes='dcgm pcie' level=1 left=2", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe dcgm unknown diag -r 1 did not end in time\n") != NULL);
    CU_ASSERT(strstr(out, "rc-probe pcie well") != NULL);
}

static void
test_devices(void)
{
    char out[OUT_ROOM];

    fresh_node();
    shell("echo 8 >%s/sys/bus/pci/devices/0000:10:1c.0/current_link_width", root);
    run("probes=pcie left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe pcie bad 0000:10:1c.0: x8 instead of x16\n") != NULL);
    shell("cd %s/sys; mkdir -p bus/pci/devices/e bus/pci/devices/f class/infiniband/rdmap16s27; "
          "echo 0xefa1 >bus/pci/devices/e/device; echo 0xefa1 >bus/pci/devices/f/device",
          root);
    tool("fi_info", "exit 0");
    run("probes=efa left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe efa bad 1 of 2 devices\n") != NULL);
    shell("mkdir -p %s/sys/class/infiniband/rdmap32s27", root);
    run("probes=efa left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe efa well 2 devices") != NULL);
    tool("fi_info", "exit 61");
    run("probes=efa left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe efa bad fi_info -p efa fails\n") != NULL);
    tool("fi_pingpong", "case $* in *localhost*) exit 0 ;; *) sleep 9 ;; esac");
    run("probes=pingpong left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe pingpong well 2 devices\n") != NULL);
    tool("fi_pingpong", "case $* in *localhost*) echo no route; exit 113 ;; *) sleep 9 ;; esac");
    run("probes=pingpong left=9", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "rc-probe pingpong unknown rdmap16s27: status 113: no route") != NULL);
}

static void
test_all_reduce(void)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"echo '# Avg bus bandwidth    : 231.5'", "rc-probe nccl well 231 GB/s over 2 GPUs"},
        {"echo '# Avg bus bandwidth    : 140.2'", "rc-probe nccl bad 140 GB/s, expected 200"},
        {"echo 'NCCL failure'; exit 2", "rc-probe nccl bad status 2: NCCL failure"},
        {"sleep 60", "rc-probe nccl bad the all-reduce did not end in time"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[OUT_ROOM];

        fresh_node();
        shell("mkdir -p %s/sys/class/dmi/id; echo p4d.24xlarge >%s/sys/class/dmi/id/product_name",
              root, root);
        tool("nvidia-smi", "echo 'GPU 0: A'; echo 'GPU 1: B'");
        tool("all_reduce_perf", rows[i].text);
        run("probes=nccl left=3", RC_HOST_GATE, out);
        rc_case(strstr(out, rows[i].want), rows[i].want, "%s", out);
    }
}

static void
test_reset(void)
{
    static const char smi[] =
        "case $* in *query-compute*) exit 0 ;; *--gpu-reset*) echo \"$*\" >>%s/calls; %s ;; esac";
    static const struct {
        const char *told, *smi, *want;
    } rows[] = {
        {"device=0000:10:1c.0", "exit 0", "rc-reset ok 0000:10:1c.0"},
        {"device=", "exit 0", "rc-reset ok all GPUs"},
        {"device=", "echo GPU reset is not supported; exit 3",
         "rc-reset unsupported GPU reset is not"},
        {"device=", "echo GPU is in use by another client; exit 3", "rc-reset busy GPU is in use"},
        {"device=", "echo oh; exit 4", "rc-reset failed status 4: oh"},
        {"device=", "sleep 60", "rc-reset failed nvidia-smi did not end in time"},
        {"boot=00000000", "exit 0", "rc-reset ok the machine has booted since"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512], told[128], out[OUT_ROOM];

        fresh_node();
        (void)snprintf(text, sizeof text, smi, root, rows[i].smi);
        tool("nvidia-smi", text);
        (void)snprintf(told, sizeof told, "%s left=2", rows[i].told);
        run(told, RC_HOST_GPU_RESET, out);
        rc_case(strstr(out, rows[i].want), rows[i].want, "%s", out);
    }
}

static void
test_reset_refused(void)
{
    char out[OUT_ROOM], text[256];

    fresh_node();
    (void)snprintf(text, sizeof text,
                   "case $* in *query-compute*) echo 4711 ;; *) touch %s/reset ;; esac", root);
    tool("nvidia-smi", text);
    run("left=5", RC_HOST_GPU_RESET, out);
    CU_ASSERT(strstr(out, "rc-reset busy 1 processes compute\n") != NULL);
    (void)snprintf(text, sizeof text, "%s/reset", root);
    CU_ASSERT(access(text, F_OK) != 0);
    fresh_node();
    run("left=5", RC_HOST_GPU_RESET, out);
    CU_ASSERT(strstr(out, "rc-reset unsupported nvidia-smi is not there\n") != NULL);
}

/* Services that hold the GPUs are stopped before, and started again in the other order. */
static void
test_reset_services(void)
{
    char out[OUT_ROOM], text[512];

    fresh_node();
    tool("nvidia-smi", "echo reset >>$(dirname \"$0\")/../calls");
    (void)snprintf(text, sizeof text,
                   "case $1:$* in is-active:*persist* | is-active:*fabric*) exit 0 ;; "
                   "is-active:*) exit 3 ;; *) echo \"$*\" >>%s/calls ;; esac",
                   root);
    tool("systemctl", text);
    shell("touch %s/calls", root);
    run("device=0000:10:1c.0 left=5", RC_HOST_GPU_RESET, out);
    CU_ASSERT(strstr(out, "rc-reset ok all GPUs\n") != NULL); /* behind NVSwitch: together */
    shell("test \"$(sed 1d %s/calls | paste -sd,)\" = \"stop nvidia-persistenced,"
          "stop nvidia-fabricmanager,reset,start nvidia-fabricmanager,start nvidia-persistenced\"",
          root);
}

static void
test_forensics(void)
{
    char command[512];

    fresh_node();
    tool("nvidia-smi", "echo SMI; exit 0");
    tool("lspci", "head -c 100000 /dev/zero | tr '\\0' x; echo LAST");
    tool("dmesg", "sleep 60");
    char *text = rc_host_script(RC_HOST_FORENSICS, "part_max=1000 left=3");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    (void)snprintf(command, sizeof command, "%s/script", root);
    FILE *f = fopen(command, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0);
    (void)fclose(f);
    free(text);
    shell(
        "cd %s && TMPDIR=$PWD PATH=%s/bin:/usr/bin:/bin sh -c \"$(cat script)\" >b.tar.gz 2>err && grep -q ^rc-serials err && tar xzf b.tar.gz",
        root, root);
    /* One part that hangs takes time from the others, which say so, and nothing else. */
    shell("cd %s/node && grep -q 'kernel.log: status' notes.txt", root);
    fresh_node();
    tool("nvidia-smi", "echo SMI; exit 0");
    tool("lspci", "head -c 100000 /dev/zero | tr '\\0' x; echo LAST");
    text = rc_host_script(RC_HOST_FORENSICS, "part_max=1000 left=60");
    f = fopen(command, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT(fputs(text, f) >= 0);
    (void)fclose(f);
    free(text);
    shell(
        "cd %s && TMPDIR=$PWD PATH=%s/bin:/usr/bin:/bin sh -c \"$(cat script)\" >b.tar.gz 2>err && tar xzf b.tar.gz",
        root, root);
    shell("cd %s/node && test $(stat -c %%s lspci.txt) -eq 1000 && grep -q LAST lspci.txt", root);
    shell("cd %s/node && grep -q SMI nvidia-smi.txt && test -s system.txt", root);
    shell("cd %s/node && grep -q 'check.json: nodewatch is not there' notes.txt", root);
    shell("test -z \"$(ls %s | grep forensics)\"", root);
}

/* A user who is not root has the node's own script run, told the same by words of its own. */
static void
test_by_sudo(void)
{
    char out[OUT_ROOM];

    fresh_node();
    tool("id", "echo 1000");
    tool("sudo", "for word in \"$@\"; do echo \"<$word>\"; done");
    run("probes='check dcgm' since=7", RC_HOST_GATE, out);
    CU_ASSERT(strstr(out, "<-n>\n</usr/libexec/slurm-on-aws/as-root>\n<gate>\n<sys=") == out);
    CU_ASSERT(strstr(out, ">\n<probes=check dcgm>\n<since=7>\n") != NULL);
    CU_ASSERT(strstr(out, "rc-gate-end") == NULL);
}

static void
test_as_root_refuses(void)
{
    static const char *const words[] = {
        "sh",
        "",
        "../gate",
        "gate.sh",
        "gate probes=Check",
        "gate 'probes=check;id'",
        "gate left=1+1",
        "gate sys=/tmp",
        "gate PATH=/tmp",
        "gate -i",
        "gate since=-1",
        "gpu_reset device=/dev/sda",
        "gpu_reset 'boot=a b'",
        "forensics bug_report=2",
        "forensics TMPDIR=/etc",
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char command[512];

        (void)snprintf(command, sizeof command, "sh reconciler/io/host/as_root.sh %s 2>%s/err",
                       words[i], root);
        int status = system(command);
        rc_case(WIFEXITED(status) && WEXITSTATUS(status) == 64, words[i], "status %d", status);
    }
    shell("grep -q 'is refused$' %s/err", root);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"each probe of the gate tells well from bad from unknown", test_gate},
        {"what is no serial number of one board is none", test_no_serials},
        {"a tool that is not there is unknown", test_missing_tools},
        {"a tool that hangs takes no more time than is left", test_slow_tool},
        {"devices are counted, links measured, EFA tried", test_devices},
        {"an all-reduce must be as fast as the type of node is", test_all_reduce},
        {"a GPU reset tells how it ended", test_reset},
        {"a GPU with a process on it is not reset", test_reset_refused},
        {"services are stopped for a reset and started again", test_reset_services},
        {"a user who is not root has the script run by sudo", test_by_sudo},
        {"what is run by sudo takes known scripts and words only", test_as_root_refuses},
        {"evidence is kept in parts, each cut to its size", test_forensics},
        CU_TEST_INFO_NULL,
    };

    if (!mkdtemp(root)) {
        return 1;
    }
    int status = rc_test_main("host-script", tests);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
