/* What our codec did not write: other valid encodings, truncated or oversized messages, and messages that
 * grow when they are decoded. */
#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"
#include "tests/unit/proto/codec/spoil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void unspoiled(Tutti__V1__Message *wire)
{
    (void)wire;
}

/* The output of another implementation is decoded too: protobuf-c's own packing. */
static void repacked_messages_decode(void **state)
{
    (void)state;
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct refusal none = {.kind = (enum message_kind)kind, .spoil = unspoiled};
        struct buffer packed;
        struct message decoded;
        struct error error;
        encode_spoiled(&none, &packed);
        if (!message_decode(buffer_bytes(&packed), &decoded, &error)) {
            fail_msg("kind %d: %s", kind, error.text);
        }
        message_finish(&decoded);
        buffer_finish(&packed);
    }
}

static void truncated_messages_do_no_harm(void **state)
{
    (void)state;
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct sample sample;
        struct buffer encoded;
        sample_make(&sample, (enum message_kind)kind, SAMPLE_TYPICAL);
        buffer_init(&encoded, LIMIT_FRAME_BYTES);
        message_encode(&sample.message, &encoded);
        for (size_t size = 0; size < encoded.size; size++) {
            struct message decoded;
            uint8_t *copy = memory_copy(encoded.data, size);
            assert_false(message_decode(bytes_of(copy, size), &decoded, NULL));
            memory_free(copy);
        }
        buffer_finish(&encoded);
        sample_finish(&sample);
    }
}

/* Many items of two bytes, each of which would become a structure of hundreds. */
static void memory_is_bounded(void **state)
{
    (void)state;
    size_t pairs = LIMIT_FRAME_BYTES / 2 - 8;
    struct buffer bomb;
    struct message decoded;
    struct error error;
    buffer_init(&bomb, LIMIT_FRAME_BYTES);
    uint8_t *items = memory_new(pairs, 2);
    for (size_t i = 0; i < pairs; i++) {
        items[2 * i] = 0x0a;
    }
    const uint8_t head[] = {0x08, 0x01, 0x2a};
    size_t size = 2 * pairs;
    const uint8_t length[] = {(uint8_t)(size | 0x80), (uint8_t)(size >> 7 | 0x80),
                              (uint8_t)(size >> 14 | 0x80), (uint8_t)(size >> 21)};
    assert_true(buffer_append(&bomb, head, sizeof head));
    assert_true(buffer_append(&bomb, length, sizeof length));
    assert_true(buffer_append(&bomb, items, size));
    assert_false(message_decode(buffer_bytes(&bomb), &decoded, &error));
    assert_non_null(strstr(error.text, "too much memory"));
    buffer_finish(&bomb);
    memory_free(items);
}

static void oversized_frames_are_refused(void **state)
{
    (void)state;
    struct message decoded;
    struct error error;
    uint8_t *frame = memory_new(1, LIMIT_FRAME_BYTES + 1);
    assert_false(message_decode(bytes_of(frame, LIMIT_FRAME_BYTES + 1), &decoded, &error));
    assert_non_null(strstr(error.text, "at most"));
    memory_free(frame);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(repacked_messages_decode),
        cmocka_unit_test(truncated_messages_do_no_harm),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(oversized_frames_are_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
