/* How a campaign's plan was kept, as JSON and back: arrivals, lateness, and times from the intended start. */
#include "coordinator/json/load_json.h"

#include "coordinator/json/json_put.h"

/* clang-format off */
#define TIME(field) offsetof(struct quantiles, field)
static const struct json_row TIME_ROWS[] = {
    {.key = "p50", .type = JSON_TABLE_US_AS_MS, .offset = TIME(p50_us)},
    {.key = "p95", .type = JSON_TABLE_US_AS_MS, .offset = TIME(p95_us)},
    {.key = "p99", .type = JSON_TABLE_US_AS_MS, .offset = TIME(p99_us)},
    {.key = "max", .type = JSON_TABLE_US_AS_MS, .offset = TIME(maximum_us)},
};
static const struct json_table TIMES = {JSON_ROWS(TIME_ROWS, struct quantiles)};

#define LOAD(field) offsetof(struct report_view, field)
static const struct json_row ARRIVAL_ROWS[] = {
    {.key = "arrivals", .type = JSON_TABLE_COUNT, .offset = LOAD(arrivals)},
    {.key = "dropped", .type = JSON_TABLE_COUNT, .offset = LOAD(dropped)},
};
static const struct json_row GROWTH_ROWS[] = {
    {.key = "workers_grown", .type = JSON_TABLE_COUNT, .offset = LOAD(workers_grown)},
};
static const struct json_table GROWTH = {JSON_ROWS(GROWTH_ROWS, struct report_view)};
static const struct json_table ARRIVALS = {JSON_ROWS(ARRIVAL_ROWS, struct report_view)};
/* clang-format on */

/* Of steps, and of requests: from the intended start, and from the real one. */
static const struct {
    const char *key;
    size_t offset;
} LOAD_TIMES[] = {
    {"late_ms", LOAD(late)},
    {"step_response_ms", LOAD(response)},
    {"step_service_ms", LOAD(step)},
    {"request_response_ms", LOAD(request_response)},
    {"request_service_ms", LOAD(request)},
};

static void put_load(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    if (!report->has_plan) {
        return;
    }
    json_t *load = json_object();
    if (report->has_rate) {
        json_table_put(&ARRIVALS, load, report);
    }
    if (report->may_grow) {
        json_table_put(&GROWTH, load, report);
    }
    for (size_t i = 0; i < sizeof LOAD_TIMES / sizeof *LOAD_TIMES; i++) {
        json_t *times = json_object();
        json_table_put(&TIMES, times, (const char *)item + LOAD_TIMES[i].offset);
        json_put(load, LOAD_TIMES[i].key, times);
    }
    json_put(object, key, load);
}

static bool get_load(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    report->has_plan = json_is_object(value);
    report->has_rate = json_object_get(value, "arrivals") != NULL;
    report->may_grow = json_object_get(value, "workers_grown") != NULL;
    json_table_get(&ARRIVALS, value, item, view);
    json_table_get(&GROWTH, value, item, view);
    for (size_t i = 0; i < sizeof LOAD_TIMES / sizeof *LOAD_TIMES; i++) {
        json_table_get(&TIMES, json_object_get(value, LOAD_TIMES[i].key), (char *)item + LOAD_TIMES[i].offset,
                       view);
    }
    return report->has_plan;
}

const struct json_special json_special_load = {put_load, get_load};
