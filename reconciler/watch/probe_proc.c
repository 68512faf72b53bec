/* probe_proc.c - memory, read-only file systems, the clock, and the kernel log since boot. */
#define _GNU_SOURCE
#include <sys/timex.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/watch/kmsg_reader.h"
#include "reconciler/watch/mounts.h"
#include "reconciler/watch/probe.h"
#include "reconciler/watch/sys_file.h"
#include "reconciler/watch/watch_verdict.h"

enum { MEMORY_LOW_PERCENT = 1, CLOCK_ERROR_MAX_US = 1000 * 1000 };

/* kB of one line of meminfo. */
static bool
meminfo(const char *text, const char *key, unsigned long long *ret)
{
    const char *at = strstr(text, key);

    return at && sscanf(at + strlen(key), " %llu", ret) == 1;
}

void
rc_probe_memory(const struct rc_probe_config *c, struct rc_findings *out)
{
    unsigned long long total = 0, available = 0, corrupted = 0;
    char text[4096];

    if (!rc_sys_read(c->proc, "meminfo", NULL, text, sizeof text) ||
        !meminfo(text, "MemTotal:", &total) || !meminfo(text, "MemAvailable:", &available)) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "mem:unknown", "", "%s/meminfo cannot be read",
                       c->proc);
        return;
    }
    if (meminfo(text, "HardwareCorrupted:", &corrupted) && corrupted > 0) {
        rc_finding_add(out, RC_FINDING_FAULT, "mem:corrupted", "",
                       "%llu kB of memory were taken out of use by the kernel", corrupted);
    }
    if (available < total * MEMORY_LOW_PERCENT / 100) {
        rc_finding_add(out, RC_FINDING_NOTE, "mem:low", "", "%llu of %llu kB are available",
                       available, total);
    }
}

static void
look_at_readonly(void *arg, const struct rc_mount *m)
{
    struct rc_findings *out = arg;

    if (m->local && m->readonly && !m->meant_readonly) {
        rc_finding_add(out, RC_FINDING_FAULT, "fs:readonly", m->point, "%s is mounted read-only",
                       m->source);
    }
}

void
rc_probe_readonly(const struct rc_probe_config *c, struct rc_findings *out)
{
    if (!rc_mounts_each(c->proc, c->etc, look_at_readonly, out)) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "fs:unknown", "", "%s/self/mounts cannot be read",
                       c->proc);
    }
}

/* munge refuses credentials that are five minutes off; a source of time that is lost
 * shows long before that. */
void
rc_probe_clock(const struct rc_probe_config *c, struct rc_findings *out)
{
    struct timex t = {0};
    int state = adjtimex(&t);

    (void)c;
    if (state < 0) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "clock:unknown", "", "adjtimex: %s",
                       strerror(errno));
    } else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0) {
        rc_finding_add(out, RC_FINDING_NOTE, "clock:unsync", "",
                       "nothing keeps the clock synchronised");
    } else if (t.maxerror > CLOCK_ERROR_MAX_US) {
        rc_finding_add(out, RC_FINDING_NOTE, "clock:error", "", "the clock may be %ld ms off",
                       t.maxerror / 1000);
    }
}

struct log_look {
    struct rc_findings *out;
    uint64_t from_usec, from_seq;
    struct rc_finding seen[RC_FINDINGS_MAX];
    uint32_t seen_count;
};

/* A storm of one fault is one finding. */
static bool
fault_seen(struct log_look *l, const struct rc_kernel_class *k)
{
    for (uint32_t i = 0; i < l->seen_count; i++) {
        if (strcmp(l->seen[i].class_name, k->name) == 0 &&
            strcmp(l->seen[i].device, k->device) == 0) {
            return true;
        }
    }
    if (l->seen_count < RC_FINDINGS_MAX) {
        struct rc_finding *f = &l->seen[l->seen_count++];

        memcpy(f->class_name, k->name, sizeof f->class_name);
        memcpy(f->device, k->device, sizeof f->device);
    }
    return false;
}

static void
look_at_record(void *arg, const struct rc_kmsg *record)
{
    struct log_look *l = arg;
    struct rc_kernel_class k;
    char detail[RC_KERNEL_DETAIL_LEN];

    if (record->usec < l->from_usec || record->seq < l->from_seq || !rc_kmsg_is_kernel(record) ||
        !rc_kernel_classify_message(record->text, &k)) {
        return;
    }
    enum rc_verdict_of verdict = rc_watch_verdict(k.name);
    if (verdict != RC_VERDICT_NOTHING && !fault_seen(l, &k)) {
        (void)rc_kernel_detail(&k, detail);
        rc_finding_add(l->out, verdict == RC_VERDICT_DRAIN ? RC_FINDING_FAULT : RC_FINDING_NOTE,
                       k.name, k.device, "%s", detail);
    }
}

static uint64_t
uptime_usec(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

void
rc_probe_kmsg(const struct rc_probe_config *c, struct rc_findings *out)
{
    static struct log_look l;
    static struct rc_kmsg_reader r;
    struct rc_error e;
    uint64_t now = uptime_usec(), age = (uint64_t)c->kmsg_max_age * 1000000U;

    l = (struct log_look){.out = out,
                          .from_usec = age > 0 && age < now ? now - age : 0,
                          .from_seq = c->kmsg_from_seq};
    if (rc_kmsg_open(&r, c->kmsg, &e) != RC_OK) {
        rc_finding_add(out, RC_FINDING_UNKNOWN, "log:unknown", "", "%s", e.text);
        return;
    }
    (void)rc_kmsg_read(&r, UINT32_MAX, look_at_record, &l, NULL);
    if (r.lost > 0) {
        rc_finding_add(out, RC_FINDING_NOTE, "log:overrun", "", "%llu kernel messages were lost",
                       (unsigned long long)r.lost);
    }
    rc_kmsg_close(&r);
}
