/* metrics_http.h - inside of the metrics: the HTTP server that is asked by Prometheus. */
#ifndef RC_METRICS_HTTP_H
#define RC_METRICS_HTTP_H

#include "reconciler/io/control/metrics.h"

struct rc_metrics_http;

enum rc_err rc_metrics_http_new(struct rc_metrics *ms, struct event_base *base, const char *listen,
                                struct rc_metrics_http **ret, struct rc_error *e);
void rc_metrics_http_free(struct rc_metrics_http *http); /* NULL is fine */
uint16_t rc_metrics_http_port(const struct rc_metrics_http *http);

#endif
