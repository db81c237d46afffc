/* Counts what a client holds before it grows. */
#include "agent/http/http_bodies.h"

#include "agent/http/engine.h"

#include <assert.h>

#define MAX_HEAD_BYTES (1024u * 1024u)
/* What a client keeps of its memory for bodies from one request to the next. */
#define KEPT_BODY_BYTES (64u * 1024u)

void http_bodies_init(struct http_bodies *bodies)
{
    *bodies = (struct http_bodies){.kept_bytes = KEPT_BODY_BYTES};
    buffer_init(&bodies->head, MAX_HEAD_BYTES);
    buffer_init(&bodies->body, HTTP_DEFAULT_MAX_BODY_BYTES);
}

void http_bodies_keep(struct http_bodies *bodies, bool is_keeping)
{
    bodies->kept_bytes = is_keeping ? KEPT_BODY_BYTES : 0;
}

static size_t excess_bytes(const struct http_bodies *bodies, size_t capacity)
{
    return capacity > bodies->kept_bytes ? capacity - bodies->kept_bytes : 0;
}

/* What the client holds beyond the little that each one keeps is now `bytes`. */
static bool http_bodies_count(struct http_bodies *bodies, size_t bytes)
{
    struct memory_account *account = bodies->account;

    if (account == NULL) {
        return true;
    }
    if (bytes > bodies->counted_bytes && !memory_account_take_body(account, bytes - bodies->counted_bytes)) {
        return false;
    }
    if (bytes < bodies->counted_bytes) {
        memory_account_give_body(account, bodies->counted_bytes - bytes);
    }
    bodies->counted_bytes = bytes;
    return true;
}

static size_t held_bytes(const struct http_bodies *bodies)
{
    return excess_bytes(bodies, bodies->head.capacity) + excess_bytes(bodies, bodies->body.capacity) +
           bodies->sent_bytes;
}

void http_bodies_finish(struct http_bodies *bodies)
{
    buffer_finish(&bodies->head);
    buffer_finish(&bodies->body);
    bodies->sent_bytes = 0;
    (void)http_bodies_count(bodies, 0);
}

bool http_bodies_begin(struct http_bodies *bodies, struct memory_account *account, size_t sent_bytes,
                       uint64_t body_maximum)
{
    size_t size = excess_bytes(bodies, sent_bytes);

    assert(bodies->counted_bytes == 0);
    bodies->account = account;
    buffer_clear(&bodies->head);
    buffer_clear(&bodies->body);
    bodies->body.maximum = body_maximum < SIZE_MAX ? body_maximum : SIZE_MAX - 1;
    bodies->is_out_of_memory = size > 0 && !http_bodies_count(bodies, held_bytes(bodies) + size);
    if (!bodies->is_out_of_memory) {
        bodies->sent_bytes = size;
    }
    return !bodies->is_out_of_memory;
}

bool http_bodies_append(struct http_bodies *bodies, struct buffer *buffer, const char *data, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        /* It grows to the double at least. */
        size_t wanted =
            buffer->size + size > 2 * buffer->capacity ? buffer->size + size : 2 * buffer->capacity;
        size_t others = held_bytes(bodies) - excess_bytes(bodies, buffer->capacity);
        if (!http_bodies_count(bodies, others + excess_bytes(bodies, wanted))) {
            bodies->is_out_of_memory = true;
            return false;
        }
    }
    bool is_in = buffer_append(buffer, data, size);
    bodies->is_out_of_memory = !http_bodies_count(bodies, held_bytes(bodies));
    return is_in && !bodies->is_out_of_memory;
}

bool http_bodies_drop(struct http_bodies *bodies)
{
    bool has_copy = bodies->sent_bytes > 0;

    if (bodies->body.capacity > bodies->kept_bytes) {
        buffer_finish(&bodies->body);
    }
    if (bodies->head.capacity > bodies->kept_bytes) {
        buffer_finish(&bodies->head);
    }
    bodies->sent_bytes = 0;
    (void)http_bodies_count(bodies, held_bytes(bodies));
    return has_copy;
}
