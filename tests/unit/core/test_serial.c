/* What is taken for the serial number of a board, and what is not. */
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/core/serial.h"

static void
what_names_one_board_is_real(void)
{
    static const struct {
        const char *word;
        bool real;
    } rows[] = {
        {"1652920003540", true},
        {"PK21A0012", true},
        {"509665adb600ac93", true},
        {"GPU-509665ad-b600-ac93-0b5b", true},
        {"", false},
        {"0", false},
        {"0000000000000", false},
        {"11111111", false},
        {"N/A", false},
        {"[N/A]", false},
        {"NA", false},
        {"Unknown", false},
        {"[Unknown Error]", false},
        {"UnknownError", false},
        {"1234", false},
        {"16529 20003540", false},
        {"UnabletodeterminethedevicehandleforGPU0000101C0UnknownError", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rc_case(rc_serial_is_real(rows[i].word, strlen(rows[i].word)) == rows[i].real, rows[i].word,
                "real: %d", !rows[i].real);
    }
}

static void
a_list_keeps_each_real_one_once(void)
{
    char list[RC_SERIALS_LEN] = "";

    rc_serials_keep_real(list, "0,16529001,,16529002,N/A,16529001");
    CU_ASSERT_STRING_EQUAL(list, "16529001,16529002");
    rc_serials_keep_real(list, list);
    CU_ASSERT_STRING_EQUAL(list, "16529001,16529002");
    rc_serials_keep_real(list, "");
    CU_ASSERT_STRING_EQUAL(list, "");
}

static void
a_list_that_is_too_long_keeps_what_fits(void)
{
    char list[RC_SERIALS_LEN] = "", many[1024] = "", one[32];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(one, sizeof one, "509665adb600ac%02d,", i);
        strcat(many, one);
    }
    rc_serials_keep_real(list, many);
    CU_ASSERT(strlen(list) == 9 * 17 - 1);
    CU_ASSERT(rc_serials_meet(list, "509665adb600ac08"));
    CU_ASSERT_FALSE(rc_serials_meet(list, "509665adb600ac09"));
}

static void
lists_meet_in_whole_numbers(void)
{
    CU_ASSERT(rc_serials_meet("16529001,16529002", "16529003,16529002"));
    CU_ASSERT_FALSE(rc_serials_meet("16529001", "165290011,6529001"));
    CU_ASSERT_FALSE(rc_serials_meet("", ""));
    CU_ASSERT_FALSE(rc_serials_meet(",", ",,"));
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"what names one board is real", what_names_one_board_is_real},
        {"a list keeps each real one once", a_list_keeps_each_real_one_once},
        {"a list that is too long keeps what fits", a_list_that_is_too_long_keeps_what_fits},
        {"lists meet in whole numbers", lists_meet_in_whole_numbers},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("serial", tests);
}
