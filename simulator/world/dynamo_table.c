/* dynamo_table.c - rows in a sorted array, found by halving. */
#include "simulator/world/dynamo_table.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/event.h"

struct rc_dynamo *
rc_dynamo_new(void)
{
    struct rc_dynamo *d = calloc(1, sizeof(*d));

    if (d != NULL) {
        (void)rc_dynamo_table_add(d, "lease", "pk", "");
        (void)rc_dynamo_table_add(d, "incidents", "pk", "sk");
    }
    return d;
}

void
rc_dynamo_free(struct rc_dynamo *d)
{
    for (unsigned i = 0; d != NULL && i < RC_DYNAMO_TABLES_MAX; i++) {
        struct rc_dynamo_table *t = &d->table[i];

        for (uint32_t at = 0; at < t->count; at++)
            cJSON_Delete(t->row[at].item);
        free(t->row);
    }
    free(d);
}

struct rc_dynamo_table *
rc_dynamo_table(struct rc_dynamo *d, const char *name)
{
    for (unsigned i = 0; i < RC_DYNAMO_TABLES_MAX; i++)
        if (d->table[i].name[0] != '\0' && strcmp(d->table[i].name, name) == 0)
            return &d->table[i];
    return NULL;
}

struct rc_dynamo_table *
rc_dynamo_table_add(struct rc_dynamo *d, const char *name, const char *hash, const char *range)
{
    if (rc_dynamo_table(d, name) != NULL)
        return NULL;
    for (unsigned i = 0; i < RC_DYNAMO_TABLES_MAX; i++) {
        struct rc_dynamo_table *t = &d->table[i];

        if (t->name[0] != '\0')
            continue;
        if (*name != '\0' && rc_text_set(t->hash, sizeof(t->hash), hash) &&
            rc_text_set(t->range, sizeof(t->range), range) &&
            rc_text_set(t->name, sizeof(t->name), name))
            return t;
        t->name[0] = '\0';
        return NULL;
    }
    return NULL;
}

static const char *
key_text(const cJSON *item, const char *attribute)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, attribute);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(value, "S"));

    return text != NULL && *text != '\0' ? text : NULL;
}

bool
rc_dynamo_key(const struct rc_dynamo_table *t, const cJSON *item, const char **ret_pk,
              const char **ret_sk, const char **ret_which)
{
    *ret_pk = key_text(item, t->hash);
    *ret_sk = t->range[0] != '\0' ? key_text(item, t->range) : "";
    *ret_which = *ret_pk == NULL ? t->hash : t->range;
    return *ret_pk != NULL && *ret_sk != NULL;
}

static int
row_compare(const struct rc_dynamo_row *row, const char *pk, const char *sk)
{
    int by_pk = strcmp(row->pk, pk);

    return by_pk != 0 ? by_pk : strcmp(row->sk, sk);
}

uint32_t
rc_dynamo_find(const struct rc_dynamo_table *t, const char *pk, const char *sk, bool *ret_found)
{
    uint32_t low = 0;
    uint32_t high = t->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (row_compare(&t->row[mid], pk, sk) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *ret_found = low < t->count && row_compare(&t->row[low], pk, sk) == 0;
    return low;
}

const cJSON *
rc_dynamo_get(const struct rc_dynamo_table *t, const char *pk, const char *sk)
{
    bool found;
    uint32_t at = rc_dynamo_find(t, pk, sk, &found);

    return found ? t->row[at].item : NULL;
}

static size_t
value_size(const cJSON *value)
{
    size_t size = 1;
    const cJSON *in;

    if (cJSON_IsString(value))
        return strlen(value->valuestring);
    cJSON_ArrayForEach(in, value) size +=
        (in->string != NULL ? strlen(in->string) : 0) + value_size(in) + 1;
    return size;
}

size_t
rc_dynamo_size(const cJSON *item)
{
    size_t size = 0;
    const cJSON *attribute;

    cJSON_ArrayForEach(attribute, item) size +=
        strlen(attribute->string) + value_size(attribute->child);
    return size;
}

bool
rc_dynamo_put(struct rc_dynamo_table *t, cJSON *item)
{
    struct rc_dynamo_row row = {.item = item, .bytes = rc_dynamo_size(item)};
    const char *which;
    bool found;

    if (!rc_dynamo_key(t, item, &row.pk, &row.sk, &which)) {
        cJSON_Delete(item);
        return false;
    }
    uint32_t at = rc_dynamo_find(t, row.pk, row.sk, &found);

    if (found) {
        cJSON_Delete(t->row[at].item);
        t->row[at] = row;
        return true;
    }
    if (t->count == t->room) {
        uint32_t room = t->room > 0 ? 2 * t->room : 64;
        struct rc_dynamo_row *more = realloc(t->row, room * sizeof(*more));

        if (more == NULL) {
            cJSON_Delete(item);
            return false;
        }
        t->row = more;
        t->room = room;
    }
    memmove(&t->row[at + 1], &t->row[at], (t->count - at) * sizeof(*t->row));
    t->row[at] = row;
    t->count++;
    return true;
}

void
rc_dynamo_delete(struct rc_dynamo_table *t, const char *pk, const char *sk)
{
    bool found;
    uint32_t at = rc_dynamo_find(t, pk, sk, &found);

    if (!found)
        return;
    cJSON_Delete(t->row[at].item);
    t->count--;
    memmove(&t->row[at], &t->row[at + 1], (t->count - at) * sizeof(*t->row));
}
