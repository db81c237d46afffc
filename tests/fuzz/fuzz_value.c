/* Any bytes as a value: refused, or reproduced exactly when what was read is written again; sums are values
 * too. */
#include "fuzz.h"

#include "common/buffer.h"
#include "common/value.h"

#include <string.h>

static void write_anew(struct buffer *buffer, const struct value_item *item)
{
    switch (item->kind) {
    case 'n':
        value_append_nil(buffer);
        break;
    case 'f':
    case 't':
        value_append_boolean(buffer, item->kind == 't');
        break;
    case 'i':
        value_append_integer(buffer, item->integer);
        break;
    case 'd':
        value_append_number(buffer, item->number);
        break;
    case 's':
        value_append_string(buffer, item->string);
        break;
    default:
        FUZZ_CHECK(item->kind == '{');
        value_append_table_start(buffer, item->pairs);
        break;
    }
}

static void check_reading(struct bytes value)
{
    struct buffer copy;
    struct bytes rest = value;
    buffer_init(&copy, VALUE_MAX_BYTES + 100);
    while (rest.size > 0) {
        struct value_item item;
        FUZZ_CHECK(value_read(&rest, &item));
        write_anew(&copy, &item);
    }
    FUZZ_CHECK(bytes_equal(value, buffer_bytes(&copy)));
    buffer_finish(&copy);
}

static void check_sum(struct bytes left, struct bytes right)
{
    struct buffer sum;
    struct error error;
    buffer_init(&sum, 100);
    if (value_add(left, right, &sum, &error)) {
        FUZZ_CHECK(value_check(buffer_bytes(&sum), &error));
    }
    buffer_finish(&sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes value = bytes_of(data, size);
    struct error error;
    struct value_item item;
    struct bytes rest = value;
    char text[40];
    if (value_check(value, &error)) {
        check_reading(value);
        check_sum(value, value);
        check_sum(bytes_of_string("n"), value);
        value_describe(value, text, sizeof text);
        FUZZ_CHECK(strlen(text) < sizeof text);
        FUZZ_CHECK(!value_is_nil(value) || size == 1);
    }
    while (value_read(&rest, &item)) { /* also what was not checked does no harm */
    }
    if (size >= 18 && value_check(bytes_of(data, 9), NULL) && value_check(bytes_of(data + 9, 9), NULL)) {
        check_sum(bytes_of(data, 9), bytes_of(data + 9, 9));
    }
    return 0;
}
