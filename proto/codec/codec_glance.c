/* Determines the kind of an encoded message and how much it contains, without decoding it. */
#include "common/pack.h"
#include "proto/codec/codec_internal.h"

#define FIELD_CAMPAIGN 1u

enum wire_type { PROTOBUF_VARINT = 0, PROTOBUF_FIXED64 = 1, PROTOBUF_LENGTH = 2, PROTOBUF_FIXED32 = 5 };

/* One field in its wire format. */
struct protobuf_write_field {
    uint32_t number;
    enum wire_type type;
    struct bytes content; /* of PROTOBUF_LENGTH */
};

static bool take_varint(struct bytes *left, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < left->size && i < PACK_VARINT_BYTES; i++) {
        *number |= (uint64_t)(left->data[i] & 0x7fu) << (7 * i);
        if (left->data[i] < 0x80) {
            *left = bytes_of(left->data + i + 1, left->size - i - 1);
            return true;
        }
    }
    return false;
}

static bool skip(struct bytes *left, uint64_t size)
{
    if (size > left->size) {
        return false;
    }
    *left = bytes_of(left->data + size, left->size - (size_t)size);
    return true;
}

static bool take_field(struct bytes *left, struct protobuf_write_field *field)
{
    uint64_t number;
    if (!take_varint(left, &number) || number >> 3 > UINT32_MAX) {
        return false;
    }
    field->number = (uint32_t)(number >> 3);
    field->type = (enum wire_type)(number & 7);
    field->content = bytes_of(NULL, 0);
    switch (field->type) {
    case PROTOBUF_VARINT:
        return take_varint(left, &number);
    case PROTOBUF_FIXED64:
        return skip(left, 8);
    case PROTOBUF_FIXED32:
        return skip(left, 4);
    case PROTOBUF_LENGTH:
        break;
    default:
        return false;
    }
    if (!take_varint(left, &number) || number > left->size) {
        return false;
    }
    field->content = bytes_of(left->data, (size_t)number);
    return skip(left, number);
}

static size_t count_items(struct bytes body, size_t most)
{
    struct protobuf_write_field field;
    size_t count = 0;
    while (count <= most && body.size > 0 && take_field(&body, &field)) {
        count++;
    }
    return count;
}

/* protobuf merges a body that occurs twice, so the items of all its occurrences count. */
bool glance(struct bytes bytes, size_t most, uint32_t *body, size_t *items)
{
    struct protobuf_write_field field;
    *body = 0;
    *items = 0;
    while (bytes.size > 0) {
        if (!take_field(&bytes, &field)) {
            return false;
        }
        if (field.number == FIELD_CAMPAIGN) {
            continue;
        }
        if (field.type != PROTOBUF_LENGTH || (*body != 0 && *body != field.number)) {
            return false;
        }
        *body = field.number;
        *items += 1 + count_items(field.content, most);
        if (*items > most) {
            return true;
        }
    }
    return *body != 0;
}
