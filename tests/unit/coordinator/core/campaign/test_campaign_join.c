/* Agents that join while a campaign runs. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct stand *join_running(void **state, uint32_t workers, const char *rate)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(workers);
    options.may_join = true;
    options.rate = bytes_of_string(rate);
    options.duration_ms = 20000;
    options.seed = 1;
    stand_run(stand, &options, 2);
    return stand;
}

static void scale(struct stand *stand, uint32_t workers)
{
    struct coordinator_event event = {
        .kind = EVENT_SCALE, .now_ns = stand->now_ns, .scale = {.campaign = 1, .workers = workers}};
    stand_step(stand, &event);
    stand_exchange(stand);
}

static struct played *join(struct stand *stand, const char *name)
{
    struct played *agent = stand_agent(stand, name);
    stand_exchange(stand);
    return agent;
}

static bool is_told(struct stand *stand, const char *line)
{
    return strstr(buffer_string(&stand->story), line) != NULL;
}

static void one_that_joins_hears_what_it_has_missed(void **state)
{
    struct stand *stand = join_running(state, 4, "10/s");
    scale(stand, 6);
    stand_pass_ms(stand, 3000);
    stand_forget_story(stand);
    join(stand, "a3");
    assert_true(
        is_told(stand, "a3: deploy no workers\na3: scale to 6\na3: pace shifted by 0 ms\na3: begin at "));
    assert_true(is_told(stand, " ms, from 2"));
    assert_int_equal(stand_report(stand)->agent_count, 3);
    assert_false(is_told(stand, "a1: "));
}

/* The others have three each; two are for the one that has none, and then they are in turn. */
static void new_workers_go_to_it_first(void **state)
{
    struct stand *stand = join_running(state, 6, "");
    join(stand, "a3");
    stand_forget_story(stand);
    scale(stand, 8);
    assert_true(is_told(stand, "a3: assign workers 6–7 from step 1\n"));
    stand_forget_story(stand);
    scale(stand, 11);
    assert_false(is_told(stand, "pace"));
    assert_true(is_told(stand, "a3: assign worker "));
    assert_int_equal(stand_report(stand)->agents[0].workers, 4);
    assert_int_equal(stand_report(stand)->agents[1].workers, 4);
    assert_int_equal(stand_report(stand)->agents[2].workers, 3);
}

static void arrivals_are_split_again_when_workers_have_changed(void **state)
{
    struct stand *stand = join_running(state, 4, "10/s");
    join(stand, "a3");
    stand_pass_ms(stand, 1000);
    stand_forget_story(stand);
    scale(stand, 6);
    assert_true(is_told(stand, "a3: assign workers 4–5 from step 1\n"));
    assert_true(is_told(stand, "a1: pace shifted by 0 ms, split over 6 from 3") &&
                is_told(stand, "a3: pace shifted by 0 ms, split over 6 from 3"));
    stand_forget_story(stand);
    scale(stand, 3);
    assert_true(is_told(stand, "a2: pace shifted by 0 ms, split over 3 from 3"));
}

static void it_takes_the_workers_of_a_lost_one(void **state)
{
    struct stand *stand = *state;
    struct campaign_options options = stand_options(4);
    options.may_join = true;
    options.on_loss = ON_LOSS_REPLACE;
    options.duration_ms = 20000;
    stand_run(stand, &options, 1);
    join(stand, "a2");
    stand_forget_story(stand);
    stand_gone(stand, "a1");
    assert_true(is_told(stand, "a2: assign workers 0–3 from step "));
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
}

/* While it loads the script it gets no workers; then it says that it cannot. */
static void one_that_cannot_load_the_script_takes_no_part(void **state)
{
    struct stand *stand = join_running(state, 4, "");
    struct played *agent = &stand->agents[stand->agent_count++];
    *agent = (struct played){.incarnation = 100 + stand->agent_count, .name = "a3"};
    stand_say_hello(stand, agent);
    assert_true(is_told(stand, "a3: deploy no workers\n"));
    scale(stand, 6);
    assert_false(is_told(stand, "a3: assign"));
    stand_done(stand, agent, MESSAGE_DEPLOYED, GLOBAL_SETUP, "no such file");
    assert_true(is_told(stand, "a3: forget\n"));
    stand_forget_story(stand);
    scale(stand, 9);
    assert_false(is_told(stand, "a3: "));
}

static void without_the_option_it_waits_for_the_next_campaign(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    join(stand, "a3");
    assert_false(is_told(stand, "a3: deploy"));
    assert_int_equal(stand_report(stand)->agent_count, 2);
}

static void nobody_joins_a_campaign_that_is_ending(void **state)
{
    struct stand *stand = join_running(state, 4, "");
    stand_pass_ms(stand, 20500);
    join(stand, "a3");
    assert_false(is_told(stand, "a3: deploy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(one_that_joins_hears_what_it_has_missed),
        STORY(new_workers_go_to_it_first),
        STORY(arrivals_are_split_again_when_workers_have_changed),
        STORY(it_takes_the_workers_of_a_lost_one),
        STORY(one_that_cannot_load_the_script_takes_no_part),
        STORY(without_the_option_it_waits_for_the_next_campaign),
        STORY(nobody_joins_a_campaign_that_is_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
