/* The rooms as a whole: progress, ends and losses, what is kept and for how long, what makes no sense. */
#include "common/memory.h"
#include "common/value.h"
#include "tests/unit/coordinator/play.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__ /* whose allocator tells nothing of itself, and is slow */
#define STEPS 200000u
#else
#define STEPS 1000000u
#endif

static void set_up(struct play *play, uint32_t workers)
{
    struct campaign_options options = play_options(workers);
    play_init(play, &options);
    play_read(play, 0, 1);
    play_known(play);
    play_expect(play, "room 0 synchronises\n");
}

static void all_pass(struct play *play, uint64_t step)
{
    struct operation past = {.kind = OPERATION_PAST, .step = step};
    play_operation(play, 0, rooms_live_workers(play->rooms) - 1, past);
}

static void test_a_room_synchronises_with_the_first_meeting(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(9);
    options.room_size = 2;
    play_init(&play, &options);
    play_ended(&play, 1, NULL);
    play_variable(&play, OPERATION_SET, 2, "x", "1");
    play_expect(&play, "worker 2: set_var x ok\n");
    struct operation read = {.kind = OPERATION_READ, .room = 4, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 8, 8, read);
    play_expect(&play, "room 4 synchronises\n");
    play_operation(&play, 8, 8, read);
    play_expect(&play, "");
    assert_true(rooms_is_synchronising(play.rooms, 4));
    assert_false(rooms_is_synchronising(play.rooms, 0));
    assert_false(rooms_is_synchronising(play.rooms, 5));
    play_finish(&play);
}

static void test_replace_synchronises_all_from_the_start(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(5);
    options.room_size = 2;
    options.on_loss = ON_LOSS_REPLACE;
    play_init(&play, &options);
    play_expect(&play, "room 0 synchronises\nroom 1 synchronises\nroom 2 synchronises\n");
    play_expect(&play, "");
    assert_true(rooms_is_synchronising(play.rooms, 0));
    assert_true(rooms_is_synchronising(play.rooms, 2));
    play_finish(&play);
}

static void test_a_room_is_done_when_all_have_ended(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, "error in setup");
    play_expect(&play, "");
    assert_int_equal(rooms_live_workers(play.rooms), 1);
    play_lose(&play, 2, "agent a1 was lost");
    play_expect(&play, "room 0 is done\n");
    play_ended(&play, 2, NULL);
    play_past(&play, 2, 7, NULL);
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_only_rooms_that_synchronise_are_done(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(7);
    options.room_size = 3;
    play_init(&play, &options);
    struct operation read = {.kind = OPERATION_READ, .room = 2, .name = bytes_of_string("pad"), .step = 1};
    play_operation(&play, 6, 6, read);
    struct operation ended = {.kind = OPERATION_ENDED};
    play_operation(&play, 0, 6, ended);
    play_expect(&play, "room 2 synchronises\nroom 2 is done\n");
    play_finish(&play);
}

static void test_what_happens_after_the_end_still_ends(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "room 0 is done\n");
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_expect(&play, "worker 0: wait_for_writer pad@1 short (step 1 is over for everybody, and who has "
                       "written pad@1 is forgotten)\n"
                       "worker 1: wait_for_readers pad@1 ok\n");
    play_barrier(&play, 0, 1);
    play_written(&play, 0, 1, "x");
    play_expect(&play,
                "worker 0: barrier rush@1 refused (step 1 of this worker is over: a barrier belongs to the "
                "step that the worker is in)\n"
                "worker 0: written pad@1 refused (step 1 of this worker is over: written() belongs to the "
                "step that the worker is in)\n");
    play_finish(&play);
}

static void test_ends_before_it_synchronised_count(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    play_init(&play, &options);
    play_ended(&play, 0, "error in setup");
    play_lose(&play, 1, "agent a1 was lost");
    play_wait_writer(&play, 2, 1);
    play_expect(&play,
                "room 0 synchronises\n"
                "worker 2: wait_for_writer pad@1 short (nobody is left to write pad@1: worker 0 ended in "
                "step 1 without writing (error in setup), worker 1 ended in step 1 without writing "
                "(agent a1 was lost)) without workers 0–1\n");
    play_finish(&play);
}

static void test_progress_that_becomes_known_while_waiting(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(3);
    play_init(&play, &options);
    play_wait_writer(&play, 0, 4);
    play_wait_writer(&play, 1, 4);
    play_past(&play, 0, 4, NULL); /* it waits for the writer of the step before its own */
    play_past(&play, 1, 3, NULL);
    play_past(&play, 2, 4, "out of ink");
    play_expect(&play, "room 0 synchronises\n"
                       "worker 1: wait_for_writer pad@4 short (nobody is left to write pad@4: worker 2 ended "
                       "step 4 without writing (out of ink), worker 0 ended step 4 without writing) without "
                       "workers 0 and 2\n"
                       "worker 0: wait_for_writer pad@4 short (nobody is left to write pad@4: worker 2 ended "
                       "step 4 without writing (out of ink)) without worker 2\n");
    play_finish(&play);
}

static void test_progress_only_grows(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_past(&play, 0, 5, NULL);
    play_past(&play, 0, 3, NULL);
    play_past(&play, 0, 5, NULL);
    play_wait_readers(&play, 1, 4);
    play_expect(&play, "worker 1: wait_for_readers pad@4 ok 0 of 1\n");
    play_finish(&play);
}

static void test_what_is_said_twice_ends_no_wait(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_past(&play, 0, 1, NULL);
    play_wait_readers(&play, 0, 1);
    play_past(&play, 0, 1, NULL);
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_past(&play, 0, 2, NULL); /* its agent has given the wait up */
    assert_int_equal(play_count(&play).live_waits, 0);
    play_finish(&play);
}

static void test_a_room_that_meets_only_after_its_end(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = play_options(2);
    play_init(&play, &options);
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "");
    play_wait_readers(&play, 0, 3);
    play_expect(&play, "room 0 synchronises\n"
                       "worker 0: wait_for_readers pad@3 ok\n"
                       "room 0 is done\n");
    play_finish(&play);
}

static void test_a_lost_worker_is_past_and_its_wait_forgotten(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_lose(&play, 0, "agent a1 was lost");
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_read(&play, 2, 1);
    play_expect(&play, "worker 1: wait_for_readers pad@1 ok 2 of 2\n");
    play_finish(&play);
}

static void test_a_restarted_worker_goes_on_at_the_next_step(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    all_pass(&play, 1);
    play_wait_writer(&play, 0, 2);
    play_wait_writer(&play, 1, 2);
    play_expect(&play, "");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 2, "agent a1 was lost"), 3);
    play_expect(&play, "workers 0–1: wait_for_writer pad@2 short (nobody is left to write pad@2: worker 2 "
                       "ended step 2 without writing (agent a1 was lost)) without worker 2\n");
    play_wait_writer(&play, 0, 3);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a2 was lost"), 3);
    assert_int_equal(play_count(&play).live_waits, 0);
    play_ended(&play, 1, NULL);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 1, "agent a3 was lost"), 0);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 99, "nobody"), 0);
    play_finish(&play);
}

static void test_a_worker_comes_back_after_its_loss(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    all_pass(&play, 1);
    play_lose(&play, 0, "agent a1 was lost");
    play_lose(&play, 1, "agent a1 was lost");
    play_expect(&play, "room 0 is done\n");
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost"), 3);
    assert_int_equal(rooms_restart(play.rooms, play.now_ns, 1, "agent a1 was lost"), 3);
    assert_int_equal(rooms_live_workers(play.rooms), 2);
    play_wait_writer(&play, 0, 3);
    play_expect(&play, "");
    play_written(&play, 1, 3, "x");
    play_expect(&play, "worker 1: written pad@3 ok won\nworker 0: wait_for_writer pad@3 ok \"x\"\n");
    play_ended(&play, 0, NULL);
    play_ended(&play, 1, NULL);
    play_expect(&play, "room 0 is done\n");
    play_finish(&play);
}

static void test_answers_to_a_lost_worker_are_dropped(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_variable(&play, OPERATION_GET, 1, "x", "nil");
    rooms_restart(play.rooms, play.now_ns, 0, "agent a1 was lost");
    play_variable(&play, OPERATION_GET, 2, "x", "nil");
    play_expect(&play, "worker 1: get_var x ok nil\nworker 2: get_var x ok nil\n");
    play_variable(&play, OPERATION_GET, 0, "x", "nil");
    play_expect(&play, "worker 0: get_var x ok nil\n");
    play_finish(&play);
}

static void test_draining_turns_short_into_stopped(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    rooms_drain(play.rooms, play.now_ns);
    play_wait_writer(&play, 0, 1);
    play_wait_writer(&play, 1, 1);
    play_ended(&play, 2, NULL);
    play_expect(&play, "workers 0–1: wait_for_writer pad@1 stopped (the campaign is stopping, and nobody is "
                       "left to write pad@1: worker 2 ended before step 1) without worker 2\n");
    play_finish(&play);
}

static void test_draining_leaves_failures_short(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    rooms_drain(play.rooms, play.now_ns);
    play_wait_writer(&play, 0, 1);
    play_ended(&play, 1, NULL);
    play_past(&play, 2, 1, "out of ink");
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_SHORT);
    play_finish(&play);
}

static void test_stopping_ends_every_wait(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 6);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    play_barrier(&play, 2, 1);
    play_barrier(&play, 4, 1);
    play_wait_writer(&play, 3, 1);
    play_variable(&play, OPERATION_WAIT_SET, 5, "x", "nil");
    rooms_stop(play.rooms, play.now_ns);
    play_expect(&play, "workers 0 and 3: wait_for_writer pad@1 stopped (the campaign is stopping)\n"
                       "worker 1: wait_for_readers pad@1 stopped (the campaign is stopping)\n"
                       "workers 2 and 4: barrier rush@1 stopped (the campaign is stopping)\n"
                       "worker 5: wait_var x stopped (the campaign is stopping)\n");
    play_barrier(&play, 2, 1);
    play_written(&play, 3, 1, "x");
    play_wait_writer(&play, 0, 1);
    play_expect(&play, "worker 2: barrier rush@1 stopped (the campaign is stopping)\n"
                       "worker 3: written pad@1 ok won\n"
                       "worker 0: wait_for_writer pad@1 stopped (the campaign is stopping)\n");
    assert_int_equal(play_count(&play).live_waits, 0);
    play_pass_ms(&play, 100000);
    assert_int_equal(rooms_due_ns(play.rooms), UINT64_MAX);
    play_finish(&play);
}

static void test_steps_go_when_all_are_past_them(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    play_written(&play, 2, 1, "one");
    play_expect(&play, "worker 2: written pad@1 ok won\n");
    all_pass(&play, 1);
    play_wait_writer(&play, 0, 1); /* the step before is still known */
    play_expect(&play, "worker 0: wait_for_writer pad@1 ok \"one\"\n");
    all_pass(&play, 2);
    play_wait_writer(&play, 0, 1);
    play_wait_readers(&play, 1, 1);
    struct operation strict = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .is_strict = true};
    play_operation(&play, 2, 2, strict);
    play_expect(&play,
                "worker 0: wait_for_writer pad@1 short (step 1 is over for everybody, and who has "
                "written pad@1 is forgotten)\n"
                "worker 1: wait_for_readers pad@1 ok\n"
                "worker 2: wait_for_readers pad@1 short (step 1 is over for everybody, and who has read "
                "pad@1 is forgotten)\n");
    assert_int_equal(play_count(&play).live_notifiers, 0);
    play_finish(&play);
}

static void test_step_zero_has_always_been_over(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_wait_readers(&play, 1, 0);
    play_expect(&play, "worker 1: wait_for_readers pad ok\n");
    play_finish(&play);
}

static void test_a_straggler_keeps_its_steps(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    for (uint64_t step = 1; step <= 50; step++) {
        play_written(&play, 0, step, "x");
        play_past(&play, 0, step, NULL);
    }
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 50);
    buffer_clear(&play.story);
    play_wait_writer(&play, 1, 1);
    play_expect(&play, "worker 1: wait_for_writer pad@1 ok \"x\"\n");
    play_past(&play, 1, 30, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 21); /* 30 and on */
    play_ended(&play, 1, NULL);
    play_settle(&play);
    assert_int_equal(play_count(&play).live_notifiers, 1);
    play_finish(&play);
}

static void test_a_wait_far_ahead(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play_wait_writer(&play, 0, 1000000);
    for (uint64_t step = 1; step < 10; step++) {
        play_past(&play, 1, step, NULL);
    }
    play_expect(&play, "");
    play_past(&play, 1, 999999, NULL);
    play_written(&play, 1, 1000000, "x");
    play_expect(&play, "worker 1: written pad@1000000 ok won\n"
                       "worker 0: wait_for_writer pad@1000000 ok \"x\"\n");
    play_finish(&play);
}

static void a_round(struct play *play, uint64_t step)
{
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = step};
    play_operation(play, 0, 3, wait);
    if (step > 1) {
        play_wait_readers(play, 4, step - 1);
    }
    play_settle(play);
    play_written(play, 4, step, "x");
    play_settle(play);
    assert_int_equal(worker_set_count(&play->news.replies[1].workers), 4);
    struct operation read = {.kind = OPERATION_READ, .name = bytes_of_string("pad"), .step = step};
    play_operation(play, 0, 3, read);
    play_barrier(play, 0, step);
    struct operation past = {.kind = OPERATION_PAST, .step = step, .text = bytes_of_string("failed")};
    if (step % 3 == 0) {
        past.text = bytes_of(NULL, 0);
    }
    play_operation(play, 0, 4, past);
    play_settle(play);
}

static void test_a_million_steps_in_constant_memory(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 5);
    play.is_quiet = true;
    size_t in_use = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        a_round(&play, step);
        play.now_ns += PLAY_MS;
        if (step == 1000) {
            in_use = mallinfo2().uordblks;
        }
        if (step % 10000 == 0) {
            struct campaign_report report = play_count(&play);
            assert_in_range(report.live_notifiers, 1, 2);
            assert_in_range(report.live_barriers, 1, 2);
            assert_int_equal(report.live_waits, 0);
        }
    }
    assert_in_range(mallinfo2().uordblks, 0, in_use + 100000);
    play_finish(&play);
}

static void test_a_million_workers_that_never_meet(void **state)
{
    (void)state;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    struct play play;
    struct campaign_options options = play_options(1000000);
    options.room_size = 5;
    play_init(&play, &options);
    struct operation ended = {.kind = OPERATION_ENDED};
    play_operation(&play, 0, 499999, ended);
    play_settle(&play);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_in_range(after - before, 0, 4000000);
    assert_int_equal(rooms_live_workers(play.rooms), 500000);
    play_finish(&play);
}

static void test_notifiers_are_bounded(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play.is_quiet = true;
    enum outcome outcome = OUTCOME_OK;
    uint32_t made = 0;
    for (uint64_t step = 2; outcome == OUTCOME_OK && step < 200000; step++) {
        struct operation declare = {
            .kind = OPERATION_DECLARE, .name = bytes_of_string("pad"), .step = step, .count = 1};
        play_operation(&play, 0, 0, declare);
        play_settle(&play);
        outcome = play.news.replies[0].outcome;
        made++;
    }
    assert_int_equal(outcome, OUTCOME_REFUSED);
    assert_int_equal(made, 100000);
    play_read(&play, 1, 1); /* known ones go on */
    play_wait_readers(&play, 0, 1);
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_OK);
    play_finish(&play);
}

static void test_payloads_are_bounded(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play.is_quiet = true;
    SCOPED(memory_free_at) uint8_t *payload = memory_new(VALUE_MAX_BYTES, 1);
    enum outcome outcome = OUTCOME_OK;
    uint64_t step = 1;
    for (; outcome == OUTCOME_OK && step < 20000; step++) {
        struct operation written = {.kind = OPERATION_WRITTEN,
                                    .name = bytes_of_string("pad"),
                                    .step = step,
                                    .value = bytes_of(payload, VALUE_MAX_BYTES)};
        play_operation(&play, 0, 0, written);
        play_settle(&play);
        outcome = play.news.replies[0].outcome;
        play_past(&play, 0, step, NULL);
    }
    assert_int_equal(outcome, OUTCOME_REFUSED);
    assert_in_range(step, 8000, 8200); /* 512 MiB of 64 KiB */
    play_past(&play, 1, step, NULL);
    play_settle(&play); /* makes room */
    for (uint64_t again = step; again < step + 100; again++) {
        struct operation written = {.kind = OPERATION_WRITTEN,
                                    .name = bytes_of_string("pad"),
                                    .step = again,
                                    .value = bytes_of(payload, VALUE_MAX_BYTES)};
        play_operation(&play, 0, 0, written);
        play_settle(&play);
        assert_int_equal(play.news.replies[0].outcome, OUTCOME_OK);
        play_past(&play, 0, again, NULL);
    }
    play_finish(&play);
}

static void test_many_notifiers_in_a_step(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 2);
    play.is_quiet = true;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            SCOPED(buffer_finish) struct buffer name;
            buffer_init(&name, 32);
            buffer_append_format(&name, "pad%u", i);
            struct operation declare = {.kind = OPERATION_DECLARE,
                                        .name = bytes_of_string(buffer_string(&name)),
                                        .step = 1,
                                        .count = i + 1 + round};
            play_operation(&play, 0, 0, declare);
            play_settle(&play);
            assert_int_equal(play.news.replies[0].outcome, round == 0 ? OUTCOME_OK : OUTCOME_REFUSED);
        }
    }
    assert_int_equal(play_count(&play).live_notifiers, 101);
    play_finish(&play);
}

static void test_nonsense_changes_nothing(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1};
    struct operation wrong = wait;
    wrong.room = 1;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: there is no room 1");
    wrong.room = ROOM_CAMPAIGN;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: there is no room 4294967295");
    play_nonsense(&play, 2, 3, wait, "wait_for_writer: a worker that does not exist");
    wrong = wait;
    wrong.name = bytes_of(NULL, 0);
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: a name of 0 bytes");
    wrong = wait;
    wrong.step = UINT64_MAX;
    play_nonsense(&play, 0, 0, wrong, "wait_for_writer: a step beyond all steps");
    wrong = wait;
    wrong.kind = OPERATION_DECLARE;
    play_nonsense(&play, 0, 1, wrong, "notifier: not of one worker");
    wrong.kind = OPERATION_KIND_COUNT;
    play_nonsense(&play, 0, 0, wrong, "unknown operation 20");
    wrong.kind = OPERATION_SET;
    wrong.room = ROOM_CAMPAIGN;
    wrong.name = bytes_of(NULL, 0);
    play_nonsense(&play, 0, 0, wrong, "set_var: a variable without a name");
    struct worker_run runs[] = {{.first = 0, .stride = 1, .count = 0}, {.first = 0, .count = 2}};
    for (size_t i = 0; i < 2; i++) {
        wrong = wait;
        wrong.workers = (struct worker_set){.runs = &runs[i], .run_count = 1, .run_capacity = 1};
        assert_false(rooms_apply(play.rooms, play.now_ns, &wrong, NULL));
    }
    play_operation(&play, 0, 0, wait);
    play_nonsense(&play, 0, 1, wait, "wait_for_writer: worker 0 waits twice at once");
    play_expect(&play, "");
    assert_int_equal(play_count(&play).live_waits, 1);
    play_finish(&play);
}

static void test_a_worker_twice_in_a_set_waits_once(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    struct worker_run runs[] = {{.first = 1, .stride = 1, .count = 2}, {.first = 1, .stride = 1, .count = 1}};
    struct operation wait = {.kind = OPERATION_BARRIER, .name = bytes_of_string("rush"), .step = 1};
    wait.workers = (struct worker_set){.runs = runs, .run_count = 2, .run_capacity = 2};
    assert_true(rooms_apply(play.rooms, play.now_ns, &wait, NULL));
    play_barrier(&play, 0, 1);
    play_expect(&play, "workers 0–2: barrier rush@1 ok 3 of 3 rank 1\n");
    play_finish(&play);
}

static void expect_waits(struct play *play, const char *expected)
{
    char text[200];
    play_settle(play);
    rooms_describe_waits(play->rooms, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_waits_in_one_line(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 9);
    expect_waits(&play, "");
    struct operation wait = {.kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 12};
    play_operation(&play, 0, 3, wait);
    expect_waits(&play, "4 wait for the writer of pad@12");
    play_wait_readers(&play, 4, 12);
    expect_waits(&play, "4 wait for the writer of pad@12 · 1 for its readers");
    play_wait_writer(&play, 5, 14);
    expect_waits(&play, "5 wait for the writer of pad@12–14 · 1 for the readers of pad@12");
    play_variable(&play, OPERATION_WAIT_SET, 6, "x", "nil");
    play_barrier(&play, 7, 3);
    expect_waits(&play,
                 "5 wait for the writer of pad@12–14 · 1 for the readers of pad@12 · 1 for variable x · "
                 "1 for something else");
    char text[12];
    rooms_describe_waits(play.rooms, text, sizeof(text));
    assert_string_equal(text, "5 wait for ");
    play_finish(&play);
}

static void test_texts_stay_within_their_bound(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 3);
    char name[256];
    char failure[2000];
    memset(name, 1, sizeof(name) - 1);
    memset(failure, 'e', sizeof(failure) - 1);
    name[sizeof(name) - 1] = failure[sizeof(failure) - 1] = '\0';
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string(name), .step = 1, .timeout_ms = 10};
    play_operation(&play, 0, 1, wait);
    play_past(&play, 2, 1, failure);
    play_settle(&play);
    assert_int_equal(play.news.replies[0].outcome, OUTCOME_SHORT);
    assert_in_range(play.news.replies[0].text.size, 1000, 2000);
    assert_true(bytes_is_printable(play.news.replies[0].text));
    play_finish(&play);
}

static void test_no_wait_is_unbounded(void **state)
{
    (void)state;
    struct play play;
    struct campaign_options options = {.workers = 2};
    play_init(&play, &options);
    play_wait_writer(&play, 0, 1);
    play_pass_ms(&play, 59999);
    play_expect(&play, "room 0 synchronises\n");
    play_pass_ms(&play, 1);
    assert_int_equal(play_count(&play).live_waits, 0);
    struct operation wait = {
        .kind = OPERATION_WAIT_WRITER, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = UINT64_MAX};
    play_operation(&play, 0, 0, wait);
    play_pass_ms(&play, 1000000);
    assert_int_equal(play_count(&play).live_waits, 1);
    play_finish(&play);
}

static void test_few_are_named_of_many_that_are_missing(void **state)
{
    (void)state;
    struct play play;
    set_up(&play, 1000);
    struct operation wait = {
        .kind = OPERATION_WAIT_READERS, .name = bytes_of_string("pad"), .step = 1, .timeout_ms = 10};
    play_operation(&play, 5, 5, wait);
    play_pass_ms(&play, 10);
    play_expect(
        &play,
        "worker 5: wait_for_readers pad@1 timeout 1 of 999 (waited 10 ms for the readers of "
        "pad@1: 1 of 999 have read; workers 1–4 and 6–33 are in step 1, 966 more) without workers 1–4 and "
        "6–33\n");
    play_finish(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_room_synchronises_with_the_first_meeting),
        cmocka_unit_test(test_replace_synchronises_all_from_the_start),
        cmocka_unit_test(test_a_room_is_done_when_all_have_ended),
        cmocka_unit_test(test_only_rooms_that_synchronise_are_done),
        cmocka_unit_test(test_what_happens_after_the_end_still_ends),
        cmocka_unit_test(test_ends_before_it_synchronised_count),
        cmocka_unit_test(test_progress_that_becomes_known_while_waiting),
        cmocka_unit_test(test_progress_only_grows),
        cmocka_unit_test(test_what_is_said_twice_ends_no_wait),
        cmocka_unit_test(test_a_room_that_meets_only_after_its_end),
        cmocka_unit_test(test_a_lost_worker_is_past_and_its_wait_forgotten),
        cmocka_unit_test(test_a_restarted_worker_goes_on_at_the_next_step),
        cmocka_unit_test(test_a_worker_comes_back_after_its_loss),
        cmocka_unit_test(test_answers_to_a_lost_worker_are_dropped),
        cmocka_unit_test(test_draining_turns_short_into_stopped),
        cmocka_unit_test(test_draining_leaves_failures_short),
        cmocka_unit_test(test_stopping_ends_every_wait),
        cmocka_unit_test(test_steps_go_when_all_are_past_them),
        cmocka_unit_test(test_step_zero_has_always_been_over),
        cmocka_unit_test(test_a_straggler_keeps_its_steps),
        cmocka_unit_test(test_a_wait_far_ahead),
        cmocka_unit_test(test_a_million_steps_in_constant_memory),
        cmocka_unit_test(test_a_million_workers_that_never_meet),
        cmocka_unit_test(test_notifiers_are_bounded),
        cmocka_unit_test(test_payloads_are_bounded),
        cmocka_unit_test(test_many_notifiers_in_a_step),
        cmocka_unit_test(test_nonsense_changes_nothing),
        cmocka_unit_test(test_a_worker_twice_in_a_set_waits_once),
        cmocka_unit_test(test_waits_in_one_line),
        cmocka_unit_test(test_texts_stay_within_their_bound),
        cmocka_unit_test(test_no_wait_is_unbounded),
        cmocka_unit_test(test_few_are_named_of_many_that_are_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
