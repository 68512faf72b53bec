/* controller_helper.c - rc-controller-helper: the hand on slurmctld of its own host.
 *
 *     rc-controller-helper --state-dir DIR [--mark FILE] [--allow FILE] [--start COMMAND]
 *                          [--state COMMAND] [--munge COMMAND] [--reject COMMAND]
 *     rc-controller-helper admit --index N [--mark FILE] [--allow FILE]
 *
 * Verbs: look ("ok process= pid= fenced= dir= munge="), fence grace= ("ok" is the proof:
 * no process is left, none may start, what was written is given back), start restart=,
 * reject addr= (packets to a host that is off are refused here for some seconds).
 *
 * admit is the ExecCondition of slurmctld's unit: exit 0, it may start; 1, it may not.
 * Never where it was fenced (the mark outlives a reboot). The first controller of slurm.conf
 * takes control whenever it starts, so it needs the leader's word, which a boot takes back
 * (the allow file is in /run); the others start as standby.
 *
 * Failure modes: a process that no signal ends (it hangs in the kernel and may still
 * write), a file system that does not give back, or a start that systemd may have under way
 * since before the mark, is "not-verified": no proof. Where --start names no unit of systemd's,
 * --state tells how the unit stands; without it that is not asked. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reconciler/io/controller/controller_helper.h"
#include "reconciler/io/helper/helper_server.h"

enum {
    DIR_EVERY_MS = 3000,
    DIR_TEST_MS = 2000,
    MUNGE_MS = 1000,
    KILL_MS = 2000,
    SYNC_MS = 2000,
    REJECT_MS = 1500,
    UNIT_MS = 1000,       /* one question about the unit */
    UNIT_RESTS_MS = 2500, /* until a start that was let in is over */
    UNIT_AGAIN_MS = 30,
    WORDS_MAX = 8
};

struct hand {
    const char *state_dir;
    const char *mark;
    const char *allow;
    const char *start;
    const char *state; /* "" = there is no unit */
    const char *munge;
    const char *reject;
    unsigned long index;
    int64_t tested_ms; /* the slow questions were asked last */
    uint32_t dir;      /* enum rc_ctl_dir */
    uint32_t munged;   /* 1 = it signs */
};

static int64_t
hand_clock_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* On the disk before it counts: it must outlive a crash of this host. */
static bool
put_file(const char *path)
{
    char folder[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (good && slash) {
        *slash = '\0';
        fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        good = fd >= 0 && fsync(fd) == 0;
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return good;
}

static bool
drop_file(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT;
}

/* A command of a few words, without a shell. judge NULL: its exit status. */
static int
run_judged(const char *command, int64_t timeout_ms, rc_ctl_judge_fn *judge)
{
    const char *argv[WORDS_MAX + 1] = {NULL};
    char text[512], *save = NULL;
    size_t n = 0;

    (void)snprintf(text, sizeof text, "%s", command);
    for (char *word = strtok_r(text, " ", &save); word && n < WORDS_MAX;
         word = strtok_r(NULL, " ", &save)) {
        argv[n++] = word;
    }
    if (!n) {
        return -1;
    }
    return judge ? rc_ctl_program_says(argv, timeout_ms, judge) : rc_ctl_program(argv, timeout_ms);
}

static int
run_words(const char *command, int64_t timeout_ms)
{
    return run_judged(command, timeout_ms, NULL);
}

static void
ask_slowly(struct hand *h)
{
    int64_t now_ms = hand_clock_ms();

    if (h->tested_ms && now_ms - h->tested_ms < DIR_EVERY_MS) {
        return;
    }
    h->dir = (uint32_t)rc_ctl_dir_test(h->state_dir, DIR_TEST_MS);
    h->munged = run_words(h->munge, MUNGE_MS) == 0;
    h->tested_ms = hand_clock_ms();
}

static enum rc_err
verb_look(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    struct hand *h = arg;
    struct rc_ctl_processes p;
    struct rc_line_out *out;

    (void)e;
    if (rc_line_number(req, "slow", 1, 0)) {
        ask_slowly(h);
    }
    rc_ctl_processes_find(&p);
    out = rc_reply_begin(r, "ok");
    rc_line_put(out, "process", rc_ctl_process_name(p.state));
    rc_line_put_u64(out, "pid", p.count ? (uint64_t)p.pid[0] : 0);
    rc_line_put_u64(out, "fenced", is_there(h->mark));
    rc_line_put(out, "dir", rc_ctl_dir_name(h->dir));
    rc_line_put_u64(out, "munge", h->munged);
    rc_reply_end(r);
    return RC_OK;
}

/* No process is left, and systemd starts none that was let in before the mark: such a one has
 * another name, or none, until it runs. */
static enum rc_err
end_what_runs(const struct hand *h, struct rc_error *e)
{
    const struct timespec pause = {.tv_nsec = UNIT_AGAIN_MS * 1000000L};
    int64_t end_ms = hand_clock_ms() + UNIT_RESTS_MS;
    struct rc_ctl_processes p;

    for (;;) {
        rc_ctl_processes_find(&p);
        rc_ctl_processes_signal(&p, SIGKILL);
        if (!rc_ctl_processes_wait_gone(KILL_MS, &p)) {
            return rc_fail(e, RC_E_NOT_VERIFIED, "slurmctld (pid %d) is not ended by SIGKILL: %s",
                           (int)p.pid[0], rc_ctl_process_name(p.state));
        }
        int unit = *h->state ? run_judged(h->state, UNIT_MS, rc_ctl_unit_judge) : RC_UNIT_RESTS;
        rc_ctl_processes_find(&p);
        if (unit == RC_UNIT_RESTS && p.state == RC_PROC_NONE) {
            return RC_OK;
        }
        if (hand_clock_ms() >= end_ms) {
            return rc_fail(e, RC_E_NOT_VERIFIED, "slurmctld is gone, but %s: %s",
                           unit == RC_UNIT_MOVES ? "a start of it is under way"
                                                 : "whether one is starting is not told",
                           h->state);
        }
        (void)nanosleep(&pause, NULL);
    }
}

/* First nothing may start any more, then what runs is ended, then nothing may be left of
 * its writes: in this order there is no gap. */
static enum rc_err
verb_fence(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    const struct hand *h = arg;
    int64_t grace_ms = (int64_t)rc_line_number(req, "grace", 3600 * 1000, 0);
    struct rc_ctl_processes p;

    (void)r;
    if (!put_file(h->mark) || !drop_file(h->allow)) {
        return rc_fail(e, RC_E_DISK, "%s: %s", h->mark, strerror(errno));
    }
    rc_ctl_processes_find(&p);
    if (grace_ms > 0 && p.state == RC_PROC_RUNS) {
        rc_ctl_processes_signal(&p, SIGTERM);
        (void)rc_ctl_processes_wait_gone(grace_ms, &p);
    }
    enum rc_err err = end_what_runs(h, e);
    if (err != RC_OK) {
        return err;
    }
    if (!rc_ctl_dir_sync(h->state_dir, SYNC_MS)) {
        return rc_fail(e, RC_E_NOT_VERIFIED,
                       "slurmctld is gone, but %s does not give back what it wrote", h->state_dir);
    }
    return RC_OK;
}

static enum rc_err
verb_start(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    const struct hand *h = arg;
    struct rc_ctl_processes p;

    (void)r;
    if (rc_line_number(req, "restart", 1, 0)) {
        rc_ctl_processes_find(&p);
        rc_ctl_processes_signal(&p, SIGKILL);
        if (!rc_ctl_processes_wait_gone(KILL_MS, &p)) {
            return rc_fail(e, RC_E_NOT_VERIFIED, "slurmctld is not ended by SIGKILL");
        }
    }
    if (!put_file(h->allow) || !drop_file(h->mark)) {
        return rc_fail(e, RC_E_DISK, "%s: %s", h->allow, strerror(errno));
    }
    int status = run_words(h->start, KILL_MS);
    return status == 0 ? RC_OK : rc_fail(e, RC_E_IO, "%s: exit status %d", h->start, status);
}

/* slurmctld asks the old primary twice before it takes over. An address behind which nothing is
 * any more swallows that, and each time costs TCPTimeout; a refusal comes at once. */
static enum rc_err
verb_reject(void *arg, struct rc_reply *r, const struct rc_line *req, struct rc_error *e)
{
    const struct hand *h = arg;
    const char *addr = rc_line_text(req, "addr", ""), *mark = strstr(h->reject, "%a");
    unsigned char binary[sizeof(struct in6_addr)];
    char command[256];

    (void)r;
    if (!mark ||
        (inet_pton(AF_INET, addr, binary) != 1 && inet_pton(AF_INET6, addr, binary) != 1)) {
        return rc_fail(e, RC_E_INVALID, "%.60s: cannot be done for the address \"%.40s\"",
                       h->reject, addr);
    }
    (void)snprintf(command, sizeof command, "%.*s%s%s", (int)(mark - h->reject), h->reject, addr,
                   mark + 2);
    int status = run_words(command, REJECT_MS);
    return status == 0 ? RC_OK : rc_fail(e, RC_E_IO, "%s: exit status %d", command, status);
}

static int
may_start(const struct hand *h)
{
    if (is_there(h->mark)) {
        (void)fprintf(stderr,
                      "slurmctld is kept from starting here: the other controller took "
                      "over (%s); the leader ends this\n",
                      h->mark);
        return 1;
    }
    if (h->index == 0 && !is_there(h->allow)) {
        (void)fprintf(stderr,
                      "the first controller starts on the leader's word only, for it takes control "
                      "at once; by hand, when no other slurmctld runs: touch %s\n",
                      h->allow);
        return 1;
    }
    return 0;
}

static bool
read_hand(int argc, char **argv, struct hand *h)
{
    static const struct option options[] = {{"state-dir", required_argument, NULL, 'd'},
                                            {"mark", required_argument, NULL, 'm'},
                                            {"allow", required_argument, NULL, 'a'},
                                            {"start", required_argument, NULL, 's'},
                                            {"index", required_argument, NULL, 'i'},
                                            {"munge", required_argument, NULL, 'u'},
                                            {"reject", required_argument, NULL, 'r'},
                                            {"state", required_argument, NULL, 't'},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd':
            h->state_dir = optarg;
            break;
        case 'm':
            h->mark = optarg;
            break;
        case 'a':
            h->allow = optarg;
            break;
        case 's':
            h->start = optarg;
            break;
        case 't':
            h->state = optarg;
            break;
        case 'u':
            h->munge = optarg;
            break;
        case 'r':
            h->reject = optarg;
            break;
        case 'i':
            h->index = strtoul(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

int
main(int argc, char **argv)
{
    static const struct rc_verb verbs[] = {{"look", verb_look},
                                           {"fence", verb_fence},
                                           {"start", verb_start},
                                           {"reject", verb_reject},
                                           {NULL, NULL}};
    struct hand hand = {.mark = "/var/lib/slurm-on-aws/slurmctld.fenced",
                        .allow = "/run/slurm-on-aws/slurmctld.allowed",
                        .start = NULL,
                        .munge = "munge --no-input",
                        .reject = "systemctl start --no-ask-password "
                                  "slurm-on-aws-reject@%a.service"};
    const struct rc_helper_service service = {.role = "controller", .verbs = verbs, .arg = &hand};
    bool asks = argc > 1 && strcmp(argv[1], "admit") == 0;

    if (!read_hand(argc - asks, argv + asks, &hand) || (!asks && !hand.state_dir)) {
        fputs("usage: rc-controller-helper --state-dir DIR [--mark FILE] [--allow FILE] "
              "[--start COMMAND] [--state COMMAND] [--munge COMMAND] [--reject COMMAND]\n"
              "       rc-controller-helper admit --index N [--mark FILE] [--allow FILE]\n",
              stderr);
        return 2;
    }
    if (asks) {
        return may_start(&hand);
    }
    if (!hand.state) {
        hand.state =
            hand.start ? "" : "systemctl show -p ActiveState -p SubState slurmctld.service";
    }
    hand.start = hand.start ? hand.start : "systemctl start --no-block slurmctld.service";
    rc_helper_adopt_parent();
    return rc_helper_serve(&service, STDIN_FILENO, STDOUT_FILENO);
}
