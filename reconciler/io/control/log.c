/* log.c - see log.h: where lines go, what is held back, what was lost. log_line.c makes the
 * line itself. */
#define _GNU_SOURCE
#include "reconciler/io/control/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/control/log_line.h"

/* Notes that are counted at a time; an older subject makes room for a newer one. */
enum { REPEATS_MAX = 256 };

struct repeat {
    uint64_t key; /* 0 = free */
    int64_t since_ms;
    uint32_t written;
    uint32_t held;
    enum rc_log_level level;
    char room[32];
    char name[64];
};

struct rc_log {
    int fd;
    char *path; /* NULL = standard error */
    enum rc_log_level level;
    bool is_torn; /* the last write stopped inside a line */
    uint64_t lost;
    uint64_t lost_untold;
    int64_t (*clock_ms)(void *arg);
    void *clock_arg;
    struct repeat repeat[REPEATS_MAX];
};

static const char *const level_names[] = {[RC_LOG_DEBUG] = "debug",
                                          [RC_LOG_INFO] = "info",
                                          [RC_LOG_WARN] = "warn",
                                          [RC_LOG_ERROR] = "error"};

const char *
rc_log_level_name(enum rc_log_level level)
{
    return (unsigned)level < RC_LOG__MAX ? level_names[level] : "?";
}

enum rc_log_level
rc_log_level_from_name(const char *name)
{
    for (unsigned i = 0; i < RC_LOG__MAX; i++) {
        if (strcmp(level_names[i], name) == 0) {
            return (enum rc_log_level)i;
        }
    }
    return RC_LOG__MAX;
}

static int64_t
wall_clock_ms(void *arg)
{
    struct timespec now = {0};

    (void)arg;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static enum rc_err
open_failed(const char *path, struct rc_error *e)
{
    enum rc_err code = errno == EACCES || errno == EPERM ? RC_E_DENIED : RC_E_IO;

    return rc_fail(e, code, "log %s cannot be opened: %s", path, strerror(errno));
}

enum rc_err
rc_log_open(const char *path, enum rc_log_level level, struct rc_log **ret, struct rc_error *e)
{
    struct rc_log *log = calloc(1, sizeof *log);

    if (!log) {
        return rc_fail(e, RC_E_INTERNAL, "out of memory");
    }
    log->fd = STDERR_FILENO;
    log->level = level;
    log->clock_ms = wall_clock_ms;
    if (*path) {
        log->path = strdup(path);
        log->fd = log->path ? open_file(path) : -1;
        if (log->fd < 0) {
            enum rc_err err = open_failed(path, e);
            free(log->path);
            free(log);
            return err;
        }
    }
    *ret = log;
    return RC_OK;
}

void
rc_log_set_clock(struct rc_log *log, int64_t (*clock_ms)(void *arg), void *arg)
{
    log->clock_ms = clock_ms;
    log->clock_arg = arg;
}

void
rc_log_set_level(struct rc_log *log, enum rc_log_level level)
{
    log->level = level;
}

bool
rc_log_wants(const struct rc_log *log, enum rc_log_level level)
{
    return log && level >= log->level;
}

enum rc_err
rc_log_reopen(struct rc_log *log, struct rc_error *e)
{
    int fd = -1;

    if (!log->path) {
        return RC_OK;
    }
    fd = open_file(log->path);
    if (fd < 0) {
        return open_failed(log->path, e);
    }
    close(log->fd);
    log->fd = fd;
    log->is_torn = false;
    return RC_OK;
}

uint64_t
rc_log_lost(const struct rc_log *log)
{
    return log->lost;
}

/* The whole line, or false. What was written of a line is ended by the next one's first
 * byte, so that one torn line never spoils another. */
static bool
write_bytes(struct rc_log *log, const char *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(log->fd, data + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            log->is_torn = log->is_torn || done > 0;
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static bool
write_line(struct rc_log *log, const struct rc_log_line *line)
{
    if (log->is_torn) {
        if (!write_bytes(log, "\n", 1)) {
            return false;
        }
        log->is_torn = false;
    }
    return write_bytes(log, line->data, line->len);
}

static void
tell_lost(struct rc_log *log, int64_t now_ms)
{
    struct rc_log_line line;
    struct rc_log_field fields[] = {RC_INT("lost", log->lost_untold), RC_FIELDS_END};
    const struct rc_log_head head = {now_ms, RC_LOG_ERROR, "log", RC_LOG_NOTE, "lines-lost"};

    rc_log_line_make(&line, &head, fields, "lines could not be written");
    if (write_line(log, &line)) {
        log->lost_untold = 0;
    }
}

static void
emit(struct rc_log *log, const struct rc_log_line *line, int64_t now_ms)
{
    if (log->lost_untold > 0) {
        tell_lost(log, now_ms);
    }
    if (log->lost_untold > 0 || !write_line(log, line)) {
        log->lost++;
        log->lost_untold++;
    }
}

static uint64_t
hash_text(uint64_t hash, const char *text)
{
    for (const char *p = text; *p; p++) {
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    return hash * 31 + 1;
}

/* Digits are skipped: "after 1203 ms" and "after 1187 ms" are the same thing said twice. */
static uint64_t
hash_words(uint64_t hash, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9') {
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
        }
    }
    return hash * 31 + 1;
}

static uint64_t
key_of(const struct rc_log_head *head, const struct rc_log_field *fields, const char *text)
{
    uint64_t hash = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), head->room), head->name);

    hash = hash_words(hash, text);

    for (const struct rc_log_field *f = fields; f && f->type != RC_FIELD_END; f++) {
        if (strcmp(f->key, "node") == 0 || strcmp(f->key, "instance") == 0) {
            hash = hash_text(hash, f->text ? f->text : "");
        } else if (strcmp(f->key, "incident") == 0) {
            hash = (hash ^ (uint64_t)f->number) * UINT64_C(0x100000001b3);
        }
    }
    return hash ? hash : 1;
}

static void
tell_repeats(struct rc_log *log, struct repeat *r, int64_t now_ms)
{
    struct rc_log_line line;
    struct rc_log_field fields[] = {RC_INT("repeated", r->held), RC_FIELDS_END};
    const struct rc_log_head head = {now_ms, r->level, r->room, RC_LOG_NOTE, r->name};

    if (r->held > 0) {
        rc_log_line_make(&line, &head, fields, "said again and not written each time");
        emit(log, &line, now_ms);
    }
    memset(r, 0, sizeof *r);
}

/* The counter of this subject; one whose window is over is told and begun anew. */
static struct repeat *
find_repeat(struct rc_log *log, uint64_t key, int64_t now_ms)
{
    struct repeat *free_one = NULL;
    struct repeat *oldest = &log->repeat[0];

    for (size_t i = 0; i < REPEATS_MAX; i++) {
        struct repeat *r = &log->repeat[i];
        if (r->key == key) {
            if (now_ms - r->since_ms < RC_LOG_WINDOW_MS && now_ms >= r->since_ms) {
                return r;
            }
            oldest = r;
            break;
        }
        if (r->key == 0 && !free_one) {
            free_one = r;
        }
        oldest = r->since_ms < oldest->since_ms ? r : oldest;
    }
    if (oldest->key != key && free_one) {
        oldest = free_one;
    }
    tell_repeats(log, oldest, now_ms);
    oldest->key = key;
    oldest->since_ms = now_ms;
    return oldest;
}

static bool
is_held_back(struct rc_log *log, const struct rc_log_head *head, const struct rc_log_field *fields,
             const char *text)
{
    struct repeat *r = NULL;

    if (head->kind != RC_LOG_NOTE) {
        return false;
    }
    r = find_repeat(log, key_of(head, fields, text), head->wall_ms);
    if (r->written < RC_LOG_BURST) {
        r->written++;
        return false;
    }
    if (r->held++ == 0) {
        r->level = head->level;
        snprintf(r->room, sizeof r->room, "%s", head->room);
        snprintf(r->name, sizeof r->name, "%s", head->name);
    }
    return true;
}

void
rc_log_event(struct rc_log *log, enum rc_log_level level, const char *room, enum rc_log_kind kind,
             const char *name, const struct rc_log_field *fields, const char *fmt, ...)
{
    struct rc_log_line line;
    char text[RC_LOG_TEXT_MAX];
    va_list ap;

    if (!rc_log_wants(log, level)) {
        return;
    }
    const struct rc_log_head head = {log->clock_ms(log->clock_arg), level, room, kind, name};
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (is_held_back(log, &head, fields, text)) {
        return;
    }
    rc_log_line_make(&line, &head, fields, text);
    emit(log, &line, head.wall_ms);
}

void
rc_log_failure(struct rc_log *log, const char *room, const struct rc_error *failure,
               const struct rc_log_field *fields)
{
    enum { FIELDS_MAX = 16 };
    struct rc_log_field all[FIELDS_MAX + 2];
    size_t count = 0;

    for (const struct rc_log_field *f = fields; f && f->type != RC_FIELD_END; f++) {
        if (count < FIELDS_MAX) {
            all[count++] = *f;
        }
    }
    all[count++] = RC_TEXT("service_code", failure->service_code);
    all[count] = RC_FIELDS_END;
    rc_log_event(log, RC_LOG_ERROR, room, RC_LOG_NOTE, rc_err_name(failure->code), all, "%s",
                 *failure->text ? failure->text : rc_err_text(failure->code));
}

void
rc_log_tick(struct rc_log *log)
{
    int64_t now_ms = log->clock_ms(log->clock_arg);

    for (size_t i = 0; i < REPEATS_MAX; i++) {
        struct repeat *r = &log->repeat[i];
        if (r->key != 0 && now_ms - r->since_ms >= RC_LOG_WINDOW_MS) {
            tell_repeats(log, r, now_ms);
        }
    }
}

void
rc_log_close(struct rc_log *log)
{
    if (!log) {
        return;
    }
    for (size_t i = 0; i < REPEATS_MAX; i++) {
        tell_repeats(log, &log->repeat[i], log->clock_ms(log->clock_arg));
    }
    if (log->path) {
        close(log->fd);
    }
    free(log->path);
    free(log);
}
