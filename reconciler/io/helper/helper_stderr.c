/* helper_stderr.c - see helper_stderr.h. */
#include "reconciler/io/helper/helper_stderr.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINES_A_TURN = 64,
    HIGH_WATER = 64 << 10, /* bytes read ahead before the pipe pushes back */
};

struct rc_helper_stderr {
    struct bufferevent *bev;
    void (*on_line)(void *arg, const char *text);
    void *arg;
};

static void
hand_out_lines(struct rc_helper_stderr *s)
{
    struct evbuffer *in = bufferevent_get_input(s->bev);
    char text[RC_STDERR_LINE_MAX + 1];
    int lines = 0;

    for (;;) {
        struct evbuffer_ptr lf = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
        size_t len = lf.pos < 0 ? evbuffer_get_length(in) : (size_t)lf.pos;
        size_t kept = len < RC_STDERR_LINE_MAX ? len : RC_STDERR_LINE_MAX;

        if (lf.pos < 0 && len < RC_STDERR_LINE_MAX) {
            return;
        }
        (void)evbuffer_remove(in, text, kept);
        (void)evbuffer_drain(in, len - kept + (lf.pos < 0 ? 0 : 1));
        for (size_t i = 0; i < kept; i++) {
            text[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
        }
        text[kept] = '\0';
        if (lines++ < LINES_A_TURN) {
            s->on_line(s->arg, text);
        }
    }
}

static void
on_stderr_text(struct bufferevent *bev, void *arg)
{
    (void)bev;
    hand_out_lines(arg);
}

static void
on_stderr_closed(struct bufferevent *bev, short what, void *arg)
{
    (void)what;
    (void)arg;
    (void)bufferevent_disable(bev, EV_READ);
}

struct rc_helper_stderr *
rc_helper_stderr_open(struct event_base *base, int fd, void (*on_line)(void *arg, const char *text),
                      void *arg)
{
    struct rc_helper_stderr *s = calloc(1, sizeof *s);

    if (s) {
        s->on_line = on_line;
        s->arg = arg;
        s->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    if (!s || !s->bev) {
        free(s);
        (void)close(fd);
        return NULL;
    }
    bufferevent_setcb(s->bev, on_stderr_text, NULL, on_stderr_closed, s);
    bufferevent_setwatermark(s->bev, EV_READ, 0, HIGH_WATER);
    (void)bufferevent_enable(s->bev, EV_READ);
    return s;
}

void
rc_helper_stderr_close(struct rc_helper_stderr *s)
{
    struct evbuffer *in = s ? bufferevent_get_input(s->bev) : NULL;

    if (!s) {
        return;
    }
    /* A bufferevent keeps the end of its input frozen for all but itself. */
    (void)evbuffer_unfreeze(in, 0);
    (void)evbuffer_read(in, bufferevent_getfd(s->bev), HIGH_WATER);
    hand_out_lines(s);
    bufferevent_free(s->bev);
    free(s);
}
