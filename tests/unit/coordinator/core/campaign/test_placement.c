/* Which agent a worker belongs to. */
#include "coordinator/core/campaign/placement.h"

#include "common/random.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ANY UINT32_MAX

static struct placement *deal(uint32_t workers, uint32_t agents)
{
    uint32_t room_for[8];
    for (uint32_t i = 0; i < agents; i++) {
        room_for[i] = ANY;
    }
    return placement_new(workers, room_for, agents);
}

static void expect_agents(const struct placement *placement, const char *agents)
{
    char text[100] = "";
    for (uint32_t i = 0; placement_agent(placement, i) != PLACEMENT_NOBODY; i++) {
        text[i] = (char)('a' + (char)placement_agent(placement, i));
        text[i + 1] = 0;
    }
    assert_string_equal(text, agents);
}

static void a_full_place_is_passed_over_and_rooms_are_spread_all_the_same(void **state)
{
    (void)state;
    uint32_t room_for[] = {2, ANY, 4};
    struct placement *placement = placement_new(12, room_for, 3);
    expect_agents(placement, "bcabcbbcabcb");
    assert_int_equal(room_for[0], 0);
    assert_int_equal(room_for[1], ANY);
    assert_int_equal(room_for[2], 0);
    placement_free(&placement);
}

static void all_that_fit_are_dealt(void **state)
{
    (void)state;
    uint32_t room_for[] = {1, 0, 2, 3};
    struct placement *placement = placement_new(6, room_for, 4);
    expect_agents(placement, "dcadcd");
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(room_for[i], 0);
    }
    placement_free(&placement);
}

/* The agent whose next worker has the lowest position, one by one; of equals the first. */
static uint32_t earliest_agent(const uint32_t *counts, const uint32_t *given, uint32_t agents)
{
    uint32_t best = PLACEMENT_NOBODY;
    for (uint32_t i = 0; i < agents; i++) {
        if (given[i] < counts[i] && (best == PLACEMENT_NOBODY ||
                                     (2 * given[i] + 1) * counts[best] < (2 * given[best] + 1) * counts[i])) {
            best = i;
        }
    }
    return best;
}

static void the_spread_is_even_however_many_agents(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 1);
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t room_for[20] = {0};
        uint32_t agents = 1 + (uint32_t)random_below(&random, 20);
        uint32_t counts[20] = {0};
        uint32_t given[20] = {0};
        uint32_t workers = 0;
        for (uint32_t i = 0; i < agents; i++) {
            counts[i] = room_for[i] = (uint32_t)random_below(&random, 10);
            workers += counts[i];
        }
        counts[0] = room_for[0] += 1; /* so that there is at least one agent */
        workers++;
        struct placement *placement = placement_new(workers, room_for, agents);
        for (uint32_t i = 0; i < workers; i++) {
            uint32_t agent = earliest_agent(counts, given, agents);
            assert_int_equal(placement_agent(placement, i), agent);
            given[agent]++;
        }
        placement_free(&placement);
    }
}

static void too_many_for_one_message_are_dealt_in_turn(void **state)
{
    (void)state;
    uint32_t room_for[] = {10, 400000, 400000};
    struct placement *placement = placement_new(800000, room_for, 3);
    struct worker_set workers = {0};
    placement_workers(placement, 1, &workers);
    assert_int_equal(worker_set_count(&workers), 399995);
    assert_true(workers.run_count <= 3);
    worker_set_finish(&workers);
    placement_free(&placement);
}

static void as_many_as_a_message_takes_are_spread(void **state)
{
    (void)state;
    uint32_t room_for[] = {ANY, 2};
    struct placement *placement = placement_new(LIMIT_SET_RUNS, room_for, 2);
    assert_int_equal(placement_agent(placement, LIMIT_SET_RUNS / 4), 1);
    assert_int_equal(placement_agent(placement, LIMIT_SET_RUNS / 4 * 3), 1);
    placement_free(&placement);
}

static void nobody_is_moved_where_there_is_room(void **state)
{
    (void)state;
    for (uint32_t agents = 1; agents <= 7; agents++) {
        struct placement *placement = deal(LIMIT_SET_RUNS - agents, agents);
        for (uint32_t i = 0; i < LIMIT_SET_RUNS - agents; i++) {
            assert_int_equal(placement_agent(placement, i), i % agents);
        }
        placement_free(&placement);
    }
}

static void more_workers_follow_in_turn(void **state)
{
    (void)state;
    struct placement *placement = deal(4, 3);
    uint32_t room_for[] = {ANY, 1, 0};
    assert_int_equal(placement_extend(placement, 4, room_for, 3), 4);
    expect_agents(placement, "abcabaaa");
    placement_free(&placement);
}

static void the_seats_of_a_room_sit_on_different_agents(void **state)
{
    (void)state;
    struct placement *placement = deal(10, 4);
    uint32_t expected[] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1};
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(placement_agent(placement, i), expected[i]);
    }
    struct worker_set workers = {0};
    placement_workers(placement, 1, &workers);
    char text[100];
    worker_set_describe(&workers, text, sizeof text);
    assert_string_equal(text, "workers 1, 5 and 9");
    assert_int_equal(workers.run_count, 1);
    worker_set_finish(&workers);
    placement_free(&placement);
}

static void nobody_owns_a_worker_that_there_is_not(void **state)
{
    (void)state;
    struct placement *placement = deal(4, 2);
    assert_int_equal(placement_agent(placement, 4), PLACEMENT_NOBODY);
    assert_int_equal(placement_agent(placement, UINT32_MAX), PLACEMENT_NOBODY);
    placement_free(&placement);
    for (uint32_t count = 1; count < 100; count++) {
        placement = deal(count, 1);
        struct worker_set workers = {0};
        worker_set_add(&workers, count - 1);
        assert_true(placement_owns_all(placement, 0, &workers));
        worker_set_add(&workers, count);
        assert_false(placement_owns_all(placement, 0, &workers));
        worker_set_finish(&workers);
        placement_free(&placement);
    }
}

static void a_worker_that_moves_changes_its_owner(void **state)
{
    (void)state;
    struct placement *placement = deal(6, 2);
    struct worker_set workers = {0};
    placement_workers(placement, 0, &workers);
    assert_true(placement_owns_all(placement, 0, &workers));
    placement_give(placement, 2, 1);
    assert_false(placement_owns_all(placement, 0, &workers));
    assert_int_equal(placement_agent(placement, 2), 1);
    placement_give(placement, 2, PLACEMENT_NOBODY);
    assert_int_equal(placement_agent(placement, 2), PLACEMENT_NOBODY);
    worker_set_finish(&workers);
    placement_free(&placement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_place_is_passed_over_and_rooms_are_spread_all_the_same),
        cmocka_unit_test(all_that_fit_are_dealt),
        cmocka_unit_test(the_spread_is_even_however_many_agents),
        cmocka_unit_test(too_many_for_one_message_are_dealt_in_turn),
        cmocka_unit_test(as_many_as_a_message_takes_are_spread),
        cmocka_unit_test(nobody_is_moved_where_there_is_room),
        cmocka_unit_test(more_workers_follow_in_turn),
        cmocka_unit_test(the_seats_of_a_room_sit_on_different_agents),
        cmocka_unit_test(nobody_owns_a_worker_that_there_is_not),
        cmocka_unit_test(a_worker_that_moves_changes_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
