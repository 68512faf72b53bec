/* host_ranges.c - "gpu-[1-3,07],x" name by name, in the order written.
 *
 * One pair of brackets a name, as in nearly every slurm.conf; leading zeros give
 * the width. A name longer than a Slurm node name or a range over a million is
 * refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/slurm_conf_text.h"

enum { RANGE_MAX = 1000000 };

struct walk {
    rc_host_fn *each;
    void *arg;
    uint32_t index;
};

static bool
walk_name(struct walk *w, const char *head, size_t head_len, const char *middle, const char *tail,
          size_t tail_len)
{
    char name[RC_NODE_LEN];
    int len = snprintf(name, sizeof(name), "%.*s%s%.*s", (int)head_len, head, middle, (int)tail_len,
                       tail);

    return len > 0 && (size_t)len < sizeof(name) && w->each(w->arg, w->index++, name);
}

/* One "3" or "01-16" of the brackets; *at moves behind it. */
static bool
walk_range(struct walk *w, const char **at, const char *item, size_t head_len, const char *tail,
           size_t tail_len)
{
    char *end = NULL;
    unsigned long low = strtoul(*at, &end, 10);
    unsigned long high = low;
    int width = (int)(end - *at);

    if (end == *at || width > 9)
        return false;
    if (*end == '-') {
        const char *from = end + 1;

        high = strtoul(from, &end, 10);
        if (end == from)
            return false;
    }
    if (high < low || high - low > RANGE_MAX)
        return false;
    for (unsigned long n = low; n <= high; n++) {
        char number[24];

        (void)snprintf(number, sizeof(number), "%0*lu", width, n);
        if (!walk_name(w, item, head_len, number, tail, tail_len))
            return false;
    }
    *at = end;
    return true;
}

/* An item without its comma; brackets may hold commas of their own. */
static size_t
item_length(const char *item)
{
    size_t len = 0;
    bool inside = false;

    for (; item[len] != '\0' && (inside || item[len] != ','); len++)
        inside = item[len] == '[' || (inside && item[len] != ']');
    return len;
}

static bool
walk_item(struct walk *w, const char *item, size_t len)
{
    const char *open = memchr(item, '[', len);
    const char *close = open != NULL ? memchr(open, ']', len - (size_t)(open - item)) : NULL;
    const char *at;

    if (open == NULL)
        return len > 0 && walk_name(w, item, len, "", "", 0);
    if (close == NULL)
        return false;
    for (at = open + 1; at < close; at++) {
        if (!walk_range(w, &at, item, (size_t)(open - item), close + 1,
                        len - (size_t)(close + 1 - item)))
            return false;
        if (*at != ',' && at != close)
            return false;
    }
    return true;
}

bool
rc_hosts_each(const char *list, rc_host_fn *each, void *arg)
{
    struct walk w = {.each = each, .arg = arg};

    while (*list != '\0') {
        size_t len = item_length(list);

        if (!walk_item(&w, list, len))
            return false;
        list += len;
        list += *list == ',' ? 1 : 0;
    }
    return true;
}
