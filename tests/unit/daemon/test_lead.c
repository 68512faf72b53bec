/* The core is told that it leads only in an epoch that is read, ours, and not given back:
 * a lease and a store that answer when the test says so, in any order. */
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/lead.h"
#include "reconciler/io/daemon/sweeps.h"

enum { TERM_MS = 10000 };

/* One question of the lease's, not answered yet. */
struct asked {
    const char *verb; /* NULL = none */
    rc_lease_fn *cb;
    void *arg;
};

static struct rc_daemon d;
static struct rc_lease lease;
static struct rc_incident_store store;
static struct asked asked;
static rc_store_list_fn *listed;
static void *listed_arg;
static enum rc_err left; /* what came of giving the lease back */
static int64_t now_ms;
static int posts; /* of the lease */

/* ---- what lead.c uses of the daemon ---- */

int64_t
rc_daemon_now_ms(const struct rc_daemon *unused)
{
    (void)unused;
    return now_ms;
}

/* The core's part: handlers/lease.c, as far as leading goes. */
void
rc_daemon_post(struct rc_daemon *unused, const struct rc_event *ev)
{
    struct rc_state *s = d.state;

    (void)unused;
    if (ev->kind != RC_EV_LEASE) {
        return;
    }
    posts++;
    if (ev->u.lease.error == RC_OK) {
        s->lease_held = ev->u.lease.held;
        s->lease_until_ms = ev->u.lease.until_ms;
        s->lease_epoch = ev->u.lease.held ? ev->u.lease.epoch : s->lease_epoch;
    }
}

void
rc_slurm_poll(struct rc_slurm *unused, bool all)
{
    (void)unused;
    (void)all;
}

void
rc_sweeps_now(struct rc_sweeps *unused)
{
    (void)unused;
}

/* ---- the scripted ones ---- */

static enum rc_err
ask(const char *verb, rc_lease_fn *cb, void *arg)
{
    if (asked.verb) {
        return RC_E_STATE;
    }
    asked = (struct asked){verb, cb, arg};
    return RC_OK;
}

#define ASK(name)                                                                                  \
    static enum rc_err ask_##name(struct rc_lease *l, rc_lease_fn *cb, void *arg)                  \
    {                                                                                              \
        (void)l;                                                                                   \
        return ask(#name, cb, arg);                                                                \
    }
ASK(acquire)
ASK(renew)
ASK(yield)
ASK(observe)
#undef ASK

static enum rc_err
list_items(struct rc_incident_store *s, uint64_t epoch, rc_store_list_fn *cb, void *arg)
{
    (void)s;
    (void)epoch;
    listed = cb;
    listed_arg = arg;
    return RC_OK;
}

/* verb: what must have been asked. */
static void
answer(const char *verb, enum rc_err code, uint64_t epoch, bool mine)
{
    struct rc_lease_info info = {.owner = "one",
                                 .epoch = epoch,
                                 .term_ms = TERM_MS,
                                 .held = mine,
                                 .mine = mine,
                                 .until_ms = mine ? now_ms + TERM_MS : 0};
    struct rc_error e = {code, "", ""};
    struct asked was = asked;

    CU_ASSERT_PTR_NOT_NULL_FATAL(was.verb);
    CU_ASSERT_STRING_EQUAL_FATAL(was.verb, verb);
    memset(&asked, 0, sizeof asked);
    was.cb(was.arg, code, &info, &e);
}

static void
answer_list(void)
{
    const struct rc_store_items none = {NULL, 0, NULL, 0};
    const struct rc_error e = {RC_OK, "", ""};
    rc_store_list_fn *cb = listed;

    CU_ASSERT_PTR_NOT_NULL_FATAL(cb);
    listed = NULL;
    cb(listed_arg, RC_OK, &none, &e);
}

/* The core asks for the lease. */
static void
core_asks(void)
{
    rc_exec_lease(&d, NULL);
}

static void
on_left(void *arg, enum rc_err code)
{
    (void)arg;
    left = code;
}

/* Somebody asks this daemon to give the lease back, and its loop goes round once. */
static void
leave(void)
{
    rc_lead_yield(d.lead, on_left, NULL);
    rc_lead_follow(d.lead);
}

static void
begin(void)
{
    static const struct rc_lease_ops lease_ops = {
        .acquire = ask_acquire, .renew = ask_renew, .yield = ask_yield, .observe = ask_observe};
    static const struct rc_incident_store_ops store_ops = {.list = list_items};

    memset(&d, 0, sizeof d);
    memset(&asked, 0, sizeof asked);
    listed = NULL;
    left = RC_E_INTERNAL;
    now_ms = 1000;
    posts = 0;
    lease.ops = &lease_ops;
    store.ops = &store_ops;
    d.base = event_base_new();
    d.state = calloc(1, sizeof *d.state);
    d.lease = &lease;
    d.store = &store;
    d.config.lease.term_ms = TERM_MS;
    d.lead = rc_lead_new(&d);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d.lead);
    CU_ASSERT_PTR_NOT_NULL_FATAL(d.state);
}

static void
end(void)
{
    rc_lead_free(d.lead);
    free(d.state);
    event_base_free(d.base);
}

/* It has the lease, and the store is being read. */
static void
acquire(uint64_t epoch)
{
    core_asks();
    answer("acquire", RC_OK, epoch, true);
}

static void
lead_in(uint64_t epoch)
{
    acquire(epoch);
    answer_list();
    CU_ASSERT_TRUE_FATAL(d.state->lease_held != 0);
    CU_ASSERT_EQUAL(d.state->lease_epoch, epoch);
}

/* ---- tests ---- */

static void
it_leads_once_the_store_is_read(void)
{
    begin();
    acquire(7);
    CU_ASSERT_EQUAL(posts, 0);
    answer_list();
    CU_ASSERT_EQUAL(posts, 1);
    CU_ASSERT_TRUE(d.state->lease_held != 0);
    CU_ASSERT_EQUAL(d.state->lease_until_ms, now_ms + TERM_MS);
    now_ms += TERM_MS / 3;
    core_asks();
    answer("renew", RC_OK, 7, true);
    CU_ASSERT_EQUAL(d.state->lease_until_ms, now_ms + TERM_MS);
    end();
}

static void
a_store_that_answers_after_the_yield_makes_no_leader(void)
{
    begin();
    acquire(7);
    leave();
    answer("yield", RC_OK, 7, false); /* from now on the other one may lead, in epoch 8 */
    CU_ASSERT_EQUAL(left, RC_OK);
    answer_list();
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    end();
}

static void
a_store_that_answers_during_the_yield_makes_no_leader(void)
{
    begin();
    acquire(7);
    leave();
    answer_list();
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    answer("yield", RC_OK, 7, false);
    CU_ASSERT_EQUAL(left, RC_OK);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    end();
}

static void
what_is_observed_makes_no_leader(void)
{
    begin();
    lead_in(7);
    leave();
    answer("yield", RC_E_TIMEOUT, 7, true); /* written all the same: its answer was lost */
    CU_ASSERT_EQUAL(left, RC_E_TIMEOUT);
    now_ms += 500;
    core_asks();
    answer("observe", RC_OK, 8, true); /* the other one's, whatever the lease believes */
    CU_ASSERT_PTR_NULL(listed);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    end();
}

static void
a_renewal_under_way_does_not_keep_a_yield_from_its_end(void)
{
    begin();
    lead_in(7);
    now_ms += TERM_MS / 3;
    core_asks();
    rc_lead_yield(d.lead, on_left, NULL);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    rc_lead_follow(d.lead); /* refused: one call at a time */
    answer("renew", RC_OK, 7, true);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    rc_lead_follow(d.lead);
    answer("yield", RC_OK, 7, false);
    CU_ASSERT_EQUAL(left, RC_OK);
    end();
}

static void
an_acquisition_under_way_is_given_back_by_the_yield(void)
{
    begin();
    lead_in(7);
    now_ms += TERM_MS + 1; /* stood still: another epoch is asked for */
    core_asks();
    leave();
    answer("acquire", RC_OK, 8, true);
    CU_ASSERT_PTR_NULL(listed);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    rc_lead_follow(d.lead);
    answer("yield", RC_OK, 8, false);
    CU_ASSERT_EQUAL(left, RC_OK);
    core_asks(); /* left to the other one */
    answer("observe", RC_OK, 8, false);
    end();
}

/* The next leader would take one that is on its way for a standby. */
static void
a_lease_of_ours_that_ran_out_in_silence_is_held_by_nobody(void)
{
    struct rc_lead_view view;

    begin();
    lead_in(7);
    now_ms += TERM_MS - 1;
    rc_lead_view(d.lead, &view);
    CU_ASSERT_STRING_EQUAL(view.owner, "one");
    core_asks();
    answer("renew", RC_E_UNREACHABLE, 0, false);
    now_ms += 1;
    rc_lead_view(d.lead, &view);
    CU_ASSERT_STRING_EQUAL(view.owner, "");
    CU_ASSERT_EQUAL(view.epoch, 7);
    end();
}

static void
a_take_over_under_way_is_awaited_before_the_yield(void)
{
    begin();
    lead_in(7);
    d.state->pair.phase = RC_FO_VERIFY;
    leave();
    CU_ASSERT_TRUE(d.state->lease_held != 0);
    now_ms += TERM_MS / 3;
    core_asks();
    answer("renew", RC_OK, 7, true); /* it leads until then */
    CU_ASSERT_TRUE(d.state->lease_held != 0);
    d.state->pair.phase = RC_FO_WATCH;
    rc_lead_follow(d.lead);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    rc_lead_follow(d.lead);
    answer("yield", RC_OK, 7, false);
    CU_ASSERT_EQUAL(left, RC_OK);
    end();
}

static void
run_loop(int64_t ms)
{
    const struct timeval until = {.tv_usec = ms * 1000};

    (void)event_base_loopexit(d.base, &until);
    (void)event_base_dispatch(d.base);
}

static void
a_store_that_is_read_for_longer_than_the_term_is_read_under_the_lease(void)
{
    begin();
    d.config.lease.term_ms = 30; /* by the loop's clock: its third is awaited here */
    acquire(7);
    now_ms += TERM_MS / 2;
    run_loop(100);
    answer("renew", RC_OK, 7, true);
    now_ms += TERM_MS - 1;
    answer_list();
    CU_ASSERT_TRUE(d.state->lease_held != 0);
    CU_ASSERT_EQUAL(d.state->lease_until_ms, now_ms + 1);
    run_loop(50);
    CU_ASSERT_PTR_NULL(asked.verb); /* the core's affair from now on */
    end();
}

static void
a_lease_that_ran_out_meanwhile_makes_no_leader(void)
{
    begin();
    acquire(7);
    now_ms += TERM_MS;
    answer_list();
    CU_ASSERT_EQUAL(posts, 1);
    CU_ASSERT_EQUAL(d.state->lease_held, 0);
    end();
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"it leads once the store is read", it_leads_once_the_store_is_read},
        {"a store that answers after the yield makes no leader",
         a_store_that_answers_after_the_yield_makes_no_leader},
        {"a store that answers during the yield makes no leader",
         a_store_that_answers_during_the_yield_makes_no_leader},
        {"what is observed makes no leader", what_is_observed_makes_no_leader},
        {"a renewal under way does not keep a yield from its end",
         a_renewal_under_way_does_not_keep_a_yield_from_its_end},
        {"an acquisition under way is given back by the yield",
         an_acquisition_under_way_is_given_back_by_the_yield},
        {"a store that is read for longer than the term is read under the lease",
         a_store_that_is_read_for_longer_than_the_term_is_read_under_the_lease},
        {"a lease that ran out meanwhile makes no leader",
         a_lease_that_ran_out_meanwhile_makes_no_leader},
        {"a lease of ours that ran out in silence is held by nobody",
         a_lease_of_ours_that_ran_out_in_silence_is_held_by_nobody},
        {"a take-over under way is awaited before the yield",
         a_take_over_under_way_is_awaited_before_the_yield},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("lead", tests);
}
