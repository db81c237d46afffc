/* What readers saw of edits, put together again from the report of the API. */
#include "cli/remote/control_seen.h"
#include "cli/remote/control_json.h"
#include "common/memory.h"
#include "coordinator/core/sync/sighting.h"

#include <stdlib.h>

struct control_seen {
    struct seen_report *reports;
    size_t count;
    struct last_seen *last; /* of all of them */
    size_t last_count;
    struct divergence *examples; /* likewise */
    size_t example_count;
};

static size_t sum_of_lists(json_t *object, const char *key)
{
    const char *name = NULL;
    json_t *item = NULL;
    size_t sum = 0;
    json_object_foreach(object, name, item)
    {
        const json_t *list = json_object_get(item, key);
        sum += json_array_size(list) + json_object_size(list);
    }
    return sum;
}

static void read_last(struct control_seen *seen, struct seen_report *report, json_t *object)
{
    const char *worker = NULL;
    json_t *times = NULL;
    report->last = seen->last + seen->last_count;
    json_object_foreach(object, worker, times)
    {
        seen->last[seen->last_count++] = (struct last_seen){.worker = (uint32_t)strtoul(worker, NULL, 10),
                                                            .times = control_json_count(object, worker)};
        report->last_count++;
    }
}

static void read_workers(struct divergence *divergence, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < LIMIT_MISSING; i++) {
        divergence->workers[divergence->worker_count++] =
            (uint32_t)json_integer_value(json_array_get(list, i));
    }
}

static void read_examples(struct control_seen *seen, struct seen_report *report, const json_t *list)
{
    report->examples = seen->examples + seen->example_count;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct divergence *divergence = &seen->examples[seen->example_count++];
        *divergence = (struct divergence){
            .room = (uint32_t)control_json_count(item, "room"),
            .step = control_json_count(item, "step"),
            .compared = (uint32_t)control_json_count(item, "reads"),
            .differed = (uint32_t)control_json_count(item, "differed"),
            .is_from_written = bytes_equal_string(control_json_text(item, "from"), "written"),
        };
        read_workers(divergence, json_object_get(item, "workers"));
        report->example_count++;
    }
}

static void read_convergence(struct control_seen *seen, struct seen_report *report, const json_t *item)
{
    report->steps_compared = control_json_count(item, "steps");
    report->steps_diverged = control_json_count(item, "diverged");
    report->reads_compared = control_json_count(item, "reads");
    report->reads_differed = control_json_count(item, "differed");
    read_examples(seen, report, json_object_get(item, "examples"));
}

/* The middle is all that is told of it. */
static void control_seen_read_spread(struct histogram *spread, const json_t *item)
{
    histogram_add(spread, control_json_ms_as_us(item, "spread_p50_ms"), 50);
    histogram_add(spread, control_json_ms_as_us(item, "spread_max_ms"), 50);
}

struct control_seen *control_seen_new(const json_t *object, control_quantiles *quantiles, void *context)
{
    struct control_seen *seen = MEMORY_NEW(struct control_seen);
    json_t *times = json_object_get(object, "seen");
    json_t *convergence = json_object_get(object, "convergence");
    const char *name = NULL;
    json_t *item = NULL;
    seen->reports =
        memory_new(json_object_size(times) + json_object_size(convergence) + 1, sizeof *seen->reports);
    seen->last = memory_new(sum_of_lists(times, "last") + 1, sizeof *seen->last);
    seen->examples = memory_new(sum_of_lists(convergence, "examples") + 1, sizeof *seen->examples);
    json_object_foreach(times, name, item)
    {
        struct seen_report *report = &seen->reports[seen->count++];
        struct histogram *spread = quantiles(context, NULL);
        control_seen_read_spread(spread, item);
        *report = (struct seen_report){.name = bytes_of_string(name),
                                       .seen_us = quantiles(context, item),
                                       .spread_us = spread,
                                       .seen_count = control_json_count(item, "count"),
                                       .before_edit = control_json_count(item, "before_edit"),
                                       .uncertainty_us = control_json_ms_as_us(item, "clock_uncertainty_ms")};
        read_last(seen, report, json_object_get(item, "last"));
        read_convergence(seen, report, json_object_get(convergence, name));
    }
    json_object_foreach(convergence, name, item)
    {
        if (json_object_get(times, name) == NULL) {
            struct seen_report *report = &seen->reports[seen->count++];
            *report = (struct seen_report){.name = bytes_of_string(name),
                                           .seen_us = quantiles(context, NULL),
                                           .spread_us = quantiles(context, NULL)};
            read_convergence(seen, report, item);
        }
    }
    return seen;
}

void control_seen_free(struct control_seen **seen)
{
    if (*seen != NULL) {
        memory_free((*seen)->reports);
        memory_free((*seen)->last);
        memory_free((*seen)->examples);
        memory_free(*seen);
        *seen = NULL;
    }
}

void control_seen_get(const struct control_seen *seen, struct campaign_report *report)
{
    report->seen = seen->reports;
    report->seen_count = seen->count;
}
