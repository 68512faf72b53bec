/* slurm_calls.c - the writing half of the Slurm client: a queue in front of the writer.
 *
 * The writer has one request at a time. What waits is sent when the loop comes round
 * (so that calls of one turn meet) or when the writer is free again: the oldest call
 * and every later one of its kind, as long as no call for the same node waits before
 * it. Calls on jobs are one request each; reconfigure and takeover are never overtaken. */
#define _GNU_SOURCE
#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_client_private.h"

enum {
    STALE_ROOM = RC_NODE_LEN + 24, /* name@time, */
    /* Each name once in names= and once in stale=, and room for verb and reason. */
    BATCH_MAX = (RC_LINE_MAX - 4096) / (RC_NODE_LEN + STALE_ROOM),
};

static const struct {
    const char *verb;
    bool batched; /* names= and one row for each node */
    bool marked;  /* carries a reason */
    bool barrier; /* concerns all: never overtaken */
    const char *number_key;
} op_table[OP__MAX] = {
    [OP_DRAIN] = {"drain", true, true, false, NULL},
    [OP_DOWN] = {"down", true, true, false, NULL},
    [OP_RESUME] = {"resume", true, false, false, NULL},
    [OP_JOBS_SIGNAL] = {"jobs-signal", false, false, false, "signal"},
    [OP_JOBS_REQUEUE] = {"jobs-requeue", false, false, false, "exclude"},
    [OP_JOBS_INCLUDE] = {"jobs-include", false, false, false, NULL},
    [OP_JOB_HOLD] = {"job-hold", false, false, false, "job"},
    [OP_JOB_SAVE] = {"job-save", false, false, false, "job"},
    [OP_RECONFIGURE] = {"reconfigure", false, false, true, NULL},
    [OP_TAKEOVER] = {"takeover", false, false, true, "index"},
};

/* Results of the helper's rows: what they are for the caller. */
static const struct {
    const char *word;
    enum rc_err err;
} result_table[] = {
    {"drained", RC_OK},          {"resumed", RC_OK},          {"not-drained", RC_OK},
    {"foreign", RC_E_FOREIGN},   {"missing", RC_E_NOT_FOUND}, {"refused", RC_E_SLURM_REFUSED},
    {"invalid-reg", RC_E_STATE},
};

/* Names seen on the walk through the queue: open addressing, never full. */
struct seen {
    const char **slot;
    size_t mask;
};

static bool
seen_add(struct seen *seen, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    size_t at;

    for (const char *c = name; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3U;
    }
    at = (size_t)hash & seen->mask;
    while (seen->slot[at]) {
        if (strcmp(seen->slot[at], name) == 0) {
            return false;
        }
        at = (at + 1) & seen->mask;
    }
    seen->slot[at] = name;
    return true;
}

static int
op_by_node(const void *a, const void *b)
{
    const struct slurm_op *const *left = a;
    const struct slurm_op *const *right = b;

    return strcmp((*left)->node, (*right)->node);
}

static int
op_by_incident(const void *a, const void *b)
{
    const struct slurm_op *const *left = a;
    const struct slurm_op *const *right = b;

    return ((*left)->incident > (*right)->incident) - ((*left)->incident < (*right)->incident);
}

static void
batch_add(struct rc_slurm *s, struct slurm_op *op)
{
    TAILQ_REMOVE(&s->waiting, op, link);
    s->batch[s->batch_count++] = op;
}

/* Fills the batch from the queue; memory short makes it a batch of one. */
static void
batch_take(struct rc_slurm *s)
{
    struct slurm_op *op = TAILQ_FIRST(&s->waiting), *next;
    enum slurm_op_kind kind = op->kind;
    struct seen seen = {.mask = 63};
    size_t walked = 0;

    batch_add(s, op);
    if (!op_table[kind].batched || TAILQ_EMPTY(&s->waiting)) {
        return;
    }
    while (seen.mask < 4 * (size_t)BATCH_MAX) {
        seen.mask = seen.mask * 2 + 1;
    }
    seen.slot = calloc(seen.mask + 1, sizeof *seen.slot);
    if (!seen.slot) {
        return;
    }
    (void)seen_add(&seen, op->node);
    for (op = TAILQ_FIRST(&s->waiting); op && !op_table[op->kind].barrier; op = next) {
        bool first = seen_add(&seen, op->node);

        next = TAILQ_NEXT(op, link);
        if (first && op->kind == kind) {
            batch_add(s, op);
        }
        if (s->batch_count == BATCH_MAX || ++walked == 2 * (size_t)BATCH_MAX) {
            break;
        }
    }
    free(seen.slot);
}

/* The word after the marker: the fault. */
static int
fault_word(const char *reason, const char **ret)
{
    *ret = strchr(reason, ' ') + 1;
    return (int)strcspn(*ret, " ");
}

/* One reason for all: the call's own when they are of one incident, else the batch
 * form with the lowest incident and how many more there are. */
static void
batch_reason(struct rc_slurm *s)
{
    const struct slurm_op *lowest;
    const char *fault, *other;
    uint32_t incidents = 1;
    bool same = true;
    int len;

    qsort(s->batch, s->batch_count, sizeof(void *), op_by_incident);
    lowest = s->batch[0];
    len = fault_word(lowest->reason, &fault);
    for (uint32_t i = 1; i < s->batch_count; i++) {
        incidents += s->batch[i]->incident != s->batch[i - 1]->incident ? 1 : 0;
        same = same && fault_word(s->batch[i]->reason, &other) == len &&
               strncmp(fault, other, (size_t)len) == 0;
    }
    if (incidents == 1) {
        (void)snprintf(s->batch_reason, sizeof s->batch_reason, "%s", lowest->reason);
    } else {
        (void)snprintf(s->batch_reason, sizeof s->batch_reason, "rc:%u+%u %.*s", lowest->incident,
                       incidents - 1, same ? len : 7, same ? fault : "several");
    }
}

static struct slurm_op *
batch_find(const struct rc_slurm *s, const char *node)
{
    struct slurm_op key, *wanted = &key, **found;

    if (!rc_text_set(key.node, sizeof key.node, node)) {
        return NULL;
    }
    found = bsearch(&wanted, s->batch, s->batch_count, sizeof(void *), op_by_node);
    return found ? *found : NULL;
}

static void
op_tell(const struct rc_slurm *s, const struct slurm_op *op, rc_slurm_done_fn *fn,
        const struct rc_error *e)
{
    struct rc_slurm_result result = {
        .err = e ? e->code : op->err,
        .node = op->node,
        .service_code = e ? e->service_code : "",
        .text = e ? e->text : op->reason,
        .batch = s->batch_count,
        .count = op->count,
    };

    if (result.err == RC_E_INTERNAL && !e) {
        result.text = "the helper said nothing of this node";
    }
    if (fn) {
        fn(op->call.arg, &result);
    }
}

static void
take_node_row(struct rc_slurm *s, const struct rc_line *row)
{
    struct slurm_op *op = batch_find(s, rc_line_text(row, "name", ""));
    const char *word = rc_line_text(row, "result", "");
    const char *reason = rc_line_text(row, "reason", "");

    for (size_t i = 0; op && i < sizeof result_table / sizeof *result_table; i++) {
        if (strcmp(word, result_table[i].word) == 0) {
            op->err = result_table[i].err;
            (void)snprintf(op->reason, sizeof op->reason, "%.*s", (int)sizeof op->reason - 1,
                           op->err == RC_E_STATE ? "registered with less than is configured"
                                                 : reason);
        }
    }
}

/* Adds a job that was not reached to the text: "job 7: it says Requeue=0". */
static void
take_job_row(struct slurm_op *op, const struct rc_line *row)
{
    const char *word = rc_line_text(row, "result", "");
    size_t len = strlen(op->reason);

    if (strcmp(word, "done") == 0) {
        op->count++;
        return;
    }
    if (strcmp(word, "gone") == 0) {
        return;
    }
    op->err = strcmp(word, "not-requeueable") == 0 ? RC_E_STATE : RC_E_SLURM_REFUSED;
    (void)snprintf(op->reason + len, sizeof op->reason - len, "%sjob %.12s: %s",
                   len > 0 ? ", " : "", rc_line_text(row, "id", "?"),
                   rc_line_text(row, "text", word));
}

static void
on_write_row(void *arg, const struct rc_line *row)
{
    struct rc_slurm *s = arg;

    if (strcmp(row->word, "accepted") == 0) {
        struct rc_error none = {.code = RC_OK};

        for (uint32_t i = 0; i < s->batch_count; i++) {
            op_tell(s, s->batch[i], s->batch[i]->call.accepted, &none);
        }
    } else if (strcmp(row->word, "node") == 0) {
        take_node_row(s, row);
    } else if (strcmp(row->word, "job") == 0 && s->batch_count == 1) {
        take_job_row(s->batch[0], row);
    }
}

static void
batch_read_back(struct rc_slurm *s)
{
    const char **nodes = calloc((size_t)s->batch_count + 1, sizeof(char *));
    uint32_t count = 0;

    for (uint32_t i = 0; nodes && i < s->batch_count; i++) {
        if (s->batch[i]->node[0]) {
            nodes[count++] = s->batch[i]->node;
        }
    }
    if (s->started) {
        rc_slurm_poll_again(s, nodes, count);
    }
    free(nodes);
}

static void
on_write_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_slurm *s = arg;

    (void)ok;
    if (op_table[s->batch[0]->kind].barrier) {
        s->since = 0; /* another slurmctld, or another table, may answer from now on */
    }
    for (uint32_t i = 0; i < s->batch_count; i++) {
        op_tell(s, s->batch[i], s->batch[i]->call.done, e);
    }
    batch_read_back(s);
    for (uint32_t i = 0; i < s->batch_count; i++) {
        free(s->batch[i]);
    }
    s->batch_count = 0;
    if (!TAILQ_EMPTY(&s->waiting)) {
        event_active(s->flush_event, EV_TIMEOUT, 0);
    }
}

static void
put_names(struct rc_slurm *s, struct rc_line_out *out)
{
    size_t room = (size_t)s->batch_count * RC_NODE_LEN + 1;
    char *names = malloc(room);
    size_t len = 0;

    for (uint32_t i = 0; names && i < s->batch_count; i++) {
        len +=
            (size_t)snprintf(names + len, room - len, "%s%s", i > 0 ? "," : "", s->batch[i]->node);
    }
    rc_line_put(out, "names", names);
    free(names);
}

/* "name@time" of each node whose foreign reason is known to be a leftover: it stood
 * there while the node was in service (24.11 keeps reasons after RESUME). The helper
 * marks such a node when that very reason still stands. */
static void
put_stale(struct rc_slurm *s, struct rc_line_out *out)
{
    size_t room = (size_t)s->batch_count * STALE_ROOM + 1;
    char *list = malloc(room);
    size_t len = 0;

    for (uint32_t i = 0; list && i < s->batch_count; i++) {
        int64_t stale = rc_slurm_diff_stale(s->diff, s->batch[i]->node);

        if (stale != 0) {
            len += (size_t)snprintf(list + len, room - len, "%s%s@%" PRId64, len > 0 ? "," : "",
                                    s->batch[i]->node, stale);
        }
    }
    if (len > 0) {
        rc_line_put(out, "stale", list);
    }
    free(list);
}

/* What waited behind others until nobody wants it any more is not sent. */
static void
end_unwanted(struct rc_slurm *s)
{
    struct slurm_op_list unwanted = TAILQ_HEAD_INITIALIZER(unwanted);
    struct slurm_op *op, *next;
    struct rc_error e;

    for (op = TAILQ_FIRST(&s->waiting); op; op = next) {
        next = TAILQ_NEXT(op, link);
        if (op->call.still_wanted && !op->call.still_wanted(op->call.arg)) {
            TAILQ_REMOVE(&s->waiting, op, link);
            TAILQ_INSERT_TAIL(&unwanted, op, link);
        }
    }
    (void)rc_fail(&e, RC_E_CANCELLED, "it waited until it was not wanted any more");
    while ((op = TAILQ_FIRST(&unwanted)) != NULL) {
        TAILQ_REMOVE(&unwanted, op, link);
        op_tell(s, op, op->call.done, &e);
        free(op);
    }
}

/* Sends what waits, unless the writer is busy. */
static void
on_write_flush(evutil_socket_t fd, short what, void *arg)
{
    struct rc_slurm *s = arg;
    struct rc_helper_call call = {on_write_row, on_write_end, s, s->config.timeout_ms};
    struct rc_line_out *out;
    const struct slurm_op *op;
    struct rc_error e;

    (void)fd;
    (void)what;
    if (s->batch_count > 0) {
        return;
    }
    end_unwanted(s);
    if (TAILQ_EMPTY(&s->waiting)) {
        return;
    }
    batch_take(s);
    op = s->batch[0];
    if (op_table[op->kind].marked) {
        batch_reason(s);
    }
    qsort(s->batch, s->batch_count, sizeof(void *), op_by_node);
    op = s->batch[0];
    out = rc_helper_begin(s->writer, op_table[op->kind].verb);
    if (op_table[op->kind].batched) {
        put_names(s, out);
    } else if (op->node[0]) {
        rc_line_put(out, "node", op->node);
    }
    if (op_table[op->kind].marked) {
        rc_line_put(out, "reason", s->batch_reason);
        put_stale(s, out);
    }
    if (op_table[op->kind].number_key && (op->number || op->kind == OP_TAKEOVER)) {
        rc_line_put_u64(out, op_table[op->kind].number_key, op->number);
    }
    s->stats.updates++;
    if (rc_helper_send(s->writer, &call, &e) != RC_OK) {
        on_write_end(s, NULL, &e);
    }
}

static enum rc_err
op_enqueue(struct rc_slurm *s, const struct slurm_op *like, const char *node, const char *reason)
{
    struct slurm_op *op;

    assert(like->call.done);
    op = calloc(1, sizeof *op);
    if (!op) {
        return RC_E_FULL;
    }
    *op = *like;
    if (!rc_text_set(op->node, sizeof op->node, node) ||
        !rc_text_set(op->reason, sizeof op->reason, reason) ||
        (!op_table[op->kind].barrier && op->kind != OP_JOB_HOLD && op->kind != OP_JOB_SAVE &&
         !*node) ||
        (op_table[op->kind].marked && !rc_slurm_reason_ours(reason, &op->incident, NULL))) {
        free(op);
        return RC_E_INVALID;
    }
    /* Marking and resuming end by their node's row; without one something is wrong. */
    op->err = op_table[op->kind].batched ? RC_E_INTERNAL : RC_OK;
    TAILQ_INSERT_TAIL(&s->waiting, op, link);
    event_active(s->flush_event, EV_TIMEOUT, 0);
    return RC_OK;
}

enum rc_err
rc_slurm_drain(struct rc_slurm *s, const char *node, const char *reason,
               const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_DRAIN, .call = *call}, node, reason);
}

enum rc_err
rc_slurm_down(struct rc_slurm *s, const char *node, const char *reason,
              const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_DOWN, .call = *call}, node, reason);
}

enum rc_err
rc_slurm_resume(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_RESUME, .call = *call}, node, "");
}

enum rc_err
rc_slurm_jobs_signal(struct rc_slurm *s, const char *node, uint32_t signal,
                     const struct rc_slurm_call *call)
{
    return op_enqueue(
        s, &(struct slurm_op){.kind = OP_JOBS_SIGNAL, .number = signal, .call = *call}, node, "");
}

enum rc_err
rc_slurm_jobs_requeue(struct rc_slurm *s, const char *node, bool exclude,
                      const struct rc_slurm_call *call)
{
    return op_enqueue(
        s, &(struct slurm_op){.kind = OP_JOBS_REQUEUE, .number = exclude, .call = *call}, node, "");
}

enum rc_err
rc_slurm_jobs_include(struct rc_slurm *s, const char *node, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_JOBS_INCLUDE, .call = *call}, node, "");
}

enum rc_err
rc_slurm_job_hold(struct rc_slurm *s, uint32_t job, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_JOB_HOLD, .number = job, .call = *call}, "",
                      "");
}

enum rc_err
rc_slurm_job_save(struct rc_slurm *s, uint32_t job, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_JOB_SAVE, .number = job, .call = *call}, "",
                      "");
}

enum rc_err
rc_slurm_reconfigure(struct rc_slurm *s, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_RECONFIGURE, .call = *call}, "", "");
}

enum rc_err
rc_slurm_takeover(struct rc_slurm *s, uint32_t index, const struct rc_slurm_call *call)
{
    return op_enqueue(s, &(struct slurm_op){.kind = OP_TAKEOVER, .number = index, .call = *call},
                      "", "");
}

enum rc_err
rc_slurm_calls_open(struct rc_slurm *s)
{
    s->batch = calloc(BATCH_MAX, sizeof(void *));
    s->flush_event = event_new(s->config.base, -1, 0, on_write_flush, s);
    return s->batch && s->flush_event ? RC_OK : RC_E_FULL;
}

void
rc_slurm_calls_close(struct rc_slurm *s)
{
    struct slurm_op *op;

    while ((op = TAILQ_FIRST(&s->waiting)) != NULL) {
        TAILQ_REMOVE(&s->waiting, op, link);
        free(op);
    }
    for (uint32_t i = 0; s->batch && i < s->batch_count; i++) {
        free(s->batch[i]);
    }
    free(s->batch);
    if (s->flush_event) {
        event_free(s->flush_event);
    }
}
