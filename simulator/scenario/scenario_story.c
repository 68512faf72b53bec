/* scenario_story.c - reads story.txt; see docs/scenarios.md for the format.
 *
 * Strict: an unknown header word, a time that goes back, a line after "end" or a
 * story without "end" is an error with its line. */
#define _GNU_SOURCE
#include "simulator/scenario/scenario_story.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/jsonc.h"
#include "reconciler/core/event.h"

struct unit {
    const char *name;
    int64_t ms;
};

static const struct unit units[] = {
    {"d", 86400000}, {"h", 3600000}, {"ms", 1}, {"m", 60000}, {"s", 1000}};

bool
rc_scen_duration(const char *text, int64_t *ret_ms)
{
    int64_t sum_ms = 0;

    if (!*text) {
        return false;
    }
    while (*text) {
        char *end;
        size_t u = 0;
        unsigned long long n = strtoull(text, &end, 10);

        if (end == text || *text < '0' || *text > '9' || n > 100000) {
            return false;
        }
        while (u < sizeof units / sizeof *units &&
               strncmp(end, units[u].name, strlen(units[u].name)) != 0) {
            u++;
        }
        if (u == sizeof units / sizeof *units) {
            return false;
        }
        sum_ms += (int64_t)n * units[u].ms;
        text = end + strlen(units[u].name);
    }
    *ret_ms = sum_ms;
    return true;
}

void
rc_scen_duration_show(int64_t ms, char *buf, size_t room)
{
    long long days = ms / 86400000, hours = ms / 3600000 % 24, minutes = ms / 60000 % 60;
    long long seconds = ms / 1000 % 60, rest = ms % 1000;
    size_t used = 0;

    buf[0] = '\0';
    if (days) {
        used += (size_t)snprintf(buf + used, room - used, "%lldd", days);
    }
    if (hours) {
        used += (size_t)snprintf(buf + used, room - used, "%lldh", hours);
    }
    if (minutes) {
        used += (size_t)snprintf(buf + used, room - used, "%lldm", minutes);
    }
    if (rest) {
        snprintf(buf + used, room - used, "%lld.%03llds", seconds, rest);
    } else if (seconds || !used) {
        snprintf(buf + used, room - used, "%llds", seconds);
    }
}

char *
rc_scen_file_read(const char *path)
{
    FILE *f = rc_load_open(path);
    char *text = NULL;
    size_t room = 0;

    if (!f) {
        return NULL;
    }
    /* A NUL in the file ends it: these are texts. */
    if (getdelim(&text, &room, '\0', f) < 0) {
        free(text);
        text = ferror(f) ? NULL : strdup("");
    }
    fclose(f);
    return text;
}

bool
rc_scen_split(const char *text, struct rc_scen_words *ret)
{
    char *at = ret->room;

    ret->count = 0;
    if (strlen(text) >= sizeof ret->room) {
        return false;
    }
    memcpy(at, text, strlen(text) + 1);
    for (;;) {
        at += strspn(at, " \t");
        if (!*at) {
            return true;
        }
        if (ret->count == SCEN_WORDS_MAX) {
            return false;
        }
        bool quoted = *at == '"';
        ret->v[ret->count++] = at + quoted;
        char *end = strpbrk(at + quoted, quoted ? "\"" : " \t");
        if (!end) {
            return !quoted;
        }
        *end = '\0';
        at = end + 1;
    }
}

static enum rc_err
wrong(const struct rc_scen_story *st, unsigned number, const char *what, struct rc_error *e)
{
    return rc_fail(e, RC_E_PARSE, "%s:%u: %s", st->file, number, what);
}

static bool
take_subnets(struct rc_group *g, char *list)
{
    char *save = NULL;

    g->option_count = 0;
    for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
        if (g->option_count == RC_OPTIONS_MAX ||
            !rc_text_set(g->option[g->option_count].subnet, RC_ID_LEN, s)) {
            return false;
        }
        rc_text_set(g->option[g->option_count++].az, RC_AZ_LEN, "us-east-1a");
    }
    return g->option_count > 0;
}

static bool
take_capacity(struct rc_group *g, const char *word)
{
    static const char *const names[] = {[RC_CAPACITY_OPEN] = "open",
                                        [RC_CAPACITY_RESERVED] = "reserved",
                                        [RC_CAPACITY_BLOCK] = "block"};

    for (uint32_t i = 0; i < RC_CAPACITY__MAX; i++) {
        if (strcmp(names[i], word) == 0) {
            g->capacity = i;
            return true;
        }
    }
    return false;
}

/* "cluster nodes=gpu-[1-16] subnets=subnet-a,subnet-b capacity=open partition=gpu" */
static bool
take_cluster(struct rc_scen_story *st, const struct rc_scen_words *w)
{
    struct rc_group *g = &st->cluster.group[0];

    for (unsigned i = 1; i < w->count; i++) {
        char *value = strchr(w->v[i], '=');
        bool good = false;

        if (!value) {
            return false;
        }
        *value++ = '\0';
        if (strcmp(w->v[i], "nodes") == 0) {
            good = rc_text_set(st->nodes, sizeof st->nodes, value) &&
                   rc_text_set(g->nodes, sizeof g->nodes, value);
        } else if (strcmp(w->v[i], "subnets") == 0) {
            good = take_subnets(g, value);
        } else if (strcmp(w->v[i], "capacity") == 0) {
            good = take_capacity(g, value);
        } else if (strcmp(w->v[i], "partition") == 0) {
            good = rc_text_set(st->partition, sizeof st->partition, value);
        } else if (strcmp(w->v[i], "reservation") == 0) {
            good = rc_text_set(g->option[0].reservation, RC_ID_LEN, value);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

/* "controllers head1,head2 leader=head2": a template for each zone that the nodes have. */
static bool
take_controllers(struct rc_scen_story *st, const struct rc_scen_words *w)
{
    struct rc_cluster *c = &st->cluster;
    char *save = NULL;

    c->controller_count = 0;
    for (char *h = w->count > 1 ? strtok_r(w->v[1], ",", &save) : NULL; h;
         h = strtok_r(NULL, ",", &save)) {
        if (c->controller_count == RC_CONTROLLERS_MAX ||
            !rc_text_set(c->controller[c->controller_count++].host, RC_NODE_LEN, h)) {
            return false;
        }
    }
    c->controllers = c->group[0];
    c->controllers.capacity = RC_CAPACITY_OPEN;
    rc_text_set(c->controllers.name, sizeof c->controllers.name, "controllers");
    rc_text_set(c->controllers.template_id, sizeof c->controllers.template_id, "lt-2");
    st->leader = 1;
    if (w->count == 3 && strncmp(w->v[2], "leader=", 7) == 0) {
        st->leader = strcmp(w->v[2] + 7, c->controller[0].host) == 0 ? 0 : 1;
        return c->controller_count == RC_CONTROLLERS_MAX &&
               strcmp(w->v[2] + 7, c->controller[st->leader].host) == 0;
    }
    return c->controller_count == RC_CONTROLLERS_MAX && w->count == 2;
}

static void
default_cluster(struct rc_scen_story *st)
{
    struct rc_cluster *c = &st->cluster;
    struct rc_group *g = &c->group[0];
    char subnets[] = "subnet-a,subnet-b";

    rc_text_set(c->name, sizeof c->name, "prod-a");
    rc_text_set(c->region, sizeof c->region, "us-east-1");
    rc_text_set(st->nodes, sizeof st->nodes, "gpu-[1-16]");
    rc_text_set(st->partition, sizeof st->partition, "gpu");
    c->group_count = 1;
    c->lease_term_ms = 30000;
    c->lease_margin_ms = 3000;
    c->poll_instances_ms = 30000;
    c->poll_slurm_ms = 10000;
    rc_text_set(g->name, sizeof g->name, "gpu");
    rc_text_set(g->nodes, sizeof g->nodes, st->nodes);
    rc_text_set(g->template_id, sizeof g->template_id, "lt-1");
    g->template_version = 1;
    take_subnets(g, subnets);
}

static bool
take_set(struct rc_scen_story *st, const char *text, unsigned number)
{
    if (st->set_count == RC_POLICY_SETS_MAX ||
        !rc_policy_set_parse(text, &st->set[st->set_count])) {
        return false;
    }
    st->set[st->set_count++].line = number;
    return true;
}

static enum rc_err
take_header(struct rc_scen_story *st, const char *dir, const char *text, unsigned number,
            struct rc_error *e)
{
    struct rc_scen_words w = {.count = 0};

    if (!rc_scen_split(text, &w) || !w.count) {
        return wrong(st, number, "too long, or a quote is open", e);
    }
    assert(w.count > 0); /* an empty line is no header */
    if (strcmp(w.v[0], "cluster") == 0) {
        return take_cluster(st, &w)
                   ? RC_OK
                   : wrong(st, number,
                           "cluster: expected nodes=HOSTLIST subnets=NAME,NAME "
                           "capacity=open|reserved|block partition=NAME reservation=ID",
                           e);
    }
    if (strcmp(w.v[0], "controllers") == 0) {
        return take_controllers(st, &w)
                   ? RC_OK
                   : wrong(st, number, "controllers: expected HEAD,HEAD [leader=HEAD]", e);
    }
    if (strcmp(w.v[0], "policy") == 0 && w.count == 2) {
        int n = snprintf(st->policy, sizeof st->policy, "%s/%s", *w.v[1] == '/' ? "" : dir, w.v[1]);
        return n > 0 && (size_t)n < sizeof st->policy ? RC_OK
                                                      : wrong(st, number, "path too long", e);
    }
    if (strcmp(w.v[0], "set") == 0 && w.count == 2) {
        return take_set(st, w.v[1], number)
                   ? RC_OK
                   : wrong(st, number, "set: expected KEY=VALUE, 32 of them at most", e);
    }
    return wrong(
        st, number,
        "expected a comment (#), cluster, controllers, policy FILE, set KEY=VALUE, or +TIME", e);
}

static enum rc_err
read_story_line(struct rc_scen_story *st, char *text, unsigned number, struct rc_error *e)
{
    char *blank = text + strcspn(text, " \t");
    int64_t before_ms = st->line_count ? st->lines[st->line_count - 1].at_ms : 0, at_ms;
    char end = *blank;

    *blank = '\0';
    if (!end || !rc_scen_duration(text + 1, &at_ms)) {
        return wrong(st, number, "expected +TIME and what happens, such as +1h30m end", e);
    }
    if (at_ms < before_ms) {
        return wrong(st, number, "time goes back", e);
    }
    if (st->line_count && strcmp(st->lines[st->line_count - 1].text, "end") == 0) {
        return wrong(st, number, "the story has ended above", e);
    }
    struct rc_scen_line *more = realloc(st->lines, (st->line_count + 1) * sizeof *more);
    if (!more) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    st->lines = more;
    blank++;
    blank += strspn(blank, " \t");
    more[st->line_count] =
        (struct rc_scen_line){.at_ms = at_ms, .number = number, .text = strdup(blank)};
    return more[st->line_count++].text ? RC_OK : rc_fail(e, RC_E_INTERNAL, "no memory");
}

static enum rc_err
take_text(struct rc_scen_story *st, const char *dir, char *text, struct rc_error *e)
{
    unsigned number = 0;

    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        number++;
        line += strspn(line, " \t");
        for (size_t len = strlen(line); len && strchr(" \t\r", line[len - 1]); len--) {
            line[len - 1] = '\0';
        }
        if (!*line || *line == '#') {
            continue;
        }
        enum rc_err err = *line == '+' ? read_story_line(st, line, number, e)
                                       : take_header(st, dir, line, number, e);
        if (err != RC_OK) {
            return err;
        }
    }
    if (!st->line_count || strcmp(st->lines[st->line_count - 1].text, "end") != 0) {
        return wrong(st, number, "the last line must be +TIME end", e);
    }
    return RC_OK;
}

enum rc_err
rc_scen_story_read(const char *dir, struct rc_scen_story *ret, struct rc_error *e)
{
    memset(ret, 0, sizeof *ret);
    snprintf(ret->file, sizeof ret->file, "%s/story.txt", dir);
    default_cluster(ret);
    char *text = rc_scen_file_read(ret->file);
    if (!text) {
        return rc_fail(e, RC_E_IO, "%s: cannot be read", ret->file);
    }
    enum rc_err err = take_text(ret, dir, text, e);
    free(text);
    return err;
}

void
rc_scen_story_free(struct rc_scen_story *st)
{
    for (unsigned i = 0; i < st->line_count; i++) {
        free(st->lines[i].text);
    }
    free(st->lines);
    st->lines = NULL;
    st->line_count = 0;
}
