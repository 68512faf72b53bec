/* test_ssh_probe.c - the ssh probe against a real sshd, and against servers that misbehave. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/ssh/ssh_probe.h"
#include "tests/unit/ssh/sshd.h"

static struct sshd server;
static struct event_base *base;

/* What the callback saw. */
struct seen {
    unsigned calls;
    bool started; /* rc_ssh_start() had returned */
    enum rc_err err;
    char text[256];
    int exit_status;
    char exit_signal[16];
    char out[64], err_out[64];
    size_t out_len;
    bool cut;
};

static void
on_done(void *arg, const struct rc_ssh_result *r)
{
    struct seen *s = arg;

    s->calls += s->started ? 1 : 100;
    s->err = r->err;
    s->exit_status = r->exit_status;
    s->out_len = r->out_len;
    s->cut = r->cut;
    snprintf(s->text, sizeof s->text, "%s", r->error.text);
    snprintf(s->exit_signal, sizeof s->exit_signal, "%s", r->exit_signal);
    snprintf(s->out, sizeof s->out, "%s", r->out);
    snprintf(s->err_out, sizeof s->err_out, "%s", r->err_out);
}

static struct rc_ssh_command
good_command(const char *command)
{
    return (struct rc_ssh_command){
        .addr = "127.0.0.1",
        .port = server.port,
        .user = server.user,
        .key_file = server.user_key,
        .host_keys = server.host_key,
        .command = command,
        .total_timeout_ms = 15000,
    };
}

/* Runs the loop until nothing is left, so that a second callback would show. */
static struct seen
run_probe(const struct rc_ssh_command *cmd)
{
    struct seen s = {0};
    struct rc_error e = {0};

    CU_ASSERT_PTR_NOT_NULL_FATAL(rc_ssh_start(base, cmd, on_done, &s, &e));
    s.started = true;
    event_base_dispatch(base);
    CU_ASSERT_EQUAL(s.calls, 1);
    return s;
}

static void
a_command_runs_and_its_output_and_status_come_back(void)
{
    struct rc_ssh_command cmd = good_command("echo out; echo err >&2; exit 3");
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_OK);
    CU_ASSERT_EQUAL(s.exit_status, 3);
    CU_ASSERT_STRING_EQUAL(s.out, "out\n");
    CU_ASSERT_STRING_EQUAL(s.err_out, "err\n");
    CU_ASSERT_STRING_EQUAL(s.exit_signal, "");
    CU_ASSERT_FALSE(s.cut);
}

static void
a_command_that_dies_of_a_signal_says_so(void)
{
    struct rc_ssh_command cmd = good_command("kill -KILL $$");
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_OK);
    CU_ASSERT_STRING_EQUAL(s.exit_signal, "KILL");
}

static void
long_output_is_read_to_its_end_but_kept_in_part(void)
{
    struct rc_ssh_command cmd = good_command("head -c 3000000 /dev/zero | tr '\\0' x; exit 7");
    cmd.output_max = 1000;
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_OK);
    CU_ASSERT_EQUAL(s.exit_status, 7);
    CU_ASSERT_EQUAL(s.out_len, 1000);
    CU_ASSERT_TRUE(s.cut);
}

static void
a_host_with_another_key_is_denied(void)
{
    struct rc_ssh_command cmd = good_command("true");
    cmd.host_keys = server.other_key;
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "pinned"));
}

static void
a_user_key_that_may_not_log_in_is_denied(void)
{
    struct rc_ssh_command cmd = good_command("true");
    cmd.key_file = server.wrong_key;
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "authentication"));
}

static void
a_closed_port_is_unreachable(void)
{
    struct rc_ssh_command cmd = good_command("true");
    close(listen_loopback(1, &cmd.port));
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_E_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "refused"));
}

static void
a_host_that_drops_packets_is_unreachable_after_the_connect_time_out(void)
{
    struct rc_ssh_command cmd = good_command("true");
    int fd = listen_loopback(0, &cmd.port), filler[4];
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(cmd.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    /* A full queue of connections that nobody accepts makes the kernel drop the next ones. */
    for (int i = 0; i < 4; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(filler[i], (struct sockaddr *)&a, sizeof a);
    }
    cmd.connect_timeout_ms = 200;
    struct seen s = run_probe(&cmd);
    CU_ASSERT_EQUAL(s.err, RC_E_UNREACHABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "200 ms"));
    for (int i = 0; i < 4; i++) {
        close(filler[i]);
    }
    close(fd);
}

static void
a_server_that_accepts_and_then_says_nothing_times_out(void)
{
    struct rc_ssh_command cmd = good_command("true");
    int fd = listen_loopback(4, &cmd.port);

    cmd.total_timeout_ms = 300;
    struct seen s = run_probe(&cmd);
    CU_ASSERT_EQUAL(s.err, RC_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "ssh handshake"));
    close(fd);
}

static void
close_it(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    (void)arg;
    int peer = accept(fd, NULL, NULL);
    (void)!write(peer, "220 mail\r\n", 10);
    close(peer);
}

static void
a_server_that_is_no_sshd_and_hangs_up_is_an_io_error(void)
{
    struct rc_ssh_command cmd = good_command("true");
    int fd = listen_loopback(4, &cmd.port);

    event_base_once(base, fd, EV_READ, close_it, NULL, NULL);
    struct seen s = run_probe(&cmd);
    CU_ASSERT_EQUAL(s.err, RC_E_IO);
    close(fd);
}

static void
a_command_that_does_not_end_times_out(void)
{
    struct rc_ssh_command cmd = good_command("sleep 20");
    cmd.total_timeout_ms = 1500;
    struct seen s = run_probe(&cmd);

    CU_ASSERT_EQUAL(s.err, RC_E_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "1500 ms"));
}

static void
a_cancelled_probe_calls_back_once_and_later(void)
{
    struct rc_ssh_command cmd = good_command("true");
    struct seen s = {0};
    int fd = listen_loopback(4, &cmd.port);

    struct rc_ssh_probe *p = rc_ssh_start(base, &cmd, on_done, &s, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    rc_ssh_cancel(p);
    rc_ssh_cancel(p);
    CU_ASSERT_EQUAL(s.calls, 0);
    s.started = true;
    event_base_dispatch(base);
    CU_ASSERT_EQUAL(s.calls, 1);
    CU_ASSERT_EQUAL(s.err, RC_E_CANCELLED);
    close(fd);
}

static void
what_cannot_be_tried_is_refused_at_once(void)
{
    struct rc_ssh_command cmd = good_command("true");
    struct rc_error e;

    cmd.addr = "localhost";
    CU_ASSERT_PTR_NULL(rc_ssh_start(base, &cmd, on_done, NULL, &e));
    CU_ASSERT_EQUAL(e.code, RC_E_INVALID);
    cmd = good_command("true");
    cmd.key_file = "/nonexistent/key";
    CU_ASSERT_PTR_NULL(rc_ssh_start(base, &cmd, on_done, NULL, &e));
    CU_ASSERT_EQUAL(e.code, RC_E_INVALID);
    cmd = good_command("true");
    cmd.host_keys = "";
    CU_ASSERT_PTR_NULL(rc_ssh_start(base, &cmd, on_done, NULL, &e));
    CU_ASSERT_EQUAL(e.code, RC_E_NOT_FOUND);
    event_base_dispatch(base);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a command runs and its output and status come back",
         a_command_runs_and_its_output_and_status_come_back},
        {"a command that dies of a signal says so", a_command_that_dies_of_a_signal_says_so},
        {"long output is read to its end but kept in part",
         long_output_is_read_to_its_end_but_kept_in_part},
        {"a host with another key is denied", a_host_with_another_key_is_denied},
        {"a user key that may not log in is denied", a_user_key_that_may_not_log_in_is_denied},
        {"a closed port is unreachable", a_closed_port_is_unreachable},
        {"a host that drops packets is unreachable after the connect time-out",
         a_host_that_drops_packets_is_unreachable_after_the_connect_time_out},
        {"a server that accepts and then says nothing times out",
         a_server_that_accepts_and_then_says_nothing_times_out},
        {"a server that is no sshd and hangs up is an I/O error",
         a_server_that_is_no_sshd_and_hangs_up_is_an_io_error},
        {"a command that does not end times out", a_command_that_does_not_end_times_out},
        {"a cancelled probe calls back once and later",
         a_cancelled_probe_calls_back_once_and_later},
        {"what cannot be tried is refused at once", what_cannot_be_tried_is_refused_at_once},
        CU_TEST_INFO_NULL,
    };
    int rc = 0;

    base = event_base_new();
    if (!base || !sshd_start(&server)) {
        return base ? 0 : 1;
    }
    rc = rc_test_main("ssh_probe", tests);
    sshd_stop(&server);
    event_base_free(base);
    libevent_global_shutdown();
    return rc;
}
