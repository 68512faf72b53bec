/* incident_item.h - incident and history items as JSON text, and back.
 *
 * The same text in every form of the store. Version 1; a reader refuses other
 * versions, other clusters, members of the wrong kind or size, and names of
 * faults, phases and flags that it does not know. */
#ifndef RC_INCIDENT_ITEM_H
#define RC_INCIDENT_ITEM_H

#include <stdbool.h>

#include "reconciler/io/store/incident_store.h"

enum { RC_ITEM_VERSION = 1 };

/* Can the arguments of a put be kept? */
bool rc_incident_item_is_good(const struct rc_incident_item *item);
bool rc_history_item_is_good(const struct rc_history_item *item);
bool rc_item_epoch_is_good(uint64_t epoch);

/* malloc'd text, or NULL when memory is out. */
char *rc_incident_item_format(const char *cluster, const struct rc_incident_item *item);
char *rc_history_item_format(const char *cluster, const struct rc_history_item *item);

/* RC_E_PARSE: rubbish; RC_E_FOREIGN: another cluster's. On an error *ret_… is untouched. */
enum rc_err rc_incident_item_parse(const char *cluster, const char *text, size_t len,
                                   struct rc_incident_item *ret_item, struct rc_error *ret_err);
/* ret_item->json is *ret_json, which the caller frees. */
enum rc_err rc_history_item_parse(const char *cluster, const char *text, size_t len,
                                  struct rc_history_item *ret_item, char **ret_json,
                                  struct rc_error *ret_err);

#endif
