/* check_command.h - the verb "simulate check". */
#ifndef RC_CHECK_COMMAND_H
#define RC_CHECK_COMMAND_H

/* argv[0] is the verb. Exit status: 0 all held, 1 a checker found something, 2 the
 * words make no sense, 3 it could not be run. */
int rc_check_command(int argc, char **argv);

#endif
