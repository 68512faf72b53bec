/* sim_time.h - Unix milliseconds as the texts that AWS uses, without libc's
 * clock, time zone or locale. */
#ifndef RC_SIM_TIME_H
#define RC_SIM_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum { RC_SIM_TIME_LEN = 32 };

void rc_sim_time_iso(char out[RC_SIM_TIME_LEN], int64_t ms);    /* 2026-01-07T12:19:54.000Z */
void rc_sim_time_second(char out[RC_SIM_TIME_LEN], int64_t ms); /* 2026-01-07T12:19:54Z */
void rc_sim_time_mail(char out[RC_SIM_TIME_LEN], int64_t ms);   /* Wed, 7 Jan 2026 12:19:54 GMT */
/* 20260107T121954Z, as in X-Amz-Date; false when the text is something else. */
bool rc_sim_time_basic_parse(const char *text, int64_t *ret_ms);

#endif
