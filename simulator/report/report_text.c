/* report_text.c - see report_text.h. */
#define _GNU_SOURCE
#include "simulator/report/report_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_LEN = 4096, COLUMN = 22 };

static void
print_head(FILE *out, const struct rc_study *s, const struct rc_study_text *t)
{
    fprintf(out, "commit    %s\n", t->commit);
    fprintf(out, "seed%s     %s\n", s->seeds > 1 ? "s" : " ", t->seeds);
    fprintf(out, "cluster   %s\n", t->cluster);
    fprintf(out, "faults    %s\n", t->faults);
    for (uint32_t i = 0; i < s->policy_count; i++) {
        fprintf(out, "policy    %s, hash %016" PRIx64 "\n", s->policy[i].label,
                s->policy[i].policy.hash);
    }
    fputc('\n', out);
}

static void
print_value(FILE *out, double value, const struct rc_score_row *row)
{
    fprintf(out, "%14.*f", row->digits, value);
}

void
rc_report_run(FILE *out, const struct rc_study *s, const struct rc_fleet_result *r)
{
    struct rc_study_text text;

    rc_study_text(s, &text);
    print_head(out, s, &text);
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_score_row *row = rc_score_row(score);
        fprintf(out, "%-36s", row->label);
        if (rc_score_known(r, score)) {
            print_value(out, rc_score_value(&s->config, r, score), row);
        } else {
            fprintf(out, "%14s", "-");
        }
        fprintf(out, " %s\n", row->unit);
    }
    fputs("\nGPU-hours lost by cause\n", out);
    for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
        fprintf(out, "  %-18s %15.0f  %s\n", rc_fleet_loss_name(loss),
                rc_score_gpu_hours(r->lost_ms[loss]), rc_fleet_loss_text(loss));
    }
    fprintf(out,
            "\nfaults %" PRIu64 " (%" PRIu64 " met a node that was out), false alarms %" PRIu64
            ", incidents %" PRIu64 " (%u open at the end), breaker trips %" PRIu64 "\n",
            r->faults, r->faults_void, r->false_alarms, r->incidents, r->open_at_end,
            r->breaker_trips);
    fprintf(out,
            "jobs done %" PRIu64 ", runs %" PRIu64 ", pre-empted %" PRIu64
            "; launches refused %" PRIu64 "\n",
            r->jobs_done, r->jobs_started, r->preempted, r->launches_refused);
    fprintf(out, "events %" PRIu64 " of the core, %" PRIu64 " of the world; hash %016" PRIx64 "\n",
            r->core_events, r->world_events, r->hash);
    if (r->check_faults) {
        fprintf(out, "CHECKERS FOUND %" PRIu64 ": %s\n", r->check_faults, r->text);
    } else if (s->config.checks) {
        fputs("checkers found nothing\n", out);
    }
}

/* The names of the columns: letters, told above them, where one is too long. A cut name may look
 * like another. */
static void
print_columns(FILE *out, const struct rc_study *s)
{
    bool letters = false;

    for (uint32_t i = 0; i < s->policy_count; i++) {
        letters = letters || strlen(s->policy[i].label) > COLUMN;
    }
    for (uint32_t i = 0; letters && i < s->policy_count; i++) {
        fprintf(out, "column %c  %s\n", 'A' + (int)i, s->policy[i].label);
    }
    fprintf(out, "%-36s", "mean over seeds");
    for (uint32_t i = 0; i < s->policy_count; i++) {
        char letter[] = {(char)('A' + i), '\0'};
        fprintf(out, " %*s", COLUMN, letters ? letter : s->policy[i].label);
    }
    fputc('\n', out);
}

static void
print_means(FILE *out, const struct rc_comparison *c)
{
    const struct rc_study *s = c->study;

    print_columns(out, s);
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_score_row *row = rc_score_row(score);
        int digits = rc_score_mean_digits(score);
        fprintf(out, "%-36s", row->label);
        for (uint32_t i = 0; i < s->policy_count; i++) {
            char text[64];
            if (!c->known[i][score]) {
                snprintf(text, sizeof text, "-");
            } else if (c->half[i][score] < 0) {
                snprintf(text, sizeof text, "%.*f", digits, c->mean[i][score]);
            } else {
                snprintf(text, sizeof text, "%.*f ± %.*f", digits, c->mean[i][score], digits,
                         c->half[i][score]);
            }
            /* "±" is two bytes and one column. */
            fprintf(out, " %*s", strchr(text, ' ') ? COLUMN + 1 : COLUMN, text);
        }
        fprintf(out, " %s\n", row->unit);
    }
}

static void
print_losses(FILE *out, const struct rc_comparison *c)
{
    const struct rc_study *s = c->study;

    fputs("\nGPU-hours lost by cause, mean over seeds\n", out);
    for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
        fprintf(out, "  %-34s", rc_fleet_loss_name(loss));
        for (uint32_t i = 0; i < s->policy_count; i++) {
            fprintf(out, " %*.0f", COLUMN, c->lost[i][loss]);
        }
        fputc('\n', out);
    }
}

static void
print_pair(FILE *out, const struct rc_comparison *c, const struct rc_pair *pair)
{
    fprintf(out, "\n%s against %s\n", c->study->policy[pair->b].label,
            c->study->policy[pair->a].label);
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_score_row *row = rc_score_row(score);
        const struct rc_paired *p = &pair->score[score];
        int digits = rc_score_mean_digits(score);
        if (!p->n) {
            fprintf(out, "  %-36s %14s %s\n", row->label, "-", rc_comparison_word(p, score));
            continue;
        }
        if (p->half < 0) {
            fprintf(out, "  %-36s %+14.*f %s\n", row->label, digits, p->mean,
                    rc_comparison_word(p, score));
            continue;
        }
        fprintf(out, "  %-36s %+14.*f ± %-10.*f p %.4f  %s\n", row->label, digits, p->mean, digits,
                p->half, p->p_holm, rc_comparison_word(p, score));
    }
}

void
rc_report_compare(FILE *out, const struct rc_comparison *c)
{
    print_head(out, c->study, &c->text);
    print_means(out, c);
    print_losses(out, c);
    if (c->study->seeds > 1) {
        fprintf(
            out,
            "\nDifferences: the same schedules under both policies, paired over %u seeds; 95 %% "
            "intervals,\np-values adjusted for %u questions (Holm): shown is what is below "
            "0.05.\n",
            c->study->seeds, c->asked);
    }
    if (c->study->seeds > 1 && c->study->seeds < RC_PAIRED_SEEDS_MIN) {
        fprintf(out,
                "Of fewer than %d seeds nothing is marked: so few differences are nearly alike "
                "by chance, and\ntheir intervals too narrow. --seeds 10 tells more.\n",
                RC_PAIRED_SEEDS_MIN);
    }
    for (uint32_t i = 0; i < c->pair_count; i++) {
        print_pair(out, c, &c->pair[i]);
    }
}

/* Names come from files of others: quotes and backslashes are escaped, control characters
 * left out. */
static void
quote_json(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        if ((unsigned char)*text >= 0x20) {
            fputc(*text, out);
        }
    }
    fputc('"', out);
}

static void
json_policy(FILE *out, const struct rc_comparison *c, uint32_t policy)
{
    const struct rc_study *s = c->study;

    fputs("  {\"policy\":", out);
    quote_json(out, s->policy[policy].label);
    fprintf(out, ",\"hash\":\"%016" PRIx64 "\",\"runs\":[\n", s->policy[policy].policy.hash);
    for (uint32_t seed = 0; seed < s->seeds; seed++) {
        const struct rc_fleet_result *r = &c->result[policy * s->seeds + seed];
        fprintf(out, "    {\"seed\":%" PRIu64, s->first_seed + seed);
        for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
            if (!rc_score_known(r, score)) {
                fprintf(out, ",\"%s\":null", rc_score_row(score)->key);
                continue;
            }
            fprintf(out, ",\"%s\":%.*f", rc_score_row(score)->key, rc_score_row(score)->digits + 2,
                    rc_score_value(&s->config, r, score));
        }
        fprintf(out, ",\"decisions\":\"%016" PRIx64 "\"}%s\n", r->hash,
                seed + 1 < s->seeds ? "," : "");
    }
    fputs("  ]}", out);
}

static void
json_pair(FILE *out, const struct rc_comparison *c, const struct rc_pair *pair)
{
    fputs("  {\"a\":", out);
    quote_json(out, c->study->policy[pair->a].label);
    fputs(",\"b\":", out);
    quote_json(out, c->study->policy[pair->b].label);
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_paired *p = &pair->score[score];
        int digits = rc_score_row(score)->digits + 2;
        fprintf(out, ",\n   \"%s\":{\"mean\":%.*f,\"half\":%.*f,\"p\":%.6f,\"p_holm\":%.6f,",
                rc_score_row(score)->key, digits, p->mean, digits, p->half, p->p, p->p_holm);
        fprintf(out, "\"differs\":%s}", p->differs ? "true" : "false");
    }
    fputc('}', out);
}

void
rc_report_json(FILE *out, const struct rc_comparison *c)
{
    fputs("{\"commit\":", out);
    quote_json(out, c->text.commit);
    fputs(",\"seeds\":", out);
    quote_json(out, c->text.seeds);
    fputs(",\"cluster\":", out);
    quote_json(out, c->text.cluster);
    fputs(",\"faults\":", out);
    quote_json(out, c->text.faults);
    fputs(",\n\"policies\":[\n", out);
    for (uint32_t i = 0; i < c->study->policy_count; i++) {
        json_policy(out, c, i);
        fputs(i + 1 < c->study->policy_count ? ",\n" : "\n", out);
    }
    fputs("],\"pairs\":[\n", out);
    for (uint32_t i = 0; i < c->pair_count; i++) {
        json_pair(out, c, &c->pair[i]);
        fputs(i + 1 < c->pair_count ? ",\n" : "\n", out);
    }
    fputs("]}\n", out);
}

/* A device or a pipe is written as it is: nothing may take its place. */
static bool
is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* A new file beside the path, under a name that nothing else has: another report or a policy may
 * be called as this one with an end. */
static FILE *
create_part(const char *path, char *part, size_t room)
{
    if (snprintf(part, room, "%s.part-XXXXXX", path) >= (int)room) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = mkstemp(part);
    if (fd < 0) {
        return NULL;
    }
    mode_t mask = umask(0);
    umask(mask);
    FILE *f = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "w") : NULL; /* as any file is made */
    if (!f) {
        close(fd);
        remove(part);
    }
    return f;
}

/* *part: what is written to; the path itself where nothing may take its place. */
static FILE *
open_part(const char *path, char *part, size_t room)
{
    bool as_it_is = is_special(path);
    FILE *f = as_it_is ? fopen(path, "w") : create_part(path, part, room);

    if (!f) {
        fprintf(stderr, "simulate: %s: %s\n", path, strerror(errno));
    }
    if (as_it_is) {
        snprintf(part, room, "%s", path);
    }
    return f;
}

/* The folder's own identity, and the name in it. */
static const char *
split_path(const char *path, struct stat *ret_folder)
{
    const char *slash = strrchr(path, '/');
    char folder[PART_LEN] = ".";

    if (slash) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    }
    return stat(folder, ret_folder) == 0 ? path + (slash ? slash - path + 1 : 0) : NULL;
}

bool
rc_report_is_one(const char *a, const char *b)
{
    struct stat sa, sb;

    if (is_special(a) && is_special(b)) {
        return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
               sa.st_ino == sb.st_ino;
    }
    const char *name_a = split_path(a, &sa);
    const char *name_b = split_path(b, &sb);
    return name_a && name_b && strcmp(name_a, name_b) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

bool
rc_report_can(const char *path)
{
    char part[PART_LEN];
    struct stat st;

    if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        fprintf(stderr, "simulate: %s: %s\n", path, strerror(EISDIR));
        return false;
    }
    if (!path || is_special(path)) {
        return true;
    }
    FILE *f = open_part(path, part, sizeof part);
    if (f) {
        fclose(f);
        remove(part);
    }
    return f != NULL;
}

int
rc_report_file(const char *path, void (*write)(FILE *out, const void *what), const void *what)
{
    char part[PART_LEN];
    FILE *f = open_part(path, part, sizeof part);

    if (!f) {
        return -1;
    }
    write(f, what);
    bool good = !ferror(f);
    good = fclose(f) == 0 && good;
    bool is_part = strcmp(part, path) != 0;
    if (!good || (is_part && rename(part, path) != 0)) {
        fprintf(stderr, "simulate: %s: %s\n", path, strerror(errno));
        if (is_part) {
            remove(part);
        }
        return -1;
    }
    return 0;
}
