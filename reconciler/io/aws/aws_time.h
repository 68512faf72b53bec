/* aws_time.h - the date forms that AWS sends, and the one that it wants.
 *
 * All results are Unix milliseconds, UTC. No locale, no time zone data. */
#ifndef RC_AWS_TIME_H
#define RC_AWS_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2018-05-08T16:46:19.000Z", "…19Z", "…19+0000", "…19+02:00". False: another
 * form or no such date, such as the placeholders of the API reference. */
bool rc_aws_time_iso(const char *text, int64_t *ret_ms);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, IMF-fixdate), one-digit day allowed. */
bool rc_aws_time_http(const char *text, int64_t *ret_ms);
/* "20150830T123600Z" */
void rc_aws_time_basic(int64_t ms, char *ret, size_t room);

int64_t rc_aws_wall_ms(void); /* the host's clock */
int64_t rc_aws_mono_ms(void); /* monotonic, for time-outs */

#endif
