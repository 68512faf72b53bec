/* kmsg_reader.c - see kmsg_reader.h. */
#define _GNU_SOURCE
#include "reconciler/watch/kmsg_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum rc_err
rc_kmsg_open(struct rc_kmsg_reader *r, const char *path, struct rc_error *e)
{
    *r = (struct rc_kmsg_reader){.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (r->fd < 0) {
        return rc_fail(e, RC_E_IO, "%.150s: %s", path, strerror(errno));
    }
    return RC_OK;
}

void
rc_kmsg_close(struct rc_kmsg_reader *r)
{
    if (r->fd >= 0) {
        (void)close(r->fd);
        r->fd = -1;
    }
}

static bool
hand_out_record(struct rc_kmsg_reader *r, const char *line, size_t len, rc_kmsg_fn *fn, void *arg)
{
    struct rc_kmsg k;

    if (len == 0 || *line == ' ' || !rc_kmsg_parse(line, len, &k)) {
        return false;
    }
    if (r->next_seq != 0 && k.seq > r->next_seq) {
        r->lost += k.seq - r->next_seq;
    }
    r->next_seq = k.seq + 1;
    fn(arg, &k);
    return true;
}

/* The whole lines in the buffer; an unfinished one stays. */
static uint32_t
hand_out_records(struct rc_kmsg_reader *r, rc_kmsg_fn *fn, void *arg)
{
    char *at = r->buf, *end = r->buf + r->len;
    uint32_t count = 0;

    for (char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
        if (!r->skipping) {
            count += hand_out_record(r, at, (size_t)(lf - at), fn, arg);
        }
        r->skipping = false;
    }
    r->len = (size_t)(end - at);
    memmove(r->buf, at, r->len);
    if (r->len == sizeof r->buf) {
        if (!r->skipping) {
            count += hand_out_record(r, r->buf, r->len, fn, arg);
        }
        r->skipping = true;
        r->len = 0;
    }
    return count;
}

bool
rc_kmsg_read(struct rc_kmsg_reader *r, uint32_t max_records, rc_kmsg_fn *fn, void *arg,
             bool *ret_more)
{
    uint32_t count = 0;
    bool more = true;

    while (count < max_records) {
        ssize_t n = read(r->fd, r->buf + r->len, sizeof r->buf - r->len);

        if (n == 0 || (n < 0 && errno != EPIPE && errno != EINTR && errno != EAGAIN)) {
            return false;
        }
        if (n < 0 && errno == EAGAIN) {
            more = false;
            break;
        }
        if (n > 0) {
            r->len += (size_t)n;
            count += hand_out_records(r, fn, arg);
        } /* EPIPE: the gap is counted by the next record's number */
    }
    if (ret_more) {
        *ret_more = more;
    }
    return true;
}
