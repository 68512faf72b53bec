/* aws_errors.c - see aws_errors.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/aws_errors.h"

#include <cjson/cJSON.h>
#include <string.h>

struct row {
    const char *code;
    enum rc_err err;
};

/* Sorted by meaning; looked up a few times a second at most. */
static const struct row rows[] = {
    /* Throttling: botocore, retries/standard.py. */
    {"Throttling", RC_E_THROTTLED},
    {"ThrottlingException", RC_E_THROTTLED},
    {"ThrottledException", RC_E_THROTTLED},
    {"RequestThrottled", RC_E_THROTTLED},
    {"RequestThrottledException", RC_E_THROTTLED},
    {"TooManyRequestsException", RC_E_THROTTLED},
    {"ProvisionedThroughputExceededException", RC_E_THROTTLED},
    {"TransactionInProgressException", RC_E_THROTTLED},
    {"RequestLimitExceeded", RC_E_THROTTLED},
    {"BandwidthLimitExceeded", RC_E_THROTTLED},
    {"LimitExceededException", RC_E_THROTTLED},
    {"SlowDown", RC_E_THROTTLED},
    {"EC2ThrottledException", RC_E_THROTTLED},
    {"PriorRequestNotComplete", RC_E_THROTTLED},
    {"ConcurrentTagAccess", RC_E_THROTTLED},
    {"OverLimit", RC_E_THROTTLED},

    /* Transient. */
    {"RequestTimeout", RC_E_TIMEOUT},
    {"RequestTimeoutException", RC_E_TIMEOUT},
    {"InternalError", RC_E_SERVER},
    {"InternalFailure", RC_E_SERVER},
    {"InternalServerError", RC_E_SERVER},
    {"InternalServerException", RC_E_SERVER},
    {"ServiceUnavailable", RC_E_SERVER},
    {"ServiceUnavailableException", RC_E_SERVER},
    {"Unavailable", RC_E_SERVER},
    {"ServerInternal", RC_E_SERVER},
    {"TransactionConflictException", RC_E_SERVER},
    {"KmsThrottled", RC_E_THROTTLED},
    {"KMS.ThrottlingException", RC_E_THROTTLED},

    /* No capacity: a 5xx in EC2's server error list that is no server fault. */
    {"InsufficientInstanceCapacity", RC_E_CAPACITY},
    {"InsufficientHostCapacity", RC_E_CAPACITY},
    {"InsufficientReservedInstanceCapacity", RC_E_CAPACITY},
    {"InsufficientAddressCapacity", RC_E_CAPACITY},
    {"InsufficientVolumeCapacity", RC_E_CAPACITY},
    {"InsufficientCapacity", RC_E_CAPACITY},
    {"InsufficientCapacityOnHost", RC_E_CAPACITY},
    {"InsufficientFreeAddressesInSubnet", RC_E_CAPACITY},
    {"UnfulfillableCapacity", RC_E_CAPACITY},
    {"SpotMaxPriceTooLow", RC_E_CAPACITY},
    {"ReservationCapacityExceeded", RC_E_RESERVATION_FULL},
    {"InstanceLimitExceeded", RC_E_QUOTA},
    {"VcpuLimitExceeded", RC_E_QUOTA},
    {"MaxSpotInstanceCountExceeded", RC_E_QUOTA},
    {"VolumeLimitExceeded", RC_E_QUOTA},
    {"NetworkInterfaceLimitExceeded", RC_E_QUOTA},
    {"MaxIOPSLimitExceeded", RC_E_QUOTA},
    {"Unsupported", RC_E_UNSUPPORTED},
    {"UnsupportedOperation", RC_E_UNSUPPORTED},
    {"InstanceTypeNotSupported", RC_E_UNSUPPORTED},

    /* Absent, or not visible yet. */
    {"InvalidInstanceID.NotFound", RC_E_NOT_FOUND},
    {"InvalidLaunchTemplateId.NotFound", RC_E_NOT_FOUND},
    {"InvalidLaunchTemplateId.VersionNotFound", RC_E_NOT_FOUND},
    {"InvalidSubnetID.NotFound", RC_E_NOT_FOUND},
    {"InvalidCapacityReservationId.NotFound", RC_E_NOT_FOUND},
    {"InvalidPlacementGroup.Unknown", RC_E_NOT_FOUND},
    {"InvalidGroup.NotFound", RC_E_NOT_FOUND},
    {"InvalidAMIID.NotFound", RC_E_NOT_FOUND},
    {"InvalidID", RC_E_NOT_FOUND},
    {"AWS.SimpleQueueService.NonExistentQueue", RC_E_NOT_FOUND},
    {"QueueDoesNotExist", RC_E_NOT_FOUND},
    {"ResourceNotFoundException", RC_E_NOT_FOUND},
    {"NoSuchBucket", RC_E_NOT_FOUND},

    /* The target is in another state. */
    {"IncorrectInstanceState", RC_E_STATE},
    {"IncorrectState", RC_E_STATE},
    {"MessageNotInflight", RC_E_STATE},
    {"AWS.SimpleQueueService.MessageNotInflight", RC_E_STATE},
    {"ReceiptHandleIsInvalid", RC_E_STATE},
    {"InvalidCapacityReservationState", RC_E_STATE},
    {"IdempotentParameterMismatch", RC_E_TOKEN_MISMATCH},
    {"IdempotentInstanceTerminated", RC_E_STATE},
    {"OperationNotPermitted", RC_E_PROTECTED},
    {"ConditionalCheckFailedException", RC_E_CONDITION},

    /* Not permitted: a person must act. */
    {"UnauthorizedOperation", RC_E_DENIED},
    {"AccessDenied", RC_E_DENIED},
    {"AccessDeniedException", RC_E_DENIED},
    {"OptInRequired", RC_E_DENIED},
    {"Blocked", RC_E_DENIED},
    {"PendingVerification", RC_E_DENIED},
    {"KmsAccessDenied", RC_E_DENIED},
    {"KMS.AccessDeniedException", RC_E_DENIED},

    /* Credentials or clock: the request layer tells them apart by the Date header. */
    {"ExpiredToken", RC_E_CREDENTIALS},
    {"ExpiredTokenException", RC_E_CREDENTIALS},
    {"TokenRefreshRequired", RC_E_CREDENTIALS},
    {"UnrecognizedClientException", RC_E_CREDENTIALS},
    {"InvalidClientTokenId", RC_E_CREDENTIALS},
    {"InvalidAccessKeyId", RC_E_CREDENTIALS},
    {"InvalidToken", RC_E_CREDENTIALS},
    {"AuthFailure", RC_E_CREDENTIALS},
    {"MissingAuthenticationToken", RC_E_CREDENTIALS},
    {"MissingAuthenticationTokenException", RC_E_CREDENTIALS},
    {"IncompleteSignature", RC_E_CREDENTIALS},
    {"IncompleteSignatureException", RC_E_CREDENTIALS},
    {"SignatureDoesNotMatch", RC_E_CREDENTIALS},
    {"InvalidSignatureException", RC_E_CREDENTIALS},
    {"InvalidSignature", RC_E_CREDENTIALS},
    {"RequestExpired", RC_E_CLOCK},
    {"RequestTimeTooSkewed", RC_E_CLOCK},
    {"RequestInTheFuture", RC_E_CLOCK},
    {"SignatureExpired", RC_E_CLOCK},

    /* Too many bytes or entries. */
    {"BatchRequestTooLong", RC_E_TOO_LARGE},
    {"AWS.SimpleQueueService.BatchRequestTooLong", RC_E_TOO_LARGE},
    {"RequestEntityTooLarge", RC_E_TOO_LARGE},
    {"EntityTooLarge", RC_E_TOO_LARGE},
};

enum rc_err
rc_aws_error_of_code(const char *code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].err;
        }
    }
    return RC_OK;
}

enum rc_err
rc_aws_error_of_status(long status)
{
    if (status >= 200 && status < 300) {
        return RC_OK;
    }
    switch (status) {
    case 401:
    case 403:
        return RC_E_DENIED;
    case 404:
        return RC_E_NOT_FOUND;
    case 408:
        return RC_E_TIMEOUT;
    case 413:
        return RC_E_TOO_LARGE;
    case 429:
        return RC_E_THROTTLED;
    default:
        return status >= 500 ? RC_E_SERVER : RC_E_INVALID;
    }
}

/* Texts come from the network: one line, printable, cut at a whole character. */
static void
copy_printable(char *dst, size_t room, const char *src, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n + 1 < room; i++) {
        unsigned char c = (unsigned char)src[i];
        dst[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    /* When it was cut, the last character may be half there. */
    while (n < len && n > 0 && ((unsigned char)dst[n - 1] & 0xc0) == 0x80) {
        n--;
    }
    if (n < len && n > 0 && (unsigned char)dst[n - 1] >= 0xc0) {
        n--;
    }
    dst[n] = '\0';
}

/* "com.amazonaws.sqs#QueueDoesNotExist:http://…" is QueueDoesNotExist. */
static void
set_service_code(struct rc_error *e, const char *text)
{
    const char *hash = strchr(text, '#');
    const char *code = hash ? hash + 1 : text;

    copy_printable(e->service_code, sizeof e->service_code, code, strcspn(code, ":"));
}

static const char *
json_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static bool
read_json(const char *body, size_t len, struct rc_error *e)
{
    cJSON *root = cJSON_ParseWithLength(body, len);
    const char *text;

    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return false;
    }
    if (!e->service_code[0]) {
        set_service_code(e, json_string(root, "__type"));
    }
    if (!e->service_code[0]) {
        set_service_code(e, json_string(root, "code"));
    }
    text =
        *json_string(root, "message") ? json_string(root, "message") : json_string(root, "Message");
    copy_printable(e->text, sizeof e->text, text, strlen(text));
    cJSON_Delete(root);
    return true;
}

/* Finds <tag>…</tag> wherever it stands; enough for error replies, which must
 * tell something even when they are cut. */
static const char *
find_element(const char *body, const char *tag, size_t *ret_len)
{
    size_t tag_len = strlen(tag);

    for (const char *p = strchr(body, '<'); p; p = strchr(p + 1, '<')) {
        if (strncmp(p + 1, tag, tag_len) == 0 && p[1 + tag_len] == '>') {
            *ret_len = strcspn(p + tag_len + 2, "<");
            return p + tag_len + 2;
        }
    }
    return NULL;
}

static void
unescape_xml(char *text)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = {
        {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
    char *out = text;

    for (const char *p = text; *p;) {
        size_t i = 0;
        while (i < 5 && strncmp(p, entities[i].entity, strlen(entities[i].entity)) != 0) {
            i++;
        }
        *out++ = i < 5 ? entities[i].c : *p;
        p += i < 5 ? strlen(entities[i].entity) : 1;
    }
    *out = '\0';
}

static bool
read_xml(const char *body, struct rc_error *e)
{
    size_t len;
    const char *code = strstr(body, "<Error>") ? find_element(body, "Code", &len) : NULL;

    if (!code) {
        return false;
    }
    if (!e->service_code[0]) {
        copy_printable(e->service_code, sizeof e->service_code, code, len);
    }
    const char *text = find_element(body, "Message", &len);
    if (text) {
        copy_printable(e->text, sizeof e->text, text, len);
        unescape_xml(e->text);
    }
    return true;
}

enum rc_err
rc_aws_error_read(long status, const char *header_type, const char *body, size_t len,
                  struct rc_error *ret)
{
    memset(ret, 0, sizeof *ret);
    set_service_code(ret, header_type);
    bool known_form = read_json(body, len, ret) || read_xml(body, ret) || ret->service_code[0];
    enum rc_err err = rc_aws_error_of_code(ret->service_code);

    if (err == RC_OK) {
        err = rc_aws_error_of_status(status);
    }
    if (!known_form) {
        /* A proxy or an emulator spoke, not the service: the same 500 would come for ever. */
        err = status == 500 && len > 0 ? RC_E_PARSE : err;
        char sample[100];
        copy_printable(sample, sizeof sample, body, len);
        return rc_fail(ret, err, "HTTP %ld with a body that is no AWS error: %s", status,
                       len ? sample : "(empty)");
    }
    ret->code = err;
    return err;
}

bool
rc_aws_error_retryable(enum rc_err e)
{
    return e == RC_E_IO || e == RC_E_TIMEOUT || e == RC_E_UNREACHABLE || e == RC_E_SERVER ||
           e == RC_E_THROTTLED || e == RC_E_TRUNCATED;
}
