/* scenario_story.h - a story as read from its file; inner header of the runner. */
#ifndef RC_SCENARIO_STORY_H
#define RC_SCENARIO_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/load_set.h"
#include "reconciler/core/cluster.h"
#include "reconciler/io/fail.h"

enum { SCEN_LINE_MAX = 1024, SCEN_WORDS_MAX = 24 };

struct rc_scen_line {
    int64_t at_ms;   /* since the story's beginning */
    unsigned number; /* in the file */
    char *text;      /* without the time, blanks trimmed */
};

struct rc_scen_story {
    char file[512];
    char policy[512]; /* path, "" = not named */
    char nodes[RC_TEXT_LEN];
    char partition[RC_PARTITION_LEN];
    struct rc_policy_set set[RC_POLICY_SETS_MAX]; /* keys of that policy that differ here */
    uint32_t set_count;
    struct rc_cluster cluster;
    uint32_t leader; /* the controller whose daemon leads at the beginning, when there are any */
    struct rc_scen_line *lines;
    unsigned line_count;
};

/* Words of a line, split at blanks; text in double quotes is one word without them. */
struct rc_scen_words {
    unsigned count;
    char *v[SCEN_WORDS_MAX];
    char room[SCEN_LINE_MAX];
};

/* RC_OK, RC_E_IO or RC_E_PARSE with "FILE:LINE: …". The story is freed by
 * rc_scen_story_free() in every case. */
enum rc_err rc_scen_story_read(const char *dir, struct rc_scen_story *ret, struct rc_error *e);
void rc_scen_story_free(struct rc_scen_story *st);

/* False when there are too many words or a quote is open. */
bool rc_scen_split(const char *text, struct rc_scen_words *ret);
/* "1h30m", "90s", "2d", "250ms": the whole text must be used up. */
bool rc_scen_duration(const char *text, int64_t *ret_ms);
/* The other way round, as people write it: 5400000 -> "1h30m", 1500 -> "1.5s". */
void rc_scen_duration_show(int64_t ms, char *buf, size_t room);
/* Whole file, malloc'd, or NULL. */
char *rc_scen_file_read(const char *path);

#endif
