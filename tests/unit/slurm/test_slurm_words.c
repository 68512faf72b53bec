/* test_slurm_words.c - reasons, their owners, and names of flags. */
#include "reconciler/io/slurm/slurm_words.h"

#include <stdio.h>
#include <string.h>

#include "tests/harness/harness.h"

enum { SLURM = 64030, ADMIN = 1000 };

static void
our_marker_is_read(void)
{
    uint32_t incident = 0, others = 0;

    CU_ASSERT_TRUE(rc_slurm_reason_ours("rc:12 instance-gone", &incident, &others));
    CU_ASSERT_EQUAL(incident, 12);
    CU_ASSERT_EQUAL(others, 0);
    CU_ASSERT_TRUE(rc_slurm_reason_ours("rc:3+749 instance-gone i-1", &incident, &others));
    CU_ASSERT_EQUAL(incident, 3);
    CU_ASSERT_EQUAL(others, 749);
    CU_ASSERT_TRUE(rc_slurm_reason_ours("rc:4294967295 x", NULL, NULL));
}

static void
what_only_looks_like_our_marker_is_not_ours(void)
{
    static const char *const reasons[] = {
        "",
        "rc",
        "rc:",
        "rc: x",
        "rc:1",
        "rc:x 1",
        "rc:1+ x",
        "rc:+1 x",
        "rc:-1 x",
        "RC:1 x",
        " rc:1 x",
        "rc:1\tx",
        "rc:1+2+3 x",
        "arc:1 x",
        "rc:1x",
        "rc:4294967296 x",
        "rc:99999999999999999999 x",
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (rc_slurm_reason_ours(reasons[i], NULL, NULL)) {
            printf("# taken for ours: '%s'\n", reasons[i]);
            CU_FAIL("a foreign reason was taken for ours");
        }
    }
}

static void
slurmctlds_own_words_are_known(void)
{
    static const char *const reasons[] = {
        "Not responding",
        "Node unexpectedly rebooted",
        "ResumeTimeout reached",
        "NO NETWORK ADDRESS FOUND",
        "Low RealMemory (reported:900 < 100.00% of configured:1000)",
        "Low socket*core*thread count, Low CPUs",
        "gres/gpu count reported lower than configured (7 < 8)",
        "Kill task failed",
        "Epilog error",
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        CU_ASSERT_EQUAL(rc_slurm_owner(reasons[i], SLURM, SLURM), RC_OWNER_SLURM);
        CU_ASSERT_EQUAL(rc_slurm_owner(reasons[i], 0, SLURM), RC_OWNER_SLURM);
        CU_ASSERT_EQUAL(rc_slurm_owner(reasons[i], ADMIN, SLURM), RC_OWNER_FOREIGN);
    }
}

static void
everything_else_is_foreign(void)
{
    static const char *const reasons[] = {
        "do not touch, debugging",
        "NHC: gpu count",
        "not responding",
        "Reboot ASAP",
        "maintenance: Low CPUs",
        "Action:Replace",
        "x",
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        CU_ASSERT_EQUAL(rc_slurm_owner(reasons[i], 0, SLURM), RC_OWNER_FOREIGN);
        CU_ASSERT_EQUAL(rc_slurm_owner(reasons[i], SLURM, SLURM), RC_OWNER_FOREIGN);
    }
    CU_ASSERT_EQUAL(rc_slurm_owner("", ADMIN, SLURM), RC_OWNER_NONE);
    CU_ASSERT_EQUAL(rc_slurm_owner("rc:1 x", ADMIN, SLURM), RC_OWNER_OURS);
}

static void
flags_go_there_and_back(void)
{
    char text[RC_SLURM_FLAGS_ROOM];
    uint32_t flags = 0;

    for (uint32_t bit = 0; bit < 16; bit++) {
        CU_ASSERT_TRUE(rc_slurm_flags_format(1U << bit, text, sizeof text));
        CU_ASSERT_TRUE(rc_slurm_flags_parse(text, &flags));
        CU_ASSERT_EQUAL(flags, 1U << bit);
    }
    CU_ASSERT_TRUE(rc_slurm_flags_format(0xffff, text, sizeof text));
    CU_ASSERT_TRUE(rc_slurm_flags_parse(text, &flags));
    CU_ASSERT_EQUAL(flags, 0xffff);
    CU_ASSERT_TRUE(rc_slurm_flags_parse("", &flags));
    CU_ASSERT_EQUAL(flags, 0);
    CU_ASSERT_FALSE(rc_slurm_flags_format(0xffff, text, 20));
}

static void
unknown_flags_are_refused(void)
{
    static const char *const names[] = {"Down", "down,", ",down", "down,,drain", "dow", "downs"};
    uint32_t flags;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CU_ASSERT_FALSE(rc_slurm_flags_parse(names[i], &flags));
    }
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"our marker is read, with one incident or many", our_marker_is_read},
        {"what only looks like our marker is not ours",
         what_only_looks_like_our_marker_is_not_ours},
        {"slurmctld's own words are known, unless a person wrote them",
         slurmctlds_own_words_are_known},
        {"everything else is foreign", everything_else_is_foreign},
        {"flags go there and back", flags_go_there_and_back},
        {"unknown flags are refused", unknown_flags_are_refused},
        CU_TEST_INFO_NULL,
    };

    return rc_test_main("slurm_words", tests);
}
