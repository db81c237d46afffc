/* The goal of a campaign, and the workers that were found for it, as JSON and back. */
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
