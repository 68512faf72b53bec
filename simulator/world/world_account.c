/* world_account.c - the account of the file, or a default one, put into the models;
 * and the nodes of slurm.conf with an instance each. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulator/world/slurm_conf_text.h"
#include "simulator/world/world_config.h"

static const char *
item_text(const cJSON *in, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static uint32_t
item_number(const cJSON *in, const char *key, uint32_t fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(in, key);

    return cJSON_IsNumber(item) && item->valuedouble >= 0 ? (uint32_t)item->valuedouble : fallback;
}

static bool
cidr_parse(const char *text, struct rc_sim_subnet *s)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    unsigned bits = 0;

    if (sscanf(text, "%3u.%3u.%3u.%3u/%2u", &a, &b, &c, &d, &bits) != 5 || a > 255 || b > 255 ||
        c > 255 || d > 255 || bits < 18 || bits > 28)
        return false;
    s->size = 1U << (32 - bits);
    s->base = (a << 24 | b << 16 | c << 8 | d) & ~(s->size - 1);
    return true;
}

static bool
subnet_add(struct rc_world *w, const cJSON *in)
{
    struct rc_sim_subnet s = {0};

    return rc_text_set(s.id, sizeof(s.id), item_text(in, "id")) && s.id[0] != '\0' &&
           rc_text_set(s.az, sizeof(s.az), item_text(in, "az")) && s.az[0] != '\0' &&
           cidr_parse(item_text(in, "cidr"), &s) && rc_sim_ec2_add_subnet(w->ec2, &s);
}

static bool
template_add(struct rc_world *w, const cJSON *in)
{
    struct rc_sim_template t = {.version = item_number(in, "version", 1), .latest = true};
    const cJSON *standard = cJSON_GetObjectItemCaseSensitive(in, "default");

    t.by_default = standard == NULL || cJSON_IsTrue(standard);
    return rc_text_set(t.id, sizeof(t.id), item_text(in, "id")) && t.id[0] != '\0' &&
           rc_text_set(t.name, sizeof(t.name), item_text(in, "name")) &&
           rc_text_set(t.type, sizeof(t.type), item_text(in, "type")) && t.type[0] != '\0' &&
           rc_text_set(t.image, sizeof(t.image), item_text(in, "image")) && t.image[0] != '\0' &&
           rc_text_set(t.subnet, sizeof(t.subnet), item_text(in, "subnet")) &&
           rc_sim_ec2_add_template(w->ec2, &t);
}

static bool
reservation_add(struct rc_world *w, const cJSON *in)
{
    struct rc_sim_reservation r = {.total = item_number(in, "total", 0)};
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(in, "end_ms");

    r.end_ms = cJSON_IsNumber(end) ? (int64_t)end->valuedouble : 0;
    r.block = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(in, "block"));
    return rc_text_set(r.id, sizeof(r.id), item_text(in, "id")) && r.id[0] != '\0' &&
           rc_text_set(r.type, sizeof(r.type), item_text(in, "type")) &&
           rc_text_set(r.az, sizeof(r.az), item_text(in, "az")) &&
           rc_sim_ec2_add_reservation(w->ec2, &r);
}

static bool
capacity_add(struct rc_world *w, const cJSON *in)
{
    const cJSON *left = cJSON_GetObjectItemCaseSensitive(in, "left");

    return cJSON_IsNumber(left) &&
           rc_sim_ec2_set_capacity(w->ec2, item_text(in, "subnet"), item_text(in, "type"),
                                   (int32_t)left->valuedouble);
}

static bool
list_add(struct rc_world *w, const cJSON *file, const char *key,
         bool (*add)(struct rc_world *w, const cJSON *in))
{
    const cJSON *item;
    unsigned n = 0;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(file, key))
    {
        n++;
        if (add(w, item))
            continue;
        (void)fprintf(stderr, "rc-world: entry %u of \"%s\" is not usable\n", n, key);
        return false;
    }
    return true;
}

/* Three zones and one template, so that rc-world is of use without a file. */
static bool
account_default(struct rc_world *w, const cJSON *file)
{
    char text[1024];
    cJSON *made;
    bool good;
    const char *region = w->config.identity.region;

    (void)snprintf(
        text, sizeof(text),
        "{\"subnets\":["
        "{\"id\":\"subnet-0aaaaaaaaaaaaaaaa\",\"az\":\"%sa\",\"cidr\":\"10.0.0.0/18\"},"
        "{\"id\":\"subnet-0bbbbbbbbbbbbbbbb\",\"az\":\"%sb\",\"cidr\":\"10.0.64.0/18\"},"
        "{\"id\":\"subnet-0cccccccccccccccc\",\"az\":\"%sc\",\"cidr\":\"10.0.128.0/18\"}],"
        "\"templates\":[{\"id\":\"lt-0123456789abcdef0\",\"name\":\"gpu\","
        "\"version\":1,\"type\":\"p4d.24xlarge\",\"image\":\"ami-0123456789abcdef0\"}]}",
        region, region, region);
    made = cJSON_Parse(text);
    good = (cJSON_HasObjectItem(file, "subnets") || list_add(w, made, "subnets", subnet_add)) &&
           (cJSON_HasObjectItem(file, "templates") || list_add(w, made, "templates", template_add));
    cJSON_Delete(made);
    return good;
}

static bool
instance_add(struct rc_world *w, int64_t now_ms, const cJSON *in)
{
    const struct rc_sim_template *first = rc_sim_ec2_template(w->ec2, 0);
    const char *wanted = item_text(in, "template");
    struct rc_sim_launch like = {.version = (int32_t)item_number(in, "version", 0)};

    return first != NULL &&
           rc_text_set(like.template_id, sizeof(like.template_id),
                       *wanted != '\0' ? wanted : first->id) &&
           rc_text_set(like.subnet, sizeof(like.subnet), item_text(in, "subnet")) &&
           rc_text_set(like.reservation, sizeof(like.reservation), item_text(in, "reservation")) &&
           rc_world_place(w, now_ms, &like, item_text(in, "node"), item_text(in, "addr")) != NULL;
}

static bool
addr_number(const char *text, uint32_t *ret)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;

    if (sscanf(text, "%3u.%3u.%3u.%3u", &a, &b, &c, &d) != 4)
        return false;
    *ret = a << 24 | b << 16 | c << 8 | d;
    return true;
}

/* An instance for each node whose address lies in a subnet and is still free there. */
static void
nodes_place(struct rc_world *w, int64_t now_ms)
{
    const struct rc_sim_template *first = rc_sim_ec2_template(w->ec2, 0);

    for (uint32_t i = 0; first != NULL && i < rc_sim_slurm_nodes(w->slurm); i++) {
        const struct rc_sim_node *node = rc_sim_slurm_node(w->slurm, i);
        struct rc_sim_launch like = {0};
        const struct rc_sim_subnet *s;
        uint32_t ip = 0;

        if (node == NULL || !addr_number(node->addr, &ip))
            continue;
        for (uint32_t k = 0; (s = rc_sim_ec2_subnet(w->ec2, k)) != NULL; k++) {
            if (ip - s->base >= s->size)
                continue;
            memcpy(like.template_id, first->id, sizeof(like.template_id));
            memcpy(like.subnet, s->id, sizeof(like.subnet));
            like.version = (int32_t)first->version;
            (void)rc_world_place(w, now_ms, &like, node->name, node->addr);
        }
    }
}

/* node-1 … node-N, round the subnets. */
static uint32_t
nodes_make(const struct rc_world_setup *s, struct rc_world *w, struct rc_sim_node_row *rows)
{
    uint32_t subnets = 0;

    while (rc_sim_ec2_subnet(w->ec2, subnets) != NULL)
        subnets++;
    for (uint32_t i = 0; i < s->nodes && subnets > 0; i++) {
        uint32_t ip = rc_sim_ec2_subnet(w->ec2, i % subnets)->base + 4 + i / subnets;
        struct rc_sim_node_row *row = &rows[i];

        (void)snprintf(row->name, sizeof(row->name), "node-%u", i + 1);
        (void)snprintf(row->hostname, sizeof(row->hostname), "node-%u", i + 1);
        (void)snprintf(row->addr, sizeof(row->addr), "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255U,
                       ip >> 8 & 255U, ip & 255U);
        (void)rc_text_set(row->partition, sizeof(row->partition), "gpu");
        row->cpus = 96;
        row->real_memory_mb = 1100000;
    }
    return s->nodes;
}

bool
rc_world_reconfigure(struct rc_world_setup *s, struct rc_world *w, int64_t now_ms, char *why,
                     uint32_t why_room)
{
    uint32_t room = s->config.slurm.nodes_max;
    struct rc_sim_node_row *rows = calloc(room, sizeof(*rows));
    uint32_t count = 0;
    bool good = rows != NULL;

    (void)snprintf(why, why_room, "no memory");
    if (good && s->slurm_conf[0] != '\0')
        good = rc_slurm_conf_read(s->slurm_conf, rows, room, &count, why, why_room);
    else if (good)
        count = nodes_make(s, w, rows);
    good = good && rc_sim_slurm_configure(w->slurm, now_ms, rows, count);
    free(rows);
    return good;
}

bool
rc_world_setup_fill(struct rc_world_setup *s, struct rc_world *w, int64_t now_ms)
{
    const cJSON *item;
    char why[512];
    unsigned n = 0;

    if (!list_add(w, s->file, "subnets", subnet_add) ||
        !list_add(w, s->file, "templates", template_add) || !account_default(w, s->file) ||
        !list_add(w, s->file, "reservations", reservation_add) ||
        !list_add(w, s->file, "capacity", capacity_add))
        return false;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(s->file, "instances"))
    {
        n++;
        if (instance_add(w, now_ms, item))
            continue;
        (void)fprintf(stderr, "rc-world: entry %u of \"instances\" cannot be placed\n", n);
        return false;
    }
    if (!rc_world_reconfigure(s, w, now_ms, why, sizeof(why))) {
        (void)fprintf(stderr, "rc-world: %s\n", why);
        return false;
    }
    nodes_place(w, now_ms);
    rc_world_advance(w, now_ms);
    rc_sim_slurm_settle(w->slurm, now_ms);
    return true;
}
