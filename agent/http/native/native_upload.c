/* Bodies that are written piece by piece (RFC 9112 §7.1). */
#include "agent/http/native/native_inside.h"

#include "common/container.h"

/* A piece is no larger, and the next one waits until it has left. */
#define UPLOAD_PIECE_BYTES (64u * 1024u)

void native_upload_begin(struct native_exchange *exchange)
{
    exchange->is_upload_open = exchange->wish.is_chunked;
    native_upload_go_on(exchange);
}

void native_upload_go_on(struct native_exchange *exchange)
{
    if (exchange->is_upload_open && exchange->is_upload_awaited) {
        exchange->is_upload_awaited = false;
        exchange->on_room(exchange->base.context);
    }
}

size_t native_upload_room(struct http_exchange *base)
{
    struct native_exchange *exchange = CONTAINER_OF(base, struct native_exchange, base);

    if (exchange->is_upload_open && exchange->connection != NULL &&
        stream_pending(exchange->connection->stream) == 0) {
        return UPLOAD_PIECE_BYTES;
    }
    exchange->is_upload_awaited = true;
    return 0;
}

void native_upload_write(struct http_exchange *base, struct bytes bytes)
{
    struct native_exchange *exchange = CONTAINER_OF(base, struct native_exchange, base);
    struct buffer *out = &exchange->engine->out;

    if (!exchange->is_upload_open || exchange->connection == NULL) {
        return;
    }
    buffer_clear(out);
    buffer_append_format(out, "%zx\r\n", bytes.size);
    buffer_append(out, bytes.data, bytes.size);
    buffer_append(out, "\r\n", 2);
    exchange->is_upload_open = bytes.size > 0;
    exchange->response.sent_bytes += bytes.size;
    stream_write(exchange->connection->stream, buffer_bytes(out));
}
