/* What a report has by name, as JSON and back: requests, timings, waits. */
#include "coordinator/json/named_json.h"

#include "common/memory.h"
#include "coordinator/json/json_codes.h"
#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"
#include "coordinator/json/traces_json.h"

#include <string.h>

/* clang-format off */
#define PHASE(field) offsetof(struct quantiles, field)
static const struct json_row PHASE_ROWS[] = {
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = PHASE(p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = PHASE(p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = PHASE(p99_us)},
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = PHASE(maximum_us)},
};
static const struct json_table PHASES = {JSON_ROWS(PHASE_ROWS, struct quantiles)};

static void put_phases(json_t *object, const char *key, const void *item);
static bool get_phases(const json_t *value, void *item, struct report_view *view);
static const struct json_special json_special_phases = {put_phases, get_phases};

static void put_response(json_t *object, const char *key, const void *item);
static bool get_response(const json_t *value, void *item, struct report_view *view);
static const struct json_special json_special_response = {put_response, get_response};

#define REQUEST(field) offsetof(struct request_view, field)
#define TIME_ROWS(at) \
    {.key = "min_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(minimum_us)}, \
    {.key = "mean_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(mean_us)}, \
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(p50_us)}, \
    {.key = "p90_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(p90_us)}, \
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(p95_us)}, \
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(p99_us)}, \
    {.key = "p999_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(p999_us)}, \
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(maximum_us)}, \
    {.key = "stddev_ms", .type = JSON_TABLE_US_AS_MS, .offset = (at) + PHASE(deviation_us)}

/* Of a request alone, not of a timing. */
static const struct json_row SENT_ROWS[] = {
    {.key = "bytes_in", .type = JSON_TABLE_COUNT, .offset = REQUEST(received_bytes)},
    {.key = "bytes_out", .type = JSON_TABLE_COUNT, .offset = REQUEST(sent_bytes)},
};
static const struct json_table SENT = {JSON_ROWS(SENT_ROWS, struct request_view)};

static const struct json_row REQUEST_ROWS[] = {
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = REQUEST(count)},
    {.key = "ok", .type = JSON_TABLE_COUNT, .offset = REQUEST(ok)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = REQUEST(failed)},
    {.key = "per_s", .type = JSON_TABLE_REAL, .offset = REQUEST(per_s)},
    TIME_ROWS(REQUEST(latency)),
    {.key = "response", .type = JSON_TABLE_SPECIAL, .special = &json_special_response},
    {.key = "phases", .type = JSON_TABLE_SPECIAL, .special = &json_special_phases},
    {.key = "slowest", .type = JSON_TABLE_SPECIAL, .special = &json_special_slowest},
};
static const struct json_table REQUESTS = {JSON_ROWS(REQUEST_ROWS, struct request_view)};

#define SCENARIO(field) offsetof(struct scenario_view, field)
static const struct json_row SCENARIO_ROWS[] = {
    {.key = "ok", .type = JSON_TABLE_COUNT, .offset = SCENARIO(ok)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = SCENARIO(failed)},
    {.key = "stopped", .type = JSON_TABLE_COUNT, .offset = SCENARIO(stopped)},
    {.key = "per_s", .type = JSON_TABLE_REAL, .offset = SCENARIO(per_s)},
    {.key = "share", .type = JSON_TABLE_REAL, .offset = SCENARIO(share)},
    {.key = "weight_share", .type = JSON_TABLE_REAL, .offset = SCENARIO(weight_share)},
    TIME_ROWS(SCENARIO(step)),
};
static const struct json_table SCENARIOS = {JSON_ROWS(SCENARIO_ROWS, struct scenario_view)};

#define WAIT(field) offsetof(struct wait_view, field)
static const struct json_row WAIT_ROWS[] = {
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = WAIT(waited.p50_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = WAIT(waited.p99_us)},
};
static const struct json_table WAITS = {JSON_ROWS(WAIT_ROWS, struct wait_view)};
/* clang-format on */

/* Left out where they were not measured. */
static void put_phases(json_t *object, const char *key, const void *item)
{
    const struct request_view *request = item;
    if (!request->has_phases) {
        return;
    }
    json_t *phases = json_object();
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        json_t *of_phase = json_object();
        json_table_put(&PHASES, of_phase, &request->phases[phase]);
        json_put(phases, request_phase_name((enum request_phase)phase), of_phase);
    }
    json_put(object, key, phases);
}

static bool get_phases(const json_t *value, void *item, struct report_view *view)
{
    struct request_view *request = item;
    request->has_phases = json_is_object(value);
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        json_table_get(&PHASES, json_object_get(value, request_phase_name((enum request_phase)phase)),
                       &request->phases[phase], view);
    }
    return request->has_phases;
}

/* Left out where their steps begin as soon as they can. */
static void put_response(json_t *object, const char *key, const void *item)
{
    const struct request_view *request = item;
    if (request->has_response) {
        json_t *response = json_object();
        json_table_put(&PHASES, response, &request->response);
        json_put(object, key, response);
    }
}

static bool get_response(const json_t *value, void *item, struct report_view *view)
{
    struct request_view *request = item;
    request->has_response = json_is_object(value);
    json_table_get(&PHASES, value, &request->response, view);
    return request->has_response;
}

static json_t *requests_by_name(const struct report_view *report, bool are_timings)
{
    json_t *requests = json_object();
    for (size_t i = 0; i < report->request_count; i++) {
        if (report->requests[i].is_timing == are_timings) {
            json_t *item = json_object();
            json_table_put(&REQUESTS, item, &report->requests[i]);
            if (!are_timings) {
                json_table_put(&SENT, item, &report->requests[i]);
                json_put(item, "statuses", json_codes(&report->requests[i].statuses));
            }
            json_put_by_name(requests, report->requests[i].name, item);
        }
    }
    return requests;
}

static void put_requests(json_t *object, const char *key, const void *item)
{
    json_put(object, key, requests_by_name(item, false));
}

static void put_timings(json_t *object, const char *key, const void *item)
{
    json_put(object, key, requests_by_name(item, true));
}

/* Appends them to those that are there. */
static bool read_requests(const json_t *object, bool are_timings, struct report_view *report,
                          struct report_view *view)
{
    const char *name = NULL;
    json_t *item = NULL;
    size_t count = report->request_count;
    struct request_view *requests =
        report_view_array(view, count + json_object_size(object), sizeof *requests);
    for (size_t i = 0; i < count; i++) {
        requests[i] = report->requests[i];
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, item)
    {
        requests[count].name = report_view_text(view, bytes_of_string(name));
        requests[count].is_timing = are_timings;
        json_table_get(&REQUESTS, item, &requests[count], view);
        json_table_get(&SENT, item, &requests[count], view);
        json_read_codes(json_object_get(item, "statuses"), &requests[count++].statuses);
    }
    report->requests = requests;
    report->request_count = count;
    return json_is_object(object);
}

static bool get_requests(const json_t *value, void *item, struct report_view *view)
{
    return read_requests(value, false, item, view);
}

static bool get_timings(const json_t *value, void *item, struct report_view *view)
{
    return read_requests(value, true, item, view);
}

static void put_scenarios(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *scenarios = json_object();
    for (size_t i = 0; i < report->scenario_count; i++) {
        json_t *inner = json_object();
        json_table_put(&SCENARIOS, inner, &report->scenarios[i]);
        json_put_by_name(scenarios, report->scenarios[i].name, inner);
    }
    json_put(object, key, scenarios);
}

static bool get_scenarios(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    const char *name = NULL;
    json_t *inner = NULL;
    struct scenario_view *scenarios = report_view_array(view, json_object_size(value), sizeof *scenarios);
    report->scenario_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        struct scenario_view *scenario = &scenarios[report->scenario_count++];
        scenario->name = report_view_text(view, bytes_of_string(name));
        json_table_get(&SCENARIOS, inner, scenario, view);
    }
    report->scenarios = scenarios;
    return json_is_object(value);
}

static json_t *wait_object(const struct wait_view *wait)
{
    json_t *item = json_object();
    json_put(item, "kind", json_string(operation_name(wait->kind)));
    json_put_count(item, "count", wait->count);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        json_put_count(item, outcome_name((enum outcome)i), wait->outcomes[i]);
    }
    json_table_put(&WAITS, item, wait);
    return item;
}

static void put_waits(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *waits = json_object();
    for (size_t i = 0; i < report->wait_count; i++) {
        const struct wait_view *wait = &report->waits[i];
        json_t *name = json_text(wait->name);
        SCOPED(memory_free_at)
        char *full = memory_format("%s.%s", json_string_value(name), operation_name(wait->kind));
        json_put(waits, full, wait_object(wait));
        json_decref(name);
    }
    json_put(object, key, waits);
}

static bool find_wait_kind(struct bytes name, enum operation_kind *kind)
{
    for (int known = 0; known < OPERATION_KIND_COUNT; known++) {
        if (bytes_equal_string(name, operation_name((enum operation_kind)known))) {
            *kind = (enum operation_kind)known;
            return true;
        }
    }
    return false;
}

/* The name alone, of NAME.KIND. */
static struct bytes name_of_wait(const char *key, const char *kind)
{
    size_t length = strlen(key);
    size_t end = strlen(kind) + 1;
    return bytes_of(key, length > end && strcmp(key + length - end + 1, kind) == 0 ? length - end : length);
}

static bool read_wait(const char *key, const json_t *item, struct wait_view *wait, struct report_view *view)
{
    if (!find_wait_kind(json_get_text(item, "kind"), &wait->kind)) {
        return false;
    }
    wait->name = report_view_text(view, name_of_wait(key, operation_name(wait->kind)));
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        wait->outcomes[i] = json_get_count(item, outcome_name((enum outcome)i));
        wait->count += wait->outcomes[i];
    }
    json_table_get(&WAITS, item, wait, view);
    return true;
}

static bool get_waits(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    const char *key = NULL;
    json_t *inner = NULL;
    struct wait_view *waits = report_view_array(view, json_object_size(value), sizeof *waits);
    report->wait_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, key, inner)
    {
        report->wait_count += read_wait(key, inner, &waits[report->wait_count], view);
    }
    report->waits = waits;
    return json_is_object(value);
}

const struct json_special json_special_requests = {put_requests, get_requests};
const struct json_special json_special_timings = {put_timings, get_timings};
const struct json_special json_special_scenarios = {put_scenarios, get_scenarios};
const struct json_special json_special_waits = {put_waits, get_waits};
