/* replay_print.c - see replay_print.h. Times are the recorded wall clock, UTC. */
#include "simulator/replay/replay_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/record.h"

static void
print_time(int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    printf("%s.%03d ", text, (int)(wall_ms % 1000));
}

void
rc_replay_print_event(const struct rc_event *ev)
{
    if (ev->kind == RC_EV_TICK || ev->kind == RC_EV_LEASE || ev->kind == RC_EV_SWEEP) {
        return; /* time and polls: what they lead to is printed */
    }
    print_time(ev->wall_ms);
    printf("  %s", rc_event_name((enum rc_event_kind)ev->kind));
    if (*ev->node) {
        printf(" %s", ev->node);
    }
    if (*ev->instance) {
        printf(" %s", ev->instance);
    }
    if (*ev->code) {
        printf(" (%s)", ev->code);
    }
    if (ev->kind == RC_EV_COMPLETION) {
        printf(" of %" PRIu64 ": %s", ev->u.completion.action,
               rc_err_name((enum rc_err)ev->u.completion.error));
    }
    printf("\n");
}

void
rc_replay_print_action(const struct rc_action *a, int64_t wall_ms)
{
    if (a->kind == RC_ACT_LEASE) {
        return;
    }
    print_time(wall_ms);
    printf("    -> %" PRIu64 " %s", a->id, rc_action_name((enum rc_action_kind)a->kind));
    if (*a->node) {
        printf(" %s", a->node);
    }
    if (a->kind == RC_ACT_INCIDENT_PUT) {
        printf(" #%u %s", a->incident, rc_phase_name((enum rc_phase)a->u.item.phase));
    }
    if (*a->instance) {
        printf(" %s", a->instance);
    }
    if (*a->text) {
        printf(": %s", a->text);
    }
    printf("\n");
}

/* Which rule or limit made the difference, as far as the state tells. */
static void
likely_cause(const struct rc_state *s, const char *node, char *text, size_t room)
{
    uint32_t slot = *node ? rc_node_find(s, node) : 0;
    uint32_t inc_slot = slot ? rc_node_at(s, slot)->incident : 0;

    if (!inc_slot) {
        snprintf(text, room, "%s", *node ? "no incident is open on the node now" : "");
        return;
    }
    const struct rc_incident *inc = rc_incident_at(s, inc_slot);
    if (inc->block) {
        snprintf(text, room, "held back by limit %s (rule %s)",
                 rc_block_name((enum rc_block)inc->block), inc->rule.name);
    } else {
        snprintf(text, room, "rule %s, phase %s", inc->rule.name,
                 rc_phase_name((enum rc_phase)inc->phase));
    }
}

void
rc_replay_print_other(struct rc_replay_result *result, uint64_t record, const char *recorded,
                      const struct rc_action *now, const struct rc_state *s)
{
    char line[RC_RECORD_MAX] = "", cause[160] = "";
    struct rc_action then;
    size_t at;

    memset(&then, 0, sizeof then);
    result->other++;
    if (result->first_other) {
        return;
    }
    result->first_other = record;
    if (now) {
        rc_action_format(now, line, sizeof line);
        line[sizeof line - 1] = '\0';
    }
    if (*recorded) {
        (void)!rc_action_parse(recorded, strlen(recorded), &then, &at);
    }
    likely_cause(s, now ? now->node : then.node, cause, sizeof cause);
    snprintf(result->difference, sizeof result->difference,
             "record %" PRIu64 ":\n  then: %.180s\n  now:  %.180s\n  cause: %.100s", record,
             *recorded ? recorded : "nothing", *line ? line : "nothing", cause);
}

void
rc_replay_print_tail(const struct rc_journal_tail *tail)
{
    if (tail->bytes) {
        printf("(the journal ends inside a record: %s, offset %" PRIu64 ", %" PRIu64
               " bytes left out)\n",
               tail->file, tail->offset, tail->bytes);
    }
}
