/* Counts by name. */
#include "agent/shard/meter.h"

#include "agent/shard/meter_inside.h"
#include "common/container.h"
#include "common/histogram.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

/* The overflow entry, once a report has its most names. */
#define OTHERS "(other)"

struct meter *meter_new(void)
{
    struct meter *meter = MEMORY_NEW(struct meter);

    meter->step_us = histogram_new();
    meter->requests = map_new();
    meter->waits = map_new();
    meter->errors = map_new();
    meter->websockets = map_new();
    meter->checks = map_new();
    meter->scenarios = map_new();
    meter->slices = slice_meter_new();
    return meter;
}

/* Entries without a count since the last report stay, so that a name is looked up and its histogram made
 * once. */
static struct request_entry *need_request(struct meter *meter, struct bytes name, bool is_timing)
{
    uint8_t key[1 + LIMIT_NAME_BYTES];

    if (name.size > LIMIT_NAME_BYTES) {
        name.size = LIMIT_NAME_BYTES;
    }
    key[0] = is_timing ? 'T' : 'R';
    if (name.size > 0) {
        memcpy(key + 1, name.data, name.size);
    }
    struct bytes whole = bytes_of(key, name.size + 1);
    struct request_entry *entry = map_get(meter->requests, whole);
    if (entry != NULL) {
        return entry;
    }
    if (map_size(meter->requests) >= LIMIT_REQUEST_NAMES - 2 && !bytes_equal_string(name, OTHERS)) {
        return need_request(meter, bytes_of_string(OTHERS), is_timing);
    }
    entry = MEMORY_NEW(struct request_entry);
    entry->name = text_copy(name);
    entry->counts = (struct request_statistics){
        .name = entry->name.bytes, .is_timing = is_timing, .latency_us = histogram_new()};
    map_put(meter->requests, whole, entry);
    return entry;
}

static void record_phases(struct request_statistics *counts, const uint64_t *phase_us)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        if (counts->phase_us[phase] == NULL) {
            counts->phase_us[phase] = histogram_new();
        }
        histogram_record(counts->phase_us[phase], phase_us[phase]);
    }
}

/* Made when there is something to record. */
static void meter_record(struct histogram **histogram, uint64_t value_us)
{
    if (*histogram == NULL) {
        *histogram = histogram_new();
    }
    histogram_record(*histogram, value_us);
}

/* The same by tag. */
static void meter_request_tags(struct meter *meter, const struct request_sample *sample)
{
    struct slice_sample slice = {.kind = sample->is_timing ? SLICE_TIMING : SLICE_REQUEST,
                                 .name = sample->name,
                                 .tags = sample->tags,
                                 .is_ok = sample->is_ok,
                                 .has_time = !sample->is_unsent,
                                 .us = sample->latency_us};

    slice_meter_add(meter->slices, &slice);
}

void meter_request(struct meter *meter, const struct request_sample *sample)
{
    struct request_entry *entry = meter->last_request;

    if (entry == NULL || entry->counts.is_timing != sample->is_timing ||
        !bytes_equal(entry->name.bytes, sample->name)) {
        entry = meter->last_request = need_request(meter, sample->name, sample->is_timing);
    }

    entry->counts.count++;
    entry->counts.failed += !sample->is_ok;
    entry->counts.received_bytes += sample->received_bytes;
    entry->counts.sent_bytes += sample->sent_bytes;
    if (sample->status != 0) {
        close_counts_add(&entry->counts.statuses, sample->status, 1);
    }
    meter->has_changed = true;
    if (!tag_set_is_empty(&sample->tags)) {
        meter_request_tags(meter, sample);
    }
    if (sample->is_unsent) {
        return;
    }
    histogram_record(entry->counts.latency_us, sample->latency_us);
    if (sample->has_plan) {
        meter_record(&entry->counts.response_us, sample->latency_us + sample->late_us);
    }
    if (sample->phase_us != NULL) {
        record_phases(&entry->counts, sample->phase_us);
    }
}

void meter_trace(struct meter *meter, struct bytes name, const struct slow_trace *trace)
{
    slow_traces_add(&need_request(meter, name, false)->counts.slowest, trace);
    meter->has_changed = true;
}

void meter_rebook(struct meter *meter, struct bytes name, const struct tag_set *tags, bool is_ok)
{
    struct slice_sample slice = {.kind = SLICE_REQUEST, .name = name, .tags = *tags, .is_ok = is_ok};
    struct request_statistics *counts = &need_request(meter, name, false)->counts;

    if (!is_ok) {
        counts->failed++;
    } else if (counts->failed > 0) {
        counts->failed--;
    } else {
        counts->forgiven++; /* of those that were reported already */
    }
    slice_meter_rebook(meter->slices, &slice);
    meter->has_changed = true;
}

void meter_check(struct meter *meter, const struct check_sample *sample)
{
    struct slice_sample slice = {
        .kind = SLICE_CHECK, .name = sample->name, .tags = sample->tags, .is_ok = sample->is_passed};

    check_meter_add(meter->checks, sample);
    slice_meter_add(meter->slices, &slice);
    meter->has_changed = true;
}

void meter_slice(struct meter *meter, const struct slice_sample *sample)
{
    slice_meter_add(meter->slices, sample);
    meter->has_changed = true;
}

void meter_keep_tags(struct meter *meter, struct bytes thresholds)
{
    slice_meter_keep(meter->slices, thresholds);
}

struct tag_table *meter_tags(struct meter *meter)
{
    return slice_meter_tags(meter->slices);
}

static struct wait_entry *need_wait(struct meter *meter, struct bytes name, enum operation_kind kind)
{
    uint8_t key[1 + LIMIT_NAME_BYTES];

    if (name.size > LIMIT_NAME_BYTES) {
        name.size = LIMIT_NAME_BYTES;
    }
    key[0] = (uint8_t)kind;
    if (name.size > 0) {
        memcpy(key + 1, name.data, name.size);
    }
    struct bytes whole = bytes_of(key, name.size + 1);
    struct wait_entry *entry = map_get(meter->waits, whole);
    if (entry != NULL) {
        return entry;
    }
    if (map_size(meter->waits) >= LIMIT_REQUEST_NAMES - OPERATION_KIND_COUNT &&
        !bytes_equal_string(name, OTHERS)) {
        return need_wait(meter, bytes_of_string(OTHERS), kind);
    }
    entry = MEMORY_NEW(struct wait_entry);
    entry->name = text_copy(name);
    entry->counts =
        (struct wait_statistics){.name = entry->name.bytes, .kind = kind, .waited_us = histogram_new()};
    map_put(meter->waits, whole, entry);
    return entry;
}

void meter_wait(struct meter *meter, struct bytes name, enum operation_kind kind, enum outcome outcome,
                uint64_t waited_us)
{
    struct wait_entry *entry = meter->last_wait;

    if (entry == NULL || entry->counts.kind != kind || !bytes_equal(entry->name.bytes, name)) {
        entry = meter->last_wait = need_wait(meter, name, kind);
    }

    entry->counts.outcomes[outcome]++;
    histogram_record(entry->counts.waited_us, waited_us);
    meter->has_changed = true;
}

struct websocket_statistics *meter_websocket(struct meter *meter, struct bytes name)
{
    struct websocket_entry *entry = map_get(meter->websockets, name);

    if (entry == NULL && map_size(meter->websockets) >= LIMIT_REQUEST_NAMES - 1) {
        name = bytes_of_string(OTHERS);
        entry = map_get(meter->websockets, name);
    }
    if (entry == NULL) {
        entry = MEMORY_NEW(struct websocket_entry);
        entry->name = text_copy(name);
        entry->counts = (struct websocket_statistics){.name = entry->name.bytes,
                                                      .handshake_us = histogram_new(),
                                                      .ping_us = histogram_new(),
                                                      .queued_us = histogram_new()};
        map_put(meter->websockets, name, entry);
    }
    entry->has_changed = meter->has_changed = true;
    return &entry->counts;
}

struct websocket_statistics *meter_websocket_again(struct meter *meter, struct websocket_statistics *counts)
{
    struct websocket_entry *entry = CONTAINER_OF(counts, struct websocket_entry, counts);

    entry->has_changed = meter->has_changed = true;
    return counts;
}

void meter_step(struct meter *meter, enum step_result result, uint64_t duration_us)
{
    meter->steps[result]++;
    histogram_record(meter->step_us, duration_us);
    meter->has_changed = true;
}

void meter_failed_by_loss(struct meter *meter)
{
    meter->failed_by_loss++;
}

void meter_late(struct meter *meter, uint64_t late_us, bool is_arrival)
{
    meter_record(&meter->late_us, late_us);
    meter->arrivals += is_arrival;
    meter->has_changed = true;
}

void meter_response(struct meter *meter, uint64_t response_us)
{
    meter_record(&meter->response_us, response_us);
    meter->has_changed = true;
}

void meter_dropped(struct meter *meter, uint64_t dropped)
{
    meter->has_changed = meter->has_changed || dropped != meter->dropped;
    meter->dropped = dropped;
}

static struct scenario_entry *need_scenario(struct meter *meter, struct bytes name)
{
    struct scenario_entry *entry = map_get(meter->scenarios, name);

    if (entry == NULL && map_size(meter->scenarios) >= LIMIT_REQUEST_NAMES - 1) {
        name = bytes_of_string(OTHERS);
        entry = map_get(meter->scenarios, name);
    }
    if (entry == NULL) {
        entry = MEMORY_NEW(struct scenario_entry);
        entry->name = text_copy(name);
        entry->counts = (struct scenario_statistics){.name = entry->name.bytes, .step_us = histogram_new()};
        map_put(meter->scenarios, name, entry);
    }
    return entry;
}

void meter_scenario(struct meter *meter, const struct scenario_sample *sample)
{
    struct bytes name = sample->name;

    name.size = name.size < LIMIT_NAME_BYTES ? name.size : LIMIT_NAME_BYTES;
    if (meter->last_scenario == NULL || !bytes_equal(meter->last_scenario->name.bytes, name)) {
        meter->last_scenario = need_scenario(meter, name);
    }
    struct scenario_statistics *counts = &meter->last_scenario->counts;
    counts->weight_milli =
        sample->weight < 1e12 ? (uint64_t)(sample->weight * 1000 + 0.5) : UINT64_MAX / 1000;
    counts->steps[sample->result]++;
    histogram_record(counts->step_us, sample->duration_us);
    meter->has_changed = true;
}

static struct bytes meter_cut(struct bytes text)
{
    return bytes_of(text.data, text.size < LIMIT_TEXT_BYTES ? text.size : LIMIT_TEXT_BYTES);
}

static struct error_entry *add_error(struct meter *meter, const struct error_sample *sample, struct bytes key,
                                     struct bytes text)
{
    struct error_entry *entry = MEMORY_NEW(struct error_entry);

    entry->text = text_copy(text);
    entry->key = text_copy(key);
    entry->scenario = text_copy(sample->scenario);
    entry->counts = (struct error_statistics){.key = entry->key.bytes,
                                              .text = entry->text.bytes,
                                              .scenario = entry->scenario.bytes,
                                              .worker = sample->worker,
                                              .step = sample->step};
    map_put(meter->errors, key, entry);
    return entry;
}

void meter_error(struct meter *meter, const struct error_sample *sample)
{
    struct bytes key = meter_cut(sample->key);
    struct bytes text = meter_cut(sample->text);
    struct error_entry *entry = map_get(meter->errors, key);

    if (entry == NULL && map_size(meter->errors) >= LIMIT_REQUEST_NAMES - 1) {
        key = text = bytes_of_string(OTHERS);
        entry = map_get(meter->errors, key);
    }
    if (entry == NULL) {
        entry = add_error(meter, sample, key, text);
    }
    entry->counts.count++;
    meter->has_changed = true;
}

void meter_free_errors(struct meter *meter)
{
    struct map_cursor cursor = {0};

    while (map_next(meter->errors, &cursor)) {
        struct error_entry *entry = cursor.value;
        text_finish(&entry->key);
        text_finish(&entry->text);
        text_finish(&entry->scenario);
        memory_free(entry);
    }
    map_free(&meter->errors);
}

void meter_free(struct meter **pointer)
{
    struct meter *meter = *pointer;
    struct map_cursor cursor = {0};

    if (meter == NULL) {
        return;
    }
    while (map_next(meter->requests, &cursor)) {
        struct request_entry *entry = cursor.value;
        text_finish(&entry->name);
        histogram_free(&entry->counts.latency_us);
        histogram_free(&entry->counts.response_us);
        slow_traces_finish(&entry->counts.slowest);
        for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            histogram_free(&entry->counts.phase_us[phase]);
        }
        memory_free(entry);
    }
    for (cursor = (struct map_cursor){0}; map_next(meter->waits, &cursor);) {
        struct wait_entry *entry = cursor.value;
        text_finish(&entry->name);
        histogram_free(&entry->counts.waited_us);
        memory_free(entry);
    }
    for (cursor = (struct map_cursor){0}; map_next(meter->websockets, &cursor);) {
        struct websocket_entry *entry = cursor.value;
        text_finish(&entry->name);
        histogram_free(&entry->counts.handshake_us);
        histogram_free(&entry->counts.ping_us);
        histogram_free(&entry->counts.queued_us);
        memory_free(entry);
    }
    for (cursor = (struct map_cursor){0}; map_next(meter->scenarios, &cursor);) {
        struct scenario_entry *entry = cursor.value;
        text_finish(&entry->name);
        histogram_free(&entry->counts.step_us);
        memory_free(entry);
    }
    slice_meter_free(&meter->slices);
    map_free(&meter->scenarios);
    map_free(&meter->websockets);
    check_meter_free(&meter->checks);
    map_free(&meter->requests);
    map_free(&meter->waits);
    meter_free_errors(meter);
    histogram_free(&meter->step_us);
    histogram_free(&meter->late_us);
    histogram_free(&meter->response_us);
    memory_free(meter);
    *pointer = NULL;
}
