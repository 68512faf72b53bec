/* compare_command.c - `simulate compare`: the same schedules under several policies. */
#include <stdio.h>
#include <stdlib.h>

#include "simulator/progress.h"
#include "simulator/report/commands.h"
#include "simulator/report/compare_report.h"
#include "simulator/report/report_html.h"
#include "simulator/report/report_text.h"

static void
write_json_report(FILE *out, const void *what)
{
    rc_report_json(out, what);
}

struct html {
    const struct rc_comparison *c;
    struct rc_fleet_history *history; /* by policy, of the first seed */
};

static void
write_html(FILE *out, const void *what)
{
    const struct html *h = what;

    rc_report_html(out, h->c, h->history);
}

/* The first seed once more under each policy, now remembering what every node did. */
static int
write_html_file(const struct rc_comparison *c)
{
    const struct rc_study *s = c->study;
    struct rc_fleet_history history[RC_STUDY_POLICIES_MAX] = {0};
    struct html h = {c, history};
    static struct rc_fleet_result again;
    struct rc_progress bar;
    struct rc_error e;
    int status = RC_STUDY_OK;

    rc_progress_begin(&bar, s->policy_count, "time-lines");
    for (uint32_t i = 0; i < s->policy_count && status == RC_STUDY_OK; i++) {
        rc_progress_show(&bar, i, "for the page");
        history[i].room = RC_REPORT_SPANS;
        history[i].span = calloc(RC_REPORT_SPANS, sizeof *history[i].span);
        if (!history[i].span || rc_study_play(s, i, 0, &history[i], &again, &e) != RC_OK) {
            fprintf(stderr, "simulate: %s\n", history[i].span ? e.text : "no memory");
            status = RC_STUDY_CANNOT;
        }
    }
    rc_progress_end(&bar);
    if (status == RC_STUDY_OK && rc_report_file(s->html, write_html, &h) != 0) {
        status = RC_STUDY_CANNOT;
    }
    for (uint32_t i = 0; i < s->policy_count; i++) {
        free(history[i].span);
    }
    return status;
}

int
rc_compare_report(const struct rc_study *s, const struct rc_fleet_result *result)
{
    static struct rc_comparison c;
    int status = RC_STUDY_OK;

    if (!rc_comparison_make(&c, s, result)) {
        perror("simulate");
        return RC_STUDY_CANNOT;
    }
    if (s->html) {
        status = write_html_file(&c);
    }
    if (status == RC_STUDY_OK && s->json && rc_report_file(s->json, write_json_report, &c) != 0) {
        status = RC_STUDY_CANNOT;
    }
    if (status == RC_STUDY_OK) {
        rc_report_compare(stdout, &c);
    }
    rc_comparison_free(&c);
    return status;
}

int
rc_compare_command(int argc, char **argv)
{
    struct rc_study s;
    int status = rc_study_parse(&s, RC_STUDY_COMPARE, argc, argv);
    struct rc_fleet_result *result = NULL;

    if (status == RC_STUDY_OK) {
        result = calloc((size_t)s.policy_count * s.seeds, sizeof *result);
        status = result ? rc_study_play_all(&s, result) : RC_STUDY_CANNOT;
    }
    if (status == RC_STUDY_OK) {
        status = rc_compare_report(&s, result);
    }
    free(result);
    rc_study_free(&s);
    return status == RC_STUDY_HELP ? RC_STUDY_OK : status;
}
