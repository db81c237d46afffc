/* How much goes into one entry and into one batch: exactly up to each limit. */
#include "tests/unit/agent/core/batch/test_batcher_support.h"

#include "common/random.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ENTRY_RUNS 8192u  /* of workers */
#define FIELDS_BYTES 175u /* for all but the bytes, with one run of workers */

/* The operations of the next batch, which is dropped. */
static size_t next_batch(struct batcher *batcher)
{
    struct message message = {.kind = MESSAGE_OPERATIONS};
    if (!batcher_batch(batcher, &message)) {
        return 0;
    }
    size_t count = message.operations.count;
    batcher_drop(batcher);
    return count;
}

/* Workers whose numbers make no runs of more than two. */
static uint32_t scattered(struct random *random, uint32_t at)
{
    return 24 * at + (uint32_t)random_below(random, 24);
}

static void entry_takes_workers_up_to_so_many_runs(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct batcher *batcher = batcher_new(LIMIT_WORKERS);
    for (uint32_t i = 0; batcher_count(batcher) < 2; i++) {
        add(batcher, scattered(&random, i), of(OPERATION_BARRIER, "line", 1));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    assert_int_equal(message.operations.items[0].workers.run_count, ENTRY_RUNS);
    assert_int_equal(worker_set_count(&message.operations.items[1].workers), 1);
    batcher_drop(batcher);
    batcher_free(&batcher);
}

/* Two entries that are as large as may be fit a batch, and little else. */
static void one_operation_of_too_many_runs_becomes_several(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct batcher *batcher = batcher_new(LIMIT_WORKERS);
    struct operation operation = of(OPERATION_BARRIER, "line", 1);
    uint32_t count = 0;
    while (operation.workers.run_count < 2 * ENTRY_RUNS + 2000) {
        worker_set_add(&operation.workers, scattered(&random, count++));
    }
    batcher_put(batcher, &operation);
    assert_int_equal(batcher_count(batcher), 3);
    struct worker_cursor expected = {0};
    struct message message = {.kind = MESSAGE_OPERATIONS};
    for (size_t batch = 0; batch < 2; batch++) {
        assert_true(batcher_batch(batcher, &message));
        assert_int_equal(message.operations.count, batch == 0 ? 2 : 1);
        for (size_t i = 0; i < message.operations.count; i++) {
            struct worker_cursor cursor = {0};
            while (worker_set_next(&message.operations.items[i].workers, &cursor)) {
                assert_true(worker_set_next(&operation.workers, &expected));
                assert_int_equal(cursor.worker, expected.worker);
            }
        }
        batcher_drop(batcher);
    }
    assert_false(worker_set_next(&operation.workers, &expected));
    worker_set_finish(&operation.workers);
    batcher_free(&batcher);
}

static void add_many(struct batcher *batcher, uint32_t count, uint64_t step)
{
    struct operation operation = of(OPERATION_READ, "pad", step);
    for (uint32_t worker = 0; worker < count; worker++) {
        worker_set_add(&operation.workers, worker);
    }
    batcher_put(batcher, &operation);
    worker_set_finish(&operation.workers);
}

static void batch_names_so_many_workers(void **state)
{
    (void)state;
    struct batcher *batcher = batcher_new(LIMIT_NAMED_WORKERS);
    add_many(batcher, LIMIT_NAMED_WORKERS / 2, 1);
    add_many(batcher, LIMIT_NAMED_WORKERS / 2, 2);
    add_many(batcher, 1, 3);
    add_many(batcher, LIMIT_NAMED_WORKERS, 4);
    assert_int_equal(next_batch(batcher), 2);
    assert_int_equal(next_batch(batcher), 1);
    assert_int_equal(next_batch(batcher), 1);
    batcher_free(&batcher);
}

/* Two that take exactly what a batch may, by the bytes of this field, and one byte more. */
static void expect_limit(size_t offset)
{
    static uint8_t text[LIMIT_BATCH_BYTES];
    struct batcher *batcher = batcher_new(10);
    for (size_t more = 0; more < 2; more++) {
        struct operation operation = {.kind = OPERATION_SET};
        struct bytes field = bytes_of(text, LIMIT_BATCH_BYTES / 2 - FIELDS_BYTES);
        memcpy((uint8_t *)&operation + offset, &field, sizeof field);
        add(batcher, 0, operation);
        field.size += more;
        memcpy((uint8_t *)&operation + offset, &field, sizeof field);
        add(batcher, 1, operation);
        assert_int_equal(next_batch(batcher), more == 0 ? 2 : 1);
        assert_int_equal(next_batch(batcher), more == 0 ? 0 : 1);
    }
    batcher_free(&batcher);
}

static void batch_has_so_many_bytes_of_every_kind(void **state)
{
    (void)state;
    expect_limit(offsetof(struct operation, name));
    expect_limit(offsetof(struct operation, text));
    expect_limit(offsetof(struct operation, value));
    expect_limit(offsetof(struct operation, expected));
}

static void what_is_left_is_counted_and_urgent_only_while_something_is(void **state)
{
    struct batcher *batcher = *state;
    assert_false(batcher_is_urgent(batcher));
    for (uint32_t worker = 0; worker < 5; worker++) {
        add(batcher, worker, of(OPERATION_GET, "price", 0));
    }
    assert_true(batcher_is_urgent(batcher));
    struct operation *taken = batcher_take(batcher);
    operation_free(&taken);
    assert_int_equal(batcher_count(batcher), 4);
    assert_true(batcher_is_urgent(batcher));
    assert_int_equal(next_batch(batcher), 4);
    assert_int_equal(batcher_count(batcher), 0);
    assert_false(batcher_is_urgent(batcher));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_takes_workers_up_to_so_many_runs),
        cmocka_unit_test(one_operation_of_too_many_runs_becomes_several),
        cmocka_unit_test(batch_names_so_many_workers),
        cmocka_unit_test(batch_has_so_many_bytes_of_every_kind),
        BATCHER_TEST(what_is_left_is_counted_and_urgent_only_while_something_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
