/* ctl_main.c - the commands of reconcilectl: one row each, then request, reply, text.
 *
 * Exit status: 0 done, 1 refused by the daemon or a file that is not good, 2 wrong usage,
 * 3 the daemon cannot be reached. */
#define _GNU_SOURCE
#include "reconciler/ctl_main.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/decode/decode_main.h"
#include "reconciler/ctl_ask.h"
#include "reconciler/ctl_lead.h"
#include "reconciler/ctl_policy.h"
#include "reconciler/ctl_show.h"

typedef void(show_fn)(FILE *out, const struct cJSON *reply);

enum argument { NO_ARGUMENT, NODE, INCIDENT, MESSAGE, FAILOVER };

struct command {
    const char *words;   /* as typed, one or two */
    const char *request; /* value of cmd */
    enum argument argument;
    show_fn *show; /* NULL = the reply's text */
    const char *help;
};

static const struct command commands[] = {
    {"status", "status", NO_ARGUMENT, rc_ctl_show_status, "what it does, and what needs a person"},
    {"why", "why", NODE, rc_ctl_show_why, "why a node is as it is"},
    {"hold", "hold", NODE, NULL, "leave a node alone, whatever happens to it"},
    {"release", "release", NODE, NULL, "end the hold"},
    {"approve", "approve", INCIDENT, NULL, "let an incident that waits for it go on"},
    {"pause", "pause", NO_ARGUMENT, NULL, "no new action at all"},
    {"resume", "resume", NO_ARGUMENT, NULL, "act again"},
    {"lead --yield", "lead-yield", NO_ARGUMENT, NULL, "give the lease to the other controller"},
    {"breaker reset", "breaker-reset", NO_ARGUMENT, NULL, "close the breaker"},
    {"failover", "failover", FAILOVER, NULL, "make the other controller primary, fenced as always"},
    {"quarantine list", "quarantine-list", NO_ARGUMENT, rc_ctl_show_quarantine,
     "messages that could not be read"},
    {"quarantine replay", "quarantine-replay", MESSAGE, NULL,
     "give one back to the daemon, or all"},
};

static const char *const argument_names[] = {[NO_ARGUMENT] = "",
                                             [NODE] = " NODE",
                                             [INCIDENT] = " INCIDENT",
                                             [MESSAGE] = " ID|all",
                                             [FAILOVER] = " [--to HOST] [--dry-run]"};

struct options {
    const char *socket;
    bool is_json;
};

static void
show_usage(FILE *out)
{
    char left[64];

    fprintf(out, "usage: reconcilectl [--socket PATH] [--json] COMMAND\n\nasks the daemon:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(left, sizeof left, "%s%s", commands[i].words,
                 argument_names[commands[i].argument]);
        fprintf(out, "  %-26s %s\n", left, commands[i].help);
    }
    fprintf(
        out,
        "works on files:\n"
        "  decode [--json] FILE...|-  what the daemon makes of a message\n"
        "  policy check FILE          is the policy good, and what does it do\n"
        "  policy test DIR            play scenarios: as expected? [--policy FILE] [--rewrite]\n"
        "  policy schema              JSON Schema for editors\n"
        "\n--socket PATH   default: $" RC_CTL_SOCKET_ENV ", else " RC_CTL_SOCKET "\n"
        "--json          print the reply as it is, one JSON object\n"
        "exit status: 0 done, 1 refused, 2 wrong usage, 3 no daemon\n");
}

static int __attribute__((format(printf, 2, 3))) usage_error(FILE *err, const char *fmt, ...)
{
    va_list ap;

    fprintf(err, "reconcilectl: ");
    va_start(ap, fmt);
    vfprintf(err, fmt, ap);
    va_end(ap);
    fprintf(err, "; see reconcilectl --help\n");
    return RC_CTL_USAGE;
}

/* The argument becomes a member of the request; false when it cannot be one. */
static bool
add_argument(cJSON *request, enum argument kind, const char *text)
{
    char *end = NULL;
    unsigned long long number = 0;

    switch (kind) {
    case NO_ARGUMENT:
        return true;
    case NODE:
        return *text && cJSON_AddStringToObject(request, "node", text);
    case MESSAGE:
        if (strcmp(text, "all") == 0) {
            return cJSON_AddTrueToObject(request, "all") != NULL;
        }
        break;
    case FAILOVER:
    case INCIDENT:
        break;
    }
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number == 0 || number > UINT32_MAX) {
        return false;
    }
    return cJSON_AddNumberToObject(request, kind == INCIDENT ? "incident" : "id", (double)number) !=
           NULL;
}

static int
show_reply(const struct command *c, const struct options *o, cJSON *reply, FILE *out, FILE *err)
{
    bool is_ok = rc_ctl_true(reply, "ok");

    if (o->is_json) {
        char *text = cJSON_PrintUnformatted(reply);
        fprintf(out, "%s\n", text ? text : "{\"ok\":false}");
        cJSON_free(text);
    } else {
        rc_ctl_make_printable(reply);
        if (!is_ok) {
            fprintf(err, "reconcilectl: %s (%s)\n", rc_ctl_text(reply, "text"),
                    rc_ctl_text(reply, "error"));
        } else if (c->show) {
            c->show(out, reply);
        } else {
            fprintf(out, "%s\n", *rc_ctl_text(reply, "text") ? rc_ctl_text(reply, "text") : "done");
        }
    }
    return is_ok ? RC_CTL_OK : RC_CTL_REFUSED;
}

/* Takes the request. */
static int
ask_with(const struct command *c, const struct options *o, cJSON *request, FILE *out, FILE *err)
{
    cJSON *reply = NULL;
    struct rc_error e;
    int status = RC_CTL_NO_DAEMON;

    if (rc_ctl_ask(o->socket, request, c->show ? RC_CTL_LOOK_S : RC_CTL_ORDER_S, &reply, &e) ==
        RC_OK) {
        reply = rc_ctl_settle(o->socket, request, reply);
        status = show_reply(c, o, reply, out, err);
        if (status == RC_CTL_OK && strcmp(c->request, "lead-yield") == 0 && !o->is_json) {
            status = rc_ctl_watch_yield(o->socket, out, err);
        } else if (status == RC_CTL_OK && strcmp(c->request, "failover") == 0 && !o->is_json &&
                   *rc_ctl_text(reply, "to")) {
            status = rc_ctl_watch_failover(o->socket, rc_ctl_text(reply, "to"), out, err);
        }
        cJSON_Delete(reply);
    } else {
        fprintf(err, "reconcilectl: %s\n", e.text);
    }
    cJSON_Delete(request);
    return status;
}

static int
ask_daemon(const struct command *c, const struct options *o, const char *argument, FILE *out,
           FILE *err)
{
    cJSON *request = cJSON_CreateObject();

    cJSON_AddStringToObject(request, "cmd", c->request);
    if (!add_argument(request, c->argument, argument)) {
        cJSON_Delete(request);
        return usage_error(err, "%s: expected%s, got \"%s\"", c->words, argument_names[c->argument],
                           argument);
    }
    return ask_with(c, o, request, out, err);
}

/* "failover [--to HOST] [--dry-run]", in any order. */
static int
run_failover(const struct command *c, const struct options *o, int argc, char **argv, FILE *out,
             FILE *err)
{
    cJSON *request = cJSON_CreateObject();

    cJSON_AddStringToObject(request, "cmd", c->request);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) {
            cJSON_DeleteItemFromObject(request, "dry_run");
            cJSON_AddTrueToObject(request, "dry_run");
        } else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc && *argv[i + 1]) {
            cJSON_DeleteItemFromObject(request, "to");
            cJSON_AddStringToObject(request, "to", argv[++i]);
        } else {
            cJSON_Delete(request);
            return usage_error(err, "failover: expected [--to HOST] [--dry-run], got \"%s\"%s",
                               argv[i], strcmp(argv[i], "--to") == 0 ? " without a host" : "");
        }
    }
    return ask_with(c, o, request, out, err);
}

/* How many of the words typed are the command's; 0 = it is another one. */
static int
match_words(const struct command *c, int argc, char **argv)
{
    const char *blank = strchr(c->words, ' ');
    size_t first = blank ? (size_t)(blank - c->words) : strlen(c->words);

    if (strlen(argv[0]) != first || strncmp(argv[0], c->words, first) != 0) {
        return 0;
    }
    if (!blank) {
        return 1;
    }
    return argc > 1 && strcmp(argv[1], blank + 1) == 0 ? 2 : 0;
}

/* "test DIR [--policy FILE] [--rewrite]", in any order. */
static int
run_policy_test(int argc, char **argv, FILE *out, FILE *err)
{
    const char *dir = NULL, *policy = NULL;
    bool rewrite = false;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--rewrite") == 0) {
            rewrite = true;
        } else if (strcmp(argv[i], "--policy") == 0 && i + 1 < argc) {
            policy = argv[++i];
        } else if (*argv[i] != '-' && !dir) {
            dir = argv[i];
        } else {
            return usage_error(err, "policy test: unexpected %s", argv[i]);
        }
    }
    return dir ? rc_ctl_policy_test(dir, policy, rewrite, out, err)
               : usage_error(err, "policy test: expected DIR [--policy FILE] [--rewrite]");
}

static int
run_policy(int argc, char **argv, const struct options *o, FILE *out, FILE *err)
{
    if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return rc_ctl_policy_check(argv[2], o->is_json, out, err);
    }
    if (argc == 2 && strcmp(argv[1], "schema") == 0) {
        return rc_ctl_policy_schema(out, err);
    }
    if (argc >= 2 && strcmp(argv[1], "test") == 0) {
        return run_policy_test(argc, argv, out, err);
    }
    return usage_error(err, "policy: expected check FILE, test DIR, or schema");
}

static int
run_command(int argc, char **argv, const struct options *o, FILE *out, FILE *err)
{
    if (strcmp(argv[0], "policy") == 0) {
        return run_policy(argc, argv, o, out, err);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *c = &commands[i];
        int words = match_words(c, argc, argv);
        int wanted = words + (c->argument != NO_ARGUMENT);
        if (words == 0) {
            continue;
        }
        if (c->argument == FAILOVER) {
            return run_failover(c, o, argc, argv, out, err);
        }
        if (argc != wanted) {
            return usage_error(err, "%s: expected%s", c->words,
                               c->argument ? argument_names[c->argument] : " nothing more");
        }
        return ask_daemon(c, o, c->argument ? argv[words] : "", out, err);
    }
    return usage_error(err, "no such command: %s%s%s", argv[0], argc > 1 ? " " : "",
                       argc > 1 ? argv[1] : "");
}

/* --json may stand before or behind the command; it is taken out of argv. */
static int
take_json(int argc, char **argv, bool *ret)
{
    int kept = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            *ret = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    return kept;
}

int
rc_ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
    const char *from_env = getenv(RC_CTL_SOCKET_ENV);
    struct options o = {.socket = from_env && *from_env ? from_env : RC_CTL_SOCKET};
    int at = 1;

    while (at < argc && argv[at][0] == '-' && argv[at][1] == '-') {
        if (strcmp(argv[at], "--help") == 0) {
            show_usage(out);
            return RC_CTL_OK;
        }
        if (strcmp(argv[at], "--json") == 0) {
            o.is_json = true;
            at++;
        } else if (strcmp(argv[at], "--socket") == 0 && at + 1 < argc) {
            o.socket = argv[at + 1];
            at += 2;
        } else {
            return usage_error(err, "unknown option, or one without its value: %s", argv[at]);
        }
    }
    if (at == argc) {
        show_usage(err);
        return RC_CTL_USAGE;
    }
    /* decode has options of its own; --json in front of it counts too. */
    if (strcmp(argv[at], "decode") == 0) {
        static char json_option[] = "--json";
        if (o.is_json) {
            argv[at - 1] = argv[at];
            argv[at] = json_option;
            at--;
        }
        return rc_decode_command(argc - at, argv + at);
    }
    argc = take_json(argc - at, argv + at, &o.is_json);
    return run_command(argc, argv + at, &o, out, err);
}
