/* instance_type.c - how many GPUs an instance of a type has. Only EC2's types with NVIDIA boards
 * for training are here: a GPU that is missing since boot shows on them without a word from
 * anybody. On others one shows when it leaves. AWS's documentation of accelerated computing
 * instances; p4d also in aws-ofi-nccl's topology file. */
#include <stddef.h>
#include <string.h>

#include "reconciler/watch/probe.h"
#include "reconciler/watch/sys_file.h"

static const struct {
    const char *type;
    uint32_t gpus;
} types[] = {
    {"p3.2xlarge", 1},    {"p3.8xlarge", 4},       {"p3.16xlarge", 8},      {"p3dn.24xlarge", 8},
    {"p4d.24xlarge", 8},  {"p4de.24xlarge", 8},    {"p5.48xlarge", 8},      {"p5e.48xlarge", 8},
    {"p5en.48xlarge", 8}, {"p6-b200.48xlarge", 8}, {"p6-b300.48xlarge", 8},
};

uint32_t
rc_instance_type_gpus(const char *sys)
{
    char type[64];

    if (rc_sys_read(sys, "class/dmi/id/product_name", NULL, type, sizeof type)) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
            if (strcmp(types[i].type, type) == 0) {
                return types[i].gpus;
            }
        }
    }
    return 0;
}
