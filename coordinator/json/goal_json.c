/* The goal of a campaign, or its sizing, and the workers that were found for it, as JSON and back. */
#include "coordinator/json/goal_json.h"

#include "coordinator/json/json_put.h"

/* clang-format off */
#define GOAL(field) offsetof(struct goal_view, field)
static const struct json_row GOAL_ROWS[] = {
    {.key = "goal", .type = JSON_TABLE_TEXT, .offset = GOAL(text)},
    {.key = "state", .type = JSON_TABLE_TEXT, .offset = GOAL(state)},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = GOAL(workers)},
    {.key = "value", .type = JSON_TABLE_REAL, .offset = GOAL(value), JSON_IF(struct goal_view, has_value)},
    {.key = "unit", .type = JSON_TABLE_TEXT, .offset = GOAL(unit)},
    {.key = "reached", .type = JSON_TABLE_TEXT, .offset = GOAL(reached)},
};
#define SIZING(field) offsetof(struct sizing_view, field)
static const struct json_row SIZING_ROWS[] = {
    {.key = "state", .type = JSON_TABLE_TEXT, .offset = SIZING(state)},
    {.key = "workers", .type = JSON_TABLE_COUNT32, .offset = SIZING(workers)},
    {.key = "too_many", .type = JSON_TABLE_COUNT32, .offset = SIZING(too_many)},
    {.key = "failed_percent", .type = JSON_TABLE_REAL, .offset = SIZING(failed_percent)},
    {.key = "p95_ms", .type = JSON_TABLE_REAL, .offset = SIZING(p95_ms)},
};
static const struct json_table SIZINGS = {JSON_ROWS(SIZING_ROWS, struct sizing_view)};
static const struct json_table GOALS = {JSON_ROWS(GOAL_ROWS, struct goal_view)};
/* clang-format on */

static void put_goal(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    if (report->goal.text.size > 0) {
        json_t *goal = json_object();
        json_table_put(&GOALS, goal, &report->goal);
        json_put(object, key, goal);
    }
}

static bool get_goal(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    json_table_get(&GOALS, value, &report->goal, view);
    return json_is_object(value);
}

const struct json_special json_special_goal = {put_goal, get_goal};

static void put_sizing(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    if (report->sizing.state.size > 0) {
        json_t *sizing = json_object();
        json_table_put(&SIZINGS, sizing, &report->sizing);
        json_put(object, key, sizing);
    }
}

static bool get_sizing(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    json_table_get(&SIZINGS, value, &report->sizing, view);
    return json_is_object(value);
}

const struct json_special json_special_sizing = {put_sizing, get_sizing};
