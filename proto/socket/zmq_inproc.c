/* A ZeroMQ socket within this process, on a libuv loop. */
#include "proto/socket/zmq_inproc.h"

#include <assert.h>
#include <zmq.h>

/* Yield to other handles after this many messages. */
#define MESSAGES_PER_TURN 64

static void zmq_inproc_on_idle(uv_idle_t *idle);

static void zmq_inproc_take_in(struct zmq_inproc *inner)
{
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        if (inner->zmq == NULL) {
            return;
        }
        if (!inner->on_input(inner->context, inner->zmq)) {
            uv_idle_stop(&inner->idle);
            return;
        }
    }
    uv_idle_start(&inner->idle, zmq_inproc_on_idle);
}

static void zmq_inproc_on_idle(uv_idle_t *idle)
{
    zmq_inproc_take_in((struct zmq_inproc *)idle->data);
}

static void zmq_inproc_on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    zmq_inproc_take_in((struct zmq_inproc *)poll->data);
}

void zmq_inproc_start(struct zmq_inproc *inner, uv_loop_t *loop, void *zmq,
                      bool (*on_input)(void *context, void *zmq), void *context)
{
    int descriptor = -1;
    size_t size = sizeof descriptor;
    int result = zmq_getsockopt(zmq, ZMQ_FD, &descriptor, &size);
    assert(result == 0);
    result = uv_poll_init(loop, &inner->poll, descriptor);
    assert(result == 0);
    (void)result;
    uv_idle_init(loop, &inner->idle);
    inner->zmq = zmq;
    inner->on_input = on_input;
    inner->context = context;
    inner->poll.data = inner;
    inner->idle.data = inner;
    inner->open_handles = 2;
    uv_poll_start(&inner->poll, UV_READABLE, zmq_inproc_on_readable);
    uv_idle_start(&inner->idle,
                  zmq_inproc_on_idle); /* messages that arrived before the descriptor was watched */
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct zmq_inproc *inner = (struct zmq_inproc *)handle->data;
    if (--inner->open_handles == 0) {
        inner->on_closed(inner->context);
    }
}

void zmq_inproc_close(struct zmq_inproc *inner, void (*on_closed)(void *context))
{
    inner->on_closed = on_closed;
    uv_close((uv_handle_t *)&inner->poll, on_handle_closed); /* must be closed before its descriptor is */
    uv_close((uv_handle_t *)&inner->idle, on_handle_closed);
    zmq_close(inner->zmq);
    inner->zmq = NULL;
}
