/* Tells when sockets are ready. */
#include "agent/net/poller.h"

#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256
/* So often before others on the loop have their turn. */
#define ROUNDS_AT_ONCE 4
#define NO_SLOT UINT32_MAX

/* The kernel gives back a number and a generation, not an address: a process that was forked meanwhile holds
 * the socket open for a moment, and an event of one that is gone has to find nobody. */
struct poller_slot {
    struct poller_socket *socket; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct poller {
    uv_loop_t *loop;
    uv_poll_t poll;
    int fd; /* -1: no socket has come yet */
    struct poller_slot *slots;
    size_t slot_count;
    size_t slot_capacity;
    uint32_t first_free;
    void (*on_idle)(void *context);
    void *context;
};

static void poller_tell(struct poller *poller, const struct epoll_event *event)
{
    const struct poller_slot *slot = &poller->slots[event->data.u64 & UINT32_MAX];

    if (slot->socket != NULL && slot->generation == event->data.u64 >> 32) {
        slot->socket->on_ready(slot->socket, event->events);
    }
}

static void poller_on_ready(uv_poll_t *poll, int status, int events)
{
    struct poller *poller = poll->data;
    struct epoll_event found[EVENTS_AT_ONCE];
    int count = EVENTS_AT_ONCE;

    (void)status, (void)events;
    for (int round = 0; round < ROUNDS_AT_ONCE && count == EVENTS_AT_ONCE; round++) {
        count = epoll_wait(poller->fd, found, EVENTS_AT_ONCE, 0);
        for (int i = 0; i < count; i++) {
            poller_tell(poller, &found[i]);
        }
    }
    poller->on_idle(poller->context);
}

struct poller *poller_new(uv_loop_t *loop, void (*on_idle)(void *context), void *context)
{
    struct poller *poller = MEMORY_NEW(struct poller);

    poller->loop = loop;
    poller->fd = -1;
    poller->first_free = NO_SLOT;
    poller->on_idle = on_idle;
    poller->context = context;
    return poller;
}

static void poller_free(struct poller *poller)
{
    memory_free(poller->slots);
    memory_free(poller);
}

static void on_poller_closed(uv_handle_t *handle)
{
    struct poller *poller = handle->data;

    close(poller->fd);
    poller_free(poller);
}

void poller_close(struct poller **pointer)
{
    struct poller *poller = *pointer;

    if (poller == NULL) {
        return;
    }
    if (poller->fd < 0) {
        poller_free(poller);
    } else {
        uv_close((uv_handle_t *)&poller->poll, on_poller_closed);
    }
    *pointer = NULL;
}

/* With the first socket. 0, or an errno. */
static int poller_open(struct poller *poller)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    int status = uv_poll_init(poller->loop, &poller->poll, fd);
    if (status != 0) {
        close(fd);
        return -status;
    }
    poller->poll.data = poller;
    poller->fd = fd;
    uv_poll_start(&poller->poll, UV_READABLE, poller_on_ready);
    return 0;
}

static uint32_t take_slot(struct poller *poller)
{
    uint32_t slot = poller->first_free;

    if (slot != NO_SLOT) {
        poller->first_free = poller->slots[slot].next_free;
        return slot;
    }
    poller->slots =
        memory_reserve(poller->slots, &poller->slot_capacity, poller->slot_count + 1, sizeof *poller->slots);
    poller->slots[poller->slot_count] = (struct poller_slot){.generation = 0};
    return (uint32_t)poller->slot_count++;
}

static void give_slot(struct poller *poller, uint32_t slot)
{
    poller->slots[slot].socket = NULL;
    poller->slots[slot].generation++;
    poller->slots[slot].next_free = poller->first_free;
    poller->first_free = slot;
}

static int poller_control(struct poller_socket *socket, int operation)
{
    uint64_t generation = socket->poller->slots[socket->slot].generation;
    struct epoll_event event = {.events = socket->events, .data.u64 = generation << 32 | socket->slot};

    return epoll_ctl(socket->poller->fd, operation, socket->fd, &event) == 0 ? 0 : errno;
}

int poller_add(struct poller *poller, struct poller_socket *socket, int fd, uint32_t events)
{
    socket->poller = poller;
    socket->fd = fd;
    socket->events = events;
    int number = poller->fd < 0 ? poller_open(poller) : 0;
    if (number != 0) {
        return number;
    }
    socket->slot = take_slot(poller);
    number = poller_control(socket, EPOLL_CTL_ADD);
    if (number != 0) {
        give_slot(poller, socket->slot);
        return number;
    }
    poller->slots[socket->slot].socket = socket;
    return 0;
}

void poller_again(struct poller_socket *socket)
{
    int number = poller_control(socket, EPOLL_CTL_MOD);

    assert(number == 0);
    (void)number;
}

void poller_change(struct poller_socket *socket, uint32_t events)
{
    if (socket->events != events) {
        socket->events = events;
        poller_again(socket);
    }
}

void poller_remove(struct poller_socket *socket)
{
    give_slot(socket->poller, socket->slot);
}
