/* How a stream gets its connection: the name's addresses, tried one beside the other (RFC 8305). */
#include "agent/net/stream_inside.h"

#include "agent/base/connect_failure.h"
#include "agent/base/source_address.h"
#include "common/clock.h"
#include "common/container.h"
#include "common/host_override.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

/* How often a connection that must not begin looks whether it may by now. */
#define HELD_ATTEMPT_MS 50u

/* Whom the socket is connected to. */
static const char *dialled_host(const struct stream *stream)
{
    return stream->target.proxy != NULL ? stream->target.proxy->host : stream->target.host;
}

static uint16_t dialled_port(const struct stream *stream)
{
    return stream->target.proxy != NULL ? stream->target.proxy->port : stream->target.port;
}

/* With a reset the kernel throws away what it has not sent. */
void stream_socket_drop(struct stream_socket *socket, bool is_reset)
{
    const struct linger at_once = {.l_onoff = 1};

    if (is_reset) {
        (void)setsockopt(socket->polled.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    poller_remove(&socket->polled);
    close(socket->polled.fd);
    memory_free(socket);
}

static void on_connector_closed(uv_handle_t *handle)
{
    struct stream_connector *connector = handle->data;
    struct stream *stream = connector->stream;

    memory_free(connector);
    stream->has_timer = false;
    if (stream->is_closed) {
        memory_free(stream);
    }
}

void stream_connector_drop(struct stream *stream)
{
    struct stream_connector *connector = stream->connector;

    resolver_cancel(&stream->query);
    net_leave_line(stream);
    if (connector == NULL) {
        return;
    }
    stream->connector = NULL;
    while (connector->sockets != NULL) {
        struct stream_socket *socket = connector->sockets;
        connector->sockets = socket->next;
        stream_socket_drop(socket, true);
    }
    uv_close((uv_handle_t *)&connector->timer, on_connector_closed);
}

static void stream_address_text(const struct stream *stream, const struct net_address *address,
                                char where[STREAM_PEER_BYTES])
{
    if (stream->target.path != NULL) {
        bytes_to_text(bytes_of_string(stream->target.path), where, STREAM_PEER_BYTES);
    } else {
        net_address_text(address, where, STREAM_PEER_BYTES);
    }
}

/* What is told in the end is what happened to the first of the addresses. */
static void stream_note_failure(struct stream *stream, const struct net_address *address, int number)
{
    struct stream_connector *connector = stream->connector;
    char where[STREAM_PEER_BYTES];

    if (connector->failure != NET_OK) {
        return;
    }
    stream_address_text(stream, address, where);
    connector->failure = net_failure_of_system(number);
    snprintf(connector->text, sizeof connector->text, "connect to %s: %s%s", where, strerror(number),
             connect_failure_advice(number));
}

static void stream_take_out_socket(struct stream_connector *connector, const struct stream_socket *socket)
{
    struct stream_socket **at = &connector->sockets;

    while (*at != socket) {
        at = &(*at)->next;
    }
    *at = socket->next;
}

static void on_attempt_ready(struct poller_socket *polled, uint32_t events)
{
    struct stream_socket *socket = CONTAINER_OF(polled, struct stream_socket, polled);
    struct stream *stream = socket->stream;
    struct stream_connector *connector = stream->connector;
    int number = 0;
    socklen_t size = sizeof number;

    if ((events & (EPOLLERR | EPOLLHUP)) != 0 &&
        getsockopt(polled->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) {
        number = errno;
    }
    stream_take_out_socket(connector, socket);
    if (number != 0) {
        stream_note_failure(stream, &socket->address, number);
        stream_socket_drop(socket, true);
        net_join_line(stream);
        return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
        poller_again(polled); /* what the server has said already is for whom it is told of next */
    }
    stream->times.connected_ns = clock_now_ns();
    stream_address_text(stream, &socket->address, stream->peer);
    stream_connector_drop(stream);
    stream_connected(stream, socket);
}

/* False if it cannot be: the stream's own address is to blame, or its family. */
static bool bind_source(struct stream *stream, int fd, const struct net_address *to)
{
    struct stream_connector *connector = stream->connector;
    const struct address *source = stream->target.source;
    char where[STREAM_PEER_BYTES];

    if (source == NULL) {
        return true;
    }
    if (address_is_v4(source) != (to->any.sa_family == AF_INET)) {
        net_address_text(to, where, sizeof where);
        connector->failure = NET_UNREACHABLE;
        snprintf(connector->text, sizeof connector->text, "connect to %s: --source is of the other family",
                 where);
        return false;
    }
    int number = source_address_bind(fd, source);
    if (number != 0 && connector->failure == NET_OK) {
        connector->failure = NET_LOCAL_LIMIT;
        source_address_describe(source, number, connector->text, sizeof connector->text);
    }
    return number == 0;
}

static int connect_socket(const struct stream *stream, int fd, const struct net_address *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
    } to = {.local.sun_family = AF_UNIX};

    if (stream->target.path == NULL) {
        return connect(fd, &address->any, net_address_size(address));
    }
    bytes_to_text(bytes_of_string(stream->target.path), to.local.sun_path, sizeof to.local.sun_path);
    return connect(fd, &to.any, sizeof to.local);
}

/* False if that address is out of the question; else it is under way. */
static bool begin_attempt(struct stream *stream, const struct net_address *address)
{
    const int yes = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        stream_note_failure(stream, address, errno);
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!bind_source(stream, fd, address)) {
        close(fd);
        return false;
    }
    if (connect_socket(stream, fd, address) != 0 && errno != EINPROGRESS) {
        stream_note_failure(stream, address, errno);
        close(fd);
        return false;
    }
    struct stream_socket *socket = MEMORY_NEW(struct stream_socket);
    socket->polled.on_ready = on_attempt_ready;
    int number = poller_add(stream->net->poller, &socket->polled, fd, POLLER_EDGES);
    if (number != 0) {
        stream_note_failure(stream, address, number);
        memory_free(socket);
        close(fd);
        return false;
    }
    socket->stream = stream;
    socket->address = *address;
    socket->next = stream->connector->sockets;
    stream->connector->sockets = socket;
    return true;
}

static void on_attempt_timer(uv_timer_t *timer)
{
    struct stream_connector *connector = timer->data;
    net_join_line(connector->stream);
}

/* Begins with the next address that can be tried; where none is left, and none under way, it has failed. */
void stream_begin_attempts(struct stream *stream)
{
    struct stream_connector *connector = stream->connector;

    if (!net_may_send(stream->net)) {
        /* The lease may be back before the net has been held, and then nothing says that it goes on. */
        uv_timer_start(&connector->timer, on_attempt_timer, HELD_ATTEMPT_MS, 0);
        return;
    }
    while (connector->tried < connector->addresses.count) {
        if (begin_attempt(stream, &connector->addresses.items[connector->tried++])) {
            if (connector->tried < connector->addresses.count) {
                uv_timer_start(&connector->timer, on_attempt_timer, STREAM_ATTEMPT_MS, 0);
            }
            return;
        }
    }
    if (connector->sockets == NULL) {
        enum net_failure failure = connector->failure;
        char text[sizeof connector->text];
        memcpy(text, connector->text, sizeof text);
        stream_fail(stream, failure, text);
    }
}

void stream_connect_held(struct stream *stream)
{
    if (stream->state == STREAM_CONNECTING && stream->connector->tried < stream->connector->addresses.count) {
        net_join_line(stream);
    }
}

static void begin_connecting(struct stream *stream, const struct address_list *list)
{
    struct stream_connector *connector = stream->connector;

    stream->state = STREAM_CONNECTING;
    stream->times.resolved_ns = clock_now_ns();
    connector->addresses = *list;
    if (stream->target.source != NULL) {
        address_list_keep_family(&connector->addresses, address_is_v4(stream->target.source));
    }
    if (stream->target.path == NULL) {
        address_list_arrange(&connector->addresses, stream->target.turn);
    }
    for (uint32_t i = 0; stream->target.path == NULL && i < connector->addresses.count; i++) {
        net_address_set_port(&connector->addresses.items[i], dialled_port(stream));
    }
    net_join_line(stream);
}

static void on_resolved(void *context, const struct address_list *list,
                        const struct resolver_failure *failure)
{
    struct stream *stream = context;

    stream->query = NULL;
    if (failure != NULL) {
        char text[sizeof stream->connector->text];
        snprintf(text, sizeof text, "the name %.80s cannot be resolved: %.120s", dialled_host(stream),
                 failure->text);
        stream_fail(stream, failure->is_local ? NET_LOCAL_LIMIT : NET_RESOLVE, text);
        return;
    }
    begin_connecting(stream, list);
}

bool net_look_up(struct net *net, struct bytes overrides, const char *host, uint16_t port,
                 struct address_list *list)
{
    struct host_override entry;
    struct address address;

    if (overrides.size == 0 || !host_override_find(overrides, host, port, &entry)) {
        return resolver_look(net->resolver, host, list);
    }
    list->count = 0;
    while (host_override_next_address(&entry.addresses, &address)) {
        struct net_address found = net_address_of(&address);
        address_list_add(list, &found);
    }
    return true;
}

static bool stream_look_up(struct stream *stream, struct address_list *list)
{
    if (stream->target.path == NULL) {
        return net_look_up(stream->net, stream->target.overrides, dialled_host(stream), dialled_port(stream),
                           list);
    }
    *list = (struct address_list){.count = 1};
    list->items[0].any.sa_family = AF_UNIX;
    return true;
}

/* Connects in the next turn of the loop at the earliest: nobody is called back from within. */
void stream_connect(struct stream *stream)
{
    struct address_list list;

    stream->connector = MEMORY_NEW(struct stream_connector);
    stream->connector->stream = stream;
    uv_timer_init(stream->net->loop, &stream->connector->timer);
    stream->connector->timer.data = stream->connector;
    stream->has_timer = true;
    if (stream_look_up(stream, &list)) {
        begin_connecting(stream, &list);
    } else {
        stream->query = resolver_ask(stream->net->resolver, dialled_host(stream), on_resolved, stream);
    }
}
