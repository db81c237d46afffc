/* What the coordinator shows of its agents and campaigns. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The same agent as a new process. */
static void come_anew(struct stand *stand, struct played *agent)
{
    link_free(&agent->link);
    agent->incarnation += 1000;
    stand_say_hello(stand, agent);
}

static void nobody_and_nothing(void **state)
{
    struct stand *stand = (struct stand *)*state;
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agent_count, 0);
    assert_int_equal(overview->campaign_count, 0);
    assert_int_equal(overview->live_campaign_count, 0);
}

static void an_agent_that_waits_has_no_campaigns(void **state)
{
    struct stand *stand = (struct stand *)*state;
    (void)stand_agent(stand, "a1");
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agent_count, 1);
    assert_true(bytes_equal_string(overview->agents[0].name, "a1"));
    assert_true(bytes_equal_string(overview->agents[0].host, "host"));
    assert_int_equal(overview->agents[0].pid, 42);
    assert_int_equal(overview->agents[0].cores, 2);
    assert_int_equal(overview->agents[0].shards, 1);
    assert_int_equal(overview->agents[0].memory_bytes, STAND_MEMORY_BYTES);
    assert_false(overview->agents[0].is_lost);
    assert_int_equal(overview->agents[0].campaign_count, 0);
    assert_int_equal(overview->agents_joined, 1);
    assert_true(overview->frames_received > 0);
    assert_true(overview->frames_sent > 0);
}

/* Three agents and four workers, then one campaign more of a single worker: only the first agent is in both.
 */
static void each_agent_names_its_own_campaigns(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options four = stand_options(4);
    stand_run(stand, &four, 3);
    struct campaign_options one = stand_options(1);
    stand_create(stand, &one, 1);
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agent_count, 3);
    assert_int_equal(overview->campaign_count, 2);
    assert_int_equal(overview->live_campaign_count, 2);
    assert_int_equal(overview->campaigns_created, 2);
    assert_int_equal(overview->campaigns[1].campaign, 2);
    assert_int_equal(overview->campaigns[1].state, CAMPAIGN_RUNNING);
    assert_int_equal(overview->agents[0].campaign_count, 2);
    assert_int_equal(overview->agents[0].campaigns[0], 1);
    assert_int_equal(overview->agents[0].campaigns[1], 2);
    assert_int_equal(overview->agents[1].campaign_count, 1);
    assert_int_equal(overview->agents[1].campaigns[0], 1);
    stand->agents[1].workers = 1; /* of the first campaign */
    stand_steps(stand, &stand->agents[1], 1, 0);
    overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agents[0].workers_running, 0);
    assert_int_equal(overview->agents[1].workers_running, 1);
    struct bytes hash = coordinator_bundle(stand->coordinator, 2);
    assert_int_equal(hash.size, 64);
    assert_true(coordinator_names_bundle(stand->coordinator, hash));
    assert_false(coordinator_names_bundle(stand->coordinator, bytes_of_string("another")));
    assert_int_equal(coordinator_bundle(stand->coordinator, 3).size, 0);
}

static void an_ended_campaign_stays_and_its_agents_are_free(void **state)
{
    struct stand *stand = stand_running(state, 2, 2);
    stand_finished(stand, &stand->agents[0]);
    stand_finished(stand, &stand->agents[1]);
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->campaign_count, 1);
    assert_int_equal(overview->campaigns[0].state, CAMPAIGN_ENDED);
    assert_int_equal(overview->live_campaign_count, 0);
    assert_int_equal(overview->agents[0].campaign_count, 0);
    assert_int_equal(overview->agents[0].workers_running, 0);
}

static void a_lost_agent_is_told_of_until_it_is_back(void **state)
{
    struct stand *stand = stand_running(state, 4, 2);
    stand_gone(stand, "a1");
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agent_count, 2);
    assert_int_equal(overview->lost_count, 1);
    assert_int_equal(overview->agents_lost, 1);
    assert_true(bytes_equal_string(overview->agents[0].name, "a2"));
    assert_int_equal(overview->agents[0].campaign_count, 1);
    assert_true(bytes_equal_string(overview->agents[1].name, "a1"));
    assert_true(overview->agents[1].is_lost);
    assert_int_equal(overview->agents[1].campaign_count, 0);
    come_anew(stand, &stand->agents[0]);
    overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->agent_count, 2);
    assert_int_equal(overview->lost_count, 0);
    assert_int_equal(overview->agents_joined, 3);
}

static void of_lost_agents_only_the_latest_are_kept(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = stand_agent(stand, "first");
    stand_gone(stand, "first");
    for (uint32_t i = 0; i < OVERVIEW_LOST_KEPT + 5; i++) {
        (void)snprintf(agent->name, sizeof agent->name, "n%u", i);
        come_anew(stand, agent);
        stand_gone(stand, agent->name);
    }
    const struct coordinator_overview *overview = coordinator_overview(stand->coordinator);
    assert_int_equal(overview->lost_count, OVERVIEW_LOST_KEPT);
    assert_true(bytes_equal_string(overview->agents[0].name, "n5"));
    assert_int_equal(overview->agents_lost, OVERVIEW_LOST_KEPT + 6);
}

static void operations_count_by_worker(void **state)
{
    struct stand *stand = stand_running(state, 6, 2);
    uint64_t before = coordinator_overview(stand->coordinator)->operations;
    struct operation barrier = {.kind = OPERATION_BARRIER, .name = bytes_of_string("b"), .step = 1};
    stand_operation(stand, &stand->agents[0], barrier, (uint32_t[]){0, 2, 4}, 3);
    assert_int_equal(coordinator_overview(stand->coordinator)->operations, before + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(nobody_and_nothing),
        STORY(an_agent_that_waits_has_no_campaigns),
        STORY(each_agent_names_its_own_campaigns),
        STORY(an_ended_campaign_stays_and_its_agents_are_free),
        STORY(a_lost_agent_is_told_of_until_it_is_back),
        STORY(of_lost_agents_only_the_latest_are_kept),
        STORY(operations_count_by_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
