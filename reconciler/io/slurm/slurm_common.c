/* slurm_common.c - host lists, errors and node records of libslurm, as the helper's
 * verbs need them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/core/event.h"
#include "reconciler/io/slurm/slurm_helper.h"

/* When a full table costs less than single reads: these take 0.9 ms each, the table of
 * 750 nodes 3.8 ms (measured on 22.05.8), so one single read is worth 200 rows. */
enum { SINGLES_MIN = 8, ROWS_A_SINGLE = 200 };

static uint32_t table_rows; /* of the last full table */

/* Foreign errno -> our error. Sources: slurm/slurm_errno.h; what a dead slurmctld
 * (1800), a hung one (5004) and a dead munged (1007) give was observed. */
static const struct {
    int number;
    enum rc_err err;
} errno_table[] = {
    {SLURM_COMMUNICATIONS_CONNECTION_ERROR, RC_E_SLURM_DOWN},
    {SLURM_COMMUNICATIONS_SEND_ERROR, RC_E_SLURM_DOWN},
    {SLURM_COMMUNICATIONS_RECEIVE_ERROR, RC_E_SLURM_DOWN},
    {SLURM_COMMUNICATIONS_SHUTDOWN_ERROR, RC_E_SLURM_DOWN},
    {SLURM_PROTOCOL_AUTHENTICATION_ERROR, RC_E_SLURM_DOWN},
    {SLURM_PROTOCOL_VERSION_ERROR, RC_E_SLURM_REFUSED},
    {SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR, RC_E_SLURM_DOWN},
    {SLURMCTLD_COMMUNICATIONS_SEND_ERROR, RC_E_SLURM_DOWN},
    {SLURMCTLD_COMMUNICATIONS_RECEIVE_ERROR, RC_E_SLURM_DOWN},
    {SLURMCTLD_COMMUNICATIONS_SHUTDOWN_ERROR, RC_E_SLURM_DOWN},
    {ESLURM_IN_STANDBY_MODE, RC_E_SLURM_DOWN},
    {SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT, RC_E_TIMEOUT},
    {ESLURM_ACCESS_DENIED, RC_E_DENIED},
    {ESLURM_USER_ID_MISSING, RC_E_DENIED},
    {ESLURM_INVALID_NODE_NAME, RC_E_NOT_FOUND},
    {ESLURM_INVALID_JOB_ID, RC_E_NOT_FOUND},
    {ESLURM_ALREADY_DONE, RC_E_NOT_FOUND},
    {ESLURM_INVALID_NODE_STATE, RC_E_STATE},
    {ESLURM_TRANSITION_STATE_NO_UPDATE, RC_E_STATE},
    {ETIMEDOUT, RC_E_TIMEOUT},
    {ECONNREFUSED, RC_E_SLURM_DOWN},
    {EHOSTUNREACH, RC_E_SLURM_DOWN},
    {ENETUNREACH, RC_E_SLURM_DOWN},
};

enum rc_err
rc_slurm_fail(struct rc_error *e, const char *what)
{
    int number = errno;
    enum rc_err err = RC_E_SLURM_REFUSED;

    for (size_t i = 0; i < sizeof errno_table / sizeof *errno_table; i++) {
        if (errno_table[i].number == number) {
            err = errno_table[i].err;
        }
    }
    (void)rc_fail(e, err, "%s: %s", what, slurm_strerror(number));
    if (e) {
        (void)snprintf(e->service_code, sizeof e->service_code, "%d", number);
    }
    return err;
}

bool
rc_slurm_gone(enum rc_err err)
{
    return err == RC_E_SLURM_DOWN || err == RC_E_TIMEOUT || err == RC_E_DENIED;
}

static int
by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

void
rc_slurm_names_free(struct name_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->name[i]);
    }
    free(set->name);
    *set = (struct name_set){0};
}

enum rc_err
rc_slurm_names_expand(const char *list, struct name_set *ret, struct rc_error *e)
{
    rc_hostlist hosts = list && *list ? slurm_hostlist_create(list) : NULL;
    int count = hosts ? slurm_hostlist_count(hosts) : 0;
    char *name;

    *ret = (struct name_set){0};
    if (count > 0 && count <= RC_SLURM_NAMES_MAX) {
        slurm_hostlist_uniq(hosts);
        ret->name = calloc((size_t)count, sizeof *ret->name);
        while (ret->name && ret->count < (size_t)count &&
               (name = slurm_hostlist_shift(hosts)) != NULL) {
            ret->name[ret->count++] = name;
        }
    }
    if (hosts) {
        slurm_hostlist_destroy(hosts);
    }
    if (!ret->name || ret->count == 0) {
        return rc_fail(e, RC_E_INVALID, "names: '%.60s' is no list of 1 to %d nodes",
                       list ? list : "", RC_SLURM_NAMES_MAX);
    }
    qsort(ret->name, ret->count, sizeof *ret->name, by_name);
    return RC_OK;
}

long
rc_slurm_names_find(const struct name_set *set, const char *name)
{
    char **found = bsearch(&name, set->name, set->count, sizeof *set->name, by_name);

    return found ? found - set->name : -1;
}

static enum rc_err
read_records(const node_info_msg_t *msg, const struct name_set *names, node_fn *fn, void *arg,
             struct rc_error *e)
{
    enum rc_err err = RC_OK;

    for (uint32_t i = 0; i < msg->record_count && err == RC_OK; i++) {
        const node_info_t *node = &msg->node_array[i];

        if (node->name && rc_slurm_names_find(names, node->name) >= 0) {
            err = fn(arg, node, e);
        }
    }
    return err;
}

static enum rc_err
read_singles(const struct name_set *names, node_fn *fn, void *arg, struct rc_error *e)
{
    for (size_t i = 0; i < names->count; i++) {
        node_info_msg_t *msg = NULL;
        enum rc_err err;

        if (slurm_load_node_single(&msg, names->name[i], SHOW_ALL) != SLURM_SUCCESS) {
            err = rc_slurm_fail(e, "reading a node");
            if (err != RC_E_NOT_FOUND) {
                return err;
            }
            continue;
        }
        err = read_records(msg, names, fn, arg, e);
        slurm_free_node_info_msg(msg);
        if (err != RC_OK) {
            return err;
        }
    }
    return RC_OK;
}

enum rc_err
rc_slurm_nodes_read(const struct name_set *names, node_fn *fn, void *arg, struct rc_error *e)
{
    node_info_msg_t *msg = NULL;
    enum rc_err err;

    if (names->count <= SINGLES_MIN || names->count <= table_rows / ROWS_A_SINGLE) {
        return read_singles(names, fn, arg, e);
    }
    if (slurm_load_node(0, &msg, SHOW_ALL) != SLURM_SUCCESS) {
        return rc_slurm_fail(e, "reading the nodes");
    }
    table_rows = msg->record_count;
    err = read_records(msg, names, fn, arg, e);
    slurm_free_node_info_msg(msg);
    return err;
}

void
rc_slurm_table_seen(uint32_t rows)
{
    table_rows = rows;
}

uint32_t
rc_slurm_node_alloc_cpus(const node_info_t *node)
{
    uint16_t cpus = 0;

    if (node->select_nodeinfo &&
        slurm_get_select_nodeinfo(node->select_nodeinfo, SELECT_NODEDATA_SUBCNT,
                                  NODE_STATE_ALLOCATED, &cpus) != SLURM_SUCCESS) {
        return 0;
    }
    return cpus;
}

uint32_t
rc_slurm_node_flags(const node_info_t *node)
{
    static const struct {
        uint64_t slurm;
        uint32_t flag;
    } map[] = {
        {NODE_STATE_DRAIN, RC_SN_DRAIN},
        {NODE_STATE_FAIL, RC_SN_FAIL},
        {NODE_STATE_COMPLETING, RC_SN_COMPLETING},
        {NODE_STATE_NO_RESPOND, RC_SN_NOT_RESPONDING},
        {NODE_STATE_MAINT, RC_SN_MAINT},
        {NODE_STATE_RES, RC_SN_RESERVED},
        {NODE_STATE_REBOOT_REQUESTED | NODE_STATE_REBOOT_ISSUED, RC_SN_REBOOT},
        {NODE_STATE_POWERING_UP | NODE_STATE_POWERING_DOWN | NODE_STATE_POWER_DOWN |
             NODE_STATE_POWER_UP | NODE_STATE_POWER_DRAIN,
         RC_SN_POWERING},
        {NODE_STATE_POWERED_DOWN, RC_SN_POWERED_DOWN},
        {NODE_STATE_INVALID_REG, RC_SN_INVALID_REG},
        {NODE_STATE_DYNAMIC_FUTURE | NODE_STATE_DYNAMIC_NORM, RC_SN_DYNAMIC},
        {NODE_STATE_CLOUD, RC_SN_CLOUD},
    };
    uint32_t base = node->node_state & NODE_STATE_BASE;
    uint32_t flags = 0;

    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        flags |= (node->node_state & map[i].slurm) != 0 ? map[i].flag : 0;
    }
    flags |= base == NODE_STATE_DOWN ? RC_SN_DOWN : 0;
    flags |= base == NODE_STATE_FUTURE ? RC_SN_FUTURE : 0;
    flags |= base == NODE_STATE_UNKNOWN ? RC_SN_UNKNOWN : 0;
    /* A suspended job holds its node although the base state may not say so. */
    if (base == NODE_STATE_ALLOCATED || base == NODE_STATE_MIXED ||
        rc_slurm_node_alloc_cpus(node) > 0) {
        flags |= RC_SN_ALLOCATED;
    }
    return flags;
}

uint32_t
rc_slurm_user_uid(struct slurm_helper *h)
{
    slurm_conf_t *conf = NULL;

    if (!h->knows_slurm_uid && slurm_load_ctl_conf(0, &conf) == SLURM_SUCCESS) {
        h->slurm_uid = conf->slurm_user_id;
        h->controllers = conf->control_cnt;
        h->knows_slurm_uid = true;
        slurm_free_ctl_conf(conf);
    }
    return h->slurm_uid;
}
