/* What a shard has counted, in memory of its own. */
#include "proto/message/statistics.h"

#include "common/histogram.h"
#include "common/memory.h"

#include <string.h>

static size_t statistics_text_bytes(const struct statistics *statistics)
{
    size_t bytes = 0;
    for (size_t i = 0; i < statistics->request_count; i++) {
        bytes += statistics->requests[i].name.size;
    }
    for (size_t i = 0; i < statistics->wait_count; i++) {
        bytes += statistics->waits[i].name.size;
    }
    for (size_t i = 0; i < statistics->websocket_count; i++) {
        bytes += statistics->websockets[i].name.size;
    }
    for (size_t i = 0; i < statistics->check_count; i++) {
        bytes += statistics->checks[i].name.size + statistics->checks[i].text.size;
    }
    for (size_t i = 0; i < statistics->scenario_count; i++) {
        bytes += statistics->scenarios[i].name.size;
    }
    for (size_t i = 0; i < statistics->slice_count; i++) {
        bytes += statistics->slices[i].name.size + statistics->slices[i].tag.size;
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        bytes += statistics->errors[i].key.size + statistics->errors[i].text.size +
                 statistics->errors[i].scenario.size;
    }
    return bytes;
}

static void statistics_move_text(struct bytes *text, uint8_t **at)
{
    if (text->size > 0) {
        memcpy(*at, text->data, text->size);
    }
    text->data = *at;
    *at += text->size;
}

struct statistics *statistics_copy(const struct statistics *from)
{
    size_t requests = from->request_count * sizeof *from->requests;
    size_t waits = from->wait_count * sizeof *from->waits;
    size_t errors = from->error_count * sizeof *from->errors;
    size_t websockets = from->websocket_count * sizeof *from->websockets;
    size_t checks = from->check_count * sizeof *from->checks;
    size_t scenarios = from->scenario_count * sizeof *from->scenarios;
    size_t slices = from->slice_count * sizeof *from->slices;
    struct statistics *copy = memory_new(1, sizeof *copy + requests + waits + errors + websockets + checks +
                                                scenarios + slices + statistics_text_bytes(from));
    *copy = *from;
    copy->requests = (struct request_statistics *)(void *)(copy + 1);
    copy->waits = (struct wait_statistics *)(void *)(copy->requests + from->request_count);
    copy->errors = (struct error_statistics *)(void *)(copy->waits + from->wait_count);
    copy->websockets = (struct websocket_statistics *)(void *)(copy->errors + from->error_count);
    copy->checks = (struct check_statistics *)(void *)(copy->websockets + from->websocket_count);
    copy->scenarios = (struct scenario_statistics *)(void *)(copy->checks + from->check_count);
    copy->slices = (struct slice_statistics *)(void *)(copy->scenarios + from->scenario_count);
    uint8_t *texts = (uint8_t *)(copy->slices + from->slice_count);
    for (size_t i = 0; i < from->request_count; i++) {
        copy->requests[i] = from->requests[i];
        statistics_move_text(&copy->requests[i].name, &texts);
    }
    for (size_t i = 0; i < from->wait_count; i++) {
        copy->waits[i] = from->waits[i];
        statistics_move_text(&copy->waits[i].name, &texts);
    }
    for (size_t i = 0; i < from->error_count; i++) {
        copy->errors[i] = from->errors[i];
        statistics_move_text(&copy->errors[i].key, &texts);
        statistics_move_text(&copy->errors[i].text, &texts);
        statistics_move_text(&copy->errors[i].scenario, &texts);
    }
    for (size_t i = 0; i < from->websocket_count; i++) {
        copy->websockets[i] = from->websockets[i];
        statistics_move_text(&copy->websockets[i].name, &texts);
    }
    for (size_t i = 0; i < from->check_count; i++) {
        copy->checks[i] = from->checks[i];
        statistics_move_text(&copy->checks[i].name, &texts);
        statistics_move_text(&copy->checks[i].text, &texts);
    }
    for (size_t i = 0; i < from->scenario_count; i++) {
        copy->scenarios[i] = from->scenarios[i];
        statistics_move_text(&copy->scenarios[i].name, &texts);
    }
    for (size_t i = 0; i < from->slice_count; i++) {
        copy->slices[i] = from->slices[i];
        statistics_move_text(&copy->slices[i].name, &texts);
        statistics_move_text(&copy->slices[i].tag, &texts);
    }
    return copy;
}

void statistics_free(struct statistics **statistics)
{
    struct statistics *self = *statistics;
    if (self == NULL) {
        return;
    }
    histogram_free(&self->step_us);
    histogram_free(&self->late_us);
    histogram_free(&self->response_us);
    for (size_t i = 0; i < self->request_count; i++) {
        histogram_free(&self->requests[i].latency_us);
        histogram_free(&self->requests[i].response_us);
        slow_traces_finish(&self->requests[i].slowest);
        for (size_t phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            histogram_free(&self->requests[i].phase_us[phase]);
        }
    }
    for (size_t i = 0; i < self->wait_count; i++) {
        histogram_free(&self->waits[i].waited_us);
    }
    for (size_t i = 0; i < self->websocket_count; i++) {
        histogram_free(&self->websockets[i].handshake_us);
        histogram_free(&self->websockets[i].ping_us);
        histogram_free(&self->websockets[i].queued_us);
    }
    for (size_t i = 0; i < self->scenario_count; i++) {
        histogram_free(&self->scenarios[i].step_us);
    }
    for (size_t i = 0; i < self->slice_count; i++) {
        histogram_free(&self->slices[i].us);
    }
    memory_free(self);
    *statistics = NULL;
}
