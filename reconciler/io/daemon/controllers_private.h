/* controllers_private.h - inside controllers.c and controllers_eye.c. */
#ifndef RC_CONTROLLERS_PRIVATE_H
#define RC_CONTROLLERS_PRIVATE_H

#include "reconciler/io/controller/peer_link.h"
#include "reconciler/io/daemon/controllers.h"

struct bufferevent;

struct rc_eye {
    struct rc_controllers *c;
    uint32_t index;
    struct rc_helper *prober;
    struct event *timer;
    bool busy; /* the prober has a question */
    int64_t asked_ms;
    uint32_t failures;
    struct bufferevent *knock; /* a plain connection on its way, NULL = none */
    bool silent;               /* it was sent because the question was not answered */
    uint32_t own, peer;        /* enum rc_ctl_mode as posted */
    int64_t own_ms;            /* core time since when it is so */
    bool own_known, peer_known;
    bool own_again, peer_again; /* to be posted once more, though it is the same */
    char addr[RC_ADDR_LEN], port[16];
};

struct order {
    rc_controllers_end_fn *end;
    void *arg;
};

struct rc_controllers {
    struct rc_daemon *d;
    uint32_t self; /* index of this host */
    struct rc_helper *hand, *taker;
    struct rc_peer *peer;
    struct event *look_timer;
    bool looking;
    struct rc_eye eye[RC_CONTROLLERS_MAX];
    struct rc_ev_controller_host host[RC_CONTROLLERS_MAX]; /* as posted */
    char instance[RC_CONTROLLERS_MAX][RC_ID_LEN];
    uint64_t epoch;   /* highest that was seen */
    uint64_t led;     /* the core has led in this one last; 0 = never */
    int64_t again_ms; /* core time: what was asked before does not end own_again */
    int64_t fence_ms; /* when the fence began for which that was */
    uint32_t serving; /* 1-based: who served in the last turn, 0 = nobody */
    char link_text[200];
};

/* controllers_eye.c: one slurmctld, asked directly again and again. */
enum rc_err rc_eye_open(struct rc_eye *eye, struct rc_error *e);
void rc_eye_close(struct rc_eye *eye);
/* What was seen is old: a plain connection now, then the question. */
void rc_eye_look_again(struct rc_eye *eye);
void rc_eye_follow(struct rc_eye *eye);
/* What an eye sees, when it is another thing than was posted last. */
void rc_eye_post(struct rc_eye *eye, uint32_t mode, bool by_peer, int64_t age_ms);
/* The value of a word, 0 (unknown) when it is none of them. */
uint32_t rc_controllers_word(const char *text, const char *(*name_of)(uint32_t), uint32_t max);
/* index: of an eye's prober, else NULL. */
struct rc_helper *rc_controllers_helper(struct rc_controllers *c, const char *name,
                                        const struct rc_config_command *command, const char *role,
                                        struct rc_eye *eye, struct rc_error *e);
/* The helper of an eye came up or went down. */
void rc_eye_helper_state(void *eye, const struct rc_line *hello, const struct rc_error *e,
                         uint32_t retry_ms);

#endif
