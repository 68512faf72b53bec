/* run_command.c - `simulate run`: one cluster, one policy, one seed. */
#include <stdio.h>

#include "simulator/progress.h"
#include "simulator/report/commands.h"
#include "simulator/report/report_text.h"

static void
on_day(void *arg, int64_t at_ms, int64_t end_ms)
{
    const int64_t day_ms = 86400000;

    (void)end_ms;
    rc_progress_show(arg, (uint64_t)(at_ms / day_ms), "");
}

static void
write_json_run(FILE *out, const void *what)
{
    rc_report_json(out, what);
}

static int
write_run(const struct rc_study *s, const struct rc_fleet_result *r)
{
    static struct rc_comparison c;
    int status = RC_STUDY_OK;

    rc_report_run(stdout, s, r);
    if (s->json) {
        if (!rc_comparison_make(&c, s, r)) {
            perror("simulate");
            return RC_STUDY_CANNOT;
        }
        status = rc_report_file(s->json, write_json_run, &c) == 0 ? RC_STUDY_OK : RC_STUDY_CANNOT;
        rc_comparison_free(&c);
    }
    return status == RC_STUDY_OK && r->check_faults ? RC_STUDY_FOUND : status;
}

int
rc_run_command(int argc, char **argv)
{
    static struct rc_fleet_result result;
    struct rc_progress bar;
    struct rc_study s;
    struct rc_error e;
    int status = rc_study_parse(&s, RC_STUDY_RUN, argc, argv);

    if (status != RC_STUDY_OK) {
        rc_study_free(&s);
        return status == RC_STUDY_HELP ? RC_STUDY_OK : status;
    }
    rc_progress_begin(&bar, s.config.days, "days");
    s.config.tick = on_day;
    s.config.tick_arg = &bar;
    enum rc_err err = rc_study_play(&s, 0, 0, NULL, &result, &e);
    rc_progress_end(&bar);
    if (err != RC_OK) {
        fprintf(stderr, "simulate run: %s\n", e.text);
        rc_study_free(&s);
        return RC_STUDY_CANNOT;
    }
    status = write_run(&s, &result);
    double spent_s = (double)rc_progress_spent_ms(&bar) / 1000;
    double events = (double)(result.core_events + result.world_events);
    fprintf(stderr, "simulate: %.1f s, %.2f million events/s\n", spent_s,
            spent_s > 0 ? events / spent_s / 1e6 : 0);
    rc_study_free(&s);
    return status;
}
