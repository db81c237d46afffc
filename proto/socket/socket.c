/* ZeroMQ on a libuv loop. The descriptor of a ZeroMQ socket is edge-triggered, and any call on the socket can
 * consume the edge, so the descriptor only wakes the loop up: after any call that could have consumed it,
 * ZMQ_EVENTS is queried before the loop may sleep. The query costs two system calls, so it is skipped where
 * possible: a receive that found nothing has just done the same, and from then on the edge is reliable. */
#include "proto/socket/socket.h"

#include "common/memory.h"
#include "proto/message/limits.h"
#include "proto/socket/socket_guard.h"
#include "proto/socket/socket_setup.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zmq.h>

/* Yield to other handles after this many frames. */
#define FRAMES_PER_TURN 64
/* Or after this long: handling a frame may take much longer than receiving it. */
#define TURN_NS 4000000u
#define MAX_PARTS 3
#define ENDPOINT_MAX_BYTES 512u

struct socket {
    void *context;
    void *zmq; /* NULL while closing */
    uv_loop_t *loop;
    uv_poll_t poll;       /* wakes the loop up */
    uv_prepare_t prepare; /* before the loop sleeps: is anything ready already? */
    uv_idle_t idle;       /* while active, the loop does not sleep */
    uv_check_t check;     /* receives what is ready */
    uv_work_t termination;
    unsigned open_handles;
    bool is_router;
    bool is_in_doubt;  /* a call since the last query may have consumed the edge */
    bool has_woken_up; /* the edge was signalled */
    bool is_to_sleep;  /* from `prepare` to `check` */
    char endpoint[ENDPOINT_MAX_BYTES];
    size_t dropped;
    struct socket_callbacks callbacks;
    struct socket_server_keys keys; /* the pair is not stored */
    bool has_keys;
    struct socket_guard guard;
};

struct parts {
    zmq_msg_t messages[MAX_PARTS];
    size_t count;
};

static bool has_input(const struct socket *socket)
{
    int events = 0;
    size_t size = sizeof events;
    int result;
    do {
        result = zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &size);
    } while (result != 0 && errno == EINTR);
    return result == 0 && (events & ZMQ_POLLIN) != 0;
}

static void socket_on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void look(struct socket *socket)
{
    if (socket->zmq == NULL || !socket->is_in_doubt) {
        return;
    }
    socket->is_in_doubt = false;
    if (has_input(socket)) {
        uv_idle_start(&socket->idle, socket_on_idle);
    } else {
        uv_idle_stop(&socket->idle);
    }
}

/* After a call that may have consumed the edge. */
static void doubt(struct socket *socket)
{
    socket->is_in_doubt = true;
    if (socket->is_to_sleep) {
        look(socket);
    }
}

static void socket_on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    ((struct socket *)poll->data)->has_woken_up = true; /* `check` runs next */
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct socket *socket = (struct socket *)prepare->data;
    look(socket);
    socket->is_to_sleep = true;
}

static void close_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        zmq_msg_close(&parts->messages[i]);
    }
    parts->count = 0;
}

static bool receive_part(struct socket *socket, zmq_msg_t *part)
{
    int result;
    zmq_msg_init(part);
    do {
        result = zmq_msg_recv(part, socket->zmq, ZMQ_DONTWAIT);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        zmq_msg_close(part);
        return false;
    }
    return true;
}

/* Receives one message with all its parts; `is_whole` if it has the expected number. False if there is
 * none. */
static bool socket_receive(struct socket *socket, struct parts *parts, bool *is_whole)
{
    size_t wanted = socket->is_router ? 3 : 2;
    size_t received = 0;
    bool has_more = true;
    parts->count = 0;
    while (has_more) {
        zmq_msg_t part;
        if (!receive_part(socket, &part)) {
            break;
        }
        has_more = zmq_msg_more(&part) != 0;
        if (received < wanted) {
            zmq_msg_init(&parts->messages[received]);
            zmq_msg_move(&parts->messages[received], &part);
            parts->count++;
        }
        zmq_msg_close(&part);
        received++;
    }
    *is_whole = received == wanted && !has_more;
    return received > 0;
}

static struct bytes part_bytes(struct parts *parts, size_t index)
{
    return bytes_of(zmq_msg_data(&parts->messages[index]), zmq_msg_size(&parts->messages[index]));
}

static void hand_on(struct socket *socket, struct parts *parts)
{
    size_t first = socket->is_router ? 1 : 0;
    struct socket_sender from = {0};
    if (socket->is_router) {
        from.route = part_bytes(parts, 0);
    }
    if (socket->has_keys) {
        from.key = zmq_msg_gets(&parts->messages[first], "User-Id");
    }
    socket->callbacks.on_frame(socket->callbacks.context, &from, part_bytes(parts, first),
                               part_bytes(parts, first + 1));
}

static void drop(struct socket *socket)
{
    socket->dropped++;
    if (socket->callbacks.on_trouble != NULL) {
        socket->callbacks.on_trouble(socket->callbacks.context, SOCKET_FRAME_BROKEN, NULL);
    }
}

/* `parts` has the expected number. */
static bool is_bounded(const struct socket *socket, const struct parts *parts)
{
    return zmq_msg_size(&parts->messages[socket->is_router ? 1 : 0]) <= LIMIT_ENVELOPE_BYTES;
}

static void socket_take_in(struct socket *socket)
{
    bool has_handed_on = false;
    uint64_t until_ns = uv_hrtime() + TURN_NS;
    for (int i = 0; i < FRAMES_PER_TURN && socket->zmq != NULL && (i == 0 || uv_hrtime() < until_ns); i++) {
        struct parts parts;
        bool is_whole;
        socket->is_in_doubt = true;
        if (!socket_receive(socket, &parts, &is_whole)) {
            socket->is_in_doubt = false;
            uv_idle_stop(&socket->idle);
            break;
        }
        if (is_whole && is_bounded(socket, &parts)) {
            hand_on(socket, &parts);
            has_handed_on = true;
        } else {
            drop(socket);
        }
        close_parts(&parts);
    }
    if (has_handed_on && socket->zmq != NULL && socket->callbacks.on_turn_end != NULL) {
        socket->callbacks.on_turn_end(socket->callbacks.context);
    }
}

static void on_check(uv_check_t *check)
{
    struct socket *socket = (struct socket *)check->data;
    socket->is_to_sleep = false;
    look(socket);
    if (socket->has_woken_up || uv_is_active((const uv_handle_t *)&socket->idle)) {
        socket->has_woken_up = false;
        socket_take_in(socket);
    }
}

static void start_handles(struct socket *socket)
{
    int descriptor = -1;
    size_t size = sizeof descriptor;
    int result = zmq_getsockopt(socket->zmq, ZMQ_FD, &descriptor, &size);
    assert(result == 0);
    result = uv_poll_init(socket->loop, &socket->poll, descriptor);
    assert(result == 0);
    (void)result;
    uv_prepare_init(socket->loop, &socket->prepare);
    uv_check_init(socket->loop, &socket->check);
    uv_idle_init(socket->loop, &socket->idle);
    socket->open_handles = 4;
    socket->poll.data = socket;
    socket->prepare.data = socket;
    socket->check.data = socket;
    socket->idle.data = socket;
    uv_poll_start(&socket->poll, UV_READABLE, socket_on_readable);
    uv_prepare_start(&socket->prepare, on_prepare);
    uv_check_start(&socket->check, on_check);
    socket->is_in_doubt = true;
}

static void socket_do_nothing(uv_work_t *work)
{
    (void)work;
}

static void socket_on_nothing_done(uv_work_t *work, int status)
{
    (void)status;
    memory_free(work);
}

/* libuv starts its threads with the first work, and aborts if there are none to be had. We need them at our
 * end, when others may have taken what there was; so they are started now. */
static void start_pool(struct socket *socket)
{
    uv_work_t *work = MEMORY_NEW(uv_work_t);
    int result = uv_queue_work(socket->loop, work, socket_do_nothing, socket_on_nothing_done);
    assert(result == 0);
    (void)result;
}

static struct socket *make(uv_loop_t *loop, int type, const struct socket_callbacks *callbacks,
                           struct error *error)
{
    struct socket *socket = MEMORY_NEW(struct socket);
    socket->loop = loop;
    socket->callbacks = *callbacks;
    socket->is_router = type == ZMQ_ROUTER;
    socket->context = zmq_ctx_new();
    assert(socket->context != NULL);
    socket->zmq = zmq_socket(socket->context, type);
    if (socket->zmq == NULL) {
        error_set_system(error, errno, "cannot create a socket");
        zmq_ctx_term(socket->context);
        memory_free(socket);
        return NULL;
    }
    start_pool(socket);
    return socket;
}

static void start_guard(struct socket *socket)
{
    socket_guard_start(&socket->guard, socket->loop, socket->context, socket->zmq,
                       socket->has_keys ? &socket->keys : NULL, &socket->callbacks);
}

struct socket *socket_new_router(uv_loop_t *loop, const char *endpoint, const struct socket_server_keys *keys,
                                 const struct socket_callbacks *callbacks, struct error *error)
{
    struct socket *socket = make(loop, ZMQ_ROUTER, callbacks, error);
    size_t size = sizeof socket->endpoint;
    if (socket == NULL) {
        return NULL;
    }
    if (keys != NULL) {
        socket->has_keys = true;
        socket->keys = *keys;
        socket->keys.pair = NULL;
        socket_setup_server_keys(socket->zmq, keys);
    }
    start_handles(socket);
    start_guard(socket);
    if (!socket_setup_router(socket->zmq, endpoint, error)) {
        socket_close(&socket, 0);
        return NULL;
    }
    zmq_getsockopt(socket->zmq, ZMQ_LAST_ENDPOINT, socket->endpoint, &size);
    return socket;
}

struct socket *socket_new_dealer(uv_loop_t *loop, const char *endpoint, const struct socket_client_keys *keys,
                                 const struct socket_callbacks *callbacks, struct error *error)
{
    struct socket *socket = make(loop, ZMQ_DEALER, callbacks, error);
    if (socket == NULL) {
        return NULL;
    }
    if (keys != NULL) {
        socket_setup_client_keys(socket->zmq, keys);
    }
    start_handles(socket);
    start_guard(socket);
    socket_setup_dealer(socket->zmq);
    if (endpoint != NULL && !socket_dial(socket, endpoint, error)) {
        socket_close(&socket, 0);
    }
    return socket;
}

const char *socket_endpoint(const struct socket *socket)
{
    return socket->endpoint;
}

static bool socket_send_part(struct socket *socket, struct bytes bytes, int flags)
{
    int result;
    do {
        result = zmq_send(socket->zmq, bytes.data, bytes.size, ZMQ_DONTWAIT | flags);
    } while (result < 0 && errno == EINTR);
    return result >= 0;
}

/* All before the message. Only the first part can be refused; the others follow it. */
static bool socket_send_head(struct socket *socket, struct bytes route, struct bytes envelope)
{
    assert((route.size > 0) == socket->is_router && route.size <= SOCKET_MAX_ROUTE_BYTES);
    return socket->zmq != NULL && (!socket->is_router || socket_send_part(socket, route, ZMQ_SNDMORE)) &&
           socket_send_part(socket, envelope, ZMQ_SNDMORE);
}

bool socket_send(struct socket *socket, struct bytes route, struct bytes envelope, struct bytes message)
{
    bool is_sent = socket_send_head(socket, route, envelope) && socket_send_part(socket, message, 0);
    doubt(socket);
    return is_sent;
}

/* Of a thread of ZeroMQ. */
static void socket_on_message_left(void *data, void *hint)
{
    struct shared *message = hint;
    (void)data;
    shared_release(&message);
}

static bool socket_send_held(struct socket *socket, struct shared *message)
{
    struct bytes bytes = shared_bytes(message);
    zmq_msg_t part;
    /* It only reads; the cast is the price of an interface that knows no const. */
    int result = zmq_msg_init_data(&part, (uint8_t *)(uintptr_t)bytes.data, bytes.size,
                                   socket_on_message_left, shared_hold(message));
    assert(result == 0);
    do {
        result = zmq_msg_send(&part, socket->zmq, ZMQ_DONTWAIT);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        zmq_msg_close(&part);
    }
    return result >= 0;
}

bool socket_send_shared(struct socket *socket, struct bytes route, struct bytes envelope,
                        struct shared *message)
{
    bool is_sent = socket_send_head(socket, route, envelope) &&
                   (message == NULL ? socket_send_part(socket, bytes_of(NULL, 0), 0)
                                    : socket_send_held(socket, message));
    doubt(socket);
    return is_sent;
}

bool socket_dial(struct socket *socket, const char *endpoint, struct error *error)
{
    size_t size = strlen(endpoint);
    assert(!socket->is_router && socket->zmq != NULL);
    if (socket->endpoint[0] != '\0') {
        zmq_disconnect(socket->zmq, socket->endpoint);
        socket->endpoint[0] = '\0';
    }
    if (!socket_setup_dial(socket->zmq, endpoint, error)) {
        return false;
    }
    assert(size < sizeof socket->endpoint); /* socket_setup_dial refuses such a host */
    memcpy(socket->endpoint, endpoint, size + 1);
    doubt(socket);
    return true;
}

void socket_reconnect(struct socket *socket)
{
    assert(!socket->is_router);
    if (socket->zmq == NULL || socket->endpoint[0] == '\0') {
        return;
    }
    /* Messages queued on the old connection are lost with it: the link sends them again. */
    zmq_disconnect(socket->zmq, socket->endpoint);
    int result = zmq_connect(socket->zmq, socket->endpoint);
    assert(result == 0); /* was valid before */
    (void)result;
    doubt(socket);
}

size_t socket_dropped(const struct socket *socket)
{
    return socket->dropped;
}

/* Waits until lingering messages are gone, so it is done off the loop. */
static void terminate_context(uv_work_t *work)
{
    struct socket *socket = (struct socket *)work->data;
    zmq_ctx_term(socket->context);
}

static void on_terminated(uv_work_t *work, int status)
{
    (void)status;
    memory_free(work->data);
}

static void release(struct socket *socket)
{
    if (--socket->open_handles > 0) {
        return;
    }
    socket->termination.data = socket;
    uv_queue_work(socket->loop, &socket->termination, terminate_context, on_terminated);
}

static void on_closed(uv_handle_t *handle)
{
    release((struct socket *)handle->data);
}

static void on_guard_closed(void *context)
{
    release((struct socket *)context);
}

void socket_close(struct socket **socket_pointer, int linger_ms)
{
    struct socket *socket = *socket_pointer;
    *socket_pointer = NULL;
    if (socket == NULL) {
        return;
    }
    uv_close((uv_handle_t *)&socket->poll, on_closed); /* must be closed before its descriptor is */
    uv_close((uv_handle_t *)&socket->prepare, on_closed);
    uv_close((uv_handle_t *)&socket->check, on_closed);
    uv_close((uv_handle_t *)&socket->idle, on_closed);
    socket->open_handles++;
    socket_guard_close(&socket->guard, on_guard_closed, socket);
    zmq_setsockopt(socket->zmq, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close(socket->zmq);
    socket->zmq = NULL;
}
