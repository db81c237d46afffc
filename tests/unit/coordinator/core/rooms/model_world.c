/* The workers of one run of the model: random programs, executed against the rooms and the oracle alike. */
#include "tests/unit/coordinator/core/rooms/model_world.h"

#include "common/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

bool world_chance(struct world *world, uint32_t percent)
{
    return random_below(&world->random, 100) < percent;
}

uint32_t world_below(struct world *world, uint32_t bound)
{
    return (uint32_t)random_below(&world->random, bound);
}

static struct line invent_line(struct world *world)
{
    static const enum act likely[] = {ACT_WRITTEN, ACT_WAIT_WRITER, ACT_WAIT_WRITER,
                                      ACT_READ,    ACT_READ,        ACT_WAIT_READERS,
                                      ACT_BARRIER, ACT_FAIL,        ACT_DECLARE};
    return (struct line){
        .act = likely[world_below(world, sizeof likely / sizeof likely[0])],
        .back = world_chance(world, 50) ? 0 : world_below(world, 4),
        .readers = 1 + world_below(world, 3),
        .is_strict = world_chance(world, 30),
        .has_own_timeout = world_chance(world, 10),
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
    bool is_scene = world_chance(world, 40);
    uint32_t failures = world_chance(world, 70) ? 5 : 0;
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        struct actor *actor = &world->actors[worker];
        actor->step = 1;
        for (uint64_t step = 1; step <= world->runs; step++) {
            if (is_scene) {
                write_scene(actor, step, worker == world->oracle.count - 1);
            } else {
                actor->line_counts[step] = 1 + world_below(world, WORLD_OPERATIONS);
            }
            for (uint32_t i = 0; i < actor->line_counts[step]; i++) {
                if (!is_scene) {
                    actor->lines[step][i] = invent_line(world);
                } else if (world_chance(world, failures)) {
                    actor->lines[step][i].act = ACT_FAIL;
                }
            }
        }
    }
}

void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){0};
    random_seed(&world->random, seed);
    world->oracle.count = 1 + world_below(world, ORACLE_WORKERS);
    world->runs = 1 + world_below(world, 6);
    world->may_lose = world_chance(world, 30);
    for (uint64_t step = 0; step < ORACLE_STEPS; step++) {
        world->oracle.parties[step] = world_chance(world, 30) ? 1 + world_below(world, 4) : 0;
    }
    invent_programs(world);
    struct campaign_options options = play_options(world->oracle.count);
    options.sync_timeout_ms = 1000000000;
    play_init(&world->play, &options);
    world->play.is_quiet = true;
    world->play.is_original = seed % 10 != 0;
}

void world_finish(struct world *world)
{
    play_finish(&world->play);
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
        .due_ns = world->play.now_ns + (uint64_t)WORLD_OWN_TIMEOUT_MS * PLAY_MS,
    };
    wait.was_forgotten = oracle_is_forgotten(&world->oracle, wait.step);
    struct operation operation = {
        .kind = kind,
        .step = wait.step,
        .nth = wait.nth,
        .is_strict = wait.is_strict,
        .timeout_ms = wait.has_own_timeout ? WORLD_OWN_TIMEOUT_MS : 0,
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

/* A signal reveals the step of its worker. */
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
    buffer_init(&value, sizeof payload);
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

void world_act(struct world *world, uint32_t worker)
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

void world_learn_to_report(struct world *world, uint32_t worker)
{
    struct actor *actor = &world->actors[worker];
    actor->is_reporting = true;
    play_past(&world->play, worker, actor->step - 1, NULL);
    world->oracle.workers[worker].past = actor->step - 1;
    world->oracle.workers[worker].is_known = true;
}

void world_lose(struct world *world, uint32_t worker)
{
    play_lose(&world->play, worker, "agent a1 was lost");
    world->actors[worker].is_over = true;
    world->oracle.workers[worker].has_ended = true;
    world->oracle.workers[worker].was_lost = true;
    world->oracle.workers[worker].wait.is_on = false;
}

void world_restart(struct world *world, uint32_t worker)
{
    struct actor *actor = &world->actors[worker];
    struct oracle_worker *it = &world->oracle.workers[worker];
    if (world_chance(world, 50)) {
        world_lose(world, worker); /* reported as lost first, and then as continuing after all */
        it->has_ended = false;
        it->was_lost = false;
    }
    uint64_t lost_in = it->past;
    if (it->is_known && world_chance(world, 70)) {
        lost_in = it->past + 1;
        play_begun(&world->play, worker, lost_in);
    }
    uint64_t next = rooms_restart(world->play.rooms, world->play.now_ns, worker, "agent a2 was lost");
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

bool world_can_move(const struct world *world, uint32_t worker)
{
    return !world->actors[worker].is_over && !world->oracle.workers[worker].wait.is_on;
}

bool world_is_over(const struct world *world)
{
    for (uint32_t worker = 0; worker < world->oracle.count; worker++) {
        if (!world->actors[worker].is_over) {
            return false;
        }
    }
    return true;
}
