/* world_file.c - reads the JSON file of rc-world. Unknown keys are refused by name:
 * a misspelt delay must not pass as the default. */
#include "simulator/world/world_file.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key of an object and the integer that it sets. */
struct number_key {
    const char *name;
    size_t offset;
    size_t size;
};

#define DELAY(field)                                                                               \
    {                                                                                              \
#        field, offsetof(struct rc_sim_ec2_delays, field),                                         \
            sizeof(((struct rc_sim_ec2_delays *)0)->field)                                         \
    }
#define QUEUE(field)                                                                               \
    {                                                                                              \
#        field, offsetof(struct rc_sim_sqs_config, field),                                         \
            sizeof(((struct rc_sim_sqs_config *)0)->field)                                         \
    }
#define SLURM(field)                                                                               \
    {                                                                                              \
#        field, offsetof(struct rc_sim_slurm_config, field),                                       \
            sizeof(((struct rc_sim_slurm_config *)0)->field)                                       \
    }

static const struct number_key delay_keys[] = {
    DELAY(visible_ms), DELAY(launch_ms),       DELAY(boot_ms),   DELAY(initializing_ms),
    DELAY(stop_ms),    DELAY(terminate_ms),    DELAY(reboot_ms), DELAY(release_ms),
    DELAY(vanish_ms),  DELAY(jitter_permille), {NULL, 0, 0},
};
static const struct number_key queue_keys[] = {
    QUEUE(visibility_ms),    QUEUE(delay_ms),        QUEUE(wait_ms),      QUEUE(duplicate_permille),
    QUEUE(reorder_permille), QUEUE(return_permille), QUEUE(retention_ms), {NULL, 0, 0},
};
static const struct number_key slurm_keys[] = {
    SLURM(register_ms),   SLURM(ping_ms),    SLURM(slurmd_timeout_ms),
    SLURM(completing_ms), SLURM(requeue_ms), SLURM(return_to_service),
    SLURM(nodes_max),     SLURM(jobs_max),   {NULL, 0, 0},
};

static bool
number_set(void *base, const struct number_key *key, const cJSON *item)
{
    int64_t wide;
    uint32_t narrow;

    if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 1e15)
        return false;
    wide = (int64_t)item->valuedouble;
    narrow = (uint32_t)wide;
    if (key->size == sizeof(narrow))
        memcpy((char *)base + key->offset, &narrow, sizeof(narrow));
    else
        memcpy((char *)base + key->offset, &wide, sizeof(wide));
    return key->size != sizeof(narrow) || wide <= UINT32_MAX;
}

static bool
numbers_set(void *base, const struct number_key *keys, const cJSON *in, const char **ret_wrong)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, in)
    {
        const struct number_key *key = keys;

        while (key->name != NULL && strcmp(key->name, item->string) != 0)
            key++;
        if (key->name == NULL || !number_set(base, key, item)) {
            *ret_wrong = item->string;
            return false;
        }
    }
    return true;
}

bool
rc_world_delays_set(struct rc_sim_ec2_delays *d, const cJSON *in, const char **ret_wrong)
{
    return numbers_set(d, delay_keys, in, ret_wrong);
}

bool
rc_world_queue_set(struct rc_sim_sqs_config *q, const cJSON *in, const char **ret_wrong)
{
    return numbers_set(q, queue_keys, in, ret_wrong);
}

static bool
text_set(char *to, uint32_t room, const cJSON *item)
{
    return cJSON_IsString(item) && rc_text_set(to, room, item->valuestring);
}

static bool
credentials_set(struct rc_world_setup *s, const cJSON *list)
{
    const cJSON *item;
    unsigned n = 0;

    cJSON_ArrayForEach(item, list)
    {
        struct rc_sigv4_credential *c = &s->keys.credential[n++];
        const cJSON *token = cJSON_GetObjectItemCaseSensitive(item, "token");

        if (n > RC_SIGV4_CREDENTIALS_MAX / 2 ||
            !text_set(c->key, sizeof(c->key), cJSON_GetObjectItemCaseSensitive(item, "key")) ||
            !text_set(c->secret, sizeof(c->secret),
                      cJSON_GetObjectItemCaseSensitive(item, "secret")) ||
            (token != NULL && !text_set(c->token, sizeof(c->token), token)))
            return false;
    }
    return true;
}

static bool
host_keys_set(struct rc_world_setup *s, const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = calloc(1, 4097);
    size_t len = f != NULL && text != NULL ? fread(text, 1, 4096, f) : 0;

    if (f != NULL)
        (void)fclose(f);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len == 0) {
        free(text);
        return false;
    }
    free(s->host_keys);
    s->host_keys = text;
    return true;
}

static bool
queue_set(struct rc_world_setup *s, const cJSON *in, const char **ret_wrong)
{
    cJSON *copy = cJSON_Duplicate(in, true);
    cJSON *name = cJSON_DetachItemFromObjectCaseSensitive(copy, "name");
    bool good = name == NULL || text_set(s->queue, sizeof(s->queue), name);

    cJSON_Delete(name);
    good = good && rc_world_queue_set(&s->config.sqs, copy, ret_wrong);
    cJSON_Delete(copy);
    return good;
}

/* What is read here and now; lists of the account are read by world_account.c. */
static bool
key_set(struct rc_world_setup *s, const cJSON *item, const char **ret_wrong)
{
    static const char *const later[] = {"subnets", "templates", "reservations", "capacity",
                                        "instances"};
    struct rc_world_config *c = &s->config;
    const char *key = item->string;
    struct number_key wide = {key, 0, sizeof(int64_t)};
    struct number_key narrow = {key, 0, sizeof(uint32_t)};

    for (unsigned i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (strcmp(key, later[i]) == 0)
            return cJSON_IsArray(item);
    if (strcmp(key, "region") == 0)
        return text_set(c->identity.region, sizeof(c->identity.region), item);
    if (strcmp(key, "account") == 0)
        return text_set(c->identity.account, sizeof(c->identity.account), item);
    if (strcmp(key, "cluster") == 0)
        return text_set(c->identity.cluster, sizeof(c->identity.cluster), item);
    if (strcmp(key, "slurm_conf") == 0)
        return text_set(s->slurm_conf, sizeof(s->slurm_conf), item);
    if (strcmp(key, "host_keys") == 0)
        return cJSON_IsString(item) && host_keys_set(s, item->valuestring);
    if (strcmp(key, "credentials") == 0)
        return credentials_set(s, item);
    if (strcmp(key, "queue") == 0)
        return queue_set(s, item, ret_wrong);
    if (strcmp(key, "slurm") == 0)
        return numbers_set(&c->slurm, slurm_keys, item, ret_wrong);
    if (strcmp(key, "delays") == 0)
        return numbers_set(&c->ec2.delays, delay_keys, item, ret_wrong);
    if (strcmp(key, "seed") == 0)
        return number_set(&c->seed, &wide, item);
    if (strcmp(key, "event_delay_ms") == 0)
        return number_set(&c->event_delay_ms, &wide, item);
    if (strcmp(key, "imds_life_ms") == 0)
        return number_set(&s->imds_life_ms, &wide, item);
    if (strcmp(key, "spot_permille") == 0)
        return number_set(&c->spot_permille, &narrow, item);
    if (strcmp(key, "events") == 0 || strcmp(key, "throttle") == 0) {
        *(*key == 'e' ? &c->events : &c->ec2.throttle) = cJSON_IsTrue(item);
        return cJSON_IsBool(item);
    }
    return false;
}

static char *
file_text(const char *path)
{
    FILE *f = fopen(path, "re");
    long len = -1;
    char *text = NULL;

    if (f != NULL && fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) >= 0 &&
        fseek(f, 0, SEEK_SET) == 0)
        text = calloc(1, (size_t)len + 1);
    if (text != NULL && fread(text, 1, (size_t)len, f) != (size_t)len) {
        free(text);
        text = NULL;
    }
    if (f != NULL)
        (void)fclose(f);
    return text;
}

bool
rc_world_file_read(struct rc_world_setup *s, const char *path)
{
    char *text = file_text(path);
    const char *wrong = NULL;
    const cJSON *item;

    if (text == NULL) {
        (void)fprintf(stderr, "rc-world: %s cannot be read\n", path);
        return false;
    }
    cJSON_Delete(s->file);
    s->file = cJSON_Parse(text);
    free(text);
    if (!cJSON_IsObject(s->file)) {
        (void)fprintf(stderr, "rc-world: %s is not a JSON object\n", path);
        return false;
    }
    cJSON_ArrayForEach(item, s->file)
    {
        if (key_set(s, item, &wrong))
            continue;
        (void)fprintf(stderr, "rc-world: %s: \"%s%s%s\" is unknown or has a bad value\n", path,
                      item->string, wrong != NULL ? "." : "", wrong != NULL ? wrong : "");
        return false;
    }
    return true;
}
