/* plot_interval.c - one difference and its interval around zero, as small as a word. */
#include "simulator/report/plot.h"

enum { WIDTH = 150, HEIGHT = 20, PAD = 6 };

static const char *
tone_of(const struct rc_paired *p, uint32_t score)
{
    int better = rc_score_row(score)->better;

    if (!p->differs) {
        return "none";
    }
    return !better ? "other" : (p->mean > 0) == (better > 0) ? "good" : "bad";
}

void
rc_plot_interval(FILE *out, const struct rc_paired *p, uint32_t score)
{
    double size = (p->mean < 0 ? -p->mean : p->mean) + (p->half > 0 ? p->half : 0);
    struct rc_axis x = {-size, size, PAD, WIDTH - PAD, false};
    double middle = HEIGHT / 2.0;

    fprintf(out,
            "<svg class=\"interval %s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-hidden=\"true\">"
            "<line class=\"zero\" x1=\"%.1f\" y1=\"1\" x2=\"%.1f\" y2=\"%d\"/>",
            tone_of(p, score), WIDTH, HEIGHT, WIDTH / 2.0, WIDTH / 2.0, HEIGHT - 1);
    if (size > 0) {
        double low = rc_axis_px(&x, p->mean - (p->half > 0 ? p->half : 0));
        double high = rc_axis_px(&x, p->mean + (p->half > 0 ? p->half : 0));
        fprintf(out,
                "<line class=\"range\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\"/>",
                low, middle, high, middle, rc_axis_px(&x, p->mean), middle);
    }
    fputs("</svg>", out);
}
