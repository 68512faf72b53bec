/* bundle_name.h - names that the two files about bundles share. */
#ifndef RC_BUNDLE_NAME_H
#define RC_BUNDLE_NAME_H

#include <stdint.h>

#define RC_BUNDLE_MANIFEST "manifest.json"
#define RC_BUNDLE_COPIED   "uploaded.txt"

/* Of a folder "<incident>-<node>"; 0: not one of ours. */
uint32_t rc_bundle_incident(const char *name);

#endif
