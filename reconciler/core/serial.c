/* serial.c - see serial.h. */
#include "reconciler/core/serial.h"

#include <string.h>

enum {
    REAL_MIN = 5,  /* shorter ones are "0", "N/A" */
    REAL_MAX = 40, /* NVML has room for 30; a longer one is a sentence without its blanks */
};

static bool
is_decimal(char c)
{
    return c >= '0' && c <= '9';
}

bool
rc_serial_is_real(const char *word, size_t len)
{
    bool digits = false, differ = false;

    if (len < REAL_MIN || len > REAL_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = word[i];

        if (!is_decimal(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '-') {
            return false;
        }
        digits |= is_decimal(c);
        differ |= c != word[0];
    }
    return digits && differ;
}

static bool
list_has(const char *list, const char *word, size_t len)
{
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
        if (strcspn(at, ",") == len && strncmp(at, word, len) == 0) {
            return true;
        }
    }
    return false;
}

void
rc_serials_add(char list[RC_SERIALS_LEN], const char *word, size_t len)
{
    size_t used = strlen(list), comma = used > 0;

    if (!rc_serial_is_real(word, len) || list_has(list, word, len) ||
        used + comma + len >= RC_SERIALS_LEN) {
        return;
    }
    if (comma) {
        list[used++] = ',';
    }
    memcpy(list + used, word, len);
    list[used + len] = '\0';
}

void
rc_serials_keep_real(char list[RC_SERIALS_LEN], const char *from)
{
    char kept[RC_SERIALS_LEN];

    memset(kept, 0, sizeof kept);
    for (const char *at = from; *at; at += *at == ',') {
        size_t len = strcspn(at, ",");

        rc_serials_add(kept, at, len);
        at += len;
    }
    memcpy(list, kept, sizeof kept);
}

bool
rc_serials_meet(const char *a, const char *b)
{
    for (; *a; a += *a == ',') {
        size_t len = strcspn(a, ",");

        if (len > 0 && list_has(b, a, len)) {
            return true;
        }
        a += len;
    }
    return false;
}
