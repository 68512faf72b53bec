/* report_style.h - the style sheet of the page; see report_style.c. */
#ifndef RC_REPORT_STYLE_H
#define RC_REPORT_STYLE_H

/* Pieces, one after the other; NULL ends. */
extern const char *const rc_report_style[];

#endif
