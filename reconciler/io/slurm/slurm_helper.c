/* slurm_helper.c - rc-slurm-helper: the one program that links libslurm.
 *
 *     rc-slurm-helper --role reader|writer [--conf /path/slurm.conf]
 *     rc-slurm-helper --role prober --index N [--conf /path/slurm.conf]
 *
 * It is built once for each Slurm release, since libslurm's name and structs change
 * with every one. Verbs and lines: docs in helper_server.h, line.h and README.md here.
 *
 * libslurm blocks for seconds and calls exit(1) on a configuration that it cannot
 * read, after up to a minute of retries. So the file is tried first, with a clear
 * message; whatever else happens here, the daemon sees a helper that died. */
#define _GNU_SOURCE
#include "reconciler/io/slurm/slurm_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct rc_verb reader_verbs[] = {
    {"ping", rc_slurm_verb_ping}, {"config", rc_slurm_verb_config}, {"nodes", rc_slurm_verb_nodes},
    {"node", rc_slurm_verb_node}, {"jobs", rc_slurm_verb_jobs},     {NULL, NULL},
};

static const struct rc_verb writer_verbs[] = {
    {"drain", rc_slurm_verb_drain},
    {"down", rc_slurm_verb_down},
    {"resume", rc_slurm_verb_resume},
    {"extra", rc_slurm_verb_extra},
    {"clock", rc_slurm_verb_clock},
    {"jobs-signal", rc_slurm_verb_jobs_signal},
    {"jobs-requeue", rc_slurm_verb_jobs_requeue},
    {"jobs-include", rc_slurm_verb_jobs_include},
    {"job-hold", rc_slurm_verb_job_hold},
    {"job-save", rc_slurm_verb_job_save},
    {"reconfigure", rc_slurm_verb_reconfigure},
    {"takeover", rc_slurm_verb_takeover},
    {NULL, NULL},
};

static const struct rc_verb prober_verbs[] = {
    {"probe", rc_slurm_verb_probe},
    {"where", rc_slurm_verb_where},
    {NULL, NULL},
};

/* As libslurm finds it: --conf, SLURM_CONF, the distribution's default, and on a configless node
 * what slurmd has fetched (slurm.conf(5), "configless"). */
static const char *
conf_path(const char *option)
{
    static const char own[] = "/etc/slurm/slurm.conf", fetched[] = "/run/slurm/conf/slurm.conf";
    const char *env = getenv("SLURM_CONF");

    if (option) {
        return option;
    }
    if (env && *env) {
        return env;
    }
    return access(own, F_OK) != 0 && access(fetched, F_OK) == 0 ? fetched : own;
}

static bool
conf_readable(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    bool good = false;

    if (fd < 0 || fstat(fd, &st) != 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        (void)fprintf(stderr, "%s: not a file with content\n", path);
    } else {
        good = true;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

static int
slurm_helper_usage(void)
{
    (void)fprintf(
        stderr,
        "usage: rc-slurm-helper --role reader|writer|prober [--index N] [--conf SLURM.CONF]\n");
    return 2;
}

static const struct rc_verb *
verbs_of(const char *role)
{
    if (strcmp(role, "prober") == 0) {
        return prober_verbs;
    }
    return strcmp(role, "reader") == 0 ? reader_verbs : writer_verbs;
}

static int
serve_slurm(const char *role, const char *conf, uint32_t index)
{
    struct slurm_helper helper = {.conf = conf, .index = index};
    char release[32];
    bool is_prober = strcmp(role, "prober") == 0;
    const struct rc_helper_service service = {
        .role = role,
        .product = "slurm",
        .release = release,
        .verbs = verbs_of(role),
        .before = is_prober ? NULL : rc_slurm_follow,
        .arg = &helper,
    };

    (void)snprintf(release, sizeof release, "%d.%02d.%d", SLURM_VERSION_MAJOR(SLURM_VERSION_NUMBER),
                   SLURM_VERSION_MINOR(SLURM_VERSION_NUMBER),
                   SLURM_VERSION_MICRO(SLURM_VERSION_NUMBER));
    if (!conf_readable(conf)) {
        return 1;
    }
    if (!is_prober) {
        rc_slurm_follow_begin(conf);
    } else if (!rc_slurm_prober_init(&helper)) {
        return 1;
    }
    return rc_helper_serve(&service, STDIN_FILENO, STDOUT_FILENO);
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"role", required_argument, NULL, 'r'},
        {"conf", required_argument, NULL, 'c'},
        {"index", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    const char *role = "";
    const char *conf = NULL;
    unsigned long index = 0;
    int option;

    rc_helper_adopt_parent();
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r') {
            role = optarg;
        } else if (option == 'c') {
            conf = optarg;
        } else if (option == 'i') {
            index = strtoul(optarg, NULL, 10);
        } else {
            return slurm_helper_usage();
        }
    }
    bool known =
        strcmp(role, "reader") == 0 || strcmp(role, "writer") == 0 || strcmp(role, "prober") == 0;
    if (optind != argc || !known) {
        return slurm_helper_usage();
    }
    return serve_slurm(role, conf_path(conf), (uint32_t)index);
}
