/* check_command.c - random clusters with hostile schedules, judged by every checker.
 *
 * A failing seed is shrunk and kept as a file, DIR/seed-N.plan, that --replay plays
 * again; the file is the schedule itself and survives changes of the drawing code. */
#include "simulator/check_command.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/jsonc.h"
#include "simulator/cluster/play.h"
#include "simulator/report/commit.h"
#include "simulator/seed_jobs.h"
#include "simulator/shrink.h"

enum {
    PLAN_TEXT_MAX = 32 * 1024,
    SHRUNK_MAX = 3,
    STATUS_BAD = 1,
    STATUS_USAGE = 2,
    STATUS_CANNOT = 3
};

struct options {
    uint64_t from, to;
    unsigned jobs;
    const char *replay;
    const char *keep;
    bool seeds, trace, brief;
};

static int
usage(FILE *out, int status)
{
    fputs("usage: simulate check --seeds A..B [--jobs N] [--keep DIR] [--brief]\n"
          "       simulate check --replay FILE [--trace]\n"
          "  --seeds A..B   both included\n"
          "  --jobs N       processes; as many as there are processors by default\n"
          "  --keep DIR     where schedules that fail are written; the current folder by default\n"
          "  --brief        failures in one line each: not shrunk, no file\n"
          "  --trace        every event, decision and effect, one line each\n"
          "exit: 0 all hold, 1 one does not, 2 usage, 3 a file cannot be read or written\n",
          out);
    return status;
}

static bool
wrong_word(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "simulate check: %s: got \"%s\", expected %s\n", option, value, expected);
    return false;
}

static bool
parse_seeds(const char *text, struct options *o)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    o->from = o->to = strtoull(text, &end, 10);
    if (strncmp(end, "..", 2) == 0 && end[2] >= '0' && end[2] <= '9') {
        o->to = strtoull(end + 2, &end, 10);
    }
    o->seeds = true;
    return *end == '\0' && !errno && o->from <= o->to && o->to < UINT64_MAX;
}

static bool
parse(int argc, char **argv, struct options *o)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    memset(o, 0, sizeof *o);
    o->jobs = processors > 0 ? (unsigned)processors : 1;
    o->keep = ".";
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--trace") == 0) {
            o->trace = true;
            continue;
        }
        if (strcmp(argv[i], "--brief") == 0) {
            o->brief = true;
            continue;
        }
        if (!value) {
            return false;
        }
        i++;
        if (strcmp(argv[i - 1], "--seeds") == 0) {
            if (!parse_seeds(value, o)) {
                return wrong_word("--seeds", value, "A..B with A not above B, such as 1..1000");
            }
        } else if (strcmp(argv[i - 1], "--jobs") == 0) {
            char *end;
            unsigned long n = strtoul(value, &end, 10);
            if (*value < '0' || *value > '9' || *end || n < 1 || n > 256) {
                return wrong_word("--jobs", value, "a whole number from 1 to 256");
            }
            o->jobs = (unsigned)n;
        } else if (strcmp(argv[i - 1], "--replay") == 0) {
            o->replay = value;
        } else if (strcmp(argv[i - 1], "--keep") == 0) {
            o->keep = value;
        } else {
            return false;
        }
    }
    if (o->seeds && o->trace) {
        fputs("simulate check: --trace: of one schedule; expected --replay FILE\n", stderr);
        return false;
    }
    return o->seeds != (o->replay != NULL);
}

static void
print_failure(const struct rc_plan *plan, const struct rc_play_result *r)
{
    printf("seed %" PRIu64 ": %s at %" PRId64 ".%03" PRId64 " s: %s (policy %016" PRIx64 ")\n",
           plan->seed, rc_verdict_kind_name(r->verdict), r->at_ms / 1000, r->at_ms % 1000, r->text,
           r->policy_hash);
}

static int
write_plan(const struct options *o, const struct rc_plan *plan, const struct rc_play_result *r)
{
    static char text[PLAN_TEXT_MAX];
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/seed-%" PRIu64 ".plan", o->keep, plan->seed);
    f = rc_plan_format(plan, text, sizeof text) ? fopen(path, "w") : NULL;
    if (!f) {
        fprintf(stderr, "simulate: %s: %s\n", path, strerror(errno));
        return -1;
    }
    fprintf(f, "# %s: %s\n# commit %s\n%s", rc_verdict_kind_name(r->verdict), r->text, rc_commit,
            text);
    if (fclose(f) != 0) {
        fprintf(stderr, "simulate: %s: %s\n", path, strerror(errno));
        return -1;
    }
    printf("  played again by: simulate check --replay %s --trace\n", path);
    return 0;
}

/* The shortest schedule that still fails, what happens in it, and its file. */
static int
explain(const struct options *o, uint64_t seed)
{
    static struct rc_plan plan;
    struct rc_play_result r;
    char line[160];

    rc_plan_draw(&plan, seed);
    rc_play_run(&plan, NULL, &r);
    uint32_t rows = plan.count;
    unsigned plays = rc_shrink(&plan, &r);
    printf("  shortest schedule: %u of %u rows (%u plays), %" PRIu64 " nodes, %" PRIu64
           " controllers; fails at %" PRId64 " s:\n",
           plan.count, rows, plays, plan.nodes, plan.controllers, r.at_ms / 1000);
    for (uint32_t i = 0; i < plan.count; i++) {
        rc_plan_row_text(&plan.row[i], line, sizeof line);
        printf("    %s\n", line);
    }
    printf("  %s\n  time-line:\n", r.text);
    fflush(stdout);
    rc_play_run(&plan, stdout, &r);
    return write_plan(o, &plan, &r);
}

/* Asked by doing, not after hours of work: root may write where no file can be made. */
static bool
can_keep(const char *dir)
{
    char path[4096];
    int fd = -1;

    if (snprintf(path, sizeof path, "%s/.seed-XXXXXX", dir) < (int)sizeof path) {
        fd = mkstemp(path);
    } else {
        errno = ENAMETOOLONG;
    }
    if (fd < 0) {
        fprintf(stderr, "simulate: %s: %s\n", dir, strerror(errno));
        return false;
    }
    close(fd);
    unlink(path);
    return true;
}

static int
check_seeds(const struct options *o)
{
    static struct rc_seed_report report;

    if (!o->brief && !can_keep(o->keep)) {
        return STATUS_CANNOT;
    }
    int bad = rc_seed_jobs(o->from, o->to, o->jobs, &report);

    for (uint32_t i = 0; i < report.kept; i++) {
        struct rc_plan plan = {.seed = report.failure[i].seed};
        print_failure(&plan, &report.failure[i].result);
    }
    for (uint32_t i = 0; !o->brief && i < report.kept && i < SHRUNK_MAX; i++) {
        printf("\nseed %" PRIu64 "\n", report.failure[i].seed);
        if (explain(o, report.failure[i].seed) != 0) {
            return STATUS_CANNOT;
        }
    }
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " played, %" PRIu64 " failed, %" PRIu64
           " steps, hash %016" PRIx64 "\n",
           o->from, o->to, report.seeds, report.failed, report.steps, report.hash);
    fprintf(stderr, "simulate: %.1f s, %.0f schedules/s\n", (double)report.spent_ms / 1000,
            report.spent_ms ? (double)report.seeds * 1000 / (double)report.spent_ms : 0);
    return bad || report.failed ? STATUS_BAD : 0;
}

static int
replay_again(const struct options *o)
{
    static char text[PLAN_TEXT_MAX];
    static struct rc_plan plan;
    struct rc_play_result r;
    struct rc_error e;
    FILE *f = rc_load_open(o->replay);
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    bool bad = !f || ferror(f);

    if (bad || len == sizeof text) {
        fprintf(stderr, "simulate: %s: %s\n", o->replay, bad ? strerror(errno) : "too long");
        if (f) {
            fclose(f);
        }
        return STATUS_CANNOT;
    }
    fclose(f);
    text[len] = '\0';
    if (strlen(text) != len) {
        fprintf(stderr, "simulate: %s: holds a NUL byte; expected the text of a schedule\n",
                o->replay);
        return STATUS_CANNOT;
    }
    if (rc_plan_parse(o->replay, text, &plan, &e) != RC_OK) {
        fprintf(stderr, "simulate: %s\n", e.text);
        return STATUS_CANNOT;
    }
    rc_play_run(&plan, o->trace ? stdout : NULL, &r);
    if (r.verdict != RC_FOUND_NOTHING) {
        print_failure(&plan, &r);
        return STATUS_BAD;
    }
    printf("seed %" PRIu64 ": nothing found, at rest after %" PRId64 " s, %" PRIu64
           " steps, hash %016" PRIx64 " (policy %016" PRIx64 ")\n",
           plan.seed, r.at_ms / 1000, r.steps, r.hash, r.policy_hash);
    return 0;
}

/* Thousands of plays take and give back the same memory: none of it goes to the system
 * in between, which would have to clear each page again. */
static void
keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
    mallopt(M_TOP_PAD, 4 * 1024 * 1024);
}

int
rc_check_command(int argc, char **argv)
{
    struct options o;

    keep_memory();
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    if (!parse(argc, argv, &o)) {
        return usage(stderr, STATUS_USAGE);
    }
    printf("commit %s\n", rc_commit);
    return o.replay ? replay_again(&o) : check_seeds(&o);
}
