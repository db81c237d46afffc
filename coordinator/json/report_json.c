/* The report of a campaign as JSON, and back, by one table of its fields. */
#include "coordinator/json/report_json.h"

#include "common/buffer.h"
#include "common/clock.h"
#include "coordinator/json/goal_json.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/json_table.h"
#include "coordinator/json/judge_json.h"
#include "coordinator/json/last_json.h"
#include "coordinator/json/load_json.h"
#include "coordinator/json/named_json.h"
#include "coordinator/json/seen_json.h"
#include "coordinator/json/slices_json.h"
#include "coordinator/json/websocket_json.h"
#include "proto/message/labels.h"

#include <stdlib.h>
#include <time.h>

#define MS_PER_S 1000u

static const char *name_of_verdict(int verdict)
{
    return verdict_name((enum verdict)verdict);
}

static const char *name_of_state(int state)
{
    return campaign_state_name((enum campaign_state)state);
}

static const char *name_of_agent_state(int state)
{
    return agent_state_name((enum agent_state)state);
}

static const char *name_of_crowd_kind(int kind)
{
    return operation_name((enum operation_kind)kind);
}

static const struct json_names VERDICTS = {name_of_verdict, VERDICT_NONE, VERDICT_DEADLOCKED};
static const struct json_names STATES = {name_of_state, CAMPAIGN_CREATED, CAMPAIGN_ENDED};
static const struct json_names CROWD_KINDS = {name_of_crowd_kind, 0, OPERATION_KIND_COUNT - 1};
static const struct json_names AGENT_STATES = {name_of_agent_state, AGENT_JOINED, AGENT_LOST};

/* "2023-11-14T22:13:20.123Z", or null before the workers began. */
static void put_wall_time(json_t *object, const char *key, uint64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;
    char day[32];
    if (wall_ns == 0) {
        json_put(object, key, json_null());
        return;
    }
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    json_put(object, key, json_sprintf("%s.%03uZ", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_MS)));
}

static void put_started_at(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    put_wall_time(object, key, report->begun_wall_ns);
}

/* Null as long as its workers run, and if they never began. */
static void put_ended_at(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    bool has_ended = report->has_ended && report->begun_wall_ns > 0;
    put_wall_time(object, key, has_ended ? report->begun_wall_ns + report->running_ns : 0);
}

/* It follows from when it began and how long it ran. */
static bool get_ended_at(const json_t *value, void *item, struct report_view *view)
{
    (void)item, (void)view;
    return json_is_string(value);
}

static bool get_started_at(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    struct tm parts = {0};
    (void)view;
    const char *rest =
        json_is_string(value) ? strptime(json_string_value(value), "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (rest == NULL || *rest != '.') {
        return false;
    }
    time_t seconds = timegm(&parts);
    uint64_t ms = strtoul(rest + 1, NULL, 10);
    report->begun_wall_ns = seconds > 0 ? (uint64_t)seconds * NS_PER_S + ms % MS_PER_S * NS_PER_MS : 0;
    return true;
}

static void put_clock(json_t *object, const char *key, const void *item)
{
    const struct agent_report *agent = item;
    (void)key;
    json_put_clock(object, true, agent->clock_offset_ns, agent->clock_uncertainty_ns);
}

static bool get_clock(const json_t *value, void *item, struct report_view *view)
{
    struct agent_report *agent = item;
    (void)view;
    if (json_is_object(value)) {
        int64_t uncertainty_ns = json_ns_of_ms(json_object_get(value, "uncertainty_ms"));
        agent->clock_offset_ns = -json_ns_of_ms(json_object_get(value, "offset_ms"));
        agent->clock_uncertainty_ns = uncertainty_ns > 0 ? (uint64_t)uncertainty_ns : 0;
    }
    return json_is_object(value);
}

json_t *report_json_labels(struct bytes labels)
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

static void put_labels(json_t *object, const char *key, const void *item)
{
    const struct agent_report *agent = item;
    json_put(object, key, report_json_labels(agent->labels));
}

/* False, and nothing is changed, if they are not what labels have to be. */
static bool report_json_take_labels(const json_t *value, struct report_view *view, struct bytes *into)
{
    SCOPED(buffer_finish) struct buffer labels;
    const char *key = NULL;
    json_t *label = NULL;
    buffer_init(&labels, LABELS_MAX_BYTES);
    json_object_foreach((json_t *)(uintptr_t)value, key, label)
    {
        const char *text = json_string_value(label);
        buffer_append_format(&labels, "%s%s=%s", labels.size > 0 ? "," : "", key, text != NULL ? text : "");
    }
    struct error error;
    bool is_good = json_is_object(value) && labels_check(buffer_bytes(&labels), &error);
    if (is_good) {
        *into = report_view_text(view, buffer_bytes(&labels));
    }
    return is_good;
}

static bool get_labels(const json_t *value, void *item, struct report_view *view)
{
    struct agent_report *agent = item;
    return report_json_take_labels(value, view, &agent->labels);
}

static void put_campaign_labels(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_put(object, key, report_json_labels(report->labels));
}

static bool get_campaign_labels(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    return report_json_take_labels(value, view, &report->labels);
}

static const struct json_special special_started_at = {put_started_at, get_started_at};
static const struct json_special special_ended_at = {put_ended_at, get_ended_at};
static const struct json_special special_clock = {put_clock, get_clock};
static const struct json_special special_labels = {put_labels, get_labels};
static const struct json_special special_campaign_labels = {put_campaign_labels, get_campaign_labels};

/* clang-format off */
#define AGENT(field) offsetof(struct agent_report, field)
static const struct json_row AGENT_LAG_ROWS[] = {
    {.key = "p99", .type = JSON_TABLE_US_AS_MS, .offset = AGENT(lag_p99_us)},
    {.key = "max", .type = JSON_TABLE_US_AS_MS, .offset = AGENT(lag_maximum_us)},
};
static const struct json_table AGENT_LAG = {JSON_ROWS(AGENT_LAG_ROWS, struct agent_report)};

static const struct json_row AGENT_ROWS[] = {
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = AGENT(name)},
    {.key = "pid", .type = JSON_TABLE_COUNT32, .offset = AGENT(pid)},
    {.key = "host", .type = JSON_TABLE_TEXT, .offset = AGENT(host)},
    {.key = "labels", .type = JSON_TABLE_SPECIAL, .special = &special_labels},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = AGENT(workers)},
    {.key = "state", .type = JSON_TABLE_NAME, .offset = AGENT(state), .names = &AGENT_STATES},
    {.key = "clock", .type = JSON_TABLE_SPECIAL, .special = &special_clock, JSON_IF(struct agent_report, has_clock)},
    {.key = "cpu", .type = JSON_TABLE_REAL, .offset = AGENT(cpu), JSON_IF(struct agent_report, is_measured)},
    {.key = "memory_bytes", .type = JSON_TABLE_COUNT, .offset = AGENT(memory_bytes), JSON_IF(struct agent_report, is_measured)},
    {.key = "loop_lag_ms", .type = JSON_TABLE_OBJECT, JSON_IF(struct agent_report, is_measured), .table = &AGENT_LAG},
};
static const struct json_table AGENTS = {JSON_ROWS(AGENT_ROWS, struct agent_report)};

static const struct json_row LIVE_AGENT_ROWS[] = {
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = AGENT(name)},
    {.key = "host", .type = JSON_TABLE_TEXT, .offset = AGENT(host)},
    {.key = "labels", .type = JSON_TABLE_SPECIAL, .special = &special_labels},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = AGENT(workers)},
    {.key = "workers_running", .type = JSON_TABLE_COUNT32, .offset = AGENT(workers_running)},
    {.key = "state", .type = JSON_TABLE_NAME, .offset = AGENT(state), .names = &AGENT_STATES},
};
static const struct json_table LIVE_AGENTS = {JSON_ROWS(LIVE_AGENT_ROWS, struct agent_report)};

#define BOTTLENECK(field) offsetof(struct bottleneck_report, field)
static const struct json_row BOTTLENECK_LAG_ROWS[] = {
    {.key = "p99", .type = JSON_TABLE_US_AS_MS, .offset = BOTTLENECK(lag_p99_us)},
    {.key = "max", .type = JSON_TABLE_US_AS_MS, .offset = BOTTLENECK(lag_maximum_us)},
};
static const struct json_table BOTTLENECK_LAG = {JSON_ROWS(BOTTLENECK_LAG_ROWS, struct bottleneck_report)};

static const struct json_row BOTTLENECK_ROWS[] = {
    {.key = "agent", .type = JSON_TABLE_TEXT, .offset = BOTTLENECK(agent)},
    {.key = "duration_s", .type = JSON_TABLE_US_AS_S, .offset = BOTTLENECK(strained_us)},
    {.key = "loop_lag_ms", .type = JSON_TABLE_OBJECT, .table = &BOTTLENECK_LAG},
    {.key = "loop_busy", .type = JSON_TABLE_REAL, .offset = BOTTLENECK(busy)},
    {.key = "host_cpu", .type = JSON_TABLE_REAL, .offset = BOTTLENECK(host_cpu)},
};
static const struct json_table BOTTLENECKS = {JSON_ROWS(BOTTLENECK_ROWS, struct bottleneck_report)};

static const struct json_row ERROR_ROWS[] = {
    {.key = "message", .type = JSON_TABLE_TEXT, .offset = offsetof(struct error_report, text)},
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = offsetof(struct error_report, count)},
    {.key = "worker", .type = JSON_TABLE_COUNT32, .offset = offsetof(struct error_report, worker)},
    {.key = "step", .type = JSON_TABLE_COUNT, .offset = offsetof(struct error_report, step)},
    {.key = "scenario", .type = JSON_TABLE_TEXT, .offset = offsetof(struct error_report, scenario)},
    {.key = "agent", .type = JSON_TABLE_TEXT, .offset = offsetof(struct error_report, agent)},
    {.key = "first_s", .type = JSON_TABLE_COUNT, .offset = offsetof(struct error_report, first_s), JSON_IF(struct error_report, has_times)},
    {.key = "last_s", .type = JSON_TABLE_COUNT, .offset = offsetof(struct error_report, last_s), JSON_IF(struct error_report, has_times)},
};
static const struct json_table ERRORS = {JSON_ROWS(ERROR_ROWS, struct error_report)};

static const struct json_row ARTIFACT_ROWS[] = {
    {.key = "number", .type = JSON_TABLE_COUNT, .offset = offsetof(struct artifact_view, number)},
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = offsetof(struct artifact_view, name)},
    {.key = "kind", .type = JSON_TABLE_TEXT, .offset = offsetof(struct artifact_view, kind)},
    {.key = "worker", .type = JSON_TABLE_COUNT32, .offset = offsetof(struct artifact_view, worker)},
    {.key = "step", .type = JSON_TABLE_COUNT, .offset = offsetof(struct artifact_view, step)},
    {.key = "size_bytes", .type = JSON_TABLE_COUNT, .offset = offsetof(struct artifact_view, size_bytes)},
};
static const struct json_table ARTIFACTS = {JSON_ROWS(ARTIFACT_ROWS, struct artifact_view)};

#define REPORT(field) offsetof(struct report_view, field)
#define REPORT_LIST(items, counted, of) .type = JSON_TABLE_LIST, .offset = REPORT(items), .count_offset = REPORT(counted), .table = &(of)
static const struct json_row STEP_ROWS[] = {
    {.key = "ok", .type = JSON_TABLE_COUNT, .offset = REPORT(steps_ok)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = REPORT(steps_failed)},
    {.key = "stopped", .type = JSON_TABLE_COUNT, .offset = REPORT(steps_stopped)},
    {.key = "lost", .type = JSON_TABLE_COUNT, .offset = REPORT(steps_lost)},
    {.key = "failed_by_loss", .type = JSON_TABLE_COUNT, .offset = REPORT(steps_failed_by_loss)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(step.p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(step.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(step.p99_us)},
};
/* Without their times. */
static const struct json_table STEP_COUNTS = {.rows = STEP_ROWS, .count = 5, .item_size = sizeof(struct report_view)};
static const struct json_table STEPS = {JSON_ROWS(STEP_ROWS, struct report_view)};

/* Of all requests. */
static const struct json_row HTTP_ROWS[] = {
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = REPORT(requests_total)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = REPORT(requests_failed)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(request.p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(request.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(request.p99_us)},
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(request.maximum_us)},
};
static const struct json_table HTTP = {JSON_ROWS(HTTP_ROWS, struct report_view)};

static const struct json_row RELEASE_ROWS[] = {
    {.key = "p50", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(release_spread.p50_us)},
    {.key = "max", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(release_spread.maximum_us)},
};
static const struct json_table RELEASE = {JSON_ROWS(RELEASE_ROWS, struct report_view)};

static const struct json_row REPORT_ROWS[] = {
    {.key = "campaign", .type = JSON_TABLE_COUNT, .offset = REPORT(campaign)},
    {.key = "script", .type = JSON_TABLE_TEXT, .offset = REPORT(script)},
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = REPORT(name)},
    {.key = "labels", .type = JSON_TABLE_SPECIAL, .special = &special_campaign_labels},
    {.key = "verdict", .type = JSON_TABLE_NAME, .offset = REPORT(verdict), .names = &VERDICTS, JSON_IF(struct report_view, has_ended)},
    {.key = "reason", .type = JSON_TABLE_TEXT, .offset = REPORT(reason)},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = REPORT(workers)},
    {.key = "workers_ran", .type = JSON_TABLE_COUNT32, .offset = REPORT(workers_ran)},
    {.key = "agents", REPORT_LIST(agents, agent_count, AGENTS)},
    {.key = "started_at", .type = JSON_TABLE_SPECIAL, .special = &special_started_at},
    {.key = "ended_at", .type = JSON_TABLE_SPECIAL, .special = &special_ended_at},
    {.key = "duration_s", .type = JSON_TABLE_NS_AS_S, .offset = REPORT(running_ns)},
    {.key = "seed", .type = JSON_TABLE_COUNT, .offset = REPORT(seed)},
    {.key = "steps", .type = JSON_TABLE_OBJECT, .table = &STEPS},
    {.key = "load", .type = JSON_TABLE_SPECIAL, .special = &json_special_load},
    {.key = "http", .type = JSON_TABLE_OBJECT, .table = &HTTP},
    {.key = "goal", .type = JSON_TABLE_SPECIAL, .special = &json_special_goal},
    {.key = "sizing", .type = JSON_TABLE_SPECIAL, .special = &json_special_sizing},
    {.key = "errors", REPORT_LIST(errors, error_count, ERRORS)},
    {.key = "artifacts", REPORT_LIST(artifacts, artifact_count, ARTIFACTS)},
    {.key = "requests", .type = JSON_TABLE_SPECIAL, .special = &json_special_requests},
    {.key = "timings", .type = JSON_TABLE_SPECIAL, .special = &json_special_timings},
    {.key = "scenarios", .type = JSON_TABLE_SPECIAL, .special = &json_special_scenarios},
    {.key = "groups", .type = JSON_TABLE_SPECIAL, .special = &json_special_groups},
    {.key = "tags", .type = JSON_TABLE_SPECIAL, .special = &json_special_tags},
    {.key = "waits", .type = JSON_TABLE_SPECIAL, .special = &json_special_waits},
    {.key = "checks", .type = JSON_TABLE_SPECIAL, .special = &json_special_checks},
    {.key = "thresholds", REPORT_LIST(thresholds, threshold_count, json_table_thresholds)},
    {.key = "outputs", REPORT_LIST(outputs, output_count, json_table_outputs)},
    {.key = "websockets", .type = JSON_TABLE_SPECIAL, .special = &json_special_websockets},
    {.key = "seen", .type = JSON_TABLE_SPECIAL, .special = &json_special_seen},
    {.key = "convergence", .type = JSON_TABLE_SPECIAL, .special = &json_special_convergence},
    {.key = "last", REPORT_LIST(last, last_count, json_table_last)},
    {.key = "release_spread_ms", .type = JSON_TABLE_OBJECT, JSON_IF(struct report_view, has_release_spread), .table = &RELEASE},
    {.key = "start_spread_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(start_spread_us), JSON_IF(struct report_view, has_start_spread)},
    {.key = "clock_uncertainty_ms", .type = JSON_TABLE_NS_AS_MS, .offset = REPORT(clock_uncertainty_ns), JSON_IF(struct report_view, has_clock_uncertainty)},
    {.key = "bottlenecks", REPORT_LIST(bottlenecks, bottleneck_count, BOTTLENECKS)},
};
static const struct json_table WHOLE = {JSON_ROWS(REPORT_ROWS, struct report_view)};

static const struct json_row STATE_ROWS[] = {
    {.key = "state", .type = JSON_TABLE_NAME, .offset = REPORT(state), .names = &STATES},
};
static const struct json_table STATE = {JSON_ROWS(STATE_ROWS, struct report_view)};

static const struct json_row SUMMARY_ROWS[] = {
    {.key = "campaign", .type = JSON_TABLE_COUNT, .offset = REPORT(campaign)},
    {.key = "script", .type = JSON_TABLE_TEXT, .offset = REPORT(script)},
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = REPORT(name)},
    {.key = "labels", .type = JSON_TABLE_SPECIAL, .special = &special_campaign_labels},
    {.key = "state", .type = JSON_TABLE_NAME, .offset = REPORT(state), .names = &STATES},
    {.key = "verdict", .type = JSON_TABLE_NAME, .offset = REPORT(verdict), .names = &VERDICTS, JSON_IF(struct report_view, has_ended)},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = REPORT(workers)},
    {.key = "started_at", .type = JSON_TABLE_SPECIAL, .special = &special_started_at},
    {.key = "ended_at", .type = JSON_TABLE_SPECIAL, .special = &special_ended_at},
    {.key = "elapsed_s", .type = JSON_TABLE_NS_AS_S, .offset = REPORT(running_ns)},
    {.key = "steps", .type = JSON_TABLE_OBJECT, .table = &STEP_COUNTS},
};
static const struct json_table SUMMARY = {JSON_ROWS(SUMMARY_ROWS, struct report_view)};

#define CROWD(field) offsetof(struct wait_crowd, field)
static const struct json_row CROWD_ROWS[] = {
    {.key = "kind", .type = JSON_TABLE_NAME, .offset = CROWD(kind), .names = &CROWD_KINDS},
    {.key = "name", .type = JSON_TABLE_TEXT, .offset = CROWD(name)},
    {.key = "first_step", .type = JSON_TABLE_COUNT, .offset = CROWD(first_step)},
    {.key = "last_step", .type = JSON_TABLE_COUNT, .offset = CROWD(last_step)},
    {.key = "workers", .type = JSON_TABLE_COUNT, .offset = CROWD(workers)},
    {.key = "oldest_s", .type = JSON_TABLE_NS_AS_S, .offset = CROWD(oldest_ns)},
};
static const struct json_table CROWDS = {JSON_ROWS(CROWD_ROWS, struct wait_crowd)};

/* After those of the summary. */
static const struct json_row LIVE_ROWS[] = {
    {.key = "reason", .type = JSON_TABLE_TEXT, .offset = REPORT(reason)},
    {.key = "workers_running", .type = JSON_TABLE_COUNT32, .offset = REPORT(workers_running)},
    {.key = "requests_total", .type = JSON_TABLE_COUNT, .offset = REPORT(requests_total)},
    {.key = "window_s", .type = JSON_TABLE_NS_AS_S, .offset = REPORT(window_ns)},
    {.key = "requests_per_s", .type = JSON_TABLE_REAL, .offset = REPORT(requests_per_s)},
    {.key = "failed_per_s", .type = JSON_TABLE_REAL, .offset = REPORT(failed_per_s)},
    {.key = "messages_per_s", .type = JSON_TABLE_REAL, .offset = REPORT(messages_per_s)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(recent.p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(recent.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = REPORT(recent.p99_us)},
    {.key = "waiting", .type = JSON_TABLE_TEXT, .offset = REPORT(waiting)},
    {.key = "waiting_for", REPORT_LIST(crowds, crowd_count, CROWDS)},
    {.key = "thresholds", REPORT_LIST(thresholds, threshold_count, json_table_thresholds)},
    {.key = "websockets", .type = JSON_TABLE_SPECIAL, .special = &json_special_websockets},
    {.key = "seen", .type = JSON_TABLE_SPECIAL, .special = &json_special_seen},
    {.key = "agents", REPORT_LIST(agents, agent_count, LIVE_AGENTS)},
};
static const struct json_table LIVE = {JSON_ROWS(LIVE_ROWS, struct report_view)};
/* clang-format on */

json_t *report_json_object(const struct report_view *report)
{
    json_t *object = json_object();
    json_table_put(&WHOLE, object, report);
    return object;
}

json_t *report_json_summary(const struct report_view *report)
{
    json_t *object = json_object();
    json_table_put(&SUMMARY, object, report);
    json_put_count(object, "agents", report->agent_count);
    return object;
}

json_t *report_json_live(const struct report_view *report)
{
    json_t *object = json_object();
    json_table_put(&SUMMARY, object, report);
    json_table_put(&LIVE, object, report);
    return object;
}

char *report_json(const struct report_view *report)
{
    json_t *root = report_json_object(report);
    char *text = json_to_text(root, true);
    json_decref(root);
    return text;
}

struct report_view *report_json_read(const json_t *object)
{
    struct report_view *view = report_view_new();
    view->state = CAMPAIGN_RUNNING;
    if (json_object_get(object, "elapsed_s") != NULL) {
        json_table_get(&SUMMARY, object, view, view);
        json_table_get(&LIVE, object, view, view);
        return view;
    }
    json_table_get(&WHOLE, object, view, view);
    if (view->verdict != VERDICT_NONE) {
        view->state = CAMPAIGN_ENDED;
    }
    json_table_get(&STATE, object, view, view);
    return view;
}
