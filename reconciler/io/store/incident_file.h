/* incident_file.h - the incident store as a directory, for one machine.
 *
 * `incident-<number>.json`, `node-<name>.json`, and `epoch.json` with the latest
 * epoch that listed. Each is replaced by an atomic rename, so a kill leaves the
 * old or the new one. With a syncer an answer also means that it survives a
 * power cut; without one the caller relies on its synced journal for that. */
#ifndef RC_INCIDENT_FILE_H
#define RC_INCIDENT_FILE_H

#include <event2/event.h>

#include "reconciler/io/journal/syncer.h"
#include "reconciler/io/store/incident_store.h"

/* Strings are copied. base and syncer must outlive the store. */
struct rc_incident_file_options {
    struct event_base *base;
    const char *dir; /* made (0750) if missing; its parent must exist */
    const char *cluster;
    struct rc_syncer *syncer; /* NULL = do not sync */
};

/* On success *ret_store is the caller's: rc_incident_store_free(). */
enum rc_err rc_incident_file_new(const struct rc_incident_file_options *options,
                                 struct rc_incident_store **ret_store, struct rc_error *ret_err);

#endif
