/* nodewatch_help.h - what nodewatch says of itself. */
#ifndef RC_NODEWATCH_HELP_H
#define RC_NODEWATCH_HELP_H

extern const char rc_nodewatch_usage[];
extern const char rc_nodewatch_help[];

#endif
