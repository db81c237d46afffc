/* Runs beside a socket: access control, failed handshakes, and the number of connections. */
#include "proto/socket/socket_guard.h"

#include "common/memory.h"
#include "proto/keys/keys.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zmq.h>

/* The endpoint that ZeroMQ queries, see its RFC 27. */
#define DOORMAN_ENDPOINT "inproc://zeromq.zap.01"
#define MONITOR_ENDPOINT "inproc://monitor"
#define VERSION "1.0"
#define PART_MAX_BYTES 256u
#define KEY_BYTES 32u
#define HANDSHAKE_FAILED                                                                                     \
    (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                            \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

enum question_part {
    PART_VERSION,
    PART_ID,
    PART_DOMAIN,
    PART_ADDRESS,
    PART_ROUTE,
    PART_MECHANISM,
    PART_KEY, /* of CURVE; for PLAIN the user name */
    PART_PASSWORD,
    PART_COUNT
};

struct question {
    size_t count; /* of all parts together */
    size_t sizes[PART_COUNT];
    uint8_t parts[PART_COUNT][PART_MAX_BYTES];
};

/* A part that does not fit into `size` is truncated; its true size is returned. -1 if there is none. */
static int socket_guard_receive(void *zmq, void *data, size_t size)
{
    int result;
    do {
        result = zmq_recv(zmq, data, size, ZMQ_DONTWAIT);
    } while (result < 0 && errno == EINTR);
    return result;
}

static bool has_more(void *zmq)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(zmq, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

static bool read_question(void *zmq, struct question *question)
{
    question->count = 0;
    do {
        uint8_t surplus[PART_MAX_BYTES];
        size_t at = question->count;
        int size = socket_guard_receive(zmq, at < PART_COUNT ? question->parts[at] : surplus, PART_MAX_BYTES);
        if (size < 0) {
            return false;
        }
        if (at < PART_COUNT) {
            question->sizes[at] = (size_t)size < PART_MAX_BYTES ? (size_t)size : PART_MAX_BYTES;
        }
        question->count++;
    } while (has_more(zmq));
    return true;
}

static bool is_part(const struct question *question, enum question_part part, const char *text)
{
    return bytes_equal_string(bytes_of(question->parts[part], question->sizes[part]), text);
}

/* The key as text, or the token. */
static bool read_key(const struct question *question, char key[KEY_TEXT_BYTES + 1])
{
    if (question->count == PART_PASSWORD && is_part(question, PART_MECHANISM, "CURVE") &&
        question->sizes[PART_KEY] == KEY_BYTES) {
        return zmq_z85_encode(key, question->parts[PART_KEY], KEY_BYTES) != NULL;
    }
    if (question->count == PART_COUNT && is_part(question, PART_MECHANISM, "PLAIN")) {
        struct bytes token = bytes_of(question->parts[PART_PASSWORD], question->sizes[PART_PASSWORD]);
        bool is_token = key_is_valid(token);
        bytes_to_text(is_token ? token : bytes_of(NULL, 0), key, KEY_TEXT_BYTES + 1);
        return is_token;
    }
    return false;
}

static bool judge(const struct socket_guard *guard, const struct question *question,
                  char key[KEY_TEXT_BYTES + 1])
{
    return question->count > PART_VERSION && is_part(question, PART_VERSION, VERSION) &&
           read_key(question, key) && guard->keys->is_welcome(guard->keys->context, key);
}

static void socket_guard_send_part(void *zmq, const void *data, size_t size, int flags)
{
    int result;
    do {
        result = zmq_send(zmq, data, size, flags | ZMQ_DONTWAIT);
    } while (result < 0 && errno == EINTR);
}

/* The user id of a connection is its key: the name of the key, and whether it is still valid, is looked up
 * with each frame. */
static bool on_question(void *context, void *zmq)
{
    const struct socket_guard *guard = context;
    struct question question;
    char key[KEY_TEXT_BYTES + 1] = "";
    if (!read_question(zmq, &question)) {
        return false;
    }
    bool is_welcome = judge(guard, &question, key);
    size_t id_size = question.count > PART_ID ? question.sizes[PART_ID] : 0;
    socket_guard_send_part(zmq, VERSION, strlen(VERSION), ZMQ_SNDMORE);
    socket_guard_send_part(zmq, question.parts[PART_ID], id_size, ZMQ_SNDMORE);
    socket_guard_send_part(zmq, is_welcome ? "200" : "400", 3, ZMQ_SNDMORE);
    socket_guard_send_part(zmq, "", 0, ZMQ_SNDMORE);
    socket_guard_send_part(zmq, key, is_welcome ? strlen(key) : 0, ZMQ_SNDMORE);
    socket_guard_send_part(zmq, "", 0, 0);
    return true;
}

static enum socket_trouble trouble_of(uint16_t event, uint32_t value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        return SOCKET_KEY_REFUSED;
    }
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) {
        /* The value is an errno: of a connection that ended, or of a read that found nothing when our own
         * handshake timeout had expired. */
        return value == EAGAIN || value == ETIMEDOUT ? SOCKET_HANDSHAKE_SLOW : SOCKET_HANDSHAKE_CUT;
    }
    return value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? SOCKET_KEYS_ON_ONE_SIDE
                                                               : SOCKET_HANDSHAKE_BROKEN;
}

static void trouble(const struct socket_callbacks *callbacks, enum socket_trouble what, const char *address)
{
    if (callbacks->on_trouble != NULL) {
        callbacks->on_trouble(callbacks->context, what, address);
    }
}

/* Each connection takes two descriptors: ZeroMQ's, and that by which it is watched. */
static void admit(struct socket_guard *guard, int descriptor)
{
    bool is_full = socket_admission_accepted(&guard->admission);
    if (socket_cut_connected(&guard->cut, descriptor)) {
        is_full = socket_admission_accepted(&guard->admission) || is_full;
    }
    if (is_full) {
        trouble(guard->callbacks, SOCKET_FULL, NULL);
    }
}

static void tell_cut(struct socket_guard *guard, const char *address)
{
    trouble(guard->callbacks, SOCKET_FRAME_TOO_LARGE, address[0] != '\0' ? address : NULL);
}

static void decide_cut(struct socket_guard *guard)
{
    char address[SOCKET_CUT_ADDRESS_BYTES];
    if (socket_cut_decide(&guard->cut, address)) {
        tell_cut(guard, address);
    }
}

/* ZeroMQ cuts a connection whose handshake has failed as well. It says so before, but not of which one, and
 * events of others may stand in between. */
static void find_cut(struct socket_guard *guard, int descriptor, bool has_handshake_failed)
{
    char address[SOCKET_CUT_ADDRESS_BYTES];
    decide_cut(guard);
    enum socket_cut_end end = socket_cut_disconnected(&guard->cut, descriptor, address);
    if (end != SOCKET_CUT_UNKNOWN) {
        socket_admission_disconnected(&guard->admission);
    }
    if (end == SOCKET_CUT_UNDECIDED && has_handshake_failed) {
        (void)socket_cut_decide(&guard->cut, address);
    } else if (end == SOCKET_CUT_BY_US && !has_handshake_failed) {
        tell_cut(guard, address);
    }
}

static void take_event(struct socket_guard *guard, uint16_t event, uint32_t value)
{
    switch (event) {
    case ZMQ_EVENT_LISTENING:
        socket_admission_listening(&guard->admission, (int)value);
        break;
    case ZMQ_EVENT_ACCEPTED:
        admit(guard, (int)value);
        break;
    case ZMQ_EVENT_CLOSED:
        guard->callbacks->on_away(guard->callbacks->context, false);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        if (!guard->is_router) {
            guard->callbacks->on_away(guard->callbacks->context, true);
            break;
        }
        socket_admission_disconnected(&guard->admission);
        find_cut(guard, (int)value, guard->failed_handshakes > 0);
        guard->failed_handshakes -= guard->failed_handshakes > 0;
        guard->failed_handshakes = guard->cut.count > 0 ? guard->failed_handshakes : 0;
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        guard->callbacks->on_connected(guard->callbacks->context);
        break;
    default:
        trouble(guard->callbacks, trouble_of(event, value), NULL);
        break;
    }
    guard->failed_handshakes += (event & HANDSHAKE_FAILED) != 0;
}

static bool on_event(void *context, void *zmq)
{
    struct socket_guard *guard = context;
    uint8_t head[6];
    char address[1];
    uint16_t event;
    uint32_t value;
    int size = socket_guard_receive(zmq, head, sizeof head);
    if (size < 0) {
        decide_cut(guard);
        return false;
    }
    while (has_more(zmq)) {
        (void)socket_guard_receive(zmq, address, sizeof address);
    }
    if (size == (int)sizeof head) {
        memcpy(&event, head, sizeof event);
        memcpy(&value, head + sizeof event, sizeof value);
        take_event(guard, event, value);
    }
    return true;
}

static void *new_socket(void *zmq_context, int type)
{
    int none = 0;
    void *zmq = zmq_socket(zmq_context, type);
    assert(zmq != NULL);
    (void)zmq_setsockopt(zmq, ZMQ_LINGER, &none, sizeof none);
    /* ZeroMQ's own threads would wait for us at a high-water mark, and we for them when we close. */
    (void)zmq_setsockopt(zmq, ZMQ_RCVHWM, &none, sizeof none);
    return zmq;
}

static bool is_router_socket(void *zmq)
{
    int type = 0;
    size_t size = sizeof type;
    return zmq_getsockopt(zmq, ZMQ_TYPE, &type, &size) == 0 && type == ZMQ_ROUTER;
}

static int wanted_events(const struct socket_callbacks *callbacks, bool is_router)
{
    int events = callbacks->on_connected != NULL ? ZMQ_EVENT_HANDSHAKE_SUCCEEDED : 0;
    if (callbacks->on_trouble != NULL) {
        events |= HANDSHAKE_FAILED;
    }
    if (!is_router && callbacks->on_away != NULL) {
        events |= ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED;
    }
    if (is_router) {
        events |= ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
    }
    return events;
}

void socket_guard_start(struct socket_guard *guard, uv_loop_t *loop, void *zmq_context, void *zmq,
                        const struct socket_server_keys *keys, const struct socket_callbacks *callbacks)
{
    *guard = (struct socket_guard){.callbacks = callbacks, .keys = keys};
    socket_admission_init(&guard->admission);
    if (keys != NULL) {
        void *doorman = new_socket(zmq_context, ZMQ_REP);
        int result = zmq_bind(doorman, DOORMAN_ENDPOINT);
        assert(result == 0); /* the context is the socket's own */
        (void)result;
        zmq_inproc_start(&guard->doorman, loop, doorman, on_question, guard);
        guard->open_parts++;
    }
    guard->is_router = is_router_socket(zmq);
    int events = wanted_events(callbacks, guard->is_router);
    if (events != 0) {
        int result = zmq_socket_monitor(zmq, MONITOR_ENDPOINT, events);
        assert(result == 0);
        void *monitor = new_socket(zmq_context, ZMQ_PAIR);
        result = zmq_connect(monitor, MONITOR_ENDPOINT);
        assert(result == 0);
        (void)result;
        zmq_inproc_start(&guard->monitor, loop, monitor, on_event, guard);
        guard->watched = zmq;
        guard->open_parts++;
    }
}

static void on_part_closed(void *context)
{
    struct socket_guard *guard = context;
    if (--guard->open_parts == 0) {
        socket_cut_finish(&guard->cut);
        guard->on_closed(guard->context);
    }
}

void socket_guard_close(struct socket_guard *guard, void (*on_closed)(void *context), void *context)
{
    bool has_doorman = guard->doorman.zmq != NULL;
    bool has_monitor = guard->monitor.zmq != NULL;
    guard->on_closed = on_closed;
    guard->context = context;
    guard->open_parts++; /* counts as a part, so that the last one is never missed */
    if (has_monitor) {
        (void)zmq_socket_monitor(guard->watched, NULL, 0);
        zmq_inproc_close(&guard->monitor, on_part_closed);
    }
    if (has_doorman) {
        zmq_inproc_close(&guard->doorman, on_part_closed);
    }
    on_part_closed(guard);
}
