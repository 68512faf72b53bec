/* watch_classify.c - see watch_classify.h.
 *
 * Lines are classified where read() left them. Answers leave before every read, so
 * that a pipe of single lines is answered line by line. Of a line that does not fit
 * into the buffer, its beginning is classified, which is all that the classifier looks at. */
#define _GNU_SOURCE
#include "reconciler/watch_classify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/kernel/kernel_class.h"

enum {
    IN_ROOM = 1 << 18,
    OUT_ROOM = 1 << 16,
    ANSWER_MAX = RC_KERNEL_CLASS_LEN + RC_KERNEL_DEVICE_LEN + RC_KERNEL_DETAIL_LEN + 8,
};

struct answers {
    int fd;
    bool failed;
    size_t len;
    char buf[OUT_ROOM];
};

static void
flush_answers(struct answers *a)
{
    size_t done = 0;

    while (done < a->len && !a->failed) {
        ssize_t n = write(a->fd, a->buf + done, a->len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            (void)fprintf(stderr, "nodewatch: cannot write: %s\n", strerror(errno));
            a->failed = true;
        }
    }
    a->len = 0;
}

static void
put_answer_field(struct answers *a, const char *text, size_t len, char after)
{
    if (len == 0) {
        text = "-";
        len = 1;
    }
    memcpy(a->buf + a->len, text, len);
    a->len += len;
    a->buf[a->len++] = after;
}

static void
answer_line(struct answers *a, char *line, size_t len)
{
    static const char nothing[] = "none\t-\t-\n";
    char detail[RC_KERNEL_DETAIL_LEN];
    struct rc_kernel_class c;

    if (a->len + ANSWER_MAX > sizeof a->buf) {
        flush_answers(a);
    }
    if (!rc_kernel_classify(line, rc_kernel_plain(line, len), &c)) {
        memcpy(a->buf + a->len, nothing, sizeof nothing - 1);
        a->len += sizeof nothing - 1;
        return;
    }
    put_answer_field(a, c.name, strlen(c.name), '\t');
    put_answer_field(a, c.device, strlen(c.device), '\t');
    put_answer_field(a, detail, rc_kernel_detail(&c, detail), '\n');
}

/* Answers the whole lines in buf; returns how many bytes of an unfinished one are left,
 * moved to the beginning. *skip: the rest of a line that was answered already. */
static size_t
answer_lines(struct answers *a, char *buf, size_t len, bool *skip)
{
    char *at = buf, *end = buf + len;

    for (char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        if (!*skip) {
            answer_line(a, at, (size_t)(lf - at));
        }
        *skip = false;
    }
    if (at == buf && len == IN_ROOM) {
        if (!*skip) {
            answer_line(a, at, len);
        }
        *skip = true;
        return 0;
    }
    if (*skip) {
        return 0;
    }
    memmove(buf, at, (size_t)(end - at));
    return (size_t)(end - at);
}

int
rc_watch_classify(int in, int out)
{
    static char buf[IN_ROOM];
    static struct answers a;
    size_t len = 0;
    bool skip = false;
    ssize_t n;

    a = (struct answers){.fd = out};
    while (!a.failed && (n = read(in, buf + len, sizeof buf - len)) != 0) {
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            (void)fprintf(stderr, "nodewatch: cannot read: %s\n", strerror(errno));
            return 1;
        }
        len = answer_lines(&a, buf, len + (size_t)n, &skip);
        flush_answers(&a);
    }
    if (len > 0 && !skip) {
        answer_line(&a, buf, len);
        flush_answers(&a);
    }
    return a.failed ? 1 : 0;
}
