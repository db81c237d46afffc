/* ZeroMQ on a libuv loop: a ROUTER or DEALER that passes frames in and out, without stalls or unbounded
 * turns. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/shared.h"
#include "proto/keys/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define SOCKET_MAX_ROUTE_BYTES 255

struct socket;

/* Where a frame came from. */
struct socket_sender {
    struct bytes route; /* names the connection, for ROUTER; empty for DEALER */
    const char
        *key; /* for ROUTER with keys: the public key or token that the connection presented; else NULL */
};

/* Why something was refused before it became a frame. */
enum socket_trouble {
    SOCKET_KEY_REFUSED,      /* the key is not on the list */
    SOCKET_KEYS_ON_ONE_SIDE, /* one side has keys and the other has not */
    SOCKET_HANDSHAKE_BROKEN, /* the other side speaks another protocol, or has the wrong public key of ours */
    SOCKET_HANDSHAKE_CUT,    /* the other side closed the connection in the middle */
    SOCKET_HANDSHAKE_SLOW,   /* it said nothing for too long */
    SOCKET_FULL,            /* the connection limit is reached: no more are accepted until some have closed */
    SOCKET_FRAME_BROKEN,    /* a wrong number of parts, or an envelope that is too large */
    SOCKET_FRAME_TOO_LARGE, /* above LIMIT_CUT_BYTES: its connection was cut. For ROUTER */
};

struct socket_callbacks {
    /* Called when two parts have arrived: envelope and message (size 0 if there is none). All borrowed for
     * the call. A message with another number of parts, or one that is too large, is dropped and counted. */
    void (*on_frame)(void *context, const struct socket_sender *from, struct bytes envelope,
                     struct bytes message);
    /* Called at the end of a turn in which frames arrived: the place to send what they caused. */
    void (*on_turn_end)(void *context);
    /* May be NULL. `address` is of the other side of the connection, "10.0.0.5:4711"; NULL if not known. */
    void (*on_trouble)(void *context, enum socket_trouble trouble, const char *address);
    /* A connection has been made, or made again: frames in transit on an earlier one may be lost. May be
     * NULL. */
    void (*on_connected)(void *context);
    /* Of a DEALER: the connection has ended, or, with `was_connected` false, could not be made. It is made
     * again in the background. May be NULL. */
    void (*on_away)(void *context, bool was_connected);
    void *context;
};

/* Of a ROUTER: only peers with an accepted key get in, and everything is encrypted. */
struct socket_server_keys {
    const struct key_pair
        *pair; /* NULL: keys are tokens, which are sent in the clear; nothing is encrypted */
    /* Called once per connection. */
    bool (*is_welcome)(void *context, const char *public_key);
    void *context;
};

/* Of a DEALER. */
struct socket_client_keys {
    const struct key_pair *pair;
    const char *server; /* the public key that the other end must have */
    const char *token;  /* not NULL: used instead of both */
};

/* Binds a ROUTER. `endpoint` is tcp://ADDR:PORT; port * or 0 selects a free one. NULL with error: "port 7440
 * of 127.0.0.1 is in use …". `keys` are copied; NULL: every peer gets in, and nothing is encrypted. */
MUST_CHECK struct socket *socket_new_router(uv_loop_t *loop, const char *endpoint,
                                            const struct socket_server_keys *keys,
                                            const struct socket_callbacks *callbacks, struct error *error);
/* Connects a DEALER; the connection is made and re-made in the background. The host of the endpoint is an
 * address: ZeroMQ would look a name up in its own thread, and block it for as long as that takes. NULL: it is
 * not connected before socket_dial. */
MUST_CHECK struct socket *socket_new_dealer(uv_loop_t *loop, const char *endpoint,
                                            const struct socket_client_keys *keys,
                                            const struct socket_callbacks *callbacks, struct error *error);
/* The endpoint that it is bound to, with the actual port. */
const char *socket_endpoint(const struct socket *socket);
/* Never blocks. False if the frame could not be queued now (high-water mark, unknown route): the link will
 * send it again. */
bool socket_send(struct socket *socket, struct bytes route, struct bytes envelope, struct bytes message);
/* The same for a message that others hold as well: held, not copied, until it has left. NULL: there is none.
 */
bool socket_send_shared(struct socket *socket, struct bytes route, struct bytes envelope,
                        struct shared *message);
/* DEALER: drops the connection, if there is one, and connects to this endpoint from now on. False with an
 * error; then there is none. */
MUST_CHECK bool socket_dial(struct socket *socket, const char *endpoint, struct error *error);
/* DEALER: drops the connection and makes a new one, for a peer that has gone silent. */
void socket_reconnect(struct socket *socket);
size_t socket_dropped(const struct socket *socket);
/* Starts to close; the memory is freed in the loop's close callback. Queued frames may linger up to
 * linger_ms. NULLs the pointer. */
void socket_close(struct socket **socket, int linger_ms);
