/* jsonc_scan.c - the cursor over the text: blanks and comments, strings, numbers, words. */
#include "policies/jsonc_scan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policies/utf8.h"

void *
rc_jsonc_take(struct rc_jsonc *doc, size_t size)
{
    struct rc_jsonc_block *b = calloc(1, sizeof *b + size);

    if (!b) {
        return NULL;
    }
    b->next = doc->blocks;
    doc->blocks = b;
    return b->data;
}

/* Complains about the place where the reader stands; always false. */
bool
rc_jsonc_refuse(struct rc_jsonc_reader *r, enum rc_err err, const char *message)
{
    struct rc_jsonc_value here = {.line = r->line, .column = r->column};

    r->err = err;
    rc_load_error(r->errs, r->doc->file, &here, "%s", message);
    return false;
}

bool
rc_jsonc_refuse_at(struct rc_jsonc_reader *r, const struct rc_jsonc_value *v, const char *message)
{
    r->err = RC_E_PARSE;
    rc_load_error(r->errs, r->doc->file, v, "%s", message);
    return false;
}

bool
rc_jsonc_no_memory(struct rc_jsonc_reader *r)
{
    return rc_jsonc_refuse(r, RC_E_INTERNAL, "out of memory");
}

bool
rc_jsonc_is_at_end(const struct rc_jsonc_reader *r)
{
    return r->at == r->end;
}

char
rc_jsonc_peek(const struct rc_jsonc_reader *r)
{
    return rc_jsonc_is_at_end(r) ? '\0' : *r->at;
}

/* One byte further; bytes inside a UTF-8 sequence do not count as columns. */
void
rc_jsonc_step(struct rc_jsonc_reader *r)
{
    assert(r->at < r->end);
    if (*r->at == '\n') {
        r->line++;
        r->column = 1;
    } else if (((unsigned char)*r->at & 0xC0U) != 0x80U) {
        r->column++;
    }
    r->at++;
}

static bool
skip_comment(struct rc_jsonc_reader *r)
{
    struct rc_jsonc_value start = {.line = r->line, .column = r->column};

    rc_jsonc_step(r);
    if (rc_jsonc_peek(r) == '/') {
        while (!rc_jsonc_is_at_end(r) && *r->at != '\n') {
            rc_jsonc_step(r);
        }
        return true;
    }
    if (rc_jsonc_peek(r) != '*') {
        return rc_jsonc_refuse_at(r, &start, "a comment begins with // or /*");
    }
    rc_jsonc_step(r);
    while (r->end - r->at >= 2) {
        if (r->at[0] == '*' && r->at[1] == '/') {
            rc_jsonc_step(r);
            rc_jsonc_step(r);
            return true;
        }
        rc_jsonc_step(r);
    }
    return rc_jsonc_refuse_at(r, &start, "this comment is not closed: */ is missing");
}

bool
rc_jsonc_skip(struct rc_jsonc_reader *r)
{
    for (;;) {
        char c = rc_jsonc_peek(r);
        if (!rc_jsonc_is_at_end(r) && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            rc_jsonc_step(r);
        } else if (c == '/') {
            if (!skip_comment(r)) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static bool
read_hex4(struct rc_jsonc_reader *r, uint32_t *ret)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        char c = rc_jsonc_peek(r);
        uint32_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A') + 10;
        } else {
            return rc_jsonc_refuse(r, RC_E_PARSE, "\\u needs four hexadecimal digits");
        }
        value = value * 16 + digit;
        rc_jsonc_step(r);
    }
    *ret = value;
    return true;
}

static bool
read_unicode_escape(struct rc_jsonc_reader *r, char **out)
{
    uint32_t code = 0;
    uint32_t low = 0;

    if (!read_hex4(r, &code)) {
        return false;
    }
    if (code >= 0xD800 && code < 0xDC00) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
            return rc_jsonc_refuse(r, RC_E_PARSE, "half of a surrogate pair");
        }
        rc_jsonc_step(r);
        rc_jsonc_step(r);
        if (!read_hex4(r, &low)) {
            return false;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return rc_jsonc_refuse(r, RC_E_PARSE, "half of a surrogate pair");
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return rc_jsonc_refuse(r, RC_E_PARSE, "half of a surrogate pair");
    } else if (code == 0) {
        return rc_jsonc_refuse(r, RC_E_PARSE, "\\u0000 is not allowed");
    }
    *out += rc_utf8_put(*out, code);
    return true;
}

static bool
read_escape(struct rc_jsonc_reader *r, char **out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char c = 0;
    const char *hit = NULL;

    rc_jsonc_step(r);
    c = rc_jsonc_peek(r);
    if (c == 'u') {
        rc_jsonc_step(r);
        return read_unicode_escape(r, out);
    }
    hit = c ? strchr(from, c) : NULL;
    if (!hit) {
        return rc_jsonc_refuse(
            r, RC_E_PARSE, "unknown escape: allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    }
    *(*out)++ = to[hit - from];
    rc_jsonc_step(r);
    return true;
}

/* Stands on the opening quote. An unescaped string is never longer than its source. */
bool
rc_jsonc_string(struct rc_jsonc_reader *r, const char **ret)
{
    struct rc_jsonc_value start = {.line = r->line, .column = r->column};
    const char *close = r->at + 1;
    char *buf = NULL;
    char *out = NULL;

    while (close < r->end && *close != '"' && *close != '\n') {
        close += *close == '\\' && r->end - close > 1 ? 2 : 1;
    }
    if (close >= r->end || *close != '"') {
        return rc_jsonc_refuse_at(r, &start, "this string is not closed: \" is missing");
    }
    buf = out = rc_jsonc_take(r->doc, (size_t)(close - r->at));
    if (!buf) {
        return rc_jsonc_no_memory(r);
    }
    rc_jsonc_step(r);
    while (r->at < close) {
        if ((unsigned char)*r->at < 0x20) {
            return rc_jsonc_refuse(r, RC_E_PARSE,
                                   "control character in a string: write it as \\uXXXX");
        }
        if (*r->at == '\\') {
            if (!read_escape(r, &out)) {
                return false;
            }
        } else {
            *out++ = *r->at;
            rc_jsonc_step(r);
        }
    }
    *out = '\0';
    rc_jsonc_step(r);
    *ret = buf;
    return true;
}

static bool
is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || (c && strchr("+-.eE", c));
}

bool
rc_jsonc_number(struct rc_jsonc_reader *r, struct rc_jsonc_value *v)
{
    const char *start = r->at;
    char *text = NULL;
    char *stop = NULL;
    const char *digits = NULL;

    while (!rc_jsonc_is_at_end(r) && is_number_byte(*r->at)) {
        rc_jsonc_step(r);
    }
    text = rc_jsonc_take(r->doc, (size_t)(r->at - start) + 1);
    if (!text) {
        return rc_jsonc_no_memory(r);
    }
    memcpy(text, start, (size_t)(r->at - start));
    digits = text + (*text == '-');
    errno = 0;
    v->type = RC_JSONC_NUMBER;
    v->text = text;
    v->number = strtoll(text, &stop, 10);
    if (!(*digits >= '0' && *digits <= '9') || (*digits == '0' && digits[1] >= '0')) {
        return rc_jsonc_refuse_at(r, v, "not a number");
    }
    if (*stop || errno) {
        return rc_jsonc_refuse_at(r, v, "only whole numbers of at most 64 bits are allowed");
    }
    return true;
}

bool
rc_jsonc_word(struct rc_jsonc_reader *r, struct rc_jsonc_value *v)
{
    static const struct {
        const char *word;
        enum rc_jsonc_type type;
        int64_t number;
    } words[] = {
        {"true", RC_JSONC_BOOL, 1},
        {"false", RC_JSONC_BOOL, 0},
        {"null", RC_JSONC_NULL, 0},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i].word);
        if ((size_t)(r->end - r->at) >= len && memcmp(r->at, words[i].word, len) == 0) {
            v->type = words[i].type;
            v->number = words[i].number;
            for (size_t k = 0; k < len; k++) {
                rc_jsonc_step(r);
            }
            return true;
        }
    }
    return rc_jsonc_refuse(r, RC_E_PARSE,
                           rc_jsonc_is_at_end(r) ? "the text ends where a value is expected"
                                                 : "expected a value: \"text\", a number, true, "
                                                   "false, null, [ or {");
}
