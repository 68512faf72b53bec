/* ec2_xml.c - see ec2_xml.h.
 *
 * expat feeds elements; the reader keeps the path of names from the root and
 * compares it with the rows of a table, so that the same name in another place
 * (a network interface's subnetId, say) is never taken for ours. */
#define _GNU_SOURCE
#include "reconciler/io/aws/ec2_xml.h"

#include <expat.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/aws/aws_buf.h"
#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/ec2.h"

enum { PATH_LEN = 512, TEXT_MAX = 1 << 20, TAG_KEY_LEN = 129, TAG_VALUE_LEN = 257 };

enum field_kind { FIELD_TEXT, FIELD_TIME, FIELD_STATE, FIELD_CHECK };

struct field {
    const char *path; /* below the row's element */
    size_t offset;
    enum field_kind kind;
    uint32_t room;
};

#define EVENT_TEXT(path, member)                                                                   \
    {                                                                                              \
        path, offsetof(struct rc_event, member), FIELD_TEXT,                                       \
            sizeof(((struct rc_event *)0)->member)                                                 \
    }
#define EVENT_FIELD(path, kind, member)                                                            \
    {                                                                                              \
        path, offsetof(struct rc_event, member), kind, 0                                           \
    }

static const struct field instance_fields[] = {
    EVENT_TEXT("instanceId", instance),
    EVENT_TEXT("instanceType", u.described.type),
    EVENT_TEXT("subnetId", u.described.subnet),
    EVENT_TEXT("privateIpAddress", u.described.addr),
    EVENT_TEXT("placement/availabilityZone", u.described.az),
    EVENT_FIELD("instanceState/name", FIELD_STATE, u.described.state),
    EVENT_FIELD("launchTime", FIELD_TIME, u.described.launched_wall_ms),
    {NULL, 0, FIELD_TEXT, 0},
};

static const struct field status_fields[] = {
    EVENT_TEXT("instanceId", instance),
    EVENT_FIELD("instanceState/name", FIELD_STATE, u.status.state),
    EVENT_FIELD("systemStatus/status", FIELD_CHECK, u.status.system),
    EVENT_FIELD("instanceStatus/status", FIELD_CHECK, u.status.instance),
    EVENT_FIELD("attachedEbsStatus/status", FIELD_CHECK, u.status.ebs),
    {NULL, 0, FIELD_TEXT, 0},
};

/* Where rows stand, by the name of the root. Other replies have none that we read. */
static const struct shape {
    const char *row_path; /* from the root's name on */
    enum rc_event_kind kind;
    const struct field *fields;
} shapes[] = {
    {"DescribeInstancesResponse/reservationSet/item/instancesSet/item", RC_EV_INSTANCE,
     instance_fields},
    {"RunInstancesResponse/instancesSet/item", RC_EV_INSTANCE, instance_fields},
    {"DescribeInstanceStatusResponse/instanceStatusSet/item", RC_EV_INSTANCE_STATUS, status_fields},
};

/* A scheduled event while it is read. */
struct scheduled {
    char code[RC_CODE_LEN];
    bool over; /* completed or cancelled: listed for up to a week */
    int64_t not_before_ms, not_after_ms;
};

struct reader {
    XML_Parser parser;
    const char *cluster;
    char path[PATH_LEN];
    size_t path_len;
    struct rc_aws_buf text;
    const struct shape *shape; /* of the row being read, NULL outside of rows */
    size_t row_len;            /* path_len of its element */
    struct rc_event row;
    bool row_partial;
    struct scheduled scheduled;
    char tag_key[TAG_KEY_LEN];
    char tag_value[TAG_VALUE_LEN];
    bool tag_cut;
    struct rc_event *rows;
    size_t room;
    struct rc_ec2_page *page;
    const char *refused; /* why we stopped the parser ourselves */
};

static void
refuse_xml(struct reader *r, const char *why)
{
    if (!r->refused) {
        r->refused = why;
        XML_StopParser(r->parser, XML_FALSE);
    }
}

static uint32_t
state_of_instance(const char *text)
{
    static const char *const names[] = {
        [RC_INST_PENDING] = "pending",
        [RC_INST_RUNNING] = "running",
        [RC_INST_STOPPING] = "stopping",
        [RC_INST_STOPPED] = "stopped",
        [RC_INST_SHUTTING_DOWN] = "shutting-down",
        [RC_INST_TERMINATED] = "terminated",
    };

    for (uint32_t i = RC_INST_PENDING; i < RC_INST__MAX; i++) {
        if (strcmp(text, names[i]) == 0) {
            return i;
        }
    }
    return RC_INST_UNKNOWN;
}

/* EC2 API Reference, InstanceStatusSummary: ok | impaired | insufficient-data |
 * not-applicable | initializing. */
static uint32_t
check_of_status(const char *text)
{
    if (strcmp(text, "ok") == 0 || strcmp(text, "not-applicable") == 0) {
        return RC_CHECK_OK;
    }
    if (strcmp(text, "impaired") == 0) {
        return RC_CHECK_IMPAIRED;
    }
    return strcmp(text, "initializing") == 0 ? RC_CHECK_INITIALIZING : RC_CHECK_UNKNOWN;
}

/* EC2 API Reference, InstanceStatusEvent: code. */
static uint32_t
schedule_of_code(const char *code)
{
    static const struct {
        const char *code;
        uint32_t schedule;
    } rows[] = {
        {"instance-reboot", RC_SCHED_REBOOT},         {"system-reboot", RC_SCHED_MAINTENANCE},
        {"system-maintenance", RC_SCHED_MAINTENANCE}, {"instance-stop", RC_SCHED_STOP},
        {"instance-retirement", RC_SCHED_RETIREMENT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].schedule;
        }
    }
    return RC_SCHED_OTHER;
}

static void
set_event_field(struct reader *r, const struct field *field, const char *text)
{
    char *at = (char *)&r->row + field->offset;
    uint32_t value;
    int64_t ms = 0;

    switch (field->kind) {
    case FIELD_TEXT:
        r->row_partial = !rc_text_set(at, field->room, text) || r->row_partial;
        return;
    case FIELD_TIME:
        (void)rc_aws_time_iso(text, &ms); /* 0 = not told */
        memcpy(at, &ms, sizeof ms);
        return;
    case FIELD_STATE:
    case FIELD_CHECK:
        value = field->kind == FIELD_STATE ? state_of_instance(text) : check_of_status(text);
        memcpy(at, &value, sizeof value);
        return;
    }
}

/* The end of an element inside <tagSet><item>. */
static void
set_tag_part(struct reader *r, const char *name, const char *text)
{
    bool is_key = strcmp(name, "tagSet/item/key") == 0;

    if (is_key || strcmp(name, "tagSet/item/value") == 0) {
        char *dst = is_key ? r->tag_key : r->tag_value;
        uint32_t room = is_key ? TAG_KEY_LEN : TAG_VALUE_LEN;
        r->tag_cut = !rc_text_set(dst, room, text) || r->tag_cut;
    }
}

static uint32_t
tag_number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static void
end_tag(struct reader *r)
{
    struct rc_ev_instance *described = &r->row.u.described;

    if (strcmp(r->tag_key, RC_TAG_CLUSTER) == 0) {
        described->ours = *r->cluster && !r->tag_cut && strcmp(r->tag_value, r->cluster) == 0;
    } else if (strcmp(r->tag_key, RC_TAG_NODE) == 0) {
        bool fits = rc_text_set(r->row.node, RC_NODE_LEN, r->tag_value) && !r->tag_cut &&
                    rc_text_set(described->node, RC_NODE_LEN, r->tag_value);
        r->row_partial = r->row_partial || !fits;
    } else if (strcmp(r->tag_key, RC_TAG_INCIDENT) == 0) {
        described->tag_incident = tag_number(r->tag_value);
    } else if (strcmp(r->tag_key, RC_TAG_ATTEMPT) == 0) {
        described->tag_attempt = tag_number(r->tag_value);
    }
    r->tag_key[0] = r->tag_value[0] = '\0';
    r->tag_cut = false;
}

static void
set_scheduled_part(struct reader *r, const char *name, const char *text)
{
    struct scheduled *s = &r->scheduled;

    if (strcmp(name, "eventsSet/item/code") == 0) {
        if (!rc_text_set(s->code, sizeof s->code, text)) {
            rc_text_set(s->code, sizeof s->code, "unknown");
        }
    } else if (strcmp(name, "eventsSet/item/description") == 0) {
        s->over = strncmp(text, "[Completed]", 11) == 0 || strncmp(text, "[Canceled]", 10) == 0 ||
                  strncmp(text, "[Cancelled]", 11) == 0;
    } else if (strcmp(name, "eventsSet/item/notBefore") == 0) {
        (void)rc_aws_time_iso(text, &s->not_before_ms);
    } else if (strcmp(name, "eventsSet/item/notAfter") == 0) {
        (void)rc_aws_time_iso(text, &s->not_after_ms);
    }
}

/* Of several events the first to begin is kept; a later one shows when that is over. */
static void
end_scheduled(struct reader *r)
{
    struct rc_ev_instance_status *status = &r->row.u.status;
    const struct scheduled *s = &r->scheduled;
    int64_t have = status->not_before_wall_ms ? status->not_before_wall_ms : INT64_MAX;
    int64_t this = s->not_before_ms ? s->not_before_ms : INT64_MAX;

    if (!s->over && s->code[0] &&
        (status->schedule == RC_SCHED_NONE || this < have ||
         (this == have && schedule_of_code(s->code) > status->schedule))) {
        status->schedule = schedule_of_code(s->code);
        status->not_before_wall_ms = s->not_before_ms;
        status->not_after_wall_ms = s->not_after_ms;
        rc_text_set(r->row.code, RC_CODE_LEN, s->code);
    }
    memset(&r->scheduled, 0, sizeof r->scheduled);
}

/* name: the path below the row's element. */
static void
end_inside_row(struct reader *r, const char *name, const char *text)
{
    for (const struct field *f = r->shape->fields; f->path; f++) {
        if (strcmp(f->path, name) == 0) {
            set_event_field(r, f, text);
            return;
        }
    }
    if (r->shape->kind == RC_EV_INSTANCE) {
        set_tag_part(r, name, text);
        if (strcmp(name, "tagSet/item") == 0) {
            end_tag(r);
        }
    } else {
        set_scheduled_part(r, name, text);
        if (strcmp(name, "eventsSet/item") == 0) {
            end_scheduled(r);
        }
    }
}

static void
end_row(struct reader *r)
{
    r->shape = NULL;
    if (!r->row.instance[0]) {
        r->page->unreadable++;
        return;
    }
    r->page->partial += r->row_partial;
    if (r->page->rows == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        struct rc_event *rows = reallocarray(r->rows, room, sizeof *rows);
        if (!rows) {
            refuse_xml(r, "out of memory for its rows");
            return;
        }
        r->rows = rows;
        r->room = room;
    }
    r->rows[r->page->rows++] = r->row;
}

/* Below the root, outside of rows. */
static void
end_top_element(struct reader *r, const char *text)
{
    const char *slash = strchr(r->path, '/');

    if (slash && strcmp(slash, "/nextToken") == 0) {
        if (!rc_text_set(r->page->next_token, RC_EC2_NEXT_TOKEN_LEN, text)) {
            refuse_xml(r, "its nextToken is too long");
        }
    } else if (strcmp(r->path, "GetConsoleOutputResponse/output") == 0) {
        free(r->page->console);
        r->page->console = strdup(text);
    }
}

static void
begin_root(struct reader *r, const char *name)
{
    size_t len = strlen(name);

    if (len < 8 || strcmp(name + len - 8, "Response") != 0 ||
        !rc_text_set(r->page->root, RC_EC2_ROOT_LEN, name)) {
        refuse_xml(r, "it is no EC2 reply");
    }
}

static void XMLCALL
on_xml_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = arg;
    size_t len = strlen(name);

    (void)attributes;
    if (r->path_len + len + 2 > sizeof r->path) {
        refuse_xml(r, "it is nested too deeply");
        return;
    }
    if (r->path_len == 0) {
        begin_root(r, name);
    } else {
        r->path[r->path_len++] = '/';
    }
    memcpy(r->path + r->path_len, name, len + 1);
    r->path_len += len;
    r->text.len = 0;
    for (size_t i = 0; !r->shape && i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(shapes[i].row_path, r->path) == 0) {
            r->shape = &shapes[i];
            r->row_len = r->path_len;
            r->row_partial = false;
            rc_event_init(&r->row, shapes[i].kind);
        }
    }
}

static char *
trimmed_text(struct rc_aws_buf *text)
{
    rc_aws_buf_add(text, "", 0);
    if (text->failed) {
        return NULL;
    }
    while (text->len > 0 && strchr(" \t\r\n", text->p[text->len - 1])) {
        text->p[--text->len] = '\0';
    }
    return text->p + strspn(text->p, " \t\r\n");
}

static void XMLCALL
on_xml_end(void *arg, const XML_Char *name)
{
    struct reader *r = arg;
    const char *text = trimmed_text(&r->text);

    if (r->refused) {
        return; /* expat may still tell the end of the element that was refused */
    }
    if (!text) {
        refuse_xml(r, "out of memory for its text");
        return;
    }
    if (!r->shape) {
        end_top_element(r, text);
    } else if (r->path_len == r->row_len) {
        end_row(r);
    } else {
        end_inside_row(r, r->path + r->row_len + 1, text);
    }
    size_t len = strlen(name);
    r->path_len -= len < r->path_len ? len + 1 : len;
    r->path[r->path_len] = '\0';
    r->text.len = 0;
}

static void XMLCALL
on_xml_text(void *arg, const XML_Char *text, int len)
{
    struct reader *r = arg;

    if (r->text.len + (size_t)len > TEXT_MAX) {
        refuse_xml(r, "a text in it is too long");
        return;
    }
    rc_aws_buf_add(&r->text, text, (size_t)len);
}

static void XMLCALL
on_xml_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
               int inner)
{
    (void)name;
    (void)sysid;
    (void)pubid;
    (void)inner;
    refuse_xml(arg, "it has a document type");
}

/* Ended before its last tag, or is it wrong at some place? */
static enum rc_err
explain_xml(const struct reader *r, const char *body, size_t len, struct rc_error *error)
{
    enum XML_Error code = XML_GetErrorCode(r->parser);
    const char *what = r->page->root[0] ? r->page->root : "the reply";

    if (r->refused) {
        return rc_fail(error, RC_E_PARSE, "%s cannot be read: %s (\"%.40s\")", what, r->refused,
                       len ? body : "");
    }
    if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
        code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION) {
        return rc_fail(error, RC_E_TRUNCATED, "%s ends too early, after %zu bytes", what, len);
    }
    return rc_fail(error, RC_E_PARSE, "%s is not well-formed XML: line %lu: %s", what,
                   (unsigned long)XML_GetCurrentLineNumber(r->parser), XML_ErrorString(code));
}

static enum rc_err
parse_xml(struct reader *r, const char *body, size_t len, const char *expect_root,
          struct rc_error *error)
{
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_xml_start, on_xml_end);
    XML_SetCharacterDataHandler(r->parser, on_xml_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_xml_doctype);
    if (len > INT32_MAX || XML_Parse(r->parser, body, (int)len, XML_TRUE) != XML_STATUS_OK) {
        return explain_xml(r, body, len, error);
    }
    if (*expect_root && strcmp(expect_root, r->page->root) != 0) {
        return rc_fail(error, RC_E_PARSE, "the reply is a %s, expected a %s", r->page->root,
                       expect_root);
    }
    return RC_OK;
}

enum rc_err
rc_ec2_xml_read(const char *body, size_t len, const struct rc_ec2_expect *expect,
                struct rc_ec2_page *ret, struct rc_error *error)
{
    struct reader *r = calloc(1, sizeof *r);
    enum rc_err err;

    memset(ret, 0, sizeof *ret);
    if (!r || !(r->parser = XML_ParserCreate("UTF-8"))) {
        free(r);
        return rc_fail(error, RC_E_INTERNAL, "out of memory for an XML parser");
    }
    r->cluster = expect->cluster;
    r->page = ret;
    err = parse_xml(r, body, len, expect->root, error);
    if (err == RC_OK) {
        for (uint32_t i = 0; expect->row && i < ret->rows; i++) {
            expect->row(&r->rows[i], expect->arg);
        }
    } else {
        free(ret->console);
        ret->console = NULL;
        ret->next_token[0] = '\0';
        ret->rows = 0;
    }
    XML_ParserFree(r->parser);
    rc_aws_buf_done(&r->text);
    free(r->rows);
    free(r);
    return err;
}
