/* Fault models: their text, what they draw, and recorded traces. */
#define _GNU_SOURCE /* mkstemp */
#include "tests/harness/harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "simulator/faults/fault_trace.h"
#include "simulator/model/sim_hash.h"

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

static struct rc_fault_schedule
drawn(const char *text, uint64_t seed, uint32_t nodes, int64_t days)
{
    struct rc_fault_schedule s = {0};
    struct rc_fault_model m;
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(rc_fault_model_parse(text, &m, &e), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_fault_draw(&m, seed, nodes, days * day_ms, &s, &e), RC_OK);
    return s;
}

static uint64_t
hash_of(const struct rc_fault_schedule *s)
{
    uint64_t h = RC_SIM_HASH_SEED;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct rc_fault_row *f = &s->row[i];
        h = rc_sim_hash_u64(h, (uint64_t)f->at_ms);
        h = rc_sim_hash_u64(h, (uint64_t)f->last_ms);
        h = rc_sim_hash_u64(h, f->luck);
        h = rc_sim_hash_u64(h, (uint64_t)f->node << 32 | (uint64_t)f->part << 16 | f->lemon);
    }
    return h;
}

static double
variation_of(const struct rc_fault_schedule *s)
{
    double sum = 0, squares = 0;
    uint32_t gaps = s->count - 1;

    for (uint32_t i = 1; i < s->count; i++) {
        double gap = (double)(s->row[i].at_ms - s->row[i - 1].at_ms);
        sum += gap;
        squares += gap * gap;
    }
    double mean = sum / gaps;
    return sqrt(squares / gaps - mean * mean) / mean;
}

static int
more_first(const void *a, const void *b)
{
    return (*(const int *)b > *(const int *)a) - (*(const int *)b < *(const int *)a);
}

/* Share of all faults that fall on the worst tenth of the nodes. */
static double
worst_tenth(const struct rc_fault_schedule *s)
{
    int *hits = calloc(s->nodes, sizeof *hits);
    int sum = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(hits);
    for (uint32_t i = 0; i < s->count; i++) {
        hits[s->row[i].node]++;
    }
    qsort(hits, s->nodes, sizeof *hits, more_first);
    for (uint32_t i = 0; i < s->nodes / 10; i++) {
        sum += hits[i];
    }
    free(hits);
    return (double)sum / s->count;
}

static void
draw__same_seed__same_rows_in_time_order(void)
{
    struct rc_fault_schedule a = drawn("bursty-lemon", 5, 400, 365);
    struct rc_fault_schedule b = drawn("bursty-lemon", 5, 400, 365);
    struct rc_fault_schedule c = drawn("bursty-lemon", 6, 400, 365);

    CU_ASSERT_EQUAL(hash_of(&a), hash_of(&b));
    CU_ASSERT_NOT_EQUAL(hash_of(&a), hash_of(&c));
    CU_ASSERT_EQUAL(hash_of(&a), UINT64_C(0xb5536331fc3d2954)); /* the bits of every compiler */
    printf("# bits of a schedule: %016llx\n", (unsigned long long)hash_of(&a));
    for (uint32_t i = 0; i < a.count; i++) {
        CU_ASSERT(!i || a.row[i].at_ms >= a.row[i - 1].at_ms);
        CU_ASSERT(a.row[i].at_ms >= 0 && a.row[i].at_ms < a.span_ms && a.row[i].last_ms > 0);
        CU_ASSERT(a.row[i].node < a.nodes);
    }
    rc_fault_schedule_free(&a);
    rc_fault_schedule_free(&b);
    rc_fault_schedule_free(&c);
}

static void
draw__each_model__has_its_rate_variation_and_lemons(void)
{
    static const struct {
        const char *text;
        double rate, variation, tenth_min, tenth_max;
    } known[] = {
        {"exponential", 6.5, 1, 0.10, 0.16},
        {"bursty,variation=2.5", 6.5, 2.5, 0.10, 0.16},
        {"lemon,lemon-shape=1,rate=20", 20, 1, 0.30, 0.36}, /* top tenth of an exponential: 33 % */
        {"bursty-lemon,lemon-shape=0.5,rate=20", 20, 1.76, 0.42, 0.52},
    };

    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct rc_fault_schedule s = drawn(known[i].text, 11, 2000, 3000);
        double rate = s.count / (2000.0 * 3000) * 1000;
        CU_ASSERT_DOUBLE_EQUAL(rate / known[i].rate, 1, 0.04);
        CU_ASSERT_DOUBLE_EQUAL(variation_of(&s) / known[i].variation, 1, 0.04);
        CU_ASSERT(worst_tenth(&s) > known[i].tenth_min && worst_tenth(&s) < known[i].tenth_max);
        rc_fault_schedule_free(&s);
    }
}

static void
draw__another_duration__moves_no_arrival(void)
{
    struct rc_fault_schedule a = drawn("exponential", 3, 100, 365);
    struct rc_fault_schedule b = drawn("exponential,repair-hours=1,repair-sigma=0", 3, 100, 365);

    CU_ASSERT_EQUAL_FATAL(a.count, b.count);
    for (uint32_t i = 0; i < a.count; i++) {
        CU_ASSERT(a.row[i].at_ms == b.row[i].at_ms && a.row[i].node == b.row[i].node);
        CU_ASSERT_EQUAL(b.row[i].last_ms, 3600 * 1000 + 1);
    }
    rc_fault_schedule_free(&a);
    rc_fault_schedule_free(&b);
}

static void
model__text__comes_back(void)
{
    static const char *const same[] = {
        "exponential,rate=6.5,variation=1,repair-hours=20.4,repair-sigma=1.94",
        "bursty-lemon,rate=2.34,variation=3,repair-hours=1,repair-sigma=0.5,lemon-shape=0.7",
        "trace:a b.json,rate=4.2,nodes=400",
        "trace:a.json",
        "trace:a.json,nodes=400",
        "trace:rate=1,rate=2,nodes=400", /* a file of this name */
    };
    struct rc_fault_model m;
    struct rc_error e;
    char text[400];

    for (unsigned i = 0; i < sizeof same / sizeof same[0]; i++) {
        CU_ASSERT_EQUAL_FATAL(rc_fault_model_parse(same[i], &m, &e), RC_OK);
        rc_fault_model_text(&m, text, sizeof text);
        CU_ASSERT_STRING_EQUAL(text, same[i]);
    }
}

static void
model__what_is_wrong__is_named(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "unknown fault model"},
        {"weekly", "unknown fault model weekly"},
        {"exponential,rate=0", "rate=0: expected a number from 0.001 to 10000"},
        {"exponential,rate=nan", "rate=nan"},
        {"exponential,rate=6.5x", "rate=6.5x"},
        {"exponential,rate=", "rate="},
        {"bursty,variation=0.5", "variation=0.5: expected a number from 1 to 100"},
        {"bursty,speed=3", "unknown key speed"},
        {"bursty,", "expected KEY=VALUE"},
        {"bursty,rate=3,variation=2,rate=3", "rate is given twice"},
        {"trace:rate=1,nodes=4,nodes=5", "nodes is given twice"},
        {"trace:", "expected trace:FILE"},
        {"trace:x,variation=2", "unknown key variation; expected rate or nodes"},
        {"trace:x,nodes=1.5", "nodes=1.5"},
    };
    struct rc_fault_model m;
    struct rc_error e;

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(rc_fault_model_parse(bad[i].text, &m, &e), RC_E_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, bad[i].says));
    }
}

#define RECORD(node, time, type)                                                                   \
    "{\"node_id\": \"" node "\", \"event_time\": " time ", \"event_type\": \"" type "\",\n"        \
    " \"fault_type\": {\"Level\": \"Hardware Failure\", \"Class\": \"GPU\", \"Desc\": \"Lost\"}}"

#define CLASS(name)                                                                                \
    "{\"node_id\": \"a\", \"event_time\": 1, \"event_type\": \"fault_start\", \"fault_type\": "    \
    "{\"Level\": \"Hardware Failure\", \"Class\": \"" name "\"}}"

static char trace_path[] = "/tmp/rc-trace-XXXXXX";

static enum rc_err
read_text(const char *text, struct rc_fault_trace *ret, struct rc_error *e)
{
    FILE *f = fopen(trace_path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
    return rc_fault_trace_read(trace_path, 0, ret, e);
}

static void
trace__starts_and_ends__are_paired_first_in_first_out(void)
{
    struct rc_fault_trace t;
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(
        read_text(
            "[" RECORD("a", "1", "fault_start") "," RECORD("b", "1.5", "fault_start") "," RECORD(
                "a", "2", "fault_start") "," RECORD("a", "3",
                                                    "fault_end") "," RECORD("a", "7",
                                                                            "fault_end") "]\n",
            &t, &e),
        RC_OK);
    CU_ASSERT_EQUAL_FATAL(t.schedule.count, 3);
    CU_ASSERT_EQUAL(t.schedule.row[0].last_ms, 2 * day_ms);
    CU_ASSERT_EQUAL(t.schedule.row[2].last_ms, 5 * day_ms);
    CU_ASSERT_EQUAL(t.schedule.row[1].last_ms, 5 * day_ms + day_ms / 2); /* to the end */
    CU_ASSERT_EQUAL(t.schedule.row[0].part, RC_PART_GPU);
    CU_ASSERT(t.line[0] == 1 && t.line[1] == 2 && t.line[2] == 3); /* each record has two lines */
    CU_ASSERT_EQUAL(t.faulty, 2);
    CU_ASSERT_EQUAL(t.open, 1);
    CU_ASSERT_EQUAL(t.schedule.span_ms, 7 * day_ms);
    rc_fault_trace_free(&t);
}

static void
trace__what_cannot_be__is_refused_with_its_line(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", ":1: expected a JSON array"},
        {"{}", ":1: expected a JSON array"},
        {"[\n" RECORD("a", "1", "fault_start"), ":3: the file ends too early"},
        {"[\n" RECORD("a", "1", "fault_start") ",\n", ":4: the file ends too early"},
        {"[\n" RECORD("a", "1", "fault_start") ",\n{\"node_id\": \"a\",\n \"ev",
         ":5: the file ends inside the record that begins in line 4"},
        {"[\n" RECORD("a", "-1", "fault_start") "]", ":2: event_time -1: expected days from 0"},
        {"[\n" RECORD("a", "1e9", "fault_start") "]", ":2: event_time 1e+09"},
        {"[\n" RECORD("a", "2", "fault_start") ",\n" RECORD("b", "1.5", "fault_start") "]",
         ":4: event_time 1.5: earlier than the record before it"},
        {"[" RECORD("a", "2", "fault_end") "]", ":1: fault_end of a fault that did not start"},
        {"[" RECORD("a", "2", "fault_begin") "]", ":1: event_type \"fault_begin\": expected"},
        {"[" RECORD("a", "\"2\"", "fault_start") "]", ":1: expected node_id"},
        {"[7]", ":1: expected a JSON object, got 7"},
        {"[\n{\"node_id\": \"a\",\n \"event_time\": NaN, \"x\": 1}]",
         ":3: no JSON from here on: NaN,"},
        {"[{\"node_id: \"a\"},\n" RECORD("a", "1", "fault_start") "]", ":1: no JSON from here on"},
        {"[\n{\"node_id\": \"a}\\\"\", \"fault_type\": {\"Level\": \"x\"}",
         ":2: the file ends inside the record that begins in line 2"},
        {"[\n" CLASS("Martian") "]", ":2: Class \"Martian\": expected one of those in docs"},
        {"[" CLASS("gpu") "]", ":1: Class \"gpu\": expected one of those in docs"},
        {"[] x", ":1: text after the array"},
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rc_fault_trace t = {0};
        struct rc_error e = {0};
        CU_ASSERT_EQUAL(read_text(bad[i].text, &t, &e), RC_E_PARSE);
        CU_ASSERT_PTR_NULL(t.schedule.row);
        if (!strstr(e.text, bad[i].says)) {
            printf("# %s\n", e.text);
            CU_FAIL("the complaint says something else");
        }
    }
}

static void
trace__redrawn__keeps_rate_and_nodes_in_proportion(void)
{
    struct rc_fault_trace t;
    struct rc_error e;
    char text[64 * 1024] = "[";

    /* a has 9 of 10 faults */
    for (int i = 0; i < 200; i++) {
        char record[300];
        snprintf(record, sizeof record,
                 i % 10 ? "%s" RECORD("a", "%d", "fault_start")
                        : "%s" RECORD("b", "%d", "fault_start"),
                 i ? "," : "", i + 1);
        strcat(text, record);
    }
    strcat(text, "]");
    CU_ASSERT_EQUAL_FATAL(read_text(text, &t, &e), RC_OK);
    rc_fault_trace_free(&t);
    snprintf(text, sizeof text, "trace:%s,nodes=4", trace_path);
    struct rc_fault_schedule s = drawn(text, 1, 40, 400);
    CU_ASSERT_DOUBLE_EQUAL(s.count / 4000.0, 1, 0.02); /* a fault a day on 4: 10 a day on 40 */
    CU_ASSERT(worst_tenth(&s) > 0.25);
    rc_fault_schedule_free(&s);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"the same seed gives the same rows, in order of time",
         draw__same_seed__same_rows_in_time_order},
        {"each model has its rate, its variation and its lemons",
         draw__each_model__has_its_rate_variation_and_lemons},
        {"another duration moves no arrival", draw__another_duration__moves_no_arrival},
        {"the text of a model is the model", model__text__comes_back},
        {"what is wrong with a model is named", model__what_is_wrong__is_named},
        {"starts and ends of a trace are paired, the oldest first",
         trace__starts_and_ends__are_paired_first_in_first_out},
        {"a trace that cannot be is refused with its line",
         trace__what_cannot_be__is_refused_with_its_line},
        {"a trace drawn again keeps its rate and its bad nodes",
         trace__redrawn__keeps_rate_and_nodes_in_proportion},
        CU_TEST_INFO_NULL,
    };
    int fd = mkstemp(trace_path);

    if (fd < 0) {
        return 1;
    }
    close(fd);
    int status = rc_test_main("fault_model", tests);
    unlink(trace_path);
    return status;
}
