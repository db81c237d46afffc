/* Bytes as a server sends them, and what the reader of messages makes of them. */
#include "reader_stand.h"

#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STORY_BYTES (1u << 20)

void stand_init(struct stand *stand)
{
    *stand = (struct stand){.codec = frame_codec_new(), .maximum = 1000};
    stand->memory.limit_bytes = 1 << 20;
    buffer_init(&stand->wire, 1 << 24);
}

void stand_finish(struct stand *stand)
{
    assert_int_equal(stand->memory.used_bytes, 0);
    assert_int_equal(stand->memory.body_bytes, 0);
    buffer_finish(&stand->wire);
    frame_codec_free(&stand->codec);
}

/* "text:abc " for each event. */
static void tell(struct message_reader *reader, enum message_event event, struct bytes data,
                 struct buffer *story)
{
    static const char *const names[] = {"more", "text", "binary", "ping", "pong", "close", "broken"};

    buffer_append_format(story, "%s", names[event]);
    if (event == MESSAGE_CLOSE || event == MESSAGE_BROKEN) {
        buffer_append_format(story, " %u", reader->code);
    }
    if (event == MESSAGE_TEXT || event == MESSAGE_BINARY) {
        size_t size;
        uint8_t *message = message_reader_take(reader, &size);
        buffer_append(story, ":", 1);
        buffer_append(story, message, size < 40 ? size : 40);
        if (size >= 40) {
            buffer_append_format(story, "(%zu)", size);
        }
        message_give_back(reader->memory, size);
        memory_free(message);
    } else if (data.size > 0 && event != MESSAGE_BROKEN) {
        buffer_append(story, ":", 1);
        buffer_append(story, data.data, data.size);
    }
    buffer_append(story, " ", 1);
}

/* What is read when the bytes come in pieces of `step`; 0: at once. */
static void read_wire(struct stand *stand, size_t step, struct buffer *story)
{
    struct message_reader reader;
    struct bytes wire = buffer_bytes(&stand->wire);
    enum message_event event = MESSAGE_MORE;

    message_reader_init(&reader, stand->codec, stand->maximum);
    reader.memory = &stand->memory;
    reader.inflater = stand->is_compressed ? inflater_new(true) : NULL;
    for (size_t at = 0; at < wire.size && event != MESSAGE_BROKEN;) {
        size_t size = step == 0 || step > wire.size - at ? wire.size - at : step;
        struct bytes input = bytes_of(wire.data + at, size);
        struct bytes data = {0};
        while ((event = message_next(&reader, &input, &data)) != MESSAGE_MORE) {
            tell(&reader, event, data, story);
            if (event == MESSAGE_BROKEN) {
                assert_non_null(reader.error);
                break;
            }
        }
        at += size;
    }
    message_reader_finish(&reader);
}

void expect(struct stand *stand, const char *wanted)
{
    static const size_t steps[] = {0, 1, 2, 3, 7, 4096};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct buffer story;
        if (steps[i] > 0 && steps[i] < 7 && stand->wire.size > 100000) {
            continue;
        }
        buffer_init(&story, STORY_BYTES);
        read_wire(stand, steps[i], &story);
        assert_string_equal(buffer_string(&story), wanted);
        buffer_finish(&story);
    }
    buffer_clear(&stand->wire);
}
