/* Tells when sockets are ready, from an epoll of its own, which is one descriptor to the loop. A connection
 * that comes and goes costs two system calls here, nine with a uv_poll, and no handle that has to be closed
 * later. */
#pragma once
#include "common/attributes.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

struct poller;

/* Everything, each time that it comes: no call is needed when a connection is made, and none when it rests.
 * Who is told of bytes reads until there are fewer than there is room for, or asks to be told again. */
#define POLLER_EDGES ((uint32_t)(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))

/* Embedded in what has the socket. */
struct poller_socket {
    struct poller *poller;
    int fd;
    uint32_t events; /* of epoll, that it waits for */
    uint32_t slot;
    /* The socket may be removed, and its memory freed, from within. EPOLLERR and EPOLLHUP come unasked. */
    void (*on_ready)(struct poller_socket *socket, uint32_t events);
};

/* `on_idle` is called after each round of on_ready, when none of them is running. */
MUST_CHECK struct poller *poller_new(uv_loop_t *loop, void (*on_idle)(void *context), void *context);
/* All sockets have to be removed before; the memory goes with the loop's close callbacks. */
void poller_close(struct poller **poller);
/* 0, or an errno: then it is not added. Sets all of the socket but on_ready. */
MUST_CHECK int poller_add(struct poller *poller, struct poller_socket *socket, int fd, uint32_t events);
void poller_change(struct poller_socket *socket, uint32_t events);
/* Is told again of what is there now. */
void poller_again(struct poller_socket *socket);
/* The caller closes the descriptor now. */
void poller_remove(struct poller_socket *socket);
