/* peer_link.h - the link between the daemons of the two controllers: one object that
 * listens for the other one and calls it. peer_wire.h says what is spoken.
 *
 * Each side tells its facts to the other over the connection that the other one made, at
 * once when they change and each second besides; whoever hears nothing for RC_PEER_SILENT_MS
 * takes the link for broken, says so once, and calls again. Requests (fence, start) go the
 * way of the caller, one at a time, and each ends exactly once: answered, refused, timed
 * out or with the link. A request that was sent may have been carried out although no
 * answer came.
 *
 * A peer that cannot prove itself (wrong key, other version or cluster) is refused, and
 * on_refused says why, at most once a minute for the same kind of reason: its text may hold
 * what anybody sent. */
#ifndef RC_PEER_LINK_H
#define RC_PEER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "reconciler/io/controller/peer_wire.h"
#include "reconciler/io/helper/line.h"

struct event_base;
struct rc_peer;
struct rc_peer_call; /* a request of the other side that waits for its answer */

enum { RC_PEER_SILENT_MS = 3000, RC_PEER_TELL_MS = 1000 };

struct rc_peer_options {
    struct event_base *base; /* borrowed, outlives the object */
    const char *cluster;     /* all strings are copied */
    const char *host;        /* who we are */
    const char *peer;        /* who the other one is */
    const char *listen;      /* "ADDR:PORT" */
    const char *key_file;
    void *arg; /* of all callbacks; none is called from inside a function of this header */
    /* The other one's facts, as it told them. Borrowed for the call. */
    void (*on_facts)(void *arg, const struct rc_line *facts);
    /* The way to the other one is open (why "") or broken. */
    void (*on_link)(void *arg, bool up, const char *why);
    /* The other one asks for something; answered by rc_peer_answer(), now or later. */
    void (*on_request)(void *arg, struct rc_peer_call *call, const struct rc_line *request);
    void (*on_refused)(void *arg, enum rc_err kind, const char *why);
};

struct rc_peer *rc_peer_new(const struct rc_peer_options *options, struct rc_error *e);
void rc_peer_free(struct rc_peer *p);
/* Where the other one listens, "ADDR:PORT" of numbers; a changed one is called anew. */
void rc_peer_set_addr(struct rc_peer *p, const char *addr);
bool rc_peer_is_up(const struct rc_peer *p);

/* What the other one is told from now on; a line without seq and LF ("facts k=v …"). */
void rc_peer_tell(struct rc_peer *p, const char *facts);

typedef void(rc_peer_end_fn)(void *arg, const struct rc_error *e); /* e->code RC_OK: done */
/* words: "fence epoch=3 grace=0". RC_E_UNREACHABLE: no link, no callback. */
enum rc_err rc_peer_ask(struct rc_peer *p, const char *words, uint32_t timeout_ms,
                        rc_peer_end_fn *end, void *arg);
/* Ends the call; it must not be used afterwards. */
void rc_peer_answer(struct rc_peer_call *call, const struct rc_error *e);

/* ---- inside: the two halves, peer_server.c and peer_client.c ---- */

struct rc_peer_server;
struct rc_peer_client;
struct rc_peer_server *rc_peer_server_new(const struct rc_peer_options *o,
                                          const struct rc_peer_key *key, struct rc_error *e);
void rc_peer_server_free(struct rc_peer_server *s);
void rc_peer_server_tell(struct rc_peer_server *s, const char *facts);
struct rc_peer_client *rc_peer_client_new(const struct rc_peer_options *o,
                                          const struct rc_peer_key *key, struct rc_error *e);
void rc_peer_client_free(struct rc_peer_client *c);
void rc_peer_client_set_addr(struct rc_peer_client *c, const char *addr);
bool rc_peer_client_is_up(const struct rc_peer_client *c);
enum rc_err rc_peer_client_ask(struct rc_peer_client *c, const char *words, uint32_t timeout_ms,
                               rc_peer_end_fn *end, void *arg);

#endif
