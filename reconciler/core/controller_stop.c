/* controller_stop.c - the fence by EC2: every instance that carries the old primary's name
 * is forced off and looked at, one after the other.
 *
 * Invariant: an instance counts as off by the answer to a look of this phase alone, or when it
 * is terminated, which it stays; a notice comes late and proves nothing. Whatever shows it on
 * after that look, be it late or not, is the reason for another one. That there is no other one
 * is known once a complete pass that began in this epoch has ended. An instance that EC2 does
 * not list leaves the list incomplete: it is looked at by the id that its own daemon told, and
 * only EC2's word that there is no such instance any more (it forgets a terminated one after an
 * hour) counts. That it carries no tag of ours is no such word. */
#include <string.h>

#include "reconciler/core/text.h"
#include "reconciler/core/turn.h"

enum { STOP_ANSWER_MS = 30 * 1000, LOOK_ANSWER_MS = 10 * 1000 };

static bool
looked_off(const struct rc_pair *p, const char *id)
{
    for (uint32_t k = 0; k < p->dead_count; k++) {
        if (strcmp(p->dead[k], id) == 0) {
            return true;
        }
    }
    return false;
}

/* Terminated never comes back; one that was stopped does, by a person's hand. */
static bool
seen_off(const struct rc_pair *p, const struct rc_instance *i)
{
    bool on = i->state == RC_INST_PENDING || i->state == RC_INST_RUNNING;

    return i->state == RC_INST_TERMINATED || (looked_off(p, i->id) && !on);
}

uint32_t
rc_pair_next_living(const struct rc_state *s, uint32_t *ret_all)
{
    const struct rc_pair *p = &s->pair;
    const char *told = p->c[p->from - 1].instance;
    uint32_t living = 0;
    bool found = !*told;

    *ret_all = 0;
    for (uint32_t slot = rc_pair_instances(s, p->from - 1); slot;
         slot = rc_instance_at(s, slot)->next_of_node) {
        const struct rc_instance *i = rc_instance_at(s, slot);
        ++*ret_all;
        found = found || strcmp(told, i->id) == 0;
        if (!seen_off(p, i) && !living) {
            living = slot;
        }
    }
    if (!found && *told && looked_off(p, told)) {
        ++*ret_all; /* EC2 does not know it any more */
    } else if (!found) {
        *ret_all = 0; /* its daemon named another instance: this is not the whole list */
    }
    return living;
}

bool
rc_pair_look_for(struct rc_state *s, struct rc_actions *out)
{
    struct rc_pair *p = &s->pair;
    const struct rc_controller *c = &p->c[p->from - 1];
    struct rc_action a;

    /* Our own instance is listed: it is the right account that does not know the other one. */
    if (!*c->instance || !s->ec2_ok || !rc_pair_instances(s, p->to - 1)) {
        return false;
    }
    rc_pair_act(s, &a, RC_ACT_LOOK, p->from - 1, LOOK_ANSWER_MS);
    memset(&a.u, 0, sizeof a.u);
    memcpy(a.instance, c->instance, sizeof a.instance);
    rc_put_text(a.text, sizeof a.text, "does EC2 still know it?");
    rc_act_send(s, out, &a);
    return true;
}

void
rc_pair_force_off(struct rc_state *s, struct rc_actions *out, uint32_t slot)
{
    struct rc_pair *p = &s->pair;
    const struct rc_instance *i = rc_instance_at(s, slot);
    bool stop = !p->accepted && i->state != RC_INST_STOPPING && i->state != RC_INST_STOPPED &&
                i->state != RC_INST_SHUTTING_DOWN;
    struct rc_action a;

    rc_pair_act(s, &a, stop ? RC_ACT_STOP : RC_ACT_LOOK, p->from - 1,
                stop ? STOP_ANSWER_MS : LOOK_ANSWER_MS);
    memset(&a.u, 0, sizeof a.u);
    memcpy(a.instance, i->id, sizeof a.instance);
    rc_put_text(a.text, sizeof a.text, stop ? "fence: its host does not answer" : "is it off?");
    rc_act_send(s, out, &a);
}
