/* scenario_story.h - a story as read from its file; inner header of the runner. */
#ifndef RC_SCENARIO_STORY_H
#define RC_SCENARIO_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/core/cluster.h"
#include "reconciler/io/fail.h"

enum { SCEN_LINE_MAX = 1024, SCEN_WORDS_MAX = 24 };

struct scen_line {
    int64_t at_ms;   /* since the story's beginning */
    unsigned number; /* in the file */
    char *text;      /* without the time, blanks trimmed */
};

struct scen_story {
    char file[512];
    char policy[512]; /* path, "" = not named */
    char nodes[RC_TEXT_LEN];
    char partition[RC_PARTITION_LEN];
    struct rc_cluster cluster;
    struct scen_line *lines;
    unsigned line_count;
};

/* Words of a line, split at blanks; text in double quotes is one word without them. */
struct scen_words {
    unsigned count;
    char *v[SCEN_WORDS_MAX];
    char room[SCEN_LINE_MAX];
};

/* RC_OK, RC_E_IO or RC_E_PARSE with "FILE:LINE: …". The story is freed by
 * scen_story_free() in every case. */
enum rc_err scen_story_read(const char *dir, struct scen_story *ret, struct rc_error *e);
void scen_story_free(struct scen_story *st);

/* False when there are too many words or a quote is open. */
bool scen_split(const char *text, struct scen_words *ret);
/* "1h30m", "90s", "2d", "250ms": the whole text must be used up. */
bool scen_duration(const char *text, int64_t *ret_ms);
/* The other way round, as people write it: 5400000 -> "1h30m", 1500 -> "1.5s". */
void scen_duration_show(int64_t ms, char *buf, size_t room);
/* Whole file, malloc'd, or NULL. */
char *scen_file_read(const char *path);

#endif
