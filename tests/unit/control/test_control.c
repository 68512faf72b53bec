/* The control socket, with real connections: replies, limits, permissions, leftovers. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <cjson/cJSON.h>
#include <event2/event.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "reconciler/io/control/control.h"

static char dir[] = "/tmp/rc-control-XXXXXX";
static char path[64];
static struct event_base *base;
static struct rc_control *control;
static char reply[2 * RC_CONTROL_LINE_MAX];
static unsigned handled;
static char tag[] = "me";

static struct cJSON *
echo(void *arg, const struct rc_control_peer *peer, const struct cJSON *request)
{
    cJSON *r = NULL;

    handled++;
    if (cJSON_GetObjectItem(request, "refuse")) {
        return rc_control_refuse(RC_E_STATE, "incident %d waits for nothing", 7);
    }
    if (cJSON_GetObjectItem(request, "nothing")) {
        return NULL;
    }
    r = rc_control_ok();
    cJSON_AddStringToObject(r, "user", peer->user);
    cJSON_AddNumberToObject(r, "pid", peer->pid);
    cJSON_AddStringToObject(r, "arg", arg);
    cJSON_AddItemToObject(r, "request", cJSON_Duplicate(request, 1));
    return r;
}

static enum rc_err
start(const char *at, uint32_t mode, const char *group, struct rc_error *e)
{
    const struct rc_control_options options = {
        .path = at, .mode = mode, .group = group, .handler = echo, .arg = tag};

    return rc_control_new(base, &options, &control, e);
}

static int
dial(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Runs the loop until so many lines came or the daemon closed; true when it closed. */
static bool
hear(int fd, unsigned lines)
{
    size_t len = 0;
    unsigned seen = 0;

    reply[0] = '\0';
    for (int turn = 0; turn < 2000 && seen < lines; turn++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        ssize_t n = recv(fd, reply + len, sizeof reply - 1 - len, MSG_DONTWAIT);
        if (n == 0) {
            return true;
        }
        for (ssize_t i = 0; i < n; i++) {
            seen += reply[len++] == '\n';
        }
        reply[len] = '\0';
        usleep(n > 0 ? 0 : 1000);
    }
    return false;
}

static void
stop(void)
{
    rc_control_free(control);
    control = NULL;
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
}

static void
a_request_gets_a_reply_with_the_callers_name(void)
{
    struct rc_error e;
    char want[256];
    const struct passwd *pw = getpwuid(getuid());

    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    int fd = dial();
    say(fd, "{\"cmd\":\"status\"}\n");
    hear(fd, 1);
    snprintf(want, sizeof want,
             "{\"ok\":true,\"user\":\"%s\",\"pid\":%d,\"arg\":\"me\",\"request\":{\"cmd\":"
             "\"status\"}}\n",
             pw ? pw->pw_name : "?", (int)getpid());
    CU_ASSERT_STRING_EQUAL(reply, want);
    say(fd, "{\"refuse\":1}\n");
    hear(fd, 1);
    CU_ASSERT_STRING_EQUAL(reply, "{\"ok\":false,\"error\":\"wrong-state\",\"text\":\"incident 7 "
                                  "waits for nothing\"}\n");
    say(fd, "{\"nothing\":1}\n");
    hear(fd, 1);
    CU_ASSERT_STRING_EQUAL(
        reply, "{\"ok\":false,\"error\":\"internal\",\"text\":\"no reply could be made\"}\n");
    close(fd);
    stop();
}

static void
requests_in_one_piece_or_in_many_are_answered_in_order(void)
{
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    int fd = dial();
    say(fd, "{\"n\":1}\n{\"n\":2}\n{\"n\"");
    hear(fd, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "{\"n\":1}}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "{\"n\":2}}\n"));
    say(fd, ":3}\n");
    /* A peer that says no more still gets its answer. */
    shutdown(fd, SHUT_WR);
    hear(fd, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "{\"n\":3}}\n"));
    CU_ASSERT_TRUE(hear(fd, 1));
    close(fd);
    stop();
}

static void
what_is_no_object_is_refused_and_ends_the_connection(void)
{
    static const struct {
        const char *name;
        const char *text;
    } bad[] = {
        {"a bare word", "status\n"},
        {"a list", "[1]\n"},
        {"text behind the object", "{\"a\":1} x\n"},
        {"an object cut short", "{\"a\":\n"},
        {"an empty line", "\n"},
        {"two objects", "{\"a\":1}{\"b\":2}\n"},
    };
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    handled = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = dial();
        say(fd, bad[i].text);
        bool is_closed = hear(fd, 2);
        rc_case(is_closed && strcmp(reply, "{\"ok\":false,\"error\":\"unreadable\",\"text\":"
                                           "\"expected one JSON object a line\"}\n") == 0,
                bad[i].name, "%s", reply);
        close(fd);
    }
    CU_ASSERT_EQUAL(handled, 0);
    stop();
}

static void
an_endless_request_is_refused(void)
{
    struct rc_error e;
    char *large = malloc(RC_CONTROL_LINE_MAX + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 'x', RC_CONTROL_LINE_MAX);
    large[RC_CONTROL_LINE_MAX] = '\0';
    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    int fd = dial();
    say(fd, large);
    hear(fd, 1);
    CU_ASSERT_STRING_EQUAL(reply, "{\"ok\":false,\"error\":\"too-large\",\"text\":\"a request has "
                                  "at most 65536 bytes\"}\n");
    close(fd);
    free(large);
    stop();
}

static void
connections_beyond_the_limit_are_closed(void)
{
    struct rc_error e;
    int fd[RC_CONTROL_PEERS_MAX + 1];

    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    for (int i = 0; i <= RC_CONTROL_PEERS_MAX; i++) {
        fd[i] = dial();
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    CU_ASSERT_TRUE(hear(fd[RC_CONTROL_PEERS_MAX], 1));
    close(fd[0]);
    event_base_loop(base, EVLOOP_NONBLOCK);
    close(fd[RC_CONTROL_PEERS_MAX]);
    fd[RC_CONTROL_PEERS_MAX] = dial();
    say(fd[RC_CONTROL_PEERS_MAX], "{}\n");
    CU_ASSERT_FALSE(hear(fd[RC_CONTROL_PEERS_MAX], 1));
    for (int i = 1; i <= RC_CONTROL_PEERS_MAX; i++) {
        close(fd[i]);
    }
    stop();
}

static void
mode_and_group_are_as_asked(void)
{
    struct rc_error e;
    struct stat st;

    CU_ASSERT_EQUAL_FATAL(start(path, 0620, "", &e), RC_OK);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0620);
    stop();
    CU_ASSERT_EQUAL(start(path, 0660, "no-such-group", &e), RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "there is no group \"no-such-group\""));
    CU_ASSERT_EQUAL(access(path, F_OK), -1);
    if (getuid() == 0) {
        CU_ASSERT_EQUAL_FATAL(start(path, 0660, "daemon", &e), RC_OK);
        CU_ASSERT_EQUAL(stat(path, &st), 0);
        CU_ASSERT_TRUE(st.st_gid != 0);
        stop();
    }
}

static void
a_leftover_socket_is_replaced_a_living_one_is_not(void)
{
    struct rc_control *first = NULL;
    struct rc_error e;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&to, sizeof to), 0);
    close(fd);
    CU_ASSERT_EQUAL_FATAL(start(path, 0600, "", &e), RC_OK);
    first = control;
    CU_ASSERT_EQUAL(start(path, 0600, "", &e), RC_E_STATE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "another daemon answers there"));
    control = first;
    stop();
}

static void
paths_that_cannot_be_are_refused(void)
{
    struct rc_error e;
    char large[200];

    memset(large, 'x', sizeof large - 1);
    large[0] = '/';
    large[sizeof large - 1] = '\0';
    CU_ASSERT_EQUAL(start(large, 0600, "", &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(start("", 0600, "", &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(start("/nowhere/at/all.sock", 0600, "", &e), RC_E_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "No such file or directory"));
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fclose(f);
    CU_ASSERT_EQUAL(start(path, 0600, "", &e), RC_E_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "a file of another kind is there"));
    CU_ASSERT_EQUAL(access(path, F_OK), 0);
    unlink(path);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a request gets a reply with the caller's name",
         a_request_gets_a_reply_with_the_callers_name},
        {"requests in one piece or in many are answered in order",
         requests_in_one_piece_or_in_many_are_answered_in_order},
        {"what is no object is refused and ends the connection",
         what_is_no_object_is_refused_and_ends_the_connection},
        {"an endless request is refused", an_endless_request_is_refused},
        {"connections beyond the limit are closed", connections_beyond_the_limit_are_closed},
        {"mode and group are as asked", mode_and_group_are_as_asked},
        {"a leftover socket is replaced, a living one is not",
         a_leftover_socket_is_replaced_a_living_one_is_not},
        {"paths that cannot be are refused", paths_that_cannot_be_are_refused},
        CU_TEST_INFO_NULL,
    };
    if (!mkdtemp(dir)) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/s", dir);
    base = event_base_new();
    int status = rc_test_main("control", tests);
    event_base_free(base);
    rmdir(dir);
    return status;
}
