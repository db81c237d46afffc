/* The report of a campaign put together again from what the API says. */
#include "cli/remote/control_report.h"
#include "cli/remote/control_json.h"
#include "cli/remote/control_seen.h"
#include "common/memory.h"

#include <string.h>

struct control_report {
    json_t *object;
    struct campaign_report report;
    struct campaign_options options;
    struct agent_report *agents;
    struct bottleneck_report *bottlenecks;
    struct request_report *requests;
    struct wait_report *waits;
    struct error_report *errors;
    struct control_seen *seen;
    struct histogram **histograms;
    size_t histogram_count;
    size_t histogram_capacity;
};

static struct histogram *new_histogram(struct control_report *report)
{
    report->histograms = memory_reserve(report->histograms, &report->histogram_capacity,
                                        report->histogram_count + 1, sizeof(struct histogram *));
    report->histograms[report->histogram_count] = histogram_new();
    return report->histograms[report->histogram_count++];
}

/* A hundred values that have just these quantiles. Those that are not there are taken to be those below. */
static struct histogram *quantiles_of(struct control_report *report, const json_t *item)
{
    static const struct {
        const char *key;
        uint64_t count;
    } parts[] = {{"p50_ms", 50}, {"p95_ms", 45}, {"p99_ms", 4}, {"max_ms", 1}};
    struct histogram *histogram = new_histogram(report);
    uint64_t last_us = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (json_object_get(item, parts[i].key) != NULL) {
            last_us = control_json_ms_as_us(item, parts[i].key);
        }
        histogram_add(histogram, last_us, parts[i].count);
    }
    return histogram;
}

/* `item` NULL: of nothing yet. */
static struct histogram *quantiles_for_seen(void *context, const json_t *item)
{
    return item == NULL ? new_histogram(context) : quantiles_of(context, item);
}

static void read_performance(struct agent_report *agent, const json_t *item)
{
    const json_t *clock = json_object_get(item, "clock");
    const json_t *lag = json_object_get(item, "loop_lag_ms");
    agent->has_clock = json_is_object(clock);
    agent->clock_offset_ns = -control_json_ms_as_ns(clock, "offset_ms");
    int64_t uncertainty_ns = control_json_ms_as_ns(clock, "uncertainty_ms");
    agent->clock_uncertainty_ns = uncertainty_ns > 0 ? (uint64_t)uncertainty_ns : 0;
    agent->is_measured = json_is_number(json_object_get(item, "cpu"));
    agent->cpu = json_number_value(json_object_get(item, "cpu"));
    agent->memory_bytes = control_json_count(item, "memory_bytes");
    agent->lag_p99_us = control_json_ms_as_us(lag, "p99");
    agent->lag_maximum_us = control_json_ms_as_us(lag, "max");
}

static void read_bottlenecks(struct control_report *report, const json_t *list)
{
    size_t count = json_array_size(list);
    report->bottlenecks = memory_new(count + 1, sizeof(struct bottleneck_report));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *lag = json_object_get(item, "loop_lag_ms");
        report->bottlenecks[i] = (struct bottleneck_report){
            .agent = control_json_text(item, "agent"),
            .strained_us = control_json_s_as_ns(item, "duration_s") / 1000,
            .lag_p99_us = control_json_ms_as_us(lag, "p99"),
            .lag_maximum_us = control_json_ms_as_us(lag, "max"),
            .busy = json_number_value(json_object_get(item, "loop_busy")),
            .host_cpu = json_number_value(json_object_get(item, "host_cpu")),
        };
    }
    report->report.bottlenecks = report->bottlenecks;
    report->report.bottleneck_count = count;
}

static void read_agents(struct control_report *report, const json_t *list)
{
    size_t count = json_array_size(list);
    report->agents = memory_new(count + 1, sizeof(struct agent_report));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        struct bytes state = control_json_text(item, "state");
        struct agent_report *agent = &report->agents[i];
        *agent = (struct agent_report){
            .name = control_json_text(item, "name"),
            .host = control_json_text(item, "host"),
            .pid = (uint32_t)control_json_count(item, "pid"),
            .workers = (uint32_t)control_json_count(item, "workers"),
        };
        read_performance(agent, item);
        for (int known = AGENT_JOINED; known <= AGENT_LOST; known++) {
            if (bytes_equal_string(state, agent_state_name((enum agent_state)known))) {
                agent->state = (enum agent_state)known;
            }
        }
    }
    report->report.agents = report->agents;
    report->report.agent_count = count;
}

static void read_requests(struct control_report *report, json_t *object, bool are_timings)
{
    const char *name = NULL;
    json_t *item = NULL;
    size_t count = report->report.request_count;
    json_object_foreach(object, name, item)
    {
        report->requests[count++] = (struct request_report){
            .name = bytes_of_string(name),
            .is_timing = are_timings,
            .count = control_json_count(item, "count"),
            .failed = control_json_count(item, "failed"),
            .latency_us = quantiles_of(report, item),
        };
    }
    report->report.request_count = count;
}

static void read_all_requests(struct control_report *report)
{
    json_t *requests = json_object_get(report->object, "requests");
    json_t *timings = json_object_get(report->object, "timings");
    report->requests =
        memory_new(json_object_size(requests) + json_object_size(timings) + 1, sizeof(struct request_report));
    read_requests(report, requests, false);
    read_requests(report, timings, true);
    report->report.requests = report->requests;
}

/* The key is NAME.KIND. */
static struct bytes name_of_wait(const char *key, const char *kind)
{
    size_t length = strlen(key);
    size_t end = strlen(kind) + 1;
    return bytes_of(key, length > end && strcmp(key + length - end + 1, kind) == 0 ? length - end : length);
}

static void read_waits(struct control_report *report, json_t *object)
{
    const char *key = NULL;
    json_t *item = NULL;
    size_t count = 0;
    report->waits = memory_new(json_object_size(object) + 1, sizeof(struct wait_report));
    json_object_foreach(object, key, item)
    {
        struct wait_report *wait = &report->waits[count];
        struct bytes kind = control_json_text(item, "kind");
        bool is_known = false;
        for (int known = 0; known < OPERATION_KIND_COUNT && !is_known; known++) {
            wait->kind = (enum operation_kind)known;
            is_known = bytes_equal_string(kind, operation_name(wait->kind));
        }
        if (!is_known) {
            continue; /* of a later version */
        }
        wait->name = name_of_wait(key, operation_name(wait->kind));
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            wait->outcomes[outcome] = control_json_count(item, outcome_name((enum outcome)outcome));
        }
        wait->waited_us = quantiles_of(report, item);
        count++;
    }
    report->report.waits = report->waits;
    report->report.wait_count = count;
}

static void read_errors(struct control_report *report, const json_t *list)
{
    size_t count = json_array_size(list);
    report->errors = memory_new(count + 1, sizeof(struct error_report));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        report->errors[i] = (struct error_report){
            .text = control_json_text(item, "message"),
            .count = control_json_count(item, "count"),
            .worker = (uint32_t)control_json_count(item, "worker"),
            .step = control_json_count(item, "step"),
        };
    }
    report->report.errors = report->errors;
    report->report.error_count = count;
}

static void control_report_read_spread(struct control_report *report, const json_t *spread)
{
    if (json_is_object(spread)) {
        struct histogram *histogram = new_histogram(report);
        histogram_add(histogram, control_json_ms_as_us(spread, "p50"), 50);
        histogram_add(histogram, control_json_ms_as_us(spread, "max"), 50);
        report->report.release_spread_us = histogram;
    }
}

/* An ended campaign has a verdict; one of which the state is not told runs, or has ended. */
static void read_state(struct campaign_report *report, const json_t *object)
{
    struct bytes state = control_json_text(object, "state");
    struct bytes verdict = control_json_text(object, "verdict");
    for (int known = VERDICT_PASSED; known <= VERDICT_DEADLOCKED; known++) {
        if (bytes_equal_string(verdict, verdict_name((enum verdict)known))) {
            report->verdict = (enum verdict)known;
        }
    }
    report->state = report->verdict != VERDICT_NONE ? CAMPAIGN_ENDED : CAMPAIGN_RUNNING;
    for (int known = CAMPAIGN_CREATED; known < CAMPAIGN_STATE_COUNT; known++) {
        if (bytes_equal_string(state, campaign_state_name((enum campaign_state)known))) {
            report->state = (enum campaign_state)known;
        }
    }
}

static void read_numbers(struct control_report *report, const json_t *object)
{
    struct campaign_report *numbers = &report->report;
    const json_t *steps = json_object_get(object, "steps");
    bool is_live = json_object_get(object, "elapsed_s") != NULL;
    numbers->campaign = control_json_count(object, "campaign");
    numbers->script = control_json_text(object, "script");
    numbers->reason = control_json_text(object, "reason");
    numbers->waiting = control_json_text(object, "waiting");
    report->options.workers = (uint32_t)control_json_count(object, "workers");
    report->options.seed = control_json_count(object, "seed");
    numbers->options = &report->options;
    numbers->workers_running = (uint32_t)control_json_count(object, "workers_running");
    numbers->running_ns = control_json_s_as_ns(object, is_live ? "elapsed_s" : "duration_s");
    numbers->begun_ns = numbers->running_ns > 0 || json_is_string(json_object_get(object, "started_at"));
    numbers->steps_ok = control_json_count(steps, "ok");
    numbers->steps_failed = control_json_count(steps, "failed");
    numbers->steps_stopped = control_json_count(steps, "stopped");
    numbers->steps_lost = control_json_count(steps, "lost");
    numbers->step_us = quantiles_of(report, steps);
    numbers->requests_total = control_json_count(object, "requests_total");
    numbers->request_latency_us = quantiles_of(report, object);
}

struct control_report *control_report_new(json_t *object)
{
    struct control_report *report = MEMORY_NEW(struct control_report);
    report->object = json_incref(object);
    read_numbers(report, object);
    read_state(&report->report, object);
    read_agents(report, json_object_get(object, "agents"));
    read_all_requests(report);
    read_waits(report, json_object_get(object, "waits"));
    read_errors(report, json_object_get(object, "errors"));
    control_report_read_spread(report, json_object_get(object, "release_spread_ms"));
    report->seen = control_seen_new(object, quantiles_for_seen, report);
    control_seen_get(report->seen, &report->report);
    report->report.has_start_spread = json_is_number(json_object_get(object, "start_spread_ms"));
    report->report.start_spread_us = control_json_ms_as_us(object, "start_spread_ms");
    read_bottlenecks(report, json_object_get(object, "bottlenecks"));
    return report;
}

void control_report_free(struct control_report **report)
{
    if (*report == NULL) {
        return;
    }
    for (size_t i = 0; i < (*report)->histogram_count; i++) {
        histogram_free(&(*report)->histograms[i]);
    }
    memory_free((*report)->histograms);
    memory_free((*report)->agents);
    memory_free((*report)->bottlenecks);
    memory_free((*report)->requests);
    memory_free((*report)->waits);
    memory_free((*report)->errors);
    control_seen_free(&(*report)->seen);
    json_decref((*report)->object);
    memory_free(*report);
    *report = NULL;
}

const struct campaign_report *control_report_get(const struct control_report *report)
{
    return &report->report;
}
