/* test_slurm_poke.c - hints from the log and from the socket, and how they coalesce. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_poke.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/harness/harness.h"

struct world {
    struct event_base *base;
    struct rc_slurm_poke *poke;
    char folder[64], log[96], socket[96];
    uint32_t pokes;
};

static void
on_poke(void *arg)
{
    struct world *w = arg;

    w->pokes++;
}

static void
open_world(struct world *w, uint32_t min_ms)
{
    struct rc_slurm_poke_config config = {.min_ms = min_ms, .on_poke = on_poke, .arg = w};
    struct rc_error e = {0};

    memset(w, 0, sizeof *w);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/rc-slurm-poke-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->folder));
    (void)snprintf(w->log, sizeof w->log, "%s/slurmctld.log", w->folder);
    (void)snprintf(w->socket, sizeof w->socket, "%s/poke", w->folder);
    w->base = config.base = event_base_new();
    config.log_path = w->log;
    config.socket_path = w->socket;
    w->poke = rc_slurm_poke_new(&config, &e);
    CU_ASSERT_STRING_EQUAL(e.text, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->poke);
}

static void
close_world(struct world *w)
{
    char old[128];

    rc_slurm_poke_free(w->poke);
    event_base_free(w->base);
    CU_ASSERT_EQUAL(access(w->socket, F_OK), -1);
    (void)snprintf(old, sizeof old, "%s.1", w->log);
    (void)unlink(w->log);
    (void)unlink(old);
    CU_ASSERT_EQUAL(rmdir(w->folder), 0);
}

static void
run_for(struct world *w, uint32_t ms)
{
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    (void)event_base_loopexit(w->base, &limit);
    (void)event_base_dispatch(w->base);
}

static void
append(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, "x\n", 2), 2);
    (void)close(fd);
}

static void
send_datagrams(const struct world *w, int count)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_FATAL(fd >= 0);
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", w->socket);
    for (int i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(sendto(fd, i % 2 ? "" : "node gpu-1 down\xff", i % 2 ? 0 : 16, MSG_DONTWAIT,
                               (const struct sockaddr *)&addr, sizeof addr),
                        i % 2 ? 0 : 16);
    }
    (void)close(fd);
}

static void
a_written_log_is_a_poke_also_after_rotation(void)
{
    char old[128];
    struct world w;

    open_world(&w, 10);
    run_for(&w, 20);
    CU_ASSERT_EQUAL(w.pokes, 0);
    append(w.log); /* it did not exist before */
    run_for(&w, 40);
    CU_ASSERT_EQUAL(w.pokes, 1);
    (void)snprintf(old, sizeof old, "%s.1", w.log);
    CU_ASSERT_EQUAL(rename(w.log, old), 0);
    append(w.log);
    run_for(&w, 40);
    CU_ASSERT_EQUAL(w.pokes, 2);
    append(old); /* somebody else's file by now */
    run_for(&w, 40);
    CU_ASSERT_EQUAL(w.pokes, 2);
    close_world(&w);
}

static void
datagrams_are_pokes_whatever_they_say(void)
{
    struct stat st;
    struct world w;

    open_world(&w, 10);
    CU_ASSERT_EQUAL(stat(w.socket, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0660);
    send_datagrams(&w, 2);
    run_for(&w, 40);
    CU_ASSERT_EQUAL(w.pokes, 1);
    close_world(&w);
}

static void
many_pokes_are_one_call(void)
{
    struct world w;

    open_world(&w, 200);
    for (int i = 0; i < 10; i++) {
        append(w.log);
        send_datagrams(&w, 4);
        run_for(&w, 5);
    }
    CU_ASSERT_EQUAL(w.pokes, 1); /* the first at once, the rest wait */
    run_for(&w, 250);
    CU_ASSERT_EQUAL(w.pokes, 2);
    run_for(&w, 250);
    CU_ASSERT_EQUAL(w.pokes, 2);
    close_world(&w);
}

static void
wrong_paths_are_told(void)
{
    struct rc_slurm_poke_config config = {.on_poke = on_poke};
    char file[] = "/tmp/rc-slurm-poke-file-XXXXXX";
    int fd = mkstemp(file);
    struct rc_error e;

    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    config.base = event_base_new();
    config.log_path = "/nonexistent/folder/slurmctld.log";
    CU_ASSERT_PTR_NULL(rc_slurm_poke_new(&config, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent/folder"));
    config.log_path = "slurmctld.log";
    CU_ASSERT_PTR_NULL(rc_slurm_poke_new(&config, &e));
    config.log_path = NULL;
    config.socket_path = file; /* a file that is no socket is not removed */
    CU_ASSERT_PTR_NULL(rc_slurm_poke_new(&config, &e));
    CU_ASSERT_EQUAL(access(file, F_OK), 0);
    config.socket_path = "/nonexistent/poke";
    CU_ASSERT_PTR_NULL(rc_slurm_poke_new(&config, &e));
    rc_slurm_poke_free(NULL);
    event_base_free(config.base);
    (void)unlink(file);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a written log is a poke, also after rotation",
         a_written_log_is_a_poke_also_after_rotation},
        {"datagrams are pokes, whatever they say", datagrams_are_pokes_whatever_they_say},
        {"many pokes are one call", many_pokes_are_one_call},
        {"wrong paths are told", wrong_paths_are_told},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("slurm_poke", tests);
}
