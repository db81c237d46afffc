/* The agent's side of a warden: a process and a socket on the loop. */
#include "agent/browser/warden_link.h"

#include "agent/browser/warden.h"
#include "common/container.h"
#include "common/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ARGUMENTS 8
#define WHAT_BYTES 96
/* Of one turn of the loop. */
#define MAX_PACKETS 16

struct warden_link {
    uv_process_t process;
    uv_poll_t poll;
    int socket;
    struct warden_link_callbacks callbacks;
    int running_parts; /* process and socket, as long as they have not ended */
    int handles;       /* that are not closed, and the owner */
    bool is_closing;
    char what[WHAT_BYTES];
};

static void let_go(struct warden_link *link)
{
    link->handles--;
    if (link->handles > 0)
        return;
    (void)close(link->socket);
    memory_free(link);
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void end_part(struct warden_link *link)
{
    link->running_parts--;
    if (link->running_parts == 0 && !link->is_closing)
        link->callbacks.on_end(link->callbacks.context, link->what[0] ? link->what : NULL);
}

static void on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct warden_link *link = CONTAINER_OF(process, struct warden_link, process);

    if (signal_number != 0)
        snprintf(link->what, sizeof link->what, "was ended by signal %d (%s)", signal_number,
                 strsignal(signal_number));
    else if (status != 0)
        snprintf(link->what, sizeof link->what, "ended with exit code %d", (int)status);
    close_handle((uv_handle_t *)process);
    end_part(link);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct warden_link *link = CONTAINER_OF(poll, struct warden_link, poll);
    char packet[WARDEN_PACKET_BYTES];

    (void)events;
    for (int i = 0; i < MAX_PACKETS && !link->is_closing; i++) {
        ssize_t size = status < 0 ? 0 : recv(link->socket, packet, sizeof packet, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size <= 0) {
            close_handle((uv_handle_t *)poll);
            end_part(link);
            return;
        }
        link->callbacks.on_packet(link->callbacks.context, packet[0], bytes_of(packet + 1, (size_t)size - 1));
    }
}

static int spawn(struct warden_link *link, uv_loop_t *loop, const char *const *arguments, int theirs)
{
    const char *all[MAX_ARGUMENTS] = {"tutti", "warden"};
    uv_stdio_container_t containers[WARDEN_SOCKET + 1] = {0};

    for (size_t i = 0; i < MAX_ARGUMENTS - 3 && arguments[i]; i++)
        all[i + 2] = arguments[i];
    containers[WARDEN_SOCKET].flags = UV_INHERIT_FD;
    containers[WARDEN_SOCKET].data.fd = theirs;
    uv_process_options_t options = {
        .exit_cb = on_exit,
        .file = "/proc/self/exe",
        .args = (char **)all,
        .stdio = containers,
        .stdio_count = WARDEN_SOCKET + 1,
        /* Signals for our group, and the end of our terminal, are not for it. */
        .flags = UV_PROCESS_DETACHED,
    };
    return uv_spawn(loop, &link->process, &options);
}

struct warden_link *warden_link_start(uv_loop_t *loop, const char *const *arguments,
                                      const struct warden_link_callbacks *callbacks, struct error *error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set_system(error, errno, "cannot make a pair of sockets");
        return NULL;
    }
    struct warden_link *link = MEMORY_NEW(struct warden_link);
    link->socket = ends[0];
    link->callbacks = *callbacks;
    link->handles = 3;
    link->running_parts = 2;
    link->process.data = link->poll.data = link;
    int result = spawn(link, loop, arguments, ends[1]);
    (void)close(ends[1]);
    if (uv_poll_init(loop, &link->poll, link->socket) != 0)
        result = result != 0 ? result : UV_ENOMEM;
    link->process.data = link->poll.data = link;
    if (result != 0) {
        error_set(error, "a process could not be started: %s", uv_strerror(result));
        warden_link_close(&link);
        return NULL;
    }
    (void)uv_poll_start(&link->poll, UV_READABLE, on_readable);
    return link;
}

void warden_link_send(struct warden_link *link, char kind)
{
    (void)send(link->socket, &kind, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void warden_link_hang_up(struct warden_link *link)
{
    (void)shutdown(link->socket, SHUT_WR);
}

void warden_link_kill(struct warden_link *link)
{
    if (!uv_is_closing((uv_handle_t *)&link->process))
        (void)uv_process_kill(&link->process, SIGKILL);
}

void warden_link_close(struct warden_link **pointer)
{
    struct warden_link *link = *pointer;

    *pointer = NULL;
    if (!link)
        return;
    link->is_closing = true;
    (void)shutdown(link->socket, SHUT_RDWR);
    close_handle((uv_handle_t *)&link->process);
    close_handle((uv_handle_t *)&link->poll);
    let_go(link);
}
