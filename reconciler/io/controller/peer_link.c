/* peer_link.c - see peer_link.h: both halves as one object. */
#include "reconciler/io/controller/peer_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/text.h"

enum { SAY_AGAIN_S = 60, WHY_LEN = 400 };

enum half { CALLERS, CALLED, HALVES };

struct rc_peer {
    struct rc_peer_options o;
    struct rc_peer_server *server;
    struct rc_peer_client *client;
    time_t quiet_until_s[HALVES][RC_ERR__MAX]; /* of each kind that was told */
};

/* A reason may hold what anybody sent: it goes into status and log as plain text. */
static void
plain(const char *why, char buf[WHY_LEN])
{
    (void)snprintf(buf, WHY_LEN, "%s", why);
    rc_text_printable(buf);
}

/* Who calls may be anybody; that must not silence what is wrong with the one that we call. */
static void
tell_refused(struct rc_peer *p, enum half half, enum rc_err kind, const char *said)
{
    time_t *quiet_until_s = &p->quiet_until_s[half][kind];
    struct timespec now;
    char why[WHY_LEN];

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < *quiet_until_s) {
        return;
    }
    *quiet_until_s = now.tv_sec + SAY_AGAIN_S;
    plain(said, why);
    p->o.on_refused(p->o.arg, kind, why);
}

static void
on_caller_refused(void *arg, enum rc_err kind, const char *said)
{
    tell_refused(arg, CALLERS, kind, said);
}

static void
on_called_refused(void *arg, enum rc_err kind, const char *said)
{
    tell_refused(arg, CALLED, kind, said);
}

static void
on_half_facts(void *arg, const struct rc_line *facts)
{
    struct rc_peer *p = arg;

    p->o.on_facts(p->o.arg, facts);
}

static void
on_half_link(void *arg, bool up, const char *said)
{
    struct rc_peer *p = arg;
    char why[WHY_LEN];

    plain(said, why);
    p->o.on_link(p->o.arg, up, why);
}

static void
on_half_request(void *arg, struct rc_peer_call *call, const struct rc_line *request)
{
    struct rc_peer *p = arg;

    p->o.on_request(p->o.arg, call, request);
}

struct rc_peer *
rc_peer_new(const struct rc_peer_options *options, struct rc_error *e)
{
    struct rc_peer *p = calloc(1, sizeof *p);
    struct rc_peer_options half = *options;
    struct rc_peer_key key;

    if (!p) {
        (void)rc_fail(e, RC_E_INTERNAL, "no memory");
        return NULL;
    }
    p->o = *options;
    half.arg = p;
    half.on_facts = on_half_facts;
    half.on_link = on_half_link;
    half.on_request = on_half_request;
    half.on_refused = on_caller_refused;
    if (rc_peer_key_load(options->key_file, &key, e) == RC_OK) {
        p->server = rc_peer_server_new(&half, &key, e);
        half.on_refused = on_called_refused;
        p->client = p->server ? rc_peer_client_new(&half, &key, e) : NULL;
    }
    if (!p->client) {
        rc_peer_free(p);
        return NULL;
    }
    return p;
}

void
rc_peer_free(struct rc_peer *p)
{
    if (p) {
        rc_peer_server_free(p->server);
        rc_peer_client_free(p->client);
        free(p);
    }
}

void
rc_peer_set_addr(struct rc_peer *p, const char *addr)
{
    rc_peer_client_set_addr(p->client, addr);
}

bool
rc_peer_is_up(const struct rc_peer *p)
{
    return rc_peer_client_is_up(p->client);
}

void
rc_peer_tell(struct rc_peer *p, const char *facts)
{
    rc_peer_server_tell(p->server, facts);
}

enum rc_err
rc_peer_ask(struct rc_peer *p, const char *words, uint32_t timeout_ms, rc_peer_end_fn *end,
            void *arg)
{
    return rc_peer_client_ask(p->client, words, timeout_ms, end, arg);
}
