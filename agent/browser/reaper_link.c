/* The agent's side of a reaper: a socket on the loop. */
#include "agent/browser/reaper_link.h"

#include "agent/browser/reaper.h"
#include "common/container.h"
#include "common/memory.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHAT_BYTES 96
/* Per turn of the loop. */
#define MAX_PACKETS 16

struct reaper_link {
    uv_poll_t poll;
    int socket;
    struct starter_link *starter;
    uint32_t number; /* identifies the reaper to the starter */
    struct reaper_link_callbacks callbacks;
    int handles; /* handles that are not closed, and the owner */
    bool is_closing;
    char what[WHAT_BYTES];
};

static void let_go(struct reaper_link *link)
{
    link->handles--;
    if (link->handles > 0) {
        return;
    }
    (void)close(link->socket);
    memory_free(link);
}

static void reaper_link_on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, reaper_link_on_closed);
    }
}

static void hear(struct reaper_link *link, char kind, struct bytes text)
{
    if (kind == STARTER_DIED && text.size > 1) {
        bytes_to_text(bytes_of(text.data + 1, text.size - 1), link->what, sizeof link->what);
    } else {
        link->callbacks.on_packet(link->callbacks.context, kind, text);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct reaper_link *link = CONTAINER_OF(poll, struct reaper_link, poll);
    char packet[REAPER_PACKET_BYTES];

    (void)events;
    for (int i = 0; i < MAX_PACKETS && !link->is_closing; i++) {
        ssize_t size = status < 0 ? 0 : recv(link->socket, packet, sizeof packet, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (size <= 0) {
            close_handle((uv_handle_t *)poll);
            link->callbacks.on_end(link->callbacks.context, link->what[0] ? link->what : NULL);
            return;
        }
        hear(link, packet[0], bytes_of(packet + 1, (size_t)size - 1));
    }
}

struct reaper_link *reaper_link_start(uv_loop_t *loop, struct starter_link *starter,
                                      const struct starter_request *wanted,
                                      const struct reaper_link_callbacks *callbacks, struct error *error)
{
    struct starter_request request = *wanted;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set_system(error, errno, "cannot create a socket pair");
        return NULL;
    }
    bool is_asked = starter_link_ask(starter, &request, ends[1], error);
    (void)close(ends[1]);
    if (!is_asked) {
        (void)close(ends[0]);
        return NULL;
    }
    struct reaper_link *link = MEMORY_NEW(struct reaper_link);
    link->socket = ends[0];
    link->starter = starter;
    link->number = request.number;
    link->callbacks = *callbacks;
    link->handles = 2;
    if (uv_poll_init(loop, &link->poll, link->socket) != 0) {
        error_set(error, "cannot receive from a reaper");
        (void)close(link->socket);
        memory_free(link);
        return NULL;
    }
    link->poll.data = link;
    (void)uv_poll_start(&link->poll, UV_READABLE, on_readable);
    return link;
}

void reaper_link_send(struct reaper_link *link, char kind)
{
    (void)send(link->socket, &kind, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void reaper_link_hang_up(struct reaper_link *link)
{
    (void)shutdown(link->socket, SHUT_WR);
}

void reaper_link_kill(struct reaper_link *link)
{
    struct starter_request request = {.action = STARTER_KILL, .number = link->number};

    (void)!starter_link_ask(link->starter, &request, -1, NULL);
}

void reaper_link_close(struct reaper_link **pointer)
{
    struct reaper_link *link = *pointer;

    *pointer = NULL;
    if (link == NULL) {
        return;
    }
    link->is_closing = true;
    (void)shutdown(link->socket, SHUT_RDWR);
    close_handle((uv_handle_t *)&link->poll);
    let_go(link);
}
