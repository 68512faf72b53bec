/* sweep_command.c - `simulate sweep DIR`: a large comparison in pieces, by Slurm where there
 * is one, by processes of this machine otherwise. Called again it plays only what is
 * missing; when all is there it reports as compare does. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "simulator/report/commands.h"
#include "simulator/report/compare_report.h"
#include "simulator/report/sweep_piece.h"
#include "simulator/report/sweep_slurm.h"
#include "simulator/task_jobs.h"

enum { PIECES_MAX = 200 };

struct local {
    const struct rc_study *s;
    uint32_t *piece; /* those that are wanted */
    int status;
};

static void
play_piece(void *arg, uint64_t task, void *record)
{
    const struct local *l = arg;
    struct rc_study one = *l->s;

    one.piece = l->piece[task];
    *(int *)record = rc_piece_play(&one);
}

static void
take_piece(void *arg, uint64_t task, const void *record)
{
    struct local *l = arg;
    int status;

    (void)task;
    memcpy(&status, record, sizeof status);
    l->status = status > l->status ? status : l->status;
}

static int
play_here(const struct rc_study *s, const bool *wanted, uint32_t count)
{
    struct local l = {.s = s, .piece = calloc(count, sizeof *l.piece), .status = RC_STUDY_OK};
    struct rc_tasks tasks = {.count = count,
                             .jobs = s->jobs,
                             .unit = "pieces",
                             .record_size = sizeof(int),
                             .arg = &l,
                             .work = play_piece,
                             .take = take_piece};

    for (uint32_t i = 0, at = 0; l.piece && i < s->pieces; i++) {
        if (wanted[i]) {
            l.piece[at++] = i;
        }
    }
    if (!l.piece || rc_task_jobs(&tasks) != 0) {
        l.status = RC_STUDY_CANNOT;
    }
    free(l.piece);
    return l.status;
}

/* What is there already; foreign pieces end the sweep before anything is played. */
static int
look_at_pieces(const struct rc_study *s, bool *wanted, uint32_t *ret_count)
{
    char path[4096];

    *ret_count = 0;
    for (uint32_t i = 0; i < s->pieces; i++) {
        enum rc_piece_state state = rc_piece_read(s, i, NULL);
        rc_piece_path(s, i, path, sizeof path);
        if (state == RC_PIECE_FOREIGN) {
            fprintf(stderr,
                    "simulate sweep: %s: of another sweep (other options, policies or commit); "
                    "expected an empty folder, or the same call again\n",
                    path);
            return RC_STUDY_CANNOT;
        }
        if (state == RC_PIECE_BROKEN) {
            fprintf(stderr, "simulate sweep: %s: cut or changed, played again\n", path);
        }
        wanted[i] = state != RC_PIECE_WHOLE;
        *ret_count += wanted[i];
    }
    return RC_STUDY_OK;
}

/* Pieces hold the results of plays in which a checker found something, too. */
static int
tell_finds(const struct rc_study *s, const struct rc_fleet_result *result)
{
    int status = RC_STUDY_OK;

    for (uint32_t seed = 0; seed < s->seeds; seed++) {
        for (uint32_t policy = 0; policy < s->policy_count; policy++) {
            if (rc_study_tell_find(s, policy, seed, &result[policy * s->seeds + seed])) {
                status = RC_STUDY_FOUND;
            }
        }
    }
    return status;
}

static int
report(const struct rc_study *s)
{
    struct rc_fleet_result *result = calloc((size_t)s->policy_count * s->seeds, sizeof *result);
    uint32_t missing = 0;
    int status = result ? RC_STUDY_OK : RC_STUDY_CANNOT;

    for (uint32_t i = 0; result && i < s->pieces; i++) {
        if (rc_piece_read(s, i, result) != RC_PIECE_WHOLE) {
            fprintf(stderr, missing++ ? ", %u" : "simulate sweep: not there: piece %u", i);
        }
    }
    if (missing) {
        fprintf(stderr,
                "\nsimulate sweep: %u of %u pieces are missing (%s%s says why); "
                "the same call again plays only these\n",
                missing, s->pieces, s->local ? "what stands above" : s->dir,
                s->local ? "" : "/piece-*.log");
        status = RC_STUDY_CANNOT;
    }
    if (status == RC_STUDY_OK) {
        status = tell_finds(s, result);
    }
    if (status == RC_STUDY_OK) {
        status = rc_compare_report(s, result);
    }
    free(result);
    return status;
}

static int
run_sweep(struct rc_study *s, int argc, char **argv)
{
    bool *wanted = calloc(s->pieces, sizeof *wanted);
    uint32_t count = 0;
    int status = wanted ? look_at_pieces(s, wanted, &count) : RC_STUDY_CANNOT;

    if (status == RC_STUDY_OK && count) {
        bool here = s->local || !rc_sweep_has_slurm();
        fprintf(stderr, "simulate sweep: %u of %u pieces to be played %s\n", count, s->pieces,
                here ? "by processes of this machine" : "by a Slurm job array");
        /* Whatever came of it: what is there counts. */
        (void)(here ? play_here(s, wanted, count) : rc_sweep_submit(s, wanted, argc, argv));
    }
    free(wanted);
    return status == RC_STUDY_OK ? report(s) : status;
}

/* It may be there already; false with errno when it cannot be had. */
static bool
make_folder(const char *dir)
{
    struct stat st;

    if (mkdir(dir, 0777) == 0) {
        return true;
    }
    if (errno == EEXIST && stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return errno == EEXIST;
}

int
rc_sweep_command(int argc, char **argv)
{
    struct rc_study s;
    int status = rc_study_parse(&s, RC_STUDY_SWEEP, argc, argv);
    uint64_t plays = (uint64_t)s.seeds * s.policy_count;

    if (status == RC_STUDY_OK && !s.pieces) {
        s.pieces = plays < PIECES_MAX ? (uint32_t)plays : PIECES_MAX;
    }
    if (status == RC_STUDY_OK && !make_folder(s.dir)) {
        fprintf(stderr, "simulate sweep: %s: %s\n", s.dir, strerror(errno));
        status = RC_STUDY_CANNOT;
    }
    if (status == RC_STUDY_OK && s.is_piece) {
        status = rc_piece_play(&s);
    } else if (status == RC_STUDY_OK) {
        status = run_sweep(&s, argc, argv);
    }
    rc_study_free(&s);
    return status == RC_STUDY_HELP ? RC_STUDY_OK : status;
}
