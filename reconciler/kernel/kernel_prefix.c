/* kernel_prefix.c - see kernel_prefix.h.
 *
 * Each prefix has a small reader that moves a cursor past itself or leaves it alone.
 * The forms were taken from dmesg(1) of util-linux 2.38, journalctl(1) of systemd
 * 252, RFC 3164, RFC 5424, and lines seen in the field (tests/vectors/kernel). */
#include "reconciler/kernel/kernel_prefix.h"

#include <string.h>

enum {
    BRACKET_MAX = 48,     /* a time stamp in brackets is shorter */
    TOKEN_MAX = 256,      /* a host name is */
    SD_MAX = 1024,        /* structured data of RFC 5424 */
    PREFIXES_MAX = 8,     /* more wrappings than that are no log line */
    IDENT_TOKENS_MAX = 6, /* unknown stamp, host, facility, identifier */
    FACILITY_KERNEL_MAX = 7,
};

struct cursor {
    const char *at;
    const char *end;
    bool foreign;
    bool syslog; /* a stamp of syslog was seen: an identifier must follow */
};

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *
digits_end(const char *at, const char *end)
{
    while (at < end && digit(*at)) {
        at++;
    }
    return at;
}

static void
skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t')) {
        c->at++;
    }
}

static bool
starts(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);

    return (size_t)(end - at) >= len && memcmp(at, word, len) == 0;
}

static const char *
token_end(const char *at, const char *end)
{
    const char *stop = (size_t)(end - at) > TOKEN_MAX ? at + TOKEN_MAX : end;

    while (at < stop && *at != ' ' && *at != '\t') {
        at++;
    }
    return at;
}

/* A decimal number before the byte that must follow it. */
static bool
read_prefix_number(const char **at, const char *end, char after, uint64_t *ret)
{
    const char *c = *at;
    uint64_t value = 0;

    while (c < end && digit(*c)) {
        uint64_t add = (uint64_t)(*c++ - '0');

        if (value > (UINT64_MAX - add) / 10) {
            return false;
        }
        value = value * 10 + add;
    }
    if (c == *at || c == end || *c != after) {
        return false;
    }
    *at = c + 1;
    *ret = value;
    return true;
}

bool
rc_kmsg_parse(const char *record, size_t len, struct rc_kmsg *ret)
{
    const char *at = record, *end = record + len;
    uint64_t prio, seq, usec;

    if (!read_prefix_number(&at, end, ',', &prio) || prio > UINT32_MAX ||
        !read_prefix_number(&at, end, ',', &seq) || !read_prefix_number(&at, end, ',', &usec)) {
        return false;
    }
    at = memchr(at, ';', (size_t)(end - at));
    if (!at) {
        return false;
    }
    at++;
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    *ret = (struct rc_kmsg){.prio = (uint32_t)prio, .seq = seq, .usec = usec};
    ret->text = (struct rc_span){at, (size_t)((line_end ? line_end : end) - at)};
    return true;
}

bool
rc_kmsg_is_kernel(const struct rc_kmsg *k)
{
    return k->prio <= FACILITY_KERNEL_MAX;
}

static bool
read_kmsg(struct cursor *c)
{
    struct rc_kmsg k;

    if (c->at == c->end || !digit(*c->at) || !rc_kmsg_parse(c->at, (size_t)(c->end - c->at), &k)) {
        return false;
    }
    c->foreign |= !rc_kmsg_is_kernel(&k);
    c->at = k.text.at;
    return true;
}

/* "[id name="value with blanks, \" and ]" ...][id ...]" of RFC 5424; its end. */
static const char *
structured_data_end(const char *at, const char *end)
{
    const char *stop = (size_t)(end - at) > SD_MAX ? at + SD_MAX : end;
    bool quoted = false;

    if (at == stop || *at != '[') {
        return token_end(at, end);
    }
    for (; at < stop; at++) {
        if (*at == '\\' && quoted) {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (*at == ']' && !quoted && (at + 1 == stop || at[1] != '[')) {
            return at + 1;
        }
    }
    return stop;
}

/* "1 2025-02-23T16:24:18Z host app pid id data message" of RFC 5424; at is behind "1 ". */
static const char *
read_rfc5424(struct cursor *c, const char *at)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, before the message */

    for (int field = 0; field < 6; field++) { /* time, host, app, process, id, data */
        const char *end = field == 5 ? structured_data_end(at, c->end) : token_end(at, c->end);

        c->foreign |= field == 2 && !(end - at == 6 && memcmp(at, "kernel", 6) == 0);
        at = end < c->end ? end + 1 : end;
    }
    return starts(at, c->end, mark) ? at + sizeof mark - 1 : at;
}

/* "<4>", alone or before a header of RFC 5424. */
static bool
read_priority(struct cursor *c)
{
    const char *at = c->at;
    uint64_t prio;

    if (at == c->end || *at != '<') {
        return false;
    }
    at++;
    if (!read_prefix_number(&at, c->end, '>', &prio)) {
        return false;
    }
    c->foreign |= prio > FACILITY_KERNEL_MAX;
    if (starts(at, c->end, "1 - ") ||
        (starts(at, c->end, "1 ") && c->end - at > 6 && digit(at[2]) && digit(at[5]))) {
        at = read_rfc5424(c, at + 2);
    }
    c->at = at;
    return true;
}

/* Is the text in brackets a time stamp ("12345.678901", "  +0.000844", "Sun Feb 23
 * 16:24:18 2025", "123.4 <    0.0>"), a caller id ("T1946", "C3") or dots? */
static bool
is_stamp(const char *at, const char *end)
{
    bool clock = false, number = true, seen = false;

    while (at < end && *at == ' ') {
        at++;
    }
    if (end - at > 1 && (*at == 'T' || *at == 'C') && digits_end(at + 1, end) == end) {
        return true;
    }
    for (const char *c = at; c < end; c++) {
        seen |= digit(*c) || *c == '.';
        number &= digit(*c) || strchr(" .,+-<>", *c) != NULL;
        clock |= c > at && end - c > 2 && *c == ':' && digit(c[-1]) && digit(c[1]) && digit(c[2]);
    }
    return seen && (number || clock);
}

static bool
read_bracket(struct cursor *c)
{
    size_t room = (size_t)(c->end - c->at);
    const char *close;

    if (room < 2 || *c->at != '[') {
        return false;
    }
    close = memchr(c->at, ']', room < BRACKET_MAX ? room : BRACKET_MAX);
    if (!close || !is_stamp(c->at + 1, close)) {
        return false;
    }
    c->at = close + 1;
    if (c->at < c->end && *c->at == ':') {
        c->at++;
    }
    return true;
}

/* "kern  :warn  : " of dmesg -x, "host: kern:   alert: " of Talos. */
static bool
read_decoded(struct cursor *c)
{
    static const char *const levels[] = {"emerg",   "alert",  "crit", "err",   "error", "warn",
                                         "warning", "notice", "info", "debug", NULL};
    const char *word[2], *word_end[2], *at = c->at;

    for (int i = 0; i < 2; i++) {
        while (at < c->end && *at == ' ' && i > 0) {
            at++;
        }
        word[i] = at;
        while (at < c->end && (is_alpha(*at) || digit(*at)) && at - word[i] < 16) {
            at++;
        }
        word_end[i] = at;
        while (at < c->end && *at == ' ' && at - word_end[i] < 8) {
            at++;
        }
        if (at == c->end || *at != ':' || word_end[i] == word[i]) {
            return false;
        }
        at++;
    }
    size_t len = (size_t)(word_end[1] - word[1]);
    for (int i = 0; levels[i]; i++) {
        if (strlen(levels[i]) == len && memcmp(levels[i], word[1], len) == 0) {
            c->foreign |= !(word_end[0] - word[0] == 4 && memcmp(word[0], "kern", 4) == 0);
            c->at = at;
            return true;
        }
    }
    return false;
}

/* hh:mm:ss with an optional fraction; NULL when there is none. */
static const char *
clock_end(const char *at, const char *end)
{
    for (int i = 0; i < 8; i++) {
        if (end - at <= i || (i % 3 == 2 ? at[i] != ':' : !digit(at[i]))) {
            return NULL;
        }
    }
    at += 8;
    return at < end && (*at == '.' || *at == ',') ? digits_end(at + 1, end) : at;
}

/* "Feb 23 16:24:18[.5] ", in any language. */
static bool
read_syslog_time(struct cursor *c)
{
    const char *at = c->at, *month = at;

    while (at < c->end && at - month < 16 && *at != ' ' && !digit(*at)) {
        at++;
    }
    if (at == month || at == c->end || *at != ' ') {
        return false;
    }
    while (at < c->end && *at == ' ') {
        at++;
    }
    const char *day = at;
    at = digits_end(at, c->end);
    if (at == day || at - day > 2 || at == c->end || *at != ' ') {
        return false;
    }
    at = clock_end(at + 1, c->end);
    if (!at) {
        return false;
    }
    c->at = at;
    c->syslog = true;
    return true;
}

/* "2025-01-21T04:41:44,283302+00:00 ", "2025-01-21 04:41:44 ", "Sun 2025-02-23 16:24:18 UTC ". */
static bool
read_iso_time(struct cursor *c)
{
    const char *at = c->at, *end = c->end;
    bool full = end - at > 4 && is_alpha(at[0]) && at[3] == ' ' && digit(at[4]);

    at += full ? 4 : 0;
    if (end - at < 19 || digits_end(at, end) != at + 4 || at[4] != '-' || at[7] != '-' ||
        (at[10] != 'T' && at[10] != ' ') || digits_end(at + 5, end) != at + 7) {
        return false;
    }
    at = clock_end(at + 11, end);
    if (!at) {
        return false;
    }
    at = token_end(at, end); /* the zone */
    if (full && at < end) {
        at = token_end(at + 1, end);
    }
    c->at = at;
    return true;
}

/* "16:24:18", "1740327858.123456": the last part of a stamp in a form of its own. */
static bool
is_clock(const char *at, const char *end)
{
    bool number = true, colon = false;

    if (at == end || !digit(*at)) {
        return false;
    }
    for (const char *c = at + 1; c < end; c++) {
        number &= digit(*c) || *c == '.';
        colon |= *c == ':' && digit(c[-1]) && end - c > 1 && digit(c[1]);
    }
    return number || colon;
}

/* "[stamp] [host [kern.err]] kernel: ". Nothing else that ends with a colon may stand before
 * it, for that would be the identifier, and no further words: that would be somebody's text. */
static bool
read_identifier(struct cursor *c)
{
    const char *at = c->at;
    int behind_stamp = 0;

    for (int i = 0; i < IDENT_TOKENS_MAX && at < c->end; i++) {
        const char *end = token_end(at, c->end);

        if (behind_stamp <= 1 && (starts(at, end, "kernel:") || starts(at, end, "kernel[0]:"))) {
            c->at = at + (at[6] == ':' ? 7 : 10);
            c->syslog = false;
            return true;
        }
        if (end == at || end[-1] == ':' || *at == '[') {
            return false;
        }
        if (is_clock(at, end)) {
            behind_stamp = 0;
        } else if (!(behind_stamp == 1 && starts(at, end, "kern."))) {
            behind_stamp++;
        }
        at = end;
        while (at < c->end && *at == ' ') {
            at++;
        }
    }
    return false;
}

/* "MESSAGE=" of journalctl -o verbose. */
static bool
read_field(struct cursor *c)
{
    static const char field[] = "MESSAGE=";

    if (!starts(c->at, c->end, field)) {
        return false;
    }
    c->at += sizeof field - 1;
    return true;
}

/* "message repeated 3 times: [ ...]" of rsyslog. */
static bool
read_repeated(struct cursor *c)
{
    static const char before[] = "message repeated ", behind[] = "times: [";
    const char *at = c->at + sizeof before - 1;
    uint64_t count;

    if (!starts(c->at, c->end, before) || !read_prefix_number(&at, c->end, ' ', &count) ||
        !starts(at, c->end, behind) || c->end[-1] != ']') {
        return false;
    }
    c->at = at + sizeof behind - 1;
    c->end--;
    return true;
}

/* "10.0.0.1: kern: …": a collector's source before a decoded prefix. */
static bool
read_source(struct cursor *c)
{
    const char *end = token_end(c->at, c->end);
    struct cursor behind = *c;

    if (end - c->at < 2 || end[-1] != ':') {
        return false;
    }
    behind.at = end;
    skip_blanks(&behind);
    if (!read_decoded(&behind)) {
        return false;
    }
    *c = behind;
    return true;
}

/* One prefix; the first byte tells most messages apart at once. */
static bool
read_prefix(struct cursor *c)
{
    if (c->at == c->end) {
        return false;
    }
    if (*c->at == '[') {
        return read_bracket(c);
    }
    if (*c->at == '<') {
        return read_priority(c);
    }
    if (digit(*c->at)) {
        return read_kmsg(c) || read_iso_time(c) || read_source(c) || read_identifier(c);
    }
    if ((*c->at == 'M' && read_field(c)) || (*c->at == 'm' && read_repeated(c))) {
        return true;
    }
    return read_decoded(c) || read_syslog_time(c) || read_iso_time(c) || read_identifier(c);
}

bool
rc_kernel_message(const char *line, size_t len, struct rc_span *ret)
{
    struct cursor c = {.at = line, .end = line + len};

    while (c.end > c.at && (c.end[-1] == '\n' || c.end[-1] == '\r')) {
        c.end--;
    }
    skip_blanks(&c);
    for (int i = 0; i < PREFIXES_MAX && read_prefix(&c); i++) {
        skip_blanks(&c);
    }
    *ret = (struct rc_span){c.at, (size_t)(c.end - c.at)};
    return !c.foreign && !c.syslog;
}
