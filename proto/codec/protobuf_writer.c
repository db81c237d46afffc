/* Writes protobuf's wire format. Done by hand, since building protobuf-c's structures only to have them
 * measured and copied took most of the time of encoding an operation. */
#include "proto/codec/protobuf_writer.h"

#include "common/pack.h"

#include <string.h>

enum wire_type { PROTOBUF_VARINT = 0, PROTOBUF_FIXED64 = 1, PROTOBUF_LENGTH = 2 };

static size_t put_tag(uint8_t *into, uint32_t field, enum wire_type type)
{
    return pack_varint(into, (uint64_t)field << 3 | (uint64_t)type);
}

void protobuf_write_number(struct buffer *buffer, uint32_t field, uint64_t number)
{
    if (number == 0) {
        return;
    }
    uint8_t bytes[2 * PACK_VARINT_BYTES];
    size_t size = put_tag(bytes, field, PROTOBUF_VARINT);
    size += pack_varint(bytes + size, number);
    buffer_append(buffer, bytes, size);
}

void protobuf_write_signed(struct buffer *buffer, uint32_t field, int64_t number)
{
    protobuf_write_number(buffer, field, (uint64_t)number);
}

void protobuf_write_flag(struct buffer *buffer, uint32_t field, bool is_set)
{
    protobuf_write_number(buffer, field, is_set ? 1 : 0);
}

void protobuf_write_fixed(struct buffer *buffer, uint32_t field, uint64_t number)
{
    if (number == 0) {
        return;
    }
    uint8_t bytes[PACK_VARINT_BYTES + 8];
    size_t size = put_tag(bytes, field, PROTOBUF_FIXED64);
    for (unsigned i = 0; i < 8; i++) {
        bytes[size++] = (uint8_t)(number >> (8 * i));
    }
    buffer_append(buffer, bytes, size);
}

void protobuf_write_double(struct buffer *buffer, uint32_t field, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    protobuf_write_fixed(buffer, field, bits);
}

void protobuf_write_bytes(struct buffer *buffer, uint32_t field, struct bytes bytes)
{
    if (bytes.size == 0) {
        return;
    }
    uint8_t head[2 * PACK_VARINT_BYTES];
    size_t size = put_tag(head, field, PROTOBUF_LENGTH);
    size += pack_varint(head + size, bytes.size);
    buffer_append(buffer, head, size);
    buffer_append(buffer, bytes.data, bytes.size);
}

void protobuf_write_element(struct buffer *buffer, uint64_t number)
{
    uint8_t bytes[PACK_VARINT_BYTES];
    buffer_append(buffer, bytes, pack_varint(bytes, number));
}

size_t protobuf_write_open(struct buffer *buffer, uint32_t field)
{
    uint8_t head[PACK_VARINT_BYTES + 1];
    size_t size = put_tag(head, field, PROTOBUF_LENGTH);
    head[size++] = 0; /* the length, if it turns out to be short, as in most cases */
    buffer_append(buffer, head, size);
    return buffer->size;
}

void protobuf_write_close(struct buffer *buffer, size_t opened)
{
    uint8_t length[PACK_VARINT_BYTES];
    size_t inside = buffer->size - opened;
    size_t more = pack_varint(length, inside) - 1;
    if (buffer->has_overflowed || !buffer_append(buffer, length, more)) {
        return;
    }
    memmove(buffer->data + opened + more, buffer->data + opened, more == 0 ? 0 : inside);
    memcpy(buffer->data + opened - 1, length, more + 1);
}
