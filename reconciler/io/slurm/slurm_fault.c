/* slurm_fault.c - see slurm_fault.h. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_fault.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/io/slurm/slurm_words.h"

#define AGENT_MARK "rc:0 "

enum { WORD_LEN = 160 };

/* The next word behind blanks, cut to its room; false: there is none. */
static bool
next_word_of(const char **at, char word[WORD_LEN])
{
    size_t len;

    *at += strspn(*at, " ");
    len = strcspn(*at, " ");
    if (len == 0) {
        return false;
    }
    size_t kept = len < WORD_LEN ? len : WORD_LEN - 1;
    memcpy(word, *at, kept);
    word[kept] = '\0';
    *at += len;
    return true;
}

static void
keep_text(char *dst, size_t room, const char *src, size_t len)
{
    len = len < room ? len : room - 1;
    memset(dst, 0, room);
    memcpy(dst, src, len);
}

/* A class is a word of small letters, digits, ':' and '-'. */
static bool
is_class(const char *text, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789:-_";

    return len > 0 && len < RC_CLASS_LEN && strspn(text, letters) >= len && text[0] >= 'a';
}

static uint32_t
read_u32(const char *text, const char **ret_end)
{
    char *end = NULL;
    unsigned long long value;

    *ret_end = text;
    if (*text < '0' || *text > '9') {
        return 0;
    }
    value = strtoull(text, &end, 10);
    *ret_end = end;
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* "<class>[@<device>]*<times>:<last>[/<job>][!]" */
static bool
read_entry(const char *word, struct rc_node_fault *ret)
{
    const char *star = strrchr(word, '*');
    const char *device = star ? memchr(word, '@', (size_t)(star - word)) : NULL;
    const char *class_end = device ? device : star;
    const char *at;
    char *end;

    *ret = (struct rc_node_fault){0};
    if (!star || !is_class(word, (size_t)(class_end - word))) {
        return false;
    }
    keep_text(ret->class_name, sizeof ret->class_name, word, (size_t)(class_end - word));
    if (device) {
        keep_text(ret->device, sizeof ret->device, device + 1, (size_t)(star - device - 1));
    }
    ret->times = read_u32(star + 1, &at);
    if (at == star + 1 || *at != ':' || at[1] < '0' || at[1] > '9') {
        return false;
    }
    long long last = strtoll(at + 1, &end, 10);
    ret->last_wall_ms = last < INT64_MAX / 1000 ? last * 1000 : 0;
    if (*end == '/') {
        ret->job = read_u32(end + 1, &at);
        end += at - end;
    }
    ret->guilty = *end == '!';
    return end[ret->guilty] == '\0';
}

static void
read_agent_extra(const char *extra, struct rc_ev_node_faults *ret)
{
    char word[WORD_LEN];
    const char *at = extra;
    struct rc_node_fault f;

    if (strncmp(at, AGENT_MARK, sizeof AGENT_MARK - 1) != 0) {
        return;
    }
    for (at += sizeof AGENT_MARK - 1; next_word_of(&at, word);) {
        if (strncmp(word, "boot=", 5) == 0) {
            keep_text(ret->boot, sizeof ret->boot, word + 5, strlen(word + 5));
        } else if (!read_entry(word, &f)) {
            continue;
        } else if (ret->count < RC_NODE_FAULTS_MAX) {
            ret->v[ret->count++] = f;
        } else {
            ret->more++;
        }
    }
}

/* The fault of a Reason that the agent wrote; false: it is not the agent's. */
static bool
read_agent_reason(const char *reason, struct rc_node_fault *ret, char boot[RC_BOOT_LEN])
{
    const char *at = reason, *end;
    char word[WORD_LEN];

    *ret = (struct rc_node_fault){.times = 1, .guilty = 1};
    memset(boot, 0, RC_BOOT_LEN);
    if (strncmp(at, AGENT_MARK, sizeof AGENT_MARK - 1) != 0) {
        return false;
    }
    at += sizeof AGENT_MARK - 1;
    if (!next_word_of(&at, word) || !is_class(word, strlen(word))) {
        return false;
    }
    keep_text(ret->class_name, sizeof ret->class_name, word, strlen(word));
    while (next_word_of(&at, word)) {
        if (strncmp(word, "boot=", 5) == 0) {
            keep_text(boot, RC_BOOT_LEN, word + 5, strlen(word + 5));
        } else if (strncmp(word, "job=", 4) == 0) {
            ret->job = read_u32(word + 4, &end);
        } else if (word[0] != '+' && ret->device[0] == '\0') {
            keep_text(ret->device, sizeof ret->device, word, strlen(word));
        }
    }
    return true;
}

/* The Reason's fault first: the agent drained for it, whatever else there is. */
static void
add_first(struct rc_ev_node_faults *list, const struct rc_node_fault *f)
{
    uint32_t kept = list->count < RC_NODE_FAULTS_MAX ? list->count : RC_NODE_FAULTS_MAX - 1;

    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->v[i].class_name, f->class_name) == 0 &&
            strcmp(list->v[i].device, f->device) == 0) {
            list->v[i].guilty = 1;
            return;
        }
    }
    memmove(list->v + 1, list->v, kept * sizeof *list->v);
    list->v[0] = *f;
    list->more += list->count - kept;
    list->count = kept + 1;
}

void
rc_slurm_faults_decode(const struct rc_line *row, struct rc_event *ret)
{
    struct rc_ev_node_faults *list = &ret->u.faults;
    int64_t boot_s = 0, reason_s = 0;
    char boot[RC_BOOT_LEN];
    struct rc_node_fault f;
    uint32_t flags = 0;

    rc_event_init(ret, RC_EV_NODE_FAULTS);
    (void)rc_text_set(ret->node, sizeof ret->node, rc_line_text(row, "name", ""));
    read_agent_extra(rc_line_text(row, "extra", ""), list);
    (void)rc_line_i64(row, "boot", &boot_s);
    (void)rc_line_i64(row, "reason_time", &reason_s);
    /* 24.11 keeps a reason after RESUME: it speaks for a node that is out only. */
    if (!rc_slurm_flags_parse(rc_line_text(row, "flags", ""), &flags) ||
        !(flags & (RC_SN_DRAIN | RC_SN_DOWN | RC_SN_FAIL)) ||
        !read_agent_reason(rc_line_text(row, "reason", ""), &f, boot)) {
        return;
    }
    f.last_wall_ms = reason_s > 0 && reason_s < INT64_MAX / 1000 ? reason_s * 1000 : 0;
    if (strcmp(boot, list->boot) != 0) {
        if (list->boot[0] && boot_s > reason_s) {
            return; /* the machine has booted since, and its agent has said so */
        }
        memset(list, 0, sizeof *list);
        memcpy(list->boot, boot, sizeof list->boot);
    }
    add_first(list, &f);
}
