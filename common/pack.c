/* Packs numbers and bytes one after the other: numbers in groups of seven bits, lowest first. */
#include "common/pack.h"

#include <assert.h>
#include <string.h>

#define FIXED_BYTES 8u

size_t pack_varint(uint8_t *into, uint64_t number)
{
    size_t size = 0;
    while (number >= 0x80) {
        into[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    into[size++] = (uint8_t)number;
    return size;
}

/* The state of a large campaign is millions of numbers and must be packed fast: where there is room they are
 * written in place. */
void pack_number(struct buffer *into, uint64_t number)
{
    bool has_room =
        into->capacity > into->size + PACK_VARINT_BYTES && into->maximum > into->size + PACK_VARINT_BYTES;
    if (has_room) {
        into->size += pack_varint(into->data + into->size, number);
        return;
    }
    uint8_t bytes[PACK_VARINT_BYTES];
    buffer_append(into, bytes, pack_varint(bytes, number));
}

void pack_flag(struct buffer *into, bool is_set)
{
    pack_number(into, is_set ? 1 : 0);
}

void pack_fixed(struct buffer *into, uint64_t number)
{
    uint8_t bytes[FIXED_BYTES];
    for (unsigned i = 0; i < FIXED_BYTES; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i));
    }
    buffer_append(into, bytes, sizeof bytes);
}

void pack_bytes(struct buffer *into, struct bytes bytes)
{
    pack_number(into, bytes.size);
    if (bytes.size > 0) {
        buffer_append(into, bytes.data, bytes.size);
    }
}

struct unpack unpack_of(struct bytes bytes)
{
    return (struct unpack){.left = bytes};
}

void unpack_break(struct unpack *unpack)
{
    *unpack = (struct unpack){.is_broken = true};
}

static uint64_t fail(struct unpack *unpack)
{
    unpack_break(unpack);
    return 0;
}

static void pack_skip(struct unpack *unpack, size_t size)
{
    if (size == 0) {
        return; /* the empty run */
    }
    unpack->left = bytes_of(unpack->left.data + size, unpack->left.size - size);
}

uint64_t unpack_number(struct unpack *unpack)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < PACK_VARINT_BYTES && i < unpack->left.size; i++) {
        uint64_t group = unpack->left.data[i] & 0x7fu;
        if (i == PACK_VARINT_BYTES - 1 && group > 1) {
            break;
        }
        number |= group << (7 * i);
        if ((unpack->left.data[i] & 0x80u) == 0) {
            pack_skip(unpack, i + 1);
            return number;
        }
    }
    return fail(unpack);
}

uint64_t unpack_bounded(struct unpack *unpack, uint64_t maximum)
{
    uint64_t number = unpack_number(unpack);
    return number <= maximum ? number : fail(unpack);
}

bool unpack_flag(struct unpack *unpack)
{
    return unpack_bounded(unpack, 1) == 1;
}

uint64_t unpack_fixed(struct unpack *unpack)
{
    uint64_t number = 0;
    if (unpack->left.size < FIXED_BYTES) {
        return fail(unpack);
    }
    for (unsigned i = 0; i < FIXED_BYTES; i++) {
        number |= (uint64_t)unpack->left.data[i] << (8 * i);
    }
    pack_skip(unpack, FIXED_BYTES);
    return number;
}

struct bytes unpack_bytes(struct unpack *unpack)
{
    uint64_t size = unpack_number(unpack);
    if (size > unpack->left.size) {
        (void)fail(unpack);
        return bytes_of(NULL, 0);
    }
    struct bytes bytes = bytes_of(unpack->left.data, (size_t)size);
    pack_skip(unpack, bytes.size);
    return bytes;
}

bool unpack_is_done(const struct unpack *unpack)
{
    return !unpack->is_broken && unpack->left.size == 0;
}

void pack_real(struct buffer *into, double number)
{
    uint64_t bits;
    static_assert(sizeof bits == sizeof number, "as many bits");
    memcpy(&bits, &number, sizeof bits);
    pack_fixed(into, bits);
}

double unpack_real(struct unpack *unpack)
{
    uint64_t bits = unpack_fixed(unpack);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}
