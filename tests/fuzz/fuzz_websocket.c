/* Any bytes as what a WebSocket server sends: however they are cut, they read the same, and never become more
 * than is wanted. And as the fields of its handshake. */
#include "fuzz.h"

#include "agent/base/memory_account.h"
#include "agent/websocket/handshake.h"
#include "agent/websocket/message_reader.h"
#include "common/memory.h"

#define MESSAGE_MAX_BYTES (1u << 16)
#define STORY_MAX_BYTES (1u << 24)
/* Longer inputs are cut in some places only. */
#define CUT_EVERYWHERE_BYTES 128u

enum fuzz_kind { KIND_PLAIN, KIND_COMPRESSED, KIND_WITH_CONTEXT, KIND_HANDSHAKE, KIND_COUNT };

static void check_event(const struct message_reader *reader, enum message_event event, struct bytes data)
{
    switch (event) {
    case MESSAGE_TEXT:
        FUZZ_CHECK(text_is_utf8(buffer_bytes(&reader->body)));
        break;
    case MESSAGE_PING:
    case MESSAGE_PONG:
        FUZZ_CHECK(data.size <= FRAME_CONTROL_MAX_BYTES);
        break;
    case MESSAGE_CLOSE:
        FUZZ_CHECK(reader->code == CLOSE_NO_CODE || close_code_is_valid(reader->code));
        FUZZ_CHECK(text_is_utf8(data) && data.size <= FRAME_CONTROL_MAX_BYTES - 2);
        break;
    case MESSAGE_BROKEN:
        FUZZ_CHECK(close_code_is_valid(reader->code) && reader->error != NULL);
        break;
    default:
        break;
    }
}

static void tell(struct message_reader *reader, enum message_event event, struct bytes data,
                 struct buffer *story)
{
    bool is_message = event == MESSAGE_TEXT || event == MESSAGE_BINARY;

    buffer_append_format(story, "%d %u;", event, event >= MESSAGE_CLOSE ? reader->code : 0);
    if (is_message) {
        size_t size;
        uint8_t *message = message_reader_take(reader, &size);
        FUZZ_CHECK(size <= MESSAGE_MAX_BYTES);
        buffer_append(story, message, size);
        message_give_back(reader->memory, size);
        memory_free(message);
    } else if (event != MESSAGE_BROKEN) {
        buffer_append(story, data.data, data.size);
    }
}

/* Up to `cut`, then the rest; or in steps. */
static void read_wire(struct frame_codec *codec, struct bytes wire, enum fuzz_kind kind, size_t cut,
                      size_t step, struct buffer *story)
{
    struct memory_account memory = {.limit_bytes = 4 * MESSAGE_MAX_BYTES};
    struct message_reader reader;
    enum message_event event = MESSAGE_MORE;
    size_t at = 0;

    buffer_init(story, STORY_MAX_BYTES);
    message_reader_init(&reader, codec, MESSAGE_MAX_BYTES);
    reader.memory = &memory;
    reader.inflater = kind == KIND_PLAIN ? NULL : inflater_new(kind == KIND_WITH_CONTEXT);
    while (at < wire.size && event != MESSAGE_BROKEN) {
        size_t stop = step > 0 ? at + step : at < cut ? cut : wire.size;
        stop = stop < wire.size ? stop : wire.size;
        struct bytes input = bytes_of(wire.data + at, stop - at);
        struct bytes data = bytes_of("", 0);
        while ((event = message_next(&reader, &input, &data)) != MESSAGE_MORE) {
            check_event(&reader, event, data);
            tell(&reader, event, data, story);
            if (event == MESSAGE_BROKEN) {
                break;
            }
        }
        FUZZ_CHECK(event == MESSAGE_BROKEN || input.size == 0);
        at = stop;
    }
    message_reader_finish(&reader);
    FUZZ_CHECK(memory.used_bytes == 0 && memory.body_bytes == 0);
}

static void read_in_every_way(struct bytes wire, enum fuzz_kind kind)
{
    struct frame_codec *codec = frame_codec_new();
    size_t stride = wire.size <= CUT_EVERYWHERE_BYTES ? 1 : wire.size / 8;
    struct buffer whole;
    struct buffer cut;

    read_wire(codec, wire, kind, wire.size, 0, &whole);
    for (size_t at = 1; at < wire.size; at += stride) {
        read_wire(codec, wire, kind, at, 0, &cut);
        FUZZ_CHECK(bytes_equal(buffer_bytes(&whole), buffer_bytes(&cut)));
        buffer_finish(&cut);
    }
    for (size_t step = 1; step <= 2; step++) {
        read_wire(codec, wire, kind, 0, step, &cut);
        FUZZ_CHECK(bytes_equal(buffer_bytes(&whole), buffer_bytes(&cut)));
        buffer_finish(&cut);
    }
    buffer_finish(&whole);
    frame_codec_free(&codec);
}

/* The fields of an answer that is right but for them. */
static void judge_handshake(struct bytes fields)
{
    const struct handshake_offer offer = {
        .key = "dGhlIHNhbXBsZSBub25jZQ==", .protocols = "chat, superchat", .is_compressed = true};
    struct handshake_answer answer;
    struct error error = {""};
    struct buffer text;

    buffer_init(&text, STORY_MAX_BYTES);
    buffer_append_string(&text, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    buffer_append(&text, fields.data, fields.size);
    if (handshake_check(&offer, buffer_bytes(&text), &answer, &error)) {
        FUZZ_CHECK(answer.protocol.size == 0 || bytes_equal_string(answer.protocol, "chat") ||
                   bytes_equal_string(answer.protocol, "superchat"));
        FUZZ_CHECK(answer.is_compressed || !answer.has_context);
    } else {
        FUZZ_CHECK(error.text[0] != '\0');
    }
    buffer_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes wire = bytes_of(data, size);
    enum fuzz_kind kind = (enum fuzz_kind)(fuzz_number(&wire, 1) % KIND_COUNT);

    if (kind == KIND_HANDSHAKE) {
        judge_handshake(wire);
    } else {
        read_in_every_way(wire, kind);
    }
    return 0;
}
