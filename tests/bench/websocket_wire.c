/* wslay on a socket that does not block. */
#include "tests/bench/websocket_wire.h"

#include <errno.h>
#include <sys/socket.h>

ssize_t websocket_wire_receive(wslay_event_context_ptr wslay, uint8_t *into, size_t size, int flags,
                               void *context)
{
    const int *fd = context;
    ssize_t count = recv(*fd, into, size, 0);
    (void)flags;
    if (count <= 0) {
        wslay_event_set_error(wslay, count < 0 && errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK
                                                                  : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return count;
}

ssize_t websocket_wire_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t size, int flags,
                            void *context)
{
    const int *fd = context;
    ssize_t count = send(*fd, data, size, MSG_NOSIGNAL | ((flags & WSLAY_MSG_MORE) != 0 ? MSG_MORE : 0));
    if (count < 0) {
        wslay_event_set_error(wslay, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return count;
}
