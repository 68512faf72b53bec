/* fake_slurm.c - a Slurm helper without Slurm, for the client's tests.
 *
 * Reader: answers from the file $FAKE_NODES: its first line is the update time, each
 * other one the fields of a node row. No file: slurm-unreachable, errno 1800.
 * Writer: appends each request to $FAKE_LOG; the node's name says how it goes:
 * foreign*, gone*, refuse*, low*, silent*; "slow*" takes 200 ms, "waits*" makes a poll last 500 ms,
 * "crash*" ends it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/helper/helper_server.h"

static enum rc_err
no_slurmctld(struct rc_error *e)
{
    (void)rc_fail(e, RC_E_SLURM_DOWN, "reading the nodes: cannot contact slurmctld");
    (void)snprintf(e->service_code, sizeof e->service_code, "1800");
    return e->code;
}

static void
write_row(struct rc_reply *r, char *text)
{
    struct rc_line_out *out = rc_reply_begin(r, "node");
    char *rest = NULL;

    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        char *value = strchr(word, '=');

        if (value) {
            *value++ = '\0';
            for (char *c = value; *c; c++) {
                *c = *c == '_' ? ' ' : *c;
            }
            rc_line_put(out, word, value);
        }
    }
    rc_reply_end(r);
}

static bool
in_list(const char *names, const char *row)
{
    const char *name = row + strlen("name=");
    size_t len = strcspn(name, " \n");

    while (names && *names) {
        size_t item = strcspn(names, ",");

        if (item == len && strncmp(names, name, len) == 0) {
            return true;
        }
        names += item + (names[item] == ',' ? 1 : 0);
    }
    return false;
}

static enum rc_err
read_file(struct rc_reply *r, const char *names, uint64_t since, struct rc_error *e)
{
    FILE *file = fopen(getenv("FAKE_NODES"), "re");
    char line[1024];
    struct rc_line_out *out;
    unsigned long long time;

    if (!file) {
        return no_slurmctld(e);
    }
    time = fgets(line, sizeof line, file) ? strtoull(line, NULL, 10) : 0;
    if (names || since != time) {
        while (fgets(line, sizeof line, file)) {
            if (!names && strncmp(line, "name=waits", 10) == 0) {
                (void)usleep(500000);
            }
            if (!names || in_list(names, line)) {
                write_row(r, line);
            }
        }
    }
    (void)fclose(file);
    out = rc_reply_begin(r, "ok");
    rc_line_put_u64(out, "time", time);
    if (since == time) {
        rc_line_put_u64(out, "unchanged", 1);
    }
    rc_reply_end(r);
    return RC_OK;
}

static enum rc_err
run_nodes(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    return read_file(r, NULL, rc_line_number(req, "since", UINT64_MAX, 0), e);
}

static enum rc_err
run_node(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    return read_file(r, rc_line_text(req, "names", ""), UINT64_MAX, e);
}

static enum rc_err
run_config(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct rc_line_out *out = rc_reply_begin(r, "ok");

    (void)arg;
    (void)req;
    (void)e;
    rc_line_put_u64(out, "slurm_uid", 64030);
    rc_reply_end(r);
    return RC_OK;
}

static enum rc_err
run_ping(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct rc_line_out *out = rc_reply_begin(r, "ok");

    (void)arg;
    (void)req;
    (void)e;
    rc_line_put(out, "primary", "1");
    rc_reply_end(r);
    return RC_OK;
}

static void
log_request(const struct rc_line *req)
{
    FILE *file = fopen(getenv("FAKE_LOG"), "ae");

    if (!file) {
        _exit(4);
    }
    (void)fprintf(file, "%s", req->word);
    for (uint32_t i = 0; i < req->field_count; i++) {
        (void)fprintf(file, "|%s", req->field[i].value);
    }
    (void)fprintf(file, "\n");
    (void)fclose(file);
}

static void
answer(struct rc_reply *r, const char *name, const char *good)
{
    static const char *const ways[][2] = {
        {"foreign", "foreign"}, {"gone", "missing"}, {"refuse", "refused"}, {"low", "invalid-reg"}};
    struct rc_line_out *out;

    if (strncmp(name, "silent", 6) == 0) {
        return;
    }
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        good = strncmp(name, ways[i][0], strlen(ways[i][0])) == 0 ? ways[i][1] : good;
    }
    out = rc_reply_begin(r, "node");
    rc_line_put(out, "name", name);
    rc_line_put(out, "result", good);
    rc_line_put(out, "reason", strcmp(good, "foreign") == 0 ? "operator: keep" : "");
    rc_reply_end(r);
}

static enum rc_err
run_update(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    char *names = strdup(rc_line_text(req, "names", ""));
    const char *good = strcmp(req->word, "resume") == 0 ? "resumed" : "drained";
    char *rest = NULL;

    (void)arg;
    (void)e;
    log_request(req);
    if (!names || strstr(names, "crash")) {
        _exit(5);
    }
    if (strstr(names, "slow")) {
        (void)usleep(200000);
    }
    if (strcmp(good, "drained") == 0) {
        (void)rc_reply_begin(r, "accepted");
        rc_reply_end(r);
        rc_reply_flush(r);
    }
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        answer(r, name, good);
    }
    free(names);
    return RC_OK;
}

static enum rc_err
run_jobs(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    static const char *const jobs[][3] = {
        {"7", "done", ""}, {"8", "not-requeueable", "it says Requeue=0"}, {"9", "gone", ""}};

    (void)arg;
    (void)e;
    log_request(req);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        struct rc_line_out *out = rc_reply_begin(r, "job");

        rc_line_put(out, "id", jobs[i][0]);
        rc_line_put(out, "result", jobs[i][1]);
        rc_line_put(out, "text", jobs[i][2]);
        rc_reply_end(r);
    }
    return RC_OK;
}

static enum rc_err
run_plain(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    (void)arg;
    (void)r;
    log_request(req);
    if (strcmp(req->word, "takeover") == 0) {
        return rc_fail(e, RC_E_SLURM_REFUSED, "no backup");
    }
    return RC_OK;
}

int
main(int argc, char **argv)
{
    static const struct rc_verb verbs[] = {
        {"nodes", run_nodes},       {"node", run_node},        {"config", run_config},
        {"ping", run_ping},         {"drain", run_update},     {"down", run_update},
        {"resume", run_update},     {"jobs-signal", run_jobs}, {"jobs-requeue", run_jobs},
        {"reconfigure", run_plain}, {"takeover", run_plain},   {NULL, NULL},
    };
    const struct rc_helper_service service = {
        .role = argc > 2 ? argv[2] : "", .product = "slurm", .release = "22.05.8", .verbs = verbs};

    rc_helper_adopt_parent();
    return rc_helper_serve(&service, 0, 1);
}
