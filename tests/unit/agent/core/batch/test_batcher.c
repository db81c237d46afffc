/* Many workers' operations in few: what is merged into one operation, what stays separate, and what fits a
 * batch. */
#include "tests/unit/agent/core/batch/test_batcher_support.h"

#include "common/random.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void thousand_readings_are_one_operation(void **state)
{
    (void)state;
    struct batcher *batcher = batcher_new(1000);
    for (uint32_t i = 0; i < 1000; i++) {
        add(batcher, i * 7 % 1000, of(OPERATION_READ, "pad", 4)); /* in some order */
    }
    assert_int_equal(batcher_count(batcher), 1);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    assert_int_equal(message.operations.items[0].workers.run_count, 1);
    batcher_drop(batcher);
    expect(batcher, "");
    batcher_free(&batcher);
}

static void different_keys_stay_apart(void **state)
{
    struct batcher *batcher = *state;
    struct operation base = of(OPERATION_BARRIER, "line", 4);
    add(batcher, 0, base);
    struct operation others[] = {base, base, base, base, base, base, base, base};
    others[0].kind = OPERATION_WAIT_WRITER;
    others[1].name = bytes_of_string("lime");
    others[2].step = 5;
    others[3].room = 1;
    others[4].nth = 1;
    others[5].timeout_ms = 1;
    others[6].is_at_once = true;
    others[7].count = 3;
    for (uint32_t i = 0; i < 8; i++) {
        add(batcher, i + 1, others[i]);
    }
    assert_int_equal(batcher_count(batcher), 9);
    for (uint32_t i = 0; i < 8; i++) {
        add(batcher, 9,
            others[i]); /* only the first one has no earlier operation of its own; the rest follow in order */
    }
    assert_int_equal(batcher_count(batcher), 9);
}

static void words_keep_failures_apart(void **state)
{
    struct batcher *batcher = *state;
    struct operation operation = of(OPERATION_PAST, "", 4);
    add(batcher, 0, operation);
    operation.text = bytes_of_string("no page");
    add(batcher, 1, operation);
    add(batcher, 2, operation);
    add(batcher, 3, of(OPERATION_PAST, "", 4));
    expect(batcher, "past @4:2, past @4:2");
}

static void what_is_of_one_worker_is_never_shared(void **state)
{
    struct batcher *batcher = *state;
    for (uint32_t i = 0; i < 3; i++) {
        add(batcher, i, of(OPERATION_GET, "price", 0));
    }
    expect(batcher, "get_var price@0:1, get_var price@0:1, get_var price@0:1");
}

static void repeated_reading_counts_once_but_repeated_waits_stay(void **state)
{
    struct batcher *batcher = *state;
    add(batcher, 0, of(OPERATION_READ, "pad", 1));
    add(batcher, 0, of(OPERATION_READ, "pad", 1));
    add(batcher, 0, of(OPERATION_WAIT_READERS, "pad", 1));
    add(batcher, 0, of(OPERATION_WAIT_READERS, "pad", 1));
    expect(batcher, "one_read pad@1:1, wait_for_readers pad@1:1, wait_for_readers pad@1:1");
}

static void releases_span_all_their_instants(void **state)
{
    struct batcher *batcher = *state;
    static const int64_t INSTANTS[] = {500, 300, 900};
    for (uint32_t i = 0; i < 3; i++) {
        struct operation operation = of(OPERATION_RELEASED, "line", 1);
        operation.first_ns = operation.last_ns = INSTANTS[i];
        add(batcher, i, operation);
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    assert_int_equal(message.operations.count, 1);
    assert_int_equal(message.operations.items[0].first_ns, 300);
    assert_int_equal(message.operations.items[0].last_ns, 900);
    batcher_drop(batcher);
}

static struct operation read_at(int64_t instant_ns, const char *digest)
{
    struct operation operation = of(OPERATION_READ, "pad", 1);
    operation.first_ns = operation.last_ns = instant_ns;
    operation.digest = bytes_of_string(digest);
    return operation;
}

static int64_t instant_of(const struct operation *operation, uint32_t worker)
{
    struct worker_cursor cursor = {0};
    for (size_t place = 0; worker_set_next(&operation->workers, &cursor); place++) {
        if (cursor.worker == worker) {
            return operation_instant_ns(operation, place);
        }
    }
    return -1;
}

/* Two batchers in sequence, as on shard and agent; workers come in any order. */
static void each_reader_keeps_its_instant(void **state)
{
    (void)state;
    struct batcher *first = batcher_new(40);
    struct batcher *second = batcher_new(40);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t worker = i * 7 % 40;
        add(first, worker, read_at(5000000000000 + worker * 1000 * (worker % 3), ""));
        add(first, worker, read_at(1, "")); /* a second reading does not count */
        if (i % 10 == 9) {
            struct operation *taken = batcher_take(first);
            batcher_add(second, &taken);
        }
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(second, &message));
    assert_int_equal(message.operations.count, 1);
    assert_int_equal(message.operations.items[0].after_count, 40);
    for (uint32_t worker = 0; worker < 40; worker++) {
        assert_int_equal(instant_of(&message.operations.items[0], worker),
                         5000000000000 + worker * 1000 * (worker % 3));
    }
    batcher_drop(second);
    batcher_free(&first);
    batcher_free(&second);
}

static void readers_who_saw_another_text_stay_apart(void **state)
{
    struct batcher *batcher = *state;
    for (uint32_t worker = 0; worker < 8; worker++) {
        add(batcher, worker, read_at(1000, worker == 3 ? "fedcba9876543210" : "0123456789abcdef"));
    }
    add(batcher, 8, read_at(0, "0123456789abcdef"));         /* the instant is not known */
    add(batcher, 9, read_at(INT64_MAX, "0123456789abcdef")); /* too far apart for one operation */
    expect(batcher, "one_read pad@1:7, one_read pad@1:1, one_read pad@1:1, one_read pad@1:1");
}

static void expect_to_fit(const struct message *message)
{
    struct buffer bytes;
    buffer_init(&bytes, LIMIT_FRAME_BYTES);
    message_encode(message, &bytes);
    assert_true(bytes.size <= LIMIT_BATCH_BYTES);
    buffer_finish(&bytes);
}

static void instants_of_many_fit_a_batch(void **state)
{
    (void)state;
    struct batcher *batcher = batcher_new(100000);
    for (uint32_t worker = 0; worker < 100000; worker++) {
        add(batcher, worker, read_at(1000000 + (int64_t)worker * 40000000, ""));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    uint32_t told = 0;
    while (batcher_batch(batcher, &message)) {
        expect_to_fit(&message);
        for (size_t i = 0; i < message.operations.count; i++) {
            uint32_t count = (uint32_t)worker_set_count(&message.operations.items[i].workers);
            told += count;
            assert_int_equal(instant_of(&message.operations.items[i], told - 1),
                             1000000 + (int64_t)(told - 1) * 40000000);
        }
        batcher_drop(batcher);
    }
    assert_int_equal(told, 100000);
    batcher_free(&batcher);
}

static void batches_keep_to_their_size(void **state)
{
    (void)state;
    static uint8_t value[60000];
    struct batcher *batcher = batcher_new(100);
    for (uint32_t i = 0; i < 20; i++) {
        struct operation operation = of(OPERATION_SET, "price", 0);
        operation.value = bytes_of(value, sizeof value);
        add(batcher, i, operation);
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    size_t batches = 0;
    while (batcher_batch(batcher, &message)) {
        expect_to_fit(&message);
        batcher_drop(batcher);
        batches++;
    }
    assert_int_equal(batches, 5);
    batcher_free(&batcher);
}

static void scattered_workers_fit_a_batch(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct batcher *batcher = batcher_new(LIMIT_WORKERS);
    for (uint32_t i = 0; i < 100000; i++) {
        add(batcher, (uint32_t)random_below(&random, LIMIT_WORKERS), of(OPERATION_READ, "pad", 1));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    while (batcher_batch(batcher, &message)) {
        expect_to_fit(&message);
        batcher_drop(batcher);
    }
    batcher_free(&batcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousand_readings_are_one_operation),
        BATCHER_TEST(different_keys_stay_apart),
        BATCHER_TEST(words_keep_failures_apart),
        BATCHER_TEST(what_is_of_one_worker_is_never_shared),
        BATCHER_TEST(repeated_reading_counts_once_but_repeated_waits_stay),
        BATCHER_TEST(releases_span_all_their_instants),
        cmocka_unit_test(each_reader_keeps_its_instant),
        BATCHER_TEST(readers_who_saw_another_text_stay_apart),
        cmocka_unit_test(instants_of_many_fit_a_batch),
        cmocka_unit_test(batches_keep_to_their_size),
        cmocka_unit_test(scattered_workers_fit_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
