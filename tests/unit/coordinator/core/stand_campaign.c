/* Short forms for tests of campaigns. */
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct campaign_options stand_options(uint32_t workers)
{
    return (struct campaign_options){.workers = workers, .sync_timeout_ms = 60000, .fail_steps = 1};
}

void stand_create(struct stand *stand, const struct campaign_options *options, uint32_t agents)
{
    struct bundle_file file = {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script")};
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .now_ns = stand->now_ns,
        .create = {.options = *options,
                   .bundle = {.files = &file,
                              .file_count = 1,
                              .hash = bytes_of_string("e3b0c44298fc1c149afbf4c8996fb924"
                                                      "27ae41e4649b934ca495991b7852b855")},
                   .script = bytes_of_string("pad.lua"),
                   .agents = agents,
                   .deadline_ms = 10000}};
    stand_step(stand, &event);
    stand_exchange(stand);
}

void stand_run(struct stand *stand, const struct campaign_options *options, uint32_t agents)
{
    for (uint32_t i = 1; i <= agents; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a%u", i);
        (void)stand_agent(stand, name);
    }
    stand_create(stand, options, agents);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
    stand_forget_story(stand);
}

struct stand *stand_running(void **state, uint32_t workers, uint32_t agents)
{
    struct stand *stand = (struct stand *)*state;
    struct campaign_options options = stand_options(workers);
    stand_run(stand, &options, agents);
    return stand;
}

struct played *stand_setting_up(struct stand *stand, uint32_t workers)
{
    struct campaign_options options = stand_options(workers);
    struct played *agent = stand_agent(stand, "a1");
    agent->is_obliging = false;
    stand_create(stand, &options, 1);
    stand_done(stand, agent, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    return agent;
}

void stand_done(struct stand *stand, struct played *agent, enum message_kind kind, enum global_phase phase,
                const char *why_not)
{
    struct message message = {
        .kind = kind,
        .campaign = 1,
        .done = {.phase = phase, .is_ok = why_not == NULL, .text = bytes_of_string(why_not)}};
    stand_send(stand, agent, &message);
}

void stand_finished(struct stand *stand, struct played *agent)
{
    stand_send(
        stand, agent,
        &(struct message){.kind = MESSAGE_FINISHED, .campaign = 1, .finished.workers = agent->workers});
}

void stand_steps(struct stand *stand, struct played *agent, uint64_t ok, uint64_t failed)
{
    struct message message = {
        .kind = MESSAGE_STATISTICS,
        .campaign = 1,
        .statistics = {.steps_ok = ok, .steps_failed = failed, .workers_running = (uint32_t)agent->workers}};
    stand_send(stand, agent, &message);
}

void stand_operation(struct stand *stand, struct played *agent, struct operation operation,
                     const uint32_t *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        worker_set_add(&operation.workers, workers[i]);
    }
    struct message message = {
        .kind = MESSAGE_OPERATIONS, .campaign = 1, .operations = {.items = &operation, .count = 1}};
    stand_send(stand, agent, &message);
    worker_set_finish(&operation.workers);
}

void stand_gone(struct stand *stand, const char *name)
{
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_AGENT_GONE,
                                                  .now_ns = stand->now_ns,
                                                  .gone.name = bytes_of_string(name)});
    stand_exchange(stand);
}

void stand_stop(struct stand *stand, bool is_at_once)
{
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_STOP,
                                                  .now_ns = stand->now_ns,
                                                  .stop = {.campaign = 1,
                                                           .is_at_once = is_at_once,
                                                           .text = bytes_of_string("interrupted")}});
    stand_exchange(stand);
}

const struct campaign_report *stand_report(struct stand *stand)
{
    const struct campaign_report *report = coordinator_report(stand->coordinator, 1, stand->now_ns);
    assert_non_null(report);
    return report;
}

void stand_expect_verdict(struct stand *stand, enum verdict verdict, const char *reason)
{
    const struct campaign_report *report = stand_report(stand);
    char text[2100];
    bytes_to_text(report->reason, text, sizeof text);
    assert_string_equal(campaign_state_name(report->state), "ended");
    assert_string_equal(verdict_name(report->verdict), verdict_name(verdict));
    assert_string_equal(text, reason);
}
