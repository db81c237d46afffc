/* Messages to bytes and back: one row per kind. */
#include "proto/codec/codec.h"

#include "common/memory.h"
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

#define FIELD_CAMPAIGN 1u

struct message_codec {
    const char *name;
    Tutti__V1__Message__BodyCase body; /* also the number of its field */
    bool is_of_campaign;
    body_encoder *encode; /* NULL if the kind alone says everything */
    body_decoder *decode;
};

/* clang-format off */
#define BODY(name) TUTTI__V1__MESSAGE__BODY_##name
static const struct message_codec CODECS[] = {
    [MESSAGE_HELLO]       = {"hello",       BODY(HELLO),       false, encode_hello,      decode_hello},
    [MESSAGE_DEPLOYED]    = {"deployed",    BODY(DEPLOYED),    true,  encode_done,       decode_deployed},
    [MESSAGE_GLOBAL_DONE] = {"global_done", BODY(GLOBAL_DONE), true,  encode_done,       decode_global_done},
    [MESSAGE_OPERATIONS]  = {"operations",  BODY(OPERATIONS),  true,  encode_operations, decode_operations},
    [MESSAGE_DRAINED]     = {"drained",     BODY(DRAINED),     true,  encode_room_steps, decode_drained},
    [MESSAGE_FAILURE]     = {"failure",     BODY(FAILURE),     true,  encode_failure,    decode_failure},
    [MESSAGE_STATISTICS]  = {"statistics",  BODY(STATISTICS),  true,  encode_statistics, decode_statistics},
    [MESSAGE_FINISHED]    = {"finished",    BODY(FINISHED),    true,  encode_finished,   decode_finished},
    [MESSAGE_BUNDLE_WANTED] = {"bundle_wanted", BODY(BUNDLE_WANTED), true, encode_bundle_wanted, decode_bundle_wanted},
    [MESSAGE_GAUGES]      = {"gauges",      BODY(GAUGES),      false, encode_gauges,     decode_gauges},
    [MESSAGE_WORKERS_WANTED] = {"workers_wanted", BODY(WORKERS_WANTED), true, encode_workers_wanted, decode_workers_wanted},
    [MESSAGE_LEAVING]     = {"leaving",     BODY(LEAVING),     false, NULL,              NULL},
    [MESSAGE_GOODBYE]     = {"goodbye",     BODY(GOODBYE),     false, NULL,              NULL},
    [MESSAGE_ARTIFACT]    = {"artifact",    BODY(ARTIFACT),    true,  encode_artifact,   decode_artifact},
    [MESSAGE_WELCOME]     = {"welcome",     BODY(WELCOME),     false, encode_welcome,    decode_welcome},
    [MESSAGE_REFUSED]     = {"refused",     BODY(REFUSED),     false, encode_refused,    decode_refused},
    [MESSAGE_DEPLOY]      = {"deploy",      BODY(DEPLOY),      true,  encode_deploy,     decode_deploy},
    [MESSAGE_BUNDLE_CHUNK] = {"bundle_chunk", BODY(BUNDLE_CHUNK), true, encode_bundle_chunk, decode_bundle_chunk},
    [MESSAGE_GLOBAL]      = {"global",      BODY(GLOBAL),      true,  encode_global,     decode_global},
    [MESSAGE_BEGIN]       = {"begin",       BODY(BEGIN),       true,  encode_begin,      decode_begin},
    [MESSAGE_ASSIGN]      = {"assign",      BODY(ASSIGN),      true,  encode_assign,     decode_assign},
    [MESSAGE_REPLIES]     = {"replies",     BODY(REPLIES),     true,  encode_replies,    decode_replies},
    [MESSAGE_SYNCHRONISE] = {"synchronise", BODY(SYNCHRONISE), true,  encode_rooms,      decode_synchronise},
    [MESSAGE_DRAIN]       = {"drain",       BODY(DRAIN),       true,  NULL,              NULL},
    [MESSAGE_RUN_UNTIL]   = {"run_until",   BODY(RUN_UNTIL),   true,  encode_room_steps, decode_run_until},
    [MESSAGE_ROOMS_DONE]  = {"rooms_done",  BODY(ROOMS_DONE),  true,  encode_rooms,      decode_rooms_done},
    [MESSAGE_STOP]        = {"stop",        BODY(STOP),        true,  encode_stop,       decode_stop},
    [MESSAGE_FORGET]      = {"forget",      BODY(FORGET),      true,  NULL,              NULL},
    [MESSAGE_SCALE]       = {"scale",       BODY(SCALE),       true,  encode_scale,      decode_scale},
    [MESSAGE_PACE]        = {"pace",        BODY(PACE),        true,  encode_pace,       decode_pace},
    [MESSAGE_LEAVE]       = {"leave",       BODY(LEAVE),       false, NULL,              NULL},
};
/* clang-format on */
static_assert(sizeof CODECS / sizeof *CODECS == MESSAGE_KIND_COUNT, "one row for each kind of message");

const char *message_kind_name(enum message_kind kind)
{
    assert((size_t)kind < MESSAGE_KIND_COUNT);
    return CODECS[kind].name;
}

void message_encode(const struct message *message, struct buffer *into)
{
    assert((size_t)message->kind < MESSAGE_KIND_COUNT);
    const struct message_codec *row = &CODECS[message->kind];
    assert((message->campaign != 0) == row->is_of_campaign);
    protobuf_write_number(into, FIELD_CAMPAIGN, message->campaign);
    size_t opened = protobuf_write_open(into, (uint32_t)row->body);
    if (row->encode != NULL) {
        row->encode(message, into);
    }
    protobuf_write_close(into, opened);
}

static bool find_kind(Tutti__V1__Message__BodyCase body, enum message_kind *kind)
{
    for (size_t i = 0; i < MESSAGE_KIND_COUNT; i++) {
        if (CODECS[i].body == body) {
            *kind = (enum message_kind)i;
            return true;
        }
    }
    return false;
}

static bool decode_body(struct bytes bytes, struct decoding *decoding)
{
    struct message *message = decoding->message;
    const Tutti__V1__Message *wire =
        tutti__v1__message__unpack(&decoding->arena->allocator, bytes.size, bytes.data);
    if (wire == NULL) {
        return error_set(decoding->error,
                         "%zu bytes are not a valid message, or one that would take too much memory",
                         bytes.size);
    }
    if (!find_kind(wire->body_case, &message->kind)) {
        return error_set(decoding->error, "a message of unknown kind");
    }
    const struct message_codec *row = &CODECS[message->kind];
    message->campaign = wire->campaign;
    if ((message->campaign != 0) != row->is_of_campaign) {
        return error_set(decoding->error, "%s: %s campaign", row->name,
                         row->is_of_campaign ? "without a" : "with a");
    }
    return row->decode == NULL || row->decode(wire, decoding) ||
           error_wrap(decoding->error, "%s: ", row->name);
}

static bool decode(struct bytes bytes, bool is_from_agent, struct message *message, struct error *error)
{
    if (bytes.size > LIMIT_FRAME_BYTES) {
        return error_set(error, "a message of %zu bytes, at most %u are allowed", bytes.size,
                         LIMIT_FRAME_BYTES);
    }
    size_t allowance = bytes.size * LIMIT_DECODED_TIMES + LIMIT_DECODED_MORE_BYTES;
    struct arena *arena = MEMORY_NEW(struct arena);
    arena_init(arena, NULL, 0, allowance < LIMIT_DECODED_BYTES ? allowance : LIMIT_DECODED_BYTES);
    struct message decoded = {.arena = arena};
    struct decoding decoding = {
        .arena = arena, .message = &decoded, .error = error, .is_from_agent = is_from_agent};
    if (!decode_body(bytes, &decoding)) {
        message_finish(&decoded);
        return false;
    }
    *message = decoded;
    return true;
}

bool message_decode(struct bytes bytes, struct message *message, struct error *error)
{
    return decode(bytes, false, message, error);
}

/* Checks that cost no more than reading the bytes: a message from a stranger is refused before it takes
 * memory. */
static bool may_be_decoded(struct bytes bytes, struct error *error)
{
    uint32_t body;
    size_t items;
    enum message_kind kind;
    if (bytes.size > LIMIT_FROM_AGENT_BYTES) {
        return error_set(error, "a message of %zu bytes, at most %u are allowed", bytes.size,
                         LIMIT_FROM_AGENT_BYTES);
    }
    if (!glance(bytes, LIMIT_FROM_AGENT_ITEMS, &body, &items)) {
        return error_set(error, "%zu bytes are not a valid message", bytes.size);
    }
    if (!find_kind((Tutti__V1__Message__BodyCase)body, &kind)) {
        return error_set(error, "a message of unknown kind");
    }
    if (kind > MESSAGE_GOODBYE) {
        return error_set(error, "%s: not a message that an agent sends", CODECS[kind].name);
    }
    size_t most = 1 + (kind == MESSAGE_OPERATIONS ? LIMIT_OPERATIONS : LIMIT_FROM_AGENT_ITEMS);
    return items <= most ||
           error_set(error, "%s: more than %zu items in one message", CODECS[kind].name, most - 1);
}

bool message_decode_from_agent(struct bytes bytes, struct message *message, struct error *error)
{
    return may_be_decoded(bytes, error) && decode(bytes, true, message, error);
}

void message_finish(struct message *message)
{
    if (message->arena == NULL) {
        return;
    }
    arena_finish((struct arena *)message->arena);
    memory_free(message->arena);
    *message = (struct message){.kind = message->kind};
}
