/* slurm_prober.c - asks one slurmctld directly: does it serve, is it standby, is it there?
 *
 * libslurm tries all controllers of its configuration until one serves. So a prober gives
 * it a copy of slurm.conf that names one SlurmctldHost only; what then answers is that one.
 * The question (the partition table, "unchanged since now") is cheap for slurmctld, and a
 * standby refuses it with ESLURM_IN_STANDBY_MODE (slurmctld/backup.c). With quick=1 one that
 * was standby a moment ago is only pinged, for it logs a refused question as an error. A
 * request that hangs is the client's to time: it kills this process, which keeps nothing.
 * When slurm.conf changes the prober ends, and is started with the new one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/slurm/slurm_helper.h"

enum { HOST_ROOM = 256, SLURMCTLD_PORT = 6817, STANDBY_PINGS = 10 };

/* One prober a process. */
static struct {
    char addr[HOST_ROOM];
    char port[16];
    struct timespec conf_time;
    unsigned pings; /* left before a standby is asked again */
} probed;

/* The value of "Key = value" when the line is of that key, else NULL. */
static const char *
conf_value_of(const char *line, const char *key)
{
    size_t len = strlen(key);

    line += strspn(line, " \t");
    if (strncasecmp(line, key, len) != 0) {
        return NULL;
    }
    line += len + strspn(line + len, " \t");
    return *line == '=' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

/* "host(addr)" or "host". */
static void
take_controller(const char *value)
{
    const char *open = strchr(value, '(');
    const char *from = open ? open + 1 : value;

    (void)snprintf(probed.addr, sizeof probed.addr, "%.*s", (int)strcspn(from, ") \t\r\n#"), from);
}

/* Copies the file without the other controllers. Includes stay where they are: relative
 * ones are made absolute. */
static bool
copy_conf(const struct slurm_helper *h, FILE *in, FILE *out)
{
    const char *slash = strrchr(h->conf, '/');
    char *line = NULL;
    size_t room = 0;
    uint32_t at = 0;
    bool found = false;

    while (getline(&line, &room, in) >= 0) {
        const char *value = conf_value_of(line, "SlurmctldHost");
        const char *text = line + strspn(line, " \t");
        if (value && at++ != h->index) {
            continue;
        }
        if (value) {
            take_controller(value);
            found = true;
        }
        value = conf_value_of(line, "SlurmctldPort");
        if (value) {
            (void)snprintf(probed.port, sizeof probed.port, "%lu", strtoul(value, NULL, 10));
        }
        if (strncasecmp(text, "include ", 8) == 0 && text[8 + strspn(text + 8, " \t")] != '/' &&
            slash) {
            text += 8 + strspn(text + 8, " \t");
            (void)fprintf(out, "Include %.*s/%s", (int)(slash - h->conf), h->conf, text);
        } else {
            (void)fputs(line, out);
        }
    }
    free(line);
    return found && ferror(in) == 0 && fflush(out) == 0;
}

static bool
conf_changed(const struct slurm_helper *h)
{
    struct stat st;

    return stat(h->conf, &st) == 0 && (st.st_mtim.tv_sec != probed.conf_time.tv_sec ||
                                       st.st_mtim.tv_nsec != probed.conf_time.tv_nsec);
}

bool
rc_slurm_prober_init(struct slurm_helper *h)
{
    const char *tmp = getenv("TMPDIR");
    char path[4096];
    struct stat st;
    bool good = false;
    int fd;

    (void)snprintf(path, sizeof path, "%.4000s/rc-prober-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    (void)snprintf(probed.port, sizeof probed.port, "%d", SLURMCTLD_PORT);
    FILE *in = fopen(h->conf, "re");
    fd = in ? mkostemp(path, O_CLOEXEC) : -1;
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out && fstat(fileno(in), &st) == 0) {
        probed.conf_time = st.st_mtim;
        good = copy_conf(h, in, out);
    }
    if (!good) {
        (void)fprintf(stderr, "%s: no SlurmctldHost number %u, or no room for a copy: %s\n",
                      h->conf, h->index, strerror(errno));
    } else {
        slurm_init(path);
    }
    if (in) {
        (void)fclose(in);
    }
    if (out) {
        (void)fclose(out);
    }
    if (fd >= 0) {
        (void)unlink(path);
    }
    return good;
}

static const char *
ask_mode(void)
{
    partition_info_msg_t *partitions = NULL;
    int rc = slurm_load_partitions(time(NULL), &partitions, SHOW_ALL);
    int error = rc == SLURM_SUCCESS ? 0 : errno;

    if (partitions) {
        slurm_free_partition_info_msg(partitions);
    }
    switch (error) {
    case 0:
    case SLURM_NO_CHANGE_IN_DATA:
        return "primary";
    case ESLURM_IN_STANDBY_MODE:
        return "standby";
    case SLURM_PROTOCOL_AUTHENTICATION_ERROR:
        return "unknown"; /* no munged here: nobody could be asked */
    default:
        return "silent";
    }
}

static void
start_anew_when_changed(const struct slurm_helper *h)
{
    if (conf_changed(h)) {
        (void)fprintf(stderr, "%s changed: the prober starts anew\n", h->conf);
        exit(0);
    }
}

enum rc_err
rc_slurm_verb_probe(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    const struct slurm_helper *h = arg;
    const char *mode = NULL;
    struct rc_line_out *out;

    (void)e;
    start_anew_when_changed(h);
    if (rc_line_number(req, "quick", 1, 0) && probed.pings > 0 && slurm_ping(0) == SLURM_SUCCESS) {
        probed.pings--;
        mode = "standby";
    }
    if (!mode) {
        mode = ask_mode();
        probed.pings = strcmp(mode, "standby") == 0 ? STANDBY_PINGS : 0;
    }
    out = rc_reply_begin(r, "ok");
    rc_line_put(out, "mode", mode);
    rc_reply_end(r);
    return RC_OK;
}

enum rc_err
rc_slurm_verb_where(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct rc_line_out *out;

    (void)req;
    (void)e;
    start_anew_when_changed(arg);
    out = rc_reply_begin(r, "ok");
    rc_line_put(out, "addr", probed.addr);
    rc_line_put(out, "port", probed.port);
    rc_reply_end(r);
    return RC_OK;
}
