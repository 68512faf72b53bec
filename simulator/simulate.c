/* simulate.c - the simulator's program: one verb, one room. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "simulator/check_command.h"
#include "simulator/prove/prove.h"
#include "simulator/replay/replay.h"
#include "simulator/report/commands.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
    const char *what;
};

static const struct verb verbs[] = {
    {"check", rc_check_command, "random clusters with hostile schedules, judged by every checker"},
    {"compare", rc_compare_command, "several policies on the same months of a large cluster"},
    {"prove", rc_prove_command, "what all this rests on: streams, known answers, a recorded trace"},
    {"replay", rc_replay_command, "a journal, recorded messages or a fault trace through the core"},
    {"run", rc_run_command, "months of a large cluster with jobs and faults, scored"},
    {"sweep", rc_sweep_command, "a large comparison in pieces, by Slurm or by processes here"},
};

static void
usage(FILE *out)
{
    fprintf(out, "usage: simulate VERB …\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].what);
    }
    fprintf(out, "simulate VERB --help says more of each\n");
}

/* A report that did not reach its reader is none. */
static int
end_report(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (status != 3) { /* else it was told */
            perror("simulate: standard output");
        }
        return 3;
    }
    return status;
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return end_report(verbs[i].run(argc - 1, argv + 1));
        }
    }
    bool is_asked = argc == 2 && strcmp(argv[1], "--help") == 0;
    if (argc > 1 && !is_asked) {
        fprintf(stderr, "simulate: unknown verb \"%s\"\n", argv[1]);
    }
    usage(is_asked ? stdout : stderr);
    return is_asked ? 0 : 2;
}
