/* The report of a campaign as JSON. */
#include "cli/report_json.h"
#include "common/clock.h"
#include "common/escape.h"
#include "common/memory.h"

#include <assert.h>
#include <jansson.h>
#include <time.h>

#define TEXT_MAX_BYTES 8192u
#define US_PER_MS 1000.0

/* jansson refuses what is not UTF-8, so it goes through our own escape first. */
static json_t *text_of(struct bytes bytes)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, TEXT_MAX_BYTES);
    escape_text(&text, bytes);
    return json_stringn(buffer_string(&text), text.size);
}

static void set(json_t *object, const char *key, json_t *value)
{
    int result = json_object_set_new(object, key, value);
    assert(result == 0);
    (void)result;
}

static void set_count(json_t *object, const char *key, uint64_t count)
{
    set(object, key, json_integer((json_int_t)count));
}

static void set_ms(json_t *object, const char *key, uint64_t microseconds)
{
    set(object, key, json_real((double)microseconds / US_PER_MS));
}

static void set_quantile(json_t *object, const char *key, const struct histogram *histogram, double quantile)
{
    set_ms(object, key, histogram_quantile(histogram, quantile));
}

static json_t *agents_of(const struct campaign_report *report)
{
    json_t *agents = json_array();
    for (size_t i = 0; i < report->agent_count; i++) {
        const struct agent_report *agent = &report->agents[i];
        json_t *item = json_object();
        set(item, "name", text_of(agent->name));
        set_count(item, "pid", agent->pid);
        set(item, "host", text_of(agent->host));
        set_count(item, "workers", agent->workers);
        set(item, "state", json_string(agent_state_name(agent->state)));
        json_array_append_new(agents, item);
    }
    return agents;
}

static json_t *started_at(uint64_t wall_ns)
{
    if (wall_ns == 0) {
        return json_null();
    }
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;
    char day[32];
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
    return json_sprintf("%s.%03uZ", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_MS));
}

static json_t *steps_of(const struct campaign_report *report)
{
    json_t *steps = json_object();
    set_count(steps, "ok", report->steps_ok);
    set_count(steps, "failed", report->steps_failed);
    set_count(steps, "stopped", report->steps_stopped);
    set_quantile(steps, "p50_ms", report->step_us, 0.5);
    set_quantile(steps, "p99_ms", report->step_us, 0.99);
    return steps;
}

static json_t *errors_of(const struct campaign_report *report)
{
    json_t *errors = json_array();
    for (size_t i = 0; i < report->error_count; i++) {
        const struct error_report *error = &report->errors[i];
        json_t *item = json_object();
        set(item, "message", text_of(error->text));
        set_count(item, "count", error->count);
        set_count(item, "worker", error->worker);
        set_count(item, "step", error->step);
        json_array_append_new(errors, item);
    }
    return errors;
}

static json_t *requests_of(const struct campaign_report *report, bool is_timing)
{
    json_t *requests = json_object();
    for (size_t i = 0; i < report->request_count; i++) {
        const struct request_report *request = &report->requests[i];
        if (request->is_timing != is_timing) {
            continue;
        }
        json_t *name = text_of(request->name);
        json_t *item = json_object();
        set_count(item, "count", request->count);
        set_count(item, "failed", request->failed);
        set_quantile(item, "p50_ms", request->latency_us, 0.5);
        set_quantile(item, "p95_ms", request->latency_us, 0.95);
        set_quantile(item, "p99_ms", request->latency_us, 0.99);
        set_ms(item, "max_ms", histogram_maximum(request->latency_us));
        set(requests, json_string_value(name), item);
        json_decref(name);
    }
    return requests;
}

/* The key is NAME.KIND: a notifier is waited for in two ways. */
static void add_wait(json_t *waits, const struct wait_report *wait)
{
    json_t *name = text_of(wait->name);
    SCOPED(memory_free_at)
    char *key = memory_format("%s.%s", json_string_value(name), operation_name(wait->kind));
    json_t *item = json_object();
    uint64_t count = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        count += wait->outcomes[i];
    }
    set(item, "kind", json_string(operation_name(wait->kind)));
    set_count(item, "count", count);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        set_count(item, outcome_name((enum outcome)i), wait->outcomes[i]);
    }
    set_quantile(item, "p50_ms", wait->waited_us, 0.5);
    set_quantile(item, "p99_ms", wait->waited_us, 0.99);
    set(waits, key, item);
    json_decref(name);
}

static json_t *waits_of(const struct campaign_report *report)
{
    json_t *waits = json_object();
    for (size_t i = 0; i < report->wait_count; i++) {
        add_wait(waits, &report->waits[i]);
    }
    return waits;
}

static json_t *spread_of(const struct campaign_report *report)
{
    if (report->release_spread_us == NULL || histogram_count(report->release_spread_us) == 0) {
        return json_null();
    }
    json_t *spread = json_object();
    set_quantile(spread, "p50", report->release_spread_us, 0.5);
    set_ms(spread, "max", histogram_maximum(report->release_spread_us));
    return spread;
}

char *report_json(const struct campaign_report *report, uint64_t begun_wall_ns)
{
    json_t *root = json_object();
    set_count(root, "campaign", report->campaign);
    set(root, "script", text_of(report->script));
    set(root, "verdict", json_string(verdict_name(report->verdict)));
    set(root, "reason", text_of(report->reason));
    set_count(root, "workers", report->options->workers);
    set(root, "agents", agents_of(report));
    set(root, "started_at", started_at(begun_wall_ns));
    set(root, "duration_s", json_real((double)report->running_ns / (double)NS_PER_S));
    set(root, "seed", json_integer((json_int_t)report->options->seed));
    set(root, "steps", steps_of(report));
    set(root, "errors", errors_of(report));
    set(root, "requests", requests_of(report, false));
    set(root, "timings", requests_of(report, true));
    set(root, "waits", waits_of(report));
    set(root, "release_spread_ms", spread_of(report));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(root);
    assert(text != NULL);
    char *copy = memory_format("%s\n", text);
    free(text);
    return copy;
}
