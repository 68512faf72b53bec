/* peer_wire.c - see peer_wire.h. */
#include "reconciler/io/controller/peer_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MAC_BYTES = RC_PEER_MAC_LEN / 2 };

enum rc_err
rc_peer_key_load(const char *path, struct rc_peer_key *ret, struct rc_error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t got = -1;

    memset(ret, 0, sizeof *ret);
    if (fd < 0 || fstat(fd, &st) < 0) {
        int error = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return rc_fail(e, RC_E_IO, "peer key %s: %s", path, strerror(error));
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        (void)close(fd);
        return rc_fail(e, RC_E_DENIED, "peer key %s: others than its owner may use it (mode %03o)",
                       path, (unsigned)st.st_mode & 0777U);
    }
    got = read(fd, ret->byte, sizeof ret->byte);
    (void)close(fd);
    if (got < RC_PEER_KEY_MIN) {
        return rc_fail(e, RC_E_INVALID, "peer key %s: expected at least %d bytes, got %zd", path,
                       RC_PEER_KEY_MIN, got);
    }
    ret->len = (size_t)got;
    return RC_OK;
}

static void
put_hex(const unsigned char *bytes, size_t len, char *hex)
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digit[bytes[i] >> 4];
        hex[2 * i + 1] = digit[bytes[i] & 15];
    }
    hex[2 * len] = '\0';
}

static void
hmac_hex(const struct rc_peer_key *key, const char *text, size_t len, unsigned char *bytes,
         char *hex)
{
    unsigned int size = 0;

    if (!HMAC(EVP_sha256(), key->byte, (int)key->len, (const unsigned char *)text, len, bytes,
              &size) ||
        size != MAC_BYTES) {
        abort(); /* no memory for a hash: nothing may be believed */
    }
    put_hex(bytes, MAC_BYTES, hex);
}

void
rc_peer_mac(const struct rc_peer_key *key, const char *label, const char *server_hello,
            const char *client_hello, char *hex)
{
    char text[2 * RC_PEER_HELLO_ROOM + 32];
    unsigned char bytes[MAC_BYTES];
    int len =
        snprintf(text, sizeof text, "%s\n%.255s\n%.255s\n", label, server_hello, client_hello);

    hmac_hex(key, text, (size_t)len, bytes, hex);
}

bool
rc_peer_same(const char *a, const char *b)
{
    return strlen(a) == RC_PEER_MAC_LEN && strlen(b) == RC_PEER_MAC_LEN &&
           CRYPTO_memcmp(a, b, RC_PEER_MAC_LEN) == 0;
}

bool
rc_peer_hello(const struct rc_peer_id *id, char *buf, size_t room)
{
    unsigned char nonce[RC_PEER_NONCE_LEN / 2];
    char hex[RC_PEER_NONCE_LEN + 1];

    if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce) {
        return false;
    }
    put_hex(nonce, sizeof nonce, hex);
    int len =
        snprintf(buf, room, "rc-peer %d %s %s %s", RC_PEER_VERSION, id->cluster, id->host, hex);
    return len > 0 && (size_t)len < room;
}

enum rc_err
rc_peer_hello_check(const char *text, const struct rc_peer_id *peer, struct rc_error *e)
{
    char cluster[64], host[72], nonce[64];
    unsigned version = 0;

    if (sscanf(text, "rc-peer %u", &version) != 1) {
        return rc_fail(e, RC_E_PARSE, "is no peer: its greeting is \"%.40s\"", text);
    }
    if (version != RC_PEER_VERSION) {
        return rc_fail(e, RC_E_UNSUPPORTED,
                       "speaks version %u of the peer protocol, we speak %d: bring both "
                       "controllers to one release",
                       version, RC_PEER_VERSION);
    }
    if (sscanf(text, "rc-peer %*u %63s %71s %63s", cluster, host, nonce) != 3 ||
        strspn(nonce, "0123456789abcdef") != RC_PEER_NONCE_LEN || nonce[RC_PEER_NONCE_LEN]) {
        return rc_fail(e, RC_E_PARSE, "is no peer: its greeting is \"%.40s\"", text);
    }
    if (strcmp(cluster, peer->cluster) != 0) {
        return rc_fail(e, RC_E_FOREIGN, "is of cluster \"%s\", we are of \"%s\"", cluster,
                       peer->cluster);
    }
    if (strcmp(host, peer->host) != 0) {
        return rc_fail(e, RC_E_INVALID, "calls itself \"%s\", expected \"%s\"", host, peer->host);
    }
    return RC_OK;
}

void
rc_peer_seal_init(struct rc_peer_seal *s, const struct rc_peer_key *key, const char *server_hello,
                  const char *client_hello, char direction)
{
    char hex[RC_PEER_MAC_LEN + 1];

    memset(s, 0, sizeof *s);
    rc_peer_mac(key, "session", server_hello, client_hello, hex);
    memcpy(s->key.byte, hex, RC_PEER_MAC_LEN);
    s->key.len = RC_PEER_MAC_LEN;
    s->direction = direction;
}

static void
line_mac(const struct rc_peer_seal *s, const char *line, char *hex)
{
    char text[RC_PEER_LINE_ROOM + 32];
    unsigned char bytes[MAC_BYTES];
    int len = snprintf(text, sizeof text, "%c %" PRIu64 " %s", s->direction, s->count, line);

    hmac_hex(&s->key, text, (size_t)len, bytes, hex);
}

size_t
rc_peer_seal_line(struct rc_peer_seal *s, const char *line, char *buf, size_t room)
{
    char hex[RC_PEER_MAC_LEN + 1];

    if (strlen(line) >= RC_PEER_LINE_ROOM || RC_PEER_MAC_LEN + strlen(line) + 3 > room) {
        return 0;
    }
    line_mac(s, line, hex);
    s->count++;
    return (size_t)snprintf(buf, room, "%s %s\n", hex, line);
}

char *
rc_peer_open_line(struct rc_peer_seal *s, char *text)
{
    char hex[RC_PEER_MAC_LEN + 1];

    if (strlen(text) <= RC_PEER_MAC_LEN + 1 || text[RC_PEER_MAC_LEN] != ' ' ||
        strlen(text) >= RC_PEER_LINE_ROOM) {
        return NULL;
    }
    text[RC_PEER_MAC_LEN] = '\0';
    line_mac(s, text + RC_PEER_MAC_LEN + 1, hex);
    if (!rc_peer_same(text, hex)) {
        return NULL;
    }
    s->count++;
    return text + RC_PEER_MAC_LEN + 1;
}
