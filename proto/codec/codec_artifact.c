/* Pieces of the artifacts of failed steps. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>

void encode_artifact(const struct message *message, struct buffer *into)
{
    const struct artifact_piece *piece = &message->artifact;
    assert(piece->content.size > 0 && piece->content.size <= LIMIT_CHUNK_BYTES);
    protobuf_write_number(into, 1, (uint64_t)piece->kind);
    protobuf_write_number(into, 2, piece->worker);
    protobuf_write_number(into, 3, piece->step);
    protobuf_write_number(into, 4, piece->size_bytes);
    protobuf_write_number(into, 5, piece->offset);
    protobuf_write_bytes(into, 6, piece->content);
}

static bool check_extent(const struct artifact_piece *piece, struct error *error)
{
    size_t size = piece->content.size;
    if (piece->size_bytes == 0 || piece->size_bytes > LIMIT_ARTIFACT_BYTES) {
        return error_set(error, "%llu bytes, 1 to %u are allowed", (unsigned long long)piece->size_bytes,
                         LIMIT_ARTIFACT_BYTES);
    }
    if (size == 0 || size > LIMIT_CHUNK_BYTES) {
        return error_set(error, "a piece of %zu bytes, 1 to %u are allowed", size, LIMIT_CHUNK_BYTES);
    }
    return (piece->offset < piece->size_bytes && size <= piece->size_bytes - piece->offset) ||
           error_set(error, "a piece beyond the end");
}

bool decode_artifact(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Artifact *wire = protobuf_write_message->artifact;
    struct artifact_piece *piece = &decoding->message->artifact;
    *piece = (struct artifact_piece){.kind = (enum artifact_kind)wire->kind,
                                     .step = wire->step,
                                     .size_bytes = wire->size_bytes,
                                     .offset = wire->offset,
                                     .content = bytes_of(wire->content.data, wire->content.len)};
    return check_enum((int)wire->kind, ARTIFACT_KINDS, "kind", decoding->error) &&
           check_extent(piece, decoding->error) && take_worker(wire->worker, &piece->worker, decoding->error);
}
