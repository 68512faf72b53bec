/* decode_json.c - strict JSON in front of cJSON.
 *
 * cJSON is forgiving: it takes control characters and broken UTF-8 in strings,
 * cuts a string at \u0000, keeps the first of two equal keys and nests a thousand
 * deep. A queue is an open door, so the text is first read by decode_scan.c; only
 * then is a tree built, and looked through for keys that are given twice.
 *
 * Invariant: a text that the scan accepts is one that cJSON accepts, so a failure
 * of cJSON means that memory is short. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

static int
json_by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* keys has room for every value of the document. Returns the key that one object
 * holds twice, or NULL. Sorted, not compared pairwise: an object may hold 65,000. */
static const char *
json_key_twice(const cJSON *value, const char **keys)
{
    size_t count = 0;

    if (cJSON_IsObject(value)) {
        for (const cJSON *child = value->child; child; child = child->next) {
            keys[count++] = child->string;
        }
        qsort(keys, count, sizeof *keys, json_by_key);
        for (size_t i = 1; i < count; i++) {
            if (strcmp(keys[i - 1], keys[i]) == 0) {
                return keys[i];
            }
        }
    }
    for (const cJSON *child = value->child; child; child = child->next) {
        const char *twice = child->child ? json_key_twice(child, keys) : NULL;
        if (twice) {
            return twice;
        }
    }
    return NULL;
}

static enum rc_err
json_check_keys(const cJSON *root, size_t values, char *why)
{
    const char **keys = malloc(values * sizeof *keys);
    struct rc_decode_shown shown;

    if (!keys) {
        return RC_E_FULL;
    }
    const char *twice = json_key_twice(root, keys);
    if (twice) {
        snprintf(why, RC_DECODE_WHY_LEN, "key %s given twice", rc_decode_show(twice, &shown));
    }
    free(keys);
    return twice ? RC_E_PARSE : RC_OK;
}

enum rc_err
rc_decode_json(const char *text, size_t len, cJSON **ret, char why[RC_DECODE_WHY_LEN])
{
    size_t values;

    *ret = NULL;
    if (!rc_decode_scan(text, len, &values, why)) {
        return RC_E_PARSE;
    }
    cJSON *root = cJSON_ParseWithLength(text, len);
    if (!root) {
        return RC_E_FULL;
    }
    enum rc_err err = json_check_keys(root, values, why);
    if (err != RC_OK) {
        cJSON_Delete(root);
        return err;
    }
    *ret = root;
    return RC_OK;
}
