/* Writes protobuf's wire format. By hand, since building protobuf-c's structures only to have them measured
 * and copied took most of the time of an encoded operation. */
#include "proto/codec/wire.h"

#include <string.h>

#define VARINT_MAX_BYTES 10

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

static size_t put_varint(uint8_t *into, uint64_t number)
{
    size_t size = 0;
    while (number >= 0x80) {
        into[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    into[size++] = (uint8_t)number;
    return size;
}

static size_t put_tag(uint8_t *into, uint32_t field, enum wire_type type)
{
    return put_varint(into, (uint64_t)field << 3 | (uint64_t)type);
}

void wire_number(struct buffer *buffer, uint32_t field, uint64_t number)
{
    if (number == 0) {
        return;
    }
    uint8_t bytes[2 * VARINT_MAX_BYTES];
    size_t size = put_tag(bytes, field, WIRE_VARINT);
    size += put_varint(bytes + size, number);
    buffer_append(buffer, bytes, size);
}

void wire_signed(struct buffer *buffer, uint32_t field, int64_t number)
{
    wire_number(buffer, field, (uint64_t)number);
}

void wire_flag(struct buffer *buffer, uint32_t field, bool is_set)
{
    wire_number(buffer, field, is_set ? 1 : 0);
}

void wire_fixed(struct buffer *buffer, uint32_t field, uint64_t number)
{
    if (number == 0) {
        return;
    }
    uint8_t bytes[VARINT_MAX_BYTES + 8];
    size_t size = put_tag(bytes, field, WIRE_FIXED64);
    for (unsigned i = 0; i < 8; i++) {
        bytes[size++] = (uint8_t)(number >> (8 * i));
    }
    buffer_append(buffer, bytes, size);
}

void wire_double(struct buffer *buffer, uint32_t field, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    wire_fixed(buffer, field, bits);
}

void wire_bytes(struct buffer *buffer, uint32_t field, struct bytes bytes)
{
    if (bytes.size == 0) {
        return;
    }
    uint8_t head[2 * VARINT_MAX_BYTES];
    size_t size = put_tag(head, field, WIRE_LENGTH);
    size += put_varint(head + size, bytes.size);
    buffer_append(buffer, head, size);
    buffer_append(buffer, bytes.data, bytes.size);
}

void wire_element(struct buffer *buffer, uint64_t number)
{
    uint8_t bytes[VARINT_MAX_BYTES];
    buffer_append(buffer, bytes, put_varint(bytes, number));
}

size_t wire_open(struct buffer *buffer, uint32_t field)
{
    uint8_t head[VARINT_MAX_BYTES + 1];
    size_t size = put_tag(head, field, WIRE_LENGTH);
    head[size++] = 0; /* the length, if it proves to be short, as it mostly does */
    buffer_append(buffer, head, size);
    return buffer->size;
}

void wire_close(struct buffer *buffer, size_t opened)
{
    uint8_t length[VARINT_MAX_BYTES];
    size_t inside = buffer->size - opened;
    size_t more = put_varint(length, inside) - 1;
    if (buffer->has_overflowed || !buffer_append(buffer, length, more)) {
        return;
    }
    memmove(buffer->data + opened + more, buffer->data + opened, more == 0 ? 0 : inside);
    memcpy(buffer->data + opened - 1, length, more + 1);
}
