/* metrics.c - see metrics.h: the registry and its text. metrics_http.c serves it. */
#define _GNU_SOURCE
#include "reconciler/io/control/metrics.h"

#include <assert.h>
#include <event2/buffer.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/control/metrics_http.h"

enum metric_kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct rc_series {
    struct rc_metric *metric;
    struct rc_series *next;
    char *labels;      /* a="x",b="y", escaped; "" without labels */
    double value;      /* histogram: sum */
    uint64_t count;    /* histogram */
    uint64_t bucket[]; /* histogram: not cumulated, last one +Inf */
};

struct rc_metric {
    struct rc_metric *next;
    enum metric_kind kind;
    char *name;
    char *help;
    char *label_text; /* holds the label names */
    const char *label[RC_METRIC_LABELS_MAX];
    size_t label_count;
    double bound[RC_METRIC_BUCKETS_MAX];
    size_t bound_count;
    struct rc_series *series;
    struct rc_series **tail;
    uint32_t series_count;
};

struct rc_metrics {
    struct rc_metric *first; /* sorted by name */
    struct rc_metrics_http *http;
    void (*refresh)(void *arg);
    void *arg;
};

static const double seconds_bounds[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,  0.5, 1, 2,
                                        5,     10,    20,    50,   100,  200,  500, 1000, 3600};

struct rc_metrics *
rc_metrics_new(void)
{
    return calloc(1, sizeof(struct rc_metrics));
}

static void
metric_free(struct rc_metric *m)
{
    while (m->series) {
        struct rc_series *next = m->series->next;
        free(m->series->labels);
        free(m->series);
        m->series = next;
    }
    free(m->name);
    free(m->help);
    free(m->label_text);
    free(m);
}

void
rc_metrics_free(struct rc_metrics *ms)
{
    if (!ms) {
        return;
    }
    rc_metrics_http_free(ms->http);
    while (ms->first) {
        struct rc_metric *next = ms->first->next;
        metric_free(ms->first);
        ms->first = next;
    }
    free(ms);
}

static bool
is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

    return *text && strchr(letters, *text) && text[len] == '\0';
}

static bool
set_labels(struct rc_metric *m, const char *labels)
{
    char *rest = NULL;

    m->label_text = strdup(labels);
    if (!m->label_text) {
        return false;
    }
    for (char *name = strtok_r(m->label_text, ",", &rest); name;
         name = strtok_r(NULL, ",", &rest)) {
        assert(m->label_count < RC_METRIC_LABELS_MAX && is_name(name));
        m->label[m->label_count++] = name;
    }
    return true;
}

static struct rc_metric *
add_metric(struct rc_metrics *ms, enum metric_kind kind, const char *name, const char *help,
           const char *labels)
{
    struct rc_metric **link = &ms->first;
    struct rc_metric *m = calloc(1, sizeof *m);

    assert(is_name(name) && *help);
    if (!m) {
        return NULL;
    }
    m->kind = kind;
    m->tail = &m->series;
    m->name = strdup(name);
    m->help = strdup(help);
    if (!m->name || !m->help || !set_labels(m, labels)) {
        metric_free(m);
        return NULL;
    }
    while (*link && strcmp((*link)->name, name) < 0) {
        link = &(*link)->next;
    }
    assert(!*link || strcmp((*link)->name, name) != 0);
    m->next = *link;
    *link = m;
    return m;
}

struct rc_metric *
rc_metrics_counter(struct rc_metrics *ms, const char *name, const char *help, const char *labels)
{
    return add_metric(ms, KIND_COUNTER, name, help, labels);
}

struct rc_metric *
rc_metrics_gauge(struct rc_metrics *ms, const char *name, const char *help, const char *labels)
{
    return add_metric(ms, KIND_GAUGE, name, help, labels);
}

struct rc_metric *
rc_metrics_histogram(struct rc_metrics *ms, const char *name, const char *help, const char *labels,
                     const double *bounds, size_t count)
{
    struct rc_metric *m = add_metric(ms, KIND_HISTOGRAM, name, help, labels);

    if (!bounds) {
        bounds = seconds_bounds;
        count = sizeof seconds_bounds / sizeof *seconds_bounds;
    }
    assert(count > 0 && count < RC_METRIC_BUCKETS_MAX);
    if (m) {
        memcpy(m->bound, bounds, count * sizeof *bounds);
        m->bound_count = count;
    }
    return m;
}

/* a="x",b="y" with \ " and newline escaped; malloc'd. */
static char *
labels_of(const struct rc_metric *m, const char *const *values)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out) {
        return NULL;
    }
    for (size_t i = 0; i < m->label_count; i++) {
        fprintf(out, "%s%s=\"", i ? "," : "", m->label[i]);
        for (const char *p = values[i]; *p; p++) {
            if (*p == '\n') {
                fputs("\\n", out);
            } else {
                fputs(*p == '"' || *p == '\\' ? "\\" : "", out);
                fputc(*p, out);
            }
        }
        fputc('"', out);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static struct rc_series *
find_series(const struct rc_metric *m, const char *labels)
{
    for (struct rc_series *s = m->series; s; s = s->next) {
        if (strcmp(s->labels, labels) == 0) {
            return s;
        }
    }
    return NULL;
}

static size_t
count_values(const char *const *values)
{
    size_t count = 0;

    while (values && values[count]) {
        count++;
    }
    return count;
}

struct rc_series *
rc_metric_of(struct rc_metric *m, const char *const *values)
{
    static const char *const others[RC_METRIC_LABELS_MAX + 1] = {"other", "other", "other", "other",
                                                                 NULL};
    struct rc_series *s = NULL;
    char *labels = NULL;

    if (!m) {
        return NULL;
    }
    assert(values == others || count_values(values) == m->label_count);
    labels = labels_of(m, values);
    if (!labels) {
        return NULL;
    }
    s = find_series(m, labels);
    if (s || (m->series_count >= RC_METRIC_SERIES_MAX && values != others)) {
        free(labels);
        return s ? s : rc_metric_of(m, others);
    }
    s = calloc(1, sizeof *s + (m->bound_count + 1) * sizeof s->bucket[0]);
    if (!s) {
        free(labels);
        return NULL;
    }
    s->metric = m;
    s->labels = labels;
    *m->tail = s;
    m->tail = &s->next;
    m->series_count++;
    return s;
}

/* A series that could not be made (no memory) is NULL and counts nothing. */
void
rc_series_add(struct rc_series *s, double by)
{
    if (s) {
        assert(s->metric->kind == KIND_GAUGE || (s->metric->kind == KIND_COUNTER && by >= 0));
        s->value += by;
    }
}

void
rc_series_set(struct rc_series *s, double value)
{
    if (s) {
        assert(s->metric->kind != KIND_HISTOGRAM);
        s->value = value;
    }
}

void
rc_series_observe(struct rc_series *s, double value)
{
    size_t i = 0;

    if (!s) {
        return;
    }
    assert(s->metric->kind == KIND_HISTOGRAM);
    while (i < s->metric->bound_count && value > s->metric->bound[i]) {
        i++;
    }
    s->bucket[i]++;
    s->count++;
    s->value += value;
}

void
rc_metrics_on_scrape(struct rc_metrics *ms, void (*refresh)(void *arg), void *arg)
{
    ms->refresh = refresh;
    ms->arg = arg;
}

/* As Go prints it: whole numbers without a point, the rest with what distinguishes it. */
static void
show_number(double value, char *buf, size_t room)
{
    if (isnan(value)) {
        snprintf(buf, room, "NaN");
    } else if (isinf(value)) {
        snprintf(buf, room, value > 0 ? "+Inf" : "-Inf");
    } else if (value == floor(value) && fabs(value) < 1e15) {
        snprintf(buf, room, "%.0f", value);
    } else {
        snprintf(buf, room, "%.12g", value);
    }
}

static int
render_histogram(const struct rc_series *s, struct evbuffer *out)
{
    const struct rc_metric *m = s->metric;
    const char *comma = *s->labels ? "," : "";
    const char *open = *s->labels ? "{" : "";
    const char *close = *s->labels ? "}" : "";
    uint64_t below = 0;
    char number[40];
    int n = 0;

    for (size_t i = 0; i <= m->bound_count && n >= 0; i++) {
        below += s->bucket[i];
        show_number(i < m->bound_count ? m->bound[i] : (double)INFINITY, number, sizeof number);
        n = evbuffer_add_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", m->name, s->labels, comma,
                                number, (unsigned long long)below);
    }
    show_number(s->value, number, sizeof number);
    if (n >= 0) {
        n = evbuffer_add_printf(out, "%s_sum%s%s%s %s\n%s_count%s%s%s %llu\n", m->name, open,
                                s->labels, close, number, m->name, open, s->labels, close,
                                (unsigned long long)s->count);
    }
    return n;
}

static int
render_metric(const struct rc_metric *m, struct evbuffer *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    char number[40];
    int n = evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
                                kinds[m->kind]);

    for (const struct rc_series *s = m->series; s && n >= 0; s = s->next) {
        if (m->kind == KIND_HISTOGRAM) {
            n = render_histogram(s, out);
            continue;
        }
        show_number(s->value, number, sizeof number);
        n = evbuffer_add_printf(out, "%s%s%s%s %s\n", m->name, *s->labels ? "{" : "", s->labels,
                                *s->labels ? "}" : "", number);
    }
    return n;
}

enum rc_err
rc_metrics_render(struct rc_metrics *ms, struct evbuffer *out)
{
    if (ms->refresh) {
        ms->refresh(ms->arg);
    }
    for (const struct rc_metric *m = ms->first; m; m = m->next) {
        /* A metric without a series yet would be a help text about nothing. */
        if (m->series && render_metric(m, out) < 0) {
            return RC_E_INTERNAL;
        }
    }
    return RC_OK;
}

enum rc_err
rc_metrics_listen(struct rc_metrics *ms, struct event_base *base, const char *listen,
                  struct rc_error *e)
{
    assert(!ms->http);
    return rc_metrics_http_new(ms, base, listen, &ms->http, e);
}

uint16_t
rc_metrics_port(const struct rc_metrics *ms)
{
    return ms->http ? rc_metrics_http_port(ms->http) : 0;
}
