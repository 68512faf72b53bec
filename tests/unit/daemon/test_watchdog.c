/* What systemd hears: ready, a feed while the loop turns, none while it stands still. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "reconciler/io/daemon/watchdog.h"

static char place[64];

static int
listen_here(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(place, sizeof place, "/tmp/rc-watchdog-%d", (int)getpid());
    unlink(place);
    strcpy(at.sun_path, place);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    setenv("NOTIFY_SOCKET", place, 1);
    return fd;
}

/* Everything that waits, one line each. */
static void
hear(int fd, char *said, size_t room)
{
    char line[200];
    ssize_t len;

    *said = '\0';
    while ((len = recv(fd, line, sizeof line - 1, 0)) > 0) {
        line[len] = '\0';
        snprintf(said + strlen(said), room - strlen(said), "%s;", line);
    }
}

static void
run_for(struct event_base *base, int ms)
{
    struct timeval tv = {.tv_usec = ms * 1000};

    event_base_loopexit(base, &tv);
    event_base_dispatch(base);
}

static void
the_loop_feeds_the_watchdog_and_a_stuck_one_does_not(void)
{
    struct event_base *base = event_base_new();
    int fd = listen_here();
    char said[2000];

    setenv("WATCHDOG_USEC", "150000", 1);
    struct rc_watchdog *w = rc_watchdog_new(base);
    CU_ASSERT_PTR_NULL(getenv("NOTIFY_SOCKET")); /* helpers are not to speak for us */
    rc_watchdog_ready(w);
    hear(fd, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "READY=1;WATCHDOG=1;");
    run_for(base, 400);
    hear(fd, said, sizeof said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "WATCHDOG=1;WATCHDOG=1;"));
    usleep(300000); /* the loop stands still */
    hear(fd, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "");
    rc_watchdog_status(w, "leads");
    rc_watchdog_stopping(w);
    hear(fd, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "STATUS=leads;STOPPING=1;");
    rc_watchdog_free(w);
    close(fd);
    unlink(place);
    event_base_free(base);
}

static void
without_systemd_nothing_is_sent_and_nothing_fails(void)
{
    struct event_base *base = event_base_new();

    unsetenv("NOTIFY_SOCKET");
    struct rc_watchdog *w = rc_watchdog_new(base);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    rc_watchdog_ready(w);
    rc_watchdog_free(w);
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    w = rc_watchdog_new(base);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    rc_watchdog_ready(w);
    rc_watchdog_free(w);
    event_base_free(base);
}

static void
a_watchdog_meant_for_another_process_is_not_fed(void)
{
    struct event_base *base = event_base_new();
    int fd = listen_here();
    char said[200];

    setenv("WATCHDOG_USEC", "30000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    struct rc_watchdog *w = rc_watchdog_new(base);
    rc_watchdog_ready(w);
    run_for(base, 60);
    hear(fd, said, sizeof said);
    CU_ASSERT_STRING_EQUAL(said, "READY=1;");
    rc_watchdog_free(w);
    close(fd);
    unlink(place);
    event_base_free(base);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the loop feeds the watchdog, and a stuck one does not",
         the_loop_feeds_the_watchdog_and_a_stuck_one_does_not},
        {"without systemd nothing is sent, and nothing fails",
         without_systemd_nothing_is_sent_and_nothing_fails},
        {"a watchdog meant for another process is not fed",
         a_watchdog_meant_for_another_process_is_not_fed},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("watchdog", tests);
}
