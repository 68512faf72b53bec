/* host_run.c - see host_run.h. */
#define _GNU_SOURCE
#include "reconciler/io/daemon/host_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/io/ssh/ssh_hostkey.h"

enum { KEYS_ROOM = 16384 };

struct host_run {
    struct rc_daemon *d;
    struct rc_host_script script; /* its strings are the ones below */
    char node[RC_NODE_LEN], addr[RC_ADDR_LEN];
    char *text;
    rc_host_done_fn *done;
    void *arg;
};

static void
end_host_run(struct host_run *run, enum rc_err code, const char *text,
             const struct rc_ssh_result *r)
{
    struct rc_error e;

    (void)rc_fail(&e, code, "%s", text);
    run->done(run->arg, &e, r);
    free(run->text);
    free(run);
}

static void
on_script_end(void *arg, const struct rc_ssh_result *r)
{
    /* RC_E_DENIED too: a machine that is not ours or does not know us proves nothing. */
    end_host_run(arg, r->err == RC_OK ? RC_OK : RC_E_UNKNOWN, r->err == RC_OK ? "" : r->error.text,
                 r->err == RC_OK ? r : NULL);
}

static void
start_script(struct host_run *run, const char *keys)
{
    const struct rc_config_ssh *ssh = &run->d->config.ssh;
    struct rc_ssh_command cmd = {
        .addr = run->addr,
        .port = (uint16_t)ssh->port,
        .user = ssh->user,
        .key_file = ssh->key,
        .host_keys = keys,
        .command = run->text,
        .connect_timeout_ms = (uint32_t)ssh->timeout_ms,
        .total_timeout_ms = run->script.timeout_ms,
        .output_max = run->script.output_max,
    };
    struct rc_error e;

    if (!rc_ssh_start(run->d->base, &cmd, on_script_end, run, &e)) {
        end_host_run(run, RC_E_UNKNOWN, e.text, NULL);
    }
}

static void
on_console_keys(const struct rc_error *error, const char *text, size_t len, void *arg)
{
    struct host_run *run = arg;
    char keys[KEYS_ROOM];
    struct rc_error e;

    if (error->code != RC_OK) {
        end_host_run(run, RC_E_UNKNOWN, error->text, NULL);
    } else if (rc_ssh_console_keys(text, len, keys, sizeof keys, &e) != RC_OK) {
        end_host_run(run, RC_E_UNKNOWN, e.text, NULL);
    } else {
        start_script(run, keys);
    }
}

/* Lines of known_hosts whose first field names the node or its address. */
static void
start_by_known_hosts(struct host_run *run)
{
    FILE *f = fopen(run->d->config.ssh.known_hosts, "re");
    char keys[KEYS_ROOM] = "", line[4096], host[256];
    size_t len = 0;

    if (!f) {
        end_host_run(run, RC_E_UNKNOWN, "the known_hosts file cannot be read", NULL);
        return;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%255s", host) == 1 &&
            (strcmp(host, run->node) == 0 || strcmp(host, run->addr) == 0) &&
            len + strlen(line) < sizeof keys) {
            memcpy(keys + len, line, strlen(line) + 1);
            len += strlen(line);
        }
    }
    (void)fclose(f);
    if (!len) {
        end_host_run(run, RC_E_UNKNOWN, "the known_hosts file has no key for this node", NULL);
        return;
    }
    start_script(run, keys);
}

void
rc_host_run(struct rc_daemon *d, const struct rc_host_script *script, rc_host_done_fn *done,
            void *arg)
{
    struct host_run *run = calloc(1, sizeof *run);
    struct rc_error e;

    if (!run || !(run->text = strdup(script->text))) {
        free(run);
        (void)rc_fail(&e, RC_E_UNKNOWN, "no memory");
        done(arg, &e, NULL);
        return;
    }
    run->d = d;
    run->script = *script;
    run->done = done;
    run->arg = arg;
    (void)rc_text_set(run->node, sizeof run->node, script->node);
    (void)rc_text_set(run->addr, sizeof run->addr, script->addr);
    if (!*d->config.ssh.key) {
        end_host_run(run, RC_E_UNKNOWN, "ssh.key is not set: no node can be asked", NULL);
    } else if (d->config.ssh.host_keys == RC_HOST_KEYS_FILE) {
        start_by_known_hosts(run);
    } else if (rc_ec2_console(d->aws, script->instance, on_console_keys, run, NULL) != RC_OK) {
        end_host_run(run, RC_E_UNKNOWN, "the console output could not be asked for", NULL);
    }
}
