/* How a stream gets through an HTTP proxy. */
#include "agent/net/stream_inside.h"

#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void stream_tunnel_drop(struct stream *stream)
{
    if (stream->tunnel != NULL) {
        tunnel_finish(stream->tunnel);
        memory_free(stream->tunnel);
        stream->tunnel = NULL;
    }
}

void stream_tunnel_begin(struct stream *stream)
{
    const struct stream_target *target = &stream->target;
    SCOPED(buffer_finish) struct buffer request;

    stream->tunnel = MEMORY_NEW(struct tunnel);
    tunnel_init(stream->tunnel);
    buffer_init(&request, TUNNEL_HEAD_MAX_BYTES);
    tunnel_ask(&request, target->host, target->port, target->proxy->authorization);
    stream_write_wire(stream, buffer_bytes(&request));
}

static void stream_tunnel_fail(struct stream *stream, ssize_t count)
{
    char text[120] = "it closed the connection without an answer";

    if (count < 0) {
        snprintf(text, sizeof text, "the connection broke: %s", strerror(errno));
    }
    stream_fail(stream, NET_PROXY, text);
}

/* What follows the answer stays in the kernel, for the next who reads. */
void stream_tunnel_read(struct stream *stream)
{
    size_t used = 0;
    ssize_t count;

    do {
        count = recv(stream->socket->polled.fd, stream->net->wire, TUNNEL_HEAD_MAX_BYTES, MSG_PEEK);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) {
        if (count == 0 || errno != EAGAIN) {
            stream_tunnel_fail(stream, count);
        }
        return;
    }
    enum tunnel_result result =
        tunnel_take(stream->tunnel, bytes_of(stream->net->wire, (size_t)count), &used);
    (void)recv(stream->socket->polled.fd, stream->net->wire, used, 0);
    stream->proxy_status = stream->tunnel->status;
    if (result == TUNNEL_REFUSED) {
        char text[TUNNEL_TEXT_BYTES];
        memcpy(text, stream->tunnel->text, sizeof text);
        stream_fail(stream, NET_PROXY, text);
        return;
    }
    poller_again(&stream->socket->polled); /* more may be there already */
    if (result == TUNNEL_OPEN) {
        stream_tunnel_drop(stream);
        stream->times.connected_ns = clock_now_ns();
        stream_begin(stream);
    }
}
