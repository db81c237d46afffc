/* The files of a campaign. */
#include "proto/codec/codec_internal.h"

#include "proto/codec/protobuf_writer.h"
#include "proto/message/bundle.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

#define HASH_BYTES 64u

void encode_bundle(struct buffer *into, uint32_t field, const struct bundle_listing *bundle)
{
    assert(bundle->file_count >= 1 && bundle->file_count <= LIMIT_BUNDLE_FILES);
    size_t opened = protobuf_write_open(into, field);
    for (size_t i = 0; i < bundle->file_count; i++) {
        size_t file = protobuf_write_open(into, 1);
        protobuf_write_bytes(into, 1, bundle->files[i].path);
        protobuf_write_number(into, 2, bundle->files[i].size_bytes);
        protobuf_write_close(into, file);
    }
    protobuf_write_bytes(into, 2, bundle->hash);
    protobuf_write_close(into, opened);
}

static bool is_hash(struct bytes hash)
{
    if (hash.size != HASH_BYTES) {
        return false;
    }
    for (size_t i = 0; i < hash.size; i++) {
        if (hash.data[i] == 0 || strchr("0123456789abcdef", hash.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool take_hash(const ProtobufCBinaryData *wire, struct bytes *hash, struct error *error)
{
    *hash = bytes_of(wire->data, wire->len);
    return is_hash(*hash) || error_set(error, "the hash of the bundle is not a SHA-256");
}

bool decode_bundle(const Tutti__V1__Bundle *wire, struct bundle_listing *bundle, struct decoding *decoding)
{
    struct error *error = decoding->error;
    if (wire == NULL || wire->n_files == 0 || wire->n_files > LIMIT_BUNDLE_FILES) {
        return error_set(error, "a bundle has 1 to %u files", LIMIT_BUNDLE_FILES);
    }
    bundle->file_count = wire->n_files;
    bundle->files = (struct bundle_entry *)arena_array(decoding->arena, wire->n_files, sizeof *bundle->files);
    for (size_t i = 0; i < wire->n_files; i++) {
        bundle->files[i] =
            (struct bundle_entry){.path = bytes_of(wire->files[i]->path.data, wire->files[i]->path.len),
                                  .size_bytes = wire->files[i]->size_bytes};
    }
    return take_hash(&wire->hash, &bundle->hash, error) && bundle_check_listing(bundle, error);
}

static bool take_offset(uint64_t wire, uint64_t *offset, struct error *error)
{
    *offset = wire;
    return wire < LIMIT_BUNDLE_BYTES || error_set(error, "an offset beyond the end of any bundle");
}

void encode_bundle_wanted(const struct message *message, struct buffer *into)
{
    protobuf_write_bytes(into, 1, message->bundle_chunk.hash);
    protobuf_write_number(into, 2, message->bundle_chunk.offset);
}

bool decode_bundle_wanted(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__BundleWanted *wire = protobuf_write_message->bundle_wanted;
    struct bundle_chunk *chunk = &decoding->message->bundle_chunk;
    return take_hash(&wire->hash, &chunk->hash, decoding->error) &&
           take_offset(wire->offset, &chunk->offset, decoding->error);
}

void encode_bundle_chunk(const struct message *message, struct buffer *into)
{
    const struct bundle_chunk *chunk = &message->bundle_chunk;
    assert(chunk->content.size > 0 && chunk->content.size <= LIMIT_CHUNK_BYTES);
    protobuf_write_bytes(into, 1, chunk->hash);
    protobuf_write_number(into, 2, chunk->offset);
    protobuf_write_bytes(into, 3, chunk->content);
}

bool decode_bundle_chunk(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__BundleChunk *wire = protobuf_write_message->bundle_chunk;
    struct bundle_chunk *chunk = &decoding->message->bundle_chunk;
    chunk->content = bytes_of(wire->content.data, wire->content.len);
    if (chunk->content.size == 0 || chunk->content.size > LIMIT_CHUNK_BYTES) {
        return error_set(decoding->error, "a chunk of %zu bytes, 1 to %u are allowed", chunk->content.size,
                         LIMIT_CHUNK_BYTES);
    }
    return take_hash(&wire->hash, &chunk->hash, decoding->error) &&
           take_offset(wire->offset, &chunk->offset, decoding->error);
}
