/* A settling is bounded: what is too much for one is left to the next. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MEETINGS 70000u

/* The worker reads as many notifiers of its room, each of which has to be looked at. */
static void read_many(struct play *play, uint32_t worker, uint32_t room)
{
    for (unsigned i = 0; i < MEETINGS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "n%u", i);
        struct operation read = {
            .kind = OPERATION_READ, .room = room, .name = bytes_of_string(name), .step = 1};
        play_operation(play, worker, worker, read);
    }
}

static void test_meetings_without_waits_are_work_too(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 4, 2);
    read_many(&play, 0, 0);
    rooms_settle(play.rooms, play.now_ns, &play.news);
    assert_true(rooms_due_ns(play.rooms) > 0); /* those of one room are not too many */
    read_many(&play, 0, 0);
    read_many(&play, 2, 1);
    play_past(&play, 3, 0, NULL);
    struct operation barrier = {
        .kind = OPERATION_BARRIER, .room = 1, .name = bytes_of_string("b"), .step = 1};
    play_operation(&play, 2, 3, barrier);
    rooms_settle(play.rooms, play.now_ns, &play.news);
    assert_int_equal(rooms_due_ns(play.rooms), 0);
    assert_int_equal(play_count(&play).live_waits, 2);
    rooms_settle(play.rooms, play.now_ns, &play.news);
    assert_true(rooms_due_ns(play.rooms) > 0);
    assert_int_equal(play_count(&play).live_waits, 0); /* what was left was not forgotten */
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meetings_without_waits_are_work_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
