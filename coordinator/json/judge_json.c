/* Checks, thresholds and outputs of a report as JSON and back. */
#include "coordinator/json/judge_json.h"

#include "coordinator/json/json_put.h"

static const char *name_of_outcome(int outcome)
{
    return threshold_outcome_name((enum threshold_outcome)outcome);
}

static const struct json_names OUTCOMES = {name_of_outcome, THRESHOLD_PENDING, THRESHOLD_MISSED};

/* clang-format off */
#define THRESHOLD(field) offsetof(struct threshold_view, field)
static const struct json_row THRESHOLD_ROWS[] = {
    {.key = "threshold", .type = JSON_TABLE_TEXT, .offset = THRESHOLD(text)},
    {.key = "outcome", .type = JSON_TABLE_NAME, .offset = THRESHOLD(outcome), .names = &OUTCOMES},
    {.key = "value", .type = JSON_TABLE_REAL, .offset = THRESHOLD(value), JSON_IF(struct threshold_view, has_value)},
    {.key = "unit", .type = JSON_TABLE_TEXT, .offset = THRESHOLD(unit)},
    {.key = "reached", .type = JSON_TABLE_TEXT, .offset = THRESHOLD(reached)},
    {.key = "missed_at_s", .type = JSON_TABLE_NS_AS_S, .offset = THRESHOLD(missed_ns), JSON_IF(struct threshold_view, has_moment)},
};
const struct json_table json_table_thresholds = {JSON_ROWS(THRESHOLD_ROWS, struct threshold_view)};

#define CHECK(field) offsetof(struct check_view, field)
static const struct json_row CHECK_ROWS[] = {
    {.key = "passed", .type = JSON_TABLE_COUNT, .offset = CHECK(passed)},
    {.key = "failed", .type = JSON_TABLE_COUNT, .offset = CHECK(failed)},
    {.key = "message", .type = JSON_TABLE_TEXT, .offset = CHECK(text)},
    {.key = "worker", .type = JSON_TABLE_COUNT32, .offset = CHECK(worker)},
    {.key = "step", .type = JSON_TABLE_COUNT, .offset = CHECK(step)},
};
static const struct json_table CHECKS = {JSON_ROWS(CHECK_ROWS, struct check_view)};

#define OUTPUT(field) offsetof(struct output_view, field)
static const struct json_row OUTPUT_ROWS[] = {
    {.key = "output", .type = JSON_TABLE_TEXT, .offset = OUTPUT(name)},
    {.key = "points", .type = JSON_TABLE_COUNT, .offset = OUTPUT(points)},
    {.key = "lost", .type = JSON_TABLE_COUNT, .offset = OUTPUT(lost)},
    {.key = "error", .type = JSON_TABLE_TEXT, .offset = OUTPUT(error)},
};
const struct json_table json_table_outputs = {JSON_ROWS(OUTPUT_ROWS, struct output_view)};
/* clang-format on */

static void put_checks(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *checks = json_object();
    for (size_t i = 0; i < report->check_count; i++) {
        json_t *inner = json_object();
        json_table_put(&CHECKS, inner, &report->checks[i]);
        json_put_by_name(checks, report->checks[i].name, inner);
    }
    json_put(object, key, checks);
}

static bool get_checks(const json_t *value, void *item, struct report_view *view)
{
    struct report_view *report = item;
    struct check_view *checks = report_view_array(view, json_object_size(value), sizeof *checks);
    const char *name = NULL;
    json_t *inner = NULL;
    report->check_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, name, inner)
    {
        struct check_view *check = &checks[report->check_count++];
        check->name = report_view_text(view, bytes_of_string(name));
        json_table_get(&CHECKS, inner, check, view);
    }
    report->checks = checks;
    return json_is_object(value);
}

const struct json_special json_special_checks = {put_checks, get_checks};
