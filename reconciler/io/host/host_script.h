/* host_script.h - the scripts that are run on a node, as text for its remote shell.
 *
 * Each is a file beside this one, which says what it needs to be told and what it answers. It runs
 * as root. To an ssh user who is root the script itself is sent; any other runs the one that the
 * node package has brought, through sudo, which lets him do nothing else (as_root.sh). */
#ifndef RC_HOST_SCRIPT_H
#define RC_HOST_SCRIPT_H

enum rc_host_work { RC_HOST_GATE, RC_HOST_GPU_RESET, RC_HOST_FORENSICS };

extern const char rc_host_gate_sh[], rc_host_gpu_reset_sh[], rc_host_forensics_sh[];

/* The whole command: what the script is told as assignments ("a=1 b='x y'", ours, quoted). To be
 * freed; NULL: no memory. */
char *rc_host_script(enum rc_host_work work, const char *told);

#endif
