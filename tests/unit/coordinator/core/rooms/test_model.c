/* Random programs of a few workers, in random order, with failures and losses, against the oracle: every wait
 * ends when and as it has to, and exactly the existing deadlocks are found. */
#include "common/value.h"
#include "tests/unit/coordinator/core/rooms/model_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SEEDS 10000
#define PATIENCE 2000 /* moves after which a program that has not ended is a failure */

static void check_ok(struct world *world, uint32_t worker, const struct reply *reply, uint64_t rank)
{
    const struct oracle *oracle = &world->oracle;
    if (oracle_is_forgotten(oracle, reply->step)) {
        return;
    }
    if (reply->kind == OPERATION_WAIT_WRITER) {
        struct bytes rest = reply->value;
        struct value_item item;
        assert_true(value_read(&rest, &item));
        assert_int_equal(item.integer, reply->step * 100 + oracle->writer[reply->step]);
    } else if (reply->kind == OPERATION_WAIT_READERS) {
        assert_int_equal(reply->count, oracle_read(oracle, reply->step));
        assert_int_equal(reply->total, oracle_readers(oracle, worker, reply->step));
    } else {
        assert_int_equal(rank, oracle->ranks[reply->step][reply->nth][worker]);
        assert_int_equal(reply->count, oracle_arrived(oracle, reply->step, reply->nth));
    }
}

/* The rooms have ended the wait of this worker, and the oracle `expected` that. */
static void end_wait(struct world *world, uint32_t worker, const struct reply *reply, uint64_t rank)
{
    struct oracle_wait *wait = &world->oracle.workers[worker].wait;
    assert_true(wait->is_on);
    assert_int_equal(reply->kind, wait->kind);
    assert_int_equal(reply->step, wait->step);
    assert_int_equal(reply->nth, wait->nth);
    if (reply->outcome == OUTCOME_OK) {
        check_ok(world, worker, reply, rank);
    } else {
        assert_true(reply->text.size > 0);
        world->actors[worker].must_fail = true;
    }
    wait->is_on = false;
}

/* All results match `expected`, worker by worker; OUTCOME_COUNT: none. */
static void check_news(struct world *world, const enum outcome expected[ORACLE_WORKERS])
{
    const struct rooms_news *news = &world->play.news;
    bool is_told[ORACLE_WORKERS] = {false};
    struct oracle before = world->oracle;
    for (size_t i = 0; i < news->reply_count; i++) {
        const struct reply *reply = &news->replies[i];
        if (!operation_is_wait(reply->kind)) {
            continue;
        }
        uint64_t rank = reply->rank;
        struct worker_cursor cursor = {0};
        while (worker_set_next(&reply->workers, &cursor)) {
            uint32_t worker = cursor.worker;
            assert_false(is_told[worker]);
            is_told[worker] = true;
            bool is_forgotten = oracle_is_forgotten(&before, reply->step);
            if (!is_forgotten) { /* else a payload, or who has read, may be forgotten too */
                assert_int_equal(reply->outcome, expected[worker]);
            }
            end_wait(world, worker, reply, rank++);
        }
    }
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        assert_int_equal(is_told[worker], expected[worker] != OUTCOME_COUNT);
    }
}

static void expect_outcomes(const struct world *world, enum outcome expected[ORACLE_WORKERS])
{
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        const struct oracle_wait *wait = &world->oracle.workers[worker].wait;
        bool is_due = wait->is_on && wait->has_own_timeout && wait->due_ns <= world->play.now_ns;
        enum outcome outcome;
        if (wait->is_on && oracle_outcome(&world->oracle, worker, &outcome)) {
            expected[worker] = outcome;
        } else if (wait->is_on && wait->was_forgotten) {
            expected[worker] = OUTCOME_SHORT;
        } else {
            expected[worker] = is_due ? OUTCOME_TIMEOUT : OUTCOME_COUNT;
        }
    }
}

static void settle(struct world *world)
{
    enum outcome expected[ORACLE_WORKERS] = {OUTCOME_OK};
    expect_outcomes(world, expected);
    play_settle(&world->play);
    check_news(world, expected);
    assert_null(world->play.news.deadlock);
}

/* Long enough to find a deadlock: it is found if there is one, with exactly the workers that are part of
 * it. */
static void wait_for_deadlock(struct world *world)
{
    enum outcome expected[ORACLE_WORKERS] = {OUTCOME_OK};
    bool is_stuck[ORACLE_WORKERS];
    world->play.now_ns += (PLAY_DEADLOCK_MS + 1) * PLAY_MS;
    expect_outcomes(world, expected);
    oracle_deadlock(&world->oracle, is_stuck);
    bool is_any = false;
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        expected[worker] = is_stuck[worker] ? OUTCOME_DEADLOCK : expected[worker];
        is_any = is_any || is_stuck[worker];
    }
    play_settle(&world->play);
    check_news(world, expected);
    assert_int_equal(world->play.news.deadlock != NULL, is_any);
}

/* No worker can move: those whose own timeout has expired do. */
static void wait_for_timeouts(struct world *world)
{
    world->play.now_ns += (uint64_t)WORLD_OWN_TIMEOUT_MS * PLAY_MS;
    settle(world);
}

/* One of those that can, if there is any. */
static bool move_somebody(struct world *world)
{
    uint32_t first = world_below(world, world->oracle.count);
    for (uint32_t i = 0; i < world->oracle.count; i++) {
        uint32_t worker = (first + i) % world->oracle.count;
        if (world_can_move(world, worker)) {
            world_act(world, worker);
            return true;
        }
    }
    return false;
}

static void happen(struct world *world)
{
    uint32_t worker = world_below(world, world->oracle.count);
    struct actor *actor = &world->actors[worker];
    bool is_synchronising = rooms_is_synchronising(world->play.rooms, 0);
    if (is_synchronising && !actor->is_reporting && !actor->is_over && world_chance(world, 50)) {
        world_learn_to_report(world, worker);
    } else if (world->may_lose && !actor->is_over && world_chance(world, 2)) {
        world_lose(world, worker);
    } else if (world->may_lose && !actor->is_over && is_synchronising && world_chance(world, 2)) {
        world_restart(world, worker);
        settle(world); /* before it can act, its new agent has to be told */
    } else if (!move_somebody(world) || world_chance(world, 5)) {
        settle(world);
        wait_for_deadlock(world);
        bool can_anybody = false;
        for (uint32_t other = 0; other < world->oracle.count; other++) {
            can_anybody = can_anybody || world_can_move(world, other) ||
                          (!world->actors[other].is_over && !world->actors[other].is_reporting);
        }
        if (!can_anybody) {
            wait_for_timeouts(world);
        }
    }
}

static void play_world(uint64_t seed)
{
    static struct world world;
    world_init(&world, seed);
    for (unsigned moves = 0; !world_is_over(&world); moves++) {
        assert_true(moves < PATIENCE);
        happen(&world);
        if (world_chance(&world, 70)) {
            settle(&world);
        }
    }
    settle(&world);
    struct campaign_report report = play_count(&world.play);
    assert_int_equal(report.live_notifiers + report.live_barriers + report.live_waits, 0);
    world_finish(&world);
}

static unsigned long long first_seed;
static unsigned long long current_seed;
static unsigned long long seed_count = SEEDS;

static void test_random_programs(void **state)
{
    (void)state;
    for (unsigned long long seed = first_seed; seed < first_seed + seed_count; seed++) {
        current_seed = seed;
        play_world(seed);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        first_seed = strtoull(argv[1], NULL, 10);
        seed_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed != 0) {
        print_error("to replay: test_model %llu\n", current_seed);
    }
    return failed;
}
