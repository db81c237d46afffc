/* Rarely trodden corners of the rooms: each of these is what one line is there for. */
#include "common/map.h"
#include "common/memory.h"
#include "common/value.h"
#include "coordinator/core/variable.h"
#include "tests/unit/coordinator/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void set_up(struct play *play, uint32_t workers)
{
    struct campaign_options options = play_options(workers);
    play_init(play, &options);
    play_read(play, 0, 1);
    play_known(play);
    play_expect(play, "room 0 synchronises\n");
}

static void test_a_worker_restarts_before_its_room_met(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 1);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 2, "agent a1 was lost"), 0); /* there is none */
    struct operation set = {.kind = OPERATION_SET, .name = bytes_of_string("x"), .value = play_value("1")};
    play_operation(&play, 1, 1, set); /* a room to remember, but without a meeting */
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 1);
    play_finish(&play);
}

static void test_who_came_back_and_ended_does_not_come_back_again(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_lose(&play, 0, "agent a1 was lost");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 2);
    play_ended(&play, 0, NULL);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a2 was lost"), 0);
    play_finish(&play);
}

static void test_a_room_of_as_many_as_a_word_has_bits(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 64);
    play_wait_readers(&play, 0, 1);
    for (uint32_t worker = 1; worker < 64; worker++) {
        play_expect(&play, "");
        play_read(&play, worker, 1);
    }
    play_expect(&play, "worker 0: wait_for_readers pad@1 ok 64 of 64\n");
    play_finish(&play);
}

static void test_a_worker_twice_in_a_set_waits_once_for_the_writer(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    struct worker_run runs[] = {{.first = 1, .stride = 1, .count = 2}, {.first = 1, .stride = 1, .count = 1}};
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    wait.workers = (struct worker_set){.runs = runs, .run_count = 2, .run_capacity = 2};
    assert_true(rooms_apply(play.rooms, play.now_ns, &wait, NULL));
    assert_int_equal(play_count(&play).live_waits, 2);
    play_finish(&play);
}

static void test_naming_readers_of_a_step_that_is_over(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_past(&play, 0, 2, NULL);
    play_past(&play, 1, 2, NULL);
    play_expect(&play, "");
    struct operation declare = {
        .kind = OPERATION_DECLARE, .name = bytes_of_string("pad"), .step = 1, .count = 1};
    play_operation(&play, 0, 0, declare);
    play_expect(&play, "worker 0: notifier pad@1 ok\n");
    play_finish(&play);
}

/* Uses up what a room may have. */
static void fill(struct play *play)
{
    char name[32];
    uint64_t made = 1; /* the one of set_up */
    for (; made < 100000; made++) {
        snprintf(name, sizeof name, "n%u", (unsigned)made);
        struct operation declare = {
            .kind = OPERATION_DECLARE, .name = bytes_of_string(name), .step = 1, .count = 1};
        play_operation(play, 0, 0, declare);
    }
    play->is_quiet = true;
    play_settle(play);
    assert_int_equal(play->news.replies[play->news.reply_count - 1].outcome, OUTCOME_OK);
    play->is_quiet = false;
}

static void refused(struct play *play, enum operation_kind kind)
{
    struct operation one_more = {
        .kind = kind, .name = bytes_of_string("more"), .step = 1, .value = play_value("x")};
    play_operation(play, 1, 1, one_more);
    play_settle(play);
    assert_int_equal(play->news.reply_count, 1);
    assert_int_equal(play->news.replies[0].outcome, OUTCOME_REFUSED);
    assert_int_equal(play_count(play).live_waits, 0);
}

static void test_a_full_room_refuses_each_kind(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    fill(&play);
    play.is_quiet = true;
    refused(&play, OPERATION_DECLARE);
    refused(&play, OPERATION_WRITTEN);
    refused(&play, OPERATION_WAIT_WRITER);
    refused(&play, OPERATION_WAIT_READERS);
    refused(&play, OPERATION_BARRIER);
    struct operation read = {.kind = OPERATION_READ, .name = bytes_of_string("more"), .step = 1};
    play_operation(&play, 1, 1, read);
    play_settle(&play); /* nobody waits for an answer to it */
    assert_int_equal(play.news.reply_count, 0);
    play_finish(&play);
}

static void test_payloads_give_back_their_room(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 1);
    play.is_quiet = true;
    SCOPED(memory_free_at) uint8_t *payload = memory_new(VALUE_MAX_BYTES, 1);
    for (uint64_t step = 1; step < 9000; step++) { /* more than 512 MiB, one after the other */
        struct operation written = {.kind = OPERATION_WRITTEN,
                                    .name = bytes_of_string("pad"),
                                    .step = step,
                                    .value = bytes_of(payload, VALUE_MAX_BYTES)};
        play_operation(&play, 0, 0, written);
        play_settle(&play);
        assert_int_equal(play.news.replies[0].outcome, OUTCOME_OK);
        play_past(&play, 0, step, NULL);
    }
    play_finish(&play);
}

/* What is refused for want of room is not given back when all goes. */
static void test_steps_that_found_no_room_leave_nothing(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 1);
    play.is_quiet = true;
    SCOPED(memory_free_at) uint8_t *payload = memory_new(VALUE_MAX_BYTES, 1);
    struct operation written = {.kind = OPERATION_WRITTEN, .step = 1, .name = bytes_of_string("pad")};
    char name[32];
    for (size_t size = VALUE_MAX_BYTES; size > 0; size /= 2) {
        enum outcome outcome = OUTCOME_OK;
        while (outcome == OUTCOME_OK) {
            snprintf(name, sizeof name, "n%u", (unsigned)play_count(&play).live_notifiers);
            written.name = bytes_of_string(name);
            written.value = bytes_of(payload, size);
            play_operation(&play, 0, 0, written);
            play_settle(&play);
            outcome = play.news.replies[0].outcome;
        }
    }
    for (written.step = 2; written.step < 1000; written.step++) {
        play_operation(&play, 0, 0, written);
        play_settle(&play);
        assert_int_equal(play.news.replies[0].outcome, OUTCOME_REFUSED);
    }
    play_past(&play, 0, 2000, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_nobody_arrives_twice(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    struct operation arrive = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .timeout_ms = 10};
    play_operation(&play, 0, 0, arrive);
    play_pass_ms(&play, 10);
    buffer_clear(&play.story);
    play_operation(&play, 0, 0, arrive);
    play_expect(&play, "worker 0: barrier rush@1 refused (step 1 of this worker is over: a barrier belongs "
                       "to the step that the worker is in)\n");
    assert_int_equal(play_count(&play).live_waits, 0);
    play_finish(&play);
}

static void test_the_spread_of_a_barrier_is_counted_once(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    struct operation arrive = {
        .kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1, .is_at_once = true};
    play_operation(&play, 0, 1, arrive);
    play_settle(&play);
    struct operation released = {
        .kind = OPERATION_RELEASED, .name = bytes_of_string("rush"), .step = 1, .last_ns = 2000};
    play_operation(&play, 0, 1, released);
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    play_past(&play, 0, 2, NULL);
    play_past(&play, 1, 2, NULL);
    play_settle(&play); /* the barrier goes */
    assert_int_equal(histogram_count(play_count(&play).release_spread_us), 1);
    play_finish(&play);
}

static void test_what_is_on_its_way_has_time_to_arrive(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
    play_variable(&play, OPERATION_WAIT_SET, 0, "x", "nil");
    play_variable(&play, OPERATION_WAIT_SET, 1, "y", "nil");
    play_settle(&play);
    play_pass_ms(&play, PLAY_DEADLOCK_MS - 1);
    assert_false(rooms_found_deadlock(play.rooms));
    play_pass_ms(&play, 1);
    play_settle(&play);
    assert_true(rooms_found_deadlock(play.rooms));
    play_finish(&play);
}

static void test_barriers_are_told_before_writers(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    play_wait_writer(&play, 0, 1);
    play_barrier(&play, 1, 1);
    play_wait_readers(&play, 2, 1);
    play_settle(&play);
    play_pass_ms(&play, PLAY_DEADLOCK_MS + 1);
    const char *told = buffer_string(&play.story);
    const char *readers = strstr(told, "deadlock: worker 2 waits for the readers");
    assert_non_null(readers);
    const char *barrier = strstr(readers, "worker 1 waits for");
    const char *writer = strstr(readers, "worker 0 waits for");
    assert_true(barrier != NULL && writer != NULL && barrier < writer);
    play_finish(&play);
}

static void make(struct play *play, enum operation_kind kind, uint32_t worker, const char *name,
                 const char *value)
{
    play_variable(play, kind, worker, name, value);
}

static void test_factories_that_nest_end_in_any_order(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    play_init(&play, &options);
    make(&play, OPERATION_GET_OR_MAKE, 0, "outer", "nil");
    make(&play, OPERATION_GET_OR_MAKE, 0, "middle", "nil");
    make(&play, OPERATION_GET_OR_MAKE, 0, "inner", "nil");
    make(&play, OPERATION_MADE, 0, "outer", "1");
    make(&play, OPERATION_MADE, 0, "middle", "2");
    play_ended(&play, 0, NULL);
    make(&play, OPERATION_GET_OR_MAKE, 1, "inner", "nil");
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
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    play_ended(&play, 0, NULL);
    make(&play, OPERATION_GET_OR_MAKE, 1, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 0: get_var x ok nil maker\n"
                       "worker 1: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_what_was_set_and_deleted_is_made_anew(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    play_init(&play, &options);
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    make(&play, OPERATION_SET, 1, "x", "5");
    make(&play, OPERATION_DELETE, 1, "x", "nil");
    make(&play, OPERATION_GET_OR_MAKE, 2, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil maker\n"
                       "worker 1: set_var x ok\n"
                       "worker 1: delete x ok won\n"
                       "worker 2: get_var x ok nil maker\n");
    play_finish(&play);
}

static void test_variables_that_nobody_needs_go(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    play_init(&play, &options);
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    make(&play, OPERATION_MADE, 0, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    make(&play, OPERATION_MAKING_FAILED, 0, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    make(&play, OPERATION_GET_OR_MAKE, 0, "x", "nil");
    play_ended(&play, 0, NULL);
    assert_int_equal(play_count(&play).live_variables, 0);
    struct operation changed = {.kind = OPERATION_WAIT_CHANGED,
                                .room = ROOM_CAMPAIGN,
                                .name = bytes_of_string("x"),
                                .expected = play_value("5")};
    play_operation(&play, 1, 1, changed); /* at once: it is nil, not 5 */
    assert_int_equal(play_count(&play).live_variables, 0);
    rooms_stop(play.rooms, play.now_ns);
    make(&play, OPERATION_WAIT_SET, 1, "x", "nil");
    assert_int_equal(play_count(&play).live_variables, 0);
    play_finish(&play);
}

static void test_a_value_that_is_too_large_is_refused_once(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
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
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
    play.is_quiet = true;
    for (unsigned i = 0; i < VARIABLES_MAX_COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "v%u", i);
        play_variable(&play, OPERATION_SET, 0, name, "1");
    }
    play_settle(&play);
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
        cmocka_unit_test(test_a_worker_restarts_before_its_room_met),
        cmocka_unit_test(test_who_came_back_and_ended_does_not_come_back_again),
        cmocka_unit_test(test_a_room_of_as_many_as_a_word_has_bits),
        cmocka_unit_test(test_a_worker_twice_in_a_set_waits_once_for_the_writer),
        cmocka_unit_test(test_naming_readers_of_a_step_that_is_over),
        cmocka_unit_test(test_a_full_room_refuses_each_kind),
        cmocka_unit_test(test_payloads_give_back_their_room),
        cmocka_unit_test(test_steps_that_found_no_room_leave_nothing),
        cmocka_unit_test(test_nobody_arrives_twice),
        cmocka_unit_test(test_the_spread_of_a_barrier_is_counted_once),
        cmocka_unit_test(test_what_is_on_its_way_has_time_to_arrive),
        cmocka_unit_test(test_barriers_are_told_before_writers),
        cmocka_unit_test(test_factories_that_nest_end_in_any_order),
        cmocka_unit_test(test_a_maker_that_asks_again_makes_once),
        cmocka_unit_test(test_what_was_set_and_deleted_is_made_anew),
        cmocka_unit_test(test_variables_that_nobody_needs_go),
        cmocka_unit_test(test_a_value_that_is_too_large_is_refused_once),
        cmocka_unit_test(test_without_room_for_a_variable_each_kind_is_refused),
        cmocka_unit_test(test_a_variable_gives_back_what_it_was_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
