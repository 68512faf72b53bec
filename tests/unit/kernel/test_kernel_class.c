/* The classifier: what holds of any bytes, and the parts that the line vectors do not show. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/kernel/kernel_class.h"
#include "reconciler/kernel/kernel_rules.h"

static const char xid[] = "[ 5012.345678] NVRM: Xid (PCI:0000:10:1c): 79, pid=1, name=a, GPU has "
                          "fallen off the bus.";

static void
test_table_order(void)
{
    for (size_t i = 1; i < rc_kernel_rule_count; i++) {
        CU_ASSERT((unsigned char)rc_kernel_rules[i - 1].pattern[0] <=
                  (unsigned char)rc_kernel_rules[i].pattern[0]);
    }
    for (size_t i = 0; i < rc_kernel_rule_count; i++) {
        CU_ASSERT(!strchr("*%", rc_kernel_rules[i].pattern[0]));
        CU_ASSERT(strlen(rc_kernel_rules[i].name) < RC_KERNEL_CLASS_LEN - 16);
        CU_ASSERT_PTR_NOT_NULL(rc_kernel_rules[i].source);
    }
}

static void
test_device_and_detail(void)
{
    struct rc_kernel_class c;
    char detail[RC_KERNEL_DETAIL_LEN];

    CU_ASSERT(rc_kernel_classify(xid, sizeof xid - 1, &c));
    CU_ASSERT_STRING_EQUAL(c.name, "xid:79");
    CU_ASSERT_STRING_EQUAL(c.device, "0000:10:1c");
    CU_ASSERT_EQUAL(rc_kernel_detail(&c, detail), strlen(detail));
    CU_ASSERT_STRING_EQUAL(
        detail, "NVRM: Xid (PCI:0000:10:1c): 79, pid=1, name=a, GPU has fallen off the bus.");
}

static void
test_detail_is_printable(void)
{
    static const char line[] = "NVRM: Xid (PCI:0000:10:1c): 13, \t\x1b[31m\xff\xc3\xa9\x01 end";
    struct rc_kernel_class c;
    char detail[RC_KERNEL_DETAIL_LEN];

    CU_ASSERT(rc_kernel_classify(line, sizeof line - 1, &c));
    rc_kernel_detail(&c, detail);
    CU_ASSERT_STRING_EQUAL(detail, "NVRM: Xid (PCI:0000:10:1c): 13,  ?[31m???? end");
}

/* Copies to the heap, so that a sanitizer sees a read beyond the end. */
static bool
classify_copy(const char *line, size_t len, struct rc_kernel_class *c)
{
    char *copy = malloc(len ? len : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, line, len);
    bool found = rc_kernel_classify(copy, len, c);
    CU_ASSERT(memchr(c->name, '\0', sizeof c->name) != NULL);
    CU_ASSERT(c->detail.at >= copy && c->detail.at + c->detail.len <= copy + len);
    c->detail = (struct rc_span){line, 0};
    free(copy);
    return found;
}

static void
test_cut_anywhere(void)
{
    struct rc_kernel_class c;
    size_t number = (size_t)(strstr(xid, "79,") - xid);

    for (size_t len = 0; len < sizeof xid; len++) {
        bool found = classify_copy(xid, len, &c);

        CU_ASSERT_EQUAL(found, len > number);
    }
}

static void
test_huge_line(void)
{
    enum { HUGE_LEN = 64 << 10 };
    static char line[HUGE_LEN];
    struct rc_kernel_class c;

    memset(line, 'x', sizeof line);
    CU_ASSERT(!classify_copy(line, sizeof line, &c));
    memset(line, '[', sizeof line);
    CU_ASSERT(!classify_copy(line, sizeof line, &c));
    memset(line, ':', sizeof line);
    CU_ASSERT(!classify_copy(line, sizeof line, &c));
    memset(line, 'x', sizeof line);
    memcpy(line, xid, sizeof xid - 1);
    CU_ASSERT(classify_copy(line, sizeof line, &c));
    CU_ASSERT_STRING_EQUAL(c.name, "xid:79");
}

static void
test_any_byte_before_and_inside(void)
{
    struct rc_kernel_class c;
    char line[sizeof xid];

    for (size_t at = 0; at < sizeof xid - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(line, xid, sizeof xid);
            line[at] = (char)byte;
            (void)classify_copy(line, sizeof xid - 1, &c);
        }
    }
}

static void
check_plain(const char *line, size_t len, const char *want)
{
    char *copy = malloc(len ? len : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, line, len);
    size_t have = rc_kernel_plain(copy, len);
    CU_ASSERT_EQUAL(have, strlen(want));
    CU_ASSERT(have == strlen(want) && memcmp(copy, want, have) == 0);
    free(copy);
}

static void
test_colours(void)
{
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\x1b[31mred\x1b[0m and \x1b[1;4mmore\x1b[m", "red and more"},
        {"\x1b[", "\x1b["},
        {"\x1b[31", "\x1b[31"},
        {"a\x1b", "a\x1b"},
        {"\x1b]0;title\x07", "\x1b]0;title\x07"},
        {"\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15m", "\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15m"},
        {"\x1b[\x1b[31mx", "\x1b[x"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_plain(cases[i].line, strlen(cases[i].line), cases[i].want);
    }
}

static void
test_colours_of_a_long_line(void)
{
    enum { LONG_LEN = RC_KERNEL_PLAIN + 4096 };
    static char line[LONG_LEN];

    memset(line, 'x', sizeof line);
    memcpy(line + 10, "\x1b[31m", 5);
    memcpy(line + RC_KERNEL_PLAIN + 10, "\x1b[31m", 5); /* not looked at */
    CU_ASSERT_EQUAL(rc_kernel_plain(line, sizeof line), sizeof line - 5);
    CU_ASSERT(memcmp(line + RC_KERNEL_PLAIN + 5, "\x1b[31mx", 6) == 0);
    CU_ASSERT(memchr(line, 0x1b, RC_KERNEL_PLAIN) == NULL);
}

static void
test_kmsg_record(void)
{
    static const char record[] = "3,4711,98765432,-;NVRM: x\n SUBSYSTEM=pci\n";
    struct rc_kmsg k;

    CU_ASSERT_FATAL(rc_kmsg_parse(record, sizeof record - 1, &k));
    CU_ASSERT_EQUAL(k.prio, 3);
    CU_ASSERT_EQUAL(k.seq, 4711);
    CU_ASSERT_EQUAL(k.usec, 98765432);
    CU_ASSERT(k.text.len == 7 && memcmp(k.text.at, "NVRM: x", 7) == 0);
    CU_ASSERT(rc_kmsg_is_kernel(&k));
}

static void
test_kmsg_not_a_record(void)
{
    static const char *const bad[] = {"",          "3",
                                      "3,4",       "3,4,5",
                                      "3,4,",      "3,4,x,-;a",
                                      "x,4,5,-;a", "99999999999,4,5,-;a",
                                      "3,4,5,-",   "3,99999999999999999999999,5,-;a"};
    struct rc_kmsg k;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT(!rc_kmsg_parse(bad[i], strlen(bad[i]), &k));
    }
}

static void
test_pci_same(void)
{
    CU_ASSERT(rc_pci_same("0000:10:1c", "00000000:10:1C.0"));
    CU_ASSERT(rc_pci_same("0000:10:1c.0", "10:1c.0"));
    CU_ASSERT(rc_pci_same("0018:01:00", "0018:01:00.1"));
    CU_ASSERT(!rc_pci_same("0000:10:1c.1", "0000:10:1c.0"));
    CU_ASSERT(!rc_pci_same("0000:10:1c", "0000:10:1d"));
    CU_ASSERT(!rc_pci_same("0001:10:1c", "0000:10:1c"));
    CU_ASSERT(!rc_pci_same("", "0000:10:1c"));
    CU_ASSERT(!rc_pci_same("nvme0", "nvme0"));
}

int
main(void)
{
    static CU_TestInfo tests[] = {
        {"the table is sorted and every row has a name and a source", test_table_order},
        {"class, device and detail of an Xid", test_device_and_detail},
        {"a detail holds printable ASCII only", test_detail_is_printable},
        {"a line cut anywhere is an Xid once its number stands", test_cut_anywhere},
        {"64 KiB of anything is classified by its beginning", test_huge_line},
        {"any byte anywhere in a line does no harm", test_any_byte_before_and_inside},
        {"the colours of a terminal are taken out, and only these", test_colours},
        {"a long line keeps its length but for the colours of its beginning",
         test_colours_of_a_long_line},
        {"a record of /dev/kmsg is taken apart", test_kmsg_record},
        {"what is no record of /dev/kmsg is refused", test_kmsg_not_a_record},
        {"two spellings of a PCI address are one device", test_pci_same},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("kernel-class", tests);
}
