/* Every folder of $RC_VECTORS/sigv4 is one case of the public SigV4 suite, in
 * header form: context.json, request.txt, header-canonical-request.txt,
 * header-string-to-sign.txt, header-signature.txt. */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/credentials.h"
#include "reconciler/io/aws/sigv4.h"

enum { HEADERS_MAX = 64 };

struct vector {
    struct rc_credentials credentials;
    struct rc_sigv4_options options;
    struct rc_sigv4_request request;
    struct rc_sigv4_header headers[HEADERS_MAX];
};

static char *
read_part(const char *dir, const char *name, size_t *ret_len)
{
    char path[4096];
    size_t len = 0;

    int written = snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = written < (int)sizeof path ? rc_test_read_file(path, &len) : NULL;
    if (ret_len) {
        *ret_len = len;
    }
    return text;
}

static char *
text_of(cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool
read_context(cJSON *context, struct vector *v)
{
    cJSON *keys = cJSON_GetObjectItemCaseSensitive(context, "credentials");
    const char *timestamp = text_of(context, "timestamp");

    v->credentials.access_key = text_of(keys, "access_key_id");
    v->credentials.secret_key = text_of(keys, "secret_access_key");
    v->credentials.token = text_of(keys, "token");
    v->options = (struct rc_sigv4_options){
        .credentials = &v->credentials,
        .region = text_of(context, "region"),
        .service = text_of(context, "service"),
        .normalize = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(context, "normalize")),
        .double_encode = true, /* what the suite was made with */
        .sign_body = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(context, "sign_body")),
        .omit_session_token =
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(context, "omit_session_token")),
    };
    return v->credentials.access_key && v->credentials.secret_key && v->options.region &&
           v->options.service && timestamp && rc_aws_time_iso(timestamp, &v->options.wall_ms);
}

/* Cuts the request text into its parts, in place. */
static bool
read_request(char *text, size_t len, struct vector *v)
{
    char *end = text + len, *line_end = strchr(text, '\n');
    char *body = strstr(text, "\n\n");

    if (!line_end) {
        return false;
    }
    *line_end = '\0';
    char *version = strrchr(text, ' '), *target = strchr(text, ' ');
    if (!version || target == version) {
        return false;
    }
    *version = *target++ = '\0';
    v->request.method = text;
    v->request.path = target;
    char *query = strchr(target, '?');
    if (query) {
        *query++ = '\0';
    }
    v->request.query = query;
    v->request.headers = v->headers;
    if (body) {
        body[1] = '\0';
        v->request.body = body + 2;
        v->request.body_len = (size_t)(end - (body + 2));
    }
    for (char *p = line_end + 1; *p;) {
        char *next = strchr(p, '\n'), *colon = strchr(p, ':');
        /* A line that begins with a blank folds into the value before it. */
        while (next && (next[1] == ' ' || next[1] == '\t')) {
            next = strchr(next + 1, '\n');
        }
        if (next) {
            *next = '\0';
        }
        if (!colon || v->request.header_count == HEADERS_MAX) {
            return false;
        }
        *colon = '\0';
        v->headers[v->request.header_count++] = (struct rc_sigv4_header){p, colon + 1};
        p = next ? next + 1 : colon + 1 + strlen(colon + 1);
    }
    return true;
}

static bool
same(const char *got, char *want)
{
    size_t len = want ? strlen(want) : 0;

    while (len && want[len - 1] == '\n') {
        want[--len] = '\0';
    }
    return want && strcmp(got, want) == 0;
}

static void
run_case(const char *root, const char *name)
{
    struct vector v = {0};
    struct rc_sigv4 sig = {0};
    struct rc_error error = {0};
    char dir[4096];
    size_t len;

    snprintf(dir, sizeof dir, "%s/%s", root, name);
    char *context_text = read_part(dir, "context.json", NULL);
    char *request_text = read_part(dir, "request.txt", &len);
    char *canonical = read_part(dir, "header-canonical-request.txt", NULL);
    char *string_to_sign = read_part(dir, "header-string-to-sign.txt", NULL);
    char *signature = read_part(dir, "header-signature.txt", NULL);
    cJSON *context = context_text ? cJSON_Parse(context_text) : NULL;

    if (!context || !request_text || !read_context(context, &v) ||
        !read_request(request_text, len, &v)) {
        rc_case(false, name, "the case itself cannot be read");
    } else if (rc_sigv4_sign(&v.request, &v.options, &sig, &error) != RC_OK) {
        rc_case(false, name, "refused: %s", error.text);
    } else {
        bool ok = same(sig.canonical_request, canonical) &&
                  same(sig.string_to_sign, string_to_sign) && same(sig.signature, signature);
        rc_case(ok, name, "canonical request: %s; string to sign: %s; signature: %s",
                sig.canonical_request, sig.string_to_sign, sig.signature);
        rc_sigv4_done(&sig);
    }
    cJSON_Delete(context);
    free(context_text);
    free(request_text);
    free(canonical);
    free(string_to_sign);
    free(signature);
}

static void
every_case_of_the_suite_has_its_signature(void)
{
    const char *root = rc_vectors_dir("sigv4");
    struct dirent **entries;

    int count = root ? scandir(root, &entries, NULL, alphasort) : -1;
    if (count < 0) {
        rc_test_skip("RC_VECTORS is not set or has no folder sigv4");
        return;
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_type != DT_REG && entries[i]->d_name[0] != '.') {
            run_case(root, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free((void *)entries);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every case of the suite has its signature", every_case_of_the_suite_has_its_signature},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("sigv4-vectors", tests);
}
