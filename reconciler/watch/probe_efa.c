/* probe_efa.c - EFA devices: there, alive, and how often what fails.
 *
 * EFA reports its ports as ACTIVE whatever happens (amzn-drivers efa_verbs.c), so their state
 * is not looked at. What shows: a missing device, an admin queue that timed out
 * (no_completion_cmds: closed for good), keep-alives that stop, counters that rise. The
 * rates are those of the EKS node monitoring agent (a bucket of 100 that refills by one a second:
 * 160 a minute; 1,000 for retransmitted packets), and only told: peers and networks cause them too.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "reconciler/watch/probe.h"
#include "reconciler/watch/probe_rates.h"
#include "reconciler/watch/sys_file.h"

enum { VENDOR_AMAZON = 0x1d0f, EFA_DEVICE = 0xefa, STILL_MAX = 3 };

static const struct {
    const char *name;
    uint64_t rise_max; /* from one look to the next */
} port_counters[] = {
    {"rx_drops", 160},
    {"rdma_read_wr_err", 160},
    {"rdma_write_wr_err", 160},
    {"retrans_timeout_events", 160},
    {"unresponsive_remote_events", 160},
    {"impaired_remote_conn_events", 160},
    {"retrans_pkts", 1060},
};

struct efa_look {
    const struct rc_probe_config *config;
    struct rc_findings *out;
    uint32_t count;
};

static bool
each_efa(struct efa_look *l, const char *place, rc_sys_entry_fn *fn)
{
    char dir[PATH_MAX];

    (void)snprintf(dir, sizeof dir, "%s/%s", l->config->sys, place);
    return rc_sys_each(dir, "", fn, l) >= 0;
}

static void
count_efa_function(void *arg, const char *dir, const char *name)
{
    struct efa_look *l = arg;
    uint64_t vendor = 0, device = 0;

    l->count += rc_sys_number(dir, name, "vendor", &vendor) && vendor == VENDOR_AMAZON &&
                rc_sys_number(dir, name, "device", &device) && device >> 4 == EFA_DEVICE;
}

static bool
efa_counter(const char *dir, const char *name, const char *counter, uint64_t *ret)
{
    char file[96];

    (void)snprintf(file, sizeof file, "hw_counters/%s", counter);
    if (rc_sys_number(dir, name, file, ret)) {
        return true;
    }
    /* Older drivers keep all counters in the port's folder. */
    (void)snprintf(file, sizeof file, "ports/1/hw_counters/%s", counter);
    return rc_sys_number(dir, name, file, ret);
}

static void
look_at_rates(struct efa_look *l, const char *dir, const char *name)
{
    struct rc_rates *rates = l->config->rates;
    char class_name[RC_KERNEL_CLASS_LEN];
    uint64_t value = 0, rise = 0;

    for (size_t i = 0; i < sizeof port_counters / sizeof *port_counters; i++) {
        (void)snprintf(class_name, sizeof class_name, "efa:counter:%s", port_counters[i].name);
        if (efa_counter(dir, name, port_counters[i].name, &value) &&
            rc_rates_rise(rates, class_name, name, value, &rise) &&
            rise > port_counters[i].rise_max) {
            rc_finding_add(l->out, RC_FINDING_NOTE, class_name, name,
                           "rose by %llu since the last look", (unsigned long long)rise);
        }
    }
    /* Not every driver counts them: only a counter that used to rise may stand still. */
    if (efa_counter(dir, name, "keep_alive_rcvd", &value) &&
        rc_rates_rise(rates, "efa:keepalive", name, value, &rise) &&
        rc_rates_still(rates, "efa:keepalive", name) >= STILL_MAX) {
        rc_finding_add(l->out, RC_FINDING_FAULT, "efa:keepalive", name,
                       "no keep-alive from the device in %d looks", STILL_MAX);
    }
}

static void
look_at_efa(void *arg, const char *dir, const char *name)
{
    struct efa_look *l = arg;
    uint64_t value = 0;

    if (strncmp(name, "rdmap", 5) != 0 && strncmp(name, "efa_", 4) != 0) {
        return;
    }
    l->count++;
    if (!efa_counter(dir, name, "no_completion_cmds", &value)) {
        rc_finding_add(l->out, RC_FINDING_UNKNOWN, "efa:unknown", name, "no counters");
    } else if (value > 0) {
        rc_finding_add_counted(l->out, RC_FINDING_FAULT, "efa:admin-timeout", name, value,
                               "%llu admin commands without completion", (unsigned long long)value);
    }
    if (efa_counter(dir, name, "cmds_err", &value) && value > 0) {
        rc_finding_add(l->out, RC_FINDING_NOTE, "efa:cmd-fail", name, "%llu admin commands failed",
                       (unsigned long long)value);
    }
    if (l->config->rates) {
        look_at_rates(l, dir, name);
    }
}

void
rc_probe_efa(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct efa_look functions = {.config = c, .out = out}, devices = functions;
    uint32_t want;

    (void)each_efa(&functions, "bus/pci/devices", count_efa_function);
    (void)each_efa(&devices, "class/infiniband", look_at_efa);
    want = c->efas > functions.count ? c->efas : functions.count;
    if (c->seen && c->seen->efas > want) {
        want = c->seen->efas;
    } else if (c->seen && c->seen->efas < devices.count) {
        c->seen->efas = devices.count;
    }
    if (devices.count < want) {
        rc_finding_add(out, rc_probe_boots(c) ? RC_FINDING_UNKNOWN : RC_FINDING_FAULT,
                       "efa:missing", "", "%u of %u EFA devices", devices.count, want);
    }
}
