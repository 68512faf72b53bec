/* What the two daemons say to each other, and what they do not believe. */
#define _GNU_SOURCE
#include "tests/harness/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reconciler/io/controller/peer_wire.h"

static const struct rc_peer_id head1 = {"demo", "head1"};
static const char server_hello[] = "rc-peer 1 demo head1 00112233445566778899aabbccddeeff";
static const char client_hello[] = "rc-peer 1 demo head2 ffeeddccbbaa99887766554433221100";

static struct rc_peer_key
key_of(unsigned char fill)
{
    struct rc_peer_key key = {.len = 32};

    memset(key.byte, fill, key.len);
    return key;
}

static void
a_greeting_is_of_one_version_cluster_and_host(void)
{
    char text[RC_PEER_HELLO_ROOM];
    struct rc_error e;

    CU_ASSERT_TRUE(rc_peer_hello(&head1, text, sizeof text));
    CU_ASSERT_EQUAL(rc_peer_hello_check(text, &head1, &e), RC_OK);
    CU_ASSERT_EQUAL(rc_peer_hello_check("rc-peer 2 demo head1 x", &head1, &e), RC_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "speaks version 2"));
    CU_ASSERT_EQUAL(
        rc_peer_hello_check("rc-peer 1 other head1 00112233445566778899aabbccddeeff", &head1, &e),
        RC_E_FOREIGN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "is of cluster \"other\""));
    CU_ASSERT_EQUAL(
        rc_peer_hello_check("rc-peer 1 demo head9 00112233445566778899aabbccddeeff", &head1, &e),
        RC_E_INVALID); /* a kind of its own: each kind is told once a minute */
    CU_ASSERT_EQUAL(rc_peer_hello_check("GET / HTTP/1.1", &head1, &e), RC_E_PARSE);
    CU_ASSERT_EQUAL(rc_peer_hello_check("rc-peer 1 demo head1 zz", &head1, &e), RC_E_PARSE);
    CU_ASSERT_EQUAL(rc_peer_hello_check("", &head1, &e), RC_E_PARSE);
}

static void
another_key_or_an_altered_greeting_gives_another_mac(void)
{
    struct rc_peer_key key = key_of(7), other = key_of(8);
    char a[RC_PEER_MAC_LEN + 1], b[RC_PEER_MAC_LEN + 1];

    rc_peer_mac(&key, "client", server_hello, client_hello, a);
    rc_peer_mac(&key, "client", server_hello, client_hello, b);
    CU_ASSERT_TRUE(rc_peer_same(a, b));
    rc_peer_mac(&other, "client", server_hello, client_hello, b);
    CU_ASSERT_FALSE(rc_peer_same(a, b));
    rc_peer_mac(&key, "server", server_hello, client_hello, b);
    CU_ASSERT_FALSE(rc_peer_same(a, b));
    rc_peer_mac(&key, "client", "rc-peer 2 demo head1 00112233445566778899aabbccddeeff",
                client_hello, b);
    CU_ASSERT_FALSE(rc_peer_same(a, b));
}

static void
a_sealed_line_opens_once_in_order_and_unaltered(void)
{
    struct rc_peer_key key = key_of(7);
    struct rc_peer_seal out, in, wrong;
    char first[512], second[512], copy[512];

    rc_peer_seal_init(&out, &key, server_hello, client_hello, 's');
    rc_peer_seal_init(&in, &key, server_hello, client_hello, 's');
    rc_peer_seal_init(&wrong, &key, server_hello, client_hello, 'c');
    CU_ASSERT_TRUE(rc_peer_seal_line(&out, "1 facts process=none", first, sizeof first) > 0);
    CU_ASSERT_TRUE(rc_peer_seal_line(&out, "2 facts process=runs", second, sizeof second) > 0);
    first[strcspn(first, "\n")] = second[strcspn(second, "\n")] = '\0';
    memcpy(copy, second, sizeof copy);
    CU_ASSERT_PTR_NULL(rc_peer_open_line(&in, copy)); /* left out the first */
    memcpy(copy, first, sizeof copy);
    CU_ASSERT_PTR_NULL(rc_peer_open_line(&wrong, copy)); /* turned round */
    memcpy(copy, first, sizeof copy);
    copy[RC_PEER_MAC_LEN + 20] ^= 1;
    CU_ASSERT_PTR_NULL(rc_peer_open_line(&in, copy)); /* altered */
    memcpy(copy, first, sizeof copy);
    CU_ASSERT_STRING_EQUAL(rc_peer_open_line(&in, copy), "1 facts process=none");
    memcpy(copy, first, sizeof copy);
    CU_ASSERT_PTR_NULL(rc_peer_open_line(&in, copy)); /* replayed */
    CU_ASSERT_STRING_EQUAL(rc_peer_open_line(&in, second), "2 facts process=runs");
    memcpy(copy, "short", 6);
    CU_ASSERT_PTR_NULL(rc_peer_open_line(&in, copy));
}

static void
a_key_file_must_be_long_and_its_owners_alone(void)
{
    char path[] = "/tmp/rc-peer-key-XXXXXX";
    unsigned char bytes[64] = {1};
    struct rc_peer_key key;
    struct rc_error e;
    int fd = mkstemp(path);

    CU_ASSERT_EQUAL(write(fd, bytes, 16), 16);
    CU_ASSERT_EQUAL(rc_peer_key_load(path, &key, &e), RC_E_INVALID);
    CU_ASSERT_EQUAL(write(fd, bytes, 48), 48);
    CU_ASSERT_EQUAL(rc_peer_key_load(path, &key, &e), RC_OK);
    CU_ASSERT_EQUAL(key.len, 64);
    CU_ASSERT_EQUAL(fchmod(fd, 0640), 0);
    CU_ASSERT_EQUAL(rc_peer_key_load(path, &key, &e), RC_E_DENIED);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "others than its owner"));
    (void)close(fd);
    (void)unlink(path);
    CU_ASSERT_EQUAL(rc_peer_key_load(path, &key, &e), RC_E_IO);
}

int
main(void)
{
    CU_TestInfo tests[] = {
        {"a greeting is of one version, cluster and host",
         a_greeting_is_of_one_version_cluster_and_host},
        {"another key or an altered greeting gives another mac",
         another_key_or_an_altered_greeting_gives_another_mac},
        {"a sealed line opens once, in order and unaltered",
         a_sealed_line_opens_once_in_order_and_unaltered},
        {"a key file must be long and its owner's alone",
         a_key_file_must_be_long_and_its_owners_alone},
        CU_TEST_INFO_NULL,
    };
    return rc_test_main("peer wire", tests);
}
