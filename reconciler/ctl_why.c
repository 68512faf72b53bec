/* ctl_why.c - `reconcilectl why NODE` and `reconcilectl quarantine list`, for people. */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <string.h>

#include "reconciler/ctl_show.h"

enum { AGE_LEN = 32, BODY_SHOWN = 100 };

static void
show_node(FILE *out, const cJSON *node)
{
    const char *reason = rc_ctl_text(node, "reason");
    const char *owner = rc_ctl_text(node, "reason_owner");
    const char *held_by = rc_ctl_text(node, "held_by");
    const char *instance = rc_ctl_text(node, "instance");
    const char *address = rc_ctl_text(node, "address");
    double jobs = rc_ctl_number(node, "jobs", 0);
    char age[AGE_LEN];

    fprintf(out, "%s: %s (partition %s, group %s, %s)\n", rc_ctl_text(node, "name"),
            rc_ctl_true(node, "in_service") ? "in service" : "OUT OF SERVICE",
            rc_ctl_text(node, "partition"), rc_ctl_text(node, "group"), rc_ctl_text(node, "zone"));
    if (*held_by) {
        fprintf(out, "  hold       by %s: left alone until reconcilectl release %s\n", held_by,
                rc_ctl_text(node, "name"));
    }
    fprintf(out, "  slurm      %s, %.0f job%s, seen %s ago\n", rc_ctl_text(node, "slurm"), jobs,
            (int)jobs == 1 ? "" : "s", rc_ctl_age(node, "seen_ms", age, sizeof age));
    if (*reason) {
        fprintf(out, "  reason     %s (%s)\n", reason, *owner ? owner : "?");
    }
    fprintf(out, "  instance   %s %s%s%s\n", *instance ? instance : "none known",
            rc_ctl_text(node, "instance_state"), *address ? ", address " : "", address);
    if (rc_ctl_get(node, "repairs")) {
        fprintf(out, "  repairs    %.0f of %.0f in %s\n", rc_ctl_number(node, "repairs", 0),
                rc_ctl_number(node, "repairs_max", 0),
                rc_ctl_age(node, "repairs_window_ms", age, sizeof age));
    }
}

/* "replace (try 1 of 2) -> quarantine", what is past in brackets. */
static void
show_ladder(FILE *out, const cJSON *incident)
{
    const cJSON *item = NULL;
    int at = (int)rc_ctl_number(incident, "rung", -1);
    int i = 0;

    fprintf(out, "  ladder     ");
    cJSON_ArrayForEach(item, rc_ctl_get(incident, "ladder"))
    {
        const char *name = cJSON_GetStringValue(item);
        fprintf(out, "%s%s%s%s", i ? " -> " : "", i < at ? "(" : "", name ? name : "?",
                i < at ? ")" : "");
        if (i == at && rc_ctl_get(incident, "tries_max")) {
            fprintf(out, " [try %.0f of %.0f]", rc_ctl_number(incident, "tries", 0),
                    rc_ctl_number(incident, "tries_max", 0));
        }
        i++;
    }
    fprintf(out, "\n");
}

static void
show_incident(FILE *out, const cJSON *incident)
{
    const char *code = rc_ctl_text(incident, "code");
    const char *new_id = rc_ctl_text(incident, "new_instance");
    char age[AGE_LEN];

    fprintf(out, "\nincident %.0f: %s%s%s%s, open for %s\n", rc_ctl_number(incident, "id", 0),
            rc_ctl_text(incident, "fault"), *code ? " (" : "", code, *code ? ")" : "",
            rc_ctl_age(incident, "age_ms", age, sizeof age));
    fprintf(out, "  rule       %s\n", rc_ctl_text(incident, "rule"));
    show_ladder(out, incident);
    fprintf(out, "  phase      %s, for %s: waits for %s\n", rc_ctl_text(incident, "phase"),
            rc_ctl_age(incident, "phase_age_ms", age, sizeof age),
            rc_ctl_text(incident, "waits_for"));
    fprintf(out, "  instances  %s -> %s\n", rc_ctl_text(incident, "old_instance"),
            *new_id ? new_id : "none yet");
    if (rc_ctl_get(incident, "deadline_ms")) {
        fprintf(out, "  deadline   AWS acts in %s\n",
                rc_ctl_age(incident, "deadline_ms", age, sizeof age));
    }
    if (rc_ctl_true(incident, "approved")) {
        fprintf(out, "  approved   yes\n");
    }
}

/* What to type, for the reasons that a person can end. */
static const char *
way_out(const char *by)
{
    static const struct {
        const char *block;
        const char *text;
    } rows[] = {
        {"approval", "reconcilectl approve INCIDENT"},
        {"paused", "reconcilectl resume"},
        {"operator-hold", "reconcilectl release NODE"},
        {"breaker", "reconcilectl breaker reset"},
        {"foreign-drain", "whoever drained it: scontrol update nodename=NODE state=resume"},
        {"maintenance-reservation", "ends with the reservation: scontrol show reservation"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].block, by) == 0) {
            return rows[i].text;
        }
    }
    return "";
}

static void
show_held_back(FILE *out, const cJSON *reply)
{
    const cJSON *item = NULL;

    cJSON_ArrayForEach(item, rc_ctl_get(reply, "held_back"))
    {
        const char *by = rc_ctl_text(item, "by");
        const char *text = rc_ctl_text(item, "text");
        fprintf(out, "  held back  by %s%s%s\n", by, *text ? ": " : "", text);
        if (*way_out(by)) {
            fprintf(out, "             to end that: %s\n", way_out(by));
        }
    }
}

void
rc_ctl_show_why(FILE *out, const struct cJSON *reply)
{
    const cJSON *incident = rc_ctl_get(reply, "incident");
    const cJSON *item = NULL;
    const char *label = "evidence";
    char age[AGE_LEN];

    show_node(out, rc_ctl_get(reply, "node"));
    if (incident) {
        show_incident(out, incident);
    } else {
        fprintf(out, "\nno open incident\n");
    }
    show_held_back(out, reply);
    cJSON_ArrayForEach(item, rc_ctl_get(reply, "evidence"))
    {
        fprintf(out, "  %-9s  %s ago: %s\n", label, rc_ctl_age(item, "age_ms", age, sizeof age),
                rc_ctl_text(item, "text"));
        label = "";
    }
}

void
rc_ctl_show_quarantine(FILE *out, const struct cJSON *reply)
{
    const cJSON *list = rc_ctl_get(reply, "messages");
    const cJSON *item = NULL;
    double more = rc_ctl_number(reply, "more", 0);
    char age[AGE_LEN];

    if (!list || !list->child) {
        fprintf(out, "no message in quarantine\n");
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        const char *body = rc_ctl_text(item, "body");
        double bytes = rc_ctl_number(item, "bytes", (double)strlen(body));
        fprintf(out, "%.0f  %s ago  %s\n", rc_ctl_number(item, "id", 0),
                rc_ctl_age(item, "age_ms", age, sizeof age), rc_ctl_text(item, "reason"));
        fprintf(out, "    %.*s%s (%.0f bytes)\n", BODY_SHOWN, body,
                strlen(body) > BODY_SHOWN ? "…" : "", bytes);
    }
    if (more > 0) {
        fprintf(out, "and %.0f more\n", more);
    }
    fprintf(out, "give one back to the daemon: reconcilectl quarantine replay ID (or: all)\n");
}
