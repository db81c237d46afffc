/* Hands over what was counted, and begins again. */
#include "agent/shard/meter.h"

#include "agent/shard/meter_inside.h"
#include "common/histogram.h"
#include "common/memory.h"

#include <string.h>

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
        struct request_statistics *counts = &((struct request_entry *)cursor.value)->counts;
        if (counts->count == 0 && counts->failed == 0 && counts->forgiven == 0) {
            continue;
        }
        struct request_statistics *out = &statistics->requests[statistics->request_count++];
        *out = *counts;
        out->latency_us = hand_over(&counts->latency_us);
        counts->response_us = NULL;                           /* that one is out's now */
        memset(counts->phase_us, 0, sizeof counts->phase_us); /* those are out's now */
        counts->count = counts->failed = counts->forgiven = 0;
        counts->received_bytes = counts->sent_bytes = 0;
        counts->statuses = (struct close_counts){0};
        counts->slowest = (struct slow_traces){0}; /* likewise */
    }
}

static void take_waits(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->waits = memory_new(map_size(meter->waits) + 1, sizeof *statistics->waits);
    while (map_next(meter->waits, &cursor)) {
        struct wait_statistics *counts = &((struct wait_entry *)cursor.value)->counts;
        if (histogram_count(counts->waited_us) == 0) {
            continue;
        }
        struct wait_statistics *out = &statistics->waits[statistics->wait_count++];
        *out = *counts;
        out->waited_us = hand_over(&counts->waited_us);
        memset(counts->outcomes, 0, sizeof counts->outcomes);
    }
}

static void take_websockets(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->websockets = memory_new(map_size(meter->websockets) + 1, sizeof *statistics->websockets);
    while (map_next(meter->websockets, &cursor)) {
        struct websocket_entry *entry = cursor.value;
        struct websocket_statistics *counts = &entry->counts;
        if (!entry->has_changed) {
            continue;
        }
        struct websocket_statistics *out = &statistics->websockets[statistics->websocket_count++];
        *out = *counts;
        out->handshake_us = hand_over(&counts->handshake_us);
        out->ping_us = hand_over(&counts->ping_us);
        out->queued_us = hand_over(&counts->queued_us);
        memset(counts->counts, 0, sizeof counts->counts);
        counts->codes = (struct close_counts){0};
        entry->has_changed = false;
    }
}

static void take_scenarios(struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->scenarios = memory_new(map_size(meter->scenarios) + 1, sizeof *statistics->scenarios);
    while (map_next(meter->scenarios, &cursor)) {
        struct scenario_statistics *counts = &((struct scenario_entry *)cursor.value)->counts;
        if (histogram_count(counts->step_us) == 0) {
            continue;
        }
        struct scenario_statistics *out = &statistics->scenarios[statistics->scenario_count++];
        *out = *counts;
        out->step_us = hand_over(&counts->step_us);
        memset(counts->steps, 0, sizeof counts->steps);
    }
}

static void take_errors(const struct meter *meter, struct statistics *statistics)
{
    struct map_cursor cursor = {0};

    statistics->errors = memory_new(map_size(meter->errors) + 1, sizeof *statistics->errors);
    while (map_next(meter->errors, &cursor)) {
        statistics->errors[statistics->error_count++] = ((const struct error_entry *)cursor.value)->counts;
    }
}

/* Its arrays are freed, and its texts are those of the entries: all of it is copied. */
static struct statistics *copy_taken(struct meter *meter, struct statistics *taken)
{
    struct statistics *copy = statistics_copy(taken);

    memory_free(taken->requests);
    memory_free(taken->waits);
    memory_free(taken->errors);
    memory_free(taken->websockets);
    memory_free(taken->checks);
    check_meter_clear(meter->checks);
    memory_free(taken->scenarios);
    memory_free(taken->slices);
    if (taken->error_count > 0) { /* texts come and go: these are not kept */
        meter_free_errors(meter);
        meter->errors = map_new();
    }
    return copy;
}

struct statistics *meter_take(struct meter *meter, uint32_t workers_running)
{
    if (!meter->has_changed && workers_running == meter->workers_running) {
        return NULL;
    }
    struct statistics taken = {.steps_ok = meter->steps[STEP_OK],
                               .steps_failed = meter->steps[STEP_FAILED],
                               .steps_failed_by_loss = meter->failed_by_loss,
                               .steps_stopped = meter->steps[STEP_STOPPED],
                               .workers_running = workers_running,
                               .step_us = hand_over(&meter->step_us),
                               .late_us = meter->late_us,
                               .response_us = meter->response_us,
                               .arrivals = meter->arrivals,
                               .dropped = meter->dropped - meter->dropped_before};
    meter->late_us = meter->response_us = NULL; /* taken's now */
    meter->arrivals = 0;
    meter->dropped_before = meter->dropped;
    take_requests(meter, &taken);
    take_waits(meter, &taken);
    take_errors(meter, &taken);
    take_websockets(meter, &taken);
    check_meter_take(meter->checks, &taken);
    take_scenarios(meter, &taken);
    slice_meter_take(meter->slices, &taken);
    memset(meter->steps, 0, sizeof meter->steps);
    meter->failed_by_loss = 0;
    meter->workers_running = workers_running;
    meter->has_changed = false;
    return copy_taken(meter, &taken);
}
