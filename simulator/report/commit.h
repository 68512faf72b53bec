/* commit.h - which sources this program was built from; written at each build by
 * cmake/commit.cmake. "unknown" outside of a git work tree. */
#ifndef RC_COMMIT_H
#define RC_COMMIT_H

extern const char rc_commit[]; /* twelve digits, and "+" when files differed from it */

#endif
