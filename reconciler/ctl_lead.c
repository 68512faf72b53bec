/* ctl_lead.c - see ctl_lead.h. */
#define _GNU_SOURCE
#include "reconciler/ctl_lead.h"

#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "reconciler/ctl_ask.h"
#include "reconciler/ctl_main.h"
#include "reconciler/ctl_show.h"

enum {
    LOOK_EVERY_MS = 50,
    GIVEN_BACK_MS = 5000,
    TAKEN_MS = 3000,
    AGAIN_TIMES = 20,
    MOVE_LOOK_MS = 200,
    MOVE_BEGINS_MS = 3000, /* an order waits for its turn */
    MOVED_MS = 180 * 1000
};

static void
sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

struct cJSON *
rc_ctl_settle(const char *socket, const struct cJSON *request, struct cJSON *reply)
{
    for (int i = 0; i < AGAIN_TIMES && rc_ctl_get(reply, "again_ms"); i++) {
        struct cJSON *next = NULL;
        struct rc_error e;
        sleep_ms((long)rc_ctl_number(reply, "again_ms", LOOK_EVERY_MS));
        if (rc_ctl_ask(socket, request, RC_CTL_LOOK_S, &next, &e) != RC_OK) {
            break;
        }
        cJSON_Delete(reply);
        reply = next;
    }
    return reply;
}

/* True: the daemon has given it back. owner: who leads now, "" = nobody yet. */
static bool
look_at_lead(const char *socket, char *owner, size_t room)
{
    cJSON *request = cJSON_CreateObject(), *reply = NULL;
    bool is_back = false;
    struct rc_error e;

    *owner = '\0';
    cJSON_AddStringToObject(request, "cmd", "lead");
    if (rc_ctl_ask(socket, request, RC_CTL_LOOK_S, &reply, &e) == RC_OK) {
        const cJSON *lease = rc_ctl_get(reply, "lease");
        is_back = lease && !rc_ctl_true(lease, "held") && rc_ctl_true(lease, "yielded");
        snprintf(owner, room, "%s", rc_ctl_text(lease, "owner"));
    }
    cJSON_Delete(request);
    cJSON_Delete(reply);
    return is_back;
}

int
rc_ctl_watch_yield(const char *socket, FILE *out, FILE *err)
{
    char owner[128] = "";
    int waited_ms = 0, back_ms = -1;

    while (waited_ms < GIVEN_BACK_MS) {
        if (look_at_lead(socket, owner, sizeof owner) && back_ms < 0) {
            back_ms = waited_ms;
        }
        if (back_ms >= 0 && (*owner || waited_ms - back_ms > TAKEN_MS)) {
            break;
        }
        sleep_ms(LOOK_EVERY_MS);
        waited_ms += LOOK_EVERY_MS;
    }
    if (back_ms < 0) {
        fprintf(err, "reconcilectl: the lease was not given back: see reconcilectl status\n");
        return RC_CTL_REFUSED;
    }
    if (*owner) {
        fprintf(out, "handed over: %s leads now\n", owner);
    } else {
        fprintf(out, "given back; nobody has taken it yet\n");
    }
    return RC_CTL_OK;
}

enum move { MOVE_GOES_ON, MOVE_IS_DONE, MOVE_IS_OFF };

/* waits: what was told last. */
static enum move
look_at_move(const cJSON *ctl, const char *to, char *waits, size_t room, FILE *out)
{
    const char *now = rc_ctl_text(ctl, "waits_for");

    if (strcmp(rc_ctl_text(ctl, "failover"), "watch") == 0) {
        return strcmp(rc_ctl_text(ctl, "primary"), to) == 0 ? MOVE_IS_DONE : MOVE_IS_OFF;
    }
    if (strcmp(now, waits) != 0) {
        snprintf(waits, room, "%s", now);
        fprintf(out, "waits for %s\n", waits);
        fflush(out);
    }
    return MOVE_GOES_ON;
}

int
rc_ctl_watch_failover(const char *socket, const char *to, FILE *out, FILE *err)
{
    cJSON *request = cJSON_CreateObject();
    enum move move = MOVE_GOES_ON;
    char waits[128] = "";
    struct rc_error e;

    cJSON_AddStringToObject(request, "cmd", "status");
    for (int waited_ms = 0; waited_ms < MOVED_MS && move != MOVE_IS_DONE;
         waited_ms += MOVE_LOOK_MS) {
        cJSON *reply = NULL;
        sleep_ms(MOVE_LOOK_MS);
        if (rc_ctl_ask(socket, request, RC_CTL_LOOK_S, &reply, &e) != RC_OK) {
            continue; /* its daemon may be restarted meanwhile */
        }
        rc_ctl_make_printable(reply);
        const cJSON *ctl = rc_ctl_get(reply, "slurmctld");
        move = look_at_move(ctl, to, waits, sizeof waits, out);
        if (move == MOVE_IS_DONE) {
            const char *text = rc_ctl_text(rc_ctl_get(ctl, "last_move"), "text");
            fprintf(out, "%s\n", *text ? text : "done");
        }
        cJSON_Delete(reply);
        if (move == MOVE_IS_OFF && (*waits || waited_ms >= MOVE_BEGINS_MS)) {
            break;
        }
    }
    cJSON_Delete(request);
    if (move != MOVE_IS_DONE) {
        fprintf(err, "reconcilectl: slurmctld does not serve on %s: see reconcilectl status\n", to);
    }
    return move == MOVE_IS_DONE ? RC_CTL_OK : RC_CTL_REFUSED;
}
