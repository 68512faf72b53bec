/* fleet_agent.c - nodewatch as the daemon sees it: at its next check it finds what ails a
 * GPU or a link, drains the node through Slurm where its table says so, and names the
 * fault; what is over it names no more. Which class a fault shows is drawn from its luck. */
#include <stdio.h>
#include <string.h>

#include "policies/classes.h"
#include "simulator/fleet/fleet_private.h"

/* Weights: the shares of Delta's and Llama's GPU faults, roughly (failures.md 3 and 4: NVLink,
 * GSP, memory and lost GPUs). What cures is per thousand. */
static const struct agent_row {
    uint32_t ail, weight;
    const char *class_name, *device;
    uint32_t reset_cures, reboot_cures;
} rows[] = {
    {RC_AIL_GPU, 250, "xid:79", "0000:10:1c", 0, 400},
    {RC_AIL_GPU, 250, "xid:74", "0000:20:1c", 700, 800},
    {RC_AIL_GPU, 250, "xid:119", "0000:90:1c", 500, 900},
    {RC_AIL_GPU, 150, "gpu:ecc", "0000:a0:1c", 900, 900},
    {RC_AIL_GPU, 100, "xid:64", "0000:10:1d", 0, 0},
    {RC_AIL_WORN, 600, "gpu:remap-pending", "0000:20:1c", 1000, 1000},
    {RC_AIL_WORN, 400, "xid:63", "0000:90:1c", 950, 1000},
    {RC_AIL_LINK, 600, "efa:missing", "0000:00:1e", 0, 500},
    {RC_AIL_LINK, 400, "aer:fatal", "0000:00:1f", 0, 300},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct agent_row *
class_row_of(const struct rc_host *h)
{
    uint32_t draw = (uint32_t)((h->luck >> 12) % 1000);

    for (uint32_t i = 0; i < ROWS; i++) {
        if (rows[i].ail != h->ail) {
            continue;
        }
        if (draw < rows[i].weight) {
            return &rows[i];
        }
        draw -= rows[i].weight;
    }
    return NULL;
}

bool
rc_agent_cures(const struct rc_host *h, bool reboot)
{
    const struct agent_row *row = class_row_of(h);

    return row && (h->luck >> 44) % 1000 < (reboot ? row->reboot_cures : row->reset_cures);
}

static void
write_boot(const struct rc_fleet *f, uint32_t node, char boot[RC_BOOT_LEN])
{
    uint64_t ms = (uint64_t)rc_sim_slurm_node(f->slurm, node)->boot_ms / 1000;

    snprintf(boot, RC_BOOT_LEN, "%08x", (unsigned)((ms * 2654435761U + node) & UINT32_MAX));
}

void
rc_agent_finds(struct rc_fleet *f, uint32_t slot)
{
    struct rc_host *h = &f->host[slot];
    const struct agent_row *row = class_row_of(h);
    const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, h->node);
    char reason[RC_TEXT_LEN], boot[RC_BOOT_LEN];

    if (!row || !n || f->serving[h->node] != slot || n->gone_ms != RC_SIM_NEVER) {
        return; /* its slurmd does not run: the gate will see it */
    }
    h->told_ms = rc_fleet_wall(f);
    write_boot(f, h->node, boot);
    snprintf(reason, sizeof reason, "rc:0 %s %s boot=%s", row->class_name, row->device, boot);
    if (rc_class_of(row->class_name).drain && !*n->reason) {
        (void)rc_sim_slurm_mark(f->slurm, rc_fleet_wall(f), n->name, RC_SN_DRAIN, reason);
    }
    rc_fleet_news(f, h->node);
}

/* It is over: the agent takes it out of what it tells. */
void
rc_agent_forgets(struct rc_fleet *f, uint32_t slot)
{
    if (f->host[slot].told_ms) {
        f->host[slot].told_ms = 0;
        rc_fleet_news(f, f->host[slot].node);
    }
}

void
rc_agent_show(struct rc_fleet *f, uint32_t node)
{
    const struct rc_host *h = &f->host[f->serving[node]];
    const struct agent_row *row = h->told_ms && h->node == node ? class_row_of(h) : NULL;
    const struct rc_sim_node *n = rc_sim_slurm_node(f->slurm, node);
    uint64_t tells = row ? (uint64_t)(row - rows + 1) << 48 | (uint64_t)h->told_ms : 0;
    struct rc_event ev;

    if (f->agent_shown[node] == tells) {
        return; /* a list that was always empty is told to a new controller only */
    }
    f->agent_shown[node] = tells;
    rc_event_init(&ev, RC_EV_NODE_FAULTS);
    memcpy(ev.node, n->name, sizeof ev.node);
    write_boot(f, node, ev.u.faults.boot);
    if (row) {
        struct rc_node_fault *fault = &ev.u.faults.v[ev.u.faults.count++];
        fault->last_wall_ms = h->told_ms;
        fault->times = 1;
        fault->guilty = rc_class_of(row->class_name).drain;
        rc_text_set(fault->class_name, sizeof fault->class_name, row->class_name);
        rc_text_set(fault->device, sizeof fault->device, row->device);
    }
    rc_fleet_post(f, &ev);
}
