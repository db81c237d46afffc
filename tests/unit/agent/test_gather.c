/* Many workers' operations in few, and what each of them did still in order. */
#include "agent/core/gather.h"

#include "agent/core/command.h"
#include "common/memory.h"
#include "common/random.h"
#include "proto/codec.h"
#include "proto/limits.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void add(struct gather *gather, uint32_t worker, struct operation operation)
{
    worker_set_init(&operation.workers);
    worker_set_add(&operation.workers, worker);
    struct operation *copy = operation_copy(&operation);
    worker_set_finish(&operation.workers);
    gather_add(gather, &copy);
    assert_null(copy);
}

static struct operation of(enum operation_kind kind, const char *name, uint64_t step)
{
    return (struct operation){.kind = kind, .name = bytes_of_string(name), .step = step};
}

/* Everything that has gathered, as "NAME NAME@STEP:COUNT" for each operation. */
static void expect(struct gather *gather, const char *expected)
{
    struct buffer text;
    buffer_init(&text, 100000);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    while (gather_batch(gather, &message)) {
        for (size_t i = 0; i < message.operations.count; i++) {
            const struct operation *operation = &message.operations.items[i];
            buffer_append_format(&text, "%s%s %.*s@%" PRIu64 ":%" PRIu64, text.size == 0 ? "" : ", ",
                                 operation_name(operation->kind), BYTES_FORMAT(operation->name),
                                 operation->step, worker_set_count(&operation->workers));
        }
        gather_drop(gather);
    }
    assert_string_equal(buffer_string(&text), expected);
    buffer_finish(&text);
    assert_int_equal(gather_count(gather), 0);
}

static void thousand_readings_are_one_operation(void **state)
{
    (void)state;
    struct gather *gather = gather_new(1000);
    for (uint32_t i = 0; i < 1000; i++) {
        add(gather, i * 7 % 1000, of(OPERATION_READ, "pad", 4)); /* in some order */
    }
    assert_int_equal(gather_count(gather), 1);
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(gather_batch(gather, &message));
    assert_int_equal(message.operations.items[0].workers.run_count, 1);
    gather_drop(gather);
    expect(gather, "");
    gather_free(&gather);
}

static void different_keys_stay_apart(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    struct operation base = of(OPERATION_BARRIER, "line", 4);
    add(gather, 0, base);
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
        add(gather, i + 1, others[i]);
    }
    assert_int_equal(gather_count(gather), 9);
    for (uint32_t i = 0; i < 8; i++) {
        add(gather, 9, others[i]); /* only the first is behind nothing of its own; the rest follow in order */
    }
    assert_int_equal(gather_count(gather), 9);
    gather_free(&gather);
}

static void words_keep_failures_apart(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    struct operation operation = of(OPERATION_PAST, "", 4);
    add(gather, 0, operation);
    operation.text = bytes_of_string("no page");
    add(gather, 1, operation);
    add(gather, 2, operation);
    add(gather, 3, of(OPERATION_PAST, "", 4));
    expect(gather, "past @4:2, past @4:2");
    gather_free(&gather);
}

static void what_is_of_one_worker_is_never_shared(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    for (uint32_t i = 0; i < 3; i++) {
        add(gather, i, of(OPERATION_GET, "price", 0));
    }
    expect(gather, "get_var price@0:1, get_var price@0:1, get_var price@0:1");
    gather_free(&gather);
}

static void worker_joins_nothing_before_its_last_operation(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    add(gather, 0, of(OPERATION_READ, "pad", 1));
    add(gather, 1, of(OPERATION_PAST, "", 1));
    add(gather, 1, of(OPERATION_READ, "pad", 1)); /* not into the first: it is past step 1 before */
    add(gather, 2, of(OPERATION_READ, "pad", 1)); /* into the newest */
    add(gather, 0, of(OPERATION_PAST, "", 1));
    expect(gather, "one_read pad@1:1, past @1:2, one_read pad@1:2");
    gather_free(&gather);
}

static void repeated_reading_counts_once_but_repeated_waits_stay(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    add(gather, 0, of(OPERATION_READ, "pad", 1));
    add(gather, 0, of(OPERATION_READ, "pad", 1));
    add(gather, 0, of(OPERATION_WAIT_READERS, "pad", 1));
    add(gather, 0, of(OPERATION_WAIT_READERS, "pad", 1));
    expect(gather, "one_read pad@1:1, wait_for_readers pad@1:1, wait_for_readers pad@1:1");
    gather_free(&gather);
}

static void arrivals_at_a_barrier_keep_their_order(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    static const uint32_t ORDER[] = {4, 1, 7, 2};
    for (size_t i = 0; i < 4; i++) {
        add(gather, ORDER[i], of(OPERATION_BARRIER, "line", 1));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(gather_batch(gather, &message));
    struct worker_cursor cursor = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_true(worker_set_next(&message.operations.items[0].workers, &cursor));
        assert_int_equal(cursor.worker, ORDER[i]);
    }
    gather_drop(gather);
    gather_free(&gather);
}

static void releases_span_all_their_instants(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    static const int64_t INSTANTS[] = {500, 300, 900};
    for (uint32_t i = 0; i < 3; i++) {
        struct operation operation = of(OPERATION_RELEASED, "line", 1);
        operation.first_ns = operation.last_ns = INSTANTS[i];
        add(gather, i, operation);
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(gather_batch(gather, &message));
    assert_int_equal(message.operations.count, 1);
    assert_int_equal(message.operations.items[0].first_ns, 300);
    assert_int_equal(message.operations.items[0].last_ns, 900);
    gather_drop(gather);
    gather_free(&gather);
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

/* Two gatherings, one behind the other, as on shard and agent; workers come in any order. */
static void each_reader_keeps_its_instant(void **state)
{
    (void)state;
    struct gather *first = gather_new(40);
    struct gather *second = gather_new(40);
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t worker = i * 7 % 40;
        add(first, worker, read_at(5000000000000 + worker * 1000 * (worker % 3), ""));
        add(first, worker, read_at(1, "")); /* a second reading counts for nothing */
        if (i % 10 == 9) {
            struct operation *taken = gather_take(first);
            gather_add(second, &taken);
        }
    }
    struct message message = {.kind = MESSAGE_OPERATIONS};
    assert_true(gather_batch(second, &message));
    assert_int_equal(message.operations.count, 1);
    assert_int_equal(message.operations.items[0].after_count, 40);
    for (uint32_t worker = 0; worker < 40; worker++) {
        assert_int_equal(instant_of(&message.operations.items[0], worker),
                         5000000000000 + worker * 1000 * (worker % 3));
    }
    gather_drop(second);
    gather_free(&first);
    gather_free(&second);
}

static void readers_who_saw_another_text_stay_apart(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    for (uint32_t worker = 0; worker < 8; worker++) {
        add(gather, worker, read_at(1000, worker == 3 ? "fedcba9876543210" : "0123456789abcdef"));
    }
    add(gather, 8, read_at(0, "0123456789abcdef"));         /* when, is not known */
    add(gather, 9, read_at(INT64_MAX, "0123456789abcdef")); /* too far away to be told together */
    expect(gather, "one_read pad@1:7, one_read pad@1:1, one_read pad@1:1, one_read pad@1:1");
    gather_free(&gather);
}

static void instants_of_many_fit_a_batch(void **state)
{
    (void)state;
    struct gather *gather = gather_new(100000);
    for (uint32_t worker = 0; worker < 100000; worker++) {
        add(gather, worker, read_at(1000000 + (int64_t)worker * 40000000, ""));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    uint32_t told = 0;
    while (gather_batch(gather, &message)) {
        struct buffer bytes;
        buffer_init(&bytes, LIMIT_FRAME_BYTES);
        message_encode(&message, &bytes);
        assert_true(bytes.size <= LIMIT_BATCH_BYTES);
        buffer_finish(&bytes);
        for (size_t i = 0; i < message.operations.count; i++) {
            uint32_t count = (uint32_t)worker_set_count(&message.operations.items[i].workers);
            told += count;
            assert_int_equal(instant_of(&message.operations.items[i], told - 1),
                             1000000 + (int64_t)(told - 1) * 40000000);
        }
        gather_drop(gather);
    }
    assert_int_equal(told, 100000);
    gather_free(&gather);
}

static void batches_keep_to_their_size(void **state)
{
    (void)state;
    static uint8_t value[60000];
    struct gather *gather = gather_new(100);
    for (uint32_t i = 0; i < 20; i++) {
        struct operation operation = of(OPERATION_SET, "price", 0);
        operation.value = bytes_of(value, sizeof(value));
        add(gather, i, operation);
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    size_t batches = 0;
    while (gather_batch(gather, &message)) {
        struct buffer bytes;
        buffer_init(&bytes, LIMIT_FRAME_BYTES);
        message_encode(&message, &bytes);
        assert_true(bytes.size <= LIMIT_BATCH_BYTES);
        buffer_finish(&bytes);
        gather_drop(gather);
        batches++;
    }
    assert_int_equal(batches, 5);
    gather_free(&gather);
}

static void scattered_workers_fit_a_batch(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 5);
    struct gather *gather = gather_new(LIMIT_WORKERS);
    for (uint32_t i = 0; i < 100000; i++) {
        add(gather, (uint32_t)random_below(&random, LIMIT_WORKERS), of(OPERATION_READ, "pad", 1));
    }
    struct message message = {.kind = MESSAGE_OPERATIONS, .campaign = 1};
    while (gather_batch(gather, &message)) {
        struct buffer bytes;
        buffer_init(&bytes, LIMIT_FRAME_BYTES);
        message_encode(&message, &bytes);
        assert_true(bytes.size <= LIMIT_BATCH_BYTES);
        buffer_finish(&bytes);
        gather_drop(gather);
    }
    gather_free(&gather);
}

static void add_many(struct gather *gather, const char *workers, struct operation operation)
{
    worker_set_init(&operation.workers);
    for (const char *digit = workers; *digit != '\0'; digit++) {
        worker_set_add(&operation.workers, (uint32_t)(*digit - '0'));
    }
    gather_put(gather, &operation);
    worker_set_finish(&operation.workers);
}

/* What a shard has gathered joins what another has; from the first worker who may not join, the rest makes an
 * operation of its own. */
static void gatherings_are_gathered(void **state)
{
    (void)state;
    struct gather *gather = gather_new(10);
    add_many(gather, "024", of(OPERATION_READ, "pad", 1));
    add_many(gather, "135", of(OPERATION_READ, "pad", 1));
    add(gather, 7, of(OPERATION_PAST, "", 1));
    add_many(gather, "6782", of(OPERATION_READ, "pad", 1));
    add_many(gather, "90", of(OPERATION_READ, "pad", 1));
    expect(gather, "one_read pad@1:7, past @1:1, one_read pad@1:5");
    gather_free(&gather);
}

static void move(struct gather *from, struct gather *to)
{
    struct operation *operation;
    while ((operation = gather_take(from)) != NULL) {
        gather_add(to, &operation);
    }
    assert_int_equal(gather_count(from), 0);
}

static void what_is_taken_out_moves_on_whole(void **state)
{
    (void)state;
    struct gather *shard = gather_new(10);
    struct gather *agent = gather_new(10);
    for (int turn = 0; turn < 3; turn++) {
        add_many(shard, "413", of(OPERATION_BARRIER, "line", 1));
        add(shard, 2, of(OPERATION_GET, "price", 0));
        add(shard, 2, of(OPERATION_BARRIER, "line", 1));
        move(shard, agent);
        struct message message = {.kind = MESSAGE_OPERATIONS};
        assert_true(gather_batch(agent, &message));
        static const uint32_t ORDER[] = {4, 1, 3, 2};
        struct worker_cursor cursor = {0};
        for (size_t i = 0; i < 3; i++) {
            assert_true(worker_set_next(&message.operations.items[0].workers, &cursor));
            assert_int_equal(cursor.worker, ORDER[i]);
        }
        gather_drop(agent);
    }
    gather_free(&shard);
    gather_free(&agent);
}

/* Random operations of few workers and keys, drained at random: each worker's own sequence comes out as it
 * went in, but for readings that repeat the one just before. */
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

static void drain(struct gather *gather, struct history *out)
{
    struct message message = {.kind = MESSAGE_OPERATIONS};
    if (!gather_batch(gather, &message)) {
        return;
    }
    for (size_t i = 0; i < message.operations.count; i++) {
        struct worker_cursor cursor = {0};
        while (worker_set_next(&message.operations.items[i].workers, &cursor)) {
            note(out, cursor.worker, code_of(&message.operations.items[i]));
        }
    }
    gather_drop(gather);
}

static void run_seed(uint64_t seed)
{
    static const enum operation_kind KINDS[] = {OPERATION_READ, OPERATION_PAST, OPERATION_WAIT_WRITER,
                                                OPERATION_BARRIER, OPERATION_GET};
    struct random random;
    random_seed(&random, seed);
    struct gather *gather = gather_new(PROPERTY_WORKERS);
    struct gather *shards[] = {gather_new(PROPERTY_WORKERS), gather_new(PROPERTY_WORKERS)};
    struct history *in = MEMORY_NEW(struct history);
    struct history *out = MEMORY_NEW(struct history);
    for (uint32_t i = 0; i < PROPERTY_OPERATIONS; i++) {
        uint32_t worker = (uint32_t)random_below(&random, PROPERTY_WORKERS);
        struct operation operation = of(KINDS[random_below(&random, 5)], "x", random_below(&random, 3));
        operation.call = operation.kind == OPERATION_GET ? i : 0;
        note(in, worker, code_of(&operation));
        add(shards[worker % 2], worker, operation);
        if (random_below(&random, 8) == 0) {
            move(shards[random_below(&random, 2)], gather);
        }
        if (random_below(&random, 20) == 0) {
            drain(gather, out);
        }
    }
    move(shards[0], gather);
    move(shards[1], gather);
    drain(gather, out);
    for (uint32_t worker = 0; worker < PROPERTY_WORKERS; worker++) {
        bool is_same = in->counts[worker] == out->counts[worker] &&
                       memcmp(in->items[worker], out->items[worker],
                              in->counts[worker] * sizeof(in->items[worker][0])) == 0;
        if (!is_same) {
            fail_msg("seed %" PRIu64 ": worker %" PRIu32 " is out of order", seed, worker);
        }
    }
    gather_free(&gather);
    gather_free(&shards[0]);
    gather_free(&shards[1]);
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
        cmocka_unit_test(thousand_readings_are_one_operation),
        cmocka_unit_test(different_keys_stay_apart),
        cmocka_unit_test(words_keep_failures_apart),
        cmocka_unit_test(what_is_of_one_worker_is_never_shared),
        cmocka_unit_test(worker_joins_nothing_before_its_last_operation),
        cmocka_unit_test(repeated_reading_counts_once_but_repeated_waits_stay),
        cmocka_unit_test(arrivals_at_a_barrier_keep_their_order),
        cmocka_unit_test(releases_span_all_their_instants),
        cmocka_unit_test(each_reader_keeps_its_instant),
        cmocka_unit_test(readers_who_saw_another_text_stay_apart),
        cmocka_unit_test(instants_of_many_fit_a_batch),
        cmocka_unit_test(batches_keep_to_their_size),
        cmocka_unit_test(scattered_workers_fit_a_batch),
        cmocka_unit_test(gatherings_are_gathered),
        cmocka_unit_test(what_is_taken_out_moves_on_whole),
        cmocka_unit_test(order_of_each_worker_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
