/* exec_gate.c - the health proof before a node goes back to service.
 *
 * Two questions, both must be answered well: does slurmd show the expected
 * resources (read now, past the diff), and does the gate command of the policy
 * succeed on the node itself, over ssh with the host key pinned. What cannot be
 * asked is "unknown", which is not "healthy": the core asks again until its
 * time-out. The command's end is proved by a word that only its shell prints. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/ssh/ssh_hostkey.h"
#include "reconciler/io/ssh/ssh_probe.h"

#define GATE_WORD "rc-gate-status="

enum { KEYS_ROOM = 16384, OUTPUT_MAX = 1024 * 1024 };

static void
end_with(struct rc_errand *errand, enum rc_err code, const char *text)
{
    struct rc_error e;

    rc_fail(&e, code, "%s", text);
    rc_errand_end(errand, &e);
}

static void
on_probe_done(void *arg, const struct rc_ssh_result *r)
{
    struct rc_errand *errand = arg;
    const char *word = r->err == RC_OK ? strstr(r->out, GATE_WORD) : NULL;
    char text[200];

    if (r->err != RC_OK) {
        /* RC_E_DENIED too: a machine that is not ours or does not know us proves nothing. */
        end_with(errand, RC_E_UNKNOWN, r->error.text);
    } else if (!word) {
        end_with(errand, RC_E_UNKNOWN, "the gate command did not end by itself");
    } else if (strtol(word + strlen(GATE_WORD), NULL, 10) != 0) {
        snprintf(text, sizeof text, "gate command: status %.3s: %.150s", word + strlen(GATE_WORD),
                 *r->err_out ? r->err_out : r->out);
        end_with(errand, RC_E_UNHEALTHY, text);
    } else {
        end_with(errand, RC_OK, "gate command succeeded");
    }
}

static void
start_probe(struct rc_errand *errand, const char *keys)
{
    const struct rc_daemon *d = errand->d;
    char command[RC_TEXT_LEN + 64];
    struct rc_error e;

    /* A subshell, so that an exit in the command cannot hide the word. */
    snprintf(command, sizeof command, "( %s ); echo " GATE_WORD "$?",
             *d->state->policy.gate.command ? d->state->policy.gate.command : "true");
    struct rc_ssh_command cmd = {
        .addr = errand->action.u.gate.addr,
        .port = (uint16_t)d->config.ssh.port,
        .user = d->config.ssh.user,
        .key_file = d->config.ssh.key,
        .host_keys = keys,
        .command = command,
        .connect_timeout_ms = (uint32_t)d->config.ssh.timeout_ms,
        .total_timeout_ms = errand->action.u.gate.timeout_ms,
        .output_max = OUTPUT_MAX, /* the word stands at the end */
    };
    if (!rc_ssh_start(d->base, &cmd, on_probe_done, errand, &e)) {
        end_with(errand, RC_E_UNKNOWN, e.text);
    }
}

static void
on_console(const struct rc_error *error, const char *text, size_t len, void *arg)
{
    struct rc_errand *errand = arg;
    char keys[KEYS_ROOM];
    struct rc_error e;

    if (error->code != RC_OK) {
        end_with(errand, RC_E_UNKNOWN, error->text);
    } else if (rc_ssh_console_keys(text, len, keys, sizeof keys, &e) != RC_OK) {
        end_with(errand, RC_E_UNKNOWN, e.text);
    } else {
        start_probe(errand, keys);
    }
}

/* Lines of known_hosts whose first field names the node or its address. */
static void
probe_by_known_hosts(struct rc_errand *errand)
{
    FILE *f = fopen(errand->d->config.ssh.known_hosts, "r");
    char keys[KEYS_ROOM] = "", line[4096], host[256];
    size_t len = 0;

    if (!f) {
        end_with(errand, RC_E_UNKNOWN, "the known_hosts file cannot be read");
        return;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%255s", host) == 1 &&
            (strcmp(host, errand->action.node) == 0 ||
             strcmp(host, errand->action.u.gate.addr) == 0) &&
            len + strlen(line) < sizeof keys) {
            memcpy(keys + len, line, strlen(line) + 1);
            len += strlen(line);
        }
    }
    fclose(f);
    if (!len) {
        end_with(errand, RC_E_UNKNOWN, "the known_hosts file has no key for this node");
        return;
    }
    start_probe(errand, keys);
}

static void
probe_by_ssh(struct rc_errand *errand)
{
    struct rc_daemon *d = errand->d;

    if (!d->state->policy.gate.ssh) {
        end_with(errand, RC_OK, "registered with the expected resources");
    } else if (!*d->config.ssh.key) {
        end_with(errand, RC_E_UNKNOWN, "the policy wants an ssh probe, but ssh.key is not set");
    } else if (d->config.ssh.host_keys == RC_HOST_KEYS_FILE) {
        probe_by_known_hosts(errand);
    } else if (rc_ec2_console(d->aws, errand->action.instance, on_console, errand, NULL) != RC_OK) {
        end_with(errand, RC_E_UNKNOWN, "the console output could not be asked for");
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
        end_with(errand, RC_E_UNKNOWN, r->err == RC_OK ? "no such node" : r->text);
    } else if (rc_node_at(s, slot)->flags & RC_SN_INVALID_REG) {
        end_with(errand, RC_E_UNHEALTHY, "registered with fewer resources than configured");
    } else if (want && rc_node_at(s, slot)->cpus < want) {
        end_with(errand, RC_E_UNHEALTHY, "fewer CPUs than the policy demands");
    } else {
        probe_by_ssh(errand);
    }
}

void
rc_exec_gate(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_slurm_call call = {.done = on_node_read, .arg = errand};

    if (errand && rc_slurm_look(d->slurm, a->node, &call) != RC_OK) {
        end_with(errand, RC_E_UNKNOWN, "the node could not be asked for");
    }
}
