/* exec_host.c - repair and evidence on the node itself: GPU reset, forensics, and the text
 * of a support case. The scripts are in reconciler/io/host. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/io/daemon/evidence.h"
#include "reconciler/io/daemon/executor.h"
#include "reconciler/io/daemon/host_run.h"
#include "reconciler/io/host/bundle.h"
#include "reconciler/io/host/gate_answer.h"
#include "reconciler/io/host/host_script.h"

enum {
    RESET_OUTPUT_MAX = 64 * 1024,
    SPARE_S = 3,
    PARTS = 16, /* a bundle's size is shared by so many files on the node */
    CASE_ROOM = 8192,
};

static uint32_t
seconds_left(const struct rc_act_host *host)
{
    uint32_t s = host->timeout_ms / 1000;

    return s > SPARE_S + 1 ? s - SPARE_S : 1;
}

/* A PCI address goes into the remote shell; a device of another shape does not. */
static const char *
pci_device(const char *device)
{
    return strspn(device, "0123456789abcdefABCDEF:.") == strlen(device) ? device : "";
}

static void
run_script(struct rc_errand *errand, enum rc_host_work work, const char *told, size_t output_max,
           rc_host_done_fn *done)
{
    const struct rc_action *a = &errand->action;
    char *text = rc_host_script(work, told);
    const struct rc_host_script run = {
        .node = a->node,
        .instance = a->instance,
        .addr = a->u.host.addr,
        .text = text ? text : "exit 1",
        .timeout_ms = a->u.host.timeout_ms,
        .output_max = output_max,
    };

    rc_host_run(errand->d, &run, done, errand);
    free(text);
}

/* --- GPU reset --------------------------------------------------------------------- */

static void
on_reset_end(void *arg, const struct rc_error *error, const struct rc_ssh_result *r)
{
    static const struct {
        const char *word;
        enum rc_err err;
    } ends[] = {
        {"ok", RC_OK},
        {"busy", RC_E_STATE},
        {"unsupported", RC_E_UNSUPPORTED},
        {"failed", RC_E_UNHEALTHY},
    };
    struct rc_errand *errand = arg;
    char word[16] = "", text[128] = "";
    const char *last = NULL;

    if (error->code != RC_OK) {
        rc_errand_end(errand, error);
        return;
    }
    for (const char *at = r->out; (at = strstr(at, "rc-reset ")) != NULL; at++) {
        last = at;
    }
    if (last && sscanf(last, "rc-reset %15s %127[^\n]", word, text) >= 1) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            if (strcmp(word, ends[i].word) == 0) {
                rc_errand_end_with(errand, ends[i].err, text);
                return;
            }
        }
    }
    rc_errand_end_with(errand, RC_E_UNKNOWN, "the reset did not come to its end");
}

void
rc_exec_gpu_reset(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    const char *boot = pci_device(a->u.host.boot); /* hex digits */
    char told[128];

    if (errand) {
        snprintf(told, sizeof told, "device='%s' boot='%s' left=%u", pci_device(a->u.host.device),
                 boot, seconds_left(&a->u.host));
        run_script(errand, RC_HOST_GPU_RESET, told, RESET_OUTPUT_MAX, on_reset_end);
    }
}

/* --- forensics --------------------------------------------------------------------- */

static struct rc_bundle
bundle_of(const struct rc_errand *errand)
{
    const struct rc_action *a = &errand->action;
    const struct rc_config_forensics *c = &errand->d->config.forensics;
    bool host = a->kind == RC_ACT_FORENSICS;

    return (struct rc_bundle){
        .dir = c->dir,
        .incident = a->incident,
        .keep_max = c->keep,
        .node = a->node,
        .instance = a->instance,
        .addr = host ? a->u.host.addr : "",
        .device = host ? a->u.host.device : a->u.support.device,
        .boot = host ? a->u.host.boot : a->u.support.boot,
        .wall_ms = rc_wall_ms(),
        .serials = host ? errand->serials : a->u.support.serials,
    };
}

static void
finish_bundle(struct rc_errand *errand, const struct rc_error *error, const struct rc_ssh_result *r)
{
    struct rc_bundle bundle = bundle_of(errand);
    const struct rc_bundle_file files[] = {
        {.name = "node.tar.gz",
         .bytes = r && r->out_len > 0 ? r->out : NULL,
         .len = r ? r->out_len : 0,
         .cut = r && r->cut,
         .note = error->code == RC_OK ? "" : error->text},
        {.name = "console.txt",
         .bytes = errand->console,
         .len = errand->console_len,
         .note = errand->console ? "" : errand->worst.text},
    };
    char path[PATH_MAX];
    struct rc_error e;

    if (rc_bundle_write(&bundle, files, sizeof files / sizeof *files, &e) != RC_OK) {
        rc_errand_end(errand, &e);
        return;
    }
    (void)rc_bundle_is_there(&bundle, path);
    rc_evidence_poke(errand->d->evidence);
    rc_errand_end_with(errand, RC_OK, path);
}

static void
on_forensics_end(void *arg, const struct rc_error *error, const struct rc_ssh_result *r)
{
    static struct rc_gate_answer answer;
    struct rc_errand *errand = arg;

    if (r) {
        rc_gate_answer_read(r->err_out, &answer);
        (void)rc_text_set(errand->serials, sizeof errand->serials, answer.serials);
    }
    finish_bundle(errand, error, r);
}

/* The console is kept even when the node itself is past asking. */
static void
on_console_text(const struct rc_error *error, const char *text, size_t len, void *arg)
{
    struct rc_errand *errand = arg;
    const struct rc_config_forensics *c = &errand->d->config.forensics;
    char told[128];

    errand->worst = *error;
    if (error->code == RC_OK && len > 0) {
        size_t kept = len < c->bundle_bytes ? len : (size_t)c->bundle_bytes;

        errand->console = malloc(kept);
        errand->console_len = errand->console ? kept : 0;
        if (errand->console) {
            memcpy(errand->console, text + (len - kept), kept);
        }
    }
    snprintf(told, sizeof told, "part_max=%" PRIu64 " bug_report=%d left=%u",
             c->bundle_bytes / PARTS, c->bug_report ? 1 : 0, seconds_left(&errand->action.u.host));
    run_script(errand, RC_HOST_FORENSICS, told, (size_t)c->bundle_bytes, on_forensics_end);
}

void
rc_exec_forensics(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    struct rc_bundle bundle;
    char path[PATH_MAX];

    if (!errand) {
        return;
    }
    bundle = bundle_of(errand);
    if (rc_bundle_is_there(&bundle, path)) {
        rc_errand_end_with(errand, RC_OK, path); /* one bundle an incident */
    } else if (!*a->instance ||
               rc_ec2_console(d->aws, a->instance, on_console_text, errand, NULL) != RC_OK) {
        struct rc_error e;

        (void)rc_fail(&e, RC_E_UNKNOWN, "the console output could not be asked for");
        on_console_text(&e, "", 0, errand);
    }
}

/* --- support case ------------------------------------------------------------------ */

static void
format_case_time(char *buf, size_t room, int64_t wall_ms)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm t;

    if (wall_ms <= 0 || !gmtime_r(&s, &t) || !strftime(buf, room, "%Y-%m-%dT%H:%M:%SZ", &t)) {
        (void)snprintf(buf, room, "not known");
    }
}

static void
write_case(const struct rc_daemon *d, const struct rc_action *a, char *buf, size_t room)
{
    const struct rc_act_case *c = &a->u.support;
    char first[32], now[32];

    format_case_time(first, sizeof first, c->first_wall_ms);
    format_case_time(now, sizeof now, rc_wall_ms());
    (void)snprintf(
        buf, room,
        "Subject: faulty host under EC2 instance %s (%s)\n\n"
        "%s\n\n"
        "Region:             %s\n"
        "Instance:           %s\n"
        "Same host before:   %s\n"
        "Slurm node:         %s\n"
        "Fault:              %s, code %s\n"
        "Device:             %s\n"
        "First seen:         %s\n"
        "This text written:  %s\n"
        "Boot id:            %s\n"
        "GPU serial numbers: %s\n"
        "Repairs tried:      %u\n\n"
        "Evidence (kernel log, nvidia-smi -q, lspci, EFA counters, console) lies beside this file; "
        "manifest.json lists it.\n"
        "We ask that the host be taken out of service and examined.\n",
        a->instance, c->code, a->text, d->config.cluster.region, a->instance,
        *c->before ? c->before : "none known", a->node, rc_fault_name((enum rc_fault)c->fault),
        c->code, *c->device ? c->device : "not told", first, now, *c->boot ? c->boot : "not told",
        *c->serials ? c->serials : "not read", c->attempts);
}

void
rc_exec_support_case(struct rc_daemon *d, const struct rc_action *a)
{
    struct rc_errand *errand = rc_errand_new(d, a);
    char text[CASE_ROOM], path[PATH_MAX];
    struct rc_bundle bundle;
    struct rc_error e;

    if (!errand) {
        return;
    }
    bundle = bundle_of(errand);
    write_case(d, a, text, sizeof text);
    if (rc_bundle_add(&bundle, "support-case.txt", text, path, &e) != RC_OK) {
        rc_errand_end(errand, &e);
    } else {
        rc_evidence_poke(d->evidence);
        rc_errand_end_with(errand, RC_OK, path);
    }
}
