/* A batcher as the state of a test, and short forms of what goes in and comes out. */
#include "tests/unit/agent/core/batch/test_batcher_support.h"

#include "agent/core/batch/command.h"
#include "common/buffer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

int set_up(void **state)
{
    *state = batcher_new(10);
    return 0;
}

int tear_down(void **state)
{
    struct batcher *batcher = *state;
    batcher_free(&batcher);
    return 0;
}

struct operation of(enum operation_kind kind, const char *name, uint64_t step)
{
    return (struct operation){.kind = kind, .name = bytes_of_string(name), .step = step};
}

void add(struct batcher *batcher, uint32_t worker, struct operation operation)
{
    worker_set_init(&operation.workers);
    worker_set_add(&operation.workers, worker);
    struct operation *copy = operation_copy(&operation);
    worker_set_finish(&operation.workers);
    batcher_add(batcher, &copy);
    assert_null(copy);
}

void add_all(struct batcher *batcher, const char *workers, struct operation operation)
{
    worker_set_init(&operation.workers);
    for (const char *digit = workers; *digit != '\0'; digit++) {
        worker_set_add(&operation.workers, (uint32_t)(*digit - '0'));
    }
    batcher_put(batcher, &operation);
    worker_set_finish(&operation.workers);
}

void expect_order(struct batcher *batcher, const uint32_t *workers, size_t count)
{
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(batcher_batch(batcher, &message));
    struct worker_cursor cursor = {0};
    for (size_t i = 0; i < count; i++) {
        assert_true(worker_set_next(&message.operations.items[0].workers, &cursor));
        assert_int_equal(cursor.worker, workers[i]);
    }
    batcher_drop(batcher);
}

void expect(struct batcher *batcher, const char *expected)
{
    struct buffer text;
    buffer_init(&text, 100000);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    while (batcher_batch(batcher, &message)) {
        for (size_t i = 0; i < message.operations.count; i++) {
            const struct operation *operation = &message.operations.items[i];
            buffer_append_format(&text, "%s%s %.*s@%" PRIu64 ":%" PRIu64, text.size == 0 ? "" : ", ",
                                 operation_name(operation->kind), BYTES_FORMAT(operation->name),
                                 operation->step, worker_set_count(&operation->workers));
        }
        batcher_drop(batcher);
    }
    assert_string_equal(buffer_string(&text), expected);
    buffer_finish(&text);
    assert_int_equal(batcher_count(batcher), 0);
}
