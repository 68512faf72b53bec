/* decode_main.h - the command `reconcilectl decode [--json] FILE...|-`. */
#ifndef RC_DECODE_MAIN_H
#define RC_DECODE_MAIN_H

/* argv[0] is the command's own name. One line a file on stdout: file, kind,
 * instance ids (sorted, comma, or -) and detail, separated by tabs; with --json
 * one object. Kind is ignored or quarantined where the message is. Returns the
 * exit status: 0, 1 when a file could not be read, 2 for wrong usage. */
int rc_decode_command(int argc, char **argv);

#endif
