/* host_script.c - see host_script.h. What is told becomes shell assignments before a script that is
 * sent, and words after the name of one that the node has. */
#define _GNU_SOURCE
#include "reconciler/io/host/host_script.h"

#include <stdlib.h>
#include <string.h>

#define IF_ROOT "; [ \"$(id -u)\" -eq 0 ] && exec sh -c \"$s\"; "
#define BY_SUDO "exec sudo -n /usr/libexec/slurm-on-aws/as-root "

static const struct {
    const char *name, *text;
} works[] = {
    [RC_HOST_GATE] = {"gate", rc_host_gate_sh},
    [RC_HOST_GPU_RESET] = {"gpu_reset", rc_host_gpu_reset_sh},
    [RC_HOST_FORENSICS] = {"forensics", rc_host_forensics_sh},
};

/* Inside single quotes only the quote itself is special. Returns the length. */
static size_t
put_in_quotes(char *to, const char *text)
{
    static const char escaped[] = "'\\''";
    size_t len = 0;

    for (; *text; text++) {
        if (*text != '\'') {
            to[len++] = *text;
            continue;
        }
        memcpy(to + len, escaped, sizeof escaped - 1);
        len += sizeof escaped - 1;
    }
    return len;
}

char *
rc_host_script(enum rc_host_work work, const char *told)
{
    const char *script = works[work].text;
    /* A quote becomes four characters. */
    size_t len = 5 * strlen(told) + 4 * strlen(script);
    char *command = malloc(len + sizeof IF_ROOT + sizeof BY_SUDO + 32);
    char *at = command;

    if (!command) {
        return NULL;
    }
    at = stpcpy(at, "s='");
    at += put_in_quotes(at, told);
    *at++ = '\n';
    at += put_in_quotes(at, script);
    at = stpcpy(at, "'" IF_ROOT BY_SUDO);
    at = stpcpy(at, works[work].name);
    *at++ = ' ';
    (void)stpcpy(at, told);
    return command;
}
