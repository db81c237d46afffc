/* What the agents of a campaign have counted, as bytes. */
#include "coordinator/core/report/statistics_inside.h"

#include "common/histogram_pack.h"
#include "common/memory.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct request_report) == 408 && sizeof(struct wait_report) == 80 &&
                  sizeof(struct error_report) == 96 && sizeof(struct websocket_report) == 384 &&
                  sizeof(struct campaign_statistics) == 248,
              "what is packed here has to know each field");

static void own_histogram_pack(const struct histogram *histogram, struct buffer *into)
{
    pack_flag(into, histogram != NULL);
    if (histogram != NULL) {
        histogram_pack(histogram, into);
    }
}

static void phases_pack(const struct request_total *total, struct buffer *into)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        own_histogram_pack(total->phase_us[phase], into);
    }
}

static void codes_pack(const struct close_counts *codes, struct buffer *into)
{
    pack_number(into, codes->size);
    for (size_t i = 0; i < codes->size; i++) {
        pack_number(into, codes->items[i].code);
        pack_number(into, codes->items[i].count);
    }
}

static void traces_pack(const struct slow_traces *traces, struct buffer *into)
{
    pack_number(into, traces->size);
    for (size_t i = 0; i < traces->size; i++) {
        const struct slow_trace *trace = &traces->items[i];
        pack_number(into, trace->latency_us);
        pack_flag(into, trace->has_worker);
        pack_number(into, trace->worker);
        pack_number(into, trace->step);
        pack_bytes(into, bytes_of(trace->id, sizeof trace->id));
    }
}

static void requests_pack(const struct campaign_statistics *statistics, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(statistics->requests));
    while (map_next(statistics->requests, &cursor)) {
        const struct request_total *total = (const struct request_total *)cursor.value;
        pack_bytes(into, total->report.name);
        pack_flag(into, total->report.is_timing);
        pack_number(into, total->report.count);
        pack_number(into, total->report.failed);
        pack_number(into, total->report.received_bytes);
        pack_number(into, total->report.sent_bytes);
        codes_pack(&total->report.statuses, into);
        traces_pack(&total->report.slowest, into);
        histogram_pack(total->latency_us, into);
        own_histogram_pack(total->response_us, into);
        phases_pack(total, into);
    }
}

static void waits_pack(const struct campaign_statistics *statistics, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(statistics->waits));
    while (map_next(statistics->waits, &cursor)) {
        const struct wait_total *total = (const struct wait_total *)cursor.value;
        pack_bytes(into, total->report.name);
        pack_number(into, total->report.kind);
        for (size_t i = 0; i < OUTCOME_COUNT; i++) {
            pack_number(into, total->report.outcomes[i]);
        }
        histogram_pack(total->waited_us, into);
    }
}

static void websockets_pack(const struct campaign_statistics *statistics, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(statistics->websockets));
    while (map_next(statistics->websockets, &cursor)) {
        const struct websocket_total *total = cursor.value;
        pack_bytes(into, total->report.name);
        for (size_t i = 0; i < WEBSOCKET_COUNTS; i++) {
            pack_number(into, total->report.counts[i]);
        }
        codes_pack(&total->report.codes, into);
        histogram_pack(total->handshake_us, into);
        histogram_pack(total->ping_us, into);
        histogram_pack(total->queued_us, into);
    }
}

static void errors_pack(const struct campaign_statistics *statistics, struct buffer *into)
{
    struct map_cursor cursor = {0};
    pack_number(into, map_size(statistics->errors));
    while (map_next(statistics->errors, &cursor)) {
        const struct error_total *total = cursor.value;
        const struct error_report *report = &total->report;
        pack_bytes(into, total->key.bytes);
        pack_bytes(into, report->text);
        pack_bytes(into, report->scenario);
        pack_number(into, report->count);
        pack_number(into, report->worker);
        pack_number(into, report->step);
        pack_flag(into, report->has_times);
        pack_number(into, report->first_s);
        pack_number(into, report->last_s);
        pack_bytes(into, report->agent);
    }
}

void campaign_statistics_pack(const struct campaign_statistics *statistics, struct buffer *into)
{
    pack_number(into, statistics->steps_ok);
    pack_number(into, statistics->steps_failed);
    pack_number(into, statistics->steps_failed_by_loss);
    pack_number(into, statistics->steps_stopped);
    pack_number(into, statistics->steps_lost);
    pack_number(into, statistics->requests_total);
    pack_number(into, statistics->arrivals);
    pack_number(into, statistics->dropped);
    pack_number(into, statistics->left_bytes);
    histogram_pack(statistics->step_us, into);
    histogram_pack(statistics->request_latency_us, into);
    own_histogram_pack(statistics->late_us, into);
    own_histogram_pack(statistics->response_us, into);
    own_histogram_pack(statistics->request_response_us, into);
    requests_pack(statistics, into);
    waits_pack(statistics, into);
    errors_pack(statistics, into);
    websockets_pack(statistics, into);
    statistics_pack_checks(statistics, into);
    scenario_totals_pack(statistics->scenarios, into);
    slice_totals_pack(statistics->slices, into);
}

/* A histogram that every campaign has from the beginning: merges into an empty one. */
static void histogram_unpack_into(struct histogram *histogram, struct unpack *from)
{
    struct histogram *found = histogram_unpack(from);
    if (found == NULL) {
        unpack_break(from);
        return;
    }
    histogram_merge(histogram, found);
    histogram_free(&found);
}

static struct histogram *own_histogram_unpack(struct unpack *from)
{
    return unpack_flag(from) ? histogram_unpack(from) : NULL;
}

static void phases_unpack(struct request_statistics *request, struct unpack *from)
{
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        request->phase_us[phase] = own_histogram_unpack(from);
    }
}

static void request_free_histograms(struct request_statistics *request)
{
    histogram_free(&request->latency_us);
    histogram_free(&request->response_us);
    for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        histogram_free(&request->phase_us[phase]);
    }
}

static void codes_unpack(struct close_counts *codes, struct unpack *from)
{
    codes->size = unpack_bounded(from, LIMIT_CLOSE_CODES);
    for (size_t i = 0; i < codes->size; i++) {
        codes->items[i].code = (uint32_t)unpack_bounded(from, UINT32_MAX);
        codes->items[i].count = unpack_number(from);
    }
}

static void traces_unpack(struct slow_traces *traces, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, SLOW_TRACES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct slow_trace trace = {.latency_us = unpack_number(from)};
        trace.has_worker = unpack_flag(from);
        trace.worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        trace.step = unpack_number(from);
        struct bytes id = unpack_bytes(from);
        if (id.size != sizeof trace.id) {
            unpack_break(from);
            return;
        }
        memcpy(trace.id, id.data, sizeof trace.id);
        slow_traces_add(traces, &trace);
    }
}

/* The totals of a name are merged as if one agent had reported them. */
static void requests_unpack(struct campaign_statistics *statistics, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, 2 * STATISTICS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct request_statistics request = {.name = unpack_bytes(from)};
        request.is_timing = unpack_flag(from);
        request.count = unpack_number(from);
        request.failed = unpack_number(from);
        request.received_bytes = unpack_number(from);
        request.sent_bytes = unpack_number(from);
        codes_unpack(&request.statuses, from);
        traces_unpack(&request.slowest, from);
        request.latency_us = histogram_unpack(from);
        request.response_us = own_histogram_unpack(from);
        phases_unpack(&request, from);
        if (!from->is_broken) {
            campaign_statistics_merge(statistics,
                                      &(struct statistics){.requests = &request, .request_count = 1});
        }
        request_free_histograms(&request);
        slow_traces_finish(&request.slowest);
    }
}

static void waits_unpack(struct campaign_statistics *statistics, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, 2 * STATISTICS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct wait_statistics wait = {.name = unpack_bytes(from)};
        wait.kind = (enum operation_kind)unpack_bounded(from, OPERATION_KIND_COUNT - 1);
        for (size_t j = 0; j < OUTCOME_COUNT; j++) {
            wait.outcomes[j] = unpack_number(from);
        }
        wait.waited_us = histogram_unpack(from);
        if (!from->is_broken) {
            campaign_statistics_merge(statistics, &(struct statistics){.waits = &wait, .wait_count = 1});
        }
        histogram_free(&wait.waited_us);
    }
}

static void websockets_unpack(struct campaign_statistics *statistics, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, 2 * STATISTICS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct websocket_statistics websocket = {.name = unpack_bytes(from)};
        for (size_t j = 0; j < WEBSOCKET_COUNTS; j++) {
            websocket.counts[j] = unpack_number(from);
        }
        codes_unpack(&websocket.codes, from);
        websocket.handshake_us = histogram_unpack(from);
        websocket.ping_us = histogram_unpack(from);
        websocket.queued_us = histogram_unpack(from);
        if (!from->is_broken) {
            campaign_statistics_merge(statistics,
                                      &(struct statistics){.websockets = &websocket, .websocket_count = 1});
        }
        histogram_free(&websocket.handshake_us);
        histogram_free(&websocket.ping_us);
        histogram_free(&websocket.queued_us);
    }
}

static void errors_unpack(struct campaign_statistics *statistics, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, 2 * STATISTICS_NAMES);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct error_statistics error = {.key = unpack_bytes(from)};
        error.text = unpack_bytes(from);
        error.scenario = unpack_bytes(from);
        error.count = unpack_number(from);
        error.worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        error.step = unpack_number(from);
        bool has_times = unpack_flag(from);
        uint64_t first_s = unpack_number(from);
        uint64_t last_s = unpack_number(from);
        struct bytes agent = unpack_bytes(from);
        if (!from->is_broken) {
            campaign_statistics_add_error(statistics, &error);
        }
        struct error_total *total = from->is_broken ? NULL : statistics_find_error(statistics, &error);
        if (total != NULL && has_times) {
            statistics_note_error(total, first_s, last_s, agent);
        }
    }
}

struct campaign_statistics *campaign_statistics_unpack(struct unpack *from, struct bytes thresholds)
{
    struct campaign_statistics *statistics = campaign_statistics_new();
    struct campaign_statistics totals = {0};
    campaign_statistics_keep_tags(statistics, thresholds);
    totals.steps_ok = unpack_number(from);
    totals.steps_failed = unpack_number(from);
    totals.steps_failed_by_loss = unpack_number(from);
    totals.steps_stopped = unpack_number(from);
    totals.steps_lost = unpack_number(from);
    totals.requests_total = unpack_number(from);
    totals.arrivals = unpack_number(from);
    totals.dropped = unpack_number(from);
    totals.left_bytes = unpack_bounded(from, STATISTICS_MAX_BYTES);
    statistics->left_bytes = SIZE_MAX; /* so that nothing is clipped that was not before */
    histogram_unpack_into(statistics->step_us, from);
    struct histogram *latency_us = histogram_new();
    histogram_unpack_into(latency_us, from);
    statistics->late_us = own_histogram_unpack(from);
    statistics->response_us = own_histogram_unpack(from);
    struct histogram *response_us = own_histogram_unpack(from);
    requests_unpack(statistics, from);
    waits_unpack(statistics, from);
    errors_unpack(statistics, from);
    websockets_unpack(statistics, from);
    statistics_unpack_checks(statistics, from);
    scenario_totals_unpack(statistics->scenarios, from);
    slice_totals_unpack(statistics->slices, from);
    /* The bytes have the sums over all requests; merging has counted them too. */
    histogram_free(&statistics->request_latency_us);
    statistics->request_latency_us = latency_us;
    histogram_free(&statistics->request_response_us);
    statistics->request_response_us = response_us;
    statistics->arrivals = totals.arrivals;
    statistics->dropped = totals.dropped;
    statistics->steps_ok = totals.steps_ok;
    statistics->steps_failed = totals.steps_failed;
    statistics->steps_failed_by_loss = totals.steps_failed_by_loss;
    statistics->steps_stopped = totals.steps_stopped;
    statistics->steps_lost = totals.steps_lost;
    statistics->requests_total = totals.requests_total;
    statistics->left_bytes = totals.left_bytes;
    if (from->is_broken) {
        campaign_statistics_free(&statistics);
    }
    return statistics;
}
