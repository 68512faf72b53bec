/* decode_ids.c - instance ids and other EC2 ids, and the events made of them.
 *
 * An instance id is "i-" and 8 to 17 hex digits (EC2 gives 17 since 2016; old
 * accounts and many samples have 8), alone or at the end of an ARN. The ARN of a
 * spot notice has the zone in the region's place and no account, so only its
 * service and its last part are looked at. Anything else that should be an
 * instance is bad: a guess would be acted on. */
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

enum { ID_DIGITS_MIN = 8, ID_DIGITS_MAX = 17 };

const char rc_decode_no_instance[RC_ID_LEN];

static bool
id_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The text between blanks. */
static const char *
id_trimmed(const char *text, size_t *ret_len)
{
    while (id_is_blank(*text)) {
        text++;
    }
    *ret_len = strlen(text);
    while (*ret_len > 0 && id_is_blank(text[*ret_len - 1])) {
        (*ret_len)--;
    }
    return text;
}

/* The third field of an ARN is its service. */
static bool
id_is_ec2_arn(const char *arn)
{
    const char *partition = strncmp(arn, "arn:", 4) == 0 ? strchr(arn + 4, ':') : NULL;

    return partition && strncmp(partition, ":ec2:", 5) == 0;
}

/* What stands behind "<type>/" at the end of an EC2 ARN, or the text itself when
 * it is no ARN; NULL for the ARN of something else. */
static const char *
id_part(const char *text, const char *type)
{
    size_t len = strlen(type);

    if (strncmp(text, "arn:", 4) != 0) {
        return text;
    }
    const char *last = id_is_ec2_arn(text) ? strrchr(text, ':') + 1 : "";
    return strncmp(last, type, len) == 0 && last[len] == '/' ? last + len + 1 : NULL;
}

static bool
id_read(const char *text, const char *type, const char *prefix, const char *digits,
        char ret[RC_ID_LEN])
{
    size_t len, prefix_len = strlen(prefix);
    const char *id = id_trimmed(text, &len);

    memset(ret, 0, RC_ID_LEN);
    id = id_part(id, type);
    if (!id) {
        return false;
    }
    id = id_trimmed(id, &len); /* samples have blanks inside the ARN too */
    if (strncmp(id, prefix, prefix_len) != 0 || len < prefix_len + ID_DIGITS_MIN ||
        len > prefix_len + ID_DIGITS_MAX || strspn(id + prefix_len, digits) != len - prefix_len) {
        return false;
    }
    memcpy(ret, id, len);
    return true;
}

bool
rc_decode_instance_id(const char *text, char ret[RC_ID_LEN])
{
    return id_read(text, "instance", "i-", "0123456789abcdef", ret);
}

bool
rc_decode_resource_id(const char *text, const char *type, const char *prefix, char ret[RC_ID_LEN])
{
    /* Not only hex: documented reservations have ids such as cr-1234567890abcdefg. */
    return id_read(text, type, prefix, "0123456789abcdefghijklmnopqrstuvwxyz", ret);
}

bool
rc_decode_claims_instance(const char *text)
{
    size_t len;
    const char *at = id_trimmed(text, &len);

    return strncmp(at, "i-", 2) == 0 || (id_is_ec2_arn(at) && strstr(at, ":instance/"));
}

enum rc_err
rc_decode_add(struct rc_notice *n, const char instance[RC_ID_LEN], struct rc_event **ret)
{
    struct rc_decoded *out = n->out;

    if (out->count == RC_DECODE_EVENTS_MAX) {
        return rc_decode_bad(n, "names more than %d instances", RC_DECODE_EVENTS_MAX);
    }
    if (out->count == n->room) {
        uint32_t room = n->room ? n->room * 2 : 1;
        struct rc_event *bigger = realloc(out->events, room * sizeof *bigger);

        if (!bigger) {
            return RC_E_FULL;
        }
        out->events = bigger;
        n->room = room;
    }
    *ret = &out->events[out->count++];
    rc_event_init(*ret, n->row->kind);
    memcpy((*ret)->instance, instance, RC_ID_LEN);
    return RC_OK;
}

static enum rc_err
id_add_instance(struct rc_notice *n, const char *path, const char *text)
{
    struct rc_decode_shown shown;
    struct rc_event *ev;
    char id[RC_ID_LEN];

    if (!rc_decode_instance_id(text, id)) {
        return rc_decode_bad(n, "%s: expected an instance id, found %s", path,
                             rc_decode_show(text, &shown));
    }
    return rc_decode_add(n, id, &ev);
}

enum rc_err
rc_decode_resource_instances(struct rc_notice *n)
{
    const cJSON *item;
    enum rc_err err = RC_OK;

    cJSON_ArrayForEach(item, n->resources)
    {
        if (err == RC_OK && rc_decode_claims_instance(item->valuestring)) {
            err = id_add_instance(n, "resources", item->valuestring);
        }
    }
    return err;
}

enum rc_err
rc_decode_instances(struct rc_notice *n, bool required)
{
    const char *told;
    struct rc_event *ev;
    enum rc_err err = rc_decode_string(n, n->detail, "detail.instance-id", false, &told);

    if (err != RC_OK) {
        return err;
    }
    err = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(n->detail, "instance-id"))
              ? id_add_instance(n, "detail.instance-id", told)
              : rc_decode_resource_instances(n);
    if (err != RC_OK || n->out->count > 0) {
        return err;
    }
    if (required) {
        return rc_decode_bad(n, "detail.instance-id: missing, expected an instance id");
    }
    return rc_decode_add(n, rc_decode_no_instance, &ev);
}
