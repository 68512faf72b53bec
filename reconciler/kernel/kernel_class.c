/* kernel_class.c - runs the table of patterns over a message; see kernel_class.h.
 *
 * Nearly all patterns begin with a literal, so a row that does not apply is left at its
 * first byte. Messages of PCI drivers begin with a driver's name and an
 * address; they are taken apart once, and have a table of their own. */
#include "reconciler/kernel/kernel_class.h"

#include <string.h>

#include "reconciler/kernel/kernel_rules.h"

enum {
    STARS_MAX = 4,        /* per pattern; bounds the backtracking */
    DRIVER_LEN_MAX = 32,  /* of a PCI driver's name */
    PROGRAM_LEN_MAX = 32, /* "name[pid]": TASK_COMM_LEN is 16 */
    IFACE_LEN_MAX = 32,
    DOMAIN_DIGITS_MAX = 8,
};

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void
keep_device(char *device, const char *from, const char *to)
{
    size_t len = (size_t)(to - from);

    if (!device) {
        return;
    }
    if (len >= RC_KERNEL_DEVICE_LEN) {
        len = RC_KERNEL_DEVICE_LEN - 1;
    }
    for (size_t i = 0; i < len; i++) {
        device[i] = from[i] > ' ' && from[i] < 0x7f ? from[i] : '?';
    }
    device[len] = '\0';
}

static void
keep_address(char *device, const char *from, const char *to)
{
    keep_device(device, from, to);
    for (char *c = device; c && *c; c++) {
        *c = lower(*c);
    }
}

static const char *
hex_run(const char *at, const char *end, int min, int max)
{
    int n = 0;

    while (at < end && n <= max && is_hex(*at)) {
        at++;
        n++;
    }
    return n >= min && n <= max ? at : NULL;
}

/* "[dddd:]bb:dd[.f]"; the form without domain is that of the oldest drivers. */
static const char *
address_end(const char *at, const char *end)
{
    const char *group[3] = {0};
    int groups = 0;

    while (groups < 3) {
        at = hex_run(at, end, 2, groups == 0 ? DOMAIN_DIGITS_MAX : 2);
        if (!at) {
            return NULL;
        }
        group[groups++] = at;
        if (at == end || *at != ':' || groups == 3 || end - at < 3 || !is_hex(at[1]) ||
            !is_hex(at[2])) {
            break;
        }
        at++;
    }
    at = group[groups - 1];
    if (groups < 2) {
        return NULL;
    }
    return end - at > 1 && *at == '.' && is_hex(at[1]) ? at + 2 : at;
}

static const char *
name_end(const char *at, const char *end, const char *stops)
{
    while (at<end && * at> ' ' && !strchr(stops, *at)) {
        at++;
    }
    return at;
}

static const char *
match_special(char what, const char *at, const char *end, char *device)
{
    const char *stop = at;

    switch (what) {
    case 'b':
        stop = address_end(at, end);
        if (stop) {
            keep_address(device, at, stop);
        }
        return stop;
    case 'd':
        while (stop < end && *stop >= '0' && *stop <= '9') {
            stop++;
        }
        break;
    case 'n':
        stop = name_end(at, end, "():,;");
        keep_device(device, at, stop > at && stop[-1] == '.' ? stop - 1 : stop);
        break;
    case 'r':
        stop = name_end(at, end, "(),;");
        keep_device(device, at, stop);
        break;
    default:
        stop = name_end(at, end, ":");
        break;
    }
    return stop > at ? stop : NULL;
}

static const char *match_from(const char *pattern, const char *at, const char *end, char *device,
                              int stars);

/* The first place from which the rest of the pattern matches. */
static const char *
match_star(const char *pattern, const char *at, const char *end, char *device, int stars)
{
    bool literal = *pattern != '%' && *pattern != '$';

    for (; stars > 0 && at <= end; at++) {
        if (literal) {
            at = at < end ? memchr(at, *pattern, (size_t)(end - at)) : NULL;
            if (!at) {
                return NULL;
            }
        }
        const char *found = match_from(pattern, at, end, device, stars - 1);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/* A plain backtracking match: patterns are ours, few stars each, and texts short. */
static const char *
match_from(const char *pattern, const char *at, const char *end, char *device, int stars)
{
    for (; *pattern; pattern++) {
        if (*pattern == '%') {
            at = match_special(*++pattern, at, end, device);
            if (!at) {
                return NULL;
            }
        } else if (*pattern == '*') {
            return match_star(pattern + 1, at, end, device, stars);
        } else if (*pattern == '$' && pattern[1] == '\0') {
            return at == end ? at : NULL;
        } else if (at == end || *at++ != *pattern) {
            return NULL;
        }
    }
    return at;
}

const char *
rc_kernel_match(const char *pattern, const char *at, const char *end, char *device)
{
    return match_from(pattern, at, end, device, STARS_MAX);
}

bool
rc_kernel_has(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);

    while ((size_t)(end - at) >= len) {
        at = memchr(at, word[0], (size_t)(end - at) - len + 1);
        if (!at) {
            return false;
        }
        if (memcmp(at, word, len) == 0) {
            return true;
        }
        at++;
    }
    return false;
}

void
rc_kernel_add(struct rc_kernel_class *c, const char *text, size_t len)
{
    size_t at = strlen(c->name);

    if (at + 1 + len < sizeof c->name) {
        c->name[at] = ':';
        memcpy(c->name + at + 1, text, len);
        c->name[at + 1 + len] = '\0';
    }
}

static void
set_name(struct rc_kernel_class *c, const char *name)
{
    size_t len = strlen(name);

    if (len >= sizeof c->name) {
        len = sizeof c->name - 1;
    }
    memcpy(c->name, name, len);
    c->name[len] = '\0';
}

static bool
settle(const char *name, rc_kernel_refine_fn *refine, const char *at, const char *end,
       struct rc_kernel_class *ret)
{
    set_name(ret, name);
    return !refine || refine(at, end, ret);
}

/* "<driver> <address>[ <name>]: ", also the forms of EFA on old kernels ("infiniband
 * efa_0: ") and of ENA on FreeBSD ("ena0: "). */
struct subject {
    struct rc_span driver;
    const char *text; /* behind the colon */
};

static bool
is_driver_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool
read_subject(const char *at, const char *end, struct subject *ret, char *device)
{
    const char *driver = at;
    const char *stop = end - at > DRIVER_LEN_MAX ? at + DRIVER_LEN_MAX : end;

    while (at < stop && is_driver_char(*at)) {
        at++;
    }
    ret->driver = (struct rc_span){driver, (size_t)(at - driver)};
    if (at == stop || *at != ' ' || ret->driver.len == 0) {
        return false;
    }
    const char *address = at + 1;
    at = address_end(address, end);
    if (!at) {
        return false;
    }
    keep_address(device, address, at);
    if (end - at > 1 && *at == ' ') {
        const char *iface = name_end(at + 1, end, ":");

        at = iface - at <= IFACE_LEN_MAX ? iface : at;
    }
    if (end - at < 2 || at[0] != ':') {
        return false;
    }
    for (at++; at < end && *at == ' ';) {
        at++;
    }
    ret->text = at;
    return true;
}

static bool
read_old_subject(const char *at, const char *end, struct subject *ret, char *device)
{
    static const struct {
        const char *pattern;
        const char *driver;
        size_t skip; /* of the name's beginning in the pattern */
    } forms[] = {
        {"infiniband efa_%d: ", "efa", 11},
        {"infiniband rdmap*: ", "efa", 11},
        {"ena%d: ", "ena", 0},
    };

    if (at == end || (*at != 'i' && *at != 'e')) {
        return false;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *behind = rc_kernel_match(forms[i].pattern, at, end, NULL);

        if (behind) {
            keep_device(device, at + forms[i].skip, behind - 2);
            ret->driver = (struct rc_span){forms[i].driver, strlen(forms[i].driver)};
            ret->text = behind;
            return true;
        }
    }
    return false;
}

static bool
is_driver(const char *want, struct rc_span have)
{
    for (size_t i = 0; want[i]; i++) {
        if (want[i] == '*') {
            return true;
        }
        if (i == have.len || want[i] != have.at[i]) {
            return false;
        }
        if (!want[i + 1]) {
            return i + 1 == have.len;
        }
    }
    return true; /* "": any */
}

/* "poll_health:825:(pid 0): " stands before what mlx5 says, or not, by its release. */
static const char *
skip_function(const char *at, const char *end)
{
    const char *behind = rc_kernel_match("%w:%d:(pid %d): ", at, end, NULL);

    return behind ? behind : at;
}

/* Tells most rows apart from a text without a call. */
static bool
may_begin(const char *pattern, const char *at, const char *end)
{
    return (at < end && *pattern == *at) || *pattern == '*' || *pattern == '%';
}

static bool
classify_pci(const struct subject *s, const char *end, struct rc_kernel_class *ret)
{
    const char *text = is_driver("mlx5*", s->driver) ? skip_function(s->text, end) : s->text;

    for (const struct rc_kernel_pci_rule *r = rc_kernel_pci_rules; r->name; r++) {
        const char *behind = may_begin(r->pattern, text, end) && is_driver(r->driver, s->driver)
                                 ? rc_kernel_match(r->pattern, text, end, NULL)
                                 : NULL;

        if (behind && settle(r->name, r->refine, behind, end, ret)) {
            return true;
        }
    }
    return false;
}

static bool
try_rule(const struct rc_kernel_rule *r, const char *at, const char *end,
         struct rc_kernel_class *ret)
{
    ret->device[0] = '\0';
    const char *behind = rc_kernel_match(r->pattern, at, end, ret->device);

    return behind && settle(r->name, r->refine, behind, end, ret);
}

/* Messages that begin with a program's or a device's name: the rows are tried behind it. */
static bool
classify_named(const char *at, const char *end, struct rc_kernel_class *ret)
{
    const char *stop = end - at > PROGRAM_LEN_MAX ? at + PROGRAM_LEN_MAX : end;

    for (; at < stop; at++) {
        if (*at != ':' && *at != ' ') {
            continue;
        }
        for (const struct rc_kernel_rule *r = rc_kernel_any_rules; r->name; r++) {
            if (*r->pattern == *at && try_rule(r, at, end, ret)) {
                return true;
            }
        }
    }
    return false;
}

static bool
classify_plain(const char *at, const char *end, struct rc_kernel_class *ret)
{
    size_t low = 0, high = rc_kernel_rule_count;

    while (low < high) { /* the first row that begins with the message's first byte */
        size_t middle = low + (high - low) / 2;

        if ((unsigned char)rc_kernel_rules[middle].pattern[0] < (unsigned char)*at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < rc_kernel_rule_count && rc_kernel_rules[low].pattern[0] == *at; low++) {
        if (may_begin(rc_kernel_rules[low].pattern + 1, at + 1, end) &&
            try_rule(&rc_kernel_rules[low], at, end, ret)) {
            return true;
        }
    }
    return classify_named(at, end, ret);
}

bool
rc_kernel_classify_message(struct rc_span message, struct rc_kernel_class *ret)
{
    const char *at = message.at;
    const char *end = at + (message.len < RC_KERNEL_HEAD ? message.len : RC_KERNEL_HEAD);
    struct subject s;

    ret->device[0] = '\0';
    ret->detail = message;
    if (at < end &&
        (read_subject(at, end, &s, ret->device) || read_old_subject(at, end, &s, ret->device)) &&
        classify_pci(&s, end, ret)) {
        return true;
    }
    if (at < end && classify_plain(at, end, ret)) {
        return true;
    }
    set_name(ret, "none");
    ret->device[0] = '\0';
    ret->detail = (struct rc_span){message.at, 0};
    return false;
}

bool
rc_kernel_classify(const char *line, size_t len, struct rc_kernel_class *ret)
{
    struct rc_span message;

    if (!rc_kernel_message(line, len, &message)) {
        message.len = 0;
    }
    return rc_kernel_classify_message(message, ret);
}

size_t
rc_kernel_detail(const struct rc_kernel_class *c, char buf[RC_KERNEL_DETAIL_LEN])
{
    size_t len = c->detail.len < RC_KERNEL_DETAIL_LEN ? c->detail.len : RC_KERNEL_DETAIL_LEN - 1;

    for (size_t i = 0; i < len; i++) {
        char b = c->detail.at[i];

        buf[i] = b == '\t' ? ' ' : b;
        if (buf[i] < ' ' || buf[i] > '~') {
            buf[i] = '?';
        }
    }
    buf[len] = '\0';
    return len;
}

/* The parts of an address by value; function -1 when it has none. */
static bool
read_address(const char *text, unsigned long part[3], int *ret_function)
{
    const char *end = text + strlen(text);
    const char *stop = address_end(text, end);
    int count = 0;

    if (stop != end || end == text) {
        return false;
    }
    part[0] = part[1] = part[2] = 0;
    *ret_function = -1;
    for (const char *c = text; c < end; c++) {
        if (*c == ':') {
            if (++count > 2) {
                return false;
            }
            continue;
        }
        if (*c == '.') {
            *ret_function = (unsigned char)lower(c[1]);
            break;
        }
        char h = lower(*c);
        part[count] = part[count] * 16 + (unsigned long)(h <= '9' ? h - '0' : h - 'a' + 10);
    }
    if (count == 1) { /* no domain */
        part[2] = part[1];
        part[1] = part[0];
        part[0] = 0;
    }
    return true;
}

bool
rc_pci_same(const char *a, const char *b)
{
    unsigned long pa[3], pb[3];
    int fa, fb;

    return read_address(a, pa, &fa) && read_address(b, pb, &fb) && memcmp(pa, pb, sizeof pa) == 0 &&
           (fa == fb || fa < 0 || fb < 0);
}
