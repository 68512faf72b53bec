/* imds_wire.c - the instance metadata service of the controller, version 2.
 *
 * A token first (PUT /latest/api/token), then GETs with it; 401 without. The role's
 * credentials are temporary: new ones are made some time before the old ones end,
 * and the signature check knows both (EC2 user guide, "Retrieve security
 * credentials from instance metadata"). */
#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_time.h"
#include "simulator/world/wire.h"
#include "simulator/world/world_http.h"

enum { RENEW_PERMILLE = 250 }; /* new credentials while a quarter of the life is left */

#define ROLE "controller"

static void
imds_text(struct rc_call *call, int status, const char *text)
{
    (void)evbuffer_add_printf(call->out, "%s", text);
    rc_call_answer(call, status, "text/plain");
}

static const char *
imds_header(const struct rc_call *call, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(call->http), name);
}

static void
imds_token(struct rc_call *call)
{
    const char *ttl = imds_header(call, "X-aws-ec2-metadata-token-ttl-seconds");
    struct rc_world_setup *setup = rc_world_http_setup(call->endpoint);
    long seconds = ttl != NULL ? strtol(ttl, NULL, 10) : 0;
    struct rc_imds_token *t = &setup->imds_token[setup->imds_tokens++ % RC_IMDS_TOKENS_MAX];

    if (seconds < 1 || seconds > 21600) {
        imds_text(call, 400, "Bad Request");
        return;
    }
    (void)snprintf(t->text, sizeof(t->text),
                   "AQAEA%016" PRIx64 "%016" PRIx64 "==", rc_sim_random_next(&call->world->random),
                   rc_sim_random_next(&call->world->random));
    t->expires_ms = call->now_ms + seconds * 1000;
    rc_call_header(call, "X-aws-ec2-metadata-token-ttl-seconds", ttl);
    imds_text(call, 200, t->text);
}

static bool
imds_token_good(const struct rc_call *call)
{
    const struct rc_world_setup *setup = rc_world_http_setup(call->endpoint);
    const char *text = imds_header(call, "X-aws-ec2-metadata-token");

    for (unsigned i = 0; text != NULL && i < RC_IMDS_TOKENS_MAX; i++)
        if (strcmp(setup->imds_token[i].text, text) == 0 &&
            setup->imds_token[i].expires_ms > call->now_ms)
            return true;
    return false;
}

/* The role's credentials, made anew when the last ones are near their end. */
static const struct rc_sigv4_credential *
imds_credential(struct rc_call *call)
{
    struct rc_world_setup *setup = rc_world_http_setup(call->endpoint);
    struct rc_sim_random *r = &call->world->random;
    int64_t life_ms = setup->imds_life_ms;
    struct rc_sigv4_credential *c = &setup->keys.credential[setup->imds_credential];

    if (setup->imds_credential > 0 &&
        c->expires_ms - call->now_ms > life_ms * RENEW_PERMILLE / 1000)
        return c;
    /* the first half of the table holds the long-term keys, the second goes round */
    setup->imds_credential =
        RC_SIGV4_CREDENTIALS_MAX / 2 + setup->imds_made++ % (RC_SIGV4_CREDENTIALS_MAX / 2);
    c = &setup->keys.credential[setup->imds_credential];
    (void)snprintf(c->key, sizeof(c->key), "ASIA%016" PRIX64, rc_sim_random_next(r));
    (void)snprintf(c->secret, sizeof(c->secret), "%016" PRIx64 "/%016" PRIx64 "+%06" PRIx64,
                   rc_sim_random_next(r), rc_sim_random_next(r), rc_sim_random_next(r) & 0xffffffU);
    (void)snprintf(c->token, sizeof(c->token),
                   "IQoJb3JpZ2luX2Vj//%016" PRIx64 "%016" PRIx64 "==", rc_sim_random_next(r),
                   rc_sim_random_next(r));
    c->expires_ms = call->now_ms + life_ms;
    return c;
}

static void
imds_role(struct rc_call *call)
{
    const struct rc_sigv4_credential *c = imds_credential(call);
    char updated[RC_SIM_TIME_LEN];
    char expires[RC_SIM_TIME_LEN];

    rc_sim_time_second(updated, call->now_ms);
    rc_sim_time_second(expires, c->expires_ms);
    (void)evbuffer_add_printf(call->out,
                              "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"%s\",\n"
                              "  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : \"%s\",\n"
                              "  \"SecretAccessKey\" : \"%s\",\n  \"Token\" : \"%s\",\n"
                              "  \"Expiration\" : \"%s\"\n}",
                              updated, c->key, c->secret, c->token, expires);
    rc_call_answer(call, 200, "text/plain");
}

static void
imds_document(struct rc_call *call)
{
    const struct rc_world_identity *id = &call->world->config.identity;

    (void)evbuffer_add_printf(call->out,
                              "{\n  \"accountId\" : \"%s\",\n  \"architecture\" : \"x86_64\",\n"
                              "  \"availabilityZone\" : \"%sa\",\n"
                              "  \"instanceId\" : \"i-00000000000c0ffee\",\n"
                              "  \"instanceType\" : \"c7i.xlarge\",\n  \"region\" : \"%s\",\n"
                              "  \"version\" : \"2017-09-30\"\n}",
                              id->account, id->region, id->region);
    rc_call_answer(call, 200, "text/plain");
}

static void
imds_get(struct rc_call *call, const char *path)
{
    const struct rc_world_identity *id = &call->world->config.identity;
    char zone[RC_AZ_LEN + 2];

    (void)snprintf(zone, sizeof(zone), "%sa", id->region);
    if (strcmp(path, "/latest/meta-data/iam/security-credentials/") == 0 ||
        strcmp(path, "/latest/meta-data/iam/security-credentials") == 0)
        imds_text(call, 200, ROLE);
    else if (strcmp(path, "/latest/meta-data/iam/security-credentials/" ROLE) == 0)
        imds_role(call);
    else if (strcmp(path, "/latest/dynamic/instance-identity/document") == 0)
        imds_document(call);
    else if (strcmp(path, "/latest/meta-data/placement/region") == 0)
        imds_text(call, 200, id->region);
    else if (strcmp(path, "/latest/meta-data/placement/availability-zone") == 0)
        imds_text(call, 200, zone);
    else if (strcmp(path, "/latest/meta-data/instance-id") == 0)
        imds_text(call, 200, "i-00000000000c0ffee");
    else
        imds_text(call, 404, "Not Found");
}

void
rc_imds_wire(struct rc_call *call)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(call->http));
    enum evhttp_cmd_type method = evhttp_request_get_command(call->http);

    if (method == EVHTTP_REQ_PUT && strcmp(path, "/latest/api/token") == 0)
        imds_token(call);
    else if (method == EVHTTP_REQ_PUT)
        imds_text(call, 403, "Forbidden");
    else if (!imds_token_good(call))
        imds_text(call, 401, "Unauthorized");
    else
        imds_get(call, path);
}
