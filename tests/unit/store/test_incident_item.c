/* Items keep every field through text and back, and text that is wrong is refused
 * with the name of the member. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/core/event.h"
#include "reconciler/core/incident.h"
#include "reconciler/core/policy.h"
#include "reconciler/io/store/incident_item.h"

static struct rc_incident_item
full_item(void)
{
    struct rc_incident_item i;

    memset(&i, 0, sizeof i);
    i.incident = 999999999U;
    rc_text_set(i.node, sizeof i.node, "gpu-7.cluster");
    i.item.opened_wall_ms = 1795415800123;
    i.item.epoch = 999999999999999;
    i.item.fault = RC_FAULT_RETIREMENT;
    i.item.phase = RC_PHASE_LAUNCH;
    i.item.rung = 3;
    i.item.tries = 5;
    i.item.attempt = 2;
    i.item.flags = RC_ADOPT_HELD | RC_ADOPT_APPROVED | RC_ADOPT_OUR_DRAIN | RC_ADOPT_YIELDED;
    rc_text_set(i.item.old_instance, sizeof i.item.old_instance, "i-0123456789abcdef0");
    rc_text_set(i.item.new_instance, sizeof i.item.new_instance, "i-0fedcba9876543210");
    rc_text_set(i.item.rule, sizeof i.item.rule, "a \"quoted\" \\ rule \xc3\xa9");
    rc_text_set(i.item.code, sizeof i.item.code, "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED");
    return i;
}

static void
every_field_comes_back(void)
{
    struct rc_incident_item item = full_item(), back;
    struct rc_error err;

    for (unsigned flags = 0; flags < 16; flags++) {
        item.item.flags = flags;
        char *text = rc_incident_item_format("test", &item);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        CU_ASSERT_EQUAL(rc_incident_item_parse("test", text, strlen(text), &back, &err), RC_OK);
        CU_ASSERT_EQUAL(memcmp(&item, &back, sizeof item), 0);
        free(text);
    }
}

/* The text with the first occurrence of from replaced by to. */
static char *
changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out = calloc(1, strlen(text) + strlen(to) + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    memcpy(out, text, (size_t)(at - text));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

static void
text_that_is_wrong_is_refused_with_the_name_of_the_member(void)
{
    static const struct {
        const char *from, *to, *words;
        enum rc_err code;
    } cases[] = {
        {"\"version\":1", "\"version\":2", "version 2", RC_E_PARSE},
        {"\"cluster\":\"test\"", "\"cluster\":\"prod\"", "\"prod\"", RC_E_FOREIGN},
        {"\"node\":\"gpu-7.cluster\"", "\"node\":7", "\"node\"", RC_E_PARSE},
        {"\"node\":\"gpu-7.cluster\"", "\"node\":\"\"", "\"node\"", RC_E_PARSE},
        {"\"node\":\"gpu-7.cluster\"", "\"node\":\"a\\nb\"", "\"node\"", RC_E_PARSE},
        {"\"epoch\":999999999999999", "\"epoch\":0", "\"epoch\"", RC_E_PARSE},
        {"\"epoch\":999999999999999", "\"epoch\":1000000000000000", "\"epoch\"", RC_E_PARSE},
        {"\"epoch\":999999999999999", "\"epoch\":null", "\"epoch\"", RC_E_PARSE},
        {"\"incident\":999999999", "\"incident\":1000000001", "\"incident\"", RC_E_PARSE},
        {"\"incident\":999999999", "\"incident\":0", "\"incident\"", RC_E_PARSE},
        {"\"fault\":\"retirement\"", "\"fault\":\"gremlins\"", "\"fault\"", RC_E_PARSE},
        {"\"phase\":\"launch\"", "\"phase\":\"lunch\"", "\"phase\"", RC_E_PARSE},
        {"\"rung\":3", "\"rung\":-3", "\"rung\"", RC_E_PARSE},
        {"\"attempt\":2", "\"attempt\":2.5", "\"attempt\"", RC_E_PARSE},
        {"\"attempt\":2", "\"tries\":2", "\"attempt\"", RC_E_PARSE},
        {"\"our-drain\"", "\"their-drain\"", "\"flags\"", RC_E_PARSE},
        {"\"our-drain\"", "1", "\"flags\"", RC_E_PARSE},
        {"\"i-0123456789abcdef0\"", "\"i-01234567890123456789012345678901\"", "\"old_instance\"",
         RC_E_PARSE},
        {"{", "", "one JSON object", RC_E_PARSE},
    };
    struct rc_incident_item item = full_item(), back, untouched = {.incident = 5};
    struct rc_error err;

    char *text = rc_incident_item_format("test", &item);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bad = changed(text, cases[i].from, cases[i].to);
        back = untouched;
        bool good =
            rc_incident_item_parse("test", bad, strlen(bad), &back, &err) == cases[i].code &&
            strstr(err.text, cases[i].words) && back.incident == 5;
        if (!good) {
            printf("#   %s: %s\n", cases[i].to, err.text);
        }
        CU_ASSERT_TRUE(good);
        free(bad);
    }
    for (size_t len = 0; len < strlen(text); len++) {
        CU_ASSERT_EQUAL(rc_incident_item_parse("test", text, len, &back, &err), RC_E_PARSE);
    }
    free(text);
}

static void
a_history_comes_back_as_the_same_object(void)
{
    static const char json[] = "{\"attempts\":[1795415800123,2],\"serials\":[\"a\"],\"x\":{}}";
    struct rc_history_item item = {
        .node = "gpu-1", .epoch = 3, .json = json, .json_len = strlen(json)};
    struct rc_history_item back;
    struct rc_error err;
    char *owned = NULL;

    char *text = rc_history_item_format("test", &item);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(rc_history_item_parse("test", text, strlen(text), &back, &owned, &err),
                          RC_OK);
    CU_ASSERT_STRING_EQUAL(back.node, "gpu-1");
    CU_ASSERT_EQUAL(back.epoch, 3);
    CU_ASSERT_EQUAL(back.json_len, strlen(json));
    CU_ASSERT_STRING_EQUAL(back.json, json);
    free(owned);
    CU_ASSERT_EQUAL(rc_history_item_parse("prod", text, strlen(text), &back, &owned, &err),
                    RC_E_FOREIGN);
    char *bad = changed(text, json, "7");
    CU_ASSERT_EQUAL(rc_history_item_parse("test", bad, strlen(bad), &back, &owned, &err),
                    RC_E_PARSE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"history\""));
    free(bad);
    free(text);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"every field of an incident item comes back", every_field_comes_back},
        {"text that is wrong is refused with the name of the member",
         text_that_is_wrong_is_refused_with_the_name_of_the_member},
        {"a history comes back as the same object", a_history_comes_back_as_the_same_object},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("incident_item", tests);
}
