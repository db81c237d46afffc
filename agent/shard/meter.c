/* Counts by name, in maps that are handed over and reset. */
#include "agent/shard/meter.h"

#include "common/histogram.h"
#include "common/map.h"
#include "common/memory.h"
#include "proto/message/limits.h"

#include <string.h>

/* The overflow entry, once a report has its most names. */
#define OTHERS "(other)"

struct meter {
    uint64_t steps[3]; /* by step_result */
    struct histogram *step_us;
    uint32_t workers_running;                /* as reported last */
    struct map *requests;                    /* "R" or "T" and the name → struct request_statistics */
    struct map *waits;                       /* kind and name → struct wait_statistics */
    struct map *errors;                      /* text → struct error_statistics */
    struct request_statistics *last_request; /* looked up last: often the next one too */
    struct wait_statistics *last_wait;
    bool has_changed;
};

struct meter *meter_new(void)
{
    struct meter *meter = MEMORY_NEW(struct meter);

    meter->step_us = histogram_new();
    meter->requests = map_new();
    meter->waits = map_new();
    meter->errors = map_new();
    return meter;
}

static struct bytes meter_copy_bytes(struct bytes bytes)
{
    return bytes_of(memory_copy(bytes.data != NULL ? (const void *)bytes.data : "", bytes.size), bytes.size);
}

/* Entries without a count since the last report stay, so that a name is looked up and its histogram made
 * once. */
static struct request_statistics *need_request(struct meter *meter, struct bytes name, bool is_timing)
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
    struct request_statistics *entry = map_get(meter->requests, whole);
    if (entry != NULL) {
        return entry;
    }
    if (map_size(meter->requests) >= LIMIT_REQUEST_NAMES - 2 && !bytes_equal_string(name, OTHERS)) {
        return need_request(meter, bytes_of_string(OTHERS), is_timing);
    }
    entry = MEMORY_NEW(struct request_statistics);
    *entry = (struct request_statistics){
        .name = meter_copy_bytes(name), .is_timing = is_timing, .latency_us = histogram_new()};
    map_put(meter->requests, whole, entry);
    return entry;
}

void meter_request(struct meter *meter, struct bytes name, bool is_timing, bool is_ok, uint64_t latency_us)
{
    struct request_statistics *entry = meter->last_request;

    if (entry == NULL || entry->is_timing != is_timing || !bytes_equal(entry->name, name)) {
        entry = meter->last_request = need_request(meter, name, is_timing);
    }

    entry->count++;
    entry->failed += !is_ok;
    histogram_record(entry->latency_us, latency_us);
    meter->has_changed = true;
}

static struct wait_statistics *need_wait(struct meter *meter, struct bytes name, enum operation_kind kind)
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
    struct wait_statistics *entry = map_get(meter->waits, whole);
    if (entry != NULL) {
        return entry;
    }
    if (map_size(meter->waits) >= LIMIT_REQUEST_NAMES - OPERATION_KIND_COUNT &&
        !bytes_equal_string(name, OTHERS)) {
        return need_wait(meter, bytes_of_string(OTHERS), kind);
    }
    entry = MEMORY_NEW(struct wait_statistics);
    *entry =
        (struct wait_statistics){.name = meter_copy_bytes(name), .kind = kind, .waited_us = histogram_new()};
    map_put(meter->waits, whole, entry);
    return entry;
}

void meter_wait(struct meter *meter, struct bytes name, enum operation_kind kind, enum outcome outcome,
                uint64_t waited_us)
{
    struct wait_statistics *entry = meter->last_wait;

    if (entry == NULL || entry->kind != kind || !bytes_equal(entry->name, name)) {
        entry = meter->last_wait = need_wait(meter, name, kind);
    }

    entry->outcomes[outcome]++;
    histogram_record(entry->waited_us, waited_us);
    meter->has_changed = true;
}

void meter_step(struct meter *meter, enum step_result result, uint64_t duration_us)
{
    meter->steps[result]++;
    histogram_record(meter->step_us, duration_us);
    meter->has_changed = true;
}

void meter_error(struct meter *meter, struct bytes text, uint32_t worker, uint64_t step)
{
    if (text.size > LIMIT_TEXT_BYTES) {
        text.size = LIMIT_TEXT_BYTES;
    }
    struct error_statistics *entry = map_get(meter->errors, text);
    if (entry == NULL && map_size(meter->errors) >= LIMIT_REQUEST_NAMES - 1) {
        text = bytes_of_string(OTHERS);
        entry = map_get(meter->errors, text);
    }
    if (entry == NULL) {
        entry = MEMORY_NEW(struct error_statistics);
        *entry = (struct error_statistics){.text = meter_copy_bytes(text), .worker = worker, .step = step};
        map_put(meter->errors, text, entry);
    }
    entry->count++;
    meter->has_changed = true;
}

static struct histogram *hand_over(struct histogram **histogram)
{
    struct histogram *full = *histogram;

    *histogram = histogram_new();
    return full;
}

static void take_requests(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->requests = memory_new(map_size(meter->requests) + 1, sizeof *statistics->requests);
    while (map_next(meter->requests, &cursor)) {
        struct request_statistics *entry = cursor.value;
        if (entry->count == 0) {
            continue;
        }
        struct request_statistics *out = &statistics->requests[statistics->request_count++];
        *out = *entry;
        out->name = meter_copy_bytes(entry->name);
        out->latency_us = hand_over(&entry->latency_us);
        entry->count = entry->failed = 0;
    }
}

static void take_waits(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->waits = memory_new(map_size(meter->waits) + 1, sizeof *statistics->waits);
    while (map_next(meter->waits, &cursor)) {
        struct wait_statistics *entry = cursor.value;
        if (histogram_count(entry->waited_us) == 0) {
            continue;
        }
        struct wait_statistics *out = &statistics->waits[statistics->wait_count++];
        *out = *entry;
        out->name = meter_copy_bytes(entry->name);
        out->waited_us = hand_over(&entry->waited_us);
        memset(entry->outcomes, 0, sizeof entry->outcomes);
    }
}

/* The texts of errors change, so these entries are not kept. */
static void take_errors(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->errors = memory_new(map_size(meter->errors) + 1, sizeof *statistics->errors);
    while (map_next(meter->errors, &cursor)) {
        statistics->errors[statistics->error_count++] = *(struct error_statistics *)cursor.value;
        memory_free(cursor.value);
    }
    if (statistics->error_count == 0) {
        return;
    }
    map_free(&meter->errors);
    meter->errors = map_new();
}

struct statistics *meter_take(struct meter *meter, uint32_t workers_running)
{
    if (!meter->has_changed && workers_running == meter->workers_running) {
        return NULL;
    }
    struct statistics *statistics = MEMORY_NEW(struct statistics);
    statistics->steps_ok = meter->steps[STEP_OK];
    statistics->steps_failed = meter->steps[STEP_FAILED];
    statistics->steps_stopped = meter->steps[STEP_STOPPED];
    statistics->workers_running = workers_running;
    statistics->step_us = hand_over(&meter->step_us);
    take_requests(meter, statistics);
    take_waits(meter, statistics);
    take_errors(meter, statistics);
    memset(meter->steps, 0, sizeof meter->steps);
    meter->workers_running = workers_running;
    meter->has_changed = false;
    return statistics;
}

void meter_free(struct meter **pointer)
{
    struct meter *meter = *pointer;
    struct map_cursor cursor = {0};

    if (meter == NULL) {
        return;
    }
    while (map_next(meter->requests, &cursor)) {
        struct request_statistics *entry = cursor.value;
        memory_free((void *)entry->name.data);
        histogram_free(&entry->latency_us);
        memory_free(entry);
    }
    for (cursor = (struct map_cursor){0}; map_next(meter->waits, &cursor);) {
        struct wait_statistics *entry = cursor.value;
        memory_free((void *)entry->name.data);
        histogram_free(&entry->waited_us);
        memory_free(entry);
    }
    for (cursor = (struct map_cursor){0}; map_next(meter->errors, &cursor);) {
        struct error_statistics *entry = cursor.value;
        memory_free((void *)entry->text.data);
        memory_free(entry);
    }
    map_free(&meter->requests);
    map_free(&meter->waits);
    map_free(&meter->errors);
    histogram_free(&meter->step_us);
    memory_free(meter);
    *pointer = NULL;
}
