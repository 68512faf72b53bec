/* incident_file.c - see incident_file.h.
 *
 * Calls wait in a queue for a moment and are carried out in later turns of the loop,
 * a few in each, inside the lock of the directory: compare the epochs, replace the
 * file. With a syncer they then wait in a second queue for the disk, a few in
 * each request, oldest first. A refused call is answered before those that wait.
 *
 * Failure modes: an item that cannot be read fails list() as a whole; a put does
 * not need the old item to be readable, only the epoch file. A kill between two
 * files loses nothing, because each call is one file. */
#define _GNU_SOURCE
#include "reconciler/io/store/incident_file.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/store/incident_item.h"
#include "reconciler/io/store/incident_listing.h"
#include "reconciler/io/store/json_fields.h"
#include "reconciler/io/store/store_call.h"
#include "reconciler/io/store/store_file.h"

enum {
    CALLS_PER_TURN = 32,
    /* Files are written when nothing new has been asked for a moment: in a storm every drain
     * leaves first. Only the messages' deletion waits for it. */
    GATHER_MS = 20,
    GATHER_MAX_MS = 300,
    LOCK_RETRY_MS = 5,
    LOCK_TRIES = 400,
    NAME_ROOM = RC_STORE_KEY_LEN + sizeof ".json",
    SYNCS_PER_REQUEST = RC_SYNCER_FILES_MAX - 1 /* and the directory */
};

struct incident_file {
    struct rc_incident_store base;
    struct rc_incident_file_options o;
    char *dir, *cluster;
    int dir_fd;
    struct event *turn;
    int64_t gather_since_ms;        /* when the oldest call of this gathering was asked */
    struct rc_store_queue asked;    /* not carried out */
    struct rc_store_queue unsynced; /* carried out, not on the disk */
    unsigned syncing;               /* so many of them are under way */
    bool is_closed;                 /* only the syncer's answer is awaited */
    unsigned lock_tries;
    uint64_t fence; /* while the lock is held; 0 = not read */
};

static void
file_of(const struct rc_store_call *c, char name[NAME_ROOM])
{
    snprintf(name, NAME_ROOM, "%s.json", c->key);
}

/* --- epochs ----------------------------------------------------------------------- */

static enum rc_err
read_fence(const struct incident_file *s, uint64_t *ret_epoch, struct rc_error *err)
{
    struct rc_json_object o;
    char *text = NULL;
    size_t len = 0;
    enum rc_err e = rc_store_read(s->dir_fd, "epoch.json", &text, &len, err);

    *ret_epoch = 0;
    if (e) {
        return e == RC_E_NOT_FOUND ? RC_OK : e;
    }
    rc_json_open(&o, "epoch.json", text, len, err);
    rc_json_expect(&o, RC_ITEM_VERSION, s->cluster);
    *ret_epoch = rc_json_integer(&o, "epoch", 1, RC_JSON_INTEGER_MAX);
    free(text);
    return rc_json_close(&o);
}

static enum rc_err
write_fence(const struct incident_file *s, uint64_t epoch, struct rc_error *err)
{
    char *text = NULL;
    cJSON *o = cJSON_CreateObject();

    if (cJSON_AddNumberToObject(o, "version", RC_ITEM_VERSION) &&
        cJSON_AddStringToObject(o, "cluster", s->cluster) &&
        cJSON_AddNumberToObject(o, "epoch", (double)epoch)) {
        text = cJSON_PrintUnformatted(o);
    }
    cJSON_Delete(o);
    if (!text) {
        return rc_fail(err, RC_E_FULL, "out of memory");
    }
    enum rc_err e = rc_store_replace(s->dir_fd, "epoch.json", text, false, err);
    free(text);
    return e;
}

/* The first write of a new epoch fences the ones before it too. The fence is read
 * once for all calls that are carried out under one lock. */
static enum rc_err
check_epoch(struct incident_file *s, uint64_t epoch, struct rc_error *err)
{
    uint64_t fence = s->fence;
    enum rc_err e = fence ? RC_OK : read_fence(s, &fence, err);

    if (!e && epoch < fence) {
        e = rc_fail(err, RC_E_CONDITION,
                    "epoch %" PRIu64 " is over: epoch %" PRIu64 " has written in %s", epoch, fence,
                    s->dir);
    }
    if (!e && epoch > fence) {
        e = write_fence(s, epoch, err);
    }
    s->fence = e ? 0 : epoch;
    return e;
}

/* --- carrying out --------------------------------------------------------------------- */

static void
carry_out_list(struct incident_file *s, struct rc_store_call *c)
{
    struct rc_incident_listing l;
    struct rc_error err = {RC_OK, "", ""};
    enum rc_err e = rc_incident_listing_read(s->dir, s->dir_fd, s->cluster, &l, &err);

    if (!e && c->epoch && l.epoch_max > c->epoch) {
        e = rc_fail(&err, RC_E_CONDITION,
                    "an item in %s is of epoch %" PRIu64 ", later than our epoch %" PRIu64, s->dir,
                    l.epoch_max, c->epoch);
    }
    if (!e && c->epoch) {
        e = check_epoch(s, c->epoch, &err);
    }
    if (e) {
        rc_store_answer(c, e, &err);
    } else {
        struct rc_store_items items = {l.incidents, l.incident_count, l.histories, l.history_count};
        c->list_cb(c->arg, RC_OK, &items, &err);
        free(c);
    }
    rc_incident_listing_free(&l);
}

static enum rc_err
carry_out_call(struct incident_file *s, const struct rc_store_call *c, struct rc_error *err)
{
    enum rc_err e = check_epoch(s, c->epoch, err);
    char name[NAME_ROOM];

    if (e) {
        return e;
    }
    file_of(c, name);
    if (c->kind == RC_STORE_WRITE) {
        return rc_store_replace(s->dir_fd, name, c->text, false, err);
    }
    if (unlinkat(s->dir_fd, name, 0) && errno != ENOENT) {
        return rc_fail(err, RC_E_DISK, "cannot delete %s: %s", name, strerror(errno));
    }
    return RC_OK;
}

static void sync_items(struct incident_file *s);
static void destroy_store(struct incident_file *s);

static void
on_items_synced(void *arg, enum rc_err code, const struct rc_error *err)
{
    struct incident_file *s = arg;

    if (s->is_closed) {
        destroy_store(s);
        return;
    }
    while (s->syncing) {
        s->syncing--;
        rc_store_answer(rc_store_pop(&s->unsynced), code, err);
    }
    sync_items(s);
}

/* Files are opened again by name, so that a long queue holds no descriptors; one
 * that was replaced meanwhile is synced in its newer form, one that was deleted
 * is in the directory's sync. */
static void
sync_items(struct incident_file *s)
{
    int fds[RC_SYNCER_FILES_MAX];
    unsigned count = 0;
    struct rc_error err;
    const char *last = "";

    if (s->syncing || !s->unsynced.head) {
        return;
    }
    for (struct rc_store_call *c = s->unsynced.head; c && s->syncing < SYNCS_PER_REQUEST;
         c = c->next) {
        char name[NAME_ROOM];
        bool is_again = strcmp(c->key, last) == 0;
        file_of(c, name);
        int fd = is_again ? -1 : openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC);
        last = c->key;
        if (fd >= 0) {
            fds[count++] = fd;
        }
        s->syncing++;
    }
    fds[count++] = s->dir_fd;
    enum rc_err e = rc_syncer_sync(s->o.syncer, fds, count, on_items_synced, s, &err);
    while (count-- > 1) {
        close(fds[count - 1]);
    }
    if (e) {
        while (s->syncing) {
            s->syncing--;
            rc_store_answer(rc_store_pop(&s->unsynced), e, &err);
        }
        if (s->unsynced.head) {
            event_active(s->turn, EV_TIMEOUT, 0);
        }
    }
}

/* Moves calls off the queue: one, or several writes of one item in a row, of which
 * only the last needs to reach the file. Returns that one; the others are in *before. */
static struct rc_store_call *
next_call(struct incident_file *s, struct rc_store_queue *before)
{
    struct rc_store_call *c = rc_store_pop(&s->asked);

    for (struct rc_store_call *n = s->asked.head; n && c->kind == RC_STORE_WRITE;
         n = s->asked.head) {
        if (n->kind != RC_STORE_WRITE || n->epoch != c->epoch || strcmp(n->key, c->key) != 0) {
            break;
        }
        rc_store_push(before, c);
        c = rc_store_pop(&s->asked);
    }
    return c;
}

static void
carry_out_some(struct incident_file *s)
{
    for (int i = 0; i < CALLS_PER_TURN && s->asked.head; i++) {
        struct rc_store_queue done;
        struct rc_error err = {RC_OK, "", ""};
        rc_store_queue_init(&done);
        struct rc_store_call *c = next_call(s, &done);
        if (c->kind == RC_STORE_LIST) {
            carry_out_list(s, c);
            continue;
        }
        enum rc_err e = carry_out_call(s, c, &err);
        rc_store_push(&done, c);
        while ((c = rc_store_pop(&done))) {
            if (!e && s->o.syncer) {
                rc_store_push(&s->unsynced, c);
            } else {
                rc_store_answer(c, e, &err);
            }
        }
    }
}

static void
on_store_turn(evutil_socket_t unused, short what, void *arg)
{
    const struct timeval retry = {.tv_usec = LOCK_RETRY_MS * 1000}, now = {0};
    struct incident_file *s = arg;
    struct rc_error err;

    (void)unused;
    (void)what;
    if (s->asked.head) {
        int fd = openat(s->dir_fd, "store.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            s->lock_tries = 0;
            s->fence = 0;
            carry_out_some(s);
        } else if (++s->lock_tries == LOCK_TRIES) {
            rc_fail(&err, RC_E_TIMEOUT, "cannot lock %s/store.lock: %s", s->dir, strerror(errno));
            s->lock_tries = 0;
            rc_store_answer(rc_store_pop(&s->asked), RC_E_TIMEOUT, &err);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (s->asked.head) {
        event_add(s->turn, s->lock_tries ? &retry : &now);
    }
    sync_items(s);
}

/* --- calls ------------------------------------------------------------------------------ */

static int64_t
gather_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum rc_err
ask_store(struct incident_file *s, const struct rc_store_call *from)
{
    const struct timeval soon = {.tv_usec = GATHER_MS * 1000};
    int64_t now_ms = gather_clock_ms();
    bool is_first = !s->asked.head;
    enum rc_err e = rc_store_push_copy(&s->asked, from);

    if (e) {
        return e;
    }
    if (is_first) {
        s->gather_since_ms = now_ms;
    }
    if (!evtimer_pending(s->turn, NULL) || now_ms - s->gather_since_ms < GATHER_MAX_MS) {
        event_add(s->turn, &soon); /* again from now */
    }
    return RC_OK;
}

static enum rc_err
put_item(struct rc_incident_store *base, const struct rc_incident_item *item, rc_store_fn *cb,
         void *arg)
{
    struct incident_file *s = (struct incident_file *)base;
    struct rc_store_call c;
    enum rc_err e = rc_store_call_put(s->cluster, item, cb, arg, &c);

    return e ? e : ask_store(s, &c);
}

static enum rc_err
remove_incident(struct rc_incident_store *base, uint32_t incident, uint64_t epoch, rc_store_fn *cb,
                void *arg)
{
    struct rc_store_call c;
    enum rc_err e = rc_store_call_remove(incident, epoch, cb, arg, &c);

    return e ? e : ask_store((struct incident_file *)base, &c);
}

static enum rc_err
put_history(struct rc_incident_store *base, const struct rc_history_item *item, rc_store_fn *cb,
            void *arg)
{
    struct incident_file *s = (struct incident_file *)base;
    struct rc_store_call c;
    enum rc_err e = rc_store_call_history(s->cluster, item, cb, arg, &c);

    return e ? e : ask_store(s, &c);
}

static enum rc_err
list_items(struct rc_incident_store *base, uint64_t epoch, rc_store_list_fn *cb, void *arg)
{
    struct rc_store_call c;
    enum rc_err e = rc_store_call_list(epoch, cb, arg, &c);

    return e ? e : ask_store((struct incident_file *)base, &c);
}

static void
destroy_store(struct incident_file *s)
{
    if (s->turn) {
        event_free(s->turn);
    }
    if (s->dir_fd >= 0) {
        close(s->dir_fd);
    }
    free(s->dir);
    free(s->cluster);
    free(s);
}

static void
incident_file_free(struct rc_incident_store *base)
{
    struct incident_file *s = (struct incident_file *)base;
    struct rc_error err;
    struct rc_store_call *c;

    rc_fail(&err, RC_E_CANCELLED, "the incident store is closed");
    while ((c = rc_store_pop(&s->unsynced)) || (c = rc_store_pop(&s->asked))) {
        rc_store_answer(c, RC_E_CANCELLED, &err);
    }
    s->is_closed = s->syncing > 0;
    if (!s->is_closed) {
        destroy_store(s);
    }
}

enum rc_err
rc_incident_file_new(const struct rc_incident_file_options *options,
                     struct rc_incident_store **ret_store, struct rc_error *ret_err)
{
    static const struct rc_incident_store_ops ops = {put_item, remove_incident, put_history,
                                                     list_items, incident_file_free};
    struct incident_file *s = calloc(1, sizeof *s);

    if (!s) {
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    s->base.ops = &ops;
    s->o = *options;
    s->dir_fd = -1;
    rc_store_queue_init(&s->asked);
    rc_store_queue_init(&s->unsynced);
    s->dir = strdup(options->dir);
    s->cluster = strdup(options->cluster);
    s->turn = evtimer_new(options->base, on_store_turn, s);
    if (!s->dir || !s->cluster || !s->turn) {
        destroy_store(s);
        return rc_fail(ret_err, RC_E_FULL, "out of memory");
    }
    if (!mkdir(s->dir, 0750) || errno == EEXIST) {
        s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (s->dir_fd < 0) {
        enum rc_err e = rc_fail(ret_err, RC_E_DISK, "cannot make or open %s: %s", options->dir,
                                strerror(errno));
        destroy_store(s);
        return e;
    }
    *ret_store = &s->base;
    return RC_OK;
}
