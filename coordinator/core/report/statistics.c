/* The statistics of a campaign: what its agents have counted, summed up. */
#include "coordinator/core/report/statistics_inside.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

struct campaign_statistics *campaign_statistics_new(void)
{
    struct campaign_statistics *statistics = MEMORY_NEW(struct campaign_statistics);
    statistics->left_bytes = STATISTICS_MAX_BYTES;
    statistics->step_us = histogram_new();
    statistics->request_latency_us = histogram_new();
    statistics->requests = map_new();
    statistics->waits = map_new();
    statistics->errors = map_new();
    statistics->websockets = map_new();
    statistics->checks = map_new();
    statistics->scenarios = scenario_totals_new();
    statistics->slices = slice_totals_new();
    return statistics;
}

void campaign_statistics_keep_tags(struct campaign_statistics *statistics, struct bytes thresholds)
{
    slice_totals_keep(statistics->slices, thresholds);
}

static void free_entries(struct campaign_statistics *statistics)
{
    struct map_cursor cursor = {0};
    while (map_next(statistics->requests, &cursor)) {
        struct request_total *total = (struct request_total *)cursor.value;
        histogram_free(&total->latency_us);
        histogram_free(&total->response_us);
        slow_traces_finish(&total->report.slowest);
        for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            histogram_free(&total->phase_us[phase]);
        }
        text_finish(&total->name);
        memory_free(total);
    }
    cursor = (struct map_cursor){0};
    while (map_next(statistics->waits, &cursor)) {
        struct wait_total *total = (struct wait_total *)cursor.value;
        histogram_free(&total->waited_us);
        text_finish(&total->name);
        memory_free(total);
    }
    cursor = (struct map_cursor){0};
    while (map_next(statistics->websockets, &cursor)) {
        struct websocket_total *total = cursor.value;
        histogram_free(&total->handshake_us);
        histogram_free(&total->ping_us);
        histogram_free(&total->queued_us);
        text_finish(&total->name);
        memory_free(total);
    }
    cursor = (struct map_cursor){0};
    while (map_next(statistics->errors, &cursor)) {
        struct error_total *total = cursor.value;
        text_finish(&total->key);
        text_finish(&total->text);
        text_finish(&total->scenario);
        text_finish(&total->agent);
        memory_free(total);
    }
}

void campaign_statistics_free(struct campaign_statistics **statistics)
{
    if (*statistics == NULL) {
        return;
    }
    free_entries(*statistics);
    statistics_free_checks(*statistics);
    map_free(&(*statistics)->requests);
    map_free(&(*statistics)->waits);
    map_free(&(*statistics)->errors);
    map_free(&(*statistics)->websockets);
    scenario_totals_free(&(*statistics)->scenarios);
    slice_totals_free(&(*statistics)->slices);
    histogram_free(&(*statistics)->step_us);
    histogram_free(&(*statistics)->request_latency_us);
    histogram_free(&(*statistics)->late_us);
    histogram_free(&(*statistics)->response_us);
    histogram_free(&(*statistics)->request_response_us);
    memory_free((*statistics)->request_reports);
    memory_free((*statistics)->wait_reports);
    memory_free((*statistics)->error_reports);
    memory_free((*statistics)->websocket_reports);
    memory_free((*statistics)->check_reports);
    memory_free(*statistics);
    *statistics = NULL;
}

void *statistics_find_entry(const struct map *map, uint8_t number, struct bytes *name, struct buffer *key)
{
    buffer_clear(key);
    (void)buffer_append(key, &number, 1);
    (void)buffer_append(key, name->data, name->size);
    void *entry = map_get(map, buffer_bytes(key));
    if (entry != NULL || map_size(map) < STATISTICS_NAMES) {
        return entry;
    }
    *name = bytes_of_string(STATISTICS_OTHER);
    buffer_clear(key);
    (void)buffer_append(key, &number, 1);
    (void)buffer_append(key, name->data, name->size);
    return map_get(map, buffer_bytes(key));
}

static void merge_histogram(struct campaign_statistics *statistics, struct histogram *into,
                            const struct histogram *from)
{
    if (from != NULL) {
        histogram_merge_within(into, from, &statistics->left_bytes);
    }
}

/* Into one that is made when it is needed first. */
static void merge_own_histogram(struct campaign_statistics *statistics, struct histogram **into,
                                const struct histogram *from)
{
    if (from != NULL && *into == NULL) {
        *into = histogram_new();
    }
    merge_histogram(statistics, *into, from);
}

static void merge_phases(struct campaign_statistics *statistics, struct request_total *total,
                         const struct request_statistics *from)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        if (from->phase_us[phase] != NULL && total->phase_us[phase] == NULL) {
            total->phase_us[phase] = histogram_new();
            total->report.phase_us[phase] = total->phase_us[phase];
        }
        merge_histogram(statistics, total->phase_us[phase], from->phase_us[phase]);
    }
}

static void merge_request(struct campaign_statistics *statistics, const struct request_statistics *from,
                          struct buffer *key)
{
    struct bytes name = from->name;
    struct request_total *total =
        (struct request_total *)statistics_find_entry(statistics->requests, from->is_timing, &name, key);
    if (total == NULL) {
        total = MEMORY_NEW(struct request_total);
        total->latency_us = histogram_new();
        total->name = text_copy(name);
        total->report = (struct request_report){.name = total->name.bytes,
                                                .is_timing = from->is_timing,
                                                .ordinal = (uint32_t)map_size(statistics->requests),
                                                .latency_us = total->latency_us};
        (void)map_put(statistics->requests, buffer_bytes(key), total);
    }
    total->report.count += from->count;
    total->report.failed += from->failed;
    total->report.failed -= from->forgiven < total->report.failed ? from->forgiven : total->report.failed;
    total->report.received_bytes += from->received_bytes;
    total->report.sent_bytes += from->sent_bytes;
    for (size_t i = 0; i < from->statuses.size; i++) {
        close_counts_add(&total->report.statuses, from->statuses.items[i].code,
                         from->statuses.items[i].count);
    }
    slow_traces_merge(&total->report.slowest, &from->slowest);
    merge_histogram(statistics, total->latency_us, from->latency_us);
    merge_own_histogram(statistics, &total->response_us, from->response_us);
    total->report.response_us = total->response_us;
    merge_phases(statistics, total, from);
    if (!from->is_timing) {
        statistics->requests_total += from->count;
        merge_histogram(statistics, statistics->request_latency_us, from->latency_us);
        merge_own_histogram(statistics, &statistics->request_response_us, from->response_us);
    }
}

static void merge_wait(struct campaign_statistics *statistics, const struct wait_statistics *from,
                       struct buffer *key)
{
    struct bytes name = from->name;
    struct wait_total *total =
        (struct wait_total *)statistics_find_entry(statistics->waits, (uint8_t)from->kind, &name, key);
    if (total == NULL) {
        total = MEMORY_NEW(struct wait_total);
        total->waited_us = histogram_new();
        total->name = text_copy(name);
        total->report = (struct wait_report){
            .name = total->name.bytes, .kind = from->kind, .waited_us = total->waited_us};
        (void)map_put(statistics->waits, buffer_bytes(key), total);
    }
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        total->report.outcomes[i] += from->outcomes[i];
    }
    merge_histogram(statistics, total->waited_us, from->waited_us);
}

static void merge_websocket(struct campaign_statistics *statistics, const struct websocket_statistics *from,
                            struct buffer *key)
{
    struct bytes name = from->name;
    struct websocket_total *total = statistics_find_entry(statistics->websockets, 0, &name, key);
    if (total == NULL) {
        total = MEMORY_NEW(struct websocket_total);
        total->handshake_us = histogram_new();
        total->ping_us = histogram_new();
        total->queued_us = histogram_new();
        total->name = text_copy(name);
        total->report = (struct websocket_report){.name = total->name.bytes,
                                                  .handshake_us = total->handshake_us,
                                                  .ping_us = total->ping_us,
                                                  .queued_us = total->queued_us};
        (void)map_put(statistics->websockets, buffer_bytes(key), total);
    }
    for (size_t i = 0; i < WEBSOCKET_COUNTS; i++) {
        total->report.counts[i] += from->counts[i];
    }
    for (size_t i = 0; i < from->codes.size; i++) {
        close_counts_add(&total->report.codes, from->codes.items[i].code, from->codes.items[i].count);
    }
    merge_histogram(statistics, total->handshake_us, from->handshake_us);
    merge_histogram(statistics, total->ping_us, from->ping_us);
    merge_histogram(statistics, total->queued_us, from->queued_us);
}

static void merge_error(struct campaign_statistics *statistics, const struct error_statistics *from,
                        struct buffer *buffer)
{
    struct bytes key = from->key.size > 0 ? from->key : from->text;
    struct bytes wanted = key;
    struct error_total *total = statistics_find_entry(statistics->errors, 0, &key, buffer);
    if (total == NULL) {
        total = MEMORY_NEW(struct error_total);
        total->key = text_copy(key);
        /* Under "(other)" there is no text that stands for all. */
        bool is_own = bytes_equal(key, wanted);
        total->text = text_copy(is_own ? from->text : key);
        total->scenario = text_copy(is_own ? from->scenario : bytes_of("", 0));
        total->report = (struct error_report){.text = total->text.bytes,
                                              .scenario = total->scenario.bytes,
                                              .worker = from->worker,
                                              .step = from->step};
        (void)map_put(statistics->errors, buffer_bytes(buffer), total);
    }
    total->report.count += from->count;
}

void campaign_statistics_add_error(struct campaign_statistics *statistics,
                                   const struct error_statistics *error)
{
    SCOPED(buffer_finish) struct buffer key;
    buffer_init(&key, STATISTICS_KEY_BYTES);
    merge_error(statistics, error, &key);
}

void statistics_note_error(struct error_total *total, uint64_t first_s, uint64_t last_s, struct bytes agent)
{
    struct error_report *report = &total->report;
    if (!report->has_times) {
        report->has_times = true;
        report->first_s = first_s;
        total->agent = text_copy(agent);
        report->agent = total->agent.bytes;
    }
    report->first_s = first_s < report->first_s ? first_s : report->first_s;
    report->last_s = last_s > report->last_s ? last_s : report->last_s;
}

struct error_total *statistics_find_error(const struct campaign_statistics *statistics,
                                          const struct error_statistics *error)
{
    SCOPED(buffer_finish) struct buffer buffer;
    struct bytes key = error->key.size > 0 ? error->key : error->text;
    buffer_init(&buffer, STATISTICS_KEY_BYTES);
    return statistics_find_entry(statistics->errors, 0, &key, &buffer);
}

void campaign_statistics_note_errors(struct campaign_statistics *statistics, const struct statistics *from,
                                     uint64_t second, struct bytes agent)
{
    for (size_t i = 0; i < from->error_count; i++) {
        struct error_total *total = statistics_find_error(statistics, &from->errors[i]);
        if (total != NULL) {
            statistics_note_error(total, second, second, agent);
        }
    }
}

void campaign_statistics_add_lost(struct campaign_statistics *statistics, uint64_t steps)
{
    statistics->steps_lost += steps;
}

void campaign_statistics_add_dropped(struct campaign_statistics *statistics, uint64_t arrivals)
{
    statistics->dropped += arrivals;
}

uint64_t campaign_statistics_arrivals(const struct campaign_statistics *statistics)
{
    return statistics->arrivals + statistics->dropped;
}

void campaign_statistics_merge(struct campaign_statistics *statistics, const struct statistics *from)
{
    SCOPED(buffer_finish) struct buffer key;
    buffer_init(&key, STATISTICS_KEY_BYTES);
    statistics->steps_ok += from->steps_ok;
    statistics->steps_failed += from->steps_failed;
    bool is_more = from->steps_failed_by_loss > from->steps_failed; /* our agents send no such thing */
    statistics->steps_failed_by_loss += is_more ? from->steps_failed : from->steps_failed_by_loss;
    statistics->steps_stopped += from->steps_stopped;
    statistics->arrivals += from->arrivals;
    statistics->dropped += from->dropped;
    merge_histogram(statistics, statistics->step_us, from->step_us);
    merge_own_histogram(statistics, &statistics->late_us, from->late_us);
    merge_own_histogram(statistics, &statistics->response_us, from->response_us);
    for (size_t i = 0; i < from->request_count; i++) {
        merge_request(statistics, &from->requests[i], &key);
    }
    for (size_t i = 0; i < from->wait_count; i++) {
        merge_wait(statistics, &from->waits[i], &key);
    }
    for (size_t i = 0; i < from->error_count; i++) {
        merge_error(statistics, &from->errors[i], &key);
    }
    for (size_t i = 0; i < from->websocket_count; i++) {
        merge_websocket(statistics, &from->websockets[i], &key);
    }
    for (size_t i = 0; i < from->check_count; i++) {
        statistics_merge_check(statistics, &from->checks[i], &key);
    }
    for (size_t i = 0; i < from->scenario_count; i++) {
        scenario_totals_merge(statistics->scenarios, &from->scenarios[i], &statistics->left_bytes);
    }
    for (size_t i = 0; i < from->slice_count; i++) {
        slice_totals_merge(statistics->slices, &from->slices[i], &statistics->left_bytes);
    }
}

uint64_t campaign_statistics_steps_ok(const struct campaign_statistics *statistics)
{
    return statistics->steps_ok;
}

uint64_t campaign_statistics_steps_failed(const struct campaign_statistics *statistics)
{
    return statistics->steps_failed;
}

static int compare_requests(const void *left, const void *right)
{
    const struct request_report *a = (const struct request_report *)left;
    const struct request_report *b = (const struct request_report *)right;
    int order = bytes_compare(a->name, b->name);
    return order != 0 ? order : (int)a->is_timing - (int)b->is_timing;
}

static int compare_waits(const void *left, const void *right)
{
    const struct wait_report *a = (const struct wait_report *)left;
    const struct wait_report *b = (const struct wait_report *)right;
    int order = bytes_compare(a->name, b->name);
    return order != 0 ? order : (int)a->kind - (int)b->kind;
}

static int compare_websockets(const void *left, const void *right)
{
    const struct websocket_report *a = left;
    const struct websocket_report *b = right;
    return bytes_compare(a->name, b->name);
}

static int compare_close_counts(const void *left, const void *right)
{
    const struct close_count *a = left;
    const struct close_count *b = right;
    return (a->code > b->code) - (a->code < b->code);
}

static int compare_errors(const void *left, const void *right)
{
    const struct error_report *a = (const struct error_report *)left;
    const struct error_report *b = (const struct error_report *)right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return bytes_compare(a->text, b->text);
}

static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1) {
        qsort(items, count, size, compare);
    }
}

static void report_requests(struct campaign_statistics *statistics, struct campaign_report *report)
{
    statistics->request_reports =
        memory_reserve(statistics->request_reports, &statistics->request_capacity,
                       map_size(statistics->requests), sizeof *statistics->request_reports);
    report->request_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(statistics->requests, &cursor)) {
        struct request_report *request = &statistics->request_reports[report->request_count++];
        *request = ((const struct request_total *)cursor.value)->report;
        sort(request->statuses.items, request->statuses.size, sizeof request->statuses.items[0],
             compare_close_counts);
    }
    report->requests = statistics->request_reports;
    sort(statistics->request_reports, report->request_count, sizeof *report->requests, compare_requests);
}

static void report_waits(struct campaign_statistics *statistics, struct campaign_report *report)
{
    statistics->wait_reports =
        (struct wait_report *)memory_reserve(statistics->wait_reports, &statistics->wait_capacity,
                                             map_size(statistics->waits), sizeof *statistics->wait_reports);
    report->wait_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(statistics->waits, &cursor)) {
        statistics->wait_reports[report->wait_count++] = ((const struct wait_total *)cursor.value)->report;
    }
    report->waits = statistics->wait_reports;
    sort(statistics->wait_reports, report->wait_count, sizeof *report->waits, compare_waits);
}

static void report_errors(struct campaign_statistics *statistics, struct campaign_report *report)
{
    statistics->error_reports =
        memory_reserve(statistics->error_reports, &statistics->error_capacity, map_size(statistics->errors),
                       sizeof *statistics->error_reports);
    report->error_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(statistics->errors, &cursor)) {
        statistics->error_reports[report->error_count++] = ((const struct error_total *)cursor.value)->report;
    }
    report->errors = statistics->error_reports;
    sort(statistics->error_reports, report->error_count, sizeof *report->errors, compare_errors);
}

static void report_websockets(struct campaign_statistics *statistics, struct campaign_report *report)
{
    statistics->websocket_reports =
        memory_reserve(statistics->websocket_reports, &statistics->websocket_capacity,
                       map_size(statistics->websockets), sizeof *statistics->websocket_reports);
    report->websocket_count = 0;
    struct map_cursor cursor = {0};
    while (map_next(statistics->websockets, &cursor)) {
        struct websocket_report *websocket = &statistics->websocket_reports[report->websocket_count++];
        *websocket = ((const struct websocket_total *)cursor.value)->report;
        sort(websocket->codes.items, websocket->codes.size, sizeof websocket->codes.items[0],
             compare_close_counts);
    }
    report->websockets = statistics->websocket_reports;
    sort(statistics->websocket_reports, report->websocket_count, sizeof *report->websockets,
         compare_websockets);
}

void campaign_statistics_totals(const struct campaign_statistics *statistics, struct campaign_report *report)
{
    report->steps_ok = statistics->steps_ok;
    report->steps_failed = statistics->steps_failed;
    report->steps_failed_by_loss = statistics->steps_failed_by_loss;
    report->steps_stopped = statistics->steps_stopped;
    report->steps_lost = statistics->steps_lost;
    report->requests_total = statistics->requests_total;
    report->request_latency_us = statistics->request_latency_us;
    report->step_us = statistics->step_us;
    report->late_us = statistics->late_us;
    report->response_us = statistics->response_us;
    report->request_response_us = statistics->request_response_us;
    report->arrivals = statistics->arrivals;
    report->dropped = statistics->dropped;
}

void campaign_statistics_report(struct campaign_statistics *statistics, struct campaign_report *report)
{
    campaign_statistics_totals(statistics, report);
    report_requests(statistics, report);
    report_waits(statistics, report);
    report_errors(statistics, report);
    report_websockets(statistics, report);
    statistics_report_checks(statistics, report);
    scenario_totals_report(statistics->scenarios, report);
    slice_totals_report(statistics->slices, report);
}
