/* The options and files of a campaign. */
#include "proto/codec/codec_internal.h"

#include "proto/codec/protobuf_writer.h"
#include "proto/message/bundle.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

#define HASH_BYTES 64u

void encode_options(struct buffer *into, uint32_t field, const struct campaign_options *options)
{
    assert(options->workers <= LIMIT_WORKERS && options->target.size <= LIMIT_TEXT_BYTES);
    size_t opened = protobuf_write_open(into, field);
    protobuf_write_number(into, 1, options->workers);
    protobuf_write_number(into, 2, options->runs);
    protobuf_write_number(into, 3, options->duration_ms);
    protobuf_write_number(into, 4, options->ramp_up_ms);
    protobuf_write_number(into, 5, options->delay_ms);
    protobuf_write_number(into, 6, options->room_size);
    protobuf_write_number(into, 7, (uint64_t)options->on_loss);
    protobuf_write_number(into, 8, (uint64_t)options->on_deadlock);
    protobuf_write_number(into, 9, options->sync_timeout_ms);
    protobuf_write_fixed(into, 10, options->seed);
    protobuf_write_flag(into, 11, options->is_single_run);
    put_name(into, 12, options->single_mode);
    protobuf_write_flag(into, 13, options->is_stopped_by_failure);
    protobuf_write_number(into, 14, options->fail_steps);
    protobuf_write_double(into, 15, options->fail_percent);
    protobuf_write_bytes(into, 16, options->target);
    protobuf_write_number(into, 17, options->verbosity);
    protobuf_write_number(into, 20, options->target_port);
    put_text(into, 21, options->labels);
    protobuf_write_number(into, 22, (uint64_t)options->browser);
    protobuf_write_number(into, 23, options->setup_timeout_ms);
    protobuf_write_close(into, opened);
}

static bool check_options(const Tutti__V1__Options *wire, struct error *error)
{
    if (wire->workers == 0 || wire->workers > LIMIT_WORKERS || wire->room_size > LIMIT_ROOM_SIZE) {
        return error_set(error, "%u workers in rooms of %u, at most %u are allowed", wire->workers,
                         wire->room_size, LIMIT_WORKERS);
    }
    if (!(wire->fail_percent >= 0 && wire->fail_percent <= 100)) { /* written so that NaN is refused */
        return error_set(error, "fail percent is not in the range 0 to 100");
    }
    if (wire->target.len > LIMIT_TEXT_BYTES) {
        return error_set(error, "target has %zu bytes, at most %u are allowed", wire->target.len,
                         LIMIT_TEXT_BYTES);
    }
    if (wire->target_port > UINT16_MAX) {
        return error_set(error, "%u is not a valid port of a target", wire->target_port);
    }
    return check_enum((int)wire->on_loss, ON_LOSS_COUNT, "on loss", error) &&
           check_enum((int)wire->on_deadlock, ON_DEADLOCK_FAIL + 1, "on deadlock", error) &&
           check_enum((int)wire->browser, BROWSER_REMOTE + 1, "browser", error);
}

bool decode_options(const Tutti__V1__Options *wire, struct campaign_options *options, struct error *error)
{
    if (wire == NULL) {
        return error_set(error, "options are missing");
    }
    if (!check_options(wire, error)) {
        return false;
    }
    *options = (struct campaign_options){
        .workers = wire->workers,
        .runs = wire->runs,
        .room_size = wire->room_size,
        .on_loss = (enum on_loss)wire->on_loss,
        .on_deadlock = (enum on_deadlock)wire->on_deadlock,
        .seed = wire->seed,
        .is_single_run = wire->is_single_run,
        .is_stopped_by_failure = wire->is_stopped_by_failure,
        .fail_steps = wire->fail_steps,
        .fail_percent = wire->fail_percent,
        .target = bytes_of(wire->target.data, wire->target.len),
        .verbosity = wire->verbosity,
        .target_port = (uint16_t)wire->target_port,
        .labels = bytes_of(wire->labels.data, wire->labels.len),
        .browser = (enum browser_kind)wire->browser,
    };
    return take_duration(wire->duration_ms, "duration", &options->duration_ms, error) &&
           take_duration(wire->ramp_up_ms, "ramp-up", &options->ramp_up_ms, error) &&
           take_duration(wire->delay_ms, "delay", &options->delay_ms, error) &&
           take_duration(wire->sync_timeout_ms, "sync timeout", &options->sync_timeout_ms, error) &&
           take_duration(wire->setup_timeout_ms, "setup timeout", &options->setup_timeout_ms, error) &&
           take_optional_name(&wire->single_mode, "single mode", &options->single_mode, error) &&
           labels_check(options->labels, error);
}

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
