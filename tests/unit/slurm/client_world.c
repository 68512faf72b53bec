/* client_world.c - see client_world.h. */
#define _GNU_SOURCE
#include "tests/unit/slurm/client_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/harness.h"

static void
on_event(void *arg, const struct rc_event *ev)
{
    struct world *w = arg;

    if (ev->kind == RC_EV_SWEEP) {
        w->sweeps++;
        w->bad_sweeps += ev->u.sweep.complete ? 0U : 1U;
        w->sweep = *ev;
    } else {
        w->events++;
        w->last = *ev;
    }
}

void
world_done(void *arg, const struct rc_slurm_result *result)
{
    struct world *w = arg;

    CU_ASSERT_FALSE(w->in_call);
    CU_ASSERT_FATAL(w->dones < DONE_MAX);
    w->done[w->dones].err = result->err;
    w->done[w->dones].batch = result->batch;
    w->done[w->dones].count = result->count;
    (void)snprintf(w->done[w->dones].node, RC_NODE_LEN, "%s", result->node);
    (void)snprintf(w->done[w->dones].text, 256, "%s", result->text);
    w->dones++;
}

void
world_nodes(struct world *w, const char *text)
{
    char temporary[128];
    FILE *file;

    (void)snprintf(temporary, sizeof temporary, "%s.new", w->nodes);
    file = fopen(temporary, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fputs(text, file);
    (void)fclose(file);
    CU_ASSERT_EQUAL(rename(temporary, w->nodes), 0);
}

void
world_open(struct world *w, uint32_t poll_ms, uint32_t watch_ms)
{
    const char *reader[] = {FAKE_SLURM, "--role", "reader", NULL};
    const char *writer[] = {FAKE_SLURM, "--role", "writer", NULL};
    struct rc_slurm_config config = {
        .reader_argv = reader,
        .writer_argv = writer,
        .poll_ms = poll_ms,
        .watch_ms = watch_ms,
        .timeout_ms = 3000,
        .on_event = on_event,
        .arg = w,
    };

    memset(w, 0, sizeof *w);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/rc-slurm-client-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->folder));
    (void)snprintf(w->nodes, sizeof w->nodes, "%s/nodes", w->folder);
    (void)snprintf(w->log, sizeof w->log, "%s/log", w->folder);
    (void)setenv("FAKE_NODES", w->nodes, 1);
    (void)setenv("FAKE_LOG", w->log, 1);
    w->base = config.base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->base);
    w->slurm = rc_slurm_new(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->slurm);
}

void
world_close(struct world *w)
{
    rc_slurm_free(w->slurm);
    event_base_free(w->base);
    (void)unlink(w->nodes);
    (void)unlink(w->log);
    CU_ASSERT_EQUAL(rmdir(w->folder), 0);
}

void
world_until(struct world *w, const uint32_t *counter, uint32_t n)
{
    struct timeval step = {.tv_usec = 5000};

    for (int i = 0; i < 800 && *counter < n; i++) {
        (void)event_base_loopexit(w->base, &step);
        (void)event_base_dispatch(w->base);
    }
    if (*counter < n) {
        printf("# waited in vain for %u, got %u\n", n, *counter);
    }
    CU_ASSERT_FATAL(*counter >= n);
}

void
world_for(struct world *w, uint32_t ms)
{
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    (void)event_base_loopexit(w->base, &limit);
    (void)event_base_dispatch(w->base);
}
