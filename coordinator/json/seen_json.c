/* What readers saw of edits, as JSON and back. */
#include "coordinator/json/seen_json.h"

#include "coordinator/json/json_get.h"
#include "coordinator/json/json_put.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKER_DIGITS 24

/* How often each worker was the last to see, by its id. */
static void put_last(json_t *object, const char *key, const void *item)
{
    const struct seen_view *seen = item;
    json_t *last = json_object();
    for (size_t i = 0; i < seen->last_count; i++) {
        char worker[WORKER_DIGITS];
        (void)snprintf(worker, sizeof worker, "%" PRIu32, seen->last[i].worker);
        json_put_count(last, worker, seen->last[i].times);
    }
    json_put(object, key, last);
}

static bool get_last(const json_t *value, void *item, struct report_view *view)
{
    struct seen_view *seen = item;
    const char *worker = NULL;
    json_t *times = NULL;
    struct last_seen *last = report_view_array(view, json_object_size(value), sizeof *last);
    seen->last_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, worker, times)
    {
        last[seen->last_count++] =
            (struct last_seen){.worker = (uint32_t)strtoul(worker, NULL, 10), .times = json_count_of(times)};
    }
    seen->last = last;
    return json_is_object(value);
}

/* Left out as long as all are listed. */
static void put_others(json_t *object, const char *key, const void *item)
{
    const struct seen_view *seen = item;
    if (seen->last_others > 0) {
        json_put_count(object, key, seen->last_others);
    }
}

static bool get_others(const json_t *value, void *item, struct report_view *view)
{
    struct seen_view *seen = item;
    (void)view;
    seen->last_others = json_count_of(value);
    return json_is_integer(value);
}

static void put_from(json_t *object, const char *key, const void *item)
{
    const struct divergence *divergence = item;
    json_put(object, key, json_string(divergence->is_from_written ? "written" : "most"));
}

static bool get_from(const json_t *value, void *item, struct report_view *view)
{
    struct divergence *divergence = item;
    (void)view;
    divergence->is_from_written =
        bytes_equal_string(bytes_of(json_string_value(value), json_string_length(value)), "written");
    return json_is_string(value);
}

static void put_workers(json_t *object, const char *key, const void *item)
{
    const struct divergence *divergence = item;
    json_t *workers = json_array();
    for (uint32_t i = 0; i < divergence->worker_count; i++) {
        json_array_append_new(workers, json_integer(divergence->workers[i]));
    }
    json_put(object, key, workers);
}

static bool get_workers(const json_t *value, void *item, struct report_view *view)
{
    struct divergence *divergence = item;
    (void)view;
    divergence->worker_count = 0;
    for (size_t i = 0; i < json_array_size(value) && i < LIMIT_MISSING; i++) {
        divergence->workers[divergence->worker_count++] = (uint32_t)json_count_of(json_array_get(value, i));
    }
    return json_is_array(value);
}

/* clang-format off */
#define PART(field) offsetof(struct seen_part_view, field)
static const struct json_row PART_ROWS[] = {
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = PART(count)},
    {.key = "at_once", .type = JSON_TABLE_COUNT, .offset = PART(at_once)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = PART(seen.p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = PART(seen.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = PART(seen.p99_us)},
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = PART(seen.maximum_us)},
};
static const struct json_table PART_TIMES = {JSON_ROWS(PART_ROWS, struct seen_part_view)};
/* clang-format on */

/* Left out where there is one kind of browser, or none. */
static void put_parts(json_t *object, const char *key, const void *item)
{
    const struct seen_view *seen = item;
    if (seen->part_count == 0) {
        return;
    }
    json_t *parts = json_object();
    for (size_t i = 0; i < seen->part_count; i++) {
        json_t *inner = json_object();
        json_table_put(&PART_TIMES, inner, &seen->parts[i]);
        json_put_by_name(parts, seen->parts[i].browser, inner);
    }
    json_put(object, key, parts);
}

static bool get_parts(const json_t *value, void *item, struct report_view *view)
{
    struct seen_view *seen = item;
    const char *browser = NULL;
    json_t *inner = NULL;
    struct seen_part_view *parts = report_view_array(view, json_object_size(value), sizeof *parts);
    seen->part_count = 0;
    json_object_foreach((json_t *)(uintptr_t)value, browser, inner)
    {
        struct seen_part_view *part = &parts[seen->part_count++];
        json_table_get(&PART_TIMES, inner, part, view);
        part->browser = report_view_text(view, bytes_of_string(browser));
    }
    seen->parts = parts;
    return json_is_object(value);
}

static const struct json_special special_parts = {put_parts, get_parts};
static const struct json_special special_last = {put_last, get_last};
static const struct json_special special_others = {put_others, get_others};
static const struct json_special special_from = {put_from, get_from};
static const struct json_special special_workers = {put_workers, get_workers};

/* clang-format off */
#define EXAMPLE(field) offsetof(struct divergence, field)
static const struct json_row EXAMPLE_ROWS[] = {
    {.key = "room", .type = JSON_TABLE_COUNT32, .offset = EXAMPLE(room)},
    {.key = "step", .type = JSON_TABLE_COUNT, .offset = EXAMPLE(step)},
    {.key = "reads", .type = JSON_TABLE_COUNT32, .offset = EXAMPLE(compared)},
    {.key = "differed", .type = JSON_TABLE_COUNT32, .offset = EXAMPLE(differed)},
    {.key = "from", .type = JSON_TABLE_SPECIAL, .special = &special_from},
    {.key = "workers", .type = JSON_TABLE_SPECIAL, .special = &special_workers},
};
static const struct json_table EXAMPLES = {JSON_ROWS(EXAMPLE_ROWS, struct divergence)};

#define SEEN(field) offsetof(struct seen_view, field)
static const struct json_row SEEN_ROWS[] = {
    {.key = "count", .type = JSON_TABLE_COUNT, .offset = SEEN(count)},
    {.key = "p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(seen.p50_us)},
    {.key = "p95_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(seen.p95_us)},
    {.key = "p99_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(seen.p99_us)},
    {.key = "max_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(seen.maximum_us)},
    {.key = "spread_p50_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(spread.p50_us)},
    {.key = "spread_max_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(spread.maximum_us)},
    {.key = "last", .type = JSON_TABLE_SPECIAL, .special = &special_last},
    {.key = "last_others", .type = JSON_TABLE_SPECIAL, .special = &special_others},
    {.key = "before_edit", .type = JSON_TABLE_COUNT, .offset = SEEN(before_edit)},
    {.key = "at_once", .type = JSON_TABLE_COUNT, .offset = SEEN(at_once)},
    {.key = "browsers", .type = JSON_TABLE_SPECIAL, .special = &special_parts},
    {.key = "clock_uncertainty_ms", .type = JSON_TABLE_US_AS_MS, .offset = SEEN(uncertainty_us)},
};
static const struct json_table TIMES = {JSON_ROWS(SEEN_ROWS, struct seen_view)};

static const struct json_row CONVERGENCE_ROWS[] = {
    {.key = "steps", .type = JSON_TABLE_COUNT, .offset = SEEN(steps_compared)},
    {.key = "diverged", .type = JSON_TABLE_COUNT, .offset = SEEN(steps_diverged)},
    {.key = "reads", .type = JSON_TABLE_COUNT, .offset = SEEN(reads_compared)},
    {.key = "differed", .type = JSON_TABLE_COUNT, .offset = SEEN(reads_differed)},
    {.key = "examples", .type = JSON_TABLE_LIST, .offset = SEEN(examples), .count_offset = SEEN(example_count), .table = &EXAMPLES},
};
static const struct json_table CONVERGENCE = {JSON_ROWS(CONVERGENCE_ROWS, struct seen_view)};
/* clang-format on */

static void put_seen(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *all = json_object();
    for (size_t i = 0; i < report->seen_count; i++) {
        if (report->seen[i].count + report->seen[i].at_once > 0) {
            json_t *inner = json_object();
            json_table_put(&TIMES, inner, &report->seen[i]);
            json_put_by_name(all, report->seen[i].name, inner);
        }
    }
    json_put(object, key, all);
}

static void put_convergence(json_t *object, const char *key, const void *item)
{
    const struct report_view *report = item;
    json_t *all = json_object();
    for (size_t i = 0; i < report->seen_count; i++) {
        if (report->seen[i].steps_compared > 0) {
            json_t *inner = json_object();
            json_table_put(&CONVERGENCE, inner, &report->seen[i]);
            json_put_by_name(all, report->seen[i].name, inner);
        }
    }
    json_put(object, key, all);
}

static int compare_seen_views(const void *left, const void *right)
{
    const struct seen_view *one = left;
    const struct seen_view *other = right;
    return bytes_compare(one->name, other->name);
}

/* Adds to those that are there, which are sorted, by name. */
static bool read_seen(const json_t *object, const struct json_table *table, struct report_view *report,
                      struct report_view *view)
{
    const char *name = NULL;
    json_t *inner = NULL;
    size_t before = report->seen_count;
    size_t count = before;
    struct seen_view *all = report_view_array(view, before + json_object_size(object), sizeof *all);
    for (size_t i = 0; i < before; i++) {
        all[i] = report->seen[i];
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, inner)
    {
        const struct seen_view wanted = {.name = bytes_of_string(name)};
        struct seen_view *seen = bsearch(&wanted, all, before, sizeof *all, compare_seen_views);
        if (seen == NULL) {
            seen = &all[count++];
            seen->name = report_view_text(view, wanted.name);
        }
        json_table_get(table, inner, seen, view);
    }
    qsort(all, count, sizeof *all, compare_seen_views);
    report->seen = all;
    report->seen_count = count;
    return json_is_object(object);
}

static bool get_seen(const json_t *value, void *item, struct report_view *view)
{
    return read_seen(value, &TIMES, item, view);
}

static bool get_convergence(const json_t *value, void *item, struct report_view *view)
{
    return read_seen(value, &CONVERGENCE, item, view);
}

const struct json_special json_special_seen = {put_seen, get_seen};
const struct json_special json_special_convergence = {put_convergence, get_convergence};
