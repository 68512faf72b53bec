/* gate_answer.c - see gate_answer.h; the lines are those of gate.sh. */
#define _GNU_SOURCE
#include "reconciler/io/host/gate_answer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/core/serial.h"

enum { LINE_KEPT = 192 };

static enum rc_gate_verdict
verdict_of(const char *word)
{
    return strcmp(word, "well") == 0  ? RC_GATE_WELL
           : strcmp(word, "bad") == 0 ? RC_GATE_BAD
                                      : RC_GATE_UNKNOWN;
}

/* "NAME VERDICT TEXT" */
static void
read_probe_line(const char *at, size_t len, struct rc_gate_answer *ret)
{
    char line[LINE_KEPT], name[16], verdict[16], text[RC_GATE_TEXT_LEN] = "";

    (void)snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1), at);
    if (sscanf(line, "%15s %15s %95[^\n]", name, verdict, text) < 2) {
        return;
    }
    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        if (strcmp(name, rc_gate_probe_name((enum rc_gate_probe)p)) == 0) {
            ret->verdict[p] = verdict_of(verdict);
            memcpy(ret->text[p], text, sizeof text);
        }
    }
}

static const char *
member_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

/* One finding of nodewatch check: the first fault is what the probe is told for. */
static void
read_finding(const cJSON *f, bool *named, struct rc_gate_answer *ret)
{
    const char *kind = member_text(f, "kind"), *class_name = member_text(f, "class");
    const char *device = member_text(f, "device");

    if (strcmp(kind, "fact") == 0 && strcmp(class_name, "gpu:serial") == 0) {
        const char *serial = member_text(f, "text");

        rc_serials_add(ret->serials, serial, strlen(serial));
    } else if (!*named && (strcmp(kind, "fault") == 0 ||
                           (strcmp(kind, "unknown") == 0 &&
                            ret->verdict[RC_GATE_PROBE_CHECK] == RC_GATE_UNKNOWN))) {
        (void)snprintf(ret->text[RC_GATE_PROBE_CHECK], RC_GATE_TEXT_LEN, "%.39s%s%.48s", class_name,
                       *device ? " " : "", device);
        *named = true;
    }
}

static void
read_check(const char *json, size_t len, struct rc_gate_answer *ret)
{
    cJSON *check = cJSON_ParseWithLength(json, len);
    const cJSON *probe, *finding;
    bool named = false;

    ret->serials[0] = '\0';
    cJSON_ArrayForEach(probe, cJSON_GetObjectItemCaseSensitive(check, "probes"))
    {
        cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(probe, "findings"))
        {
            read_finding(finding, &named, ret);
        }
    }
    cJSON_Delete(check);
}

static void
read_serials(const char *list, size_t len, struct rc_gate_answer *ret)
{
    if (ret->serials[0]) {
        return; /* NVML has told them */
    }
    for (size_t at = 0, word; at < len; at += word + 1) {
        const char *comma = memchr(list + at, ',', len - at);

        word = comma ? (size_t)(comma - (list + at)) : len - at;
        rc_serials_add(ret->serials, list + at, word);
    }
}

static const char *
line_after(const char *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line, word, len) == 0 ? line + len : NULL;
}

void
rc_gate_answer_read(const char *out, struct rc_gate_answer *ret)
{
    *ret = (struct rc_gate_answer){.ended = false};
    for (const char *line = out, *end; *line; line = end + (*end == '\n')) {
        const char *rest;

        end = line + strcspn(line, "\n");
        if ((rest = line_after(line, "rc-probe ")) != NULL) {
            read_probe_line(rest, (size_t)(end - rest), ret);
        } else if ((rest = line_after(line, "rc-json ")) != NULL) {
            read_check(rest, (size_t)(end - rest), ret);
        } else if ((rest = line_after(line, "rc-serials ")) != NULL) {
            read_serials(rest, (size_t)(end - rest), ret);
        } else if (line_after(line, "rc-gate-end") && end - line == 11) {
            ret->ended = true;
        }
    }
}

static void
name_probes(const struct rc_gate_answer *a, uint32_t probes, enum rc_gate_verdict verdict,
            char *buf, size_t room)
{
    size_t len = 0;

    buf[0] = '\0';
    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        if ((probes >> p & 1) != 0 &&
            (a->verdict[p] == RC_GATE_WELL) == (verdict == RC_GATE_WELL)) {
            len += (size_t)snprintf(buf + len, room - len, "%s%s", len ? ", " : "",
                                    rc_gate_probe_name((enum rc_gate_probe)p));
        }
    }
}

enum rc_err
rc_gate_answer_judge(const struct rc_gate_answer *a, uint32_t probes, uint32_t must,
                     struct rc_error *e)
{
    char well[RC_GATE_PROBE__MAX * 12], unasked[RC_GATE_PROBE__MAX * 12];

    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        if ((probes >> p & 1) != 0 && a->verdict[p] == RC_GATE_BAD) {
            return rc_fail(e, RC_E_UNHEALTHY, "%s: %s", rc_gate_probe_name((enum rc_gate_probe)p),
                           a->text[p]);
        }
    }
    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        if ((must >> p & 1) != 0 && a->verdict[p] != RC_GATE_WELL) {
            return rc_fail(e, RC_E_UNKNOWN, "%s: %s", rc_gate_probe_name((enum rc_gate_probe)p),
                           *a->text[p] ? a->text[p] : "no answer");
        }
    }
    if (!a->ended) {
        return rc_fail(e, RC_E_UNKNOWN, "the probes did not come to their end");
    }
    name_probes(a, probes, RC_GATE_WELL, well, sizeof well);
    name_probes(a, probes, RC_GATE_UNKNOWN, unasked, sizeof unasked);
    (void)rc_fail(e, RC_OK, "%s passed%s%s", *well ? well : "nothing",
                  *unasked ? "; could not be asked: " : "", unasked);
    return RC_OK;
}
