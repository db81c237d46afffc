/* How a session begins or why it does not: hello, welcome, refused; and stop, which has the same shape as
 * refused. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <assert.h>

void encode_hello(const struct message *message, struct buffer *into)
{
    const struct hello *hello = &message->hello;
    protobuf_write_number(into, 1, hello->version_lowest);
    protobuf_write_number(into, 2, hello->version_highest);
    protobuf_write_number(into, 3, hello->features);
    put_name(into, 4, hello->name);
    put_text(into, 5, hello->host);
    protobuf_write_number(into, 6, hello->pid);
    protobuf_write_number(into, 7, hello->cores);
    protobuf_write_number(into, 8, hello->memory_bytes);
    protobuf_write_number(into, 9, hello->shards);
    put_text(into, 10, hello->labels);
    protobuf_write_number(into, 11, hello->capacity);
    protobuf_write_number(into, 320, hello->gone_pid);
    put_text(into, 340, hello->program);
}

bool decode_hello(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Hello *wire = protobuf_write_message->hello;
    struct hello *hello = &decoding->message->hello;
    struct error *error = decoding->error;
    hello->version_lowest = wire->version_lowest;
    hello->version_highest = wire->version_highest;
    hello->features = wire->features;
    hello->pid = wire->pid;
    hello->cores = wire->cores;
    hello->memory_bytes = wire->memory_bytes;
    hello->shards = wire->shards;
    hello->labels = bytes_of(wire->labels.data, wire->labels.len);
    hello->capacity = wire->capacity;
    hello->gone_pid = wire->gone_pid;
    if (wire->version_lowest == 0 || wire->version_lowest > wire->version_highest) {
        return error_set(error, "versions %u to %u are not a range", wire->version_lowest,
                         wire->version_highest);
    }
    if (wire->shards == 0 || wire->shards > LIMIT_SHARDS) {
        return error_set(error, "%u shards, 1 to %u are allowed", wire->shards, LIMIT_SHARDS);
    }
    return take_printable_name(&wire->name, "name", &hello->name, error) &&
           take_text(&wire->host, "host", &hello->host, error) &&
           take_text(&wire->program, "program", &hello->program, error) && labels_check(hello->labels, error);
}

void encode_welcome(const struct message *message, struct buffer *into)
{
    const struct welcome *welcome = &message->welcome;
    protobuf_write_number(into, 1, welcome->version);
    protobuf_write_fixed(into, 2, welcome->epoch);
    protobuf_write_number(into, 3, welcome->lease_ms);
    protobuf_write_number(into, 4, welcome->heartbeat_ms);
}

bool decode_welcome(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Welcome *wire = protobuf_write_message->welcome;
    struct welcome *welcome = &decoding->message->welcome;
    struct error *error = decoding->error;
    welcome->version = wire->version;
    welcome->epoch = wire->epoch;
    if (wire->version == 0 || wire->epoch == 0) {
        return error_set(error, "version and epoch cannot be 0");
    }
    if (wire->lease_ms == 0 || wire->heartbeat_ms == 0) {
        return error_set(error, "lease and heartbeat cannot be 0");
    }
    return take_duration(wire->lease_ms, "lease", &welcome->lease_ms, error) &&
           take_duration(wire->heartbeat_ms, "heartbeat", &welcome->heartbeat_ms, error);
}

static void put_refused(const struct refused *refused, struct buffer *into)
{
    protobuf_write_flag(into, 1, refused->is_final);
    put_text(into, 2, refused->text);
    protobuf_write_number(into, 320, refused->holder_pid);
}

static bool take_refused(const Tutti__V1__Refused *wire, struct refused *refused, struct error *error)
{
    refused->is_final = wire->is_final;
    refused->holder_pid = wire->holder_pid;
    return take_text(&wire->text, "text", &refused->text, error);
}

void encode_refused(const struct message *message, struct buffer *into)
{
    put_refused(&message->refused, into);
}

bool decode_refused(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_refused(wire->refused, &decoding->message->refused, decoding->error);
}

void encode_stop(const struct message *message, struct buffer *into)
{
    put_refused(&message->stop, into);
}

bool decode_stop(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_refused(wire->stop, &decoding->message->stop, decoding->error);
}
