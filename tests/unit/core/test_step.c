/* A run, and the same run folded back from its journal. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/rules.h"
#include "tests/unit/core/story.h"

enum { ENTRIES_MAX = 4096 };

struct entry {
    bool is_action;
    struct rc_event ev;
    struct rc_action action;
};

/* A run that writes its journal. */
struct recorded {
    struct rc_state *s;
    struct rc_cluster cluster;
    struct rc_policy policy;
    struct rc_actions out;
    int64_t at_ms;
    unsigned count;
    struct rc_action last[RC_ACTION__MAX];
    struct entry entry[ENTRIES_MAX];
};

static const struct rc_capacity_limits small_limits = {
    .nodes = 64, .incidents = 32, .messages = 64};

static void
record(struct recorded *r, struct rc_event *ev)
{
    r->at_ms += 100;
    ev->at_ms = r->at_ms;
    ev->wall_ms = 1700000000000 + r->at_ms;
    rc_step(r->s, ev, &r->out);
    r->entry[r->count++] = (struct entry){.ev = *ev};
    for (uint32_t i = 0; i < r->out.count; i++) {
        CU_ASSERT_FATAL(r->count < ENTRIES_MAX);
        r->entry[r->count++] = (struct entry){.is_action = true, .action = r->out.v[i]};
        r->last[r->out.v[i].kind] = r->out.v[i];
    }
}

static void
record_answer(struct recorded *r, enum rc_action_kind kind, enum rc_err error)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_COMPLETION);
    ev.u.completion.action = r->last[kind].id;
    ev.u.completion.error = (uint32_t)error;
    record(r, &ev);
}

static void
record_lease(struct recorded *r)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_LEASE);
    ev.u.lease.held = 1;
    ev.u.lease.epoch = 1;
    ev.u.lease.until_ms = r->at_ms + 100000000;
    record(r, &ev);
}

static void
record_node(struct recorded *r, unsigned n, uint32_t flags, enum rc_owner owner)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_SLURM_NODE);
    snprintf(ev.node, sizeof ev.node, "n%u", n);
    snprintf(ev.u.slurm.addr, RC_ADDR_LEN, "10.0.0.%u", n);
    rc_text_set(ev.u.slurm.partition, RC_PARTITION_LEN, "gpu");
    ev.u.slurm.flags = flags;
    ev.u.slurm.owner = (uint32_t)owner;
    ev.u.slurm.reason_incident = owner == RC_OWNER_OURS; /* 0 would be an agent's drain */
    record(r, &ev);
}

static void
record_state(struct recorded *r, unsigned n, uint32_t state)
{
    struct rc_event ev;

    rc_event_init(&ev, RC_EV_EC2_STATE_CHANGE);
    snprintf(ev.instance, sizeof ev.instance, "i-%u", n);
    ev.u.state_change.state = state;
    record(r, &ev);
}

static struct recorded *
record_begin(void)
{
    struct recorded *r = calloc(1, sizeof *r);
    struct story st;
    struct rc_event ev;

    story_begin(&st, 1); /* for its cluster and policy */
    r->cluster = st.cluster;
    r->policy = st.policy;
    story_end(&st);
    r->s = rc_state_init(calloc(1, rc_state_size(&small_limits)), &small_limits);
    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 3;
    record(r, &ev);
    rc_event_init(&ev, RC_EV_CLUSTER);
    ev.u.cluster = &r->cluster;
    record(r, &ev);
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &r->policy;
    record(r, &ev);
    record_lease(r);
    for (unsigned n = 1; n <= 12; n++) {
        rc_event_init(&ev, RC_EV_INSTANCE);
        snprintf(ev.instance, sizeof ev.instance, "i-%u", n);
        snprintf(ev.u.described.node, RC_NODE_LEN, "n%u", n);
        snprintf(ev.u.described.addr, RC_ADDR_LEN, "10.0.0.%u", n);
        ev.u.described.state = RC_INST_RUNNING;
        ev.u.described.ours = 1;
        record(r, &ev);
        record_node(r, n, 0, RC_OWNER_NONE);
    }
    return r;
}

/* n1 launches, n2 waits for its jobs, n3 has no capacity, n4 is held back. */
static struct recorded *
record_busy(void)
{
    struct recorded *r = record_begin();

    for (unsigned n = 1; n <= 4; n++) {
        record_state(r, n, RC_INST_TERMINATED);
        record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
        record_answer(r, RC_ACT_DRAIN, RC_OK);
    }
    record_node(r, 1, RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    record_node(r, 2, RC_SN_DRAIN | RC_SN_ALLOCATED, RC_OWNER_OURS);
    record_node(r, 3, RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    for (int i = 0; i < 3; i++) {
        record_answer(r, RC_ACT_LAUNCH, RC_E_CAPACITY);
    }
    return r;
}

static struct rc_state *
fold_back(const struct recorded *r)
{
    struct rc_state *s = rc_state_init(calloc(1, rc_state_size(&small_limits)), &small_limits);

    for (unsigned i = 0; i < r->count; i++) {
        if (r->entry[i].is_action) {
            rc_note(s, &r->entry[i].action);
        } else {
            rc_fold(s, &r->entry[i].ev);
        }
    }
    return s;
}

static void
record_end(struct recorded *r)
{
    free(r->s);
    free(r);
}

static void
expect_same_incidents(const struct rc_state *a, const struct rc_state *b)
{
    CU_ASSERT_EQUAL(a->open_incidents, b->open_incidents);
    CU_ASSERT_EQUAL(a->next_action, b->next_action);
    CU_ASSERT_EQUAL(a->next_incident, b->next_incident);
    CU_ASSERT_EQUAL(a->breaker_open, b->breaker_open);
    for (uint32_t slot = 1; slot <= a->incident_used; slot++) {
        const struct rc_incident *x = rc_incident_at(a, slot), *y = rc_incident_at(b, slot);
        CU_ASSERT_EQUAL(x->id, y->id);
        CU_ASSERT_EQUAL(x->phase, y->phase);
        CU_ASSERT_EQUAL(x->fault, y->fault);
        CU_ASSERT_EQUAL(x->rung, y->rung);
        CU_ASSERT_EQUAL(x->attempt, y->attempt);
        CU_ASSERT_EQUAL(x->option, y->option);
        CU_ASSERT_EQUAL(x->new_instance, y->new_instance);
        CU_ASSERT_EQUAL(x->old_instance, y->old_instance);
        CU_ASSERT_EQUAL(x->unsaved, y->unsaved);
        CU_ASSERT_STRING_EQUAL(x->rule.name, y->rule.name);
    }
    for (uint32_t row = 0; row < RC_SCOPE_ROWS; row++) {
        CU_ASSERT_EQUAL(
            memcmp(rc_scope_at(a, row), rc_scope_at(b, row), sizeof(struct rc_scope_row)), 0);
    }
    for (uint32_t n = 1; n <= a->node_count; n++) {
        CU_ASSERT_EQUAL(rc_node_at(a, n)->repair_count, rc_node_at(b, n)->repair_count);
        CU_ASSERT_EQUAL(rc_node_at(a, n)->opened_count, rc_node_at(b, n)->opened_count);
        CU_ASSERT_EQUAL(rc_node_at(a, n)->cooldown_until_ms, rc_node_at(b, n)->cooldown_until_ms);
    }
}

static void
a_journal_folded_back_gives_the_same_incidents_attempts_and_budgets(void)
{
    struct recorded *r = record_busy();
    struct rc_state *again = fold_back(r);

    CU_ASSERT_TRUE(r->s->open_incidents >= 4);
    expect_same_incidents(r->s, again);
    free(again);
    record_end(r);
}

static void
every_cut_of_the_journal_can_be_folded_back(void)
{
    struct recorded *r = record_busy();
    unsigned all = r->count;

    for (unsigned cut = 1; cut <= all; cut++) {
        r->count = cut;
        struct rc_state *s = fold_back(r);
        CU_ASSERT_TRUE(s->next_action <= r->s->next_action);
        free(s);
    }
    record_end(r);
}

/* Its answers are lost: each deadline passes, and the same token is asked with again. */
static void
a_launch_that_is_asked_for_again_is_one_repair_also_to_the_restart(void)
{
    struct recorded *r = record_begin();
    struct rc_event tick;
    uint64_t first;

    record_state(r, 1, RC_INST_TERMINATED);
    record_answer(r, RC_ACT_DRAIN, RC_OK);
    record_node(r, 1, RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    first = r->last[RC_ACT_LAUNCH].id;
    CU_ASSERT_NOT_EQUAL_FATAL(first, 0);
    for (int i = 0; i < 20; i++) {
        r->at_ms += 30000;
        rc_event_init(&tick, RC_EV_TICK);
        record(r, &tick);
    }
    CU_ASSERT_TRUE(r->last[RC_ACT_LAUNCH].id > first);
    struct rc_state *again = fold_back(r);
    CU_ASSERT_EQUAL(rc_node_at(r->s, rc_node_find(r->s, "n1"))->repair_count, 1);
    CU_ASSERT_EQUAL(rc_node_at(again, rc_node_find(again, "n1"))->repair_count, 1);
    expect_same_incidents(r->s, again);
    free(again);
    record_end(r);
}

static void
a_token_that_was_refused_is_not_refused_again_by_the_restart(void)
{
    struct recorded *r = record_begin();
    struct rc_event sweep;

    record_state(r, 1, RC_INST_TERMINATED);
    record_answer(r, RC_ACT_DRAIN, RC_OK);
    record_node(r, 1, RC_SN_DRAIN | RC_SN_DOWN, RC_OWNER_OURS);
    record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    record_answer(r, RC_ACT_LAUNCH, RC_E_TOKEN_MISMATCH);
    rc_event_init(&sweep, RC_EV_SWEEP);
    sweep.u.sweep.which = RC_SWEEP_INSTANCES;
    sweep.u.sweep.complete = 1;
    record(r, &sweep);
    record(r, &sweep);
    r->at_ms += 31000;
    rc_event_init(&sweep, RC_EV_TICK);
    record(r, &sweep);
    record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    CU_ASSERT_EQUAL_FATAL(r->last[RC_ACT_LAUNCH].u.launch.attempt, 2);
    struct rc_state *again = fold_back(r);
    expect_same_incidents(r->s, again);
    CU_ASSERT_FALSE(rc_incident_at(again, 1)->flags & RC_INC_MISMATCH);
    free(again);
    record_end(r);
}

static void
a_breaker_that_closed_itself_stays_closed_after_a_restart(void)
{
    struct recorded *r = record_begin();
    struct rc_event ev;

    r->policy.limits.breaker.count = 1;
    r->policy.limits.breaker_reset_ms = 60000;
    rc_event_init(&ev, RC_EV_POLICY);
    ev.u.policy = &r->policy;
    record(r, &ev);
    record_state(r, 1, RC_INST_TERMINATED);
    record_state(r, 2, RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(r->s->breaker_open, 1);
    r->at_ms += 400000;
    record_state(r, 3, RC_INST_TERMINATED);
    CU_ASSERT_EQUAL(r->s->breaker_open, 0);
    struct rc_state *again = fold_back(r);
    CU_ASSERT_EQUAL(again->breaker_open, 0);
    free(again);
    record_end(r);
}

static void
start_gives_back_what_was_in_flight_and_the_token_is_used_again(void)
{
    struct recorded *r = record_busy();
    struct rc_event ev;

    struct rc_state *before = r->s;
    r->s = fold_back(r);
    free(before);
    rc_event_init(&ev, RC_EV_START);
    ev.u.start.seed = 3;
    record(r, &ev);
    CU_ASSERT_EQUAL(r->s->lease_held, 0);
    CU_ASSERT_EQUAL(r->s->flight_count, 0);
    record_lease(r);
    uint64_t first = 0;
    for (unsigned i = 0; i < r->count; i++) {
        const struct rc_action *a = &r->entry[i].action;
        if (r->entry[i].is_action && a->kind == RC_ACT_LAUNCH && strcmp(a->node, "n1") == 0) {
            first = a->id;
            break;
        }
    }
    CU_ASSERT_NOT_EQUAL(first, 0);
    for (int i = 0; i < 40; i++) {
        r->at_ms += 2000;
        rc_event_init(&ev, RC_EV_TICK);
        record(r, &ev);
        record_answer(r, RC_ACT_INCIDENT_PUT, RC_OK);
    }
    const struct rc_action *was = NULL, *is = NULL;
    for (unsigned i = 0; i < r->count; i++) {
        const struct rc_action *a = &r->entry[i].action;
        if (r->entry[i].is_action && a->kind == RC_ACT_LAUNCH && strcmp(a->node, "n1") == 0) {
            was = was ? was : a;
            is = a;
        }
    }
    CU_ASSERT_PTR_NOT_NULL(is);
    if (!was || !is) {
        record_end(r);
        return;
    }
    CU_ASSERT_NOT_EQUAL(is->id, was->id);
    CU_ASSERT_EQUAL(is->u.launch.attempt, was->u.launch.attempt);
    CU_ASSERT_STRING_EQUAL(is->u.launch.token, was->u.launch.token);
    record_end(r);
}

static void
the_same_events_give_the_same_bytes(void)
{
    struct recorded *a = record_busy(), *b = record_busy();

    CU_ASSERT_EQUAL(rc_state_hash(a->s), rc_state_hash(b->s));
    CU_ASSERT_EQUAL(a->count, b->count);
    record_end(a);
    record_end(b);
}

static void
with_nothing_changed_nothing_is_asked_for(void)
{
    struct recorded *r = record_busy();
    struct rc_event ev;

    for (int i = 0; i < 5; i++) {
        rc_event_init(&ev, RC_EV_TICK);
        r->at_ms -= 100; /* time stands still */
        record(r, &ev);
        CU_ASSERT_EQUAL(r->out.count, 0);
    }
    record_end(r);
}

static void
without_the_lease_there_is_no_deadline_in_the_past(void)
{
    struct recorded *r = record_busy();
    struct rc_event ev;

    r->s->closed_retry_ms = 1;
    rc_event_init(&ev, RC_EV_LEASE);
    record(r, &ev);
    CU_ASSERT_FALSE(rc_leads(r->s));
    CU_ASSERT_TRUE(rc_next_deadline(r->s) > r->s->now_ms);
    record_end(r);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a journal folded back gives the same incidents, attempts and budgets",
         a_journal_folded_back_gives_the_same_incidents_attempts_and_budgets},
        {"every cut of the journal can be folded back",
         every_cut_of_the_journal_can_be_folded_back},
        {"a launch that is asked for again is one repair also to the restart",
         a_launch_that_is_asked_for_again_is_one_repair_also_to_the_restart},
        {"a token that was refused is not refused again by the restart",
         a_token_that_was_refused_is_not_refused_again_by_the_restart},
        {"a breaker that closed itself stays closed after a restart",
         a_breaker_that_closed_itself_stays_closed_after_a_restart},
        {"start gives back what was in flight, and the token is used again",
         start_gives_back_what_was_in_flight_and_the_token_is_used_again},
        {"the same events give the same bytes", the_same_events_give_the_same_bytes},
        {"with nothing changed nothing is asked for", with_nothing_changed_nothing_is_asked_for},
        {"without the lease there is no deadline in the past",
         without_the_lease_there_is_no_deadline_in_the_past},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("step", tests);
}
