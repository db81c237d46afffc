/* Sliding windows against a brute force over the raw samples. */
#include "common/memory.h"
#include "common/random.h"
#include "coordinator/core/thresholds/threshold_window.h"
#include "tests/unit/common/check.h"

#define SAMPLES 1000u

struct raw {
    uint64_t at_ms;
    uint64_t us;
    bool is_failed;
};

struct world {
    struct random random;
    struct raw raws[SAMPLES];
    size_t count;
    size_t told; /* that are in the totals */
    struct threshold_numbers totals;
    struct histogram *us;
};

static void world_init(struct world *world, uint64_t seed, uint64_t length_ms)
{
    *world = (struct world){.us = histogram_new(), .count = SAMPLES};
    world->totals.us = world->us;
    random_seed(&world->random, seed);
    uint64_t at_ms = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        /* Bursts and lulls. */
        at_ms += random_below(&world->random, 8) == 0
                     ? random_below(&world->random, 16 * length_ms / SAMPLES + 1)
                     : 0;
        world->raws[i] =
            (struct raw){.at_ms = at_ms,
                         .us = random_below(&world->random, 1u << random_below(&world->random, 24)),
                         .is_failed = random_below(&world->random, 10) == 0};
    }
}

static void world_pass(struct world *world, uint64_t until_ms)
{
    while (world->told < world->count && world->raws[world->told].at_ms < until_ms) {
        const struct raw *raw = &world->raws[world->told++];
        world->totals.counts[THRESHOLD_ALL]++;
        world->totals.counts[THRESHOLD_FAILED] += raw->is_failed;
        histogram_record(world->us, raw->us);
    }
}

static void expect_near(uint64_t found, uint64_t wanted)
{
    uint64_t slack = wanted / 1000 + 1;
    if (found + slack < wanted || found > wanted + slack) {
        fail_msg("%llu is not %llu", (unsigned long long)found, (unsigned long long)wanted);
    }
}

static void expect_as_brute_force(const struct world *world, const struct threshold_window *window,
                                  uint64_t until_ms)
{
    uint64_t length_ms = 0;
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    uint64_t failed = 0;
    struct threshold_numbers numbers = threshold_window_numbers(window, &length_ms);
    for (size_t i = 0; i < world->count; i++) {
        const struct raw *raw = &world->raws[i];
        if (raw->at_ms + length_ms >= until_ms && raw->at_ms < until_ms) {
            histogram_record(us, raw->us);
            failed += raw->is_failed;
        }
    }
    assert_int_equal(numbers.counts[THRESHOLD_ALL], histogram_count(us));
    assert_int_equal(histogram_count(numbers.us), histogram_count(us));
    assert_int_equal(numbers.counts[THRESHOLD_FAILED], failed);
    expect_near(histogram_quantile(numbers.us, 0.5), histogram_quantile(us, 0.5));
    expect_near(histogram_quantile(numbers.us, 0.99), histogram_quantile(us, 0.99));
    expect_near(histogram_maximum(numbers.us), histogram_maximum(us));
}

/* As another process would continue it. */
static void window_pass_on(struct threshold_window **window, uint64_t over_ms)
{
    SCOPED(buffer_finish) struct buffer packed;
    buffer_init(&packed, 1u << 24);
    threshold_window_pack(*window, &packed);
    struct unpack from = unpack_of(buffer_bytes(&packed));
    threshold_window_free(window);
    *window = threshold_window_new(over_ms, true);
    threshold_window_unpack(*window, &from);
    assert_true(unpack_is_done(&from));
}

static void play_window(uint64_t seed, uint64_t over_ms, uint64_t tick_ms)
{
    struct world *world = MEMORY_NEW(struct world);
    struct threshold_window *window = threshold_window_new(over_ms, true);
    uint64_t end_ms = 4 * over_ms + 2000;
    uint64_t length_ms = 0;
    world_init(world, seed, end_ms);
    for (uint64_t at_ms = tick_ms; at_ms <= end_ms; at_ms += tick_ms) {
        world_pass(world, at_ms);
        if (threshold_window_advance(window, at_ms, &world->totals)) {
            expect_as_brute_force(world, window, at_ms);
            (void)threshold_window_numbers(window, &length_ms);
            bool is_full = threshold_window_is_full(window);
            assert_true(!is_full || length_ms >= over_ms);
            assert_true(is_full == (at_ms >= over_ms));
            assert_true(length_ms <= over_ms + THRESHOLD_WINDOW_SLOTS * tick_ms);
        }
        if (random_below(&world->random, 20) == 0) {
            window_pass_on(&window, over_ms);
        }
    }
    world_pass(world, end_ms + 300);
    threshold_window_finish(window, end_ms + 300, &world->totals);
    expect_as_brute_force(world, window, end_ms + 300);
    threshold_window_free(&window);
    histogram_free(&world->us);
    memory_free(world);
}

static void a_window_has_what_came_in_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        play_window(seed, 1000, 1000);
        play_window(seed, 1000, 500);
        play_window(seed, 10000, 1000);
        play_window(seed, 10000, 500);
        play_window(seed, 60000, 1000);
        play_window(seed, 90000, 1000);
    }
}

/* As with `after 1m`: what came before the first look is not in it. */
static void a_window_that_begins_later_begins_at_its_first_look(void **state)
{
    (void)state;
    struct threshold_window *window = threshold_window_new(3000, false);
    struct threshold_numbers totals = {.counts = {[THRESHOLD_ALL] = 100}};
    uint64_t length_ms = 0;
    assert_false(threshold_window_advance(window, 60000, &totals));
    for (uint64_t second = 1; second <= 3; second++) {
        totals.counts[THRESHOLD_ALL] += 7;
        assert_true(threshold_window_advance(window, 60000 + second * 1000, &totals));
        struct threshold_numbers numbers = threshold_window_numbers(window, &length_ms);
        assert_int_equal(numbers.counts[THRESHOLD_ALL], 7 * second);
        assert_int_equal(length_ms, second * 1000);
        assert_true(threshold_window_is_full(window) == (second == 3));
    }
    threshold_window_free(&window);
}

static void a_gap_is_left_out(void **state)
{
    (void)state;
    struct threshold_window *window = threshold_window_new(3000, true);
    struct threshold_numbers totals = {0};
    uint64_t length_ms = 0;
    for (uint64_t at_ms = 1000; at_ms <= 3000; at_ms += 1000) {
        totals.counts[THRESHOLD_ALL] += 10;
        assert_true(threshold_window_advance(window, at_ms, &totals));
    }
    assert_true(threshold_window_is_full(window));
    totals.counts[THRESHOLD_ALL] += 1000; /* it comes in one piece when the coordinator is back */
    assert_false(threshold_window_advance(window, 60000, &totals));
    assert_false(threshold_window_is_full(window));
    totals.counts[THRESHOLD_ALL] += 7;
    assert_true(threshold_window_advance(window, 61000, &totals));
    struct threshold_numbers numbers = threshold_window_numbers(window, &length_ms);
    assert_int_equal(numbers.counts[THRESHOLD_ALL], 7);
    assert_int_equal(length_ms, 1000);
    threshold_window_free(&window);
}

static void broken_bytes_are_noticed(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    struct threshold_window *window = threshold_window_new(3000, true);
    struct histogram *us SCOPED(histogram_free) = histogram_new();
    struct threshold_numbers totals = {.us = us};
    for (uint64_t at_ms = 1000; at_ms <= 4000; at_ms += 1000) {
        histogram_record(us, at_ms);
        assert_true(threshold_window_advance(window, at_ms, &totals));
    }
    buffer_init(&packed, 1u << 20);
    threshold_window_pack(window, &packed);
    threshold_window_free(&window);
    for (size_t size = 0; size < packed.size; size++) {
        struct unpack from = unpack_of(bytes_of(packed.data, size));
        window = threshold_window_new(3000, true);
        threshold_window_unpack(window, &from);
        assert_true(from.is_broken);
        threshold_window_free(&window);
    }
    struct unpack from = unpack_of(buffer_bytes(&packed));
    window = threshold_window_new(4000, true);
    threshold_window_unpack(window, &from);
    assert_true(from.is_broken);
    threshold_window_free(&window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_has_what_came_in_it),
        cmocka_unit_test(a_window_that_begins_later_begins_at_its_first_look),
        cmocka_unit_test(a_gap_is_left_out),
        cmocka_unit_test(broken_bytes_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
