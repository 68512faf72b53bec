/* study.h - what the command line of run, compare and sweep asks for, checked before
 * anything is played; and the plays themselves. */
#ifndef RC_STUDY_H
#define RC_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulator/fleet/fleet.h"

enum {
    RC_STUDY_POLICIES_MAX = 16,
    RC_STUDY_SEEDS_MAX = 4096,
    RC_STUDY_OK = 0,
    RC_STUDY_FOUND = 1, /* a checker found something */
    RC_STUDY_USAGE = 2,
    RC_STUDY_CANNOT = 3, /* an input cannot be read, or is wrong */
    RC_STUDY_HELP = 4    /* only --help was asked for; the command's exit is 0 */
};

struct rc_study_policy {
    const char *path; /* as given; "" = the shipped one */
    char label[64];   /* its name, made unique */
    struct rc_policy policy;
};

struct rc_study {
    struct rc_fleet_config config; /* seed and policy are set for each play */
    uint64_t first_seed;
    bool is_seed, are_ends; /* --seed was given; --seeds with both ends */
    uint32_t seeds;
    uint32_t policy_count;
    struct rc_study_policy *policy; /* RC_STUDY_POLICIES_MAX rows, taken by the parser */
    const char *faults;             /* as given */
    uint64_t trace_hash;            /* of the bytes of its trace, 0 = none */
    unsigned jobs;
    const char *html, *json; /* files to be written, NULL = none */
    const char *dir;         /* sweep: folder of the pieces */
    const char *sbatch;      /* sweep: more options for sbatch */
    bool local;              /* sweep: no Slurm */
    bool is_piece;           /* sweep: play this piece and nothing else */
    uint32_t piece, pieces;  /* pieces 0 = as many as fit */
};

enum rc_study_verb { RC_STUDY_RUN, RC_STUDY_COMPARE, RC_STUDY_SWEEP };

/* argv[0] is the verb. RC_STUDY_OK, or the exit status; what is wrong was told on stderr. */
int rc_study_parse(struct rc_study *s, enum rc_study_verb verb, int argc, char **argv);
void rc_study_free(struct rc_study *s);

/* One play: policy and seed by their numbers. history may be NULL. */
enum rc_err rc_study_play(const struct rc_study *s, uint32_t policy, uint32_t seed,
                          struct rc_fleet_history *history, struct rc_fleet_result *ret,
                          struct rc_error *e);

/* Did a checker find anything in this play? Then it is told on stderr. */
bool rc_study_tell_find(const struct rc_study *s, uint32_t policy, uint32_t seed,
                        const struct rc_fleet_result *r);

/* All plays: result[policy * seeds + seed]. RC_STUDY_OK, or the exit status. */
int rc_study_play_all(const struct rc_study *s, struct rc_fleet_result *result);

/* Seed, commit, policies with their hashes, cluster, faults: the head of every report. */
struct rc_study_text {
    char commit[64];
    char cluster[256];
    char faults[400];
    char seeds[64];
};
void rc_study_text(const struct rc_study *s, struct rc_study_text *ret);

#endif
