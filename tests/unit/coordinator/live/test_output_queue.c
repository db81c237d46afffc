/* Batches of several campaigns for one output: they take turns, and what is full loses its own. */
#include "common/memory.h"
#include "coordinator/live/output_queue.h"
#include "tests/unit/common/check.h"

static void put_batch(struct output_queue *queue, uint64_t campaign, size_t size)
{
    struct output_batch *batch = MEMORY_NEW(struct output_batch);
    *batch = (struct output_batch){.campaign = campaign, .data = memory_new(1, 1), .size = size};
    output_queue_put(queue, &batch);
    assert_null(batch);
}

/* 0: there is none. */
static uint64_t take_campaign(struct output_queue *queue, uint64_t now_ns, uint64_t wanted_due_ns)
{
    uint64_t due_ns = 0;
    struct output_batch *batch = output_queue_take(queue, now_ns, &due_ns);
    uint64_t campaign = batch != NULL ? batch->campaign : 0;
    if (batch == NULL) {
        assert_true(due_ns == wanted_due_ns);
    }
    output_batch_free(&batch);
    return campaign;
}

static void campaigns_take_turns(void **state)
{
    (void)state;
    struct output_queue queue = {0};
    for (int i = 0; i < 3; i++) {
        put_batch(&queue, 1, 10);
    }
    put_batch(&queue, 2, 10);
    put_batch(&queue, 3, 10);
    put_batch(&queue, 3, 10);
    const uint64_t order[] = {1, 2, 3, 1, 3, 1, 0};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_int_equal(take_campaign(&queue, 0, OUTPUT_NEVER), order[i]);
    }
    assert_int_equal(queue.bytes, 0);
    output_queue_finish(&queue);
}

/* What is returned is the next of its campaign, later. */
static void what_is_returned_holds_up_its_own_campaign_alone(void **state)
{
    (void)state;
    struct output_queue queue = {0};
    uint64_t due_ns = 0;
    put_batch(&queue, 1, 11);
    put_batch(&queue, 1, 12);
    put_batch(&queue, 2, 10);
    struct output_batch *batch = output_queue_take(&queue, 0, &due_ns);
    assert_int_equal(batch->size, 11);
    assert_true(output_queue_has_others(&queue, 1));
    output_queue_return(&queue, &batch, 500);
    assert_null(batch);
    assert_int_equal(output_queue_count(&queue, 1), 2);
    put_batch(&queue, 2, 10);
    assert_int_equal(take_campaign(&queue, 100, 0), 2);
    assert_int_equal(take_campaign(&queue, 100, 0), 2);
    assert_false(output_queue_has_others(&queue, 1));
    assert_int_equal(take_campaign(&queue, 499, 500), 0);
    batch = output_queue_take(&queue, 500, &due_ns);
    assert_int_equal(batch->size, 11);
    output_batch_free(&batch);
    batch = output_queue_take(&queue, 500, &due_ns);
    assert_int_equal(batch->size, 12);
    /* Alone in its lane again. */
    output_queue_return(&queue, &batch, 900);
    put_batch(&queue, 1, 13);
    batch = output_queue_take(&queue, 900, &due_ns);
    assert_int_equal(batch->size, 12);
    output_batch_free(&batch);
    output_queue_finish(&queue);
}

static size_t lose(struct output_queue *queue, uint64_t campaign, size_t size, uint64_t wanted)
{
    struct output_batch *batch;
    size_t count = 0;
    while ((batch = output_queue_overflow(queue, campaign, size)) != NULL) {
        assert_int_equal(batch->campaign, wanted);
        output_batch_free(&batch);
        count++;
    }
    return count;
}

static void what_is_too_much_loses_its_oldest(void **state)
{
    (void)state;
    struct output_queue queue = {0};
    for (unsigned i = 0; i < OUTPUT_QUEUE_BATCHES; i++) {
        assert_int_equal(lose(&queue, 1, 10, 0), 0);
        put_batch(&queue, 1, 10);
    }
    assert_int_equal(lose(&queue, 2, 10, 0), 0);
    assert_int_equal(lose(&queue, 1, 10, 1), 1);
    put_batch(&queue, 1, 10);
    put_batch(&queue, 2, OUTPUT_QUEUE_BYTES / 2);
    put_batch(&queue, 2, OUTPUT_QUEUE_BYTES / 4);
    /* Whoever wants the place: the largest makes it. */
    assert_int_equal(lose(&queue, 1, 5, 1), 1);
    assert_int_equal(lose(&queue, 3, OUTPUT_QUEUE_BYTES / 2, 2), 1);
    assert_int_equal(output_queue_count(&queue, 1), OUTPUT_QUEUE_BATCHES - 1);
    output_queue_drop(&queue, 1);
    assert_int_equal(output_queue_count(&queue, 1), 0);
    assert_int_equal(output_queue_count(&queue, 2), 1);
    assert_int_equal(queue.bytes, OUTPUT_QUEUE_BYTES / 4);
    /* A batch that is larger than all may be goes into an empty queue. */
    assert_int_equal(lose(&queue, 2, 2 * OUTPUT_QUEUE_BYTES, 2), 1);
    output_queue_drop(&queue, 9);
    output_queue_finish(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(campaigns_take_turns),
        cmocka_unit_test(what_is_returned_holds_up_its_own_campaign_alone),
        cmocka_unit_test(what_is_too_much_loses_its_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
