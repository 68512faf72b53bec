/* credentials.c - see credentials.h.
 *
 * Nothing runs by itself: a look-up starts when somebody needs credentials, or
 * when those in hand come near their end. Waiters are told from the event loop;
 * one who waits again during that starts or joins the next look-up. */
#define _GNU_SOURCE
#include "reconciler/io/aws/credentials.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reconciler/io/aws/aws_time.h"
#include "reconciler/io/aws/credentials_file.h"
#include "reconciler/io/aws/imds.h"

enum {
    REFRESH_BEFORE_MS = 300000,
    REFRESH_PAUSE_MIN_MS = 1000, /* between two tries while the old ones still work */
    REFRESH_PAUSE_MAX_MS = 60000
};

static const char role_path[] = "/latest/meta-data/iam/security-credentials/";

struct waiter {
    struct waiter *next;
    rc_credentials_fn *fn;
    void *arg;
};

struct rc_credential_chain {
    struct event_base *base;
    struct rc_imds *imds;
    struct event *deliver;
    char *profile; /* NULL = from the environment */
    char *file;
    struct rc_credentials current;
    bool refused; /* by a service: not used any more */
    bool looking;
    struct rc_error result; /* of the last look-up */
    struct waiter *waiting; /* for the running look-up */
    struct waiter *ready;   /* being told */
    int64_t next_try_mono_ms;
    int64_t pause_ms;
    uint64_t lookups;
};

static const char *
env_text(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool
is_usable(const struct rc_credential_chain *chain)
{
    return chain->current.access_key && !chain->refused &&
           (!chain->current.expires_wall_ms || chain->current.expires_wall_ms > rc_aws_wall_ms());
}

/* Ends a look-up: takes *found when it is good, else keeps what there is. */
static void
lookup_done(struct rc_credential_chain *chain, struct rc_credentials *found,
            const struct rc_error *error)
{
    chain->looking = false;
    chain->result = *error;
    if (error->code == RC_OK) {
        rc_credentials_done(&chain->current);
        chain->current = *found;
        memset(found, 0, sizeof *found);
        chain->refused = false;
        chain->pause_ms = REFRESH_PAUSE_MIN_MS;
    } else {
        chain->pause_ms *= 2;
        if (chain->pause_ms > REFRESH_PAUSE_MAX_MS) {
            chain->pause_ms = REFRESH_PAUSE_MAX_MS;
        }
    }
    chain->next_try_mono_ms = rc_aws_mono_ms() + chain->pause_ms;
    if (chain->waiting) {
        event_active(chain->deliver, EV_TIMEOUT, 0);
    }
}

static void
lookup_failed(struct rc_credential_chain *chain, const struct rc_error *error)
{
    struct rc_credentials none = {0};

    lookup_done(chain, &none, error);
}

/* Copies the three strings; expiration may be NULL. */
static enum rc_err
make_credentials(struct rc_credentials *ret, const char *const part[3], const char *expiration,
                 const char *source, struct rc_error *error)
{
    memset(ret, 0, sizeof *ret);
    if (expiration && !rc_aws_time_iso(expiration, &ret->expires_wall_ms)) {
        return rc_fail(error, RC_E_CREDENTIALS,
                       "%s: expiration \"%.40s\" is no time such as 2026-01-02T03:04:05Z", source,
                       expiration);
    }
    if (ret->expires_wall_ms && ret->expires_wall_ms <= rc_aws_wall_ms()) {
        return rc_fail(error, RC_E_CREDENTIALS, "%s: the credentials expired at %.40s", source,
                       expiration);
    }
    ret->access_key = strdup(part[0]);
    ret->secret_key = strdup(part[1]);
    ret->token = part[2] && *part[2] ? strdup(part[2]) : NULL;
    snprintf(ret->source, sizeof ret->source, "%s", source);
    if (!ret->access_key || !ret->secret_key || (part[2] && *part[2] && !ret->token)) {
        rc_credentials_done(ret);
        return rc_fail(error, RC_E_INTERNAL, "out of memory for credentials");
    }
    return RC_OK;
}

/* RC_E_NOT_FOUND: not in the environment. */
static enum rc_err
from_environment(struct rc_credentials *ret, struct rc_error *error)
{
    const char *part[3] = {env_text("AWS_ACCESS_KEY_ID"), env_text("AWS_SECRET_ACCESS_KEY"),
                           env_text("AWS_SESSION_TOKEN")};

    if (!part[0] && !part[1]) {
        return rc_fail(error, RC_E_NOT_FOUND, "AWS_ACCESS_KEY_ID is not set");
    }
    if (!part[0] || !part[1]) {
        return rc_fail(error, RC_E_CREDENTIALS, "environment: %s is set, but %s is not",
                       part[0] ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                       part[0] ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    }
    return make_credentials(ret, part, env_text("AWS_CREDENTIAL_EXPIRATION"), "environment", error);
}

/* RC_E_NOT_FOUND: nobody named a file or profile and the default ones are not there. */
static enum rc_err
from_file(const struct rc_credential_chain *chain, struct rc_credentials *ret,
          struct rc_error *error)
{
    const char *profile = chain->profile ? chain->profile : env_text("AWS_PROFILE");
    const char *path = chain->file ? chain->file : env_text("AWS_SHARED_CREDENTIALS_FILE");
    bool named = profile || path;
    char home_path[4096];

    if (!path) {
        const char *home = env_text("HOME");
        if (!home && !named) {
            return rc_fail(error, RC_E_NOT_FOUND, "HOME is not set");
        }
        snprintf(home_path, sizeof home_path, "%s/.aws/credentials", home ? home : "");
        path = home_path;
    }
    enum rc_err err = rc_credentials_file_read(path, profile ? profile : "default", ret, error);
    if (err == RC_E_NOT_FOUND && named && error) {
        error->code = err = RC_E_CREDENTIALS;
    }
    return err;
}

static const char *
role_text(const cJSON *root, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));
}

static void
on_role_credentials(const struct rc_error *error, const char *body, size_t len, void *arg)
{
    struct rc_credential_chain *chain = arg;
    struct rc_credentials found = {0};
    struct rc_error why = *error;

    if (why.code != RC_OK) {
        lookup_failed(chain, &why);
        return;
    }
    cJSON *root = cJSON_ParseWithLength(body, len);
    const char *code = role_text(root, "Code");
    const char *part[3] = {role_text(root, "AccessKeyId"), role_text(root, "SecretAccessKey"),
                           role_text(root, "Token")};
    const char *expiration = role_text(root, "Expiration");
    if (code && strcmp(code, "Success") != 0) {
        const char *message = role_text(root, "Message");
        rc_fail(&why, RC_E_CREDENTIALS, "instance role: %.60s: %.120s", code,
                message ? message : "no message");
    } else if (!part[0] || !part[1] || !part[2] || !expiration) {
        rc_fail(&why, RC_E_CREDENTIALS,
                "instance role: the metadata service gave no complete credentials");
    } else {
        make_credentials(&found, part, expiration, "instance role", &why);
    }
    cJSON_Delete(root);
    lookup_done(chain, &found, &why);
}

static void
on_role_name(const struct rc_error *error, const char *body, size_t len, void *arg)
{
    struct rc_credential_chain *chain = arg;
    struct rc_error why = *error;
    char path[256];

    (void)len;
    if (why.code == RC_E_NOT_FOUND) {
        rc_fail(&why, RC_E_CREDENTIALS,
                "no credentials: not in the environment, no shared file, and this instance has no "
                "role");
    } else if (why.code != RC_OK) {
        rc_fail(&why, RC_E_CREDENTIALS,
                "no credentials: not in the environment, no shared file; %.150s", error->text);
    }
    size_t name_len = strcspn(body, "\r\n");
    if (why.code == RC_OK &&
        (name_len == 0 || name_len > 128 || strcspn(body, "/?#% \r\n") != name_len)) {
        rc_fail(&why, RC_E_CREDENTIALS, "instance role: the metadata service named no role");
    }
    if (why.code == RC_OK) {
        snprintf(path, sizeof path, "%s%.*s", role_path, (int)name_len, body);
        if (rc_imds_get(chain->imds, path, on_role_credentials, chain, NULL) == RC_OK) {
            return;
        }
        rc_fail(&why, RC_E_INTERNAL, "out of memory for credentials");
    }
    lookup_failed(chain, &why);
}

static void
look_up(struct rc_credential_chain *chain)
{
    const char *disabled = env_text("AWS_EC2_METADATA_DISABLED");
    struct rc_credentials found = {0};
    struct rc_error error = {0};

    chain->looking = true;
    chain->lookups++;
    enum rc_err err = from_environment(&found, &error);
    if (err == RC_E_NOT_FOUND) {
        memset(&error, 0, sizeof error);
        err = from_file(chain, &found, &error);
    }
    if (err != RC_E_NOT_FOUND) {
        lookup_done(chain, &found, &error);
        return;
    }
    memset(&error, 0, sizeof error);
    if (disabled && strcasecmp(disabled, "true") == 0) {
        rc_fail(&error, RC_E_CREDENTIALS,
                "no credentials: not in the environment, no shared file, and "
                "AWS_EC2_METADATA_DISABLED is true");
    } else if (rc_imds_get(chain->imds, role_path, on_role_name, chain, NULL) == RC_OK) {
        return;
    } else {
        rc_fail(&error, RC_E_INTERNAL, "out of memory for credentials");
    }
    lookup_failed(chain, &error);
}

static void
on_deliver(evutil_socket_t fd, short what, void *arg)
{
    struct rc_credential_chain *chain = arg;

    (void)fd;
    (void)what;
    chain->ready = chain->waiting;
    chain->waiting = NULL;
    while (chain->ready) {
        struct waiter *w = chain->ready;
        struct rc_error error = {0};
        chain->ready = w->next;
        if (!is_usable(chain)) {
            error = chain->result;
            if (error.code == RC_OK) {
                rc_fail(&error, RC_E_CREDENTIALS,
                        "the credentials expired while they were awaited");
            }
        }
        w->fn(&error, w->arg);
        free(w);
    }
}

struct rc_credential_chain *
rc_credential_chain_new(struct event_base *base, struct rc_http *http,
                        const struct rc_credential_options *options)
{
    struct rc_credential_chain *chain = calloc(1, sizeof *chain);
    const char *profile = options ? options->profile : NULL;
    const char *file = options ? options->file : NULL;

    if (!chain) {
        return NULL;
    }
    chain->base = base;
    chain->pause_ms = REFRESH_PAUSE_MIN_MS;
    chain->imds = rc_imds_new(base, http, options ? options->imds_endpoint : NULL);
    chain->deliver = evtimer_new(base, on_deliver, chain);
    chain->profile = profile && *profile ? strdup(profile) : NULL;
    chain->file = file && *file ? strdup(file) : NULL;
    if (!chain->imds || !chain->deliver || (profile && *profile && !chain->profile) ||
        (file && *file && !chain->file)) {
        rc_credential_chain_free(chain);
        return NULL;
    }
    return chain;
}

static void
free_waiters(struct waiter *list)
{
    while (list) {
        struct waiter *w = list;
        list = w->next;
        free(w);
    }
}

void
rc_credential_chain_free(struct rc_credential_chain *chain)
{
    if (!chain) {
        return;
    }
    rc_imds_free(chain->imds);
    if (chain->deliver) {
        event_free(chain->deliver);
    }
    free_waiters(chain->waiting);
    free_waiters(chain->ready);
    rc_credentials_done(&chain->current);
    free(chain->profile);
    free(chain->file);
    free(chain);
}

const struct rc_credentials *
rc_credentials_now(struct rc_credential_chain *chain)
{
    const struct rc_credentials *c = &chain->current;

    if (!is_usable(chain)) {
        return NULL;
    }
    if (c->expires_wall_ms && c->expires_wall_ms - rc_aws_wall_ms() < REFRESH_BEFORE_MS &&
        !chain->looking && rc_aws_mono_ms() >= chain->next_try_mono_ms) {
        look_up(chain);
    }
    return is_usable(chain) ? c : NULL;
}

enum rc_err
rc_credentials_wait(struct rc_credential_chain *chain, rc_credentials_fn *fn, void *arg)
{
    struct waiter *w = calloc(1, sizeof *w);

    if (!w) {
        return RC_E_INTERNAL;
    }
    *w = (struct waiter){chain->waiting, fn, arg};
    chain->waiting = w;
    if (is_usable(chain)) {
        event_active(chain->deliver, EV_TIMEOUT, 0);
    } else if (!chain->looking) {
        look_up(chain);
    }
    return RC_OK;
}

static void
forget_in(struct waiter **list, const void *arg)
{
    while (*list) {
        struct waiter *w = *list;
        if (w->arg == arg) {
            *list = w->next;
            free(w);
        } else {
            list = &w->next;
        }
    }
}

void
rc_credentials_forget(struct rc_credential_chain *chain, const void *arg)
{
    forget_in(&chain->waiting, arg);
    forget_in(&chain->ready, arg);
}

void
rc_credentials_refuse(struct rc_credential_chain *chain, const char *access_key)
{
    if (chain->current.access_key && strcmp(chain->current.access_key, access_key) == 0) {
        chain->refused = true;
    }
}

uint64_t
rc_credentials_lookups(const struct rc_credential_chain *chain)
{
    return chain->lookups;
}
