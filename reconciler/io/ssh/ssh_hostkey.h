/* ssh_hostkey.h - pinned host keys: from text, from EC2 console output, compared.
 *
 * cloud-init prints the public host keys on the console at first boot, between
 * "-----BEGIN SSH HOST KEY KEYS-----" and "-----END SSH HOST KEY KEYS-----" (its module
 * keys-to-console), and EC2 GetConsoleOutput hands them out through the authenticated API: the
 * one way to know a new instance's key before the first connection. Console lines may
 * carry a log prefix and end with CR LF; a reboot may print the block again, and the
 * last complete block counts. */
#ifndef RC_SSH_HOSTKEY_H
#define RC_SSH_HOSTKEY_H

#include <stddef.h>

#include "reconciler/io/fail.h"

enum { RC_SSH_KEYS_MAX = 8, RC_SSH_KEY_TYPE_LEN = 40, RC_SSH_KEY_BLOB_MAX = 2048 };

struct rc_ssh_hostkey {
    char type[RC_SSH_KEY_TYPE_LEN]; /* ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa, … */
    size_t len;
    unsigned char blob[RC_SSH_KEY_BLOB_MAX]; /* decoded public key, RFC 4253 section 6.6 */
};

struct rc_ssh_hostkeys {
    size_t count;
    struct rc_ssh_hostkey key[RC_SSH_KEYS_MAX];
};

/* Lines "type base64 [comment]" or "host type base64"; blank lines and '#' comments are skipped.
 * RC_E_PARSE names the line; RC_E_NOT_FOUND: no key at all. */
enum rc_err rc_ssh_hostkeys_parse(const char *text, struct rc_ssh_hostkeys *ret,
                                  struct rc_error *e);
/* The keys of console output, as lines "type base64" in buf (NUL-terminated).
 * RC_E_NOT_FOUND: no complete block (yet); RC_E_PARSE: a block without a readable key;
 * RC_E_TOO_LARGE: buf is too small. */
enum rc_err rc_ssh_console_keys(const char *console, size_t len, char *buf, size_t room,
                                struct rc_error *e);

#endif
