/* xids.c - every Xid that means something on A100, H100 or B200, a row each.
 *
 * Sources: C = NVIDIA's Xid-Catalogue.xlsx (R590, as shipped with NVSentinel), column "immediate
 * action"; E = EKS node monitoring agent; W = AWS gpu-cluster-healthcheck, check 0. Where our
 * fault does not follow C, the row says why. The actions are for data-centre boards without MIG.
 *
 * What is not in here is answered by the careful default (fault "xid"): the agent tells, does
 * not drain, and a person reads of it. */
#include <stddef.h>

#include "policies/classes.h"

enum { A = RC_BOARD_A, H = RC_BOARD_H, B = RC_BOARD_B, AH = A | H, AHB = A | H | B };

/* clang-format off */
#define APP(n, boards, why)            {n, boards, RC_XID_RESTART_APP, RC_FAULT_JOB_SUSPECT, 0, 1, why}
#define PASS(n, boards, why)           {n, boards, RC_XID_IGNORE, RC_FAULT_JOB_SUSPECT, 0, 1, why}
#define RESET(n, boards, fault, job, why) {n, boards, RC_XID_RESET_GPU, fault, 1, job, why}

static const struct rc_xid_row rows[] = {
    APP(8,   AHB, "C: GPU stopped processing"),
    APP(11,  AHB, "C: invalid push buffer"),
    APP(13,  AHB, "C, then WORKFLOW_XID_13: graphics engine exception, user code in most cases; several jobs on one GPU: diagnose"),
    APP(25,  AHB, "C: illegal push buffer"),
    APP(31,  AHB, "C, then WORKFLOW_XID_31: GPU memory page fault, user code in most cases; several jobs on one GPU: diagnose"),
    APP(32,  AHB, "C: corrupted push buffer"),
    PASS(37, AHB, "C: driver firmware error"),
    PASS(38, AHB, "C: driver firmware error"),
    APP(39,  AHB, "C: copy engine exception"),
    APP(40,  AHB, "C: copy engine"),
    APP(41,  AHB, "C: copy engine"),
    PASS(43, AHB, "C: GPU stopped processing; the program died of its own fault"),
    PASS(44, AHB, "C: graphics engine fault in a context switch"),
    {45, AHB, RC_XID_WORKFLOW, RC_FAULT_JOB_SUSPECT, 0, 1, "C WORKFLOW_XID_45: clean-up after another fault, or a killed program"},
    RESET(46, AHB, RC_FAULT_GPU, 0, "C: GPU stopped processing"),
    {48, AHB, RC_XID_WORKFLOW, RC_FAULT_GPU, 1, 0, "C WORKFLOW_XID_48: double bit ECC error; alone RESET_GPU, with 63 or 64 drain and reset"},
    {54, AHB, RC_XID_CHECK_MECHANICALS, RC_FAULT_GPU_BROKEN, 1, 0, "C: auxiliary power missing; nobody can push a plug in a cloud: replace"},
    APP(60,  AHB, "C: video processor exception"),
    RESET(62, AHB, RC_FAULT_GPU, 0, "C: micro-controller halt"),
    {63, AHB, RC_XID_IGNORE, RC_FAULT_ROW_REMAP, 1, 0, "C ignores, E replaces: the remap takes effect with a reset, so drain and reset between jobs"},
    RESET(64, AHB, RC_FAULT_GPU_BROKEN, 0, "C RESET_GPU, W isolates (PR 1190), condition for RMA: the row cannot be remapped"),
    PASS(66, AHB, "C: illegal access by the driver"),
    PASS(67, AHB, "C: illegal access by the driver"),
    APP(68,  AHB, "C: NVDEC0 exception"),
    APP(69,  AHB, "C: graphics engine class error"),
    APP(70,  AHB, "C: copy engine"),
    APP(71,  AHB, "C: copy engine 4"),
    APP(72,  AHB, "C: copy engine"),
    {74, AHB, RC_XID_WORKFLOW, RC_FAULT_NVLINK, 1, 0, "C WORKFLOW_NVLINK_ERR; W resets. The registers are not decoded: the gate proves the links"},
    APP(75,  AHB, "C: copy engine"),
    APP(76,  AHB, "C: copy engine"),
    APP(77,  AHB, "C: copy engine"),
    {78, AHB, RC_XID_UPDATE_SWFW, RC_FAULT_XID, 0, 0, "C UPDATE_SWFW: vGPU start error; not on our machines, so a person looks"},
    {79, AHB, RC_XID_RESTART_BM, RC_FAULT_GPU_LOST, 1, 0, "C: fallen off the bus; all sources agree on a restart of the host at least"},
    APP(80,  AHB, "C: corrupted data sent to the GPU"),
    APP(82,  AHB, "C: NVJPG"),
    APP(83,  AHB, "C: NVDEC"),
    APP(84,  AHB, "C: NVDEC"),
    APP(85,  AHB, "C: NVDEC"),
    APP(86,  AHB, "C: OFA"),
    APP(88,  AHB, "C: NVDEC"),
    APP(89,  AHB, "C: NVDEC"),
    {92, AHB, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C IGNORE: many single-bit errors; a remap follows where it matters"},
    {93, A,   RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C IGNORE: InfoROM wear"},
    {94, AHB, RC_XID_RESTART_APP, RC_FAULT_ROW_REMAP, 1, 0, "C RESTART_APP: contained memory error; the job fails by itself, the remap waits for a reset between jobs"},
    RESET(95, AHB, RC_FAULT_GPU, 0, "C: uncontained memory error; W reboots a board without MIG"),
    APP(96,  H | B, "C: NVDEC"),
    APP(97,  H | B, "C: NVDEC"),
    APP(98,  H | B, "C: NVDEC"),
    APP(99,  H | B, "C: OFA"),
    APP(100, H | B, "C: NVDEC"),
    APP(101, H | B, "C: NVDEC"),
    APP(102, H | B, "C: NVENC"),
    APP(103, H | B, "C: NVJPG"),
    APP(104, H | B, "C: NVJPG"),
    APP(105, H | B, "C: NVJPG"),
    {106, AHB, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C IGNORE: SMBPBI test message"},
    {107, AHB, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C IGNORE: SMBPBI test message"},
    RESET(109, AHB, RC_FAULT_GPU, 1, "C, W: context switch time-out; k8s and GCM ignore it, because programs cause it too"),
    RESET(110, H | B, RC_FAULT_GPU, 0, "C: security fault"),
    RESET(119, AHB, RC_FAULT_GPU, 1, "C, W: GSP RPC time-out; a reset often fails, then reboot"),
    RESET(120, AHB, RC_FAULT_GPU, 0, "C, W: GSP error"),
    {121, 0, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C IGNORE: C2C error of Grace boards"},
    RESET(136, H | B, RC_FAULT_NVLINK, 0, "C: link training failed"),
    PASS(137, AHB, "C XID_137_FLOW: NVLink privilege error, a peer's program died"),
    RESET(140, AHB, RC_FAULT_GPU, 0, "C: ECC unrecovered error"),
    PASS(141, H | B, "C: CUDA fast path error"),
    RESET(143, H | B, RC_FAULT_GPU_LOST, 0, "C RESET_GPU: the GPU does not initialise, so nothing answers a reset: as lost"),
    {144, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (SAW)"},
    {145, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (RLW)"},
    {146, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (TLW)"},
    {147, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (TREX)"},
    {148, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (NVLPW_CTRL)"},
    {149, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (NETIR)"},
    {150, B, RC_XID_RESET_GPU, RC_FAULT_NVLINK, 1, 0, "C: NVLink 5 (MSE)"},
    {151, H | B, RC_XID_RESTART_VM, RC_FAULT_GPU, 1, 0, "C, W: key rotation error"},
    {154, AHB, RC_XID_BY_TEXT, RC_FAULT_GPU, 1, 0, "C XID_154: the driver's own verdict, read from the line (rc_class_of)"},
    RESET(155, B, RC_FAULT_NVLINK, 0, "C, W: NVLink, software defined error"),
    RESET(156, H | B, RC_FAULT_ROW_REMAP, 0, "C, W: resource retirement, takes effect with a reset"),
    {157, H | B, RC_XID_IGNORE, RC_FAULT_GPU_BROKEN, 1, 0, "C IGNORE, then CONTACT_SUPPORT: resource retirement failed; as 64"},
    RESET(158, AHB, RC_FAULT_GPU, 0, "C, W: GPU fatal time-out"),
    {167, H | B, RC_XID_RESET_GPU, RC_FAULT_GPU_LOST, 1, 0, "gpud reboots: fatal PCIe time-out; C names no action"},
    {168, AHB, RC_XID_RESTART_VM, RC_FAULT_GPU, 1, 0, "W reboots: errors in the write protected region"},
    {169, H | B, RC_XID_RESET_GPU, RC_FAULT_GPU, 1, 0, "gpud reboots: micro-controller halt; C names no action, as 62"},
    {171, AHB, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C: detail of 48 (DRAM)"},
    {172, AHB, RC_XID_IGNORE, RC_FAULT_NONE, 0, 0, "C: detail of 48 (SRAM)"},
};

static const char *const action_names[] = {
    [RC_XID_IGNORE] = "IGNORE", [RC_XID_RESTART_APP] = "RESTART_APP",
    [RC_XID_RESET_GPU] = "RESET_GPU", [RC_XID_RESTART_VM] = "RESTART_VM",
    [RC_XID_RESTART_BM] = "RESTART_BM", [RC_XID_WORKFLOW] = "WORKFLOW",
    [RC_XID_CHECK_MECHANICALS] = "CHECK_MECHANICALS", [RC_XID_UPDATE_SWFW] = "UPDATE_SWFW",
    [RC_XID_CONTACT_SUPPORT] = "CONTACT_SUPPORT", [RC_XID_BY_TEXT] = "XID_154"};
/* clang-format on */

const char *
rc_xid_action_name(enum rc_xid_action a)
{
    return (unsigned)a < RC_XID_ACTION__MAX ? action_names[a] : "?";
}

const struct rc_xid_row *
rc_xid_rows(uint32_t *ret_count)
{
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}

const struct rc_xid_row *
rc_xid_find(uint32_t xid)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].xid == xid) {
            return &rows[i];
        }
    }
    return NULL;
}
