/* world_config.h - how rc-world is set up: flags and a JSON file.
 *
 * The file (all keys may be left out; durations in milliseconds):
 * {
 *   "region": "us-east-1", "account": "123456789012", "cluster": "demo", "seed": 1,
 *   "credentials": [{"key": "AKIA…", "secret": "…", "token": ""}],
 *   "queue": {"name": "events", "visibility_ms": 30000, "duplicate_permille": 0, …},
 *   "subnets": [{"id": "subnet-a", "az": "us-east-1a", "cidr": "10.0.1.0/24"}],
 *   "templates": [{"id": "lt-1", "name": "gpu", "version": 1, "type": "p4d.24xlarge",
 *                  "image": "ami-1", "subnet": "", "default": true}],
 *   "reservations": [{"id": "cr-1", "type": "…", "az": "…", "total": 4, "block": false,
 *                     "end_ms": 0}],
 *   "capacity": [{"subnet": "subnet-a", "type": "", "left": 4}],
 *   "instances": [{"node": "gpu-1", "addr": "10.0.1.11", "subnet": "subnet-a",
 *                  "template": "lt-1", "reservation": ""}],
 *   "slurm_conf": "/etc/slurm/slurm.conf",
 *   "slurm": {"register_ms": 500, "ping_ms": 5000, "slurmd_timeout_ms": 20000, …},
 *   "delays": {"launch_ms": 2000, "boot_ms": 3000, …},
 *   "events": true, "event_delay_ms": 0, "spot_permille": 1000, "throttle": false,
 *   "host_keys": "/path/of/file", "imds_life_ms": 3600000
 * }
 * With slurm_conf, each node that "instances" does not name gets an instance at its
 * NodeAddr, if a subnet has that address. */
#ifndef RC_WORLD_CONFIG_H
#define RC_WORLD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "simulator/world/sigv4_check.h"
#include "simulator/world/world.h"

struct cJSON;

enum { RC_IMDS_TOKENS_MAX = 64, RC_WORLD_PATH_LEN = 256 };

struct rc_imds_token {
    char text[48];
    int64_t expires_ms;
};

/* Everything of rc-world that is not the world itself. */
struct rc_world_setup {
    struct rc_world_config config;
    struct rc_sigv4_keys keys;
    char queue[RC_WORLD_QUEUE_NAME_LEN];
    char slurm_conf[RC_WORLD_PATH_LEN];
    char slurm_socket[RC_WORLD_PATH_LEN]; /* "" = one is made under /tmp */
    struct cJSON *file;                   /* of --config, owned; NULL = none */
    char *host_keys;                      /* text for the console, owned; NULL = made up */
    uint32_t nodes;                       /* --nodes: node-1 … without a slurm.conf */
    uint16_t port;
    bool with_parent;
    int64_t imds_life_ms;
    struct rc_imds_token imds_token[RC_IMDS_TOKENS_MAX];
    uint32_t imds_tokens;
    uint32_t imds_credential, imds_made;
};

/* Defaults, then the flags' --config file, then the other flags. False: why is on stderr (or
 * the help on stdout, with *ret_status 0). */
bool rc_world_setup_read(struct rc_world_setup *s, int argc, char **argv, int *ret_status);
/* Subnets, templates, reservations, capacity and instances of the file, or the default
 * account; then the nodes. False: why is on stderr. */
bool rc_world_setup_fill(struct rc_world_setup *s, struct rc_world *w, int64_t now_ms);
/* Reads slurm.conf (or makes up the nodes) and gives it to the Slurm model. */
bool rc_world_reconfigure(struct rc_world_setup *s, struct rc_world *w, int64_t now_ms, char *why,
                          uint32_t why_room);
void rc_world_setup_done(struct rc_world_setup *s);

#endif
