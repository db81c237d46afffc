/* Random programs of a few workers, in random order, with failures and losses, against the oracle: every wait
 * ends when and as it has to, and every deadlock is found, and no other. */
#include "common/random.h"
#include "common/value.h"
#include "tests/unit/coordinator/oracle.h"
#include "tests/unit/coordinator/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 10000
#define OPERATIONS 4
#define OWN_TIMEOUT_MS 1000
#define PATIENCE 2000 /* moves until a program that does not end is a failure */

enum act { ACT_WRITTEN, ACT_WAIT_WRITER, ACT_READ, ACT_WAIT_READERS, ACT_BARRIER, ACT_DECLARE, ACT_FAIL };

struct line {
    enum act act;
    uint32_t back;    /* of waits: how many steps ago */
    uint32_t readers; /* of a declaration */
    bool is_strict;
    bool has_own_timeout;
};

/* A worker as the test plays it: the truth, of which the rooms know what they were told. */
struct actor {
    struct line lines[ORACLE_STEPS][OPERATIONS];
    uint32_t line_counts[ORACLE_STEPS];
    uint64_t step;
    uint32_t position;
    uint32_t calls; /* of the barrier in this step */
    bool is_reporting;
    bool must_fail; /* its wait has ended badly */
    bool is_over;
};

struct world {
    struct play play;
    struct random random;
    struct oracle oracle;
    struct actor actors[ORACLE_WORKERS];
    uint64_t runs;
    unsigned long long seed;
    bool may_lose;
};

static bool chance(struct world *world, uint32_t percent)
{
    return random_below(&world->random, 100) < percent;
}

static uint32_t below(struct world *world, uint32_t bound)
{
    return (uint32_t)random_below(&world->random, bound);
}

static struct line invent_line(struct world *world)
{
    static const enum act likely[] = {ACT_WRITTEN, ACT_WAIT_WRITER, ACT_WAIT_WRITER,
                                      ACT_READ,    ACT_READ,        ACT_WAIT_READERS,
                                      ACT_BARRIER, ACT_FAIL,        ACT_DECLARE};
    return (struct line){
        .act = likely[below(world, sizeof(likely) / sizeof(likely[0]))],
        .back = chance(world, 50) ? 0 : below(world, 4),
        .readers = 1 + below(world, 3),
        .is_strict = chance(world, 30),
        .has_own_timeout = chance(world, 10),
    };
}

/* The scene, where `writer` writes. */
static void write_scene(struct actor *actor, uint64_t step, bool is_writer)
{
    struct line *lines = actor->lines[step];
    if (is_writer) {
        lines[0] = (struct line){.act = ACT_WAIT_READERS, .back = 1};
        lines[1] = (struct line){.act = ACT_WRITTEN};
    } else {
        lines[0] = (struct line){.act = ACT_WAIT_WRITER};
        lines[1] = (struct line){.act = ACT_READ};
    }
    actor->line_counts[step] = 2;
}

static void invent_programs(struct world *world)
{
    bool is_scene = chance(world, 40);
    uint32_t failures = chance(world, 70) ? 5 : 0;
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        struct actor *actor = &world->actors[worker];
        actor->step = 1;
        for (uint64_t step = 1; step <= world->runs; step++) {
            if (is_scene) {
                write_scene(actor, step, worker == world->oracle.count - 1);
            } else {
                actor->line_counts[step] = 1 + below(world, OPERATIONS);
            }
            for (uint32_t i = 0; i < actor->line_counts[step]; i++) {
                if (!is_scene) {
                    actor->lines[step][i] = invent_line(world);
                } else if (chance(world, failures)) {
                    actor->lines[step][i].act = ACT_FAIL;
                }
            }
        }
    }
}

static void operate(struct world *world, uint32_t worker, struct operation operation)
{
    operation.name = bytes_of_string("pad");
    play_operation(&world->play, worker, worker, operation);
}

static void end_worker(struct world *world, uint32_t worker)
{
    play_ended(&world->play, worker, NULL);
    world->actors[worker].is_over = true;
    world->oracle.workers[worker].has_ended = true;
}

static void end_step(struct world *world, uint32_t worker, const char *failure)
{
    struct actor *actor = &world->actors[worker];
    if (actor->is_reporting) {
        play_past(&world->play, worker, actor->step, failure);
        world->oracle.workers[worker].past = actor->step;
    }
    actor->step++;
    actor->position = 0;
    actor->calls = 0;
    if (actor->step > world->runs) {
        end_worker(world, worker);
    }
}

static void begin_wait(struct world *world, uint32_t worker, enum operation_kind kind,
                       const struct line *line)
{
    struct actor *actor = &world->actors[worker];
    bool is_barrier = kind == OPERATION_BARRIER;
    uint64_t back = is_barrier ? 0 : line->back;
    struct oracle_wait wait = {
        .is_on = true,
        .kind = kind,
        .step = back > actor->step ? 0 : actor->step - back,
        .nth = is_barrier ? actor->calls++ : 0,
        .is_strict = line->is_strict,
        .has_own_timeout = line->has_own_timeout,
        .due_ns = world->play.now_ns + (uint64_t)OWN_TIMEOUT_MS * PLAY_MS,
    };
    wait.was_forgotten = oracle_is_forgotten(&world->oracle, wait.step);
    struct operation operation = {
        .kind = kind,
        .step = wait.step,
        .nth = wait.nth,
        .is_strict = wait.is_strict,
        .timeout_ms = wait.has_own_timeout ? OWN_TIMEOUT_MS : 0,
        .count = is_barrier ? world->oracle.parties[wait.step] : 0,
    };
    operate(world, worker, operation);
    world->oracle.workers[worker].wait = wait;
    if (is_barrier) {
        world->oracle.workers[worker].signalled = wait.step;
        world->oracle.ranks[wait.step][wait.nth][worker] =
            oracle_arrived(&world->oracle, wait.step, wait.nth) + 1;
    }
}

/* A signal tells which step its worker is in. */
static void note_signal(struct world *world, uint32_t worker, uint64_t step)
{
    world->oracle.workers[worker].signalled = step;
}

static void signal_read(struct world *world, uint32_t worker, uint64_t step)
{
    struct operation operation = {.kind = OPERATION_READ, .step = step};
    operate(world, worker, operation);
    world->oracle.read[step][worker] = true;
    note_signal(world, worker, step);
}

static void signal_written(struct world *world, uint32_t worker, uint64_t step)
{
    char payload[16];
    SCOPED(buffer_finish) struct buffer value;
    buffer_init(&value, sizeof(payload));
    value_append_integer(&value, (int64_t)(step * 100 + worker));
    struct operation operation = {.kind = OPERATION_WRITTEN, .step = step, .value = buffer_bytes(&value)};
    operate(world, worker, operation);
    note_signal(world, worker, step);
    if (!world->oracle.wrote[step]) {
        world->oracle.wrote[step] = true;
        world->oracle.writer[step] = worker;
    }
}

static void declare(struct world *world, uint32_t worker, uint64_t step, uint32_t readers)
{
    struct operation operation = {.kind = OPERATION_DECLARE, .step = step, .count = readers};
    operate(world, worker, operation);
    if (!world->oracle.is_declared[step]) {
        world->oracle.is_declared[step] = true;
        world->oracle.declared[step] = readers;
    }
}

/* The worker does the next thing in its program. */
static void act(struct world *world, uint32_t worker)
{
    struct actor *actor = &world->actors[worker];
    if (actor->must_fail) {
        actor->must_fail = false;
        end_step(world, worker, "its wait ended badly");
        return;
    }
    if (actor->position == actor->line_counts[actor->step]) {
        end_step(world, worker, NULL);
        return;
    }
    const struct line *line = &actor->lines[actor->step][actor->position++];
    switch (line->act) {
    case ACT_WRITTEN:
        signal_written(world, worker, actor->step);
        break;
    case ACT_READ:
        signal_read(world, worker, actor->step);
        break;
    case ACT_DECLARE:
        declare(world, worker, actor->step, line->readers);
        break;
    case ACT_WAIT_WRITER:
        begin_wait(world, worker, OPERATION_WAIT_WRITER, line);
        break;
    case ACT_WAIT_READERS:
        begin_wait(world, worker, OPERATION_WAIT_READERS, line);
        break;
    case ACT_BARRIER:
        begin_wait(world, worker, OPERATION_BARRIER, line);
        break;
    case ACT_FAIL:
        end_step(world, worker, "it failed");
        break;
    }
}

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

/* The rooms say that the wait of this worker has ended, and the oracle `expected` it. */
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

/* Everything that was told is what `expected` says, worker by worker; OUTCOME_COUNT: nothing. */
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

/* Long enough to find a deadlock: it is found if there is one, with exactly those who are part of it. */
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

/* Nobody moves: those whose own time is over do. */
static void wait_for_timeouts(struct world *world)
{
    world->play.now_ns += (uint64_t)OWN_TIMEOUT_MS * PLAY_MS;
    settle(world);
}

static void learn_to_report(struct world *world, uint32_t worker)
{
    struct actor *actor = &world->actors[worker];
    actor->is_reporting = true;
    play_past(&world->play, worker, actor->step - 1, NULL);
    world->oracle.workers[worker].past = actor->step - 1;
    world->oracle.workers[worker].is_known = true;
}

static void lose(struct world *world, uint32_t worker)
{
    play_lose(&world->play, worker, "agent a1 was lost");
    world->actors[worker].is_over = true;
    world->oracle.workers[worker].has_ended = true;
    world->oracle.workers[worker].was_lost = true;
    world->oracle.workers[worker].wait.is_on = false;
}

/* It goes on at the step behind the last one that it is known to have been in. */
static void restart(struct world *world, uint32_t worker)
{
    struct actor *actor = &world->actors[worker];
    struct oracle_worker *it = &world->oracle.workers[worker];
    if (chance(world, 50)) {
        lose(world, worker); /* told first, and then that it goes on after all */
        it->has_ended = false;
        it->was_lost = false;
    }
    uint64_t next = rooms_restart(world->play.rooms, world->play.now_ns, worker, "agent a2 was lost");
    uint64_t lost_in = it->is_known || it->signalled > 0 ? it->past + 1 : 0;
    lost_in = it->signalled > lost_in ? it->signalled : lost_in;
    assert_int_equal(next, lost_in + 1);
    it->wait.is_on = false;
    it->past = lost_in;
    it->is_known = true;
    *actor = (struct actor){.is_reporting = true};
    for (uint64_t step = 1; step <= world->runs; step++) {
        actor->line_counts[step] = 1;
        actor->lines[step][0] = invent_line(world);
    }
    actor->step = next;
    if (next > world->runs) {
        end_worker(world, worker);
    }
}

static bool can_move(const struct world *world, uint32_t worker)
{
    return !world->actors[worker].is_over && !world->oracle.workers[worker].wait.is_on;
}

static bool are_all_over(const struct world *world)
{
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        if (!world->actors[worker].is_over) {
            return false;
        }
    }
    return true;
}

/* One of those who can, if anybody can. */
static bool move_somebody(struct world *world)
{
    uint32_t first = below(world, world->oracle.count);
    for (uint32_t i = 0; i < world->oracle.count; i++) {
        uint32_t worker = (first + i) % world->oracle.count;
        if (can_move(world, worker)) {
            act(world, worker);
            return true;
        }
    }
    return false;
}

static void happen(struct world *world)
{
    uint32_t worker = below(world, world->oracle.count);
    struct actor *actor = &world->actors[worker];
    bool is_synchronising = rooms_is_synchronising(world->play.rooms, 0);
    if (is_synchronising && !actor->is_reporting && !actor->is_over && chance(world, 50)) {
        learn_to_report(world, worker);
    } else if (world->may_lose && !actor->is_over && chance(world, 2)) {
        lose(world, worker);
    } else if (world->may_lose && !actor->is_over && is_synchronising && chance(world, 2)) {
        restart(world, worker);
        settle(world); /* before it can act, its new agent has to be told */
    } else if (!move_somebody(world) || chance(world, 5)) {
        settle(world);
        wait_for_deadlock(world);
        bool can_anybody = false;
        for (uint32_t other = 0; other < world->oracle.count; other++) {
            can_anybody = can_anybody || can_move(world, other) ||
                          (!world->actors[other].is_over && !world->actors[other].is_reporting);
        }
        if (!can_anybody) {
            wait_for_timeouts(world);
        }
    }
}

static void play_world(unsigned long long seed)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    random_seed(&world->random, seed);
    world->seed = seed;
    world->oracle.count = 1 + below(world, ORACLE_WORKERS);
    world->runs = 1 + below(world, 6);
    world->may_lose = chance(world, 30);
    for (uint64_t step = 0; step < ORACLE_STEPS; step++) {
        world->oracle.parties[step] = chance(world, 30) ? 1 + below(world, 4) : 0;
    }
    invent_programs(world);
    struct campaign_options options = play_options(world->oracle.count);
    options.sync_timeout_ms = 1000000000;
    play_init(&world->play, &options);
    world->play.is_quiet = true;
    for (unsigned moves = 0; !are_all_over(world); moves++) {
        assert_true(moves < PATIENCE);
        happen(world);
        if (chance(world, 70)) {
            settle(world);
        }
    }
    settle(world);
    struct campaign_report report = play_count(&world->play);
    assert_int_equal(report.live_notifiers + report.live_barriers + report.live_waits, 0);
    play_finish(&world->play);
    free(world);
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
