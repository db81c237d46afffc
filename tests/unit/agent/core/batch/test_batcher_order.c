/* Whatever is merged, and however often, the operations of each worker stay in order. */
#include "tests/unit/agent/core/batch/test_batcher_support.h"

#include "common/memory.h"
#include "common/random.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void worker_joins_nothing_before_its_last_operation(void **state)
{
    struct batcher *batcher = *state;
    add(batcher, 0, of(OPERATION_READ, "pad", 1));
    add(batcher, 1, of(OPERATION_PAST, "", 1));
    add(batcher, 1, of(OPERATION_READ, "pad", 1)); /* not into the first: it is past step 1 before that */
    add(batcher, 2, of(OPERATION_READ, "pad", 1)); /* into the newest */
    add(batcher, 0, of(OPERATION_PAST, "", 1));
    expect(batcher, "one_read pad@1:1, past @1:2, one_read pad@1:2");
}

static void arrivals_at_a_barrier_keep_their_order(void **state)
{
    struct batcher *batcher = *state;
    static const uint32_t ORDER[] = {4, 1, 7, 2};
    for (size_t i = 0; i < 4; i++) {
        add(batcher, ORDER[i], of(OPERATION_BARRIER, "line", 1));
    }
    expect_order(batcher, ORDER, 4);
}

/* What one shard has batched joins what another has; from the first worker that may not join, the rest forms
 * an operation of its own. */
static void gatherings_are_gathered(void **state)
{
    struct batcher *batcher = *state;
    add_all(batcher, "024", of(OPERATION_READ, "pad", 1));
    add_all(batcher, "135", of(OPERATION_READ, "pad", 1));
    add(batcher, 7, of(OPERATION_PAST, "", 1));
    add_all(batcher, "6782", of(OPERATION_READ, "pad", 1));
    add_all(batcher, "90", of(OPERATION_READ, "pad", 1));
    expect(batcher, "one_read pad@1:7, past @1:1, one_read pad@1:5");
}

static void move(struct batcher *from, struct batcher *to)
{
    struct operation *operation;
    while ((operation = batcher_take(from)) != NULL) {
        batcher_add(to, &operation);
    }
    assert_int_equal(batcher_count(from), 0);
}

static void what_is_taken_out_moves_on_whole(void **state)
{
    (void)state;
    struct batcher *shard = batcher_new(10);
    struct batcher *agent = batcher_new(10);
    for (int turn = 0; turn < 3; turn++) {
        add_all(shard, "413", of(OPERATION_BARRIER, "line", 1));
        add(shard, 2, of(OPERATION_GET, "price", 0));
        add(shard, 2, of(OPERATION_BARRIER, "line", 1));
        move(shard, agent);
        static const uint32_t ORDER[] = {4, 1, 3, 2};
        expect_order(agent, ORDER, 3);
    }
    batcher_free(&shard);
    batcher_free(&agent);
}

/* Random operations of few workers and keys, drained at random: each worker's own sequence comes out as it
 * went in, except for readings that repeat the previous one. */
#define PROPERTY_WORKERS 6u
#define PROPERTY_OPERATIONS 300u

struct history {
    uint64_t items[PROPERTY_WORKERS][PROPERTY_OPERATIONS];
    size_t counts[PROPERTY_WORKERS];
};

static uint64_t code_of(const struct operation *operation)
{
    return (uint64_t)operation->kind << 32 | operation->step << 16 | operation->call;
}

static void note(struct history *history, uint32_t worker, uint64_t code)
{
    size_t count = history->counts[worker];
    bool is_reading = code >> 32 == OPERATION_READ;
    if (is_reading && count > 0 && history->items[worker][count - 1] == code) {
        return;
    }
    history->items[worker][history->counts[worker]++] = code;
}

static void drain(struct batcher *batcher, struct history *out)
{
    struct message message = {.kind = MESSAGE_OPERATIONS};
    if (!batcher_batch(batcher, &message)) {
        return;
    }
    for (size_t i = 0; i < message.operations.count; i++) {
        struct worker_cursor cursor = {0};
        while (worker_set_next(&message.operations.items[i].workers, &cursor)) {
            note(out, cursor.worker, code_of(&message.operations.items[i]));
        }
    }
    batcher_drop(batcher);
}

static void run_seed(uint64_t seed)
{
    static const enum operation_kind KINDS[] = {OPERATION_READ, OPERATION_PAST, OPERATION_WAIT_WRITER,
                                                OPERATION_BARRIER, OPERATION_GET};
    struct random random;
    random_seed(&random, seed);
    struct batcher *batcher = batcher_new(PROPERTY_WORKERS);
    struct batcher *shards[] = {batcher_new(PROPERTY_WORKERS), batcher_new(PROPERTY_WORKERS)};
    struct history *in = MEMORY_NEW(struct history);
    struct history *out = MEMORY_NEW(struct history);
    for (uint32_t i = 0; i < PROPERTY_OPERATIONS; i++) {
        uint32_t worker = (uint32_t)random_below(&random, PROPERTY_WORKERS);
        struct operation operation = of(KINDS[random_below(&random, 5)], "x", random_below(&random, 3));
        operation.call = operation.kind == OPERATION_GET ? i : 0;
        note(in, worker, code_of(&operation));
        add(shards[worker % 2], worker, operation);
        if (random_below(&random, 8) == 0) {
            move(shards[random_below(&random, 2)], batcher);
        }
        if (random_below(&random, 20) == 0) {
            drain(batcher, out);
        }
    }
    move(shards[0], batcher);
    move(shards[1], batcher);
    drain(batcher, out);
    for (uint32_t worker = 0; worker < PROPERTY_WORKERS; worker++) {
        bool is_same = in->counts[worker] == out->counts[worker] &&
                       memcmp(in->items[worker], out->items[worker],
                              in->counts[worker] * sizeof in->items[worker][0]) == 0;
        if (!is_same) {
            fail_msg("seed %" PRIu64 ": worker %" PRIu32 " is out of order", seed, worker);
        }
    }
    batcher_free(&batcher);
    batcher_free(&shards[0]);
    batcher_free(&shards[1]);
    memory_free(in);
    memory_free(out);
}

static void order_of_each_worker_is_kept(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BATCHER_TEST(worker_joins_nothing_before_its_last_operation),
        BATCHER_TEST(arrivals_at_a_barrier_keep_their_order),
        BATCHER_TEST(gatherings_are_gathered),
        cmocka_unit_test(what_is_taken_out_moves_on_whole),
        cmocka_unit_test(order_of_each_worker_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
