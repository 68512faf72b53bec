/* watch_classify.h - "nodewatch classify": kernel log lines in, their meaning out. */
#ifndef RC_WATCH_CLASSIFY_H
#define RC_WATCH_CLASSIFY_H

/* For each line of in exactly one line on out: "class TAB device TAB detail", with "-"
 * for an empty field; "none" where the line means nothing. A line ends with LF or with the
 * input, and may hold any bytes; what is printed is ASCII. Exit status for main: 0 at the
 * end of the input, 1 when reading or writing failed (told on stderr). */
int rc_watch_classify(int in, int out);

#endif
