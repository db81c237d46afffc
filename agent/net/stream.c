/* Byte streams to hosts, plain or in TLS. */
#include "agent/net/stream_inside.h"

#include "agent/base/connect_failure.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PENDING_MAX_BYTES (1024u * 1024u * 1024u)
/* So often is a socket read before others have their turn. */
#define READS_AT_ONCE 4

#define FAILURE_TEXT_BYTES 512

static void on_stream_ready(struct poller_socket *polled, uint32_t events);

struct stream *stream_open(struct net *net, const struct stream_target *target,
                           const struct stream_callbacks *callbacks, void *context)
{
    struct stream *stream = MEMORY_NEW(struct stream);

    stream->net = net;
    stream->target = *target;
    stream->callbacks = *callbacks;
    stream->context = context;
    buffer_init(&stream->pending, PENDING_MAX_BYTES);
    stream->next = net->streams;
    stream->at = &net->streams;
    if (stream->next != NULL) {
        stream->next->at = &stream->next;
    }
    net->streams = stream;
    stream_connect(stream);
    return stream;
}

void stream_set_context(struct stream *stream, void *context)
{
    stream->context = context;
}

void stream_set_owner(struct stream *stream, const struct stream_callbacks *callbacks, void *context)
{
    stream->callbacks = *callbacks;
    stream->context = context;
}

static void stream_drop_connection(struct stream *stream, bool is_reset)
{
    stream_connector_drop(stream);
    stream_tunnel_drop(stream);
    stream_forget_gathered(stream);
    if (stream->socket != NULL) {
        stream_socket_drop(stream->socket, is_reset);
        stream->socket = NULL;
    }
}

void stream_fail(struct stream *stream, enum net_failure failure, const char *text)
{
    const struct stream_proxy *proxy = stream->state < STREAM_HANDSHAKING ? stream->target.proxy : NULL;
    char blamed[FAILURE_TEXT_BYTES];

    if (proxy != NULL && failure != NET_LOCAL_LIMIT) {
        snprintf(blamed, sizeof blamed, "the proxy %.100s:%u: %.380s", proxy->host, proxy->port, text);
        failure = NET_PROXY;
        text = blamed;
    }
    stream_drop_connection(stream, failure != NET_OK);
    stream->state = STREAM_ENDED;
    stream->callbacks.on_end(stream->context, failure, text);
}

void stream_close(struct stream **pointer, bool is_reset)
{
    struct stream *stream = *pointer;

    if (stream == NULL) {
        return;
    }
    *pointer = NULL;
    is_reset = is_reset || !net_may_send(stream->net);
    if (stream->gathered_size > 0 && !is_reset) {
        net_send_gathered(stream->net);
    }
    if (stream->state == STREAM_OPEN && stream->tls != NULL && !is_reset) {
        tls_session_close(stream->tls);
    }
    stream_drop_connection(stream, is_reset);
    *stream->at = stream->next;
    if (stream->next != NULL) {
        stream->next->at = stream->at;
    }
    tls_session_free(&stream->tls);
    buffer_finish(&stream->pending);
    stream->state = STREAM_ENDED;
    stream->is_closed = true;
    if (!stream->has_timer) {
        stream->next = stream->net->closed;
        stream->net->closed = stream;
    }
}

bool stream_is_quiet(const struct stream *stream)
{
    char byte;

    return stream->state == STREAM_OPEN &&
           recv(stream->socket->polled.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

uint64_t stream_taken(const struct stream *stream)
{
    return stream->taken_bytes;
}

void stream_stamp(struct stream *stream)
{
    static const int yes = 1;

    stream->is_stamped = stream->state == STREAM_OPEN && setsockopt(stream->socket->polled.fd, SOL_SOCKET,
                                                                    SO_TIMESTAMPNS, &yes, sizeof yes) == 0;
}

uint64_t stream_received_ns(const struct stream *stream)
{
    return stream->received_ns;
}

uint64_t stream_ready_ns(const struct stream *stream)
{
    return stream->net->ready_ns;
}

const struct stream_times *stream_times(const struct stream *stream)
{
    return &stream->times;
}

const char *stream_peer(const struct stream *stream)
{
    return stream->peer;
}

unsigned stream_proxy_status(const struct stream *stream)
{
    return stream->proxy_status;
}

struct bytes stream_protocol(const struct stream *stream)
{
    return stream->tls != NULL ? tls_session_protocol(stream->tls) : bytes_of("", 0);
}

/* What waits to be sent goes by the level, not by edges: the kernel may take nothing for reasons of its own,
 * such as a lack of memory, which end without an edge. */
void stream_listen(struct stream *stream)
{
    bool is_sending = stream_pending(stream) > 0 && !stream->is_write_broken;

    uint32_t input = stream->is_paused ? 0 : EPOLLIN;

    poller_change(&stream->socket->polled, is_sending ? input | EPOLLOUT : POLLER_EDGES);
}

void stream_pause(struct stream *stream, bool is_paused)
{
    stream->is_paused = is_paused;
    if (stream->state == STREAM_OPEN) {
        stream_listen(stream);
        if (!is_paused) {
            poller_again(&stream->socket->polled);
        }
    }
}

static void stream_is_open(struct stream *stream)
{
    stream->state = STREAM_OPEN;
    stream->times.open_ns = clock_now_ns();
    stream->callbacks.on_open(stream->context);
}

/* All that the wire has brought, as plain bytes. */
static void deliver_plain(struct stream *stream)
{
    struct error error;
    enum tls_result result = TLS_OK;

    while (stream->state == STREAM_OPEN) {
        size_t count = 0;
        result = tls_session_read(stream->tls, stream->net->plain, NET_READ_BYTES, &count, &error);
        if (result != TLS_OK) {
            break;
        }
        stream->callbacks.on_data(stream->context, bytes_of(stream->net->plain, count));
        if (stream->state == STREAM_OPEN && tls_session_is_drained(stream->tls)) {
            return;
        }
    }
    if (stream->state == STREAM_OPEN && result != TLS_MORE) {
        stream_fail(stream, result == TLS_END ? NET_OK : NET_TLS, result == TLS_END ? "" : error.text);
    }
}

/* The machine's authorities are files: without a descriptor for one, nobody can be trusted. */
static void fail_handshake(struct stream *stream, const char *text)
{
    const struct tls_options *options = stream->target.tls;
    int number = options->ca_pem == NULL && !options->is_unverified ? connect_failure_probe() : 0;
    char limit[FAILURE_TEXT_BYTES];

    if (number != 0) {
        snprintf(limit, sizeof limit, "TLS handshake: %s%s", strerror(number),
                 connect_failure_advice(number));
        stream_fail(stream, NET_LOCAL_LIMIT, limit);
    } else {
        stream_fail(stream, NET_TLS, text);
    }
}

static void go_on_with_handshake(struct stream *stream)
{
    struct error error = {""};

    switch (tls_session_handshake(stream->tls, &error)) {
    case TLS_MORE:
        break;
    case TLS_OK:
        stream_is_open(stream);
        if (stream->state == STREAM_OPEN) {
            deliver_plain(stream); /* what came with the last of the handshake */
        }
        break;
    default:
        fail_handshake(stream, error.text[0] != 0 ? error.text : "the server has ended the TLS handshake");
    }
}

static void begin_tls(struct stream *stream)
{
    struct tls_callbacks callbacks = {.on_write = stream_take_from_tls, .context = stream};
    struct error error;

    stream->tls = tls_session_new(stream->net->contexts, stream->target.tls, stream->target.host,
                                  stream->target.is_literal, &callbacks, &error);
    if (stream->tls == NULL) {
        stream_fail(stream, NET_TLS, error.text);
        return;
    }
    go_on_with_handshake(stream);
}

static void stream_take(struct stream *stream, struct bytes data)
{
    if (stream->tls == NULL) {
        stream->callbacks.on_data(stream->context, data);
        return;
    }
    tls_session_feed(stream->tls, data);
    if (stream->state == STREAM_HANDSHAKING) {
        go_on_with_handshake(stream);
    } else {
        deliver_plain(stream);
    }
}

/* The connection, at a place where TLS has not said so. */
static void stream_has_ended(struct stream *stream)
{
    if (stream->state == STREAM_HANDSHAKING) {
        stream_fail(stream, NET_TLS, "the server closed the connection during the TLS handshake");
    } else if (stream->tls != NULL) {
        stream_fail(stream, NET_CUT,
                    "the server closed the connection without the goodbye of TLS (close_notify)");
    } else {
        stream_fail(stream, NET_OK, "");
    }
}

/* TCP gives the instant of the last segment of what is read. Where it gives none, `ready_ns` stands. */
static ssize_t stream_receive_stamped(struct stream *stream)
{
    struct iovec into = {.iov_base = stream->net->wire, .iov_len = NET_READ_BYTES};
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
    struct msghdr message = {
        .msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct timespec stamp;

    ssize_t count = recvmsg(stream->socket->polled.fd, &message, 0);
    const struct cmsghdr *first = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (first != NULL && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_TIMESTAMPNS &&
        first->cmsg_len == CMSG_LEN(sizeof stamp)) {
        memcpy(&stamp, CMSG_DATA(first), sizeof stamp);
        stream->received_ns =
            net_instant_ns(stream->net, (uint64_t)stamp.tv_sec * NS_PER_S + (uint64_t)stamp.tv_nsec);
    }
    return count;
}

static ssize_t stream_receive(struct stream *stream)
{
    ssize_t count;

    do {
        stream->received_ns = stream->net->ready_ns;
        count = stream->is_stamped ? stream_receive_stamped(stream)
                                   : recv(stream->socket->polled.fd, stream->net->wire, NET_READ_BYTES, 0);
    } while (count < 0 && errno == EINTR);
    return count;
}

/* An edge is used up when less has come than there was room for. The end of what comes has no edge of its own
 * if it came together with the last bytes. */
static void read_wire(struct stream *stream)
{
    for (int i = 0; i < READS_AT_ONCE && stream->socket != NULL && !stream->is_paused; i++) {
        ssize_t count = stream_receive(stream);
        if (count > 0) {
            stream_take(stream, bytes_of(stream->net->wire, (size_t)count));
        } else if (count == 0) {
            stream_has_ended(stream);
        } else if (errno != EAGAIN) {
            char text[120];
            snprintf(text, sizeof text, "the connection broke: %s", strerror(errno));
            stream_fail(stream, NET_RESET, text);
        }
        if (count < (ssize_t)NET_READ_BYTES && !(count > 0 && stream->has_input_ended)) {
            return;
        }
        stream->net->ready_ns = clock_now_ns();
    }
    if (stream->socket != NULL && !stream->is_paused) {
        poller_again(&stream->socket->polled);
    }
}

void stream_take_turn(struct stream *stream)
{
    if (stream->state == STREAM_CONNECTING) {
        stream_begin_attempts(stream);
        return;
    }
    if (stream->tls == NULL) {
        begin_tls(stream);
    } else {
        read_wire(stream);
    }
    if (stream->socket != NULL) {
        stream_listen(stream);
    }
}

void stream_go_on(struct stream *stream)
{
    if (stream->socket != NULL) {
        stream_listen(stream);
        poller_again(&stream->socket->polled);
    } else {
        stream_connect_held(stream);
    }
}

void stream_begin(struct stream *stream)
{
    if (stream->target.is_tls) {
        stream->state = STREAM_HANDSHAKING;
        net_join_line(stream);
    } else {
        stream_is_open(stream);
    }
}

void stream_connected(struct stream *stream, struct stream_socket *socket)
{
    stream->socket = socket;
    socket->polled.on_ready = on_stream_ready;
    if (stream->target.proxy != NULL && stream->target.proxy->is_tunnel) {
        stream->state = STREAM_TUNNELLING;
        stream_tunnel_begin(stream);
    } else {
        stream_begin(stream);
    }
}

/* Where nothing may leave or come in: it is told again when the net goes on. Before the net is held, the
 * lease may come back without anything that says so. */
static void stream_put_off(struct stream *stream)
{
    if (stream->net->is_held) {
        poller_change(&stream->socket->polled, POLLER_EDGES);
    } else {
        poller_again(&stream->socket->polled);
    }
}

static void on_stream_ready(struct poller_socket *polled, uint32_t events)
{
    struct stream *stream = CONTAINER_OF(polled, struct stream_socket, polled)->stream;

    stream->has_input_ended |= (events & EPOLLRDHUP) != 0;
    if (!net_look(stream->net)) {
        stream_put_off(stream);
        return;
    }
    if ((events & EPOLLOUT) && stream_pending(stream) > 0) {
        stream_go_on_writing(stream);
    }
    if (stream->socket == NULL) {
        return; /* it was closed */
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        if (stream->state == STREAM_TUNNELLING) {
            stream_tunnel_read(stream);
        } else if (stream->state == STREAM_HANDSHAKING) {
            net_join_line(stream);
        } else {
            read_wire(stream);
        }
    }
}
