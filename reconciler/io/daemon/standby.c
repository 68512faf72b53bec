/* standby.c - see standby.h. */
#include "reconciler/io/daemon/standby.h"

#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 1000 };

struct rc_standby {
    struct rc_daemon *d;
    struct rc_incident_item *items;
    size_t count;
    int64_t read_ms; /* core time; -1 = never */
    int64_t tried_ms;
    struct rc_error error;
    bool looking;
};

static void
on_store_looked(void *arg, enum rc_err code, const struct rc_store_items *found,
                const struct rc_error *err)
{
    struct rc_standby *s = arg;
    struct rc_incident_item *items = NULL;

    s->looking = false;
    s->tried_ms = rc_daemon_now_ms(s->d);
    if (code == RC_E_CANCELLED) {
        return;
    }
    if (code == RC_OK && found->incident_count) {
        items = calloc(found->incident_count, sizeof *items);
    }
    if (code != RC_OK || (found->incident_count && !items)) {
        s->error = *err;
        return;
    }
    if (items) {
        memcpy(items, found->incidents, found->incident_count * sizeof *items);
    }
    free(s->items);
    s->items = items;
    s->count = found->incident_count;
    s->read_ms = s->tried_ms;
    memset(&s->error, 0, sizeof s->error);
}

bool
rc_standby_look(struct rc_standby *s)
{
    int64_t now_ms = rc_daemon_now_ms(s->d);

    if (!s->looking && (s->tried_ms < 0 || now_ms - s->tried_ms > FRESH_MS)) {
        s->looking = rc_incident_list(s->d->store, 0, on_store_looked, s) == RC_OK;
    }
    return s->looking;
}

void
rc_standby_view(const struct rc_standby *s, struct rc_standby_view *ret)
{
    ret->items = s->items;
    ret->count = s->count;
    ret->age_ms = s->read_ms < 0 ? -1 : rc_daemon_now_ms(s->d) - s->read_ms;
    ret->error = s->error.text;
}

struct rc_standby *
rc_standby_new(struct rc_daemon *d)
{
    struct rc_standby *s = calloc(1, sizeof *s);

    if (s) {
        s->d = d;
        s->read_ms = s->tried_ms = -1;
    }
    return s;
}

void
rc_standby_free(struct rc_standby *s)
{
    if (s) {
        free(s->items);
        free(s);
    }
}
