/* replay_source.c - see replay_source.h. Lines are read as they are played: a file may be
 * larger than memory. A folder is listed first, one file is read at a time. */
#include "simulator/replay/replay_source.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "handlers/decode/decode.h"
#include "policies/jsonc.h"
#include "reconciler/io/journal/journal_read.h"
#include "simulator/replay/message_line.h"

enum { NAME_MAX_ = 256, PATH_MAX_ = 4096, BEHIND_MS = 1000 };

static const int64_t first_arrival_ms = 1767225600000; /* 2026-01-01, where no time is told */

struct listed {
    char name[NAME_MAX_];
    int64_t arrival_ms;
};

struct rc_replay_source {
    const char *path;
    enum rc_replay_kind kind;
    FILE *f; /* LINES */
    char *text;
    size_t room;
    uint32_t line;
    int64_t last_ms;
    struct listed *file; /* FOLDER */
    uint32_t files, at;
    char full[PATH_MAX_ + NAME_MAX_];
};

/* ---- what is it? ---- */

static bool
ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), e = strlen(end);

    return n > e && strcmp(name + n - e, end) == 0;
}

static bool
is_segment_name(const char *name)
{
    return strncmp(name, "journal-", 8) == 0 && ends_with(name, ".rcj");
}

/* What stands in a folder: a journal before messages; NONE also where it cannot be read. */
static enum rc_replay_kind
kind_of_entries(const char *path)
{
    enum rc_replay_kind kind = RC_REPLAY_NONE;
    DIR *dir = opendir(path);
    const struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL) {
        if (is_segment_name(d->d_name)) {
            kind = RC_REPLAY_JOURNAL;
        } else if (kind == RC_REPLAY_NONE && *d->d_name != '.' && ends_with(d->d_name, ".json")) {
            kind = RC_REPLAY_FOLDER;
        }
    }
    if (dir) {
        closedir(dir);
    }
    return kind;
}

uint64_t
rc_replay_size(const char *path, enum rc_replay_kind kind)
{
    const char *end = kind == RC_REPLAY_JOURNAL  ? ".rcj"
                      : kind == RC_REPLAY_FOLDER ? ".json"
                                                 : NULL;
    DIR *dir = end ? opendir(path) : NULL;
    const struct dirent *d;
    struct stat st;
    uint64_t sum = 0;

    if (!end) {
        return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    }
    while (dir && (d = readdir(dir)) != NULL) {
        bool counts = ends_with(d->d_name, end) && fstatat(dirfd(dir), d->d_name, &st, 0) == 0;
        sum += counts ? (uint64_t)st.st_size : 0;
    }
    if (dir) {
        closedir(dir);
    }
    return sum;
}

const char *
rc_replay_journal_in(const char *path, char *buf, size_t room)
{
    int n = snprintf(buf, room, "%s/journal", path);

    return n > 0 && (size_t)n < room && kind_of_entries(path) != RC_REPLAY_JOURNAL &&
                   kind_of_entries(buf) == RC_REPLAY_JOURNAL
               ? buf
               : path;
}

/* What a file is by its first bytes, where it is none of ours; NULL = it may be. */
static const char *
strange_file(const unsigned char *bytes, size_t len)
{
    static const struct {
        const char *begins, *is;
    } known[] = {
        {"\x1f\x8b", "compressed (gzip); unpack it first"},
        {"\x28\xb5\x2f\xfd", "compressed (zstd); unpack it first"},
        {"\xfd\x37zXZ", "compressed (xz); unpack it first"},
        {"BZh", "compressed (bzip2); unpack it first"},
        {"PK\x03\x04", "an archive (zip); unpack it first"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].begins);
        if (len >= n && memcmp(bytes, known[i].begins, n) == 0) {
            return known[i].is;
        }
    }
    return NULL;
}

/* A segment whose beginning was cut off, or never reached the disk (zeros), may be one. */
static const char *
strange_segment(const unsigned char *bytes, size_t len)
{
    static const unsigned char magic[8] = RC_JOURNAL_MAGIC, zeros[8] = {0};
    const char *is = strange_file(bytes, len);

    if (is || memcmp(bytes, magic, len) == 0 || memcmp(bytes, zeros, len) == 0) {
        return is;
    }
    return "no part of a journal: expected RCJRNL1 at its beginning";
}

enum rc_err
rc_replay_check_segments(const char *path, struct rc_error *e)
{
    char full[PATH_MAX_ + NAME_MAX_];
    enum rc_err err = RC_OK;
    DIR *dir = opendir(path);
    const struct dirent *d;

    while (err == RC_OK && dir && (d = readdir(dir)) != NULL) {
        unsigned char bytes[8];
        snprintf(full, sizeof full, "%s/%s", path, d->d_name);
        FILE *f = is_segment_name(d->d_name) ? rc_load_open(full) : NULL;
        if (!f) {
            continue; /* whoever reads it says why it cannot be read */
        }
        const char *is = strange_segment(bytes, fread(bytes, 1, sizeof bytes, f));
        fclose(f);
        if (is) {
            err = rc_fail(e, RC_E_PARSE, "%.60s: %s", d->d_name, is);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return err;
}

static enum rc_replay_kind
kind_of_folder(const char *path, struct rc_error *e)
{
    enum rc_replay_kind kind = kind_of_entries(path);
    DIR *dir = opendir(path);

    if (!dir) {
        rc_fail(e, RC_E_IO, "%s: %s", path, strerror(errno));
        return RC_REPLAY_NONE;
    }
    closedir(dir);
    if (kind == RC_REPLAY_NONE) {
        rc_fail(e, RC_E_NOT_FOUND,
                "%s: neither a journal (journal-*.rcj) nor messages (*.json) stand in this folder",
                path);
    }
    return kind;
}

/* Its first byte that is no blank; EOF: there is none. *ret_strange: it is none of ours. */
static int
first_byte(FILE *f, const char **ret_strange)
{
    unsigned char bytes[8];
    size_t len = fread(bytes, 1, sizeof bytes, f);

    *ret_strange = len == sizeof bytes && memcmp(bytes, RC_JOURNAL_MAGIC, sizeof bytes) == 0
                       ? "a part of a journal; expected its folder"
                       : strange_file(bytes, len);
    rewind(f);
    int c = fgetc(f);

    while (c != EOF && c != '\0' && strchr(" \t\r\n", c)) {
        c = fgetc(f);
    }
    return c;
}

enum rc_replay_kind
rc_replay_kind_of(const char *path, struct rc_error *e)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        rc_fail(e, RC_E_IO, "%s: %s", path, strerror(errno));
        return RC_REPLAY_NONE;
    }
    if (S_ISDIR(st.st_mode)) {
        return kind_of_folder(path, e);
    }
    if (!S_ISREG(st.st_mode)) {
        rc_fail(e, RC_E_INVALID, "%s: expected a plain file or a folder, not a pipe or a device",
                path);
        return RC_REPLAY_NONE;
    }
    FILE *f = fopen(path, "rb");
    if (!f) {
        rc_fail(e, RC_E_IO, "%s: %s", path, strerror(errno));
        return RC_REPLAY_NONE;
    }
    const char *strange;
    int first = first_byte(f, &strange);
    fclose(f);
    if (strange) {
        rc_fail(e, RC_E_PARSE, "%s: %s", path, strange);
        return RC_REPLAY_NONE;
    }
    if (first == '[') {
        return RC_REPLAY_TRACE;
    }
    if (first == '{') {
        return ends_with(path, ".json") ? RC_REPLAY_ONE : RC_REPLAY_LINES;
    }
    rc_fail(e, RC_E_PARSE,
            "%s:1: %s: expected lines {\"arrival\": MS, \"body\": \"TEXT\"}, or the list of a "
            "fault trace",
            path, first == EOF ? "empty" : "unknown format");
    return RC_REPLAY_NONE;
}

/* ---- a folder ---- */

static enum rc_err
read_body_file(struct rc_replay_source *s, const char *name, size_t *ret_len, struct rc_error *e)
{
    if (s->kind == RC_REPLAY_ONE) {
        snprintf(s->full, sizeof s->full, "%s", s->path);
    } else {
        snprintf(s->full, sizeof s->full, "%s/%s", s->path, name);
    }
    FILE *f = rc_load_open(s->full);

    if (!s->text) {
        s->room = RC_DECODE_BODY_MAX + 2;
        s->text = malloc(s->room);
    }
    *ret_len = f && s->text ? fread(s->text, 1, s->room - 1, f) : 0;
    bool bad = !f || !s->text || ferror(f);
    if (f) {
        fclose(f);
    }
    if (bad) {
        return rc_fail(e, RC_E_IO, "%s: cannot be read", s->full);
    }
    s->text[*ret_len] = '\0';
    return RC_OK;
}

/* A configuration or a policy beside a journal is none. */
static bool
is_a_message(struct rc_replay_source *s, const char *name)
{
    struct rc_decoded d;
    struct rc_error ignored;
    size_t len;

    if (*name == '.' || !ends_with(name, ".json") ||
        read_body_file(s, name, &len, &ignored) != RC_OK ||
        rc_decode_message(s->text, len, &d) != RC_OK) {
        return false;
    }
    bool is_read = d.verdict != RC_VERDICT_QUARANTINED;
    rc_decoded_done(&d);
    return is_read;
}

uint32_t
rc_replay_bodies_beside(const char *path)
{
    struct rc_replay_source s = {.path = path, .kind = RC_REPLAY_FOLDER};
    uint32_t count = 0;
    DIR *dir = opendir(path);
    const struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL) {
        count += is_a_message(&s, d->d_name);
    }
    if (dir) {
        closedir(dir);
    }
    free(s.text);
    return count;
}

/* "2026-01-02T03:04:05Z" in Unix milliseconds; 0: no such time. */
static int64_t
envelope_time(const char *text)
{
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int y, mo, d, h, mi, se, used = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &se, &used) != 6 ||
        used != 19 || y < 2000 || y > 2099 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 ||
        mi > 59 || se > 60) {
        return 0;
    }
    int64_t days = (int64_t)(y - 1970) * 365 + (y - 1969) / 4 + days_before[mo - 1] + d - 1;
    days += mo > 2 && y % 4 == 0;
    return (((days * 24 + h) * 60 + mi) * 60 + se) * 1000;
}

static int64_t
told_time(const char *body, size_t len)
{
    cJSON *o = cJSON_ParseWithLength(body, len);
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(o, "time");
    int64_t ms = cJSON_IsString(time) ? envelope_time(time->valuestring) : 0;

    cJSON_Delete(o);
    return ms;
}

static int
by_file_name(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static int
by_arrival(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    if (x->arrival_ms != y->arrival_ms) {
        return x->arrival_ms < y->arrival_ms ? -1 : 1;
    }
    return by_file_name(a, b);
}

static enum rc_err
list_one(struct rc_replay_source *s, struct rc_error *e)
{
    s->file = calloc(1, sizeof *s->file);
    if (!s->file) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    const char *slash = strrchr(s->path, '/');
    snprintf(s->file->name, NAME_MAX_, "%s", slash ? slash + 1 : s->path);
    s->files = 1;
    return RC_OK;
}

static enum rc_err
list_body_files(struct rc_replay_source *s, struct rc_error *e)
{
    DIR *dir = opendir(s->path);
    const struct dirent *d;
    uint32_t room = 0;

    if (!dir) {
        return rc_fail(e, RC_E_IO, "%s: %s", s->path, strerror(errno));
    }
    while ((d = readdir(dir)) != NULL) {
        if (*d->d_name == '.' || !ends_with(d->d_name, ".json")) {
            continue;
        }
        if (s->files == room) {
            room = room ? room * 2 : 64;
            struct listed *more = realloc(s->file, room * sizeof *more);
            if (!more) {
                closedir(dir);
                return rc_fail(e, RC_E_INTERNAL, "no memory");
            }
            s->file = more;
        }
        snprintf(s->file[s->files].name, NAME_MAX_, "%s", d->d_name);
        s->file[s->files++].arrival_ms = 0;
    }
    closedir(dir);
    return RC_OK;
}

static enum rc_err
list_bodies(struct rc_replay_source *s, struct rc_error *e)
{
    enum rc_err err = s->kind == RC_REPLAY_ONE ? list_one(s, e) : list_body_files(s, e);
    int64_t last_ms = first_arrival_ms;

    if (err != RC_OK || !s->files) {
        return err;
    }
    qsort(s->file, s->files, sizeof *s->file, by_file_name);
    for (uint32_t i = 0; i < s->files; i++) {
        size_t len;
        err = read_body_file(s, s->file[i].name, &len, e);
        if (err != RC_OK) {
            return err;
        }
        int64_t told_ms = told_time(s->text, len);
        last_ms = told_ms ? told_ms : last_ms + BEHIND_MS;
        s->file[i].arrival_ms = last_ms;
    }
    qsort(s->file, s->files, sizeof *s->file, by_arrival);
    return RC_OK;
}

static enum rc_err
next_file(struct rc_replay_source *s, struct rc_replay_message *ret, struct rc_error *e)
{
    if (s->at == s->files) {
        return RC_E_NOT_FOUND;
    }
    const struct listed *l = &s->file[s->at++];
    enum rc_err err = read_body_file(s, l->name, &ret->len, e);
    ret->arrival_ms = l->arrival_ms;
    ret->body = s->text;
    ret->file = l->name;
    ret->line = 0;
    return err;
}

/* ---- lines ---- */

static enum rc_err
next_line(struct rc_replay_source *s, struct rc_replay_message *ret, struct rc_error *e)
{
    struct rc_message_line m;
    ssize_t len;

    do {
        errno = 0;
        len = getline(&s->text, &s->room, s->f);
        s->line++;
        if (len < 0) {
            return errno || ferror(s->f)
                       ? rc_fail(e, RC_E_IO, "%s:%u: cannot be read", s->path, s->line)
                       : RC_E_NOT_FOUND;
        }
        while (len && strchr(" \t\r\n", s->text[len - 1]) && s->text[len - 1]) {
            len--;
        }
    } while (!len);
    if (!rc_message_line_parse(s->text, (size_t)len, &m)) {
        return rc_fail(e, RC_E_PARSE, "%s:%u: %s", s->path, s->line, m.why);
    }
    if (m.arrival_ms < s->last_ms) {
        return rc_fail(e, RC_E_PARSE, "%s:%u: arrival %lld is earlier than that of the line before",
                       s->path, s->line, (long long)m.arrival_ms);
    }
    s->last_ms = m.arrival_ms;
    *ret = (struct rc_replay_message){m.arrival_ms, m.body, m.len, s->path, s->line};
    return RC_OK;
}

/* ---- both ---- */

enum rc_err
rc_replay_source_open(const char *path, enum rc_replay_kind kind, struct rc_replay_source **ret,
                      struct rc_error *e)
{
    struct rc_replay_source *s = calloc(1, sizeof *s);
    enum rc_err err = RC_OK;

    if (!s) {
        return rc_fail(e, RC_E_INTERNAL, "no memory");
    }
    s->path = path;
    s->kind = kind;
    if (kind == RC_REPLAY_LINES) {
        s->f = fopen(path, "rb");
        if (!s->f) {
            err = rc_fail(e, RC_E_IO, "%s: %s", path, strerror(errno));
        }
    } else {
        err = list_bodies(s, e);
    }
    if (err != RC_OK) {
        rc_replay_source_free(s);
        return err;
    }
    *ret = s;
    return RC_OK;
}

enum rc_err
rc_replay_source_next(struct rc_replay_source *s, struct rc_replay_message *ret, struct rc_error *e)
{
    return s->kind == RC_REPLAY_LINES ? next_line(s, ret, e) : next_file(s, ret, e);
}

void
rc_replay_source_free(struct rc_replay_source *s)
{
    if (s) {
        if (s->f) {
            fclose(s->f);
        }
        free(s->text);
        free(s->file);
        free(s);
    }
}
