/* prove_command.c - see prove.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "simulator/prove/prove.h"
#include "simulator/report/commit.h"

static const struct {
    const char *name;
    int (*prove)(void);
} proofs[] = {
    {"streams", rc_prove_streams},
    {"ettr", rc_prove_ettr},
    {"trace", rc_prove_trace},
};

enum { PROOFS = sizeof proofs / sizeof proofs[0] };

static const char usage[] =
    "usage: simulate prove [streams|ettr|trace]\n"
    "  streams  statistical tests of the random streams and distributions\n"
    "  ettr     ten known answers of renewal theory for the effective training time ratio\n"
    "  trace    the InfiniteHBD fault trace below $RC_TRACES: as recorded, under our policies,\n"
    "           and the bursty and lemon models fitted to it\n"
    "  without a word all of them\n"
    "exit: 0 all hold, 1 one does not, 2 usage, 3 an input cannot be read,\n"
    "      77 nothing failed, but the trace is not there (RC_TRACES is not set)\n";

bool
rc_prove_say(bool good, const char *fmt, ...)
{
    va_list ap;

    fputs(good ? "  ok      " : "  NOT OK  ", stdout);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fputc('\n', stdout);
    return good;
}

/* The worst of two: what cannot be read, then what fails, then what was left out. */
static int
worse(int a, int b)
{
    static const int order[] = {RC_PROVE_CANNOT, RC_PROVE_FAILS, RC_PROVE_SKIPPED};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (a == order[i] || b == order[i]) {
            return order[i];
        }
    }
    return RC_PROVE_HOLDS;
}

int
rc_prove_command(int argc, char **argv)
{
    int status = RC_PROVE_HOLDS;
    bool any = false;

    if (argc > 2) {
        fputs(usage, stderr);
        return RC_PROVE_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    for (size_t i = 0; i < PROOFS; i++) {
        if (argc == 2 && strcmp(argv[1], proofs[i].name) != 0) {
            continue;
        }
        if (!any) {
            printf("commit %s\n", rc_commit);
        }
        any = true;
        printf("%s\n", proofs[i].name);
        fflush(stdout);
        int one = proofs[i].prove();
        printf("%s: %s\n", proofs[i].name,
               one == RC_PROVE_HOLDS     ? "holds"
               : one == RC_PROVE_SKIPPED ? "left out: RC_TRACES is not set"
               : one == RC_PROVE_CANNOT  ? "cannot be proved"
                                         : "DOES NOT HOLD");
        status = worse(status, one);
    }
    if (!any) {
        fputs(usage, stderr);
        return RC_PROVE_USAGE;
    }
    return fflush(stdout) == 0 ? status : RC_PROVE_CANNOT;
}
