/* ctl_lead.c - see ctl_lead.h. */
#define _GNU_SOURCE
#include "reconciler/ctl_lead.h"

#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "reconciler/ctl_ask.h"
#include "reconciler/ctl_main.h"
#include "reconciler/ctl_show.h"

enum { LOOK_EVERY_MS = 50, GIVEN_BACK_MS = 5000, TAKEN_MS = 3000, AGAIN_TIMES = 20 };

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
        if (rc_ctl_ask(socket, request, &next, &e) != RC_OK) {
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
    if (rc_ctl_ask(socket, request, &reply, &e) == RC_OK) {
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
