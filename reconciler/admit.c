/* admit.c - waits until this host may run slurmd: see admit.h. */
#define _GNU_SOURCE
#include "reconciler/admit.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A thousand nodes that boot at once must not ask in step, nor every second for minutes. */
enum { WAIT_MIN_MS = 500, WAIT_MAX_MS = 10000 };

/* A numeric address in 16 bytes; family 0 = it is none. */
struct ip {
    int family;
    unsigned char bytes[16];
};

static struct ip
parse_ip(const char *text)
{
    struct ip out = {0};

    if (inet_pton(AF_INET, text, out.bytes) == 1) {
        out.family = AF_INET;
    } else if (inet_pton(AF_INET6, text, out.bytes) == 1) {
        out.family = AF_INET6;
    }
    return out;
}

static bool
same_ip(const struct ip *a, const struct ip *b)
{
    size_t len = a->family == AF_INET ? 4 : 16;

    return a->family != 0 && a->family == b->family && memcmp(a->bytes, b->bytes, len) == 0;
}

/* The address of an interface that can be ours alone; family 0 otherwise. */
static struct ip
interface_ip(const struct ifaddrs *i)
{
    struct ip out = {0};

    if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP)) {
        return out;
    }
    if (i->ifa_addr->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, i->ifa_addr, sizeof v4);
        out.family = AF_INET;
        memcpy(out.bytes, &v4.sin_addr, 4);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, i->ifa_addr, sizeof v6);
        out.family = IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ? 0 : AF_INET6;
        memcpy(out.bytes, &v6.sin6_addr, 16);
    }
    return out;
}

static bool
is_interface_ip(const struct ip *wanted)
{
    struct ifaddrs *list = NULL;
    bool found = false;

    if (getifaddrs(&list) != 0) {
        return false;
    }
    for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        struct ip own = interface_ip(i);
        found = same_ip(&own, wanted);
    }
    freeifaddrs(list);
    return found;
}

bool
rc_admit_is_own(const struct rc_admit *a, const char *addr)
{
    struct ip wanted = parse_ip(addr);

    if (wanted.family == 0 || (wanted.family == AF_INET && wanted.bytes[0] == 127)) {
        return false;
    }
    if (a->addr) {
        struct ip own = parse_ip(a->addr);
        return same_ip(&own, &wanted);
    }
    return is_interface_ip(&wanted);
}

/* One look: RC_OK = admitted, otherwise *e says what stands against it. */
static enum rc_err
look(const struct rc_admit *a, struct rc_error *e)
{
    char addr[RC_ADDR_LEN] = "";
    enum rc_err err = rc_admit_ask(a, addr, e);

    if (err) {
        return err;
    }
    if (rc_admit_is_own(a, addr)) {
        return RC_OK;
    }
    if (parse_ip(addr).family == 0) {
        return rc_fail(e, RC_E_DENIED, "NodeAddr of %s is the name \"%s\", not an address", a->node,
                       addr);
    }
    return rc_fail(e, RC_E_DENIED, "NodeAddr of %s is %s, which is not an address of this host",
                   a->node, addr);
}

static int64_t
clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sleeps about wait_ms, a fifth more or less. */
static void
sleep_about(int64_t wait_ms, unsigned *seed)
{
    int64_t ms = wait_ms * 4 / 5 + rand_r(seed) % (wait_ms * 2 / 5 + 1);
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&t, NULL);
}

enum rc_err
rc_admit_wait(const struct rc_admit *a, struct rc_error *e)
{
    int64_t start = clock_ms(), wait_ms = WAIT_MIN_MS;
    char told[sizeof e->text] = "";
    unsigned seed = (unsigned)getpid() ^ (unsigned)start;

    if (a->addr && parse_ip(a->addr).family == 0) {
        return rc_fail(e, RC_E_INVALID, "\"%.64s\" is not a numeric address", a->addr);
    }
    for (;;) {
        struct rc_error why = {0};
        enum rc_err err = look(a, &why);
        if (err == RC_OK || err == RC_E_INVALID) {
            *e = why;
            return err;
        }
        if (strcmp(told, why.text) != 0) {
            fprintf(stderr, "nodewatch: %s: waiting\n", why.text);
            memcpy(told, why.text, sizeof told);
            wait_ms = WAIT_MIN_MS; /* things move: look again soon */
        }
        int64_t left = start + a->timeout_ms - clock_ms();
        if (left <= 0) {
            return rc_fail(e, RC_E_TIMEOUT, "not admitted after %" PRId64 " s: %.200s",
                           (clock_ms() - start) / 1000, why.text);
        }
        sleep_about(wait_ms < left ? wait_ms : left, &seed);
        wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
    }
}
