/* Metrics: the text of each kind, promtool's opinion, and the HTTP side on a real socket. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reconciler/io/control/metrics.h"

static char text[65536];

static const char *
render(struct rc_metrics *ms)
{
    struct evbuffer *out = evbuffer_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(rc_metrics_render(ms, out), RC_OK);
    size_t len = evbuffer_get_length(out);
    CU_ASSERT_TRUE_FATAL(len < sizeof text);
    evbuffer_remove(out, text, len);
    text[len] = '\0';
    evbuffer_free(out);
    return text;
}

static void
each_kind_has_its_text(void)
{
    static const double bounds[] = {0.5, 2};
    struct rc_metrics *ms = rc_metrics_new();
    struct rc_metric *actions =
        rc_metrics_counter(ms, "rc_actions_total", "Actions started.", "action,result");
    struct rc_metric *nodes = rc_metrics_gauge(ms, "rc_nodes", "Nodes known.", "");
    struct rc_metric *wait =
        rc_metrics_histogram(ms, "rc_wait_seconds", "Time waited.", "queue", bounds, 2);

    rc_metrics_counter(ms, "rc_unused_total", "Never counted.", "");
    rc_series_add(rc_metric_with(actions, "ec2.launch", "ok"), 1);
    rc_series_add(rc_metric_with(actions, "ec2.launch", "ok"), 2);
    rc_series_add(rc_metric_with(actions, "a \"b\"\\\n", "x"), 0);
    rc_series_set(rc_metric_of(nodes, NULL), 12.25);
    rc_series_observe(rc_metric_with(wait, "q"), 0.5);
    rc_series_observe(rc_metric_with(wait, "q"), 1);
    rc_series_observe(rc_metric_with(wait, "q"), 9);
    CU_ASSERT_STRING_EQUAL(render(ms),
                           "# HELP rc_actions_total Actions started.\n"
                           "# TYPE rc_actions_total counter\n"
                           "rc_actions_total{action=\"ec2.launch\",result=\"ok\"} 3\n"
                           "rc_actions_total{action=\"a \\\"b\\\"\\\\\\n\",result=\"x\"} 0\n"
                           "# HELP rc_nodes Nodes known.\n"
                           "# TYPE rc_nodes gauge\n"
                           "rc_nodes 12.25\n"
                           "# HELP rc_wait_seconds Time waited.\n"
                           "# TYPE rc_wait_seconds histogram\n"
                           "rc_wait_seconds_bucket{queue=\"q\",le=\"0.5\"} 1\n"
                           "rc_wait_seconds_bucket{queue=\"q\",le=\"2\"} 2\n"
                           "rc_wait_seconds_bucket{queue=\"q\",le=\"+Inf\"} 3\n"
                           "rc_wait_seconds_sum{queue=\"q\"} 10.5\n"
                           "rc_wait_seconds_count{queue=\"q\"} 3\n");
    rc_metrics_free(ms);
}

static void
series_without_bound_share_one(void)
{
    struct rc_metrics *ms = rc_metrics_new();
    struct rc_metric *m = rc_metrics_counter(ms, "rc_seen_total", "Things seen.", "id");
    char id[16];

    for (int i = 0; i < RC_METRIC_SERIES_MAX + 10; i++) {
        snprintf(id, sizeof id, "i-%d", i);
        rc_series_add(rc_metric_with(m, id), 1);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(render(ms), "rc_seen_total{id=\"other\"} 10\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "rc_seen_total{id=\"i-255\"} 1\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "i-256"));
    rc_metrics_free(ms);
}

static void
promtool_has_nothing_to_say(void)
{
    struct rc_metrics *ms = rc_metrics_new();
    char *said = NULL;
    char file[] = "/tmp/rc-metrics-XXXXXX";
    char command[128];
    char line[256] = "";

    if (system("promtool --version >/dev/null 2>&1") != 0) {
        rc_metrics_free(ms);
        rc_test_skip("promtool is not installed");
        return;
    }
    rc_series_add(rc_metric_with(rc_metrics_counter(ms, "rc_a_total", "A.", "kind"), "x"), 1);
    rc_series_set(rc_metric_of(rc_metrics_gauge(ms, "rc_nodes", "B.", ""), NULL), 1e300);
    rc_series_observe(
        rc_metric_of(rc_metrics_histogram(ms, "rc_c_seconds", "C.", "", NULL, 0), NULL), 0.25);
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    said = strdup(render(ms));
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_EQUAL(write(fd, said, strlen(said)), (ssize_t)strlen(said));
    close(fd);
    snprintf(command, sizeof command, "promtool check metrics < %s 2>&1", file);
    FILE *out = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    while (fgets(line, sizeof line, out)) {
        printf("#   promtool: %s", line);
    }
    CU_ASSERT_EQUAL(pclose(out), 0);
    CU_ASSERT_STRING_EQUAL(line, "");
    unlink(file);
    free(said);
    rc_metrics_free(ms);
}

static void
count_scrapes(void *arg)
{
    rc_series_add(arg, 1);
}

/* Sends a request and lets the loop run until the server has closed. */
static const char *
ask(struct event_base *base, uint16_t port, const char *request)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    size_t len = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    CU_ASSERT_EQUAL(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    for (int turn = 0; turn < 1000; turn++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        ssize_t n = recv(fd, text + len, sizeof text - 1 - len, MSG_DONTWAIT);
        if (n == 0) {
            break;
        }
        len += n > 0 ? (size_t)n : 0;
        usleep(1000);
    }
    text[len] = '\0';
    close(fd);
    event_base_loop(base, EVLOOP_NONBLOCK);
    return text;
}

static void
metrics_are_served_over_http(void)
{
    struct event_base *base = event_base_new();
    struct rc_metrics *ms = rc_metrics_new();
    struct rc_series *scrapes =
        rc_metric_of(rc_metrics_counter(ms, "rc_scrapes_total", "Scrapes.", ""), NULL);
    struct rc_error e;

    rc_metrics_on_scrape(ms, count_scrapes, scrapes);
    CU_ASSERT_EQUAL_FATAL(rc_metrics_listen(ms, base, "127.0.0.1:0", &e), RC_OK);
    uint16_t port = rc_metrics_port(ms);
    CU_ASSERT_TRUE(port != 0);
    ask(base, port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CU_ASSERT_EQUAL(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nrc_scrapes_total 1\n"));
    ask(base, port, "GET /metrics HTTP/1.0\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nrc_scrapes_total 2\n"));
    ask(base, port, "GET /etc/passwd HTTP/1.0\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " 404 "));
    ask(base, port, "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
    CU_ASSERT_PTR_NULL(strstr(text, " 200 "));
    ask(base, port, "nonsense\r\n\r\n");
    CU_ASSERT_PTR_NULL(strstr(text, " 200 "));
    rc_metrics_free(ms);
    event_base_free(base);
}

static void
a_bad_or_taken_address_is_refused(void)
{
    static const struct {
        const char *name;
        const char *listen;
    } bad[] = {
        {"no address", ""},
        {"no port", "127.0.0.1"},
        {"an empty port", "127.0.0.1:"},
        {"a host name", "host:9464"},
        {"a large port", "1.2.3.4:70000"},
        {"no port behind IPv6", "[::1]"},
    };
    struct event_base *base = event_base_new();
    struct rc_metrics *one = rc_metrics_new();
    struct rc_metrics *two = rc_metrics_new();
    char listen[32];
    struct rc_error e;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rc_case(rc_metrics_listen(one, base, bad[i].listen, &e) == RC_E_INVALID &&
                    strstr(e.text, bad[i].listen),
                bad[i].name, "%s", e.text);
    }
    CU_ASSERT_EQUAL(rc_metrics_port(one), 0);
    CU_ASSERT_EQUAL_FATAL(rc_metrics_listen(one, base, "127.0.0.1:0", &e), RC_OK);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", (unsigned)rc_metrics_port(one));
    CU_ASSERT_EQUAL(rc_metrics_listen(two, base, listen, &e), RC_E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "Address already in use"));
    rc_metrics_free(one);
    rc_metrics_free(two);
    event_base_free(base);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"each kind has its text", each_kind_has_its_text},
        {"series without bound share one", series_without_bound_share_one},
        {"promtool has nothing to say", promtool_has_nothing_to_say},
        {"metrics are served over HTTP", metrics_are_served_over_http},
        {"a bad or taken address is refused", a_bad_or_taken_address_is_refused},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("metrics", tests);
}
