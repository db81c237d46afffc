/* The sockets of curl's connections on the loop. */
#include "agent/http/curl/curl_socket.h"

#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* So long is curl called for sockets that are ready before others have their turn: each piece of a handshake
 * takes it up to a millisecond. */
#define TURN_NS (2 * NS_PER_MS)

struct curl_socket {
    uv_poll_t poll;
    struct curl_sockets *sockets;
    struct curl_socket_list *owner; /* the client that has used it last; NULL: it has gone */
    struct curl_socket *next;       /* of the same owner */
    struct curl_socket **at;        /* the pointer that points to this one */
    uint64_t idle_ms;               /* by the loop's clock: since when nothing is wanted */
    curl_socket_t number;
    bool is_of_resolver; /* used by curl for name lookups: curl closes it without notice */
    bool is_connected;   /* curl has wanted to read from it */
    int wanted;          /* requested by curl: UV_READABLE, UV_WRITABLE; 0 while idle */
    int active;          /* events that the poll waits for */
};

void curl_sockets_init(struct curl_sockets *sockets, uv_loop_t *loop,
                       void (*on_ready)(void *context, curl_socket_t socket, int flags), void *context)
{
    *sockets = (struct curl_sockets){.loop = loop, .on_ready = on_ready, .context = context};
}

static struct curl_socket *socket_find(struct curl_sockets *sockets, curl_socket_t number)
{
    return (size_t)number < sockets->capacity ? sockets->items[number] : NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void listen_as_wanted(struct curl_socket *socket)
{
    if (socket->wanted == socket->active || socket->wanted == 0 || socket->sockets->is_held) {
        return;
    }
    socket->active = socket->wanted;
    uv_poll_start(&socket->poll, socket->active, on_poll);
}

/* What a peek at it finds then is its end, by which curl knows a connection that is not to be used. */
static void socket_reset(const struct curl_socket *socket)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    int error = 0;
    socklen_t size = sizeof error;

    if (!socket->is_of_resolver) {
        (void)connect(socket->number, &nowhere, sizeof nowhere);
        (void)getsockopt(socket->number, SOL_SOCKET, SO_ERROR, &error, &size);
        (void)shutdown(socket->number, SHUT_RDWR);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct curl_socket *socket = poll->data;
    struct curl_sockets *sockets = socket->sockets;
    curl_socket_t number = socket->number;
    int flags = 0;

    if (socket->wanted == 0) {
        uv_poll_stop(poll);
        socket->active = 0;
        socket_reset(socket);
        return;
    }
    if (status == 0 && sockets->used_ns >= TURN_NS) {
        return; /* the loop says it again in its next turn */
    }
    /* Reported as readable and writable: given only the error, curl does not find out its cause ("connection
     * reset"). libuv has stopped the poll. */
    if (status < 0) {
        flags = CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
        socket->active = 0;
    }
    if (events & UV_READABLE) {
        flags |= CURL_CSELECT_IN;
    }
    if (events & UV_WRITABLE) {
        flags |= CURL_CSELECT_OUT;
    }
    uint64_t began_ns = clock_now_ns();
    sockets->on_ready(sockets->context, number, flags);
    sockets->used_ns += clock_now_ns() - began_ns;
    if (socket_find(sockets, number) == socket && socket->active == 0) {
        listen_as_wanted(socket);
    }
}

void curl_sockets_begin_turn(struct curl_sockets *sockets)
{
    sockets->used_ns = 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void socket_own(struct curl_socket *socket, struct curl_socket_list *owner)
{
    if (socket->owner == owner) {
        return;
    }
    if (socket->owner != NULL) {
        *socket->at = socket->next;
        if (socket->next != NULL) {
            socket->next->at = socket->at;
        }
    }
    socket->owner = owner;
    if (owner != NULL) {
        socket->next = owner->first;
        socket->at = &owner->first;
        if (socket->next != NULL) {
            socket->next->at = &socket->next;
        }
        owner->first = socket;
    }
}

static void socket_drop(struct curl_socket *socket)
{
    socket_own(socket, NULL);
    socket->sockets->items[socket->number] = NULL;
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
}

void curl_sockets_finish(struct curl_sockets *sockets)
{
    for (size_t i = 0; i < sockets->capacity; i++) {
        if (sockets->items[i] != NULL) {
            socket_drop(sockets->items[i]);
        }
    }
    memory_free(sockets->items);
}

void curl_sockets_hold(struct curl_sockets *sockets)
{
    sockets->is_held = true;
    for (size_t i = 0; i < sockets->capacity; i++) {
        struct curl_socket *socket = sockets->items[i];
        if (socket != NULL && socket->active != 0) {
            uv_poll_stop(&socket->poll);
            socket->active = 0;
        }
    }
}

void curl_sockets_go_on(struct curl_sockets *sockets)
{
    sockets->is_held = false;
    for (size_t i = 0; i < sockets->capacity; i++) {
        if (sockets->items[i] != NULL) {
            listen_as_wanted(sockets->items[i]);
        }
    }
}

/* Curl's resolver threads report through a local socket pair. */
static bool is_local(curl_socket_t number)
{
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;

    return getsockopt(number, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

static struct curl_socket *socket_need(struct curl_sockets *sockets, curl_socket_t number)
{
    struct curl_socket *socket = socket_find(sockets, number);
    size_t had = sockets->capacity;

    if (socket != NULL) {
        return socket;
    }
    sockets->items =
        memory_reserve(sockets->items, &sockets->capacity, (size_t)number + 1, sizeof(struct curl_socket *));
    for (size_t i = had; i < sockets->capacity; i++) {
        sockets->items[i] = NULL;
    }
    socket = MEMORY_NEW(struct curl_socket);
    if (uv_poll_init(sockets->loop, &socket->poll, number) != 0) {
        memory_free(socket);
        return NULL;
    }
    socket->sockets = sockets;
    socket->number = number;
    socket->is_of_resolver = is_local(number);
    socket->poll.data = socket;
    sockets->items[number] = socket;
    return socket;
}

void curl_sockets_rest(struct curl_sockets *sockets, curl_socket_t number)
{
    struct curl_socket *socket = socket_find(sockets, number);

    if (socket == NULL) {
        return;
    }
    socket->wanted = 0;
    socket->idle_ms = uv_now(sockets->loop);
    /* Curl closes one that never connected without its callback. */
    if (socket->is_of_resolver || !socket->is_connected) {
        socket_drop(socket);
    }
}

void curl_sockets_want(struct curl_sockets *sockets, struct curl_socket_list *owner, curl_socket_t number,
                       int what)
{
    struct curl_socket *socket = socket_need(sockets, number);

    if (socket == NULL) {
        return;
    }
    socket_own(socket, owner);
    socket->wanted = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    socket->is_connected |= (what & CURL_POLL_IN) != 0;
    listen_as_wanted(socket);
}

void curl_sockets_opened(struct curl_sockets *sockets, curl_socket_t number)
{
    struct curl_socket *old = socket_find(sockets, number);

    if (old == NULL) {
        return;
    }
    /* Curl takes it for the same, and does not ask again for what it has asked of the old one. */
    int wanted = old->wanted;
    struct curl_socket_list *owner = old->owner;
    socket_drop(old);
    struct curl_socket *socket = wanted != 0 ? socket_need(sockets, number) : NULL;
    if (socket != NULL) {
        socket_own(socket, owner);
        socket->wanted = wanted;
        listen_as_wanted(socket);
    }
}

bool curl_sockets_is_connecting(struct curl_sockets *sockets, curl_socket_t number)
{
    const struct curl_socket *socket = socket_find(sockets, number);

    return socket != NULL && !socket->is_connected && !socket->is_of_resolver;
}

int curl_sockets_close(struct curl_sockets *sockets, curl_socket_t number)
{
    struct curl_socket *socket = socket_find(sockets, number);

    if (socket != NULL) {
        socket_drop(socket);
    }
    return close(number);
}

void curl_socket_list_reset(const struct curl_socket_list *list)
{
    for (struct curl_socket *socket = list->first; socket != NULL; socket = socket->next) {
        socket_reset(socket);
    }
}

static bool socket_is_stale(const struct curl_socket *socket)
{
    char byte;

    return socket->wanted == 0 && socket->idle_ms != uv_now(socket->sockets->loop) &&
           (recv(socket->number, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN);
}

void curl_socket_list_drop_stale(const struct curl_socket_list *list)
{
    for (struct curl_socket *socket = list->first; socket != NULL; socket = socket->next) {
        if (socket_is_stale(socket)) {
            socket_reset(socket);
        }
    }
}

void curl_socket_list_hang_up(const struct curl_socket_list *list)
{
    for (struct curl_socket *socket = list->first; socket != NULL; socket = socket->next) {
        if (socket->wanted == 0) {
            (void)shutdown(socket->number, SHUT_RDWR);
        }
    }
}

bool curl_socket_list_has_idle(const struct curl_socket_list *list)
{
    for (const struct curl_socket *socket = list->first; socket != NULL; socket = socket->next) {
        if (socket->wanted == 0) {
            return true;
        }
    }
    return false;
}

void curl_socket_list_finish(struct curl_socket_list *list)
{
    while (list->first != NULL) {
        socket_own(list->first, NULL);
    }
}
