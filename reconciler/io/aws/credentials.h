/* credentials.h - the chain of places where AWS credentials come from.
 *
 * Order: environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
 * AWS_CREDENTIAL_EXPIRATION); shared credentials file (AWS_SHARED_CREDENTIALS_FILE
 * or ~/.aws/credentials, profile from options, AWS_PROFILE or "default"); the
 * instance's role by IMDSv2 (imds.h) unless AWS_EC2_METADATA_DISABLED=true. The
 * first place that has any decides; a broken one is an error that names it.
 *
 * Expiring credentials are fetched again five minutes before their end (new ones
 * are published by then: EC2 User Guide, "Retrieve security credentials from
 * instance metadata"); until new ones arrive the old ones stay in use while they
 * are valid. A failed refresh is tried again with back-off. */
#ifndef RC_CREDENTIALS_H
#define RC_CREDENTIALS_H

#include <stdint.h>

#include "reconciler/io/fail.h"

struct event_base;
struct rc_http;

struct rc_credentials {
    char *access_key;
    char *secret_key;
    char *token;             /* NULL = long-term credentials */
    int64_t expires_wall_ms; /* 0 = never */
    char source[32];         /* "environment", "shared file", "instance role" */
};

struct rc_credential_options {
    const char *profile;       /* NULL = AWS_PROFILE, else "default" */
    const char *file;          /* NULL = AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials */
    const char *imds_endpoint; /* NULL = AWS_EC2_METADATA_SERVICE_ENDPOINT, else AWS's */
};

struct rc_credential_chain;

/* error->code is RC_OK when the chain holds usable credentials now. */
typedef void(rc_credentials_fn)(const struct rc_error *error, void *arg);

/* http is borrowed and must outlive the chain. options may be NULL; its strings are copied. */
struct rc_credential_chain *rc_credential_chain_new(struct event_base *base, struct rc_http *http,
                                                    const struct rc_credential_options *options);
void rc_credential_chain_free(struct rc_credential_chain *chain);

/* What may sign a request now, or NULL: then wait. Borrowed, valid until the
 * event loop runs again. */
const struct rc_credentials *rc_credentials_now(struct rc_credential_chain *chain);

/* Calls fn from the event loop, once, when the running (or a new) look-up ends.
 * arg identifies the waiter for rc_credentials_forget. */
enum rc_err rc_credentials_wait(struct rc_credential_chain *chain, rc_credentials_fn *fn,
                                void *arg);
void rc_credentials_forget(struct rc_credential_chain *chain, const void *arg);

/* The service called them expired or unknown: the next look-up goes to the
 * source again. access_key is the refused one; nothing happens when the chain
 * already holds another. */
void rc_credentials_refuse(struct rc_credential_chain *chain, const char *access_key);

/* Look-ups that went to the source, for metrics. */
uint64_t rc_credentials_lookups(const struct rc_credential_chain *chain);

#endif
