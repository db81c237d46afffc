/* The state of an agent: a few numbers, and a few for each of its shards. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>

static void put_loops(const struct gauges *gauges, struct buffer *into)
{
    for (size_t i = 0; i < gauges->loop_count; i++) {
        size_t opened = protobuf_write_open(into, 9);
        protobuf_write_number(into, 1, gauges->loops[i].lag_p99_us);
        protobuf_write_number(into, 2, gauges->loops[i].lag_max_us);
        protobuf_write_number(into, 3, gauges->loops[i].busy_us);
        protobuf_write_close(into, opened);
    }
}

void encode_gauges(const struct message *message, struct buffer *into)
{
    const struct gauges *gauges = &message->gauges;
    assert(gauges->loop_count <= LIMIT_SHARDS);
    protobuf_write_number(into, 1, gauges->interval_us);
    protobuf_write_number(into, 2, gauges->cpu_us);
    protobuf_write_number(into, 3, gauges->host_cpu_us);
    protobuf_write_number(into, 4, gauges->load_milli);
    protobuf_write_number(into, 5, gauges->memory_bytes);
    protobuf_write_flag(into, 6, gauges->has_clock);
    protobuf_write_signed(into, 7, gauges->clock_offset_ns);
    protobuf_write_number(into, 8, gauges->clock_uncertainty_ns);
    put_loops(gauges, into);
    put_histogram(into, 10, gauges->lag_us);
}

static void take_loops(const Tutti__V1__Gauges *wire, struct decoding *decoding)
{
    struct gauges *gauges = &decoding->message->gauges;
    gauges->loops = (struct loop_gauges *)arena_array(decoding->arena, wire->n_loops, sizeof *gauges->loops);
    gauges->loop_count = wire->n_loops;
    for (size_t i = 0; i < wire->n_loops; i++) {
        gauges->loops[i] = (struct loop_gauges){.lag_p99_us = wire->loops[i]->lag_p99_us,
                                                .lag_max_us = wire->loops[i]->lag_max_us,
                                                .busy_us = wire->loops[i]->busy_us};
    }
}

bool decode_gauges(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Gauges *wire = protobuf_write_message->gauges;
    struct gauges *gauges = &decoding->message->gauges;
    uint64_t buckets_left = buckets_of(decoding);
    if (wire->n_loops > LIMIT_SHARDS) {
        return error_set(decoding->error, "%zu shards, at most %u are allowed", wire->n_loops, LIMIT_SHARDS);
    }
    if (wire->interval_us > LIMIT_INTERVAL_US) {
        return error_set(decoding->error, "an interval of more than a year");
    }
    gauges->interval_us = wire->interval_us;
    gauges->cpu_us = wire->cpu_us;
    gauges->host_cpu_us = wire->host_cpu_us;
    gauges->load_milli = wire->load_milli;
    gauges->memory_bytes = wire->memory_bytes;
    gauges->has_clock = wire->has_clock;
    gauges->clock_offset_ns = wire->clock_offset_ns;
    gauges->clock_uncertainty_ns = wire->clock_uncertainty_ns;
    take_loops(wire, decoding);
    return take_histogram(wire->lag_us, &gauges->lag_us, &buckets_left, decoding);
}
