/* Events and actions survive the way into text and back; broken text is refused. */
#define _POSIX_C_SOURCE 200809L
#include "tests/harness/harness.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/core/record.h"
#include "reconciler/core/record_fields.h"

enum { ROUNDS = 400 };

static uint64_t seed = 20240607;

static uint64_t
random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Wide and narrow, zero and extreme values all come up. */
static uint64_t
random_value(void)
{
    static const uint64_t odd[] = {0, 1, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX};

    return random_number() % 4 == 0 ? odd[random_number() % 6]
                                    : random_number() >> random_number() % 64;
}

static void
fill_field(const struct rc_field *f, char *record)
{
    uint64_t wide = random_value();
    uint32_t narrow = (uint32_t)wide;

    if (random_number() % 3 == 0) {
        return; /* left zero */
    }
    if (f->type == RC_FIELD_TEXT) {
        size_t len = random_number() % f->size;
        for (size_t i = 0; i < len; i++) {
            record[f->offset + i] = (char)(random_number() % 255 + 1);
        }
        return;
    }
    if (f->type == RC_FIELD_NAME && random_number() % 8) {
        narrow = (uint32_t)(random_number() % f->word_count);
    } else if (f->type == RC_FIELD_FLAGS && random_number() % 8) {
        narrow = (uint32_t)(random_number() & ((1U << f->word_count) - 1));
    }
    if (f->size == sizeof wide) {
        memcpy(record + f->offset, &wide, sizeof wide);
    } else {
        memcpy(record + f->offset, &narrow, sizeof narrow);
    }
}

static void
fill_record(const struct rc_record_table *t, uint32_t kind, void *record)
{
    memset(record, 0, t->size);
    memcpy((char *)record + t->kind_offset, &kind, sizeof kind);
    for (uint32_t i = 0; i < t->common.count; i++) {
        fill_field(&t->common.v[i], record);
    }
    for (uint32_t i = 0; i < t->own[kind].count; i++) {
        fill_field(&t->own[kind].v[i], record);
    }
}

/* Both were zeroed first, so that equal values are equal bytes. */
static bool
same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static void
random_events_of_every_kind_come_back_the_same(void)
{
    struct rc_event ev, back;
    char line[RC_RECORD_MAX], again[RC_RECORD_MAX];
    size_t offset = 0;

    for (uint32_t i = 0; i < ROUNDS * RC_EVENT__MAX; i++) {
        fill_record(&rc_record_events, i % RC_EVENT__MAX, &ev);
        size_t len = rc_event_format(&ev, line, sizeof line);
        CU_ASSERT_FATAL(len > 0);
        CU_ASSERT_EQUAL_FATAL(rc_event_parse(line, len, &back, &offset), RC_OK);
        CU_ASSERT_FATAL(same(&ev, &back, sizeof ev));
        CU_ASSERT_EQUAL_FATAL(rc_event_format(&back, again, sizeof again), len);
        CU_ASSERT_FATAL(memcmp(line, again, len) == 0);
    }
}

static void
random_actions_of_every_kind_come_back_the_same(void)
{
    struct rc_action a, back;
    char line[RC_RECORD_MAX];
    size_t offset = 0;

    for (uint32_t i = 0; i < ROUNDS * RC_ACTION__MAX; i++) {
        fill_record(&rc_record_actions, i % RC_ACTION__MAX, &a);
        size_t len = rc_action_format(&a, line, sizeof line);
        CU_ASSERT_FATAL(len > 0);
        CU_ASSERT_EQUAL_FATAL(rc_action_parse(line, len, &back, &offset), RC_OK);
        CU_ASSERT_FATAL(same(&a, &back, sizeof a));
    }
}

/* What a copy leaves out, or an init does not clear, is in no record. */
static void
a_copy_of_every_kind_has_the_same_record(void)
{
    struct rc_event ev, ev_copy;
    struct rc_action a, a_copy;
    char line[RC_RECORD_MAX], again[RC_RECORD_MAX];

    for (uint32_t i = 0; i < ROUNDS * RC_EVENT__MAX; i++) {
        fill_record(&rc_record_events, i % RC_EVENT__MAX, &ev);
        size_t len = rc_event_format(&ev, line, sizeof line);
        memset(&ev_copy, 0xa5, sizeof ev_copy);
        rc_event_copy(&ev_copy, &ev);
        CU_ASSERT_EQUAL_FATAL(rc_event_format(&ev_copy, again, sizeof again), len);
        CU_ASSERT_FATAL(memcmp(line, again, len) == 0);
    }
    for (uint32_t i = 0; i < ROUNDS * RC_ACTION__MAX; i++) {
        fill_record(&rc_record_actions, i % RC_ACTION__MAX, &a);
        size_t len = rc_action_format(&a, line, sizeof line);
        memset(&a_copy, 0xa5, sizeof a_copy);
        rc_action_copy(&a_copy, &a);
        CU_ASSERT_EQUAL_FATAL(rc_action_format(&a_copy, again, sizeof again), len);
        CU_ASSERT_FATAL(memcmp(line, again, len) == 0);
    }
}

static void
an_empty_record_of_every_kind_names_no_field(void)
{
    struct rc_event ev;
    struct rc_action a;
    char line[RC_RECORD_MAX];

    for (uint32_t kind = 0; kind < RC_EVENT__MAX; kind++) {
        memset(&ev, 0xa5, sizeof ev);
        rc_event_init(&ev, (enum rc_event_kind)kind);
        size_t len = rc_event_format(&ev, line, sizeof line);
        CU_ASSERT_EQUAL(len, strlen("event ") + strlen(rc_event_name((enum rc_event_kind)kind)));
    }
    for (uint32_t kind = 0; kind < RC_ACTION__MAX; kind++) {
        memset(&a, 0xa5, sizeof a);
        rc_action_init(&a, (enum rc_action_kind)kind);
        size_t len = rc_action_format(&a, line, sizeof line);
        CU_ASSERT_EQUAL(len, strlen("action ") + strlen(rc_action_name((enum rc_action_kind)kind)));
    }
}

static void
a_record_is_one_printable_line(void)
{
    struct rc_event ev;
    char line[RC_RECORD_MAX];

    for (uint32_t i = 0; i < ROUNDS * RC_EVENT__MAX; i++) {
        fill_record(&rc_record_events, i % RC_EVENT__MAX, &ev);
        size_t len = rc_event_format(&ev, line, sizeof line);
        for (size_t at = 0; at < len; at++) {
            CU_ASSERT_FATAL(line[at] >= 0x20 && line[at] < 0x7f);
        }
    }
}

static void
the_text_is_as_documented(void)
{
    struct rc_event ev;
    struct rc_action a = {.kind = RC_ACT_GATE, .id = 7, .incident = 3};
    char line[RC_RECORD_MAX] = "";

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    ev.at_ms = -5;
    ev.u.slurm.flags = RC_SN_DRAIN | RC_SN_ALLOCATED;
    ev.u.slurm.owner = RC_OWNER_OURS;
    CU_ASSERT_FATAL(rc_text_set(ev.node, sizeof ev.node, "gpu-1"));
    CU_ASSERT_FATAL(rc_text_set(ev.u.slurm.reason, sizeof ev.u.slurm.reason, "rc:1 100% \xc3\xa9"));
    line[rc_event_format(&ev, line, sizeof line - 1)] = '\0';
    CU_ASSERT_STRING_EQUAL(line, "event slurm-node at=-5 node=gpu-1 flags=drain,allocated "
                                 "owner=ours reason=rc:1%20100%25%20%C3%A9");
    CU_ASSERT_FATAL(rc_text_set(a.u.gate.addr, sizeof a.u.gate.addr, "10.0.0.1"));
    a.u.gate.timeout_ms = 30000;
    line[rc_action_format(&a, line, sizeof line - 1)] = '\0';
    CU_ASSERT_STRING_EQUAL(line, "action gate id=7 incident=3 addr=10.0.0.1 timeout=30000");
}

static void
a_room_that_is_too_small_by_any_amount_gives_nothing(void)
{
    struct rc_event ev;
    char line[RC_RECORD_MAX], small[RC_RECORD_MAX];

    fill_record(&rc_record_events, RC_EV_COMPLETION, &ev);
    ev.at_ms = 1;
    size_t len = rc_event_format(&ev, line, sizeof line);
    for (size_t room = 0; room < len; room++) {
        CU_ASSERT_EQUAL_FATAL(rc_event_format(&ev, small, room), 0);
    }
    CU_ASSERT_EQUAL(rc_event_format(&ev, small, len), len);
    ev.kind = RC_EVENT__MAX;
    CU_ASSERT_EQUAL(rc_event_format(&ev, line, sizeof line), 0);
}

static void
a_state_change_of_an_older_release_has_no_time(void)
{
    static const char line[] = "event ec2-state-change at=1 instance=i-1 state=stopped";
    struct rc_event ev;

    CU_ASSERT_EQUAL(rc_event_parse(line, sizeof line - 1, &ev, NULL), RC_OK);
    CU_ASSERT_EQUAL(ev.u.state_change.state, RC_INST_STOPPED);
    CU_ASSERT_EQUAL(ev.u.state_change.told_wall_ms, 0);
}

static void
the_largest_record_fits_the_stated_maximum(void)
{
    char line[RC_RECORD_MAX];

    for (uint32_t kind = 0; kind < RC_EVENT__MAX; kind++) {
        const struct rc_record_table *t = &rc_record_events;
        struct rc_event ev;

        memset(&ev, 0, sizeof ev);
        ev.kind = kind;
        for (uint32_t i = 0; i < t->common.count + t->own[kind].count; i++) {
            const struct rc_field *f =
                i < t->common.count ? &t->common.v[i] : &t->own[kind].v[i - t->common.count];
            memset((char *)&ev + f->offset, 0xff, f->size - (size_t)(f->type == RC_FIELD_TEXT));
        }
        CU_ASSERT(rc_event_format(&ev, line, sizeof line) > 0);
    }
}

static void
broken_events_are_refused_where_they_break(void)
{
    static const struct {
        const char *line;
        size_t offset;
    } rows[] = {
        {"", 0},
        {"event", 0},
        {"evnt tick", 0},
        {"action gate", 0},
        {"event ", 6},
        {"event ticks", 6},
        {"event tick ", 11},
        {"event tick  at=1", 11},
        {"event tick at", 11},
        {"event tick at=", 14},
        {"event tick at=1 ", 16},
        {"event tick at=1x", 14},
        {"event tick at=+1", 14},
        {"event tick at=--1", 14},
        {"event tick at=9223372036854775808", 14},
        {"event tick at=-9223372036854775809", 14},
        {"event tick msg=18446744073709551616", 15},
        {"event tick msg=-1", 15},
        {"event tick at=1 at=1", 16},
        {"event tick nobody=1", 11},
        {"event tick =1", 11},
        {"event tick state=stopped", 11},
        {"event ec2-state-change state=stop", 29},
        {"event ec2-state-change state=", 29},
        {"event ec2-state-change state=stopped,", 29},
        {"event slurm-node flags=drain,", 23},
        {"event slurm-node flags=drain,nope", 23},
        {"event slurm-node jobs=4294967296", 22},
        {"event tick code=a%2", 16},
        {"event tick code=a%", 16},
        {"event tick code=a%00", 16},
        {"event tick code=a%zz", 16},
        {"event tick code=a\tb", 16},
        {"event tick instance=i-0123456789abcdef0123456789abcdef", 20},
        {"event tick instance=i-0123456789abcdef0123456789abcd", 20}, /* room for 31 */
        {"event tick at=1\n", 14},
    };
    struct rc_event ev, zero;

    memset(&zero, 0, sizeof zero);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t offset = 999;
        enum rc_err err = rc_event_parse(rows[i].line, strlen(rows[i].line), &ev, &offset);

        if (err != RC_E_PARSE || offset != rows[i].offset) {
            printf("#   \"%s\": %s at %zu\n", rows[i].line, rc_err_name(err), offset);
        }
        CU_ASSERT_EQUAL(err, RC_E_PARSE);
        CU_ASSERT_EQUAL(offset, rows[i].offset);
        CU_ASSERT(same(&ev, &zero, sizeof ev));
    }
}

static void
fields_may_come_in_any_order_and_be_told_as_zero(void)
{
    static const char line[] =
        "event spot-interruption action=stop deadline=9 code= instance=i-1 at=0";
    struct rc_event ev;
    size_t offset;

    CU_ASSERT_EQUAL_FATAL(rc_event_parse(line, sizeof line - 1, &ev, &offset), RC_OK);
    CU_ASSERT_EQUAL(ev.u.spot.action, RC_IACT_STOP);
    CU_ASSERT_EQUAL(ev.u.spot.deadline_wall_ms, 9);
    CU_ASSERT_STRING_EQUAL(ev.instance, "i-1");
}

/* Every cut of a good line is a good shorter line or is refused; none reads past its end. */
static void
a_line_cut_at_any_byte_never_reads_past_its_end(void)
{
    struct rc_event ev, back;
    char line[RC_RECORD_MAX];
    size_t offset;

    for (uint32_t kind = 0; kind < RC_EVENT__MAX; kind++) {
        fill_record(&rc_record_events, kind, &ev);
        size_t len = rc_event_format(&ev, line, sizeof line);
        for (size_t cut = 0; cut < len; cut++) {
            char *exact = malloc(cut ? cut : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
            memcpy(exact, line, cut);
            if (rc_event_parse(exact, cut, &back, &offset) != RC_OK) {
                CU_ASSERT_FATAL(offset <= cut);
            }
            free(exact);
        }
    }
}

static void
check_names(const struct rc_record_table *t, uint32_t kind)
{
    uint32_t count = t->common.count + t->own[kind].count;

    CU_ASSERT_FATAL(count <= RC_RECORD_FIELDS_MAX); /* the parser marks them */
    for (uint32_t i = 0; i < t->own[kind].count; i++) {
        const char *name = t->own[kind].v[i].name;

        if (!name) {
            CU_FAIL("a field without a name");
            return;
        }
        for (uint32_t j = 0; j < t->common.count; j++) {
            CU_ASSERT(strcmp(name, t->common.v[j].name) != 0);
        }
        for (uint32_t j = 0; j < i; j++) {
            CU_ASSERT(strcmp(name, t->own[kind].v[j].name) != 0);
        }
    }
}

static void
names_stand_once_in_a_kind(void)
{
    for (uint32_t kind = 0; kind < RC_EVENT__MAX; kind++) {
        check_names(&rc_record_events, kind);
    }
    for (uint32_t kind = 0; kind < RC_ACTION__MAX; kind++) {
        check_names(&rc_record_actions, kind);
    }
}

/* Bytes of a payload that no field covers: its padding, and a field that was forgotten. */
static size_t
uncovered(const struct rc_record_table *t, uint32_t kind, size_t from, size_t size)
{
    size_t covered = 0;

    for (uint32_t i = 0; i < t->own[kind].count; i++) {
        const struct rc_field *f = &t->own[kind].v[i];
        CU_ASSERT(f->offset >= from && f->offset + f->size <= from + size);
        covered += f->size;
    }
    return size - covered;
}

static void
no_field_of_a_payload_is_forgotten(void)
{
    static const struct {
        enum rc_event_kind kind;
        size_t size, padding;
    } rows[] = {
        {RC_EV_START, sizeof(struct rc_ev_start), 0},
        {RC_EV_MESSAGE, sizeof(struct rc_ev_message), 0},
        {RC_EV_EC2_STATE_CHANGE, sizeof(struct rc_ev_ec2_state_change), 4},
        {RC_EV_SPOT_INTERRUPTION, sizeof(struct rc_ev_spot_interruption), 4},
        {RC_EV_AWS_HEALTH, sizeof(struct rc_ev_aws_health), 0},
        {RC_EV_CLOUDWATCH_ALARM, sizeof(struct rc_ev_cloudwatch_alarm), 0},
        {RC_EV_CAPACITY_RESERVATION, sizeof(struct rc_ev_capacity), 0},
        {RC_EV_CAPACITY_BLOCK, sizeof(struct rc_ev_capacity), 0},
        {RC_EV_FLEET, sizeof(struct rc_ev_fleet), 4},
        {RC_EV_EBS_VOLUME, sizeof(struct rc_ev_ebs_volume), 4},
        {RC_EV_INSTANCE, sizeof(struct rc_ev_instance), 4},
        {RC_EV_INSTANCE_STATUS, sizeof(struct rc_ev_instance_status), 4},
        {RC_EV_SLURM_NODE, sizeof(struct rc_ev_slurm_node), 4},
        {RC_EV_NODE_FAULTS, sizeof(struct rc_ev_node_faults), 4 + 4 * RC_NODE_FAULTS_MAX},
        {RC_EV_SWEEP, sizeof(struct rc_ev_sweep), 4},
        {RC_EV_LEASE, sizeof(struct rc_ev_lease), 0},
        {RC_EV_COMPLETION, sizeof(struct rc_ev_completion), 4 + 4},
        {RC_EV_OPERATOR, sizeof(struct rc_ev_operator), 0},
        {RC_EV_ADOPT, sizeof(struct rc_ev_adopt), 4},
        {RC_EV_HISTORY, sizeof(struct rc_history), 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t left =
            uncovered(&rc_record_events, rows[i].kind, offsetof(struct rc_event, u), rows[i].size);
        if (left != rows[i].padding) {
            printf("#   %s: %zu bytes in no field\n", rc_event_name(rows[i].kind), left);
        }
        CU_ASSERT_EQUAL(left, rows[i].padding);
    }
    CU_ASSERT_EQUAL(uncovered(&rc_record_actions, RC_ACT_INCIDENT_PUT,
                              offsetof(struct rc_action, u), sizeof(struct rc_act_incident)),
                    4);
    CU_ASSERT_EQUAL(uncovered(&rc_record_actions, RC_ACT_LAUNCH, offsetof(struct rc_action, u),
                              sizeof(struct rc_act_launch)),
                    4 + 7);
}

static double
seconds_since(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

/* No limit here: the machine may be busy, and sanitizers are slow. */
static void
speed_is_shown(void)
{
    enum { TIMES = 200000 };
    struct rc_event ev, back;
    struct timespec start;
    char line[RC_RECORD_MAX];
    size_t len = 0, offset, total = 0;

    rc_event_init(&ev, RC_EV_SPOT_INTERRUPTION);
    ev.at_ms = 123456789;
    ev.wall_ms = 1700000000123;
    ev.msg = 42;
    ev.u.spot.action = RC_IACT_TERMINATE;
    ev.u.spot.deadline_wall_ms = 1700000120123;
    CU_ASSERT_FATAL(rc_text_set(ev.instance, sizeof ev.instance, "i-1234567890abcdef0"));
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < TIMES; i++) {
        ev.msg++;
        len = rc_event_format(&ev, line, sizeof line);
        total += len;
    }
    double format_s = seconds_since(&start);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < TIMES; i++) {
        total += rc_event_parse(line, len, &back, &offset) == RC_OK;
    }
    double parse_s = seconds_since(&start);
    printf("# %.2f M events/s into text, %.2f M events/s back (%zu bytes a line)\n",
           TIMES / format_s / 1e6, TIMES / parse_s / 1e6, len);
    CU_ASSERT(total > TIMES);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"random events of every kind come back the same",
         random_events_of_every_kind_come_back_the_same},
        {"random actions of every kind come back the same",
         random_actions_of_every_kind_come_back_the_same},
        {"a copy of every kind has the same record", a_copy_of_every_kind_has_the_same_record},
        {"an empty record of every kind names no field",
         an_empty_record_of_every_kind_names_no_field},
        {"a record is one printable line", a_record_is_one_printable_line},
        {"the text is as documented", the_text_is_as_documented},
        {"a room that is too small by any amount gives nothing",
         a_room_that_is_too_small_by_any_amount_gives_nothing},
        {"the largest record fits the stated maximum", the_largest_record_fits_the_stated_maximum},
        {"broken events are refused where they break", broken_events_are_refused_where_they_break},
        {"fields may come in any order and be told as zero",
         fields_may_come_in_any_order_and_be_told_as_zero},
        {"a line cut at any byte never reads past its end",
         a_line_cut_at_any_byte_never_reads_past_its_end},
        {"names stand once in a kind", names_stand_once_in_a_kind},
        {"a state change of an older release has no time",
         a_state_change_of_an_older_release_has_no_time},
        {"no field of a payload is forgotten", no_field_of_a_payload_is_forgotten},
        {"the speed is shown", speed_is_shown},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("record", tests);
}
