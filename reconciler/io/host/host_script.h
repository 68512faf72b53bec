/* host_script.h - the scripts that are run on a node, as text for its remote shell.
 *
 * Each is a file beside this one, which says what it needs to be told and what it answers. It
 * runs as root: by the ssh user itself, or through sudo without a password. */
#ifndef RC_HOST_SCRIPT_H
#define RC_HOST_SCRIPT_H

extern const char rc_host_gate_sh[], rc_host_gpu_reset_sh[], rc_host_forensics_sh[];

/* The whole command: assignments ("a=1 b='x y'", ours, quoted) before the script. To be freed;
 * NULL: no memory. */
char *rc_host_script(const char *assignments, const char *script);

#endif
