/* Two link ends over a network that loses, repeats, delays and reorders, for many seeds: everything arrives
 * once and in order. */
#include "common/memory.h"
#include "common/random.h"
#include "proto/link/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ull
#define MAX_FLYING 1000u
#define MESSAGES 150u

struct flying {
    struct envelope envelope;
    uint64_t arrives_ns;
    uint32_t number;
    bool has_message;
    unsigned to;
};

/* Side 1 has a clock of its own, ahead of side 0's. */
struct world {
    struct random random;
    struct link *links[2];
    uint64_t clock_ahead_ns[2];
    uint64_t now_ns;
    uint32_t queued[2];
    uint32_t applied[2];
    uint64_t confirmed_ns[2];
    unsigned losses_percent;
    unsigned repeats_percent;
    uint64_t longest_delay_ms;
    struct flying flying[MAX_FLYING];
    size_t flying_count;
};

static uint64_t clock_of(const struct world *world, unsigned side)
{
    return world->now_ns + world->clock_ahead_ns[side];
}

static void queue_message(struct world *world, unsigned side)
{
    struct buffer message;
    buffer_init(&message, 64);
    uint32_t number = ++world->queued[side];
    assert_true(buffer_append(&message, &number, sizeof number));
    link_send(world->links[side], &message);
    buffer_finish(&message);
}

static void fly(struct world *world, const struct flying *frame)
{
    if (random_below(&world->random, 100) < world->losses_percent || world->flying_count == MAX_FLYING) {
        return;
    }
    struct flying *copy = &world->flying[world->flying_count++];
    *copy = *frame;
    copy->arrives_ns = world->now_ns + random_below(&world->random, world->longest_delay_ms * MS + 1);
}

static void pump(struct world *world, unsigned side)
{
    struct flying frame = {.to = 1 - side};
    struct shared *message;
    size_t left = 0;
    while (link_next_frame(world->links[side], clock_of(world, side), &frame.envelope, &message)) {
        assert_true(++left <= LINK_WINDOW_MESSAGES + 1);
        frame.has_message = shared_bytes(message).size > 0;
        if (frame.has_message) {
            assert_int_equal(shared_bytes(message).size, sizeof frame.number);
            memcpy(&frame.number, shared_bytes(message).data, sizeof frame.number);
            assert_int_equal(frame.number, frame.envelope.sequence);
        }
        fly(world, &frame);
        while (random_below(&world->random, 100) < world->repeats_percent) {
            fly(world, &frame);
        }
    }
}

static void check_times(struct world *world, unsigned side)
{
    struct link *link = world->links[side];
    uint64_t confirmed_ns = link_confirmed_ns(link);
    assert_true(confirmed_ns >= world->confirmed_ns[side] && confirmed_ns <= clock_of(world, side));
    world->confirmed_ns[side] = confirmed_ns;
    struct link_sample sample;
    if (link_take_sample(link, &sample)) {
        int64_t truth_ns = (int64_t)(world->clock_ahead_ns[1 - side] - world->clock_ahead_ns[side]);
        int64_t wrong_ns = sample.offset_ns - truth_ns;
        uint64_t distance_ns = (uint64_t)(wrong_ns < 0 ? -wrong_ns : wrong_ns);
        assert_true(distance_ns <= sample.round_trip_ns / 2 + 1);
    }
}

static void arrive(struct world *world, size_t index)
{
    struct flying frame = world->flying[index];
    world->flying[index] = world->flying[--world->flying_count];
    unsigned side = frame.to;
    enum link_verdict verdict =
        link_receive(world->links[side], clock_of(world, side), &frame.envelope, frame.has_message);
    assert_int_not_equal(verdict, LINK_FOREIGN);
    if (verdict == LINK_DELIVER) {
        world->applied[side]++;
        assert_int_equal(frame.number, world->applied[side]);
    }
    check_times(world, side);
    pump(world, side);
}

/* The time of the next event: a frame arrives or an end is due. */
static uint64_t next_instant(const struct world *world, size_t *arriving)
{
    uint64_t next_ns = UINT64_MAX;
    *arriving = SIZE_MAX;
    for (unsigned side = 0; side < 2; side++) {
        uint64_t due_ns = link_due_ns(world->links[side]);
        uint64_t ahead_ns = world->clock_ahead_ns[side];
        uint64_t at_ns = due_ns <= ahead_ns + world->now_ns ? world->now_ns : due_ns - ahead_ns;
        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    for (size_t i = 0; i < world->flying_count; i++) {
        if (world->flying[i].arrives_ns <= next_ns) {
            next_ns = world->flying[i].arrives_ns;
            *arriving = i;
        }
    }
    return next_ns;
}

static void advance(struct world *world)
{
    size_t arriving;
    uint64_t next_ns = next_instant(world, &arriving);
    world->now_ns = next_ns > world->now_ns ? next_ns : world->now_ns;
    if (arriving != SIZE_MAX) {
        arrive(world, arriving);
    }
    for (unsigned side = 0; side < 2; side++) {
        if (world->queued[side] < MESSAGES && random_below(&world->random, 4) == 0) {
            for (uint64_t burst = random_below(&world->random, 40);
                 burst > 0 && world->queued[side] < MESSAGES; burst--) {
                queue_message(world, side);
            }
        }
        if (random_below(&world->random, 500) == 0) {
            link_reconnected(world->links[side]);
        }
        pump(world, side);
    }
}

static bool is_done(const struct world *world)
{
    return world->applied[0] == MESSAGES && world->applied[1] == MESSAGES &&
           link_backlog(world->links[0]) == 0 && link_backlog(world->links[1]) == 0;
}

static void run_seed(uint64_t seed)
{
    struct world *world = MEMORY_NEW(struct world);
    random_seed(&world->random, seed);
    world->now_ns = 1 + random_below(&world->random, 1000 * MS);
    world->clock_ahead_ns[1] = random_below(&world->random, 1000000 * MS);
    world->losses_percent = (unsigned)random_below(&world->random, 40);
    world->repeats_percent = (unsigned)random_below(&world->random, 30);
    world->longest_delay_ms = random_below(&world->random, 120);
    for (unsigned side = 0; side < 2; side++) {
        world->links[side] = link_new(seed, 9, 1000 * MS, clock_of(world, side));
        world->confirmed_ns[side] = clock_of(world, side);
    }
    unsigned turns = 0;
    while (!is_done(world)) {
        if (++turns > 2000000) {
            fail_msg("seed %llu does not come to an end", (unsigned long long)seed);
        }
        advance(world);
    }
    assert_true(world->confirmed_ns[0] > 0);
    link_free(&world->links[0]);
    link_free(&world->links[1]);
    memory_free(world);
}

static void everything_arrives_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        run_seed(seed);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {cmocka_unit_test(everything_arrives_once_and_in_order)};
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
