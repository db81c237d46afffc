/* Values: one encoding each, checked without trust, added, shown. */
#include "common/random.h"
#include "common/value.h"
#include "tests/unit/common/check.h"

#include <math.h>

static void assert_bytes(const struct buffer *buffer, const char *expected, size_t size)
{
    assert_int_equal(buffer->size, size);
    assert_memory_equal(buffer->data, expected, size);
}

#define ASSERT_BYTES(buffer, literal) assert_bytes(buffer, literal, sizeof(literal) - 1)

static bool is_value(const char *data, size_t size)
{
    struct error error = {""};
    bool is_good = value_check(bytes_of(data, size), &error);
    assert_int_equal(is_good, error.text[0] == '\0');
    return is_good;
}

#define IS_VALUE(literal) is_value(literal, sizeof(literal) - 1)

static void test_encodings(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, VALUE_MAX_BYTES);
    value_append_nil(&buffer);
    value_append_boolean(&buffer, true);
    value_append_boolean(&buffer, false);
    ASSERT_BYTES(&buffer, "ntf");
    buffer_clear(&buffer);
    value_append_integer(&buffer, -2);
    ASSERT_BYTES(&buffer, "i\xff\xff\xff\xff\xff\xff\xff\xfe");
    buffer_clear(&buffer);
    value_append_number(&buffer, 1.5);
    ASSERT_BYTES(&buffer, "d\x3f\xf8\0\0\0\0\0\0");
    buffer_clear(&buffer);
    value_append_string(&buffer, bytes_of("a\0b", 3));
    ASSERT_BYTES(&buffer, "s\0\0\0\x03"
                          "a\0b");
    buffer_clear(&buffer);
    value_append_table_start(&buffer, 258);
    ASSERT_BYTES(&buffer, "{\0\0\x01\x02");
}

static void test_equal_numbers_are_equal_bytes(void **state)
{
    (void)state;
    static const struct {
        double number;
        bool is_integer;
        int64_t integer;
    } rows[] = {
        {3.0, true, 3},
        {-0.0, true, 0},
        {-0x1p63, true, INT64_MIN},
        {0x1p62, true, (int64_t)1 << 62},
        {0x1p63, false, 0},
        {-0x1.0000000000001p63, false, 0},
        {0.5, false, 0},
        {HUGE_VAL, false, 0},
        {-HUGE_VAL, false, 0},
        {NAN, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCOPED(buffer_finish) struct buffer buffer;
        buffer_init(&buffer, 100);
        value_append_number(&buffer, rows[i].number);
        assert_true(value_check(buffer_bytes(&buffer), NULL));
        struct bytes rest = buffer_bytes(&buffer);
        struct value_item item;
        assert_true(value_read(&rest, &item));
        assert_int_equal(item.kind, rows[i].is_integer ? 'i' : 'd');
        assert_true(item.integer == rows[i].integer);
    }
    SCOPED(buffer_finish) struct buffer first;
    buffer_init(&first, 100);
    value_append_number(&first, -NAN);
    ASSERT_BYTES(&first, "d\x7f\xf8\0\0\0\0\0\0");
}

static void test_check_takes_canonical_values(void **state)
{
    (void)state;
    assert_true(IS_VALUE("n"));
    assert_true(IS_VALUE("t"));
    assert_true(IS_VALUE("f"));
    assert_true(IS_VALUE("i\0\0\0\0\0\0\0\0"));
    assert_true(IS_VALUE("d\x3f\xf8\0\0\0\0\0\0"));
    assert_true(IS_VALUE("s\0\0\0\0"));
    assert_true(IS_VALUE("{\0\0\0\0"));
    assert_true(IS_VALUE("{\0\0\0\x02"
                         "fts\0\0\0\x01k{\0\0\0\0"));
}

static void test_check_refuses_the_rest(void **state)
{
    (void)state;
    assert_false(IS_VALUE(""));
    assert_false(value_check(bytes_of(NULL, 0), NULL));
    assert_false(IS_VALUE("x"));
    assert_false(IS_VALUE("nn"));
    assert_false(IS_VALUE("i\0\0\0\0\0\0\0"));
    assert_false(IS_VALUE("d\x3f\xf8\0\0\0\0\0"));
    assert_false(IS_VALUE("s\0\0\0"));
    assert_false(IS_VALUE("s\0\0\0\x02k"));
    assert_false(IS_VALUE("s\xff\xff\xff\xffk"));
    assert_false(IS_VALUE("d\0\0\0\0\0\0\0\0"));       /* 0.0 is an integer */
    assert_false(IS_VALUE("d\x80\0\0\0\0\0\0\0"));     /* so is -0.0 */
    assert_false(IS_VALUE("d\xc3\xe0\0\0\0\0\0\0"));   /* and -2^63 */
    assert_true(IS_VALUE("d\x43\xe0\0\0\0\0\0\0"));    /* but not 2^63 */
    assert_false(IS_VALUE("d\x7f\xf8\0\0\0\0\0\x01")); /* another NaN */
    assert_false(IS_VALUE("{\0\0\0\x01"));             /* nothing follows */
    assert_false(IS_VALUE("{\0\0\0\x01t"));            /* not a value */
    assert_false(IS_VALUE("{\xff\xff\xff\xfftt"));     /* announces many more than there are */
    assert_false(IS_VALUE("{\0\0\0\x01nt"));           /* nil as key */
    assert_false(IS_VALUE("{\0\0\0\x01tn"));           /* nil as value */
    assert_false(IS_VALUE("{\0\0\0\x01{\0\0\0\0t"));   /* a table as key */
    assert_false(IS_VALUE("{\0\0\0\x01"
                          "d\x7f\xf8\0\0\0\0\0\0t")); /* NaN as key */
    assert_false(IS_VALUE("{\0\0\0\x02tttt"));        /* the same key twice */
    assert_false(IS_VALUE("{\0\0\0\x02ttft"));        /* keys in descending order */
}

static void append_nested(struct buffer *buffer, unsigned depth)
{
    for (unsigned i = 1; i < depth; i++) {
        value_append_table_start(buffer, 1);
        value_append_boolean(buffer, true);
    }
    value_append_table_start(buffer, 0);
}

static void test_check_bounds_depth_and_size(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 2 * VALUE_MAX_BYTES);
    append_nested(&buffer, VALUE_MAX_DEPTH);
    assert_true(value_check(buffer_bytes(&buffer), NULL));
    buffer_clear(&buffer);
    append_nested(&buffer, VALUE_MAX_DEPTH + 1);
    assert_false(value_check(buffer_bytes(&buffer), NULL));
    static const uint8_t filler[VALUE_MAX_BYTES];
    buffer_clear(&buffer);
    value_append_string(&buffer, bytes_of(filler, VALUE_MAX_BYTES - 5));
    assert_true(value_check(buffer_bytes(&buffer), NULL));
    buffer_clear(&buffer);
    value_append_string(&buffer, bytes_of(filler, VALUE_MAX_BYTES - 4));
    assert_false(value_check(buffer_bytes(&buffer), NULL));
    buffer_clear(&buffer);
    value_append_string(&buffer, bytes_of(filler, (size_t)UINT32_MAX + 10));
    assert_true(buffer.has_overflowed);
}

/* Tables side by side do not add up to depth. */
static void test_check_closes_tables(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, VALUE_MAX_BYTES);
    value_append_table_start(&buffer, 100);
    for (int64_t i = 0; i < 100; i++) {
        value_append_integer(&buffer, i);
        append_nested(&buffer, VALUE_MAX_DEPTH - 1);
    }
    assert_true(value_check(buffer_bytes(&buffer), NULL));
}

static void test_check_bears_anything(void **state)
{
    (void)state;
    static const char letters[] = "nftids{{{\0\0\0\0\x01\x02\x03\xff";
    struct random random;
    random_seed(&random, 9);
    unsigned good = 0;
    for (unsigned round = 0; round < 50000; round++) {
        uint8_t bytes[40];
        size_t size = random_below(&random, sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)letters[random_below(&random, sizeof letters - 1)];
        }
        char text[24];
        value_describe(bytes_of(bytes, size), text, sizeof text);
        good += value_check(bytes_of(bytes, size), NULL);
    }
    assert_in_range(good, 100, 50000);
}

static void test_read_walks_through_a_table(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, VALUE_MAX_BYTES);
    value_append_table_start(&buffer, 2);
    value_append_integer(&buffer, 1);
    value_append_string(&buffer, TEXT("x"));
    value_append_string(&buffer, TEXT("k"));
    value_append_number(&buffer, 0.25);
    struct bytes rest = buffer_bytes(&buffer);
    struct value_item item;
    assert_true(value_read(&rest, &item));
    assert_int_equal(item.kind, '{');
    assert_int_equal(item.pairs, 2);
    assert_true(value_read(&rest, &item));
    assert_true(item.kind == 'i' && item.integer == 1);
    assert_true(value_read(&rest, &item));
    assert_true(item.kind == 's' && bytes_equal_string(item.string, "x"));
    assert_true(value_read(&rest, &item));
    assert_true(item.kind == 's' && bytes_equal_string(item.string, "k"));
    assert_true(value_read(&rest, &item));
    assert_true(item.kind == 'd' && item.number > 0.24 && item.number < 0.26);
    assert_int_equal(rest.size, 0);
    assert_false(value_read(&rest, &item));
}

static void append_integer_or_nil(struct buffer *buffer, const int64_t *integer)
{
    if (integer == NULL) {
        value_append_nil(buffer);
    } else {
        value_append_integer(buffer, *integer);
    }
}

/* Adds two values and compares the sum with what `expected` contains. */
static void assert_sum(const int64_t *left, const int64_t *right, const struct buffer *expected)
{
    SCOPED(buffer_finish) struct buffer first;
    SCOPED(buffer_finish) struct buffer second;
    SCOPED(buffer_finish) struct buffer sum;
    buffer_init(&first, 100);
    buffer_init(&second, 100);
    buffer_init(&sum, 100);
    append_integer_or_nil(&first, left);
    append_integer_or_nil(&second, right);
    assert_true(value_add(buffer_bytes(&first), buffer_bytes(&second), &sum, NULL));
    assert_true(bytes_equal(buffer_bytes(&sum), buffer_bytes(expected)));
}

static void test_add(void **state)
{
    (void)state;
    int64_t two = 2;
    int64_t most = INT64_MAX;
    SCOPED(buffer_finish) struct buffer expected;
    buffer_init(&expected, 100);
    value_append_integer(&expected, 4);
    assert_sum(&two, &two, &expected);
    buffer_clear(&expected);
    value_append_integer(&expected, 2);
    assert_sum(&two, NULL, &expected);
    assert_sum(NULL, &two, &expected);
    buffer_clear(&expected);
    value_append_integer(&expected, 0);
    assert_sum(NULL, NULL, &expected);
    buffer_clear(&expected);
    value_append_number(&expected, 0x1p63);
    assert_int_equal(expected.data[0], 'd');
    assert_sum(&most, &two, &expected);
}

static void test_add_of_floats_stays_canonical(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer half;
    SCOPED(buffer_finish) struct buffer sum;
    buffer_init(&half, 100);
    buffer_init(&sum, 100);
    value_append_number(&half, 0.5);
    assert_true(value_add(buffer_bytes(&half), buffer_bytes(&half), &sum, NULL));
    ASSERT_BYTES(&sum, "i\0\0\0\0\0\0\0\x01");
}

static void test_add_refuses_what_is_no_number(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer sum;
    struct error error;
    buffer_init(&sum, 100);
    assert_false(value_add(TEXT("t"), TEXT("n"), &sum, &error));
    assert_string_equal(error.text, "only numbers can be added");
    assert_false(value_add(TEXT("n"), bytes_of("s\0\0\0\0", 5), &sum, &error));
    assert_false(value_add(TEXT(""), TEXT("n"), &sum, &error));
    assert_false(value_add(TEXT("n"), TEXT("i"), &sum, &error));
    assert_false(value_add(TEXT("nn"), TEXT("n"), &sum, &error));
    assert_int_equal(sum.size, 0);
}

static void test_is_nil(void **state)
{
    (void)state;
    assert_true(value_is_nil(TEXT("n")));
    assert_false(value_is_nil(TEXT("f")));
    assert_false(value_is_nil(TEXT("")));
}

static void assert_described(struct buffer *buffer, size_t size, const char *expected)
{
    char text[64];
    value_describe(buffer_bytes(buffer), text, size);
    assert_string_equal(text, expected);
    buffer_clear(buffer);
}

static void test_describe(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer buffer;
    buffer_init(&buffer, 1000);
    value_append_nil(&buffer);
    assert_described(&buffer, 64, "nil");
    value_append_boolean(&buffer, false);
    assert_described(&buffer, 64, "false");
    value_append_integer(&buffer, INT64_MIN);
    assert_described(&buffer, 64, "-9223372036854775808");
    value_append_number(&buffer, 0.1);
    assert_described(&buffer, 64, "0.1");
    value_append_string(&buffer, TEXT("a\nb"));
    assert_described(&buffer, 64, "\"a\\nb\"");
    value_append_table_start(&buffer, 0);
    assert_described(&buffer, 64, "{}");
    value_append_table_start(&buffer, 1);
    assert_described(&buffer, 64, "{…}");
    value_append_string(&buffer, TEXT("a rather long text that does not fit"));
    assert_described(&buffer, 24, "\"a rather long t…\"");
    static const char filler[1000];
    value_append_string(&buffer, bytes_of(filler, sizeof filler - 10));
    assert_described(&buffer, 20, "\"\\x00\\x00…\"");
    value_append_integer(&buffer, 123456789);
    assert_described(&buffer, 4, "123");
    assert_described(&buffer, 64, "(malformed)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_equal_numbers_are_equal_bytes),
        cmocka_unit_test(test_check_takes_canonical_values),
        cmocka_unit_test(test_check_refuses_the_rest),
        cmocka_unit_test(test_check_bounds_depth_and_size),
        cmocka_unit_test(test_check_closes_tables),
        cmocka_unit_test(test_check_bears_anything),
        cmocka_unit_test(test_read_walks_through_a_table),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_add_of_floats_stays_canonical),
        cmocka_unit_test(test_add_refuses_what_is_no_number),
        cmocka_unit_test(test_is_nil),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
