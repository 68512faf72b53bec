/* ssh_probe.c - see ssh_probe.h.
 *
 * One socket event drives a list of stages; each stage is called again until libssh2
 * stops answering EAGAIN. finish_probe() is the only way out: it records the result, stops all
 * events but one, and that one delivers the result from the loop. */
#define _GNU_SOURCE
#include "reconciler/io/ssh/ssh_probe.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <libssh2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/ssh/ssh_hostkey.h"

enum { SSH_PORT = 22, CONNECT_MS = 5000, TOTAL_MS = 30000, OUTPUT_MAX = 16384 };

enum stage {
    STAGE_CONNECT,
    STAGE_HANDSHAKE,
    STAGE_AUTH,
    STAGE_CHANNEL,
    STAGE_EXEC,
    STAGE_READ,
    STAGE_CLOSE,
    STAGE_WAIT_CLOSED,
    STAGE__MAX
};

static const char *const stage_names[STAGE__MAX] = {
    [STAGE_CONNECT] = "TCP connect",       [STAGE_HANDSHAKE] = "ssh handshake",
    [STAGE_AUTH] = "authentication",       [STAGE_CHANNEL] = "opening a channel",
    [STAGE_EXEC] = "starting the command", [STAGE_READ] = "the command's end",
    [STAGE_CLOSE] = "closing the channel", [STAGE_WAIT_CLOSED] = "the exit status",
};

struct output {
    char *bytes;
    size_t len;
};

struct rc_ssh_probe {
    struct rc_ssh_hostkeys keys;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    char *where; /* "10.0.0.5 port 22", for messages */
    char *user, *key_file, *command;
    uint32_t connect_ms, total_ms;
    size_t output_max;

    rc_ssh_done_fn *done;
    void *arg;
    struct event_base *base;
    struct event *io, *connect_timer, *total_timer, *end;
    int fd;
    enum stage stage;
    LIBSSH2_SESSION *session;
    LIBSSH2_CHANNEL *channel;
    struct output out, err;
    struct rc_ssh_result result;
    bool finished;
};

static void finish_probe(struct rc_ssh_probe *p, enum rc_err code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
finish_probe(struct rc_ssh_probe *p, enum rc_err code, const char *fmt, ...)
{
    char text[200];
    va_list ap;

    if (p->finished) {
        return;
    }
    p->finished = true;
    p->result.err = code;
    if (code) {
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        (void)rc_fail(&p->result.error, code, "%s: %s", p->where, text);
    }
    if (p->io) {
        event_del(p->io);
    }
    event_del(p->connect_timer);
    event_del(p->total_timer);
    event_active(p->end, 0, 0);
}

/* The last libssh2 error as the end of the probe. */
static void
finish_on_error(struct rc_ssh_probe *p, int rc)
{
    char *why = NULL;
    enum rc_err code = RC_E_IO;

    libssh2_session_last_error(p->session, &why, NULL, 0);
    if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
        code = RC_E_DENIED;
    } else if (rc == LIBSSH2_ERROR_FILE) {
        code = RC_E_INVALID;
    }
    finish_probe(p, code, "%s failed: %s", stage_names[p->stage],
                 why && *why ? why : "connection lost");
}

static void
free_probe_event(struct event *ev)
{
    if (ev) {
        event_free(ev);
    }
}

static void
probe_free(struct rc_ssh_probe *p)
{
    free_probe_event(p->io);
    free_probe_event(p->connect_timer);
    free_probe_event(p->total_timer);
    free_probe_event(p->end);
    if (p->fd >= 0) {
        /* No goodbye: the other side may be stuck, and freeing must not wait for it. */
        (void)shutdown(p->fd, SHUT_RDWR);
    }
    if (p->session) {
        int rc = libssh2_session_free(p->session); /* and its channel */
        for (int tries = 0; rc == LIBSSH2_ERROR_EAGAIN && tries < 10; tries++) {
            rc = libssh2_session_free(p->session);
        }
    }
    if (p->fd >= 0) {
        close(p->fd);
    }
    libssh2_exit();
    free(p->where);
    free(p->user);
    free(p->key_file);
    free(p->command);
    free(p->out.bytes);
    free(p->err.bytes);
    free(p);
}

static void
on_probe_end(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ssh_probe *p = arg;

    (void)fd;
    (void)what;
    p->result.out = p->out.bytes ? p->out.bytes : "";
    p->result.out_len = p->out.len;
    p->result.err_out = p->err.bytes ? p->err.bytes : "";
    p->result.err_len = p->err.len;
    p->done(p->arg, &p->result);
    probe_free(p);
}

static void
on_connect_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ssh_probe *p = arg;

    (void)fd;
    (void)what;
    if (p->stage == STAGE_CONNECT) {
        finish_probe(p, RC_E_UNREACHABLE, "no TCP connection within %u ms", p->connect_ms);
    }
}

static void
on_total_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ssh_probe *p = arg;

    (void)fd;
    (void)what;
    finish_probe(p, RC_E_TIMEOUT, "%s not reached within %u ms", stage_names[p->stage],
                 p->total_ms);
}

/* The host key types that are pinned, so that the server shows a key of such a type. */
static int
prefer_pinned_types(struct rc_ssh_probe *p)
{
    char list[RC_SSH_KEYS_MAX * RC_SSH_KEY_TYPE_LEN] = "";

    for (size_t i = 0; i < p->keys.count; i++) {
        size_t len = strlen(list);
        if (!strstr(list, p->keys.key[i].type)) {
            snprintf(list + len, sizeof list - len, "%s%s", len ? "," : "", p->keys.key[i].type);
        }
    }
    return libssh2_session_method_pref(p->session, LIBSSH2_METHOD_HOSTKEY, list);
}

static int
stage_connect(struct rc_ssh_probe *p)
{
    int os = 0;
    socklen_t len = sizeof os;

    if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &os, &len) != 0 || os != 0) {
        finish_probe(p, RC_E_UNREACHABLE, "%s", strerror(os ? os : errno));
        return 0;
    }
    event_del(p->connect_timer);
    p->session = libssh2_session_init();
    if (!p->session) {
        finish_probe(p, RC_E_INTERNAL, "out of memory");
        return 0;
    }
    libssh2_session_set_blocking(p->session, 0);
    if (prefer_pinned_types(p) != 0) {
        finish_probe(p, RC_E_INVALID, "this libssh2 knows none of the pinned host key types");
    }
    return 0;
}

static int
stage_handshake(struct rc_ssh_probe *p)
{
    size_t len = 0;
    int type = 0;
    int rc = libssh2_session_handshake(p->session, p->fd);

    if (rc != 0) {
        return rc;
    }
    const char *shown = libssh2_session_hostkey(p->session, &len, &type);
    for (size_t i = 0; shown && i < p->keys.count; i++) {
        const struct rc_ssh_hostkey *key = &p->keys.key[i];
        if (key->len == len && memcmp(key->blob, shown, len) == 0) {
            return 0;
        }
    }
    finish_probe(p, RC_E_DENIED, "the host key is none of the %zu pinned ones: another host?",
                 p->keys.count);
    return 0;
}

static int
stage_auth(struct rc_ssh_probe *p)
{
    return libssh2_userauth_publickey_fromfile_ex(p->session, p->user, (unsigned)strlen(p->user),
                                                  NULL, p->key_file, NULL);
}

static int
stage_channel(struct rc_ssh_probe *p)
{
    p->channel = libssh2_channel_open_session(p->session);
    return p->channel ? 0 : libssh2_session_last_errno(p->session);
}

static int
stage_exec(struct rc_ssh_probe *p)
{
    return libssh2_channel_exec(p->channel, p->command);
}

/* Reads one stream until it has nothing more now. Keeps the first output_max bytes. */
static ssize_t
read_stream(struct rc_ssh_probe *p, int stream, struct output *out)
{
    char chunk[4096];
    ssize_t got;

    while ((got = libssh2_channel_read_ex(p->channel, stream, chunk, sizeof chunk)) > 0) {
        size_t room = p->output_max - out->len;
        size_t keep = (size_t)got < room ? (size_t)got : room;
        p->result.cut = p->result.cut || keep < (size_t)got;
        memcpy(out->bytes + out->len, chunk, keep);
        out->len += keep;
        out->bytes[out->len] = '\0';
    }
    return got;
}

static int
stage_read(struct rc_ssh_probe *p)
{
    ssize_t out = read_stream(p, 0, &p->out);
    ssize_t err = read_stream(p, SSH_EXTENDED_DATA_STDERR, &p->err);

    if (libssh2_channel_eof(p->channel) == 1) {
        return 0;
    }
    if (out < 0 && out != LIBSSH2_ERROR_EAGAIN) {
        return (int)out;
    }
    return err < 0 ? (int)err : LIBSSH2_ERROR_EAGAIN;
}

static int
stage_close(struct rc_ssh_probe *p)
{
    return libssh2_channel_close(p->channel);
}

static int
stage_wait_closed(struct rc_ssh_probe *p)
{
    char *name = NULL;
    int rc = libssh2_channel_wait_closed(p->channel);

    if (rc != 0) {
        return rc;
    }
    p->result.exit_status = libssh2_channel_get_exit_status(p->channel);
    libssh2_channel_get_exit_signal(p->channel, &name, NULL, NULL, NULL, NULL, NULL);
    if (name) {
        snprintf(p->result.exit_signal, sizeof p->result.exit_signal, "%s", name);
        libssh2_free(p->session, name);
    }
    finish_probe(p, RC_OK, "%s", "");
    return 0;
}

static int (*const stages[STAGE__MAX])(struct rc_ssh_probe *p) = {
    [STAGE_CONNECT] = stage_connect, [STAGE_HANDSHAKE] = stage_handshake,
    [STAGE_AUTH] = stage_auth,       [STAGE_CHANNEL] = stage_channel,
    [STAGE_EXEC] = stage_exec,       [STAGE_READ] = stage_read,
    [STAGE_CLOSE] = stage_close,     [STAGE_WAIT_CLOSED] = stage_wait_closed,
};

/* Waits for what libssh2 waits for. */
static void
rearm_probe(struct rc_ssh_probe *p, evutil_socket_t fd, event_callback_fn on_probe_io)
{
    int waits = libssh2_session_block_directions(p->session);
    short what = 0;

    what = (short)(what | ((waits & LIBSSH2_SESSION_BLOCK_OUTBOUND) ? EV_WRITE : 0));
    what = (short)(what | ((waits & LIBSSH2_SESSION_BLOCK_INBOUND) || !what ? EV_READ : 0));
    event_del(p->io);
    event_assign(p->io, p->base, fd, what, on_probe_io, p);
    if (event_add(p->io, NULL) != 0) {
        finish_probe(p, RC_E_INTERNAL, "cannot wait for the socket");
    }
}

static void
on_probe_io(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ssh_probe *p = arg;
    int rc = 0;

    (void)what;
    while (!p->finished && rc == 0) {
        rc = stages[p->stage](p);
        if (rc == 0 && !p->finished) {
            p->stage++;
            assert(p->stage < STAGE__MAX);
        }
    }
    if (p->finished) {
        return;
    }
    if (rc == LIBSSH2_ERROR_EAGAIN) {
        rearm_probe(p, fd, on_probe_io);
    } else {
        finish_on_error(p, rc);
    }
}

static void
start_connect(struct rc_ssh_probe *p)
{
    p->fd = socket(p->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0) {
        finish_probe(p, RC_E_IO, "cannot make a socket: %s", strerror(errno));
        return;
    }
    if (connect(p->fd, (const struct sockaddr *)&p->addr, p->addr_len) != 0 &&
        errno != EINPROGRESS) {
        finish_probe(p, RC_E_UNREACHABLE, "%s", strerror(errno));
        return;
    }
    p->io = event_new(p->base, p->fd, EV_WRITE, on_probe_io, p);
    if (!p->io || event_add(p->io, NULL) != 0) {
        finish_probe(p, RC_E_INTERNAL, "cannot wait for the socket");
    }
}

static bool
read_ssh_address(struct rc_ssh_probe *p, const char *text, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&p->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&p->addr;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        p->addr_len = sizeof *v4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        p->addr_len = sizeof *v6;
        return true;
    }
    return false;
}

/* Copies the command into p. */
static enum rc_err
take_command(struct rc_ssh_probe *p, const struct rc_ssh_command *cmd, struct rc_error *e)
{
    uint16_t port = cmd->port ? cmd->port : SSH_PORT;

    if (!read_ssh_address(p, cmd->addr, port)) {
        return rc_fail(e, RC_E_INVALID, "\"%.64s\" is not a numeric address", cmd->addr);
    }
    if (access(cmd->key_file, R_OK) != 0) {
        return rc_fail(e, RC_E_INVALID, "cannot read the ssh key %s: %s", cmd->key_file,
                       strerror(errno));
    }
    p->connect_ms = cmd->connect_timeout_ms ? cmd->connect_timeout_ms : CONNECT_MS;
    p->total_ms = cmd->total_timeout_ms ? cmd->total_timeout_ms : TOTAL_MS;
    p->output_max = cmd->output_max ? cmd->output_max : OUTPUT_MAX;
    p->user = strdup(cmd->user);
    p->key_file = strdup(cmd->key_file);
    p->command = strdup(cmd->command);
    p->out.bytes = calloc(1, p->output_max + 1);
    p->err.bytes = calloc(1, p->output_max + 1);
    if (asprintf(&p->where, "%s port %u", cmd->addr, port) < 0 || !p->user || !p->key_file ||
        !p->command || !p->out.bytes || !p->err.bytes) {
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    return rc_ssh_hostkeys_parse(cmd->host_keys, &p->keys, e);
}

static struct timeval
ms_to_timeval(uint32_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static enum rc_err
arm_timers(struct rc_ssh_probe *p, struct rc_error *e)
{
    struct timeval connect = ms_to_timeval(p->connect_ms), total = ms_to_timeval(p->total_ms);

    p->end = evtimer_new(p->base, on_probe_end, p);
    p->connect_timer = evtimer_new(p->base, on_connect_timeout, p);
    p->total_timer = evtimer_new(p->base, on_total_timeout, p);
    if (!p->end || !p->connect_timer || !p->total_timer ||
        evtimer_add(p->connect_timer, &connect) != 0 || evtimer_add(p->total_timer, &total) != 0) {
        return rc_fail(e, RC_E_INTERNAL, "cannot make a timer");
    }
    return RC_OK;
}

struct rc_ssh_probe *
rc_ssh_start(struct event_base *base, const struct rc_ssh_command *cmd, rc_ssh_done_fn *done,
             void *arg, struct rc_error *e)
{
    struct rc_ssh_probe *p = calloc(1, sizeof *p);

    if (!p || libssh2_init(0) != 0) {
        free(p);
        (void)rc_fail(e, RC_E_INTERNAL, "cannot initialise libssh2");
        return NULL;
    }
    p->base = base;
    p->done = done;
    p->arg = arg;
    p->fd = -1;
    if (take_command(p, cmd, e) != RC_OK || arm_timers(p, e) != RC_OK) {
        probe_free(p);
        return NULL;
    }
    start_connect(p);
    return p;
}

void
rc_ssh_cancel(struct rc_ssh_probe *p)
{
    finish_probe(p, RC_E_CANCELLED, "cancelled while waiting for %s", stage_names[p->stage]);
}
