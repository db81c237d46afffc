/* The numbers of a campaign second by second. */
#include "coordinator/core/series/series_inside.h"

#include "common/compose.h"
#include "common/memory.h"
#include "common/time_units.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

/* Of a second that every agent has reported: the one before the last. */
#define SERIES_SETTLED_S 1u

struct series *series_new(void)
{
    struct series *series = MEMORY_NEW(struct series);
    series->rows = map_new();
    series->point_s = 1;
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        series_row_init(&series->totals[group], (enum series_group)group, bytes_of(NULL, 0), 0);
    }
    return series;
}

void series_free(struct series **at)
{
    struct series *series = *at;
    struct map_cursor cursor = {0};
    if (series == NULL) {
        return;
    }
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        series_row_finish(&series->totals[group]);
    }
    while (map_next(series->rows, &cursor)) {
        struct series_row *row = cursor.value;
        series_row_finish(row);
        memory_free(row);
    }
    map_free(&series->rows);
    series_point_finish(&series->more);
    memory_free(series);
    *at = NULL;
}

typedef void series_row_function(struct series_row *row);

static void series_each_row(struct series *series, series_row_function *function)
{
    struct map_cursor cursor = {0};
    series->packed_bytes = 0;
    for (int group = 0; group < SERIES_GROUP_COUNT; group++) {
        function(&series->totals[group]);
        series->packed_bytes += series->totals[group].packed.size;
    }
    while (map_next(series->rows, &cursor)) {
        struct series_row *row = cursor.value;
        function(row);
        series->packed_bytes += row->packed.size;
    }
}

static void series_halve(struct series *series)
{
    series_each_row(series, series_row_halve);
    series->points /= 2;
    series->point_s *= 2;
}

static void series_close_row(struct series_row *row, uint64_t second)
{
    struct series_point *open = &row->open[second % SERIES_OPEN_S];
    if (!series_point_is_empty(open)) {
        series_point_merge(&row->filling, open, row->group);
        series_point_clear(open);
    }
}

/* The second is no longer open. */
static void series_close(struct series *series, uint64_t second)
{
    struct map_cursor cursor = {0};
    bool *is_used = &series->is_used[second % SERIES_OPEN_S];
    for (int group = 0; *is_used && group < SERIES_GROUP_COUNT; group++) {
        series_close_row(&series->totals[group], second);
    }
    while (*is_used && map_next(series->rows, &cursor)) {
        series_close_row(cursor.value, second);
    }
    *is_used = false;
    if ((second + 1) % series->point_s > 0) {
        return;
    }
    series_each_row(series, series_row_pack_point);
    series->points++;
    while (series->points >= SERIES_POINTS ||
           (series->points > 1 && series->packed_bytes > SERIES_MAX_BYTES)) {
        series_halve(series);
    }
}

static void series_advance(struct series *series, uint64_t second)
{
    for (; series->seconds <= second; series->seconds++) {
        if (series->seconds >= SERIES_OPEN_S) {
            series_close(series, series->seconds - SERIES_OPEN_S);
        }
    }
}

struct series_row *series_add_row(struct series *series, enum series_group group, struct bytes name)
{
    uint8_t key[1 + LIMIT_NAME_BYTES] = {(uint8_t)group};
    struct series_row *row = MEMORY_NEW(struct series_row);
    assert(name.size <= LIMIT_NAME_BYTES);
    if (name.size > 0) {
        memcpy(key + 1, name.data, name.size);
    }
    series_row_init(row, group, name, series->points);
    (void)map_put(series->rows, bytes_of(key, name.size + 1), row);
    series->names[group]++;
    return row;
}

struct series_row *series_find_row(const struct series *series, enum series_group group, struct bytes name)
{
    uint8_t key[1 + LIMIT_NAME_BYTES] = {(uint8_t)group};
    if (name.size > 0) {
        memcpy(key + 1, name.data, name.size);
    }
    return map_get(series->rows, bytes_of(key, name.size + 1));
}

static struct series_row *series_need_row(struct series *series, enum series_group group, struct bytes name)
{
    if (name.size > LIMIT_NAME_BYTES) {
        name.size = LIMIT_NAME_BYTES;
    }
    struct series_row *row = series_find_row(series, group, name);
    if (row == NULL && series->names[group] >= SERIES_NAMES - 1) {
        name = bytes_of_string(SERIES_OTHER);
        row = series_find_row(series, group, name);
    }
    return row != NULL ? row : series_add_row(series, group, name);
}

/* Adds `series->more` to the row, which counts its packed bytes. */
static void series_add(struct series *series, struct series_row *row, uint64_t second)
{
    uint64_t open_from = series->seconds > SERIES_OPEN_S ? series->seconds - SERIES_OPEN_S : 0;
    struct series_point *more = &series->more;
    if (second >= open_from) {
        series_point_merge(&row->open[second % SERIES_OPEN_S], more, row->group);
        series->is_used[second % SERIES_OPEN_S] = true;
        series->revisions[second % SERIES_OPEN_S]++;
    } else if (second / series->point_s >= series->points) {
        series_point_merge(&row->filling, more, row->group);
    } else if (!series_point_is_empty(more)) {
        size_t before = row->packed.size;
        series_row_amend(row, second / series->point_s, more);
        series->packed_bytes += row->packed.size - before;
    }
}

static struct series_point *series_begin(struct series *series)
{
    series_point_clear(&series->more);
    return &series->more;
}

static void series_add_request(struct series *series, uint64_t second, const struct request_statistics *from)
{
    struct series_point *more = series_begin(series);
    enum series_group group = from->is_timing ? SERIES_TIMINGS : SERIES_REQUESTS;
    more->counters[0] = from->count;
    more->counters[1] = from->failed - from->forgiven; /* may be below 0: those of an earlier second */
    more->counters[2] = from->received_bytes;
    more->counters[3] = from->sent_bytes;
    sketch_add_histogram(&more->sketch, from->latency_us);
    series_add(series, series_need_row(series, group, from->name), second);
    if (!from->is_timing) {
        series_add(series, &series->totals[SERIES_REQUESTS], second);
    }
}

static void series_add_steps(struct series *series, uint64_t second, const struct statistics *from)
{
    struct series_point *more = series_begin(series);
    more->counters[0] = from->steps_ok;
    more->counters[1] = from->steps_failed;
    more->counters[2] = from->steps_stopped;
    sketch_add_histogram(&more->sketch, from->step_us);
    series_add(series, &series->totals[SERIES_STEPS], second);
}

static void series_add_scenario(struct series *series, uint64_t second,
                                const struct scenario_statistics *from)
{
    struct series_point *more = series_begin(series);
    for (size_t i = 0; i < 3; i++) {
        more->counters[i] = from->steps[i];
    }
    sketch_add_histogram(&more->sketch, from->step_us);
    series_add(series, series_need_row(series, SERIES_STEPS, from->name), second);
}

static void series_add_wait(struct series *series, uint64_t second, const struct wait_statistics *from)
{
    struct series_point *more = series_begin(series);
    char name[LIMIT_NAME_BYTES + 1];
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        more->counters[0] += from->outcomes[outcome];
        more->counters[1] += outcome != OUTCOME_OK ? from->outcomes[outcome] : 0;
    }
    sketch_add_histogram(&more->sketch, from->waited_us);
    compose(name, sizeof name, "%.*s.%s", BYTES_FORMAT(from->name), operation_name(from->kind));
    series_add(series, series_need_row(series, SERIES_WAITS, bytes_of_string(name)), second);
    series_add(series, &series->totals[SERIES_WAITS], second);
}

static void series_add_check(struct series *series, uint64_t second, const struct check_statistics *from)
{
    struct series_point *more = series_begin(series);
    more->counters[0] = from->passed;
    more->counters[1] = from->failed;
    series_add(series, series_need_row(series, SERIES_CHECKS, from->name), second);
    series_add(series, &series->totals[SERIES_CHECKS], second);
}

static void series_add_slice(struct series *series, uint64_t second, enum series_group group,
                             struct bytes name, const struct slice_statistics *from)
{
    struct series_point *more = series_begin(series);
    more->counters[0] = from->count;
    more->counters[1] = from->failed - from->forgiven; /* as in series_add_request */
    sketch_add_histogram(&more->sketch, from->us);
    series_add(series, series_need_row(series, group, name), second);
}

static void series_add_arrivals(struct series *series, uint64_t second, const struct statistics *from)
{
    struct series_point *more = series_begin(series);
    more->counters[0] = from->arrivals;
    more->counters[1] = from->dropped;
    sketch_add_histogram(&more->sketch, from->late_us);
    series_add(series, &series->totals[SERIES_ARRIVALS], second);
}

static void series_add_websocket(struct series *series, uint64_t second,
                                 const struct websocket_statistics *from)
{
    struct series_point *more = series_begin(series);
    more->counters[0] = from->counts[WEBSOCKET_COUNT_MESSAGES_IN];
    more->counters[1] = from->counts[WEBSOCKET_COUNT_MESSAGES_OUT];
    more->counters[2] = from->counts[WEBSOCKET_COUNT_BYTES_IN];
    more->counters[3] = from->counts[WEBSOCKET_COUNT_BYTES_OUT];
    series_add(series, series_need_row(series, SERIES_MESSAGES, from->name), second);
    series_add(series, &series->totals[SERIES_MESSAGES], second);
    more = series_begin(series);
    more->counters[0] = from->counts[WEBSOCKET_COUNT_OPENED];
    more->counters[1] = from->counts[WEBSOCKET_COUNT_FAILED];
    more->counters[2] = from->counts[WEBSOCKET_COUNT_LOST];
    more->counters[3] = from->counts[WEBSOCKET_COUNT_DROPPED];
    sketch_add_histogram(&more->sketch, from->handshake_us);
    series_add(series, series_need_row(series, SERIES_WEBSOCKETS, from->name), second);
    series_add(series, &series->totals[SERIES_WEBSOCKETS], second);
}

void series_add_statistics(struct series *series, uint64_t second, const struct statistics *from)
{
    series_advance(series, second);
    for (size_t i = 0; i < from->request_count; i++) {
        series_add_request(series, second, &from->requests[i]);
    }
    for (size_t i = 0; i < from->scenario_count; i++) {
        series_add_scenario(series, second, &from->scenarios[i]);
    }
    series_add_steps(series, second, from);
    for (size_t i = 0; i < from->wait_count; i++) {
        series_add_wait(series, second, &from->waits[i]);
    }
    for (size_t i = 0; i < from->check_count; i++) {
        series_add_check(series, second, &from->checks[i]);
    }
    for (size_t i = 0; i < from->slice_count; i++) {
        const struct slice_statistics *slice = &from->slices[i];
        if (slice->kind == SLICE_GROUP && slice->tag.size == 0) {
            series_add_slice(series, second, SERIES_GROUPS, slice->name, slice);
        }
    }
    series_add_arrivals(series, second, from);
    for (size_t i = 0; i < from->websocket_count; i++) {
        series_add_websocket(series, second, &from->websockets[i]);
    }
}

void series_add_tagged(struct series *series, uint64_t second, struct bytes tag,
                       const struct slice_statistics *from)
{
    series_advance(series, second);
    series_add_slice(series, second, SERIES_TAGS, tag, from);
}

void series_add_workers(struct series *series, uint64_t second, uint32_t workers)
{
    series_advance(series, second);
    series_begin(series)->counters[0] = workers;
    series_add(series, &series->totals[SERIES_LOAD], second);
}

void series_add_gauges(struct series *series, uint64_t second, const struct gauges *gauges)
{
    struct series_point *more = series_begin(series);
    series_advance(series, second);
    more->counters[1] = gauges->cpu_us;
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        more->counters[2] = loop->lag_p99_us > more->counters[2] ? loop->lag_p99_us : more->counters[2];
        more->counters[3] = loop->lag_max_us > more->counters[3] ? loop->lag_max_us : more->counters[3];
    }
    series_add(series, &series->totals[SERIES_LOAD], second);
}

void series_add_lost(struct series *series, uint64_t second, uint64_t steps)
{
    series_advance(series, second);
    series_begin(series)->counters[3] = steps;
    series_add(series, &series->totals[SERIES_STEPS], second);
}

void series_add_seen(struct series *series, uint64_t second, uint64_t seen_us)
{
    struct series_point *more = series_begin(series);
    series_advance(series, second);
    more->counters[0] = 1;
    sketch_add(&more->sketch, seen_us, 1);
    series_add(series, &series->totals[SERIES_SEEN], second);
}

struct series_recent series_recent(const struct series *series, uint64_t running_ns)
{
    static const double quantiles[] = {0.5, 0.95, 0.99};
    uint64_t now_s = running_ns / NS_PER_S;
    uint64_t end = now_s > SERIES_SETTLED_S ? now_s - SERIES_SETTLED_S : now_s;
    uint64_t begin = end > SERIES_RECENT_S ? end - SERIES_RECENT_S : 0;
    uint64_t open_from = series->seconds > SERIES_OPEN_S ? series->seconds - SERIES_OPEN_S : 0;
    struct series_recent recent = {.seconds = end - begin};
    struct series_point sum = {0};
    struct series_point messages = {0};
    for (uint64_t second = begin > open_from ? begin : open_from; second < end && second < series->seconds;
         second++) {
        series_point_merge(&sum, &series->totals[SERIES_REQUESTS].open[second % SERIES_OPEN_S],
                           SERIES_REQUESTS);
        series_point_merge(&messages, &series->totals[SERIES_MESSAGES].open[second % SERIES_OPEN_S],
                           SERIES_MESSAGES);
    }
    uint64_t values[3];
    sketch_quantiles(&sum.sketch, quantiles, values, 3);
    recent.requests = sum.counters[0];
    recent.failed = (int64_t)sum.counters[1] > 0 ? sum.counters[1] : 0;
    recent.messages = messages.counters[0] + messages.counters[1];
    recent.p50_us = values[0];
    recent.p95_us = values[1];
    recent.p99_us = values[2];
    series_point_finish(&sum);
    return recent;
}

struct series_seconds series_open_seconds(const struct series *series)
{
    return (struct series_seconds){series->seconds > SERIES_OPEN_S ? series->seconds - SERIES_OPEN_S : 0,
                                   series->seconds};
}

struct series_seconds series_settled_seconds(const struct series *series, uint64_t running_ns, bool has_ended)
{
    struct series_seconds seconds = series_open_seconds(series);
    uint64_t running_s = running_ns / NS_PER_S;
    uint64_t settled = running_s > SERIES_SETTLED_S ? running_s - SERIES_SETTLED_S : 0;
    if (!has_ended && settled < seconds.end) {
        seconds.end = settled > seconds.first ? settled : seconds.first;
    }
    return seconds;
}

uint64_t series_second_revision(const struct series *series, uint64_t second)
{
    return series->revisions[second % SERIES_OPEN_S];
}

uint64_t series_point_s(const struct series *series)
{
    return series->point_s;
}

uint64_t series_points(const struct series *series)
{
    return (series->seconds + series->point_s - 1) / series->point_s;
}

size_t series_bytes(const struct series *series)
{
    return series->packed_bytes;
}
