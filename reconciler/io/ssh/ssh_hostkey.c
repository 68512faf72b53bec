/* ssh_hostkey.c - see ssh_hostkey.h. */
#define _GNU_SOURCE
#include "reconciler/io/ssh/ssh_hostkey.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BEGIN_MARK "-----BEGIN SSH HOST KEY KEYS-----"
#define END_MARK   "-----END SSH HOST KEY KEYS-----"
#define BLANKS     " \t\r"

static const char *const key_types[] = {
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
};

/* A word of a line: not NUL-terminated. */
struct word {
    const char *s;
    size_t len;
};

static struct word
next_word(const char **s, const char *end)
{
    struct word w;

    while (*s < end && strchr(BLANKS, **s)) {
        (*s)++;
    }
    for (w.s = *s; *s < end && !strchr(BLANKS, **s);) {
        (*s)++;
    }
    w.len = (size_t)(*s - w.s);
    return w;
}

static bool
is_key_type(struct word w)
{
    for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++) {
        if (strlen(key_types[i]) == w.len && memcmp(key_types[i], w.s, w.len) == 0) {
            return true;
        }
    }
    return false;
}

/* The decoded blob begins with its own type, which must be the one that the line names. */
static bool
blob_names_type(const struct rc_ssh_hostkey *key)
{
    size_t len = strlen(key->type);

    return key->len > 4 + len && key->blob[0] == 0 && key->blob[1] == 0 && key->blob[2] == 0 &&
           key->blob[3] == len && memcmp(key->blob + 4, key->type, len) == 0;
}

static bool
decode_key(struct word type, struct word base64, struct rc_ssh_hostkey *ret)
{
    memset(ret, 0, sizeof *ret);
    if (base64.len == 0 || base64.len % 4 != 0 || base64.len / 4 * 3 > sizeof ret->blob ||
        type.len >= sizeof ret->type) {
        return false;
    }
    memcpy(ret->type, type.s, type.len);
    int len = EVP_DecodeBlock(ret->blob, (const unsigned char *)base64.s, (int)base64.len);
    for (size_t i = base64.len; len > 0 && i > base64.len - 2 && base64.s[i - 1] == '='; i--) {
        len--; /* EVP_DecodeBlock() counts the padding */
    }
    ret->len = len > 0 ? (size_t)len : 0;
    return blob_names_type(ret);
}

/* Finds "type base64" anywhere in a line. RC_E_NOT_FOUND: no key type in it. */
static enum rc_err
read_key_line(const char *line, const char *end, struct rc_ssh_hostkey *ret)
{
    for (struct word w = next_word(&line, end); w.len > 0; w = next_word(&line, end)) {
        if (is_key_type(w)) {
            return decode_key(w, next_word(&line, end), ret) ? RC_OK : RC_E_PARSE;
        }
    }
    return RC_E_NOT_FOUND;
}

enum rc_err
rc_ssh_hostkeys_parse(const char *text, struct rc_ssh_hostkeys *ret, struct rc_error *e)
{
    unsigned number = 1;

    ret->count = 0;
    for (const char *line = text, *end; *line; line = end + (*end == '\n'), number++) {
        const char *first = line;
        end = line + strcspn(line, "\n");
        struct word w = next_word(&first, end);
        if (w.len == 0 || w.s[0] == '#') {
            continue;
        }
        if (ret->count == RC_SSH_KEYS_MAX) {
            return rc_fail(e, RC_E_TOO_LARGE, "more than %d host keys", RC_SSH_KEYS_MAX);
        }
        if (read_key_line(line, end, &ret->key[ret->count]) != RC_OK) {
            return rc_fail(e, RC_E_PARSE, "host keys, line %u: expected \"type base64\"", number);
        }
        ret->count++;
    }
    return ret->count ? RC_OK : rc_fail(e, RC_E_NOT_FOUND, "no host key given");
}

/* The last complete block, between its marks. */
static bool
last_block(const char *console, size_t len, const char **ret, const char **ret_end)
{
    const char *stop = console + len, *at = console;
    bool found = false;

    while ((at = memmem(at, (size_t)(stop - at), BEGIN_MARK, strlen(BEGIN_MARK))) != NULL) {
        at += strlen(BEGIN_MARK);
        const char *end = memmem(at, (size_t)(stop - at), END_MARK, strlen(END_MARK));
        const char *again = memmem(at, (size_t)(stop - at), BEGIN_MARK, strlen(BEGIN_MARK));
        if (end && (!again || end < again)) {
            *ret = at;
            *ret_end = end;
            found = true;
        }
    }
    return found;
}

enum rc_err
rc_ssh_console_keys(const char *console, size_t len, char *buf, size_t room, struct rc_error *e)
{
    const char *line, *stop;
    size_t used = 0;

    if (!last_block(console, len, &line, &stop)) {
        return rc_fail(e, RC_E_NOT_FOUND, "the console output has no host keys (yet)");
    }
    for (const char *end; line < stop; line = end + 1) {
        struct rc_ssh_hostkey key;
        const char *lf = memchr(line, '\n', (size_t)(stop - line));
        end = lf ? lf : stop;
        if (read_key_line(line, end, &key) != RC_OK) {
            continue; /* the mark's own line, other programs that write to the console */
        }
        char base64[RC_SSH_KEY_BLOB_MAX * 4 / 3 + 8];
        EVP_EncodeBlock((unsigned char *)base64, key.blob, (int)key.len);
        int put = snprintf(buf + used, room - used, "%s %s\n", key.type, base64);
        if (put < 0 || (size_t)put >= room - used) {
            return rc_fail(e, RC_E_TOO_LARGE, "the host keys need more than %zu bytes", room);
        }
        used += (size_t)put;
    }
    return used ? RC_OK
                : rc_fail(e, RC_E_PARSE, "the console's host key block holds no readable key");
}
