/* fuzz_line.c - libFuzzer target: any bytes as a line of a helper, as a node row, and as the words
 * of a node's agent in it.
 *
 * Beyond the sanitizers it asserts what callers rely on: a reason with every refusal,
 * fields within the limit, values that survive being written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/helper/line.h"
#include "reconciler/io/slurm/slurm_fault.h"
#include "reconciler/io/slurm/slurm_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void
check_round_trip(const struct rc_line *line)
{
    static char text[RC_LINE_MAX + 1];
    struct rc_line_out out;
    struct rc_line again;
    size_t len;

    if (line->seq == 0) {
        return;
    }
    rc_line_begin(&out, text, RC_LINE_MAX, line->seq, line->word);
    for (uint32_t i = 0; i < line->field_count; i++) {
        rc_line_put(&out, line->field[i].key, line->field[i].value);
    }
    len = rc_line_end(&out);
    if (len == 0) {
        return; /* grew over the limit by its escapes */
    }
    must(rc_line_parse(text, len, &again, NULL) == RC_OK);
    must(again.seq == line->seq && strcmp(again.word, line->word) == 0);
    must(again.field_count == line->field_count);
    for (uint32_t i = 0; i < again.field_count; i++) {
        must(strcmp(again.field[i].value, line->field[i].value) == 0);
    }
}

static void
check_faults(const struct rc_line *line)
{
    struct rc_event ev;

    rc_slurm_faults_decode(line, &ev);
    must(ev.kind == RC_EV_NODE_FAULTS && ev.u.faults.count <= RC_NODE_FAULTS_MAX);
    must(memchr(ev.u.faults.boot, '\0', sizeof ev.u.faults.boot) != NULL);
    for (uint32_t i = 0; i < ev.u.faults.count; i++) {
        const struct rc_node_fault *f = &ev.u.faults.v[i];

        must(f->class_name[0] != '\0');
        must(memchr(f->class_name, '\0', sizeof f->class_name) != NULL);
        must(memchr(f->device, '\0', sizeof f->device) != NULL);
        must(f->guilty <= 1 && f->last_wall_ms >= 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[RC_LINE_MAX + 2];
    struct rc_line line;
    struct rc_error e = {.code = RC_OK};
    struct rc_event ev;
    int64_t foreign_time;

    if (size > RC_LINE_MAX) {
        return 0;
    }
    memcpy(text, data, size);
    if (rc_line_parse(text, size, &line, &e) != RC_OK) {
        must(e.text[0] != '\0');
        return 0;
    }
    must(line.field_count <= RC_LINE_FIELDS_MAX && line.word != NULL);
    check_round_trip(&line);
    check_faults(&line);
    if (rc_slurm_node_decode(&line, 64030, &ev, &foreign_time, &e) == RC_OK) {
        must(ev.node[0] != '\0' && ev.kind == RC_EV_SLURM_NODE && ev.at_ms == 0);
    } else {
        must(e.text[0] != '\0');
    }
    return 0;
}
