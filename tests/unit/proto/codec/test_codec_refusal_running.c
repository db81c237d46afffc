/* For each bound of messages in a running campaign: a valid message that is spoiled in one field, and the
 * error with which it is refused. */
#include "proto/message/limits.h"
#include "proto/message/load_text.h"
#include "tests/unit/proto/codec/spoil.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

SPOIL(rooms_beyond, wire->synchronise->rooms[0] = LIMIT_WORKERS)
SPOIL(rooms_done_beyond, wire->rooms_done->rooms[0] = LIMIT_WORKERS)
SPOIL(assign_nobody, wire->assign->items[1]->n_workers = 0)
SPOIL(assign_beyond, wire->assign->items[0]->workers[0] = LIMIT_WORKERS)
SPOIL(steps_odd, wire->drained->n_pairs--)
SPOIL(steps_room, wire->run_until->pairs[2] = 1ull << 32)

#define ITEM(kind) wire->operations->items[kind]
SPOIL(operation_no_kind, ITEM(0)->kind = TUTTI__V1__OPERATION_KIND__OPERATION_KIND_UNSPECIFIED)
SPOIL(operation_kind_beyond, ITEM(0)->kind = (Tutti__V1__OperationKind)(OPERATION_KIND_COUNT + 1))
SPOIL(operation_kind_negative, ITEM(0)->kind = (Tutti__V1__OperationKind)-5)
SPOIL(operation_nobody, ITEM(OPERATION_PAST)->n_workers = 0)
SPOIL(operation_room, ITEM(OPERATION_READ)->room = LIMIT_WORKERS + 1)
SPOIL(operation_name_empty, ITEM(OPERATION_READ)->name.len = 0)
SPOIL(operation_name_long, ITEM(OPERATION_PAST)->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(operation_timeout, ITEM(OPERATION_WAIT_SET)->timeout_ms = LIMIT_DURATION_MS + 1)
SPOIL(operation_value, ITEM(OPERATION_SET)->value = text_bytes("x"))
SPOIL(operation_value_more, ITEM(OPERATION_SET)->value = text_bytes("tt"))
SPOIL(operation_expected, ITEM(OPERATION_CAS)->expected = text_bytes("i"))
SPOIL(operation_text, ITEM(OPERATION_PAST)->text = long_bytes(LIMIT_TEXT_BYTES + 1))

static void operation_crowd(Tutti__V1__Message *wire)
{
    static uint32_t two[] = {1, 1, 2};
    ITEM(OPERATION_WRITTEN)->workers = two;
    ITEM(OPERATION_WRITTEN)->n_workers = 3;
}

static void operation_instants(Tutti__V1__Message *wire)
{
    static uint32_t two[] = {1, 1};
    ITEM(OPERATION_READ)->after_us = two;
    ITEM(OPERATION_READ)->n_after_us = 2;
}

SPOIL(operation_on_timeout, ITEM(OPERATION_BARRIER)->on_timeout = BARRIER_TIMEOUTS)
SPOIL(operation_digest, ITEM(OPERATION_READ)->digest = text_bytes("fifteen bytes.."))

/* 1.0 as a floating-point number: it has to be an integer. */
static void operation_value_not_canonical(Tutti__V1__Message *wire)
{
    static uint8_t one[] = {'d', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0};
    ITEM(OPERATION_SET)->value = (ProtobufCBinaryData){.len = sizeof one, .data = one};
}

/* A value must be valid even if the kind has none. */
SPOIL(operation_value_idle, ITEM(OPERATION_READ)->value = text_bytes("?"))

#define REPLY(kind) wire->replies->items[kind]
SPOIL(reply_no_kind, REPLY(0)->kind = TUTTI__V1__OPERATION_KIND__OPERATION_KIND_UNSPECIFIED)
SPOIL(reply_outcome, REPLY(0)->outcome = (Tutti__V1__Outcome)OUTCOME_COUNT)
SPOIL(reply_outcome_negative, REPLY(0)->outcome = (Tutti__V1__Outcome)-1)
SPOIL(reply_nobody, REPLY(OPERATION_GET)->n_workers = 0)
SPOIL(reply_room, REPLY(OPERATION_GET)->room = UINT32_MAX)
SPOIL(reply_name, REPLY(OPERATION_GET)->name.len = 0)
SPOIL(reply_name_long, REPLY(OPERATION_GET)->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(reply_value, REPLY(OPERATION_GET)->value = text_bytes("s"))
SPOIL(reply_missing, REPLY(OPERATION_GET)->missing[2] = LIMIT_MISSING + 1)
SPOIL(reply_text, REPLY(OPERATION_GET)->text = long_bytes(LIMIT_TEXT_BYTES + 1))

SPOIL(begin_from, wire->begin->from_plan_ns = LIMIT_PLAN_NS + 1)
SPOIL(pace_slots_at, wire->pace->slots_at_ns = LIMIT_PLAN_NS + 1)
SPOIL(pace_slots, wire->pace->slots = LIMIT_WORKERS + 1)
SPOIL(wanted_none, wire->workers_wanted->workers = 0)
SPOIL(wanted_many, wire->workers_wanted->workers = LIMIT_WORKERS + 1)
SPOIL(pace_paused, wire->pace->paused_at_ns = LIMIT_PLAN_NS + 1)
SPOIL(pace_shift, wire->pace->shift_ns = LIMIT_PLAN_NS + 1)
SPOIL(pace_rate_at, wire->pace->rate_at_ns = UINT64_MAX)
SPOIL(pace_rate, wire->pace->rate_per_s = LOAD_RATE_MAX + 1)
SPOIL(pace_rate_negative, wire->pace->rate_per_s = -1)
SPOIL(pace_rate_nan, wire->pace->rate_per_s = (double)NAN)
SPOIL(pace_before, wire->pace->before = 2 * LIMIT_ARRIVALS)
SPOIL(pace_before_nan, wire->pace->before = (double)NAN)
SPOIL(pace_room, wire->pace->rooms->pairs[2] = LIMIT_WORKERS)

SPOIL(gauges_interval, wire->gauges->interval_us = LIMIT_INTERVAL_US + 1)
SPOIL(gauges_histogram, wire->gauges->lag_us->n_pairs--)

#define STATISTICS wire->statistics
SPOIL(statistics_running, STATISTICS->workers_running = LIMIT_WORKERS + 1)
SPOIL(statistics_late, STATISTICS->late_us->pairs[0] = 0)
SPOIL(statistics_response, STATISTICS->response_us->n_pairs--)
SPOIL(request_response, STATISTICS->requests[0]->response_us->pairs[0] = 0)
SPOIL(histogram_odd, STATISTICS->step_us->n_pairs--)
SPOIL(histogram_none, STATISTICS->step_us->n_pairs = 0)
SPOIL(histogram_same_bucket, STATISTICS->step_us->pairs[2] = 0)
SPOIL(histogram_first_bucket, STATISTICS->step_us->pairs[0] = 0)
SPOIL(histogram_nothing, STATISTICS->step_us->pairs[3] = 0)
SPOIL(histogram_far, STATISTICS->step_us->pairs[4] = 1u << 20)
SPOIL(histogram_wraps, STATISTICS->step_us->pairs[4] = 1ull << 32)
SPOIL(histogram_wraps_wide, STATISTICS->step_us->pairs[4] = UINT64_MAX)
SPOIL(request_histogram, STATISTICS->requests[1]->latency_us->pairs[0] = 0)
SPOIL(request_phase, STATISTICS->requests[0]->receiving_us->pairs[0] = 0)
SPOIL(request_name, STATISTICS->requests[1]->name.len = 0)
SPOIL(request_name_long, STATISTICS->requests[0]->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(wait_name, STATISTICS->waits[0]->name.len = 0)
SPOIL(wait_kind, STATISTICS->waits[1]->kind = (Tutti__V1__OperationKind)99)
SPOIL(wait_outcomes, STATISTICS->waits[1]->n_outcomes--)
SPOIL(wait_histogram, STATISTICS->waits[0]->waited_us->pairs[1] = 0)
SPOIL(error_worker, STATISTICS->errors[0]->worker = LIMIT_WORKERS)
SPOIL(error_text, STATISTICS->errors[1]->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(error_key, STATISTICS->errors[1]->key = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(websocket_name, STATISTICS->websockets[0]->name = long_bytes(LIMIT_NAME_BYTES + 1))
static void many_codes(Tutti__V1__WebsocketStatistics *websocket)
{
    static Tutti__V1__CloseCount *codes[LIMIT_CLOSE_CODES + 1];
    for (size_t i = 0; i <= LIMIT_CLOSE_CODES; i++) {
        codes[i] = websocket->codes[0];
    }
    websocket->codes = codes;
    websocket->n_codes = LIMIT_CLOSE_CODES + 1;
}
static void many_statuses(Tutti__V1__RequestStatistics *request)
{
    static Tutti__V1__CloseCount *codes[LIMIT_CLOSE_CODES + 1];
    for (size_t i = 0; i < LIMIT_CLOSE_CODES + 1; i++) {
        codes[i] = request->statuses[0];
    }
    request->statuses = codes;
    request->n_statuses = LIMIT_CLOSE_CODES + 1;
}
static void many_traces(Tutti__V1__RequestStatistics *request)
{
    static Tutti__V1__SlowTrace *traces[SLOW_TRACES + 1];
    for (size_t i = 0; i < SLOW_TRACES + 1; i++) {
        traces[i] = request->slowest[0];
    }
    request->slowest = traces;
    request->n_slowest = SLOW_TRACES + 1;
}
SPOIL(request_traces, many_traces(STATISTICS->requests[0]))
SPOIL(request_trace_id, STATISTICS->requests[0]->slowest[1]->id.len--)
SPOIL(request_trace_worker, STATISTICS->requests[1]->slowest[0]->worker = LIMIT_WORKERS + 1)
SPOIL(request_statuses, many_statuses(STATISTICS->requests[0]))
SPOIL(scenario_name, STATISTICS->scenarios[0]->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(slice_name, STATISTICS->slices[0]->name.len = 0)
SPOIL(slice_kind, STATISTICS->slices[1]->kind = SLICE_KINDS)
SPOIL(slice_untagged, STATISTICS->slices[1]->tag.len = 0)
SPOIL(slice_tag, STATISTICS->slices[1]->tag.data = (uint8_t *)"tier-gold-and")
SPOIL(slice_tag_name, STATISTICS->slices[1]->tag.data = (uint8_t *)"t(er=gold-and")
SPOIL(slice_tag_value, STATISTICS->slices[1]->tag.data = (uint8_t *)"tier=gold\x01 b ")
SPOIL(slice_tag_long, STATISTICS->slices[1]->tag = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(slice_histogram, STATISTICS->slices[1]->us->pairs[0] = 0)
SPOIL(websocket_codes, many_codes(STATISTICS->websockets[0]))
SPOIL(websocket_histogram, STATISTICS->websockets[1]->ping_us->pairs[0] = 0)
SPOIL(check_name, STATISTICS->checks[0]->name.len = 0)
SPOIL(check_worker, STATISTICS->checks[1]->worker = LIMIT_WORKERS)
SPOIL(check_text, STATISTICS->checks[1]->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(error_scenario, STATISTICS->errors[1]->scenario = long_bytes(LIMIT_TEXT_BYTES + 1))

static const struct refusal REFUSALS[] = {
    {MESSAGE_SYNCHRONISE, rooms_beyond, "beyond"},
    {MESSAGE_ROOMS_DONE, rooms_done_beyond, "beyond"},
    {MESSAGE_ASSIGN, assign_nobody, "set of workers is empty"},
    {MESSAGE_ASSIGN, assign_beyond, "beyond"},
    {MESSAGE_DRAINED, steps_odd, "5 numbers are not pairs"},
    {MESSAGE_RUN_UNTIL, steps_room, "room is beyond"},
    {MESSAGE_OPERATIONS, operation_no_kind, "operation 0: unknown kind of operation 0"},
    {MESSAGE_OPERATIONS, operation_kind_beyond, "unknown kind of operation 24"},
    {MESSAGE_OPERATIONS, operation_kind_negative, "unknown kind of operation -5"},
    {MESSAGE_OPERATIONS, operation_nobody, "set of workers is empty"},
    {MESSAGE_OPERATIONS, operation_crowd, "written takes exactly one worker"},
    {MESSAGE_OPERATIONS, operation_room, "room 1000000 is beyond"},
    {MESSAGE_OPERATIONS, operation_name_empty, "operation 2: name is empty"},
    {MESSAGE_OPERATIONS, operation_name_long, "name has 256 bytes"},
    {MESSAGE_OPERATIONS, operation_timeout, "timeout is longer"},
    {MESSAGE_OPERATIONS, operation_value, "value: "},
    {MESSAGE_OPERATIONS, operation_value_more, "value: "},
    {MESSAGE_OPERATIONS, operation_value_not_canonical, "value: "},
    {MESSAGE_OPERATIONS, operation_value_idle, "value: "},
    {MESSAGE_OPERATIONS, operation_expected, "expected value: "},
    {MESSAGE_OPERATIONS, operation_text, "text has 2001 bytes"},
    {MESSAGE_OPERATIONS, operation_instants, "operation 2: 2 instants for 29 workers"},
    {MESSAGE_OPERATIONS, operation_digest, "operation 2: a digest of 15 bytes"},
    {MESSAGE_OPERATIONS, operation_on_timeout, "operation 6: a timeout that does 3"},
    {MESSAGE_REPLIES, reply_no_kind, "reply 0: unknown kind"},
    {MESSAGE_REPLIES, reply_outcome, "outcome: unknown value 6"},
    {MESSAGE_REPLIES, reply_outcome_negative, "outcome: unknown value -1"},
    {MESSAGE_REPLIES, reply_nobody, "set of workers is empty"},
    {MESSAGE_REPLIES, reply_room, "is beyond"},
    {MESSAGE_REPLIES, reply_name, "name is empty"},
    {MESSAGE_REPLIES, reply_name_long, "name has 256 bytes"},
    {MESSAGE_REPLIES, reply_value, "value: "},
    {MESSAGE_REPLIES, reply_missing, "33 workers, at most 32"},
    {MESSAGE_REPLIES, reply_text, "text has 2001 bytes"},
    {MESSAGE_BEGIN, begin_from, "too far away"},
    {MESSAGE_PACE, pace_slots_at, "too far away"},
    {MESSAGE_PACE, pace_slots, "arrivals of 1000001 workers"},
    {MESSAGE_WORKERS_WANTED, wanted_none, "0 workers, 1 to"},
    {MESSAGE_WORKERS_WANTED, wanted_many, "1000001 workers, 1 to"},
    {MESSAGE_PACE, pace_paused, "too far away"},
    {MESSAGE_PACE, pace_shift, "too far away"},
    {MESSAGE_PACE, pace_rate_at, "too far away"},
    {MESSAGE_PACE, pace_rate, "out of range"},
    {MESSAGE_PACE, pace_rate_negative, "out of range"},
    {MESSAGE_PACE, pace_rate_nan, "out of range"},
    {MESSAGE_PACE, pace_before, "out of range"},
    {MESSAGE_PACE, pace_before_nan, "out of range"},
    {MESSAGE_PACE, pace_room, "a room is beyond"},
    {MESSAGE_STATISTICS, statistics_late, "a bucket of a histogram"},
    {MESSAGE_STATISTICS, statistics_response, "not a histogram"},
    {MESSAGE_STATISTICS, request_response, "a bucket of a histogram"},
    {MESSAGE_GAUGES, gauges_interval, "more than a year"},
    {MESSAGE_GAUGES, gauges_histogram, "not a histogram"},
    {MESSAGE_STATISTICS, statistics_running, "1000001 workers running"},
    {MESSAGE_STATISTICS, histogram_odd, "not a histogram"},
    {MESSAGE_STATISTICS, histogram_none, "not a histogram"},
    {MESSAGE_STATISTICS, histogram_same_bucket, "out of order"},
    {MESSAGE_STATISTICS, histogram_first_bucket, "out of order"},
    {MESSAGE_STATISTICS, histogram_nothing, "out of order"},
    {MESSAGE_STATISTICS, histogram_far, "no such bucket"},
    {MESSAGE_STATISTICS, histogram_wraps, "too high"},
    {MESSAGE_STATISTICS, histogram_wraps_wide, "too high"},
    {MESSAGE_STATISTICS, request_histogram, "out of order"},
    {MESSAGE_STATISTICS, request_phase, "out of order"},
    {MESSAGE_STATISTICS, request_name, "name of a request is empty"},
    {MESSAGE_STATISTICS, request_name_long, "name of a request has 256"},
    {MESSAGE_STATISTICS, wait_name, "name of a wait is empty"},
    {MESSAGE_STATISTICS, wait_kind, "unknown kind of operation 99"},
    {MESSAGE_STATISTICS, wait_outcomes, "5 outcomes"},
    {MESSAGE_STATISTICS, wait_histogram, "out of order"},
    {MESSAGE_STATISTICS, error_worker, "worker 1000000"},
    {MESSAGE_STATISTICS, error_text, "text of an error has 2001"},
    {MESSAGE_STATISTICS, error_key, "key of an error has 2001"},
    {MESSAGE_STATISTICS, error_scenario, "scenario of an error has 2001"},
    {MESSAGE_STATISTICS, check_name, "name of a check"},
    {MESSAGE_STATISTICS, check_worker, "worker"},
    {MESSAGE_STATISTICS, check_text, "text of a check"},
    {MESSAGE_STATISTICS, websocket_name, "name of a WebSocket has 256"},
    {MESSAGE_STATISTICS, websocket_codes, "more than 16 codes"},
    {MESSAGE_STATISTICS, request_statuses, "more than 16 codes"},
    {MESSAGE_STATISTICS, request_traces, "more than 10 traces"},
    {MESSAGE_STATISTICS, request_trace_id, "a trace that is none"},
    {MESSAGE_STATISTICS, request_trace_worker, "a trace that is none"},
    {MESSAGE_STATISTICS, scenario_name, "name of a scenario"},
    {MESSAGE_STATISTICS, websocket_histogram, "out of order"},
    {MESSAGE_STATISTICS, slice_name, "name of what has a tag is empty"},
    {MESSAGE_STATISTICS, slice_kind, "no kind 5"},
    {MESSAGE_STATISTICS, slice_untagged, "a tag is empty"},
    {MESSAGE_STATISTICS, slice_tag, "a tag is no NAME=VALUE"},
    {MESSAGE_STATISTICS, slice_tag_name, "a tag is no NAME=VALUE"},
    {MESSAGE_STATISTICS, slice_tag_value, "a tag is not printable"},
    {MESSAGE_STATISTICS, slice_tag_long, "a tag has 256 bytes"},
    {MESSAGE_STATISTICS, slice_histogram, "out of order"},
};

static void spoiled_messages_of_a_running_campaign_are_refused(void **state)
{
    (void)state;
    expect_refusals(REFUSALS, sizeof REFUSALS / sizeof *REFUSALS);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(spoiled_messages_of_a_running_campaign_are_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
