/* What is done to a slurmctld by the pair's own helpers is not begun after the lease has ended:
 * here, by the taker, and on the other host. A shell script stands for every helper and writes
 * down what it is asked. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/daemon/controllers_private.h"
#include "reconciler/io/daemon/report.h"

enum { LEASE_MS = 5000 };

static struct rc_daemon d;
static char root[] = "/tmp/controllers-XXXXXX";
static char seen[256]; /* the last request that the other one got */
static unsigned ends;

/* ---- what controllers.c uses of the daemon ---- */

static int64_t
boot_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
rc_daemon_now_ms(const struct rc_daemon *unused)
{
    (void)unused;
    return boot_ms() + d.core_offset_ms;
}

int64_t
rc_daemon_until_ms(const struct rc_daemon *unused)
{
    (void)unused;
    return d.state->lease_until_ms - d.core_offset_ms;
}

void
rc_daemon_post(struct rc_daemon *unused, const struct rc_event *ev)
{
    (void)unused;
    (void)ev;
}

void
rc_slurm_primary_changed(struct rc_slurm *unused)
{
    (void)unused;
}

void
rc_report_clip(char *dst, size_t room, const char *text)
{
    (void)snprintf(dst, room, "%s", text);
}

/* ---- the world ---- */

static void
put_script(char *path, size_t room)
{
    (void)snprintf(path, room, "%s/helper", root);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fprintf(f,
                  "#!/bin/sh\nfor w in \"$@\"; do role=$w; done\n"
                  "echo \"hello 1 role=$role\"\n"
                  "while read -r n words; do\n"
                  "  echo \"$role $words\" >> %s/asked\n  echo \"$n ok\"\ndone\n",
                  root);
    (void)fclose(f);
    CU_ASSERT_EQUAL(chmod(path, 0700), 0);
}

static void
set_command(struct rc_config_command *c, const char *program, const char *role)
{
    (void)snprintf(c->program, sizeof c->program, "%s", program);
    c->arg_count = 2;
    (void)snprintf(c->arg[0], sizeof c->arg[0], "--role");
    (void)snprintf(c->arg[1], sizeof c->arg[1], "%s", role);
}

static void
run_for(int ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    (void)event_base_loopexit(d.base, &tv);
    (void)event_base_dispatch(d.base);
}

/* The time in the first request of that kind that was written down; -1 = none came. */
static int64_t
until_of(const char *request)
{
    char path[64], line[512];
    long long until = -1;

    (void)snprintf(path, sizeof path, "%s/asked", root);
    for (int i = 0; i < 60 && until < 0; i++) {
        run_for(50);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            const char *at = strstr(line, "until=");
            if (strncmp(line, request, strlen(request)) == 0) {
                until = at ? atoll(at + 6) : 0;
            }
        }
        if (f) {
            (void)fclose(f);
        }
    }
    return until;
}

static void
on_end(void *arg, const struct rc_error *e)
{
    (void)arg;

    CU_ASSERT_EQUAL(e->code, RC_OK);
    ends++;
}

static void
on_request(void *arg, struct rc_peer_call *call, const struct rc_line *request)
{
    struct rc_error good;

    (void)arg;
    (void)snprintf(seen, sizeof seen, "%s left=%s", request->word,
                   rc_line_text(request, "left", "?"));
    (void)rc_fail(&good, RC_OK, "%s", "");
    rc_peer_answer(call, &good);
}

static void
on_facts(void *arg, const struct rc_line *facts)
{
    (void)arg;
    (void)facts;
}

static void
on_link(void *arg, bool up, const char *why)
{
    (void)why;
    *(bool *)arg = up;
}

static void
on_refused(void *arg, enum rc_err kind, const char *why)
{
    (void)arg;
    (void)kind;
    (void)why;
}

static void
begin(void)
{
    struct rc_config_controllers *c = &d.config.controllers;
    char script[64], asked[64];
    struct rc_error e;

    (void)snprintf(asked, sizeof asked, "%s/asked", root);
    (void)unlink(asked);
    memset(&d, 0, sizeof d);
    ends = 0;
    put_script(script, sizeof script);
    d.base = event_base_new();
    d.state = calloc(1, sizeof *d.state);
    d.core_offset_ms = 1000;
    d.state->lease_epoch = 3;
    d.state->lease_until_ms = rc_daemon_now_ms(&d) + LEASE_MS;
    d.config.cluster.controller_count = 2;
    (void)snprintf(d.config.cluster.name, sizeof d.config.cluster.name, "demo");
    (void)snprintf(d.config.cluster.controller[0].host, RC_NODE_LEN, "head1");
    (void)snprintf(d.config.cluster.controller[1].host, RC_NODE_LEN, "head2");
    (void)snprintf(d.config.lease.owner, sizeof d.config.lease.owner, "head2");
    (void)snprintf(c->listen, sizeof c->listen, "127.0.0.1:%d", 20000 + getpid() % 20000);
    (void)snprintf(c->key, sizeof c->key, "%s/key", root);
    FILE *f = fopen(c->key, "w");
    (void)fputs("a secret of more than thirty-two bytes, for this test alone", f);
    (void)fclose(f);
    (void)chmod(c->key, 0600);
    c->probe_ms = 60000;
    set_command(&c->helper, script, "controller");
    set_command(&d.config.slurm.writer, script, "writer");
    set_command(&d.config.slurm.reader, "/nonexistent", "prober");
    CU_ASSERT_EQUAL_FATAL(rc_controllers_new(&d, &d.controllers, &e), RC_OK);
    for (int i = 0;
         i < 60 && !(rc_helper_is_up(d.controllers->hand) && rc_helper_is_up(d.controllers->taker));
         i++) {
        run_for(50);
    }
}

static void
end(void)
{
    rc_controllers_free(d.controllers);
    free(d.state);
    event_base_free(d.base);
}

/* ---- tests ---- */

static void
orders_here_and_the_take_over_end_with_the_lease(void)
{
    int64_t until_ms;

    begin();
    until_ms = rc_daemon_until_ms(&d);
    CU_ASSERT_EQUAL(rc_controllers_order(d.controllers, 1, "start restart=0", 3000, on_end, NULL),
                    RC_OK);
    CU_ASSERT_EQUAL(until_of("controller start"), until_ms);
    CU_ASSERT_EQUAL(rc_controllers_takeover(d.controllers, 1, 3000, on_end, NULL), RC_OK);
    CU_ASSERT_EQUAL(until_of("writer takeover"), until_ms);
    (void)snprintf(d.state->pair.c[0].addr, RC_ADDR_LEN, "10.0.0.1");
    CU_ASSERT_EQUAL(rc_controllers_reject(d.controllers, 0, 3000, on_end, NULL), RC_OK);
    CU_ASSERT_EQUAL(until_of("controller reject"), until_ms);
    CU_ASSERT_EQUAL(until_of("controller look"), 0); /* a standby looks as well */
    run_for(100);
    CU_ASSERT_EQUAL(ends, 3);
    end();
}

/* Two clocks are never compared: what goes over is how long it lasts still. */
static void
the_other_host_is_told_how_long_and_keeps_it(void)
{
    char other[32];
    bool up = false;
    struct rc_peer_options o = {.cluster = "demo",
                                .host = "head1",
                                .peer = "head2",
                                .listen = other,
                                .arg = &up,
                                .on_facts = on_facts,
                                .on_link = on_link,
                                .on_request = on_request,
                                .on_refused = on_refused};
    struct rc_error e;
    int left_ms = 0;

    begin();
    (void)snprintf(other, sizeof other, "127.0.0.1:%d", 20000 + (getpid() + 1) % 20000);
    o.base = d.base;
    o.key_file = d.config.controllers.key;
    struct rc_peer *peer = rc_peer_new(&o, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(peer);
    rc_peer_tell(peer, "facts process=none");
    rc_peer_set_addr(peer, d.config.controllers.listen);
    rc_peer_set_addr(d.controllers->peer, other);
    for (int i = 0; i < 60 && !(up && rc_peer_is_up(d.controllers->peer)); i++) {
        run_for(50);
    }
    CU_ASSERT_EQUAL(rc_controllers_order(d.controllers, 0, "fence grace=0", 3000, on_end, NULL),
                    RC_OK);
    run_for(300);
    CU_ASSERT_EQUAL(sscanf(seen, "fence left=%d", &left_ms), 1);
    CU_ASSERT_TRUE(left_ms > 0 && left_ms <= LEASE_MS);
    int64_t before_ms = boot_ms();
    CU_ASSERT_EQUAL(rc_peer_ask(peer, "fence grace=0 epoch=9 left=1500", 3000, on_end, NULL),
                    RC_OK);
    int64_t until_ms = until_of("controller fence");
    CU_ASSERT_TRUE(until_ms >= before_ms + 1500 && until_ms <= boot_ms() + 1500);
    rc_peer_free(peer);
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"orders here and the take-over end with the lease",
         orders_here_and_the_take_over_end_with_the_lease},
        {"the other host is told how long, and keeps it",
         the_other_host_is_told_how_long_and_keeps_it},
        CU_TEST_INFO_NULL,
    };
    char command[64];

    if (!mkdtemp(root)) {
        return 1;
    }
    int status = rc_test_main("controllers", tests);
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
