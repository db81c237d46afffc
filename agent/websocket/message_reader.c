/* The messages of a server, put together from frames. */
#include "agent/websocket/message_reader.h"

#include "agent/base/memory_account.h"
#include "common/memory.h"

#include <string.h>

bool close_code_is_valid(uint32_t code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != CLOSE_NO_CODE &&
            code != CLOSE_ABNORMAL) ||
           (code >= 3000 && code <= 4999);
}

bool text_is_utf8(struct bytes text)
{
    size_t at = 0;

    while (at < text.size) {
        uint64_t eight;
        uint32_t character;
        if (text.size - at >= sizeof eight) {
            memcpy(&eight, text.data + at, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t size = bytes_character(bytes_of(text.data + at, text.size - at), &character);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

void message_reader_init(struct message_reader *reader, struct frame_codec *codec, size_t maximum)
{
    *reader = (struct message_reader){.codec = codec};
    buffer_init(&reader->body, maximum);
    buffer_init(&reader->control, FRAME_CONTROL_MAX_BYTES);
}

void message_give_back(struct memory_account *memory, size_t size)
{
    if (memory != NULL) {
        memory_account_give_body(memory, size);
    }
}

void message_reader_finish(struct message_reader *reader)
{
    message_give_back(reader->memory, reader->counted_bytes);
    reader->counted_bytes = 0;
    frame_reader_finish(&reader->frames);
    inflater_free(&reader->inflater);
    buffer_finish(&reader->body);
    buffer_finish(&reader->control);
}

uint8_t *message_reader_take(struct message_reader *reader, size_t *size)
{
    size_t maximum = reader->body.maximum;
    uint8_t *data = buffer_take(&reader->body, size);

    buffer_init(&reader->body, maximum);
    reader->counted_bytes = 0;
    return data;
}

static enum message_event message_reader_break(struct message_reader *reader, uint16_t code,
                                               const char *error)
{
    reader->code = code;
    reader->error = error;
    return MESSAGE_BROKEN;
}

static enum message_event message_too_big(struct message_reader *reader)
{
    return message_reader_break(reader, CLOSE_TOO_BIG, "a message is larger than max_message");
}

/* False where there is no room for it: `code` and `error` say why. */
static bool on_plain(void *context, struct bytes plain)
{
    struct message_reader *reader = context;

    if (reader->body.size + plain.size > reader->body.maximum) {
        (void)message_too_big(reader);
        return false;
    }
    if (reader->memory != NULL && !memory_account_take_body(reader->memory, plain.size)) {
        (void)message_reader_break(reader, CLOSE_TOO_BIG,
                                   "no memory for a message: the workers of this thread hold too much");
        return false;
    }
    reader->counted_bytes += reader->memory != NULL ? plain.size : 0;
    return buffer_append(&reader->body, plain.data, plain.size);
}

/* MESSAGE_MORE while it has not ended. */
static enum message_event take_message_part(struct message_reader *reader, const struct frame_part *part)
{
    bool is_end = part->is_last && part->is_final;
    enum message_event event = reader->opcode == FRAME_TEXT ? MESSAGE_TEXT : MESSAGE_BINARY;

    if (reader->is_compressed) {
        enum inflate_result result = inflater_write(reader->inflater, part->data, is_end, on_plain, reader);
        if (result == INFLATE_MALFORMED) {
            return message_reader_break(reader, CLOSE_NOT_UTF8, "a compressed message cannot be inflated");
        }
        if (result == INFLATE_STOPPED) {
            return MESSAGE_BROKEN;
        }
    } else if (!on_plain(reader, part->data)) {
        return MESSAGE_BROKEN;
    }
    if (!is_end) {
        return MESSAGE_MORE;
    }
    reader->opcode = FRAME_CONTINUATION;
    if (event == MESSAGE_TEXT && !text_is_utf8(buffer_bytes(&reader->body))) {
        return message_reader_break(reader, CLOSE_NOT_UTF8, "a text message is not UTF-8");
    }
    return event;
}

/* Whether a message may begin, or go on, with this frame. */
static enum message_event begin_data_frame(struct message_reader *reader, const struct frame_part *part)
{
    bool is_first = part->opcode != FRAME_CONTINUATION;

    if (is_first != (reader->opcode == FRAME_CONTINUATION)) {
        return message_reader_break(reader, CLOSE_PROTOCOL,
                                    is_first ? "a message begins within another"
                                             : "a continuation of no message");
    }
    if (part->is_compressed && (!is_first || reader->inflater == NULL)) {
        return message_reader_break(reader, CLOSE_PROTOCOL, "a frame has a reserved bit set");
    }
    if (is_first) {
        reader->opcode = part->opcode;
        reader->is_compressed = part->is_compressed;
    }
    /* Before its bytes have come. How long a compressed one is says nothing. */
    bool is_too_big = !reader->is_compressed && part->frame_bytes > reader->body.maximum - reader->body.size;
    return is_too_big ? message_too_big(reader) : MESSAGE_MORE;
}

static enum message_event take_close(struct message_reader *reader, struct bytes payload, struct bytes *data)
{
    *data = bytes_of("", 0);
    if (payload.size == 0) {
        reader->code = CLOSE_NO_CODE;
        return MESSAGE_CLOSE;
    }
    uint32_t code = payload.size > 1 ? (uint32_t)(payload.data[0] << 8 | payload.data[1]) : 0;
    if (!close_code_is_valid(code)) {
        return message_reader_break(reader, CLOSE_PROTOCOL, "a close frame has no valid code");
    }
    *data = bytes_of(payload.data + 2, payload.size - 2);
    if (!text_is_utf8(*data)) {
        return message_reader_break(reader, CLOSE_NOT_UTF8, "the reason of a close frame is not UTF-8");
    }
    reader->code = (uint16_t)code;
    return MESSAGE_CLOSE;
}

static enum message_event take_control_part(struct message_reader *reader, const struct frame_part *part,
                                            struct bytes *data)
{
    if (part->is_first) {
        buffer_clear(&reader->control);
        if (part->is_compressed) {
            return message_reader_break(reader, CLOSE_PROTOCOL, "a frame has a reserved bit set");
        }
    }
    (void)buffer_append(&reader->control, part->data.data, part->data.size);
    if (!part->is_last) {
        return MESSAGE_MORE;
    }
    *data = buffer_bytes(&reader->control);
    switch (part->opcode) {
    case FRAME_PING:
        return MESSAGE_PING;
    case FRAME_PONG:
        return MESSAGE_PONG;
    default:
        return take_close(reader, *data, data);
    }
}

static enum message_event take_part(struct message_reader *reader, const struct frame_part *part,
                                    struct bytes *data)
{
    switch (part->opcode) {
    case FRAME_CONTINUATION:
    case FRAME_TEXT:
    case FRAME_BINARY: {
        enum message_event event = part->is_first ? begin_data_frame(reader, part) : MESSAGE_MORE;
        return event == MESSAGE_MORE ? take_message_part(reader, part) : event;
    }
    case FRAME_CLOSE:
    case FRAME_PING:
    case FRAME_PONG:
        return take_control_part(reader, part, data);
    default:
        return message_reader_break(reader, CLOSE_PROTOCOL, "a frame has an unknown opcode");
    }
}

enum message_event message_next(struct message_reader *reader, struct bytes *input, struct bytes *data)
{
    struct frame_part part;

    for (;;) {
        switch (frame_next(reader->codec, &reader->frames, input, &part)) {
        case FRAME_MORE:
            return MESSAGE_MORE;
        case FRAME_BROKEN:
            return message_reader_break(reader, CLOSE_PROTOCOL,
                                        "a frame breaks a rule: its mask, its reserved bits or its length");
        case FRAME_PART:
            break;
        }
        enum message_event event = take_part(reader, &part, data);
        if (event != MESSAGE_MORE) {
            return event;
        }
    }
}
