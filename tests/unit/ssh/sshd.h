/* sshd.h - a real sshd on a free loopback port, with keys of its own, for a test. */
#ifndef RC_TEST_SSHD_H
#define RC_TEST_SSHD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sshd {
    char folder[64];
    char host_key[1024];  /* public, one line */
    char other_key[1024]; /* public, of a host that is not this one */
    char user_key[128];   /* path of a private key that may log in */
    char wrong_key[128];  /* path of one that may not */
    char user[64];
    uint16_t port;
    pid_t pid;
};

/* False, with the reason on stdout, when sshd cannot run here. */
bool sshd_start(struct sshd *s);
void sshd_stop(struct sshd *s);
/* A listening loopback socket on a free port, backlog as given. */
int listen_loopback(int backlog, uint16_t *ret_port);

#endif
