/* commands.h - simulate run, compare and sweep. argv[0] is the verb; exit statuses are in
 * study.h. */
#ifndef RC_REPORT_COMMANDS_H
#define RC_REPORT_COMMANDS_H

int rc_run_command(int argc, char **argv);
int rc_compare_command(int argc, char **argv);
int rc_sweep_command(int argc, char **argv);

#endif
