/* load_set.c - see load_set.h. */
#include "policies/load_set.h"

#include <stdlib.h>
#include <string.h>

#include "policies/bind.h"
#include "policies/jsonc_scan.h"

bool
rc_policy_set_parse(const char *text, struct rc_policy_set *ret)
{
    const char *equals = strchr(text, '=');
    size_t key_len = equals ? (size_t)(equals - text) : 0;

    memset(ret, 0, sizeof *ret);
    if (!key_len || key_len >= sizeof ret->key || strlen(equals + 1) >= sizeof ret->value) {
        return false;
    }
    memcpy(ret->key, text, key_len);
    memcpy(ret->value, equals + 1, strlen(equals + 1));
    return true;
}

static char *
arena_text(struct rc_jsonc *doc, const char *text, size_t len)
{
    char *copy = rc_jsonc_take(doc, len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* An object's key that the file does not give. */
static struct rc_jsonc_value *
add_key(struct rc_jsonc *doc, struct rc_jsonc_value *parent, const char *key, size_t len,
        uint32_t line)
{
    struct rc_jsonc_value *v = rc_jsonc_take(doc, sizeof *v), **tail = &parent->first;
    char *copy = arena_text(doc, key, len);

    if (!v || !copy) {
        return NULL;
    }
    memset(v, 0, sizeof *v);
    while (*tail) {
        tail = &(*tail)->next;
    }
    *tail = v;
    v->type = RC_JSONC_OBJECT;
    v->key = copy;
    v->parent = parent;
    v->index = parent->count++;
    v->line = v->key_line = line;
    v->column = v->key_column = 1;
    return v;
}

static struct rc_jsonc_value *
list_entry(const struct rc_jsonc_value *list, unsigned long at)
{
    for (struct rc_jsonc_value *c = list->first; c; c = c->next) {
        if (c->index == at) {
            return c;
        }
    }
    return NULL;
}

static struct rc_jsonc_value *
list_entry_named(const struct rc_jsonc_value *list, const char *name, size_t len)
{
    for (struct rc_jsonc_value *c = list->first; c; c = c->next) {
        const struct rc_jsonc_value *n = rc_jsonc_get(c, "name");
        if (n && n->text && strlen(n->text) == len && strncmp(n->text, name, len) == 0) {
            return c;
        }
    }
    return NULL;
}

/* One step down the path; *at moves behind it. */
static struct rc_jsonc_value *
step_down(struct rc_jsonc *doc, struct rc_jsonc_value *v, const char **at, uint32_t line)
{
    char *end = NULL;

    if (**at == '[') {
        unsigned long n = strtoul(*at + 1, &end, 10);
        if (end == *at + 1 || *end != ']' || v->type != RC_JSONC_ARRAY) {
            return NULL;
        }
        *at = end + 1 + (end[1] == '.');
        return list_entry(v, n);
    }
    size_t len = strcspn(*at, ".[");
    const char *key = *at;
    *at += len + (key[len] == '.');
    if (!len) {
        return NULL;
    }
    if (v->type == RC_JSONC_ARRAY) {
        return list_entry_named(v, key, len);
    }
    if (v->type != RC_JSONC_OBJECT) {
        return NULL;
    }
    for (struct rc_jsonc_value *c = v->first; c; c = c->next) {
        if (strlen(c->key) == len && strncmp(c->key, key, len) == 0) {
            return c;
        }
    }
    return add_key(doc, v, key, len, line);
}

static void
put_value(struct rc_jsonc *doc, struct rc_jsonc_value *v, const struct rc_policy_set *set)
{
    const char *text = set->value;
    bool is_number = *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 18;
    bool is_true = strcmp(text, "true") == 0, is_false = strcmp(text, "false") == 0;

    v->first = NULL;
    v->count = 0;
    v->line = set->line;
    v->column = 1;
    v->text = arena_text(doc, text, strlen(text));
    v->number = is_number ? strtoll(text, NULL, 10) : is_true;
    v->type = is_number ? RC_JSONC_NUMBER : is_true || is_false ? RC_JSONC_BOOL : RC_JSONC_STRING;
}

bool
rc_policy_set_apply(struct rc_jsonc *doc, const struct rc_policy_set *sets, uint32_t count,
                    struct rc_load_errors *errs)
{
    for (uint32_t i = 0; i < count; i++) {
        struct rc_jsonc_value *v = rc_jsonc_root(doc);
        for (const char *at = sets[i].key; *at && v;) {
            v = step_down(doc, v, &at, sets[i].line);
        }
        if (!v || v == rc_jsonc_root(doc)) {
            rc_load_error(errs, rc_jsonc_file(doc), NULL,
                          "set %s: expected a key such as limits.jobs.count, or "
                          "rules.NAME.launch of a rule that is there",
                          sets[i].key);
            return false;
        }
        put_value(doc, v, &sets[i]);
        if (!v->text) {
            rc_load_error(errs, rc_jsonc_file(doc), NULL, "out of memory");
            return false;
        }
    }
    return true;
}
