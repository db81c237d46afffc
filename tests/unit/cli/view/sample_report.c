/* A campaign's report with something of everything, for the tests of what shows it. */
#include "tests/unit/cli/view/sample_report.h"

static void fill_details(struct sample_report *sample)
{
    sample->agents[0] = (struct agent_report){
        .name = bytes_of_string("agent-1"), .host = bytes_of_string("here"), .pid = 11, .workers = 3};
    sample->agents[1] = sample->agents[0];
    sample->agents[1].name = bytes_of_string("agent-2");
    sample->agents[1].state = AGENT_LOST;
    sample->requests[0] = (struct request_report){
        .name = bytes_of_string("GET /pad"), .count = 1234, .failed = 7, .latency_us = sample->latency_us};
    sample->requests[1] = sample->requests[0];
    sample->requests[1].name = bytes_of_string("edit seen");
    sample->requests[1].is_timing = true;
    sample->waits[0] = (struct wait_report){.name = bytes_of_string("pad"),
                                            .kind = OPERATION_WAIT_WRITER,
                                            .outcomes = {[OUTCOME_OK] = 96, [OUTCOME_SHORT] = 4},
                                            .waited_us = sample->latency_us};
    sample->waits[1] = sample->waits[0];
    sample->waits[1].kind = OPERATION_WAIT_READERS;
    sample->errors[0] = (struct error_report){.text = bytes_of_string("pad.lua:7: \033[31mno\xff"),
                                              .scenario = bytes_of_string("browse"),
                                              .agent = bytes_of_string("web-3"),
                                              .count = 12,
                                              .worker = 4,
                                              .step = 2,
                                              .has_times = true,
                                              .first_s = 3,
                                              .last_s = 61};
}

void sample_report_init(struct sample_report *sample)
{
    *sample = (struct sample_report){.options = {.workers = 6, .seed = 42}};
    sample->latency_us = histogram_new();
    sample->empty = histogram_new();
    for (uint64_t ms = 1; ms <= 100; ms++) {
        histogram_record(sample->latency_us, ms * 1000);
    }
    fill_details(sample);
    sample->report = (struct campaign_report){
        .campaign = 1,
        .options = &sample->options,
        .script = bytes_of_string("pad.lua"),
        .workers_ran = 9,
        .state = CAMPAIGN_RUNNING,
        .verdict = VERDICT_FAILED,
        .reason = bytes_of_string("12 steps failed"),
        .running_ns = 65000000000ULL,
        .begun_ns = 1,
        .made_ns = 65000000001ULL,
        .workers_running = 6,
        .steps_ok = 4321,
        .steps_failed = 12,
        .steps_failed_by_loss = 5,
        .requests_total = 1234,
        .request_latency_us = sample->latency_us,
        .step_us = sample->latency_us,
        .release_spread_us = sample->empty,
        .agents = sample->agents,
        .agent_count = 2,
        .requests = sample->requests,
        .request_count = 2,
        .waits = sample->waits,
        .wait_count = 2,
        .errors = sample->errors,
        .error_count = 1,
        .waiting = bytes_of_string("4 wait for the writer of pad@12"),
    };
}

void sample_report_finish(struct sample_report *sample)
{
    histogram_free(&sample->latency_us);
    histogram_free(&sample->empty);
}

struct report_view *sample_report_view(const struct sample_report *sample)
{
    return report_view_of(&sample->report, SAMPLE_WALL_NS + sample->report.made_ns - 1);
}
