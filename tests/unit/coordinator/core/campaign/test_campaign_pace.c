/* A campaign whose plan changes: its stages of workers, its rate, and pauses. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void pace(struct stand *stand, enum pace_change change, double rate_per_s)
{
    struct coordinator_event event = {.kind = EVENT_PACE,
                                      .now_ns = stand->now_ns,
                                      .pace = {.campaign = 1, .change = change, .rate_per_s = rate_per_s}};
    stand_step(stand, &event);
    stand_exchange(stand);
}

static struct stand *open_load(void **state, const char *rate)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    options.rate = bytes_of_string(rate);
    options.duration_ms = 10000;
    options.seed = 1;
    stand_run(stand, &options, 2);
    return stand;
}

static bool is_told(struct stand *stand, const char *line)
{
    return strstr(buffer_string(&stand->story), line) != NULL;
}

static void workers_follow_their_stages(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(1);
    options.stages = bytes_of_string("1s:5,1s:5,1s:0");
    options.duration_ms = 3000;
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 800);
    assert_true(is_told(stand, "a1: scale to 2\n") && is_told(stand, "a2: scale to 4\n"));
    stand_pass_ms(stand, 1000);
    assert_int_equal(stand_report(stand)->options->workers, 5);
    stand_pass_ms(stand, 1150);
    assert_int_equal(stand_report(stand)->options->workers, 1); /* the last one stays */
    assert_false(is_told(stand, "drain"));
    stand_forget_story(stand);
    stand_pass_ms(stand, 500);
    assert_true(is_told(stand, "a1: drain") && !is_told(stand, "scale"));
}

static void a_pause_stops_the_clock_of_the_plan(void **state)
{
    struct stand *stand = open_load(state, "10/s");
    stand_pass_ms(stand, 4000);
    stand_forget_story(stand);
    pace(stand, PACE_PAUSE, 0);
    assert_true(is_told(stand, "a1: pace paused at 4") && is_told(stand, "a2: pace paused at 4"));
    stand_pass_ms(stand, 8000);
    assert_false(is_told(stand, "drain"));
    pace(stand, PACE_RESUME, 0);
    assert_true(is_told(stand, "a1: pace shifted by 8"));
    stand_pass_ms(stand, 5500);
    assert_false(is_told(stand, "drain"));
    stand_pass_ms(stand, 1000);
    assert_true(is_told(stand, "a1: drain"));
}

static void a_second_pause_counts_from_the_plan(void **state)
{
    struct stand *stand = open_load(state, "10/s");
    stand_pass_ms(stand, 4000);
    pace(stand, PACE_PAUSE, 0);
    stand_pass_ms(stand, 8000);
    pace(stand, PACE_RESUME, 0);
    stand_pass_ms(stand, 2000);
    stand_forget_story(stand);
    pace(stand, PACE_PAUSE, 0);
    assert_true(is_told(stand, "a1: pace paused at 6") || is_told(stand, "a1: pace paused at 5"));
    stand_pass_ms(stand, 3000);
    stand_forget_story(stand);
    pace(stand, PACE_RESUME, 0);
    assert_true(is_told(stand, "a1: pace shifted by 11"));
}

static void a_rate_counts_from_what_came_before(void **state)
{
    struct stand *stand = open_load(state, "10/s");
    uint64_t lead_ms = 0;
    stand_pass_ms(stand, 2000);
    stand_forget_story(stand);
    pace(stand, PACE_RATE, 100);
    const char *from = strstr(buffer_string(&stand->story), "100/s from ");
    assert_non_null(from);
    for (from += strlen("100/s from "); *from >= '0' && *from <= '9'; from++) {
        lead_ms = lead_ms * 10 + (uint64_t)(*from - '0');
    }
    assert_in_range(lead_ms, 1900, 2300);
    stand_forget_story(stand);
    pace(stand, PACE_RATE, 5); /* at the same instant, so as many have come before it */
    assert_true(is_told(stand, "5/s from "));
}

static void what_cannot_be_is_refused(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    struct error error;
    assert_false(coordinator_may_pace(stand->coordinator, 1, PACE_RATE, &error));
    assert_string_equal(error.text, "campaign 1 has no rate: its steps begin when the last ones have ended");
    assert_false(coordinator_may_pace(stand->coordinator, 1, PACE_RESUME, &error));
    assert_string_equal(error.text, "campaign 1 is not paused");
    assert_false(coordinator_may_pace(stand->coordinator, 7, PACE_PAUSE, &error));
    pace(stand, PACE_RATE, 5);
    stand_expect(stand, "");
    pace(stand, PACE_PAUSE, 0);
    assert_false(coordinator_may_pace(stand->coordinator, 1, PACE_PAUSE, &error));
    assert_string_equal(error.text, "campaign 1 is paused already");
    stand_stop(stand, true);
    assert_false(coordinator_may_pace(stand->coordinator, 1, PACE_RESUME, &error));
    assert_string_equal(error.text, "campaign 1 is ended: only a running campaign can be paused or paced");
}

/* All four wait at a barrier of step 1, and so report their progress. */
static void workers_that_meet_pause_before_one_step(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    struct operation wait = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    struct operation past = {.kind = OPERATION_PAST};
    for (uint32_t worker = 0; worker < 4; worker++) {
        stand_operation(stand, &stand->agents[worker % 2], wait, &worker, 1);
        past.step = worker == 0 ? 0 : 1;
        stand_operation(stand, &stand->agents[worker % 2], past, &worker, 1);
    }
    stand_forget_story(stand);
    pace(stand, PACE_PAUSE, 0);
    assert_true(is_told(stand, "a1: pace paused at ") && is_told(stand, " 0:4\n"));
}

static void want_of(struct stand *stand, const char *agent, uint32_t workers, uint32_t load)
{
    struct message message = {
        .kind = MESSAGE_WORKERS_WANTED, .campaign = 1, .wanted = {.workers = workers, .load = load}};
    for (size_t i = 0; i < stand->agent_count; i++) {
        if (strcmp(stand->agents[i].name, agent) == 0) {
            stand_send(stand, &stand->agents[i], &message);
        }
    }
    stand_exchange(stand);
}

static void want(struct stand *stand, const char *agent, uint32_t workers)
{
    want_of(stand, agent, workers, 0);
}

static void workers_that_are_wanted_begin_where_they_are_wanted(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    options.rate = bytes_of_string("10/s");
    options.duration_ms = 10000;
    options.max_workers = 7;
    stand_run(stand, &options, 2);
    want(stand, "a2", 2);
    stand_expect(
        stand, "a2: scale to 6\na2: assign workers 4–5 from step 1\na2: assign, as wanted\na1: scale to 6\n");
    want(stand, "a1", 5);
    stand_expect(stand,
                 "a1: scale to 7\na1: assign worker 6 from step 1\na1: assign, as wanted\na2: scale to 7\n");
    want(stand, "a2", 1);
    stand_expect(stand, "a2: assign, as wanted\n");
    assert_int_equal(stand_report(stand)->workers_grown, 3);
    assert_int_equal(stand_report(stand)->options->workers, 7);
}

static void nobody_else_begins_when_the_duration_is_over(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    options.rate = bytes_of_string("10/s");
    options.duration_ms = 3000;
    options.max_workers = 7;
    stand_run(stand, &options, 2);
    stand_pass_ms(stand, 3600);
    stand_forget_story(stand);
    want(stand, "a2", 2);
    stand_expect(stand, "a2: assign, as wanted\n");
    assert_int_equal(stand_report(stand)->workers_grown, 0);
}

/* Whole rooms, whose seats go to all agents in turn; the arrivals are split over all from an instant on. */
static void rooms_that_are_wanted_begin(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(2);
    options.rate = bytes_of_string("10/s");
    options.duration_ms = 20000;
    options.room_size = 2;
    options.max_workers = 8;
    stand_run(stand, &options, 2);
    want(stand, "a1", 3);
    assert_true(is_told(stand, "a1: scale to 4\n") && is_told(stand, "a2: assign worker 3 from step 1\n"));
    assert_true(is_told(stand, "a1: pace shifted by 0 ms, split over 2 from 2") &&
                is_told(stand, " ms, room 1 from step 1\n"));
    stand_forget_story(stand);
    want(stand, "a2", 100);
    assert_true(is_told(stand, "split over 4 from ") &&
                is_told(stand, ", room 2 from step 1, room 3 from step 1\n"));
    assert_int_equal(stand_report(stand)->workers_grown, 6);
    stand_forget_story(stand);
    want(stand, "a1", 2);
    stand_expect(stand, "a1: assign, as wanted\n");
}

static void only_whole_rooms_come_and_go(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    struct error error;
    options.rate = bytes_of_string("10/s");
    options.duration_ms = 20000;
    options.room_size = 2;
    stand_run(stand, &options, 2);
    assert_false(coordinator_may_scale(stand->coordinator, 1, 5, &error));
    assert_string_equal(error.text,
                        "an arrival of campaign 1 is one of a room: only whole rooms of 2 come and go");
    assert_true(coordinator_may_scale(stand->coordinator, 1, 2, &error));
}

/* Else nobody would take the arrivals of those that are not there any more. */
static void with_fewer_workers_the_arrivals_are_split_again(void **state)
{
    struct stand *stand = open_load(state, "10/s");
    static const struct {
        uint32_t workers;
        const char *told;
    } rows[] = {{6, NULL},
                {4, NULL},
                {3, "a2: pace shifted by 0 ms, split over 3 from 2"},
                {5, "a1: pace shifted by 0 ms, split over 5 from 2"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct coordinator_event event = {.kind = EVENT_SCALE,
                                          .now_ns = stand->now_ns,
                                          .scale = {.campaign = 1, .workers = rows[i].workers}};
        stand_forget_story(stand);
        stand_step(stand, &event);
        stand_exchange(stand);
        assert_true(rows[i].told != NULL ? is_told(stand, rows[i].told) : !is_told(stand, "split over"));
        for (uint32_t worker = rows[i].workers; i > 0 && worker < rows[i - 1].workers; worker++) {
            struct operation ended = {.kind = OPERATION_ENDED};
            stand_operation(stand, &stand->agents[worker % 2], ended, &worker, 1);
        }
    }
}

/* Each load has workers with ids of its own, and what it gets more has the next ids that there are. */
static void each_load_grows_by_itself(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(1);
    options.load = bytes_of_string("a;workers=2;max_workers=4;rate=5/s;duration=10s\n"
                                   "b;workers=1;max_workers=2;rate=5/s;duration=10s\nc;runs=1");
    options.duration_ms = 10000;
    options.workers = 4;
    stand_run(stand, &options, 2);
    want_of(stand, "a2", 1, 1);
    stand_expect(stand, "a2: scale to 5 of load 1\na2: assign worker 4 from step 1\na2: assign, as wanted\n"
                        "a1: scale to 5 of load 1\n");
    want_of(stand, "a2", 9, 1);
    stand_expect(stand, "a2: assign, as wanted\n");
    want_of(stand, "a1", 9, 0);
    stand_expect(stand, "a1: scale to 7\na1: assign workers 5–6 from step 1\na1: assign, as wanted\n"
                        "a2: scale to 7\n");
    want_of(stand, "a1", 1, 2); /* it has no rate */
    stand_expect(stand, "a1: assign, as wanted\n");
    want_of(stand, "a1", 1, 9);
    stand_expect(stand, "a1: assign, as wanted\n");
    assert_int_equal(stand_report(stand)->workers_grown, 3);
}

static void agents_without_capacity_leave_it_to_others(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    options.rate = bytes_of_string("10/s");
    options.duration_ms = 10000;
    options.max_workers = 6;
    stand->capacity = 3;
    stand_run(stand, &options, 2);
    want(stand, "a2", 3);
    stand_expect(stand, "a2: scale to 6\na2: assign worker 4 from step 1\na2: assign, as wanted\n"
                        "a1: scale to 6\na1: assign worker 5 from step 1\n");
    stand_gone(stand, "a1");
    stand_forget_story(stand);
    want(stand, "a2", 1);
    stand_expect(stand, "a2: assign, as wanted\n");
    stand_pass_ms(stand, 10500);
    stand_forget_story(stand);
    want(stand, "a2", 1); /* while it drains */
    stand_expect(stand, "a2: assign, as wanted\n");
}

static void what_a_lost_agent_has_not_begun_is_dropped(void **state)
{
    struct stand *stand = open_load(state, "10/s");
    stand_pass_ms(stand, 2000);
    struct message message = {.kind = MESSAGE_STATISTICS, .campaign = 1};
    message.statistics.arrivals = 30;
    message.statistics.dropped = 5;
    stand_send(stand, &stand->agents[0], &message);
    stand_gone(stand, "a2");
    assert_int_equal(stand_report(stand)->dropped, 5); /* until it has ended */
    stand_pass_ms(stand, 8500);
    stand_finished(stand, &stand->agents[0]);
    stand_exchange(stand);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_int_equal(stand_report(stand)->arrivals, 30);
    assert_int_equal(stand_report(stand)->dropped, 70); /* of a hundred */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(workers_follow_their_stages),
        STORY(a_pause_stops_the_clock_of_the_plan),
        STORY(a_second_pause_counts_from_the_plan),
        STORY(a_rate_counts_from_what_came_before),
        STORY(what_cannot_be_is_refused),
        STORY(workers_that_meet_pause_before_one_step),
        STORY(workers_that_are_wanted_begin_where_they_are_wanted),
        STORY(nobody_else_begins_when_the_duration_is_over),
        STORY(rooms_that_are_wanted_begin),
        STORY(only_whole_rooms_come_and_go),
        STORY(with_fewer_workers_the_arrivals_are_split_again),
        STORY(each_load_grows_by_itself),
        STORY(agents_without_capacity_leave_it_to_others),
        STORY(what_a_lost_agent_has_not_begun_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
