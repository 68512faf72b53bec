/* watch_options.h - the command lines of "nodewatch check" and "nodewatch watch". */
#ifndef RC_WATCH_OPTIONS_H
#define RC_WATCH_OPTIONS_H

/* Reads the options and runs; argv[0] is the command's name. Exit status for main; -1:
 * called wrongly (what is wrong is on stderr). */
int rc_watch_check_main(int argc, char **argv);
int rc_watch_loop_main(int argc, char **argv);

#endif
