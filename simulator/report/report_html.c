/* report_html.c - see report_html.h. */
#define _GNU_SOURCE
#include "simulator/report/report_html.h"

#include <inttypes.h>

#include "simulator/report/plot.h"
#include "simulator/report/report_style.h"

static void
write_label(FILE *out, const struct rc_comparison *c, uint32_t policy)
{
    fprintf(out, "<span class=\"chip\" style=\"background:var(--policy%u)\"></span>", policy);
    rc_html_text(out, c->study->policy[policy].label);
}

static void
write_fact(FILE *out, const char *name, const char *value)
{
    fprintf(out, "<dt>%s</dt><dd>", name);
    rc_html_text(out, value);
    fputs("</dd>\n", out);
}

static const char *
tone_word(const struct rc_paired *p, uint32_t score)
{
    int better = rc_score_row(score)->better;

    if (p->half < 0 || !p->differs) {
        return "none";
    }
    return !better ? "other" : (p->mean > 0) == (better > 0) ? "good" : "bad";
}

/* What a reader wants to know first, of the scores that matter most. */
static void
write_verdict(FILE *out, const struct rc_comparison *c, const struct rc_pair *pair)
{
    static const uint32_t first[] = {RC_SCORE_ETTR,       RC_SCORE_LOST,    RC_SCORE_LOST_OUT,
                                     RC_SCORE_KILLED_US,  RC_SCORE_HEALTHY, RC_SCORE_QUARANTINED,
                                     RC_SCORE_REPAIR_P50, RC_SCORE_DOLLARS};
    uint32_t shown = 0;

    fputs("<li>", out);
    write_label(out, c, pair->b);
    fputs(" against ", out);
    write_label(out, c, pair->a);
    fputs(": ", out);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        const struct rc_score_row *row = rc_score_row(first[i]);
        const struct rc_paired *p = &pair->score[first[i]];
        if (p->half >= 0 && p->differs) {
            fprintf(out, "%s%s <b class=\"%s\">%+.*f%s%s</b>", shown++ ? ", " : "", row->label,
                    tone_word(p, first[i]), rc_score_mean_digits(first[i]), p->mean,
                    *row->unit ? " " : "", row->unit);
        }
    }
    if (!shown) {
        fputs(c->study->seeds < RC_PAIRED_SEEDS_MIN ? "too few seeds to tell."
                                                    : "no difference shown in what matters most.",
              out);
    }
    fputs("</li>\n", out);
}

static void
write_header(FILE *out, const struct rc_comparison *c)
{
    const struct rc_study *s = c->study;

    fprintf(out,
            "<header class=\"card\"><h1>%u policies on the same schedules</h1>\n<p class=\"lead\">"
            "Each seed gives every policy the same faults, jobs and troubles; what differs is what "
            "the policy makes of them.</p>\n",
            s->policy_count);
    if (s->seeds > 1) {
        fputs("<ul class=\"verdict\">\n", out);
        for (uint32_t i = 0; i < c->pair_count; i++) {
            write_verdict(out, c, &c->pair[i]);
        }
        fputs("</ul>\n", out);
    }
    fputs("<dl class=\"facts\">\n", out);
    write_fact(out, "cluster", c->text.cluster);
    write_fact(out, "faults", c->text.faults);
    write_fact(out, s->seeds > 1 ? "seeds" : "seed", c->text.seeds);
    write_fact(out, "commit", c->text.commit);
    for (uint32_t i = 0; i < s->policy_count; i++) {
        fputs("<dt>", out);
        write_label(out, c, i);
        fprintf(out, "</dt><dd>hash <code>%016" PRIx64 "</code></dd>\n", s->policy[i].policy.hash);
    }
    fputs("</dl></header>\n", out);
}

static void
write_means(FILE *out, const struct rc_comparison *c)
{
    const struct rc_study *s = c->study;

    fprintf(out,
            "<section class=\"long\"><h2>Scores</h2>\n<p>Mean over %u seed%s%s</p>\n<div "
            "class=\"scroll\"><table><thead><tr><th></th>",
            s->seeds, s->seeds > 1 ? "s" : "",
            s->seeds > 1 ? ", with the half width of its 95&nbsp;% interval." : ".");
    for (uint32_t i = 0; i < s->policy_count; i++) {
        fputs("<th>", out);
        write_label(out, c, i);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_score_row *row = rc_score_row(score);
        int digits = rc_score_mean_digits(score);
        fprintf(out, "<tr><td>%s%s%s%s</td>", row->label, *row->unit ? " <small>(" : "", row->unit,
                *row->unit ? ")</small>" : "");
        for (uint32_t i = 0; i < s->policy_count; i++) {
            if (!c->known[i][score]) {
                fputs("<td>&ndash;</td>", out);
                continue;
            }
            fprintf(out, "<td>%.*f", digits, c->mean[i][score]);
            if (c->half[i][score] >= 0) {
                fprintf(out, " <small>&plusmn; %.*f</small>", digits, c->half[i][score]);
            }
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div></section>\n", out);
}

static const char *
few_seeds(const struct rc_comparison *c)
{
    _Static_assert(RC_PAIRED_SEEDS_MIN == 5, "the number stands in the text");
    return c->study->seeds < RC_PAIRED_SEEDS_MIN
               ? " Of fewer than 5 seeds nothing is marked: so few differences are nearly alike by "
                 "chance, and their intervals too narrow."
               : "";
}

static void
write_pair(FILE *out, const struct rc_comparison *c, const struct rc_pair *pair)
{
    fputs("<section class=\"long\"><h2>", out);
    write_label(out, c, pair->b);
    fputs(" against ", out);
    write_label(out, c, pair->a);
    fprintf(out,
            "</h2>\n<p>Differences paired over %u seeds; 95&nbsp;%% intervals, each on its own "
            "scale around zero; p adjusted for the %u questions of this report (Holm).%s</p>\n<div "
            "class=\"scroll\"><table><thead><tr><th></th><th>difference</th><th>interval</th>"
            "<th>p</th><th style=\"text-align:left\">shown at 5&nbsp;%%</th></tr></thead><tbody>\n",
            c->study->seeds, c->asked, few_seeds(c));
    for (uint32_t score = 0; score < RC_SCORE__MAX; score++) {
        const struct rc_score_row *row = rc_score_row(score);
        const struct rc_paired *p = &pair->score[score];
        const char *tone = tone_word(p, score);
        int digits = rc_score_mean_digits(score);
        if (!p->n) {
            continue; /* no such jobs, or no repairs */
        }
        fprintf(out, "<tr><td>%s</td><td>%+.*f <small>%s%s&plusmn; %.*f</small></td>", row->label,
                digits, p->mean, row->unit, *row->unit ? " " : "", digits, p->half);
        fprintf(out, "<td class=\"plot %s\">", tone);
        rc_plot_interval(out, p, score);
        fprintf(out, "</td><td>%.4f</td><td class=\"word %s\">%s</td></tr>\n", p->p_holm, tone,
                rc_comparison_word(p, score));
    }
    fputs("</tbody></table></div></section>\n", out);
}

static void
write_plots(FILE *out, const struct rc_comparison *c, const struct rc_fleet_history *history)
{
    fputs("<section><h2>Cost against loss</h2>\n<p>A dot is a seed, a cross the mean of a policy; "
          "thin lines join what the same seed came to. Down and to the left is better.</p>\n",
          out);
    rc_plot_cost(out, c);
    fputs("</section>\n<section><h2>GPU-hours lost by cause</h2>\n<p>Mean over seeds.</p>\n", out);
    rc_plot_losses(out, c);
    fputs("</section>\n<section><h2>Survival of repair times</h2>\n<p>The share of repairs that "
          "still go on after so long, all seeds together; the scale of time is "
          "logarithmic.</p>\n",
          out);
    rc_plot_repair(out, c);
    fprintf(out,
            "</section>\n<section><h2>Time-line of nodes</h2>\n<p>Seed %" PRIu64
            ": nodes that are out or broken over time, and the nodes with the most time out, the "
            "same rows under each policy.%s</p>\n",
            c->study->first_seed,
            history[0].cut ? " The run had more changes than are kept here: its end is missing."
                           : "");
    rc_plot_nodes(out, c, history);
    fputs("</section>\n", out);
}

void
rc_report_html(FILE *out, const struct rc_comparison *c, const struct rc_fleet_history *history)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta "
          "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Policies "
          "compared</title>\n<style>",
          out);
    for (const char *const *piece = rc_report_style; *piece; piece++) {
        fputs(*piece, out);
    }
    fputs("</style></head>\n<body><main>\n", out);
    write_header(out, c);
    write_plots(out, c, history);
    write_means(out, c);
    for (uint32_t i = 0; i < c->pair_count && c->study->seeds > 1; i++) {
        write_pair(out, c, &c->pair[i]);
    }
    fputs("<footer><p>Made by <code>simulate compare</code>. Equal calls give equal bytes. A false "
          "eviction is a node taken out whose host was whole and which AWS had no plan for; a "
          "healthy eviction is such a host stopped or terminated. Time to repair runs from the "
          "moment a node is broken or out until it is whole and in service.</p></footer>\n"
          "</main></body></html>\n",
          out);
}
