/* A comparison as JSON. */
#include "cli/compare/comparison_view.h"
#include "common/time_units.h"
#include "coordinator/json/json_put.h"

#include <math.h>

#define US_PER_MS 1000.0

static json_t *comparison_runs(const struct compared_run *runs, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct report_view *report = runs[i].report;
        json_t *run = json_object();
        json_put_text(run, "name", runs[i].name);
        json_put_count(run, "campaign", report->campaign);
        json_put_text(run, "script", report->script);
        json_put(run, "verdict", json_string(verdict_name(report->verdict)));
        json_put_count(run, "workers", report->workers);
        json_put_s(run, "duration_s", report->running_ns);
        json_put(run, "has_series", json_boolean(runs[i].has_series));
        (void)json_array_append_new(list, run);
    }
    return list;
}

/* Null where it is not known, or infinite. */
static json_t *comparison_real(bool is_known, double value)
{
    return is_known && isfinite(value) ? json_real(value) : json_null();
}

static json_t *comparison_number(const struct compared *compared, enum measure_number number)
{
    double unit = measure_is_time(number) ? US_PER_MS : 1;
    bool has_both = compared->has_base && compared->has_new;
    json_t *object = json_object();
    json_put(object, "base", comparison_real(compared->has_base, compared->base / unit));
    json_put(object, "new", comparison_real(compared->has_new, compared->new / unit));
    json_put(object, "change", comparison_real(has_both, has_both ? compared_change(compared, number) : 0));
    if (compared->change != CHANGE_NONE) {
        json_put(
            object, "noise",
            comparison_real(compared->has_noise, compared->has_noise ? compared_noise(compared, number) : 0));
        json_put(object, "p_value", comparison_real(compared->has_noise, compared->probability));
        json_put(object, "verdict", json_string(change_name(compared->change)));
    }
    return object;
}

static json_t *comparison_rows(const struct comparison *comparison)
{
    static const char *const keys[MEASURE_NUMBERS] = {
        [MEASURE_COUNT] = "count", [MEASURE_RATE] = "per_s", [MEASURE_FAILED] = "failed_share",
        [MEASURE_P50] = "p50_ms",  [MEASURE_P95] = "p95_ms", [MEASURE_P99] = "p99_ms",
    };
    json_t *rows = json_array();
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared_row *row = &comparison->rows[i];
        json_t *object = json_object();
        json_put(object, "metric", json_string(measure_kind_name(row->kind)));
        json_put(object, "name", row->name.size > 0 ? json_text(row->name) : json_null());
        for (int number = 0; number < MEASURE_NUMBERS; number++) {
            const struct compared *compared = &row->numbers[number];
            if (compared->has_base || compared->has_new) {
                json_put(object, keys[number], comparison_number(compared, (enum measure_number)number));
            }
        }
        (void)json_array_append_new(rows, object);
    }
    return rows;
}

static json_t *comparison_fail_ifs(const struct comparison_view *view)
{
    json_t *list = json_array();
    for (size_t i = 0; i < view->fail_if_count; i++) {
        const struct judged_fail_if *judged = &view->fail_ifs[i];
        json_t *object = json_object();
        json_put_text(object, "condition", judged->condition.text);
        json_put(object, "outcome", json_string(fail_if_outcome_name(judged->outcome)));
        json_put(object, "is_failed", json_boolean(fail_if_is_hit(judged->outcome)));
        (void)json_array_append_new(list, object);
    }
    return list;
}

json_t *comparison_json(const struct comparison_view *view)
{
    json_t *object = json_object();
    json_put(object, "verdict", json_string(change_name(view->comparison->change)));
    json_put(object, "level", json_real(view->settings.level));
    json_put(object, "tolerance", json_real(view->settings.tolerance));
    json_put(object, "base", comparison_runs(view->base, view->base_count));
    json_put(object, "new", comparison_runs(view->new, view->new_count));
    json_put(object, "rows", comparison_rows(view->comparison));
    json_put(object, "fail_if", comparison_fail_ifs(view));
    return object;
}
