/* Envelopes to bytes and back. */
#include "proto/codec/codec.h"
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"

#include <stdalign.h>
#include <stddef.h>

/* An envelope with every field at its longest, and some room for fields of a later version. */
#define ENVELOPE_MAX_BYTES 256u
/* Memory for decoding, on the stack: enough for any ordinary envelope. */
#define STACK_BYTES 1024u
#define ALLOWANCE_BYTES 16384u

void envelope_encode(const struct envelope *envelope, struct buffer *into)
{
    protobuf_write_fixed(into, 1, envelope->incarnation);
    protobuf_write_fixed(into, 2, envelope->epoch);
    protobuf_write_number(into, 3, envelope->sequence);
    protobuf_write_number(into, 4, envelope->acknowledged);
    protobuf_write_fixed(into, 5, envelope->sent_ns);
    protobuf_write_fixed(into, 6, envelope->echoed_sent_ns);
    protobuf_write_number(into, 7, envelope->echo_delay_ns);
}

static bool unpack(struct bytes bytes, struct arena *arena, struct envelope *envelope, struct error *error)
{
    const Tutti__V1__Envelope *wire = tutti__v1__envelope__unpack(&arena->allocator, bytes.size, bytes.data);
    if (wire == NULL) {
        return error_set(error, "%zu bytes are not a valid envelope", bytes.size);
    }
    if (wire->incarnation == 0) {
        return error_set(error, "an envelope without an incarnation");
    }
    *envelope = (struct envelope){
        .incarnation = wire->incarnation,
        .epoch = wire->epoch,
        .sequence = wire->sequence,
        .acknowledged = wire->acknowledged,
        .sent_ns = wire->sent_ns,
        .echoed_sent_ns = wire->echoed_sent_ns,
        .echo_delay_ns = wire->echo_delay_ns,
    };
    return true;
}

bool envelope_decode(struct bytes bytes, struct envelope *envelope, struct error *error)
{
    if (bytes.size > ENVELOPE_MAX_BYTES) {
        return error_set(error, "an envelope of %zu bytes, at most %u are allowed", bytes.size,
                         ENVELOPE_MAX_BYTES);
    }
    alignas(max_align_t) uint8_t stack[STACK_BYTES];
    struct arena arena;
    arena_init(&arena, stack, sizeof stack, ALLOWANCE_BYTES);
    bool is_envelope = unpack(bytes, &arena, envelope, error);
    arena_finish(&arena);
    return is_envelope;
}
