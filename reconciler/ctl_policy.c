/* ctl_policy.c - see ctl_policy.h. */
#define _GNU_SOURCE
#include "reconciler/ctl_policy.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policies/bind.h"
#include "policies/load.h"
#include "simulator/scenario/scenario.h"

static bool
takes_always(const struct rc_rule *r, uint32_t fault)
{
    return (r->fault_mask == 0 || (r->fault_mask & UINT64_C(1) << fault)) && r->repeats_min == 0 &&
           r->age_min_ms == 0 && r->age_max_ms == 0 && !*r->code && !*r->type && !*r->partition &&
           !*r->node;
}

static const char *
jobs_of(const struct rc_rule *r)
{
    static const char *const names[] = {
        [RC_JOBS_WAIT] = "wait", [RC_JOBS_SIGNAL] = "signal", [RC_JOBS_REQUEUE] = "requeue"};

    return r->ignore ? "-" : names[r->jobs.mode];
}

static void
ladder_of(const struct rc_rule *r, char *buf, size_t room)
{
    size_t used = 0;

    snprintf(buf, room, "%s", r->ignore ? "ignored" : "");
    for (uint32_t i = 0; i < r->rung_count && used < room; i++) {
        int n = snprintf(buf + used, room - used, "%s%s", i ? " -> " : "",
                         rc_rung_name((enum rc_rung_kind)r->rung[i].kind));
        used += n > 0 ? (size_t)n : 0;
        if (r->rung[i].attempts > 1 && used < room) {
            n = snprintf(buf + used, room - used, " (%u times)", (unsigned)r->rung[i].attempts);
            used += n > 0 ? (size_t)n : 0;
        }
    }
}

static void
show_summary(FILE *out, const char *path, const struct rc_policy *p)
{
    char ladder[256];

    fprintf(out, "%s: good: policy %s, %u rules, hash %016" PRIx64 "\n\n", path, p->name,
            (unsigned)p->rule_count, p->hash);
    fprintf(out, "%-22s %-22s %-8s %s\n", "FAULT", "RULE (last resort)", "JOBS", "LADDER");
    for (uint32_t fault = RC_FAULT_NONE + 1; fault < RC_FAULT__MAX; fault++) {
        for (uint32_t i = 0; i < p->rule_count; i++) {
            if (takes_always(&p->rule[i], fault)) {
                ladder_of(&p->rule[i], ladder, sizeof ladder);
                fprintf(out, "%-22s %-22s %-8s %s\n", rc_fault_name((enum rc_fault)fault),
                        p->rule[i].name, jobs_of(&p->rule[i]), ladder);
                break;
            }
        }
    }
}

static int
show_check_json(FILE *out, const struct rc_policy *p, const struct rc_load_errors *errs)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *list = NULL;
    char hash[17];
    char *text = NULL;

    cJSON_AddBoolToObject(result, "ok", errs->count == 0);
    if (errs->count == 0) {
        snprintf(hash, sizeof hash, "%016" PRIx64, p->hash);
        cJSON_AddStringToObject(result, "name", p->name);
        cJSON_AddStringToObject(result, "hash", hash);
        cJSON_AddNumberToObject(result, "rules", p->rule_count);
    }
    list = cJSON_AddArrayToObject(result, "errors");
    for (uint32_t i = 0; i < errs->count && i < RC_LOAD_ERRORS_MAX; i++) {
        cJSON_AddItemToArray(list, cJSON_CreateString(errs->line[i]));
    }
    text = cJSON_PrintUnformatted(result);
    fprintf(out, "%s\n", text ? text : "{\"ok\":false}");
    cJSON_free(text);
    cJSON_Delete(result);
    return errs->count == 0 ? 0 : 1;
}

int
rc_ctl_policy_check(const char *path, bool is_json, FILE *out, FILE *err)
{
    struct rc_policy *p = calloc(1, sizeof *p);
    struct rc_load_errors *errs = calloc(1, sizeof *errs);
    int status = 1;

    if (!p || !errs) {
        fprintf(err, "reconcilectl: out of memory\n");
    } else {
        enum rc_err code = rc_policy_load_file(path, p, errs);
        status = code == RC_OK ? 0 : 1;
        if (is_json) {
            status = show_check_json(out, p, errs);
        } else if (code == RC_OK) {
            show_summary(out, path, p);
        } else {
            for (uint32_t i = 0; i < errs->count && i < RC_LOAD_ERRORS_MAX; i++) {
                fprintf(err, "%s\n", errs->line[i]);
            }
            if (errs->count > RC_LOAD_ERRORS_MAX) {
                fprintf(err, "and %u more\n", (unsigned)(errs->count - RC_LOAD_ERRORS_MAX));
            }
        }
    }
    free(errs);
    free(p);
    return status;
}

int
rc_ctl_policy_schema(FILE *out, FILE *err)
{
    char *text = rc_bind_schema(rc_policy_table(), "Policy of slurm-on-aws");

    if (!text) {
        fprintf(err, "reconcilectl: out of memory\n");
        return 1;
    }
    fputs(text, out);
    free(text);
    return 0;
}

/* Prints one line a scenario; true when it is as expected. */
static bool
test_one(const char *path, const char *policy_file, bool rewrite, FILE *out, int *status)
{
    char *diff = NULL;
    size_t len = 0;
    FILE *text = open_memstream(&diff, &len);
    enum rc_err code = RC_E_INTERNAL;

    if (text) {
        code = rc_scenario_check(path, policy_file, rewrite, text);
        fclose(text);
    }
    fprintf(out, "%-10s %s\n",
            code != RC_OK ? (code == RC_E_NOT_VERIFIED ? "DIFFERENT" : "FAILED")
            : rewrite     ? "written"
                          : "as told",
            path);
    if (code != RC_OK) {
        fprintf(out, "%s\n", diff ? diff : "no memory");
        *status = code == RC_E_NOT_VERIFIED && *status != 2 ? 1 : 2;
    }
    free(diff);
    return code == RC_OK;
}

int
rc_ctl_policy_test(const char *dir, const char *policy_file, bool rewrite, FILE *out, FILE *err)
{
    char **paths = NULL;
    size_t count = 0, good = 0;
    struct rc_error e;
    int status = 0;

    if (rc_scenario_list(dir, &paths, &count, &e) != RC_OK) {
        fprintf(err, "reconcilectl: %s\n", e.text);
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        good += test_one(paths[i], policy_file, rewrite, out, &status);
    }
    fprintf(out, "%zu of %zu %s\n", good, count, rewrite ? "written" : "as expected");
    rc_scenario_list_free(paths, count);
    return status;
}
