/* A growable byte buffer with a maximum size. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t maximum;
    bool has_overflowed; /* something did not fit and was left out */
};

void buffer_init(struct buffer *buffer, size_t maximum);
/* Uses `size` bytes of the caller, which hold the maximum and a zero byte: it never grows, and must not be
 * finished. */
void buffer_init_within(struct buffer *buffer, void *memory, size_t size);
void buffer_finish(struct buffer *buffer);
/* Keeps the memory, discards the content. */
void buffer_clear(struct buffer *buffer);
/* False, and has_overflowed is set, if it would exceed the maximum; then nothing was appended. */
bool buffer_append(struct buffer *buffer, const void *data, size_t size);
bool buffer_append_string(struct buffer *buffer, const char *string);
bool buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Hands the memory over to the caller (free with memory_free) and leaves the buffer empty. The content is
 * followed by a zero byte. */
MUST_CHECK uint8_t *buffer_take(struct buffer *buffer, size_t *size);
struct bytes buffer_bytes(const struct buffer *buffer);
/* The content as a C string, valid until the next change. */
const char *buffer_string(struct buffer *buffer);
