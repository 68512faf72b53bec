/* incident_listing.c - see incident_listing.h. */
#define _GNU_SOURCE
#include "reconciler/io/store/incident_listing.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/store/incident_item.h"
#include "reconciler/io/store/store_file.h"

enum { NAME_ROOM = RC_NODE_LEN + 16 };

static void *
grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return list;
    }
    size_t wanted = *room ? 2 * *room : 64;
    void *bigger = realloc(list, wanted * size);
    if (bigger) {
        *room = wanted;
    }
    return bigger;
}

static enum rc_err
list_incident(struct rc_incident_listing *l, const char *key, const char *text, size_t len,
              struct rc_error *err)
{
    char name[NAME_ROOM];
    void *bigger = grow(l->incidents, l->incident_count, &l->incident_room, sizeof *l->incidents);

    if (!bigger) {
        return rc_fail(err, RC_E_FULL, "out of memory");
    }
    l->incidents = bigger;
    struct rc_incident_item *item = &l->incidents[l->incident_count];
    enum rc_err e = rc_incident_item_parse(l->cluster, text, len, item, err);
    if (e) {
        return e;
    }
    snprintf(name, sizeof name, "incident-%" PRIu32, item->incident);
    if (strcmp(name, key) != 0) {
        return rc_fail(err, RC_E_PARSE, "the item is of incident %" PRIu32, item->incident);
    }
    l->incident_count++;
    l->epoch_max = item->item.epoch > l->epoch_max ? item->item.epoch : l->epoch_max;
    return RC_OK;
}

static enum rc_err
list_history(struct rc_incident_listing *l, const char *key, const char *text, size_t len,
             struct rc_error *err)
{
    char name[NAME_ROOM];
    void *bigger = grow(l->histories, l->history_count, &l->history_room, sizeof *l->histories);

    if (bigger) {
        l->histories = bigger;
        bigger = grow(l->history_texts, l->history_count, &l->text_room, sizeof *l->history_texts);
    }
    if (!bigger) {
        return rc_fail(err, RC_E_FULL, "out of memory");
    }
    l->history_texts = bigger;
    struct rc_history_item *item = &l->histories[l->history_count];
    enum rc_err e = rc_history_item_parse(l->cluster, text, len, item,
                                          &l->history_texts[l->history_count], err);
    if (e) {
        return e;
    }
    l->history_count++;
    l->epoch_max = item->epoch > l->epoch_max ? item->epoch : l->epoch_max;
    snprintf(name, sizeof name, "node-%s", item->node);
    return strcmp(name, key) == 0 ? RC_OK
                                  : rc_fail(err, RC_E_PARSE, "the item is of node %s", item->node);
}

enum rc_err
rc_incident_listing_add(struct rc_incident_listing *l, const char *key, const char *text,
                        size_t len, struct rc_error *err)
{
    if (strncmp(key, "incident-", 9) == 0) {
        return list_incident(l, key, text, len, err);
    }
    return strncmp(key, "node-", 5) == 0 ? list_history(l, key, text, len, err) : RC_OK;
}

static enum rc_err
list_file(int dir_fd, struct rc_incident_listing *l, const char *file, struct rc_error *err)
{
    size_t name_len = strlen(file), len = 0;
    char key[NAME_ROOM], *text = NULL;
    struct rc_error why;

    if (name_len < 5 || name_len >= sizeof key || strcmp(file + name_len - 5, ".json") != 0 ||
        (strncmp(file, "incident-", 9) != 0 && strncmp(file, "node-", 5) != 0)) {
        return RC_OK;
    }
    snprintf(key, sizeof key, "%.*s", (int)(name_len - 5), file);
    enum rc_err e = rc_store_read(dir_fd, file, &text, &len, &why);
    if (!e) {
        e = rc_incident_listing_add(l, key, text, len, &why);
        free(text);
    }
    return e ? rc_fail(err, e, "%.80s: %.170s", file, why.text) : RC_OK;
}

static int
items_by_incident(const void *a, const void *b)
{
    uint32_t x = ((const struct rc_incident_item *)a)->incident;
    uint32_t y = ((const struct rc_incident_item *)b)->incident;

    return (x > y) - (x < y);
}

static int
items_by_node(const void *a, const void *b)
{
    return strcmp(((const struct rc_history_item *)a)->node,
                  ((const struct rc_history_item *)b)->node);
}

void
rc_incident_listing_sort(struct rc_incident_listing *l)
{
    if (l->incident_count) {
        qsort(l->incidents, l->incident_count, sizeof *l->incidents, items_by_incident);
    }
    if (l->history_count) {
        qsort(l->histories, l->history_count, sizeof *l->histories, items_by_node);
    }
}

enum rc_err
rc_incident_listing_read(const char *dir, int dir_fd, const char *cluster,
                         struct rc_incident_listing *l, struct rc_error *err)
{
    DIR *d = opendir(dir);
    enum rc_err e = RC_OK;
    struct dirent *entry;

    memset(l, 0, sizeof *l);
    l->cluster = cluster;
    if (!d) {
        return rc_fail(err, RC_E_IO, "cannot read %s: %s", dir, strerror(errno));
    }
    while (!e && (entry = readdir(d))) {
        e = list_file(dir_fd, l, entry->d_name, err);
    }
    closedir(d);
    rc_incident_listing_sort(l);
    return e;
}

void
rc_incident_listing_free(struct rc_incident_listing *l)
{
    for (size_t i = 0; i < l->history_count; i++) {
        free(l->history_texts[i]);
    }
    free(l->incidents);
    free(l->history_texts);
    free(l->histories);
}
