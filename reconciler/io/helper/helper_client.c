/* helper_client.c - see helper_client.h.
 *
 * States: DOWN (back-off timer runs) -> STARTING (spawned, no hello) -> UP. What
 * ends a life (EOF, a line that cannot be read, a wrong seq, a time-out) goes
 * through helper_down(), which kills and reaps the child, answers all pending
 * requests and arms the back-off timer. The child is our unreaped child until
 * then, so its pid cannot have become another process. */
#define _GNU_SOURCE
#include "reconciler/io/helper/helper_client.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/helper/helper_spawn.h"
#include "reconciler/io/helper/helper_stderr.h"

enum {
    HELLO_TIMEOUT_MS = 15000,
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 10000,
    PENDING_MAX = 65536,
    READ_HIGH = 4 << 20, /* bytes read ahead before the socket pushes back */
};

struct request {
    STAILQ_ENTRY(request) link;
    uint64_t seq;
    struct rc_helper_call call;
    struct rc_error refused; /* taken while down: ended by the deferred event */
};
STAILQ_HEAD(request_list, request);

enum life { LIFE_DOWN, LIFE_STARTING, LIFE_UP };

struct rc_helper {
    struct rc_helper_config config;
    char *name, *role;
    char **argv;
    enum life life;
    pid_t pid;
    uint32_t starts;
    uint32_t backoff_ms; /* of the next death */
    uint64_t next_seq;
    uint32_t pending_count;
    int64_t head_since_ms; /* when the oldest request became the oldest */
    bool in_callback, given_up;
    struct request_list pending; /* sent, in order */
    struct request_list refused; /* never sent */
    struct bufferevent *line_bev;
    struct rc_helper_stderr *log;
    struct event *start_timer;
    struct event *work_timer;
    struct event *refuse_event;
    char last_log[RC_STDERR_LINE_MAX + 1]; /* of this life: why it died, most likely */
    struct rc_line_out out;
    char out_buf[RC_LINE_MAX];
    char in_buf[RC_LINE_MAX + 1];
};

static int64_t
helper_now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct timeval
helper_timeval(int64_t ms)
{
    ms = ms > 0 ? ms : 0;
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static void
on_stderr_line(void *arg, const char *text)
{
    struct rc_helper *h = arg;

    (void)snprintf(h->last_log, sizeof h->last_log, "%s", text);
    if (h->config.on_log) {
        h->config.on_log(h->config.arg, text);
    }
}

static void
tell_state(struct rc_helper *h, const struct rc_line *hello, const struct rc_error *e,
           uint32_t retry_ms)
{
    bool nested = h->in_callback;

    if (h->config.on_state) {
        h->in_callback = true;
        h->config.on_state(h->config.arg, hello, e, retry_ms);
        h->in_callback = nested;
    }
}

/* The timer stands for hello while starting, else for the oldest request. */
static void
work_timer_set(struct rc_helper *h)
{
    const struct request *oldest = STAILQ_FIRST(&h->pending);
    struct timeval tv;

    if (h->life == LIFE_STARTING) {
        tv = helper_timeval(h->config.hello_timeout_ms);
    } else if (h->life == LIFE_UP && oldest) {
        tv = helper_timeval(h->head_since_ms + oldest->call.timeout_ms - helper_now_ms());
    } else {
        (void)event_del(h->work_timer);
        return;
    }
    (void)event_add(h->work_timer, &tv);
}

static void
request_end(struct rc_helper *h, struct request *req, const struct rc_line *ok,
            const struct rc_error *e)
{
    bool nested = h->in_callback;

    h->pending_count--;
    h->in_callback = true;
    req->call.end(req->call.arg, ok, e);
    h->in_callback = nested;
    free(req);
}

static void
end_refused(evutil_socket_t fd, short what, void *arg)
{
    struct rc_helper *h = arg;
    struct request_list list = STAILQ_HEAD_INITIALIZER(list);
    struct request *req;

    (void)fd;
    (void)what;
    STAILQ_CONCAT(&list, &h->refused);
    while ((req = STAILQ_FIRST(&list)) != NULL) {
        STAILQ_REMOVE_HEAD(&list, link);
        request_end(h, req, NULL, &req->refused);
    }
}

static void
child_stop(struct rc_helper *h)
{
    if (h->line_bev) {
        bufferevent_free(h->line_bev);
        h->line_bev = NULL;
    }
    if (h->pid > 0) {
        /* SIGKILL cannot be blocked: the wait is for the kernel's own work only. */
        (void)kill(h->pid, SIGKILL);
        while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        h->pid = 0;
    }
    /* Last: what it said before it ended is complete only now. */
    rc_helper_stderr_close(h->log);
    h->log = NULL;
}

/* The end of a life. first_err is for the oldest request, the rest get RC_E_HELPER. */
static void
helper_down(struct rc_helper *h, enum rc_err first_err, const char *why)
{
    struct request_list list = STAILQ_HEAD_INITIALIZER(list);
    struct rc_error e;
    struct request *req;
    uint32_t retry_ms = h->backoff_ms;
    struct timeval tv = helper_timeval(retry_ms);

    child_stop(h);
    h->given_up = false;
    h->life = LIFE_DOWN;
    h->backoff_ms =
        retry_ms > h->config.backoff_max_ms / 2 ? h->config.backoff_max_ms : retry_ms * 2;
    (void)event_add(h->start_timer, &tv);
    work_timer_set(h);
    STAILQ_CONCAT(&list, &h->pending);
    (void)rc_fail(&e, RC_E_HELPER, "%s: %s%s%.120s", h->name, why,
                  h->last_log[0] ? "; it said: " : "", h->last_log);
    tell_state(h, NULL, &e, retry_ms);
    e.code = first_err;
    while ((req = STAILQ_FIRST(&list)) != NULL) {
        STAILQ_REMOVE_HEAD(&list, link);
        request_end(h, req, NULL, &e);
        e.code = RC_E_HELPER;
    }
}

static void
on_helper_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct rc_helper *h = arg;

    (void)fd;
    (void)what;
    if (h->life == LIFE_STARTING) {
        helper_down(h, RC_E_HELPER, "no hello in time, killed");
    } else if (h->given_up) {
        helper_down(h, RC_E_HELPER, "what it waited for is gone, killed");
    } else {
        helper_down(h, RC_E_TIMEOUT, "no answer in time, killed");
    }
}

void
rc_helper_give_up(struct rc_helper *h, uint32_t after_ms)
{
    if (h->life == LIFE_UP && STAILQ_FIRST(&h->pending) &&
        helper_now_ms() - h->head_since_ms >= (int64_t)after_ms) {
        h->given_up = true;
        event_active(h->work_timer, EV_TIMEOUT, 0);
    }
}

static bool
take_hello(struct rc_helper *h, const struct rc_line *line)
{
    const char *role = rc_line_text(line, "role", "");
    char why[160];

    if (line->seq != 0) {
        helper_down(h, RC_E_HELPER, "answered before its hello");
        return false;
    }
    if (line->version != RC_LINE_VERSION) {
        (void)snprintf(why, sizeof why, "speaks protocol %" PRIu64 ", not %d", line->version,
                       RC_LINE_VERSION);
        helper_down(h, RC_E_HELPER, why);
        return false;
    }
    if (h->role && strcmp(role, h->role) != 0) {
        (void)snprintf(why, sizeof why, "has role '%.40s', not '%.40s'", role, h->role);
        helper_down(h, RC_E_HELPER, why);
        return false;
    }
    h->life = LIFE_UP;
    h->head_since_ms = helper_now_ms();
    work_timer_set(h);
    tell_state(h, line, NULL, 0);
    return true;
}

static void
take_end(struct rc_helper *h, struct request *req, const struct rc_line *line)
{
    struct rc_error e;

    STAILQ_REMOVE_HEAD(&h->pending, link);
    h->head_since_ms = helper_now_ms();
    h->backoff_ms = h->config.backoff_min_ms;
    work_timer_set(h);
    if (strcmp(line->word, "ok") == 0) {
        request_end(h, req, line, NULL);
        return;
    }
    (void)rc_fail(&e, rc_err_from_name(rc_line_text(line, "code", "")), "%s",
                  rc_line_text(line, "text", ""));
    if (e.code == RC_OK) {
        e.code = RC_E_INTERNAL;
    }
    (void)snprintf(e.service_code, sizeof e.service_code, "%s", rc_line_text(line, "errno", ""));
    request_end(h, req, NULL, &e);
}

/* One line of the helper. False: the life ended, read no further. */
static bool
take_line(struct rc_helper *h, size_t len)
{
    struct request *req = STAILQ_FIRST(&h->pending);
    struct rc_line line;
    struct rc_error e;
    char why[320];

    if (rc_line_parse(h->in_buf, len, &line, &e) != RC_OK) {
        (void)snprintf(why, sizeof why, "unreadable line: %s", e.text);
        helper_down(h, RC_E_HELPER, why);
        return false;
    }
    if (h->life == LIFE_STARTING) {
        return take_hello(h, &line);
    }
    if (!req || line.seq != req->seq) {
        (void)snprintf(why, sizeof why, "answered request %" PRIu64 ", which is not its turn",
                       line.seq);
        helper_down(h, RC_E_HELPER, why);
        return false;
    }
    if (strcmp(line.word, "ok") == 0 || strcmp(line.word, "err") == 0) {
        take_end(h, req, &line);
    } else if (req->call.row) {
        h->in_callback = true;
        req->call.row(req->call.arg, &line);
        h->in_callback = false;
    }
    return true;
}

static void
on_helper_line(struct bufferevent *bev, void *arg)
{
    struct rc_helper *h = arg;
    struct evbuffer *in = bufferevent_get_input(bev);

    for (;;) {
        struct evbuffer_ptr lf = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
        size_t len = (size_t)lf.pos;

        if (lf.pos < 0 ? evbuffer_get_length(in) >= RC_LINE_MAX : len >= RC_LINE_MAX) {
            helper_down(h, RC_E_HELPER, "a line over the limit");
            return;
        }
        if (lf.pos < 0) {
            return;
        }
        (void)evbuffer_remove(in, h->in_buf, len + 1);
        if (!take_line(h, len)) {
            return;
        }
    }
}

/* An ending process closes its descriptors just before it can be waited for: a few
 * milliseconds of patience give the report its cause of death. */
static bool
child_reap(struct rc_helper *h, int *status)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; i < 10; i++) {
        if (waitpid(h->pid, status, WNOHANG) == h->pid) {
            h->pid = 0;
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void
on_helper_closed(struct bufferevent *bev, short what, void *arg)
{
    struct rc_helper *h = arg;
    char why[64] = "closed its output";
    int status;

    (void)bev;
    (void)what;
    if (child_reap(h, &status)) {
        (void)snprintf(why, sizeof why,
                       WIFSIGNALED(status) ? "killed by signal %d" : "exited with %d",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    helper_down(h, RC_E_HELPER, why);
}

static void
helper_start(evutil_socket_t fd, short what, void *arg)
{
    struct rc_helper *h = arg;
    struct rc_spawned child;
    struct rc_error e;

    (void)fd;
    (void)what;
    h->starts++;
    h->last_log[0] = '\0';
    if (rc_helper_spawn(h->argv, &child, &e) != RC_OK) {
        helper_down(h, RC_E_HELPER, e.text);
        return;
    }
    h->pid = child.pid;
    h->line_bev = bufferevent_socket_new(h->config.base, child.line_fd, BEV_OPT_CLOSE_ON_FREE);
    h->log = rc_helper_stderr_open(h->config.base, child.log_fd, on_stderr_line, h);
    if (!h->line_bev || !h->log) {
        (void)close(h->line_bev ? -1 : child.line_fd);
        helper_down(h, RC_E_HELPER, "no memory for its pipes");
        return;
    }
    bufferevent_setcb(h->line_bev, on_helper_line, NULL, on_helper_closed, h);
    bufferevent_setwatermark(h->line_bev, EV_READ, 0, READ_HIGH);
    (void)bufferevent_enable(h->line_bev, EV_READ | EV_WRITE);
    h->life = LIFE_STARTING;
    work_timer_set(h);
}

static char **
argv_copy(const char *const *argv)
{
    size_t n = 0;
    char **copy;

    while (argv[n]) {
        n++;
    }
    copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = strdup(argv[i]);
        if (!copy[i]) {
            while (i > 0) {
                free(copy[--i]);
            }
            free(copy);
            return NULL;
        }
    }
    return copy;
}

static bool
helper_fill(struct rc_helper *h, const struct rc_helper_config *config)
{
    h->config = *config;
    h->config.hello_timeout_ms =
        config->hello_timeout_ms ? config->hello_timeout_ms : HELLO_TIMEOUT_MS;
    h->config.backoff_min_ms = config->backoff_min_ms ? config->backoff_min_ms : BACKOFF_MIN_MS;
    h->config.backoff_max_ms = config->backoff_max_ms ? config->backoff_max_ms : BACKOFF_MAX_MS;
    h->backoff_ms = h->config.backoff_min_ms;
    h->next_seq = 1;
    STAILQ_INIT(&h->pending);
    STAILQ_INIT(&h->refused);
    h->name = strdup(config->name);
    h->role = config->role ? strdup(config->role) : NULL;
    h->argv = argv_copy(config->argv);
    h->start_timer = evtimer_new(config->base, helper_start, h);
    h->work_timer = evtimer_new(config->base, on_helper_timeout, h);
    h->refuse_event = event_new(config->base, -1, 0, end_refused, h);
    return h->name && (h->role || !config->role) && h->argv && h->start_timer && h->work_timer &&
           h->refuse_event;
}

struct rc_helper *
rc_helper_new(const struct rc_helper_config *config, struct rc_error *e)
{
    struct rc_helper *h;
    struct timeval at_once = {0};

    if (!config->base || !config->name || !config->argv || !config->argv[0]) {
        (void)rc_fail(e, RC_E_INVALID, "a helper needs a loop, a name and a program");
        return NULL;
    }
    h = calloc(1, sizeof *h);
    if (!h || !helper_fill(h, config) || event_add(h->start_timer, &at_once) != 0) {
        rc_helper_free(h);
        (void)rc_fail(e, RC_E_FULL, "no memory for helper %s", config->name);
        return NULL;
    }
    return h;
}

static void
request_list_free(struct request_list *list)
{
    struct request *req;

    while ((req = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, link);
        free(req);
    }
}

void
rc_helper_free(struct rc_helper *h)
{
    if (!h) {
        return;
    }
    assert(!h->in_callback);
    h->config.on_log = NULL;
    child_stop(h);
    request_list_free(&h->pending);
    request_list_free(&h->refused);
    for (char **arg = h->argv; arg && *arg; arg++) {
        free(*arg);
    }
    free(h->argv);
    free(h->name);
    free(h->role);
    if (h->start_timer) {
        event_free(h->start_timer);
    }
    if (h->work_timer) {
        event_free(h->work_timer);
    }
    if (h->refuse_event) {
        event_free(h->refuse_event);
    }
    free(h);
}

struct rc_line_out *
rc_helper_begin(struct rc_helper *h, const char *verb)
{
    rc_line_begin(&h->out, h->out_buf, sizeof h->out_buf, h->next_seq, verb);
    if (h->config.until_ms) {
        int64_t until_ms = h->config.until_ms(h->config.until_arg);
        rc_line_put_u64(&h->out, "until", until_ms > 0 ? (uint64_t)until_ms : 1);
    }
    return &h->out;
}

enum rc_err
rc_helper_send(struct rc_helper *h, const struct rc_helper_call *call, struct rc_error *e)
{
    size_t len = rc_line_end(&h->out);
    struct request *req;

    assert(call->end && call->timeout_ms > 0);
    if (len == 0) {
        return rc_fail(e, RC_E_TOO_LARGE, "%s: a request over the limit of a line", h->name);
    }
    req = h->pending_count < PENDING_MAX ? calloc(1, sizeof *req) : NULL;
    if (!req) {
        return rc_fail(e, RC_E_FULL, "%s: too many requests wait", h->name);
    }
    req->seq = h->next_seq++;
    req->call = *call;
    h->pending_count++;
    if (h->life == LIFE_DOWN || bufferevent_write(h->line_bev, h->out_buf, len) != 0) {
        (void)rc_fail(&req->refused, RC_E_HELPER, "%s is down", h->name);
        STAILQ_INSERT_TAIL(&h->refused, req, link);
        event_active(h->refuse_event, EV_TIMEOUT, 0);
        return RC_OK;
    }
    STAILQ_INSERT_TAIL(&h->pending, req, link);
    if (h->life == LIFE_UP && STAILQ_FIRST(&h->pending) == req) {
        h->head_since_ms = helper_now_ms();
        work_timer_set(h);
    }
    return RC_OK;
}

bool
rc_helper_is_up(const struct rc_helper *h)
{
    return h->life == LIFE_UP;
}

pid_t
rc_helper_pid(const struct rc_helper *h)
{
    return h->pid;
}

uint32_t
rc_helper_starts(const struct rc_helper *h)
{
    return h->starts;
}

uint32_t
rc_helper_pending(const struct rc_helper *h)
{
    return h->pending_count;
}
