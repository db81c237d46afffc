/* Counters and histograms of one campaign on one shard, reported as differences. */
#pragma once
#include "agent/core/runner/runner.h"
#include "agent/shard/check_meter.h"
#include "agent/shard/slice_meter.h"
#include "common/attributes.h"
#include "proto/message/message.h"

struct meter;

MUST_CHECK struct meter *meter_new(void);
void meter_free(struct meter **meter);
/* A request, or what tutti.time measures. */
struct request_sample {
    struct bytes name;
    bool is_timing;
    bool is_ok;
    bool is_unsent; /* nothing of it has left: it counts, but has no latency */
    uint64_t latency_us;
    uint32_t status; /* of the answer; 0: there is none */
    uint64_t received_bytes;
    uint64_t sent_bytes;
    bool has_plan;            /* its step had an instant at which it was to begin */
    uint64_t late_us;         /* how much later it was begun for that */
    const uint64_t *phase_us; /* of each request_phase; NULL: not wanted */
    struct tag_set tags;
};
void meter_request(struct meter *meter, const struct request_sample *sample);
/* A request of this name had a trace. */
void meter_trace(struct meter *meter, struct bytes name, const struct slow_trace *trace);
/* A request of this name that was counted, with these tags, has failed after all, or has not. */
void meter_rebook(struct meter *meter, struct bytes name, const struct tag_set *tags, bool is_ok);
void meter_check(struct meter *meter, const struct check_sample *sample);
/* A group has ended, or the handshake of a WebSocket. */
void meter_slice(struct meter *meter, const struct slice_sample *sample);
/* The tags that samples may have. */
struct tag_table *meter_tags(struct meter *meter);
/* Counts by the combinations of tags that these thresholds name. Called once, before anything is counted. */
void meter_keep_tags(struct meter *meter, struct bytes thresholds);
void meter_wait(struct meter *meter, struct bytes name, enum operation_kind kind, enum outcome outcome,
                uint64_t waited_us);
void meter_step(struct meter *meter, enum step_result result, uint64_t duration_us);
/* The step that was counted last as failed did so only because others were lost with their agent. */
void meter_failed_by_loss(struct meter *meter);
/* The same step by its scenario. */
struct scenario_sample {
    struct bytes name;
    double weight;
    enum step_result result;
    uint64_t duration_us;
};
void meter_scenario(struct meter *meter, const struct scenario_sample *sample);
/* A step with an instant at which it was to begin has begun so late; `is_arrival`: as one of the plan. */
void meter_late(struct meter *meter, uint64_t late_us, bool is_arrival);
/* It has ended, so long after that instant. */
void meter_response(struct meter *meter, uint64_t response_us);
/* So many arrivals have found no worker, ever. */
void meter_dropped(struct meter *meter, uint64_t dropped);
/* What is counted of the connections of this name, to be added to; until meter_take. */
struct websocket_statistics *meter_websocket(struct meter *meter, struct bytes name);
/* The same of what meter_websocket has given before, without looking for it. */
struct websocket_statistics *meter_websocket_again(struct meter *meter, struct websocket_statistics *counts);
struct error_sample {
    struct bytes key; /* what is counted together */
    struct bytes text;
    struct bytes scenario; /* empty: it was no step that failed */
    uint32_t worker;
    uint64_t step;
};
/* What else the report says of the errors of a key is what the first one had. */
void meter_error(struct meter *meter, const struct error_sample *sample);
/* NULL if nothing has changed since the last time. The caller frees it (statistics_free). */
MUST_CHECK struct statistics *meter_take(struct meter *meter, uint32_t workers_running);
