/* names.c - the text of every enum that people see, from the one table each. */
#include <string.h>

#include "reconciler/core/action.h"
#include "reconciler/core/errors.h"
#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"

/* clang-format off */
#define NAME_OF_3(id, name, third) [id] = name,
#define NAME_OF_4(id, name, third, fourth) [id] = name,
#define TEXT_OF_3(id, name, text) [id] = text,
#define TEXT_OF_4(id, name, text, fourth) [id] = text,

static const char *const err_names[] = {RC_ERRORS(NAME_OF_4)};
static const char *const err_texts[] = {RC_ERRORS(TEXT_OF_4)};
#define RETRY_OF(id, name, text, retry) [id] = retry,
static const enum rc_retry err_retries[] = {RC_ERRORS(RETRY_OF)};
static const char *const event_names[] = {RC_EVENTS(NAME_OF_4)};
static const char *const action_names[] = {RC_ACTIONS(NAME_OF_4)};
#define IRREVERSIBLE_OF(id, name, irreversible, own) [id] = irreversible,
static const bool action_irreversible[] = {RC_ACTIONS(IRREVERSIBLE_OF)};
#define EVENT_SIZE_OF(id, name, field, own) [id] = (uint32_t)(offsetof(struct rc_event, u) + (own)),
const uint32_t rc_event_sizes[] = {RC_EVENTS(EVENT_SIZE_OF)};
#define ACTION_SIZE_OF(id, name, irreversible, own) [id] = (uint32_t)(offsetof(struct rc_action, u) + (own)),
const uint32_t rc_action_sizes[] = {RC_ACTIONS(ACTION_SIZE_OF)};
static const char *const phase_names[] = {RC_PHASES(NAME_OF_3)};
static const char *const phase_waits[] = {RC_PHASES(TEXT_OF_3)};
static const char *const mode_names[] = {RC_CTL_MODES(NAME_OF_3)};
static const char *const process_names[] = {RC_CTL_PROCESSES(NAME_OF_3)};
static const char *const dir_names[] = {RC_CTL_DIRS(NAME_OF_3)};
static const char *const failover_names[] = {RC_FAILOVERS(NAME_OF_3)};
static const char *const failover_waits[] = {RC_FAILOVERS(TEXT_OF_3)};
static const char *const cause_texts[] = {RC_FO_CAUSES(TEXT_OF_3)};
static const char *const failover_blocks[] = {RC_FO_BLOCKS(TEXT_OF_3)};
static const char *const proof_texts[] = {RC_PROOFS(TEXT_OF_3)};
#define BLOCK_OF(id, name) [id] = name,
static const char *const block_names[] = {RC_BLOCKS(BLOCK_OF)};
static const char *const fault_names[] = {RC_FAULTS(NAME_OF_3)};
static const char *const probe_names[] = {RC_GATE_PROBES(NAME_OF_3)};
static const char *const rung_names[] = {
    [RC_RUNG_NONE] = "none",
    [RC_RUNG_WATCH] = "watch",
    [RC_RUNG_GPU_RESET] = "gpu-reset",
    [RC_RUNG_REBOOT] = "reboot",
    [RC_RUNG_POWER_CYCLE] = "power-cycle",
    [RC_RUNG_REPLACE] = "replace",
    [RC_RUNG_QUARANTINE] = "quarantine",
};
/* clang-format on */

const char *
rc_err_name(enum rc_err e)
{
    return (unsigned)e < RC_ERR__MAX ? err_names[e] : "?";
}

const char *
rc_err_text(enum rc_err e)
{
    return (unsigned)e < RC_ERR__MAX ? err_texts[e] : "?";
}

enum rc_retry
rc_err_retry(enum rc_err e)
{
    return (unsigned)e < RC_ERR__MAX ? err_retries[e] : RC_RETRY_NEVER;
}

enum rc_err
rc_err_from_name(const char *name)
{
    for (unsigned i = 0; i < RC_ERR__MAX; i++) {
        if (strcmp(err_names[i], name) == 0) {
            return (enum rc_err)i;
        }
    }
    return RC_E_INTERNAL;
}

const char *
rc_event_name(enum rc_event_kind kind)
{
    return (unsigned)kind < RC_EVENT__MAX ? event_names[kind] : "?";
}

const char *
rc_action_name(enum rc_action_kind kind)
{
    return (unsigned)kind < RC_ACTION__MAX ? action_names[kind] : "?";
}

bool
rc_action_irreversible(enum rc_action_kind kind)
{
    return (unsigned)kind < RC_ACTION__MAX && action_irreversible[kind];
}

const char *
rc_phase_name(enum rc_phase p)
{
    return (unsigned)p < RC_PHASE__MAX ? phase_names[p] : "?";
}

const char *
rc_phase_waits_for(enum rc_phase p)
{
    return (unsigned)p < RC_PHASE__MAX ? phase_waits[p] : "?";
}

const char *
rc_block_name(enum rc_block b)
{
    return (unsigned)b < RC_BLOCK__MAX ? block_names[b] : "?";
}

const char *
rc_fault_name(enum rc_fault f)
{
    return (unsigned)f < RC_FAULT__MAX ? fault_names[f] : "?";
}

enum rc_fault
rc_fault_from_name(const char *name)
{
    for (unsigned i = 0; i < RC_FAULT__MAX; i++) {
        if (strcmp(fault_names[i], name) == 0) {
            return (enum rc_fault)i;
        }
    }
    return RC_FAULT__MAX;
}

const char *
rc_gate_probe_name(enum rc_gate_probe p)
{
    return (unsigned)p < RC_GATE_PROBE__MAX ? probe_names[p] : "?";
}

const char *
rc_rung_name(enum rc_rung_kind k)
{
    return (unsigned)k < RC_RUNG__MAX ? rung_names[k] : "?";
}

enum rc_rung_kind
rc_rung_from_name(const char *name)
{
    for (unsigned i = 0; i < RC_RUNG__MAX; i++) {
        if (strcmp(rung_names[i], name) == 0) {
            return (enum rc_rung_kind)i;
        }
    }
    return RC_RUNG__MAX;
}

const char *
rc_ctl_mode_name(uint32_t v)
{
    return v < RC_CTL__MAX ? mode_names[v] : "?";
}

const char *
rc_ctl_process_name(uint32_t v)
{
    return v < RC_PROC__MAX ? process_names[v] : "?";
}

const char *
rc_ctl_dir_name(uint32_t v)
{
    return v < RC_DIR__MAX ? dir_names[v] : "?";
}

const char *
rc_failover_phase_name(uint32_t v)
{
    return v < RC_FO__MAX ? failover_names[v] : "?";
}

const char *
rc_failover_waits_for(uint32_t v)
{
    return v < RC_FO__MAX ? failover_waits[v] : "?";
}

const char *
rc_failover_cause_text(uint32_t v)
{
    return v < RC_CAUSE__MAX ? cause_texts[v] : "?";
}

const char *
rc_failover_block_text(uint32_t v)
{
    return v < RC_FOB__MAX ? failover_blocks[v] : "?";
}

const char *
rc_proof_text(uint32_t v)
{
    return v < RC_PROOF__MAX ? proof_texts[v] : "?";
}

void
rc_event_init(struct rc_event *ev, enum rc_event_kind kind)
{
    memset(ev, 0, rc_event_sizes[kind]);
    ev->kind = (uint32_t)kind;
}

void
rc_action_init(struct rc_action *a, enum rc_action_kind kind)
{
    memset(a, 0, rc_action_sizes[kind]);
    a->kind = (uint32_t)kind;
}

bool
rc_text_set(char *dst, uint32_t room, const char *src)
{
    size_t len = strlen(src);

    memset(dst, 0, room);
    if (len >= room) {
        return false;
    }
    memcpy(dst, src, len);
    return true;
}
