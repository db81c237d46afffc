/* The search for the number of workers of a goal, against servers of arithmetic. */
#include "coordinator/core/campaign/goal_search.h"

#include "common/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A server that answers `capacity` users at once within `base_us` each, and lets the others queue. */
struct server {
    double capacity;
    double base_us;
    double noise; /* the most by which a figure is off, as a part of it */
    struct random random;
};

static double server_time(const struct server *server, double workers)
{
    return workers <= server->capacity ? server->base_us : server->base_us * workers / server->capacity;
}

static double server_measure(struct server *server, const struct threshold *threshold, uint32_t workers)
{
    double time_us = server_time(server, workers);
    double value = threshold->statistic == THRESHOLD_RATE ? workers * 1e6 / time_us : time_us;
    return value * (1 + server->noise * (2 * random_unit(&server->random) - 1));
}

static struct threshold threshold_of(const char *text)
{
    struct threshold threshold;
    assert_true(threshold_parse(bytes_of_string(text), &threshold, NULL));
    return threshold;
}

/* Until it has found, or has not changed for `rest` looks. Returns how many looks that took. */
static unsigned search_until_found(struct goal_search *search, struct server *server,
                                   const struct threshold *threshold)
{
    unsigned looks = 0;
    while (search->state == GOAL_SEARCHING && looks < 100) {
        (void)goal_search_next(search, threshold, server_measure(server, threshold, search->workers));
        looks++;
    }
    return looks;
}

/* The fewest and the most workers in so many looks from now on. */
static void expect_calm(struct goal_search *search, struct server *server, const struct threshold *threshold)
{
    uint32_t found = search->workers;
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(
            goal_search_next(search, threshold, server_measure(server, threshold, search->workers)), found);
    }
}

static void the_most_workers_for_a_time_are_found_and_kept(void **state)
{
    (void)state;
    static const struct {
        double capacity;
        uint32_t workers;
        uint32_t begin;
        unsigned looks;
    } rows[] = {{10, 19, 1, 8}, {10, 19, 500, 12}, {100, 199, 1, 12}, {250, 499, 1, 14},
                {0.6, 1, 1, 3}, {3, 5, 1, 6},      {400, 500, 1, 12}};
    struct threshold threshold = threshold_of("http.p95 < 200ms");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct server server = {.capacity = rows[i].capacity, .base_us = 100000};
        struct goal_search search;
        goal_search_init(&search, &threshold, 1, 500, rows[i].begin);
        assert_in_range(search_until_found(&search, &server, &threshold), 1, rows[i].looks);
        assert_int_equal(search.state, GOAL_HELD);
        assert_in_range(search.workers, rows[i].workers - rows[i].workers / 15, rows[i].workers);
        expect_calm(&search, &server, &threshold);
    }
}

static void the_fewest_workers_for_a_rate_are_found_and_kept(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("steps.rate >= 500/s");
    static const uint32_t begins[] = {1, 50, 400};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        struct server server = {.capacity = 1000, .base_us = 100000};
        struct goal_search search;
        goal_search_init(&search, &threshold, 1, 400, begins[i]);
        assert_in_range(search_until_found(&search, &server, &threshold), 1, 10);
        assert_int_equal(search.state, GOAL_HELD);
        assert_in_range(search.workers, 50, 53);
        expect_calm(&search, &server, &threshold);
    }
}

static void noise_does_not_make_it_swing(void **state)
{
    (void)state;
    static const char *const goals[] = {"http.p95 < 200ms", "steps.rate >= 500/s"};
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct threshold threshold = threshold_of(goals[seed % 2]);
        struct server server = {.capacity = 50, .base_us = 100000, .noise = 0.04};
        struct goal_search search;
        uint32_t least = UINT32_MAX;
        uint32_t most = 0;
        random_seed(&server.random, seed);
        server.capacity = seed % 2 == 0 ? 50 : 400;
        goal_search_init(&search, &threshold, 1, 1000, 1);
        assert_in_range(search_until_found(&search, &server, &threshold), 1, 30);
        assert_int_equal(search.state, GOAL_HELD);
        for (unsigned i = 0; i < 300; i++) {
            uint32_t workers =
                goal_search_next(&search, &threshold, server_measure(&server, &threshold, search.workers));
            least = workers < least ? workers : least;
            most = workers > most ? workers : most;
        }
        /* 99 workers take 198 ms, 50 make 500 steps a second. */
        uint32_t right = seed % 2 == 0 ? 99 : 50;
        assert_in_range(least, right * 85 / 100, most);
        assert_in_range(most, least, right * 115 / 100);
    }
}

static void a_goal_that_cannot_be_is_missed(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("http.p95 < 200ms");
    struct server slow = {.capacity = 10, .base_us = 300000};
    struct goal_search search;
    goal_search_init(&search, &threshold, 2, 100, 50);
    assert_in_range(search_until_found(&search, &slow, &threshold), 1, 8);
    assert_int_equal(search.state, GOAL_MISSED);
    assert_int_equal(search.workers, 2);
    expect_calm(&search, &slow, &threshold);
    assert_string_equal(goal_state_name(search.state), "missed");
}

/* 100 a second, however many ask: more workers than that takes are of no use. */
static void a_rate_that_does_not_rise_any_more_is_the_highest(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("steps.rate = 500/s");
    struct server small = {.capacity = 10, .base_us = 100000};
    struct goal_search search;
    goal_search_init(&search, &threshold, 1, 1000, 1);
    assert_in_range(search_until_found(&search, &small, &threshold), 1, 8);
    assert_int_equal(search.state, GOAL_MISSED);
    assert_in_range(search.workers, 10, 20);
    expect_calm(&search, &small, &threshold);
}

static void it_begins_again_when_the_server_changes(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("http.p95 < 200ms");
    struct server server = {.capacity = 50, .base_us = 100000};
    struct goal_search search;
    goal_search_init(&search, &threshold, 1, 500, 1);
    (void)search_until_found(&search, &server, &threshold);
    server.capacity = 20; /* it has lost machines */
    for (unsigned i = 0; i < 15; i++) {
        (void)goal_search_next(&search, &threshold, server_measure(&server, &threshold, search.workers));
    }
    assert_int_equal(search.state, GOAL_HELD);
    assert_in_range(search.workers, 37, 39);
    server.capacity = 200;
    for (unsigned i = 0; i < 20; i++) {
        (void)goal_search_next(&search, &threshold, server_measure(&server, &threshold, search.workers));
    }
    assert_int_equal(search.state, GOAL_HELD);
    assert_in_range(search.workers, 375, 399);
}

/* Of checks there are to be many, of failures few: both become worse with workers. */
static void shares_are_held_as_times_are(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("checks > 99%");
    struct goal_search search;
    goal_search_init(&search, &threshold, 1, 100, 1);
    for (unsigned i = 0; i < 20 && search.state == GOAL_SEARCHING; i++) {
        (void)goal_search_next(&search, &threshold, search.workers <= 30 ? 100 : 90);
    }
    assert_int_equal(search.state, GOAL_HELD);
    assert_in_range(search.workers, 29, 30);
}

static void it_survives_as_bytes(void **state)
{
    (void)state;
    struct threshold threshold = threshold_of("steps.rate >= 500/s");
    struct server server = {.capacity = 1000, .base_us = 100000};
    struct goal_search search;
    goal_search_init(&search, &threshold, 1, 400, 1);
    for (unsigned i = 0; i < 30; i++) {
        struct buffer bytes SCOPED(buffer_finish);
        struct goal_search copy;
        buffer_init(&bytes, 4096);
        goal_search_pack(&search, &bytes);
        struct unpack from = {.left = bytes_of(bytes.data, bytes.size)};
        goal_search_init(&copy, &threshold, 1, 400, 1);
        goal_search_unpack(&copy, &from);
        assert_false(from.is_broken);
        double value = server_measure(&server, &threshold, search.workers) * (i > 20 ? 0.5 : 1);
        assert_int_equal(goal_search_next(&copy, &threshold, value),
                         goal_search_next(&search, &threshold, value));
        assert_memory_equal(&copy, &search, sizeof search);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_workers_for_a_time_are_found_and_kept),
        cmocka_unit_test(the_fewest_workers_for_a_rate_are_found_and_kept),
        cmocka_unit_test(noise_does_not_make_it_swing),
        cmocka_unit_test(a_goal_that_cannot_be_is_missed),
        cmocka_unit_test(a_rate_that_does_not_rise_any_more_is_the_highest),
        cmocka_unit_test(it_begins_again_when_the_server_changes),
        cmocka_unit_test(shares_are_held_as_times_are),
        cmocka_unit_test(it_survives_as_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
