/* Runs beside a socket: answers ZeroMQ's queries whether a key is accepted, receives events of failed
 * handshakes, and counts connections. */
#pragma once
#include "common/attributes.h"
#include "proto/socket/socket.h"
#include "proto/socket/socket_admission.h"
#include "proto/socket/socket_cut.h"
#include "proto/socket/zmq_inproc.h"

struct socket_guard {
    struct zmq_inproc doorman; /* ZeroMQ queries it by ZAP; only if there are keys */
    struct zmq_inproc monitor;
    struct socket_admission admission; /* of a ROUTER */
    struct socket_cut cut;             /* likewise */
    void *watched;
    bool is_router;
    unsigned failed_handshakes; /* whose connections are not told to be gone yet */
    const struct socket_callbacks *callbacks;
    const struct socket_server_keys *keys;
    unsigned open_parts;
    void (*on_closed)(void *context);
    void *context;
};

/* Call before `zmq`, of the same ZeroMQ context, is bound or connected. `keys` NULL: nobody is asked. All are
 * borrowed. */
void socket_guard_start(struct socket_guard *guard, uv_loop_t *loop, void *zmq_context, void *zmq,
                        const struct socket_server_keys *keys, const struct socket_callbacks *callbacks);
/* Call before the socket closes. on_closed is called when the memory may be freed. */
void socket_guard_close(struct socket_guard *guard, void (*on_closed)(void *context), void *context);
