/* incident_listing.h - every item of a store, read at once. */
#ifndef RC_INCIDENT_LISTING_H
#define RC_INCIDENT_LISTING_H

#include "reconciler/io/store/incident_store.h"

struct rc_incident_listing {
    struct rc_incident_item *incidents; /* by number */
    size_t incident_count, incident_room;
    struct rc_history_item *histories; /* by node name */
    char **history_texts;              /* the json of each, in any order */
    size_t history_count, history_room, text_room;
    uint64_t epoch_max; /* of all items */
    const char *cluster;
};

/* Files that are no items are passed over; an item that cannot be read is an error
 * that names it. Free *l in either case. */
enum rc_err rc_incident_listing_read(const char *dir, int dir_fd, const char *cluster,
                                     struct rc_incident_listing *l, struct rc_error *err);
/* One item under its key, "incident-12" or "node-gpu-7"; other keys are passed over. l is
 * zeroed at first, but for its cluster. RC_E_PARSE, RC_E_FOREIGN. */
enum rc_err rc_incident_listing_add(struct rc_incident_listing *l, const char *key,
                                    const char *text, size_t len, struct rc_error *err);
void rc_incident_listing_sort(struct rc_incident_listing *l);
void rc_incident_listing_free(struct rc_incident_listing *l);

#endif
