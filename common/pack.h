/* Packs numbers and bytes one after the other, for data that only a program of the same format reads back. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

/* Groups of seven bits, the lowest first, as protobuf has them. Returns how many bytes it was, at most this
 * many. */
#define PACK_VARINT_BYTES 10u
size_t pack_varint(uint8_t *into, uint64_t number);

/* Appends to the buffer; what does not fit sets its has_overflowed. */
void pack_number(struct buffer *into, uint64_t number);
void pack_flag(struct buffer *into, bool is_set);
/* Always eight bytes, for random numbers. */
void pack_fixed(struct buffer *into, uint64_t number);
/* Bit by bit. */
void pack_real(struct buffer *into, double number);
void pack_bytes(struct buffer *into, struct bytes bytes);

/* Reading advances `left`. Past its end, or where something else was packed, every result is 0 and is_broken
 * stays set. */
struct unpack {
    struct bytes left;
    bool is_broken;
};
struct unpack unpack_of(struct bytes bytes);
MUST_CHECK uint64_t unpack_number(struct unpack *unpack);
/* Also broken if it is above `maximum`. */
MUST_CHECK uint64_t unpack_bounded(struct unpack *unpack, uint64_t maximum);
MUST_CHECK bool unpack_flag(struct unpack *unpack);
MUST_CHECK uint64_t unpack_fixed(struct unpack *unpack);
MUST_CHECK double unpack_real(struct unpack *unpack);
/* Borrowed from the packed bytes. */
MUST_CHECK struct bytes unpack_bytes(struct unpack *unpack);
/* What was read makes no sense: broken from now on. */
void unpack_break(struct unpack *unpack);
/* Not broken, and nothing is left. */
bool unpack_is_done(const struct unpack *unpack);
