/* store_client - the DynamoDB forms of lease and incident store as a command, so that a test
 * can drive them against a server that this project did not write.
 *
 *   store_client race TABLE ROUNDS        takes and gives back the lease; one line an epoch
 *   store_client steps TABLE WORD…        acquire, renew, yield, observe, in order
 *   store_client fill TABLE EPOCH COUNT   lists, then writes COUNT incidents and histories
 *   store_client put TABLE LISTED EPOCH   lists as one epoch, writes as another
 *   store_client list TABLE EPOCH         counts what is there
 *
 * Endpoints and credentials come from the environment, as in the daemon; CLUSTER and OWNER
 * too. Exit status 0: the calls were made, whatever came of them; 2: usage. */
#define _GNU_SOURCE
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"
#include "reconciler/io/store/incident_dynamo.h"
#include "reconciler/io/store/lease_dynamo.h"

enum { TERM_MS = 3000, GRACE_MS = 1000, RACE_PAUSE_MS = 2 };

struct client {
    struct event_base *base;
    struct rc_aws *aws;
    struct rc_lease *lease;
    struct rc_incident_store *store;
    struct event *again;
    long left; /* rounds, or answers awaited */
    long refused;
    char **words;
};

static const char *
env_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

static void
show(const char *what, enum rc_err code, const struct rc_error *err)
{
    printf("%s error=%s text=%s\n", what, rc_err_name(code), code == RC_OK ? "" : err->text);
}

/* --- the lease -------------------------------------------------------------------------- */

static void race(struct client *c);

static void
on_raced_yield(void *arg, enum rc_err code, const struct rc_lease_info *info,
               const struct rc_error *err)
{
    struct client *c = arg;

    (void)info;
    if (code != RC_OK) {
        show("yield", code, err);
    }
    if (--c->left > 0) {
        race(c);
    } else {
        event_base_loopbreak(c->base);
    }
}

static void
on_raced(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    const struct timeval pause = {.tv_usec = RACE_PAUSE_MS * 1000};
    struct client *c = arg;

    if (code == RC_OK) {
        printf("epoch %llu\n", (unsigned long long)info->epoch);
        if (rc_lease_yield(c->lease, on_raced_yield, c) != RC_OK) {
            event_base_loopbreak(c->base);
        }
        return;
    }
    if (code != RC_E_CONDITION && code != RC_E_SERVER && code != RC_E_THROTTLED) {
        show("acquire", code, err);
    }
    event_add(c->again, &pause);
}

static void
race(struct client *c)
{
    if (rc_lease_acquire(c->lease, on_raced, c) != RC_OK) {
        event_base_loopbreak(c->base);
    }
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    race(arg);
}

static void
on_step(void *arg, enum rc_err code, const struct rc_lease_info *info, const struct rc_error *err)
{
    (void)arg;
    printf("step error=%s owner=%s epoch=%llu renewal=%llu held=%d mine=%d text=%s\n",
           rc_err_name(code), info->owner, (unsigned long long)info->epoch,
           (unsigned long long)info->renewal, info->held, info->mine,
           code == RC_OK ? "" : err->text);
}

static void
steps(struct client *c)
{
    for (; *c->words; c->words++) {
        const char *w = *c->words;
        enum rc_err e;
        if (strcmp(w, "sleep") == 0) {
            sleep(TERM_MS / 1000 + 1);
            continue;
        }
        e = strcmp(w, "acquire") == 0 ? rc_lease_acquire(c->lease, on_step, c)
            : strcmp(w, "renew") == 0 ? rc_lease_renew(c->lease, on_step, c)
            : strcmp(w, "yield") == 0 ? rc_lease_yield(c->lease, on_step, c)
                                      : rc_lease_observe(c->lease, on_step, c);
        if (e == RC_OK) {
            event_base_dispatch(c->base); /* ends when nothing is awaited any more */
        }
    }
}

/* --- the store ----------------------------------------------------------------------------- */

static void
on_stored(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct client *c = arg;

    if (code != RC_OK && c->refused++ == 0) {
        show("first-refusal", code, err);
    }
    c->left--;
}

static void
on_found(void *arg, enum rc_err code, const struct rc_store_items *items,
         const struct rc_error *err)
{
    struct client *c = arg;

    c->left--;
    printf("found error=%s incidents=%zu histories=%zu text=%s\n", rc_err_name(code),
           items->incident_count, items->history_count, code == RC_OK ? "" : err->text);
}

static void
wait_for_answers(struct client *c)
{
    while (c->left > 0) {
        event_base_loop(c->base, EVLOOP_ONCE);
    }
}

static void
list_now(struct client *c, uint64_t epoch)
{
    c->left = 1;
    if (rc_incident_list(c->store, epoch, on_found, c) == RC_OK) {
        wait_for_answers(c);
    }
}

static void
put_some(struct client *c, uint64_t epoch, unsigned count)
{
    static const char json[] = "{\"opened\":[],\"repairs\":[],\"launches\":[],\"destructive\":[],"
                               "\"cooldown_until\":0,\"yielded\":\"none\",\"flags\":[]}";

    c->left = 0;
    for (unsigned i = 1; i <= count; i++) {
        struct rc_incident_item item = {.incident = i};
        struct rc_history_item history = {
            .epoch = epoch, .json = json, .json_len = sizeof json - 1};

        snprintf(item.node, sizeof item.node, "gpu-%u", i);
        memcpy(history.node, item.node, sizeof history.node);
        item.item.epoch = epoch;
        item.item.phase = RC_PHASE_LAUNCH;
        item.item.fault = RC_FAULT_RETIREMENT;
        item.item.attempt = 1;
        c->left += rc_incident_put(c->store, &item, on_stored, c) == RC_OK;
        item.item.attempt = 2; /* the newest one counts */
        c->left += rc_incident_put(c->store, &item, on_stored, c) == RC_OK;
        c->left += rc_history_put(c->store, &history, on_stored, c) == RC_OK;
        if (i % 10 == 0) {
            c->left += rc_incident_remove(c->store, i, epoch, on_stored, c) == RC_OK;
        }
    }
    wait_for_answers(c);
    printf("stored refused=%ld\n", c->refused);
}

/* --- the door ------------------------------------------------------------------------------- */

static bool
open_client(struct client *c, const char *table, struct rc_error *e)
{
    const char *cluster = env_or("CLUSTER", "test"), *owner = env_or("OWNER", "one");
    struct rc_aws_options options = {.cluster = cluster, .connect_to = getenv("CONNECT_TO")};
    struct rc_lease_dynamo_options lease = {.table = table,
                                            .cluster = cluster,
                                            .owner = owner,
                                            .term_ms = TERM_MS,
                                            .grace_ms = GRACE_MS,
                                            .holder = getenv("HOLDER")};
    struct rc_incident_dynamo_options store = {.table = table, .cluster = cluster};

    c->base = event_base_new();
    c->aws = c->base ? rc_aws_new(c->base, &options, e) : NULL;
    c->again = c->base ? evtimer_new(c->base, on_again, c) : NULL;
    if (!c->aws || !c->again) {
        return false;
    }
    lease.aws = store.aws = c->aws;
    store.base = c->base;
    return rc_lease_dynamo_new(&lease, &c->lease, e) == RC_OK &&
           rc_incident_dynamo_new(&store, &c->store, e) == RC_OK;
}

int
main(int argc, char **argv)
{
    struct client c = {.left = 0};
    struct rc_error e = {RC_E_INTERNAL, "", "no memory"};

    if (argc < 4) {
        fprintf(stderr, "usage: see the top of store_client.c\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!open_client(&c, argv[2], &e)) {
        fprintf(stderr, "store_client: %s\n", e.text);
        return 2;
    }
    uint64_t number = strtoull(argv[3], NULL, 10);
    c.words = argv + 3;
    if (strcmp(argv[1], "race") == 0) {
        c.left = (long)number;
        race(&c);
        event_base_dispatch(c.base);
    } else if (strcmp(argv[1], "steps") == 0) {
        steps(&c);
    } else {
        list_now(&c, number);
        if (argc > 4) {
            bool is_fill = strcmp(argv[1], "fill") == 0;
            uint64_t last = strtoull(argv[4], NULL, 10);
            put_some(&c, is_fill ? number : last, is_fill ? (unsigned)last : 1);
        }
    }
    rc_incident_store_free(c.store);
    rc_lease_free(c.lease);
    rc_aws_free(c.aws);
    event_free(c.again);
    event_base_free(c.base);
    return 0;
}
