/* controllers.c - see controllers.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/controllers_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "reconciler/io/daemon/report.h"

enum {
    LOOK_MS = 250,
    LOOK_TIMEOUT_MS = 8000,
    LEFT_MS_MAX = 24 * 3600 * 1000,
    ARGV_ROOM = RC_CONFIG_ARGS_MAX + 4,
};

/* ---- posting what changed ---- */

static void
post_host(struct rc_controllers *c, uint32_t i, const struct rc_ev_controller_host *told)
{
    struct rc_event ev;

    /* Padding-free by its asserts: six 32-bit members. */
    if (memcmp(told, &c->host[i], sizeof *told) == 0) {
        return;
    }
    if (told->process != c->host[i].process) {
        rc_eye_look_again(&c->eye[i]); /* what the eye saw was before */
    }
    c->host[i] = *told;
    rc_event_init(&ev, RC_EV_CONTROLLER_HOST);
    rc_text_set(ev.node, sizeof ev.node, c->d->config.cluster.controller[i].host);
    memcpy(ev.instance, c->instance[i], sizeof ev.instance);
    ev.u.controller = *told;
    rc_daemon_post(c->d, &ev);
}

/* ---- what this host is told of itself, and tells the other one ---- */

static void
tell_peer(struct rc_controllers *c)
{
    const struct rc_ev_controller_host *h = &c->host[c->self];
    int64_t now_ms = rc_daemon_now_ms(c->d);
    char line[512];

    (void)snprintf(
        line, sizeof line,
        "facts process=%s pid=%u fenced=%u dir=%s munge=%u instance=%s mode0=%s mode1=%s "
        "age0=%lld age1=%lld epoch=%llu",
        rc_ctl_process_name(h->process), h->pid, h->fenced, rc_ctl_dir_name(h->dir), h->munge,
        c->instance[c->self], rc_ctl_mode_name(c->eye[0].own), rc_ctl_mode_name(c->eye[1].own),
        (long long)(now_ms - c->eye[0].own_ms), (long long)(now_ms - c->eye[1].own_ms),
        (unsigned long long)c->d->state->lease_epoch);
    rc_peer_tell(c->peer, line);
}

static void
read_instance(struct rc_controllers *c)
{
    FILE *f = *c->instance[c->self] ? NULL : fopen(c->d->config.controllers.instance_file, "re");
    char id[RC_ID_LEN] = "";

    if (f && fscanf(f, "%31s", id) == 1 && strncmp(id, "i-", 2) == 0) {
        rc_text_set(c->instance[c->self], RC_ID_LEN, id);
    }
    if (f) {
        (void)fclose(f);
    }
}

static void
on_host_looked(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct rc_controllers *c = arg;
    struct rc_ev_controller_host told = {.link = RC_TOLD_NO};
    const struct timeval every = {.tv_usec = LOOK_MS * 1000};

    (void)e;
    c->looking = false;
    if (ok) {
        told.link = RC_TOLD_YES;
        told.process =
            rc_controllers_word(rc_line_text(ok, "process", ""), rc_ctl_process_name, RC_PROC__MAX);
        told.pid = (uint32_t)rc_line_number(ok, "pid", UINT32_MAX, 0);
        told.fenced = rc_line_number(ok, "fenced", 1, 0) ? RC_TOLD_YES : RC_TOLD_NO;
        told.dir = rc_controllers_word(rc_line_text(ok, "dir", ""), rc_ctl_dir_name, RC_DIR__MAX);
        told.munge = rc_line_number(ok, "munge", 1, 0) ? RC_TOLD_YES : RC_TOLD_NO;
    }
    read_instance(c);
    post_host(c, c->self, &told);
    tell_peer(c);
    (void)event_add(c->look_timer, &every);
}

static void
look_now(struct rc_controllers *c)
{
    struct rc_helper_call call = {NULL, on_host_looked, c, LOOK_TIMEOUT_MS};

    if (c->looking) {
        return;
    }
    rc_line_put_u64(rc_helper_begin(c->hand, "look"), "slow", 1);
    c->looking = rc_helper_send(c->hand, &call, NULL) == RC_OK;
}

static void
on_look_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    look_now(arg);
}

/* ---- the link ---- */

static void
see_epoch(struct rc_controllers *c, uint64_t epoch)
{
    c->epoch = epoch > c->epoch ? epoch : c->epoch;
}

static void
on_peer_facts(void *arg, const struct rc_line *facts)
{
    struct rc_controllers *c = arg;
    uint32_t i = 1 - c->self;
    uint64_t epoch = 0;
    struct rc_ev_controller_host told = {
        .link = RC_TOLD_YES,
        .process = rc_controllers_word(rc_line_text(facts, "process", ""), rc_ctl_process_name,
                                       RC_PROC__MAX),
        .fenced = (uint32_t)rc_line_number(facts, "fenced", RC_TOLD_YES, RC_TOLD_NOT),
        .dir = rc_controllers_word(rc_line_text(facts, "dir", ""), rc_ctl_dir_name, RC_DIR__MAX),
        .munge = (uint32_t)rc_line_number(facts, "munge", RC_TOLD_YES, RC_TOLD_NOT),
        .pid = (uint32_t)rc_line_number(facts, "pid", UINT32_MAX, 0),
    };

    if (rc_line_u64(facts, "epoch", &epoch)) {
        see_epoch(c, epoch);
    }
    (void)rc_text_set(c->instance[i], RC_ID_LEN, rc_line_text(facts, "instance", ""));
    post_host(c, i, &told);
    for (uint32_t k = 0; k < RC_CONTROLLERS_MAX; k++) {
        const char *mode = rc_line_text(facts, k ? "mode1" : "mode0", "");
        uint64_t age_ms = rc_line_number(facts, k ? "age1" : "age0", INT32_MAX, 0);
        rc_eye_post(&c->eye[k], rc_controllers_word(mode, rc_ctl_mode_name, RC_CTL__MAX), true,
                    (int64_t)age_ms);
    }
}

static void
on_peer_link(void *arg, bool up, const char *why)
{
    struct rc_controllers *c = arg;
    const struct rc_ev_controller_host lost = {.link = RC_TOLD_NO};

    rc_report_clip(c->link_text, sizeof c->link_text, why);
    rc_log_event(c->d->log, up ? RC_LOG_INFO : RC_LOG_WARN, "peer", RC_LOG_NOTE, up ? "up" : "down",
                 NULL, "%s", up ? "the daemon of the other controller answers" : why);
    if (!up) {
        post_host(c, 1 - c->self, &lost);
        c->eye[0].peer_known = c->eye[1].peer_known = false; /* the core forgets them too */
    }
}

static void
on_peer_refused(void *arg, enum rc_err kind, const char *why)
{
    struct rc_controllers *c = arg;

    (void)kind;
    rc_report_clip(c->link_text, sizeof c->link_text, why);
    rc_log_event(c->d->log, RC_LOG_ERROR, "peer", RC_LOG_NOTE, "refused", NULL, "%s", why);
}

/* ---- orders ---- */

static void
on_hand_end(void *arg, const struct rc_line *ok, const struct rc_error *e)
{
    struct order *o = arg;
    struct rc_error good;

    rc_fail(&good, RC_OK, "%s", "");
    o->end(o->arg, ok ? &good : e);
    free(o);
}

static int64_t
boot_now_ms(const struct rc_controllers *c)
{
    return rc_daemon_now_ms(c->d) - c->d->core_offset_ms;
}

/* "verb key=value …" as a request to a helper, which refuses it from until_ms on (0 = the helper's
 * own affair): it may be busy, or this daemon may have stood still. */
static enum rc_err
order_hand(struct rc_helper *helper, const char *words, int64_t until_ms, int64_t timeout_ms,
           rc_controllers_end_fn *end, void *arg)
{
    struct order *o = calloc(1, sizeof *o);
    struct rc_helper_call call = {NULL, on_hand_end, o, (uint32_t)timeout_ms};
    char text[256], *key, *save = NULL;

    if (!o) {
        return RC_E_INTERNAL;
    }
    o->end = end;
    o->arg = arg;
    (void)snprintf(text, sizeof text, "%s", words);
    struct rc_line_out *out = rc_helper_begin(helper, strtok_r(text, " ", &save));
    while ((key = strtok_r(NULL, " ", &save)) != NULL) {
        char *value = strchr(key, '=');
        if (value) {
            *value++ = '\0';
            rc_line_put(out, key, value);
        }
    }
    if (until_ms) {
        rc_line_put_u64(out, "until", until_ms > 0 ? (uint64_t)until_ms : 1);
    }
    enum rc_err err = rc_helper_send(helper, &call, NULL);
    if (err != RC_OK) {
        free(o);
    }
    return err;
}

enum rc_err
rc_controllers_order(struct rc_controllers *c, uint32_t index, const char *words,
                     int64_t timeout_ms, rc_controllers_end_fn *end, void *arg)
{
    int64_t until_ms = rc_daemon_until_ms(c->d), left_ms = until_ms - boot_now_ms(c);
    char text[256];

    if (index == c->self) {
        return order_hand(c->hand, words, until_ms, timeout_ms, end, arg);
    }
    (void)snprintf(text, sizeof text, "%s epoch=%llu left=%lld", words,
                   (unsigned long long)c->d->state->lease_epoch,
                   (long long)(left_ms > 0 ? left_ms : 0));
    return rc_peer_ask(c->peer, text, (uint32_t)timeout_ms, end, arg);
}

enum rc_err
rc_controllers_takeover(struct rc_controllers *c, uint32_t index, int64_t timeout_ms,
                        rc_controllers_end_fn *end, void *arg)
{
    char words[64];

    (void)snprintf(words, sizeof words, "takeover index=%u", index);
    return order_hand(c->taker, words, 0, timeout_ms, end, arg);
}

enum rc_err
rc_controllers_reject(struct rc_controllers *c, uint32_t index, int64_t timeout_ms,
                      rc_controllers_end_fn *end, void *arg)
{
    char words[64];

    (void)snprintf(words, sizeof words, "reject addr=%.45s", c->d->state->pair.c[index].addr);
    return order_hand(c->hand, words, rc_daemon_until_ms(c->d), timeout_ms, end, arg);
}

static void
on_served(void *arg, const struct rc_error *e)
{
    rc_peer_answer(arg, e);
}

static enum rc_err
judge_request(struct rc_controllers *c, const struct rc_line *request, struct rc_error *e)
{
    const struct rc_state *s = c->d->state;
    uint64_t epoch = 0;

    see_epoch(c, s->lease_epoch);
    if (!rc_line_u64(request, "epoch", &epoch) ||
        (strcmp(request->word, "fence") != 0 && strcmp(request->word, "start") != 0)) {
        return rc_fail(e, RC_E_INVALID, "\"%.40s\": no such request", request->word);
    }
    if (s->lease_held && rc_daemon_now_ms(c->d) < s->lease_until_ms) {
        return rc_fail(e, RC_E_NO_LEASE, "this daemon leads itself, in epoch %llu",
                       (unsigned long long)s->lease_epoch);
    }
    if (epoch < c->epoch) {
        return rc_fail(e, RC_E_NO_LEASE, "epoch %llu is over: %llu was seen",
                       (unsigned long long)epoch, (unsigned long long)c->epoch);
    }
    see_epoch(c, epoch);
    return RC_OK;
}

static void
on_peer_request(void *arg, struct rc_peer_call *call, const struct rc_line *request)
{
    struct rc_controllers *c = arg;
    uint64_t grace_ms = rc_line_number(request, "grace", 3600 * 1000, 0);
    uint64_t restart = rc_line_number(request, "restart", 1, 0);
    /* What the leader's lease lasts still, in its words; the way here makes it later, by less than
     * the margin unless the link stood still. A daemon of an earlier release does not say. */
    uint64_t left_ms = rc_line_number(request, "left", LEFT_MS_MAX, LEFT_MS_MAX);
    bool fence = strcmp(request->word, "fence") == 0;
    char words[64];
    struct rc_error e;

    enum rc_err err = judge_request(c, request, &e);
    if (err == RC_OK) {
        (void)snprintf(words, sizeof words, "%s %s=%llu", fence ? "fence" : "start",
                       fence ? "grace" : "restart",
                       (unsigned long long)(fence ? grace_ms : restart));
        rc_log_event(c->d->log, RC_LOG_INFO, "peer", RC_LOG_DECISION, fence ? "fence" : "start",
                     NULL, "asked for by the leader on the other controller");
        err = order_hand(c->hand, words, boot_now_ms(c) + (int64_t)left_ms,
                         (int64_t)grace_ms + LOOK_TIMEOUT_MS, on_served, call);
        rc_fail(&e, err, "the helper did not take it");
    }
    if (err != RC_OK) {
        rc_peer_answer(call, &e);
    }
    look_now(c);
}

/* ---- opening ---- */

static void
on_hand_log(void *arg, const char *text)
{
    struct rc_controllers *c = arg;

    rc_log_event(c->d->log, RC_LOG_DEBUG, "helper", RC_LOG_NOTE, "said", NULL, "%s", text);
}

/* Only a leader lets it do anything. The hand is asked to look by a standby too. */
static int64_t
taker_until_ms(void *arg)
{
    return rc_daemon_until_ms(arg);
}

struct rc_helper *
rc_controllers_helper(struct rc_controllers *c, const char *name,
                      const struct rc_config_command *command, const char *role, struct rc_eye *eye,
                      struct rc_error *e)
{
    const char *argv[ARGV_ROOM];
    size_t n = 0;

    argv[n++] = command->program;
    for (uint32_t i = 0; i < command->arg_count; i++) {
        bool is_role = i > 0 && strcmp(command->arg[i - 1], "--role") == 0;
        argv[n++] = is_role ? role : command->arg[i];
    }
    if (eye) {
        argv[n++] = "--index";
        argv[n++] = eye->index ? "1" : "0";
    }
    argv[n] = NULL;
    struct rc_helper_config config = {
        .base = c->d->base,
        .name = name,
        .argv = argv,
        .role = role,
        .backoff_max_ms = 1000,
        .until_ms = strcmp(role, "writer") == 0 ? taker_until_ms : NULL,
        .until_arg = c->d,
        .on_state = eye ? rc_eye_helper_state : NULL,
        .on_log = eye ? NULL : on_hand_log,
        .arg = eye ? (void *)eye : c,
    };
    return rc_helper_new(&config, e);
}

static enum rc_err
open_eyes(struct rc_controllers *c, struct rc_error *e)
{
    enum rc_err err = RC_OK;

    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX && err == RC_OK; i++) {
        c->eye[i].c = c;
        c->eye[i].index = i;
        err = rc_eye_open(&c->eye[i], e);
    }
    return err;
}

static enum rc_err
open_parts(struct rc_controllers *c, struct rc_error *e)
{
    const struct rc_config *config = &c->d->config;
    struct rc_peer_options peer = {
        .base = c->d->base,
        .cluster = config->cluster.name,
        .host = config->cluster.controller[c->self].host,
        .peer = config->cluster.controller[1 - c->self].host,
        .listen = config->controllers.listen,
        .key_file = config->controllers.key,
        .arg = c,
        .on_facts = on_peer_facts,
        .on_link = on_peer_link,
        .on_request = on_peer_request,
        .on_refused = on_peer_refused,
    };

    c->peer = rc_peer_new(&peer, e);
    c->hand = c->peer ? rc_controllers_helper(c, "controller", &config->controllers.helper,
                                              "controller", NULL, e)
                      : NULL;
    c->taker =
        c->hand ? rc_controllers_helper(c, "slurm taker", &config->slurm.writer, "writer", NULL, e)
                : NULL;
    if (!c->taker) {
        return e->code;
    }
    c->look_timer = event_new(c->d->base, -1, 0, on_look_time, c);
    if (!c->look_timer) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    event_active(c->look_timer, EV_TIMEOUT, 0);
    return open_eyes(c, e);
}

enum rc_err
rc_controllers_new(struct rc_daemon *d, struct rc_controllers **ret, struct rc_error *e)
{
    const struct rc_cluster *cluster = &d->config.cluster;
    uint32_t self = 0;

    *ret = NULL;
    if (cluster->controller_count < RC_CONTROLLERS_MAX) {
        return RC_OK;
    }
    while (self < RC_CONTROLLERS_MAX &&
           strcmp(cluster->controller[self].host, d->config.lease.owner) != 0) {
        self++;
    }
    if (self == RC_CONTROLLERS_MAX) {
        return rc_fail(e, RC_E_INVALID,
                       "%s: controllers.hosts: neither is this host, \"%s\" (lease.owner)",
                       d->config_path, d->config.lease.owner);
    }
    struct rc_controllers *c = calloc(1, sizeof *c);
    if (!c) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    c->d = d;
    c->self = self;
    rc_report_clip(c->link_text, sizeof c->link_text, "not heard yet");
    enum rc_err err = open_parts(c, e);
    if (err != RC_OK) {
        rc_controllers_free(c);
        return err;
    }
    *ret = c;
    return RC_OK;
}

void
rc_controllers_free(struct rc_controllers *c)
{
    if (!c) {
        return;
    }
    rc_peer_free(c->peer);
    rc_helper_free(c->hand);
    rc_helper_free(c->taker);
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        rc_eye_close(&c->eye[i]);
    }
    if (c->look_timer) {
        event_free(c->look_timer);
    }
    free(c);
}

void
rc_controllers_look_again(struct rc_controllers *c, uint32_t index)
{
    c->eye[index].own_known = c->eye[index].peer_known = false;
    rc_eye_look_again(&c->eye[index]);
}

/* A new epoch: the core has forgotten who was standby. */
static void
tell_anew(struct rc_controllers *c)
{
    c->led = c->d->state->lease_epoch;
    c->again_ms = rc_daemon_now_ms(c->d);
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        c->eye[i].own_again = c->eye[i].peer_again = true;
    }
}

/* A fence begins. A primary answers a ping as well as a standby does, so what was seen of one
 * may be old: asked, and told once more. */
static void
ask_standbys(struct rc_controllers *c)
{
    c->again_ms = rc_daemon_now_ms(c->d);
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        c->eye[i].own_again = c->eye[i].own_again || c->eye[i].own == RC_CTL_STANDBY;
    }
}

void
rc_controllers_follow(struct rc_controllers *c)
{
    if (!c) {
        return;
    }
    const struct rc_pair *p = &c->d->state->pair;
    uint32_t serving = p->primary && rc_pair_serves(p, p->primary - 1) ? p->primary : 0;

    if (c->led != c->d->state->lease_epoch) {
        tell_anew(c);
    }
    if (p->phase == RC_FO_FENCE && c->fence_ms != p->phase_ms) {
        c->fence_ms = p->phase_ms;
        ask_standbys(c);
    }
    for (uint32_t i = 0; i < RC_CONTROLLERS_MAX; i++) {
        rc_eye_follow(&c->eye[i]);
    }
    if (serving != c->serving) {
        c->serving = serving;
        if (serving) {
            rc_slurm_primary_changed(c->d->slurm);
        }
    }
}

const char *
rc_controllers_link_text(const struct rc_controllers *c)
{
    return c ? c->link_text : "";
}
