/* request_log.c - the two rings and the counters. */
#include "simulator/world/request_log.h"

#include <stdio.h>
#include <string.h>

static bool
action_only_looks(const char *action)
{
    static const char *const begins[] = {"Describe", "Get", "List", "Receive"};

    for (unsigned i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (strncmp(action, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

void
rc_request_log_add(struct rc_request_log *log, struct rc_log_row *row)
{
    row->seq = ++log->seq;
    /* A lease is renewed for ever: its writes must not push out what changed instances. */
    if (action_only_looks(row->action) || strcmp(row->service, "dynamodb") == 0 ||
        strcmp(row->service, "monitoring") == 0)
        log->look[log->looks++ % RC_LOG_LOOKS_MAX] = *row;
    else
        log->change[log->changes++ % RC_LOG_CHANGES_MAX] = *row;
    for (unsigned i = 0; i < RC_LOG_ACTIONS_MAX; i++) {
        struct rc_log_count *c = &log->count[i];

        if (c->calls > 0 && strcmp(c->action, row->action) != 0)
            continue;
        memcpy(c->action, row->action, sizeof(c->action));
        c->calls++;
        c->errors += row->code[0] != '\0' ? 1 : 0;
        return;
    }
}

void
rc_log_row_instance(struct rc_log_row *row, const char *id)
{
    size_t len = strlen(row->instances);

    if (len + strlen(id) + 2 < sizeof(row->instances))
        (void)snprintf(row->instances + len, sizeof(row->instances) - len, "%s%s",
                       len > 0 ? "," : "", id);
    else if (len + 5 < sizeof(row->instances) && strstr(row->instances, ",...") == NULL)
        (void)snprintf(row->instances + len, sizeof(row->instances) - len, ",...");
}

/* Rows of a ring stand in order of seq from its oldest one: look by halving. */
static const struct rc_log_row *
ring_after(const struct rc_log_row *ring, uint64_t count, uint64_t room, uint64_t seq)
{
    uint64_t low = count > room ? count - room : 0;
    uint64_t high = count;

    while (low < high) {
        uint64_t mid = low + (high - low) / 2;

        if (ring[mid % room].seq > seq)
            high = mid;
        else
            low = mid + 1;
    }
    return low < count ? &ring[low % room] : NULL;
}

const struct rc_log_row *
rc_request_log_after(const struct rc_request_log *log, uint64_t seq)
{
    const struct rc_log_row *a = ring_after(log->change, log->changes, RC_LOG_CHANGES_MAX, seq);
    const struct rc_log_row *b = ring_after(log->look, log->looks, RC_LOG_LOOKS_MAX, seq);

    if (a == NULL || (b != NULL && b->seq < a->seq))
        return b;
    return a;
}
