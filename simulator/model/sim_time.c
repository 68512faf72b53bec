/* sim_time.c - civil dates from days and back (Hinnant, "chrono-compatible
 * low-level date algorithms"). Valid for years 1970 to 9999. */
#include "simulator/model/sim_time.h"

#include <stdio.h>
#include <string.h>

struct civil {
    int64_t days;
    int year, month, day, hour, minute, second, milli;
};

static struct civil
civil_from_ms(int64_t ms)
{
    struct civil c = {.days = ms / 86400000};
    int64_t rest = ms % 86400000;
    int64_t z = c.days + 719468;
    int64_t era = z / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = (int)(yoe + era * 400 + (c.month <= 2 ? 1 : 0));
    c.hour = (int)(rest / 3600000);
    c.minute = (int)(rest / 60000 % 60);
    c.second = (int)(rest / 1000 % 60);
    c.milli = (int)(rest % 1000);
    return c;
}

static int64_t
days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + doe - 719468;
}

void
rc_sim_time_iso(char out[RC_SIM_TIME_LEN], int64_t ms)
{
    struct civil c = civil_from_ms(ms);

    (void)snprintf(out, RC_SIM_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year % 10000,
                   c.month, c.day, c.hour, c.minute, c.second, c.milli);
}

void
rc_sim_time_second(char out[RC_SIM_TIME_LEN], int64_t ms)
{
    struct civil c = civil_from_ms(ms);

    (void)snprintf(out, RC_SIM_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year % 10000, c.month,
                   c.day, c.hour, c.minute, c.second);
}

void
rc_sim_time_mail(char out[RC_SIM_TIME_LEN], int64_t ms)
{
    static const char *const week[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const month[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_from_ms(ms);

    (void)snprintf(out, RC_SIM_TIME_LEN, "%s, %d %s %04d %02d:%02d:%02d GMT", week[c.days % 7],
                   c.day, month[(c.month - 1) % 12], c.year % 10000, c.hour, c.minute, c.second);
}

bool
rc_sim_time_basic_parse(const char *text, int64_t *ret_ms)
{
    int part[6] = {0};
    static const int width[6] = {4, 2, 2, 2, 2, 2};
    const char *at = text;

    if (strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z')
        return false;
    for (int i = 0; i < 6; i++) {
        if (i == 3)
            at++;
        for (int k = 0; k < width[i]; k++, at++) {
            if (*at < '0' || *at > '9')
                return false;
            part[i] = part[i] * 10 + (*at - '0');
        }
    }
    if (part[0] < 1970 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 ||
        part[3] > 23 || part[4] > 59 || part[5] > 60)
        return false;
    *ret_ms = days_from_civil(part[0], part[1], part[2]) * 86400000 +
              ((int64_t)part[3] * 3600 + part[4] * 60 + part[5]) * 1000;
    return true;
}
