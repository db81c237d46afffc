/* Numbers and bytes packed one behind the other, for what only a program of the same format reads again. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"

/* Groups of seven bits, the lowest first, as protobuf has them. Gives back how many bytes it was, at most so
 * many. */
#define PACK_VARINT_BYTES 10u
size_t pack_varint(uint8_t *into, uint64_t number);

/* Appended to the buffer; what does not fit sets its has_overflowed. */
void pack_number(struct buffer *into, uint64_t number);
void pack_flag(struct buffer *into, bool is_set);
/* All eight bytes, for numbers that are drawn at random. */
void pack_fixed(struct buffer *into, uint64_t number);
void pack_bytes(struct buffer *into, struct bytes bytes);

/* What is read moves over `left`. Beyond its end, or where nothing like it was packed, everything is 0 and
 * is_broken is set for good. */
struct unpack {
    struct bytes left;
    bool is_broken;
};
struct unpack unpack_of(struct bytes bytes);
MUST_CHECK uint64_t unpack_number(struct unpack *unpack);
/* Broken as well if it is above `maximum`. */
MUST_CHECK uint64_t unpack_bounded(struct unpack *unpack, uint64_t maximum);
MUST_CHECK bool unpack_flag(struct unpack *unpack);
MUST_CHECK uint64_t unpack_fixed(struct unpack *unpack);
/* Borrowed from what is unpacked. */
MUST_CHECK struct bytes unpack_bytes(struct unpack *unpack);
/* What was read makes no sense: broken from now on. */
void unpack_break(struct unpack *unpack);
/* Not broken, and nothing is left. */
bool unpack_is_done(const struct unpack *unpack);
