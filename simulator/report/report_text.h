/* report_text.h - runs and comparisons for a terminal, and as JSON for programs. */
#ifndef RC_REPORT_TEXT_H
#define RC_REPORT_TEXT_H

#include <stdio.h>

#include "simulator/report/comparison.h"

void rc_report_run(FILE *out, const struct rc_study *s, const struct rc_fleet_result *r);
void rc_report_compare(FILE *out, const struct rc_comparison *c);
/* Every value of every seed. */
void rc_report_json(FILE *out, const struct rc_comparison *c);

/* Would what is written under one name replace the other? A link is replaced and not followed,
 * so the folder counts and the name in it; a pipe or a device is what it is under any name. */
bool rc_report_is_one(const char *a, const char *b);
/* Can it be written? Asked before hours of work; told on stderr. path NULL: nothing to write. */
bool rc_report_can(const char *path);
/* Writes a whole file or none: under another name first. 0, or -1 (told on stderr). */
int rc_report_file(const char *path, void (*write)(FILE *out, const void *what), const void *what);

#endif
