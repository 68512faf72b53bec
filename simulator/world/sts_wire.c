/* sts_wire.c - STS: GetCallerIdentity, for checks of credentials. */
#include <event2/buffer.h>
#include <string.h>

#include "simulator/world/wire.h"
#include "simulator/world/xml_out.h"

#define NAMESPACE "https://sts.amazonaws.com/doc/2011-06-15/"

static void
sts_error(struct rc_call *call, const char *code, int status, const char *text)
{
    (void)evbuffer_add_printf(call->out, "<ErrorResponse xmlns=\"%s\"><Error><Type>Sender</Type>",
                              NAMESPACE);
    rc_xml_text(call->out, "Code", code);
    rc_xml_text(call->out, "Message", text);
    (void)evbuffer_add_printf(call->out, "</Error><RequestId>%s</RequestId></ErrorResponse>",
                              call->request_id);
    (void)rc_text_set(call->log.code, sizeof(call->log.code), code);
    rc_call_answer(call, status, "text/xml");
}

void
rc_sts_wire(struct rc_call *call)
{
    const char *account = call->world->config.identity.account;

    if (rc_call_fault(call, call->log.action)) {
        sts_error(call, call->fault.code, (int)call->fault.status, "A fault that was asked for.");
        return;
    }
    if (strcmp(call->log.action, "GetCallerIdentity") != 0) {
        sts_error(call, "InvalidAction", 400, "Could not find the operation.");
        return;
    }
    (void)evbuffer_add_printf(
        call->out,
        "<GetCallerIdentityResponse xmlns=\"%s\"><GetCallerIdentityResult>"
        "<Arn>arn:aws:sts::%s:assumed-role/controller/i-0</Arn>"
        "<UserId>AROAEXAMPLE:i-0</UserId><Account>%s</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>",
        NAMESPACE, account, account, call->request_id);
    rc_call_answer(call, 200, "text/xml");
}

void
rc_sts_refuse(struct rc_call *call, enum rc_sigv4_verdict verdict)
{
    switch (verdict) {
    case RC_SIGV4_UNKNOWN_KEY:
        sts_error(call, "InvalidClientTokenId", 403,
                  "The security token included in the request is invalid.");
        break;
    case RC_SIGV4_EXPIRED:
        sts_error(call, "ExpiredToken", 403,
                  "The security token included in the request is expired");
        break;
    case RC_SIGV4_SKEWED:
        sts_error(call, "RequestExpired", 400, "Request has expired.");
        break;
    case RC_SIGV4_MISSING:
        sts_error(call, "MissingAuthenticationToken", 403,
                  "Request is missing Authentication Token");
        break;
    case RC_SIGV4_OK:
    case RC_SIGV4_MALFORMED:
    case RC_SIGV4_MISMATCH:
    case RC_SIGV4_SCOPE:
        sts_error(call, "SignatureDoesNotMatch", 403,
                  "The request signature we calculated does not match the signature you provided.");
        break;
    }
}
