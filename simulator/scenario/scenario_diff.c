/* scenario_diff.c - a small line diff: the longest common subsequence of what is
 * left between equal heads and tails. Transcripts have hundreds of lines, so a
 * quadratic table is fine; beyond its limit the middle is shown as replaced. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/scenario/scenario.h"

enum { TABLE_MAX = 4000, CONTEXT = 3 };

struct lines {
    char *text;
    char **v;
    size_t count;
};

static bool
lines_of(const char *text, struct lines *ret)
{
    size_t room = 1;

    for (const char *p = text; *p; p++) {
        room += *p == '\n';
    }
    ret->text = strdup(text);
    ret->v = calloc(room + 1, sizeof *ret->v);
    ret->count = 0;
    if (!ret->text || !ret->v) {
        return false;
    }
    for (char *p = ret->text; *p;) {
        ret->v[ret->count++] = p;
        p += strcspn(p, "\n");
        if (*p) {
            *p++ = '\0';
        }
    }
    return true;
}

static void
lines_free(struct lines *l)
{
    free(l->text);
    free(l->v);
}

/* How one side's lines are marked: kept or not. */
struct edit {
    const struct lines *a, *b;
    bool *keep_a, *keep_b;
};

static void
mark_common(struct edit *x, size_t head, size_t na, size_t nb)
{
    uint16_t *len = calloc((na + 1) * (nb + 1), sizeof *len);
    char **a = x->a->v + head, **b = x->b->v + head;

    if (!len) {
        return; /* everything in between is shown as replaced */
    }
    for (size_t i = na; i-- > 0;) {
        for (size_t j = nb; j-- > 0;) {
            uint16_t down = len[(i + 1) * (nb + 1) + j], right = len[i * (nb + 1) + j + 1];
            len[i * (nb + 1) + j] = strcmp(a[i], b[j]) == 0
                                        ? (uint16_t)(len[(i + 1) * (nb + 1) + j + 1] + 1)
                                        : (down > right ? down : right);
        }
    }
    for (size_t i = 0, j = 0; i < na && j < nb;) {
        if (strcmp(a[i], b[j]) == 0) {
            x->keep_a[head + i++] = x->keep_b[head + j++] = true;
        } else if (len[(i + 1) * (nb + 1) + j] >= len[i * (nb + 1) + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
    free(len);
}

static void
mark_kept(struct edit *x)
{
    size_t na = x->a->count, nb = x->b->count, head = 0;

    while (head < na && head < nb && strcmp(x->a->v[head], x->b->v[head]) == 0) {
        x->keep_a[head] = x->keep_b[head] = true;
        head++;
    }
    while (na > head && nb > head && strcmp(x->a->v[na - 1], x->b->v[nb - 1]) == 0) {
        x->keep_a[--na] = x->keep_b[--nb] = true;
    }
    if (na - head <= TABLE_MAX && nb - head <= TABLE_MAX) {
        mark_common(x, head, na - head, nb - head);
    }
}

/* Is there a difference within CONTEXT lines of the kept line at? */
static bool
near_change(const struct edit *x, size_t at_a, size_t at_b)
{
    for (size_t k = 0; k <= CONTEXT; k++) {
        if ((at_a + k < x->a->count && !x->keep_a[at_a + k]) ||
            (at_b + k < x->b->count && !x->keep_b[at_b + k]) ||
            (at_a >= k && !x->keep_a[at_a - k]) || (at_b >= k && !x->keep_b[at_b - k])) {
            return true;
        }
    }
    return false;
}

static void
print_edit(const struct edit *x, FILE *out)
{
    bool gap = false;

    for (size_t i = 0, j = 0; i < x->a->count || j < x->b->count;) {
        if (i < x->a->count && !x->keep_a[i]) {
            fprintf(out, "-%s\n", x->a->v[i++]);
        } else if (j < x->b->count && !x->keep_b[j]) {
            fprintf(out, "+%s\n", x->b->v[j++]);
        } else {
            bool is_near = near_change(x, i, j);
            if (is_near) {
                fprintf(out, " %s\n", x->a->v[i]);
            } else if (!gap) {
                fprintf(out, "...\n");
            }
            gap = !is_near;
            i++;
            j++;
            continue;
        }
        gap = false;
    }
}

bool
rc_scenario_diff(const char *want, const char *got, FILE *out)
{
    struct lines a = {NULL, NULL, 0}, b = {NULL, NULL, 0};
    struct edit x = {.a = &a, .b = &b};

    if (strcmp(want, got) == 0) {
        return true;
    }
    if (lines_of(want, &a) && lines_of(got, &b)) {
        x.keep_a = calloc(a.count + 1, sizeof *x.keep_a);
        x.keep_b = calloc(b.count + 1, sizeof *x.keep_b);
    }
    if (x.keep_a && x.keep_b) {
        mark_kept(&x);
        print_edit(&x, out);
    } else {
        fprintf(out, "different (no memory to show how)\n");
    }
    free(x.keep_a);
    free(x.keep_b);
    lines_free(&a);
    lines_free(&b);
    return false;
}
