/* What readers saw of edits, as JSON. */
#include "coordinator/json/report_seen.h"

#include "coordinator/core/sync/sighting.h"
#include "coordinator/json/json_put.h"

#include <inttypes.h>
#include <stdio.h>

#define LAST_SHOWN 100u
#define WORKER_DIGITS 24

/* Takes `item`. */
static void put_by_name(json_t *object, struct bytes name, json_t *item)
{
    json_t *text = json_text(name);
    json_put(object, json_string_value(text), item);
    json_decref(text);
}

static json_t *last_of(const struct seen_report *seen)
{
    json_t *last = json_object();
    for (size_t i = 0; i < seen->last_count && i < LAST_SHOWN; i++) {
        char worker[WORKER_DIGITS];
        (void)snprintf(worker, sizeof worker, "%" PRIu32, seen->last[i].worker);
        json_put_count(last, worker, seen->last[i].times);
    }
    return last;
}

static json_t *seen_of(const struct seen_report *seen)
{
    json_t *item = json_object();
    json_put_count(item, "count", seen->seen_count);
    json_put_ms(item, "p50_ms", histogram_quantile(seen->seen_us, 0.5));
    json_put_ms(item, "p95_ms", histogram_quantile(seen->seen_us, 0.95));
    json_put_ms(item, "p99_ms", histogram_quantile(seen->seen_us, 0.99));
    json_put_ms(item, "max_ms", histogram_maximum(seen->seen_us));
    json_put_ms(item, "spread_p50_ms", histogram_quantile(seen->spread_us, 0.5));
    json_put_ms(item, "spread_max_ms", histogram_maximum(seen->spread_us));
    json_put(item, "last", last_of(seen));
    json_put_count(item, "before_edit", seen->before_edit);
    json_put_ms(item, "clock_uncertainty_ms", seen->uncertainty_us);
    return item;
}

json_t *report_seen_json(const struct campaign_report *report)
{
    json_t *object = json_object();
    for (size_t i = 0; i < report->seen_count; i++) {
        if (report->seen[i].seen_count > 0) {
            put_by_name(object, report->seen[i].name, seen_of(&report->seen[i]));
        }
    }
    return object;
}

static json_t *example_of(const struct divergence *divergence)
{
    json_t *item = json_object();
    json_t *workers = json_array();
    for (uint32_t i = 0; i < divergence->worker_count; i++) {
        json_array_append_new(workers, json_integer(divergence->workers[i]));
    }
    json_put_count(item, "room", divergence->room);
    json_put_count(item, "step", divergence->step);
    json_put_count(item, "reads", divergence->compared);
    json_put_count(item, "differed", divergence->differed);
    json_put(item, "from", json_string(divergence->is_from_written ? "written" : "most"));
    json_put(item, "workers", workers);
    return item;
}

static json_t *convergence_of(const struct seen_report *seen)
{
    json_t *item = json_object();
    json_t *examples = json_array();
    for (size_t i = 0; i < seen->example_count; i++) {
        json_array_append_new(examples, example_of(&seen->examples[i]));
    }
    json_put_count(item, "steps", seen->steps_compared);
    json_put_count(item, "diverged", seen->steps_diverged);
    json_put_count(item, "reads", seen->reads_compared);
    json_put_count(item, "differed", seen->reads_differed);
    json_put(item, "examples", examples);
    return item;
}

json_t *report_convergence_json(const struct campaign_report *report)
{
    json_t *object = json_object();
    for (size_t i = 0; i < report->seen_count; i++) {
        if (report->seen[i].steps_compared > 0) {
            put_by_name(object, report->seen[i].name, convergence_of(&report->seen[i]));
        }
    }
    return object;
}
