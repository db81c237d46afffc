/* Which operations are the same one, also when so many came in between that a key has to tell. */
#include "tests/unit/agent/core/batch/test_batcher_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LARGE_BYTES 20000 /* more than a key may have */

/* So many others that nothing before them is looked at without its key. Uses the last ten workers. */
static void fill(struct batcher *batcher, uint32_t workers)
{
    for (uint32_t i = 0; i < 10; i++) {
        add(batcher, workers - 10 + i, of(OPERATION_GET, "filler", 0));
    }
}

static bool are_two(const struct operation *operation, uint32_t first, uint32_t second)
{
    struct worker_cursor cursor = {0};
    return worker_set_count(&operation->workers) == 2 && worker_set_next(&operation->workers, &cursor) &&
           cursor.worker == first && worker_set_next(&operation->workers, &cursor) && cursor.worker == second;
}

/* Two workers do each of these, the second one much later. */
static void expect_kept_apart(const struct operation *operations, uint32_t count)
{
    struct batcher *batcher = batcher_new(200);
    for (uint32_t i = 0; i < count; i++) {
        add(batcher, i, operations[i]);
    }
    fill(batcher, 200);
    for (uint32_t i = 0; i < count; i++) {
        add(batcher, 100 + i, operations[i]);
    }
    assert_int_equal(batcher_count(batcher), count + 10);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(are_two(&message.operations.items[i], i, 100 + i));
    }
    batcher_drop(batcher);
    batcher_free(&batcher);
}

static void each_field_keeps_operations_apart_however_old_they_are(void **state)
{
    (void)state;
    struct operation base = of(OPERATION_READ, "line", 4);
    struct operation each[] = {base, base, base, base, base, base, base, base, base,
                               base, base, base, base, base, base, base, base};
    each[16].on_timeout = BARRIER_TIMEOUT_LEAVE;
    each[1].kind = OPERATION_WAIT_WRITER;
    each[2].is_aside = true;
    each[3].is_strict = true;
    each[4].is_at_once = true;
    each[5].room = 1;
    each[6].nth = 1;
    each[7].step = 5;
    each[8].count = 3;
    each[9].call = 3;
    each[10].timeout_ms = 7;
    each[11].name = bytes_of_string("lime");
    each[12].text = bytes_of_string("a");
    each[13].value = bytes_of_string("a");
    each[14].expected = bytes_of_string("a");
    each[15].digest = bytes_of_string("a");
    expect_kept_apart(each, 17);
}

static void instants_keep_operations_apart_however_old_they_are(void **state)
{
    (void)state;
    struct operation each[] = {of(OPERATION_READ, "line", 4), of(OPERATION_READ, "line", 4)};
    each[1].first_ns = each[1].last_ns = 1000;
    expect_kept_apart(each, 2);
}

/* The end of one text is not the beginning of the next. */
static void texts_do_not_run_together(void **state)
{
    (void)state;
    struct operation each[] = {of(OPERATION_PAST, "ab", 4), of(OPERATION_PAST, "a", 4),
                               of(OPERATION_PAST, "", 4)};
    each[0].text = bytes_of_string("c");
    each[1].text = bytes_of_string("bc");
    each[2].text = bytes_of_string("abc");
    expect_kept_apart(each, 3);
}

static void what_is_too_large_for_a_key_is_shared_only_while_it_is_new(void **state)
{
    (void)state;
    static uint8_t text[LARGE_BYTES];
    struct batcher *batcher = batcher_new(40);
    struct operation large = of(OPERATION_PAST, "", 4);
    large.text = bytes_of(text, sizeof text);
    add(batcher, 0, large);
    add(batcher, 1, large);
    assert_int_equal(batcher_count(batcher), 1);
    fill(batcher, 40);
    add(batcher, 2, large);
    assert_int_equal(batcher_count(batcher), 12);
    batcher_free(&batcher);
}

/* The older of two entries goes; the newer one is still found. */
static void an_entry_that_goes_takes_only_its_own_key(void **state)
{
    (void)state;
    struct batcher *batcher = batcher_new(40);
    add(batcher, 0, of(OPERATION_READ, "pad", 1));
    add(batcher, 1, of(OPERATION_PAST, "", 1));
    add(batcher, 1, of(OPERATION_READ, "pad", 1));
    fill(batcher, 40);
    struct operation *taken = batcher_take(batcher);
    assert_int_equal(worker_set_count(&taken->workers), 1);
    operation_free(&taken);
    assert_int_equal(batcher_count(batcher), 12);
    add(batcher, 2, of(OPERATION_READ, "pad", 1));
    assert_int_equal(batcher_count(batcher), 12);
    batcher_free(&batcher);
}

static void more_workers_change_nothing_for_those_that_are_there(void **state)
{
    struct batcher *batcher = *state;
    add(batcher, 0, of(OPERATION_READ, "pad", 1));
    add(batcher, 9, of(OPERATION_PAST, "", 1));
    batcher_extend(batcher, 5); /* fewer are none */
    batcher_extend(batcher, 20);
    add(batcher, 15, of(OPERATION_READ, "pad", 1));
    add(batcher, 9, of(OPERATION_READ, "pad", 1)); /* after what it did last */
    expect(batcher, "one_read pad@1:2, past @1:1, one_read pad@1:1");
}

/* Both read, and the second has done something since the first entry: only its own instant stays with it. */
static void who_may_not_join_takes_only_its_own_instant(void **state)
{
    struct batcher *batcher = *state;
    struct operation read = of(OPERATION_READ, "pad", 1);
    read.first_ns = 1000000;
    add(batcher, 5, read);
    add(batcher, 1, of(OPERATION_PAST, "", 1));
    uint32_t after_us[] = {0, 5};
    read.after_us = after_us;
    read.after_count = 2;
    add_all(batcher, "01", read);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    assert_int_equal(message.operations.count, 3);
    assert_int_equal(worker_set_count(&message.operations.items[0].workers), 2);
    assert_int_equal(message.operations.items[2].first_ns, 1005000);
    assert_int_equal(message.operations.items[2].after_count, 0);
    assert_null(message.operations.items[2].after_us);
    batcher_drop(batcher);
}

static void instants_a_microsecond_apart_are_two(void **state)
{
    struct batcher *batcher = *state;
    for (uint32_t worker = 0; worker < 2; worker++) {
        struct operation read = of(OPERATION_READ, "pad", 1);
        read.first_ns = read.last_ns = 1000000 + 1000 * (int64_t)worker;
        add(batcher, worker, read);
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    assert_int_equal(message.operations.items[0].after_count, 2);
    assert_int_equal(message.operations.items[0].after_us[1], 1);
    batcher_drop(batcher);
}

static void what_is_not_there_is_freed_as_well(void **state)
{
    (void)state;
    struct batcher *nothing = NULL;
    batcher_free(&nothing);
    assert_null(nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_keeps_operations_apart_however_old_they_are),
        cmocka_unit_test(instants_keep_operations_apart_however_old_they_are),
        cmocka_unit_test(texts_do_not_run_together),
        cmocka_unit_test(what_is_too_large_for_a_key_is_shared_only_while_it_is_new),
        cmocka_unit_test(an_entry_that_goes_takes_only_its_own_key),
        BATCHER_TEST(more_workers_change_nothing_for_those_that_are_there),
        BATCHER_TEST(who_may_not_join_takes_only_its_own_instant),
        BATCHER_TEST(instants_a_microsecond_apart_are_two),
        cmocka_unit_test(what_is_not_there_is_freed_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
