/* ssh_probe.h - run one command on one host over ssh, without blocking.
 *
 * The host key is pinned: the probe talks only to a server that shows one of the
 * given keys, and never learns a key by itself. Authentication is by a private key
 * file (Ed25519 or ECDSA; libssh2 1.10 signs RSA with SHA-1 only, which OpenSSH 8.8 and later
 * refuse), without a passphrase.
 *
 * Contract: after rc_ssh_start() returned a probe, done is called exactly once, from the
 * event loop, never from inside rc_ssh_start() or rc_ssh_cancel(). The probe frees itself
 * after done. The only blocking calls are reads of the (small) key file.
 *
 * A server that closes the channel without any exit status cannot be told from status 0
 * (libssh2 keeps no such flag), so a command that proves health prints a word at its
 * end, and the caller looks for it in out. */
#ifndef RC_SSH_PROBE_H
#define RC_SSH_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

struct event_base;
struct rc_ssh_probe;

struct rc_ssh_command {
    const char *addr; /* numeric IPv4 or IPv6 address */
    uint16_t port;    /* 0 = 22 */
    const char *user;
    const char *key_file; /* private key, OpenSSH or PEM format */
    /* Lines "type base64 [comment]" or known_hosts lines "host type base64", LF between
     * them, as ssh-keyscan and rc_ssh_console_keys() give them. */
    const char *host_keys;
    const char *command;         /* given to the remote shell */
    uint32_t connect_timeout_ms; /* TCP connect; 0 = 5 s */
    uint32_t total_timeout_ms;   /* everything; 0 = 30 s */
    size_t output_max;           /* bytes kept of stdout and of stderr each; 0 = 16 KiB */
};

/* What became of it; borrowed for the call. */
struct rc_ssh_result {
    /* RC_OK: the command ran and ended, whatever its status. RC_E_UNREACHABLE: no TCP
     * connection. RC_E_TIMEOUT: connected, but not finished in time. RC_E_DENIED: wrong
     * host key, or our key is refused. RC_E_IO: the connection broke. RC_E_CANCELLED. */
    enum rc_err err;
    struct rc_error error; /* code and text when err is not RC_OK */
    int exit_status;       /* valid with RC_OK; 128 + 15 … are the shell's own convention */
    char exit_signal[16];  /* "KILL", … when the command died of a signal, else "" */
    const char *out;       /* stdout, NUL-terminated (it may hold NUL bytes of its own) */
    size_t out_len;
    const char *err_out; /* stderr */
    size_t err_len;
    bool cut; /* more output came than output_max */
};
typedef void(rc_ssh_done_fn)(void *arg, const struct rc_ssh_result *result);

/* Copies what it needs of cmd. NULL with *e (RC_E_INVALID, RC_E_PARSE for the keys) when the
 * command cannot be tried at all; done is then never called. */
struct rc_ssh_probe *rc_ssh_start(struct event_base *base, const struct rc_ssh_command *cmd,
                                  rc_ssh_done_fn *done, void *arg, struct rc_error *e);
/* Ends a running probe: done is called later with RC_E_CANCELLED. Not after done. */
void rc_ssh_cancel(struct rc_ssh_probe *p);

#endif
