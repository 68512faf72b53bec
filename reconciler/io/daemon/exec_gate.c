/* exec_gate.c - the health proof before a node goes back to service.
 *
 * Three questions, all must be answered well: does slurmd show the expected resources (read
 * now, past the diff); do the probes that the policy wants of this instance type pass on the
 * node itself (gate.sh, over ssh with the host key pinned); does the gate command of the policy
 * succeed there. What cannot be asked is "unknown", which is not "healthy": the core asks
 * again until its time-out. A command's end is proved by a word that only its shell prints. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/host_run.h"
#include "reconciler/io/host/gate_answer.h"
#include "reconciler/io/host/host_script.h"

#define GATE_WORD "rc-gate-status="

enum {
    OUTPUT_MAX = 1024 * 1024,
    PROBE_WORDS_ROOM = 128,
    SPARE_S = 3, /* of the gate's time, for what is not the script's */
    LOOK_BACK_S = 5,
};

static void
run_on_node(struct rc_errand *errand, const char *text, rc_host_done_fn *done)
{
    const struct rc_action *a = &errand->action;
    const struct rc_host_script script = {
        .node = a->node,
        .instance = a->instance,
        .addr = a->u.gate.addr,
        .text = text,
        .timeout_ms = a->u.gate.timeout_ms,
        .output_max = OUTPUT_MAX, /* the word stands at the end */
    };

    rc_host_run(errand->d, &script, done, errand);
}

static void
on_command_end(void *arg, const struct rc_error *error, const struct rc_ssh_result *r)
{
    struct rc_errand *errand = arg;
    const char *word = r ? strstr(r->out, GATE_WORD) : NULL;
    char text[200];

    if (error->code != RC_OK) {
        rc_errand_end(errand, error);
    } else if (!word) {
        rc_errand_end_with(errand, RC_E_UNKNOWN, "the gate command did not end by itself");
    } else if (strtol(word + strlen(GATE_WORD), NULL, 10) != 0) {
        snprintf(text, sizeof text, "gate command: status %.3s: %.150s", word + strlen(GATE_WORD),
                 *r->err_out ? r->err_out : r->out);
        rc_errand_end_with(errand, RC_E_UNHEALTHY, text);
    } else if (errand->worst.text[0]) {
        rc_errand_end(errand, &errand->worst); /* what the probes said */
    } else {
        rc_errand_end_with(errand, RC_OK, "gate command succeeded");
    }
}

static void
run_gate_command(struct rc_errand *errand)
{
    const char *wanted = errand->d->state->policy.gate.command;
    char command[RC_TEXT_LEN + 64];

    /* A subshell, so that an exit in the command cannot hide the word. */
    snprintf(command, sizeof command, "( %s ); echo " GATE_WORD "$?", *wanted ? wanted : "true");
    run_on_node(errand, command, on_command_end);
}

static void
on_probes_end(void *arg, const struct rc_error *error, const struct rc_ssh_result *r)
{
    const struct rc_act_gate *gate;
    struct rc_errand *errand = arg;
    static struct rc_gate_answer answer;

    if (error->code != RC_OK) {
        rc_errand_end(errand, error);
        return;
    }
    gate = &errand->action.u.gate;
    rc_gate_answer_read(r->out, &answer);
    (void)rc_text_set(errand->serials, sizeof errand->serials, answer.serials);
    if (rc_gate_answer_judge(&answer, gate->probes, gate->must, &errand->worst) != RC_OK) {
        rc_errand_end(errand, &errand->worst);
    } else {
        run_gate_command(errand);
    }
}

static void
run_probes(struct rc_errand *errand)
{
    const struct rc_act_gate *gate = &errand->action.u.gate;
    int64_t since_s = 0, left_s = gate->timeout_ms / 1000 - SPARE_S;
    char words[PROBE_WORDS_ROOM] = "", told[PROBE_WORDS_ROOM + 128];
    char *script;

    for (uint32_t p = 0; p < RC_GATE_PROBE__MAX; p++) {
        if ((gate->probes >> p & 1) != 0) {
            size_t len = strlen(words);

            snprintf(words + len, sizeof words - len, "%s%s", len ? " " : "",
                     rc_gate_probe_name((enum rc_gate_probe)p));
        }
    }
    if (gate->since_wall_ms > 0) { /* the node's clock may be a little behind */
        since_s = (rc_wall_ms() - gate->since_wall_ms) / 1000 - LOOK_BACK_S;
        since_s = since_s > 1 ? since_s : 1;
    }
    snprintf(told, sizeof told, "probes='%s' since=%lld level=%u left=%lld", words,
             (long long)since_s, gate->dcgm_level ? gate->dcgm_level : 1,
             (long long)(left_s > 1 ? left_s : 1));
    script = rc_host_script(RC_HOST_GATE, told);
    run_on_node(errand, script ? script : "exit 1", on_probes_end);
    free(script);
}

static void
ask_node(struct rc_errand *errand)
{
    if (!errand->d->state->policy.gate.ssh) {
        rc_errand_end_with(errand, RC_OK, "registered with the expected resources");
    } else if (errand->action.u.gate.probes) {
        run_probes(errand);
    } else {
        run_gate_command(errand);
    }
}

/* The look has posted the node's row; the core's own facts are one turn behind, so
 * what the row said is read from the state in the next turn. */
static void
on_node_read(void *arg, const struct rc_slurm_result *r)
{
    struct rc_errand *errand = arg;
    const struct rc_state *s = errand->d->state;
    uint32_t slot = rc_node_find(s, errand->action.node);
    uint32_t want = s->policy.gate.cpus_min;

    if (r->err != RC_OK || !slot) {
        rc_errand_end_with(errand, RC_E_UNKNOWN, r->err == RC_OK ? "no such node" : r->text);
    } else if (rc_node_at(s, slot)->flags & RC_SN_INVALID_REG) {
        rc_errand_end_with(errand, RC_E_UNHEALTHY,
                           "registered with fewer resources than configured");
    } else if (want && rc_node_at(s, slot)->cpus < want) {
        rc_errand_end_with(errand, RC_E_UNHEALTHY, "fewer CPUs than the policy demands");
    } else {
        ask_node(errand);
    }
}

void
rc_exec_gate(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {.done = on_node_read, .arg = errand};

    if (errand && rc_slurm_look(d->slurm, a->node, &call) != RC_OK) {
        rc_errand_end_with(errand, RC_E_UNKNOWN, "the node could not be asked for");
    }
}
