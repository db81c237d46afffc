/* The report of a campaign as JSON, and back, by one table of its fields. */
#include "coordinator/json/report_json.h"

#include "common/buffer.h"
#include "common/clock.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/json_table.h"
#include "coordinator/json/named_json.h"
#include "coordinator/json/seen_json.h"
#include "proto/message/labels.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_PER_S 1000u

static void put_verdict(json_t *object, const struct json_row *row, const void *item)
{
    const struct report_view *report = item;
    json_put(object, row->key, json_string(verdict_name(report->verdict)));
}

/* Where the state stands beside it, there is none before the end. */
static void put_verdict_at_end(json_t *object, const struct json_row *row, const void *item)
{
    const struct report_view *report = item;
    if (report->state == CAMPAIGN_ENDED) {
        put_verdict(object, row, item);
    } else {
        json_put(object, row->key, json_null());
    }
}

static bool get_verdict(const json_t *value, const struct json_row *row, void *item, struct report_view *view)
{
    struct report_view *report = item;
    (void)row;
    (void)view;
    for (int known = VERDICT_PASSED; json_is_string(value) && known <= VERDICT_DEADLOCKED; known++) {
        if (strcmp(json_string_value(value), verdict_name((enum verdict)known)) == 0) {
            report->verdict = (enum verdict)known;
        }
    }
    return json_is_string(value);
}

static void put_state(json_t *object, const struct json_row *row, const void *item)
{
    const struct report_view *report = item;
    json_put(object, row->key, json_string(campaign_state_name(report->state)));
}

static bool get_state(const json_t *value, const struct json_row *row, void *item, struct report_view *view)
{
    struct report_view *report = item;
    (void)row;
    (void)view;
    for (int known = CAMPAIGN_CREATED; json_is_string(value) && known < CAMPAIGN_STATE_COUNT; known++) {
        if (strcmp(json_string_value(value), campaign_state_name((enum campaign_state)known)) == 0) {
            report->state = (enum campaign_state)known;
        }
    }
    return json_is_string(value);
}

/* "2023-11-14T22:13:20.123Z", or null before the workers began. */
static void put_started_at(json_t *object, const struct json_row *row, const void *item)
{
    const struct report_view *report = item;
    time_t seconds = (time_t)(report->begun_wall_ns / NS_PER_S);
    struct tm parts;
    char day[32];
    if (report->begun_wall_ns == 0) {
        json_put(object, row->key, json_null());
        return;
    }
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    json_put(object, row->key,
             json_sprintf("%s.%03uZ", day, (unsigned)(report->begun_wall_ns % NS_PER_S / NS_PER_MS)));
}

static bool get_started_at(const json_t *value, const struct json_row *row, void *item,
                           struct report_view *view)
{
    struct report_view *report = item;
    struct tm parts = {0};
    (void)row;
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

static void put_agent_state(json_t *object, const struct json_row *row, const void *item)
{
    const struct agent_report *agent = item;
    json_put(object, row->key, json_string(agent_state_name(agent->state)));
}

static bool get_agent_state(const json_t *value, const struct json_row *row, void *item,
                            struct report_view *view)
{
    struct agent_report *agent = item;
    (void)row;
    (void)view;
    for (int known = AGENT_JOINED; json_is_string(value) && known <= AGENT_LOST; known++) {
        if (strcmp(json_string_value(value), agent_state_name((enum agent_state)known)) == 0) {
            agent->state = (enum agent_state)known;
        }
    }
    return json_is_string(value);
}

static void put_clock(json_t *object, const struct json_row *row, const void *item)
{
    const struct agent_report *agent = item;
    (void)row;
    json_put_clock(object, true, agent->clock_offset_ns, agent->clock_uncertainty_ns);
}

static bool get_clock(const json_t *value, const struct json_row *row, void *item, struct report_view *view)
{
    struct agent_report *agent = item;
    (void)row;
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

static void put_labels(json_t *object, const struct json_row *row, const void *item)
{
    const struct agent_report *agent = item;
    json_put(object, row->key, report_json_labels(agent->labels));
}

static bool get_labels(const json_t *value, const struct json_row *row, void *item, struct report_view *view)
{
    struct agent_report *agent = item;
    SCOPED(buffer_finish) struct buffer labels;
    const char *key = NULL;
    json_t *label = NULL;
    (void)row;
    buffer_init(&labels, LABELS_MAX_BYTES);
    json_object_foreach((json_t *)(uintptr_t)value, key, label)
    {
        const char *text = json_string_value(label);
        buffer_append_format(&labels, "%s%s=%s", labels.size > 0 ? "," : "", key, text != NULL ? text : "");
    }
    struct error error;
    bool is_good = json_is_object(value) && labels_check(buffer_bytes(&labels), &error);
    if (is_good) {
        agent->labels = report_view_text(view, buffer_bytes(&labels));
    }
    return is_good;
}

static const struct json_kind kind_verdict = {put_verdict, get_verdict};
static const struct json_kind kind_verdict_at_end = {put_verdict_at_end, get_verdict};
static const struct json_kind kind_state = {put_state, get_state};
static const struct json_kind kind_started_at = {put_started_at, get_started_at};
static const struct json_kind kind_agent_state = {put_agent_state, get_agent_state};
static const struct json_kind kind_clock = {put_clock, get_clock};
static const struct json_kind kind_labels = {put_labels, get_labels};

/* clang-format off */
#define AGENT(field) offsetof(struct agent_report, field)
static const struct json_row AGENT_LAG_ROWS[] = {
    {.key = "p99", .kind = &json_kind_us_as_ms, .offset = AGENT(lag_p99_us)},
    {.key = "max", .kind = &json_kind_us_as_ms, .offset = AGENT(lag_maximum_us)},
};
static const struct json_table AGENT_LAG = {JSON_ROWS(AGENT_LAG_ROWS, struct agent_report)};

static const struct json_row AGENT_ROWS[] = {
    {.key = "name", .kind = &json_kind_text, .offset = AGENT(name)},
    {.key = "pid", .kind = &json_kind_count32, .offset = AGENT(pid)},
    {.key = "host", .kind = &json_kind_text, .offset = AGENT(host)},
    {.key = "labels", .kind = &kind_labels},
    {.key = "workers", .kind = &json_kind_count32, .offset = AGENT(workers)},
    {.key = "state", .kind = &kind_agent_state},
    {.key = "clock", .kind = &kind_clock, JSON_IF(struct agent_report, has_clock)},
    {.key = "cpu", .kind = &json_kind_real, .offset = AGENT(cpu), JSON_IF(struct agent_report, is_measured)},
    {.key = "memory_bytes", .kind = &json_kind_count, .offset = AGENT(memory_bytes), JSON_IF(struct agent_report, is_measured)},
    {.key = "loop_lag_ms", .kind = &json_kind_object, JSON_IF(struct agent_report, is_measured), .table = &AGENT_LAG},
};
static const struct json_table AGENTS = {JSON_ROWS(AGENT_ROWS, struct agent_report)};

static const struct json_row LIVE_AGENT_ROWS[] = {
    {.key = "name", .kind = &json_kind_text, .offset = AGENT(name)},
    {.key = "host", .kind = &json_kind_text, .offset = AGENT(host)},
    {.key = "labels", .kind = &kind_labels},
    {.key = "workers", .kind = &json_kind_count32, .offset = AGENT(workers)},
    {.key = "state", .kind = &kind_agent_state},
};
static const struct json_table LIVE_AGENTS = {JSON_ROWS(LIVE_AGENT_ROWS, struct agent_report)};

#define BOTTLENECK(field) offsetof(struct bottleneck_report, field)
static const struct json_row BOTTLENECK_LAG_ROWS[] = {
    {.key = "p99", .kind = &json_kind_us_as_ms, .offset = BOTTLENECK(lag_p99_us)},
    {.key = "max", .kind = &json_kind_us_as_ms, .offset = BOTTLENECK(lag_maximum_us)},
};
static const struct json_table BOTTLENECK_LAG = {JSON_ROWS(BOTTLENECK_LAG_ROWS, struct bottleneck_report)};

static const struct json_row BOTTLENECK_ROWS[] = {
    {.key = "agent", .kind = &json_kind_text, .offset = BOTTLENECK(agent)},
    {.key = "duration_s", .kind = &json_kind_us_as_s, .offset = BOTTLENECK(strained_us)},
    {.key = "loop_lag_ms", .kind = &json_kind_object, .table = &BOTTLENECK_LAG},
    {.key = "loop_busy", .kind = &json_kind_real, .offset = BOTTLENECK(busy)},
    {.key = "host_cpu", .kind = &json_kind_real, .offset = BOTTLENECK(host_cpu)},
};
static const struct json_table BOTTLENECKS = {JSON_ROWS(BOTTLENECK_ROWS, struct bottleneck_report)};

static const struct json_row ERROR_ROWS[] = {
    {.key = "message", .kind = &json_kind_text, .offset = offsetof(struct error_report, text)},
    {.key = "count", .kind = &json_kind_count, .offset = offsetof(struct error_report, count)},
    {.key = "worker", .kind = &json_kind_count32, .offset = offsetof(struct error_report, worker)},
    {.key = "step", .kind = &json_kind_count, .offset = offsetof(struct error_report, step)},
};
static const struct json_table ERRORS = {JSON_ROWS(ERROR_ROWS, struct error_report)};

static const struct json_row ARTIFACT_ROWS[] = {
    {.key = "number", .kind = &json_kind_count, .offset = offsetof(struct artifact_view, number)},
    {.key = "name", .kind = &json_kind_text, .offset = offsetof(struct artifact_view, name)},
    {.key = "kind", .kind = &json_kind_text, .offset = offsetof(struct artifact_view, kind)},
    {.key = "worker", .kind = &json_kind_count32, .offset = offsetof(struct artifact_view, worker)},
    {.key = "step", .kind = &json_kind_count, .offset = offsetof(struct artifact_view, step)},
    {.key = "size_bytes", .kind = &json_kind_count, .offset = offsetof(struct artifact_view, size_bytes)},
};
static const struct json_table ARTIFACTS = {JSON_ROWS(ARTIFACT_ROWS, struct artifact_view)};

#define REPORT(field) offsetof(struct report_view, field)
#define REPORT_LIST(items, counted, of) .kind = &json_kind_list, .offset = REPORT(items), .count_offset = REPORT(counted), .table = &(of)
static const struct json_row STEP_COUNT_ROWS[] = {
    {.key = "ok", .kind = &json_kind_count, .offset = REPORT(steps_ok)},
    {.key = "failed", .kind = &json_kind_count, .offset = REPORT(steps_failed)},
    {.key = "stopped", .kind = &json_kind_count, .offset = REPORT(steps_stopped)},
    {.key = "lost", .kind = &json_kind_count, .offset = REPORT(steps_lost)},
};
static const struct json_table STEP_COUNTS = {JSON_ROWS(STEP_COUNT_ROWS, struct report_view)};

static const struct json_row STEP_ROWS[] = {
    {.key = "ok", .kind = &json_kind_count, .offset = REPORT(steps_ok)},
    {.key = "failed", .kind = &json_kind_count, .offset = REPORT(steps_failed)},
    {.key = "stopped", .kind = &json_kind_count, .offset = REPORT(steps_stopped)},
    {.key = "lost", .kind = &json_kind_count, .offset = REPORT(steps_lost)},
    {.key = "p50_ms", .kind = &json_kind_us_as_ms, .offset = REPORT(step.p50_us)},
    {.key = "p99_ms", .kind = &json_kind_us_as_ms, .offset = REPORT(step.p99_us)},
};
static const struct json_table STEPS = {JSON_ROWS(STEP_ROWS, struct report_view)};

static const struct json_row RELEASE_ROWS[] = {
    {.key = "p50", .kind = &json_kind_us_as_ms, .offset = REPORT(release_spread.p50_us)},
    {.key = "max", .kind = &json_kind_us_as_ms, .offset = REPORT(release_spread.maximum_us)},
};
static const struct json_table RELEASE = {JSON_ROWS(RELEASE_ROWS, struct report_view)};

static const struct json_row REPORT_ROWS[] = {
    {.key = "campaign", .kind = &json_kind_count, .offset = REPORT(campaign)},
    {.key = "script", .kind = &json_kind_text, .offset = REPORT(script)},
    {.key = "verdict", .kind = &kind_verdict},
    {.key = "reason", .kind = &json_kind_text, .offset = REPORT(reason)},
    {.key = "workers", .kind = &json_kind_count32, .offset = REPORT(workers)},
    {.key = "agents", REPORT_LIST(agents, agent_count, AGENTS)},
    {.key = "started_at", .kind = &kind_started_at},
    {.key = "duration_s", .kind = &json_kind_ns_as_s, .offset = REPORT(running_ns)},
    {.key = "seed", .kind = &json_kind_count, .offset = REPORT(seed)},
    {.key = "steps", .kind = &json_kind_object, .table = &STEPS},
    {.key = "errors", REPORT_LIST(errors, error_count, ERRORS)},
    {.key = "artifacts", REPORT_LIST(artifacts, artifact_count, ARTIFACTS)},
    {.key = "requests", .kind = &json_kind_requests},
    {.key = "timings", .kind = &json_kind_timings},
    {.key = "waits", .kind = &json_kind_waits},
    {.key = "seen", .kind = &json_kind_seen},
    {.key = "convergence", .kind = &json_kind_convergence},
    {.key = "release_spread_ms", .kind = &json_kind_object, JSON_IF(struct report_view, has_release_spread), .table = &RELEASE},
    {.key = "start_spread_ms", .kind = &json_kind_us_as_ms, .offset = REPORT(start_spread_us), JSON_IF(struct report_view, has_start_spread)},
    {.key = "clock_uncertainty_ms", .kind = &json_kind_ns_as_ms, .offset = REPORT(clock_uncertainty_ns), JSON_IF(struct report_view, has_clock_uncertainty)},
    {.key = "bottlenecks", REPORT_LIST(bottlenecks, bottleneck_count, BOTTLENECKS)},
};
static const struct json_table WHOLE = {JSON_ROWS(REPORT_ROWS, struct report_view)};

static const struct json_row SUMMARY_ROWS[] = {
    {.key = "campaign", .kind = &json_kind_count, .offset = REPORT(campaign)},
    {.key = "script", .kind = &json_kind_text, .offset = REPORT(script)},
    {.key = "state", .kind = &kind_state},
    {.key = "verdict", .kind = &kind_verdict_at_end},
    {.key = "workers", .kind = &json_kind_count32, .offset = REPORT(workers)},
    {.key = "elapsed_s", .kind = &json_kind_ns_as_s, .offset = REPORT(running_ns)},
    {.key = "steps", .kind = &json_kind_object, .table = &STEP_COUNTS},
};
static const struct json_table SUMMARY = {JSON_ROWS(SUMMARY_ROWS, struct report_view)};

/* Behind those of the summary. */
static const struct json_row LIVE_ROWS[] = {
    {.key = "reason", .kind = &json_kind_text, .offset = REPORT(reason)},
    {.key = "workers_running", .kind = &json_kind_count32, .offset = REPORT(workers_running)},
    {.key = "requests_total", .kind = &json_kind_count, .offset = REPORT(requests_total)},
    {.key = "requests_per_s", .kind = &json_kind_real, .offset = REPORT(requests_per_s)},
    {.key = "p95_ms", .kind = &json_kind_us_as_ms, .offset = REPORT(request.p95_us)},
    {.key = "waiting", .kind = &json_kind_text, .offset = REPORT(waiting)},
    {.key = "seen", .kind = &json_kind_seen},
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
    (void)get_state(json_object_get(object, "state"), NULL, view, view);
    return view;
}
