/* Variables: setting, getting, comparing and counting, and waiting for a value. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void wait_changed(struct play *play, uint32_t worker, const char *expected)
{
    struct operation operation = {.kind = OPERATION_WAIT_CHANGED,
                                  .room = ROOM_CAMPAIGN,
                                  .name = bytes_of_string("x"),
                                  .expected = play_value(expected)};
    play_operation(play, worker, worker, operation);
}

static void cas(struct play *play, uint32_t worker, const char *expected, const char *value)
{
    struct operation operation = {.kind = OPERATION_CAS,
                                  .room = ROOM_CAMPAIGN,
                                  .name = bytes_of_string("x"),
                                  .expected = play_value(expected),
                                  .value = play_value(value)};
    play_operation(play, worker, worker, operation);
}

static void test_set_and_get(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_variable(&play, OPERATION_SET, 1, "x", "5");
    play_variable(&play, OPERATION_GET, 5, "x", "nil");
    play_variable(&play, OPERATION_DELETE, 0, "x", "nil");
    play_variable(&play, OPERATION_DELETE, 0, "x", "nil");
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil\n"
                       "worker 1: set_var x ok\n"
                       "worker 5: get_var x ok 5\n"
                       "worker 0: delete x ok won\n"
                       "worker 0: delete x ok\n"
                       "worker 0: get_var x ok nil\n");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_setting_nil_deletes(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_SET, 0, "x", "5");
    play_variable(&play, OPERATION_SET, 0, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_expect(&play, "worker 0: set_var x ok\nworker 0: set_var x ok\n");
    play_finish(&play);
}

static void test_rooms_have_variables_of_their_own(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    struct operation set = {
        .kind = OPERATION_SET, .room = 1, .name = bytes_of_string("x"), .value = play_value("1")};
    play_operation(&play, 4, 4, set);
    struct operation get = {.kind = OPERATION_GET, .room = 0, .name = bytes_of_string("x")};
    play_operation(&play, 2, 2, get);
    get.room = 1;
    play_operation(&play, 3, 3, get);
    play_nonsense(&play, 2, 2, get, "get_var: a worker is not in room 1");
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_expect(&play, "worker 4: set_var x ok\n"
                       "worker 2: get_var x ok nil\n"
                       "worker 3: get_var x ok 1\n"
                       "worker 0: get_var x ok nil\n");
    assert_false(rooms_is_synchronising(play.rooms, 1));
    play_finish(&play);
}

static void test_compare_and_set(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    cas(&play, 0, "nil", "1");
    cas(&play, 1, "nil", "2");
    cas(&play, 1, "1", "2");
    cas(&play, 2, "2", "nil");
    play_expect(&play, "worker 0: cas x ok 1 won\n"
                       "worker 1: cas x ok 1\n"
                       "worker 1: cas x ok 2 won\n"
                       "worker 2: cas x ok nil won\n");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_increments(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_INCR, 0, "x", "2");
    play_variable(&play, OPERATION_INCR, 1, "x", "-5");
    play_variable(&play, OPERATION_SET, 1, "x", "text");
    play_variable(&play, OPERATION_INCR, 1, "x", "1");
    play_settle(&play);
    assert_int_equal(play.news.reply_count, 4);
    const struct reply *refused = &play.news.replies[3];
    assert_int_equal(refused->outcome, OUTCOME_REFUSED);
    assert_true(refused->text.size > 0);
    buffer_clear(&play.story);
    play_variable(&play, OPERATION_INCR, 1, "z", "text"); /* leaves nothing behind */
    assert_int_equal(play_count(&play).live_variables, 1);
    play_finish(&play);
}

static void test_wait_until_set(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 1, "x", "nil");
    play_expect(&play, "");
    play_variable(&play, OPERATION_INCR, 2, "x", "1");
    play_variable(&play, OPERATION_SET, 2, "x", "nil");
    play_expect(&play, "workers 0–1: wait_var x ok 1\n"
                       "worker 2: incr x ok 1\n"
                       "worker 2: set_var x ok\n");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_wait_until_changed(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_SET, 2, "x", "1");
    wait_changed(&play, 0, "1");
    wait_changed(&play, 1, "2");
    wait_changed(&play, 4, "1");
    wait_changed(&play, 5, "nil");
    play_expect(&play, "worker 2: set_var x ok\n"
                       "worker 1: wait_var x ok 1\n"
                       "worker 5: wait_var x ok 1\n");
    play_variable(&play, OPERATION_SET, 2, "x", "1");
    play_expect(&play, "worker 2: set_var x ok\n");
    play_variable(&play, OPERATION_DELETE, 2, "x", "nil");
    play_expect(&play, "workers 0 and 4: wait_var x ok nil\n"
                       "worker 2: delete x ok won\n");
    play_finish(&play);
}

static void test_deleting_what_is_only_waited_for(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_variable(&play, OPERATION_DELETE, 1, "x", "nil");
    play_expect(&play, "worker 1: delete x ok\n");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_finish(&play);
}

static void test_calls_come_back(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    struct operation wait = {
        .kind = OPERATION_WAIT_SET, .room = ROOM_CAMPAIGN, .name = bytes_of_string("x"), .call = 7};
    play_operation(&play, 0, 0, wait);
    wait.call = 8;
    play_operation(&play, 1, 1, wait);
    play_variable(&play, OPERATION_SET, 2, "x", "1");
    play_settle(&play);
    assert_int_equal(play.news.reply_count, 3);
    assert_int_equal(play.news.replies[0].call, 7);
    assert_int_equal(play.news.replies[1].call, 8);
    assert_int_equal(play.news.replies[0].room, ROOM_CAMPAIGN);
    play_finish(&play);
}

static void test_timeouts(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    struct operation wait = {
        .kind = OPERATION_WAIT_SET, .room = ROOM_CAMPAIGN, .name = bytes_of_string("x"), .timeout_ms = 1000};
    play_operation(&play, 0, 0, wait);
    play_get_or_make(&play, 1, "x");
    play_get_or_make(&play, 2, "x");
    play_pass_ms(&play, 1000);
    play_expect(&play, "worker 1: get_var x ok nil maker\n"
                       "worker 0: wait_var x timeout (waited 1 s for variable x to be set)\n");
    play_pass_ms(&play, 59000);
    play_expect(&play,
                "worker 2: get_var x timeout (waited 1 m for variable x to be made: worker 1 is making "
                "it) without worker 1\n");
    play_finish(&play);
}

static void test_a_variable_that_nobody_set_goes_with_its_last_wait(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 1, "y", "nil");
    assert_int_equal(play_count(&play).live_variables, 2);
    play_ended(&play, 0, NULL);
    assert_int_equal(play_count(&play).live_variables, 1);
    play_pass_ms(&play, 60000);
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_stopping_leaves_reading_and_setting(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_variable(&play, OPERATION_WAIT_SET, 2, "y", "nil");
    play_expect(&play, "worker 0: get_var x ok nil maker\n");
    rooms_stop(play.rooms, play.now_ns);
    play_expect(&play, "worker 1: get_var x stopped (the campaign is stopping)\n"
                       "worker 2: wait_var y stopped (the campaign is stopping)\n");
    play_get_or_make(&play, 1, "x");
    play_variable(&play, OPERATION_SET, 2, "y", "1");
    play_variable(&play, OPERATION_WAIT_SET, 3, "y", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 4, "z", "nil");
    play_variable(&play, OPERATION_GET, 5, "y", "nil");
    play_expect(&play, "worker 1: get_var x stopped (the campaign is stopping)\n"
                       "worker 2: set_var y ok\n"
                       "worker 3: wait_var y ok 1\n"
                       "worker 4: wait_var z stopped (the campaign is stopping)\n"
                       "worker 5: get_var y ok 1\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_get),
        cmocka_unit_test(test_setting_nil_deletes),
        cmocka_unit_test(test_rooms_have_variables_of_their_own),
        cmocka_unit_test(test_compare_and_set),
        cmocka_unit_test(test_increments),
        cmocka_unit_test(test_wait_until_set),
        cmocka_unit_test(test_wait_until_changed),
        cmocka_unit_test(test_deleting_what_is_only_waited_for),
        cmocka_unit_test(test_calls_come_back),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_a_variable_that_nobody_set_goes_with_its_last_wait),
        cmocka_unit_test(test_stopping_leaves_reading_and_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
