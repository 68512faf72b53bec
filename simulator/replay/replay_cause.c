/* replay_cause.c - see replay_cause.h. */
#include "simulator/replay/replay_cause.h"

#include <stdio.h>
#include <string.h>

#include "policies/bind.h"
#include "policies/load.h"
#include "reconciler/core/record.h"

enum { KEYS_SHOWN = 3, KEY_LEN = 96 };

/* Where the numbers of a limit stand in a policy file. */
static const char *
keys_of_block(enum rc_block block, uint32_t action_kind)
{
    static const char *const keys[RC_BLOCK__MAX] = {
        [RC_BLOCK_BREAKER] = "limits.breaker",
        [RC_BLOCK_BUDGET_CLUSTER] = "limits.out.cluster",
        [RC_BLOCK_BUDGET_PARTITION] = "limits.out.partition",
        [RC_BLOCK_BUDGET_ZONE] = "limits.out.zone",
        [RC_BLOCK_BUDGET_OF_JOB] = "limits.out.job",
        [RC_BLOCK_BUDGET_JOBS] = "limits.jobs",
        [RC_BLOCK_SPACING] = "limits.spacing",
        [RC_BLOCK_COOLDOWN] = "limits.attempts.cooldown",
        [RC_BLOCK_ATTEMPTS] = "limits.attempts",
        [RC_BLOCK_IN_FLIGHT] = "limits.in_flight",
        [RC_BLOCK_CAPACITY] = "timeouts.capacity_wait",
    };

    if (block == RC_BLOCK_RATE_CLUSTER || block == RC_BLOCK_RATE_PARTITION ||
        block == RC_BLOCK_RATE_ZONE) {
        return action_kind == RC_ACT_LAUNCH ? "limits.launches_per_hour"
                                            : "limits.destructive_per_hour";
    }
    return keys[block];
}

/* ---- keys that differ ---- */

struct keys {
    const char *below; /* only these */
    char *text;
    size_t room, used;
    uint32_t count;
};

static void
show_key(void *arg, const char *path, const char *was, const char *is)
{
    struct keys *k = arg;
    size_t len = strlen(k->below);

    if (strncmp(path, k->below, len) != 0 || (len && path[len] && path[len] != '.') ||
        strcmp(path, "name") == 0) {
        return;
    }
    if (k->count++ >= KEYS_SHOWN || k->used >= k->room) {
        return;
    }
    int n = snprintf(k->text + k->used, k->room - k->used, "%s %s was %.40s, is %.40s",
                     k->count > 1 ? "," : ";", path, was, is);
    k->used += n > 0 ? (size_t)n : 0;
}

/* Adds the keys below this one in which the policies differ; false when there are none. */
static bool
add_keys(const struct rc_replay *r, const char *below, char *text, size_t room)
{
    size_t used = strlen(text);
    struct keys k = {.below = below, .text = text, .room = room, .used = used};

    if (r->has_recorded_policy) {
        rc_bind_diff(rc_policy_table(), &r->recorded_policy, &r->policy, show_key, &k);
    }
    if (k.count > KEYS_SHOWN && k.used < room) {
        snprintf(text + k.used, room - k.used, ", and %u more keys", k.count - KEYS_SHOWN);
    }
    return k.count != 0;
}

static void
add_rule_keys(const struct rc_replay *r, const char *rule, char *text, size_t room)
{
    char below[KEY_LEN];

    snprintf(below, sizeof below, "rules.%s", rule);
    if ((!*rule || !add_keys(r, below, text, room)) && !add_keys(r, "timeouts", text, room)) {
        (void)add_keys(r, "", text, room);
    }
}

/* ---- the same action, with other numbers ---- */

/* The first word NAME=VALUE in which two lines differ: its name. */
static void
first_other_word(const char *a, const char *b, char *name, size_t room)
{
    size_t same = 0;

    while (a[same] && a[same] == b[same]) {
        same++;
    }
    while (same && a[same - 1] != ' ') {
        same--;
    }
    snprintf(name, room, "%.*s", (int)strcspn(a + same, "= "), a + same);
}

static void
other_numbers(const struct rc_replay *r, const struct rc_action *then, const struct rc_action *now,
              char *text, size_t room)
{
    char was[RC_RECORD_MAX] = "", is[RC_RECORD_MAX] = "", name[KEY_LEN];

    rc_action_format(then, was, sizeof was - 1);
    rc_action_format(now, is, sizeof is - 1);
    first_other_word(was, is, name, sizeof name);
    snprintf(text, room, "the same action with another %s", name);
    const char *below = strcmp(name, "cooldown_until") == 0 ? "limits.attempts.cooldown"
                        : strcmp(name, "deadline") == 0     ? "timeouts"
                                                            : "";
    (void)add_keys(r, below, text, room);
}

/* ---- all together ---- */

void
rc_replay_cause(const struct rc_replay *r, const struct rc_action *then,
                const struct rc_action *now, char *text, size_t room)
{
    const struct rc_state *s = r->state;
    const char *node = now && *now->node ? now->node : then->node;
    uint32_t kind = then->kind ? then->kind : now ? now->kind : 0;
    uint32_t slot = *node ? rc_node_find(s, node) : 0;
    uint32_t inc_slot = slot ? rc_node_at(s, slot)->incident : 0;
    const struct rc_incident *inc = inc_slot ? rc_incident_at(s, inc_slot) : NULL;
    const char *then_rule = then->kind == RC_ACT_INCIDENT_PUT ? then->u.item.rule : "";
    char was[RC_RULE_LEN + 24] = "";

    if (*then_rule && !(inc && strcmp(then_rule, inc->rule.name) == 0)) {
        snprintf(was, sizeof was, "; then rule %s", then_rule);
    }
    if (inc && inc->block) {
        const char *below = keys_of_block((enum rc_block)inc->block, kind);
        snprintf(text, room, "limit %s holds %s back now (rule %s)%s",
                 rc_block_name((enum rc_block)inc->block), node, inc->rule.name, was);
        if (below) {
            (void)add_keys(r, below, text, room);
        } else {
            add_rule_keys(r, inc->rule.name, text, room);
        }
    } else if (now && then->kind == now->kind && strcmp(then->node, now->node) == 0 && !*was) {
        other_numbers(r, then, now, text, room);
    } else if (inc) {
        snprintf(text, room, "rule %s, phase %s of %s%s", inc->rule.name,
                 rc_phase_name((enum rc_phase)inc->phase), node, was);
        add_rule_keys(r, inc->rule.name, text, room);
    } else if (*node) {
        snprintf(text, room, "no rule opens an incident on %s now%s", node, was);
        add_rule_keys(r, then_rule, text, room);
    } else {
        snprintf(text, room, "%s", "not about a node: the core or its clock differs");
        (void)add_keys(r, "", text, room);
    }
}
