/* ZeroMQ on a libuv loop: a ROUTER or DEALER that hands frames in and out, without stalls or unbounded turns.
 */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define SOCKET_MAX_ROUTE_BYTES 255

struct socket;

struct socket_callbacks {
    /* Two parts have come in: envelope and message (size 0 where there is none). `route` names the
     * connection, for ROUTER; empty for DEALER. All borrowed for the call. What has another number of parts
     * or is too large is dropped and counted. */
    void (*on_frame)(void *context, struct bytes route, struct bytes envelope, struct bytes message);
    /* At the end of a turn in which frames came in: the place to send what they caused. */
    void (*on_turn_end)(void *context);
    void *context;
};

/* Binds a ROUTER. `endpoint` is tcp://ADDR:PORT, port * or 0 for any. NULL with error: "port 7440 of
 * 127.0.0.1 is in use …". */
MUST_CHECK struct socket *socket_new_router(uv_loop_t *loop, const char *endpoint,
                                            const struct socket_callbacks *callbacks, struct error *error);
/* Connects a DEALER; the connection is made and re-made in the background. */
MUST_CHECK struct socket *socket_new_dealer(uv_loop_t *loop, const char *endpoint,
                                            const struct socket_callbacks *callbacks, struct error *error);
/* The endpoint that it is bound to, with the real port. */
const char *socket_endpoint(const struct socket *socket);
/* Never blocks. False if it could not be taken now (high-water mark, unknown route): the link will send it
 * again. */
bool socket_send(struct socket *socket, struct bytes route, struct bytes envelope, struct bytes message);
/* DEALER: gives the connection up and makes a new one, for a peer that has gone silent. */
void socket_reconnect(struct socket *socket);
size_t socket_dropped(const struct socket *socket);
/* Begins to close; the memory goes in the loop's close callback. What was sent may linger up to linger_ms.
 * NULLs the pointer. */
void socket_close(struct socket **socket, int linger_ms);
