/* What a stream sends: to the kernel what it takes, in order; the rest waits until it takes more. */
#include "agent/net/stream_inside.h"

#include "common/clock.h"

#include <errno.h>
#include <sys/socket.h>

/* What a stream keeps of its memory once all has been sent. */
#define PENDING_KEPT_BYTES (16u * 1024u)
/* What is encrypted at once of what is large. */
#define PIECE_BYTES (64u * 1024u)

size_t stream_pending(const struct stream *stream)
{
    return stream->gathered_size + stream->pending.size - stream->pending_start + stream->borrowed.size;
}

/* How many bytes the kernel took. One that is broken takes all: reading says what has become of it, and
 * perhaps an answer has come before. */
static size_t send_now(struct stream *stream, struct bytes data)
{
    ssize_t count;

    if (stream->is_write_broken) {
        stream->taken_bytes += data.size;
        return data.size;
    }
    if (!net_may_send(stream->net)) {
        return 0;
    }
    do {
        count = send(stream->socket->polled.fd, data.data, data.size, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN && errno != ENOBUFS) {
        stream->is_write_broken = true;
        count = (ssize_t)data.size;
    }
    stream->taken_bytes += count > 0 ? (uint64_t)count : 0;
    return count > 0 ? (size_t)count : 0;
}

/* What the kernel does not take waits. */
static void send_or_keep(struct stream *stream, struct bytes data)
{
    size_t sent = stream->pending.size == 0 ? send_now(stream, data) : 0;

    if (sent < data.size) {
        (void)buffer_append(&stream->pending, data.data + sent, data.size - sent);
        stream_listen(stream);
    }
}

void stream_send_gathered(struct stream *stream, struct bytes data)
{
    stream->gathered_size -= data.size;
    send_or_keep(stream, data);
    stream->net->now_ns = clock_now_ns();
    if (stream_pending(stream) == 0) {
        stream->times.drained_ns = stream->net->now_ns;
    }
}

void stream_write_wire(struct stream *stream, struct bytes data)
{
    if (stream->pending.size == 0 && stream_gather(stream, data)) {
        return;
    }
    if (stream->gathered_size > 0) {
        net_send_gathered(stream->net);
    }
    send_or_keep(stream, data);
}

bool stream_take_from_tls(void *context, struct bytes data)
{
    stream_write_wire(context, data);
    return true;
}

static void flush_pending(struct stream *stream)
{
    struct bytes rest =
        bytes_of(stream->pending.data + stream->pending_start, stream->pending.size - stream->pending_start);

    if (rest.size == 0) {
        return;
    }
    stream->pending_start += send_now(stream, rest);
    if (stream->pending_start < stream->pending.size) {
        return;
    }
    stream->pending_start = 0;
    if (stream->pending.capacity > PENDING_KEPT_BYTES) {
        buffer_finish(&stream->pending);
    }
    buffer_clear(&stream->pending);
}

void stream_write(struct stream *stream, struct bytes data)
{
    struct error error;

    if (stream->state != STREAM_OPEN || data.size == 0) {
        return;
    }
    if (stream->tls == NULL) {
        stream_write_wire(stream, data);
    } else if (tls_session_write(stream->tls, data, &error) == TLS_FAILED) {
        stream->is_write_broken = true;
    }
}

void stream_write_soon(struct stream *stream, struct bytes data)
{
    stream->is_patient = true;
    stream_write(stream, data);
    stream->is_patient = false;
}

/* As much of what is large as the kernel takes. */
static void pump_borrowed(struct stream *stream)
{
    struct error error;

    while (stream->borrowed.size > 0 && stream->pending.size == 0) {
        struct bytes piece = stream->borrowed;
        size_t sent;
        if (stream->tls == NULL) {
            sent = send_now(stream, piece);
        } else {
            piece.size = piece.size < PIECE_BYTES ? piece.size : PIECE_BYTES;
            stream->is_write_broken |= tls_session_write(stream->tls, piece, &error) == TLS_FAILED;
            sent = piece.size;
        }
        stream->borrowed = bytes_of(stream->borrowed.data + sent, stream->borrowed.size - sent);
        if (sent < piece.size) {
            break;
        }
    }
    if (stream->is_write_broken) {
        stream->borrowed = bytes_of(NULL, 0);
    }
}

void stream_write_borrowed(struct stream *stream, struct bytes data)
{
    if (stream->state != STREAM_OPEN) {
        return;
    }
    if (stream->gathered_size > 0) {
        net_send_gathered(stream->net);
    }
    stream->borrowed = data;
    pump_borrowed(stream);
    stream_listen(stream);
}

void stream_go_on_writing(struct stream *stream)
{
    flush_pending(stream);
    pump_borrowed(stream);
    stream_listen(stream);
    bool is_drained = stream_pending(stream) == 0;
    if (is_drained) {
        stream->times.drained_ns = clock_now_ns();
    }
    if (stream->callbacks.on_progress != NULL) {
        stream->callbacks.on_progress(stream->context);
    }
    if (is_drained && stream->socket != NULL && stream->callbacks.on_drain != NULL) {
        stream->callbacks.on_drain(stream->context);
    }
}
