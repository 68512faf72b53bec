/* metrics.h - counters, gauges and histograms, served as Prometheus text over HTTP.
 *
 * Text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Names follow the
 * Prometheus rules that `promtool check metrics` knows: base units (seconds, bytes),
 * counters end in _total, every metric has a help text.
 *
 *   struct rc_metric *m = rc_metrics_counter(ms, "reconcilerd_actions_total", "Actions
 *   started.", "action,result"); rc_series_add(rc_metric_with(m, "ec2.launch", "ok"), 1);
 *
 * One thread. Registering a bad name or one that is taken is a bug (assert). Values of labels
 * must not come without bound from outside: each metric holds at most RC_METRIC_SERIES_MAX
 * series, further ones share one with all labels "other". */
#ifndef RC_METRICS_H
#define RC_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct evbuffer;
struct event_base;
struct rc_metrics; /* registry */
struct rc_metric;  /* one name; lives as long as its registry */
struct rc_series;  /* one name with one set of label values; may be kept, as long */

enum { RC_METRIC_LABELS_MAX = 4, RC_METRIC_SERIES_MAX = 256, RC_METRIC_BUCKETS_MAX = 24 };

struct rc_metrics *rc_metrics_new(void); /* NULL without memory */
void rc_metrics_free(struct rc_metrics *ms);

/* labels: names joined with commas, "" = none. name, help and labels are copied. */
struct rc_metric *rc_metrics_counter(struct rc_metrics *ms, const char *name, const char *help,
                                     const char *labels);
struct rc_metric *rc_metrics_gauge(struct rc_metrics *ms, const char *name, const char *help,
                                   const char *labels);
/* bounds: upper bounds, growing, without +Inf; NULL = 1 ms to 1 hour in 1-2-5 steps for
 * seconds (count is then ignored). */
struct rc_metric *rc_metrics_histogram(struct rc_metrics *ms, const char *name, const char *help,
                                       const char *labels, const double *bounds, size_t count);

/* One series by its label values (all of them, in the order of registration; a NULL-ended
 * array, NULL for a metric without labels). Made at its first use, starting at 0. */
struct rc_series *rc_metric_of(struct rc_metric *m, const char *const *values);
/* rc_metric_with(m, "a", "b"); rc_metric_with(m) is not C: use rc_metric_of(m, NULL). */
#define rc_metric_with(m, ...) rc_metric_of((m), (const char *const[]){__VA_ARGS__, NULL})

void rc_series_add(struct rc_series *s, double by);        /* counter (by >= 0), gauge */
void rc_series_set(struct rc_series *s, double value);     /* gauge; counter kept elsewhere */
void rc_series_observe(struct rc_series *s, double value); /* histogram */

/* Called before every scrape, so that gauges can be set from what they mirror. One only. */
void rc_metrics_on_scrape(struct rc_metrics *ms, void (*refresh)(void *arg), void *arg);
/* Appends the text of all metrics, sorted by name. RC_E_INTERNAL without memory. */
enum rc_err rc_metrics_render(struct rc_metrics *ms, struct evbuffer *out);

/* Serves GET /metrics on "address:port" ("127.0.0.1:9464", "[::1]:9464"; port 0 takes a free
 * one). Errors: RC_E_INVALID (address), RC_E_IO (port taken). Ends with rc_metrics_free(),
 * which must come before the base is freed. */
enum rc_err rc_metrics_listen(struct rc_metrics *ms, struct event_base *base, const char *listen,
                              struct rc_error *e);
uint16_t rc_metrics_port(const struct rc_metrics *ms); /* 0 = not listening */

#endif
