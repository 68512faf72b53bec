/* config.h - the daemon's configuration file -> struct rc_config.
 *
 * JSON with comments; docs/configuration.md lists every key. Plain value without pointers;
 * paths are as written in the file (relative ones are resolved against the file's folder).
 * No key holds a secret: credentials come from the environment, the shared credentials
 * file or the instance role. Strings that were not given are "". Durations in ms. */
#ifndef RC_CONFIG_H
#define RC_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "policies/jsonc.h"
#include "reconciler/core/cluster.h"
#include "reconciler/core/errors.h"

struct rc_bind_table;

enum {
    RC_CONFIG_PATH_LEN = 256,
    RC_CONFIG_SOCKET_LEN = 108, /* sun_path of unix(7) */
    RC_CONFIG_URL_LEN = 256,
    RC_CONFIG_NAME_LEN = 64,
    RC_CONFIG_ARG_LEN = 256,
    RC_CONFIG_ARGS_MAX = 16,
    RC_CONFIG_TAGS_MAX = 16,
    RC_CONFIG_TAG_KEY_LEN = 129,   /* EC2: 128 characters */
    RC_CONFIG_TAG_VALUE_LEN = 257, /* EC2: 256 characters */
};

/* A program that speaks the helper line protocol. */
struct rc_config_command {
    char program[RC_CONFIG_PATH_LEN];
    uint32_t arg_count; /* without the program's own name */
    uint32_t pad_;
    char arg[RC_CONFIG_ARGS_MAX][RC_CONFIG_ARG_LEN];
};

struct rc_config_tag {
    char key[RC_CONFIG_TAG_KEY_LEN];
    char value[RC_CONFIG_TAG_VALUE_LEN];
};

struct rc_config_endpoints {     /* "" = the region's own */
    char all[RC_CONFIG_URL_LEN]; /* for services without a line of their own */
    char ec2[RC_CONFIG_URL_LEN];
    char sqs[RC_CONFIG_URL_LEN];
    char dynamodb[RC_CONFIG_URL_LEN];
    char cloudwatch[RC_CONFIG_URL_LEN];
    char sts[RC_CONFIG_URL_LEN];
    char s3[RC_CONFIG_URL_LEN];
    char imds[RC_CONFIG_URL_LEN];
};

struct rc_config_aws {
    char profile[RC_CONFIG_NAME_LEN]; /* of the shared credentials file */
    char ca_file[RC_CONFIG_PATH_LEN]; /* certificates to trust, "" = the system's */
    struct rc_config_endpoints endpoint;
    char connect_to[RC_CONFIG_URL_LEN]; /* "HOST:PORT:TO-HOST:TO-PORT", as curl --connect-to */
    int64_t request_timeout_ms;
};

struct rc_config_queue {
    char url[RC_CONFIG_URL_LEN];
    int64_t wait_ms;       /* long poll, whole seconds, 0 to 20 s */
    int64_t visibility_ms; /* whole seconds */
    uint32_t receives;     /* ReceiveMessage calls at once */
    uint32_t pad_;
    char quarantine[RC_CONFIG_PATH_LEN]; /* file for messages that cannot be read */
};

struct rc_config_slurm {
    char conf[RC_CONFIG_PATH_LEN];
    char topology[RC_CONFIG_PATH_LEN]; /* "" = none */
    char hosts[RC_CONFIG_PATH_LEN];    /* "" = none */
    char log[RC_CONFIG_PATH_LEN];      /* of slurmctld, a hint; "" = none */
    char poke_socket[RC_CONFIG_PATH_LEN];
    struct rc_config_command reader;
    struct rc_config_command writer;
    struct rc_config_command registrar;
    int64_t request_timeout_ms; /* a helper that is silent this long is restarted */
};

/* The other controller, and the hand on our own slurmctld. The hosts and where a lost one is
 * launched stand in cluster. */
struct rc_config_controllers {
    struct rc_config_command helper;        /* rc-controller-helper */
    char listen[RC_CONFIG_NAME_LEN];        /* of the peer link; the peer's has the same port */
    char key[RC_CONFIG_PATH_LEN];           /* secret file that both controllers have */
    char instance_file[RC_CONFIG_PATH_LEN]; /* holds this host's instance id, "" = none */
    int64_t probe_ms;
};

struct rc_config_journal {
    char dir[RC_CONFIG_PATH_LEN];
    uint64_t segment_bytes; /* rotated at this size */
    uint64_t keep_bytes;    /* older segments are deleted above this … */
    uint32_t keep_segments; /* … or when there are more than so many */
    uint32_t pad_;
};

enum rc_config_store_kind { RC_STORE_FILE, RC_STORE_DYNAMODB, RC_STORE__MAX };

struct rc_config_lease {
    uint32_t kind; /* enum rc_config_store_kind */
    uint32_t pad_;
    char path[RC_CONFIG_PATH_LEN];
    char table[RC_CONFIG_URL_LEN];
    char owner[RC_NODE_LEN]; /* "" in the file = the host name; filled in by the loader */
    int64_t term_ms;         /* the margin is cluster.lease_margin_ms */
};

struct rc_config_incidents {
    uint32_t kind; /* enum rc_config_store_kind */
    uint32_t pad_;
    char path[RC_CONFIG_PATH_LEN];
    char table[RC_CONFIG_URL_LEN];
};

struct rc_config_poll { /* instances and slurm periods also stand in cluster */
    int64_t instances_ms;
    int64_t status_ms;
    int64_t slurm_ms;
    int64_t slurm_open_ms;   /* single nodes with an open incident */
    uint32_t slurm_open_max; /* single-node reads a second, all together */
    uint32_t pad_;
};

struct rc_config_control {
    char socket[RC_CONFIG_SOCKET_LEN];
    uint32_t mode;                  /* permission bits */
    char group[RC_CONFIG_NAME_LEN]; /* "" = the daemon's own */
};

enum rc_config_host_keys {
    RC_HOST_KEYS_CONSOLE, /* pinned from the instance's console output */
    RC_HOST_KEYS_FILE,    /* from a known_hosts file */
    RC_HOST_KEYS__MAX
};

struct rc_config_ssh {
    char user[RC_CONFIG_NAME_LEN];
    char key[RC_CONFIG_PATH_LEN]; /* private key file, "" = no ssh probe is possible */
    char known_hosts[RC_CONFIG_PATH_LEN];
    uint32_t port;
    uint32_t host_keys; /* enum rc_config_host_keys */
    int64_t timeout_ms; /* connect and sign in */
};

/* Evidence of faults: one folder an incident. */
struct rc_config_forensics {
    char dir[RC_CONFIG_PATH_LEN]; /* "" in the file = forensics in state_dir; filled in by the
                                     loader */
    char s3[RC_CONFIG_PATH_LEN];  /* "s3://bucket/prefix": every bundle is copied there, "" = not */
    uint64_t bundle_bytes;        /* of one bundle, compressed; the console may add as much */
    uint32_t keep;                /* bundles; older ones are removed */
    uint32_t bug_report;          /* 1 = nvidia-bug-report.sh too */
};

struct rc_config {
    struct rc_cluster cluster; /* the core's part, complete */
    struct rc_config_aws aws;
    struct rc_config_queue queue;
    char policy[RC_CONFIG_PATH_LEN];
    char state_dir[RC_CONFIG_PATH_LEN]; /* snapshots and what is not the journal */
    struct rc_config_slurm slurm;
    struct rc_config_controllers controllers;
    struct rc_config_journal journal;
    struct rc_config_lease lease;
    struct rc_config_incidents incidents;
    struct rc_config_poll poll;
    struct rc_config_control control;
    char metrics_listen[RC_CONFIG_NAME_LEN];    /* "127.0.0.1:9464", "" = off */
    char metrics_namespace[RC_CONFIG_NAME_LEN]; /* of CloudWatch, "" = off */
    char log_file[RC_CONFIG_PATH_LEN];          /* "" = standard error */
    uint32_t log_level;                         /* enum rc_log_level */
    uint32_t tag_count;
    struct rc_config_ssh ssh;
    struct rc_config_forensics forensics;
    uint64_t seed;                                /* 0 in the file = drawn at start by the daemon */
    struct rc_config_tag tag[RC_CONFIG_TAGS_MAX]; /* put on launched instances, besides our own */
};

/* As rc_policy_load(): RC_OK and *ret complete, or *ret untouched and errs filled. */
enum rc_err rc_config_load(const char *path, const char *text, size_t len, struct rc_config *ret,
                           struct rc_load_errors *errs);
enum rc_err rc_config_load_file(const char *path, struct rc_config *ret,
                                struct rc_load_errors *errs);

/* The keys of the file, for docs/configuration.md. */
const struct rc_bind_table *rc_config_table(void);

#endif
