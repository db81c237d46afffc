/* A value of a variable or a payload in its canonical encoding: equal values are equal bytes. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#define VALUE_MAX_BYTES (64u * 1024u)
#define VALUE_MAX_DEPTH 16u

/* First byte: 'n' nil · 'f' false · 't' true · 'i' + 8 bytes big-endian two's complement · 'd' + 8 bytes IEEE
 * big-endian (never an integral float that fits an integer: that is written as 'i'; only one NaN) · 's' + 4
 * bytes length + bytes · '{' + 4 bytes count + that many key, value pairs sorted by the bytes of the key,
 * without duplicate keys or nil. A key is a boolean, a number other than NaN, or a string. */

/* Whether the bytes are exactly one value in canonical form and within the bounds. */
MUST_CHECK bool value_check(struct bytes value, struct error *error);

/* A value that does not fit sets the buffer's has_overflowed. */
void value_append_nil(struct buffer *buffer);
void value_append_boolean(struct buffer *buffer, bool is_true);
void value_append_integer(struct buffer *buffer, int64_t integer);
void value_append_number(struct buffer *buffer, double number);
void value_append_string(struct buffer *buffer, struct bytes string);
void value_append_table_start(struct buffer *buffer, uint32_t pairs);

bool value_is_nil(struct bytes value);

/* The sum of two numbers; integers stay integers (an overflow becomes a float). False if either is not a
 * number; nil counts as 0. The result is appended to `sum`. */
MUST_CHECK bool value_add(struct bytes left, struct bytes right, struct buffer *sum, struct error *error);

/* Reads the start of a checked value. `rest` is advanced past what was read; a table gives its number of
 * pairs, and the pairs follow. */
struct value_item {
    char kind; /* one of n f t i d s { */
    int64_t integer;
    double number;
    struct bytes string;
    uint32_t pairs;
};
MUST_CHECK bool value_read(struct bytes *rest, struct value_item *item);

/* A short human-readable form for messages: `"text"`, `42`, `{…}`; cut at `size`. */
void value_describe(struct bytes value, char *text, size_t size);
