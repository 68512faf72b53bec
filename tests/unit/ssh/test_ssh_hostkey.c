/* test_ssh_hostkey.c - pinned host keys are read from text and from console output. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <string.h>

#include "reconciler/io/ssh/ssh_hostkey.h"

#define ED "AAAAC3NzaC1lZDI1NTE5AAAAIDlQV1b1f3zLyaSJS1HhVxDbMBvl/4rtCLMiwvcKVVbk"
#define EC                                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNu" \
    "G5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
#define BEGIN "-----BEGIN SSH HOST KEY KEYS-----"
#define END   "-----END SSH HOST KEY KEYS-----"

struct row {
    const char *name;
    const char *text;
    enum rc_err err;
    size_t count;
    const char *says;
};

static const struct row rows[] = {
    {"type and key", "ssh-ed25519 " ED "\n", RC_OK, 1, ""},
    {"known_hosts lines, comments, blanks, no last line end",
     "# pinned\n\n[10.0.0.5]:22 ssh-ed25519 " ED " root@ip\r\necdsa-sha2-nistp256 " EC, RC_OK, 2,
     ""},
    {"nothing", "\n# only a comment\n", RC_E_NOT_FOUND, 0, "no host key"},
    {"an unknown type", "ssh-ed25519 " ED "\nssh-dss AAAA\n", RC_E_PARSE, 0, "line 2"},
    {"a key without its base64", "ssh-ed25519\n", RC_E_PARSE, 0, "line 1"},
    {"base64 that is cut short", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAA\n", RC_E_PARSE, 0, "line 1"},
    {"a key of another type than it says", "ecdsa-sha2-nistp256 " ED "\n", RC_E_PARSE, 0, "line 1"},
    {"not base64 at all", "ssh-ed25519 !!!!\n", RC_E_PARSE, 0, "line 1"},
};

static void
keys_are_read(void)
{
    static struct rc_ssh_hostkeys keys;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rc_error e = {0};
        enum rc_err err = rc_ssh_hostkeys_parse(rows[i].text, &keys, &e);
        rc_case(err == rows[i].err && (err || keys.count == rows[i].count) &&
                    strstr(e.text, rows[i].says),
                rows[i].name, "%s %s", rc_err_name(err), e.text);
    }
    CU_ASSERT_EQUAL(rc_ssh_hostkeys_parse("ecdsa-sha2-nistp256 " EC, &keys, NULL), RC_OK);
    CU_ASSERT_EQUAL(keys.key[0].len, 104);
    CU_ASSERT_EQUAL(rc_ssh_hostkeys_parse("ssh-ed25519 " ED, &keys, NULL), RC_OK);
    CU_ASSERT_EQUAL(keys.key[0].len, 51);
}

static void
more_keys_than_fit_are_refused(void)
{
    static struct rc_ssh_hostkeys keys;
    char text[1024] = "";

    for (int i = 0; i <= RC_SSH_KEYS_MAX; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "ssh-ed25519 %s\n", ED);
    }
    CU_ASSERT_EQUAL(rc_ssh_hostkeys_parse(text, &keys, NULL), RC_E_TOO_LARGE);
}

static const struct row consoles[] = {
    {"a plain block",
     "boot\n" BEGIN "\necdsa-sha2-nistp256 " EC " root@ip-10\nssh-ed25519 " ED " root@ip-10\n" END
     "\nlogin:",
     RC_OK, 2, ""},
    {"log prefixes and CR LF",
     "[   14.1] cloud-init[612]: " BEGIN "\r\n[   14.2] cloud-init[612]: ssh-ed25519 " ED
     " x\r\n[   14.3] systemd[1]: Started it.\r\n[   14.4] cloud-init[612]: " END "\r\n",
     RC_OK, 1, ""},
    {"the last block counts",
     BEGIN "\nssh-ed25519 " ED "\n" END "\n" BEGIN "\necdsa-sha2-nistp256 " EC "\nssh-ed25519 " ED
           "\n" END "\n",
     RC_OK, 2, ""},
    {"a block that is not complete yet", BEGIN "\nssh-ed25519 " ED "\n", RC_E_NOT_FOUND, 0, "yet"},
    {"a complete block, then one that is cut off",
     BEGIN "\nssh-ed25519 " ED "\n" END "\n" BEGIN "\nssh-ed25", RC_OK, 1, ""},
    {"no block, only fingerprints", "-----BEGIN SSH HOST KEY FINGERPRINTS-----\n", RC_E_NOT_FOUND,
     0, "yet"},
    {"a block without a key", BEGIN "\nno keys here\n" END, RC_E_PARSE, 0, "no readable key"},
    {"nothing at all", "", RC_E_NOT_FOUND, 0, "yet"},
};

static void
console_output_gives_the_keys_of_this_boot(void)
{
    static struct rc_ssh_hostkeys keys;

    for (size_t i = 0; i < sizeof consoles / sizeof *consoles; i++) {
        const struct row *r = &consoles[i];
        char buf[1024] = "";
        struct rc_error e = {0};
        enum rc_err err = rc_ssh_console_keys(r->text, strlen(r->text), buf, sizeof buf, &e);
        if (!err) {
            err = rc_ssh_hostkeys_parse(buf, &keys, &e);
        }
        rc_case(err == r->err && (err || keys.count == r->count) && strstr(e.text, r->says),
                r->name, "%s %s\n%s", rc_err_name(err), e.text, buf);
    }
    char small[40];
    CU_ASSERT_EQUAL(
        rc_ssh_console_keys(consoles[0].text, strlen(consoles[0].text), small, sizeof small, NULL),
        RC_E_TOO_LARGE);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"keys are read from text", keys_are_read},
        {"more keys than fit are refused", more_keys_than_fit_are_refused},
        {"console output gives the keys of this boot", console_output_gives_the_keys_of_this_boot},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("ssh_hostkey", tests);
}
