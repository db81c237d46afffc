/* Frames as a server writes them, or should not. */
#pragma once
#include "common/buffer.h"

#include <string.h>

/* The payload may be large; the length is coded in the shortest form. */
static inline void server_frame(struct buffer *into, unsigned first_byte, const void *payload, size_t size)
{
    uint8_t head[10] = {(uint8_t)first_byte};
    size_t length = 2;

    if (size <= 125) {
        head[1] = (uint8_t)size;
    } else if (size <= UINT16_MAX) {
        head[1] = 126;
        head[2] = (uint8_t)(size >> 8);
        head[3] = (uint8_t)size;
        length = 4;
    } else {
        head[1] = 127;
        for (size_t i = 0; i < 8; i++) {
            head[9 - i] = (uint8_t)((uint64_t)size >> (8 * i));
        }
        length = 10;
    }
    (void)buffer_append(into, head, length);
    (void)buffer_append(into, payload, size);
}

static inline void server_text_frame(struct buffer *into, unsigned first_byte, const char *payload)
{
    server_frame(into, first_byte, payload, strlen(payload));
}

static inline void server_close_frame(struct buffer *into, unsigned code, const char *reason)
{
    uint8_t payload[130] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t size = strlen(reason);

    for (size_t i = 0; i < size; i++) {
        payload[2 + i] = (uint8_t)reason[i];
    }
    server_frame(into, 0x88, payload, 2 + size);
}
