/* world_config.c - flags, defaults, and the account that they describe. */
#include "simulator/world/world_config.h"

#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/slurm_conf_text.h"
#include "simulator/world/world_file.h"

static void
setup_defaults(struct rc_world_setup *s)
{
    struct rc_world_config *c = &s->config;

    *s = (struct rc_world_setup){.imds_life_ms = 3600 * 1000};
    c->seed = 1;
    c->spot_permille = 1000;
    c->events = true;
    (void)rc_text_set(c->identity.region, RC_AZ_LEN, "us-east-1");
    (void)rc_text_set(c->identity.account, sizeof(c->identity.account), "123456789012");
    (void)rc_text_set(c->identity.cluster, RC_CLUSTER_LEN, "demo");
    (void)rc_text_set(s->queue, sizeof(s->queue), "events");
    c->ec2 = (struct rc_sim_ec2_config){.instances_max = 1024, .tokens_max = 4096};
    c->ec2.delays = (struct rc_sim_ec2_delays){.launch_ms = 2000,
                                               .boot_ms = 3000,
                                               .initializing_ms = 5000,
                                               .stop_ms = 2000,
                                               .terminate_ms = 2000,
                                               .reboot_ms = 3000,
                                               .release_ms = 1000,
                                               .vanish_ms = 3600 * 1000};
    c->sqs = (struct rc_sim_sqs_config){.messages_max = 200000,
                                        .in_flight_max = 120000,
                                        .visibility_ms = 30000,
                                        .retention_ms = 4LL * 24 * 3600 * 1000};
    c->slurm = (struct rc_sim_slurm_config){.nodes_max = 1024,
                                            .hosts_max = 2048,
                                            .jobs_max = 4096,
                                            .register_ms = 500,
                                            .ping_ms = 5000,
                                            .slurmd_timeout_ms = 20000,
                                            .completing_ms = 200,
                                            .requeue_ms = 1000,
                                            .return_to_service = 1};
}

enum option_kind { OPT_TEXT, OPT_NUMBER, OPT_FLAG };

/* A flag and where its value goes. */
struct flag {
    const char *name;
    enum option_kind kind;
    size_t offset;
    size_t room; /* of a text, bytes of a number */
    const char *help;
};

#define AT(field)                                                                                  \
    offsetof(struct rc_world_setup, field), sizeof(((struct rc_world_setup *)0)->field)

static const struct flag flags[] = {
    {"port", OPT_NUMBER, AT(port), "port on 127.0.0.1 (0: any free one)"},
    {"with-parent", OPT_FLAG, AT(with_parent), "end when the parent process does"},
    {"nodes", OPT_NUMBER, AT(nodes), "make node-1 … node-N with an instance each"},
    {"slurm-conf", OPT_TEXT, AT(slurm_conf),
     "nodes of the simulated slurmctld; read again on reconfigure"},
    {"slurm-socket", OPT_TEXT, AT(slurm_socket), "Unix socket for rc-slurm-sim"},
    {"region", OPT_TEXT, AT(config.identity.region), "region of the account and of signatures"},
    {"cluster", OPT_TEXT, AT(config.identity.cluster), "cluster tag of the instances made"},
    {"access-key", OPT_TEXT, AT(keys.credential[0].key), "the long-term key that may sign"},
    {"secret-key", OPT_TEXT, AT(keys.credential[0].secret), "its secret"},
    {"session-token", OPT_TEXT, AT(keys.credential[0].token),
     "its session token, if it must have one"},
    {"queue", OPT_TEXT, AT(queue), "name of the queue that gets the events"},
    {"seed", OPT_NUMBER, AT(config.seed), "of everything that is drawn"},
    {"launch-ms", OPT_NUMBER, AT(config.ec2.delays.launch_ms), "pending to running"},
    {"boot-ms", OPT_NUMBER, AT(config.ec2.delays.boot_ms), "running to booted"},
    {"stop-ms", OPT_NUMBER, AT(config.ec2.delays.stop_ms), "stopping to stopped"},
    {"terminate-ms", OPT_NUMBER, AT(config.ec2.delays.terminate_ms), "shutting-down to terminated"},
    {"reboot-ms", OPT_NUMBER, AT(config.ec2.delays.reboot_ms), "reboot until booted again"},
    {"visible-ms", OPT_NUMBER, AT(config.ec2.delays.visible_ms),
     "launch until a describe shows it"},
    {"initializing-ms", OPT_NUMBER, AT(config.ec2.delays.initializing_ms),
     "until status checks are ok"},
    {"vanish-ms", OPT_NUMBER, AT(config.ec2.delays.vanish_ms), "terminated until not shown"},
    {"release-ms", OPT_NUMBER, AT(config.ec2.delays.release_ms),
     "ended until its capacity is free"},
    {"jitter-permille", OPT_NUMBER, AT(config.ec2.delays.jitter_permille),
     "spread of all of these"},
    {"throttle", OPT_FLAG, AT(config.ec2.throttle), "EC2's request and instance buckets"},
    {"spot-permille", OPT_NUMBER, AT(config.spot_permille),
     "scale of the two minutes of a spot notice"},
    {"event-delay-ms", OPT_NUMBER, AT(config.event_delay_ms), "state change to message"},
    {"register-ms", OPT_NUMBER, AT(config.slurm.register_ms), "booted to slurmd registered"},
    {"ping-ms", OPT_NUMBER, AT(config.slurm.ping_ms), "host gone to not responding"},
    {"slurmd-timeout-ms", OPT_NUMBER, AT(config.slurm.slurmd_timeout_ms), "host gone to DOWN"},
    {"requeue-ms", OPT_NUMBER, AT(config.slurm.requeue_ms), "requeued to eligible"},
    {"imds-life-ms", OPT_NUMBER, AT(imds_life_ms), "life of the role's credentials"},
};

enum { FLAGS = sizeof(flags) / sizeof(flags[0]) };

static void
print_help(void)
{
    (void)printf("usage: rc-world [--config FILE] [flags]\n"
                 "AWS and slurmctld, simulated in one process on 127.0.0.1.\n\n"
                 "  --config FILE           JSON file; flags win over it\n");
    for (unsigned i = 0; i < FLAGS; i++)
        (void)printf("  --%-21s %s\n", flags[i].name, flags[i].help);
}

static bool
number_store(void *to, size_t size, const char *text)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || *text == '-')
        return false;
    if (size == 2) {
        uint16_t v = (uint16_t)value;

        memcpy(to, &v, size);
        return value <= UINT16_MAX;
    }
    if (size == 4) {
        uint32_t v = (uint32_t)value;

        memcpy(to, &v, size);
        return value <= UINT32_MAX;
    }
    memcpy(to, &value, sizeof(value));
    return value <= INT64_MAX;
}

static bool
flag_store(struct rc_world_setup *s, const struct flag *f, const char *value)
{
    char *to = (char *)s + f->offset;
    bool yes = true;

    switch (f->kind) {
    case OPT_TEXT:
        if (rc_text_set(to, (uint32_t)f->room, value))
            return true;
        (void)fprintf(stderr, "rc-world: --%s is too long\n", f->name);
        return false;
    case OPT_NUMBER:
        if (number_store(to, f->room, value))
            return true;
        (void)fprintf(stderr, "rc-world: --%s needs a number, not \"%s\"\n", f->name, value);
        return false;
    case OPT_FLAG:
        memcpy(to, &yes, sizeof(yes));
        return true;
    }
    return false;
}

/* One pass over the flags; the first looks for --config only. */
static bool
flags_pass(struct rc_world_setup *s, int argc, char **argv, bool config_only, int *ret_status)
{
    struct option options[FLAGS + 3] = {0};
    int which;

    for (int i = 0; i < FLAGS; i++)
        options[i] =
            (struct option){.name = flags[i].name,
                            .has_arg = flags[i].kind == OPT_FLAG ? no_argument : required_argument,
                            .val = i + 1};
    options[FLAGS] = (struct option){.name = "config", .has_arg = required_argument, .val = 1001};
    options[FLAGS + 1] = (struct option){.name = "help", .has_arg = no_argument, .val = 1002};
    optind = 1;
    opterr = config_only ? 1 : 0;
    while ((which = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool good = true;

        if (which == 1002) {
            print_help();
            *ret_status = 0;
            return false;
        }
        if (which == 1001)
            good = !config_only || rc_world_file_read(s, optarg);
        else if (which >= 1 && which <= FLAGS)
            good = config_only || flag_store(s, &flags[which - 1], optarg);
        else
            good = false;
        if (!good)
            return false;
    }
    if (optind < argc)
        (void)fprintf(stderr, "rc-world: unexpected argument \"%s\"\n", argv[optind]);
    return optind == argc;
}

bool
rc_world_setup_read(struct rc_world_setup *s, int argc, char **argv, int *ret_status)
{
    struct rc_sigv4_credential *c = &s->keys.credential[0];

    *ret_status = 2;
    setup_defaults(s);
    if (!flags_pass(s, argc, argv, true, ret_status) ||
        !flags_pass(s, argc, argv, false, ret_status))
        return false;
    if (c->key[0] == '\0')
        (void)rc_text_set(c->key, sizeof(c->key), "AKIAIOSFODNN7EXAMPLE");
    if (c->secret[0] == '\0')
        (void)rc_text_set(c->secret, sizeof(c->secret), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    memcpy(s->keys.region, s->config.identity.region, sizeof(s->config.identity.region));
    if (s->nodes > s->config.slurm.nodes_max)
        s->config.slurm.nodes_max = s->nodes;
    s->config.slurm.hosts_max = 2 * s->config.slurm.nodes_max;
    if (s->config.ec2.instances_max < 2 * s->config.slurm.nodes_max)
        s->config.ec2.instances_max = 2 * s->config.slurm.nodes_max;
    s->config.ec2.seed = s->config.slurm.seed = s->config.seed;
    return true;
}

void
rc_world_setup_done(struct rc_world_setup *s)
{
    free(s->host_keys);
    cJSON_Delete(s->file);
}
