/* peer_wire.h - what goes over the link between the two daemons, and how each side knows
 * that it talks to the other one. Pure but for the key file and the nonce.
 *
 *     server: rc-peer 1 <cluster> <host> <nonce>
 *     client: rc-peer 1 <cluster> <host> <nonce> <mac>
 *     server: ok <mac>            or: no <reason>
 *     both:   <mac> <line>        lines of reconciler/io/helper/line.h
 *
 * Both hold one secret key file. Each mac is HMAC-SHA256 (RFC 2104) in hex: of the greetings
 * under the key, then of (direction, running number, line) under a key of this connection
 * made from both nonces. So nothing can be replayed, left out, turned round or altered, and
 * a greeting that was altered on the way (another version) gives another mac. The link is
 * authenticated, not secret: what it says is no secret. */
#ifndef RC_PEER_WIRE_H
#define RC_PEER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reconciler/io/fail.h"

enum {
    RC_PEER_VERSION = 1,
    RC_PEER_KEY_MIN = 32, /* bytes of the key file that count at least */
    RC_PEER_KEY_MAX = 512,
    RC_PEER_MAC_LEN = 64, /* hex digits */
    RC_PEER_NONCE_LEN = 32,
    RC_PEER_HELLO_ROOM = 256,
    RC_PEER_LINE_ROOM = 4096
};

struct rc_peer_key {
    size_t len;
    unsigned char byte[RC_PEER_KEY_MAX];
};

/* Who speaks. Borrowed strings. */
struct rc_peer_id {
    const char *cluster;
    const char *host;
};

/* RC_E_DENIED: others may read the file; RC_E_INVALID: too short; RC_E_IO. */
enum rc_err rc_peer_key_load(const char *path, struct rc_peer_key *ret, struct rc_error *e);

/* A greeting with a fresh nonce, without LF. */
bool rc_peer_hello(const struct rc_peer_id *id, char *buf, size_t room);
/* Is text a greeting of `peer` (its cluster and host)? e->text says what is wrong with it:
 * another version, another cluster, another host, no greeting at all. */
enum rc_err rc_peer_hello_check(const char *text, const struct rc_peer_id *peer,
                                struct rc_error *e);
/* label: "client", "server", "session". hex: RC_PEER_MAC_LEN + 1. */
void rc_peer_mac(const struct rc_peer_key *key, const char *label, const char *server_hello,
                 const char *client_hello, char *hex);

/* One direction of an open connection. */
struct rc_peer_seal {
    struct rc_peer_key key; /* of the connection */
    uint64_t count;
    char direction; /* 'c' what the client says, 's' what the server says */
};
void rc_peer_seal_init(struct rc_peer_seal *s, const struct rc_peer_key *key,
                       const char *server_hello, const char *client_hello, char direction);
/* "<mac> <line>" + LF into buf; bytes, or 0 when it does not fit. line without LF. */
size_t rc_peer_seal_line(struct rc_peer_seal *s, const char *line, char *buf, size_t room);
/* The line behind a good mac, in place; NULL when it is not the next one of the other side. */
char *rc_peer_open_line(struct rc_peer_seal *s, char *text);
/* Constant time; both RC_PEER_MAC_LEN long. */
bool rc_peer_same(const char *a, const char *b);

#endif
