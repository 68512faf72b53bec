/* scenario_play.c - the virtual clock of a story: its lines, what the world has
 * in store, and the core's own deadlines, always the earliest next.
 *
 * A journal is kept in memory for stories in which the daemon restarts: what the
 * real one writes to disk, folded back in the same way. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/load.h"
#include "reconciler/core/stored.h"
#include "simulator/scenario/scenario.h"
#include "simulator/scenario/scenario_world.h"

enum { BEGIN_MS = 1000000, STEPS_AT_ONE_MOMENT = 20000 };

static const struct rc_capacity_limits capacity = {
    .nodes = SCEN_NODES_MAX, .incidents = SCEN_ITEMS_MAX, .messages = SCEN_MESSAGES_MAX};

/* ---- the journal ---- */

struct entry {
    bool is_action;
    union {
        struct rc_event ev;
        struct rc_action a;
    } u;
};

struct rc_scen_journal {
    struct entry *v;
    size_t count, room;
};

static struct entry *
journal_add(struct rc_scen_run *r)
{
    struct rc_scen_journal *j = r->journal;

    if (!j) {
        return NULL;
    }
    if (j->count == j->room) {
        size_t room = j->room ? j->room * 2 : 1024;
        struct entry *more = realloc(j->v, room * sizeof *more);
        if (!more) {
            rc_fail(&r->error, RC_E_INTERNAL, "no memory");
            return NULL;
        }
        j->v = more;
        j->room = room;
    }
    memset(&j->v[j->count], 0, sizeof *j->v);
    return &j->v[j->count++];
}

static void
journal_step(struct rc_scen_run *r, const struct rc_event *ev)
{
    struct entry *e = journal_add(r);

    if (e) {
        e->u.ev = *ev;
    }
    for (uint32_t i = 0; e && i < r->out.count; i++) {
        e = journal_add(r);
        if (e) {
            e->is_action = true;
            e->u.a = r->out.v[i];
        }
    }
}

/* ---- one event ---- */

static void
adopt_items(struct rc_scen_run *r)
{
    for (unsigned i = 0; i < r->past_count; i++) {
        struct rc_event ev;

        rc_event_init(&ev, RC_EV_HISTORY);
        memcpy(ev.node, r->past[i].node, sizeof ev.node);
        ev.u.history = r->past[i].history;
        rc_scen_give(r, &ev);
    }
    for (unsigned i = 0; i < r->item_count; i++) {
        const struct rc_scen_item *it = &r->item[i];
        struct rc_event ev;

        rc_stored_event(&ev, it->node, it->incident, &it->item);
        rc_scen_give(r, &ev);
    }
}

void
rc_scen_give(struct rc_scen_run *r, struct rc_event *ev)
{
    if (r->error.code != RC_OK) {
        return;
    }
    if (ev->kind == RC_EV_LEASE && ev->u.lease.held && r->adopt) {
        r->adopt = false;
        adopt_items(r);
        for (unsigned i = 0; i < r->node_count; i++) {
            rc_scen_show_node_later(r, &r->node[i], 0);
        }
    }
    if (++r->steps_here > STEPS_AT_ONE_MOMENT) {
        rc_fail(&r->error, RC_E_INTERNAL, "%s: the core does not come to rest", r->story.file);
        return;
    }
    ev->at_ms = r->now_ms;
    ev->wall_ms = rc_scen_wall_ms(r);
    rc_step(r->s, ev, &r->out);
    journal_step(r, ev);
    for (uint32_t i = 0; i < r->out.count; i++) {
        rc_scen_show_action(r, &r->out.v[i]);
    }
    for (uint32_t i = 0; i < r->out.count; i++) {
        rc_scen_world_act(r, &r->out.v[i]);
    }
    if (!r->out.full) {
        rc_scen_show_blocks(r);
    }
}

static void
tick(struct rc_scen_run *r)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_TICK);
    rc_scen_give(r, &ev);
}

/* ---- the daemon's life ---- */

static void
daemon_begin(struct rc_scen_run *r)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 7;
    if (r->head_count) {
        memcpy(ev.u.start.host, r->head[r->self].name, sizeof ev.u.start.host);
    }
    rc_scen_give(r, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &r->story.cluster;
    rc_scen_give(r, &ev);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &r->policy;
    rc_scen_give(r, &ev);
}

static bool
state_new(struct rc_scen_run *r)
{
    void *mem = calloc(1, rc_state_size(&capacity));

    if (!mem) {
        rc_fail(&r->error, RC_E_INTERNAL, "no memory");
        return false;
    }
    free(r->s);
    r->s = rc_state_init(mem, &capacity);
    return true;
}

/* Answers on their way die with the daemon; what they tell of has happened. */
static void
forget_answers(struct rc_scen_run *r)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < r->later_count; i++) {
        if (r->later[i].kind != SCEN_COMPLETE && r->later[i].kind != SCEN_LOOKED &&
            r->later[i].kind != SCEN_REDELIVER) {
            r->later[kept++] = r->later[i];
        }
    }
    r->later_count = kept;
}

void
rc_scen_daemon_end(struct rc_scen_run *r, bool keep_journal)
{
    const struct rc_scen_journal *j = r->journal;

    forget_answers(r);
    if (!state_new(r)) {
        return;
    }
    for (size_t i = 0; keep_journal && j && i < j->count; i++) {
        if (j->v[i].is_action) {
            rc_note(r->s, &j->v[i].u.a);
        } else {
            rc_fold(r->s, &j->v[i].u.ev);
        }
    }
    r->breaker_open = r->s->breaker_open; /* a successor has yet to read of it */
    if (!keep_journal) {
        r->self = r->head_count ? 1 - r->self : 0;
        r->msg = 0;
        r->lease_free_ms = r->now_ms + r->story.cluster.lease_term_ms;
        if (r->journal) {
            r->journal->count = 0;
        }
    }
    r->epoch++;
    r->adopt = true;
    daemon_begin(r);
    rc_scen_world_show_all(r);
    for (unsigned i = 0; i < r->message_count; i++) {
        if (!keep_journal) {
            r->message[i].msg = 0; /* numbers begin anew */
        }
        if (!r->message[i].deleted) {
            rc_scen_later_add(r, SCEN_VISIBILITY_MS, SCEN_REDELIVER, i, 0);
        }
    }
}

/* ---- the clock ---- */

static const struct rc_scen_later *
earliest(const struct rc_scen_run *r)
{
    const struct rc_scen_later *best = NULL;

    for (unsigned i = 0; i < r->later_count; i++) {
        const struct rc_scen_later *l = &r->later[i];
        if (!best || l->at_ms < best->at_ms ||
            (l->at_ms == best->at_ms && l->order < best->order)) {
            best = l;
        }
    }
    return best;
}

static void
move_clock(struct rc_scen_run *r, int64_t to_ms)
{
    if (to_ms > r->now_ms) {
        r->now_ms = to_ms;
        r->steps_here = 0;
    }
}

/* Everything that is due up to and with end_ms. */
static void
run_until(struct rc_scen_run *r, int64_t end_ms)
{
    while (r->error.code == RC_OK) {
        const struct rc_scen_later *l = earliest(r);
        int64_t due_ms = rc_next_deadline(r->s);

        if (l && l->at_ms <= end_ms && l->at_ms <= due_ms) {
            struct rc_scen_later now = *l;
            r->later[l - r->later] = r->later[--r->later_count];
            move_clock(r, now.at_ms);
            rc_scen_world_happen(r, &now);
        } else if (due_ms <= end_ms) {
            move_clock(r, due_ms);
            tick(r);
        } else {
            break;
        }
    }
    move_clock(r, end_ms);
}

static void
play_line(struct rc_scen_run *r, const struct rc_scen_line *line)
{
    struct rc_scen_words w;
    char why[200] = "too many words, or a quote is open";

    rc_scen_say(r, '>', "%s", line->text);
    bool good = rc_scen_split(line->text, &w);
    if (good && strcmp(w.v[0], "event") == 0) {
        good = rc_scen_line_event(r, line->text, why, sizeof why);
    } else if (good && strcmp(w.v[0], "message") == 0) {
        good = rc_scen_line_message(r, line->text, why, sizeof why);
    } else if (good) {
        good = rc_scen_tell(r, &w, why, sizeof why);
    }
    if (!good && r->error.code == RC_OK) {
        rc_fail(&r->error, RC_E_PARSE, "%s:%u: %s", r->story.file, line->number, why);
    }
}

static void
play(struct rc_scen_run *r)
{
    r->begin_ms = r->now_ms = BEGIN_MS;
    r->epoch = 1;
    r->silent = true;
    rc_scen_world_begin(r);
    daemon_begin(r);
    rc_scen_world_show_all(r);
    run_until(r, r->now_ms);
    r->silent = false;
    memset(r->count, 0, sizeof r->count);
    for (unsigned i = 0; i < r->story.line_count && r->error.code == RC_OK; i++) {
        const struct rc_scen_line *line = &r->story.lines[i];
        /* What is due at the line's own time comes after it. */
        run_until(r, r->begin_ms + line->at_ms - (line->at_ms > 0));
        move_clock(r, r->begin_ms + line->at_ms);
        if (strcmp(line->text, "end") != 0) {
            play_line(r, line);
        }
    }
    if (r->error.code == RC_OK) {
        rc_scen_show_end(r);
    }
}

bool
rc_scen_journal_wanted(const struct rc_scen_run *r)
{
    for (unsigned i = 0; i < r->story.line_count; i++) {
        if (strncmp(r->story.lines[i].text, "daemon restarts", 15) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc_err
load(struct rc_scen_run *r, const char *dir, const char *policy_file)
{
    struct rc_load_errors errs = {.count = 0};

    if (rc_scen_story_read(dir, &r->story, &r->error) != RC_OK) {
        return r->error.code;
    }
    if (!policy_file && !*r->story.policy) {
        return rc_fail(&r->error, RC_E_PARSE, "%s: names no policy, and none was given",
                       r->story.file);
    }
    const char *path = policy_file ? policy_file : r->story.policy;
    uint32_t sets = policy_file ? 0 : r->story.set_count;
    if (rc_policy_load_file_with(path, r->story.set, sets, &r->policy, &errs) != RC_OK) {
        return sets ? rc_fail(&r->error, RC_E_PARSE, "%s: policy with its set lines: %s",
                              r->story.file, errs.line[0])
                    : rc_fail(&r->error, RC_E_PARSE, "%s", errs.line[0]);
    }
    if (rc_scen_journal_wanted(r)) {
        r->journal = calloc(1, sizeof *r->journal);
    }
    return state_new(r) ? RC_OK : r->error.code;
}

static void
run_free(struct rc_scen_run *r)
{
    if (r->journal) {
        free(r->journal->v);
        free(r->journal);
    }
    rc_scen_story_free(&r->story);
    free(r->s);
    free(r);
}

enum rc_err
rc_scenario_play(const char *dir, const char *policy_file, char **ret_text, struct rc_error *e)
{
    struct rc_scen_run *r = calloc(1, sizeof *r);
    char *text = NULL;
    size_t len = 0;

    if (!r) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    r->out_text = open_memstream(&text, &len);
    if (!r->out_text) {
        free(r);
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    if (load(r, dir, policy_file) == RC_OK) {
        play(r);
    }
    fclose(r->out_text);
    enum rc_err err = r->error.code;
    if (err == RC_OK) {
        *ret_text = text;
    } else {
        if (e) {
            *e = r->error;
        }
        free(text);
    }
    run_free(r);
    return err;
}
