/* ctl_show.c - see ctl_show.h: the helpers, and `reconcilectl status`. What a person has to do
 * comes first and begins with "!". */
#define _GNU_SOURCE
#include "reconciler/ctl_show.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { AGE_LEN = 32 };

const struct cJSON *
rc_ctl_get(const struct cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *
rc_ctl_text(const struct cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(rc_ctl_get(object, key));

    return text ? text : "";
}

bool
rc_ctl_true(const struct cJSON *object, const char *key)
{
    return cJSON_IsTrue(rc_ctl_get(object, key));
}

double
rc_ctl_number(const struct cJSON *object, const char *key, double otherwise)
{
    const cJSON *item = rc_ctl_get(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

const char *
rc_ctl_age(const struct cJSON *object, const char *key, char *buf, size_t room)
{
    double ms = rc_ctl_number(object, key, -1);
    long long s = (long long)(ms / 1000);

    if (ms < 0 || ms > 1e15) {
        snprintf(buf, room, "?");
    } else if (ms < 1000) {
        snprintf(buf, room, "%.0fms", ms);
    } else if (s < 60) {
        snprintf(buf, room, "%llds", s);
    } else if (s < 3600) {
        snprintf(buf, room, "%lldm%02llds", s / 60, s % 60);
    } else if (s < 86400) {
        snprintf(buf, room, "%lldh%02lldm", s / 3600, s / 60 % 60);
    } else {
        snprintf(buf, room, "%lldd%02lldh", s / 86400, s / 3600 % 24);
    }
    return buf;
}

/* An explicit walk: a reply's depth is limited by cJSON's parser. */
void
rc_ctl_make_printable(struct cJSON *reply)
{
    for (cJSON *item = reply; item; item = item->next) {
        for (char *p = cJSON_GetStringValue(item); p && *p; p++) {
            if ((unsigned char)*p < 0x20 || *p == 0x7f) {
                *p = '?';
            }
        }
        if (item->child) {
            rc_ctl_make_printable(item->child);
        }
    }
}

static void
show_attention(FILE *out, const cJSON *reply)
{
    const cJSON *lease = rc_ctl_get(reply, "lease");
    const cJSON *policy = rc_ctl_get(reply, "policy");
    const cJSON *item = NULL;
    char age[AGE_LEN];

    if (lease && !rc_ctl_true(lease, "held") && !*rc_ctl_text(lease, "owner")) {
        fprintf(out, "! nobody leads, so nothing is done\n");
    }
    if (*rc_ctl_text(lease, "error")) {
        fprintf(out, "! lease: %s\n", rc_ctl_text(lease, "error"));
    }
    if (*rc_ctl_text(rc_ctl_get(reply, "slurmctld"), "block")) {
        fprintf(out, "! slurmctld's fail-over does not go on: %s\n",
                rc_ctl_text(rc_ctl_get(reply, "slurmctld"), "block"));
    }
    if (rc_ctl_true(reply, "paused")) {
        fprintf(out, "! paused: no new action until reconcilectl resume\n");
    }
    if (rc_ctl_true(rc_ctl_get(reply, "breaker"), "open")) {
        fprintf(out, "! the breaker is open: nothing destructive is done; look, then "
                     "reconcilectl breaker reset\n");
    }
    if (rc_ctl_true(rc_ctl_get(reply, "breaker"), "off")) {
        fprintf(out, "! the policy has switched the breaker off\n");
    }
    cJSON_ArrayForEach(item, rc_ctl_get(policy, "errors"))
    {
        const char *text = cJSON_GetStringValue(item);
        fprintf(out, "! policy not loaded, the last good one is in force: %s\n", text ? text : "?");
    }
    cJSON_ArrayForEach(item, rc_ctl_get(reply, "sources"))
    {
        const char *text = rc_ctl_text(item, "text");
        if (!rc_ctl_true(item, "up")) {
            bool has_age = rc_ctl_get(item, "age_ms") != NULL;
            fprintf(out, "! %s fails%s%s%s%s\n", rc_ctl_text(item, "name"), has_age ? ", for " : "",
                    has_age ? rc_ctl_age(item, "age_ms", age, sizeof age) : "", *text ? ": " : "",
                    text);
        }
    }
    if (rc_ctl_true(reply, "capacity_exceeded")) {
        fprintf(out, "! a table is full: nothing destructive is done until it fits\n");
    }
    cJSON_ArrayForEach(item, rc_ctl_get(reply, "incidents"))
    {
        double id = rc_ctl_number(item, "id", 0);
        if (strcmp(rc_ctl_text(item, "block"), "approval") == 0) {
            fprintf(out,
                    "! %s waits for you: reconcilectl why %s, then reconcilectl approve %.0f\n",
                    rc_ctl_text(item, "node"), rc_ctl_text(item, "node"), id);
        } else if (strcmp(rc_ctl_text(item, "phase"), "quarantine") == 0) {
            fprintf(out, "! %s is in quarantine, repairs did not help: reconcilectl why %s\n",
                    rc_ctl_text(item, "node"), rc_ctl_text(item, "node"));
        }
    }
    cJSON_ArrayForEach(item, rc_ctl_get(reply, "attention"))
    {
        const char *text = cJSON_GetStringValue(item);
        fprintf(out, "! %s\n", text ? text : "?");
    }
}

/* Who leads, in which epoch, since when. */
static void
show_lease(FILE *out, const cJSON *lease, const char *host)
{
    char age[AGE_LEN], since[AGE_LEN];

    if (!lease) {
        return;
    }
    bool is_held = rc_ctl_true(lease, "held");
    const char *owner = rc_ctl_text(lease, "owner");
    bool is_other = !is_held && *owner && strcmp(owner, host) != 0;

    fprintf(out, "lease     %s%s, epoch %.0f", is_other ? owner : "",
            is_held    ? "held"
            : is_other ? " leads, this one stands by"
            : *owner   ? "held, but this one does not lead with it"
                       : "held by nobody",
            rc_ctl_number(lease, "epoch", 0));
    if (rc_ctl_get(lease, "since_ms")) {
        fprintf(out, ", since %s", rc_ctl_age(lease, "since_ms", since, sizeof since));
    }
    if (is_held) {
        fprintf(out, ", %s left", rc_ctl_age(lease, "left_ms", age, sizeof age));
    }
    fprintf(out, "%s\n", rc_ctl_true(lease, "yielded") ? ", given back by an operator" : "");
}

/* Who is slurmctld's primary since when, and what a fail-over under way waits for. */
static void
show_slurmctld(FILE *out, const cJSON *ctl)
{
    const char *primary = rc_ctl_text(ctl, "primary");
    const char *link = rc_ctl_text(ctl, "link");
    char age[AGE_LEN];

    if (!ctl) {
        return;
    }
    fprintf(out, "slurmctld %s", *primary ? primary : "served by nobody that is seen");
    if (*primary) {
        fprintf(out, " is primary, since %s", rc_ctl_age(ctl, "primary_age_ms", age, sizeof age));
    }
    if (rc_ctl_get(ctl, "to")) {
        fprintf(out, "; fail-over to %s (%s): waits for %s", rc_ctl_text(ctl, "to"),
                rc_ctl_text(ctl, "cause"), rc_ctl_text(ctl, "waits_for"));
    }
    fprintf(out, "%s%s\n", *link ? "; peer: " : "", link);
}

/* Could the other one take over, and if not, why? */
static void
show_backups(FILE *out, const cJSON *ctl)
{
    const cJSON *c = NULL;

    cJSON_ArrayForEach(c, rc_ctl_get(ctl, "controllers"))
    {
        bool runs = strcmp(rc_ctl_text(c, "process"), "none") != 0;
        const char *why = rc_ctl_text(c, "why_not");
        if (rc_ctl_true(c, "primary")) {
            continue;
        }
        fprintf(out, "backup    %s: %s%s, %s%s\n", rc_ctl_text(c, "host"),
                runs ? rc_ctl_text(c, "seen_here") : "no slurmctld runs",
                rc_ctl_true(c, "fenced") ? " (fenced: only the leader starts it)" : "",
                rc_ctl_true(c, "can_take_over") ? "could take over" : "cannot take over: ", why);
    }
}

/* What happened last, and what proved that it was safe. */
static void
show_last_move(FILE *out, const cJSON *ctl)
{
    const cJSON *move = rc_ctl_get(ctl, "last_move");
    char age[AGE_LEN];

    if (move) {
        fprintf(out, "last move %s ago: %s\n", rc_ctl_age(move, "age_ms", age, sizeof age),
                rc_ctl_text(move, "text"));
    }
}

static void
show_daemon(FILE *out, const cJSON *reply)
{
    const cJSON *d = rc_ctl_get(reply, "daemon");
    const cJSON *lease = rc_ctl_get(reply, "lease");
    const cJSON *policy = rc_ctl_get(reply, "policy");
    const cJSON *breaker = rc_ctl_get(reply, "breaker");
    char age[AGE_LEN];

    fprintf(out, "daemon    %s on %s, up %s%s\n", rc_ctl_text(d, "version"), rc_ctl_text(d, "host"),
            rc_ctl_age(d, "uptime_ms", age, sizeof age),
            rc_ctl_true(d, "dry_run") ? ", DRY RUN: nothing is done" : "");
    show_lease(out, lease, rc_ctl_text(d, "host"));
    show_slurmctld(out, rc_ctl_get(reply, "slurmctld"));
    show_backups(out, rc_ctl_get(reply, "slurmctld"));
    show_last_move(out, rc_ctl_get(reply, "slurmctld"));
    fprintf(out, "policy    %s (%s)", rc_ctl_text(policy, "name"), rc_ctl_text(policy, "hash"));
    if (rc_ctl_get(policy, "age_ms")) {
        fprintf(out, ", loaded %s ago", rc_ctl_age(policy, "age_ms", age, sizeof age));
    }
    fprintf(out, "\nbreaker   %s, ", rc_ctl_true(breaker, "open") ? "OPEN" : "closed");
    if (rc_ctl_get(breaker, "incidents")) {
        fprintf(out, "%.0f new incidents in %s, ", rc_ctl_number(breaker, "incidents", 0),
                rc_ctl_age(breaker, "window_ms", age, sizeof age));
    }
    fprintf(out, "opens above %.0f in %s\n", rc_ctl_number(breaker, "allowed", 0),
            rc_ctl_age(breaker, "window_ms", age, sizeof age));
}

static void
show_world(FILE *out, const cJSON *reply)
{
    const cJSON *nodes = rc_ctl_get(reply, "nodes");
    const cJSON *messages = rc_ctl_get(reply, "messages");
    const cJSON *item = NULL;
    const char *gap = "";
    char age[AGE_LEN];

    fprintf(out, "sources   ");
    cJSON_ArrayForEach(item, rc_ctl_get(reply, "sources"))
    {
        fprintf(out, "%s%s %s", gap, rc_ctl_text(item, "name"),
                rc_ctl_true(item, "up") ? "ok" : "FAILS");
        if (rc_ctl_get(item, "age_ms")) {
            fprintf(out, " (%s)", rc_ctl_age(item, "age_ms", age, sizeof age));
        }
        gap = ", ";
    }
    fprintf(out, "\nnodes     %.0f: %.0f in service, %.0f out by us (%.0f allowed), %.0f held\n",
            rc_ctl_number(nodes, "total", 0), rc_ctl_number(nodes, "in_service", 0),
            rc_ctl_number(nodes, "out", 0), rc_ctl_number(nodes, "allowed_out", 0),
            rc_ctl_number(nodes, "held", 0));
    fprintf(out, "messages  %.0f waiting, %.0f in quarantine%s\n",
            rc_ctl_number(messages, "waiting", 0), rc_ctl_number(messages, "quarantined", 0),
            rc_ctl_number(messages, "quarantined", 0) > 0 ? " (reconcilectl quarantine list)" : "");
}

static int
width_of(const cJSON *list, const char *key, int least)
{
    const cJSON *item = NULL;
    int width = least;

    cJSON_ArrayForEach(item, list)
    {
        int len = (int)strlen(rc_ctl_text(item, key));
        width = len > width ? len : width;
    }
    return width < 64 ? width : 64;
}

static void
show_incidents(FILE *out, const cJSON *list)
{
    const cJSON *item = NULL;
    int node = width_of(list, "node", 4);
    int fault = width_of(list, "fault", 5);
    int phase = width_of(list, "phase", 5);
    char age[AGE_LEN];
    char in_phase[AGE_LEN];

    if (!list || !list->child) {
        fprintf(out, "\nno open incident\n");
        return;
    }
    fprintf(out, "\n%6s  %-*s  %-*s  %-6s  %-*s  %-6s  %s\n", "ID", node, "NODE", fault, "FAULT",
            "OPEN", phase, "PHASE", "FOR", "WAITS FOR");
    cJSON_ArrayForEach(item, list)
    {
        const char *text = rc_ctl_text(item, "block_text");
        const char *block = rc_ctl_text(item, "block");
        fprintf(out, "%6.0f  %-*s  %-*s  %-6s  %-*s  %-6s  %s\n", rc_ctl_number(item, "id", 0),
                node, rc_ctl_text(item, "node"), fault, rc_ctl_text(item, "fault"),
                rc_ctl_age(item, "age_ms", age, sizeof age), phase, rc_ctl_text(item, "phase"),
                rc_ctl_age(item, "phase_age_ms", in_phase, sizeof in_phase),
                rc_ctl_text(item, "waits_for"));
        if (*block) {
            fprintf(out, "%6s  held back by %s%s%s\n", "", block, *text ? ": " : "", text);
        }
    }
}

void
rc_ctl_show_status(FILE *out, const struct cJSON *reply)
{
    show_attention(out, reply);
    show_daemon(out, reply);
    show_world(out, reply);
    show_incidents(out, rc_ctl_get(reply, "incidents"));
}
