/* Which agents a campaign takes, by their labels and their free capacity. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void joins(struct stand *stand, const char *name, const char *labels, uint32_t capacity)
{
    stand->labels = labels;
    stand->capacity = capacity;
    (void)stand_agent(stand, name);
}

static uint64_t held(struct stand *stand, size_t agent)
{
    return coordinator_overview(stand->coordinator)->agents[agent].held;
}

static void all_that_are_there_take_part(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    joins(stand, "a1", "", 0);
    joins(stand, "a2", "", 0);
    joins(stand, "a3", "", 0);
    stand_create(stand, &options, 2);
    assert_int_equal(stand_report(stand)->agent_count, 3);
    assert_int_equal(stand_report(stand)->agents[2].workers, 2);
}

static void only_those_with_the_labels_take_part(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.labels = bytes_of_string("zone=a");
    joins(stand, "a1", "zone=a", 0);
    joins(stand, "a2", "zone=b", 0);
    stand_create(stand, &options, 2);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_CREATED);
    joins(stand, "a3", "disk=ssd,zone=a", 0);
    const struct campaign_report *report = stand_report(stand);
    assert_int_equal(report->state, CAMPAIGN_RUNNING);
    assert_int_equal(report->agent_count, 2);
    assert_true(bytes_equal_string(report->agents[1].name, "a3"));
    assert_true(bytes_equal_string(report->agents[1].labels, "disk=ssd,zone=a"));
}

static void who_does_not_come_is_named_by_its_labels(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(4);
    options.labels = bytes_of_string("zone=a");
    joins(stand, "a1", "", 0);
    stand_create(stand, &options, 2);
    stand_pass_ms(stand, 10000);
    stand_expect_verdict(stand, VERDICT_ABORTED, "only 0 of 2 agents with zone=a joined within 10 s");
}

static void what_does_not_fit_is_refused(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(12);
    struct error error;
    joins(stand, "a1", "", 7);
    assert_true(coordinator_has_room(stand->coordinator, &options, 2, &error)); /* one is still to come */
    stand_create(stand, &options, 2);
    joins(stand, "a2", "", 4);
    stand_expect_verdict(stand, VERDICT_ABORTED,
                         "only 11 of 12 workers fit on the 2 agents, by what their --capacity leaves");
    assert_false(coordinator_has_room(stand->coordinator, &options, 2, &error));
    assert_string_equal(error.text,
                        "only 11 of 12 workers fit on the 2 agents, by what their --capacity leaves");
    joins(stand, "a3", "", 0);
    assert_true(coordinator_has_room(stand->coordinator, &options, 2, &error));
}

static void campaigns_share_what_there_is(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(6);
    struct error error;
    joins(stand, "a1", "", 5);
    joins(stand, "a2", "", 5);
    stand_create(stand, &options, 2);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    assert_int_equal(held(stand, 0), 3);
    assert_false(coordinator_has_room(stand->coordinator, &options, 2, &error));
    assert_non_null(strstr(error.text, "only 4 of 6 workers fit on the 2 agents"));
    options.workers = 4;
    stand_create(stand, &options, 2);
    assert_int_equal(coordinator_report(stand->coordinator, 2, stand->now_ns)->state, CAMPAIGN_RUNNING);
    assert_int_equal(held(stand, 0), 5);
    assert_int_equal(held(stand, 1), 5);
    stand_stop(stand, true); /* the first one */
    stand_pass_ms(stand, 1100);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_int_equal(held(stand, 0), 2);
    assert_int_equal(held(stand, 1), 2);
}

static void those_of_a_lost_agent_go_on_where_there_is_room(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(9);
    options.on_loss = ON_LOSS_REPLACE;
    joins(stand, "a1", "", 4);
    joins(stand, "a2", "", 3);
    joins(stand, "a3", "", 4);
    stand_create(stand, &options, 3);
    stand_forget_story(stand);
    stand_gone(stand, "a1");
    stand_expect(stand, "forget the route of a1\na3: assign worker 0 from step 1\n");
    assert_int_equal(held(stand, 0), 3);
    assert_int_equal(held(stand, 1), 4);
    stand_steps(stand, &stand->agents[1], 10, 0);
    stand_finished(stand, &stand->agents[1]);
    stand_finished(stand, &stand->agents[2]);
    stand_expect_verdict(stand, VERDICT_DEGRADED, "agent a1 was lost; 1 of its 3 workers went on elsewhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(all_that_are_there_take_part),
        STORY(only_those_with_the_labels_take_part),
        STORY(who_does_not_come_is_named_by_its_labels),
        STORY(what_does_not_fit_is_refused),
        STORY(campaigns_share_what_there_is),
        STORY(those_of_a_lost_agent_go_on_where_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
