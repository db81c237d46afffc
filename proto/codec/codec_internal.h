/* What the files of the codec share: a pair of functions for each body, and the checks of single fields. */
#pragma once
#include "common/buffer.h"
#include "common/error.h"
#include "proto/codec/arena.h"
#include "proto/message/message.h"

#include <tutti.pb-c.h>

/* The destination of a decoded body. */
struct decoding {
    struct arena *arena;
    struct message *message;
    struct error *error;
    bool is_from_agent; /* apply the bounds of message_decode_from_agent */
};

typedef void body_encoder(const struct message *message, struct buffer *into);
typedef bool body_decoder(const Tutti__V1__Message *wire, struct decoding *decoding);

body_encoder encode_hello, encode_welcome, encode_refused, encode_stop;
body_decoder decode_hello, decode_welcome, decode_refused, decode_stop;
body_encoder encode_deploy, encode_global, encode_done, encode_begin, encode_assign, encode_rooms,
    encode_room_steps, encode_scale, encode_pace, encode_failure, encode_finished, encode_bundle_wanted,
    encode_bundle_chunk, encode_artifact, encode_workers_wanted;
body_decoder decode_deploy, decode_global, decode_deployed, decode_global_done, decode_begin, decode_assign,
    decode_synchronise, decode_rooms_done, decode_drained, decode_run_until, decode_scale, decode_pace,
    decode_failure, decode_finished, decode_bundle_wanted, decode_bundle_chunk, decode_artifact,
    decode_workers_wanted;
body_encoder encode_operations, encode_replies, encode_statistics, encode_gauges;
body_decoder decode_operations, decode_replies, decode_statistics, decode_gauges;

/* The parts of a deployment. */
void encode_options(struct buffer *into, uint32_t field, const struct campaign_options *options);
bool decode_options(const Tutti__V1__Options *wire, struct campaign_options *options, struct error *error);
void encode_bundle(struct buffer *into, uint32_t field, const struct bundle_listing *bundle);
bool decode_bundle(const Tutti__V1__Bundle *wire, struct bundle_listing *bundle, struct decoding *decoding);

/* Without decoding: the field number of the body, and how many fields it contains, including itself; counting
 * stops once it exceeds `most`. False if the bytes are not a message. */
bool glance(struct bytes bytes, size_t most, uint32_t *body, size_t *items);

/* Fields. The encoders assert the bounds, the decoders refuse what violates them; `what` names the field. */
void put_name(struct buffer *into, uint32_t field, struct bytes name);
void put_text(struct buffer *into, uint32_t field, struct bytes text);
void put_workers(struct buffer *into, uint32_t field, const struct worker_set *workers);

bool take_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name, struct error *error);
bool take_optional_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name,
                        struct error *error);
bool take_printable_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name,
                         struct error *error);
/* Replaces unprintable characters, in place: the bytes belong to the arena. */
bool take_text(const ProtobufCBinaryData *wire, const char *what, struct bytes *text, struct error *error);
bool take_value(const ProtobufCBinaryData *wire, const char *what, struct bytes *value, struct error *error);
bool take_duration(uint64_t protobuf_write_ms, const char *what, uint64_t *duration_ms, struct error *error);
bool take_worker(uint32_t wire, uint32_t *worker, struct error *error);
/* `limit` is the maximum number of members. The set may be empty. */
bool take_workers(const uint32_t *numbers, size_t count, uint64_t limit, struct worker_set *workers,
                  struct decoding *decoding);
/* As take_workers, but not empty and with the usual limit. */
bool take_some_workers(const uint32_t *numbers, size_t count, struct worker_set *workers,
                       struct decoding *decoding);
/* NULL or an empty histogram is absent on the wire, and decoded as an empty histogram. */
void put_histogram(struct buffer *into, uint32_t field, const struct histogram *histogram);
/* `buckets_left`: the sum up to which the highest buckets of the message's remaining histograms may reach,
 * since memory is proportional to the highest bucket. */
bool take_histogram(const Tutti__V1__Histogram *wire, struct histogram **taken, uint64_t *buckets_left,
                    struct decoding *decoding);
/* What is counted by tag, of statistics. */
void put_slices(const struct statistics *statistics, struct buffer *into);
bool take_slices(const Tutti__V1__Statistics *wire, uint64_t *buckets_left, struct decoding *decoding);
bool take_operation_kind(Tutti__V1__OperationKind wire, enum operation_kind *kind, struct error *error);
/* Whether `wire` is one of 0…count-1. */
bool check_enum(int wire, int count, const char *what, struct error *error);
bool check_batch(size_t count, struct error *error);
/* The sum up to which the highest buckets of all histograms of a message may reach. */
uint64_t buckets_of(const struct decoding *decoding);
