/* slurm_control.c - verbs on the controllers: ping, config, reconfigure, takeover.
 *
 * slurm_ping() tells which slurmctld processes answer, not which one is primary, and a
 * standby answers too. So: one is up and a real query is answered: it is the primary.
 * Several are up: the heartbeat file in StateSaveLocation holds the index of the
 * active one (slurmctld/heartbeat.c: time and index, 8 bytes each, big-endian). When
 * that cannot be read, the primary stays unknown ("-"). */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "reconciler/io/slurm/slurm_helper.h"

enum { CONTROLLERS_MAX = 8 };

/* How many SlurmctldHost lines the file names, for when no slurmctld can be asked. */
static uint32_t
count_controllers(const char *path)
{
    static const char key[] = "SlurmctldHost";
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    uint32_t count = 0;

    while (file && getline(&line, &room, file) >= 0) {
        const char *text = line + strspn(line, " \t");

        if (strncasecmp(text, key, sizeof key - 1) == 0 &&
            text[sizeof key - 1 + strspn(text + sizeof key - 1, " \t")] == '=') {
            count++;
        }
    }
    free(line);
    if (file) {
        (void)fclose(file);
    }
    return count > 0 ? count : 1;
}

/* Index of the active controller by the heartbeat file, -1 when unknown. */
static int
heartbeat_index(const slurm_conf_t *conf)
{
    char path[4096];
    uint64_t beat[2];
    ssize_t got = -1;
    int fd;

    (void)snprintf(path, sizeof path, "%s/heartbeat", conf->state_save_location);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, beat, sizeof beat);
        (void)close(fd);
    }
    if (got != (ssize_t)sizeof beat || be64toh(beat[1]) >= CONTROLLERS_MAX) {
        return -1;
    }
    return (int)be64toh(beat[1]);
}

enum rc_err
rc_slurm_verb_ping(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct slurm_helper *h = arg;
    slurm_conf_t *conf = NULL;
    bool answers = slurm_load_ctl_conf(0, &conf) == SLURM_SUCCESS;
    uint32_t count = answers ? conf->control_cnt : count_controllers(h->conf);
    uint32_t up_count = 0;
    int primary = -1;
    struct rc_line_out *out;
    char index[16] = "-";

    (void)req;
    (void)e;
    for (uint32_t i = 0; i < count && i < CONTROLLERS_MAX; i++) {
        bool up = slurm_ping((int)i) == SLURM_SUCCESS;

        out = rc_reply_begin(r, "controller");
        rc_line_put_u64(out, "index", i);
        rc_line_put(out, "host", answers ? conf->control_machine[i] : "");
        rc_line_put_u64(out, "up", up ? 1 : 0);
        rc_reply_end(r);
        up_count += up ? 1 : 0;
        primary = up ? (int)i : primary;
    }
    if (up_count > 1) {
        primary = answers ? heartbeat_index(conf) : -1;
    }
    if (answers && primary >= 0) {
        (void)snprintf(index, sizeof index, "%d", primary);
    }
    if (conf) {
        slurm_free_ctl_conf(conf);
    }
    out = rc_reply_begin(r, "ok");
    rc_line_put(out, "primary", index);
    rc_reply_end(r);
    return RC_OK;
}

enum rc_err
rc_slurm_verb_config(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct slurm_helper *h = arg;
    slurm_conf_t *conf = NULL;
    struct rc_line_out *out;

    (void)req;
    if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS) {
        return rc_slurm_fail(e, "reading the configuration");
    }
    h->slurm_uid = conf->slurm_user_id;
    h->knows_slurm_uid = true;
    out = rc_reply_begin(r, "ok");
    rc_line_put(out, "cluster", conf->cluster_name);
    rc_line_put(out, "version", conf->version);
    rc_line_put_i64(out, "boot_time", conf->boot_time);
    rc_line_put(out, "state_dir", conf->state_save_location);
    rc_line_put_u64(out, "slurmctld_timeout", conf->slurmctld_timeout);
    rc_line_put(out, "slurmctld_log", conf->slurmctld_logfile);
    rc_line_put_u64(out, "slurm_uid", conf->slurm_user_id);
    rc_line_put_u64(out, "controllers", conf->control_cnt);
    rc_line_put_u64(out, "return_to_service", conf->ret2service);
    rc_reply_end(r);
    slurm_free_ctl_conf(conf);
    return RC_OK;
}

enum rc_err
rc_slurm_verb_reconfigure(void *arg, struct rc_reply *r, const struct rc_line *req,
                          struct rc_error *e)
{
    (void)arg;
    (void)r;
    (void)req;
    return slurm_reconfigure() == SLURM_SUCCESS ? RC_OK : rc_slurm_fail(e, "reconfigure");
}

enum rc_err
rc_slurm_verb_takeover(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    uint64_t index = rc_line_number(req, "index", CONTROLLERS_MAX, 0);

    (void)arg;
    (void)r;
    if (index == 0) {
        return rc_fail(e, RC_E_INVALID, "index: expected a backup controller, 1 to %d",
                       CONTROLLERS_MAX);
    }
    return slurm_takeover((int)index) == SLURM_SUCCESS ? RC_OK : rc_slurm_fail(e, "take-over");
}
