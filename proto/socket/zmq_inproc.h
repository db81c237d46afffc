/* A ZeroMQ socket within this process, on a libuv loop: whenever something arrives, it is read until
 * empty. */
#pragma once
#include <stdbool.h>
#include <uv.h>

/* Embedded in its owner. Nothing but on_input uses `zmq`: so the last call on it is always a read that found
 * nothing, and the edge of its descriptor cannot get lost. */
struct zmq_inproc {
    void *zmq;
    uv_poll_t poll;
    uv_idle_t idle; /* active while there may be more to read */
    /* Reads one message, and answers it if required. False if there was none. */
    bool (*on_input)(void *context, void *zmq);
    void *context;
    void (*on_closed)(void *context);
    unsigned open_handles;
};

/* Takes ownership of `zmq`, which is bound or connected. */
void zmq_inproc_start(struct zmq_inproc *inner, uv_loop_t *loop, void *zmq,
                      bool (*on_input)(void *context, void *zmq), void *context);
/* on_closed is called when the memory may be freed. */
void zmq_inproc_close(struct zmq_inproc *inner, void (*on_closed)(void *context));
