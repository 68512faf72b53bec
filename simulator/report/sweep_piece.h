/* sweep_piece.h - the pieces of a large comparison as files in one folder.
 *
 * The plays of a study are dealt out to so many pieces; a piece is played by one process,
 * on whatever host, and becomes a file that appears whole or not at all. It carries a key of
 * all that decides (configuration, policies, commit), so that pieces of another study are
 * never mixed in, and a sum over its bytes, so that a cut or changed one is noticed. Bytes
 * are those of the host: one kind of processor a sweep. */
#ifndef RC_SWEEP_PIECE_H
#define RC_SWEEP_PIECE_H

#include "simulator/report/study.h"

enum rc_piece_state {
    RC_PIECE_MISSING,
    RC_PIECE_WHOLE,
    RC_PIECE_BROKEN, /* cut or changed: to be played again */
    RC_PIECE_FOREIGN /* of another study, release or number of pieces */
};

/* Plays the piece s->piece of s->pieces and writes its file. RC_STUDY_OK, or the status. */
int rc_piece_play(const struct rc_study *s);
/* result: [policy * seeds + seed], filled with what the piece holds when it is whole; NULL =
 * only look. */
enum rc_piece_state rc_piece_read(const struct rc_study *s, uint32_t piece,
                                  struct rc_fleet_result *result);
/* DIR/piece-7-of-40.runs */
void rc_piece_path(const struct rc_study *s, uint32_t piece, char *buf, size_t room);

#endif
