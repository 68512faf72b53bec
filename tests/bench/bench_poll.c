/* bench_poll.c - the poll loop alone that the idle bench compares with.
 *
 * usage: bench_poll SLURM-MS EC2-MS HELPER [ARGUMENT …]
 *
 * Asks for the node table, DescribeInstances and DescribeInstanceStatus in the
 * periods given, with the daemon's own clients, and throws the rows away. HELPER
 * is the Slurm helper, called with --role reader or writer. Runs until it is ended. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "reconciler/io/aws/aws.h"
#include "reconciler/io/aws/ec2.h"
#include "reconciler/io/slurm/slurm_client.h"

enum { ARGUMENTS_MAX = 16 };

static struct rc_aws *aws;
static struct timeval ec2_period;
static struct event *instances_due, *status_due;
static uint64_t rows;

static void
on_poll_row(const struct rc_event *ev, void *arg)
{
    (void)ev;
    (void)arg;
    rows++;
}

static void
on_slurm_row(void *arg, const struct rc_event *ev)
{
    on_poll_row(ev, arg);
}

static void
on_pass_done(const struct rc_ec2_done *done, void *arg)
{
    if (!done->complete) {
        fprintf(stderr, "bench_poll: %s\n", done->error.text);
        exit(1);
    }
    event_add(arg, &ec2_period);
}

static void
poll_instances(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ec2_sink sink = {on_poll_row, on_pass_done, instances_due};

    (void)fd;
    (void)what;
    (void)arg;
    if (rc_ec2_describe_cluster(aws, &sink, NULL)) {
        exit(1);
    }
}

static void
poll_status(evutil_socket_t fd, short what, void *arg)
{
    struct rc_ec2_sink sink = {on_poll_row, on_pass_done, status_due};

    (void)fd;
    (void)what;
    (void)arg;
    if (rc_ec2_status_all(aws, &sink, NULL)) {
        exit(1);
    }
}

static void
set_role(const char **to, int argc, char **argv, const char *role)
{
    int n = 0;

    to[n++] = argv[3];
    to[n++] = "--role";
    to[n++] = role;
    for (int i = 4; i < argc && n < ARGUMENTS_MAX - 1; i++) {
        to[n++] = argv[i];
    }
    to[n] = NULL;
}

int
main(int argc, char **argv)
{
    const char *reader[ARGUMENTS_MAX], *writer[ARGUMENTS_MAX];
    struct rc_aws_options options = {.cluster = "bench"};
    struct event_base *base = event_base_new();
    struct rc_error err;

    if (argc < 4 || !base) {
        fprintf(stderr, "usage: bench_poll SLURM-MS EC2-MS HELPER [ARGUMENT ...]\n");
        return 2;
    }
    set_role(reader, argc, argv, "reader");
    set_role(writer, argc, argv, "writer");
    ec2_period.tv_sec = atoi(argv[2]) / 1000;
    struct rc_slurm_config slurm = {.base = base,
                                    .reader_argv = reader,
                                    .writer_argv = writer,
                                    .poll_ms = (uint32_t)atoi(argv[1]),
                                    .on_event = on_slurm_row};
    struct rc_slurm *s = rc_slurm_new(&slurm, &err);
    aws = s ? rc_aws_new(base, &options, &err) : NULL;
    if (!aws) {
        fprintf(stderr, "bench_poll: %s\n", err.text);
        return 1;
    }
    instances_due = evtimer_new(base, poll_instances, NULL);
    status_due = evtimer_new(base, poll_status, NULL);
    rc_slurm_start(s);
    event_active(instances_due, EV_TIMEOUT, 0);
    event_active(status_due, EV_TIMEOUT, 0);
    event_base_dispatch(base);
    return 0;
}
