/* decode_main.c - shows what the daemon makes of messages; see decode_main.h.
 *
 * A message that is quarantined is an answer, not a failure of the command. */
#define _GNU_SOURCE
#include "handlers/decode/decode_main.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode.h"
#include "reconciler/core/record.h"

static const char usage[] = "usage: reconcilectl decode [--json] FILE...|-\n";

/* One byte more than a message may have, so that a longer file is seen as such. */
static char *
decoded_read_body(FILE *f, size_t *ret_len)
{
    size_t room = RC_DECODE_BODY_MAX + 1;
    char *body = malloc(room);

    *ret_len = body ? fread(body, 1, room, f) : 0;
    if (!body || ferror(f)) {
        free(body);
        return NULL;
    }
    return body;
}

static char *
decoded_open(const char *name, size_t *ret_len)
{
    if (strcmp(name, "-") == 0) {
        return decoded_read_body(stdin, ret_len);
    }
    FILE *f = fopen(name, "rb");
    if (!f) {
        return NULL;
    }
    char *body = decoded_read_body(f, ret_len);
    int saved = errno;
    fclose(f);
    errno = saved;
    return body;
}

static const char *
decoded_verdict(const struct rc_decoded *d)
{
    if (d->verdict == RC_VERDICT_EVENTS) {
        return rc_event_name((enum rc_event_kind)d->kind);
    }
    return d->verdict == RC_VERDICT_IGNORED ? "ignored" : "quarantined";
}

/* The events are sorted: an instance that has several follows itself. */
static bool
decoded_is_new(const struct rc_decoded *d, uint32_t i)
{
    const char *id = d->events[i].instance;

    return *id && (i == 0 || strcmp(d->events[i - 1].instance, id) != 0);
}

static void
decoded_line(const char *name, const struct rc_decoded *d)
{
    bool any = false;

    printf("%s\t%s\t", name, decoded_verdict(d));
    for (uint32_t i = 0; i < d->count; i++) {
        if (decoded_is_new(d, i)) {
            printf("%s%s", any ? "," : "", d->events[i].instance);
            any = true;
        }
    }
    printf("%s\t%s\n", any ? "" : "-", d->text);
}

/* Everything but the text is optional decoration: a NULL from cJSON shows as no line. */
static bool
decoded_json(const char *name, const struct rc_decoded *d)
{
    char record[RC_RECORD_MAX + 1], id[24];
    cJSON *o = cJSON_CreateObject();

    snprintf(id, sizeof id, "%016llx", (unsigned long long)d->id_hash);
    cJSON_AddStringToObject(o, "file", name);
    cJSON_AddStringToObject(o, "kind", decoded_verdict(d));
    cJSON *instances = cJSON_AddArrayToObject(o, "instances");
    for (uint32_t i = 0; i < d->count; i++) {
        if (decoded_is_new(d, i)) {
            cJSON_AddItemToArray(instances, cJSON_CreateString(d->events[i].instance));
        }
    }
    cJSON_AddStringToObject(o, "detail", d->text);
    cJSON_AddStringToObject(o, "id", id);
    cJSON *events = cJSON_AddArrayToObject(o, "events");
    for (uint32_t i = 0; i < d->count; i++) {
        record[rc_event_format(&d->events[i], record, sizeof record - 1)] = '\0';
        cJSON_AddItemToArray(events, cJSON_CreateString(record));
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text) {
        puts(text);
    }
    free(text);
    return text != NULL;
}

static bool
decoded_file(const char *name, bool json)
{
    struct rc_decoded d;
    size_t len;
    char *body = decoded_open(name, &len);

    if (!body) {
        fprintf(stderr, "reconcilectl decode: %s: %s\n", name, strerror(errno));
        return false;
    }
    enum rc_err err = rc_decode_message(body, len, &d);
    free(body);
    bool done = err == RC_OK;
    if (done && json) {
        done = decoded_json(name, &d);
    } else if (done) {
        decoded_line(name, &d);
    }
    if (!done) {
        fprintf(stderr, "reconcilectl decode: %s: out of memory\n", name);
    }
    rc_decoded_done(&d);
    return done;
}

int
rc_decode_command(int argc, char **argv)
{
    bool json = false, done = true;
    int i = 1;

    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        } else {
            fprintf(stderr, "reconcilectl decode: unknown option %s\n%s", argv[i], usage);
            return 2;
        }
    }
    if (i == argc) {
        fputs(usage, stderr);
        return 2;
    }
    for (; i < argc; i++) {
        done &= decoded_file(argv[i], json);
    }
    return done && fflush(stdout) == 0 ? 0 : 1;
}
