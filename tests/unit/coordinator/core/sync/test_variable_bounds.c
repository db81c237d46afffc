/* The bounds of variables: how many and how large, what is refused, and that nothing is kept needlessly. */
#include "common/map.h"
#include "common/memory.h"
#include "common/value.h"
#include "coordinator/core/sync/variable.h"
#include "tests/unit/coordinator/core/rooms/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static enum outcome set(struct play *play, const char *name, struct bytes value)
{
    struct operation operation = {
        .kind = OPERATION_SET, .room = ROOM_CAMPAIGN, .name = bytes_of_string(name), .value = value};
    play_operation(play, 0, 0, operation);
    play_settle(play);
    return play->news.replies[0].outcome;
}

static enum outcome set_numbered(struct play *play, unsigned number, struct bytes value)
{
    char name[32];
    snprintf(name, sizeof name, "v%u", number);
    return set(play, name, value);
}

static void test_values_have_bounds(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play.is_quiet = true;
    SCOPED(memory_free_at) uint8_t *data = memory_new(VALUE_MAX_BYTES + 1, 1);
    data[0] = 's';
    assert_int_equal(set(&play, "x", bytes_of(data, VALUE_MAX_BYTES + 1)), OUTCOME_REFUSED);
    assert_int_equal(play_count(&play).live_variables, 0);
    unsigned kept = 0;
    for (enum outcome outcome = OUTCOME_OK; outcome == OUTCOME_OK && kept < 5000; kept++) {
        outcome = set_numbered(&play, kept, bytes_of(data, VALUE_MAX_BYTES));
    }
    assert_in_range(kept, 1000, 1024); /* 64 MiB of 64 KiB */
    set(&play, "v0", play_value("nil"));
    assert_int_equal(set(&play, "again", bytes_of(data, VALUE_MAX_BYTES)), OUTCOME_OK);
    play_finish(&play);
}

static void test_a_hundred_thousand_variables(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 6, 3);
    play.is_quiet = true;
    for (unsigned i = 0; i <= 100000; i++) {
        enum outcome outcome = set_numbered(&play, i, play_value("1"));
        assert_int_equal(outcome, i < 100000 ? OUTCOME_OK : OUTCOME_REFUSED);
    }
    play_finish(&play);
}

static void test_a_value_that_is_too_large_is_refused_once(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    SCOPED(memory_free_at) uint8_t *large = memory_new(VALUE_MAX_BYTES + 1, 1);
    const enum operation_kind kinds[] = {OPERATION_SET, OPERATION_CAS};
    for (size_t i = 0; i < 2; i++) {
        struct operation operation = {.kind = kinds[i],
                                      .room = ROOM_CAMPAIGN,
                                      .name = bytes_of_string("x"),
                                      .value = bytes_of(large, VALUE_MAX_BYTES + 1)};
        play_operation(&play, 0, 0, operation);
        play_settle(&play);
        assert_int_equal(play.news.reply_count, 1);
        assert_int_equal(play.news.replies[0].outcome, OUTCOME_REFUSED);
    }
    play_finish(&play);
}

static void test_without_room_for_a_variable_each_kind_is_refused(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 2, 0);
    play.is_quiet = true;
    for (unsigned i = 0; i < VARIABLES_MAX_COUNT; i++) {
        set_numbered(&play, i, play_value("1"));
    }
    const enum operation_kind kinds[] = {OPERATION_GET_OR_MAKE, OPERATION_MADE, OPERATION_SET,
                                         OPERATION_CAS,         OPERATION_INCR, OPERATION_WAIT_SET,
                                         OPERATION_WAIT_CHANGED};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        play_variable(&play, kinds[i], 0, "one more", "1");
        play_settle(&play);
        assert_int_equal(play.news.reply_count, 1);
        assert_int_equal(play.news.replies[0].outcome, OUTCOME_REFUSED);
    }
    play_finish(&play);
}

static void test_variables_that_nobody_needs_go(void **state)
{
    (void)state;
    struct play play;
    play_init_rooms(&play, 3, 0);
    play_get_or_make(&play, 0, "x");
    play_variable(&play, OPERATION_MADE, 0, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_get_or_make(&play, 0, "x");
    play_variable(&play, OPERATION_MAKING_FAILED, 0, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_get_or_make(&play, 0, "x");
    play_ended(&play, 0, NULL);
    assert_int_equal(play_count(&play).live_variables, 0);
    struct operation changed = {.kind = OPERATION_WAIT_CHANGED,
                                .room = ROOM_CAMPAIGN,
                                .name = bytes_of_string("x"),
                                .expected = play_value("5")};
    play_operation(&play, 1, 1, changed); /* at once: it is nil, not 5 */
    assert_int_equal(play_count(&play).live_variables, 0);
    rooms_stop(play.rooms, play.now_ns);
    play_variable(&play, OPERATION_WAIT_SET, 1, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_a_variable_gives_back_what_it_was_charged(void **state)
{
    (void)state;
    struct variables variables;
    struct map *map = NULL;
    variables_init(&variables, 1);
    struct variable *variable = variables_need(&variables, &map, 0, bytes_of_string("x"));
    assert_true(variables_assign(&variables, variable, play_value("a text")));
    assert_true(variables.quota.used > 0);
    assert_true(variables_assign(&variables, variable, bytes_of(NULL, 0)));
    variables_tidy(&variables, map, variable);
    assert_int_equal(variables.quota.used, 0);
    map_free(&map);
    variables_finish(&variables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_have_bounds),
        cmocka_unit_test(test_a_hundred_thousand_variables),
        cmocka_unit_test(test_a_value_that_is_too_large_is_refused_once),
        cmocka_unit_test(test_without_room_for_a_variable_each_kind_is_refused),
        cmocka_unit_test(test_variables_that_nobody_needs_go),
        cmocka_unit_test(test_a_variable_gives_back_what_it_was_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
