/* syncer.c - see syncer.h.
 *
 * The two ends speak over a SOCK_SEQPACKET pair: one packet with descriptors is
 * one request, one packet with an errno is its answer. Nothing is numbered,
 * because answers come in the order of the requests.
 *
 * Failure modes: a disk that hangs hangs the child only; requests then wait, and
 * the daemon goes on without the actions that need them. A child that dies fails
 * its requests with RC_E_HELPER, and the next request starts another. */
#define _GNU_SOURCE
#include "reconciler/io/journal/syncer.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct request {
    struct request *next;
    rc_syncer_fn *cb;
    void *arg;
    int fds[RC_SYNCER_FILES_MAX]; /* our duplicates; -1 once they are sent */
    unsigned count;
    bool is_sent;
};

struct rc_syncer {
    struct event_base *base;
    int (*fdatasync_fn)(int fd);
    int sock;
    pid_t pid;
    struct event *on_readable;
    struct event *on_writable;
    struct request *head; /* oldest first: sent ones, then those that wait */
    struct request **tail;
};

union fd_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * RC_SYNCER_FILES_MAX)];
};

/* --- child ------------------------------------------------------------------- */

static unsigned
received_fds(struct msghdr *msg, int fds[RC_SYNCER_FILES_MAX])
{
    unsigned count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(c), count * sizeof(int));
        }
    }
    return count;
}

_Noreturn static void
serve_syncs(int sock, int (*fdatasync_fn)(int fd))
{
    for (;;) {
        union fd_control control;
        int fds[RC_SYNCER_FILES_MAX], answer = 0;
        uint8_t byte;
        struct iovec iov = {&byte, 1};
        struct msghdr msg = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
        ssize_t got = recvmsg(sock, &msg, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            _exit(0); /* the daemon is gone */
        }
        unsigned count = received_fds(&msg, fds);
        if (count == 0 || (msg.msg_flags & MSG_CTRUNC)) {
            answer = EMFILE; /* no room for the descriptors: nothing was synced */
        }
        for (unsigned i = 0; i < count; i++) {
            if (!answer && fdatasync_fn(fds[i]) != 0) {
                answer = errno;
            }
            close(fds[i]);
        }
        while (send(sock, &answer, sizeof answer, MSG_NOSIGNAL) < 0) {
            if (errno != EINTR) {
                _exit(0);
            }
        }
    }
}

/* The child keeps only its socket and stderr: not the journal's lock, not the
 * daemon's sockets. A stop of the whole service must not end it before the
 * daemon has had its last answer, so it leaves when the socket closes. */
_Noreturn static void
run_child(int sock, int (*fdatasync_fn)(int fd))
{
    sigset_t none;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "rc-syncer");
    if (dup2(sock, 3) != 3) {
        _exit(1);
    }
    close_range(4, ~0U, 0);
    close(0);
    close(1);
    serve_syncs(3, fdatasync_fn);
}

/* --- daemon's side ------------------------------------------------------------- */

static void
close_fds(struct request *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        if (r->fds[i] >= 0) {
            close(r->fds[i]);
            r->fds[i] = -1;
        }
    }
}

static void
answer_oldest(struct rc_syncer *s, enum rc_err code, const char *text)
{
    struct request *r = s->head;
    struct rc_error err;

    s->head = r->next;
    if (!s->head) {
        s->tail = &s->head;
    }
    close_fds(r);
    rc_fail(&err, code, "%s", text);
    r->cb(r->arg, code, &err);
    free(r);
}

static void
stop_child(struct rc_syncer *s)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};

    if (s->sock < 0) {
        return;
    }
    event_free(s->on_readable);
    event_free(s->on_writable);
    close(s->sock);
    s->sock = -1;
    /* A child inside a hanging disk cannot be ended; it is left behind after a second. */
    for (int i = 0; i < 500 && waitpid(s->pid, NULL, WNOHANG) == 0; i++) {
        nanosleep(&pause, NULL);
    }
}

static void
fail_sent_requests(struct rc_syncer *s)
{
    unsigned sent = 0;

    for (struct request *r = s->head; r && r->is_sent; r = r->next) {
        sent++;
    }
    while (sent--) {
        answer_oldest(s, RC_E_HELPER, "the sync helper died");
    }
}

static void send_waiting(struct rc_syncer *s);

static void
on_sync_answer(evutil_socket_t fd, short what, void *arg)
{
    struct rc_syncer *s = arg;
    int answer;

    (void)what;
    for (;;) {
        ssize_t got = recv((int)fd, &answer, sizeof answer, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got != sizeof answer || !s->head) {
            break;
        }
        if (answer) {
            char text[128];
            snprintf(text, sizeof text, "sync failed: %s", strerror(answer));
            answer_oldest(s, RC_E_DISK, text);
        } else {
            answer_oldest(s, RC_OK, "");
        }
    }
    stop_child(s);
    fail_sent_requests(s);
    send_waiting(s);
}

static void
on_sync_room(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    send_waiting(arg);
}

static enum rc_err
start_child(struct rc_syncer *s, struct rc_error *ret_err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        return rc_fail(ret_err, RC_E_HELPER, "cannot make a socket pair: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid < 0) {
        close(pair[0]);
        close(pair[1]);
        return rc_fail(ret_err, RC_E_HELPER, "cannot fork the sync helper: %s", strerror(errno));
    }
    if (pid == 0) {
        run_child(pair[1], s->fdatasync_fn);
    }
    close(pair[1]);
    s->on_readable = event_new(s->base, pair[0], EV_READ | EV_PERSIST, on_sync_answer, s);
    s->on_writable = event_new(s->base, pair[0], EV_WRITE, on_sync_room, s);
    assert(s->on_readable && s->on_writable);
    event_add(s->on_readable, NULL);
    s->sock = pair[0];
    s->pid = pid;
    return RC_OK;
}

static bool
send_request(struct rc_syncer *s, struct request *r)
{
    union fd_control control = {.bytes = {0}};
    uint8_t byte = (uint8_t)r->count;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(sizeof(int) * r->count)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * r->count);
    memcpy(CMSG_DATA(c), r->fds, sizeof(int) * r->count);
    return sendmsg(s->sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static void
send_waiting(struct rc_syncer *s)
{
    struct rc_error err;
    struct request *r = s->head;

    while (r && r->is_sent) {
        r = r->next;
    }
    if (r && s->sock < 0 && start_child(s, &err)) {
        while (s->head) {
            answer_oldest(s, RC_E_HELPER, err.text);
        }
        return;
    }
    for (; r; r = r->next) {
        if (!send_request(s, r)) {
            /* Full: go on when there is room. A dead child shows as readable. */
            event_add(s->on_writable, NULL);
            return;
        }
        r->is_sent = true;
        close_fds(r);
    }
}

enum rc_err
rc_syncer_new(struct event_base *base, int (*fdatasync_fn)(int fd), struct rc_syncer **ret_syncer,
              struct rc_error *ret_err)
{
    struct rc_syncer *s = calloc(1, sizeof *s);

    if (!s) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    s->base = base;
    s->fdatasync_fn = fdatasync_fn ? fdatasync_fn : fdatasync;
    s->sock = -1;
    s->tail = &s->head;
    enum rc_err e = start_child(s, ret_err);
    if (e) {
        free(s);
        return e;
    }
    *ret_syncer = s;
    return RC_OK;
}

void
rc_syncer_free(struct rc_syncer *s)
{
    if (!s) {
        return;
    }
    stop_child(s);
    while (s->head) {
        answer_oldest(s, RC_E_CANCELLED, "the sync helper is closed");
    }
    free(s);
}

enum rc_err
rc_syncer_sync(struct rc_syncer *s, const int *fds, unsigned count, rc_syncer_fn *cb, void *arg,
               struct rc_error *ret_err)
{
    assert(count > 0 && count <= RC_SYNCER_FILES_MAX);
    if (s->sock < 0) {
        enum rc_err e = start_child(s, ret_err);
        if (e) {
            return e;
        }
    }
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    r->cb = cb;
    r->arg = arg;
    for (; r->count < count; r->count++) {
        r->fds[r->count] = fcntl(fds[r->count], F_DUPFD_CLOEXEC, 0);
        if (r->fds[r->count] < 0) {
            enum rc_err e =
                rc_fail(ret_err, RC_E_HELPER, "cannot duplicate a descriptor: %s", strerror(errno));
            close_fds(r);
            free(r);
            return e;
        }
    }
    *s->tail = r;
    s->tail = &r->next;
    send_waiting(s);
    return RC_OK;
}
