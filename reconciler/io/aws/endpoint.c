/* endpoint.c - see endpoint.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/endpoint.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct service {
    const char *prefix;
    const char *signing;
    const char *variable;
};

#define SERVICE_ROW(service, prefix, signing, variable)                                            \
    [service] = {prefix, signing, "AWS_ENDPOINT_URL_" variable},
static const struct service services[] = {RC_AWS_SERVICES(SERVICE_ROW)};
#undef SERVICE_ROW

_Static_assert(sizeof services / sizeof *services == RC_AWS_SERVICE__MAX, "a row per service");

/* botocore, data/partitions.json: the DNS suffix of each partition. */
static const struct {
    const char *region_prefix, *suffix;
} partitions[] = {
    {"cn-", "amazonaws.com.cn"}, {"us-isob-", "sc2s.sgov.gov"},  {"us-isof-", "csp.hci.ic.gov"},
    {"us-iso-", "c2s.ic.gov"},   {"eu-isoe-", "cloud.adc-e.uk"}, {"eusc-", "amazonaws.eu"},
    {"", "amazonaws.com"},
};

const char *
rc_aws_signing_name(enum rc_aws_service service)
{
    return services[service].signing;
}

static bool
is_text_set(const char *text)
{
    return text && *text;
}

/* The first override that is set; *ret_origin says where, for the error text. */
static const char *
find_override(enum rc_aws_service service, const struct rc_endpoint_options *options,
              const char **ret_origin)
{
    const char *ignore = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

    *ret_origin = "the configuration file";
    if (options && is_text_set(options->service_url[service])) {
        return options->service_url[service];
    }
    if (options && is_text_set(options->url)) {
        return options->url;
    }
    if (ignore && strcasecmp(ignore, "true") == 0) {
        return NULL;
    }
    *ret_origin = services[service].variable;
    if (is_text_set(getenv(services[service].variable))) {
        return getenv(services[service].variable);
    }
    *ret_origin = "AWS_ENDPOINT_URL";
    return is_text_set(getenv("AWS_ENDPOINT_URL")) ? getenv("AWS_ENDPOINT_URL") : NULL;
}

/* A region becomes part of a host name: letters, digits and dashes only. */
static bool
is_region(const char *region)
{
    return region && *region && strlen(region) < 64 &&
           strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(region);
}

/* The default port is not part of the Host header (RFC 9110, section 7.2). */
static void
drop_default_port(char *host, bool tls)
{
    const char *port = tls ? ":443" : ":80";
    size_t len = strlen(host), port_len = strlen(port);

    if (len > port_len && strcmp(host + len - port_len, port) == 0) {
        host[len - port_len] = '\0';
    }
}

static enum rc_err
split_endpoint(const char *url, const char *origin, struct rc_endpoint *ret, struct rc_error *error)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    const char *host = tls ? url + 8 : url + 7;

    if (!tls && strncmp(url, "http://", 7) != 0) {
        return rc_fail(error, RC_E_INVALID,
                       "%s: \"%.128s\" is no endpoint: expected http:// or https://", origin, url);
    }
    size_t host_len = strcspn(host, "/");
    size_t path_len = strlen(host + host_len);
    if (host_len == 0 || strpbrk(host, "?#@ ") || strlen(url) >= sizeof ret->url) {
        return rc_fail(error, RC_E_INVALID,
                       "%s: \"%.128s\" is no endpoint: expected scheme://host[:port][/path]",
                       origin, url);
    }
    while (path_len > 0 && host[host_len + path_len - 1] == '/') {
        path_len--;
    }
    snprintf(ret->url, sizeof ret->url, "%.*s%s", (int)((size_t)(host - url) + host_len + path_len),
             url, path_len ? "" : "/");
    snprintf(ret->host, sizeof ret->host, "%.*s", (int)host_len, host);
    snprintf(ret->path, sizeof ret->path, "%.*s", path_len ? (int)path_len : 1,
             path_len ? host + host_len : "/");
    drop_default_port(ret->host, tls);
    return RC_OK;
}

enum rc_err
rc_endpoint_resolve(enum rc_aws_service service, const char *region,
                    const struct rc_endpoint_options *options, struct rc_endpoint *ret,
                    struct rc_error *error)
{
    const char *origin;
    const char *url = find_override(service, options, &origin);
    char own[RC_ENDPOINT_LEN];
    size_t i = 0;

    memset(ret, 0, sizeof *ret);
    if (!is_region(region)) {
        return rc_fail(error, RC_E_INVALID,
                       "\"%.64s\" is no AWS region: expected one such as us-east-1",
                       region ? region : "");
    }
    if (url) {
        return split_endpoint(url, origin, ret, error);
    }
    while (strncmp(region, partitions[i].region_prefix, strlen(partitions[i].region_prefix)) != 0) {
        i++;
    }
    snprintf(own, sizeof own, "https://%s.%s.%s/", services[service].prefix, region,
             partitions[i].suffix);
    ret->own = 1;
    return split_endpoint(own, "the region", ret, error);
}
