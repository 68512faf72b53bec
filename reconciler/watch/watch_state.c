/* watch_state.c - see watch_state.h.
 *
 * The file is not synced: after a crash of the machine its boot is another one, and
 * after a crash of the agent the kernel's log is still there. */
#define _GNU_SOURCE
#include "reconciler/watch/watch_state.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEMAND "xid:154:"

enum {
    DRAINED_ANEW_S = 60, /* a fault that is back so long after its drain is a new one */
    BOOT_SHOWN = 8,
};

static struct rc_watch_fault *
find_fault(struct rc_watch_state *s, const char *class_name, const char *device)
{
    for (uint32_t i = 0; i < s->fault_count; i++) {
        if (strcmp(s->fault[i].class_name, class_name) == 0 &&
            strcmp(s->fault[i].device, device) == 0) {
            return &s->fault[i];
        }
    }
    return NULL;
}

/* A storm of what is only told must not make us forget for what the node was drained. */
static bool
is_worth_less(const struct rc_watch_fault *a, const struct rc_watch_fault *b)
{
    return a->drain != b->drain ? b->drain : a->last_s < b->last_s;
}

/* A place in the table: a free one, else that of the oldest fault that is only told. */
static struct rc_watch_fault *
new_fault(struct rc_watch_state *s)
{
    struct rc_watch_fault *oldest = NULL;

    if (s->fault_count < RC_WATCH_FAULTS_MAX) {
        return &s->fault[s->fault_count++];
    }
    s->dropped++;
    for (uint32_t i = 0; i < s->fault_count; i++) {
        struct rc_watch_fault *f = &s->fault[i];

        if (!f->wanted && (!oldest || is_worth_less(f, oldest))) {
            oldest = f;
        }
    }
    return oldest;
}

static void
remove_fault(struct rc_watch_state *s, struct rc_watch_fault *f)
{
    uint32_t at = (uint32_t)(f - s->fault);

    memmove(f, f + 1, (s->fault_count - at - 1) * sizeof *f);
    s->fault_count--;
    s->extra_wanted = true;
}

/* The driver's demand (Xid 154) for a GPU goes up and down again: its last word stands. */
static void
drop_older_demands(struct rc_watch_state *s, const struct rc_watch_news *news)
{
    size_t len = strlen(DEMAND);

    if (strncmp(news->class_name, DEMAND, len) != 0) {
        return;
    }
    for (uint32_t i = s->fault_count; i > 0; i--) {
        struct rc_watch_fault *f = &s->fault[i - 1];
        if (strncmp(f->class_name, DEMAND, len) == 0 &&
            strcmp(f->class_name, news->class_name) != 0 && strcmp(f->device, news->device) == 0 &&
            !f->wanted) {
            remove_fault(s, f);
        }
    }
}

/* Found before: it stood already when the agent was started anew, or its counter stands where it
 * was told. A counter that is seen for the first time is what the kernel log told of. */
static bool
stood_before(const struct rc_watch_fault *f, const struct rc_watch_news *news)
{
    if (!news->stands) {
        return false;
    }
    return news->counted ? f->counted == news->counted || f->counted == 0 : f->unproved;
}

bool
rc_watch_note(struct rc_watch_state *s, const struct rc_watch_news *news)
{
    drop_older_demands(s, news);
    struct rc_watch_fault *f = find_fault(s, news->class_name, news->device);
    bool fresh = !f;

    if (news->verdict == RC_VERDICT_NOTHING) {
        return false;
    }
    if (f && stood_before(f, news)) {
        f->unproved = false;
        f->counted = news->counted;
        return false;
    }
    if (!f) {
        f = new_fault(s);
        if (!f) {
            return false; /* all places wait for a drain, and one drain covers them all */
        }
        *f = (struct rc_watch_fault){.drain = news->verdict == RC_VERDICT_DRAIN};
        (void)snprintf(f->class_name, sizeof f->class_name, "%s", news->class_name);
        (void)snprintf(f->device, sizeof f->device, "%s", news->device);
    }
    f->count += f->count < UINT32_MAX;
    f->last_s = news->at_s;
    f->job = news->job ? news->job : f->job;
    f->stands = news->stands;
    f->unproved = false;
    bool moved = news->counted != 0 && f->counted != 0;
    f->counted = news->counted ? news->counted : f->counted;
    if (!f->drain) {
        s->extra_wanted = true;
        return true;
    }
    fresh |= moved || (f->drained_s != 0 && news->at_s - f->drained_s >= DRAINED_ANEW_S);
    f->wanted |= fresh;
    return fresh;
}

void
rc_watch_over(struct rc_watch_state *s, const char *class_name, const char *device)
{
    struct rc_watch_fault *f = find_fault(s, class_name, device);

    if (f && f->stands && !f->wanted) {
        remove_fault(s, f);
    }
}

void
rc_watch_drop_unproved(struct rc_watch_state *s)
{
    for (uint32_t i = s->fault_count; i > 0; i--) {
        if (s->fault[i - 1].unproved && !s->fault[i - 1].wanted) {
            remove_fault(s, &s->fault[i - 1]);
        }
    }
}

bool
rc_watch_heard(const struct rc_watch_state *s, const char *class_name, const char *device,
               int64_t since_s)
{
    size_t len = strlen(class_name);

    for (uint32_t i = 0; i < s->fault_count; i++) {
        const struct rc_watch_fault *f = &s->fault[i];

        if (f->last_s >= since_s && strncmp(f->class_name, class_name, len) == 0 &&
            (f->class_name[len] == '\0' || f->class_name[len] == ':') &&
            (strcmp(f->device, device) == 0 || rc_pci_same(f->device, device))) {
            return true;
        }
    }
    return false;
}

bool
rc_watch_is_known(const struct rc_watch_state *s, const char *class_name, const char *device,
                  uint64_t counted)
{
    for (uint32_t i = 0; i < s->fault_count; i++) {
        const struct rc_watch_fault *f = &s->fault[i];

        if (strcmp(f->class_name, class_name) == 0 && strcmp(f->device, device) == 0) {
            return f->drained_s != 0 && !f->wanted && f->counted == counted;
        }
    }
    return false;
}

bool
rc_watch_drain_wanted(const struct rc_watch_state *s)
{
    for (uint32_t i = 0; i < s->fault_count; i++) {
        if (s->fault[i].wanted) {
            return true;
        }
    }
    return false;
}

void
rc_watch_drained(struct rc_watch_state *s, int64_t now_s)
{
    for (uint32_t i = 0; i < s->fault_count; i++) {
        struct rc_watch_fault *f = &s->fault[i];

        if (f->wanted) {
            f->wanted = false;
            f->drained_s = now_s;
        }
    }
    s->extra_wanted = true;
}

void
rc_watch_reason(const struct rc_watch_state *s, char buf[RC_WATCH_REASON_LEN])
{
    const struct rc_watch_fault *first = NULL;
    uint32_t others = 0;
    int len;

    for (uint32_t i = 0; i < s->fault_count; i++) {
        if (s->fault[i].wanted) {
            others += first != NULL;
            first = first ? first : &s->fault[i];
        }
    }
    len = snprintf(buf, RC_WATCH_REASON_LEN, "rc:0 %s%s%s boot=%.*s",
                   first ? first->class_name : "fault", first && *first->device ? " " : "",
                   first ? first->device : "", BOOT_SHOWN, s->boot);
    if (first && first->job && len > 0 && len < RC_WATCH_REASON_LEN) {
        len +=
            snprintf(buf + len, (size_t)(RC_WATCH_REASON_LEN - len), " job=%" PRIu32, first->job);
    }
    if (others > 0 && len > 0 && len < RC_WATCH_REASON_LEN) {
        (void)snprintf(buf + len, (size_t)(RC_WATCH_REASON_LEN - len), " +%" PRIu32, others);
    }
}

static bool
goes_before(const struct rc_watch_fault *a, const struct rc_watch_fault *b)
{
    return a->drain != b->drain ? a->drain : a->last_s > b->last_s;
}

/* Indices of the faults: those of the node first, then the latest first. */
static void
order_faults(const struct rc_watch_state *s, uint32_t order[RC_WATCH_FAULTS_MAX])
{
    for (uint32_t i = 0; i < s->fault_count; i++) {
        uint32_t at = i;

        while (at > 0 && goes_before(&s->fault[i], &s->fault[order[at - 1]])) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

void
rc_watch_extra(const struct rc_watch_state *s, char buf[RC_WATCH_EXTRA_LEN])
{
    uint32_t order[RC_WATCH_FAULTS_MAX] = {0};
    int len = snprintf(buf, RC_WATCH_EXTRA_LEN, "rc:0 boot=%.*s", BOOT_SHOWN, s->boot);

    order_faults(s, order);
    for (uint32_t i = 0; i < s->fault_count && len > 0; i++) {
        const struct rc_watch_fault *f = &s->fault[order[i]];
        size_t room = (size_t)(RC_WATCH_EXTRA_LEN - len);
        char job[16] = "";

        if (f->job) {
            (void)snprintf(job, sizeof job, "/%" PRIu32, f->job);
        }
        int more = snprintf(buf + len, room, " %s%s%s*%" PRIu32 ":%" PRId64 "%s%s", f->class_name,
                            *f->device ? "@" : "", f->device, f->count, f->last_s, job,
                            f->drain ? "!" : "");
        if (more < 0 || (size_t)more >= room) {
            buf[len] = '\0';
            break;
        }
        len += more;
    }
}

static void
load_line(struct rc_watch_state *s, const char *line)
{
    struct rc_watch_fault f = {0};
    struct rc_seen seen;
    int drain = 0, wanted = 0, extra = 0, stands = 0;

    if (sscanf(line, "seq %" SCNu64 " extra %d", &s->seq, &extra) == 2) {
        s->extra_wanted = extra != 0;
    } else if (sscanf(line, "seen gpus %" SCNu32 " efas %" SCNu32, &seen.gpus, &seen.efas) == 2) {
        s->seen = seen;
    } else if (s->fault_count < RC_WATCH_FAULTS_MAX &&
               sscanf(line,
                      "fault %d %d %d %" SCNu32 " %" SCNd64 " %" SCNd64 " %" SCNu32
                      " %39s %63s %" SCNu64, /* an earlier release wrote no counter */
                      &drain, &wanted, &stands, &f.count, &f.last_s, &f.drained_s, &f.job,
                      f.class_name, f.device, &f.counted) >= 9) {
        f.drain = drain != 0;
        f.wanted = wanted != 0;
        f.stands = f.unproved = stands != 0;
        if (strcmp(f.device, "-") == 0) {
            f.device[0] = '\0';
        }
        s->fault[s->fault_count++] = f;
    }
}

void
rc_watch_load(struct rc_watch_state *s, const char *path, const char *boot)
{
    char line[512], want[RC_WATCH_BOOT_LEN + 32];
    FILE *file = fopen(path, "re");

    *s = (struct rc_watch_state){0};
    (void)snprintf(s->boot, sizeof s->boot, "%s", boot);
    (void)snprintf(want, sizeof want, "nodewatch 2 boot %s\n", s->boot);
    bool same = file && fgets(line, sizeof line, file) && strcmp(line, want) == 0;
    while (same && fgets(line, sizeof line, file)) {
        load_line(s, line);
    }
    s->extra_wanted |= !same; /* what Extra says is of an earlier boot */
    if (file) {
        (void)fclose(file);
    }
}

enum rc_err
rc_watch_save(const struct rc_watch_state *s, const char *path, struct rc_error *e)
{
    char temporary[PATH_MAX];
    bool good;

    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *file = fopen(temporary, "we");
    if (!file) {
        return rc_fail(e, RC_E_IO, "%.150s: %s", temporary, strerror(errno));
    }
    (void)fprintf(file,
                  "nodewatch 2 boot %s\nseq %" PRIu64 " extra %d\nseen gpus %" PRIu32
                  " efas %" PRIu32 "\n",
                  s->boot, s->seq, s->extra_wanted, s->seen.gpus, s->seen.efas);
    for (uint32_t i = 0; i < s->fault_count; i++) {
        const struct rc_watch_fault *f = &s->fault[i];

        (void)fprintf(file,
                      "fault %d %d %d %" PRIu32 " %" PRId64 " %" PRId64 " %" PRIu32
                      " %s %s %" PRIu64 "\n",
                      f->drain, f->wanted, f->stands, f->count, f->last_s, f->drained_s, f->job,
                      f->class_name, *f->device ? f->device : "-", f->counted);
    }
    good = !ferror(file);
    good = fclose(file) == 0 && good;
    if (!good || rename(temporary, path) != 0) {
        return rc_fail(e, RC_E_IO, "%.150s: %s", path, strerror(errno));
    }
    return RC_OK;
}
