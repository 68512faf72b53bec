/* aws_time.c - see aws_time.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/aws_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Reads exactly `digits` digits; false leaves *p undefined. */
static bool
take_number(const char **p, int digits, int *ret)
{
    int value = 0;

    for (int i = 0; i < digits; i++, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        value = value * 10 + (**p - '0');
    }
    *ret = value;
    return true;
}

static bool
take_char(const char **p, char c)
{
    if (**p != c) {
        return false;
    }
    (*p)++;
    return true;
}

static bool
is_date(const struct tm *tm)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= days[tm->tm_mon] && tm->tm_hour < 24 && tm->tm_min < 60 &&
           tm->tm_sec <= 60;
}

static bool
take_clock(const char **p, struct tm *tm)
{
    return take_number(p, 2, &tm->tm_hour) && take_char(p, ':') && take_number(p, 2, &tm->tm_min) &&
           take_char(p, ':') && take_number(p, 2, &tm->tm_sec);
}

/* "Z", "+0000", "+00:00" or nothing, then the end. */
static bool
take_zone(const char **p, int *ret_minutes)
{
    int sign, hours, minutes;

    *ret_minutes = 0;
    if (**p == 'Z') {
        (*p)++;
        return **p == '\0';
    }
    if (**p != '+' && **p != '-') {
        return **p == '\0';
    }
    sign = *(*p)++ == '-' ? -1 : 1;
    if (!take_number(p, 2, &hours)) {
        return false;
    }
    (void)take_char(p, ':');
    if (!take_number(p, 2, &minutes)) {
        return false;
    }
    *ret_minutes = sign * (hours * 60 + minutes);
    return **p == '\0';
}

bool
rc_aws_time_iso(const char *text, int64_t *ret_ms)
{
    struct tm tm = {0};
    const char *p = text;
    int year, month, zone, milli = 0;

    if (!take_number(&p, 4, &year) || !take_char(&p, '-') || !take_number(&p, 2, &month) ||
        !take_char(&p, '-') || !take_number(&p, 2, &tm.tm_mday) || !take_char(&p, 'T') ||
        !take_clock(&p, &tm)) {
        return false;
    }
    if (take_char(&p, '.')) {
        int scale = 100;
        if (*p < '0' || *p > '9') {
            return false;
        }
        for (; *p >= '0' && *p <= '9'; p++, scale /= 10) {
            milli += (*p - '0') * scale;
        }
    }
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    if (!is_date(&tm) || !take_zone(&p, &zone)) {
        return false;
    }
    *ret_ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + milli;
    return true;
}

static int
month_of(const char *p)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++) {
        if (strncmp(p, names + 3 * i, 3) == 0) {
            return i;
        }
    }
    return -1;
}

bool
rc_aws_time_http(const char *text, int64_t *ret_ms)
{
    struct tm tm = {0};
    const char *p = strchr(text, ',');
    int year;

    if (!p) {
        return false;
    }
    p++;
    while (*p == ' ') {
        p++;
    }
    if (!take_number(&p, p[0] && p[1] == ' ' ? 1 : 2, &tm.tm_mday) || !take_char(&p, ' ')) {
        return false;
    }
    tm.tm_mon = month_of(p);
    if (tm.tm_mon < 0) {
        return false;
    }
    p += 3;
    if (!take_char(&p, ' ') || !take_number(&p, 4, &year) || !take_char(&p, ' ') ||
        !take_clock(&p, &tm) || !take_char(&p, ' ') || strncmp(p, "GMT", 3) != 0) {
        return false;
    }
    tm.tm_year = year - 1900;
    if (!is_date(&tm)) {
        return false;
    }
    *ret_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

void
rc_aws_time_basic(int64_t ms, char *ret, size_t room)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    if (strftime(ret, room, "%Y%m%dT%H%M%SZ", &tm) == 0) {
        snprintf(ret, room, "%s", "");
    }
}

static int64_t
read_clock_ms(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
rc_aws_wall_ms(void)
{
    return read_clock_ms(CLOCK_REALTIME);
}

int64_t
rc_aws_mono_ms(void)
{
    return read_clock_ms(CLOCK_MONOTONIC);
}
