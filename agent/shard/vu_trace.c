/* Draws, writes and keeps the traces of requests. */
#include "agent/shard/vu_trace.h"

#include "agent/shard/meter.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "common/clock.h"
#include "proto/message/slow_traces.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SAMPLED "01"

static_assert(sizeof((struct http_trace){0}).id == TRACE_ID_BYTES, "a trace is the same everywhere");

/* Not from the seed of the campaign: a trace has its id alone in the world. */
static void trace_seed(struct trace_source *source)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        seed = clock_wall_ns() ^ (uint64_t)(uintptr_t)source;
    }
    random_seed(&source->random, seed);
    source->is_seeded = true;
}

bool vu_may_trace(const struct vu *vu)
{
    return vu->campaign->options->trace_percent > 0;
}

/* By lot, but the same lot for the same requests. */
static bool trace_is_drawn(const struct vu *vu)
{
    const uint64_t lot[] = {vu->campaign->options->seed ^ UINT64_C(0x7261636574726163), vu->id,
                            vu->shared->traced};
    double drawn = (double)(bytes_hash(bytes_of(lot, sizeof lot)) >> 11) * 0x1p-53;

    return drawn * 100 < vu->campaign->options->trace_percent;
}

bool vu_draw_trace(struct vu *vu, struct http_trace *trace, char header[TRACE_HEADER_BYTES])
{
    struct trace_source *source = &vu->campaign->traces;
    char id[TRACE_TEXT_BYTES];

    vu->shared->traced++;
    if (!trace_is_drawn(vu)) {
        return false;
    }
    if (!source->is_seeded) {
        trace_seed(source);
    }
    uint64_t drawn[2] = {random_next(&source->random), random_next(&source->random) | 1};
    memcpy(trace->id, drawn, sizeof drawn);
    trace->is_set = true;
    trace_id_to_text(trace->id, id);
    (void)snprintf(header, TRACE_HEADER_BYTES, "00-%s-%016" PRIx64 "-" SAMPLED, id,
                   random_next(&source->random) | 1);
    return true;
}

void vu_read_trace(struct bytes header, struct http_trace *trace)
{
    const char *text = (const char *)header.data;

    if (header.size >= TRACE_HEADER_BYTES - 1 && text[2] == '-' && text[3 + 2 * TRACE_ID_BYTES] == '-') {
        trace->is_set = trace_id_of_text(text + 3, 2 * TRACE_ID_BYTES, trace->id);
    }
}

void vu_keep_trace(struct vu *vu, struct bytes name, const struct http_response *response)
{
    const struct vu *worker = vu->shared->main;

    if (response->trace == NULL) {
        return;
    }
    struct slow_trace slow = {.latency_us = response->timings.total_us,
                              .has_worker = !vu_is_global(worker),
                              .worker = worker->id,
                              .step = worker->phase == VU_STEP ? worker->step : 0};
    memcpy(slow.id, response->trace->id, sizeof slow.id);
    meter_trace(vu->campaign->meter, name, &slow);
}
