/* decode_time.c - the dates that AWS writes.
 *
 * "2021-11-11T21:29:54Z", with fractions and offsets (EventBridge, CloudWatch,
 * EC2), "Thu, 1 Nov 2018 22:00:00 GMT" (AWS Health; the weekday is wrong in
 * practice and is not looked at), "21 Jan 2019 09:00:43 GMT" (instance metadata).
 * What is not surely a date reads as 0, never as another moment: no zone, a 31st
 * of June, a placeholder, a year before 2000. */
#include <stdio.h>
#include <string.h>

#include "handlers/decode/decode_internal.h"

enum { SPOT_NOTICE_MS = 120 * 1000 }; /* EC2 user guide: two minutes of warning */

struct civil {
    int year, month, day, hour, minute, second, millisecond;
    int offset_minutes;
};

/* Reads between least and most digits; -1 when they are not there. */
static int
time_digits(const char **at, int least, int most)
{
    int value = 0, count = 0;

    while (count < most && **at >= '0' && **at <= '9') {
        value = value * 10 + (*(*at)++ - '0');
        count++;
    }
    return count < least ? -1 : value;
}

static bool
time_skip(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at)) {
        return false;
    }
    (*at)++;
    return true;
}

static void
time_skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r') {
        (*at)++;
    }
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t
time_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int
time_month_length(int year, int month)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : length[month - 1];
}

static int64_t
time_to_ms(const struct civil *c)
{
    if (c->year < 2000 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > time_month_length(c->year, c->month) || c->hour < 0 || c->hour > 23 ||
        c->minute < 0 || c->minute > 59 || c->second < 0 || c->second > 60) {
        return 0;
    }
    int64_t minutes = (time_days(c->year, c->month, c->day) * 24 + c->hour) * 60 + c->minute;
    return ((minutes - c->offset_minutes) * 60 + c->second) * 1000 + c->millisecond;
}

/* HH:MM[:SS[.fraction]] */
static bool
time_read_clock(const char **at, struct civil *c)
{
    int scale = 100;

    c->hour = time_digits(at, 2, 2);
    if (c->hour < 0 || !time_skip(at, ":")) {
        return false;
    }
    c->minute = time_digits(at, 2, 2);
    if (!time_skip(at, ":")) {
        return c->minute >= 0;
    }
    c->second = time_digits(at, 2, 2);
    if (c->second < 0 || !time_skip(at, ".,")) {
        return c->second >= 0;
    }
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10) {
        c->millisecond += (**at - '0') * scale;
    }
    return true;
}

/* Z, GMT, UTC, +HH:MM, -HHMM, +HH; and nothing but blanks behind it. */
static bool
time_read_zone(const char **at, struct civil *c)
{
    time_skip_blanks(at);
    if (strncmp(*at, "GMT", 3) == 0 || strncmp(*at, "UTC", 3) == 0) {
        *at += 3;
    } else if (**at == '+' || **at == '-') {
        int sign = *(*at)++ == '-' ? -1 : 1;
        int hours = time_digits(at, 2, 2);
        (void)time_skip(at, ":");
        int minutes = **at >= '0' && **at <= '9' ? time_digits(at, 2, 2) : 0;

        if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
            return false;
        }
        c->offset_minutes = sign * (hours * 60 + minutes);
    } else if (!time_skip(at, "Zz")) {
        return false;
    }
    time_skip_blanks(at);
    return **at == '\0';
}

static bool
time_read_rfc3339(const char *at, struct civil *c)
{
    c->year = time_digits(&at, 4, 4);
    if (c->year < 0 || !time_skip(&at, "-")) {
        return false;
    }
    c->month = time_digits(&at, 2, 2);
    if (c->month < 0 || !time_skip(&at, "-")) {
        return false;
    }
    c->day = time_digits(&at, 2, 2);
    return c->day >= 0 && time_skip(&at, "Tt ") && time_read_clock(&at, c) &&
           time_read_zone(&at, c);
}

static bool
time_read_rfc1123(const char *at, struct civil *c)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *comma = strchr(at, ',');

    if (comma) {
        at = comma + 1;
        time_skip_blanks(&at);
    }
    c->day = time_digits(&at, 1, 2);
    if (c->day < 0 || !time_skip(&at, " -") || strlen(at) < 4) {
        return false;
    }
    for (int i = 0; i < 12; i++) {
        if (strncmp(at, months + i * 3, 3) == 0) {
            c->month = i + 1;
        }
    }
    at += 3;
    if (!time_skip(&at, " -")) {
        return false;
    }
    c->year = time_digits(&at, 4, 4);
    return c->year >= 0 && time_skip(&at, " ") && time_read_clock(&at, c) && time_read_zone(&at, c);
}

int64_t
rc_decode_time_ms(const char *text)
{
    struct civil c = {0};

    time_skip_blanks(&text);
    if (time_read_rfc3339(text, &c)) {
        return time_to_ms(&c);
    }
    c = (struct civil){0};
    return time_read_rfc1123(text, &c) ? time_to_ms(&c) : 0;
}

enum rc_err
rc_decode_deadline(struct rc_notice *n, int64_t *ret_wall_ms)
{
    const char *given;
    enum rc_err err =
        rc_decode_string(n, n->detail, "detail.instance-termination-time", false, &given);

    *ret_wall_ms = rc_decode_time_ms(given);
    if (*ret_wall_ms == 0 && n->time_wall_ms != 0) {
        *ret_wall_ms = n->time_wall_ms + SPOT_NOTICE_MS;
    }
    return err;
}

const char *
rc_decode_show_time(int64_t wall_ms, struct rc_decode_shown *buf)
{
    int64_t seconds = wall_ms / 1000, day = seconds / 86400;
    int year = 1970, month = 1;

    if (wall_ms <= 0) {
        return "not told";
    }
    while (time_days(year + 1, 1, 1) <= day) {
        year++;
    }
    while (month < 12 && time_days(year, month + 1, 1) <= day) {
        month++;
    }
    snprintf(buf->text, sizeof buf->text, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
             (int)(day - time_days(year, month, 1)) + 1, (int)(seconds / 3600 % 24),
             (int)(seconds / 60 % 60), (int)(seconds % 60));
    return buf->text;
}
