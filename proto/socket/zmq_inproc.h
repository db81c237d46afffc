/* A ZeroMQ socket within this process, on a libuv loop: whenever something has come it is read to the end. */
#pragma once
#include <stdbool.h>
#include <uv.h>

/* Embedded in its owner. Nobody but on_input calls on `zmq`: so reads that found nothing are the last ones,
 * and the edge of its descriptor cannot get lost. */
struct zmq_inproc {
    void *zmq;
    uv_poll_t poll;
    uv_idle_t idle; /* active while more may be there */
    /* Reads one message, and answers it where that is wanted. False if there was none. */
    bool (*on_input)(void *context, void *zmq);
    void *context;
    void (*on_closed)(void *context);
    unsigned open_handles;
};

/* Takes `zmq`, which is bound or connected. */
void zmq_inproc_start(struct zmq_inproc *inner, uv_loop_t *loop, void *zmq,
                      bool (*on_input)(void *context, void *zmq), void *context);
/* on_closed comes when the memory may go. */
void zmq_inproc_close(struct zmq_inproc *inner, void (*on_closed)(void *context));
