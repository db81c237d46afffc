/* The report of a campaign as JSON. */
#include "coordinator/json/report_json.h"

#include "common/clock.h"
#include "common/memory.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/report_seen.h"
#include "proto/message/labels.h"

#include <time.h>

#define US_PER_S 1e6

static void set_quantile(json_t *object, const char *key, const struct histogram *histogram, double quantile)
{
    json_put_ms(object, key, histogram_quantile(histogram, quantile));
}

static void put_performance(json_t *item, const struct agent_report *agent)
{
    json_put_clock(item, agent->has_clock, agent->clock_offset_ns, agent->clock_uncertainty_ns);
    json_put(item, "cpu", agent->is_measured ? json_real(agent->cpu) : json_null());
    json_put(item, "memory_bytes",
             agent->is_measured ? json_integer((json_int_t)agent->memory_bytes) : json_null());
    if (agent->is_measured) {
        json_put_lag(item, agent->lag_p99_us, agent->lag_maximum_us);
    } else {
        json_put(item, "loop_lag_ms", json_null());
    }
}

struct json_t *report_json_labels(struct bytes labels)
{
    json_t *object = json_object();
    struct bytes name;
    struct bytes value;
    while (labels_next(&labels, &name, &value)) {
        char key[LABEL_MAX_BYTES + 1];
        bytes_to_text(name, key, sizeof key);
        json_put_text(object, key, value);
    }
    return object;
}

static json_t *report_json_agents_of(const struct campaign_report *report)
{
    json_t *agents = json_array();
    for (size_t i = 0; i < report->agent_count; i++) {
        const struct agent_report *agent = &report->agents[i];
        json_t *item = json_object();
        json_put_text(item, "name", agent->name);
        json_put_count(item, "pid", agent->pid);
        json_put_text(item, "host", agent->host);
        json_put(item, "labels", report_json_labels(agent->labels));
        json_put_count(item, "workers", agent->workers);
        json_put(item, "state", json_string(agent_state_name(agent->state)));
        put_performance(item, agent);
        json_array_append_new(agents, item);
    }
    return agents;
}

static json_t *bottlenecks_of(const struct campaign_report *report)
{
    json_t *bottlenecks = json_array();
    for (size_t i = 0; i < report->bottleneck_count; i++) {
        const struct bottleneck_report *bottleneck = &report->bottlenecks[i];
        json_t *item = json_object();
        json_put_text(item, "agent", bottleneck->agent);
        json_put(item, "duration_s", json_real((double)bottleneck->strained_us / US_PER_S));
        json_put_lag(item, bottleneck->lag_p99_us, bottleneck->lag_maximum_us);
        json_put(item, "loop_busy", json_real(bottleneck->busy));
        json_put(item, "host_cpu", json_real(bottleneck->host_cpu));
        json_array_append_new(bottlenecks, item);
    }
    return bottlenecks;
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
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    return json_sprintf("%s.%03uZ", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_MS));
}

static json_t *report_json_steps_of(const struct campaign_report *report)
{
    json_t *steps = json_object();
    json_put_count(steps, "ok", report->steps_ok);
    json_put_count(steps, "failed", report->steps_failed);
    json_put_count(steps, "stopped", report->steps_stopped);
    json_put_count(steps, "lost", report->steps_lost);
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
        json_put_text(item, "message", error->text);
        json_put_count(item, "count", error->count);
        json_put_count(item, "worker", error->worker);
        json_put_count(item, "step", error->step);
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
        json_t *name = json_text(request->name);
        json_t *item = json_object();
        json_put_count(item, "count", request->count);
        json_put_count(item, "failed", request->failed);
        set_quantile(item, "p50_ms", request->latency_us, 0.5);
        set_quantile(item, "p95_ms", request->latency_us, 0.95);
        set_quantile(item, "p99_ms", request->latency_us, 0.99);
        json_put_ms(item, "max_ms", histogram_maximum(request->latency_us));
        json_put(requests, json_string_value(name), item);
        json_decref(name);
    }
    return requests;
}

/* The key is NAME.KIND: a notifier is waited for in two ways. */
static void add_wait(json_t *waits, const struct wait_report *wait)
{
    json_t *name = json_text(wait->name);
    SCOPED(memory_free_at)
    char *key = memory_format("%s.%s", json_string_value(name), operation_name(wait->kind));
    json_t *item = json_object();
    uint64_t count = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        count += wait->outcomes[i];
    }
    json_put(item, "kind", json_string(operation_name(wait->kind)));
    json_put_count(item, "count", count);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        json_put_count(item, outcome_name((enum outcome)i), wait->outcomes[i]);
    }
    set_quantile(item, "p50_ms", wait->waited_us, 0.5);
    set_quantile(item, "p99_ms", wait->waited_us, 0.99);
    json_put(waits, key, item);
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
    json_put_ms(spread, "max", histogram_maximum(report->release_spread_us));
    return spread;
}

static json_t *artifacts_of(const struct campaign_report *report)
{
    json_t *artifacts = json_array();
    for (size_t i = 0; i < report->artifact_count; i++) {
        const struct artifact *artifact = &report->artifacts[i];
        char name[ARTIFACT_NAME_BYTES];
        artifact_name(artifact, i + 1, name);
        json_t *item = json_object();
        json_put_count(item, "number", i + 1);
        json_put(item, "name", json_string(name));
        json_put(item, "kind", json_string(artifact_kind_name(artifact->kind)));
        json_put_count(item, "worker", artifact->worker);
        json_put_count(item, "step", artifact->step);
        json_put_count(item, "size_bytes", artifact->content.size);
        json_array_append_new(artifacts, item);
    }
    return artifacts;
}

/* Of the worst clock: no spread is known better. */
static json_t *uncertainty_of(const struct campaign_report *report)
{
    uint64_t worst_ns = 0;
    bool is_known = report->agent_count > 0;
    for (size_t i = 0; i < report->agent_count; i++) {
        const struct agent_report *agent = &report->agents[i];
        is_known = is_known && (agent->has_clock || agent->workers == 0);
        worst_ns = agent->has_clock && agent->clock_uncertainty_ns > worst_ns ? agent->clock_uncertainty_ns
                                                                              : worst_ns;
    }
    return is_known ? json_real((double)worst_ns / NS_PER_MS) : json_null();
}

struct json_t *report_json_object(const struct campaign_report *report, uint64_t begun_wall_ns)
{
    json_t *root = json_object();
    json_put_count(root, "campaign", report->campaign);
    json_put_text(root, "script", report->script);
    json_put(root, "verdict", json_string(verdict_name(report->verdict)));
    json_put_text(root, "reason", report->reason);
    json_put_count(root, "workers", report->options->workers);
    json_put(root, "agents", report_json_agents_of(report));
    json_put(root, "started_at", started_at(begun_wall_ns));
    json_put(root, "duration_s", json_real((double)report->running_ns / (double)NS_PER_S));
    json_put(root, "seed", json_integer((json_int_t)report->options->seed));
    json_put(root, "steps", report_json_steps_of(report));
    json_put(root, "errors", errors_of(report));
    json_put(root, "artifacts", artifacts_of(report));
    json_put(root, "requests", requests_of(report, false));
    json_put(root, "timings", requests_of(report, true));
    json_put(root, "waits", waits_of(report));
    json_put(root, "seen", report_seen_json(report));
    json_put(root, "convergence", report_convergence_json(report));
    json_put(root, "release_spread_ms", spread_of(report));
    json_put(root, "start_spread_ms",
             report->has_start_spread ? json_real((double)report->start_spread_us / 1e3) : json_null());
    json_put(root, "clock_uncertainty_ms", uncertainty_of(report));
    json_put(root, "bottlenecks", bottlenecks_of(report));
    return root;
}

char *report_json(const struct campaign_report *report, uint64_t begun_wall_ns)
{
    json_t *root = report_json_object(report, begun_wall_ns);
    char *text = json_to_text(root, true);
    json_decref(root);
    return text;
}
