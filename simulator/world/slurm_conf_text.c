/* slurm_conf_text.c - reads a slurm.conf into node rows.
 *
 * Failure: the first line that cannot be understood ends the reading, with its
 * place; the caller keeps what it had, as slurmctld refuses a reconfigure. */
#include "simulator/world/slurm_conf_text.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 8, LINE_MAX_LEN = 64 * 1024 };

struct reader {
    struct rc_sim_node_row *rows;
    uint32_t room, count;
    uint32_t first;                  /* rows of the NodeName line being read begin here */
    struct rc_sim_node_row standard; /* NodeName=DEFAULT */
    char partition[RC_PARTITION_LEN];
    char *why;
    uint32_t why_room;
    const char *path;
    unsigned line;
    unsigned depth;
};

static bool
reader_fail(struct reader *r, const char *what, const char *value)
{
    (void)snprintf(r->why, r->why_room, "%s:%u: %s \"%s\"", r->path, r->line, what, value);
    return false;
}

static bool
conf_add_node(void *arg, uint32_t index, const char *name)
{
    struct reader *r = arg;
    struct rc_sim_node_row *row;

    (void)index;
    if (r->count == r->room)
        return false;
    row = &r->rows[r->count++];
    *row = r->standard;
    return rc_text_set(row->name, sizeof(row->name), name) &&
           rc_text_set(row->addr, sizeof(row->addr), name) &&
           rc_text_set(row->hostname, sizeof(row->hostname), name);
}

static bool
set_addr(void *arg, uint32_t index, const char *name)
{
    struct reader *r = arg;

    return r->first + index < r->count &&
           rc_text_set(r->rows[r->first + index].addr, RC_ADDR_LEN, name);
}

static bool
set_hostname(void *arg, uint32_t index, const char *name)
{
    struct reader *r = arg;

    return r->first + index < r->count &&
           rc_text_set(r->rows[r->first + index].hostname, RC_NODE_LEN, name);
}

static bool
set_partition(void *arg, uint32_t index, const char *name)
{
    struct reader *r = arg;

    (void)index;
    for (uint32_t i = 0; i < r->count; i++) {
        struct rc_sim_node_row *row = &r->rows[i];

        if (row->partition[0] == '\0' && strcmp(row->name, name) == 0)
            (void)rc_text_set(row->partition, sizeof(row->partition), r->partition);
    }
    return true;
}

static void
node_number(struct reader *r, const char *key, const char *value)
{
    uint32_t number = (uint32_t)strtoul(value, NULL, 10);

    for (uint32_t i = r->first; i < r->count; i++) {
        if (strcasecmp(key, "CPUs") == 0)
            r->rows[i].cpus = number;
        else if (strcasecmp(key, "RealMemory") == 0)
            r->rows[i].real_memory_mb = number;
    }
}

static bool
node_pair(struct reader *r, const char *key, const char *value)
{
    if (strcasecmp(key, "NodeAddr") == 0)
        return rc_hosts_each(value, set_addr, r);
    if (strcasecmp(key, "NodeHostname") == 0)
        return rc_hosts_each(value, set_hostname, r);
    node_number(r, key, value);
    return true;
}

/* NodeName=… and the rest of its line; the name comes first, as Slurm demands. */
static bool
line_node(struct reader *r, const char *names, char *rest)
{
    bool standard = strcasecmp(names, "DEFAULT") == 0;
    char *save = NULL;

    r->first = r->count;
    if (!rc_hosts_each(standard ? "DEFAULT" : names, conf_add_node, r))
        return reader_fail(r, "cannot take the nodes of NodeName", names);
    for (char *pair = strtok_r(rest, " \t", &save); pair != NULL;
         pair = strtok_r(NULL, " \t", &save)) {
        char *value = strchr(pair, '=');

        if (value == NULL)
            return reader_fail(r, "expected Key=Value, not", pair);
        *value++ = '\0';
        if (!node_pair(r, pair, value))
            return reader_fail(r, "does not fit the names of its line:", value);
    }
    if (standard)
        r->standard = r->rows[--r->count];
    return true;
}

static bool
line_partition(struct reader *r, const char *name, char *rest)
{
    char *nodes = strcasestr(rest, "Nodes=");

    if (nodes == NULL || strcasecmp(name, "DEFAULT") == 0)
        return true;
    nodes += 6;
    nodes[strcspn(nodes, " \t")] = '\0';
    if (!rc_text_set(r->partition, sizeof(r->partition), name))
        return reader_fail(r, "partition name is too long:", name);
    if (strcasecmp(nodes, "ALL") == 0) {
        for (uint32_t i = 0; i < r->count; i++)
            (void)set_partition(r, i, r->rows[i].name);
        return true;
    }
    return rc_hosts_each(nodes, set_partition, r) || reader_fail(r, "not a host list:", nodes);
}

static bool read_file(struct reader *r, const char *path);

static bool
line_include(struct reader *r, const char *name)
{
    const char *slash = strrchr(r->path, '/');
    const char *path = r->path;
    unsigned line = r->line;
    char full[PATH_MAX];
    bool good;

    if (*name == '/' || slash == NULL)
        (void)snprintf(full, sizeof(full), "%s", name);
    else
        (void)snprintf(full, sizeof(full), "%.*s/%s", (int)(slash - r->path), r->path, name);
    if (r->depth == DEPTH_MAX)
        return reader_fail(r, "Include goes too deep:", name);
    r->depth++;
    good = read_file(r, full);
    r->depth--;
    r->path = path;
    r->line = line;
    return good;
}

static bool
read_line(struct reader *r, char *line)
{
    size_t key = strcspn(line, "= \t");
    char *value = line + key;

    if (strncasecmp(line, "include", 7) == 0 && (line[7] == ' ' || line[7] == '\t'))
        return line_include(r, line + 8 + strspn(line + 8, " \t"));
    if (*value != '=')
        return *line == '\0' || reader_fail(r, "expected Key=Value, not", line);
    *value++ = '\0';
    if (strcasecmp(line, "NodeName") == 0 || strcasecmp(line, "PartitionName") == 0) {
        char *rest = value + strcspn(value, " \t");

        if (*rest != '\0')
            *rest++ = '\0';
        return strcasecmp(line, "NodeName") == 0 ? line_node(r, value, rest)
                                                 : line_partition(r, value, rest);
    }
    return true;
}

/* Joins a line that ends in a backslash with the next; cuts comments and outer blanks. */
static bool
read_file(struct reader *r, const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = malloc(LINE_MAX_LEN);
    size_t len = 0;
    bool good = f != NULL && line != NULL;

    r->path = path;
    r->line = 0;
    if (!good)
        (void)snprintf(r->why, r->why_room, "%s: cannot be read", path);
    while (good && fgets(line + len, (int)(LINE_MAX_LEN - len), f) != NULL) {
        r->line++;
        line[len + strcspn(line + len, "#\r\n")] = '\0';
        len = strlen(line);
        if (len > 0 && line[len - 1] == '\\') {
            line[len - 1] = ' ';
            continue;
        }
        while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
            line[--len] = '\0';
        good = read_line(r, line + strspn(line, " \t"));
        len = 0;
    }
    free(line);
    if (f != NULL)
        (void)fclose(f);
    return good;
}

bool
rc_slurm_conf_read(const char *path, struct rc_sim_node_row *rows, uint32_t room,
                   uint32_t *ret_count, char *why, uint32_t why_room)
{
    struct reader r = {.rows = rows, .room = room, .why = why, .why_room = why_room};

    r.standard.cpus = 1;
    r.standard.real_memory_mb = 1;
    if (!read_file(&r, path))
        return false;
    *ret_count = r.count;
    return true;
}
