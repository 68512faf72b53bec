/* Dates as AWS writes them; what is not surely a date is not told. */
#include "tests/harness/harness.h"

#include <stdio.h>

#include "handlers/decode/decode_internal.h"

struct row {
    const char *text;
    int64_t ms;
};

static void
check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t ms = rc_decode_time_ms(rows[i].text);

        if (ms != rows[i].ms) {
            printf("#   \"%s\": %lld\n", rows[i].text, (long long)ms);
        }
        CU_ASSERT_EQUAL(ms, rows[i].ms);
    }
}

/* Expected values are from GNU date. */
static void
rfc_3339_is_read_in_all_its_forms(void)
{
    static const struct row rows[] = {
        {"2021-11-11T21:29:54Z", 1636666194000},
        {"2021-11-11t21:29:54z", 1636666194000},
        {"2021-11-11 21:29:54Z", 1636666194000},
        {" 2021-11-11T21:29:54Z ", 1636666194000},
        {"2021-11-11T21:29:54.7Z", 1636666194700},
        {"2021-11-11T21:29:54.123456789Z", 1636666194123},
        {"2021-11-11T21:29:54,5Z", 1636666194500},
        {"2021-11-11T21:29:54.000+0000", 1636666194000},
        {"2021-11-11T21:29:54+00:00", 1636666194000},
        {"2021-11-11T23:29:54+02:00", 1636666194000},
        {"2021-11-11T16:59:54-0430", 1636666194000},
        {"2021-11-11T23:29:54+02", 1636666194000},
        {"2021-11-11T22:28:54+00:59", 1636666194000},
        {"2021-11-11T21:29:54 UTC", 1636666194000},
        {"2021-11-11T21:29Z", 1636666140000},
        {"2000-01-01T00:00:00Z", 946684800000},
        {"2000-02-29T12:00:00Z", 951825600000},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2024-12-31T23:59:60Z", 1735689600000},
        {"2100-03-01T00:00:00Z", 4107542400000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
rfc_1123_is_read_and_its_weekday_is_not(void)
{
    static const struct row rows[] = {
        {"Thu, 27 Aug 2026 13:19:03 GMT", 1787836743000},
        {"Mon, 27 Aug 2026 13:19:03 GMT", 1787836743000},
        {"Thursday, 27 Aug 2026 13:19:03 GMT", 1787836743000},
        {"Thu,27 Aug 2026 13:19:03 GMT", 1787836743000},
        {"Thu, 1 Nov 2018 22:00:00 GMT", 1541109600000},
        {"Thu, 01 Nov 2018 22:00:00 GMT", 1541109600000},
        {"Thu, 01-Nov-2018 22:00:00 GMT", 1541109600000},
        {"21 Jan 2019 09:00:43 GMT", 1548061243000},
        {"21 Jan 2019 09:00:43 +0000", 1548061243000},
        {"21 Jan 2019 10:00:43 +0100", 1548061243000},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
what_is_no_date_is_not_told(void)
{
    static const struct row rows[] = {
        {"", 0},
        {" ", 0},
        {"yyyy-mm-ddThh:mm:ssZ", 0},
        {"[Current time]", 0},
        {"now", 0},
        {"0", 0},
        {"1636666194", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"1999-12-31T23:59:59Z", 0},
        {"0000-00-00T00:00:00Z", 0},
        {"2021-11-11", 0},
        {"2021-11-11T21:29:54", 0},
        {"2021-11-11T21:29:54X", 0},
        {"2021-11-11T21:29:54Zjunk", 0},
        {"2021-11-11T21:29:54.Z", 0},
        {"2021-11-11T21Z", 0},
        {"2021-13-01T00:00:00Z", 0},
        {"2021-00-01T00:00:00Z", 0},
        {"2021-02-29T00:00:00Z", 0},
        {"2100-02-29T00:00:00Z", 0},
        {"2021-06-31T00:00:00Z", 0},
        {"2021-06-00T00:00:00Z", 0},
        {"2021-06-01T24:00:00Z", 0},
        {"2021-06-01T23:60:00Z", 0},
        {"2021-06-01T23:59:61Z", 0},
        {"2021-06-01T23:59:59+24:00", 0},
        {"2021-06-01T23:59:59+02:60", 0},
        {"2021-6-1T00:00:00Z", 0},
        {"+2021-06-01T00:00:00Z", 0},
        {"12021-06-01T00:00:00Z", 0},
        {"Thu, 27 Aug 2026 13:19:03", 0},
        {"Thu, 27 Aug 26 13:19:03 GMT", 0},
        {"Thu, 27 Agu 2026 13:19:03 GMT", 0},
        {"Thu, 32 Aug 2026 13:19:03 GMT", 0},
        {"Thu, Aug 27 2026 13:19:03 GMT", 0},
        {"Thu, ", 0},
        {"1 Au", 0},
        {",", 0},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

static void
a_time_is_shown_as_it_is_read(void)
{
    static const int64_t times[] = {946684800000,  951782399000,  951782400000,  1709251199000,
                                    1709251200000, 1735689599000, 1787836743000, 4107542400000};
    struct rc_decode_shown shown;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        CU_ASSERT_EQUAL(rc_decode_time_ms(rc_decode_show_time(times[i], &shown)), times[i]);
    }
    CU_ASSERT_STRING_EQUAL(rc_decode_show_time(1787836743000, &shown), "2026-08-27T13:19:03Z");
    CU_ASSERT_STRING_EQUAL(rc_decode_show_time(0, &shown), "not told");
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"RFC 3339 is read in all its forms", rfc_3339_is_read_in_all_its_forms},
        {"RFC 1123 is read and its weekday is not", rfc_1123_is_read_and_its_weekday_is_not},
        {"what is no date is not told", what_is_no_date_is_not_told},
        {"a time is shown as it is read", a_time_is_shown_as_it_is_read},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("decode-time", tests);
}
