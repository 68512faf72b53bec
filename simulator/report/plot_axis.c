/* plot_axis.c - scales, ticks and labels of the plots. */
#include <stdlib.h>

#include "simulator/model/sim_math.h"
#include "simulator/report/plot.h"

double
rc_axis_px(const struct rc_axis *a, double value)
{
    double part = a->is_log ? rc_sim_log(value / a->low) / rc_sim_log(a->high / a->low)
                            : (value - a->low) / (a->high - a->low);

    return a->from_px + part * (a->to_px - a->from_px);
}

/* 1, 2 or 5 times a power of ten, about a fifth of the span. */
static double
step_of(double span)
{
    double step = 1.0, want = span / 5.0;

    while (step > want) {
        step /= 10.0;
    }
    while (step * 10.0 <= want) {
        step *= 10.0;
    }
    return step * 5.0 <= want ? step * 5.0 : step * 2.0 <= want ? step * 2.0 : step;
}

static double
floor_to(double value, double step)
{
    double n = (double)(int64_t)(value / step);

    return (n * step > value ? n - 1.0 : n) * step;
}

void
rc_axis_round(struct rc_axis *a)
{
    if (!(a->high > a->low)) {
        double pad = a->low != 0.0 ? (a->low < 0 ? -a->low : a->low) / 20.0 : 1.0;
        a->low -= pad;
        a->high += pad;
    }
    double step = step_of(a->high - a->low), low = floor_to(a->low, step);

    a->low = a->low >= 0 && low < 0 ? 0 : low;
    a->high = -floor_to(-a->high, step);
}

uint32_t
rc_axis_ticks(const struct rc_axis *a, double *ret, uint32_t room)
{
    uint32_t n = 0;

    if (a->is_log) {
        for (double v = 1.0; v <= a->high && n < room; v *= 10.0) {
            if (v >= a->low) {
                ret[n++] = v;
            }
        }
        return n;
    }
    double step = step_of(a->high - a->low);
    for (uint32_t i = 0; n < room; i++) {
        double v = floor_to(a->low, step) + step * (double)i;
        if (v > a->high + step / 1000.0) {
            break;
        }
        if (v >= a->low - step / 1000.0) {
            ret[n++] = v;
        }
    }
    return n;
}

static void
trim_zeros(char *buf)
{
    size_t len = 0;
    bool point = false;

    for (; buf[len]; len++) {
        point |= buf[len] == '.';
    }
    while (point && len > 1 && (buf[len - 1] == '0' || buf[len - 1] == '.')) {
        point = buf[len - 1] != '.';
        buf[--len] = '\0';
    }
}

/* "12,104,200": for values that differ only far behind the point. */
static void
write_grouped(double value, char *buf, size_t room)
{
    char digits[32], grouped[48];
    size_t used = 0;
    int len = snprintf(digits, sizeof digits, "%.0f", value < 0 ? -value : value);

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) {
            grouped[used++] = ',';
        }
        grouped[used++] = digits[i];
    }
    grouped[used] = '\0';
    snprintf(buf, room, "%s%s", value < 0 ? "-" : "", grouped);
}

void
rc_axis_label(double value, double step, char *buf, size_t room)
{
    double size = value < 0 ? -value : value;
    double divisor = size >= 1e9 ? 1e9 : size >= 1e6 ? 1e6 : size >= 1e4 ? 1e3 : 1.0;
    const char *unit = size >= 1e9 ? "G" : size >= 1e6 ? "M" : size >= 1e4 ? "k" : "";

    int digits = size / divisor < 10 ? 3 : 1;
    if (step > 0 && step / divisor < (digits == 3 ? 0.001 : 0.1) && divisor > 1.0) {
        write_grouped(value, buf, room);
        return;
    }
    char number[48];
    snprintf(number, sizeof number, "%.*f", digits, value / divisor);
    trim_zeros(number);
    snprintf(buf, room, "%s%s", number, unit);
}

void
rc_html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}
