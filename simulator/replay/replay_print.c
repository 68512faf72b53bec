/* replay_print.c - see replay_print.h. Times are the recorded wall clock, UTC. */
#include "simulator/replay/replay_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/record.h"
#include "simulator/replay/replay_cause.h"

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
    if (ev->kind == RC_EV_COMPLETION && !ev->u.completion.error) {
        return; /* as asked for */
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
    if (ev->kind == RC_EV_MESSAGE) {
        static const char *const verdict[RC_VERDICT__MAX] = {"", "", "ignored ", "quarantined "};
        printf(": %s%s", verdict[ev->u.message.verdict % RC_VERDICT__MAX], ev->u.message.text);
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
    if (a->kind == RC_ACT_LEASE || a->kind == RC_ACT_LOOK || a->kind == RC_ACT_HISTORY_PUT) {
        return; /* bookkeeping of what is decided */
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

void
rc_replay_print_message(const struct rc_replay_message *m, const struct rc_decoded *d)
{
    print_time(m->arrival_ms);
    printf("> message of %s", m->file);
    if (m->line) {
        printf(":%u", m->line);
    }
    if (d->verdict == RC_VERDICT_EVENTS) {
        printf(": %s", rc_event_name((enum rc_event_kind)d->kind));
    } else {
        printf(": %s", d->verdict == RC_VERDICT_IGNORED ? "ignored" : "quarantined");
    }
    printf(": %s\n", d->text);
}

void
rc_replay_print_fault(const struct rc_fault_row *fault, int64_t wall_ms)
{
    print_time(wall_ms);
    printf("> fault of node %u: %s, %.1f h\n", fault->node + 1, rc_part_name(fault->part),
           (double)fault->last_ms / 3600000);
}

void
rc_replay_print_open(const struct rc_state *s)
{
    for (uint32_t node = 1; node <= s->node_count; node++) {
        const struct rc_node *n = rc_node_at(s, node);
        if (!n->incident) {
            continue;
        }
        const struct rc_incident *inc = rc_incident_at(s, n->incident);
        printf("open at the end: %s, incident %u, %s, rule %s, phase %s, waits for %s\n", n->name,
               inc->id, rc_fault_name((enum rc_fault)inc->fault), inc->rule.name,
               rc_phase_name((enum rc_phase)inc->phase),
               inc->block ? rc_block_name((enum rc_block)inc->block)
                          : rc_phase_waits_for((enum rc_phase)inc->phase));
    }
}

void
rc_replay_print_other(const struct rc_replay *r, uint64_t record, const char *recorded,
                      const struct rc_action *now)
{
    struct rc_replay_result *result = r->result;
    char line[RC_RECORD_MAX] = "", cause[500] = "";
    struct rc_action then;
    size_t at;

    memset(&then, 0, sizeof then);
    result->other += *recorded != '\0';
    result->more += *recorded == '\0';
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
    rc_replay_cause(r, &then, now, cause, sizeof cause);
    snprintf(result->difference, sizeof result->difference,
             "record %" PRIu64 ":\n  then: %.480s\n  now:  %.480s\n  cause: %s", record,
             *recorded ? recorded : "nothing", *line ? line : "nothing", cause);
}

void
rc_replay_print_tail(const struct rc_journal_tail *tail)
{
    if (tail->bytes) {
        printf("(cut: the journal ends inside a record: %s, offset %" PRIu64 ", %" PRIu64
               " bytes left out)\n",
               tail->file, tail->offset, tail->bytes);
    }
}

void
rc_replay_print_lost(uint64_t record, uint32_t count)
{
    printf("(restart: the daemon died after the event of record %" PRIu64
           ", before %u of its decisions were written: they are left out)\n",
           record, count);
}

void
rc_replay_print_missing(uint64_t record, uint32_t count)
{
    printf("(cut: the journal ends after the event of record %" PRIu64
           ", without %u of its decisions: they are left out)\n",
           record, count);
}
