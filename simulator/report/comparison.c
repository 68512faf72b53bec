/* comparison.c - see comparison.h. */
#include "simulator/report/comparison.h"

#include <stdlib.h>
#include <string.h>

enum { ALL_PAIRS_UP_TO = 4 };

static void
values_of(const struct rc_comparison *c, uint32_t policy, uint32_t score, double *v)
{
    const struct rc_study *s = c->study;

    for (uint32_t seed = 0; seed < s->seeds; seed++) {
        v[seed] = rc_score_value(&s->config, &c->result[policy * s->seeds + seed], score);
    }
}

static void
sum_policy(struct rc_comparison *c, uint32_t policy)
{
    const struct rc_study *s = c->study;
    double v[RC_STUDY_SEEDS_MAX];

    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        values_of(c, policy, score, v);
        rc_mean_95(v, s->seeds, &c->mean[policy][score], &c->half[policy][score]);
        c->known[policy][score] = true;
        for (uint32_t seed = 0; seed < s->seeds; seed++) {
            c->known[policy][score] &= rc_score_known(&c->result[policy * s->seeds + seed], score);
        }
    }
    for (uint32_t seed = 0; seed < s->seeds; seed++) {
        const struct rc_fleet_result *r = &c->result[policy * s->seeds + seed];
        for (uint32_t loss = 0; loss < RC_LOSS__MAX; loss++) {
            c->lost[policy][loss] += rc_score_gpu_hours(r->lost_ms[loss]) / (double)s->seeds;
        }
        for (uint32_t i = 0; i < RC_FLEET_HIST; i++) {
            c->repair[policy].done[i] += r->repair.done[i];
            c->repair[policy].censored[i] += r->repair.censored[i];
        }
        c->repair[policy].count += r->repair.count;
    }
}

static void
add_pair(struct rc_comparison *c, uint32_t a, uint32_t b)
{
    struct rc_pair *pair = &c->pair[c->pair_count++];
    double va[RC_STUDY_SEEDS_MAX], vb[RC_STUDY_SEEDS_MAX];

    pair->a = a;
    pair->b = b;
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        values_of(c, a, score, va);
        values_of(c, b, score, vb);
        rc_paired_compare(va, vb, c->study->seeds, &pair->score[score]);
        if (!c->known[a][score] || !c->known[b][score]) {
            pair->score[score] = (struct rc_paired){.half = -1.0, .p = 1.0, .p_holm = 1.0};
        }
    }
}

/* One adjustment over all pairs and scores. */
static bool
adjust(struct rc_comparison *c)
{
    uint32_t all = c->pair_count * RC_SCORE__MAX;
    struct rc_paired *rows = malloc((all ? all : 1) * sizeof *rows);

    if (!rows) {
        return false;
    }
    for (uint32_t i = 0; i < c->pair_count; i++) {
        memcpy(&rows[i * RC_SCORE__MAX], c->pair[i].score, sizeof c->pair[i].score);
    }
    rc_paired_holm(rows, all);
    for (uint32_t i = 0; i < c->pair_count; i++) {
        memcpy(c->pair[i].score, &rows[i * RC_SCORE__MAX], sizeof c->pair[i].score);
    }
    for (uint32_t i = 0; i < all; i++) {
        c->asked += rows[i].half >= 0;
    }
    free(rows);
    return true;
}

bool
rc_comparison_make(struct rc_comparison *c, const struct rc_study *s,
                   const struct rc_fleet_result *result)
{
    uint32_t n = s->policy_count;

    memset(c, 0, sizeof *c);
    c->study = s;
    c->result = result;
    rc_study_text(s, &c->text);
    c->pair = calloc((size_t)n * n, sizeof *c->pair);
    if (!c->pair) {
        return false;
    }
    for (uint32_t policy = 0; policy < n; policy++) {
        sum_policy(c, policy);
    }
    for (uint32_t a = 0; a < (n <= ALL_PAIRS_UP_TO ? n : 1); a++) {
        for (uint32_t b = a + 1; b < n; b++) {
            add_pair(c, a, b);
        }
    }
    return adjust(c);
}

void
rc_comparison_free(struct rc_comparison *c)
{
    free(c->pair);
}

const char *
rc_comparison_word(const struct rc_paired *p, uint32_t score)
{
    int better = rc_score_row(score)->better;

    if (!p->n) {
        return "no value";
    }
    if (p->half < 0) {
        return "one seed tells nothing";
    }
    if (p->n < RC_PAIRED_SEEDS_MIN) {
        return "too few seeds";
    }
    if (!p->differs) {
        return "no difference shown";
    }
    if (!better) {
        return p->mean > 0 ? "more" : "less";
    }
    return (p->mean > 0) == (better > 0) ? "better" : "worse";
}
