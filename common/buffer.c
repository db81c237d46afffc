/* A growable byte buffer with a maximum size. */
#include "common/buffer.h"
#include "common/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buffer_init(struct buffer *buffer, size_t maximum)
{
    assert(maximum < SIZE_MAX);
    *buffer = (struct buffer){.maximum = maximum};
}

void buffer_init_within(struct buffer *buffer, void *memory, size_t size)
{
    assert(size > 0);
    *buffer = (struct buffer){.data = memory, .capacity = size, .maximum = size - 1};
}

void buffer_finish(struct buffer *buffer)
{
    memory_free(buffer->data);
    buffer_init(buffer, buffer->maximum);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->has_overflowed = false;
}

/* Makes room for `size` more bytes and the zero that buffer_string needs; false if that would exceed the
 * maximum. */
static bool make_room(struct buffer *buffer, size_t size)
{
    if (buffer->size > buffer->maximum || size > buffer->maximum - buffer->size) {
        buffer->has_overflowed = true;
        return false;
    }
    buffer->data = memory_reserve(buffer->data, &buffer->capacity, buffer->size + size + 1, 1);
    return true;
}

bool buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    /* Mostly there is room. */
    bool has_room = size < buffer->capacity && buffer->size < buffer->capacity - size &&
                    buffer->size <= buffer->maximum && size <= buffer->maximum - buffer->size;

    if (!has_room && !make_room(buffer, size)) {
        return false;
    }
    if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
    return true;
}

bool buffer_append_string(struct buffer *buffer, const char *string)
{
    return buffer_append(buffer, string, strlen(string));
}

bool buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    bool fits = length >= 0 && make_room(buffer, (size_t)length);
    if (fits) {
        (void)vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
    return fits;
}

uint8_t *buffer_take(struct buffer *buffer, size_t *size)
{
    (void)buffer_string(buffer);
    uint8_t *data = buffer->data;
    if (size != NULL) {
        *size = buffer->size;
    }
    buffer_init(buffer, buffer->maximum);
    return data;
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->size);
}

const char *buffer_string(struct buffer *buffer)
{
    buffer->data = memory_reserve(buffer->data, &buffer->capacity, buffer->size + 1, 1);
    buffer->data[buffer->size] = '\0';
    return (const char *)buffer->data;
}
