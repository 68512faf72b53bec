/* fuzz_policy.c - libFuzzer target of the files that people write: the reader with comments, the
 * policy loader and the configuration loader get the same bytes. What loads must be complete, and
 * what does not must say why, in lines that end. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policies/load.h"
#include "reconciler/io/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rc_load_errors errs;
static struct rc_policy policy;
static struct rc_config config;

static void
check(enum rc_err err)
{
    assert((err == RC_OK) == (errs.count == 0));
    for (uint32_t i = 0; i < errs.count && i < RC_LOAD_ERRORS_MAX; i++) {
        assert(*errs.line[i] && memchr(errs.line[i], '\0', RC_LOAD_ERROR_LEN));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    memset(&errs, 0, sizeof errs);
    check(rc_policy_load("fuzz", text, size, &policy, &errs));
    if (errs.count == 0) {
        assert(*policy.name && policy.rule_count > 0);
    }
    memset(&errs, 0, sizeof errs);
    check(rc_config_load("fuzz", text, size, &config, &errs));
    if (errs.count == 0) {
        assert(*config.cluster.name && config.cluster.group_count > 0);
    }
    return 0;
}
