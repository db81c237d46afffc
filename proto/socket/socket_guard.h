/* Beside a socket: answers ZeroMQ's question whether a key may come in, hears of handshakes that failed, and
 * counts connections. */
#pragma once
#include "common/attributes.h"
#include "proto/socket/socket.h"
#include "proto/socket/socket_admission.h"
#include "proto/socket/socket_cut.h"
#include "proto/socket/zmq_inproc.h"

struct socket_guard {
    struct zmq_inproc doorman; /* ZeroMQ asks it by ZAP; only where there are keys */
    struct zmq_inproc monitor;
    struct socket_admission admission; /* of a ROUTER */
    struct socket_cut cut;             /* likewise */
    void *watched;
    bool has_handshake_failed; /* as the last event has told */
    const struct socket_callbacks *callbacks;
    const struct socket_server_keys *keys;
    unsigned open_parts;
    void (*on_closed)(void *context);
    void *context;
};

/* Before `zmq`, of the same ZeroMQ context, is bound or connected. `keys` NULL: nobody is asked. All are
 * borrowed. */
void socket_guard_start(struct socket_guard *guard, uv_loop_t *loop, void *zmq_context, void *zmq,
                        const struct socket_server_keys *keys, const struct socket_callbacks *callbacks);
/* Before the socket closes. on_closed comes when the memory may go. */
void socket_guard_close(struct socket_guard *guard, void (*on_closed)(void *context), void *context);
