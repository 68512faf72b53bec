/* credentials_file.c - see credentials_file.h. */
#define _GNU_SOURCE
#include "reconciler/io/aws/credentials_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
wipe_text(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

void
rc_credentials_done(struct rc_credentials *c)
{
    free(c->access_key);
    wipe_text(c->secret_key);
    wipe_text(c->token);
    memset(c, 0, sizeof *c);
}

/* Trims in place; returns the first byte that is not blank. */
static char *
trim_line(char *text)
{
    char *end = text + strlen(text);

    while (end > text && strchr(" \t\r\n", end[-1])) {
        *--end = '\0';
    }
    return text + strspn(text, " \t");
}

static enum rc_err
take_key(char *line, struct rc_credentials *ret)
{
    const struct {
        const char *key;
        char **value;
    } keys[] = {
        {"aws_access_key_id", &ret->access_key},
        {"aws_secret_access_key", &ret->secret_key},
        {"aws_session_token", &ret->token},
    };
    char *equals = strchr(line, '=');

    if (!equals) {
        return RC_E_PARSE;
    }
    *equals = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(trim_line(line), keys[i].key) == 0) {
            char *value = strdup(trim_line(equals + 1));
            if (!value) {
                return RC_E_INTERNAL;
            }
            wipe_text(*keys[i].value);
            *keys[i].value = value;
        }
    }
    return RC_OK;
}

/* "[name]" or "[profile name]" is our profile? Both spellings are in use. */
static bool
is_profile(char *line, const char *profile)
{
    char *end = strchr(line, ']');

    if (end) {
        *end = '\0';
    }
    char *name = trim_line(line + 1);
    if (strncmp(name, "profile ", 8) == 0) {
        name = trim_line(name + 8);
    }
    return strcmp(name, profile) == 0;
}

static enum rc_err
read_lines(FILE *f, const char *path, const char *profile, struct rc_credentials *ret,
           bool *ret_found, struct rc_error *error)
{
    char *raw = NULL;
    size_t room = 0;
    unsigned number = 0;
    bool inside = false;
    enum rc_err err = RC_OK;

    while (err == RC_OK && getline(&raw, &room, f) >= 0) {
        number++;
        /* A line that begins with a blank belongs to a nested section of another tool. */
        bool nested = *raw == ' ' || *raw == '\t';
        char *line = trim_line(raw);
        if (!*line || *line == '#' || *line == ';') {
            continue;
        }
        if (*line == '[') {
            inside = is_profile(line, profile);
            *ret_found = *ret_found || inside;
        } else if (inside && !nested) {
            err = take_key(line, ret);
        }
    }
    if (raw) {
        explicit_bzero(raw, room);
    }
    free(raw);
    if (err != RC_OK) {
        return rc_fail(error, RC_E_CREDENTIALS, "%s:%u: expected key = value in profile \"%s\"",
                       path, number, profile);
    }
    return RC_OK;
}

enum rc_err
rc_credentials_file_read(const char *path, const char *profile, struct rc_credentials *ret,
                         struct rc_error *error)
{
    FILE *f = fopen(path, "re");
    bool found = false;
    enum rc_err err;

    memset(ret, 0, sizeof *ret);
    if (!f) {
        err = errno == ENOENT || errno == ENOTDIR ? RC_E_NOT_FOUND : RC_E_CREDENTIALS;
        return rc_fail(error, err, "%s: %s", path, strerror(errno));
    }
    err = read_lines(f, path, profile, ret, &found, error);
    fclose(f);
    if (err == RC_OK && !found) {
        err = rc_fail(error, RC_E_NOT_FOUND, "%s has no profile \"%s\"", path, profile);
    } else if (err == RC_OK && (!ret->access_key || !*ret->access_key)) {
        err = rc_fail(error, RC_E_CREDENTIALS, "%s: profile \"%s\" has no aws_access_key_id", path,
                      profile);
    } else if (err == RC_OK && (!ret->secret_key || !*ret->secret_key)) {
        err = rc_fail(error, RC_E_CREDENTIALS, "%s: profile \"%s\" has no aws_secret_access_key",
                      path, profile);
    }
    if (err != RC_OK) {
        rc_credentials_done(ret);
        return err;
    }
    snprintf(ret->source, sizeof ret->source, "shared file");
    return RC_OK;
}
