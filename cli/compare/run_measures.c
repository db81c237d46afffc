/* What one run measured: the numbers of its report, and how far each is off by the spread of its series. */
#include "cli/compare/run_measures.h"

#include "common/memory.h"
#include "common/time_units.h"

#include <assert.h>
#include <math.h>

/* Seconds of a run are put together to so many values: within one of them neighbours resemble each other. */
#define BATCHES 20u

static const struct {
    const char *name;
    bool has_name;
    enum series_group group;
} kinds[MEASURE_KINDS] = {
    [MEASURE_HTTP] = {"http", false, SERIES_REQUESTS},
    [MEASURE_REQUEST] = {"request", true, SERIES_REQUESTS},
    [MEASURE_RECORD] = {"record", true, SERIES_TIMINGS},
    [MEASURE_STEPS] = {"steps", false, SERIES_STEPS},
    [MEASURE_SCENARIO] = {"scenario", true, SERIES_STEPS},
    [MEASURE_SEEN] = {"seen", true, SERIES_SEEN},
};

static const char *const numbers[MEASURE_NUMBERS] = {
    [MEASURE_COUNT] = "count", [MEASURE_RATE] = "rate", [MEASURE_FAILED] = "failed",
    [MEASURE_P50] = "p50",     [MEASURE_P95] = "p95",   [MEASURE_P99] = "p99",
};

const char *measure_kind_name(enum measure_kind kind)
{
    return kinds[kind].name;
}

const char *measure_number_name(enum measure_number number)
{
    return numbers[number];
}

bool measure_is_time(enum measure_number number)
{
    return number >= MEASURE_P50;
}

bool measure_has_name(enum measure_kind kind)
{
    return kinds[kind].has_name;
}

/* The points of one row that are complete: the last one may not be. */
struct measure_points {
    const struct series_row_view *row;
    size_t stride;
    size_t count;
    uint64_t point_s;
};

/* Of sightings only their total is counted by the second. */
static bool measure_find_points(const struct series_view *series, enum measure_kind kind, struct bytes name,
                                struct measure_points *points)
{
    bool is_total = !measure_has_name(kind) || kind == MEASURE_SEEN;
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

/* Steps that were stopped are not counted, and sightings do not fail. */
static double measure_events(const struct measure_points *points, size_t at)
{
    double first = measure_point(points, 0, at);
    return points->row->group == SERIES_STEPS ? first + measure_point(points, 1, at) : first;
}

static double measure_failures(const struct measure_points *points, size_t at)
{
    return points->row->group == SERIES_SEEN ? 0 : measure_point(points, 1, at);
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

/* What a report says of a row; `is_known`: its times are in it. */
struct measure_source {
    enum measure_kind kind;
    struct bytes name;
    uint64_t count;
    uint64_t failed;
    double per_s;
    const struct quantiles *times;
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
    row->measures[MEASURE_P50].value = (double)source->times->p50_us;
    row->measures[MEASURE_P95].value = (double)source->times->p95_us;
    row->measures[MEASURE_P99].value = (double)source->times->p99_us;
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

void run_measures_init(struct run_measures *run, const struct report_view *report,
                       const struct series_view *series)
{
    *run = (struct run_measures){0};
    SCOPED(series_view_free) struct series_view *none = series_view_of(NULL);
    measure_totals(run, report, series);
    measure_requests(run, report, series, false);
    measure_requests(run, report, series, true);
    measure_steps(run, report, series);
    for (size_t i = 0; i < report->seen_count; i++) {
        const struct seen_view *seen = &report->seen[i];
        measure_add(run,
                    &(struct measure_source){MEASURE_SEEN, seen->name, seen->count, 0,
                                             measure_rate(report, seen->count), &seen->seen},
                    report->seen_count == 1 ? series : none);
    }
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
