/* sigv4.c - see sigv4.h.
 *
 * The four parts of the canonical request are built in order: path, query,
 * headers, payload hash. Sorting compares encoded bytes, names before values,
 * and keeps the given order of equal names, as AWS does. */
#define _GNU_SOURCE
#include "reconciler/io/aws/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/io/aws/aws_buf.h"
#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/credentials.h"

enum { HASH_LEN = 32 };

struct pair {
    char *name;
    char *value;
    size_t order;
};

struct pairs {
    struct pair *v;
    size_t count;
};

static void
write_hex(const unsigned char *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
}

static bool
sha256_hex(const void *data, size_t len, char ret[RC_SIGV4_HEX_LEN])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (!EVP_Digest(len ? data : "", len, digest, &size, EVP_sha256(), NULL) || size != HASH_LEN) {
        return false;
    }
    write_hex(digest, HASH_LEN, ret);
    return true;
}

static bool
chain_hmac(const void *key, size_t key_len, const char *text, unsigned char ret[HASH_LEN])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, strlen(text), digest,
              &size) ||
        size != HASH_LEN) {
        return false;
    }
    memcpy(ret, digest, HASH_LEN);
    return true;
}

static void
pairs_done(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->v[i].name);
        free(pairs->v[i].value);
    }
    free(pairs->v);
}

/* Takes both strings, also when it fails. */
static bool
pairs_add(struct pairs *pairs, char *name, char *value)
{
    struct pair *v = reallocarray(pairs->v, pairs->count + 1, sizeof *v);

    if (!v || !name || !value) {
        free(name);
        free(value);
        if (v) {
            pairs->v = v;
        }
        return false;
    }
    pairs->v = v;
    v[pairs->count] = (struct pair){name, value, pairs->count};
    pairs->count++;
    return true;
}

static int
by_name_and_value(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->value, y->value);
}

static int
by_name_and_order(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void
pairs_sort(struct pairs *pairs, int (*compare)(const void *, const void *))
{
    if (pairs->count > 1) {
        qsort(pairs->v, pairs->count, sizeof *pairs->v, compare);
    }
}

/* RFC 3986, section 5.2.4, as AWS does it: empty segments go too, and a slash
 * ends the result only where one ended the path ("/a/b/.." is "/a"). */
static void
add_normalized(struct rc_aws_buf *out, const char *path)
{
    size_t len = strlen(path);

    rc_aws_buf_str(out, "/");
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            while (out->len > 1 && out->p[--out->len - 1] != '/') {
            }
        } else if (n > 0 && !(n == 1 && p[0] == '.')) {
            rc_aws_buf_add(out, p, n);
            rc_aws_buf_str(out, "/");
        }
        p += n + (p[n] == '/');
    }
    if (out->len > 1 && path[len - 1] != '/') {
        out->len--;
    }
    rc_aws_buf_add(out, "", 0);
}

static void
add_path(struct rc_aws_buf *out, const struct rc_sigv4_request *request,
         const struct rc_sigv4_options *options)
{
    const char *raw = request->path && *request->path ? request->path : "/";
    struct rc_aws_buf path = {0};

    if (options->normalize) {
        add_normalized(&path, raw);
    } else {
        rc_aws_buf_str(&path, raw);
    }
    if (options->double_encode && !path.failed) {
        rc_aws_buf_uri(out, path.p, path.len, true);
    } else if (!path.failed) {
        rc_aws_buf_add(out, path.p, path.len);
    }
    out->failed = out->failed || path.failed;
    rc_aws_buf_str(out, "\n");
    rc_aws_buf_done(&path);
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes, then encodes canonically, so that %e1, %E1 and the raw byte are one. */
static char *
canonical_query_part(const char *text, size_t len)
{
    struct rc_aws_buf plain = {0}, out = {0};

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            char byte = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            rc_aws_buf_add(&plain, &byte, 1);
            i += 2;
        } else {
            rc_aws_buf_add(&plain, &text[i], 1);
        }
    }
    if (plain.p) {
        rc_aws_buf_uri(&out, plain.p, plain.len, false);
    }
    out.failed = out.failed || plain.failed;
    rc_aws_buf_done(&plain);
    return rc_aws_buf_take(&out);
}

static void
add_query(struct rc_aws_buf *out, const char *query)
{
    struct pairs pairs = {0};

    for (const char *p = query ? query : ""; *p;) {
        size_t len = strcspn(p, "&");
        const char *equals = memchr(p, '=', len);
        size_t name_len = equals ? (size_t)(equals - p) : len;
        if (len > 0 && !pairs_add(&pairs, canonical_query_part(p, name_len),
                                  equals ? canonical_query_part(equals + 1, len - name_len - 1)
                                         : strdup(""))) {
            out->failed = true;
            break;
        }
        p += len + (p[len] == '&');
    }
    pairs_sort(&pairs, by_name_and_value);
    for (size_t i = 0; i < pairs.count; i++) {
        rc_aws_buf_printf(out, "%s%s=%s", i ? "&" : "", pairs.v[i].name, pairs.v[i].value);
    }
    rc_aws_buf_str(out, "\n");
    pairs_done(&pairs);
}

static bool
is_header_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char *
canonical_value(const char *value)
{
    struct rc_aws_buf out = {0};
    bool gap = false;

    for (const char *p = value; *p; p++) {
        if (is_header_blank(*p)) {
            gap = true;
            continue;
        }
        if (gap && out.len > 0) {
            rc_aws_buf_add(&out, " ", 1);
        }
        gap = false;
        rc_aws_buf_add(&out, p, 1);
    }
    return rc_aws_buf_take(&out);
}

static char *
lower_copy(const char *text)
{
    char *copy = strdup(text);

    for (char *p = copy; p && *p; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p | 0x20);
        }
    }
    return copy;
}

/* Changed or removed on the way, so never signed (as in aws-c-auth). */
static bool
is_skipped(const char *name)
{
    static const char *const skipped[] = {
        "connection",
        "expect",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    };

    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
        if (strcasecmp(name, skipped[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
added_by_signer(const char *name)
{
    static const char *const ours[] = {"authorization", "x-amz-content-sha256", "x-amz-date",
                                       "x-amz-region-set", "x-amz-security-token"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcasecmp(name, ours[i]) == 0) {
            return ours[i];
        }
    }
    return NULL;
}

static enum rc_err
collect_headers(const struct rc_sigv4_request *request, const struct rc_sigv4_options *options,
                const struct rc_sigv4 *sig, struct pairs *ret, struct rc_error *error)
{
    const char *token = options->credentials->token;
    bool has_host = false, ok = true;

    for (size_t i = 0; i < request->header_count; i++) {
        const struct rc_sigv4_header *h = &request->headers[i];
        const char *clash = added_by_signer(h->name);
        if (clash) {
            return rc_fail(error, RC_E_INVALID, "header %s is set by the signer itself", clash);
        }
        has_host = has_host || strcasecmp(h->name, "host") == 0;
        if (!is_skipped(h->name)) {
            ok = ok && pairs_add(ret, lower_copy(h->name), canonical_value(h->value));
        }
    }
    if (!has_host) {
        return rc_fail(error, RC_E_INVALID, "a request without a Host header cannot be signed");
    }
    ok = ok && pairs_add(ret, strdup("x-amz-date"), strdup(sig->date));
    if (options->sign_body) {
        ok = ok && pairs_add(ret, strdup("x-amz-content-sha256"), strdup(sig->payload));
    }
    if (token && *token && !options->omit_session_token) {
        ok = ok && pairs_add(ret, strdup("x-amz-security-token"), strdup(token));
    }
    pairs_sort(ret, by_name_and_order);
    return ok ? RC_OK : rc_fail(error, RC_E_INTERNAL, "out of memory while signing");
}

/* The header block and the list of names that stands below it and in Authorization. */
static void
add_headers(struct rc_aws_buf *out, struct rc_aws_buf *names, const struct pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        const struct pair *h = &headers->v[i];
        if (i > 0 && strcmp(h->name, headers->v[i - 1].name) == 0) {
            rc_aws_buf_printf(out, ",%s", h->value);
            continue;
        }
        rc_aws_buf_printf(out, "%s%s:%s", i ? "\n" : "", h->name, h->value);
        rc_aws_buf_printf(names, "%s%s", i ? ";" : "", h->name);
    }
    rc_aws_buf_str(out, "\n\n");
    if (names->p) {
        rc_aws_buf_str(out, names->p);
    }
    rc_aws_buf_str(out, "\n");
}

/* kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request") */
static bool
sign_text(const struct rc_sigv4_options *options, const char *date8, const char *text,
          char ret[RC_SIGV4_HEX_LEN])
{
    const char *steps[] = {date8, options->region, options->service, "aws4_request", text};
    unsigned char key[HASH_LEN];
    struct rc_aws_buf secret = {0};
    bool ok;

    rc_aws_buf_printf(&secret, "AWS4%s", options->credentials->secret_key);
    ok = !secret.failed && chain_hmac(secret.p, secret.len, steps[0], key);
    for (size_t i = 1; ok && i < sizeof steps / sizeof *steps; i++) {
        ok = chain_hmac(key, sizeof key, steps[i], key);
    }
    if (secret.p) {
        explicit_bzero(secret.p, secret.len);
    }
    rc_aws_buf_done(&secret);
    if (ok) {
        write_hex(key, sizeof key, ret);
    }
    explicit_bzero(key, sizeof key);
    return ok;
}

static bool
finish_signature(const struct rc_sigv4_options *options, struct rc_aws_buf *canonical,
                 struct rc_aws_buf *names, struct rc_sigv4 *ret)
{
    struct rc_aws_buf text = {0}, authorization = {0};
    char digest[RC_SIGV4_HEX_LEN], scope[256];
    bool ok;

    ret->canonical_request = rc_aws_buf_take(canonical);
    if (!ret->canonical_request || names->failed ||
        !sha256_hex(ret->canonical_request, strlen(ret->canonical_request), digest)) {
        return false;
    }
    snprintf(scope, sizeof scope, "%.8s/%s/%s/aws4_request", ret->date, options->region,
             options->service);
    rc_aws_buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", ret->date, scope, digest);
    ret->string_to_sign = rc_aws_buf_take(&text);
    char date8[9];
    snprintf(date8, sizeof date8, "%.8s", ret->date);
    ok = ret->string_to_sign && sign_text(options, date8, ret->string_to_sign, ret->signature);
    rc_aws_buf_printf(&authorization,
                      "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                      options->credentials->access_key, scope, names->p, ret->signature);
    ret->authorization = rc_aws_buf_take(&authorization);
    return ok && ret->authorization;
}

enum rc_err
rc_sigv4_sign(const struct rc_sigv4_request *request, const struct rc_sigv4_options *options,
              struct rc_sigv4 *ret, struct rc_error *error)
{
    struct rc_aws_buf canonical = {0}, names = {0};
    struct pairs headers = {0};
    enum rc_err err;

    memset(ret, 0, sizeof *ret);
    if (strlen(options->region) + strlen(options->service) > 200) {
        return rc_fail(error, RC_E_INVALID, "region or service name is too long");
    }
    rc_aws_time_basic(options->wall_ms + options->skew_ms, ret->date, sizeof ret->date);
    if (!sha256_hex(request->body, request->body_len, ret->payload)) {
        return rc_fail(error, RC_E_INTERNAL, "OpenSSL has no SHA-256");
    }
    err = collect_headers(request, options, ret, &headers, error);
    if (err == RC_OK) {
        rc_aws_buf_printf(&canonical, "%s\n", request->method);
        add_path(&canonical, request, options);
        add_query(&canonical, request->query);
        add_headers(&canonical, &names, &headers);
        rc_aws_buf_str(&canonical, ret->payload);
        if (!finish_signature(options, &canonical, &names, ret)) {
            err = rc_fail(error, RC_E_INTERNAL, "signing failed: out of memory or no HMAC-SHA-256");
        }
    }
    pairs_done(&headers);
    rc_aws_buf_done(&canonical);
    rc_aws_buf_done(&names);
    if (err != RC_OK) {
        rc_sigv4_done(ret);
    }
    return err;
}

void
rc_sigv4_done(struct rc_sigv4 *sig)
{
    free(sig->canonical_request);
    free(sig->string_to_sign);
    free(sig->authorization);
    memset(sig, 0, sizeof *sig);
}
