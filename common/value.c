/* A value in its canonical encoding: writing, reading, adding and showing it. */
#include "common/value.h"
#include "common/escape.h"

#include <math.h>
#include <string.h>

#define NAN_BITS 0x7ff8000000000000U
#define DESCRIPTION_MAX_BYTES 256u

static void append_big_endian(struct buffer *buffer, char kind, uint64_t bits, unsigned size)
{
    uint8_t encoded[9] = {(uint8_t)kind};
    for (unsigned i = 0; i < size; i++) {
        encoded[size - i] = (uint8_t)(bits >> (8 * i));
    }
    buffer_append(buffer, encoded, size + 1);
}

void value_append_nil(struct buffer *buffer)
{
    buffer_append_string(buffer, "n");
}

void value_append_boolean(struct buffer *buffer, bool is_true)
{
    buffer_append_string(buffer, is_true ? "t" : "f");
}

void value_append_integer(struct buffer *buffer, int64_t integer)
{
    append_big_endian(buffer, 'i', (uint64_t)integer, 8);
}

void value_append_number(struct buffer *buffer, double number)
{
    if (number >= -0x1p63 && number < 0x1p63 && number == trunc(number)) {
        value_append_integer(buffer, (int64_t)number);
        return;
    }
    uint64_t bits = NAN_BITS;
    if (!isnan(number)) {
        memcpy(&bits, &number, sizeof bits);
    }
    append_big_endian(buffer, 'd', bits, 8);
}

void value_append_string(struct buffer *buffer, struct bytes string)
{
    if (string.size > VALUE_MAX_BYTES) {
        buffer->has_overflowed = true;
        return;
    }
    append_big_endian(buffer, 's', string.size, 4);
    buffer_append(buffer, string.data, string.size);
}

void value_append_table_start(struct buffer *buffer, uint32_t pairs)
{
    append_big_endian(buffer, '{', pairs, 4);
}

bool value_is_nil(struct bytes value)
{
    return value.size == 1 && value.data[0] == 'n';
}

static struct bytes value_skip(struct bytes bytes, size_t size)
{
    return bytes_of(bytes.data + size, bytes.size - size);
}

static bool read_big_endian(struct bytes *rest, unsigned size, uint64_t *bits)
{
    if (rest->size < size) {
        return false;
    }
    *bits = 0;
    for (unsigned i = 0; i < size; i++) {
        *bits = (*bits << 8) | rest->data[i];
    }
    *rest = value_skip(*rest, size);
    return true;
}

static bool read_string(struct bytes *rest, struct bytes *string)
{
    uint64_t size = 0;
    if (!read_big_endian(rest, 4, &size) || size > rest->size) {
        return false;
    }
    *string = bytes_of(rest->data, size);
    *rest = value_skip(*rest, size);
    return true;
}

bool value_read(struct bytes *rest, struct value_item *item)
{
    if (rest->size == 0) {
        return false;
    }
    *item = (struct value_item){.kind = (char)rest->data[0]};
    uint64_t bits = 0;
    *rest = value_skip(*rest, 1);
    switch (item->kind) {
    case 'n':
    case 'f':
    case 't':
        return true;
    case 'i':
        if (!read_big_endian(rest, 8, &bits)) {
            return false;
        }
        item->integer = (int64_t)bits;
        return true;
    case 'd':
        if (!read_big_endian(rest, 8, &bits)) {
            return false;
        }
        memcpy(&item->number, &bits, sizeof bits);
        return true;
    case 's':
        return read_string(rest, &item->string);
    case '{':
        if (!read_big_endian(rest, 4, &bits)) {
            return false;
        }
        item->pairs = (uint32_t)bits;
        return true;
    default:
        return false;
    }
}

/* Reads a number; nil counts as 0. */
static bool read_summand(struct bytes value, struct value_item *item, struct error *error)
{
    bool is_whole = value_read(&value, item) && value.size == 0;
    if (!is_whole || (item->kind != 'n' && item->kind != 'i' && item->kind != 'd')) {
        return error_set(error, "only numbers can be added");
    }
    if (item->kind == 'n') {
        item->kind = 'i';
    }
    return true;
}

static double as_number(const struct value_item *item)
{
    return item->kind == 'i' ? (double)item->integer : item->number;
}

bool value_add(struct bytes left, struct bytes right, struct buffer *sum, struct error *error)
{
    struct value_item first = {0};
    struct value_item second = {0};
    if (!read_summand(left, &first, error) || !read_summand(right, &second, error)) {
        return false;
    }
    int64_t integer;
    if (first.kind == 'i' && second.kind == 'i' &&
        !__builtin_add_overflow(first.integer, second.integer, &integer)) {
        value_append_integer(sum, integer);
    } else {
        value_append_number(sum, as_number(&first) + as_number(&second));
    }
    return true;
}

/* Cut so that the closing quote still fits into `size`. */
static void describe_string(struct buffer *words, struct bytes string, size_t size)
{
    size_t maximum = words->maximum;
    buffer_append_string(words, "\"");
    words->maximum = size > 16 && size < maximum ? size - 8 : maximum - 8;
    escape_text(words, string);
    words->maximum = maximum;
    buffer_append_string(words, words->has_overflowed ? "…\"" : "\"");
}

static void describe_item(struct buffer *words, const struct value_item *item, size_t size)
{
    switch (item->kind) {
    case 'n':
        buffer_append_string(words, "nil");
        break;
    case 'f':
    case 't':
        buffer_append_string(words, item->kind == 't' ? "true" : "false");
        break;
    case 'i':
        buffer_append_format(words, "%lld", (long long)item->integer);
        break;
    case 'd':
        buffer_append_format(words, "%.14g", item->number);
        break;
    case 's':
        describe_string(words, item->string, size);
        break;
    default:
        buffer_append_string(words, item->pairs > 0 ? "{…}" : "{}");
        break;
    }
}

void value_describe(struct bytes value, char *text, size_t size)
{
    struct value_item item;
    SCOPED(buffer_finish) struct buffer words;
    buffer_init(&words, DESCRIPTION_MAX_BYTES);
    if (value_read(&value, &item)) {
        describe_item(&words, &item, size);
    } else {
        buffer_append_string(&words, "(malformed)");
    }
    bytes_to_text(buffer_bytes(&words), text, size);
}
