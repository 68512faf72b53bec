/* shipped_policy.h - policies/p4d.json as it was when this program was built. */
#ifndef RC_SHIPPED_POLICY_H
#define RC_SHIPPED_POLICY_H

#include <stddef.h>

extern const char rc_shipped_policy[];
extern const size_t rc_shipped_policy_len; /* without the closing NUL */

#endif
