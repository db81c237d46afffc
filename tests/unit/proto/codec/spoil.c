/* Valid messages that are spoiled in one field of their encoding. */
#include "tests/unit/proto/codec/spoil.h"

#include "common/memory.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

ProtobufCBinaryData long_bytes(size_t size)
{
    static uint8_t bytes[LIMIT_CHUNK_BYTES + 1];
    assert_true(size <= sizeof bytes);
    memset(bytes, 'x', sizeof bytes);
    return (ProtobufCBinaryData){.len = size, .data = bytes};
}

ProtobufCBinaryData text_bytes(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

/* Keeps what protobuf-c allocates until the end, since spoiling replaces pointers. */
static void *keep_alive(void *context, size_t size)
{
    void ***kept = context;
    void **block = memory_new(1, sizeof(void *) * 2 + size);
    *block = *kept;
    *kept = block;
    return block + 2;
}

static void free_later(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

static void free_kept(void **kept)
{
    while (kept != NULL) {
        void **next = *kept;
        memory_free(kept);
        kept = next;
    }
}

void encode_spoiled(const struct refusal *refusal, struct buffer *spoiled)
{
    struct sample sample;
    struct buffer encoded;
    void **kept = NULL;
    ProtobufCAllocator allocator = {.alloc = keep_alive, .free = free_later, .allocator_data = &kept};
    sample_make(&sample, refusal->kind, SAMPLE_TYPICAL);
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&sample.message, &encoded);
    Tutti__V1__Message *wire = tutti__v1__message__unpack(&allocator, encoded.size, encoded.data);
    assert_non_null(wire);
    refusal->spoil(wire);
    size_t size = tutti__v1__message__get_packed_size(wire);
    uint8_t *packed = memory_new(1, size);
    assert_int_equal(tutti__v1__message__pack(wire, packed), size);
    buffer_init(spoiled, LIMIT_FRAME_BYTES);
    assert_true(buffer_append(spoiled, packed, size));
    memory_free(packed);
    buffer_finish(&encoded);
    sample_finish(&sample);
    free_kept(kept);
}

void expect_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buffer spoiled;
        struct message decoded = {.campaign = 4711};
        struct error error;
        encode_spoiled(&refusals[i], &spoiled);
        if (message_decode(buffer_bytes(&spoiled), &decoded, &error)) {
            fail_msg("row %zu (%s) was decoded", i, refusals[i].words);
        }
        if (strstr(error.text, refusals[i].words) == NULL) {
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, error.text, refusals[i].words);
        }
        assert_int_equal(decoded.campaign, 4711); /* untouched */
        assert_false(message_decode(buffer_bytes(&spoiled), &decoded, NULL));
        buffer_finish(&spoiled);
    }
}
