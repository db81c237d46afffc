/* What one run measured: the numbers of its report, and how far each is off by the spread of its series. */
#include "cli/compare/run_measures.h"

#include "common/memory.h"
#include "common/time_units.h"

#include <assert.h>
#include <math.h>

/* Seconds of a run are put together to so many values: within one of them neighbours resemble each other. */
#define BATCHES 20u

/* Of some only their total is counted by the second. */
enum measure_series { SERIES_OF_TOTAL, SERIES_OF_NAME };

static const struct {
    const char *word;
    enum measure_form form;
    enum series_group group;
    enum measure_series series;
} kinds[MEASURE_KINDS] = {
    [MEASURE_HTTP] = {"http", MEASURE_ALONE, SERIES_REQUESTS, SERIES_OF_TOTAL},
    [MEASURE_TAG] = {"http", MEASURE_TAGGED, SERIES_TAGS, SERIES_OF_NAME},
    [MEASURE_REQUEST] = {"request", MEASURE_NAMED, SERIES_REQUESTS, SERIES_OF_NAME},
    [MEASURE_RECORD] = {"record", MEASURE_NAMED, SERIES_TIMINGS, SERIES_OF_NAME},
    [MEASURE_GROUP] = {"group", MEASURE_NAMED, SERIES_GROUPS, SERIES_OF_NAME},
    [MEASURE_STEPS] = {"steps", MEASURE_ALONE, SERIES_STEPS, SERIES_OF_TOTAL},
    [MEASURE_SCENARIO] = {"scenario", MEASURE_NAMED, SERIES_STEPS, SERIES_OF_NAME},
    [MEASURE_WAITS] = {"waits", MEASURE_NAMED, SERIES_WAITS, SERIES_OF_NAME},
    [MEASURE_SEEN] = {"seen", MEASURE_NAMED, SERIES_SEEN, SERIES_OF_TOTAL},
    [MEASURE_CHECKS] = {"checks", MEASURE_ALONE, SERIES_CHECKS, SERIES_OF_TOTAL},
    [MEASURE_CHECK] = {"checks", MEASURE_NAMED, SERIES_CHECKS, SERIES_OF_NAME},
    [MEASURE_WEBSOCKET] = {"websocket", MEASURE_NAMED, SERIES_WEBSOCKETS, SERIES_OF_NAME},
    [MEASURE_MESSAGES] = {"messages", MEASURE_NAMED, SERIES_MESSAGES, SERIES_OF_NAME},
};

/* How many of the first columns of a row are events, and which one counts failures: NO_COLUMN if none does.
 * Steps that were stopped are not counted, and sightings do not fail. */
#define NO_COLUMN SIZE_MAX
static const struct {
    size_t events;
    size_t failures;
} columns[SERIES_GROUP_COUNT] = {
    [SERIES_REQUESTS] = {1, 1},     [SERIES_TIMINGS] = {1, 1},
    [SERIES_STEPS] = {2, 1},        [SERIES_WAITS] = {1, 1},
    [SERIES_TAGS] = {1, 1},         [SERIES_GROUPS] = {1, 1},
    [SERIES_SEEN] = {1, NO_COLUMN}, [SERIES_CHECKS] = {2, 1},
    [SERIES_WEBSOCKETS] = {2, 1},   [SERIES_MESSAGES] = {2, NO_COLUMN},
};

static const char *const numbers[MEASURE_NUMBERS] = {
    [MEASURE_COUNT] = "count", [MEASURE_RATE] = "rate", [MEASURE_FAILED] = "failed",
    [MEASURE_P50] = "p50",     [MEASURE_P95] = "p95",   [MEASURE_P99] = "p99",
};

const char *measure_kind_name(enum measure_kind kind)
{
    return kinds[kind].word;
}

const char *measure_number_name(enum measure_number number)
{
    return numbers[number];
}

bool measure_is_time(enum measure_number number)
{
    return number >= MEASURE_P50;
}

enum measure_form measure_form(enum measure_kind kind)
{
    return kinds[kind].form;
}

/* The points of one row that are complete: the last one may not be. */
struct measure_points {
    const struct series_row_view *row;
    size_t stride;
    size_t count;
    uint64_t point_s;
};

static bool measure_find_points(const struct series_view *series, enum measure_kind kind, struct bytes name,
                                struct measure_points *points)
{
    bool is_total = kinds[kind].series == SERIES_OF_TOTAL;
    for (size_t i = 0; i < series->row_count; i++) {
        const struct series_row_view *row = &series->rows[i];
        if (row->group == kinds[kind].group && row->is_total == is_total &&
            (is_total || bytes_equal(row->name.bytes, name))) {
            *points = (struct measure_points){row, series->points, series->points - (series->points > 0),
                                              series->point_s};
            return true;
        }
    }
    return false;
}

static double measure_point(const struct measure_points *points, size_t column, size_t at)
{
    uint64_t value = points->row->values[column * points->stride + at];
    return value == SERIES_NONE ? NAN : (double)value;
}

static double measure_events(const struct measure_points *points, size_t at)
{
    double events = 0;
    for (size_t column = 0; column < columns[points->row->group].events; column++) {
        events += measure_point(points, column, at);
    }
    return events;
}

static double measure_failures(const struct measure_points *points, size_t at)
{
    size_t column = columns[points->row->group].failures;
    return column == NO_COLUMN ? 0 : measure_point(points, column, at);
}

/* The number within the points `from`…`to` − 1; NAN if there is none. */
static double measure_batch(const struct measure_points *points, enum measure_number number, size_t from,
                            size_t to)
{
    double events = 0;
    double failures = 0;
    double weight = 0;
    double sum = 0;
    for (size_t at = from; at < to; at++) {
        double here = measure_events(points, at);
        events += here;
        failures += measure_failures(points, at);
        if (measure_is_time(number)) {
            size_t column =
                SERIES_GROUP_COLUMNS[points->row->group].counter_count + (size_t)(number - MEASURE_P50);
            double value = measure_point(points, column, at);
            weight += isnan(value) ? 0 : here;
            sum += isnan(value) ? 0 : here * value;
        }
    }
    if (measure_is_time(number)) {
        return weight > 0 ? sum / weight : NAN;
    }
    if (number == MEASURE_FAILED) {
        return events > 0 ? failures / events : NAN;
    }
    return events / (double)((to - from) * points->point_s);
}

static void measure_spread(struct measure *measure, enum measure_number number,
                           const struct measure_points *points)
{
    double values[BATCHES];
    size_t batches = points->count < BATCHES ? points->count : BATCHES;
    size_t count = 0;
    for (size_t i = 0; i < batches; i++) {
        double value =
            measure_batch(points, number, i * points->count / batches, (i + 1) * points->count / batches);
        if (!isnan(value)) {
            values[count++] = value;
        }
    }
    struct spread spread = spread_of_series(values, count);
    measure->freedom = spread.freedom;
    measure->error = spread.error;
    /* The p95 of all is not the mean of those of each second, but about as uncertain. */
    if (number != MEASURE_FAILED && spread.mean > 0) {
        measure->error *= measure->value / spread.mean;
    }
}

/* What a report says of a row. */
struct measure_source {
    enum measure_kind kind;
    struct bytes name;
    uint64_t count;
    uint64_t failed;
    double per_s;
    const struct quantiles *times; /* NULL: it has none */
};

static void measure_add(struct run_measures *run, const struct measure_source *source,
                        const struct series_view *series)
{
    if (source->count == 0) {
        return;
    }
    run->rows = memory_reserve(run->rows, &run->capacity, run->count + 1, sizeof *run->rows);
    struct measure_row *row = &run->rows[run->count++];
    *row = (struct measure_row){.kind = source->kind, .name = text_copy(source->name)};
    row->measures[MEASURE_COUNT].value = (double)source->count;
    row->measures[MEASURE_RATE].value = source->per_s;
    row->measures[MEASURE_FAILED].value = (double)source->failed / (double)source->count;
    if (source->times != NULL) {
        row->measures[MEASURE_P50].value = (double)source->times->p50_us;
        row->measures[MEASURE_P95].value = (double)source->times->p95_us;
        row->measures[MEASURE_P99].value = (double)source->times->p99_us;
    }
    struct measure_points points;
    bool has_points = measure_find_points(series, source->kind, source->name, &points);
    for (int i = 0; i < MEASURE_NUMBERS; i++) {
        struct measure *measure = &row->measures[i];
        measure->is_known = measure_is_time((enum measure_number)i) ? measure->value > 0 : true;
        if (has_points && i != MEASURE_COUNT && measure->is_known) {
            measure_spread(measure, (enum measure_number)i, &points);
        }
    }
    row->measures[MEASURE_FAILED].is_known = source->kind != MEASURE_SEEN;
}

static double measure_rate(const struct report_view *report, uint64_t count)
{
    return report->running_ns > 0 ? (double)count * (double)NS_PER_S / (double)report->running_ns : 0;
}

static void measure_requests(struct run_measures *run, const struct report_view *report,
                             const struct series_view *series, bool are_timings)
{
    for (size_t i = 0; i < report->request_count; i++) {
        const struct request_view *request = &report->requests[i];
        if (request->is_timing == are_timings) {
            measure_add(run,
                        &(struct measure_source){are_timings ? MEASURE_RECORD : MEASURE_REQUEST,
                                                 request->name, request->count, request->failed,
                                                 request->per_s, &request->latency},
                        series);
        }
    }
}

static void measure_totals(struct run_measures *run, const struct report_view *report,
                           const struct series_view *series)
{
    struct measure_source source = {.kind = MEASURE_HTTP, .times = &report->request};
    for (size_t i = 0; i < report->request_count; i++) {
        source.count += report->requests[i].is_timing ? 0 : report->requests[i].count;
        source.failed += report->requests[i].is_timing ? 0 : report->requests[i].failed;
    }
    source.per_s = measure_rate(report, source.count);
    measure_add(run, &source, series);
}

static void measure_steps(struct run_measures *run, const struct report_view *report,
                          const struct series_view *series)
{
    uint64_t steps = report->steps_ok + report->steps_failed;
    measure_add(run,
                &(struct measure_source){MEASURE_STEPS, bytes_of(NULL, 0), steps, report->steps_failed,
                                         measure_rate(report, steps), &report->step},
                series);
    for (size_t i = 0; i < report->scenario_count; i++) {
        const struct scenario_view *scenario = &report->scenarios[i];
        uint64_t count = scenario->ok + scenario->failed;
        measure_add(run,
                    &(struct measure_source){MEASURE_SCENARIO, scenario->name, count, scenario->failed,
                                             measure_rate(report, count), &scenario->step},
                    series);
    }
}

/* Groups, or all requests with each tag. */
static void measure_slices(struct run_measures *run, const struct report_view *report,
                           const struct series_view *series, enum measure_kind kind)
{
    for (size_t i = 0; i < report->slice_count; i++) {
        const struct slice_view *slice = &report->slices[i];
        bool is_group = slice->kind == SLICE_GROUP && slice->tag.size == 0;
        bool is_tag = slice->kind == SLICE_REQUEST && slice->tag.size > 0 && slice->name.size == 0;
        if (kind == MEASURE_GROUP ? !is_group : !is_tag) {
            continue;
        }
        SCOPED(memory_free_at)
        char *tag = memory_format("%.*s%s%.*s", BYTES_FORMAT(slice->tag), slice_view_equals(slice),
                                  BYTES_FORMAT(slice->value));
        measure_add(run,
                    &(struct measure_source){kind, is_group ? slice->name : bytes_of_string(tag),
                                             slice->count, slice->failed, slice->per_s, &slice->took},
                    series);
    }
}

/* What the end of the campaign has stopped has neither succeeded nor failed. */
static void measure_waits(struct run_measures *run, const struct report_view *report,
                          const struct series_view *series)
{
    for (size_t i = 0; i < report->wait_count; i++) {
        const struct wait_view *wait = &report->waits[i];
        uint64_t failed = wait->count - wait->outcomes[OUTCOME_OK] - wait->outcomes[OUTCOME_STOPPED];
        SCOPED(memory_free_at)
        char *name = memory_format("%.*s.%s", BYTES_FORMAT(wait->name), operation_name(wait->kind));
        measure_add(run,
                    &(struct measure_source){MEASURE_WAITS, bytes_of_string(name), wait->count, failed,
                                             measure_rate(report, wait->count), &wait->waited},
                    series);
    }
}

static void measure_seen(struct run_measures *run, const struct report_view *report,
                         const struct series_view *series)
{
    SCOPED(series_view_free) struct series_view *none = series_view_of(NULL);
    for (size_t i = 0; i < report->seen_count; i++) {
        const struct seen_view *seen = &report->seen[i];
        measure_add(run,
                    &(struct measure_source){MEASURE_SEEN, seen->name, seen->count, 0,
                                             measure_rate(report, seen->count), &seen->seen},
                    report->seen_count == 1 ? series : none);
    }
}

static void measure_checks(struct run_measures *run, const struct report_view *report,
                           const struct series_view *series)
{
    struct measure_source all = {.kind = MEASURE_CHECKS};
    for (size_t i = 0; i < report->check_count; i++) {
        const struct check_view *check = &report->checks[i];
        uint64_t count = check->passed + check->failed;
        all.count += count;
        all.failed += check->failed;
        measure_add(run,
                    &(struct measure_source){MEASURE_CHECK, check->name, count, check->failed,
                                             measure_rate(report, count), NULL},
                    series);
    }
    all.per_s = measure_rate(report, all.count);
    measure_add(run, &all, series);
}

static void measure_websockets(struct run_measures *run, const struct report_view *report,
                               const struct series_view *series)
{
    for (size_t i = 0; i < report->websocket_count; i++) {
        const struct websocket_view *websocket = &report->websockets[i];
        const uint64_t *counts = websocket->counts;
        uint64_t tried = counts[WEBSOCKET_COUNT_OPENED] + counts[WEBSOCKET_COUNT_FAILED];
        uint64_t messages = counts[WEBSOCKET_COUNT_MESSAGES_IN] + counts[WEBSOCKET_COUNT_MESSAGES_OUT];
        measure_add(run,
                    &(struct measure_source){MEASURE_WEBSOCKET, websocket->name, tried,
                                             counts[WEBSOCKET_COUNT_FAILED], measure_rate(report, tried),
                                             &websocket->handshake},
                    series);
        measure_add(run,
                    &(struct measure_source){MEASURE_MESSAGES, websocket->name, messages,
                                             counts[WEBSOCKET_COUNT_DROPPED], measure_rate(report, messages),
                                             NULL},
                    series);
    }
}

void run_measures_init(struct run_measures *run, const struct report_view *report,
                       const struct series_view *series)
{
    *run = (struct run_measures){0};
    measure_totals(run, report, series);
    measure_slices(run, report, series, MEASURE_TAG);
    measure_requests(run, report, series, false);
    measure_requests(run, report, series, true);
    measure_slices(run, report, series, MEASURE_GROUP);
    measure_steps(run, report, series);
    measure_waits(run, report, series);
    measure_seen(run, report, series);
    measure_checks(run, report, series);
    measure_websockets(run, report, series);
}

void run_measures_finish(struct run_measures *run)
{
    for (size_t i = 0; i < run->count; i++) {
        text_finish(&run->rows[i].name);
    }
    memory_free(run->rows);
    *run = (struct run_measures){0};
}

const struct measure_row *run_measures_find(const struct run_measures *run, enum measure_kind kind,
                                            struct bytes name)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->rows[i].kind == kind && bytes_equal(run->rows[i].name.bytes, name)) {
            return &run->rows[i];
        }
    }
    return NULL;
}
