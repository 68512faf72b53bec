/* sweep_piece.c - see sweep_piece.h. */
#define _GNU_SOURCE
#include "simulator/report/sweep_piece.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/model/sim_hash.h"
#include "simulator/report/report_text.h"

struct head {
    char magic[8];
    uint64_t key;
    uint32_t piece, pieces;
    uint64_t plays, record_size;
};

struct play {
    uint64_t task; /* seed * policies + policy */
    struct rc_fleet_result result;
};

struct content {
    struct head head;
    struct play *play;
    uint64_t sum;
};

static const char magic[8] = {'r', 'c', 's', 'w', 'e', 'e', 'p', '1'};

/* Of all that decides. */
static uint64_t
study_key(const struct rc_study *s)
{
    struct rc_study_text text;
    const struct rc_fleet_config *c = &s->config;
    const int64_t numbers[] = {c->nodes,
                               c->days,
                               c->jobs,
                               c->world,
                               c->reserved,
                               c->checks,
                               c->daemon_off,
                               c->jobs_per_day,
                               c->utilisation_permille,
                               c->false_milli,
                               c->same_host_permille,
                               c->u0_ms,
                               c->dt_ms,
                               c->w_ms,
                               c->person_ms,
                               c->price_cents,
                               s->seeds,
                               s->pieces,
                               s->policy_count};
    uint64_t h = rc_sim_hash_u64(RC_SIM_HASH_SEED, s->first_seed);

    rc_study_text(s, &text);
    h = rc_sim_hash_str(rc_sim_hash_str(h, text.commit), text.faults);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        h = rc_sim_hash_u64(h, (uint64_t)numbers[i]);
    }
    for (uint32_t i = 0; i < s->policy_count; i++) {
        h = rc_sim_hash_u64(rc_sim_hash_str(h, s->policy[i].label), s->policy[i].policy.hash);
    }
    return rc_sim_hash_u64(h, sizeof(struct rc_fleet_result));
}

void
rc_piece_path(const struct rc_study *s, uint32_t piece, char *buf, size_t room)
{
    snprintf(buf, room, "%s/piece-%u-of-%u.runs", s->dir, piece, s->pieces);
}

static uint64_t
plays_of(const struct rc_study *s, uint32_t piece)
{
    uint64_t all = (uint64_t)s->seeds * s->policy_count;

    return piece < all ? (all - piece + s->pieces - 1) / s->pieces : 0;
}

static uint64_t
sum_of(const struct content *c)
{
    const unsigned char *p = (const unsigned char *)c->play;
    uint64_t h = rc_sim_hash_u64(RC_SIM_HASH_SEED, c->head.key ^ c->head.piece), word;

    for (size_t i = 0; i < c->head.plays * sizeof *c->play / sizeof word; i++) {
        memcpy(&word, p + i * sizeof word, sizeof word);
        h = rc_sim_hash_u64(h, word);
    }
    return h;
}

static void
write_piece_file(FILE *out, const void *what)
{
    const struct content *c = what;

    fwrite(&c->head, sizeof c->head, 1, out);
    fwrite(c->play, sizeof *c->play, c->head.plays, out);
    fwrite(&c->sum, sizeof c->sum, 1, out);
}

static struct head
head_of(const struct rc_study *s, uint32_t piece)
{
    struct head h = {.key = study_key(s),
                     .piece = piece,
                     .pieces = s->pieces,
                     .plays = plays_of(s, piece),
                     .record_size = sizeof(struct play)};

    memcpy(h.magic, magic, sizeof h.magic);
    return h;
}

int
rc_piece_play(const struct rc_study *s)
{
    struct content c = {.head = head_of(s, s->piece)};
    char path[4096];
    int status = RC_STUDY_OK;

    c.play = calloc(c.head.plays ? c.head.plays : 1, sizeof *c.play);
    if (!c.play) {
        perror("simulate");
        return RC_STUDY_CANNOT;
    }
    for (uint64_t i = 0; i < c.head.plays && status == RC_STUDY_OK; i++) {
        struct rc_error e;
        uint64_t task = s->piece + i * s->pieces;
        c.play[i].task = task;
        if (rc_study_play(s, (uint32_t)(task % s->policy_count), (uint32_t)(task / s->policy_count),
                          NULL, &c.play[i].result, &e) != RC_OK) {
            fprintf(stderr, "simulate: %s\n", e.text);
            status = RC_STUDY_CANNOT;
        }
    }
    c.sum = sum_of(&c);
    rc_piece_path(s, s->piece, path, sizeof path);
    if (status == RC_STUDY_OK && rc_report_file(path, write_piece_file, &c) != 0) {
        status = RC_STUDY_CANNOT;
    }
    free(c.play);
    return status;
}

static bool
takes_its_places(const struct rc_study *s, const struct content *c, struct rc_fleet_result *result)
{
    for (uint64_t i = 0; i < c->head.plays; i++) {
        uint64_t task = c->play[i].task;
        if (task != c->head.piece + i * s->pieces) {
            return false;
        }
        if (result) {
            result[task % s->policy_count * s->seeds + task / s->policy_count] = c->play[i].result;
        }
    }
    return true;
}

static enum rc_piece_state
read_content(FILE *f, const struct rc_study *s, uint32_t piece, struct rc_fleet_result *result)
{
    struct head want = head_of(s, piece);
    struct content c;
    enum rc_piece_state state = RC_PIECE_BROKEN;

    if (fread(&c.head, sizeof c.head, 1, f) != 1) {
        return RC_PIECE_BROKEN;
    }
    if (memcmp(&c.head, &want, sizeof want) != 0) {
        return RC_PIECE_FOREIGN;
    }
    c.play = malloc(c.head.plays * sizeof *c.play + 1);
    if (c.play && fread(c.play, sizeof *c.play, c.head.plays, f) == c.head.plays &&
        fread(&c.sum, sizeof c.sum, 1, f) == 1 && fgetc(f) == EOF && c.sum == sum_of(&c) &&
        takes_its_places(s, &c, result)) {
        state = RC_PIECE_WHOLE;
    }
    free(c.play);
    return state;
}

enum rc_piece_state
rc_piece_read(const struct rc_study *s, uint32_t piece, struct rc_fleet_result *result)
{
    char path[4096];

    rc_piece_path(s, piece, path, sizeof path);
    FILE *f = fopen(path, "rb");
    if (!f) {
        return errno == ENOENT ? RC_PIECE_MISSING : RC_PIECE_BROKEN;
    }
    enum rc_piece_state state = read_content(f, s, piece, result);
    fclose(f);
    return state;
}
