/* ctl_ask.c - see ctl_ask.h. Blocking, with a time limit on every wait. */
#define _GNU_SOURCE
#include "reconciler/ctl_ask.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static enum rc_err
dial(const char *path, int limit_s, int *ret_fd, struct rc_error *e)
{
    const struct timeval limit = {.tv_sec = limit_s};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = -1;
    enum rc_err err = RC_OK;

    if (strlen(path) >= sizeof to.sun_path) {
        return rc_fail(e, RC_E_UNREACHABLE, "socket path is too long: %s", path);
    }
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        if (errno == EACCES) {
            err = rc_fail(e, RC_E_DENIED, "you may not write to %s: are you in its group?", path);
        } else {
            err =
                rc_fail(e, RC_E_UNREACHABLE, "no daemon answers at %s: %s", path, strerror(errno));
        }
        if (fd >= 0) {
            close(fd);
        }
        return err;
    }
    *ret_fd = fd;
    return RC_OK;
}

static enum rc_err
send_line(int fd, const cJSON *request, struct rc_error *e)
{
    char *text = cJSON_PrintUnformatted(request);
    size_t len = text ? strlen(text) : 0;
    size_t done = 0;

    if (!text) {
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    text[len++] = '\n'; /* in place of the NUL */
    while (done < len) {
        ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            free(text);
            return rc_fail(e, RC_E_UNREACHABLE, "the daemon hung up: %s", strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    free(text);
    return RC_OK;
}

static enum rc_err
fail_late(const char *path, int limit_s, struct rc_error *e)
{
    char host[65] = "this host";

    (void)gethostname(host, sizeof host - 1);
    return rc_fail(e, RC_E_TIMEOUT,
                   "the daemon on %.64s did not answer within %d s at %.100s: it hangs or was "
                   "stopped",
                   host, limit_s, path);
}

/* Up to the newline; *ret is malloc'd, with a NUL in its place. */
static enum rc_err
receive_line(int fd, char **ret, bool *ret_late, struct rc_error *e)
{
    char *text = NULL;
    size_t len = 0;
    size_t room = 0;

    for (;;) {
        ssize_t n = 0;
        if (len + 1 >= room) {
            char *bigger = room < RC_CTL_REPLY_MAX ? realloc(text, room * 2 + 65536) : NULL;
            if (!bigger) {
                free(text);
                return rc_fail(e, RC_E_TOO_LARGE, "the reply is too large");
            }
            text = bigger;
            room = room * 2 + 65536;
        }
        n = recv(fd, text + len, room - len - 1, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            *ret_late = n < 0 && errno == EAGAIN;
            free(text);
            return rc_fail(e, RC_E_TRUNCATED, "the daemon hung up without an answer");
        }
        len += (size_t)n;
        if (text[len - 1] == '\n') {
            text[len - 1] = '\0';
            *ret = text;
            return RC_OK;
        }
    }
}

enum rc_err
rc_ctl_ask(const char *socket_path, const struct cJSON *request, int limit_s, struct cJSON **ret,
           struct rc_error *e)
{
    char *text = NULL;
    int fd = -1;
    bool is_late = false;
    enum rc_err err = dial(socket_path, limit_s, &fd, e);

    if (err != RC_OK) {
        return err;
    }
    err = send_line(fd, request, e);
    if (err == RC_OK) {
        err = receive_line(fd, &text, &is_late, e);
    }
    close(fd);
    err = is_late ? fail_late(socket_path, limit_s, e) : err;
    if (err != RC_OK) {
        return err;
    }
    *ret = cJSON_Parse(text);
    free(text);
    if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(*ret, "ok"))) {
        cJSON_Delete(*ret);
        *ret = NULL;
        return rc_fail(e, RC_E_PARSE, "the daemon's answer cannot be read");
    }
    return RC_OK;
}
