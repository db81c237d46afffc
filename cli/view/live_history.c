/* The last minute of a campaign, second by second, and its picture in one line. */
#include "cli/view/live_history.h"
#include "common/clock.h"

#include <assert.h>
#include <string.h>

#define HEIGHTS 8u

static const char *const BLOCKS[HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

static void live_history_begin(struct live_history *history)
{
    history->is_begun = true;
    for (size_t i = 0; i < LIVE_HISTORY_SECONDS; i++) {
        history->rates[i] = LIVE_HISTORY_NONE;
        history->p95_us[i] = LIVE_HISTORY_NONE;
    }
}

static double live_history_step_rate(uint64_t now, uint64_t before, double seconds)
{
    return now > before ? (double)(now - before) / seconds : 0;
}

/* What is between two reports is spread over the seconds between them. */
void live_history_add(struct live_history *history, const struct report_view *report)
{
    uint64_t second = report->running_ns / NS_PER_S;
    uint64_t steps = report->steps_ok + report->steps_failed;
    if (!history->is_begun || second < history->newest) {
        live_history_begin(history);
        history->newest = second;
        history->seen_ns = report->running_ns;
        history->requests = report->requests_total;
        history->steps = steps;
        return;
    }
    if (second == history->newest) {
        return;
    }
    double seconds = (double)(report->running_ns - history->seen_ns) / (double)NS_PER_S;
    double rate = report->requests_total > 0
                      ? live_history_step_rate(report->requests_total, history->requests, seconds)
                      : live_history_step_rate(steps, history->steps, seconds);
    uint64_t oldest = second > LIVE_HISTORY_SECONDS ? second - LIVE_HISTORY_SECONDS : 0;
    uint64_t from = history->newest > oldest ? history->newest : oldest;
    for (uint64_t at = from + 1; at <= second; at++) {
        history->rates[at % LIVE_HISTORY_SECONDS] = rate;
        history->p95_us[at % LIVE_HISTORY_SECONDS] =
            report->requests_total > 0 ? (double)report->recent.p95_us : LIVE_HISTORY_NONE;
    }
    history->newest = second;
    history->seen_ns = report->running_ns;
    history->requests = report->requests_total;
    history->steps = steps;
}

/* NULL if the total of the group is not there. */
static const struct series_row_view *live_history_total(const struct series_view *series,
                                                        enum series_group group)
{
    for (size_t i = 0; i < series->row_count; i++) {
        if (series->rows[i].is_total && series->rows[i].group == group) {
            return &series->rows[i];
        }
    }
    return NULL;
}

/* SERIES_NONE where the row has no such column. */
static uint64_t live_history_value(const struct series_view *series, const struct series_row_view *row,
                                   const char *key, size_t point)
{
    for (size_t i = 0; row != NULL && i < series_column_count(row->group); i++) {
        if (strcmp(series_column(row->group, i).key, key) == 0) {
            return row->values[i * series->points + point];
        }
    }
    return SERIES_NONE;
}

static double live_history_counted(const struct series_view *series, bool has_requests, size_t point)
{
    const struct series_row_view *row =
        live_history_total(series, has_requests ? SERIES_REQUESTS : SERIES_STEPS);
    uint64_t count = live_history_value(series, row, has_requests ? "count" : "ok", point);
    uint64_t failed = has_requests ? 0 : live_history_value(series, row, "failed", point);
    return count == SERIES_NONE || failed == SERIES_NONE ? LIVE_HISTORY_NONE
                                                         : (double)(count + failed) / (double)series->point_s;
}

/* The last point may be incomplete: it is left out. */
void live_history_seed(struct live_history *history, const struct series_view *series,
                       const struct report_view *report)
{
    bool has_requests = report->requests_total > 0;
    history->is_begun = false;
    live_history_add(history, report);
    uint64_t oldest =
        history->newest >= LIVE_HISTORY_SECONDS ? history->newest - LIVE_HISTORY_SECONDS + 1 : 1;
    for (uint64_t second = oldest; series->point_s > 0 && second <= history->newest; second++) {
        uint64_t point = (second - 1) / series->point_s;
        if (point + 1 >= series->points) {
            break;
        }
        uint64_t p95 =
            live_history_value(series, live_history_total(series, SERIES_REQUESTS), "p95_ms", point);
        history->rates[second % LIVE_HISTORY_SECONDS] = live_history_counted(series, has_requests, point);
        history->p95_us[second % LIVE_HISTORY_SECONDS] = p95 == SERIES_NONE ? LIVE_HISTORY_NONE : (double)p95;
    }
}

double live_history_most(const double values[LIVE_HISTORY_SECONDS])
{
    double most = LIVE_HISTORY_NONE;
    for (size_t i = 0; i < LIVE_HISTORY_SECONDS; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most;
}

double live_history_rate(const struct live_history *history, uint64_t seconds)
{
    double sum = 0;
    uint64_t known = 0;
    assert(seconds <= LIVE_HISTORY_SECONDS);
    for (uint64_t i = 0; history->is_begun && i < seconds && i <= history->newest; i++) {
        double rate = history->rates[(history->newest - i) % LIVE_HISTORY_SECONDS];
        if (rate >= 0) {
            sum += rate;
            known++;
        }
    }
    return known > 0 ? sum / (double)known : 0;
}

/* The mean of what is known of `count` seconds from `ago` seconds before the newest. */
static double live_history_mean(const struct live_history *history, const double *values, size_t ago,
                                size_t count)
{
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t back = ago - i;
        double value = back <= history->newest ? values[(history->newest - back) % LIVE_HISTORY_SECONDS]
                                               : LIVE_HISTORY_NONE;
        if (value >= 0) {
            sum += value;
            known++;
        }
    }
    return known > 0 ? sum / (double)known : LIVE_HISTORY_NONE;
}

void live_history_draw(const struct live_history *history, const double values[LIVE_HISTORY_SECONDS],
                       size_t columns, struct buffer *line)
{
    double means[LIVE_HISTORY_SECONDS];
    double most = 0;
    size_t each = LIVE_HISTORY_SECONDS / columns;
    assert(columns > 0 && each * columns == LIVE_HISTORY_SECONDS);
    for (size_t i = 0; i < columns; i++) {
        size_t ago = LIVE_HISTORY_SECONDS - 1 - i * each;
        means[i] = history->is_begun ? live_history_mean(history, values, ago, each) : LIVE_HISTORY_NONE;
        most = means[i] > most ? means[i] : most;
    }
    for (size_t i = 0; i < columns; i++) {
        size_t height = most > 0 && means[i] > 0 ? (size_t)(means[i] / most * (HEIGHTS - 1) + 0.5) : 0;
        buffer_append_string(line, means[i] < 0 ? " " : BLOCKS[height]);
    }
}
