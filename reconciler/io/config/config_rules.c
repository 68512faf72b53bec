/* config_rules.c - what must hold between the keys of the configuration, and forms that the
 * table's types do not know (ids, URLs). */
#include "reconciler/io/config/config_rules.h"

#include <string.h>

#include "reconciler/io/aws/s3_url.h"

static const struct rc_jsonc_value *
config_place(const struct rc_jsonc_value *v, const char *key)
{
    const struct rc_jsonc_value *at = rc_jsonc_get(v, key);

    return at ? at : v;
}

/* EC2 ids: a prefix and hexadecimal digits. Emulators use any length, so that is not judged. */
static void
check_id(struct rc_bind *b, const struct rc_jsonc_value *v, const char *key, const char *prefix)
{
    const struct rc_jsonc_value *id = rc_jsonc_get(v, key);

    if (id && strncmp(id->text, prefix, strlen(prefix)) != 0) {
        rc_load_error(b->errs, b->file, id, "expected an id that begins with %s, got \"%s\"",
                      prefix, id->text);
    }
}

static void
check_url(struct rc_bind *b, const struct rc_jsonc_value *v, const char *key)
{
    const struct rc_jsonc_value *url = rc_jsonc_get(v, key);

    if (!url || !*url->text) {
        return;
    }
    if ((strncmp(url->text, "https://", 8) != 0 && strncmp(url->text, "http://", 7) != 0) ||
        strpbrk(url->text, " \"<>@")) {
        rc_bind_expected(b, url, "a URL that begins with https:// or http://");
    }
}

static void
check_whole_seconds(struct rc_bind *b, const struct rc_jsonc_value *v, const char *key, int64_t ms)
{
    if (ms % 1000 != 0) {
        rc_bind_expected(b, config_place(v, key), "whole seconds");
    }
}

void
rc_config_check_option(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_launch_option *option = out;

    check_id(b, v, "subnet", "subnet-");
    check_id(b, v, "reservation", "cr-");
    if (option->capacity_block && !*option->reservation) {
        rc_load_error(b->errs, b->file, config_place(v, "capacity_block"),
                      "a Capacity Block needs its \"reservation\" id");
    }
    check_id(b, v, "template", "lt-");
    if (!*option->template_id != !option->template_version) {
        rc_load_error(b->errs, b->file, config_place(v, "template_version"),
                      "\"template\" and \"template_version\" belong together");
    }
}

void
rc_config_check_group(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_group *group = out;
    bool has_reservation = false;
    bool has_block = false;

    check_id(b, v, "template", "lt-");
    for (uint32_t i = 0; i < group->option_count; i++) {
        has_reservation = has_reservation || *group->option[i].reservation;
        has_block = has_block || group->option[i].capacity_block;
    }
    if (group->capacity != RC_CAPACITY_OPEN && !has_reservation) {
        rc_load_error(b->errs, b->file, config_place(v, "capacity"),
                      "no launch option names a \"reservation\"");
    } else if (group->capacity == RC_CAPACITY_BLOCK && !has_block) {
        rc_load_error(b->errs, b->file, config_place(v, "capacity"),
                      "no launch option has \"capacity_block\": true");
    }
    if (strpbrk(group->nodes, " \t\"'")) {
        rc_bind_expected(b, config_place(v, "nodes"), "a Slurm host list without blanks");
    }
}

void
rc_config_check_cluster(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_cluster *cluster = out;
    const struct rc_jsonc_value *groups = rc_jsonc_get(v, "groups");

    for (const struct rc_jsonc_value *c = groups->first; c; c = c->next) {
        for (uint32_t i = 0; i < c->index; i++) {
            if (strcmp(cluster->group[i].name, cluster->group[c->index].name) == 0) {
                rc_load_error(b->errs, b->file, config_place(c, "name"),
                              "another group has the name \"%s\"", cluster->group[i].name);
                break;
            }
        }
    }
}

void
rc_config_check_endpoints(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    (void)out;
    for (const struct rc_jsonc_value *c = v->first; c; c = c->next) {
        check_url(b, v, c->key);
    }
}

void
rc_config_check_queue(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config_queue *queue = out;

    check_url(b, v, "url");
    check_whole_seconds(b, v, "wait", queue->wait_ms);
    check_whole_seconds(b, v, "visibility", queue->visibility_ms);
}

static void
check_store(struct rc_bind *b, const struct rc_jsonc_value *v, uint32_t kind, const char *path,
            const char *table)
{
    if (kind == RC_STORE_FILE && !*path) {
        rc_load_error(b->errs, b->file, config_place(v, "path"), "kind \"file\" needs a path");
    } else if (kind == RC_STORE_DYNAMODB && !*table) {
        rc_load_error(b->errs, b->file, config_place(v, "kind"),
                      "kind \"dynamodb\" needs a \"table\"");
    } else if (kind == RC_STORE_FILE && rc_jsonc_get(v, "table")) {
        rc_load_error(b->errs, b->file, config_place(v, "table"), "kind \"file\" has no table");
    }
}

void
rc_config_check_lease(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config *config = out;

    check_store(b, v, config->lease.kind, config->lease.path, config->lease.table);
    /* Renewed at a third of its term: what is left must hold a request and the margin. */
    if (config->cluster.lease_margin_ms * 3 > config->lease.term_ms) {
        rc_load_error(b->errs, b->file, config_place(v, "margin"),
                      "is more than a third of the term");
    }
}

void
rc_config_check_incidents(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config_incidents *incidents = out;

    check_store(b, v, incidents->kind, incidents->path, incidents->table);
}

void
rc_config_check_controllers(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config *config = out;
    const struct rc_cluster *cluster = &config->cluster;

    if (cluster->controller_count == 1 ||
        (cluster->controller_count == 2 &&
         strcmp(cluster->controller[0].host, cluster->controller[1].host) == 0)) {
        rc_load_error(b->errs, b->file, config_place(v, "hosts"),
                      "expected two different controllers, or none");
    }
    check_id(b, v, "template", "lt-");
    if (cluster->controllers.option_count && !*cluster->controllers.template_id) {
        rc_load_error(b->errs, b->file, config_place(v, "launch"), "needs a \"template\"");
    }
    if (!*cluster->controllers.template_id != !cluster->controllers.template_version) {
        rc_load_error(b->errs, b->file, config_place(v, "template_version"),
                      "\"template\" and \"template_version\" belong together");
    }
}

void
rc_config_check_ssh(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config_ssh *ssh = out;

    if (ssh->host_keys == RC_HOST_KEYS_FILE && !*ssh->known_hosts) {
        rc_load_error(b->errs, b->file, config_place(v, "host_keys"),
                      "\"file\" needs a \"known_hosts\" file");
    }
}

/* v is the value of the pair; its key is the tag's key. */
void
rc_config_check_forensics(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config_forensics *forensics = out;
    char bucket[RC_S3_BUCKET_LEN], prefix[RC_S3_KEY_LEN];

    if (*forensics->s3 && !rc_s3_parse(forensics->s3, bucket, prefix)) {
        rc_bind_expected(b, config_place(v, "s3"), "s3://BUCKET or s3://BUCKET/PREFIX");
    }
}

void
rc_config_check_tag(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config_tag *tag = out;

    if (strncmp(tag->key, "aws:", 4) == 0 || strncmp(tag->key, "slurm-on-aws:", 13) == 0) {
        rc_load_error_key(b->errs, b->file, v,
                          "tags that begin with \"aws:\" or "
                          "\"slurm-on-aws:\" are not yours to set");
    }
}

void
rc_config_check_whole(struct rc_bind *b, const struct rc_jsonc_value *v, void *out)
{
    const struct rc_config *config = out;

    /* Two controllers that share one store must share the other. */
    if (config->lease.kind != config->incidents.kind) {
        const struct rc_jsonc_value *at = config_place(v, "incidents");
        rc_load_error(b->errs, b->file, config_place(at, "kind"),
                      "lease and incidents must be of the same kind");
    }
}
