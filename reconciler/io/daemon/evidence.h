/* evidence.h - copies bundles of evidence to S3, where a lost controller does not take them along.
 *
 * What is to be copied is read from the folders themselves (io/host/bundle.h): after a restart
 * it goes on where it stood. One object at a time, the manifest last; what fails is told and
 * tried again, with growing pauses, until it is there. No repair waits for it. */
#ifndef RC_EVIDENCE_H
#define RC_EVIDENCE_H

#include "reconciler/io/daemon/daemon.h"

/* NULL: no memory. Without forensics.s3 in the configuration it does nothing. */
struct rc_evidence *rc_evidence_new(struct rc_daemon *d);
void rc_evidence_free(struct rc_evidence *v);
/* A bundle is new, or has changed. */
void rc_evidence_poke(struct rc_evidence *v);

#endif
