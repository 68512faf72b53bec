/* uevent.c - see uevent.h. */
#define _GNU_SOURCE
#include "reconciler/watch/uevent.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UEVENT_ROOM = 8192, KERNEL_GROUP = 1 }; /* UEVENT_BUFFER_SIZE of Linux is 2048 */

int
rc_uevent_open(void)
{
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&kernel, sizeof kernel) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

/* "remove@/devices/…\0ACTION=remove\0…SUBSYSTEM=pci\0…" */
static void
hand_out_uevent(const char *text, const char *end, rc_uevent_fn *fn, void *arg)
{
    static const char key[] = "SUBSYSTEM=";

    for (const char *at = text; at < end; at += strnlen(at, (size_t)(end - at)) + 1) {
        if (strncmp(at, key, sizeof key - 1) == 0) {
            fn(arg, at + sizeof key - 1);
            return;
        }
    }
}

void
rc_uevent_read(int fd, rc_uevent_fn *fn, void *arg)
{
    struct sockaddr_nl from;
    socklen_t len = sizeof from;
    char buf[UEVENT_ROOM + 1];
    ssize_t n;

    while ((n = recvfrom(fd, buf, UEVENT_ROOM, 0, (struct sockaddr *)&from, &len)) > 0) {
        buf[n] = '\0';
        if (len == sizeof from && from.nl_pid == 0) { /* programs may send to the group too */
            hand_out_uevent(buf, buf + n, fn, arg);
        }
        len = sizeof from;
    }
}
