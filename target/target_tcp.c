/* The plain TCP of the practice target. */
#include "target/target_tcp.h"

#include "common/buffer.h"
#include "common/memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define READ_BYTES (64u * 1024u)

struct target_tcp_connection {
    struct target_tcp_connection *next;
    struct target_tcp_connection **at;
    int fd;
    struct buffer pending; /* what the kernel has not taken: nothing is read before it has */
    size_t pending_start;
};

struct target_tcp {
    pthread_t thread;
    int listener;
    int epoll;
    int wakeup; /* readable: it is to end */
    struct target_tcp_connection *all;
    size_t count;
    char chunk[READ_BYTES];
};

static bool tcp_watch(const struct target_tcp *tcp, int fd, void *owner, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = owner};

    return epoll_ctl(tcp->epoll, operation, fd, &event) == 0;
}

static void tcp_drop(struct target_tcp *tcp, struct target_tcp_connection *connection)
{
    *connection->at = connection->next;
    if (connection->next != NULL) {
        connection->next->at = connection->at;
    }
    tcp->count--;
    close(connection->fd);
    buffer_finish(&connection->pending);
    memory_free(connection);
}

static void tcp_accept(struct target_tcp *tcp)
{
    const int yes = 1;
    int fd = accept4(tcp->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return;
    }
    if (tcp->count == TARGET_TCP_MAX_CONNECTIONS) {
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct target_tcp_connection *connection = MEMORY_NEW(struct target_tcp_connection);
    connection->fd = fd;
    buffer_init(&connection->pending, READ_BYTES);
    connection->next = tcp->all;
    connection->at = &tcp->all;
    if (connection->next != NULL) {
        connection->next->at = &connection->next;
    }
    tcp->all = connection;
    tcp->count++;
    if (!tcp_watch(tcp, fd, connection, EPOLLIN, EPOLL_CTL_ADD)) {
        tcp_drop(tcp, connection);
    }
}

/* How many of the bytes the kernel took; -1: the connection is broken. */
static ssize_t tcp_send(const struct target_tcp_connection *connection, const void *data, size_t size)
{
    ssize_t count = send(connection->fd, data, size, MSG_NOSIGNAL);

    return count >= 0 || (errno != EAGAIN && errno != EINTR) ? count : 0;
}

/* False if the connection is over. */
static bool tcp_read(struct target_tcp *tcp, struct target_tcp_connection *connection)
{
    ssize_t count = recv(connection->fd, tcp->chunk, READ_BYTES, 0);

    if (count <= 0) {
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    }
    ssize_t sent = tcp_send(connection, tcp->chunk, (size_t)count);
    if (sent < 0) {
        return false;
    }
    if (sent < count) {
        connection->pending_start = 0;
        (void)buffer_append(&connection->pending, tcp->chunk + sent, (size_t)(count - sent));
        return tcp_watch(tcp, connection->fd, connection, EPOLLOUT, EPOLL_CTL_MOD);
    }
    return true;
}

static bool tcp_flush(struct target_tcp *tcp, struct target_tcp_connection *connection)
{
    struct buffer *pending = &connection->pending;
    ssize_t sent = tcp_send(connection, pending->data + connection->pending_start,
                            pending->size - connection->pending_start);

    if (sent < 0) {
        return false;
    }
    connection->pending_start += (size_t)sent;
    if (connection->pending_start < pending->size) {
        return true;
    }
    buffer_finish(pending);
    buffer_init(pending, READ_BYTES);
    return tcp_watch(tcp, connection->fd, connection, EPOLLIN, EPOLL_CTL_MOD);
}

static void *serve_tcp(void *argument)
{
    struct target_tcp *tcp = argument;
    struct epoll_event events[EVENTS_AT_ONCE];

    for (;;) {
        int count = epoll_wait(tcp->epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < count; i++) {
            struct target_tcp_connection *connection = events[i].data.ptr;
            if (events[i].data.ptr == &tcp->wakeup) {
                return NULL;
            }
            if (events[i].data.ptr == tcp) {
                tcp_accept(tcp);
                continue;
            }
            bool is_alive =
                (events[i].events & EPOLLOUT) != 0 ? tcp_flush(tcp, connection) : tcp_read(tcp, connection);
            if (!is_alive) {
                tcp_drop(tcp, connection);
            }
        }
    }
}

static void tcp_destroy(struct target_tcp *tcp)
{
    while (tcp->all != NULL) {
        tcp_drop(tcp, tcp->all);
    }
    close(tcp->listener);
    if (tcp->epoll >= 0) {
        close(tcp->epoll);
    }
    if (tcp->wakeup >= 0) {
        close(tcp->wakeup);
    }
    memory_free(tcp);
}

struct target_tcp *target_tcp_new(int listener, struct error *error)
{
    struct target_tcp *tcp = MEMORY_NEW(struct target_tcp);

    tcp->listener = listener;
    tcp->epoll = epoll_create1(EPOLL_CLOEXEC);
    tcp->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tcp->epoll >= 0 && tcp->wakeup >= 0 &&
        tcp_watch(tcp, tcp->wakeup, &tcp->wakeup, EPOLLIN, EPOLL_CTL_ADD) &&
        tcp_watch(tcp, tcp->listener, tcp, EPOLLIN, EPOLL_CTL_ADD) &&
        pthread_create(&tcp->thread, NULL, serve_tcp, tcp) == 0) {
        return tcp;
    }
    error_set(error, "cannot start the thread of the target's TCP");
    tcp_destroy(tcp);
    return NULL;
}

void target_tcp_free(struct target_tcp **pointer)
{
    struct target_tcp *tcp = *pointer;
    uint64_t one = 1;

    *pointer = NULL;
    if (tcp == NULL) {
        return;
    }
    ssize_t written = write(tcp->wakeup, &one, sizeof one);
    (void)written; /* it is awake if the counter is full */
    pthread_join(tcp->thread, NULL);
    tcp_destroy(tcp);
}
