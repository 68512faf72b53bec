/* load.c - see load.h: text -> JSON values -> struct rc_policy. */
#include "policies/load.h"

#include <stdlib.h>
#include <string.h>

#include "policies/bind.h"
#include "policies/load_set.h"

uint64_t
rc_policy_text_hash(const char *text, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t
hash_with_sets(const char *text, size_t len, const struct rc_policy_set *sets, uint32_t count)
{
    uint64_t hash = rc_policy_text_hash(text, len);

    for (uint32_t i = 0; i < count; i++) {
        hash ^= rc_policy_text_hash(sets[i].key, strlen(sets[i].key));
        hash = hash * 31 + rc_policy_text_hash(sets[i].value, strlen(sets[i].value));
    }
    return hash;
}

static enum rc_err
load_with(const char *path, const char *text, size_t len, const struct rc_policy_set *sets,
          uint32_t count, struct rc_policy *ret, struct rc_load_errors *errs)
{
    struct rc_bind b = {.file = path, .dir = NULL, .errs = errs};
    struct rc_policy *p = NULL;
    struct rc_jsonc *doc = NULL;
    enum rc_err err = rc_jsonc_read(path, text, len, &doc, errs);

    if (err != RC_OK) {
        return err;
    }
    p = calloc(1, sizeof *p);
    if (!p) {
        rc_load_error(errs, path, NULL, "out of memory");
        rc_jsonc_free(doc);
        return RC_E_INTERNAL;
    }
    if (rc_policy_set_apply(doc, sets, count, errs)) {
        rc_bind_object(&b, rc_policy_table(), rc_jsonc_root(doc), p);
    }
    if (errs->count == 0) {
        p->hash = hash_with_sets(text, len, sets, count);
        *ret = *p;
    } else {
        err = RC_E_INVALID;
    }
    free(p);
    rc_jsonc_free(doc);
    return err;
}

enum rc_err
rc_policy_load(const char *path, const char *text, size_t len, struct rc_policy *ret,
               struct rc_load_errors *errs)
{
    return load_with(path, text, len, NULL, 0, ret, errs);
}

enum rc_err
rc_policy_load_file(const char *path, struct rc_policy *ret, struct rc_load_errors *errs)
{
    return rc_policy_load_file_with(path, NULL, 0, ret, errs);
}

enum rc_err
rc_policy_load_file_with(const char *path, const struct rc_policy_set *sets, uint32_t count,
                         struct rc_policy *ret, struct rc_load_errors *errs)
{
    char *text = NULL;
    size_t len = 0;
    enum rc_err err = rc_load_file(path, &text, &len, errs);

    if (err == RC_OK) {
        err = load_with(path, text, len, sets, count, ret, errs);
        free(text);
    }
    return err;
}
