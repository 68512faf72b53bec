/* study.c - the command line of run, compare and sweep; see study.h. */
#define _GNU_SOURCE
#include "simulator/report/study.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/jsonc.h"
#include "policies/load.h"
#include "simulator/report/commit.h"
#include "simulator/report/report_text.h"
#include "simulator/report/shipped_policy.h"
#include "simulator/task_jobs.h"

enum option_id {
    OPT_NODES = 256,
    OPT_DAYS,
    OPT_SEED,
    OPT_SEEDS,
    OPT_POLICY,
    OPT_FAULTS,
    OPT_WORLD,
    OPT_RESERVED,
    OPT_CHECKS,
    OPT_JOBS_PER_DAY,
    OPT_UTILISATION,
    OPT_FALSE,
    OPT_SAME_HOST,
    OPT_START,
    OPT_CHECKPOINT,
    OPT_WRITE,
    OPT_PERSON,
    OPT_PRICE,
    OPT_PROCESSES,
    OPT_HTML,
    OPT_JSON,
    OPT_DIR,
    OPT_SBATCH,
    OPT_LOCAL,
    OPT_PIECE,
    OPT_PIECES,
    OPT_HELP
};

static const struct option options[] = {
    {"nodes", required_argument, NULL, OPT_NODES},
    {"days", required_argument, NULL, OPT_DAYS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"seeds", required_argument, NULL, OPT_SEEDS},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"faults", required_argument, NULL, OPT_FAULTS},
    {"world", required_argument, NULL, OPT_WORLD},
    {"reserved", no_argument, NULL, OPT_RESERVED},
    {"checks", no_argument, NULL, OPT_CHECKS},
    {"jobs-per-day", required_argument, NULL, OPT_JOBS_PER_DAY},
    {"utilisation", required_argument, NULL, OPT_UTILISATION},
    {"false-alarms", required_argument, NULL, OPT_FALSE},
    {"same-host", required_argument, NULL, OPT_SAME_HOST},
    {"restart", required_argument, NULL, OPT_START},
    {"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
    {"write", required_argument, NULL, OPT_WRITE},
    {"person", required_argument, NULL, OPT_PERSON},
    {"price", required_argument, NULL, OPT_PRICE},
    {"jobs", required_argument, NULL, OPT_PROCESSES},
    {"html", required_argument, NULL, OPT_HTML},
    {"json", required_argument, NULL, OPT_JSON},
    {"dir", required_argument, NULL, OPT_DIR},
    {"sbatch", required_argument, NULL, OPT_SBATCH},
    {"local", no_argument, NULL, OPT_LOCAL},
    {"piece", required_argument, NULL, OPT_PIECE},
    {"pieces", required_argument, NULL, OPT_PIECES},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char usage_head[] =
    "usage: simulate run     [--policy FILE] [--seed S] [--json FILE] …\n"
    "       simulate compare --policy A --policy B … [--seeds N | --seeds A..B] [--html FILE] "
    "[--json FILE] …\n"
    "       simulate sweep   DIR --policy A --policy B … [--seeds N] [--pieces N] [--local] "
    "[--sbatch OPTIONS] …\n";
static const char usage_options[] =
    "  --policy FILE         default: the shipped p4d.json\n"
    "  --nodes N --days D    default: 2048 nodes, 30 days\n"
    "  --seed S              first seed, default 1\n"
    "  --seeds N, A..B       how many from --seed on (default 10), or both ends; run plays one\n"
    "  --faults MODEL        exponential, bursty, lemon, bursty-lemon, trace:FILE, each with\n"
    "                        ,rate=FAULTS-PER-1000-NODE-DAYS and more (simulator/faults)\n"
    "  --world W             calm, usual, hostile: messages, slurmctld, store, disk, clock, capacity\n"
    "  --reserved            all nodes in one capacity reservation\n"
    "  --checks              every checker after each step\n"
    "  --false-alarms R      per 1,000 node-days, default 1\n"
    "  --same-host P         permille of launches that get a bad host again, default 300\n"
    "  --jobs-per-day N --utilisation PERCENT   default: 7,200 for 2,048 nodes, 83\n"
    "  --restart T --checkpoint T --write T     of jobs: 5m, 60m, 30s (units s, m, h, d);\n"
    "                        --checkpoint 0s: they save nothing\n"
    "  --person T            until somebody looks at a quarantined node, default 8h\n"
    "  --price DOLLARS       of an instance-hour, default 32.77\n"
    "  --jobs N              processes, default: processors\n"
    "  --pieces N --local --sbatch OPTIONS      sweep: how many pieces, no Slurm, more for sbatch\n"
    "exit: 0 played, 1 a checker found something, 2 usage, 3 an input is wrong\n";

static int
usage(FILE *out, int status)
{
    fputs(usage_head, out);
    fputs(usage_options, out);
    return status;
}

static int
wrong_value(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "simulate: --%s: got \"%s\", expected %s\n", option, value, expected);
    return RC_STUDY_CANNOT;
}

static bool
parse_number(const char *text, uint64_t low, uint64_t high, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *ret >= low && *ret <= high;
}

static int
take_u32(const char *option, const char *text, uint32_t low, uint32_t high, uint32_t *ret)
{
    char expected[64];
    uint64_t value;

    if (!parse_number(text, low, high, &value)) {
        snprintf(expected, sizeof expected, "a whole number from %u to %u", low, high);
        return wrong_value(option, text, expected);
    }
    *ret = (uint32_t)value;
    return RC_STUDY_OK;
}

/* "32.77" -> 3277 for scale 100: at most so many decimals, no binary fractions on the way. */
static int
take_scaled(const char *option, const char *text, uint32_t scale, uint32_t high, uint32_t *ret)
{
    uint64_t value = 0, left = scale;
    const char *at = text;
    bool digits = false;

    for (; *at >= '0' && *at <= '9' && value <= high; at++, digits = true) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    value *= scale;
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9' && left > 1; at++) {
            left /= 10;
            value += left * (uint64_t)(*at - '0');
        }
    }
    if (*at || !digits || value > (uint64_t)high * scale) {
        char expected[80];
        snprintf(expected, sizeof expected, "a number from 0 to %u, such as 1.5", high);
        return wrong_value(option, text, expected);
    }
    *ret = (uint32_t)value;
    return RC_STUDY_OK;
}

static int
take_time(const char *option, const char *text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;

    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (*text >= '0' && *text <= '9' && !errno && n <= 1000000000 && end[0] == units[i].unit &&
            !end[1]) {
            *ret_ms = (int64_t)n * units[i].ms;
            return RC_STUDY_OK;
        }
    }
    return wrong_value(option, text, "a duration, such as 30s, 5m, 8h");
}

static int
take_seeds(struct rc_study *s, const char *text)
{
    char *end;
    uint64_t first, last;

    errno = 0;
    first = last = strtoull(text, &end, 10);
    bool good = *text >= '0' && *text <= '9' && !errno;
    if (good && strncmp(end, "..", 2) == 0 && end[2] >= '0' && end[2] <= '9') {
        last = strtoull(end + 2, &end, 10);
        s->first_seed = first;
        s->are_ends = true;
    } else if (good) {
        last = first;
        first = 1;
    }
    if (!good || *end || errno || last < first || last - first >= RC_STUDY_SEEDS_MAX) {
        return wrong_value("seeds", text, "how many (1 to 4096), or first..last");
    }
    s->seeds = (uint32_t)(last - first + 1);
    return RC_STUDY_OK;
}

static int
take_world(struct rc_study *s, const char *text)
{
    for (uint32_t i = 0; i < RC_FLEET_WORLD__MAX; i++) {
        if (strcmp(text, rc_fleet_world_name(i)) == 0) {
            s->config.world = i;
            return RC_STUDY_OK;
        }
    }
    return wrong_value("world", text, "calm, usual or hostile");
}

static int
take_policy(struct rc_study *s, const char *path)
{
    static struct rc_load_errors errs;
    enum rc_err err;

    if (s->policy_count == RC_STUDY_POLICIES_MAX) {
        return wrong_value("policy", path, "at most 16 policies");
    }
    struct rc_study_policy *p = &s->policy[s->policy_count++];
    memset(&errs, 0, sizeof errs);
    p->path = path;
    err = *path ? rc_policy_load_file(path, &p->policy, &errs)
                : rc_policy_load("the shipped p4d.json", rc_shipped_policy, rc_shipped_policy_len,
                                 &p->policy, &errs);
    if (err != RC_OK) {
        for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
            fprintf(stderr, "simulate: %s\n", errs.line[i]);
        }
        return RC_STUDY_CANNOT;
    }
    snprintf(p->label, sizeof p->label, "%s", p->policy.name);
    return RC_STUDY_OK;
}

/* Two files of one name: told apart by a number. */
static void
make_labels_unique(struct rc_study *s)
{
    for (uint32_t i = 1; i < s->policy_count; i++) {
        uint32_t same = 1;
        for (uint32_t k = 0; k < i; k++) {
            same += strcmp(s->policy[k].policy.name, s->policy[i].policy.name) == 0;
        }
        if (same > 1) {
            snprintf(s->policy[i].label, sizeof s->policy[i].label, "%s (%u)",
                     s->policy[i].policy.name, same);
        }
    }
}

/* FNV-1a, as the hash of a policy's text. */
static int
hash_trace(struct rc_study *s)
{
    FILE *f = rc_load_open(s->config.faults.trace_path);
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    if (!f) {
        fprintf(stderr, "simulate: --faults: %s: %s\n", s->config.faults.trace_path,
                strerror(errno));
        return RC_STUDY_CANNOT;
    }
    for (int c = fgetc(f); c != EOF; c = fgetc(f)) {
        h = (h ^ (uint64_t)c) * UINT64_C(0x100000001b3);
    }
    bool good = !ferror(f);
    fclose(f);
    s->trace_hash = h;
    return good ? RC_STUDY_OK
                : wrong_value("faults", s->config.faults.trace_path, "a file that can be read");
}

static int
take_faults(struct rc_study *s, const char *text)
{
    struct rc_error e;

    s->faults = text;
    if (rc_fault_model_parse(text, &s->config.faults, &e) != RC_OK) {
        fprintf(stderr, "simulate: --faults: %s\n", e.text);
        return RC_STUDY_CANNOT;
    }
    s->trace_hash = 0;
    return s->config.faults.is_trace ? hash_trace(s) : RC_STUDY_OK;
}

static int
take_job_option(struct rc_fleet_config *c, int opt, const char *v)
{
    uint32_t percent = 0;
    int status;

    switch (opt) {
    case OPT_JOBS_PER_DAY:
        return take_u32("jobs-per-day", v, 1, 10000000, &c->jobs_per_day);
    case OPT_UTILISATION:
        status = take_u32("utilisation", v, 1, 99, &percent);
        c->utilisation_permille = percent * 10;
        return status;
    case OPT_START:
        return take_time("restart", v, &c->u0_ms);
    case OPT_CHECKPOINT:
        return take_time("checkpoint", v, &c->dt_ms);
    case OPT_WRITE:
        return take_time("write", v, &c->w_ms);
    case OPT_HELP:
        return usage(stdout, RC_STUDY_HELP);
    default:
        return usage(stderr, RC_STUDY_USAGE);
    }
}

static int
take_cluster_option(struct rc_study *s, int opt, const char *v)
{
    struct rc_fleet_config *c = &s->config;

    switch (opt) {
    case OPT_NODES:
        return take_u32("nodes", v, 1, RC_FLEET_NODES_MAX, &c->nodes);
    case OPT_DAYS:
        return take_u32("days", v, 1, RC_FLEET_DAYS_MAX, &c->days);
    case OPT_FAULTS:
        return take_faults(s, v);
    case OPT_WORLD:
        return take_world(s, v);
    case OPT_RESERVED:
        c->reserved = 1;
        return RC_STUDY_OK;
    case OPT_CHECKS:
        c->checks = 1;
        return RC_STUDY_OK;
    case OPT_FALSE:
        return take_scaled("false-alarms", v, 1000, 1000, &c->false_milli);
    case OPT_SAME_HOST:
        return take_u32("same-host", v, 0, 1000, &c->same_host_permille);
    case OPT_PERSON:
        return take_time("person", v, &c->person_ms);
    case OPT_PRICE:
        return take_scaled("price", v, 100, 1000000, &c->price_cents);
    default:
        return take_job_option(c, opt, v);
    }
}

static int
take_option(struct rc_study *s, int opt, const char *v)
{
    switch (opt) {
    case OPT_SEED:
        s->is_seed = true;
        return parse_number(v, 0, UINT64_MAX - RC_STUDY_SEEDS_MAX, &s->first_seed)
                   ? RC_STUDY_OK
                   : wrong_value("seed", v, "a whole number below 2^64 - 4096");
    case OPT_SEEDS:
        return take_seeds(s, v);
    case OPT_POLICY:
        return take_policy(s, v);
    case OPT_PROCESSES:
        return take_u32("jobs", v, 1, RC_TASK_JOBS_MAX, &s->jobs);
    case OPT_HTML:
        s->html = v;
        return RC_STUDY_OK;
    case OPT_JSON:
        s->json = v;
        return RC_STUDY_OK;
    case OPT_DIR:
        s->dir = v;
        return RC_STUDY_OK;
    case OPT_SBATCH:
        s->sbatch = v;
        return RC_STUDY_OK;
    case OPT_LOCAL:
        s->local = true;
        return RC_STUDY_OK;
    case OPT_PIECE:
        s->is_piece = true;
        return take_u32("piece", v, 0, RC_STUDY_SEEDS_MAX - 1, &s->piece);
    case OPT_PIECES:
        return take_u32("pieces", v, 1, RC_STUDY_SEEDS_MAX, &s->pieces);
    default:
        return take_cluster_option(s, opt, v);
    }
}

static int
check_verb(struct rc_study *s, enum rc_study_verb verb)
{
    struct rc_error e;

    if (!s->policy_count && take_policy(s, "") != RC_STUDY_OK) {
        return RC_STUDY_CANNOT;
    }
    if (verb == RC_STUDY_RUN && (s->policy_count > 1 || s->html)) {
        fprintf(stderr, "simulate run: one policy, no --html; expected: simulate compare\n");
        return RC_STUDY_USAGE;
    }
    if (verb == RC_STUDY_RUN && s->seeds != 1) {
        fprintf(stderr,
                "simulate run: --seeds: %u seeds; expected one, by --seed; several: "
                "simulate compare\n",
                s->seeds);
        return RC_STUDY_USAGE;
    }
    if (s->is_seed && s->are_ends) {
        fprintf(stderr, "simulate: --seed and --seeds A..B both say where to begin; expected one "
                        "of them, or --seed with how many\n");
        return RC_STUDY_USAGE;
    }
    if (verb != RC_STUDY_RUN && s->policy_count < 2) {
        fprintf(stderr, "simulate: nothing to compare with; expected --policy twice or more\n");
        return RC_STUDY_USAGE;
    }
    if (s->html && s->json && rc_report_is_one(s->html, s->json)) {
        fprintf(stderr, "simulate: --html %s and --json %s: the same file; expected two\n", s->html,
                s->json);
        return RC_STUDY_USAGE;
    }
    if (s->pieces && s->piece >= s->pieces) {
        fprintf(stderr, "simulate sweep: --piece %u of --pieces %u; they count from 0\n", s->piece,
                s->pieces);
        return RC_STUDY_USAGE;
    }
    if (!s->is_piece && (!rc_report_can(s->html) || !rc_report_can(s->json))) {
        return RC_STUDY_CANNOT;
    }
    make_labels_unique(s);
    s->config.policy = &s->policy[0].policy;
    if (rc_fleet_config_check(&s->config, &e) != RC_OK) {
        fprintf(stderr, "simulate: %s\n", e.text);
        return RC_STUDY_CANNOT;
    }
    return RC_STUDY_OK;
}

int
rc_study_parse(struct rc_study *s, enum rc_study_verb verb, int argc, char **argv)
{
    int opt, status = RC_STUDY_OK;

    memset(s, 0, sizeof *s);
    rc_fleet_config_init(&s->config);
    s->config.days = 30;
    s->first_seed = 1;
    s->seeds = verb == RC_STUDY_RUN ? 1 : 10;
    s->jobs = rc_task_processors();
    s->policy = calloc(RC_STUDY_POLICIES_MAX, sizeof *s->policy);
    if (!s->policy) {
        perror("simulate");
        return RC_STUDY_CANNOT;
    }
    if (take_faults(s, "exponential") != RC_STUDY_OK) {
        return RC_STUDY_CANNOT;
    }
    optind = 1;
    while (status == RC_STUDY_OK && (opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        status = take_option(s, opt, optarg);
    }
    if (status == RC_STUDY_OK && verb == RC_STUDY_SWEEP && optind + 1 == argc) {
        s->dir = argv[optind++];
    }
    if (status == RC_STUDY_OK && (optind != argc || (verb == RC_STUDY_SWEEP && !s->dir))) {
        status = usage(stderr, RC_STUDY_USAGE);
    }
    return status == RC_STUDY_OK ? check_verb(s, verb) : status;
}

void
rc_study_free(struct rc_study *s)
{
    free(s->policy);
}

void
rc_study_text(const struct rc_study *s, struct rc_study_text *ret)
{
    const struct rc_fleet_config *c = &s->config;

    memset(ret, 0, sizeof *ret);
    snprintf(ret->commit, sizeof ret->commit, "%s", rc_commit);
    snprintf(ret->cluster, sizeof ret->cluster,
             "%u p4d node%s, %u day%s, %s world%s; checkpoint each %" PRId64 " s for %" PRId64
             " s, restart %" PRId64 " s; false alarms %u.%03u per 1,000 node-days",
             c->nodes, c->nodes == 1 ? "" : "s", c->days, c->days == 1 ? "" : "s",
             rc_fleet_world_name(c->world), c->reserved ? ", reserved" : "", c->dt_ms / 1000,
             c->w_ms / 1000, c->u0_ms / 1000, c->false_milli / 1000, c->false_milli % 1000);
    rc_fault_model_text(&c->faults, ret->faults, sizeof ret->faults);
    if (s->trace_hash) {
        size_t used = strlen(ret->faults);
        snprintf(ret->faults + used, sizeof ret->faults - used, "%s, hash %016" PRIx64,
                 c->faults.rate > 0 ? "" : " at its own rate", s->trace_hash);
    }
    if (s->seeds == 1) {
        snprintf(ret->seeds, sizeof ret->seeds, "%" PRIu64, s->first_seed);
    } else {
        snprintf(ret->seeds, sizeof ret->seeds, "%" PRIu64 "..%" PRIu64, s->first_seed,
                 s->first_seed + s->seeds - 1);
    }
}
