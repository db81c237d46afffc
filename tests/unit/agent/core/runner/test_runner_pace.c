/* A runner whose steps begin at instants of a plan. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "common/memory.h"
#include "proto/message/arrivals.h"

/* The intended starts of the steps among the last effects, as milliseconds after START_NS. */
static void expect_intended(struct fixture *fixture, const char *expected)
{
    struct buffer text SCOPED(buffer_finish);
    buffer_init(&text, 4096);
    for (size_t i = 0; i < fixture->effects.count; i++) {
        const struct runner_effect *effect = &fixture->effects.items[i];
        if (effect->kind == RUNNER_STEP) {
            buffer_append_format(&text, "%s%u@%llu+%lld%s", text.size > 0 ? " " : "", effect->worker,
                                 (unsigned long long)effect->step,
                                 (long long)(effect->intended_ns - START_NS) / (long long)MS,
                                 effect->is_arrival ? "" : "-");
        }
    }
    assert_string_equal(buffer_string(&text), expected);
}

/* Moves the clock and lets what is due happen. */
static void pass(struct fixture *fixture, uint64_t milliseconds)
{
    fixture->now_ns += milliseconds * MS;
    tick(fixture);
}

static void set_up_all(struct fixture *fixture, uint32_t count)
{
    fixture->options.workers = count;
    fixture->options.runs = 0;
    fixture->options.seed = 42;
    deploy(fixture, 0, 1, count);
    begin_at(fixture, START_NS);
    fixture->now_ns = START_NS;
    tick(fixture);
    for (uint32_t worker = 0; worker < count; worker++) {
        setup_done(fixture, worker);
    }
}

static void a_pace_is_kept_from_the_first_step(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.pacing_ms = 100;
    set_up_all(fixture, 1);
    expect_intended(fixture, "0@1+0-");
    ignore(fixture);
    fixture->now_ns += 30 * MS;
    step_ok(fixture, 0);
    expect(fixture, "");
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 100 * MS);
    pass(fixture, 70);
    expect_intended(fixture, "0@2+100-");
    fixture->now_ns += 250 * MS; /* a step that takes longer than the pace: the next two are late */
    step_ok(fixture, 0);
    expect_intended(fixture, "0@3+200-");
    step_ok(fixture, 0);
    expect_intended(fixture, "0@4+300-");
    step_ok(fixture, 0);
    expect(fixture, "step(0@2) step(0@3) step(0@4)");
    pass(fixture, 50);
    expect_intended(fixture, "0@5+400-");
    ignore(fixture);
}

static void an_arrival_goes_to_the_worker_that_has_been_free_longest(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    set_up_all(fixture, 2);
    expect(fixture,
           "started(0 +0 ms) setup(0) started(1 +0 ms) setup(1) step(0@1)"); /* the first comes at once */
    pass(fixture, 100);
    expect_intended(fixture, "1@1+100");
    step_ok(fixture, 1);
    step_ok(fixture, 0);
    pass(fixture, 100);
    expect(fixture, "step(1@1) step(1@2)");
    pass(fixture, 130); /* the loop was late */
    expect_intended(fixture, "0@2+300");
    pass(fixture, 170);
    assert_int_equal(runner_dropped(fixture->runner), 2); /* at 400 and 500 ms nobody was free */
    step_ok(fixture, 0);
    pass(fixture, 100);
    expect_intended(fixture, "0@3+600");
    ignore(fixture);
}

static void arrivals_wait_for_workers_that_are_about_to_be_set_up(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    fixture->options.workers = 2;
    fixture->options.runs = 0;
    deploy(fixture, 0, 1, 2);
    begin_at(fixture, START_NS);
    fixture->now_ns = START_NS;
    tick(fixture);
    pass(fixture, 250); /* at 0, 100 and 200 ms */
    assert_int_equal(runner_dropped(fixture->runner), 1);
    ignore(fixture);
    setup_done(fixture, 1);
    expect_intended(fixture, "1@1+0");
    setup_failed(fixture, 0, "no");
    assert_int_equal(runner_dropped(fixture->runner), 2);
    ignore(fixture);
}

/* It has every other slot; the others are another runner's. */
/* Two workers are free for a second in which nothing runs here. */
static void what_the_loop_is_late_with_is_not_dropped(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 5000;
    set_up_all(fixture, 2);
    step_ok(fixture, 0);
    pass(fixture, 1000);
    expect_intended(fixture, "1@1+100 0@2+200");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    step_ok(fixture, 0);
    expect_intended(fixture, "0@3+300");
    step_ok(fixture, 1);
    expect_intended(fixture, "1@2+400");
    pass(fixture, 200); /* while both are in a step */
    assert_int_equal(runner_dropped(fixture->runner), 2);
    for (unsigned i = 0; i < 6; i++) {
        step_ok(fixture, i % 2);
    }
    expect_intended(fixture, "1@5+1000");
    step_ok(fixture, 0);
    expect_intended(fixture, "");
    ignore(fixture);
}

static void answer(struct fixture *fixture)
{
    struct command *command = command_new(COMMAND_ASSIGN, CAMPAIGN);
    command->is_answer = true;
    give(fixture, command);
}

static void scale(struct fixture *fixture, uint32_t workers)
{
    struct command *command = command_new(COMMAND_SCALE, CAMPAIGN);
    command->worker_count = workers;
    give(fixture, command);
}

/* It is asked for two while the first answer is on its way; of these one comes. */
static void arrivals_that_find_nobody_ask_for_workers(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 5000;
    fixture->options.max_workers = 3;
    set_up_all(fixture, 1);
    ignore(fixture);
    pass(fixture, 100);
    expect(fixture, "wanted(1)");
    pass(fixture, 100); /* one may wait more: there may be three */
    expect(fixture, "");
    pass(fixture, 100);
    assert_int_equal(runner_dropped(fixture->runner), 1);
    scale(fixture, 2);
    assign(fixture, 1, 1);
    expect(fixture, "setup(1)");
    answer(fixture);
    expect(fixture, "wanted(1)");
    setup_done(fixture, 1);
    expect_intended(fixture, "1@1+100");
    ignore(fixture);
    assert_int_equal(runner_dropped(fixture->runner), 1);
    answer(fixture); /* with nobody: the arrival has waited in vain */
    assert_int_equal(runner_dropped(fixture->runner), 2);
    pass(fixture, 900);
    expect(fixture, ""); /* and for a second nobody is asked again */
    assert_int_equal(runner_dropped(fixture->runner), 11);
    pass(fixture, 200);
    expect(fixture, "wanted(1)");
    scale(fixture, 3);
    assign(fixture, 2, 1);
    answer(fixture);
    setup_done(fixture, 2);
    expect_intended(fixture, "2@1+1300");
    ignore(fixture);
    pass(fixture, 100);
    expect(fixture, ""); /* there are as many as there may be */
    drain(fixture);
    ignore(fixture);
}

/* It has workers 4 and 5 of six since 350 ms of a plan of ten a second, and its arrivals since 700 ms. */
static void a_runner_that_joins_takes_arrivals_from_the_share_on(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 5000;
    fixture->options.workers = 4;
    fixture->options.runs = 0;
    deploy(fixture, 0, 1, 0);
    fixture->now_ns = START_NS + 350 * MS;
    struct command *begin = command_new(COMMAND_BEGIN, CAMPAIGN);
    begin->at_ns = START_NS;
    begin->from_plan_ns = 350 * MS;
    give(fixture, begin);
    scale(fixture, 6);
    assign(fixture, 1, 3); /* of a lost agent: its arrivals before that are over */
    setup_done(fixture, 1);
    assign(fixture, 4, 1);
    assign(fixture, 5, 1);
    setup_done(fixture, 4);
    setup_done(fixture, 5);
    struct command *share = command_new(COMMAND_PACE, CAMPAIGN);
    share->pace = (struct pace){.slots_at_ns = 700 * MS, .slots = 6};
    give(fixture, share);
    ignore(fixture);
    pass(fixture, 250); /* arrivals 0 to 5: worker 1 of four has 1 and 5 */
    expect_intended(fixture, "1@3+500");
    pass(fixture, 1000); /* 6 to 15: 7, 10, 11 and 13 of six */
    expect_intended(fixture, "4@1+700 5@1+1000");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

static void a_runner_takes_the_arrivals_of_its_own_workers(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    fixture->options.workers = 4;
    fixture->options.runs = 0;
    deploy(fixture, 1, 2, 2);
    begin_at(fixture, START_NS);
    fixture->now_ns = START_NS;
    tick(fixture);
    setup_done(fixture, 1);
    setup_done(fixture, 3);
    pass(fixture, 100);
    expect_intended(fixture, "1@1+100");
    pass(fixture, 200);
    expect_intended(fixture, "3@1+300");
    pass(fixture, 200);
    assert_int_equal(runner_dropped(fixture->runner), 1);
    ignore(fixture);
}

static void the_end_of_the_plan_comes_with_all_of_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    set_up_all(fixture, 5);
    for (unsigned i = 0; i < 7; i++) {
        pass(fixture, 100); /* arrivals at 0, 100 … 700 ms, of which five have found a worker */
    }
    assert_int_equal(runner_dropped(fixture->runner), 3);
    step_ok(fixture, 3);
    step_ok(fixture, 4);
    ignore(fixture);
    fixture->now_ns += 270 * MS; /* the coordinator's clock is ahead of ours */
    drain(fixture);
    expect(fixture, "step(3@2) step(4@2) drained()");
    assert_int_equal(runner_dropped(fixture->runner), 3);
    step_ok(fixture, 3);
    expect(fixture, "ended(3) teardown(3)");
}

/* With on_loss = replace all rooms report their progress, but workers that arrivals go to do not keep step.
 */
static void no_step_is_made_up_for_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 200;
    set_up_all(fixture, 2);
    synchronise(fixture, 0);
    step_ok(fixture, 0);
    pass(fixture, 100);
    step_ok(fixture, 1);
    ignore(fixture);
    pass(fixture, 100);
    drain(fixture);
    expect(fixture, "ended(0) ended(1) drained(0@1)");
    run_until(fixture, 0, 7);
    expect(fixture, "");
}

static void with_rooms_an_arrival_is_one_of_a_room(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    fixture->options.room_size = 2;
    set_up_all(fixture, 4);
    ignore(fixture);
    tick(fixture);
    pass(fixture, 100);
    expect_intended(fixture, "2@1+100 3@1+100-");
    step_ok(fixture, 2);
    step_ok(fixture, 0);
    fixture->now_ns += 150 * MS;
    step_ok(fixture, 1); /* 50 ms too late: its room begins when it can */
    expect_intended(fixture, "0@2+200 1@2+200-");
    step_ok(fixture, 3);
    pass(fixture, 50);
    expect_intended(fixture, "2@2+300 3@2+300-");
    ignore(fixture);
    stop(fixture, "over");
    step_stopped(fixture, 0);
    step_stopped(fixture, 1);
    fixture->now_ns += 1000 * MS;
    step_stopped(fixture, 2);
    step_stopped(fixture, 3);
    ignore(fixture);
}

static void what_a_room_has_not_begun_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    fixture->options.room_size = 2;
    set_up_all(fixture, 2);
    tick(fixture);
    fixture->now_ns += 1000 * MS;
    drain(fixture);
    step_ok(fixture, 0);
    step_ok(fixture, 1);
    assert_int_equal(runner_dropped(fixture->runner), 9); /* one was begun */
    ignore(fixture);
}

static void pace(struct fixture *fixture, struct pace told, uint32_t room, uint64_t step)
{
    struct command *command = command_new(COMMAND_PACE, CAMPAIGN);
    command->pace = told;
    command->room_steps = memory_new(1, sizeof *command->room_steps);
    command->room_steps[0] = (struct room_step){.room = room, .step = step};
    command->room_step_count = step > 0 ? 1 : 0;
    give(fixture, command);
}

/* The commands that follow when the campaign is scaled: from this instant of the plan on its rooms are so
 * many, of which the last one begins with this step. */
static void share_rooms(struct fixture *fixture, uint32_t rooms, uint64_t at_ms, uint64_t first_step)
{
    scale(fixture, 2 * rooms);
    struct command *command = command_new(COMMAND_PACE, CAMPAIGN);
    command->pace = (struct pace){.slots = rooms, .slots_at_ns = at_ms * MS};
    command->starts = memory_new(1, sizeof *command->starts);
    command->starts[0] = (struct room_step){.room = rooms - 1, .step = first_step};
    command->start_count = first_step > 0 ? 1 : 0;
    give(fixture, command);
}

static void rooms_that_come_and_go_have_their_part_of_the_arrivals(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    fixture->options.room_size = 2;
    set_up_all(fixture, 4);
    step_ok(fixture, 0);
    step_ok(fixture, 1);
    share_rooms(fixture, 3, 150, 1);
    assign(fixture, 4, 1);
    assign(fixture, 5, 1);
    setup_done(fixture, 4);
    setup_done(fixture, 5);
    ignore(fixture);
    pass(fixture, 100);
    expect_intended(fixture, "2@1+100 3@1+100-"); /* of two rooms still */
    pass(fixture, 100);
    expect_intended(fixture, "4@1+200 5@1+200-"); /* the third one of three */
    step_ok(fixture, 2);
    step_ok(fixture, 3);
    step_ok(fixture, 4);
    step_ok(fixture, 5);
    share_rooms(fixture, 2, 550, 0);
    pass(fixture, 300);
    expect_intended(fixture, "0@2+300 1@2+300- 2@2+400 3@2+400- 4@2+500 5@2+500-"); /* it stays until then */
    ignore(fixture);
    step_ok(fixture, 4);
    expect(fixture, "");
    pass(fixture, 100);
    expect(fixture, "ended(4) teardown(4)");
    step_ok(fixture, 5);
    expect(fixture, "ended(5) teardown(5)");
    torn_down(fixture, 4);
    torn_down(fixture, 5);
    for (uint32_t worker = 0; worker < 4; worker++) {
        step_ok(fixture, worker);
    }
    ignore(fixture);
    share_rooms(fixture, 3, 750, 3); /* it comes back, with the step after its last one */
    assign(fixture, 4, 3);
    assign(fixture, 5, 3);
    setup_done(fixture, 4);
    setup_done(fixture, 5);
    ignore(fixture);
    pass(fixture, 200);
    expect_intended(fixture, "2@3+700 3@3+700- 4@3+800 5@3+800-");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

/* Two of four workers are here, for every other arrival until 250 ms; from then on, which we hear of at 450
 * ms, for one of three. */
static void what_is_not_ours_any_more_is_not_begun_later(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 10000;
    fixture->options.workers = 4;
    fixture->options.runs = 0;
    deploy(fixture, 1, 2, 2);
    begin_at(fixture, START_NS);
    fixture->now_ns = START_NS;
    tick(fixture);
    fixture->now_ns += 450 * MS; /* that at 100 ms and that at 300 ms wait for them to be set up */
    tick(fixture);
    scale(fixture, 3);
    struct command *command = command_new(COMMAND_PACE, CAMPAIGN);
    command->pace = (struct pace){.slots = 3, .slots_at_ns = 250 * MS};
    give(fixture, command);
    ignore(fixture);
    setup_done(fixture, 1);
    expect_intended(fixture, "1@1+100");
    step_ok(fixture, 1);
    expect_intended(fixture, "1@2+400"); /* which was another's by the first split */
    step_ok(fixture, 1);
    pass(fixture, 200);
    expect_intended(fixture, ""); /* at 500 and 600 ms others' */
    pass(fixture, 50);
    expect_intended(fixture, "1@3+700");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

/* Both are here; from 250 ms on there is one. */
static void a_worker_leaves_when_its_part_of_the_arrivals_has_come(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 10000;
    set_up_all(fixture, 2);
    step_ok(fixture, 0);
    scale(fixture, 1);
    struct command *command = command_new(COMMAND_PACE, CAMPAIGN);
    command->pace = (struct pace){.slots = 1, .slots_at_ns = 250 * MS};
    give(fixture, command);
    ignore(fixture);
    pass(fixture, 100);
    expect_intended(fixture, "1@1+100");
    step_ok(fixture, 1);
    ignore(fixture);
    pass(fixture, 100);
    expect_intended(fixture, "0@2+200");
    ignore(fixture);
    pass(fixture, 100); /* it is free, and none will come to it */
    expect(fixture, "ended(1) teardown(1)");
    assert_int_equal(runner_dropped(fixture->runner), 1); /* the other one is in its step */
}

/* Until 600 ms each of two rooms has had every other arrival; from 50 ms on there have been three. */
static void rooms_come_as_far_as_elsewhere_when_we_hear_late(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 10000;
    fixture->options.room_size = 2;
    set_up_all(fixture, 4);
    for (uint32_t i = 0; i < 6; i++) {
        step_ok(fixture, i % 2 == 0 ? 0 : 2);
        step_ok(fixture, i % 2 == 0 ? 1 : 3);
        pass(fixture, 100);
    }
    expect_intended(fixture, "0@4+600 1@4+600-");
    step_ok(fixture, 0);
    step_ok(fixture, 1);
    scale(fixture, 6);
    assign(fixture, 4, 1);
    share_rooms(fixture, 3, 50, 1);
    ignore(fixture);
    pass(fixture, 300); /* their third and fourth ones, which they have begun already: at 700 and 900 ms */
    expect_intended(fixture, "");
    setup_done(fixture, 4);
    expect_intended(fixture, "4@1+200");
    step_ok(fixture, 4);
    expect_intended(fixture, "4@2+500");
    pass(fixture, 100);
    expect_intended(fixture, "2@4+1000 3@4+1000-");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

/* The agent that had the seats of the second room until now is lost. */
static void a_seat_goes_on_at_the_arrival_that_its_room_is_at(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.arrivals = ARRIVALS_POISSON;
    fixture->options.duration_ms = 100000;
    fixture->options.room_size = 2;
    fixture->options.workers = 4;
    fixture->options.runs = 0;
    deploy(fixture, 0, 1, 2);
    begin_at(fixture, START_NS);
    fixture->now_ns = START_NS;
    tick(fixture);
    setup_done(fixture, 0);
    setup_done(fixture, 1);
    pass(fixture, 2000);
    ignore(fixture);
    struct arrivals arrivals;
    struct loads loads;
    uint64_t come = 0;
    loads_of(&fixture->options, &loads);
    for (arrivals_init(&arrivals, &fixture->options, &loads.items[0]); arrivals.at_ns <= 2000 * MS;
         arrivals_pass(&arrivals)) {
        come += arrivals.number % 2;
    }
    assign(fixture, 2, come + 1);
    assign(fixture, 3, come + 1);
    setup_done(fixture, 2);
    setup_done(fixture, 3);
    ignore(fixture);
    while (arrivals.number % 2 == 0) {
        arrivals_pass(&arrivals);
    }
    fixture->now_ns = START_NS + arrivals.at_ns;
    tick(fixture);
    uint32_t begun = 0;
    for (size_t i = 0; i < fixture->effects.count; i++) {
        const struct runner_effect *effect = &fixture->effects.items[i];
        if (effect->kind == RUNNER_STEP && effect->worker >= 2) {
            assert_int_equal(effect->step, come + 1);
            assert_int_equal(effect->intended_ns, START_NS + arrivals.at_ns);
            begun++;
        }
    }
    assert_int_equal(begun, 2);
    ignore(fixture);
}

static void arrivals_of_busy_rooms_ask_for_rooms(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 10000;
    fixture->options.room_size = 2;
    fixture->options.max_workers = 8;
    set_up_all(fixture, 2);
    ignore(fixture);
    pass(fixture, 100);
    expect(fixture, "wanted(2)");
    pass(fixture, 200);
    expect(fixture, ""); /* not before that is answered */
    share_rooms(fixture, 2, 500, 1);
    assign(fixture, 2, 1);
    assign(fixture, 3, 1);
    answer(fixture);
    setup_done(fixture, 2);
    setup_done(fixture, 3);
    ignore(fixture);
    pass(fixture, 100);
    expect(fixture, ""); /* nor before the arrivals go to the new room as well */
    pass(fixture, 400);
    expect(fixture,
           "step(2@1) step(3@1) wanted(4)"); /* six are behind, five more than then: two may be had */
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

static void a_paused_plan_goes_on_where_it_was(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    set_up_all(fixture, 3);
    ignore(fixture);
    pace(fixture, (struct pace){.is_paused = true, .paused_at_ns = 150 * MS}, 0, 0);
    pass(fixture, 500);
    expect_intended(fixture, "1@1+100"); /* which was before the pause */
    assert_true(runner_due_ns(fixture->runner) == UINT64_MAX);
    pace(fixture, (struct pace){.shift_ns = 600 * MS}, 0, 0);
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 800 * MS);
    pass(fixture, 300);
    expect_intended(fixture, "2@1+800");
    assert_int_equal(runner_dropped(fixture->runner), 0);
    ignore(fixture);
}

static void a_paused_worker_waits_before_its_next_step(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.pacing_ms = 100;
    set_up_all(fixture, 2);
    pace(fixture, (struct pace){.is_paused = true, .paused_at_ns = 50 * MS}, 0, 0);
    ignore(fixture);
    step_ok(fixture, 0);
    fixture->now_ns += 150 * MS;
    step_ok(fixture, 1);
    tick(fixture);
    expect(fixture, "");
    fixture->now_ns += 350 * MS;
    pace(fixture, (struct pace){.shift_ns = 460 * MS}, 0, 0);
    expect(fixture, "");
    assert_int_equal(runner_due_ns(fixture->runner), START_NS + 560 * MS); /* 100 ms of the plan */
    pass(fixture, 60);
    expect_intended(fixture, "0@2+560- 1@2+560-");
    ignore(fixture);
}

/* The coordinator has found that nobody is beyond step 2. */
static void a_room_that_meets_pauses_before_one_step(void **state)
{
    struct fixture *fixture = *state;
    set_up_all(fixture, 2);
    synchronise(fixture, 0);
    ignore(fixture);
    pace(fixture, (struct pace){.is_paused = true}, 0, 3);
    step_ok(fixture, 0);
    expect(fixture, "past(0@1) step(0@2)");
    step_ok(fixture, 0);
    expect(fixture, "past(0@2)");
    step_ok(fixture, 1);
    expect(fixture, "past(1@1) step(1@2)");
    pace(fixture, (struct pace){.shift_ns = MS}, 0, 0);
    expect(fixture, "");
    pass(fixture, 1);
    expect(fixture, "step(0@3)");
}

static void a_change_of_the_rate_is_told_with_what_came_before(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.rate = bytes_of_string("10/s");
    fixture->options.duration_ms = 1000;
    set_up_all(fixture, 4);
    pace(fixture, (struct pace){.has_rate = true, .rate_at_ns = 200 * MS, .rate_per_s = 100, .before = 2}, 0,
         0);
    ignore(fixture);
    pass(fixture, 100);
    expect_intended(fixture, "1@1+100");
    pass(fixture, 115);
    expect_intended(fixture, "2@1+200 3@1+210");
    pass(fixture, 15);
    assert_int_equal(runner_dropped(fixture->runner), 2);
    ignore(fixture);
}

static void loads_run_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.load =
        bytes_of_string("a;workers=2;rate=10/s;duration=250ms\nb;pacing=100ms;runs=2;start=150ms");
    fixture->options.duration_ms = 1000;
    set_up_all(fixture, 3);
    expect_intended(fixture, "");
    pass(fixture, 100);
    expect_intended(fixture, "1@1+100");
    pass(fixture, 50);
    expect_intended(fixture, "2@1+150-");
    step_ok(fixture, 0);
    step_ok(fixture, 1);
    ignore(fixture);
    pass(fixture, 50);
    expect(fixture, "step(0@2) ended(1) teardown(1)"); /* that was the last arrival of its load */
    step_ok(fixture, 2);
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
    pass(fixture, 50);
    step_ok(fixture, 2);
    expect(fixture, "step(2@2) ended(2) teardown(2)");
    assert_int_equal(runner_dropped(fixture->runner), 0);
}

static void all_workers_share_the_runs(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.shared_runs = 5; /* of which the two of four workers that are here have 3 */
    fixture->options.workers = 4;
    fixture->options.runs = 0;
    deploy(fixture, 0, 2, 2);
    begin(fixture);
    setup_done(fixture, 0);
    setup_done(fixture, 2);
    step_ok(fixture, 2);
    ignore(fixture);
    step_ok(fixture, 2);
    expect(fixture, "ended(2) teardown(2)");
    step_ok(fixture, 0);
    expect(fixture, "ended(0) teardown(0)");
}

static void a_pause_is_drawn_between_two_steps(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.think = bytes_of_string("uniform:50ms:150ms");
    fixture->options.delay_ms = 10;
    set_up_all(fixture, 2);
    expect(fixture, "started(0 +0 ms) setup(0) started(1 +0 ms) setup(1) step(0@1) step(1@1)");
    step_ok(fixture, 0);
    uint64_t first_ns = runner_due_ns(fixture->runner);
    assert_in_range(first_ns, START_NS + 60 * MS, START_NS + 160 * MS);
    fixture->now_ns = first_ns;
    tick(fixture);
    expect(fixture, "step(0@2)");
    expect_intended(fixture, "0@2+-1000-"); /* none: 0 */
    step_ok(fixture, 0);
    assert_int_not_equal(runner_due_ns(fixture->runner) - first_ns, first_ns - START_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pace_is_kept_from_the_first_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_arrival_goes_to_the_worker_that_has_been_free_longest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(arrivals_wait_for_workers_that_are_about_to_be_set_up, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_loop_is_late_with_is_not_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_runner_that_joins_takes_arrivals_from_the_share_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(arrivals_that_find_nobody_ask_for_workers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_runner_takes_the_arrivals_of_its_own_workers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_plan_comes_with_all_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_step_is_made_up_for_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_rooms_an_arrival_is_one_of_a_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_room_has_not_begun_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rooms_that_come_and_go_have_their_part_of_the_arrivals, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_seat_goes_on_at_the_arrival_that_its_room_is_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(arrivals_of_busy_rooms_ask_for_rooms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_any_more_is_not_begun_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_leaves_when_its_part_of_the_arrivals_has_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rooms_come_as_far_as_elsewhere_when_we_hear_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_plan_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_worker_waits_before_its_next_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_meets_pauses_before_one_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_the_rate_is_told_with_what_came_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(loads_run_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_workers_share_the_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pause_is_drawn_between_two_steps, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
