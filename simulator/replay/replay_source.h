/* replay_source.h - recorded messages, one after the other, from a folder or a file.
 *
 * A folder: each *.json file is the body of one message, in order of the time that its
 * envelope tells (files without one come right after the file before them, by name).
 * A file of lines: each is {"arrival": UNIX-MS, "body": "TEXT"}, in order of arrival;
 * `./run demo --keep DIR` and rc-world's /_world/messages write such lines. A *.json
 * file that begins with { is one message.
 *
 * Failures name file and line, and end the source: nothing is skipped. */
#ifndef RC_REPLAY_SOURCE_H
#define RC_REPLAY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

/* What PATH is. */
enum rc_replay_kind {
    RC_REPLAY_NONE,
    RC_REPLAY_JOURNAL, /* a folder with segments */
    RC_REPLAY_FOLDER,  /* of messages */
    RC_REPLAY_ONE,     /* message in a *.json file */
    RC_REPLAY_LINES,
    RC_REPLAY_TRACE /* a JSON array of faults */
};

/* RC_REPLAY_NONE with e filled: it is not there, empty, or nothing of all this. */
enum rc_replay_kind rc_replay_kind_of(const char *path, struct rc_error *e);

/* Bytes of the files that are read there; 0 where none can be told. */
uint64_t rc_replay_size(const char *path, enum rc_replay_kind kind);
/* A folder that holds no journal itself but has one in its folder "journal" (a daemon's state,
 * `./run demo --keep`) stands for that one: its path in buf; otherwise path. */
const char *rc_replay_journal_in(const char *path, char *buf, size_t room);

/* Does every segment of this journal begin as one, as far as it goes? A compressed one would look
 * cut. RC_E_PARSE: the first that does not. */
enum rc_err rc_replay_check_segments(const char *path, struct rc_error *e);
/* Messages (*.json) in this folder, where its journal is replayed and not they. */
uint32_t rc_replay_bodies_beside(const char *path);

/* One message, borrowed until the next call. */
struct rc_replay_message {
    int64_t arrival_ms; /* Unix */
    const char *body;
    size_t len;
    const char *file; /* where it stands */
    uint32_t line;    /* 0 = the whole file */
};

struct rc_replay_source;

enum rc_err rc_replay_source_open(const char *path, enum rc_replay_kind kind,
                                  struct rc_replay_source **ret, struct rc_error *e);
/* RC_E_NOT_FOUND: that was all. */
enum rc_err rc_replay_source_next(struct rc_replay_source *s, struct rc_replay_message *ret,
                                  struct rc_error *e);
void rc_replay_source_free(struct rc_replay_source *s); /* NULL is fine */

#endif
