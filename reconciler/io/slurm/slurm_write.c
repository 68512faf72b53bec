/* slurm_write.c - the writer's verbs on node states: drain, down, resume.
 *
 * The order of drain and down, verified on slurmctld 22.05.8 (750 nodes: 7 ms for the
 * state, 8 ms for the reason):
 *   1. the state WITHOUT a reason: slurmctld takes it at once and keeps whatever
 *      reason stands there, with its user and its time;
 *   2. "accepted" goes to the daemon;
 *   3. the nodes are read, and our reason is set only on those whose reason is
 *      empty, ours or slurmctld's own.
 * 24.11 keeps a reason after RESUME, so a foreign reason may be a leftover on a node
 * that was in service until step 1. The daemon, which saw it there, says so in stale=,
 * with the reason's time: another reason, or another time, is an operator's. An agent (here=)
 * reads its node before it drains it, and sees for itself.
 * A registration with less than is configured makes 24.11 write its own reason over
 * whatever stands on the node (slurmctld/node_mgr.c validate_node_specs), ours included:
 * a drain by us takes it back. slurmctld has no compare-and-set: an operator who writes a reason
 * between the read and our write (about 1 ms) loses it. A list with an unknown name is applied to
 * the known ones all the same, so errors of single nodes are told by the read, not by the update's
 * return code. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/slurm/slurm_helper.h"
#include "reconciler/io/slurm/slurm_words.h"

/* What became of one node; the text of the row. */
enum result {
    RESULT_MISSING,
    RESULT_DONE, /* drained, down or resumed */
    RESULT_FOREIGN,
    RESULT_REFUSED,
    RESULT_NOT_DRAINED,
    RESULT_INVALID_REG,
    RESULT_ELSEWHERE, /* asked for by an instance that has lost the name */
};

struct verdict {
    enum result result;
    bool chosen;  /* gets the second update */
    char *reason; /* what stands there */
    char *left;   /* what stood there in service, which is nobody's drain; or NULL */
    int64_t left_time;
};

struct marking {
    struct name_set names;
    struct verdict *verdict; /* one for each name */
    const char *reason;      /* ours */
    const char *stale;       /* "name@time,…": foreign reasons that are leftovers */
    uint32_t wanted;         /* flag that the state sets: RC_SN_DRAIN or RC_SN_DOWN */
    uint32_t slurm_uid;
};

static enum rc_err
send_update(const char *names, uint32_t state, const char *reason, struct rc_error *e)
{
    char *names_copy = strdup(names);
    char *reason_copy = reason ? strdup(reason) : NULL;
    enum rc_err err = RC_OK;
    update_node_msg_t msg;

    if (!names_copy || (reason && !reason_copy)) {
        err = rc_fail(e, RC_E_FULL, "no memory for an update");
    } else {
        slurm_init_update_node_msg(&msg);
        msg.node_names = names_copy;
        msg.node_state = state;
        msg.reason = reason_copy;
        msg.reason_uid = reason ? geteuid() : msg.reason_uid;
        if (slurm_update_node(&msg) != SLURM_SUCCESS) {
            err = rc_slurm_fail(e, "updating nodes");
        }
    }
    free(names_copy);
    free(reason_copy);
    return err;
}

/* Errors of single nodes: the rows tell them. */
static bool
of_single_nodes(enum rc_err err)
{
    return err == RC_E_NOT_FOUND || err == RC_E_STATE;
}

static enum rc_err
marking_open(struct marking *m, const struct rc_line *req, struct rc_error *e)
{
    enum rc_err err = rc_slurm_names_expand(rc_line_get(req, "names"), &m->names, e);

    if (err == RC_OK) {
        m->verdict = calloc(m->names.count, sizeof *m->verdict);
        err = m->verdict ? RC_OK : rc_fail(e, RC_E_FULL, "no memory for %zu nodes", m->names.count);
    }
    return err;
}

static void
marking_close(struct marking *m)
{
    for (size_t i = 0; m->verdict && i < m->names.count; i++) {
        free(m->verdict[i].reason);
        free(m->verdict[i].left);
    }
    free(m->verdict);
    rc_slurm_names_free(&m->names);
}

/* The chosen names as a comma list, NULL when there are none or memory is short. */
static char *
chosen_names(const struct marking *m)
{
    size_t room = 1, len = 0;
    char *list;

    for (size_t i = 0; i < m->names.count; i++) {
        room += m->verdict[i].chosen ? strlen(m->names.name[i]) + 1 : 0;
    }
    list = room > 1 ? malloc(room) : NULL;
    for (size_t i = 0; list && i < m->names.count; i++) {
        if (m->verdict[i].chosen) {
            len += (size_t)snprintf(list + len, room - len, "%s%s", len > 0 ? "," : "",
                                    m->names.name[i]);
        }
    }
    return list;
}

static enum rc_err
update_chosen(struct marking *m, uint32_t state, const char *reason, struct rc_error *e)
{
    char *list = chosen_names(m);
    enum rc_err err = list ? send_update(list, state, reason, e) : RC_OK;

    free(list);
    return err;
}

static void
write_rows(const struct marking *m, const char *done, struct rc_reply *r)
{
    for (size_t i = 0; i < m->names.count; i++) {
        static const char *const words[] = {"missing",     NULL,          "foreign",  "refused",
                                            "not-drained", "invalid-reg", "elsewhere"};
        const struct verdict *v = &m->verdict[i];
        struct rc_line_out *out = rc_reply_begin(r, "node");

        rc_line_put(out, "name", m->names.name[i]);
        rc_line_put(out, "result", v->result == RESULT_DONE ? done : words[v->result]);
        rc_line_put(out, "reason", v->reason);
        rc_reply_end(r);
    }
}

/* Keeps the reason that stands there, and finds the owner of it. */
static struct verdict *
judge_node(struct marking *m, const node_info_t *node, enum rc_owner *ret_owner)
{
    long at = rc_slurm_names_find(&m->names, node->name);
    const char *reason = node->reason ? node->reason : "";

    assert(at >= 0);
    free(m->verdict[at].reason);
    m->verdict[at].reason = strdup(reason);
    *ret_owner = rc_slurm_owner(reason, node->reason_uid, m->slurm_uid);
    return &m->verdict[at];
}

/* Is the reason that stands there the leftover that the daemon saw in service? */
static bool
is_stale(const char *list, const node_info_t *node)
{
    char key[RC_NODE_LEN + 32];
    size_t len;

    (void)snprintf(key, sizeof key, "%s@%lld", node->name, (long long)node->reason_time);
    len = strlen(key);
    for (const char *at = strstr(list, key); at; at = strstr(at + 1, key)) {
        if ((at == list || at[-1] == ',') && (at[len] == ',' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool
is_left(const struct verdict *v, const node_info_t *node)
{
    return v->left && node->reason && strcmp(v->left, node->reason) == 0 &&
           v->left_time == node->reason_time;
}

/* Incident 0: the agent on the node found the fault. It must not take a node away
 * from the incident that has it. */
static bool
found_by_agent(const char *reason)
{
    uint32_t incident = 0;

    return rc_slurm_reason_ours(reason, &incident, NULL) && incident == 0;
}

static enum rc_err
judge_marked(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct marking *m = arg;
    enum rc_owner owner;
    struct verdict *v = judge_node(m, node, &owner);

    (void)e;
    if (!(rc_slurm_node_flags(node) & m->wanted)) {
        v->result = RESULT_REFUSED;
    } else if (owner == RC_OWNER_FOREIGN && !is_stale(m->stale, node) && !is_left(v, node)) {
        v->result = RESULT_FOREIGN;
    } else {
        v->result = RESULT_DONE;
        v->chosen = (!node->reason || strcmp(node->reason, m->reason) != 0) &&
                    (!found_by_agent(m->reason) || owner != RC_OWNER_OURS ||
                     found_by_agent(node->reason) || is_left(v, node));
    }
    return RC_OK;
}

static void
show_our_reason(struct marking *m)
{
    for (size_t i = 0; i < m->names.count; i++) {
        if (m->verdict[i].chosen) {
            free(m->verdict[i].reason);
            m->verdict[i].reason = strdup(m->reason);
        }
    }
}

static enum rc_err
judge_here(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct marking *m = arg;
    enum rc_owner owner;
    struct verdict *v = judge_node(m, node, &owner);

    (void)e;
    v->result = rc_slurm_is_here(node) ? RESULT_DONE : RESULT_ELSEWHERE;
    if (node->reason && *node->reason &&
        !(rc_slurm_node_flags(node) & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL))) {
        free(v->left);
        v->left = strdup(node->reason);
        v->left_time = node->reason_time;
    }
    return RC_OK;
}

/* An agent asks for its own node: one name, which must still be this machine's. That is a read
 * before the drain; the daemon's own drains go without. */
static enum rc_err
look_here(struct marking *m, bool *ret_elsewhere, struct rc_error *e)
{
    enum rc_err err = m->names.count == 1
                          ? rc_slurm_nodes_read(&m->names, judge_here, m, e)
                          : rc_fail(e, RC_E_INVALID, "here: expected the name of one node");

    *ret_elsewhere = err == RC_OK && m->verdict[0].result == RESULT_ELSEWHERE;
    return err;
}

/* Both verbs: state first, then the reason where it may be set. */
static enum rc_err
mark_nodes(struct slurm_helper *h, struct rc_reply *r, const struct rc_line *req, uint32_t state,
           struct rc_error *e)
{
    struct marking m = {.reason = rc_line_text(req, "reason", ""),
                        .stale = rc_line_text(req, "stale", "")};
    bool elsewhere = false;
    enum rc_err err = marking_open(&m, req, e);

    m.wanted = state == NODE_STATE_DRAIN ? RC_SN_DRAIN : RC_SN_DOWN;
    if (err == RC_OK && !rc_slurm_reason_ours(m.reason, NULL, NULL)) {
        err = rc_fail(e, RC_E_INVALID, "reason: expected rc:<incident> <fault>");
    }
    if (err == RC_OK && rc_line_get(req, "here")) {
        err = look_here(&m, &elsewhere, e);
    }
    if (err == RC_OK && !elsewhere) {
        err = send_update(rc_line_get(req, "names"), state, NULL, e);
    }
    if (elsewhere) {
        write_rows(&m, "", r);
    } else if (err == RC_OK || of_single_nodes(err)) {
        (void)rc_reply_begin(r, "accepted");
        rc_reply_end(r);
        rc_reply_flush(r);
        m.slurm_uid = rc_slurm_user_uid(h);
        err = rc_slurm_nodes_read(&m.names, judge_marked, &m, e);
        err = err == RC_OK ? update_chosen(&m, NO_VAL, m.reason, e) : err;
        if (err == RC_OK || of_single_nodes(err)) {
            err = RC_OK;
            show_our_reason(&m);
            write_rows(&m, "drained", r);
        }
    }
    marking_close(&m);
    return err;
}

enum rc_err
rc_slurm_verb_drain(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    return mark_nodes(arg, r, req, NODE_STATE_DRAIN, e);
}

enum rc_err
rc_slurm_verb_down(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    return mark_nodes(arg, r, req, NODE_STATE_DOWN, e);
}

static enum rc_err
judge_drained(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct marking *m = arg;
    uint32_t flags = rc_slurm_node_flags(node);
    enum rc_owner owner;
    struct verdict *v = judge_node(m, node, &owner);

    (void)e;
    if (!(flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL))) {
        v->result = RESULT_NOT_DRAINED;
    } else if (owner != RC_OWNER_OURS && owner != RC_OWNER_NONE) {
        v->result = RESULT_FOREIGN; /* nobody drains without a reason: that is our first half */
    } else if (flags & RC_SN_INVALID_REG) {
        /* slurmctld refuses RESUME until slurmd registers with what is configured. */
        v->result = RESULT_INVALID_REG;
    } else {
        v->result = RESULT_DONE;
        v->chosen = true;
    }
    return RC_OK;
}

/* After a RESUME that was refused for some: which ones are still out? */
static enum rc_err
judge_resumed(void *arg, const node_info_t *node, struct rc_error *e)
{
    struct marking *m = arg;
    enum rc_owner owner;
    struct verdict *v = judge_node(m, node, &owner);

    (void)e;
    if (v->result == RESULT_DONE &&
        (rc_slurm_node_flags(node) & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL)) != 0) {
        v->result = RESULT_REFUSED;
    }
    return RC_OK;
}

enum rc_err
rc_slurm_verb_resume(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct marking m = {.reason = ""};
    enum rc_err err = marking_open(&m, req, e);

    if (err == RC_OK) {
        m.slurm_uid = rc_slurm_user_uid(arg);
        err = rc_slurm_nodes_read(&m.names, judge_drained, &m, e);
    }
    if (err == RC_OK) {
        err = update_chosen(&m, NODE_RESUME, NULL, e);
        if (of_single_nodes(err)) {
            err = rc_slurm_nodes_read(&m.names, judge_resumed, &m, e);
        }
    }
    if (err == RC_OK) {
        write_rows(&m, "resumed", r);
    }
    marking_close(&m);
    return err;
}
