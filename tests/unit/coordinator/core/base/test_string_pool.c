/* Shared texts: one of each, however many hold it, for as long as somebody does. */
#include "coordinator/core/base/string_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOST_BYTES 10000u

static void test_equal_texts_are_one(void **state)
{
    (void)state;
    struct string_pool *pool = string_pool_new();
    struct pool_string *first = string_pool_hold(pool, bytes_of_string("timeout"));
    struct pool_string *other = string_pool_hold(pool, bytes_of_string("refused"));
    struct pool_string *again = string_pool_hold(pool, bytes_of_string("timeout"));
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, other);
    assert_null(string_pool_hold(pool, bytes_of_string("")));
    assert_null(pool_string_hold(NULL));
    assert_int_equal(pool_string_bytes(NULL).size, 0);
    pool_string_release(&first);
    assert_null(first);
    assert_true(bytes_equal_string(pool_string_bytes(again), "timeout"));
    struct pool_string *third = pool_string_hold(again);
    pool_string_release(&again);
    assert_true(bytes_equal_string(pool_string_bytes(third), "timeout"));
    pool_string_release(&third);
    pool_string_release(&third);
    pool_string_release(&other);
    string_pool_free(&pool);
    assert_null(pool);
    string_pool_free(&pool);
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    char text[STRING_POOL_KEPT_BYTES + 20];
    memset(text, 'x', sizeof text);
    struct string_pool *pool = string_pool_new();
    struct pool_string *exact = string_pool_hold(pool, bytes_of(text, STRING_POOL_KEPT_BYTES));
    struct pool_string *longer = string_pool_hold(pool, bytes_of(text, sizeof text));
    assert_int_equal(pool_string_bytes(exact).size, STRING_POOL_KEPT_BYTES);
    assert_ptr_equal(exact, longer);
    pool_string_release(&exact);
    pool_string_release(&longer);
    string_pool_free(&pool);
}

static struct pool_string *numbered(struct string_pool *pool, size_t number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "error %zu", number);
    return string_pool_hold(pool, bytes_of_string(text));
}

/* What is known stays itself; all others share one text, until there is room again. */
static void test_too_many_texts_share_one(void **state)
{
    (void)state;
    static struct pool_string *held[STRING_POOL_MOST];
    struct string_pool *pool = string_pool_new();
    for (size_t i = 0; i < STRING_POOL_MOST; i++) {
        held[i] = numbered(pool, i);
    }
    struct pool_string *beyond = numbered(pool, STRING_POOL_MOST);
    struct pool_string *further = numbered(pool, STRING_POOL_MOST + 1);
    struct pool_string *known = numbered(pool, STRING_POOL_MOST - 1);
    assert_true(bytes_equal_string(pool_string_bytes(beyond), STRING_POOL_TOO_MANY));
    assert_ptr_equal(beyond, further);
    assert_ptr_equal(known, held[STRING_POOL_MOST - 1]);
    pool_string_release(&beyond);
    pool_string_release(&further);
    pool_string_release(&known);
    for (size_t i = 0; i < STRING_POOL_MOST; i++) {
        pool_string_release(&held[i]);
    }
    struct pool_string *later = numbered(pool, STRING_POOL_MOST);
    assert_true(bytes_equal_string(pool_string_bytes(later), "error 50000"));
    pool_string_release(&later);
    string_pool_free(&pool);
}

static void test_a_pool_is_packed_and_read_again(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, MOST_BYTES);
    struct string_pool *pool = string_pool_new();
    struct pool_string *held[] = {numbered(pool, 1), numbered(pool, 2), numbered(pool, 3), numbered(pool, 4)};
    pool_string_release(&held[1]);
    string_pool_pack(pool, &packed);
    for (size_t i = 0; i < 4; i++) {
        pool_string_pack(held[i], &packed);
        pool_string_release(&held[i]);
    }
    string_pool_free(&pool);

    pool = string_pool_new();
    struct unpack from = unpack_of(buffer_bytes(&packed));
    string_pool_unpack(pool, &from);
    for (size_t i = 0; i < 4; i++) {
        held[i] = pool_string_unpack(pool, &from);
    }
    assert_true(unpack_is_done(&from));
    string_pool_let_go(pool);
    assert_true(bytes_equal_string(pool_string_bytes(held[0]), "error 1"));
    assert_null(held[1]);
    assert_true(bytes_equal_string(pool_string_bytes(held[2]), "error 3"));
    assert_true(bytes_equal_string(pool_string_bytes(held[3]), "error 4"));
    struct pool_string *next = numbered(pool, 5); /* its number is its own */
    SCOPED(buffer_finish) struct buffer again;
    buffer_init(&again, MOST_BYTES);
    pool_string_pack(next, &again);
    from = unpack_of(buffer_bytes(&again));
    assert_int_equal(unpack_number(&from), 5);
    pool_string_release(&next);
    for (size_t i = 0; i < 4; i++) {
        pool_string_release(&held[i]);
    }
    string_pool_free(&pool);
}

struct packed_text {
    uint64_t number;
    const char *text;
};

/* Two texts, the numbers up to `last`, and a reference to one of them. */
static bool pool_is_read(struct packed_text first, struct packed_text second, uint64_t last,
                         uint64_t reference)
{
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, MOST_BYTES);
    pack_number(&packed, last);
    pack_number(&packed, 2);
    pack_number(&packed, first.number);
    pack_bytes(&packed, bytes_of_string(first.text));
    pack_number(&packed, second.number);
    pack_bytes(&packed, bytes_of_string(second.text));
    pack_number(&packed, reference);
    struct string_pool *pool = string_pool_new();
    struct unpack from = unpack_of(buffer_bytes(&packed));
    string_pool_unpack(pool, &from);
    struct pool_string *text = pool_string_unpack(pool, &from);
    bool is_read = !from.is_broken;
    assert_true(is_read || text == NULL);
    pool_string_release(&text);
    string_pool_let_go(pool);
    string_pool_free(&pool);
    return is_read;
}

static void test_a_pool_without_sense_is_refused(void **state)
{
    (void)state;
    const struct packed_text a3 = {3, "a"};
    const struct packed_text b5 = {5, "b"};
    assert_true(pool_is_read(a3, b5, 5, 5));
    assert_true(pool_is_read(a3, b5, 9, 3));
    assert_true(pool_is_read(a3, b5, 9, 0));
    assert_false(pool_is_read(a3, b5, 9, 4)); /* there is no such text */
    assert_false(pool_is_read(a3, b5, 9, 6));
    assert_false(pool_is_read(a3, b5, 4, 3)); /* a number beyond the last */
    assert_false(pool_is_read(b5, a3, 9, 3)); /* out of order */
    assert_false(pool_is_read(a3, (struct packed_text){3, "b"}, 9, 3));
    assert_false(pool_is_read((struct packed_text){0, "a"}, b5, 9, 5));
    assert_false(pool_is_read(a3, (struct packed_text){5, "a"}, 9, 3)); /* one text twice */
    assert_false(pool_is_read(a3, (struct packed_text){5, ""}, 9, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_texts_are_one),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_too_many_texts_share_one),
        cmocka_unit_test(test_a_pool_is_packed_and_read_again),
        cmocka_unit_test(test_a_pool_without_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
