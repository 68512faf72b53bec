/* reconcilerd.c - the daemon's main: arguments, files, signals; the rest is
 * reconciler/io/daemon.
 *
 * Exit: 0 ended by a signal or --check found nothing wrong, 1 cannot run (the
 * reason is on standard error), 2 usage. */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "policies/load.h"
#include "reconciler/io/daemon/daemon.h"
#include "reconciler/io/daemon/daemon_check.h"
#include "reconciler/io/daemon/policy_file.h"

static struct rc_daemon the_daemon;

static const char usage[] =
    "usage: reconcilerd --config FILE [--dry-run] [--check]\n"
    "  --config FILE  configuration (docs/configuration.md)\n"
    "  --dry-run      do everything but act; log what would have been done\n"
    "  --check        read configuration, credentials and permissions, say what is wrong, end\n";

static bool
load_files(struct rc_daemon *d)
{
    static struct rc_load_errors errs;
    bool good = rc_config_load_file(d->config_path, &d->config, &errs) == RC_OK;

    if (good) {
        good = rc_policy_load_file(d->config.policy, &d->policy, &errs) == RC_OK;
    }
    for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
        fprintf(stderr, "%s\n", errs.line[i]);
    }
    if (!good && !errs.count) {
        fprintf(stderr, "reconcilerd: %s: cannot be loaded\n", d->config_path);
    }
    return good;
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct rc_daemon *d = arg;

    (void)what;
    rc_log_event(d->log, RC_LOG_INFO, "daemon", RC_LOG_NOTE, "signal",
                 RC_FIELDS(RC_INT("signal", sig)), "ending: what is in flight stays adoptable");
    rc_daemon_stop(d);
}

static void
on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct rc_daemon *d = arg;
    struct rc_error e;

    (void)sig;
    (void)what;
    if (rc_log_reopen(d->log, &e) != RC_OK) {
        rc_log_failure(d->log, "log", &e, NULL);
    }
    rc_policy_file_reload(d->policy_file);
}

static int
run(struct rc_daemon *d)
{
    struct rc_error e;
    struct event *term = evsignal_new(d->base, SIGTERM, on_stop, d);
    struct event *intr = evsignal_new(d->base, SIGINT, on_stop, d);
    struct event *hup = evsignal_new(d->base, SIGHUP, on_reload, d);

    if (!term || !intr || !hup || rc_daemon_open(d, &e) != RC_OK) {
        fprintf(stderr, "reconcilerd: %s\n", term && intr && hup ? e.text : "no memory");
        return 1;
    }
    event_add(term, NULL);
    event_add(intr, NULL);
    event_add(hup, NULL);
    rc_daemon_run(d);
    rc_daemon_close(d);
    event_free(term);
    event_free(intr);
    event_free(hup);
    return 0;
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dry-run", no_argument, NULL, 'n'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct rc_daemon *d = &the_daemon;
    bool check = false;
    struct rc_error e;
    int opt, status;

    while ((opt = getopt_long(argc, argv, "c:nkh", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            d->config_path = optarg;
            break;
        case 'n':
            d->dry_run = true;
            break;
        case 'k':
            check = true;
            break;
        default:
            fputs(usage, opt == 'h' ? stdout : stderr);
            return opt == 'h' ? 0 : 2;
        }
    }
    if (!d->config_path || optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error to handle, not a death */
    if (!load_files(d)) {
        return 1;
    }
    d->started_wall_ms = rc_wall_ms();
    d->base = event_base_new();
    if (!d->base || rc_log_open(check ? "" : d->config.log_file,
                                (enum rc_log_level)d->config.log_level, &d->log, &e) != RC_OK) {
        fprintf(stderr, "reconcilerd: %s\n", d->base ? e.text : "no event loop");
        return 1;
    }
    status = check ? rc_check(d) : run(d);
    rc_log_close(d->log);
    event_base_free(d->base);
    return status;
}
