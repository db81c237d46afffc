/* Bodies that are read while they come: what has come and was not read waits in memory up to a bound, and
 * from there on in the kernel. */
#include "agent/http/native/native_inside.h"

#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <string.h>

/* Reading from the connection pauses while more than this has not been read. */
#define STREAM_HELD_BYTES (256u * 1024u)

void native_stream_finish(struct native_exchange *exchange)
{
    if (exchange->streamed != NULL) {
        memory_free(exchange->streamed->head);
        memory_free(exchange->streamed);
        exchange->streamed = NULL;
    }
}

void native_stream_begin(struct native_exchange *exchange, const struct http_request *request)
{
    native_stream_finish(exchange);
    if (request->on_head != NULL) {
        exchange->streamed = MEMORY_NEW(struct native_body_stream);
        exchange->streamed->on_head = request->on_head;
        exchange->streamed->on_data = request->on_data;
    }
}

static size_t stream_held_bytes(const struct native_exchange *exchange)
{
    return exchange->bodies.body.size - exchange->streamed->taken;
}

static void native_stream_pause(struct native_exchange *exchange, bool is_paused)
{
    if (exchange->streamed->is_paused != is_paused && exchange->connection != NULL) {
        exchange->streamed->is_paused = is_paused;
        stream_pause(exchange->connection->stream, is_paused);
    }
}

void native_stream_resume(struct native_exchange *exchange)
{
    if (exchange->streamed != NULL) {
        native_stream_pause(exchange, false);
    }
}

void native_stream_head(struct native_exchange *exchange)
{
    struct native_body_stream *streamed = exchange->streamed;
    struct bytes head = buffer_bytes(&exchange->bodies.head);

    streamed->has_head = true;
    streamed->head = memory_copy(head.data, head.size);
    streamed->head_size = head.size;
    exchange->response.headers = bytes_of(streamed->head, streamed->head_size);
    native_engine_unset_timer(&exchange->timer);
    http_response_complete(&exchange->base, &exchange->response);
    streamed->on_head(exchange->base.context, &exchange->response);
}

void native_stream_make_room(struct native_exchange *exchange)
{
    struct buffer *body = &exchange->bodies.body;
    size_t held = stream_held_bytes(exchange);

    if (exchange->streamed->taken > 0) {
        if (held > 0) {
            memmove(body->data, body->data + exchange->streamed->taken, held);
        }
        body->size = held;
        exchange->streamed->taken = 0;
    }
}

static struct native_arrival *stream_arrival(struct native_body_stream *streamed, unsigned index)
{
    return &streamed->arrivals[(streamed->first_arrival + index) % NATIVE_ARRIVALS];
}

/* Where there are too many to keep, the last one is moved on. */
static void note_arrival(struct native_exchange *exchange)
{
    struct native_body_stream *streamed = exchange->streamed;
    uint64_t came_ns = net_ready_ns(exchange->engine->net);
    bool is_another = streamed->arrival_count == 0 ||
                      (streamed->arrival_count < NATIVE_ARRIVALS &&
                       stream_arrival(streamed, streamed->arrival_count - 1u)->came_ns != came_ns);

    streamed->arrival_count = (uint8_t)(streamed->arrival_count + is_another);
    *stream_arrival(streamed, streamed->arrival_count - 1u) =
        (struct native_arrival){.end = streamed->position + stream_held_bytes(exchange), .came_ns = came_ns};
}

/* How much of `maximum` came first. */
static size_t take_arrival(struct native_exchange *exchange, size_t maximum)
{
    struct native_body_stream *streamed = exchange->streamed;
    const struct native_arrival *first = stream_arrival(streamed, 0);
    size_t size = 0;

    if (streamed->arrival_count > 0) {
        uint64_t left = first->end - streamed->position;
        size = left < maximum ? (size_t)left : maximum;
        exchange->base.came_ns = first->came_ns;
        streamed->position += size;
        if (streamed->position == first->end) {
            streamed->first_arrival = (uint8_t)((streamed->first_arrival + 1u) % NATIVE_ARRIVALS);
            streamed->arrival_count--;
        }
    }
    return size;
}

void native_stream_grown(struct native_exchange *exchange)
{
    struct native_body_stream *streamed = exchange->streamed;

    if (stream_held_bytes(exchange) > 0) {
        note_arrival(exchange);
    }
    if (stream_held_bytes(exchange) > STREAM_HELD_BYTES) {
        native_stream_pause(exchange, true);
    }
    if (streamed->is_awaited) {
        streamed->is_awaited = false;
        native_engine_unset_timer(&exchange->timer);
        streamed->on_data(exchange->base.context);
    }
}

struct bytes native_stream_read(struct http_exchange *base, size_t maximum)
{
    struct native_exchange *exchange = CONTAINER_OF(base, struct native_exchange, base);
    struct native_body_stream *streamed = exchange->streamed;
    size_t held = stream_held_bytes(exchange);
    size_t size = take_arrival(exchange, maximum);
    struct bytes taken = bytes_of(size > 0 ? exchange->bodies.body.data + streamed->taken : NULL, size);

    streamed->taken += size;
    if (held - size <= STREAM_HELD_BYTES / 2) {
        native_stream_pause(exchange, false);
    }
    if (size == 0 && exchange->state == NATIVE_RUNNING) {
        streamed->is_awaited = true;
        native_engine_set_timer(exchange->engine, &exchange->timer,
                                clock_now_ns() + exchange->timeout_ms * NS_PER_MS);
    }
    return taken;
}
