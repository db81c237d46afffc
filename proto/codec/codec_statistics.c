/* Counts of steps, requests, waits and errors, with histograms in their sparse form. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

void put_histogram(struct buffer *into, uint32_t field, const struct histogram *histogram)
{
    if (histogram == NULL || histogram_count(histogram) == 0) {
        return;
    }
    size_t opened = protobuf_write_open(into, field);
    size_t pairs = protobuf_write_open(into, 1);
    struct histogram_cursor cursor = {0};
    uint32_t after_previous = 0;
    while (histogram_next(histogram, &cursor)) {
        protobuf_write_element(into, (uint64_t)cursor.bucket - after_previous + 1);
        protobuf_write_element(into, cursor.count);
        after_previous = cursor.bucket + 1;
    }
    protobuf_write_close(into, pairs);
    protobuf_write_number(into, 2, histogram_maximum(histogram));
    protobuf_write_close(into, opened);
}

static bool take_pairs(const Tutti__V1__Histogram *wire, struct histogram *histogram, uint64_t *buckets_left,
                       struct error *error)
{
    uint64_t after_previous = 0;
    for (size_t i = 0; i + 1 < wire->n_pairs; i += 2) {
        uint64_t distance = wire->pairs[i];
        if (distance == 0 || distance > *buckets_left || wire->pairs[i + 1] == 0) {
            return error_set(error, "a bucket of a histogram is out of order, too high or empty");
        }
        *buckets_left -= distance;
        after_previous += distance;
        if (!histogram_add_bucket(histogram, (uint32_t)(after_previous - 1), wire->pairs[i + 1])) {
            return error_set(error, "a histogram has no such bucket");
        }
    }
    return true;
}

bool take_histogram(const Tutti__V1__Histogram *wire, struct histogram **taken, uint64_t *buckets_left,
                    struct decoding *decoding)
{
    *taken = arena_histogram(decoding->arena);
    if (wire == NULL) {
        return true;
    }
    if (wire->n_pairs == 0 || wire->n_pairs % 2 != 0) {
        return error_set(decoding->error, "%zu numbers are not a histogram", wire->n_pairs);
    }
    if (!take_pairs(wire, *taken, buckets_left, decoding->error)) {
        return false;
    }
    histogram_raise_maximum(*taken, wire->maximum);
    return true;
}

static void put_codes(struct buffer *into, uint32_t field, const struct close_counts *codes)
{
    assert(codes->size <= LIMIT_CLOSE_CODES);
    for (size_t i = 0; i < codes->size; i++) {
        size_t item = protobuf_write_open(into, field);
        protobuf_write_number(into, 1, codes->items[i].code);
        protobuf_write_number(into, 2, codes->items[i].count);
        protobuf_write_close(into, item);
    }
}

static void put_slowest(struct buffer *into, uint32_t field, const struct slow_traces *traces)
{
    assert(traces->size <= SLOW_TRACES);
    for (size_t i = 0; i < traces->size; i++) {
        const struct slow_trace *trace = &traces->items[i];
        size_t item = protobuf_write_open(into, field);
        protobuf_write_bytes(into, 1, bytes_of(trace->id, sizeof trace->id));
        protobuf_write_number(into, 2, trace->latency_us);
        protobuf_write_number(into, 3, trace->has_worker ? (uint64_t)trace->worker + 1 : 0);
        protobuf_write_number(into, 4, trace->step);
        protobuf_write_close(into, item);
    }
}

static void put_requests(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->request_count; i++) {
        const struct request_statistics *request = &statistics->requests[i];
        size_t opened = protobuf_write_open(into, 6);
        put_name(into, 1, request->name);
        protobuf_write_flag(into, 2, request->is_timing);
        protobuf_write_number(into, 3, request->count);
        protobuf_write_number(into, 4, request->failed);
        protobuf_write_number(into, 30, request->forgiven);
        put_histogram(into, 5, request->latency_us);
        for (uint32_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            put_histogram(into, 6 + phase, request->phase_us[phase]);
        }
        put_histogram(into, 20, request->response_us);
        protobuf_write_number(into, 31, request->received_bytes);
        protobuf_write_number(into, 32, request->sent_bytes);
        put_codes(into, 33, &request->statuses);
        put_slowest(into, 90, &request->slowest);
        protobuf_write_close(into, opened);
    }
}

static void put_waits(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->wait_count; i++) {
        const struct wait_statistics *wait = &statistics->waits[i];
        assert((unsigned)wait->kind < OPERATION_KIND_COUNT);
        size_t opened = protobuf_write_open(into, 7);
        put_name(into, 1, wait->name);
        protobuf_write_number(into, 2, (uint64_t)wait->kind + 1);
        size_t outcomes = protobuf_write_open(into, 3);
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            protobuf_write_element(into, wait->outcomes[outcome]);
        }
        protobuf_write_close(into, outcomes);
        put_histogram(into, 4, wait->waited_us);
        protobuf_write_close(into, opened);
    }
}

static void put_errors(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->error_count; i++) {
        const struct error_statistics *error = &statistics->errors[i];
        size_t opened = protobuf_write_open(into, 8);
        put_text(into, 1, error->text);
        protobuf_write_number(into, 2, error->count);
        protobuf_write_number(into, 3, error->worker);
        protobuf_write_number(into, 4, error->step);
        put_text(into, 5, error->key);
        put_text(into, 6, error->scenario);
        protobuf_write_close(into, opened);
    }
}

static void put_websockets(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->websocket_count; i++) {
        const struct websocket_statistics *websocket = &statistics->websockets[i];
        size_t opened = protobuf_write_open(into, 9);
        put_name(into, 1, websocket->name);
        size_t counts = protobuf_write_open(into, 2);
        for (int count = 0; count < WEBSOCKET_COUNTS; count++) {
            protobuf_write_element(into, websocket->counts[count]);
        }
        protobuf_write_close(into, counts);
        put_codes(into, 3, &websocket->codes);
        put_histogram(into, 4, websocket->handshake_us);
        put_histogram(into, 5, websocket->ping_us);
        put_histogram(into, 6, websocket->queued_us);
        protobuf_write_close(into, opened);
    }
}

static void put_checks(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->check_count; i++) {
        const struct check_statistics *check = &statistics->checks[i];
        size_t opened = protobuf_write_open(into, 30);
        put_name(into, 1, check->name);
        protobuf_write_number(into, 2, check->passed);
        protobuf_write_number(into, 3, check->failed);
        put_text(into, 4, check->text);
        protobuf_write_number(into, 5, check->worker);
        protobuf_write_number(into, 6, check->step);
        protobuf_write_close(into, opened);
    }
}

static void put_scenarios(const struct statistics *statistics, struct buffer *into)
{
    for (size_t i = 0; i < statistics->scenario_count; i++) {
        const struct scenario_statistics *scenario = &statistics->scenarios[i];
        size_t opened = protobuf_write_open(into, 32);
        put_name(into, 1, scenario->name);
        protobuf_write_number(into, 2, scenario->weight_milli);
        for (uint32_t result = 0; result < 3; result++) {
            protobuf_write_number(into, 3 + result, scenario->steps[result]);
        }
        put_histogram(into, 6, scenario->step_us);
        protobuf_write_close(into, opened);
    }
}

void encode_statistics(const struct message *message, struct buffer *into)
{
    const struct statistics *statistics = &message->statistics;
    assert(statistics->request_count <= LIMIT_REQUEST_NAMES &&
           statistics->wait_count <= LIMIT_REQUEST_NAMES && statistics->error_count <= LIMIT_REQUEST_NAMES &&
           statistics->websocket_count <= LIMIT_REQUEST_NAMES &&
           statistics->check_count <= LIMIT_REQUEST_NAMES &&
           statistics->scenario_count <= LIMIT_REQUEST_NAMES && statistics->slice_count <= LIMIT_SLICES);
    protobuf_write_number(into, 1, statistics->steps_ok);
    protobuf_write_number(into, 2, statistics->steps_failed);
    protobuf_write_number(into, 3, statistics->steps_stopped);
    protobuf_write_number(into, 4, statistics->workers_running);
    put_histogram(into, 5, statistics->step_us);
    put_requests(statistics, into);
    put_waits(statistics, into);
    put_errors(statistics, into);
    put_websockets(statistics, into);
    put_histogram(into, 20, statistics->late_us);
    put_histogram(into, 21, statistics->response_us);
    protobuf_write_number(into, 22, statistics->arrivals);
    protobuf_write_number(into, 23, statistics->dropped);
    put_checks(statistics, into);
    protobuf_write_number(into, 31, (uint64_t)statistics->at_ns);
    put_scenarios(statistics, into);
    put_slices(statistics, into);
    protobuf_write_number(into, 110, statistics->steps_failed_by_loss);
}

/* NULL where the peer has sent none. */
static bool take_own_histogram(const Tutti__V1__Histogram *wire, struct histogram **taken,
                               uint64_t *buckets_left, struct decoding *decoding)
{
    return wire == NULL || take_histogram(wire, taken, buckets_left, decoding);
}

static bool take_phases(const Tutti__V1__RequestStatistics *wire, struct request_statistics *request,
                        uint64_t *buckets_left, struct decoding *decoding)
{
    const Tutti__V1__Histogram *const phases[] = {
        [REQUEST_BLOCKED] = wire->blocked_us,     [REQUEST_LOOKUP] = wire->lookup_us,
        [REQUEST_CONNECT] = wire->connect_us,     [REQUEST_TLS] = wire->tls_us,
        [REQUEST_SENDING] = wire->sending_us,     [REQUEST_WAITING] = wire->waiting_us,
        [REQUEST_RECEIVING] = wire->receiving_us,
    };
    static_assert(sizeof phases / sizeof *phases == REQUEST_PHASE_COUNT, "each phase is on the wire");
    for (size_t i = 0; i < REQUEST_PHASE_COUNT; i++) {
        if (phases[i] != NULL && !take_histogram(phases[i], &request->phase_us[i], buckets_left, decoding)) {
            return false;
        }
    }
    return true;
}

static bool take_codes(Tutti__V1__CloseCount *const *wire, size_t count, struct close_counts *codes,
                       struct error *error)
{
    if (count > LIMIT_CLOSE_CODES) {
        return error_set(error, "more than %u codes", LIMIT_CLOSE_CODES);
    }
    for (size_t i = 0; i < count; i++) {
        codes->items[codes->size++] = (struct close_count){.code = wire[i]->code, .count = wire[i]->count};
    }
    return true;
}

static bool take_slowest(const Tutti__V1__RequestStatistics *wire, struct slow_traces *traces,
                         struct decoding *decoding)
{
    if (wire->n_slowest > SLOW_TRACES) {
        return error_set(decoding->error, "more than %u traces", SLOW_TRACES);
    }
    if (wire->n_slowest > 0) {
        traces->items = arena_array(decoding->arena, SLOW_TRACES, sizeof *traces->items);
    }
    for (size_t i = 0; i < wire->n_slowest; i++) {
        const Tutti__V1__SlowTrace *from = wire->slowest[i];
        struct slow_trace trace = {.latency_us = from->latency_us, .step = from->step};
        if (from->id.len != sizeof trace.id || from->worker > LIMIT_WORKERS) {
            return error_set(decoding->error, "a trace that is none");
        }
        memcpy(trace.id, from->id.data, sizeof trace.id);
        trace.has_worker = from->worker > 0;
        trace.worker = trace.has_worker ? from->worker - 1 : 0;
        slow_traces_add(traces, &trace);
    }
    return true;
}

static bool take_requests(const Tutti__V1__Statistics *wire, uint64_t *buckets_left,
                          struct decoding *decoding)
{
    struct request_statistics *requests =
        (struct request_statistics *)arena_array(decoding->arena, wire->n_requests, sizeof *requests);
    decoding->message->statistics.requests = requests;
    decoding->message->statistics.request_count = wire->n_requests;
    for (size_t i = 0; i < wire->n_requests; i++) {
        const Tutti__V1__RequestStatistics *from = wire->requests[i];
        requests[i].is_timing = from->is_timing;
        requests[i].count = from->count;
        requests[i].failed = from->failed;
        requests[i].forgiven = from->forgiven;
        requests[i].received_bytes = from->received_bytes;
        requests[i].sent_bytes = from->sent_bytes;
        if (!take_name(&from->name, "name of a request", &requests[i].name, decoding->error) ||
            !take_histogram(from->latency_us, &requests[i].latency_us, buckets_left, decoding) ||
            !take_phases(from, &requests[i], buckets_left, decoding) ||
            !take_own_histogram(from->response_us, &requests[i].response_us, buckets_left, decoding) ||
            !take_codes(from->statuses, from->n_statuses, &requests[i].statuses, decoding->error) ||
            !take_slowest(from, &requests[i].slowest, decoding)) {
            return false;
        }
    }
    return true;
}

static bool take_outcomes(const Tutti__V1__WaitStatistics *wire, uint64_t outcomes[OUTCOME_COUNT],
                          struct error *error)
{
    if (wire->n_outcomes != OUTCOME_COUNT) {
        return error_set(error, "%zu outcomes instead of %d", wire->n_outcomes, OUTCOME_COUNT);
    }
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        outcomes[i] = wire->outcomes[i];
    }
    return true;
}

static bool take_waits(const Tutti__V1__Statistics *wire, uint64_t *buckets_left, struct decoding *decoding)
{
    struct wait_statistics *waits =
        (struct wait_statistics *)arena_array(decoding->arena, wire->n_waits, sizeof *waits);
    decoding->message->statistics.waits = waits;
    decoding->message->statistics.wait_count = wire->n_waits;
    for (size_t i = 0; i < wire->n_waits; i++) {
        const Tutti__V1__WaitStatistics *from = wire->waits[i];
        if (!take_name(&from->name, "name of a wait", &waits[i].name, decoding->error) ||
            !take_operation_kind(from->kind, &waits[i].kind, decoding->error) ||
            !take_outcomes(from, waits[i].outcomes, decoding->error) ||
            !take_histogram(from->waited_us, &waits[i].waited_us, buckets_left, decoding)) {
            return false;
        }
    }
    return true;
}

static bool take_errors(const Tutti__V1__Statistics *wire, struct decoding *decoding)
{
    struct error_statistics *errors =
        (struct error_statistics *)arena_array(decoding->arena, wire->n_errors, sizeof *errors);
    decoding->message->statistics.errors = errors;
    decoding->message->statistics.error_count = wire->n_errors;
    for (size_t i = 0; i < wire->n_errors; i++) {
        const Tutti__V1__ErrorStatistics *from = wire->errors[i];
        errors[i].count = from->count;
        errors[i].step = from->step;
        if (!take_worker(from->worker, &errors[i].worker, decoding->error) ||
            !take_text(&from->text, "text of an error", &errors[i].text, decoding->error) ||
            !take_text(&from->key, "key of an error", &errors[i].key, decoding->error) ||
            !take_text(&from->scenario, "scenario of an error", &errors[i].scenario, decoding->error)) {
            return false;
        }
    }
    return true;
}

static bool take_checks(const Tutti__V1__Statistics *wire, struct decoding *decoding)
{
    struct check_statistics *checks = arena_array(decoding->arena, wire->n_checks, sizeof *checks);
    decoding->message->statistics.checks = checks;
    decoding->message->statistics.check_count = wire->n_checks;
    for (size_t i = 0; i < wire->n_checks; i++) {
        const Tutti__V1__CheckStatistics *from = wire->checks[i];
        checks[i].passed = from->passed;
        checks[i].failed = from->failed;
        checks[i].step = from->step;
        if (!take_name(&from->name, "name of a check", &checks[i].name, decoding->error) ||
            !take_worker(from->worker, &checks[i].worker, decoding->error) ||
            !take_text(&from->text, "text of a check", &checks[i].text, decoding->error)) {
            return false;
        }
    }
    return true;
}

/* A peer of another version may count fewer things, or more. */
static bool take_websockets(const Tutti__V1__Statistics *wire, uint64_t *buckets_left,
                            struct decoding *decoding)
{
    struct websocket_statistics *websockets =
        (struct websocket_statistics *)arena_array(decoding->arena, wire->n_websockets, sizeof *websockets);
    decoding->message->statistics.websockets = websockets;
    decoding->message->statistics.websocket_count = wire->n_websockets;
    for (size_t i = 0; i < wire->n_websockets; i++) {
        const Tutti__V1__WebsocketStatistics *from = wire->websockets[i];
        for (size_t count = 0; count < from->n_counts && count < WEBSOCKET_COUNTS; count++) {
            websockets[i].counts[count] = from->counts[count];
        }
        if (!take_name(&from->name, "name of a WebSocket", &websockets[i].name, decoding->error) ||
            !take_codes(from->codes, from->n_codes, &websockets[i].codes, decoding->error) ||
            !take_histogram(from->handshake_us, &websockets[i].handshake_us, buckets_left, decoding) ||
            !take_histogram(from->ping_us, &websockets[i].ping_us, buckets_left, decoding) ||
            !take_histogram(from->queued_us, &websockets[i].queued_us, buckets_left, decoding)) {
            return false;
        }
    }
    return true;
}

static bool take_scenarios(const Tutti__V1__Statistics *wire, uint64_t *buckets_left,
                           struct decoding *decoding)
{
    struct scenario_statistics *scenarios =
        (struct scenario_statistics *)arena_array(decoding->arena, wire->n_scenarios, sizeof *scenarios);
    decoding->message->statistics.scenarios = scenarios;
    decoding->message->statistics.scenario_count = wire->n_scenarios;
    for (size_t i = 0; i < wire->n_scenarios; i++) {
        const Tutti__V1__ScenarioStatistics *from = wire->scenarios[i];
        scenarios[i].weight_milli = from->weight_milli;
        scenarios[i].steps[0] = from->steps_ok;
        scenarios[i].steps[1] = from->steps_failed;
        scenarios[i].steps[2] = from->steps_stopped;
        if (!take_name(&from->name, "name of a scenario", &scenarios[i].name, decoding->error) ||
            !take_histogram(from->step_us, &scenarios[i].step_us, buckets_left, decoding)) {
            return false;
        }
    }
    return true;
}

bool decode_statistics(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Statistics *wire = protobuf_write_message->statistics;
    struct statistics *statistics = &decoding->message->statistics;
    if (wire->n_requests > LIMIT_REQUEST_NAMES || wire->n_waits > LIMIT_REQUEST_NAMES ||
        wire->n_errors > LIMIT_REQUEST_NAMES || wire->n_websockets > LIMIT_REQUEST_NAMES ||
        wire->n_checks > LIMIT_REQUEST_NAMES || wire->n_scenarios > LIMIT_REQUEST_NAMES) {
        return error_set(decoding->error,
                         "more than %u kinds of request, wait, error, WebSocket, check or scenario",
                         LIMIT_REQUEST_NAMES);
    }
    if (wire->n_slices > LIMIT_SLICES) {
        return error_set(decoding->error, "more than %u numbers by tag", LIMIT_SLICES);
    }
    if (wire->workers_running > LIMIT_WORKERS) {
        return error_set(decoding->error, "%u workers running", wire->workers_running);
    }
    statistics->steps_ok = wire->steps_ok;
    statistics->steps_failed = wire->steps_failed;
    statistics->steps_failed_by_loss = wire->steps_failed_by_loss;
    statistics->steps_stopped = wire->steps_stopped;
    statistics->workers_running = wire->workers_running;
    statistics->at_ns = wire->at_ns;
    statistics->arrivals = wire->arrivals;
    statistics->dropped = wire->dropped;
    uint64_t buckets_left = buckets_of(decoding);
    return take_histogram(wire->step_us, &statistics->step_us, &buckets_left, decoding) &&
           take_requests(wire, &buckets_left, decoding) && take_waits(wire, &buckets_left, decoding) &&
           take_errors(wire, decoding) && take_websockets(wire, &buckets_left, decoding) &&
           take_scenarios(wire, &buckets_left, decoding) &&
           take_own_histogram(wire->late_us, &statistics->late_us, &buckets_left, decoding) &&
           take_own_histogram(wire->response_us, &statistics->response_us, &buckets_left, decoding) &&
           take_checks(wire, decoding) && take_slices(wire, &buckets_left, decoding);
}
