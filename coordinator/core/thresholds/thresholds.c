/* The thresholds of a campaign. */
#include "coordinator/core/thresholds/thresholds_inside.h"

#include "common/memory.h"

#include <string.h>

#define INTERVAL_MS 1000u
/* With `abort`: agents report once a second, and two seconds after it is true the campaign is ending. */
#define ABORT_INTERVAL_MS 500u
#define MS_PER_S 1000.0
/* What agents count in the first second is known in the next: until then there seems to be less than there
 * is. */
#define FIRST_REPORT_MS 2000u

static bool measure_has_tags_of(const struct measure *measure, const struct threshold *threshold)
{
    char text[THRESHOLD_TAGS_BYTES];
    char other[THRESHOLD_TAGS_BYTES];
    return bytes_equal(threshold_tags_text(measure->about, text), threshold_tags_text(threshold, other));
}

static bool measure_serves(const struct measure *measure, const struct threshold *threshold)
{
    const struct threshold *about = measure->about;
    return about->metric == threshold->metric && about->is_pattern == threshold->is_pattern &&
           bytes_equal(about->name, threshold->name) && about->over_ms == threshold->over_ms &&
           about->after_ms == threshold->after_ms && measure_has_tags_of(measure, threshold);
}

static uint32_t thresholds_need_measure(struct thresholds *thresholds, const struct threshold *threshold)
{
    uint32_t i = 0;
    while (i < thresholds->measure_count && !measure_serves(&thresholds->measures[i], threshold)) {
        i++;
    }
    if (i == thresholds->measure_count) {
        thresholds->measures[i] =
            (struct measure){.about = threshold,
                             .window = threshold->over_ms > 0 ? threshold_window_new(threshold->over_ms,
                                                                                     threshold->after_ms == 0)
                                                              : NULL};
        thresholds->measure_count++;
    }
    return i;
}

struct thresholds *thresholds_new(struct bytes text)
{
    struct thresholds *thresholds = MEMORY_NEW(struct thresholds);
    thresholds->text = text_copy(text);
    thresholds->results = memory_new(THRESHOLDS_MAX, sizeof *thresholds->results);
    thresholds->measures = memory_new(THRESHOLDS_MAX, sizeof *thresholds->measures);
    thresholds->measure_of = memory_new(THRESHOLDS_MAX, sizeof *thresholds->measure_of);
    thresholds->interval_ms = INTERVAL_MS;
    struct bytes rest = thresholds->text.bytes;
    struct bytes one;
    while (thresholds->count < THRESHOLDS_MAX && thresholds_next(&rest, &one)) {
        struct threshold *threshold = &thresholds->results[thresholds->count].threshold;
        if (threshold_parse(one, threshold, NULL)) {
            uint32_t measure = thresholds_need_measure(thresholds, threshold);
            thresholds->measures[measure].has_times |= threshold_is_time(threshold);
            thresholds->measure_of[thresholds->count++] = measure;
            thresholds->interval_ms = threshold->is_abort ? ABORT_INTERVAL_MS : thresholds->interval_ms;
        }
    }
    if (thresholds->count == 0) {
        thresholds_free(&thresholds);
    }
    return thresholds;
}

void thresholds_free(struct thresholds **at)
{
    struct thresholds *thresholds = *at;
    if (thresholds == NULL) {
        return;
    }
    for (size_t i = 0; i < thresholds->measure_count; i++) {
        histogram_free(&thresholds->measures[i].before_us);
        histogram_free(&thresholds->measures[i].since_us);
        threshold_window_free(&thresholds->measures[i].window);
    }
    text_finish(&thresholds->text);
    memory_free(thresholds->results);
    memory_free(thresholds->measures);
    memory_free(thresholds->measure_of);
    memory_free(thresholds);
    *at = NULL;
}

uint64_t thresholds_interval_ms(const struct thresholds *thresholds)
{
    return thresholds->interval_ms;
}

const struct threshold_result *thresholds_results(const struct thresholds *thresholds, size_t *count)
{
    *count = thresholds->count;
    return thresholds->results;
}

/* What a threshold is compared with. */
struct sample {
    struct threshold_numbers numbers;
    bool is_known;
    uint64_t length_ms;
};

/* What has come since `after` was over. */
static void measure_leave_out(struct measure *measure, struct threshold_numbers *numbers)
{
    for (size_t i = 0; i < THRESHOLD_COUNTS; i++) {
        numbers->counts[i] -= measure->before_counts[i];
    }
    if (measure->before_us == NULL || numbers->us == NULL) {
        return;
    }
    if (measure->since_us == NULL) {
        measure->since_us = histogram_new();
    }
    struct histogram_cursor cursor = {0};
    histogram_clear(measure->since_us);
    histogram_merge(measure->since_us, numbers->us);
    while (histogram_next(measure->before_us, &cursor)) {
        histogram_remove_bucket(measure->since_us, cursor.bucket, cursor.count);
    }
    numbers->us = measure->since_us;
}

static void measure_begin(struct measure *measure, uint64_t elapsed_ms,
                          const struct threshold_numbers *totals)
{
    measure->is_begun = true;
    measure->begun_ms = measure->about->after_ms > 0 ? elapsed_ms : 0;
    if (measure->about->after_ms == 0) {
        return;
    }
    memcpy(measure->before_counts, totals->counts, sizeof measure->before_counts);
    if (totals->us != NULL) {
        measure->before_us = histogram_new();
        histogram_merge(measure->before_us, totals->us);
    }
}

/* False if there is nothing to be judged now. */
static bool measure_take(struct measure *measure, uint64_t elapsed_ms, const struct threshold_source *source,
                         bool is_end, struct sample *sample)
{
    struct threshold_totals totals = {0};
    if (elapsed_ms < measure->about->after_ms) {
        return false;
    }
    source->look(source->context, measure->about, &totals);
    totals.numbers.us = measure->has_times ? totals.numbers.us : NULL;
    if (!measure->is_begun) {
        measure_begin(measure, elapsed_ms, &totals.numbers);
    }
    sample->is_known = totals.is_known;
    if (measure->window == NULL) {
        sample->numbers = totals.numbers;
        sample->length_ms = elapsed_ms - measure->begun_ms;
        measure_leave_out(measure, &sample->numbers);
        return true;
    }
    bool has_moved = true;
    if (is_end) {
        threshold_window_finish(measure->window, elapsed_ms, &totals.numbers);
    } else {
        has_moved = threshold_window_advance(measure->window, elapsed_ms, &totals.numbers);
    }
    sample->numbers = threshold_window_numbers(measure->window, &sample->length_ms);
    return has_moved && (is_end || threshold_window_is_full(measure->window));
}

static double time_of(const struct threshold *threshold, const struct histogram *us)
{
    switch (threshold->statistic) {
    case THRESHOLD_MINIMUM:
        return (double)histogram_quantile(us, 0);
    case THRESHOLD_MEAN:
        return histogram_mean(us);
    case THRESHOLD_MAXIMUM:
        return (double)histogram_maximum(us);
    default:
        return (double)histogram_quantile(us, threshold->quantile);
    }
}

/* False if nothing was measured. */
static bool sample_value(const struct sample *sample, const struct threshold *threshold, double *value)
{
    if (threshold_is_time(threshold)) {
        const struct histogram *us = sample->numbers.us;
        bool has_some = us != NULL && histogram_count(us) > 0;
        *value = has_some ? time_of(threshold, us) : 0;
        return has_some;
    }
    /* What was forgiven since may be more than what failed since. */
    int64_t counted = (int64_t)sample->numbers.counts[threshold->count];
    double number = counted > 0 ? (double)counted : 0;
    uint64_t all = sample->numbers.counts[THRESHOLD_ALL];
    if (threshold->statistic == THRESHOLD_SHARE) {
        *value = all > 0 ? 100.0 * number / (double)all : 0;
        return all > 0;
    }
    bool is_rate = threshold->statistic == THRESHOLD_RATE;
    *value = !is_rate ? number : sample->length_ms > 0 ? number * MS_PER_S / (double)sample->length_ms : 0;
    bool is_of_all = threshold->name.size == 0 && threshold->tag_count == 0;
    return (sample->is_known || is_of_all) && (!is_rate || sample->length_ms > 0);
}

/* Whether `value` is farther from what is wanted. */
static bool is_worse(const struct threshold *threshold, double value, double than)
{
    switch (threshold->comparison) {
    case THRESHOLD_LESS:
    case THRESHOLD_AT_MOST:
        return value > than;
    case THRESHOLD_MORE:
    case THRESHOLD_AT_LEAST:
        return value < than;
    case THRESHOLD_EQUAL:
    case THRESHOLD_UNEQUAL:
        return !threshold_holds(threshold, value);
    }
    return false;
}

static void result_take(struct threshold_result *result, const struct sample *sample, uint64_t elapsed_ms,
                        bool is_end)
{
    const struct threshold *threshold = &result->threshold;
    double value = 0;
    if (!sample_value(sample, threshold, &value)) {
        return;
    }
    bool is_window = threshold->over_ms > 0;
    bool is_time_or_share = threshold_is_time(threshold) || threshold->statistic == THRESHOLD_SHARE;
    uint64_t after_ms = threshold->after_ms > FIRST_REPORT_MS ? threshold->after_ms : FIRST_REPORT_MS;
    if (is_window && !is_time_or_share &&
        (is_end ? result->has_value : elapsed_ms < after_ms + threshold->over_ms)) {
        return; /* likewise, while the last steps end there is less and less of everything */
    }
    if (!is_window || !result->has_value || is_worse(threshold, value, result->value)) {
        result->value = value;
        result->has_value = true;
    }
    result->latest = value;
    result->has_latest = true;
    bool does_hold = threshold_holds(threshold, value);
    bool was_missed = result->outcome == THRESHOLD_MISSED;
    if (does_hold && (!was_missed || !is_window)) {
        result->outcome = THRESHOLD_MET;
        result->missed_ms = 0;
    } else if (!was_missed) {
        result->outcome = THRESHOLD_MISSED;
        result->missed_ms = elapsed_ms;
    }
}

static void thresholds_look(struct thresholds *thresholds, uint64_t elapsed_ms,
                            const struct threshold_source *source, bool is_end)
{
    for (size_t i = 0; i < thresholds->count; i++) {
        thresholds->results[i].has_latest = false;
    }
    for (size_t i = 0; i < thresholds->measure_count; i++) {
        struct sample sample = {0};
        if (!measure_take(&thresholds->measures[i], elapsed_ms, source, is_end, &sample)) {
            continue;
        }
        for (size_t j = 0; j < thresholds->count; j++) {
            if (thresholds->measure_of[j] == i) {
                result_take(&thresholds->results[j], &sample, elapsed_ms, is_end);
            }
        }
    }
}

const struct threshold_result *thresholds_judge(struct thresholds *thresholds, uint64_t elapsed_ms,
                                                const struct threshold_source *source)
{
    thresholds_look(thresholds, elapsed_ms, source, false);
    for (size_t i = 0; i < thresholds->count; i++) {
        const struct threshold_result *result = &thresholds->results[i];
        if (result->threshold.is_abort && result->outcome == THRESHOLD_MISSED) {
            return result;
        }
    }
    return NULL;
}

void thresholds_finish(struct thresholds *thresholds, uint64_t elapsed_ms,
                       const struct threshold_source *source)
{
    thresholds_look(thresholds, elapsed_ms, source, true);
    for (size_t i = 0; i < thresholds->count; i++) {
        struct threshold_result *result = &thresholds->results[i];
        if (result->outcome == THRESHOLD_PENDING) {
            result->outcome = THRESHOLD_MISSED; /* nothing was measured */
            result->missed_ms = elapsed_ms;
        }
    }
}
