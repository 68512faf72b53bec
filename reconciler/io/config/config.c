/* config.c - see config.h: text -> JSON values -> struct rc_config. */
#define _GNU_SOURCE
#include "reconciler/io/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/config/config_rules.h"

/* The folder of the file, without a slash at its end; "." when it is named without one. */
static void
folder_of(const char *path, char *buf, size_t room)
{
    const char *slash = strrchr(path, '/');

    if (!slash) {
        snprintf(buf, room, ".");
    } else {
        snprintf(buf, room, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
}

static void
set_role(struct rc_config_command *command, const char *role)
{
    if (command->arg_count == 0) {
        snprintf(command->arg[0], sizeof command->arg[0], "--role");
        snprintf(command->arg[1], sizeof command->arg[1], "%s", role);
        command->arg_count = 2;
    }
}

/* What follows from other keys or from the machine. */
static void
fill_in(struct rc_config *config)
{
    config->cluster.lease_term_ms = config->lease.term_ms;
    config->cluster.poll_instances_ms = config->poll.instances_ms;
    config->cluster.poll_slurm_ms = config->poll.slurm_ms;
    set_role(&config->slurm.reader, "reader");
    set_role(&config->slurm.writer, "writer");
    if (!*config->lease.owner && gethostname(config->lease.owner, RC_NODE_LEN) != 0) {
        snprintf(config->lease.owner, RC_NODE_LEN, "unnamed");
    }
    config->lease.owner[RC_NODE_LEN - 1] = '\0';
    if (!*config->forensics.dir) {
        (void)snprintf(config->forensics.dir, sizeof config->forensics.dir, "%.*s/forensics",
                       (int)sizeof config->forensics.dir - 16, config->state_dir);
    }
}

enum rc_err
rc_config_load(const char *path, const char *text, size_t len, struct rc_config *ret,
               struct rc_load_errors *errs)
{
    char folder[RC_CONFIG_PATH_LEN];
    struct rc_bind b = {.file = path, .dir = folder, .errs = errs};
    struct rc_config *config = NULL;
    struct rc_jsonc *doc = NULL;
    enum rc_err err = rc_jsonc_read(path, text, len, &doc, errs);

    if (err != RC_OK) {
        return err;
    }
    config = calloc(1, sizeof *config);
    if (!config) {
        rc_load_error(errs, path, NULL, "out of memory");
        rc_jsonc_free(doc);
        return RC_E_INTERNAL;
    }
    folder_of(path, folder, sizeof folder);
    rc_bind_object(&b, rc_config_table(), rc_jsonc_root(doc), config);
    if (errs->count == 0) {
        fill_in(config);
        *ret = *config;
    } else {
        err = RC_E_INVALID;
    }
    free(config);
    rc_jsonc_free(doc);
    return err;
}

enum rc_err
rc_config_load_file(const char *path, struct rc_config *ret, struct rc_load_errors *errs)
{
    char *text = NULL;
    size_t len = 0;
    enum rc_err err = rc_load_file(path, &text, &len, errs);

    if (err == RC_OK) {
        err = rc_config_load(path, text, len, ret, errs);
        free(text);
    }
    return err;
}
