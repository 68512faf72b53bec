/* Two ends of the peer link on one loop: they hear each other, and nobody else. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reconciler/io/controller/peer_link.h"

struct end {
    struct rc_peer *peer;
    unsigned facts, up, down, refused, requests;
    char last[200], why[400];
    enum rc_err answer, got;
    unsigned answered;
};

static struct event_base *base;
static char addr_1[32], addr_2[32];
static char key_path[] = "/tmp/rc-peer-test-XXXXXX", other_path[] = "/tmp/rc-peer-other-XXXXXX";

static void
on_facts(void *arg, const struct rc_line *facts)
{
    struct end *end = arg;

    end->facts++;
    (void)snprintf(end->last, sizeof end->last, "%s", rc_line_text(facts, "process", ""));
}

static void
on_link(void *arg, bool up, const char *why)
{
    struct end *end = arg;

    (void)why;
    end->up += up;
    end->down += !up;
}

static void
on_request(void *arg, struct rc_peer_call *call, const struct rc_line *request)
{
    struct end *end = arg;
    struct rc_error e;

    end->requests++;
    (void)snprintf(end->last, sizeof end->last, "%s", request->word);
    (void)rc_fail(&e, end->answer, "because");
    rc_peer_answer(call, &e);
}

static void
on_refused(void *arg, enum rc_err kind, const char *why)
{
    struct end *end = arg;

    (void)kind;
    end->refused++;
    (void)snprintf(end->why, sizeof end->why, "%s", why);
}

static void
on_end(void *arg, const struct rc_error *e)
{
    struct end *end = arg;

    end->answered++;
    end->got = e->code;
}

/* A port that was free a moment ago: fixed ones belong to somebody else now and then. */
static void
pick_addr(char *addr, size_t room)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&in, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&in, &len) != 0) {
        abort();
    }
    (void)snprintf(addr, room, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    (void)close(fd);
}

static void
make_key(char *path, unsigned char fill)
{
    unsigned char bytes[48];
    int fd = mkstemp(path);

    memset(bytes, fill, sizeof bytes);
    if (fd < 0 || write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes) {
        abort();
    }
    (void)close(fd);
}

static void
open_end(struct end *end, const char *host, const char *peer, const char *cluster,
         const char *listen, const char *key)
{
    struct rc_peer_options o = {
        .base = base,
        .cluster = cluster,
        .host = host,
        .peer = peer,
        .listen = listen,
        .key_file = key,
        .arg = end,
        .on_facts = on_facts,
        .on_link = on_link,
        .on_request = on_request,
        .on_refused = on_refused,
    };
    struct rc_error e;

    memset(end, 0, sizeof *end);
    end->peer = rc_peer_new(&o, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(end->peer);
}

static void
run_for(int ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)event_base_loopexit(base, &tv);
    (void)event_base_dispatch(base);
}

static void
run_until(const unsigned *counter, unsigned n)
{
    for (int i = 0; i < 100 && *counter < n; i++) {
        run_for(50);
    }
}

static void
both_hear_the_others_facts_and_orders_are_answered(void)
{
    struct end a, b;

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    open_end(&b, "head2", "head1", "demo", addr_2, key_path);
    CU_ASSERT_EQUAL(rc_peer_ask(a.peer, "fence epoch=1", 500, on_end, &a), RC_E_UNREACHABLE);
    rc_peer_tell(a.peer, "facts process=runs");
    rc_peer_tell(b.peer, "facts process=none");
    rc_peer_set_addr(a.peer, addr_2);
    rc_peer_set_addr(b.peer, addr_1);
    run_until(&a.facts, 1);
    run_until(&b.facts, 1);
    CU_ASSERT_EQUAL(a.up, 1);
    CU_ASSERT_EQUAL(b.up, 1);
    CU_ASSERT_STRING_EQUAL(a.last, "none");
    CU_ASSERT_STRING_EQUAL(b.last, "runs");
    b.answer = RC_E_NO_LEASE;
    CU_ASSERT_EQUAL(rc_peer_ask(a.peer, "fence epoch=1", 500, on_end, &a), RC_OK);
    CU_ASSERT_EQUAL(rc_peer_ask(a.peer, "fence epoch=1", 500, on_end, &a), RC_E_STATE);
    run_until(&a.answered, 1);
    CU_ASSERT_EQUAL(b.requests, 1);
    CU_ASSERT_EQUAL(a.answered, 1);
    CU_ASSERT_EQUAL(a.got, RC_E_NO_LEASE);
    rc_peer_free(b.peer);
    run_until(&a.down, 1);
    CU_ASSERT_EQUAL(a.down, 1);
    CU_ASSERT_FALSE(rc_peer_is_up(a.peer));
    rc_peer_free(a.peer);
}

static void
another_key_is_refused_with_a_clear_word(void)
{
    struct end a, b;

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    open_end(&b, "head2", "head1", "demo", addr_2, other_path);
    rc_peer_set_addr(b.peer, addr_1);
    rc_peer_tell(a.peer, "facts process=runs");
    run_until(&a.refused, 1);
    run_until(&b.refused, 1);
    run_for(400);
    CU_ASSERT_EQUAL(b.up, 0);
    CU_ASSERT_EQUAL(b.facts, 0);
    CU_ASSERT_EQUAL(a.refused, 1); /* told once, however often it comes */
    CU_ASSERT_PTR_NOT_NULL(strstr(a.why, "another key"));
    CU_ASSERT_PTR_NOT_NULL(strstr(b.why, "another key"));
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
}

static void
another_cluster_is_refused(void)
{
    struct end a, b;

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    open_end(&b, "head2", "head1", "other", addr_2, key_path);
    rc_peer_set_addr(b.peer, addr_1);
    run_until(&b.refused, 1);
    CU_ASSERT_EQUAL(b.up, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(b.why, "is of cluster \"demo\""));
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
}

static int
call_raw(const char *addr)
{
    struct sockaddr_storage to;
    int len = sizeof to, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_EQUAL_FATAL(evutil_parse_sockaddr_port(addr, (struct sockaddr *)&to, &len), 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, (socklen_t)len), 0);
    return fd;
}

/* A byte now and then is no greeting, and keeps nobody in the door. */
static void
slow_callers_do_not_shut_the_door(void)
{
    struct end a, b;
    int fd[4];

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    for (int i = 0; i < 4; i++) {
        fd[i] = call_raw(addr_1);
    }
    for (int n = 0; n < 8; n++) {
        run_for(450);
        for (int i = 0; i < 4; i++) {
            (void)send(fd[i], "x", 1, MSG_NOSIGNAL);
        }
    }
    rc_peer_tell(a.peer, "facts process=runs");
    open_end(&b, "head2", "head1", "demo", addr_2, key_path);
    rc_peer_set_addr(b.peer, addr_1);
    for (int n = 0; n < 12 && !b.up; n++) {
        run_for(200);
        for (int i = 0; i < 4; i++) {
            (void)send(fd[i], "x", 1, MSG_NOSIGNAL);
        }
    }
    CU_ASSERT_EQUAL(b.up, 1);
    for (int i = 0; i < 4; i++) {
        (void)close(fd[i]);
    }
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
}

static void
what_anybody_sends_is_told_as_plain_text(void)
{
    static const char rubbish[] = "\x1b[31m\x89\xff red\n";
    struct end a;

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    int fd = call_raw(addr_1);
    CU_ASSERT_EQUAL(send(fd, rubbish, sizeof rubbish - 1, MSG_NOSIGNAL), sizeof rubbish - 1);
    run_until(&a.refused, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.why, "its greeting is \"?[31m?? red\""));
    (void)close(fd);
    rc_peer_free(a.peer);
}

/* Each sends something else, and each is one line for the log; another kind of word is news. */
static void
strangers_do_not_flood_the_log(void)
{
    struct end a, b;
    char rubbish[40];

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    for (int i = 0; i < 40; i++) {
        int fd = call_raw(addr_1);
        int len = snprintf(rubbish, sizeof rubbish, "GET /%c%c HTTP/1.1\n", 'a' + i % 26, 'A' + i);
        CU_ASSERT_EQUAL(send(fd, rubbish, (size_t)len, MSG_NOSIGNAL), len);
        run_for(10);
        (void)close(fd);
    }
    CU_ASSERT_EQUAL(a.refused, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.why, "GET /aA"));
    open_end(&b, "head2", "head1", "demo", addr_2, other_path);
    rc_peer_set_addr(b.peer, addr_1);
    run_until(&a.refused, 2);
    CU_ASSERT_EQUAL(a.refused, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(a.why, "another key"));
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
}

static bool
is_cut(int fd)
{
    char buf[512];
    ssize_t got;

    while ((got = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0) {
    }
    return got == 0;
}

/* Each that is shown the door knocks again before the peer does, which waits half a second. */
static void
callers_that_come_again_do_not_shut_the_door(void)
{
    struct end a, b;
    int fd[4];

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    for (int i = 0; i < 4; i++) {
        fd[i] = call_raw(addr_1);
        run_for(20);
    }
    open_end(&b, "head2", "head1", "demo", addr_2, key_path);
    rc_peer_set_addr(b.peer, addr_1);
    for (int n = 0; n < 250 && !b.up; n++) {
        run_for(20);
        for (int i = 0; i < 4; i++) {
            if (is_cut(fd[i])) {
                (void)close(fd[i]);
                fd[i] = call_raw(addr_1);
            }
        }
    }
    CU_ASSERT_EQUAL(b.up, 1);
    for (int i = 0; i < 4; i++) {
        (void)close(fd[i]);
    }
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
}

/* Earlier calls of the peer may be dead without a word; here they are alive, and as many. */
static void
a_new_call_of_the_peer_takes_the_place_of_its_earlier_ones(void)
{
    char addr[4][32];
    struct end a, earlier[4], b;

    open_end(&a, "head1", "head2", "demo", addr_1, key_path);
    rc_peer_tell(a.peer, "facts process=runs");
    for (int i = 0; i < 4; i++) {
        pick_addr(addr[i], sizeof addr[i]);
        open_end(&earlier[i], "head2", "head1", "demo", addr[i], key_path);
        rc_peer_set_addr(earlier[i].peer, addr_1);
        run_until(&earlier[i].up, 1);
        CU_ASSERT_TRUE(earlier[i].up >= 1);
    }
    open_end(&b, "head2", "head1", "demo", addr_2, key_path);
    rc_peer_set_addr(b.peer, addr_1);
    run_until(&b.up, 1);
    CU_ASSERT_TRUE(b.up >= 1);
    rc_peer_free(a.peer);
    rc_peer_free(b.peer);
    for (int i = 0; i < 4; i++) {
        rc_peer_free(earlier[i].peer);
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"both hear the other's facts, and orders are answered",
         both_hear_the_others_facts_and_orders_are_answered},
        {"another key is refused with a clear word", another_key_is_refused_with_a_clear_word},
        {"another cluster is refused", another_cluster_is_refused},
        {"what anybody sends is told as plain text", what_anybody_sends_is_told_as_plain_text},
        {"strangers do not flood the log", strangers_do_not_flood_the_log},
        {"callers that come again do not shut the door",
         callers_that_come_again_do_not_shut_the_door},
        {"slow callers do not shut the door", slow_callers_do_not_shut_the_door},
        {"a new call of the peer takes the place of its earlier ones",
         a_new_call_of_the_peer_takes_the_place_of_its_earlier_ones},
        CU_TEST_INFO_NULL,
    };

    base = event_base_new();
    pick_addr(addr_1, sizeof addr_1);
    pick_addr(addr_2, sizeof addr_2);
    make_key(key_path, 1);
    make_key(other_path, 2);
    int status = rc_test_main("peer link", tests);
    (void)unlink(key_path);
    (void)unlink(other_path);
    event_base_free(base);
    return status;
}
