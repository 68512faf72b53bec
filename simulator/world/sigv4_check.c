/* sigv4_check.c - canonical request, string to sign, derived key, comparison.
 *
 * Path: each segment of the path as received is percent-encoded once more (every
 * service but S3). Query: pairs decoded as they came, sorted. Failure: a request
 * too large for the canonical buffer counts as a mismatch. */
#include "simulator/world/sigv4_check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "simulator/model/sim_time.h"

enum { PAIRS_MAX = 64, CANONICAL_MAX = 64 * 1024 };

struct authorization {
    char key[RC_SIGV4_KEY_LEN];
    char date[9], region[32], service[32];
    char names[1024]; /* SignedHeaders */
    char signature[65];
};

struct text {
    char *at;
    size_t len, room;
};

static void
text_add(struct text *t, const char *s, size_t len)
{
    if (t->len + len < t->room) {
        memcpy(t->at + t->len, s, len);
        t->at[t->len + len] = '\0';
    }
    t->len += len; /* an overflow shows as len >= room */
}

static void
text_put(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

static void
text_encode(struct text *t, const char *s, size_t len, bool keep_slash)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        char hex[4];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-_.~", c) != NULL || (c == '/' && keep_slash)) {
            text_add(t, s + i, 1);
            continue;
        }
        (void)snprintf(hex, sizeof(hex), "%%%02X", c);
        text_add(t, hex, 3);
    }
}

static const char *
header_value(const struct rc_sigv4_request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->header[i].name, name) == 0)
            return r->header[i].value;
    return NULL;
}

/* "Key=value" up to a comma or blank. */
static bool
authorization_part(const char *text, const char *key, char *out, size_t room)
{
    const char *at = strstr(text, key);
    size_t len;

    if (at == NULL)
        return false;
    at += strlen(key);
    len = strcspn(at, ", ");
    if (len == 0 || len >= room)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

static bool
authorization_parse(const char *text, struct authorization *a)
{
    char credential[160];
    char end[16];

    if (strncmp(text, "AWS4-HMAC-SHA256 ", 17) != 0)
        return false;
    return authorization_part(text, "Credential=", credential, sizeof(credential)) &&
           sscanf(credential, "%31[^/]/%8[0-9]/%31[^/]/%31[^/]/%15s", a->key, a->date, a->region,
                  a->service, end) == 5 &&
           strcmp(end, "aws4_request") == 0 && strlen(a->date) == 8 &&
           authorization_part(text, "SignedHeaders=", a->names, sizeof(a->names)) &&
           authorization_part(text, "Signature=", a->signature, sizeof(a->signature)) &&
           strlen(a->signature) == 64;
}

static void
hex_of(const unsigned char *in, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", in[i]);
}

static void
hash_hex(const char *in, size_t len, char out[65])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];

    (void)SHA256((const unsigned char *)in, len, sum);
    hex_of(sum, sizeof(sum), out);
}

/* By name, then by value: "=" must come before every other byte. */
static int
pair_compare(const void *a, const void *b)
{
    const char *x = *(char *const *)a;
    const char *y = *(char *const *)b;

    while (*x != '\0' && *x == *y) {
        x++;
        y++;
    }
    if (*x == '=' || *y == '=')
        return (*x == '=' && *y != '\0') || *x == '\0' ? -1 : 1;
    return (unsigned char)*x - (unsigned char)*y;
}

/* Pairs are compared in their encoded form; a key without value gets "=". */
static bool
canonical_query(struct text *t, const char *query)
{
    char *copy = strdup(query);
    char *pair[PAIRS_MAX];
    char *save = NULL;
    size_t count = 0;

    if (copy == NULL)
        return false;
    for (char *p = strtok_r(copy, "&", &save); p != NULL; p = strtok_r(NULL, "&", &save)) {
        if (count == PAIRS_MAX) {
            free(copy);
            return false;
        }
        pair[count++] = p;
    }
    qsort(pair, count, sizeof(pair[0]), pair_compare);
    for (size_t i = 0; i < count; i++) {
        text_put(t, i > 0 ? "&" : "");
        text_put(t, pair[i]);
        text_put(t, strchr(pair[i], '=') == NULL ? "=" : "");
    }
    free(copy);
    return true;
}

/* Trimmed, inner runs of blanks as one; several of one name joined by commas. */
static bool
canonical_header(struct text *t, const struct rc_sigv4_request *r, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < r->header_count; i++) {
        const char *v = r->header[i].value;
        bool gap = false;

        if (strcasecmp(r->header[i].name, name) != 0)
            continue;
        text_put(t, found ? "," : "");
        found = true;
        for (v += strspn(v, " \t"); *v != '\0'; v++) {
            if (*v == ' ' || *v == '\t') {
                gap = true;
                continue;
            }
            text_put(t, gap ? " " : "");
            gap = false;
            text_add(t, v, 1);
        }
    }
    return found;
}

static bool
names_have(const char *names, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = names; at != NULL; at = strchr(at, ';')) {
        at += *at == ';' ? 1 : 0;
        if (strncasecmp(at, name, len) == 0 && (at[len] == ';' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool
canonical_headers(struct text *t, const struct rc_sigv4_request *r, const char *names)
{
    char list[1024];
    char *save = NULL;
    char last[256] = "";

    (void)snprintf(list, sizeof(list), "%s", names);
    for (char *name = strtok_r(list, ";", &save); name != NULL; name = strtok_r(NULL, ";", &save)) {
        if (strcmp(last, name) >= 0) /* must be sorted, each once, in lower case */
            return false;
        (void)snprintf(last, sizeof(last), "%s", name);
        text_put(t, name);
        text_put(t, ":");
        if (!canonical_header(t, r, name))
            return false;
        text_put(t, "\n");
    }
    for (size_t i = 0; i < r->header_count; i++)
        if (strncasecmp(r->header[i].name, "x-amz-", 6) == 0 &&
            !names_have(names, r->header[i].name))
            return false;
    return names_have(names, "host");
}

static bool
canonical_request(struct text *t, const struct rc_sigv4_request *r, const char *names)
{
    const char *query = strchr(r->uri, '?');
    const char *given = header_value(r, "x-amz-content-sha256");
    size_t path = query != NULL ? (size_t)(query - r->uri) : strlen(r->uri);
    char sum[65];

    text_put(t, r->method);
    text_put(t, "\n");
    text_encode(t, path > 0 ? r->uri : "/", path > 0 ? path : 1, true);
    text_put(t, "\n");
    if (query != NULL && !canonical_query(t, query + 1))
        return false;
    text_put(t, "\n");
    if (!canonical_headers(t, r, names))
        return false;
    text_put(t, "\n");
    text_put(t, names);
    text_put(t, "\n");
    hash_hex(r->body, r->body_len, sum);
    if (given != NULL && strcmp(given, sum) != 0)
        return false;
    text_put(t, sum);
    return t->len < t->room;
}

static void
hmac_of(const void *key, size_t key_len, const char *text, unsigned char out[SHA256_DIGEST_LENGTH])
{
    unsigned len = SHA256_DIGEST_LENGTH;

    (void)HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), out,
               &len);
}

static void
signature_of(const struct authorization *a, const char *secret, const char *to_sign, char out[65])
{
    unsigned char key[SHA256_DIGEST_LENGTH];
    char first[RC_SIGV4_SECRET_LEN + 8];

    (void)snprintf(first, sizeof(first), "AWS4%s", secret);
    hmac_of(first, strlen(first), a->date, key);
    hmac_of(key, sizeof(key), a->region, key);
    hmac_of(key, sizeof(key), a->service, key);
    hmac_of(key, sizeof(key), "aws4_request", key);
    hmac_of(key, sizeof(key), to_sign, key);
    hex_of(key, sizeof(key), out);
}

static bool
signature_right(const struct rc_sigv4_request *r, const struct authorization *a, const char *date,
                const char *secret)
{
    struct text t = {.at = malloc(CANONICAL_MAX), .room = CANONICAL_MAX};
    char to_sign[256];
    char sum[65];
    char want[65];
    bool right;

    if (t.at == NULL)
        return false;
    right = canonical_request(&t, r, a->names);
    if (right) {
        hash_hex(t.at, t.len, sum);
        (void)snprintf(to_sign, sizeof(to_sign), "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s",
                       date, a->date, a->region, a->service, sum);
        signature_of(a, secret, to_sign, want);
        right = CRYPTO_memcmp(want, a->signature, 64) == 0;
    }
    free(t.at);
    return right;
}

static const struct rc_sigv4_credential *
credential_find(const struct rc_sigv4_keys *keys, const char *key, const char *token)
{
    for (size_t i = 0; i < RC_SIGV4_CREDENTIALS_MAX; i++) {
        const struct rc_sigv4_credential *c = &keys->credential[i];

        if (c->key[0] != '\0' && strcmp(c->key, key) == 0 &&
            strcmp(c->token, token != NULL ? token : "") == 0)
            return c;
    }
    return NULL;
}

enum rc_sigv4_verdict
rc_sigv4_check(const struct rc_sigv4_keys *keys, const struct rc_sigv4_request *request,
               int64_t now_ms, char ret_service[32])
{
    const char *text = header_value(request, "authorization");
    const char *date = header_value(request, "x-amz-date");
    const struct rc_sigv4_credential *c;
    struct authorization a = {0};
    int64_t at_ms = 0;

    ret_service[0] = '\0';
    if (text == NULL)
        return RC_SIGV4_MISSING;
    if (!authorization_parse(text, &a) || date == NULL || !rc_sim_time_basic_parse(date, &at_ms))
        return RC_SIGV4_MALFORMED;
    memcpy(ret_service, a.service, sizeof(a.service));
    c = credential_find(keys, a.key, header_value(request, "x-amz-security-token"));
    if (c == NULL)
        return RC_SIGV4_UNKNOWN_KEY;
    if (now_ms - at_ms > RC_SIGV4_SKEW_MAX_MS || at_ms - now_ms > RC_SIGV4_SKEW_MAX_MS)
        return RC_SIGV4_SKEWED;
    if (c->expires_ms != 0 && c->expires_ms <= now_ms)
        return RC_SIGV4_EXPIRED;
    if (strcmp(a.region, keys->region) != 0 || strncmp(a.date, date, 8) != 0)
        return RC_SIGV4_SCOPE;
    if (!signature_right(request, &a, date, c->secret))
        return RC_SIGV4_MISMATCH;
    return RC_SIGV4_OK;
}
