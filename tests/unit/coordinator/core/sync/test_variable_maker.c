/* Variables that are made when they are first requested: one maker at a time, or the first one to set it. */
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_one_makes_and_the_others_wait(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 2, "x");
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_expect(&play, "worker 2: get_var x ok nil maker\n");
    play_variable(&play, OPERATION_MADE, 2, "x", "5");
    play_get_or_make(&play, 4, "x");
    play_expect(&play, "workers 0–1: get_var x ok 5\n"
                       "worker 2: get_var x ok 5\n"
                       "worker 4: get_var x ok 5\n");
    play_finish(&play);
}

static void test_the_next_one_makes_if_it_fails(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_get_or_make(&play, 2, "x");
    play_variable(&play, OPERATION_MAKING_FAILED, 0, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 1: get_var x ok nil maker\n");
    play_variable(&play, OPERATION_MAKING_FAILED, 0, "x", "nil"); /* no longer concerns it */
    play_expect(&play, "");
    play_ended(&play, 1, "error in setup");
    play_expect(&play, "worker 2: get_var x ok nil maker\n");
    play_get_or_make(&play, 3, "x");
    play_expect(&play, "");
    play_lose(&play, 2, "agent a1 was lost");
    play_expect(&play, "worker 3: get_var x ok nil maker\n");
    play_get_or_make(&play, 4, "x");
    play_expect(&play, "");
    rooms_restart(play.rooms, play.now_ns, 3, "agent a1 was lost");
    play_expect(&play, "worker 4: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_a_maker_whose_step_ends_has_failed(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_read(&play, 0, 1);
    play_past(&play, 0, 0, NULL);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_expect(&play, "room 0 synchronises\n"
                       "worker 0: get_var x ok nil maker\n");
    play_past(&play, 0, 1, "an error");
    play_expect(&play, "worker 1: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_a_factory_that_gives_nil_makes_nothing(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_variable(&play, OPERATION_MADE, 0, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 0: get_var x ok nil\n"
                       "worker 1: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_who_sets_it_has_made_it(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_variable(&play, OPERATION_SET, 2, "x", "7");
    play_variable(&play, OPERATION_MADE, 0, "x", "5");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 1: get_var x ok 7\n"
                       "worker 2: set_var x ok\n"
                       "worker 0: get_var x ok 7\n");
    play_finish(&play);
}

static void test_a_boolean_is_a_value_too(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 1, "x");
    play_variable(&play, OPERATION_SET, 2, "x", "false");
    play_get_or_make(&play, 3, "x");
    play_ended(&play, 0, "error"); /* no longer makes it */
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 1: get_var x ok false\n"
                       "worker 2: set_var x ok\n"
                       "worker 3: get_var x ok false\n");
    play_finish(&play);
}

static void test_factories_nest(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 0, "y");
    play_get_or_make(&play, 1, "x");
    play_get_or_make(&play, 2, "y");
    play_variable(&play, OPERATION_MADE, 0, "y", "1");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 0: get_var y ok nil maker\n"
                       "worker 2: get_var y ok 1\n"
                       "worker 0: get_var y ok 1\n");
    play_ended(&play, 0, "error");
    play_expect(&play, "worker 1: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_factories_that_nest_end_in_any_order(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play_get_or_make(&play, 0, "outer");
    play_get_or_make(&play, 0, "middle");
    play_get_or_make(&play, 0, "inner");
    play_variable(&play, OPERATION_MADE, 0, "outer", "1");
    play_variable(&play, OPERATION_MADE, 0, "middle", "2");
    play_ended(&play, 0, NULL);
    play_get_or_make(&play, 1, "inner");
    play_expect(&play, "worker 0: get_var outer ok nil maker\n"
                       "worker 0: get_var middle ok nil maker\n"
                       "worker 0: get_var inner ok nil maker\n"
                       "worker 0: get_var outer ok 1\n"
                       "worker 0: get_var middle ok 2\n"
                       "worker 1: get_var inner ok nil maker\n");
    play_finish(&play);
}

static void test_a_maker_that_asks_again_makes_once(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play_get_or_make(&play, 0, "x");
    play_get_or_make(&play, 0, "x");
    play_ended(&play, 0, NULL);
    play_get_or_make(&play, 1, "x");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 0: get_var x ok nil maker\n"
                       "worker 1: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_what_was_set_and_deleted_is_made_anew(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play_get_or_make(&play, 0, "x");
    play_variable(&play, OPERATION_SET, 1, "x", "5");
    play_variable(&play, OPERATION_DELETE, 1, "x", "nil");
    play_get_or_make(&play, 2, "x");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 1: set_var x ok\n"
                       "worker 1: delete x ok won\n"
                       "worker 2: get_var x ok nil maker\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_makes_and_the_others_wait),
        cmocka_unit_test(test_the_next_one_makes_if_it_fails),
        cmocka_unit_test(test_a_maker_whose_step_ends_has_failed),
        cmocka_unit_test(test_a_factory_that_gives_nil_makes_nothing),
        cmocka_unit_test(test_who_sets_it_has_made_it),
        cmocka_unit_test(test_a_boolean_is_a_value_too),
        cmocka_unit_test(test_factories_nest),
        cmocka_unit_test(test_factories_that_nest_end_in_any_order),
        cmocka_unit_test(test_a_maker_that_asks_again_makes_once),
        cmocka_unit_test(test_what_was_set_and_deleted_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
