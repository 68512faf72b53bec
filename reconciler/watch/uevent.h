/* uevent.h - the kernel tells when a device comes or goes (netlink, kobject uevents).
 *
 * A hint, never a fault by itself: it asks for a look at once where a poll would be a
 * minute late. Messages that were lost cost latency only. */
#ifndef RC_UEVENT_H
#define RC_UEVENT_H

/* Called for each message of the kernel: its subsystem ("pci", "infiniband", "nvme"). */
typedef void(rc_uevent_fn)(void *arg, const char *subsystem);

/* A non-blocking socket; -1: none is to be had here. */
int rc_uevent_open(void);
void rc_uevent_read(int fd, rc_uevent_fn *fn, void *arg);

#endif
