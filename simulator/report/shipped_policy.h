/* shipped_policy.h - the shipped policies as they were when this program was built: p4d.json,
 * which is the default, careful.json and fast.json. */
#ifndef RC_SHIPPED_POLICY_H
#define RC_SHIPPED_POLICY_H

#include <stddef.h>

extern const char rc_shipped_policy[];
extern const size_t rc_shipped_policy_len; /* without the closing NUL */
extern const char rc_shipped_careful[];
extern const size_t rc_shipped_careful_len;
extern const char rc_shipped_fast[];
extern const size_t rc_shipped_fast_len;

#endif
