/* Evidence of an incident as files. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reconciler/io/host/bundle.h"

static char root[] = "/tmp/bundle-XXXXXX";
static char dir[64];

static struct rc_bundle
bundle(uint32_t incident)
{
    return (struct rc_bundle){.dir = dir,
                              .incident = incident,
                              .keep_max = 3,
                              .node = "gpu-1",
                              .instance = "i-0123",
                              .addr = "10.0.0.1",
                              .device = "0000:10:1c",
                              .boot = "1a2b3c4d",
                              .wall_ms = 1790000000000,
                              .serials = "1,2"};
}

static char *
slurp(const char *path)
{
    static char text[8192];
    FILE *f = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    return text;
}

static void
test_bundle(void)
{
    const struct rc_bundle_file files[] = {
        {.name = "node.tar.gz", .bytes = "abc", .len = 3, .cut = true, .note = ""},
        {.name = "console.txt", .bytes = NULL, .len = 0, .cut = false, .note = "throttled \"x\""},
    };
    struct rc_bundle b = bundle(7);
    char path[PATH_MAX], file[PATH_MAX + 32];
    struct rc_error e;

    CU_ASSERT_FALSE(rc_bundle_is_there(&b, path));
    CU_ASSERT_EQUAL_FATAL(rc_bundle_write(&b, files, 2, &e), RC_OK);
    CU_ASSERT(rc_bundle_is_there(&b, path));
    (void)snprintf(file, sizeof file, "%s/manifest.json", path);
    const char *text = slurp(file);
    CU_ASSERT(strstr(text, "\"incident\":\t7") != NULL);
    CU_ASSERT(strstr(text, "\"serials\":\t\"1,2\"") != NULL);
    CU_ASSERT(strstr(text, "throttled \\\"x\\\"") != NULL);
    CU_ASSERT(strstr(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") !=
              NULL);
    (void)snprintf(file, sizeof file, "%s/node.tar.gz", path);
    CU_ASSERT_STRING_EQUAL(slurp(file), "abc");
    (void)snprintf(file, sizeof file, "%s/console.txt", path);
    CU_ASSERT_NOT_EQUAL(access(file, F_OK), 0);
    /* One bundle an incident: what was taken first is the evidence. */
    const struct rc_bundle_file later = {
        .name = "node.tar.gz", .bytes = "xyz", .len = 3, .note = ""};
    CU_ASSERT_EQUAL(rc_bundle_write(&b, &later, 1, &e), RC_OK);
    (void)snprintf(file, sizeof file, "%s/node.tar.gz", path);
    CU_ASSERT_STRING_EQUAL(slurp(file), "abc");
}

static void
test_case_alone(void)
{
    struct rc_bundle b = bundle(8);
    char path[PATH_MAX];
    struct rc_error e;

    CU_ASSERT_EQUAL_FATAL(rc_bundle_add(&b, "support-case.txt", "text", path, &e), RC_OK);
    CU_ASSERT_STRING_EQUAL(slurp(path), "text");
    CU_ASSERT_FALSE(rc_bundle_is_there(&b, path)); /* the evidence itself may still come */
}

static void
test_oldest_go(void)
{
    const struct rc_bundle_file file = {.name = "f", .bytes = "x", .len = 1, .note = ""};
    char path[PATH_MAX];
    struct rc_error e;

    for (uint32_t i = 9; i < 13; i++) {
        struct rc_bundle b = bundle(i);

        CU_ASSERT_EQUAL(rc_bundle_write(&b, &file, 1, &e), RC_OK);
    }
    for (uint32_t i = 7; i < 13; i++) {
        struct rc_bundle b = bundle(i);

        CU_ASSERT_EQUAL(rc_bundle_is_there(&b, path), i >= 10);
        CU_ASSERT_EQUAL(access(path, F_OK) == 0, i >= 10);
    }
}

static void
test_no_place(void)
{
    struct rc_bundle b = bundle(1);
    const struct rc_bundle_file file = {.name = "f", .bytes = "x", .len = 1, .note = ""};
    char path[PATH_MAX];
    struct rc_error e;

    b.dir = "/proc/nowhere";
    CU_ASSERT_EQUAL(rc_bundle_write(&b, &file, 1, &e), RC_E_IO);
    CU_ASSERT(strstr(e.text, "/proc/nowhere") != NULL);
    CU_ASSERT_EQUAL(rc_bundle_add(&b, "x", "y", path, &e), RC_E_IO);
}

static void
test_copies(void)
{
    const struct rc_bundle_file files[] = {
        {.name = "node.tar.gz", .bytes = "abc", .len = 3, .note = ""},
        {.name = "console.txt", .bytes = "c", .len = 1, .note = ""},
    };
    struct rc_bundle first = bundle(41), second = bundle(42), unfinished = bundle(40);
    char name[NAME_MAX + 1], file[4][NAME_MAX + 1], path[PATH_MAX], other[64];
    char *bytes = NULL;
    size_t len = 0;
    struct rc_error e;

    (void)snprintf(other, sizeof other, "%s/copies", root);
    first.dir = second.dir = unfinished.dir = other;
    CU_ASSERT_FALSE(rc_bundle_uncopied(other, name));
    CU_ASSERT_EQUAL_FATAL(rc_bundle_add(&unfinished, "support-case.txt", "x", path, &e), RC_OK);
    CU_ASSERT_FALSE(rc_bundle_uncopied(other, name)); /* no manifest: not whole */
    CU_ASSERT_EQUAL_FATAL(rc_bundle_write(&second, files, 2, &e), RC_OK);
    CU_ASSERT_EQUAL_FATAL(rc_bundle_write(&first, files, 2, &e), RC_OK);
    CU_ASSERT_TRUE_FATAL(rc_bundle_uncopied(other, name));
    CU_ASSERT_STRING_EQUAL(name, "41-gpu-1");
    CU_ASSERT_EQUAL_FATAL(rc_bundle_files(other, name, file, 4), 3);
    CU_ASSERT_STRING_EQUAL(file[0], "console.txt");
    CU_ASSERT_STRING_EQUAL(file[1], "node.tar.gz");
    CU_ASSERT_STRING_EQUAL(file[2], "manifest.json"); /* last: with it the copy is whole */
    CU_ASSERT_EQUAL_FATAL(rc_bundle_read(other, name, file[1], &bytes, &len, &e), RC_OK);
    CU_ASSERT(len == 3 && memcmp(bytes, "abc", 3) == 0);
    free(bytes);
    CU_ASSERT_EQUAL(rc_bundle_read(other, name, "none", &bytes, &len, &e), RC_E_IO);
    CU_ASSERT_EQUAL(rc_bundle_mark_copied(other, name, "s3://b/41-gpu-1/", &e), RC_OK);
    CU_ASSERT_TRUE(rc_bundle_uncopied(other, name));
    CU_ASSERT_STRING_EQUAL(name, "42-gpu-1");
    CU_ASSERT_EQUAL(rc_bundle_mark_copied(other, name, "s3://b/42-gpu-1/", &e), RC_OK);
    CU_ASSERT_FALSE(rc_bundle_uncopied(other, name));
    /* What is written into it later is copied too. */
    CU_ASSERT_EQUAL(rc_bundle_add(&second, "support-case.txt", "x", path, &e), RC_OK);
    CU_ASSERT_TRUE(rc_bundle_uncopied(other, name));
    CU_ASSERT_EQUAL(rc_bundle_files(other, name, file, 4), 4);
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"a bundle has its files and a manifest, once", test_bundle},
        {"a support case may be written without a bundle", test_case_alone},
        {"the oldest bundles go", test_oldest_go},
        {"a place that cannot be written is told", test_no_place},
        {"what was not copied is found, in its order", test_copies},
        CU_TEST_INFO_NULL,
    };

    if (!mkdtemp(root)) {
        return 1;
    }
    (void)snprintf(dir, sizeof dir, "%s/a/b", root);
    int status = rc_test_main("bundle", tests);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command) == 0 ? status : 1;
}
