/* slurm_here.c - is a node's name that of this machine, or has another instance taken it?
 *
 * A replaced instance runs on until its successor is in service, and its agent knows only the
 * name. Slurm's NodeAddr says whose the name is: the daemon sets it when it registers a
 * replacement. Only a numeric NodeAddr proves anything; a host name may resolve to whatever,
 * and is not looked up, because a drain must not wait for DNS. When the own addresses cannot
 * be read, the name counts as ours: a fault not told is worse than one told twice. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>
#include <sys/socket.h>

#include "reconciler/io/slurm/slurm_helper.h"

struct address {
    int family; /* AF_UNSPEC: no numeric address */
    unsigned char bytes[sizeof(struct in6_addr)];
};

static struct address
address_of_text(const char *text)
{
    struct address a = {.family = AF_UNSPEC};

    if (text && inet_pton(AF_INET, text, a.bytes) == 1) {
        a.family = AF_INET;
    } else if (text && inet_pton(AF_INET6, text, a.bytes) == 1) {
        a.family = AF_INET6;
    }
    return a;
}

static struct address
address_of_interface(const struct ifaddrs *i)
{
    struct address a = {.family = AF_UNSPEC};

    if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, i->ifa_addr, sizeof in);
        memcpy(a.bytes, &in.sin_addr, sizeof in.sin_addr);
        a.family = AF_INET;
    } else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, i->ifa_addr, sizeof in6);
        memcpy(a.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
        a.family = AF_INET6;
    }
    return a;
}

bool
rc_slurm_is_here(const node_info_t *node)
{
    struct address wanted = address_of_text(node->node_addr);
    struct ifaddrs *all = NULL;
    bool here = false;

    if (wanted.family == AF_UNSPEC || getifaddrs(&all) != 0) {
        return true;
    }
    for (const struct ifaddrs *i = all; i && !here; i = i->ifa_next) {
        struct address own = address_of_interface(i);

        here =
            own.family == wanted.family && memcmp(own.bytes, wanted.bytes, sizeof own.bytes) == 0;
    }
    freeifaddrs(all);
    return here;
}
