/* The WebSocket connections of the practice target. */
#include "target/target_sockets.h"

#include "common/buffer.h"
#include "common/clock.h"
#include "common/map.h"
#include "common/memory.h"
#include "target/target_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#define EVENTS_AT_ONCE 64
/* How often it is looked whether a session has to ping, or has been silent for too long. */
#define TICK_MS 20

struct target_socket {
    struct target_sockets *sockets;
    struct target_socket *next; /* in the list of all, or of those that were added */
    struct target_socket **at;
    struct target_socket *next_arrived; /* under the lock, with the next two */
    int arrived_fd;
    bool has_left; /* before it was there */
    struct target_socket *next_member;
    struct target_socket **at_member;
    struct MHD_UpgradeResponseHandle *handle;
    struct wslay_event_context *wslay;
    int fd;                  /* -1: it has joined, and its handshake is being answered */
    uint32_t events;         /* that epoll looks for */
    bool is_broken;          /* to be dropped when the event is dealt with */
    char *room;              /* NULL: none */
    struct session *session; /* NULL: none */
    bool is_probe;           /* it does not carry the session yet */
    struct buffer extra;
    size_t extra_used;
};

struct target_sockets {
    pthread_mutex_t lock;
    pthread_t thread;
    int epoll;
    int wakeup;
    struct target_socket *added;   /* under the lock, as the next two */
    struct target_socket *arrived; /* of those that were added: their connections are there, or have ended */
    bool is_stopping;
    struct target_socket *all;
    struct map *rooms; /* name → the first of its members */
    struct sessions *sessions;
};

static void target_sockets_wake(void *context)
{
    struct target_sockets *sockets = context;
    uint64_t one = 1;
    ssize_t written = write(sockets->wakeup, &one, sizeof one);
    (void)written; /* it is awake if the counter is full */
}

static ssize_t on_socket_receive(wslay_event_context_ptr wslay, uint8_t *into, size_t size, int flags,
                                 void *context)
{
    struct target_socket *socket = context;
    size_t left = socket->extra.size - socket->extra_used;
    (void)flags;
    if (left > 0) {
        size_t taken = left < size ? left : size;
        memcpy(into, socket->extra.data + socket->extra_used, taken);
        socket->extra_used += taken;
        return (ssize_t)taken;
    }
    ssize_t count = recv(socket->fd, into, size, MSG_DONTWAIT);
    if (count > 0) {
        return count;
    }
    bool is_later = count < 0 && (errno == EAGAIN || errno == EINTR);
    wslay_event_set_error(wslay, is_later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_socket_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t size, int flags,
                              void *context)
{
    struct target_socket *socket = context;
    ssize_t count = send(socket->fd, data, size,
                         MSG_DONTWAIT | MSG_NOSIGNAL | ((flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0));
    if (count >= 0) {
        return count;
    }
    bool is_later = errno == EAGAIN || errno == EINTR;
    wslay_event_set_error(wslay, is_later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void socket_watch(struct target_socket *socket)
{
    uint32_t events = (wslay_event_want_read(socket->wslay) ? EPOLLIN : 0u) |
                      (wslay_event_want_write(socket->wslay) ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.ptr = socket};
    if (events == 0) {
        socket->is_broken = true; /* both have said goodbye */
    } else if (events != socket->events) {
        socket->events = events;
        (void)epoll_ctl(socket->sockets->epoll, EPOLL_CTL_MOD, socket->fd, &event);
    }
}

static void socket_flush(struct target_socket *socket)
{
    bool is_there = socket->fd >= 0;
    if ((is_there && wslay_event_send(socket->wslay) != 0) ||
        wslay_event_get_queued_msg_length(socket->wslay) > TARGET_SOCKETS_MAX_UNREAD_BYTES) {
        socket->is_broken = is_there;
    } else if (is_there) {
        socket_watch(socket);
    }
}

static struct bytes room_key(const struct target_socket *socket)
{
    return bytes_of_string(socket->room);
}

static void socket_queue_text(struct target_socket *socket, struct bytes text)
{
    struct wslay_event_msg message = {.opcode = WSLAY_TEXT_FRAME, .msg = text.data, .msg_length = text.size};
    (void)wslay_event_queue_msg(socket->wslay, &message);
}

/* The client asks whether it may go on here, and then does. */
static void socket_probe(struct target_socket *socket, struct bytes text)
{
    if (bytes_equal(text, bytes_of_string("2probe"))) {
        socket_queue_text(socket, bytes_of_string("3probe"));
        session_release_poll(socket->session);
    } else if (bytes_equal(text, bytes_of_string("5"))) {
        socket->is_probe = false;
        session_bind(socket->session, socket);
    } else {
        socket->is_broken = true;
    }
}

static void socket_take_packet(struct target_socket *socket,
                               const struct wslay_event_on_msg_recv_arg *message)
{
    struct bytes packet = bytes_of(message->msg, message->msg_length);
    if (socket->is_probe) {
        socket_probe(socket, packet);
    } else if (message->opcode == WSLAY_BINARY_FRAME) {
        session_end(socket->session);
    } else {
        (void)session_receive(socket->session, packet);
    }
}

/* What the sessions have for their WebSockets. */
static void flush_sessions(struct target_sockets *sockets)
{
    struct target_socket *socket;
    while ((socket = sessions_take_ready(sockets->sessions)) != NULL) {
        struct buffer packet SCOPED(buffer_finish);
        buffer_init(&packet, TARGET_SOCKETS_MAX_MESSAGE_BYTES);
        while (session_take_packet(socket->session, &packet)) {
            socket_queue_text(socket, buffer_bytes(&packet));
            buffer_clear(&packet);
        }
        if (session_is_over(socket->session)) {
            (void)wslay_event_queue_close(socket->wslay, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
        }
        socket_flush(socket);
    }
}

static void on_socket_message(wslay_event_context_ptr wslay,
                              const struct wslay_event_on_msg_recv_arg *message, void *context)
{
    struct target_socket *socket = context;
    struct wslay_event_msg copy = {
        .opcode = message->opcode, .msg = message->msg, .msg_length = message->msg_length};
    if (message->opcode != WSLAY_TEXT_FRAME && message->opcode != WSLAY_BINARY_FRAME) {
        return;
    }
    if (socket->session != NULL) {
        socket_take_packet(socket, message);
        return;
    }
    if (socket->room == NULL) {
        (void)wslay_event_queue_msg(wslay, &copy);
        return;
    }
    struct target_socket *member = map_get(socket->sockets->rooms, room_key(socket));
    for (; member != NULL; member = member->next_member) {
        (void)wslay_event_queue_msg(member->wslay, &copy);
        if (member != socket) { /* it is flushed when all that it has sent was read */
            socket_flush(member);
        }
    }
}

static void socket_join(struct target_socket *socket)
{
    struct target_sockets *sockets = socket->sockets;
    if (socket->room == NULL) {
        return;
    }
    socket->next_member = map_get(sockets->rooms, room_key(socket));
    if (socket->next_member != NULL) {
        socket->next_member->at_member = &socket->next_member;
    }
    socket->at_member = NULL;
    (void)map_put(sockets->rooms, room_key(socket), socket);
}

static void socket_part(struct target_socket *socket)
{
    struct target_sockets *sockets = socket->sockets;
    if (socket->room == NULL) {
        return;
    }
    if (socket->next_member != NULL) {
        socket->next_member->at_member = socket->at_member;
    }
    if (socket->at_member != NULL) {
        *socket->at_member = socket->next_member;
    } else if (socket->next_member != NULL) {
        (void)map_put(sockets->rooms, room_key(socket), socket->next_member);
    } else {
        (void)map_remove(sockets->rooms, room_key(socket));
    }
}

static void target_socket_free(struct target_socket *socket)
{
    if (socket->session != NULL && !socket->is_probe) {
        session_unbind(socket->session);
    }
    session_release(&socket->session);
    if (socket->wslay != NULL) {
        wslay_event_context_free(socket->wslay);
    }
    if (socket->handle != NULL) {
        (void)MHD_upgrade_action(socket->handle, MHD_UPGRADE_ACTION_CLOSE);
    }
    buffer_finish(&socket->extra);
    memory_free(socket->room);
    memory_free(socket);
}

static void socket_drop(struct target_socket *socket)
{
    (void)epoll_ctl(socket->sockets->epoll, EPOLL_CTL_DEL, socket->fd, NULL);
    socket_part(socket);
    *socket->at = socket->next;
    if (socket->next != NULL) {
        socket->next->at = socket->at;
    }
    target_socket_free(socket);
}

static void socket_read(struct target_socket *socket)
{
    if (wslay_event_recv(socket->wslay) != 0) {
        socket->is_broken = true;
    } else {
        socket_flush(socket);
    }
}

static void socket_attach(struct target_socket *socket)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    socket->fd = socket->arrived_fd;
    if (socket->has_left || epoll_ctl(socket->sockets->epoll, EPOLL_CTL_ADD, socket->fd, &event) != 0) {
        socket->is_broken = true;
        return;
    }
    socket->events = EPOLLIN;
    if (socket->session != NULL && !socket->is_probe) {
        session_bind(socket->session, socket);
    }
    socket_read(socket); /* what has come with the handshake */
}

static void socket_begin(struct target_socket *socket)
{
    struct target_sockets *sockets = socket->sockets;
    socket->next = sockets->all;
    socket->at = &sockets->all;
    if (socket->next != NULL) {
        socket->next->at = &socket->next;
    }
    sockets->all = socket;
    socket_join(socket);
}

/* False once all is to end. */
static bool take_added(struct target_sockets *sockets)
{
    uint64_t count;
    ssize_t taken = read(sockets->wakeup, &count, sizeof count);
    (void)taken;
    pthread_mutex_lock(&sockets->lock);
    struct target_socket *added = sockets->added;
    struct target_socket *arrived = sockets->arrived;
    bool is_stopping = sockets->is_stopping;
    sockets->added = NULL;
    sockets->arrived = NULL;
    pthread_mutex_unlock(&sockets->lock);
    while (added != NULL) {
        struct target_socket *next = added->next;
        socket_begin(added);
        added = next;
    }
    while (arrived != NULL) {
        struct target_socket *next = arrived->next_arrived;
        socket_attach(arrived);
        arrived = next;
    }
    return !is_stopping;
}

/* After the events of a turn: an event may be that of one that another has broken. */
static void drop_broken(struct target_sockets *sockets)
{
    struct target_socket *next;
    for (struct target_socket *socket = sockets->all; socket != NULL; socket = next) {
        next = socket->next;
        if (socket->is_broken) {
            socket_drop(socket);
        }
    }
}

static void *serve_sockets(void *argument)
{
    struct target_sockets *sockets = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    bool is_running = true;
    while (is_running) {
        bool has_sessions = sessions_tick(sockets->sessions, clock_now_ns());
        flush_sessions(sockets);
        int count = epoll_wait(sockets->epoll, events, EVENTS_AT_ONCE, has_sessions ? TICK_MS : -1);
        /* Before any message: who was connected when it was sent is to get it. */
        is_running = take_added(sockets);
        for (int i = 0; i < count; i++) {
            struct target_socket *socket = events[i].data.ptr;
            if (socket == NULL) {
                continue; /* the wakeup, which take_added has read */
            }
            if ((events[i].events & EPOLLIN) != 0) {
                socket_read(socket);
            } else if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0) {
                socket->is_broken = true;
            } else {
                socket_flush(socket);
            }
        }
        flush_sessions(sockets);
        drop_broken(sockets);
    }
    while (sockets->all != NULL) {
        socket_drop(sockets->all);
    }
    return NULL;
}

static void target_sockets_destroy(struct target_sockets *sockets)
{
    if (sockets->epoll >= 0) {
        close(sockets->epoll);
    }
    if (sockets->wakeup >= 0) {
        close(sockets->wakeup);
    }
    map_free(&sockets->rooms);
    pthread_mutex_destroy(&sockets->lock);
    memory_free(sockets);
}

struct target_sockets *target_sockets_new(struct sessions *sessions, struct error *error)
{
    struct target_sockets *sockets = MEMORY_NEW(struct target_sockets);
    struct epoll_event event = {.events = EPOLLIN};
    pthread_mutex_init(&sockets->lock, NULL);
    sockets->rooms = map_new();
    sockets->sessions = sessions;
    sessions_set_wake(sessions, target_sockets_wake, sockets);
    sockets->epoll = epoll_create1(EPOLL_CLOEXEC);
    sockets->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sockets->epoll >= 0 && sockets->wakeup >= 0 &&
        epoll_ctl(sockets->epoll, EPOLL_CTL_ADD, sockets->wakeup, &event) == 0 &&
        pthread_create(&sockets->thread, NULL, serve_sockets, sockets) == 0) {
        return sockets;
    }
    error_set(error, "cannot start the thread of the target's WebSockets");
    target_sockets_destroy(sockets);
    return NULL;
}

void target_sockets_stop(struct target_sockets *sockets)
{
    pthread_mutex_lock(&sockets->lock);
    sockets->is_stopping = true;
    pthread_mutex_unlock(&sockets->lock);
    target_sockets_wake(sockets);
    pthread_join(sockets->thread, NULL);
}

void target_sockets_free(struct target_sockets **sockets)
{
    if (*sockets != NULL) {
        target_sockets_destroy(*sockets);
    }
    *sockets = NULL;
}

/* NULL if there is no memory for it. */
static struct target_socket *target_socket_new(struct target_sockets *sockets, const char *room)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_socket_receive,
                                                           .send_callback = on_socket_send,
                                                           .on_msg_recv_callback = on_socket_message};
    struct target_socket *socket = MEMORY_NEW(struct target_socket);
    if (wslay_event_context_server_init(&socket->wslay, &callbacks, socket) != 0) {
        memory_free(socket);
        return NULL;
    }
    wslay_event_config_set_max_recv_msg_length(socket->wslay, TARGET_SOCKETS_MAX_MESSAGE_BYTES);
    socket->sockets = sockets;
    socket->fd = socket->arrived_fd = -1;
    socket->room = memory_copy_string(room);
    return socket;
}

static void target_socket_take(struct target_socket *socket, const struct target_socket_wire *wire)
{
    socket->handle = wire->handle;
    socket->arrived_fd = wire->fd;
    buffer_init(&socket->extra, wire->extra.size);
    (void)buffer_append(&socket->extra, wire->extra.data, wire->extra.size);
}

/* False, and it is still the caller's, if no more are taken. */
static bool target_sockets_push(struct target_sockets *sockets, struct target_socket *socket)
{
    pthread_mutex_lock(&sockets->lock);
    bool is_taken = !sockets->is_stopping;
    if (is_taken) {
        socket->next = sockets->added;
        sockets->added = socket;
    }
    if (is_taken && socket->arrived_fd >= 0) {
        socket->next_arrived = sockets->arrived;
        sockets->arrived = socket;
    }
    pthread_mutex_unlock(&sockets->lock);
    if (is_taken) {
        target_sockets_wake(sockets);
    }
    return is_taken;
}

void target_sockets_add(struct target_sockets *sockets, const struct target_socket_use *use,
                        const struct target_socket_wire *wire)
{
    struct target_socket *socket = target_socket_new(sockets, use->room);
    if (socket == NULL) {
        struct session *session = use->session;
        session_release(&session);
        (void)MHD_upgrade_action(wire->handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    target_socket_take(socket, wire);
    socket->session = use->session;
    socket->is_probe = use->is_probe;
    if (!target_sockets_push(sockets, socket)) {
        target_socket_free(socket);
    }
}

struct target_socket *target_sockets_join(struct target_sockets *sockets, const char *room)
{
    struct target_socket *socket = target_socket_new(sockets, room);
    if (socket != NULL && !target_sockets_push(sockets, socket)) {
        target_socket_free(socket);
        return NULL;
    }
    return socket;
}

/* `wire` is NULL for one that has left. The thread has freed it, or will, if it is to stop. */
static void target_sockets_arrive(struct target_sockets *sockets, struct target_socket *socket,
                                  const struct target_socket_wire *wire)
{
    pthread_mutex_lock(&sockets->lock);
    bool is_taken = !sockets->is_stopping;
    if (is_taken) {
        if (wire != NULL) {
            target_socket_take(socket, wire);
        }
        socket->has_left = wire == NULL;
        socket->next_arrived = sockets->arrived;
        sockets->arrived = socket;
    }
    pthread_mutex_unlock(&sockets->lock);
    if (is_taken) {
        target_sockets_wake(sockets);
    } else if (wire != NULL) {
        (void)MHD_upgrade_action(wire->handle, MHD_UPGRADE_ACTION_CLOSE);
    }
}

void target_sockets_attach(struct target_sockets *sockets, struct target_socket *socket,
                           const struct target_socket_wire *wire)
{
    target_sockets_arrive(sockets, socket, wire);
}

void target_sockets_leave(struct target_sockets *sockets, struct target_socket *socket)
{
    target_sockets_arrive(sockets, socket, NULL);
}
