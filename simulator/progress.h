/* progress.h - a bar on stderr with rate and time left, for all long work; nothing where
 * stderr is no terminal. */
#ifndef RC_PROGRESS_H
#define RC_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct rc_progress {
    uint64_t total;
    const char *unit; /* of the rate: "seeds", "days"; static */
    int64_t start_ms, shown_ms;
    bool is_terminal;
};

void rc_progress_begin(struct rc_progress *p, uint64_t total, const char *unit);
/* Drawn at most five times a second. note: "" or a word at the end. */
void rc_progress_show(struct rc_progress *p, uint64_t done, const char *note);
void rc_progress_end(struct rc_progress *p);
int64_t rc_progress_spent_ms(const struct rc_progress *p);

#endif
