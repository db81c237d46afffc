/* What an observer sees of the rooms. */
#include "coordinator/core/rooms/rooms_view.h"
#include "tests/unit/common/check.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#include <cmocka.h>

#define SEATS_MOST 8u

static struct seat_view seat_at(const struct play *play, uint32_t room, uint32_t seat)
{
    struct seat_view view;
    assert_int_equal(rooms_view_seats(play->rooms, play->now_ns, room, seat, &view, 1), 1);
    return view;
}

static void expect_missing(const struct seat_view *seat, const uint32_t *workers, uint32_t count)
{
    assert_int_equal(seat->wait.missing_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(seat->wait.missing[i], workers[i]);
    }
    assert_false(seat->wait.has_more_missing);
}

static void a_room_that_does_nothing_together(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 12, 5);
    assert_int_equal(rooms_view_count(play.rooms), 3);
    struct room_view first = rooms_view_room(play.rooms, play.now_ns, 0);
    struct room_view last = rooms_view_room(play.rooms, play.now_ns, 2);
    assert_int_equal(first.workers, 5);
    assert_int_equal(last.workers, 2);
    assert_int_equal(last.live, 2);
    assert_int_equal(last.step, 0);
    assert_int_equal(last.waiting, 0);
    assert_int_equal(last.oldest_ns, 0);
    struct seat_view seats[SEATS_MOST];
    assert_int_equal(rooms_view_seats(play.rooms, play.now_ns, 2, 0, seats, SEATS_MOST), 2);
    assert_int_equal(seats[1].worker, 11);
    assert_false(seats[1].is_waiting || seats[1].has_ended);
    assert_int_equal(rooms_view_seats(play.rooms, play.now_ns, 2, 1, seats, SEATS_MOST), 1);
    assert_int_equal(rooms_view_seats(play.rooms, play.now_ns, 2, 2, seats, SEATS_MOST), 0);
    assert_int_equal(rooms_view_seats(play.rooms, play.now_ns, 2, UINT32_MAX, seats, SEATS_MOST), 0);
    play_finish(&play);
}

static void who_waits_for_the_writer(void **state)
{
    (void)state;
    struct play play;
    play_init(&play, &(struct campaign_options){.workers = 5, .sync_timeout_ms = 60000, .fail_steps = 1});
    play_wait_writer(&play, 0, 1);
    play_settle(&play);
    play_known(&play);
    play_pass_ms(&play, 1500);
    play_wait_writer(&play, 1, 1);
    play_past(&play, 3, 1, NULL);
    play_settle(&play);
    play_pass_ms(&play, 10);
    struct seat_view seat = seat_at(&play, 0, 0);
    assert_true(seat.is_waiting);
    assert_int_equal(seat.wait.kind, OPERATION_WAIT_WRITER);
    assert_true(bytes_equal_string(seat.wait.name, "pad"));
    assert_int_equal(seat.wait.step, 1);
    assert_in_range(seat.wait.waited_ns, 1500 * PLAY_MS, 1520 * PLAY_MS);
    assert_int_equal(seat.wait.timeout_ms, 60000);
    assert_false(seat.wait.has_progress);
    expect_missing(&seat, (const uint32_t[]){2, 4}, 2);
    assert_int_equal(seat.step, 1);
    struct seat_view seats[SEATS_MOST];
    assert_int_equal(rooms_view_seats(play.rooms, play.now_ns, 0, 0, seats, SEATS_MOST), 5);
    expect_missing(&seats[1], (const uint32_t[]){2, 4}, 2);
    assert_in_range(seats[0].wait.waited_ns, 1500 * PLAY_MS, 1520 * PLAY_MS);
    assert_in_range(seats[1].wait.waited_ns, 0, 20 * PLAY_MS);
    assert_int_equal(seat_at(&play, 0, 3).step, 2);
    struct room_view room = rooms_view_room(play.rooms, play.now_ns, 0);
    assert_int_equal(room.waiting, 2);
    assert_int_equal(room.step, 2);
    assert_in_range(room.oldest_ns, 1500 * PLAY_MS, 1520 * PLAY_MS);
    play_written(&play, 4, 1, "text");
    play_settle(&play);
    room = rooms_view_room(play.rooms, play.now_ns, 0);
    assert_int_equal(room.waiting, 0);
    assert_int_equal(room.oldest_ns, 0);
    play_finish(&play);
}

static void who_waits_for_readers_and_at_a_barrier(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_written(&play, 4, 1, "text");
    play_read(&play, 2, 1);
    play_wait_readers(&play, 4, 1);
    play_settle(&play);
    struct seat_view seat = seat_at(&play, 0, 4);
    assert_int_equal(seat.wait.kind, OPERATION_WAIT_READERS);
    assert_true(seat.wait.has_progress);
    assert_int_equal(seat.wait.arrived, 2);
    assert_int_equal(seat.wait.parties, 4);
    expect_missing(&seat, (const uint32_t[]){1, 3}, 2);
    play_barrier(&play, 0, 1);
    play_barrier(&play, 3, 1);
    play_settle(&play);
    seat = seat_at(&play, 0, 0);
    assert_int_equal(seat.wait.kind, OPERATION_BARRIER);
    assert_true(bytes_equal_string(seat.wait.name, "rush"));
    assert_int_equal(seat.wait.arrived, 2);
    assert_int_equal(seat.wait.parties, 5);
    expect_missing(&seat, (const uint32_t[]){1, 2, 4}, 3);
    play_ended(&play, 1, NULL);
    play_settle(&play);
    assert_true(seat_at(&play, 0, 1).has_ended);
    assert_int_equal(rooms_view_room(play.rooms, play.now_ns, 0).live, 4);
    seat = seat_at(&play, 0, 0);
    expect_missing(&seat, (const uint32_t[]){2, 4}, 2);
    play_finish(&play);
}

static void who_waits_for_a_variable(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 5);
    play_get_or_make(&play, 2, "config");
    play_settle(&play);
    play_get_or_make(&play, 3, "config");
    play_variable(&play, OPERATION_WAIT_SET, 1, "flag", "nil");
    play_settle(&play);
    struct seat_view seat = seat_at(&play, 0, 3);
    assert_true(bytes_equal_string(seat.wait.name, "config"));
    assert_int_equal(seat.wait.step, 0);
    expect_missing(&seat, (const uint32_t[]){2}, 1);
    seat = seat_at(&play, 0, 1);
    assert_int_equal(seat.wait.kind, OPERATION_WAIT_SET);
    expect_missing(&seat, NULL, 0);
    play_finish(&play);
}

static void a_crowd_is_cut(void **state)
{
    (void)state;
    struct play play;
    play_init_synchronised(&play, 100);
    play_barrier(&play, 50, 1);
    play_settle(&play);
    struct seat_view seat = seat_at(&play, 0, 50);
    assert_int_equal(seat.wait.missing_count, LIMIT_MISSING);
    assert_true(seat.wait.has_more_missing);
    assert_int_equal(seat.wait.missing[LIMIT_MISSING - 1], LIMIT_MISSING - 1);
    assert_int_equal(seat.wait.parties, 100);
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_that_does_nothing_together),
        cmocka_unit_test(who_waits_for_the_writer),
        cmocka_unit_test(who_waits_for_readers_and_at_a_barrier),
        cmocka_unit_test(who_waits_for_a_variable),
        cmocka_unit_test(a_crowd_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
